"""SIGTERM, pause and cancel begin no further message within a second, and leave nobody behind."""

import os
import pathlib
import signal
import subprocess
import time

from faultrelay import FaultRelay
from sending import check, counts, people, places, until_accepted
from verpost import BIN, until

AUDIENCE = people(2500)
SOME = AUDIENCE[:500]
SLOW = "* accept slow 100\n"  # with 8 connections: far more are open than a second can send


def begin(world, rules="* accept\n", audience=AUDIENCE, **settings):
    world.setup()
    world.subscribe(audience)
    world.configure(**settings)
    world.mailworld(rules)
    world.start("sender")
    world.campaign("stop")


def is_quiet(world):
    """A second after the word nothing more is accepted."""
    time.sleep(1)
    before = len(world.accepted())
    time.sleep(1.5)
    assert len(world.accepted()) == before, "messages went on"
    return before


def nothing_is_held(world):
    assert world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") == "0"
    assert world.value("SELECT count(*) FROM deferral WHERE opened_by IS NOT NULL") == "0"


def test_sigterm(world):
    "SIGTERM in mid-campaign: what is being sent is finished, the rest is given back, nobody is in doubt."
    begin(world, SLOW, SOME)
    until_accepted(world, 30)
    world.stop("sender")
    nothing_is_held(world)
    assert len(world.accepted()) < len(SOME), "too fast to stop"
    assert world.status("stop")["accepted"] == len(world.accepted())
    world.start("sender")
    world.finished("stop")
    check(world, "stop", SOME, may_doubt=False)


def test_pause_and_resume(world):
    "pause: within a second no further message, though many are open; resume goes on with the rest."
    begin(world, SLOW, SOME)
    until_accepted(world, 30)
    world.listctl("campaign", "pause", "stop")
    sent = is_quiet(world)
    assert sent < len(SOME), "too fast to pause"
    nothing_is_held(world)
    status = world.status("stop")
    assert (status["state"], status["accepted"], status["pending"]) == ("paused", sent, len(SOME) - sent), status
    world.listctl("campaign", "resume", "stop")
    world.finished("stop")
    check(world, "stop", SOME, may_doubt=False)
    world.stop("sender", signal.SIGHUP)  # a terminal that goes away ends it in order, too


