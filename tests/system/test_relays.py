"""Several relays: set up with listctl, chosen by what they are for and by weight; when one fails the others take its work."""

import os
import re
import signal
import socket

from faultrelay import OFFERS, FaultRelay
from sending import people
from verpost import free_port, until

AUDIENCE = [address for address, _ in people(300)]


def begin(world, names, audience=AUDIENCE, rules=(), **options):
    """A fault relay for each name."""
    world.setup()
    world.subscribe(audience)
    relays = {name: FaultRelay(world, name=name, port=free_port(), processes=1, rules=rules, **options).start() for name in names}
    return relays


def add(world, relay, *more):
    world.listctl("relay", "add", relay.name, "--host", "127.0.0.1", "--port", relay.port, *more)


def by_relay(relays):
    return {name: sorted(row["to"] for row in relay.accepted()) for name, relay in relays.items()}


def exactly_once(relays, audience):
    got = sorted(address for some in by_relay(relays).values() for address in some)
    assert got == sorted(audience), (len(got), len(set(got)), len(audience))
    for relay in relays.values():
        relay.check()


def test_verbs(world):
    "Adding, editing, showing and removing; what cannot be is refused with the remedy, and every change is in the audit."
    world.setup()
    run = world.listctl
    assert "settings" in world.run("listctl", "relay", "ls").stderr
    run("relay", "add", "main", "--host", "smtp.example.org", "--tls", "starttls", "--auth", "any", "--user", "news", "--weight", 3,
        "--lists", "news", "--campaigns", "weekly-*,extra", "--domains", "Example.NET, .example.com,@gmail", "--rate", "2.5",
        "--connections", 20, "--in-flight", 8, "--notify", "failure,delay", "--source", "192.0.2.7")
    row = world.json("relay", "show", "main")
    row = row[0] if isinstance(row, list) else row
    expected = {"relay": "main", "state": "enabled", "host": "smtp.example.org", "port": 587, "tls": "starttls", "auth": "any",
                "user": "news", "weight": 3, "connections": 20, "rate": 2.5, "in_flight": 8, "notify": "failure,delay",
                "source": "192.0.2.7", "lists": "news", "campaigns": "weekly-* extra", "domains": "example.net .example.com @gmail"}
    assert {key: row[key] for key in expected} == expected, row
    run("relay", "edit", "main", "--rate", "none", "--domains", "none", "--weight", 1, "--disable")
    row = world.json("relay", "ls")[0]
    assert row["state"] == "disabled" and "domains" not in row["only_for"], row
    refused = [
        (("add", "main", "--host", "x.test"), 1, "already"),
        (("add", "default", "--host", "x.test"), 2, "settings"),
        (("add", "Bad_Name", "--host", "x.test"), 2, "a-z"),
        (("add", "other"), 2, "--host or --socket"),
        (("add", "other", "--host", "x.test:587"), 2, "--port"),
        (("add", "other", "--host=-h"), 2, "no host name"),
        (("add", "other", "--host", "a..test"), 2, "no host name"),
        (("add", "other", "--host", "mail_relay"), 2, "no host name"),
        (("add", "other", "--host", "192.0.2.777"), 2, "no host name"),
        (("add", "other", "--host", "m\u00fcller.test"), 2, "xn--"),
        (("add", "other", "--host", "/run/lmtp"), 2, "--socket"),
        (("edit", "main", "--host=-h"), 2, "no host name"),
        (("show", "default"), 1, "relay add NAME --host"),
        (("retry", "127.0.0.1:1"), 1, "there is no"),
        (("add", "other", "--host", "x.test", "--port", "0"), 2, "1 to 65535"),
        (("add", "other", "--host", "x.test", "--tls", "maybe"), 2, "starttls"),
        (("add", "other", "--host", "x.test", "--auth", "plain", "--user", "a"), 2, "clear"),
        (("add", "other", "--host", "x.test", "--auth", "plain", "--tls", "implicit"), 2, "--user"),
        (("add", "other", "--socket", "relative"), 2, "begins with /"),
        (("add", "other", "--host", "x.test", "--source", "nowhere"), 2, "IP address"),
        (("add", "other", "--host", "x.test", "--lists", "nolist"), 1, "nolist"),
        (("add", "other", "--host", "x.test", "--domains", "@nogroup"), 1, "nogroup"),
        (("add", "other", "--host", "x.test", "--domains", "not a domain!"), 1, ""),
        (("add", "other", "--host", "x.test", "--domains", ""), 2, "none"),
        (("edit", "main", "--campaigns", " , "), 2, "none"),
        (("add", "other", "--host", "x.test", "--campaigns", "a,,b"), 2, "--campaigns has an empty name"),
        (("add", "other", "--host", "x.test", "--domains", ",one.test"), 2, "--domains has an empty name"),
        (("edit", "main", "--lists", "news, "), 2, "--lists has an empty name"),
        (("edit", "main", "--rate", "0.0000001"), 2, "0.01"),
        (("edit", "nobody", "--weight", "2"), 1, "relay ls"),
        (("rm", "nobody"), 1, "relay ls"),
    ]
    for arguments, code, says in refused:
        world.refused("relay", *arguments, code=code, says=says)
    rows = world.json("relay", "ls")
    assert [(row["relay"], row["state"]) for row in rows] == [("main", "disabled"), ("default", "enabled")], rows
    for at, host in enumerate(("localhost", "x1.test.", "192.0.2.7", "2001:db8::7", "xn--mller-kva.test")):
        run("relay", "add", f"host{at}", "--host", host)
        run("relay", "rm", f"host{at}")
    run("relay", "rm", "main")
    row, = world.json("relay", "ls")
    assert (row["relay"], row["place"]) == ("default", f"127.0.0.1:{world.relay_port}"), row
    assert [row[0] for row in world.sql("SELECT action FROM audit WHERE subject = 'relay:main' ORDER BY id")] == [
        "relay.add", "relay.edit", "relay.rm"]


