"""Clocks that jump: what is counted over hosts goes by the database's clock, and nobody expires or is parked for days by a host's own."""

import os

from hosts import Host
from sending import check, people
from verpost import BIN, until

AUDIENCE = people(20)


class Jumper(Host):
    """A host whose clock jump() sets."""

    def environment(self):
        sanitizer = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        self.ahead = self.world.base / f"{self.name}.ahead"
        self.jump(getattr(self, "seconds", 0))
        return {**os.environ, "LD_PRELOAD": str(BIN / "clock_jumper.so"), "CLOCK_JUMPER": str(self.ahead), "ASAN_OPTIONS": sanitizer}

    def jump(self, seconds):
        self.seconds = seconds
        draft = self.ahead.with_suffix(".draft")
        draft.write_text(f"{seconds}\n")
        draft.rename(self.ahead)


def begin(world, seconds=0, **settings):
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 1, **settings})
    world.mailworld('* defer 2 450 4.2.1 "Later"\n* accept\n')
    host = Jumper(world, "host")
    host.seconds = seconds
    host.start()
    until(host.ids, "a worker")
    world.campaign("clocks")
    until(lambda: world.status("clocks")["deferred"] == len(AUDIENCE), "all are put off")
    return host


def nobody_is_from_elsewhere(world):
    """Neither ledger nor retries hold a time that the database's clock has not been near."""
    apart = "NOT BETWEEN now() - interval '1 h' AND now() + interval '1 h'"
    assert world.value(f"SELECT count(*) FROM delivery WHERE at {apart}") == "0"
    assert world.value(f"SELECT count(*) FROM deferral WHERE next_attempt_at {apart} OR first_attempt_at {apart} OR date_at {apart}") == "0"


def finish(world, host):
    nobody_is_from_elsewhere(world)
    world.finished("clocks")
    check(world, "clocks", AUDIENCE, may_doubt=False)
    assert world.status("clocks")["accepted"] == len(AUDIENCE)
    nobody_is_from_elsewhere(world)
    assert host.log().count("event=clock.apart") == 1, host.log()


def test_jump_ahead(world):
    "The clock jumps three days ahead between two attempts: nobody expires, and the next attempt comes when it was to come."
    host = begin(world, **{"sender.retry_after": "6s", "sender.expire": "2h"})
    host.jump(3 * 86400)
    finish(world, host)


def test_jump_back(world):
    "Three days back: likewise."
    host = begin(world, **{"sender.retry_after": "6s", "sender.expire": "2h"})
    host.jump(-3 * 86400)
    finish(world, host)


def test_always_ahead(world):
    "A host whose clock is two days ahead from the beginning writes the database's time, and dates its messages by it."
    host = begin(world, seconds=2 * 86400, **{"sender.retry_after": "2s"})
    finish(world, host)
