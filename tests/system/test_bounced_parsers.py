"""The processes that read messages: whatever becomes of them, no report is lost, and nobody hears 5xx."""

import base64
import json
import os
import pathlib
import re
import signal
import threading

from returns import *
from test_bounced_postgres import Peer
from verpost import TOP, until


def parser(world):
    "The process id of the newest parser that the log knows."
    born = re.findall(r"event=parser\.(?:started|replaced) pid=(\d+)", world.log("bounced"))
    return int(born[-1]) if born else None


def births(world):
    return len(re.findall(r"event=parser\.(?:started|replaced) ", world.log("bounced")))


def status(pid, field):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"^{field}:\s*(.*)$", text, re.M).group(1)


def parent(pid):
    return int(status(pid, "PPid"))


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}") or status(pid, "State").startswith("Z")


def stored(world):
    return int(world.value("SELECT count(*) FROM bounce_event"))


def test_parser_killed_while_reports_arrive(world):
    "The parser is killed again and again while reports arrive: each is stored once, and read by a successor."
    ids, campaign = people(world, 120)
    world.start("bounced")
    shares = [20 * (i + 1) for i in range(5)]
    gates = [threading.Event() for _ in shares]
    peers = [Peer(world, campaign, ids[i::4], gates) for i in range(4)]
    for peer in peers:
        peer.start()
    for share, gate in zip(shares, gates):
        until(lambda: stored(world) == share, "a share of the reports is in")
        before = births(world)
        world.kill(parser(world))
        gate.set()
        until(lambda: births(world) > before, "another parser is there")
    for peer in peers:
        peer.join(120)
    assert all(peer.failure is None for peer in peers), [peer.failure for peer in peers]
    assert sum(peer.answered for peer in peers) == len(ids) and sum(peer.refused for peer in peers) == 0
    rows = world.sql("SELECT subscriber_id, kind, reason FROM bounce_event ORDER BY 1")
    assert rows == [[str(person), "bounce-soft", "mailbox-full"] for person in ids], rows
    log = world.log("bounced")
    assert log.count("event=parser.replaced") == 5 and log.count("cause=died signal=9") == 5, log
    world.stop("bounced")


def test_parser_that_hangs(world):
    "A parser that does not go on is replaced after bounced.parse_timeout: its message is stored whole as unknown, those behind it are read."
    (first, *ids), campaign = people(world, 4)
    world.configure(**{"bounced.parse_timeout": "5s"})
    world.start("bounced")
    hung = until(lambda: parser(world), "a parser is there")
    deliver(world, "", return_path(world, campaign, first), dsn())  # it is not only born, it reads
    world.kill(hung, signal.SIGSTOP)
    peers = [talk(world) for _ in ids]
    for person, peer in zip(ids, peers):
        peer.say("MAIL FROM:<>", "250")
        peer.say(f"RCPT TO:<{return_path(world, campaign, person)}>", "250")
        peer.say("DATA", "354")
    for person, peer in zip(ids, peers):
        peer.send(dsn(mark=str(person)).replace("\n", "\r\n") + ".\r\n")
    for peer in peers:
        peer.expect("250")
    found = {person: events(world, person)[0] for person in ids}
    assert sorted(found.values()) == [("bounce-hard", "user-unknown")] * 2 + [("unknown", "other")], found
    unread = next(person for person in ids if found[person][0] == "unknown")
    assert membership(world, unread)[0] == "active"
    assert world.sql("SELECT e.rule, convert_from(r.message, 'UTF8') LIKE '%User unknown%--SEP--%' FROM bounce_raw r"
                     f" JOIN bounce_event e ON e.id = r.event_id WHERE e.subscriber_id = {unread}") == [["unread", "t"]]
    log = world.log("bounced")
    assert "event=message.unread cause=late" in log and "event=parser.replaced" in log, log
    until(lambda: is_gone(hung), "the old parser is gone")
    world.stop("bounced")