def test_contradictions(world):
    "What says two things, or nothing, is refused and changes nothing."
    world.setup()
    world.listctl("relay", "add", "r2", "--host", "127.0.0.1", "--port", "2525")
    before = world.json("relay", "show", "r2")
    place = "--host", "x.test", "--socket", "/run/y"
    world.refused("relay", "add", "r4", *place, code=2, says="--host or --socket, not both")
    world.refused("relay", "edit", "r2", *place, code=2, says="--host or --socket, not both")
    world.refused("relay", "edit", "r2", code=2, says=["nothing to change", "--host"])
    world.refused("relay", "edit", "r2", "--tls-ca", "/etc/ca.pem", code=2, says=["--tls-ca goes with --tls", "--tls-ca none"])
    assert world.json("relay", "show", "r2") == before and len(world.json("relay", "ls")) == 1
    world.listctl("relay", "edit", "r2", "--host", "none", "--socket", "/run/y")
    world.listctl("relay", "edit", "r2", "--host", "x.test", "--socket", "none", "--tls", "starttls", "--tls-ca", "/etc/ca.pem")
    world.refused("relay", "edit", "r2", "--tls", "none", code=2, says="--tls-ca none")
    world.listctl("relay", "edit", "r2", "--tls", "none", "--tls-ca", "none")


def test_no_more_than_are_used(world):
    "sender uses 32 enabled relays: another one is refused with the remedy, added or enabled; the rest may be changed."
    world.setup()
    for n in range(32):
        world.listctl("relay", "add", f"r{n}", "--host", f"r{n}.test")
    remedy = ["32 relays are enabled", "--disable"]
    world.refused("relay", "add", "more", "--host", "more.test", says=remedy)
    assert len(world.json("relay", "ls")) == 32, "the refused one is there"
    world.listctl("relay", "add", "more", "--host", "more.test", "--disable")
    world.refused("relay", "edit", "more", "--enable", says=remedy)
    world.listctl("relay", "edit", "r0", "--weight", 2)
    world.listctl("relay", "edit", "r0", "--disable")
    world.listctl("relay", "edit", "more", "--enable")
    world.sql("UPDATE relay SET enabled = true")  # as an older listctl could
    world.listctl("relay", "edit", "r1", "--weight", 2)
    world.refused("relay", "add", "another", "--host", "more.test", says=remedy)


