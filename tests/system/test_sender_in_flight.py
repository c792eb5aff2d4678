"""Several whole messages in flight on a connection (BDAT): after a death each of them was taken once, or is named in doubt."""

import collections

from faultrelay import OFFERS, FaultRelay
from sending import doubtful, people, places, workers
from verpost import until

AUDIENCE = [address for address, _ in people(400)]
CONNECTIONS, IN_FLIGHT = 2, 8


def begin(world, offers=(), alike=False, **options):
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 1, "relay.connections": CONNECTIONS, "relay.in_flight": IN_FLIGHT, "relay.retry": "1s",
                       "sender.retry_after": "1s"})
    relay = FaultRelay(world, processes=1, delay=0.03, alike=alike, offers=OFFERS + list(offers)).start()
    world.start("sender")
    world.campaign("flight", **options)
    return relay


def check(world, relay):
    """Nobody is skipped; twice only who is named. Returns those that were ever in doubt."""
    relay.check()
    got = collections.Counter(row["to"] for row in relay.records("accepted", "kept"))
    named, where = doubtful(world, "flight"), places(world, "flight")
    assert sorted(where) == sorted(AUDIENCE), len(where)
    missed = [a for a in AUDIENCE if got[a] == 0 and where[a] != "in_doubt"]
    assert not missed, f"{len(missed)} got nothing, such as {missed[:3]}"
    twice = {a for a in AUDIENCE if got[a] > 1}
    assert twice <= named, f"twice without a doubt: {sorted(twice - named)[:3]}"
    return named


def most_of_one_connection(world):
    return int(world.value("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM doubt WHERE attempt = 1"
                           " GROUP BY connection) AS c"))


def kill_at(world, relay, counts):
    for count in counts:
        until(lambda: relay.taken() >= count and workers(world), f"{count} are taken")
        world.kill(workers(world)[0])


def test_killed_with_several_on_the_wire(world):
    "A worker killed while each connection has several messages on the wire: those in doubt are named and sent once more, no others."
    relay = begin(world, ["CHUNKING"])
    kill_at(world, relay, (60, 150, 250))
    status = world.finished("flight")
    assert status["accepted"] == len(AUDIENCE), status
    named = check(world, relay)
    assert len(named) <= 3 * CONNECTIONS * IN_FLIGHT, f"{len(named)} in doubt after 3 kills"
    assert most_of_one_connection(world) > 1, "never several on the wire: the test is void"
    world.stop("sender")


def test_killed_and_held(world):
    "The same where the doubtful are held for a person: nobody at all gets it twice."
    relay = begin(world, ["CHUNKING"], in_doubt="hold")
    kill_at(world, relay, (100, 200))
    status = world.finished("flight")
    named = check(world, relay)
    assert status["in_doubt"] == len(named) > 0 and status["accepted"] == len(AUDIENCE) - len(named), status
    got = collections.Counter(row["to"] for row in relay.records("accepted", "kept"))
    assert max(got.values()) == 1, got.most_common(3)
    world.stop("sender")


def farewell(world, step):
    """421 at that step every few messages, by a relay that goes on as if it had not said it."""
    relay = begin(world, ["CHUNKING"])
    # Most are taken a while before it says so, whether the client is still there or not.
    relay.rules([{"step": step, "action": "soft", "every": 23, "reply": "421 4.3.2 Closing, or not"},
                 {"step": "kept", "action": "stall", "share": 0.7, "seconds": 0.03}])
    status = world.finished("flight")
    assert status["accepted"] == len(AUDIENCE), status
    assert relay.faults()[step, "soft"] > 3, relay.faults()
    check(world, relay)
    world.stop("sender")


def test_farewell_at_mail_without_end(world):
    "421 to MAIL by a relay that neither closes nor stops: what it takes all the same of what is in flight is heard, and not sent again."
    farewell(world, "mail")


def test_farewell_at_recipient_without_end(world):
    "The same at RCPT."
    farewell(world, "rcpt")


def test_farewell_at_content_without_end(world):
    "The same at the content."
    farewell(world, "dot")


def test_farewell_and_end(world):
    "421 and the end of the connection: what was in flight behind it has not been taken, and nobody of it is in doubt."
    relay = begin(world, ["CHUNKING"])
    relay.rules([{"step": step, "action": "gone", "every": 37} for step in ("mail", "rcpt", "dot")])
    assert world.finished("flight")["accepted"] == len(AUDIENCE)
    assert sum(relay.faults().values()) > 10, relay.faults()
    assert not check(world, relay), "somebody is in doubt"
    world.stop("sender")


def test_relay_without_chunking(world):
    "A relay that does not offer CHUNKING: one message a connection is in doubt at most, whatever the setting says."
    relay = begin(world)
    kill_at(world, relay, (60,))
    assert world.finished("flight")["accepted"] == len(AUDIENCE)
    assert len(check(world, relay)) <= CONNECTIONS
    world.stop("sender")


def test_reply_too_many(world):
    "A relay that says a reply twice now and then: what is in flight on that connection is in doubt, and from then on one message at a time goes there."
    relay = begin(world, ["CHUNKING"])
    relay.rules([{"step": step, "action": "twice", "every": 61} for step in ("mail", "rcpt", "dot")])
    status = world.finished("flight")
    assert status["accepted"] == len(AUDIENCE), status
    assert sum(relay.faults().values()) > 8, relay.faults()
    named = check(world, relay)
    # Once learned nobody is in doubt any more but who was told by the reply too many itself.
    assert len(named) <= CONNECTIONS * (IN_FLIGHT + 1), len(named)
    lost = [line for line in world.log("sender").splitlines() if "event=relay.out_of_step" in line]
    assert lost and 'said="' in lost[0] and " 250 " in lost[0], lost
    row = world.json("relay", "ls")[0]
    assert row["state"] == "enabled" and f"out of step ({len(lost)} times, last at " in row["trouble"], row
    world.stop("sender")


def test_reply_too_many_all_alike(world):
    "The same of a relay whose replies are all alike: nothing shows it until nothing is in flight; it is left to take what it has got, and nobody is lost."
    relay = begin(world, ["CHUNKING"], alike=True)
    relay.rules([{"step": step, "action": "twice", "every": 61} for step in ("mail", "rcpt", "dot")])
    assert world.finished("flight")["accepted"] == len(AUDIENCE)
    until(lambda: len(relay.records("accepted", "kept")) >= len(AUDIENCE), "the relay has taken what it had got", seconds=20)
    check(world, relay)
    assert "event=relay.out_of_step" in world.log("sender")
    world.stop("sender")
