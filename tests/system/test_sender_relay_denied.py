"""Guarantee 5: our own trouble is never the subscriber's fault."""

import signal

from sending import check, counts, people, places
from verpost import until

AUDIENCE = people(600)


def rule(world, text):
    world.file("mailworld.rules", text)
    world.processes["mailworld"].send_signal(signal.SIGHUP)


def begin(world, rules):
    world.setup()
    world.subscribe(AUDIENCE)
    world.mailworld(rules)
    world.start("sender")
    world.campaign("denied")


def nobody_is_blamed(world):
    assert world.sql("SELECT state, count(*) FROM membership GROUP BY state") == [["active", str(len(AUDIENCE))]]
    assert world.value("SELECT count(*) FROM bounce_event") == "0"


def held(world):
    return until(lambda: (lambda s: s if s["state"] == "paused" else None)(world.status("denied")), "the campaign is held")


def test_relay_access_denied(world):
    "554 relay access denied for everyone: the campaign is held with the reply as its reason, and nobody is refused."
    begin(world, '* refuse rcpt 554 5.7.1 "Relay access denied"\n')
    status = held(world)
    assert "Relay access denied" in status["hold_reason"], status
    nobody_is_blamed(world)
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") == "0", "all is given back")
    status = world.status("denied")
    assert status["refused"] == 0 and status["pending"] == len(AUDIENCE), status
    assert world.value("SELECT count(*) FROM audit WHERE action = 'campaign.hold'") == "1"
    rule(world, "* accept\n")
    world.listctl("campaign", "resume", "denied")
    assert world.finished("denied")["accepted"] == len(AUDIENCE)
    check(world, "denied", AUDIENCE, may_doubt=False)
    nobody_is_blamed(world)


def test_content_refused(world):
    "A content filter at the final dot: the campaign's trouble, not the subscribers'."
    begin(world, '* refuse dot 554 5.7.1 "Message rejected as spam"\n')
    status = held(world)
    assert "spam" in status["hold_reason"], status
    nobody_is_blamed(world)


def session_refused(world, rules):
    begin(world, rules)
    until(lambda: world.sql("SELECT 1 FROM relay_finding WHERE reason IS NOT NULL"), "the relay is left alone")
    status = world.status("denied")
    assert status["refused"] == 0 and status["pending"] == len(AUDIENCE), status
    nobody_is_blamed(world)
    rule(world, "* accept\n")
    assert world.finished("denied")["accepted"] == len(AUDIENCE)
    check(world, "denied", AUDIENCE, may_doubt=False)


def test_session_refused_at_banner(world):
    "554 in the greeting: everybody stays pending and the relay is left alone for a while."
    session_refused(world, 'session refuse banner 554 5.7.1 "Go away"\n')


def test_session_refused_at_mail(world):
    "550 to MAIL: about us, so everybody stays pending."
    session_refused(world, 'session refuse mail 550 5.7.1 "Sender refused"\n')


def test_session_refused_at_data(world):
    "554 to DATA, whoever it is for: about us, so the campaign is held and everybody stays pending."
    begin(world, 'session refuse data 554 5.3.0 "No valid recipients"\n')
    assert "No valid recipients" in held(world)["hold_reason"]
    status = world.status("denied")
    assert status["refused"] == 0 and status["pending"] == len(AUDIENCE), status
    nobody_is_blamed(world)
    rule(world, "* accept\n")
    world.listctl("campaign", "resume", "denied")
    assert world.finished("denied")["accepted"] == len(AUDIENCE)
    check(world, "denied", AUDIENCE, may_doubt=False)


def test_refusals_about_the_address(world):
    "A refusal that is about the address counts at once, and only against it; a temporary one is tried again."
    world.configure(**{"sender.retry_after": "1s 1s"})
    begin(world, 'u0000?@* refuse rcpt 550 5.1.1 "No such user"\n'
                 'u0001?@* defer 2 450 4.7.1 "Greylisted"\n'
                 'u0002?@* refuse dot 550 5.7.1 "Rejected as spam"\n* accept\n')
    status = world.finished("denied")
    assert status["refused"] == 20 and status["accepted"] == len(AUDIENCE) - 20, status
    check(world, "denied", AUDIENCE, may_doubt=False)
    where = places(world, "denied")
    assert all((where[a] == "refused") == (a[:5] in ("u0000", "u0002")) for a, _ in AUDIENCE)
    disabled = world.sql("SELECT left(s.address, 5), m.reason, count(*) FROM membership m JOIN subscriber s"
                         " ON s.id = m.subscriber_id WHERE m.state <> 'active' GROUP BY 1, 2")
    assert disabled == [["u0000", "user-unknown", "10"]], disabled
    assert world.sql("SELECT DISTINCT source, reason FROM bounce_event") == [["reply", "user-unknown"]]
    attempts = world.sql("SELECT DISTINCT d.attempts FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"
                         " WHERE s.address LIKE 'u0001%'")
    assert attempts == [["3"]], attempts


def test_expired(world):
    "Refused temporarily for longer than sender.expire: given up, with the last reason."
    world.configure(**{"sender.retry_after": "1s", "sender.expire": "3s"})
    begin(world, 'u0000?@* defer 1000 450 4.2.2 "Mailbox full"\n* accept\n')
    status = world.finished("denied")
    assert status["expired"] == 10 and status["accepted"] == len(AUDIENCE) - 10, status
    assert world.sql("SELECT DISTINCT reason, code FROM delivery WHERE outcome = 'expired'") == [["mailbox-full", "450"]]