def test_more_in_hand_than_the_journal_holds(world):
    "Relays that may have more messages in hand than a worker's journal holds: the log names the setting and what suffices, which does."
    relays = begin(world, ["a", "b"], AUDIENCE[:20])
    world.configure(**{"relay.connections": 16, "sender.workers": 1})
    for relay in relays.values():
        add(world, relay, "--in-flight", 99)
    world.start("sender")
    until(lambda: "event=journal.small" in world.log("sender"), "the journal is called small")
    line = re.search("event=journal.small .*", world.log("sender"))[0]
    assert " messages=3200 " in line and "journal.size" in line, line
    least = int(re.search(r"journal.size to (\d+) at least", line)[1])
    world.listctl("relay", "edit", "a", "--connections", 1)
    until(lambda: " messages=1700 " in world.log("sender"), "it follows what relays may have")
    world.listctl("relay", "edit", "a", "--connections", "none")
    world.stop("sender")
    world.configure(**{"journal.size": least})
    told = world.log("sender").count("event=journal.small")
    world.start("sender")
    world.campaign("c")
    world.finished("c")
    assert world.log("sender").count("event=journal.small") == told, "still small"
    assert os.path.getsize(next((world.base / "journal").iterdir())) == least


def test_one_that_never_answers(world):
    """One relay takes messages and is silent: it keeps its share of the journal, and people are told; the others go on. Edited, it is cut off
    soon, for its share is needed."""
    audience = [f"a{n}@{'silent' if n % 2 else 'good'}.test" for n in range(1200)]
    relays = begin(world, ["good"], audience)
    silent = FaultRelay(world, name="silent", port=free_port(), processes=1, offers=OFFERS + ["CHUNKING"],
                        rules=[{"step": "dot", "action": "hang"}]).start()
    world.configure(**{"relay.connections": 4, "sender.workers": 1, "journal.size": "1M", "sender.stop_timeout": "2s"})
    add(world, relays["good"])
    add(world, silent, "--in-flight", 100, "--domains", "silent.test")
    world.start("sender")
    world.campaign("news", in_doubt="resend")
    until(lambda: world.status("news")["accepted"] == len(audience) // 2, "the other relay goes on")
    line = until(lambda: re.search("event=relay.held relay=silent in_hand=([0-9]+) .*", world.log("sender")), "it is told")
    assert "journal.size" in line[0] and 50 <= int(line[1]) <= 150, line[0]
    rows = until(lambda: [row for row in world.json("relay", "ls") if row["trouble"]], "listctl knows")
    assert [row["relay"] for row in rows] == ["silent"] and "journal" in rows[0]["trouble"], rows
    assert "silent" in world.listctl("campaign", "status", "news")
    silent.rules([])
    world.listctl("relay", "edit", "silent", "--helo", "other.test")
    until(lambda: re.search("event=relay.cut relay=silent in_hand=[0-9]+", world.log("sender")), "it is cut off")
    assert world.finished("news")["accepted"] == len(audience)
    assert [row["trouble"] for row in world.json("relay", "ls")] == [None, None]
    world.stop("sender")


def drop_connections(port):
    """Something listens there, and SYNs are dropped from now on: its queue is full. Keep what comes back."""
    listener = socket.create_server(("127.0.0.1", port), backlog=0)
    full = [socket.socket() for _ in range(4)]
    for one in full:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    return [listener, *full]


def test_silent_beside_one_that_works(world):
    """One relay says nothing, another one drops SYNs, with nine times the weight each: who may go through the third one as well does,
    and whoever may not keeps nobody from it, though he fills what is opened. Mended, they take theirs: nobody is lost or doubled."""
    free = [f"a{n}@free.test" for n in range(200)]
    only = [f"a{n}@{name}.test" for n in range(300) for name in ("silent", "dropping")]
    relays = begin(world, ["good"], [address for pair in zip(only, free * 3) for address in pair][:2 * len(free)] + only[len(free):])
    silent = FaultRelay(world, name="silent", port=free_port(), processes=1, rules=[{"step": "banner", "action": "hang"}]).start()
    dropping = FaultRelay(world, name="dropping", port=free_port(), processes=1)
    sockets = drop_connections(dropping.port)
    world.configure(**{"sender.workers": 1, "sender.window": 40, "relay.connections": 4})
    add(world, relays["good"], "--weight", 1)
    for relay in silent, dropping:
        add(world, relay, "--weight", 9)
        world.listctl("relay", "add", f"{relay.name}-only", "--host", "127.0.0.1", "--port", relay.port, "--weight", 9,
                      "--domains", f"{relay.name}.test")
    world.start("sender")
    world.campaign("news")
    status = until(lambda: (lambda s: s if s["accepted"] == len(free) else None)(world.status("news")), "the free are accepted")
    assert by_relay(relays)["good"] == sorted(free)
    assert status["relay_trouble"] == {}, "long before anything has timed out"
    waits = {w["for"]: w for w in status["waits"]}
    assert set(waits) <= {"away:silent-only", "away:dropping-only"} and waits, waits
    assert status["deferred"] == sum(w["recipients"] for w in waits.values()), status
    assert "wait for relay silent-only, which takes nobody now" in " ".join(world.listctl("campaign", "status", "news").split())
    for one in sockets:
        one.close()
    silent.rules([])
    dropping.start()
    for name in ("silent", "dropping"):
        world.listctl("relay", "retry", f"{name}-only")
    assert world.finished("news")["accepted"] == len(free) + len(only)
    exactly_once({"good": relays["good"], "silent": silent, "dropping": dropping}, free + only)
    world.stop("sender")


def test_used_up_beside_one_out_of_reach(world):
    """One relay has used up its warm-up, the other one refuses the session: the campaign's status tells both, what waits keeps nothing from
    being opened, and who waits for the next day is woken when the other one works."""
    relays = begin(world, ["warm", "tripped"])
    world.configure(**{"sender.workers": 1, "sender.window": 40, "relay.retry": "1h"})
    relays["tripped"].rules([{"step": "banner", "action": "hard", "reply": "554 5.7.1 Go away"}])
    for relay in relays.values():
        add(world, relay)
    world.listctl("warmup", "set", "--relay", "warm", "--first", 20, "--until", 1000)
    key = "warmup:" + world.value("SELECT id FROM warmup")
    world.start("sender")
    world.campaign("news")
    status = until(lambda: (lambda s: s if s["state"] == "running" and s["pending"] <= 40 else None)(world.status("news")), "all were opened")
    assert status["accepted"] == 20 and "554" in status["relay_trouble"]["tripped"], status
    told, = status["waits"]
    assert told["for"] == key and told["recipients"] >= len(AUDIENCE) - 60, told
    assert told["reason"].endswith("wait for the warm-up of relay warm (20 today)"), told
    relays["tripped"].rules([])
    world.listctl("relay", "retry", "tripped")
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    exactly_once(relays, AUDIENCE)
    world.stop("sender")


def test_what_they_are_for(world):
    "Domains go before campaigns, these before lists, these before all; running senders follow a new relay."
    audience = [f"a{n}@{domain}" for n in range(20) for domain in ("one.test", "sub.two.test", "googlemail.com", "three.test")]
    relays = begin(world, ["rest", "group", "below", "weekly"], audience)
    add(world, relays["rest"])
    world.start("sender")
    add(world, relays["group"], "--domains", "@gmail")
    add(world, relays["below"], "--domains", ".two.test")
    add(world, relays["weekly"], "--campaigns", "weekly-*")
    world.campaign("weekly-1")
    assert world.finished("weekly-1")["accepted"] == len(audience)
    exactly_once(relays, audience)
    got = by_relay(relays)
    assert got["rest"] == [], got["rest"]
    assert {address.split("@")[1] for address in got["weekly"]} == {"one.test", "three.test"}
    assert {address.split("@")[1] for address in got["group"]} == {"googlemail.com"}
    assert {address.split("@")[1] for address in got["below"]} == {"sub.two.test"}
    world.stop("sender")


def test_of_the_settings(world):
    "The relay of the settings has a row while none is enabled, with its trouble; nobody comes to it unawares while a campaign runs."
    relays = begin(world, ["east"], ["ann@one.test"], rules=[{"step": "rcpt", "action": "soft"}])
    add(world, relays["east"])
    world.start("sender")
    world.campaign("news")
    until(lambda: world.status("news")["deferred"] == 1, "ann is deferred")
    settings = f"127.0.0.1:{world.relay_port}"
    for verb in (("edit", "east", "--disable"), ("rm", "east")):
        world.refused("relay", *verb, says=["last relay that is enabled", settings, "--yes", "nothing was changed"])
    assert [row["relay"] for row in world.json("relay", "ls")] == ["east"]
    world.listctl("relay", "edit", "east", "--disable", "--yes")
    world.sql("UPDATE deferral SET next_attempt_at = now()")
    row = until(lambda: next((r for r in world.json("relay", "ls") if r["relay"] == "default" and r["trouble"]), None), "its trouble")
    assert row["state"] == "tripped" and row["place"] == settings and "connect" in row["trouble"], row
    world.listctl("campaign", "pause", "news")
    world.listctl("relay", "edit", "east", "--enable")
    world.listctl("relay", "rm", "east")
    world.stop("sender")


def test_others_than_those_it_is_for(world):
    "With the first relay that is for some only the others are left without one: add says so."
    world.setup()
    some = world.run("listctl", "relay", "add", "some", "--host", "x.test", "--domains", "one.test")
    assert some.returncode == 0 and "anybody else is held" in some.stderr and "not used any more" in some.stderr, some
    rest = world.run("listctl", "relay", "add", "rest", "--host", "y.test")
    assert rest.returncode == 0 and "held" not in rest.stderr, rest


def test_none_fits(world):
    "A campaign with a recipient that no relay takes is held and says so; with a relay for it, it goes on."
    relays = begin(world, ["only", "rest"], ["ann@one.test", "bob@two.test"])
    add(world, relays["only"], "--domains", "one.test")
    world.start("sender")
    world.campaign("news")
    until(lambda: world.status("news")["state"] == "paused", "held")
    assert "no relay fits recipients at two.test" in world.status("news")["hold_reason"]
    add(world, relays["rest"])
    world.listctl("campaign", "resume", "news")
    assert world.finished("news")["accepted"] == 2
    exactly_once(relays, ["ann@one.test", "bob@two.test"])
    world.stop("sender")


def test_weights(world):
    "Two relays that could take everything share it by weight."
    relays = begin(world, ["large", "small"], delay=0.02)
    world.configure(**{"sender.workers": 1, "relay.connections": 2, "sender.window": 300})
    add(world, relays["large"], "--weight", 4)
    add(world, relays["small"], "--weight", 1)
    world.start("sender")
    world.campaign("news")
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    exactly_once(relays, AUDIENCE)
    shares = {name: len(some) for name, some in by_relay(relays).items()}
    assert abs(shares["small"] - len(AUDIENCE) // 5) <= 20, shares
    world.stop("sender")


def test_one_fails(world):
    "A relay that dies, one that refuses the session and one that hangs: the other takes their work, and nobody is skipped or gets it twice."
    relays = begin(world, ["good", "dying", "refusing", "hanging"])
    world.configure(**{"relay.reply_timeout": "2s", "relay.connections": 2})
    relays["refusing"].rules([{"step": "banner", "action": "hard", "reply": "554 5.7.1 Go away"}])
    relays["hanging"].rules([{"step": "banner", "action": "hang"}])
    relays["dying"].rules([{"step": "dot", "action": "hang"}])
    for relay in relays.values():
        add(world, relay)
    world.start("sender")
    world.campaign("news", in_doubt="resend")
    until(lambda: world.status("news")["accepted"] >= 100, "some were sent")
    process = world.processes.pop("dying")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    status = world.finished("news")
    assert status["accepted"] == len(AUDIENCE), status
    got = by_relay(relays)
    assert sorted(got["good"]) == sorted(AUDIENCE), len(got["good"])
    assert got["refusing"] == got["hanging"] == got["dying"] == []
    rows = {row["relay"]: row for row in world.json("relay", "ls")}
    assert rows["refusing"]["state"] == "tripped" and "554" in rows["refusing"]["trouble"], rows["refusing"]
    assert rows["good"]["state"] == "enabled"
    world.stop("sender")


def test_a_silent_one_is_replaced(world):
    "Whom a relay has in hand that does not answer, before the content, goes elsewhere as soon as its row names another host; nobody waits for its time-out."
    relays = begin(world, ["silent", "other"], rules=[{"step": "mail", "action": "hang"}])
    relays["other"].rules([])
    world.configure(**{"relay.connections": 2})
    add(world, relays["silent"])
    world.start("sender")
    world.campaign("news")
    until(lambda: relays["silent"].records("fault"), "it has somebody in hand")
    world.listctl("relay", "edit", "silent", "--port", relays["other"].port)
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    exactly_once({"other": relays["other"]}, AUDIENCE)
    world.stop("sender")


def test_one_with_a_limit(world):
    "A relay that has a limit takes its part beside one that has none, and all of the work when that one fails."
    relays = begin(world, ["free", "bound"], delay=0.02)
    world.configure(**{"sender.workers": 1, "relay.connections": 2, "sender.window": 300})
    add(world, relays["free"])
    add(world, relays["bound"], "--connections", 2)
    world.start("sender")
    world.campaign("both")
    assert world.finished("both")["accepted"] == len(AUDIENCE)
    shares = {name: len(some) for name, some in by_relay(relays).items()}
    assert min(shares.values()) > 0, shares
    process = world.processes.pop("free")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    world.campaign("one")
    assert world.finished("one")["accepted"] == len(AUDIENCE)
    world.stop("sender")


def test_retry(world):
    "A person says that a relay was mended: all workers try it at once, though they would leave it alone for long."
    relays = begin(world, ["one"])
    world.configure(**{"sender.workers": 2, "sender.window": 20, "relay.retry": "1h"})
    relays["one"].rules([{"step": "banner", "action": "hard", "reply": "554 5.7.1 Go away"}])
    add(world, relays["one"])
    world.start("sender")
    world.campaign("news")
    until(lambda: world.log("sender").count("event=relay.tripped") == 2, "both workers leave it alone")
    until(lambda: (world.json("relay", "ls")[0]["trouble"] or "").count("554"), "people are told")
    relays["one"].rules([])
    world.refused("relay", "retry", "two", says="relay ls")
    world.refused("relay", "retry", "default", says=["not used", "relay ls"])
    assert "not known" not in world.run("listctl", "relay", "retry", "one").stderr
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    exactly_once(relays, AUDIENCE)
    until(lambda: world.json("relay", "ls")[0]["state"] == "enabled", "people are told")
    assert "not known to be left alone" in world.run("listctl", "relay", "retry", "one").stderr


def test_retry_of_the_settings(world):
    "The relay of the settings, which has no row, is tried at once too: by either of its names, by workers that would leave it alone for long."
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 2, "sender.window": 20, "relay.retry": "1h"})
    relay = FaultRelay(world, processes=1, rules=[{"step": "banner", "action": "hard", "reply": "554 5.7.1 Go away"}]).start()
    world.start("sender")
    world.campaign("news")
    for number, name in enumerate(("default", f"127.0.0.1:{world.relay_port}"), 1):
        until(lambda: world.log("sender").count("event=relay.tripped") == 2 * number, "both workers leave it alone")
        until(lambda: "554" in (world.json("relay", "ls")[0]["trouble"] or ""), "people are told")
        if number == 2:
            relay.rules([])
        told = world.run("listctl", "relay", "retry", name)
        assert told.returncode == 0 and "not known" not in told.stderr, told
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    exactly_once({"default": relay}, AUDIENCE)
    until(lambda: world.json("relay", "ls")[0]["state"] == "enabled", "people are told")
    assert "not known to be left alone" in world.run("listctl", "relay", "retry", "default").stderr
    world.stop("sender")


