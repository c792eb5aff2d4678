"""What may happen to senders on several hosts while a campaign is under way. Each disaster is a function of a Trial; how many messages it
may leave in doubt is added up as it happens."""

import itertools
import os
import pathlib
import signal
import subprocess
import time

from hosts import forget
from verpost import Failure, until

LEASE = 1  # seconds; the least that there is
PATIENCE_OF_SENDER = 3  # seconds that it waits for a reply; longer than its lease


class Trial:
    """A campaign in trouble: its hosts and relay, and what has been done to them."""

    def __init__(self, world, chance, hosts, relay, campaign, snapshots, connections, in_flight=1):
        self.world, self.chance, self.hosts, self.relay = world, chance, hosts, relay
        self.campaign, self.snapshots = campaign, snapshots
        self.per_worker = connections * in_flight
        self.workers = int(world.settings["sender.workers"])
        self.done, self.doubtful, self.forgotten = [], 0, set()
        self.disk = None  # a SmallDisk with the journals of the first host

    def host(self):
        return self.chance.choice([host for host in self.hosts if host.is_up()])

    def worker(self, host):
        pids = host.workers()
        return self.chance.choice(pids) if pids else None

    def lost(self, workers):
        """So many workers ended with messages under way."""
        self.doubtful += workers * self.per_worker

    def pause(self, least, most):
        time.sleep(self.chance.uniform(least, most))

    def do(self, disaster):
        self.done.append(disaster.__name__)
        disaster(self)

    def is_over(self):
        return self.world.value(f"SELECT state FROM campaign WHERE name = '{self.campaign}'") == "finished"


def kill_worker(trial):
    pid = trial.worker(trial.host())
    if pid:
        trial.world.kill(pid)
        trial.lost(1)


def kill_all_workers(trial):
    pids = trial.host().workers()
    for pid in pids:
        trial.world.kill(pid)
    trial.lost(len(pids))


def kill_at_write(trial):
    "Workers die before, in the middle of and after a write of their journals: what has left by then must be known there."
    kinds = ["before", "half", "after"]
    trial.chance.shuffle(kinds)
    for kind in kinds:
        host = trial.host()
        host.order_death(kind, "write", trial.chance.randrange(1, 20))
        trial.lost(1)
        until(lambda: not host.has_order() or trial.is_over(), "a worker dies at a write")
    host.take_order_back()


def end_worker(trial):
    "SIGTERM to a worker alone."
    pid = trial.worker(trial.host())
    if pid:
        trial.world.kill(pid, signal.SIGTERM)
        trial.lost(1)  # what the relay does not answer until sender.stop_timeout


def kill_coordinator(trial):
    for pid in trial.host().children("sender-coord"):
        trial.world.kill(pid)


def kill_parent(trial):
    "The next sender is there at once: the orphans still finish what they have in hand."
    host = trial.host()
    trial.lost(len(host.kill_parent()))
    host.start()


def kill_host(trial):
    host = trial.host()
    host.kill()
    trial.lost(trial.workers)
    trial.pause(0, 1)
    host.start()


def end_host(trial):
    "SIGTERM to the parent."
    host = trial.host()
    trial.lost(trial.workers)
    took = host.stop()
    if took > 15 + 10:
        raise Failure(f"SIGTERM took {took:.1f} s")
    host.start()


def freeze_worker(trial):
    "A worker hangs for longer than its lease and than it waits for a reply: what the relay has said meanwhile is heard, nobody is in doubt."
    pid = trial.worker(trial.host())
    if pid:
        trial.world.kill(pid, signal.SIGSTOP)
        trial.pause(1.1 * PATIENCE_OF_SENDER, 1.3 * PATIENCE_OF_SENDER)
        trial.world.kill(pid, signal.SIGCONT)


def freeze_host(trial):
    "A whole host hangs for as long, and may be killed before it comes back."
    host = trial.host()
    host.signal_all(signal.SIGSTOP)
    trial.pause(1.1 * PATIENCE_OF_SENDER, 1.3 * PATIENCE_OF_SENDER)
    if trial.chance.random() < 0.3:
        trial.lost(trial.workers)
        host.kill()
        host.start()
    else:
        host.signal_all(signal.SIGCONT)


def postgres(trial, verb):
    trial.snapshots.is_away.set()
    trial.world.postgres(verb)
    trial.pause(0, 1.5)
    if trial.chance.random() < 0.5:
        kill_worker(trial)
    trial.world.postgres("start")
    trial.snapshots.is_away.clear()


def kill_postgres(trial):
    postgres(trial, "kill")


def restart_postgres(trial):
    postgres(trial, "stop")


