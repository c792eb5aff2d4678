"""Warm-ups of a relay beside another one that has no limit: it takes its part of the day, and status says who waits for it."""

from sending import people
from verpost import free_port, until

FIRST = 30  # the warm-up's first day


def begin(world, audience, rules="* accept slow 50\n"):
    """Relay old by these rules, without a limit; and relay new, which warms up and takes everybody."""
    until(lambda: float(world.value("SELECT extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'"
                                    " - now() AT TIME ZONE 'UTC')")) > 100, "no day ends during this test")
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.workers": 1, "relay.connections": 2})
    new = free_port()
    world.mailworld(rules)
    world.mailworld("* accept slow 50\n", new, "new")
    for name, port in (("old", world.relay_port), ("new", new)):
        world.listctl("relay", "add", name, "--host", "127.0.0.1", "--port", port, "--tls", "none")
    world.listctl("warmup", "set", "--relay", "new", "--first", FIRST, "--until", 1000)
    world.start("sender")
    world.campaign("news")


def exactly_once(world, audience):
    got = sorted(m["to"] for name in ("mailworld", "new") for m in world.accepted(name))
    assert got == sorted(address for address, _ in audience), got


def test_part_of_the_day(world):
    "Both have the same weight: the new one takes as many as its day has, and the old one the others."
    audience = people(150)
    begin(world, audience)
    assert world.finished("news")["accepted"] == len(audience)
    assert len(world.accepted("new")) == FIRST
    exactly_once(world, audience)
    assert world.json("warmup", "ls")[0]["used"] == FIRST
    world.stop("sender")


def test_refused_by_the_other(world):
    """Whom the old one refuses the new one takes, as long as its day goes; the rest waits for the warm-up, is told in status, and goes out when
    a person ends it."""
    bad = [(f"b{n}@bad.test", "Reader") for n in range(2 * FIRST)]
    audience = bad + people(50)
    begin(world, audience, '*@bad.test refuse rcpt 550 5.7.1 "blocked"\n* accept\n')
    key = "warmup:" + world.value("SELECT id FROM warmup")
    status = until(lambda: (lambda s: s if s["accepted"] + s["deferred"] == len(audience) else None)(world.status("news")), "nobody is pending")
    assert status["state"] == "running" and len(world.accepted("new")) == FIRST, status
    told, = status["waits"]
    assert (told["for"], told["recipients"]) == (key, status["deferred"]) and status["deferred"] >= len(bad) - FIRST, status
    assert told["reason"].endswith(f"for the warm-up of relay new ({FIRST} today)"), told
    world.listctl("warmup", "rm", "--relay", "new")
    assert world.finished("news")["accepted"] == len(audience)
    exactly_once(world, audience)
    world.stop("sender")
