"""Debian's Postfix as the relay: its destinations refuse, and its own delivery reports come back to bounced."""

from postfix import Postfix, unavailable
from verpost import BOUNCE_DOMAIN, Skip, free_port, until

# Who, what the destination says, and the kind and reason that verpost must find in Postfix's report.
CASES = [
    ("gone@a.test", 'refuse rcpt 550 5.1.1 "User unknown in virtual mailbox table"', "bounce-hard", "user-unknown"),
    ("full@a.test", 'refuse rcpt 552 5.2.2 "Mailbox full: over quota"', "bounce-soft", "mailbox-full"),
    ("closed@b.test", 'refuse rcpt 550 5.2.1 "The email account is disabled"', "bounce-hard", "mailbox-disabled"),
    ("listed@b.test", 'refuse rcpt 554 5.7.1 "Client host blocked using zen.spamhaus.org"', "bounce-soft", "sender-blocked"),
    ("spam@c.test", 'refuse dot 554 5.7.1 "Message rejected as spam"', "bounce-soft", "spam-content"),
    ("norelay@c.test", 'refuse rcpt 554 5.7.1 "Relay access denied"', "bounce-soft", "relay-denied"),
]
GOOD = ["ann@a.test", "ben@b.test", "jörg@bücher.test"]


def test_own_reports_end_at_the_right_subscriber(world):
    "Each report of Postfix ends at the right subscriber with the right kind and reason, and acts as the policy says."
    reason = unavailable()
    if reason:
        raise Skip(reason)
    destination = free_port()
    rules = "".join(f"{who} {rule}\n" for who, rule, _, _ in CASES)
    world.mailworld(rules, port=destination)
    postfix = Postfix(world.base / "postfix", world.relay_port, destination, world.bounced_port, BOUNCE_DOMAIN)
    world.logs["postfix"] = world.base / "postfix/mail.log"
    world.others.append(postfix.start().process)
    world.listening(world.relay_port)
    world.setup()
    world.subscribe([who for who, _, _, _ in CASES] + GOOD)
    world.start("bounced")
    world.start("sender")
    world.campaign("first")
    assert world.finished("first")["accepted"] == len(CASES) + len(GOOD)

    def events():
        return world.sql("SELECT s.address_key, e.kind, e.reason, m.state FROM bounce_event e "
                         "JOIN subscriber s ON s.id = e.subscriber_id JOIN membership m ON m.subscriber_id = s.id "
                         "WHERE e.judged_at IS NOT NULL AND NOT e.orphan ORDER BY 1")
    until(lambda: len(events()) >= len(CASES), "all reports are in and judged")
    until(lambda: len(world.accepted()) == len(GOOD), "the good ones have their mail")
    disabled = {"user-unknown"}  # the others need more failures
    expected = sorted([who, kind, why, "disabled" if why in disabled else "active"] for who, _, kind, why in CASES)
    assert events() == expected, events()
    evidence = world.sql("SELECT count(*) FROM bounce_raw")
    assert evidence == [[str(len(CASES))]], evidence
    world.stop("sender")
    world.stop("bounced")
