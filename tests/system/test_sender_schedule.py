"""When a campaign is sent: windows, not-after, each recipient's local time, expiry; and what a pause waits for."""

import os
import signal
import subprocess
import time

from sending import check, counts, people, until_accepted
from test_sender_stop import is_quiet, nothing_is_held
from verpost import BIN, until

SOME = people(300)
SLOW = "* accept slow 100\n"
TOMORROW = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 day', 'YYYY-MM-DD HH24:MI')"
WEEK = 7 * 24 * 60


def begin(world, rules, audience=SOME, **settings):
    world.setup()
    world.subscribe(audience)
    world.configure(**settings)
    world.mailworld(rules)
    world.start("sender")
    world.campaign("c", start=False)


def schedule(world, *options):
    return world.json("campaign", "schedule", "c", "--at", world.value(TOMORROW), "--zone", "UTC", *options)


def is_due(world, hours=0):
    """Moves the start to that many hours ago, and the not-after with it."""
    world.sql(f"UPDATE campaign SET not_after = not_after - (start_at - (now() - interval '{hours} hours')),"
              f" start_at = now() - interval '{hours} hours'")


def outside(minute):
    """The minutes of the week as an int4multirange, but for six hours on either side of this one; after Sunday comes Monday."""
    begin, end = (minute + 360) % WEEK, (minute - 360) % WEEK
    parts = [(begin, end)] if begin < end else [(0, end), (begin, WEEK)]
    return "{" + ",".join(f"[{first},{last})" for first, last in parts if first < last) + "}"


def set_window(world, is_open):
    "The window is all the week; or it was open until six hours ago."
    minute = int(world.value("SELECT ((extract(isodow FROM t) - 1) * 1440 + extract(hour FROM t) * 60 + extract(minute FROM t))::integer"
                             " FROM (SELECT now() AT TIME ZONE 'UTC' AS t) AS a"))
    windows = f"{{[0,{WEEK})}}" if is_open else outside(minute)
    world.sql(f"UPDATE campaign SET windows = '{windows}'")


def state(world):
    status = world.status("c")
    return status["state"], status["under_way"]


def test_outside(world):
    "What the tests below stand on, in each minute of a week: outside() is closed for hours from then on, and has been."
    world.setup()
    held = 0
    for day in range(0, WEEK, 1440):  # a statement of a week would be too long for a command line
        rows = ",".join(f"({minute}, '{outside(minute)}'::int4multirange)" for minute in range(day, day + 1440))
        held += int(world.value(f"""SELECT count(*) FROM (VALUES {rows}) AS v(minute, windows) CROSS JOIN LATERAL
            (SELECT '2024-01-01 00:00+00'::timestamptz + minute * interval '1 minute' AS t) AS a
            WHERE NOT is_in_window(windows, 'UTC', t) AND NOT is_in_window(windows, 'UTC', t + interval '5 h 59 min')
            AND NOT is_in_window(windows, 'UTC', t - interval '6 h') AND is_in_window(windows, 'UTC', t + interval '6 h')
            AND is_in_window(windows, 'UTC', t - interval '6 h 1 min')
            AND next_opening(windows, 'UTC', t) = t + interval '6 h'"""))
    assert held == WEEK, held


def test_window(world):
    "Outside of its windows a campaign does not start; when one closes nothing more is begun and all is given back; it goes on in the next."
    begin(world, SLOW)
    told = schedule(world, "--window", "Mon-Fri 08:00-18:00", "--window", "sat 22:00-02:00")
    assert told["windows"] == "mon-fri 08:00-18:00; sat 22:00-02:00", told
    set_window(world, False)
    is_due(world)
    time.sleep(2.5)  # it was looked at, twice
    status = world.status("c")
    assert status["state"] == "scheduled" and status["window_opens_at"] is not None, status
    set_window(world, True)
    until_accepted(world, 30)
    assert world.status("c")["window_opens_at"] is None
    set_window(world, False)
    sent = is_quiet(world)
    assert sent < len(SOME), "too fast to close a window"
    nothing_is_held(world)
    status = world.status("c")
    assert (status["state"], status["accepted"]) == ("running", sent) and status["window_opens_at"], status
    set_window(world, True)
    world.finished("c")
    check(world, "c", SOME, may_doubt=False)


