"""Several senders as on several hosts: each with its own configuration, journal folder and log, all with the same database and relay."""

import os
import signal
import subprocess
import time

from verpost import BIN, PATIENCE, Failure, until


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class Host:
    """wrapper: a command to run sender under, such as ip netns exec NAME. dies_at_writes: order_death() is obeyed. changes: settings of this
    host only."""

    def __init__(self, world, name, wrapper=(), dies_at_writes=False, **changes):
        self.world, self.name, self.wrapper = world, name, wrapper
        self.order = world.base / f"{name}.order" if dies_at_writes else None
        self.folder = world.base / f"{name}.journal"
        self.folder.mkdir()
        self.config = world.base / f"{name}.conf"
        self.changes = {"journal.dir": self.folder, **changes}
        world.logs[name] = world.base / f"{name}.log"

    def start(self):
        self.world.write_settings(self.config, {**self.world.settings, **self.changes})
        with open(self.world.logs[self.name], "a", encoding="utf-8") as log:
            self.world.processes[self.name] = subprocess.Popen(
                [*self.wrapper, str(BIN / "sender"), "--config", str(self.config)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, start_new_session=True, env=self.environment())
        return self

    def environment(self):
        if not self.order:
            return None
        # AddressSanitizer wants to be the first that is loaded, and need not be.
        sanitizer = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        return {**os.environ, "LD_PRELOAD": str(BIN / "journal_killer.so"), "JOURNAL_KILLER": str(self.order), "ASAN_OPTIONS": sanitizer}

    def order_death(self, kind, what, number):
        """One of its workers dies "before", in the "half" of or "after" the number-th "write" or "rewrite" of its journal from now."""
        draft = self.order.with_suffix(".draft")
        draft.write_text(f"{kind} {what} {number}\n")
        draft.rename(self.order)

    def has_order(self):
        """Nobody has died of it yet."""
        return self.order.exists() or self.order.with_suffix(".order.taken").exists()

    def take_order_back(self):
        self.order.unlink(missing_ok=True)

    @property
    def pid(self):
        return self.world.processes[self.name].pid

    def is_up(self):
        return self.name in self.world.processes

    def children(self, name):
        """Process ids of its "sender-worker" or "sender-coord"."""
        out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(self.pid)], capture_output=True, text=True).stdout
        return [int(line.split()[0]) for line in out.splitlines() if line.split()[1] == name]

    def workers(self):
        return self.children("sender-worker")

    def ids(self):
        """Its workers' ids in the database."""
        return [row[0] for row in self.world.sql(f"SELECT id FROM worker WHERE journal LIKE '{self.folder}/%' ORDER BY id")]

    def stop(self):
        """In order. Returns how long it took."""
        begun = time.monotonic()
        self.world.stop(self.name)
        return time.monotonic() - begun

    def kill(self):
        """All of it at once."""
        process = self.world.processes.pop(self.name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_parent(self):
        """Only the parent: its workers end in order by themselves. Returns them."""
        orphans = self.workers()
        self.world.stop(self.name, signal.SIGKILL, code=None)
        return orphans

    def signal_all(self, number):
        os.killpg(self.pid, number)

    def lose(self):
        """The host is gone with its disk."""
        lost = self.ids()
        self.kill()
        for journal in self.folder.glob("*.journal"):
            journal.unlink()
        return lost

    def log(self):
        return self.world.log(self.name)


def forget(world, workers):
    """Gives lost workers up, as soon as the database takes them for dead."""
    for worker in workers:
        said = []

        def is_forgotten():
            done = world.run("listctl", "worker", "forget", worker, "--yes")
            said[:] = [done.stderr]
            return done.returncode == 0
        try:
            until(is_forgotten, f"worker {worker} can be forgotten", PATIENCE)
        except Failure as error:
            raise Failure(f"{error}: {said[0]}") from error
