"""What an SMTP server has to do, in raw octets: lines, order, limits, ends of content. The tables of lib/smtp say it of the state machine; here the
program says it."""

import struct

from returns import *
from test_bounced_doors import certified, secured_after_ehlo, unix
from verpost import Talk, until

OFFERED = ["PIPELINING", "SIZE 1048576", "8BITMIME", "STARTTLS", "ENHANCEDSTATUSCODES", "SMTPUTF8"]


def content(peer, path, *pieces, sender="p@example.test"):
    """A transaction up to the content, which is sent piece by piece."""
    peer.say(f"MAIL FROM:<{sender}>", "250")
    peer.say(f"RCPT TO:<{path}>", "250")
    peer.say("DATA", "354")
    for piece in pieces:
        peer.send(piece)


def nothing_is_stored(world):
    return world.sql("SELECT (SELECT count(*) FROM bounce_event), (SELECT count(*) FROM mailbox_message)") == [["0", "0"]]


def test_commands(world):
    "What is offered, and the reply to each command and parameter in and out of order."
    (one, *_), campaign = people(world, 1)
    certified(world)
    world.start("bounced")
    path = return_path(world, campaign, one)
    peer = Talk(world.bounced_port)
    assert peer.say("EHLO sender.test").replace("250-", "").replace("250 ", "").split("\n") == ["mx.bounce.test", *OFFERED]
    peer.close()
    peer = Talk(world.bounced_port)
    for command, reply in [
            ("MAIL FROM:<>", "503 5.5.1"), ("RCPT TO:<postmaster>", "503"), ("DATA", "503"), ("STARTTLS", "503"), ("NOOP", "250"), ("RSET", "250"),
            ("VRFY postmaster", "252"), ("EXPN all", "502"), ("HELP", "502"), ("ETRN x", "502"), ("AUTH PLAIN AGEAYg==", "502"),
            ("BDAT 3 LAST", "500"),
            ("helo sender.test", "250"), ("RCPT TO:<postmaster>", "503"), ("DATA", "503"), ("EHLO", "501"), ("EHLO sender.test", "250")]:
        assert peer.say(command).startswith(reply), command
    peer.close()
    peer = talk(world)
    for command, reply in [
            ("MAIL FROM:<> RET=HDRS ENVID=x SIZE=1000 BODY=8BITMIME SMTPUTF8", "250"), ("MAIL FROM:<>", "503"), ("DATA", "554"),
            (f"RCPT TO:<{path}> NOTIFY=NEVER ORCPT=rfc822;a@b", "250 2.1.5"), ("RCPT TO:<postmaster> X=1", "555"), ("RSET", "250"),
            ("MAIL FROM:<> REQUIRETLS", "555"), ("MAIL FROM:<> SIZE=", "501"), ("MAIL FROM:<> BODY=BINARYMIME", "501"), ("MAIL <>", "501"),
            ("MAIL FROM:<j\u00f6rg@b.test>", "553 5.6.7"), ("MAIL FROM:<j\u00f6rg@b.test> SMTPUTF8", "250"), ("RCPT TO:<>", "501"),
            ("RCPT TO:<PostMaster@BOUNCE.test>", "250"), ("RCPT TO:<abuse@bounce.test>", "250"), ("RCPT TO:<someone@else.test>", "550 5.7.1"),
            ("QUIT", "221")]:
        assert peer.say(command).startswith(reply), command
    assert peer.closed() and nothing_is_stored(world)


