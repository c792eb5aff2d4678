"""The relay drops connections, at every step of the conversation."""

import signal

from sending import check, counts, people
from verpost import until

POINTS_BEFORE = ["session drop banner share 0.3", "session drop ehlo share 0.3", "session drop mail every 25",
                 "session drop rcpt every 25", "session drop data every 25", "* drop rcpt every 25",
                 "* drop data every 25", "session drop quit"]
POINTS_AFTER = ["* drop content every 25", "* drop dot every 25", "* drop kept every 25"]


def begin(world, rules, messages=30):
    world.setup()
    world.configure(**{"relay.messages_per_connection": messages})
    world.mailworld(rules)
    world.start("sender")


def rule(world, text):
    world.file("mailworld.rules", text)
    world.processes["mailworld"].send_signal(signal.SIGHUP)


def one(world, number, text):
    name, audience = f"drop{number}", people(100, number * 1000)
    world.listctl("list", "create", name, "--title", name, "--from", "News <news@example.test>")
    world.subscribe(audience, name)
    rule(world, text + "\n* accept\n")
    world.campaign(name, name)
    return name, audience, world.finished(name)


def test_before_the_content(world):
    "A connection lost before its first content: nobody is in doubt, everybody gets it once."
    begin(world, "* accept\n", messages=1)
    for number, text in enumerate(POINTS_BEFORE):
        # A connection a message: each seventh is often enough, and each failure costs a second.
        name, audience, status = one(world, number, text.replace("share 0.3", "every 7"))
        assert status["accepted"] == len(audience), (text, status)
        check(world, name, audience, may_doubt=False)


def test_between_two_messages(world):
    """The envelope travels with the content before it: when the connection is lost there, the answer to that content may be
    lost with it."""
    begin(world, "* accept\n")
    for number, text in enumerate(POINTS_BEFORE):
        name, audience, status = one(world, number, text)
        assert status["accepted"] + status["in_doubt"] == len(audience), (text, status)
        check(world, name, audience)


def test_around_the_final_dot(world):
    "A connection lost around the final dot: those in doubt are named, and nobody else gets it twice."
    begin(world, "* accept\n")
    for number, text in enumerate(POINTS_AFTER):
        name, audience, status = one(world, number, text)
        named = check(world, name, audience)
        assert status["accepted"] + status["in_doubt"] == len(audience), (text, status)
        if "kept" in text:
            assert named and any(counts(world)[a] == 2 for a in named), "kept without an answer, and never sent again"


def test_never_answered(world):
    "A relay that never answers one recipient's final dot: sent to twice, then held for a person; the campaign ends."
    begin(world, "u00003@* drop kept\n* accept\n")
    audience = people(20)
    world.subscribe(audience)
    world.campaign("never")
    status = world.finished("never")
    assert (status["accepted"], status["in_doubt"]) == (19, 1), status
    check(world, "never", audience)
    assert counts(world)["u00003@d3.test"] == 2
    rows = world.sql("SELECT attempt, decision FROM doubt ORDER BY attempt")
    assert rows == [["1", "resend"], ["2", "hold"]], rows


def test_relay_away(world):
    "No relay at all: everybody stays pending, people are told, and it goes on when the relay comes."
    world.setup()
    audience = people(300)
    world.subscribe(audience)
    world.start("sender")
    world.campaign("away")
    until(lambda: world.sql("SELECT 1 FROM relay_finding WHERE reason IS NOT NULL"), "the relay is known to be away")
    status = world.status("away")
    assert status["pending"] == len(audience), status
    world.mailworld("* accept\n")
    world.finished("away")
    check(world, "away", audience, may_doubt=False)
    until(lambda: world.sql("SELECT 1 FROM relay_finding WHERE reason IS NULL"), "the relay is known to work")
