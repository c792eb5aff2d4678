"""swaks, with which administrators try an SMTP server, against bounced: a table of sessions."""

import os
import pathlib
import subprocess
import typing

from certificates import Authority
from postfix import unpacked
from returns import *

PERSONS, POSTMASTER = "p@example.test", "postmaster@mx.example.test"
REFUSED_RCPT, REFUSED_CONTENT = 24, 26  # as swaks ends
HARD = [("bounce-hard", "user-unknown")]


class Session(typing.NamedTuple):
    label: str
    says: tuple           # in what swaks prints, in this order
    options: tuple = ()
    sender: str = "<>"
    message: str = dsn()
    to: tuple = ("{path}",)
    ends: int = 0
    events: list = HARD   # of the one whose return path it is
    letters: int = 0


SESSIONS = [
    Session("plain", ("220 mx.bounce.test ESMTP", "250-PIPELINING", "250 2.1.0", "250 2.1.5", "354 ", "250 2.0.0", "221 2.0.0")),
    Session("HELO", ("250 mx.bounce.test", "250 2.0.0"), ("--protocol", "SMTP")),
    Session("STARTTLS", ("250-STARTTLS", "220 2.0.0", "TLS started", "250 2.0.0"),
            ("--tls", "--tls-verify", "--tls-ca-path", "{authority}", "--tls-sni", "mx.bounce.test")),
    Session("PIPELINING", ("-> MAIL", "-> RCPT", "-> DATA", "<-  250 2.1.0", "<-  250 2.1.5", "<-  354", "<-  250 2.0.0"), ("--pipeline",)),
    Session("PIPELINING in TLS", ("TLS started", "~> DATA", "<~  250 2.1.0", "<~  250 2.0.0"), ("--pipeline", "--tls")),
    Session("LMTP", ("220 mx.bounce.test LMTP", "LHLO", "250 2.0.0"), ("--protocol", "LMTP", "--socket", "{lmtp}")),
    Session("LMTP, two recipients", ("250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.0.0", "250 2.0.0"),
            ("--protocol", "LMTP", "--socket", "{lmtp}"), to=("{path}", "{forged}", "postmaster@bounce.test"), letters=1),
    Session("wrong token", ("250 2.1.0", "550 5.1.1 no such address"), to=("{forged}",), ends=REFUSED_RCPT, events=[]),
    Session("wrong token, pipelined", ("550 5.1.1", "554 5.5.1"), ("--pipeline",), to=("{forged}",), ends=REFUSED_RCPT, events=[]),
    Session("another domain", ("550 5.7.1 relaying denied",), to=("someone@example.test",), ends=REFUSED_RCPT, events=[]),
    Session("too large", ("354 ", "552 5.3.4"), message=dsn(padding=300_000), ends=REFUSED_CONTENT),
    Session("a report of a postmaster", ("250 2.0.0",), sender=POSTMASTER),
    Session("a person's vacation", ("250 2.0.0",), sender=PERSONS, message=VACATION, events=[("auto-reply", "auto-reply")]),
    Session("a person's answer", ("250 2.0.0",), sender=PERSONS, message=LETTER, events=[], letters=1),
    Session("dots at the start of lines", ("250 2.0.0",), sender=PERSONS, message=LETTER + ".\n..\n.x\n", events=[], letters=1),
]


def swaks(world, session, number, **values):
    module = next(pathlib.Path(unpacked("libnet-ssleay-perl")).glob("usr/lib/*/perl5/*"))
    options = [option.format(**values) for option in session.options]
    where = [] if "--socket" in options else ["--server", "127.0.0.1", "--port", str(world.bounced_port)]
    return subprocess.run(
        ["perl", f"{unpacked('swaks')}/usr/bin/swaks", *where, "--ehlo", "peer.test", "--from", session.sender, "--to",
         ",".join(to.format(**values) for to in session.to), "--data", f"@{world.file(f'{number}.eml', session.message)}", *options],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, env={**os.environ, "PERL5LIB": str(module)})


def in_order(words, text):
    at = 0
    for word in words:
        at = text.find(word, at) + len(word)
        if at < len(word):
            return False
    return True


def letters(world):
    return int(world.value("SELECT count(*) FROM mailbox_message"))


def test_sessions(world):
    "Each session of the table hears what it should, and what it brings ends where it should."
    ids, campaign = people(world, len(SESSIONS))
    authority = Authority(world.base / "tls")
    certificate, key = authority.issue("mx.bounce.test")
    lmtp = world.base / "lmtp"
    world.configure(**{"bounced.max_message": "100K", "bounced.tls_certificate": certificate, "bounced.tls_key": key,
                       "bounced.lmtp_listen": f"unix:{lmtp}"})
    world.start("bounced")
    stranger = (keys(world)[-1][0], bytes(32))
    for number, (person, session) in enumerate(zip(ids, SESSIONS)):
        before = letters(world)
        done = swaks(world, session, number, path=return_path(world, campaign, person), lmtp=lmtp, authority=authority.certificate,
                     forged=return_path(world, campaign, person, key=stranger))
        assert done.returncode == session.ends and in_order(session.says, done.stdout), f"{session.label}: {done}"
        assert events(world, person) == session.events, (session.label, events(world, person))
        assert letters(world) - before == session.letters, (session.label, letters(world) - before)
    assert world.value("SELECT encode(message, 'escape') LIKE '%\r\n.\r\n..\r\n.x\r\n%' FROM mailbox_message ORDER BY id DESC LIMIT 1") == "t"
    world.stop("bounced")