def test_token_command(world):
    "A bearer token comes from a command; a refused one is asked for anew."
    from certificates import Authority
    authority = Authority(world.base / "authority")
    certificate, key = authority.issue("mx.test")
    relays = begin(world, ["oauth"], AUDIENCE[:40], tls="starttls", certificate=str(certificate), key=str(key),
                   users={"ann": "token-2"}, mechanisms=["XOAUTH2"])
    (world.base / "secrets").mkdir()
    count = world.base / "asked"
    command = world.file("secrets/oauth", f"#!/bin/sh\necho x >>{count}\necho token-$(wc -l <{count} | tr -d ' ')\n")
    command.chmod(0o700)
    world.configure(**{"sender.workers": 1})
    add(world, relays["oauth"], "--tls", "starttls", "--tls-name", "mx.test", "--tls-ca", authority.certificate, "--auth", "xoauth2",
        "--user", "ann")
    world.start("sender")
    world.campaign("news")
    assert world.finished("news")["accepted"] == 40
    exactly_once(relays, AUDIENCE[:40])
    assert "auth: 535" in world.log("sender") and "token-1" not in world.log("sender")
    world.stop("sender")


def offer(world, relay, offers):
    """From the next connection on, which is a new one."""
    relay.options["offers"] = offers
    relay.rules([])
    world.listctl("relay", "edit", relay.name, "--helo", f"hello{relay.version}.test")


