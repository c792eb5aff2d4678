"""A relay that stalls keeps nobody from a pause, a cancel or SIGTERM but those whose content has started."""

import collections
import contextlib
import re
import socket

from faultrelay import OFFERS, FaultRelay
from sending import people, workers
from verpost import until

AUDIENCE = people(12)
# Never reached: what waits for it does not end within the patience of a test.
NEVER = "600s"
HANGS = [[{"step": step, "action": "hang"}] for step in ("banner", "ehlo", "mail", "rcpt", "data")]
ONE_AT_A_TIME = [offer for offer in OFFERS if offer != "PIPELINING"]
CHUNKS = [*OFFERS, "CHUNKING"]


def begin(world, **options):
    relay = FaultRelay(world, **options).start()
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"relay.port": relay.port, "sender.workers": 1, "sender.stop_timeout": NEVER})
    return relay


def struck(relay):
    return sum(relay.faults().values())


def run_into(world, relay, name, rules, *to):
    """The campaign runs until the relay stalls."""
    relay.rules(rules)
    before = struck(relay)
    world.start("sender")
    world.campaign(name, *to)
    until(lambda: struck(relay) > before, f"the relay stalls by {rules}")


def nothing_is_held(world):
    assert world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") == "0"
    assert world.value("SELECT count(*) FROM deferral WHERE opened_by IS NOT NULL") == "0"
    assert world.value("SELECT count(*) FROM doubt") == "0", "somebody is in doubt"


def all_are_pending(world, name):
    nothing_is_held(world)
    assert world.status(name)["pending"] == len(AUDIENCE), world.status(name)


def has_state(world, name, state):
    return until(lambda: (lambda s: s if s["state"] == state else None)(world.status(name)), f"{name} is {state}")


def each_got_it_once(world, relay, name, since):
    status = world.finished(name)
    assert (status["accepted"], status["audience"]) == (len(AUDIENCE), len(AUDIENCE)), status
    got = collections.Counter(row["to"] for row in relay.accepted()[since:])
    assert got == collections.Counter(address for address, _ in AUDIENCE), got
    assert not relay.kept()


# ---- before the content ----

def pause(world, relay, name):
    since = len(relay.accepted())
    world.listctl("campaign", "pause", name)
    has_state(world, name, "paused")
    all_are_pending(world, name)
    world.stop("sender")  # what hangs at the banner goes with it
    relay.rules([])
    world.start("sender")
    world.listctl("campaign", "resume", name)
    each_got_it_once(world, relay, name, since)
    world.stop("sender")


def settled(world, name):
    status = has_state(world, name, "canceled")
    assert status["pending"] == 0 and status["ended_at"], status
    return status


def cancel(world, relay, name):
    world.listctl("campaign", "cancel", name, "--yes")
    status = settled(world, name)
    nothing_is_held(world)
    assert status["skipped"] == len(AUDIENCE), status
    world.stop("sender")


def sigterm(world, relay, name):
    since = len(relay.accepted())
    world.stop("sender")
    all_are_pending(world, name)
    relay.rules([])
    world.start("sender")
    each_got_it_once(world, relay, name, since)
    world.stop("sender")


def at_each_step(world, leave, offers=OFFERS):
    relay = begin(world, offers=offers)
    for number, rules in enumerate(HANGS):
        run_into(world, relay, f"stall-{number}", rules)
        leave(world, relay, f"stall-{number}")
    relay.check()


def test_pause(world):
    "pause: a relay that is silent before the content is not waited for, and nobody is lost, doubled or in doubt."
    at_each_step(world, pause)


def test_cancel(world):
    "cancel: likewise."
    at_each_step(world, cancel)


def test_sigterm(world):
    "SIGTERM: likewise."
    at_each_step(world, sigterm)


def test_without_pipelining(world):
    "pause at a relay to which one thing is said at a time."
    at_each_step(world, pause, ONE_AT_A_TIME)