def test_retries_wait_for_the_window(world):
    "Retries that fall due outside of the windows wait for the next one."
    begin(world, '* defer 1 450 4.7.1 "Later"\n* accept\n', SOME[:10], **{"sender.retry_after": "1h"})
    schedule(world, "--window", "00:00-24:00")
    is_due(world)
    until(lambda: world.status("c")["deferred"] == 10, "all wait for another attempt")
    set_window(world, False)
    world.sql("UPDATE deferral SET next_attempt_at = now()")
    before = len(world.accepted())
    time.sleep(3)
    assert len(world.accepted()) == before, "sent outside of the window"
    set_window(world, True)
    assert world.finished("c")["accepted"] == 10


def test_not_after(world):
    "What could not start in time waits for a person, with the reason; `start` sends it."
    begin(world, "* accept\n", SOME[:5])
    assert schedule(world, "--not-after", "2h")["not_after"] is not None
    is_due(world, 3)
    status = until(lambda: (lambda s: s if s["hold_reason"] else None)(world.status("c")), "it waits")
    assert status["state"] == "scheduled" and "not to start after" in status["hold_reason"], status
    assert "event=campaign.late" in world.log("sender")
    time.sleep(2.5)
    assert world.status("c")["state"] == "scheduled" and not world.accepted()
    assert "not to start after" in world.json("campaign", "ls")[0]["hold_reason"]
    assert all(word in status["hold_reason"] for word in ("campaign resume c", "`start`", "`schedule`")), status
    watch = subprocess.Popen([BIN / "listctl", "--config", world.config, "campaign", "watch", "c"], stdout=subprocess.PIPE, text=True)
    world.others.append(watch)
    line = watch.stdout.readline()
    watch.kill()
    assert line.startswith("scheduled, waits for a person; it was not to start after") and "campaign resume c" in line, line
    world.refused("campaign", "pause", "c", says="scheduled")
    world.listctl("campaign", "start", "c")
    assert world.finished("c")["accepted"] == 5


def test_late_goes_on(world):
    "`resume` starts one that was late, at each recipient's local time as it was scheduled."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,tz\neast@a.test,Asia/Karachi\nfar@a.test,Pacific/Honolulu\n"
                                               "own@a.test,localtime\n"))
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("c", start=False)
    world.refused("campaign", "resume", "c", says=["draft", "campaign start", "schedule"])
    assert schedule(world, "--local-to", "tz", "--not-after", "2h")["local_fallback"] == 1
    world.sql("UPDATE campaign SET local_time = now() AT TIME ZONE 'UTC' - interval '1 minute'")
    is_due(world, 3)
    until(lambda: world.status("c")["hold_reason"], "it waits")
    done = world.run("listctl", "campaign", "resume", "c")
    assert done.returncode == 0 and "due now" in done.stderr, done
    until_accepted(world, 2)
    time.sleep(2)
    assert sorted(counts(world)) == ["east@a.test", "own@a.test"], counts(world)
    status = world.status("c")
    assert (status["state"], status["pending"], status["local_to"], status["hold_reason"]) == ("running", 1, "tz", None), status


def test_late_in_time(world):
    "A start that is late, but not after the not-after, is made."
    begin(world, "* accept\n", SOME[:5])
    schedule(world, "--not-after", "2h")
    is_due(world, 1)
    assert world.finished("c")["accepted"] == 5


def test_local_time(world):
    "Each recipient at their local time; who has no zone follows the campaign's, and their number is told."
    world.setup()
    zones = {"now@a.test": "UTC", "east@a.test": "asia/karachi", "west@a.test": "America/Lima", "far@a.test": "Pacific/Honolulu",
             "rubbish@a.test": "Atlantis", "none@a.test": ""}
    world.listctl("import", "news", world.file("s.csv", "email,tz\n" + "".join(f"{a},{z}\n" for a, z in zones.items())))
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("c", start=False)
    told = schedule(world, "--local-to", "tz")
    assert (told["local_to"], told["local_fallback"]) == ("tz", 2), told
    world.sql("UPDATE campaign SET local_time = now() AT TIME ZONE 'UTC' - interval '1 minute', start_at = now()")
    until_accepted(world, 4)
    time.sleep(2)
    assert sorted(counts(world)) == ["east@a.test", "none@a.test", "now@a.test", "rubbish@a.test"], counts(world)
    status = world.status("c")
    assert (status["state"], status["pending"], status["local_fallback"]) == ("running", 2, 2), status
    assert world.json("campaign", "show", "c")["local_fallback"] == 2
    world.sql("UPDATE campaign_chunk SET not_before = now() WHERE not_before = (SELECT min(not_before) FROM campaign_chunk"
              " WHERE not_before > now())")
    until_accepted(world, 5)
    assert counts(world)["west@a.test"] == 1 and counts(world)["far@a.test"] == 0
    world.sql("UPDATE campaign_chunk SET not_before = now() WHERE not_before > now()")
    assert world.finished("c")["accepted"] == 6