def test_lines(world):
    "Lines of 2 KB are taken; a longer one is dropped to its CRLF, its tail no command. NUL, bare CR and LF are refused and count as errors."
    world.setup()
    world.configure(**{"bounced.max_errors": 7})
    world.start("bounced")
    peer = talk(world)
    peer.say("NOOP " + "x" * 2000, "250")
    for line in (b"NOOP " + b"x" * 3000 + b"QUIT\r\n", b"NOOP " + b"x" * 500_000 + b"\nQUIT\rQUIT\r\n", b"NOOP\0\r\n", b"NO\rOP\r\n",
                 b"NOOP\nQUIT\r\n", b"NOOP\r\r\n"):
        for piece in (line[:3], line[3:-1], line[-1:]):
            peer.send(piece)
        peer.expect("500 5.5.2")
        peer.say("NOOP", "250")
    peer.send(b"\r\n")
    peer.expect("500 5.5.2")
    peer.expect("421 4.7.0")
    assert peer.closed()


def test_garbage(world):
    "What speaks another protocol, or everything at once, is answered by the rules or sent away, and others notice nothing."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    hello = b"\x16\x03\x01" + struct.pack("!H", 512) + bytes(range(256)) * 2
    for garbage in (b"GET / HTTP/1.1\r\nHost: mx.bounce.test\r\n\r\n" + b"x: y\r\n" * 40, hello * 4, b"\0" * 100_000,
                    b"\xff" * 100_000 + b"\r\n" * 50, b"\r\n" * 1000, b"EHLO \x80\x00\r\n" * 100):
        peer = Talk(world.bounced_port)
        peer.send(garbage)
        peer.socket.shutdown(1)
        heard = b""
        while data := peer.socket.recv(65536):
            heard += data
        assert all(line[:1] in b"45" for line in heard.splitlines()), heard
    early = Talk(world.bounced_port, greeting=None)
    early.send(f"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<{return_path(world, campaign, one)}>\r\nDATA\r\n")
    replies = [early.reply()[:3]]
    if replies == ["220"]:  # it was as fast as the greeting
        replies = [early.reply()[:3] for _ in range(4)]
        assert replies == ["250", "250", "250", "354"], replies
    else:
        assert replies == ["554"], replies
    deliver(world, "", return_path(world, campaign, one), dsn())
    assert events(world, one) == [("bounce-hard", "user-unknown")]


def test_bare_line_ends(world):
    "A bare CR, LF or NUL anywhere in a content that ends as it should: 550 5.6.0, the session ends, and what was sent behind is not executed."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    path = return_path(world, campaign, one)
    hidden = f"MAIL FROM:<>\r\nRCPT TO:<{path}>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n".encode()
    for inside in (b"a\nb", b"a\rb", b"a\0b", b"\n", b"a\r\r\nb"):
        peer = talk(world)
        content(peer, path, b"Subject: x\r\n\r\n" + inside + b"\r\n.\r\n" + hidden)
        peer.expect("550 5.6.0")
        assert peer.closed(), inside
    assert nothing_is_stored(world)


def test_ends_in_tls_records(world):
    "In TLS, too, the final dot may come in as many records as it has octets, and smuggled ends are refused."
    (one, *_), campaign = people(world, 1)
    authority = certified(world)
    world.start("bounced")
    path = return_path(world, campaign, one)
    for ending in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r\r\n"):
        peer = secured_after_ehlo(world, authority)
        peer.say("EHLO sender.test", "250")
        content(peer, path, b"Subject: x\r\n\r\ntext", *(ending[i:i + 1] for i in range(len(ending))), b"MAIL FROM:<>\r\n.\r\n")
        peer.expect("550 5.6.0")
        assert peer.closed(), ending
    assert nothing_is_stored(world)
    peer = secured_after_ehlo(world, authority)
    peer.say("EHLO sender.test", "250")
    content(peer, path, b"Subject: x\r\n\r\n..text\r", b"\n", b".", b"\r", b"\n")
    peer.expect("250 2.0.0")
    assert world.value("SELECT encode(message, 'escape') LIKE '%\r\n.text\r\n' FROM mailbox_message") == "t"


