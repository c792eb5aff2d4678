"""Debian's Postfix as the relay: its destinations refuse, and its own delivery reports come back to bounced."""

from postfix import Postfix, unavailable
from returns import *
from verpost import BOUNCE_DOMAIN, Skip, Talk, free_port, until

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


# As bounced(8) tells for a host whose port 25 is Postfix's.
IN_FRONT = """
mynetworks =
relay_domains = bounce.test
smtpd_recipient_restrictions = check_recipient_access inline:{ { bounce.test = reject_unverified_recipient } }
unverified_recipient_reject_code = 550
address_verify_map =
"""


def test_postfix_in_front(world):
    "Postfix has port 25 and hands over by LMTP: a good token's report arrives, a wrong one is refused at Postfix's own RCPT."
    reason = unavailable()
    if reason:
        raise Skip(reason)
    (one, two), campaign = people(world, 2)
    path = world.base / "lmtp"
    world.configure(**{"bounced.listen": "", "bounced.lmtp_listen": f"unix:{path}"})
    world.start("bounced", ready=False)
    until(lambda: "protocol=lmtp" in world.log("bounced"), "bounced listens")
    port = free_port()
    postfix = Postfix(world.base / "postfix", port, free_port(), f"lmtp:unix:{path}", BOUNCE_DOMAIN, extra=IN_FRONT)
    world.logs["postfix"] = world.base / "postfix/mail.log"
    world.others.append(postfix.start().process)
    world.listening(port)
    peer = Talk(port)
    peer.say("EHLO mx.far.test", "250")
    peer.deliver("", return_path(world, campaign, one), dsn())
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, two, key=(keys(world)[-1][0], bytes(32)))}>", "550 5.1.1")
    peer.say("RCPT TO:<root@bounce.test>", "550 5.1.1")
    peer.say("RSET", "250")
    peer.deliver("", return_path(world, campaign, two), dsn())
    until(lambda: events(world, one) and events(world, two), "both reports are there")
    assert events(world, one) == [("bounce-hard", "user-unknown")]


REFUSING = """
smtpd_recipient_restrictions = check_recipient_access inline:{ { refused.test = 550 5.1.1 No such user }, { later.test = 450 4.2.1 Later } }, permit
smtpd_sender_restrictions = permit
smtpd_relay_restrictions = permit_mynetworks, reject
"""


def test_several_in_flight(world):
    "Postfix takes eight at a time, some of them refused or put off in between: each has his own reply, nobody is in doubt, and it is never out of step."
    reason = unavailable()
    if reason:
        raise Skip(reason)
    destination = free_port()
    world.mailworld("* accept\n", port=destination)
    postfix = Postfix(world.base / "postfix", world.relay_port, destination, world.bounced_port, BOUNCE_DOMAIN, extra=REFUSING)
    world.logs["postfix"] = world.base / "postfix/mail.log"
    world.others.append(postfix.start().process)
    world.listening(world.relay_port)
    world.setup()
    audience = [f"a{n}@{'refused' if n % 7 == 3 else 'later' if n % 11 == 5 else 'good'}.test" for n in range(300)]
    world.subscribe(audience)
    world.configure(**{"relay.in_flight": 8, "relay.connections": 2, "sender.workers": 1, "sender.retry_after": "1s", "sender.expire": "5s"})
    world.start("sender")
    world.campaign("news")
    status = world.finished("news")
    good, refused, later = (sum(address.endswith(f"@{name}.test") for address in audience) for name in ("good", "refused", "later"))
    assert (status["accepted"], status["refused"], status["expired"], status["in_doubt"]) == (good, refused, later, 0), status
    until(lambda: len(world.accepted()) == good, "the good ones have their mail")
    assert sorted(row["to"] for row in world.accepted()) == sorted(address for address in audience if "@good" in address)
    assert "out_of_step" not in world.log("sender")
    world.stop("sender")