def test_expiry(world):
    "A campaign's own expiry ends its retries, whatever sender's settings say."
    begin(world, '* defer 99 450 4.7.1 "Later"\n', SOME[:3], **{"sender.retry_after": "1s", "sender.expire": "4d"})
    assert schedule(world, "--expire", "1m")["expire"] == "1 min"
    world.sql("UPDATE campaign SET expire = '3 s'")
    is_due(world)
    assert world.finished("c")["expired"] == 3


def test_pausing(world):
    "pause: `pausing` and how many messages are still awaited, until they have ended."
    begin(world, "* accept slow 6000\n", SOME[:60], **{"sender.workers": 1, "relay.connections": 5})
    world.listctl("campaign", "start", "c")
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") != "0", "some are open")
    time.sleep(1.5)
    world.listctl("campaign", "pause", "c")
    # Not before the workers have said it.
    assert state(world) == ("pausing", 5)
    status = until(lambda: (lambda s: s if s["state"] == "paused" else None)(world.status("c")), "paused")
    assert (status["under_way"], status["accepted"], status["in_doubt"]) == (None, 5, 0), status
    assert world.value("SELECT count(*) FROM campaign_leaving") == "0"
    nothing_is_held(world)


def test_canceling_and_killed(world):
    "cancel: `canceling` until nobody is pending; when the senders die under it nothing is under way any more, and it says so."
    begin(world, "* accept slow 60000\n", SOME[:60], **{"sender.workers": 1, "relay.connections": 3})
    world.listctl("campaign", "start", "c")
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") != "0", "some are open")
    time.sleep(1.5)
    world.listctl("campaign", "cancel", "c", "--yes")
    until(lambda: state(world) == ("canceling", 3), "the three that are under way")
    process = world.processes.pop("sender")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: state(world) == ("canceling", None), "nothing is under way")
    assert world.status("c")["pending"] > 0, "told before the journal was read"
    world.start("sender")
    status = until(lambda: (lambda s: s if s["pending"] == 0 else None)(world.status("c")), "all are settled")
    assert (status["state"], status["in_doubt"], status["skipped"]) == ("canceled", 3, 57), status
    assert world.value("SELECT count(*) FROM campaign_leaving") == "0"


def test_stopping(world):
    "SIGTERM: the campaign stays running, and tells how many messages are awaited."
    begin(world, "* accept slow 8000\n", SOME[:60], **{"sender.workers": 1, "relay.connections": 4})
    world.listctl("campaign", "start", "c")
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") != "0", "some are open")
    time.sleep(1.5)
    world.processes["sender"].send_signal(signal.SIGTERM)
    until(lambda: state(world) == ("running", 4), "the four that are awaited")
    world.stop("sender")
    assert state(world) == ("running", None)
    assert world.status("c")["accepted"] == 4


def test_freezing_blocks_nobody(world):
    "While the audience of one campaign is being frozen another can be paused."
    begin(world, "* accept slow 1000\n")
    world.campaign("other")
    until_accepted(world, 1)
    lock = subprocess.Popen(["psql", world.conninfo, "-qX", "-c", "BEGIN; LOCK verpost.campaign_chunk IN SHARE MODE; SELECT pg_sleep(600)"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    world.others.append(lock)
    until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND granted"
                              " AND relation = 'verpost.campaign_chunk'::regclass") == "1", "the lock")
    world.listctl("campaign", "start", "c")
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              " AND query LIKE '%INSERT INTO campaign_chunk%'") != "0", "the freezing waits")
    world.listctl("campaign", "pause", "other")
    assert world.value("SELECT state FROM campaign WHERE name = 'other'") == "paused"
    assert world.value("SELECT state FROM campaign WHERE name = 'c'") == "scheduled"
    world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")
    until(lambda: world.status("c")["audience"] == len(SOME), "the audience is frozen")