def test_message_that_goes_round(world):
    "After a hundred Received the answer is 554 5.4.6, nothing is stored, and the session goes on."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    path, peer = return_path(world, campaign, one), talk(world)
    content(peer, path, b"Received: from a by b; today\r\n" * 100 + dsn().replace("\n", "\r\n").encode() + b".\r\n", sender="")
    peer.expect("554 5.4.6")
    assert nothing_is_stored(world)
    content(peer, path, b"Received: from a by b; today\r\n" * 99 + dsn().replace("\n", "\r\n").encode() + b".\r\n", sender="")
    peer.expect("250")
    assert events(world, one) == [("bounce-hard", "user-unknown")]


def test_who_brought_it(world):
    "What is stored says in one Received field, in front, who brought it, when, and by which protocol."
    ids, campaign = people(world, 6)
    authority = certified(world)
    world.configure(**{"bounced.lmtp_listen": f"unix:{world.base / 'lmtp'}"})
    world.start("bounced")
    secure = secured_after_ehlo(world, authority)
    ways = [(Talk(world.bounced_port), "HELO", "helo.test", "", "SMTP"), (Talk(world.bounced_port), "EHLO", "ehlo.test", "", "ESMTP"),
            (Talk(world.bounced_port), "EHLO", "[192.0.2.1]", " SMTPUTF8", "UTF8SMTP"), (secure, "EHLO", "b(y)\"evil;", "", "ESMTPS"),
            (unix(world.base / "lmtp"), "LHLO", "me", "", "LMTP"), (unix(world.base / "lmtp"), "LHLO", "me", " SMTPUTF8", "UTF8LMTP")]
    for person, (peer, verb, name, parameter, protocol) in zip(ids, ways):
        peer.say(f"{verb} {name}", "250")
        peer.say(f"MAIL FROM:<>{parameter}", "250")
        peer.say(f"RCPT TO:<{return_path(world, campaign, person)}>", "250")
        peer.say("DATA", "354")
        peer.send(dsn(mark=protocol).replace("\n", "\r\n") + ".\r\n")
        peer.expect("250")
        stored = world.value("SELECT encode(r.message, 'hex') FROM bounce_raw r JOIN bounce_event e ON e.id = r.event_id"
                             f" WHERE e.subscriber_id = {person}")
        head = bytes.fromhex(stored).decode().split("From: MAILER-DAEMON")[0]
        by, who = re.escape(re.sub(r'[()";]', "?", name)), r"\(local\)" if "LMTP" in protocol else r"\(\[127\.0\.0\.1\]\)"
        assert re.fullmatch(rf"Return-Path: <>\r\nReceived: from {by} {who}\r\n\tby mx\.bounce\.test with {protocol}\r\n"
                            rf"\tfor <{re.escape(return_path(world, campaign, person))}>;\r\n"
                            r"\t\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n", head), head


def test_limits_of_sessions(world):
    "Messages of a session, and sessions in all: beyond, 421."
    ids, campaign = people(world, 3)
    world.configure(**{"bounced.max_messages": 2, "bounced.max_connections": 3, "bounced.max_per_network": 100})
    world.start("bounced")
    peer = talk(world)
    for person in ids[:2]:
        peer.deliver("", return_path(world, campaign, person), dsn())
    peer.say("MAIL FROM:<>", "421 4.7.0")
    assert peer.closed()
    assert [len(events(world, person)) for person in ids] == [1, 1, 0]

    def greeted():
        one = Talk(world.bounced_port, greeting=None)
        return one if one.reply().startswith("220") else None
    kept = [until(greeted, "a place is free") for _ in range(3)]
    assert Talk(world.bounced_port, greeting="421 4.3.2").closed()
    kept.pop().close()
    until(greeted, "a place is free again")


def test_defaults(world):
    "The limits that are in force when nothing is set."
    world.setup()
    shown = world.run("bounced", "--check-config").stdout
    for setting in ("max_recipients = 100", "max_errors = 20", "max_messages = 1000", "max_message = 1048576", "idle_timeout = 300s",
                    "session_timeout = 1200s", "least_rate = 100"):
        assert f"\n{setting}\n" in shown.partition("[bounced]")[2], (setting, shown)
