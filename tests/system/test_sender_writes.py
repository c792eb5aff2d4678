"""Guarantee 2 at the very writes of the journal: whatever has reached a relay is known to the journal, so that a worker may die before, in
the middle of or after any write."""

import random

import exactness

from faultrelay import OFFERS, FaultRelay
from hosts import Host
from verpost import until

CONNECTIONS = 8
# KIND WHAT, as hosts.py has them. The first rewrite of a worker is that of its recovery, the second is due when a half is worn.
DEATHS = ["before write", "half write", "after write"] * 3 + ["before rewrite", "half rewrite", "after rewrite", "after rewrite"] * 2
WRITES_MOST = 40  # until one dies


def which(kind, what, chance):
    """After a worn half was rewritten the new one has to know all that is still on its way."""
    if what == "write":
        return chance.randrange(1, WRITES_MOST)
    return 2 if kind == "after" else chance.choice((1, 2))


def trial(world, seed, people, deaths, in_flight=1, **options):
    audience = [f"u{n:05d}@d{n % 97}.test" for n in range(people)]
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.workers": 1, "relay.connections": CONNECTIONS, "relay.in_flight": in_flight, "journal.size": "384K",
                       "sender.lease": "1s", "sender.retry_after": "1s 2s"})
    relay, host, chance = FaultRelay(world, processes=1, **options).start(), Host(world, "first", dies_at_writes=True), random.Random(seed)
    chance.shuffle(deaths)
    host.start()
    world.campaign("writes")
    for done, death in enumerate(deaths):
        kind, what = death.split()
        host.order_death(kind, what, which(kind, what, chance))
        until(lambda: not host.has_order(), f"death {done}, {death}")
        assert world.status("writes")["state"] == "running", f"it was over after {done} deaths"
        # A parent waits longer from death to death.
        host.kill()
        host.start()
    world.finished("writes")
    _, places, doubts = exactness.check(world, [relay], "writes", audience, in_flight)
    # Twice in doubt: held for a person.
    assert set(places.values()) <= {"accepted", "in_doubt"}, set(places.values())
    most = len(deaths) * CONNECTIONS * in_flight
    assert 0 < sum(doubts.values()) <= most, f"{sum(doubts.values())} doubts of {most} that may be"
    relay.check()
    host.stop()


def test_one_at_a_time(world):
    "Each connection waits for its reply: nobody is sent to twice unseen, nobody is lost."
    trial(world, 1, 4000, DEATHS[:], delay=0.004)


def test_several_in_flight(world):
    "The same with four messages on the way at once, and a relay that takes its time: what is on the way was written before the last commit."
    trial(world, 2, 600, DEATHS[:6], in_flight=4, offers=OFFERS + ["CHUNKING"], delay=0.25)
