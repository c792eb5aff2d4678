"""Alerts: what wants a person is told to the administrator's command, once, and hostile text stays text."""

import pathlib
import subprocess

import nameserver
import past
from verpost import BIN, PATIENCE

ANN = "ann@a.test"


def commanded(world, script, interval="6h"):
    """A command that runs this behind having kept what it was told, one file a call."""
    command = world.file("tell", f"#!/bin/sh\nn=$(mktemp {world.base}/told.XXXXXX)\n{{ env; echo; cat; }} > $n\n{script}\n")
    command.chmod(0o755)
    world.configure(**{"alert.command": command, "alert.interval": interval})


def told(world):
    """[(environment, text)] of the calls so far."""
    calls = []
    for path in sorted(pathlib.Path(world.base).glob("told.*")):
        environment, text = path.read_text().split("\n\n", 1)
        calls.append((dict(line.split("=", 1) for line in environment.splitlines()), text))
        path.unlink()
    return calls


def tripped(world, reason="breaker: 12% hard bounces", name="news1"):
    world.setup()
    world.subscribe([ANN])
    campaign = past.sent(world, name, {ANN: "accepted"}, state="paused")
    world.sql(f"UPDATE campaign SET hold_reason = $x${reason}$x$ WHERE id = {campaign}")
    return campaign


def kinds(world, *options):
    return [(a["kind"], a["subject"], a["told_at"] is not None, a["ended_at"] is not None) for a in world.json("alert", "ls", *options)]


def test_told_once(world):
    "A tripped breaker is told once, again after the interval while it lasts, and not when it has ended; what a person paused is not told."
    campaign = tripped(world)
    commanded(world, "exit 0")
    past.sent(world, "mine", {ANN: "accepted"}, state="paused")
    world.sql("UPDATE campaign SET hold_reason = 'paused by root' WHERE name = 'mine'")
    assert "ran last; --all" in world.run("listctl", "alert", "ls").stderr
    world.listctl("alert", "send")
    (environment, text), = told(world)
    assert environment["VERPOST_ALERT_KIND"] == "campaign" and environment["VERPOST_ALERT_SUBJECT"] == "news1", environment
    assert set(environment) <= {"PATH", "VERPOST_ALERT_KIND", "VERPOST_ALERT_SUBJECT", "PWD", "SHLVL", "_", "OLDPWD"}, environment
    assert "12% hard bounces" in text and "campaign resume" in text, text
    assert kinds(world) == [("campaign", "news1", True, False)], kinds(world)
    world.listctl("alert", "send")
    assert told(world) == []
    world.sql("UPDATE alert SET told_at = told_at - interval '7 hours'")
    world.listctl("maintain")
    assert len(told(world)) == 1
    world.sql(f"UPDATE campaign SET state = 'running', hold_reason = NULL WHERE id = {campaign}")
    world.sql("UPDATE alert SET told_at = told_at - interval '7 hours'")
    world.listctl("alert", "send")
    assert told(world) == [] and kinds(world) == [] and kinds(world, "--all") == [("campaign", "news1", True, True)]
    # it trips anew within the interval
    world.sql("UPDATE alert SET told_at = now()")
    world.sql(f"UPDATE campaign SET state = 'paused', hold_reason = 'breaker: again' WHERE id = {campaign}")
    world.listctl("alert", "send")
    assert told(world) == [] and kinds(world) == [("campaign", "news1", True, False)]


def test_hostile(world):
    "What a relay said reaches no shell, and no control character reaches the command."
    tripped(world, reason="550 $(touch {0}/pwned) `touch {0}/pwned`; touch {0}/pwned \x1b]0;x\x07 '\"".format(world.base))
    commanded(world, "exit 0")
    world.listctl("alert", "send")
    (_, text), = told(world)
    assert "$(touch" in text and "\\x1B" in text.upper().replace("\\X", "\\x") and "\x1b" not in text, text
    assert not (world.base / "pwned").exists()


def test_a_command_that_fails(world):
    "A command that fails is named and tried again by the next run; one that is missing, relative, or not set is told by test."
    tripped(world)
    commanded(world, "exit 3")
    world.refused("alert", "send", says=["tell", "ended with 3"])
    assert kinds(world) == [("campaign", "news1", False, False)] and len(told(world)) == 1
    world.refused("maintain", says="ended with 3")
    assert len(told(world)) == 1
    commanded(world, "exit 0")
    world.listctl("alert", "send")
    assert len(told(world)) == 1
    world.listctl("alert", "test")
    (environment, text), = told(world)
    assert environment["VERPOST_ALERT_KIND"] == "test" and "this is a test" in text
    for wrong, words in (("/nowhere/tell", "cannot be run"), ("tell", "from / on"), ("", "is not set")):
        world.configure(**{"alert.command": wrong})
        world.refused("alert", "test", says=words)


def test_two_at_once(world):
    "Two that run at once tell each thing once."
    tripped(world)
    for number in range(4):
        past.sent(world, f"more{number}", {ANN: "accepted"}, state="paused")
    world.sql("UPDATE campaign SET hold_reason = 'breaker: x' WHERE name LIKE 'more%'")
    commanded(world, "exit 0")
    command = [str(BIN / "listctl"), "--config", str(world.config), "alert", "send"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    subjects = sorted(environment["VERPOST_ALERT_SUBJECT"] for environment, _ in told(world))
    assert subjects == ["more0", "more1", "more2", "more3", "news1"], subjects


def test_the_mx(world):
    "A bounce domain without its MX is told, and has ended when it is back; without a resolver nothing changes."
    dns = nameserver.Nameserver(world)
    world.setup()
    commanded(world, "exit 0")
    world.configure(**{"dns.check": "warn", "dns.resolver": dns.address, "dns.timeout": "20s"})
    right = {"bounce.test. MX": ["10 mx.bounce.test."], "mx.bounce.test. A": ["192.0.2.9"]}
    dns.serve(right)
    world.listctl("alert", "send")
    assert told(world) == [] and kinds(world) == []
    dns.serve({"mx.bounce.test. A": ["192.0.2.9"]})
    world.listctl("alert", "send")
    (environment, text), = told(world)
    assert environment["VERPOST_ALERT_KIND"] == "mx" and environment["VERPOST_ALERT_SUBJECT"] == "bounce.test", environment
    assert "bounce-mx" in text, text
    world.configure(**{"dns.resolver": "127.0.0.1@9", "dns.timeout": "1s"})
    world.listctl("alert", "send")
    assert kinds(world) == [("mx", "bounce.test", True, False)]
    dns.serve(right)
    world.configure(**{"dns.resolver": dns.address, "dns.timeout": "20s"})
    world.listctl("alert", "send")
    assert kinds(world) == [] and kinds(world, "--all") == [("mx", "bounce.test", True, True)]