def silent_postgres(world):
    """Everything of it that sender has to do with stands still."""
    data = world.value("SHOW data_directory")
    backends = [int(row[0]) for row in world.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'sender'")]
    return [int(pathlib.Path(data, "postmaster.pid").read_text().split()[0]), *backends]


def test_silent_postgres(world):
    "PostgreSQL does not answer: within a second nothing more is begun, and SIGTERM is heard all the same. Nobody is lost or in doubt."
    begin(world, SLOW, SOME)
    until_accepted(world, 30)
    frozen = silent_postgres(world)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        sent = is_quiet(world)
        began = time.monotonic()
        world.processes["sender"].send_signal(signal.SIGTERM)
        assert world.processes["sender"].wait(60) == 0
        took = time.monotonic() - began
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    world.processes.pop("sender")
    assert took < 15, f"it took {took:.1f} s"  # a statement that is not answered is waited for longer
    assert sent == len(world.accepted()) < len(SOME), "too fast to stop"
    world.start("sender")
    world.finished("stop")
    check(world, "stop", SOME, may_doubt=False)


def test_list_edited_meanwhile(world):
    "A list that is edited while its campaign is paused: what is sent after that is as what was sent before."
    world.setup()
    world.subscribe(SOME)
    world.mailworld(SLOW)
    world.start("sender")
    world.campaign("stop", text="Hello {{name|friend}} of {{list.title}}\n")
    until_accepted(world, 30)
    world.listctl("campaign", "pause", "stop")
    assert is_quiet(world) < len(SOME), "too fast to pause"
    world.listctl("list", "edit", "news", "--title", "Other", "--from", "Other <other@example.test>", "--reply-to", "r@example.test")
    assert "of Example News" in world.listctl("campaign", "preview", "stop")
    world.listctl("campaign", "resume", "stop")
    world.finished("stop")
    check(world, "stop", SOME, may_doubt=False)
    kept = [path.read_text() for path in (world.base / "mailworld.mail").iterdir()]
    assert len(kept) == len(SOME), len(kept)
    for copy in kept:
        wanted = ['From: "Example News" <news@example.test>', 'List-Id: "Example News" <news.bounce.test>', " of Example News"]
        assert all(line in copy for line in wanted) and "Reply-To" not in copy, copy


def test_cancel(world):
    "cancel: within a second no further message; all who did not get it are named as skipped."
    begin(world, SLOW)
    until_accepted(world, 30)
    world.listctl("campaign", "cancel", "stop", "--yes")
    sent = is_quiet(world)
    assert sent < len(AUDIENCE), "too fast to cancel"
    status = until(lambda: (lambda s: s if s["state"] == "canceled" else None)(world.status("stop")), "all are settled")
    assert (status["accepted"], status["skipped"], status["pending"]) == (sent, len(AUDIENCE) - sent, 0), status
    assert world.sql("SELECT DISTINCT reason FROM delivery WHERE outcome = 'skipped'") == [["canceled"]]
    check(world, "stop", AUDIENCE, may_doubt=False)
    nothing_is_held(world)


def test_cancel_with_retries(world):
    "cancel while recipients wait for another attempt: they are skipped too, the doubtful stay named."
    begin(world, 'u0000?@* defer 9 450 4.2.1 "Later"\nu0001?@* drop kept\n* accept slow 20\n', AUDIENCE[:300],
          **{"sender.retry_after": "1h", "relay.retry": "1s"})
    until(lambda: world.status("stop")["deferred"] == 10, "some wait for another attempt")
    until(lambda: world.status("stop")["in_doubt"] > 0, "some are in doubt")
    world.listctl("campaign", "cancel", "stop", "--yes")
    status = until(lambda: (lambda s: s if s["pending"] == 0 and s["deferred"] == 0 else None)(world.status("stop")),
                   "all are settled")
    assert status["in_doubt"] > 0, status
    where = places(world, "stop")
    assert all(where[a] == "skipped" for a, _ in AUDIENCE[:10]), "a retry outlived the campaign"
    check(world, "stop", AUDIENCE[:300])


def test_patient_stop(world):
    "A slow relay: SIGTERM waits for messages whose content has started."
    begin(world, "* accept slow 3000\n", AUDIENCE[:40])
    until(lambda: world.log("sender").count("event=worker.started") == 2, "workers")
    time.sleep(3)
    world.stop("sender")
    nothing_is_held(world)
    sent = len(world.accepted())
    assert 0 < sent < 40, sent
    assert world.status("stop")["accepted"] == sent
    assert world.value("SELECT count(*) FROM doubt") == "0"


def test_impatient_stop(world):
    "sender.stop_timeout passes: what the relay has not answered is in doubt and named."
    begin(world, "* accept slow 30000\n", AUDIENCE[:40], **{"sender.stop_timeout": "1s", "relay.connections": 3,
                                                            "sender.workers": 1})
    time.sleep(4)
    begun = time.monotonic()
    world.stop("sender")
    assert time.monotonic() - begun < 20, "it waited for the relay"
    status = world.status("stop")
    assert (status["in_doubt"], status["pending"]) == (3, 37), status
    assert world.value("SELECT count(*) FROM doubt WHERE connection <> ''") == "3"


def test_schedule(world):
    "A scheduled campaign begins by itself, with the audience of that moment."
    world.setup()
    world.subscribe(AUDIENCE[:10])
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("later", start=False)
    world.sql("UPDATE campaign SET state = 'scheduled', start_at = now() + interval '4 seconds' WHERE name = 'later'")
    world.subscribe(AUDIENCE[10:20])
    time.sleep(2)
    assert world.status("later")["state"] == "scheduled"
    status = world.finished("later")
    assert (status["audience"], status["accepted"]) == (20, 20), status


def test_bad_settings(world):
    "Bad settings and keys: one clear error, exit 1."
    world.setup()
    cases = [("sender.retry_after", "soon", "sender.retry_after"),
             ("sender.retry_after", "106751991d", "at most 3650d"), ("sender.expire", "106751991d", "at most 3650d"),
             ("relay.port", "0", "relay.port"),
             ("sender.window", "0", "sender.window"), ("relay.in_flight", "101", "relay.in_flight"),
             ("journal.size", "64K", "journal.size"), ("journal.dir", "/nonexistent", "/nonexistent"),
             ("keys.file", "/nonexistent", "/nonexistent"), ("bounce.prefix", "toolong", "bounce.prefix")]
    for name, value, says in cases:
        before = world.settings[name] if name in world.settings else None
        world.configure(**{name: value})
        done = world.run("sender")
        assert done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1, (name, done)
        done = world.run("sender", "--check-config")
        assert done.returncode == 1 and says in done.stderr, (name, done)
        if before is None:
            del world.settings[name]
        else:
            world.settings[name] = before
    world.configure()
    assert world.run("sender", "--check-config").returncode == 0
    few = subprocess.run(["prlimit", "--nofile=66:66", str(BIN / "sender"), "--config", str(world.config)],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert few.returncode == 1 and "open files" in few.stderr and few.stderr.count("\n") == 1, few
    assert world.run("sender", "--no-such").returncode == 2


def test_stopping_costs_nothing(world):
    "A worker that waits for a relay's last answer sleeps meanwhile."
    relay = FaultRelay(world, rules=[{"step": "dot", "action": "hang"}]).start()
    world.setup()
    world.subscribe([address for address, _ in SOME[:50]])
    world.configure(**{"relay.port": relay.port, "sender.workers": 1, "sender.stop_timeout": "8s"})
    sender = world.start("sender")
    world.campaign("stop")
    until(lambda: "event=campaign.unsigned" in world.log("sender"), "it has begun")
    time.sleep(1)
    worker = world.workers()[0]
    spent = lambda: sum(map(int, pathlib.Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[11:13]))
    sender.send_signal(signal.SIGTERM)
    until(lambda: "event=worker.stopping" in world.log("sender"), "it stops")
    before = spent()
    time.sleep(3)
    assert spent() - before < 0.5 * os.sysconf("SC_CLK_TCK"), "it is busy with waiting"
    sender.wait(60)
    relay.stop()