def pause_and_resume(trial):
    done = trial.world.run("listctl", "campaign", "pause", trial.campaign)
    if done.returncode:
        if trial.is_over():
            return
        raise Failure(f"cannot pause: {done.stderr}")
    trial.lost(sum(len(host.workers()) for host in trial.hosts if host.is_up()))
    trial.pause(0, 1.5)
    trial.world.listctl("campaign", "resume", trial.campaign)


class SmallDisk:
    """A file system of a megabyte or so, for the journals of one host. Needs root."""

    def __init__(self, folder, size):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.refusal = self.command("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", self.folder)
        self.is_there = not self.refusal

    @staticmethod
    def command(*words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stderr.strip() or f"{words[0]} ended with {done.returncode}" if done.returncode else ""

    def fill(self):
        """Not one octet more."""
        filler = os.open(self.folder / "filler", os.O_WRONLY | os.O_CREAT, 0o644)
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    os.write(filler, b"x" * size)
            except OSError:
                continue
        os.close(filler)

    def take_back(self):
        """A journal takes its space beforehand, so that a full disk does not touch it. This gives back what was never written to, as on a file
        system that looks for space at the time of writing."""
        page = 4096
        for journal in self.folder.glob("*.journal"):
            data = journal.read_bytes()
            empty = [not any(data[at:at + page]) for at in range(0, len(data), page)]
            for is_empty, run in itertools.groupby(range(len(empty)), lambda number: empty[number]):
                numbers = list(run)
                refusal = is_empty and self.command("fallocate", "--punch-hole", "--offset", numbers[0] * page, "--length",
                                                    len(numbers) * page, journal)
                if refusal:
                    raise Failure(refusal)

    def clear(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self):
        if self.is_there:
            self.command("umount", "--lazy", self.folder)


def holds(world, workers):
    """How many windows and retries stand under these workers' names."""
    names = ", ".join(f"'{worker}'" for worker in workers)
    return int(world.value(f"SELECT (SELECT count(*) FROM chunk_window WHERE worker_id IN ({names}))"
                           f" + (SELECT count(*) FROM deferral WHERE opened_by IN ({names}))"))


def stop_empty(trial, host):
    """Stops it with nothing that only its journals know. A worker that was just killed, or told to stop before it had read its journal,
    leaves what it held to the next in its place: without that journal nobody would ever touch it."""
    for _ in range(5):
        trial.lost(trial.workers)
        host.stop()
        if not holds(trial.world, host.ids()):
            return
        begun = host.log().count("event=worker.started")
        host.start()
        until(lambda: host.log().count("event=worker.started") >= begun + trial.workers or trial.is_over(), "the workers are back")
    raise Failure(f"{host.name} keeps what it held though it was stopped in order")


def fill_disk(trial):
    "The first host begins new journals, which need more space, and then its disk is full for a while."
    host, disk = trial.hosts[0], trial.disk
    stop_empty(trial, host)
    for journal in disk.folder.glob("*.journal"):
        journal.unlink()
    begun, failed = host.log().count("event=worker.started"), host.log().count("event=journal.failed")
    host.start()
    until(lambda: host.log().count("event=worker.started") == begun + trial.workers or trial.is_over(), "the workers are back")
    trial.pause(0, 0.3)
    host.signal_all(signal.SIGSTOP)  # or something might be written between the look for holes and the digging
    disk.take_back()
    disk.fill()
    host.signal_all(signal.SIGCONT)
    trial.lost(trial.workers)
    until(lambda: host.log().count("event=journal.failed") > failed or trial.is_over(), "the full disk is felt")
    trial.pause(0.5, 2)
    disk.clear()


def lose_host(trial):
    "The last host is gone with its disk; its workers are forgotten."
    host = trial.hosts[-1]
    lost = host.lose()
    trial.forgotten = {subscriber for _, subscriber in opened_by(trial.world, lost)}
    forget(trial.world, lost)


def opened_by(world, workers):
    """Whom these workers have opened and not finished: (campaign, subscriber)."""
    names = ", ".join(f"'{worker}'" for worker in workers)
    return {(int(c), int(i)) for c, i in world.sql(
        "SELECT w.campaign_id, a.id FROM chunk_window w JOIN campaign_chunk k USING (campaign_id, chunk_no)"
        " CROSS JOIN LATERAL unnest(k.subscriber_ids[w.first:w.last]) AS a(id)"
        f" WHERE w.worker_id IN ({names})"
        " AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id AND d.subscriber_id = a.id)"
        f" UNION SELECT campaign_id, subscriber_id FROM deferral WHERE opened_by IN ({names})")}


ALL = (kill_worker, kill_all_workers, kill_at_write, end_worker, kill_coordinator, kill_parent, kill_host, end_host, freeze_worker, freeze_host,
       kill_postgres, restart_postgres, pause_and_resume, fill_disk, lose_host)