@contextlib.contextmanager
def deaf_listener():
    """A port whose connections are never made: its line is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_connecting(world):
    "A relay that cannot be reached and does not refuse: pause, cancel and SIGTERM wait for no connection."
    relay = begin(world)
    with deaf_listener() as port:
        world.configure(**{"relay.port": port})
        world.start("sender")
        for name in ("paused", "canceled", "left"):
            world.campaign(name)
        until(lambda: world.value("SELECT count(DISTINCT campaign_id) FROM chunk_window WHERE worker_id IS NOT NULL") == "3",
              "all are opened")
        world.listctl("campaign", "pause", "paused")
        has_state(world, "paused", "paused")
        world.listctl("campaign", "cancel", "canceled", "--yes")
        assert settled(world, "canceled")["skipped"] == len(AUDIENCE)
        world.stop("sender")
        for name in ("paused", "left"):
            all_are_pending(world, name)
    world.configure(**{"relay.port": relay.port})
    world.start("sender")
    each_got_it_once(world, relay, "left", 0)


# ---- after it ----

def stopping(world):
    """What the worker that stopped last said of what it had in hand: messages whose content had started, envelopes."""
    said = re.findall(r"event=worker\.stopping .*under_way=(\d+) begun=(\d+)", world.log("sender"))
    return tuple(map(int, said[-1]))


def stall_behind_content(world, relay, name):
    """All four connections have given a content whose reply is yet to come."""
    before = struck(relay)
    run_into(world, relay, name, [{"step": "dot", "action": "stall", "seconds": 10}])
    until(lambda: struck(relay) - before == 4, "four contents wait for their replies")


def awaits_content(world, relay, offers):
    """Those whose content has started are waited for, at each of the ways to stop; those behind them are given back."""
    for leave in ("pause", "cancel", "sigterm"):
        since = len(relay.accepted())
        stall_behind_content(world, relay, leave)
        if leave == "sigterm":
            world.stop("sender")
            under_way, begun = stopping(world)
            assert under_way == 4 and begun <= (0 if offers == CHUNKS else 4), (under_way, begun)
        else:
            world.listctl("campaign", leave, leave, *(["--yes"] if leave == "cancel" else []))
            status = world.status(leave)
            assert (status["state"], status["under_way"]) == ({"pause": "pausing", "cancel": "canceling"}[leave], 4), status
            status = settled(world, leave) if leave == "cancel" else has_state(world, leave, "paused")
            world.stop("sender")
            assert stopping(world) == (0, 0), stopping(world)
        nothing_is_held(world)
        status = world.status(leave)
        rest = "skipped" if leave == "cancel" else "pending"
        assert (status["accepted"], status[rest]) == (4, len(AUDIENCE) - 4), status
        assert len(relay.accepted()) - since == 4, "another one was begun"
        relay.rules([])


def test_content_is_awaited(world):
    "A relay that stalls behind the content: its answers are awaited, the envelopes behind are given back."
    relay = begin(world)
    awaits_content(world, relay, OFFERS)
    relay.check()


def test_chunks_are_awaited(world):
    "The same where content leaves with its envelope (BDAT)."
    relay = begin(world, offers=CHUNKS)
    awaits_content(world, relay, CHUNKS)
    relay.check()


def test_behind_another_campaign(world):
    "An envelope behind the content of another campaign, whose answer does not come: pause does not wait for it, nor cut the other one off."
    relay = begin(world)
    world.configure(**{"relay.connections": 1})
    world.listctl("list", "create", "single", "--title", "Single", "--from", "Single <single@example.test>")
    world.subscribe(["single@example.test"], "single")
    run_into(world, relay, "other", [{"step": "dot", "action": "hang"}], "single")
    world.campaign("stop")
    until(lambda: world.value("SELECT count(*) FROM chunk_window w JOIN campaign c ON c.id = w.campaign_id WHERE c.name = 'stop'")
          == "1", "it is opened")
    world.listctl("campaign", "pause", "stop")
    has_state(world, "stop", "paused")
    assert world.status("stop")["pending"] == len(AUDIENCE)
    world.listctl("campaign", "pause", "other")
    status = world.status("other")
    assert (status["state"], status["under_way"]) == ("pausing", 1), status
    assert world.value("SELECT count(*) FROM doubt") == "0", "the other one was cut off"
    world.kill(workers(world)[0])  # or it would wait for sender.stop_timeout
