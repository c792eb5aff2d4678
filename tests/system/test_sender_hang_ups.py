"""Relays that take so many messages a connection and then hang up without a word, while the next one is on the wire (BDAT)."""

import collections
import re

from faultrelay import OFFERS, FaultRelay
from sending import doubtful, people, places
from verpost import free_port

CHUNKING = OFFERS + ["CHUNKING"]
CONNECTIONS, MAILS = 4, 7


def begin(world, count, name="relay", **options):
    world.setup()
    audience = [address for address, _ in people(count)]
    world.subscribe(audience)
    world.configure(**{"sender.workers": 1, "relay.connections": CONNECTIONS, "relay.retry": "1s", "sender.retry_after": "1s",
                       "sender.poll": "1s"})
    relay = FaultRelay(world, name=name, processes=1, delay=0.01, offers=CHUNKING, mails=MAILS, **options).start()
    return audience, relay


def check(world, audience, *relays):
    """Everybody was accepted, and nobody was sent it twice whose doubt is not named. Returns those."""
    got = collections.Counter()
    for relay in relays:
        relay.check()
        got.update(row["to"] for row in relay.records("accepted", "kept"))
    named, where = doubtful(world, "news"), places(world, "news")
    assert sorted(where) == sorted(audience) and set(where.values()) == {"accepted"}, collections.Counter(where.values())
    assert sorted(got) == sorted(audience), f"{len(got)} got it"
    twice = {a for a in audience if got[a] > 1}
    assert twice <= named, f"twice without a doubt: {sorted(twice - named)[:3]}"
    return named


def learned(world):
    """Relay and messages of each figure."""
    return re.findall(r"relay\.learned relay=(\S+) messages=(\d+)", world.log("sender"))


def test_hangs_up_without_a_word(world):
    "A relay that hangs up behind each seventh message: one doubt a connection that stood then, none more; what it takes is learnt, once."
    audience, relay = begin(world, 600)
    world.start("sender")
    world.campaign("news")
    world.finished("news")
    named = check(world, audience, relay)
    assert len(named) <= CONNECTIONS, f"{len(named)} in doubt"
    assert learned(world) == [(f"127.0.0.1:{relay.port}", str(MAILS))], learned(world)
    # By then it hung up; since then we do.
    quits = [row for row in relay.records("close") if row["messages"] == MAILS]
    assert len(quits) > 60, len(quits)
    world.campaign("more")
    world.finished("more")
    assert doubtful(world, "more") == set()
    world.stop("sender")


def test_a_changed_row_is_learnt_anew(world):
    "What was learnt of a relay is forgotten when its row changes."
    audience, relay = begin(world, 200)
    world.listctl("relay", "add", "east", "--host", "127.0.0.1", "--port", str(relay.port))
    world.start("sender")
    world.campaign("news")
    world.finished("news")
    check(world, audience, relay)
    assert learned(world) == [("east", "7")], learned(world)
    relay.stop()
    relay = FaultRelay(world, name="relay2", processes=1, delay=0.01, offers=CHUNKING, mails=MAILS + 4).start()
    world.listctl("relay", "edit", "east", "--helo", "other.example.org")
    world.campaign("more")
    world.finished("more")
    assert learned(world) == [("east", "7"), ("east", "11")], learned(world)
    world.stop("sender")


def test_drops_by_accident_teach_nothing(world):
    "Connections that are lost here and there: their ends are no figure, and connections go on to take what they can."
    audience, relay = begin(world, 1000)
    relay.options["mails"] = 0
    relay.rules([{"step": "mail", "action": "drop", "share": 0.05}])  # so rare that three in a row end at the same figure in no run
    world.start("sender")
    world.campaign("news")
    world.finished("news")
    check(world, audience, relay)
    assert relay.faults()["mail", "drop"] > 20, relay.faults()
    assert learned(world) == [], learned(world)
    world.stop("sender")


def test_the_other_relay_is_asked_first(world):
    "Who is in doubt at one relay is sent his copy again through another one that fits him and works."
    audience, relay = begin(world, 40)
    other = FaultRelay(world, name="west", port=free_port(), processes=1, delay=0.01, offers=CHUNKING).start()
    relay.options["mails"] = 0
    relay.rules([{"step": "kept", "action": "drop", "every": 3}])
    world.listctl("relay", "add", "east", "--host", "127.0.0.1", "--port", str(relay.port))
    world.listctl("relay", "add", "west", "--host", "127.0.0.1", "--port", str(other.port))
    world.start("sender")
    world.campaign("news")
    world.finished("news")
    named = check(world, audience, relay, other)
    assert named, "nobody was in doubt: the test is void"
    again = {row["to"] for row in other.records("accepted")}
    assert named <= again, f"{len(named - again)} of {len(named)} went to the silent relay again"
    world.stop("sender")
