"""Who may write to bounced: nobody without a valid token, besides a person who writes to postmaster or abuse."""

import signal

from returns import *
from verpost import Talk, until


def test_bad_tokens_are_refused(world):
    "Forged, altered, expired and wrong-purpose tokens hear 550 5.1.1, other domains 550 5.7.1; each cause is logged."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    good = return_path(world, campaign, one)
    stranger = (keys(world)[-1][0], bytes(32))
    message, leave = token(world, "message", campaign, one), token(world, "unsubscribe", 1, one)
    bad = {
        "forged": return_path(world, campaign, one, key=stranger),
        "unknown key": return_path(world, campaign, one, key=(9, bytes(32))),
        "for another person": good[:9] + ("a" if good[9] != "a" else "b") + good[10:],
        "altered tag": good[:30] + ("a" if good[30] != "a" else "b") + good[31:],
        "expired": return_path(world, campaign, one, age=40),
        "from the future": return_path(world, campaign, one, age=-5),
        "made for another domain": return_path(world, campaign, one, domain="other.test"),
        "message token": f"b+{message}@bounce.test",
        "unsubscribe token as return path": f"b+{leave}@bounce.test",
        "return path as unsubscribe": "unsubscribe+" + good[2:],
        "confirm as unsubscribe": f"unsubscribe+{token(world, 'confirm', 1, one)}@bounce.test",
        "too short": good.replace("@", "")[:20] + "@bounce.test",
        "too long": good.replace("@", "a@"),
        "no token": "b@bounce.test",
        "anything else": "root@bounce.test",
    }
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    for label, address in bad.items():
        reply = peer.say(f"RCPT TO:<{address}>")
        assert reply.startswith("550 5.1.1 no such address"), f"{label}: {reply}"
        if label == "from the future":  # before 20 errors
            peer = talk(world)
            peer.say("MAIL FROM:<>", "250")
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    for address in ("someone@example.test", good.replace("bounce.test", "example.test"), "postmaster@example.test"):
        reply = peer.say(f"RCPT TO:<{address}>")
        assert reply.startswith("550 5.7.1"), reply
    peer.say("DATA", "554")
    for address in (good, good.upper(), "postmaster", "Postmaster@Bounce.Test", "ABUSE@bounce.test", f"unsubscribe+{leave}@bounce.test"):
        peer.say(f"RCPT TO:<{address}>", "250 2.1.5")
    world.stop("bounced")
    log = world.log("bounced")
    for cause in ("forged", "unknown-key", "expired", "no-such-address", "foreign-domain"):
        assert f"event=recipient.refused cause={cause}" in log, cause
    assert good[2:20] not in log, "a token stands in the log"
    assert world.value("SELECT count(*) FROM bounce_event") == "0"


def test_gate_needs_no_database(world):
    "With PostgreSQL away bounced starts and tells good tokens from bad ones; only the message itself has to wait."
    (one, *_), campaign = people(world, 1)
    world.postgres("stop")
    world.start("bounced")
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, one, key=(keys(world)[-1][0], bytes(32)))}>", "550 5.1.1")
    peer.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    peer.say("DATA", "451 4.3.0")
    world.postgres("start")
    until(lambda: "event=database.back" in world.log("bounced"), "bounced finds PostgreSQL")
    deliver(world, "", return_path(world, campaign, one), dsn())
    assert events(world, one) == [("bounce-hard", "user-unknown")]
    assert world.log("bounced").count("event=database.away") == 1, "one line for one change"
    world.stop("bounced")


def test_too_many_errors_and_recipients(world):
    "A guesser is sent away with 421; the hundred-and-first recipient hears 452."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.max_errors": 5, "bounced.max_recipients": 3})
    world.start("bounced")
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    for _ in range(4):
        peer.say("RCPT TO:<guess@bounce.test>", "550 5.1.1")
    heard = peer.say("RCPT TO:<guess@bounce.test>") + "\n" + peer.reply()
    assert "550 5.1.1" in heard and "421" in heard, heard
    assert peer.closed()
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    for _ in range(3):
        peer.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "452 4.5.3")
    peer.say("DATA", "354")
    peer.send(dsn().replace("\n", "\r\n") + ".\r\n")
    peer.expect("250")
    assert len(events(world, one)) == 1


def test_connection_caps(world):
    "Beyond bounced.max_per_network a network hears 421, and is welcome again when one of its sessions has ended."
    world.setup()
    world.configure(**{"bounced.max_per_network": 2})
    world.start("bounced")

    def welcome():
        try:
            return Talk(world.bounced_port)
        except AssertionError:
            return None
    first, second = until(welcome, "a first place"), until(welcome, "a second place")
    third = Talk(world.bounced_port, greeting="421 4.3.2")
    assert third.closed()
    first.say("QUIT", "221")
    first.close()
    until(welcome, "a place is free again").close()
    second.close()
    world.stop("bounced")
    assert "event=connection.refused" in world.log("bounced")


def test_silent_peer_is_sent_away(world):
    "Who says nothing for bounced.idle_timeout hears 421."
    world.setup()
    world.configure(**{"bounced.idle_timeout": "1s"})
    world.start("bounced")
    peer = talk(world)
    peer.expect("421")
    assert peer.closed()


def test_keys_are_read_again(world):
    "After SIGHUP a new key signs and verifies; a broken key file is refused and the old keys stay."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    world.listctl("key", "new")
    fresh = return_path(world, campaign, one)
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{fresh}>", "550 5.1.1")
    world.processes["bounced"].send_signal(signal.SIGHUP)
    until(lambda: "event=keys.reloaded" in world.log("bounced"), "keys are reloaded")
    peer.say(f"RCPT TO:<{fresh}>", "250")
    good = (world.base / "keys").read_text()
    world.file("keys", "nonsense\n")
    world.processes["bounced"].send_signal(signal.SIGHUP)
    until(lambda: "event=keys.kept" in world.log("bounced"), "a broken file is refused")
    peer.say(f"RCPT TO:<{fresh}>", "250")
    world.file("keys", good)
    world.stop("bounced")


def test_wrong_start(world):
    "Bad settings, missing keys, a port in use, a database that is not ours: one clear error each, exit 1."
    world.setup()

    def refused(*says, **changes):
        before = dict(world.settings)
        world.configure(**changes)
        done = world.run("bounced")
        world.settings = before
        world.configure()
        assert done.returncode == 1, done
        lines = [line for line in done.stderr.splitlines() if line.startswith("bounced:")]
        assert len(lines) == 1 and all(word in lines[0] for word in says), done.stderr

    refused("bounce.prefix", **{"bounce.prefix": "much-too-long"})
    refused("bounce.domain", **{"bounce.domain": "bad domain"})
    refused("bounced.max_connections", **{"bounced.max_connections": 0})
    refused("nokeys", "listctl key new", **{"keys.file": world.base / "nokeys"})
    refused("directory", **{"keys.file": world.base})
    refused("bounced.listen", "nonsense", **{"bounced.listen": "nonsense"})
    world.start("bounced")
    refused("bounced.listen", str(world.bounced_port))
    world.stop("bounced")
    world.sql("UPDATE instance SET id = gen_random_uuid()")
    refused("instance")
    assert world.run("bounced", "--check-config").returncode == 0
    assert "bounce.test" in world.run("bounced", "--check-config").stdout
    assert world.run("bounced", "--nonsense").returncode == 2