def test_nursery_killed(world):
    "The process that parsers are born from is killed, then its successor: parsers go on being born. When all are gone, bounced ends, to be started anew."
    ids, campaign = people(world, 3)
    world.start("bounced")
    first = parent(until(lambda: parser(world), "a parser is there"))
    assert parent(first) == world.processes["bounced"].pid
    for person, mark in zip(ids, "ab"):
        before, nursery = births(world), parent(parser(world))
        world.kill(nursery)
        until(lambda: births(world) > before, "another parser is there")
        deliver(world, "", return_path(world, campaign, person), dsn(mark=mark))
        assert events(world, person) == [("bounce-hard", "user-unknown")]
        assert parent(parser(world)) != nursery
    last, process = parser(world), world.processes["bounced"]
    process.send_signal(signal.SIGSTOP)  # so that it sees them die at once
    for pid in nurseries(world, last):
        world.kill(pid)
    process.send_signal(signal.SIGCONT)
    world.processes.pop("bounced")
    assert process.wait(60) == 1
    assert "start bounced again" in world.log("bounced")
    until(lambda: is_gone(last), "the last parser is gone")


def nurseries(world, last):
    "The processes of bounced but itself and the last parser."
    group = os.getpgid(world.processes["bounced"].pid)
    others = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (last, group):
            try:
                if os.getpgid(int(entry)) == group and not is_gone(int(entry)):
                    others.append(int(entry))
            except (ProcessLookupError, FileNotFoundError):
                pass
    return others


def test_nothing_stays_behind(world):
    "However bounced ends, its processes end with it."
    for how in (signal.SIGTERM, signal.SIGKILL):
        if how == signal.SIGTERM:
            world.setup()
        log = world.base / "bounced.log"
        log.unlink(missing_ok=True)
        world.start("bounced")
        one = until(lambda: parser(world), "a parser is there")
        all_of_it = nurseries(world, 0)
        assert len(all_of_it) == 3 and one in all_of_it, all_of_it
        world.stop("bounced", how, code=None)
        for pid in all_of_it:
            until(lambda: is_gone(pid), f"{pid} is gone")


def reports():
    yield from sorted((TOP / "tests/fixtures/reports").glob("*.eml"))
    if "VERPOST_CORPUS" in os.environ:
        yield from sorted(path for path in pathlib.Path(os.environ["VERPOST_CORPUS"]).rglob("*") if path.suffix in (".eml", ".txt", ".msg"))


def wire(path):
    "With line ends as SMTP has them; a dot at the start of a line is the sender's affair."
    data = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def in_charset(world, charset, codec):
    "A failure told in words only, which nobody understands without a converter of that character set."
    text = "Your message could not be delivered.\r\n\r\n<p@example.test>: 550 5.1.1 User unknown\r\n"
    body = base64.encodebytes(text.encode(codec)).decode()
    return world.file(f"{charset}.eml", "From: MAILER-DAEMON@mx.example.test\nTo: x@bounce.test\nSubject: failure notice\n"
                      f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n{body}")


def test_inside_as_outside(world):
    "Every sample is told alike by the parser of bounced and by `listctl bounce classify`, which reads without one."
    foreign = [in_charset(world, *row) for row in (("ibm037", "cp037"), ("ibm500", "cp500"), ("ibm1026", "cp1026"))]
    files = [path for path in reports() if 0 < path.stat().st_size < 500_000] + foreign
    ids, campaign = people(world, len(files))
    world.configure(**{"bounced.parsers": 2, "bounced.max_messages": 100000})
    world.start("bounced")
    peer = talk(world)
    outside = []
    for number, (path, person) in enumerate(zip(files, ids)):
        peer.deliver("", return_path(world, campaign, person), wire(path))
        outside.append(world.file(f"outside-{number}.eml", b"Return-Path: <>\r\n" + wire(path)))
    told = [json.loads(line) for line in world.listctl("bounce", "classify", "--format", "json", *outside).splitlines()]
    rows = {int(row[0]): row[1:] for row in world.sql(
        "SELECT subscriber_id, kind, reason, coalesce(status, ''), coalesce(recipient, '') FROM bounce_event")}
    assert len(told) == len(files)
    for path, person, said in zip(files, ids, told):
        kind, reason, code, recipient = rows[person]
        assert kind == said["kind"], (path, rows[person], said)
        reason = {"null-mx": "domain-unknown"}.get(reason, reason)  # one word for both in what listctl prints
        assert not said["reason"] or reason == said["reason"], (path, rows[person], said)
        assert not said["status"] or code == said["status"], (path, rows[person], said)
        assert recipient == (said["recipients"] or [""])[0], (path, rows[person], said)
    assert all(rows[person][1] == "user-unknown" for person in ids[-len(foreign):]), rows
    assert "event=message.unread" not in world.log("bounced")