def test_one_cannot(world):
    "What one relay cannot take by what it offers (SIZE, SMTPUTF8) goes through one that can; who fits none is refused with that reason."
    plain = [address for address, _ in people(40)]
    foreign = [f"ü{n}@d.test" for n in range(40)]
    relays = begin(world, ["narrow", "wide"], plain + foreign)
    world.configure(**{"breaker.policy_share": 0})
    for relay in relays.values():
        add(world, relay)
    offer(world, relays["narrow"], ["PIPELINING", "ENHANCEDSTATUSCODES"])
    small = ["PIPELINING", "SIZE 300", "SMTPUTF8"]
    world.start("sender")
    world.campaign("utf8")
    status = world.finished("utf8")
    assert (status["accepted"], status["refused"]) == (80, 0), status
    exactly_once(relays, plain + foreign)
    assert not set(foreign) & set(by_relay(relays)["narrow"])
    offer(world, relays["narrow"], small)
    world.campaign("size")
    assert world.finished("size")["accepted"] == 80
    assert len(relays["wide"].accepted()) + len(relays["narrow"].accepted()) == 160
    offer(world, relays["wide"], small)
    world.campaign("none")
    status = world.finished("none")
    assert (status["accepted"], status["refused"]) == (0, 80), status
    assert world.sql("SELECT DISTINCT code, status, reason, attempts FROM delivery WHERE outcome = 'refused'") == [
        ["552", "5.3.4", "message-too-big", "1"]]
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == "0"
    for relay in relays.values():
        relay.check()
    world.stop("sender")


def test_malformed_replies(world):
    "What is wrong with a relay's reply is said: in the log, and by listctl relay ls."
    relay = begin(world, ["main"], AUDIENCE[:20])["main"]
    add(world, relay)
    world.start("sender")
    kinds = [("ehlo", "250-x\r\n" * 101 + "250 x", "ehlo: the reply has more than 100 lines"),
             ("ehlo", "250 " + "x" * 5000, "ehlo: a line of the reply is longer than 4,096 octets"),
             ("mail", "250-one\r\n354 other", "mail: the lines of the reply have different codes"),
             ("banner", "SSH-2.0-x", "banner: a line of the reply does not begin with a code")]
    for number, (step, reply, says) in enumerate(kinds):
        relay.rules([{"step": step, "action": "hard", "reply": reply}])
        world.listctl("relay", "edit", "main", "--helo", f"hello{number}.test")  # tried anew
        if number == 0:
            world.campaign("news")
        until(lambda: says in (world.json("relay", "ls")[0]["trouble"] or ""), says)
        assert f'"{says}' in world.log("sender"), says
    relay.rules([])
    assert world.finished("news")["accepted"] == 20
    exactly_once({"main": relay}, AUDIENCE[:20])
    world.stop("sender")
