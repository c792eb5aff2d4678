"""Guarantees 1 and 2 under everything at once: from a seed, processes are killed and stopped, PostgreSQL is killed, the relay drops
connections at every step, and the campaign is paused and resumed; nobody is skipped, nobody gets it twice but those named in doubt,
and the ledger adds up in every snapshot.

VERPOST_SEED=N runs another seed."""

import os
import random
import signal
import subprocess
import time

from sending import check, counts, people, places, workers
from verpost import Failure

RULES = """
session drop banner share 0.03
session drop mail every 301
session drop rcpt every 307
session drop data every 311
gone*@* refuse rcpt 550 5.1.1 "No such user"
full*@* refuse dot 552 5.2.2 "Mailbox is full"
grey*@* defer 2 451 4.7.1 "Greylisted, come back"
* drop rcpt every 173
* drop data every 179
* drop content every 181
* drop dot every 191
* drop kept every 193
* accept slow 25
"""
PLAIN = people(2000)
ODD = [(f"{kind}{n:02d}@d{n % 7}.test", "") for kind in ("gone", "full", "grey") for n in range(20)]
AUDIENCE = PLAIN + ODD
EVENTS = 14


def coordinators(world):
    parent = world.processes["sender"].pid
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(parent)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in out.splitlines() if line.split()[1] == "sender-coord"]


def kill_one(world, chance, pids):
    if pids:
        world.kill(chance.choice(pids))


def kill_worker(world, chance):
    kill_one(world, chance, workers(world))


def kill_coordinator(world, chance):
    kill_one(world, chance, coordinators(world))


def kill_parent(world, chance):
    world.stop("sender", signal.SIGKILL, code=None)
    world.start("sender")  # at once: the orphans still finish what they have in hand


def kill_all(world, chance):
    process = world.processes.pop("sender")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    world.start("sender")


def kill_postgres(world, chance):
    world.postgres("kill")
    time.sleep(chance.uniform(0, 0.5))
    if chance.random() < 0.5:
        kill_worker(world, chance)
    world.postgres("start")


def stop_worker(world, chance):
    """For longer than its lease."""
    pids = workers(world)
    if not pids:
        return
    pid = chance.choice(pids)
    world.kill(pid, signal.SIGSTOP)
    time.sleep(1.5)
    world.kill(pid, signal.SIGCONT)


def pause(world, chance):
    done = world.run("listctl", "campaign", "pause", "chaos")
    time.sleep(chance.uniform(0, 0.7))
    if done.returncode == 0:
        world.listctl("campaign", "resume", "chaos")


def terminate(world, chance):
    begun = time.monotonic()
    world.stop("sender")
    assert time.monotonic() - begun < 15, "SIGTERM took long"
    world.start("sender")


WAYS = [kill_worker, kill_worker, kill_coordinator, kill_parent, kill_all, kill_postgres, stop_worker, pause, terminate]


def chaos(world, seed):
    seed = int(os.environ.get("VERPOST_SEED", seed))
    chance = random.Random(seed)
    world.setup()
    world.configure(**{"sender.lease": "1s", "sender.window": 60, "sender.retry_after": "1s", "sender.stop_timeout": "5s"})
    world.mailworld(RULES)
    world.subscribe(AUDIENCE)
    world.start("sender")
    world.campaign("chaos")
    done = []
    try:
        while len(done) < EVENTS and world.status("chaos")["state"] != "finished":
            time.sleep(chance.uniform(0, 0.5))
            way = chance.choice(WAYS)
            done.append(way.__name__)
            way(world, chance)
            world.status("chaos")
        assert len(done) >= 8, "too fast for chaos"
        status = world.finished("chaos")
        named = check(world, "chaos", AUDIENCE)
        got, where = counts(world), places(world, "chaos")
        assert max(got.values()) <= 2, f"more than one resend: {[a for a in got if got[a] > 2][:3]}"
        assert {where[a] for a, _ in ODD if a[:4] in ("gone", "full")} <= {"refused", "in_doubt"}, status
        assert all(where[a] in ("accepted", "in_doubt") for a, _ in PLAIN), status
        assert all(a in named for a in where if where[a] == "in_doubt"), "in doubt and not named"
        world.stop("sender")
        assert world.value("SELECT count(*) FROM chunk_window") == "0"
    except Exception as error:
        raise Failure(f"seed {seed}, after {' '.join(done)}: {error}") from error


def test_seed_one(world):
    "Two thousand recipients, a dozen disasters."
    chaos(world, 1)


def test_seed_two(world):
    "The same in another order."
    chaos(world, 20061)
