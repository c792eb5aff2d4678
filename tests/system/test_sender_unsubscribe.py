"""Who leaves while a campaign runs gets no more of it."""

import time

from sending import check, counts, people, places, until_accepted

AUDIENCE = people(300)


def begin(world, **settings):
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 1, "relay.connections": 2, **settings})
    world.mailworld("* accept slow 100\n")
    world.start("sender")
    world.campaign("leave")
    until_accepted(world, 10)


def leaves(world):
    """All after the first hundred leave; returns when, in microseconds."""
    world.sql("UPDATE membership m SET state = 'unsubscribed', reason = 'mailto', since = now() FROM subscriber s"
              " WHERE s.id = m.subscriber_id AND s.address_key >= 'u00150'")
    world.listctl("suppress", "add", AUDIENCE[149][0], "--reason", "asked")
    return time.time() * 1e6


def ends(world, at_us):
    world.finished("leave")
    check(world, "leave", AUDIENCE, may_doubt=False)
    where = places(world, "leave")
    late = [m for m in world.accepted() if m["to"] >= "u00149" and m["time_us"] > at_us + 6e6]
    assert not late, f"sent long after they had left: {late[:3]}"
    skipped = [a for a, _ in AUDIENCE[149:] if where[a] == "skipped"]
    assert len(skipped) >= 100, f"only {len(skipped)} were spared"
    reasons = dict(world.sql("SELECT reason, count(*) FROM delivery WHERE outcome = 'skipped' GROUP BY 1"))
    assert set(reasons) == {"unsubscribed", "suppressed"} and reasons["suppressed"] == "1", reasons
    assert all(where[a] == "accepted" for a, _ in AUDIENCE[:149]), "somebody who stayed got nothing"


def test_opened_long_before(world):
    "All were opened before the word came: their state is read again when it is older than five seconds."
    begin(world)
    ends(world, leaves(world))


def test_small_windows(world):
    "The state is read with each window."
    begin(world, **{"sender.window": 10})
    ends(world, leaves(world))
