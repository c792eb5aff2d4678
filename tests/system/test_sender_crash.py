"""Guarantee 2: whatever is killed at whatever moment, nobody is skipped and nobody gets it twice but those named in doubt."""

import os
import signal
import time

from sending import check, doubtful, people, until_accepted, workers
from verpost import until

AUDIENCE = people(3000)
CONNECTIONS = 4
WORKERS = 2


def begin(world, **settings):
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"relay.connections": CONNECTIONS, "sender.workers": WORKERS, **settings})
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("crash")


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_worker_killed(world):
    "A worker killed again and again in mid-campaign."
    begin(world)
    kills = 0
    for accepted in (300, 900, 1500, 2100):
        until_accepted(world, accepted)
        victims = workers(world)
        if victims:
            world.kill(victims[kills % len(victims)])
            kills += 1
    assert kills >= 3, "too fast to kill"
    status = world.finished("crash")
    named = check(world, "crash", AUDIENCE)
    assert status["accepted"] + status["in_doubt"] == len(AUDIENCE), status
    assert len(named) <= kills * CONNECTIONS, f"{len(named)} in doubt after {kills} kills"
    world.stop("sender")


def test_parent_killed(world):
    "The parent killed: its workers end in order by themselves, and the next sender goes on."
    begin(world)
    until_accepted(world, 800)
    children = workers(world)
    world.stop("sender", signal.SIGKILL, code=None)
    until(lambda: all(is_gone(pid) for pid in children), "the workers of a dead parent ended")
    assert len(world.accepted()) < len(AUDIENCE), "too fast to kill"
    world.start("sender")
    world.finished("crash")
    check(world, "crash", AUDIENCE, may_doubt=False)


def test_everything_killed(world):
    "All processes killed at once, twice."
    begin(world)
    for accepted in (700, 1700):
        until_accepted(world, accepted)
        process = world.processes.pop("sender")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        world.start("sender")
    world.finished("crash")
    named = check(world, "crash", AUDIENCE)
    assert len(named) <= 2 * WORKERS * CONNECTIONS, f"{len(named)} in doubt"


def test_killed_and_held(world):
    "in_doubt=hold: those in doubt are not sent to again, and named."
    world.setup()
    world.subscribe(AUDIENCE[:400])
    world.configure(**{"sender.workers": 1})
    world.mailworld("* drop kept every 100\n* accept\n")
    world.start("sender")
    world.campaign("held", in_doubt="hold")
    status = world.finished("held")
    assert status["in_doubt"] > 0, status
    check(world, "held", AUDIENCE[:400])
    rows = world.sql("SELECT DISTINCT decision FROM doubt")
    assert rows == [["hold"]], rows
    assert world.value("SELECT count(*) FROM doubt") == str(status["in_doubt"])
    # A person has them sent again after all: the finished campaign runs until they have an end.
    first = {message["to"]: message["message_id"] for message in world.accepted()}
    world.stop("mailworld", code=None)
    world.mailworld("* accept\n", name="again")
    world.listctl("campaign", "in-doubt", "held", "--resend")
    status = world.finished("held")
    assert (status["in_doubt"], status["accepted"]) == (0, 400), status
    again = world.accepted("again")
    assert sorted(m["to"] for m in again) == sorted(doubtful(world, "held")), again
    assert all(first[m["to"]] == m["message_id"] for m in again), "a copy sent again has another Message-ID"


def test_worker_stopped(world):
    "A worker that hangs longer than its lease: others take what it had not opened, and it goes on without sending anything twice."
    begin(world, **{"sender.lease": "2s", "sender.window": 50})
    until_accepted(world, 300)
    victim = workers(world)[0]
    world.kill(victim, signal.SIGSTOP)
    try:
        before = len(world.accepted())
        until(lambda: len(world.accepted()) >= before + 200, "the other worker goes on")
        time.sleep(3)
    finally:
        world.kill(victim, signal.SIGCONT)
    world.finished("crash")
    check(world, "crash", AUDIENCE)


def test_host_lost(world):
    "The host is lost with its journals: forgetting its workers makes just those in doubt whom they had opened."
    begin(world, **{"sender.window": 40})
    until_accepted(world, 500)
    process = world.processes.pop("sender")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    lost = world.sql("SELECT id FROM worker ORDER BY id")
    for journal in (world.base / "journal").glob("*.journal"):
        journal.unlink()
    world.start("sender")
    opened = world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL")
    assert opened != "0", "nothing was open"
    world.sql("UPDATE worker SET seen_at = seen_at - interval '1 day' WHERE id IN (%s)" %
              ", ".join(f"'{row[0]}'" for row in lost))
    for row in lost:
        world.listctl("worker", "forget", row[0], "--yes")
    world.finished("crash")
    named = check(world, "crash", AUDIENCE)
    assert named and len(named) <= 2 * (40 + 20), f"{len(named)} in doubt"
    assert world.sql("SELECT DISTINCT decision FROM doubt") == [["forgotten"]]
    assert world.value(f"SELECT count(*) FROM worker WHERE id = '{lost[0][0]}'") == "0"
