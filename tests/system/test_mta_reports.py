"""Debian's own mail servers as the relay of a campaign: what each of them writes of whom it could not deliver to, or not yet, ends at the
right subscriber with the right kind and reason."""

import signal
import socket
import typing

from faultrelay import FaultRelay
from forwarders import ForwardingExim, ForwardingOpenSmtpd, ForwardingPostfix, Way
from verpost import BOUNCE_DOMAIN, Skip, free_port, until

UNHEARD = "127.9.9.9"  # an address that nobody listens on


class Case(typing.NamedTuple):
    """A row of the table: a campaign has them all, so that they go on beside each other."""
    situation: str
    who: str
    rule: str     # of the host that the relay hands him to; empty: the test makes it otherwise
    told: tuple   # kind, reason and status in the end
    waits: bool = False  # a notice of the delay may come before
    otherwise: dict = {}  # what one of them tells instead


# OpenSMTPD 6.8 calls a message that it gives up delayed, "Action: delayed", for "more than 0 seconds"; its code alone says more. Exim and it
# write 5.0.0 and 4.0.0 where no host has said anything.
GIVEN_UP_BY_OPENSMTPD = ("delay", "network", "4.4.7")
CASES = [
    Case("unknown user", "gone@a.test", 'refuse rcpt 550 5.1.1 "User unknown"', ("bounce-hard", "user-unknown", "5.1.1")),
    Case("full mailbox", "full@a.test", 'refuse rcpt 552 5.2.2 "Mailbox is over quota"', ("bounce-soft", "mailbox-full", "5.2.2")),
    Case("policy refusal", "odd@a.test", 'refuse dot 550 5.7.1 "Message refused by local policy"', ("bounce-soft", "policy", "5.7.1")),
    Case("too big", "big@small.test", "", ("bounce-soft", "message-too-big", "5.3.4"),
         otherwise={"OpenSMTPD": ("bounce-soft", "message-too-big", "5.0.0")}),
    Case("unreachable host", "far@unheard.test", "", ("bounce-soft", "network", "4.4.1"), True,
         {"Exim": ("bounce-soft", "network", "5.0.0"), "OpenSMTPD": GIVEN_UP_BY_OPENSMTPD}),
    Case("expired queue", "slow@slow.test", 'refuse rcpt 451 4.4.1 "Not now"', ("bounce-soft", "network", "4.4.1"), True,
         {"OpenSMTPD": GIVEN_UP_BY_OPENSMTPD}),
    Case("delay notice", "late@late.test", 'refuse rcpt 450 4.7.1 "Greylisted, come back"', ("delay", "rate-limited", "4.7.1")),
]
GOOD = ["ann@a.test", "ben@b.test"]
DISABLED = {"user-unknown"}  # the others need more failures


def rules(*but):
    return "".join(f"{case.who} {case.rule}\n" for case in CASES if case.rule and case.situation not in but)


def reports(world, Forwarder):
    reason = Forwarder.unavailable()
    if reason:
        raise Skip(reason)
    small = FaultRelay(world, "small", free_port(), offers=["SIZE 300", "8BITMIME"],
                       rules=[{"step": "dot", "action": "hard", "reply": "552 5.3.4 Message is too big"}]).start()
    world.relay_port, sink = free_port(), world.relay_port
    world.configure(**{"relay.port": world.relay_port, "relay.notify": "failure,delay"})
    world.mailworld(rules(), port=sink)
    with socket.socket() as unheard:
        unheard.bind((UNHEARD, 0))
        forwarder = Forwarder(world.base / "forwarder", world.relay_port, {
            BOUNCE_DOMAIN: Way(world.bounced_port), "small.test": Way(small.port), "slow.test": Way(sink, gives_up=True),
            "unheard.test": Way(unheard.getsockname()[1], UNHEARD, gives_up=True), None: Way(sink)})
        world.logs["forwarder"] = forwarder.log_file
        try:
            world.listening(world.relay_port, forwarder.start().process)
            play(world, forwarder)
        finally:
            forwarder.stop()


def play(world, forwarder):
    expected = {case.who: case.otherwise.get(forwarder.name, case.told) for case in CASES}
    world.setup()
    world.subscribe([*expected, *GOOD])
    world.start("bounced")
    world.start("sender")
    world.campaign("first")
    assert world.finished("first")["accepted"] == len(expected) + len(GOOD)
    until(lambda: told(world).keys() == expected.keys(), "there is word of everybody but the good ones")
    world.file("mailworld.rules", rules("delay notice"))
    world.processes["mailworld"].send_signal(signal.SIGHUP)
    delivered = [*GOOD, *(case.who for case in CASES if case.situation == "delay notice" and forwarder.tries_again)]
    until(lambda: sorted(row["to"] for row in world.accepted()) == sorted(delivered), "who was late has his mail, like the good ones")
    forwarder.hurry()
    until(lambda: all(events[-1] == expected[who] for who, events in told(world).items()), f"all is told: {expected}")
    for case in CASES:
        check(case, told(world)[case.who], world.json("explain", case.who))
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == str(len(DISABLED))
    world.stop("sender")
    world.stop("bounced")


def told(world):
    """{who: [(kind, reason, status)]}, oldest first, of all events that were judged."""
    events = {}
    for row in reversed(world.json("bounce", "ls", "--campaign", "first", "--limit", "1000")):
        if row["standing"] == "judged":
            events.setdefault(row["email"], []).append((row["kind"], row["reason"], row["status"]))
    return events


def check(case, events, explained):
    assert case.waits or len(events) == 1, (case, events)
    assert all(kind == "delay" for kind, _, _ in events[:-1]), (case, events)
    assert [send["outcome"] for send in explained["sends"]] == ["accepted"], explained
    assert {(row["kind"], row["reason"], row["status"]) for row in explained["bounces"]} == set(events), explained
    state = "disabled" if case.told[1] in DISABLED else "active"
    assert [membership["state"] for membership in explained["memberships"]] == [state], explained


def test_postfix(world):
    "What Postfix reports of each situation in the table."
    reports(world, ForwardingPostfix)


def test_exim(world):
    "What Exim reports of each situation in the table."
    reports(world, ForwardingExim)


def test_opensmtpd(world):
    "What OpenSMTPD reports of each situation in the table."
    reports(world, ForwardingOpenSmtpd)
