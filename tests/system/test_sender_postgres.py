"""PostgreSQL goes away in the middle of a campaign: nothing is lost and nothing is sent twice."""

import time

from sending import check, people, until_accepted
from verpost import until

AUDIENCE = people(3000)


def begin(world):
    world.setup()
    world.subscribe(AUDIENCE)
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("away")
    until_accepted(world, 600)


def test_postgres_killed(world):
    "PostgreSQL killed (-m immediate) twice while messages are under way."
    begin(world)
    for more in (500, 0):
        world.postgres("kill")
        time.sleep(2)
        assert all(process.poll() is None for process in world.processes.values()), "sender ended with PostgreSQL"
        world.postgres("start")
        if more:
            before = len(world.accepted())
            until_accepted(world, min(before + more, len(AUDIENCE)))
    world.finished("away")
    check(world, "away", AUDIENCE, may_doubt=False)
    world.stop("sender")


def test_one_line_a_change(world):
    "A process says once that the database is away, and once that it is back."
    begin(world)
    world.postgres("kill")
    time.sleep(8)
    world.postgres("start")
    world.finished("away")
    log = world.log("sender")
    assert 1 <= log.count("event=database.away") <= 2, log[-3000:]
    assert log.count("event=database.back") == log.count("event=database.away"), log[-3000:]
    check(world, "away", AUDIENCE, may_doubt=False)


def test_stopped_while_away(world):
    "SIGTERM with PostgreSQL away: what is known stays in the journal and is written by the next sender."
    begin(world)
    world.postgres("kill")
    until(lambda: "event=database.away" in world.log("sender"), "sender saw it")
    world.stop("sender")
    world.postgres("start")
    world.start("sender")
    world.finished("away")
    check(world, "away", AUDIENCE, may_doubt=False)


def test_started_while_away(world):
    "sender starts without PostgreSQL and goes to work when it comes."
    world.setup()
    world.subscribe(AUDIENCE[:50])
    world.campaign("away")
    world.mailworld("* accept\n")
    world.postgres("stop")
    process = world.start("sender")
    time.sleep(2)
    assert process.poll() is None, world.log("sender")
    world.postgres("start")
    world.finished("away")
    check(world, "away", AUDIENCE[:50], may_doubt=False)
