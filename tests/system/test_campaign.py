import csv
import io
import json
import subprocess
import threading
import time

import past
from verpost import BIN, until

PEOPLE = [f"p{i}@{'abc'[i % 3]}.test" for i in range(12)]


def test_template_mistakes(world):
    "A template that would go wrong is refused with place and remedy, and nothing is created."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,name,city\nann@a.test,Ann,Bonn\nbob@b.test,Bob,\n"))
    good = world.file("good.txt", "Hello {{name|friend}} in {{city|your town}}\n")

    def create(name, text=good, *more, subject="News"):
        return ["campaign", "create", name, "news", "--subject", subject, "--text", text, *more]

    world.refused(*create("x", world.file("a.txt", "Hello\n\n  {{contry}}\n")), says=["--text", "a.txt: line 3, column 3", "contry"])
    world.refused(*create("x", world.file("b.txt", "Hi {{#city}}you\n")), says=["line 1, column 4", "city", "{{/city}}"])
    world.refused(*create("x", world.file("c.txt", "Hi {{name\n")), says=["line 1, column 4"])
    world.refused(*create("x", good, "--html", world.file("d.html", "<p>\n{{{nam}}}</p>")), says=["--html", "d.html: line 2", "nam"])
    world.refused(*create("x", subject="{{town}}"), says=["subject", "town"])
    world.refused(*create("x", subject="a\r\nBcc: eve@a.test"), says="subject")
    world.refused(*create("x", world.file("e.txt", b"caf\xe9\n")), says=["e.txt", "UTF-8"])
    world.refused(*create("x", world.file("f.txt", b"a\0b\n")), says=["f.txt", "NUL"])
    world.refused(*create("x", world.base / "missing"), says=["missing", "No such file"])
    world.refused(*create("x", world.base), says="directory")
    world.refused(*create("x", good, "--from", "nobody"), says="--from")
    world.refused(*create("x", good, "--in-doubt", "maybe"), code=2, says="--in-doubt")
    world.refused(*create("Not A Name"), says="name")
    world.refused("campaign", "create", "x", "nolist", "--subject", "s", "--text", good, says="nolist")
    world.refused("campaign", "create", "x", "news", "--subject", "s", code=2, says="--text")
    assert world.value("SELECT count(*) FROM campaign") == "0"
    world.listctl(*create("good"))
    world.refused(*create("good"), says="already")
    assert world.sql("SELECT state, from_address, in_doubt FROM campaign") == [["draft", "news@example.test", "resend"]]


def test_preview_and_edit(world):
    "A preview is one recipient's copy with a token that nobody could use, and tells of gaps; a draft can be changed."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,name,city\nann@a.test,Ann,Bonn\nbob@b.test,,\n"))
    text = world.file("t.txt", "Dear {{name|friend}} of {{city}}: {{unsubscribe}}\n")
    world.listctl("campaign", "create", "c", "news", "--subject", "For {{name|you}}", "--text", text)
    copy = world.listctl("campaign", "preview", "c", "ANN@a.test")
    assert "Dear Ann of Bonn" in copy and "Subject: For Ann" in copy and "List-Unsubscribe: <mailto:" in copy, copy
    raw = world.listctl("campaign", "preview", "c", "ann@a.test", "--raw")
    assert "MIME-Version: 1.0" in raw and "List-Id:" in raw and "Message-ID: <preview" in raw, raw
    done = world.run("listctl", "campaign", "preview", "c", "bob@b.test")
    assert done.returncode == 0 and "Dear friend of" in done.stdout and "city" in done.stderr, done
    assert "Dear " in world.listctl("campaign", "preview", "c")
    told = world.json("campaign", "preview", "c", "bob@b.test")
    assert told["email"] == "bob@b.test" and told["gaps"] == "city" and "Dear friend of" in told["message"], told
    world.refused("campaign", "preview", "c", "eve@a.test", says="eve@a.test")
    world.refused("campaign", "preview", "c", "not an address")
    world.listctl("campaign", "edit", "c", "--subject", "Changed", "--from", "Ed <ed@example.test>")
    assert world.sql("SELECT subject, from_name, from_address FROM campaign") == [["Changed", "Ed", "ed@example.test"]]
    assert "Dear {{name|friend}}" in world.listctl("campaign", "show", "c", "--text")
    world.sql("UPDATE subscriber SET attributes = '{}'")
    world.refused("campaign", "preview", "c", "ann@a.test", says=["text: line 1", "city"])  # no member has a city any more
    world.refused("campaign", "edit", "c", "--subject", "{{nothing}}", says="nothing")
    world.listctl("campaign", "delete", "c", "--yes")
    world.refused("campaign", "show", "c", says="c")


def test_schedule(world):
    "A local time is one instant or is refused with the instants it could mean."
    world.setup()
    world.subscribe(["ann@a.test"])
    world.campaign("c", start=False)

    def at(time, zone, *more):
        return ["campaign", "schedule", "c", "--at", time, "--zone", zone, *more]

    assert world.json(*at("2099-12-24 18:00", "Asia/Jakarta"))["starts_at"] == "2099-12-24T11:00:00Z"
    assert world.json(*at("2099-12-24T18:00:30", "asia/jakarta"))["zone"] == "Asia/Jakarta"
    kept = world.sql("SELECT state, local_time, zone, extract(epoch FROM start_at)::bigint FROM campaign")
    world.refused(*at("2024-03-31 02:30", "Europe/Berlin"), says=["never", "2024-03-31 00:30:00 UTC", "2024-03-31 01:30:00 UTC"])
    world.refused(*at("2024-10-27 02:30", "Europe/Berlin"),
                  says=["twice", "--offset +02:00 (2024-10-27 00:30:00 UTC)", "--offset +01:00 (2024-10-27 01:30:00 UTC)"])
    world.refused(*at("2024-10-27 02:30", "Europe/Berlin", "--offset", "+01:00"), says=["past", "2024-10-27 01:30:00 UTC"])
    world.refused(*at("2024-10-27 02:30", "Europe/Berlin", "--offset", "+05:00"), says="+05:00")
    world.refused(*at("2011-12-30 12:00", "Pacific/Apia"), says="never")
    world.refused(*at("2020-01-01 12:00", "UTC"), says="past")
    world.refused(*at("2099-02-30 12:00", "UTC"), says="2099-02-30")
    world.refused(*at("tomorrow", "UTC"), says="tomorrow")
    world.refused(*at("2099-01-01 12:00", "Asia/Jakata"), says=["Asia/Jakata", "Asia/Jakarta"])
    world.refused(*at("2099-01-01 12:00", "EST5EDT4"), says="no time zone")
    world.refused(*at("2099-01-01 12:00", "UTC", "--offset", "7"), code=2, says="--offset")
    world.refused("campaign", "schedule", "c", "--at", "2099-01-01 12:00", code=2, says="--zone")
    assert world.sql("SELECT state, local_time, zone, extract(epoch FROM start_at)::bigint FROM campaign") == kept
    world.listctl("campaign", "schedule", "c", "--clear")
    assert world.sql("SELECT state, start_at IS NULL FROM campaign") == [["draft", "t"]]


def test_fold_is_chosen_by_offset(world):
    "Of a local time that the clocks show twice, --offset takes the one that is meant."
    world.setup()
    world.subscribe(["ann@a.test"])
    world.campaign("c", start=False)
    # a future year's last Sunday of October, whatever the present year
    day = world.value("SELECT max(d)::date FROM generate_series(date_trunc('year', now()) + interval '2 years 9 months',"
                      " date_trunc('year', now()) + interval '2 years 9 months 30 days', interval '1 day') d"
                      " WHERE extract(isodow FROM d) = 7")
    starts = [world.json("campaign", "schedule", "c", "--at", f"{day} 02:30", "--zone", "Europe/Berlin", "--offset", o)["starts_at"]
              for o in ["+02:00", "+01:00"]]
    assert starts == [f"{day}T00:30:00Z", f"{day}T01:30:00Z"], starts


def alone(world, *arguments, says):
    """Refused with that and with nothing else, such as a warning about what will not happen."""
    said = world.refused("campaign", *arguments, says=says)
    assert said.count("\n") == 1 and "warning" not in said, said


def test_refused_before_warnings(world):
    "start and schedule of a campaign that has started or ended are refused before anything else is said of it, at whatever time."
    world.setup()
    world.campaign("c", start=False)
    assert "DKIM" in world.run("listctl", "campaign", "start", "c").stderr, "there is nothing to warn of"
    states = {"running": "started_at = now(), audience = 0", "paused": "hold_reason = 'why'",
              "canceled": "hold_reason = NULL, ended_at = now()", "finished": "ended_at = now()"}
    for state, more in states.items():
        world.sql(f"UPDATE campaign SET state = '{state}', {more}")
        alone(world, "start", "c", says=["cannot start", state])
        for at in ("2099-01-01 12:00", "2001-01-01 12:00"):
            alone(world, "schedule", "c", "--at", at, "--zone", "UTC", says=["cannot schedule", state])


def test_steps(world):
    "Each step is refused, with the present state, unless the campaign is where it leads on from; each is in the audit."
    world.setup()
    world.subscribe(["ann@a.test"])
    text = world.file("t.txt", "x\n")
    world.campaign("c", start=False)
    world.refused("campaign", "pause", "c", says=["draft", "running"])
    world.refused("campaign", "resume", "c", says="draft")
    world.refused("campaign", "cancel", "c", "--yes", says=["draft", "delete"])
    world.refused("campaign", "cancel", "c", says=["draft", "delete"])
    world.listctl("campaign", "start", "c")
    world.listctl("campaign", "start", "c")
    assert world.sql("SELECT state, start_at <= now(), zone IS NULL FROM campaign") == [["scheduled", "t", "t"]]
    world.refused("campaign", "delete", "c", says="scheduled")
    world.sql("UPDATE campaign SET state = 'running', started_at = now(), audience = 0")
    for verb in ["start", "resume", "delete"]:
        world.refused("campaign", verb, "c", says="running")
    assert "warning" not in world.refused("campaign", "edit", "c", "--text", text, says=["running", "frozen"])
    world.refused("campaign", "schedule", "c", "--at", "2099-01-01 12:00", "--zone", "UTC", says="running")
    world.listctl("campaign", "pause", "c", "--reason", "a typo")
    assert "a typo" in world.status("c")["hold_reason"]
    world.refused("campaign", "pause", "c", says="paused")
    world.listctl("campaign", "resume", "c")
    assert world.status("c")["state"] == "running"
    world.refused("campaign", "cancel", "c", says=["--yes", "nothing was changed"])
    assert world.status("c")["state"] == "running"
    world.listctl("campaign", "cancel", "c", "--yes")
    for verb in ["start", "pause", "resume", "delete"]:
        world.refused("campaign", verb, "c", says="canceled")
    world.refused("campaign", "cancel", "c", "--yes", says="canceled")
    world.refused("campaign", "cancel", "c", says="canceled")
    world.refused("campaign", "start", "nope", says=["nope", "there are: c"])
    for action in ["create", "start", "pause", "resume", "cancel"]:
        assert past.audited(world, f"campaign.{action}") == (2 if action == "start" else 1), action
    assert past.audited(world, "campaign.edit") == 0


def test_cancel_without_a_sender(world):
    "cancel settles all whom no sender has in hand; until nobody is left the campaign is canceling, everywhere, with the numbers that are."
    world.setup()
    world.subscribe(PEOPLE)
    past.sent(world, "free", {PEOPLE[0]: "accepted", PEOPLE[1]: "deferred", PEOPLE[2]: "in_doubt"}, state="paused", pending=PEOPLE[3:])
    world.sql("UPDATE campaign_chunk SET opened = 0")
    world.listctl("campaign", "cancel", "free", "--yes")
    status = world.status("free")
    assert (status["state"], status["ended_at"] is not None) == ("canceled", True), status
    assert (status["accepted"], status["in_doubt"], status["skipped"]) == (1, 1, len(PEOPLE) - 2), status
    campaign = past.sent(world, "held", {PEOPLE[0]: "accepted", PEOPLE[1]: "deferred"}, state="running", pending=PEOPLE[2:])
    worker = "6f1f9a52-8f1c-4c5e-9d5c-0a3a3f0b2a11"
    world.sql(f"INSERT INTO worker (id, host, journal, seen_at) VALUES ('{worker}', 'h', 'j', now() - interval '1 hour')")
    world.sql(f"UPDATE campaign_chunk SET opened = size WHERE campaign_id = {campaign}")
    world.sql("INSERT INTO chunk_window (campaign_id, chunk_no, first, last, worker_id)"
              f" SELECT campaign_id, chunk_no, 1, size, '{worker}' FROM campaign_chunk WHERE campaign_id = {campaign}")
    world.listctl("campaign", "cancel", "held", "--yes")
    status = world.status("held")
    assert (status["state"], status["ended_at"], status["deferred"]) == ("canceling", None, 0), status
    assert (status["skipped"], status["pending"]) == (1, len(PEOPLE) - 2), status
    assert world.json("campaign", "show", "held")["state"] == "canceling"
    assert [row["state"] for row in world.json("campaign", "ls")] == ["canceling", "canceled"]
    world.refused("campaign", "start", "held", says="canceling")
    world.sql("UPDATE chunk_window SET worker_id = NULL")
    world.listctl("campaign", "cancel", "held")
    status = world.status("held")
    assert (status["state"], status["pending"], status["skipped"]) == ("canceled", 0, len(PEOPLE) - 1), status
    assert world.value("SELECT count(*) FROM campaign WHERE ended_at < (SELECT max(at) FROM delivery WHERE campaign_id = id)") == "0"
    world.refused("campaign", "cancel", "held", "--yes", says="canceled")
    assert past.audited(world, "campaign.cancel") == 2


def test_status_names_everybody(world):
    "The eight numbers add up, and each recipient is named in exactly one place."
    world.setup()
    world.subscribe(PEOPLE)
    outcomes = dict(zip(PEOPLE, ["accepted"] * 4 + ["refused", "expired", "skipped", "skipped", "deferred", "in_doubt"]))
    past.sent(world, "c", outcomes, state="running", pending=PEOPLE[10:])
    status = world.status("c")
    wanted = dict(audience=12, accepted=4, refused=1, expired=1, skipped=2, deferred=1, in_doubt=1, pending=2)
    assert {k: status[k] for k in wanted} == wanted, status
    assert status["refused_reasons"] == {"user-unknown": 1} and status["skipped_reasons"] == {"suppressed": 2}
    named = []
    for place in [k for k in wanted if k != "audience"]:
        text = world.listctl("campaign", "status", "c", "--recipients", place, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == wanted[place] and all(row["place"] == place for row in rows), (place, text)
        named += [row["email"] for row in rows]
    assert sorted(named) == sorted(PEOPLE), named
    world.refused("campaign", "status", "c", "--recipients", "lost", code=2, says="lost")
    world.sql("INSERT INTO worker (id, host, journal, pid) SELECT gen_random_uuid(), h, '/', 1 FROM unnest('{ann,bob}'::text[]) AS h")
    world.sql("INSERT INTO relay_finding (relay, worker_id, reason) SELECT 'relay.test:25', id, '554 go away' FROM worker WHERE host = 'ann'")
    assert world.status("c")["relay_trouble"] == {"relay.test:25": "554 go away"}
    people = world.listctl("campaign", "status", "c")
    assert "554 go away" in people and "user-unknown" in people, people
    world.sql("INSERT INTO relay_finding (relay, worker_id, since)"
              " SELECT 'relay.test:25', id, now() - interval '1 hour' FROM worker WHERE host = 'bob'")
    assert world.status("c")["relay_trouble"] == {"relay.test:25": "ann: 554 go away"}, "only one host has it"
    world.sql("UPDATE relay_finding SET since = now() + interval '1 second' WHERE reason IS NULL")
    assert world.status("c")["relay_trouble"] == {}, "another has found since that it works"
    world.sql("UPDATE relay_finding SET retry_at = now() + interval '1 minute' WHERE reason IS NOT NULL")
    assert world.status("c")["relay_trouble"] == {"relay.test:25": "ann: 554 go away"}, "it finds out by itself"
    world.sql("UPDATE worker SET pid = NULL WHERE host = 'ann'")
    assert world.status("c")["relay_trouble"] == {}, "whoever has stopped finds nothing"


def test_watch(world):
    "watch writes a line when something changes and ends with the campaign."
    world.setup()
    world.subscribe(PEOPLE)
    past.sent(world, "c", {PEOPLE[0]: "accepted"}, state="running", pending=PEOPLE[1:3])
    watch = subprocess.Popen([BIN / "listctl", "--config", world.config, "campaign", "watch", "c"], stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(watch.stdout.readline, "")))
    reader.start()
    until(lambda: lines, "a first line")
    assert "running 1 of 3" in lines[0], lines
    world.sql("INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at) SELECT c.id, s.id, 'accepted', 1, now()"
              f" FROM campaign c, subscriber s WHERE s.address_key IN ('{PEOPLE[1]}', '{PEOPLE[2]}')")
    until(lambda: any("running 3 of 3" in line for line in lines), "a line about the change")
    time.sleep(1.5)
    seen = len(lines)
    world.sql("INSERT INTO campaign_group_hold (campaign_id, group_name, reason) SELECT id, 'gmail', 'they say \"no\"' FROM campaign")
    until(lambda: any("gmail held: they say" in line for line in lines), "a line about the held group")
    assert world.status("c")["holds"] == [{"group": "gmail", "reason": 'they say "no"', "recipients": 0}]
    world.sql("UPDATE campaign SET state = 'finished', ended_at = now()")
    assert watch.wait(60) == 0
    reader.join()
    assert seen == 2 and len(lines) == 4 and "finished 3 of 3" in lines[3], lines
    told = [json.loads(line) for line in world.listctl("campaign", "watch", "c", "--format", "json").splitlines()]
    assert [(t["state"], t["audience"], t["accepted"], t["pending"]) for t in told] == [("finished", 3, 3, 0)], told
    assert told[0]["holds"] == [] == world.status("c")["holds"], "there is nothing left to resume"


def test_in_doubt(world):
    "The doubtful are listed, and a person decides."
    world.setup()
    world.subscribe(PEOPLE)
    campaign = past.sent(world, "c", {PEOPLE[0]: "in_doubt", PEOPLE[1]: "accepted", PEOPLE[2]: "deferred"}, state="running")
    world.sql("INSERT INTO doubt (campaign_id, subscriber_id, attempt, connection, at)"
              " SELECT campaign_id, subscriber_id, 1, 'worker 1 connection 2', now() FROM deferral WHERE state = 'in_doubt'")
    rows = world.json("campaign", "in-doubt", "c")
    assert [(r["email"], r["connection"]) for r in rows] == [(PEOPLE[0], "worker 1 connection 2")], rows
    assert rows[0]["attempt"] == 1 and rows[0]["place"] == "in_doubt", rows
    world.refused("campaign", "in-doubt", "c", "--hold", "--settle", code=2)
    world.refused("campaign", "in-doubt", "c", PEOPLE[0], code=2, says="--resend")
    world.refused("campaign", "in-doubt", "c", "--settle", PEOPLE[0], PEOPLE[2], says=[PEOPLE[2], "nothing was decided"])
    assert world.sql("SELECT decision IS NULL FROM doubt") == [["t"]]
    world.listctl("campaign", "in-doubt", "c", "--hold", PEOPLE[0].upper())
    assert world.json("campaign", "in-doubt", "c")[0]["next_attempt_at"] is None
    assert world.sql("SELECT decision FROM doubt") == [["hold"]]
    world.listctl("campaign", "in-doubt", "c", "--resend")
    assert world.json("campaign", "in-doubt", "c")[0]["next_attempt_at"] is not None
    world.refused("campaign", "in-doubt", "c", "--settle", says=["--yes", "nothing was changed"])
    assert world.status("c")["in_doubt"] == 1 and world.sql("SELECT decision FROM doubt") == [["resend"]]
    world.listctl("campaign", "in-doubt", "c", "--settle", "--yes")
    status = world.status("c")
    assert (status["accepted"], status["in_doubt"], status["deferred"]) == (2, 0, 1), status
    assert world.sql("SELECT decision FROM doubt") == [["settled"]] and campaign > 0
    assert world.json("campaign", "in-doubt", "c") == []
    past_ones = world.json("campaign", "in-doubt", "c", "--all")
    assert [(r["email"], r["decision"], r["place"]) for r in past_ones] == [(PEOPLE[0], "settled", "accepted")], past_ones
    for action in ("resend", "hold", "settle"):
        assert past.audited(world, f"campaign.in-doubt.{action}") == 1, action


def test_in_doubt_by_settings(world):
    "campaign.in_doubt is what a new campaign does, unless it is told otherwise."
    world.setup()
    world.subscribe(["ann@a.test"])
    world.configure(**{"campaign.in_doubt": "hold"})
    world.campaign("a", start=False)
    world.campaign("b", start=False, in_doubt="resend")
    assert world.sql("SELECT name, in_doubt FROM campaign ORDER BY name") == [["a", "hold"], ["b", "resend"]]


def test_schedule_of_a_careful_operator(world):
    "Windows, not-after, local times and expiry are checked before they are kept, and shown."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,tz,city\nann@a.test,Asia/Jakarta,Bonn\nbob@b.test,Atlantis,\n"))
    world.campaign("c", start=False)

    def at(*more, time="2099-12-24 18:00", zone="Europe/Berlin"):
        return ["campaign", "schedule", "c", "--at", time, "--zone", zone, *more]

    told = world.json(*at("--not-after", "2099-12-24 20:00", "--window", "mon-sat 08:00-19:00", "--window", "SUN 22:00-2:00",
                          "--expire", "8h"))
    assert (told["not_after"], told["sends_from"]) == ("2099-12-24T19:00:00Z", "2099-12-24T17:00:00Z"), told
    assert (told["windows"], told["expire"]) == ("mon-sat 08:00-19:00; sun 22:00-2:00", "8 h 0 min"), told
    shown = world.json("campaign", "show", "c")
    assert {k: shown[k] for k in ("not_after", "windows", "expire", "local_to")} == {
        "not_after": told["not_after"], "windows": told["windows"], "expire": told["expire"], "local_to": None}, shown
    assert world.json("campaign", "ls")[0]["windows"] == told["windows"]
    kept = world.sql("SELECT * FROM campaign")
    world.refused(*at("--window", "mon 08:00-08:00"), says="never opens")
    world.refused(*at("--window", "8-18"), says=["8-18", "mon-fri 08:00-18:00"])
    world.refused(*at("--not-after", "2099-12-24 18:00"), says="not later")
    world.refused(*at("--not-after", "0s"), says="not later")
    world.refused(*at("--not-after", "soon"), code=2, says="soon")
    world.refused(*at("--not-after", "2h", "--window", "mon 08:00-09:00"), says=["could not start", "2099-12-28 07:00:00 UTC"])
    world.refused(*at("--expire", "0h"), code=2, says="--expire")
    for expire in ("59s", "31d", "99999999d"):
        world.refused(*at("--expire", expire), code=2, says=["1m to 30d", expire])
    for end in ("99999999d", "106751991d", "9999-12-31 23:59"):
        world.refused(*at("--not-after", end), says=["--not-after", end, "a hundred years"])
    world.refused(*at(time="9999-12-31 23:59"), says=["--at", "a hundred years"])
    for time in ("2099-12-24 24:00", "2099-12-24 10:00:60"):
        world.refused(*at(time=time), says=["no time", time])
    for zone in ("+02:00", "UTC-5", "2"):
        said = world.refused(*at(zone=zone), says=["offset", "IANA name", "Europe/Berlin"])
        assert "near it" not in said, said
    world.refused(*at("--expire", "8"), code=2, says=["--expire", "unit", "8h"])
    world.refused(*at("--not-after", "2"), code=2, says=["--not-after", "2h"])
    world.refused(*at("--local-to", "tz", "--window", "08:00-18:00"), code=2, says=["--local-to", "--window"])
    world.refused(*at("--local-to", "city"), says="city")
    world.refused("campaign", "schedule", "c", "--clear", "--window", "08:00-18:00", code=2, says="--window")
    assert world.sql("SELECT * FROM campaign") == kept
    done = world.run("listctl", *at("--local-to", "tz", "--not-after", "2h"), "--format", "json")
    told = json.loads(done.stdout)
    assert (told["starts_at"], told["not_after"]) == ("2099-12-24T04:00:00Z", "2099-12-24T06:00:00Z"), told
    assert (told["local_fallback"], told["local_past"]) == (1, 0) and "of 2 members 1 have no time zone" in done.stderr, done
    world.refused(*at("--local-to", "tz", time="2020-01-01 12:00"), says="past")
    soon = world.value("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '10 minutes', 'YYYY-MM-DD HH24:MI')")
    world.refused(*at("--local-to", "tz", "--not-after", "2h", time=soon, zone="UTC"), says=["UTC+14", "over at", "a later one"])
    assert world.json(*at("--local-to", "tz", "--not-after", "1d", time=soon, zone="UTC"))["starts_in"].startswith("-13 h")
    world.listctl(*at("--window", "08:00-18:00", "--expire", "2d"))
    world.listctl("campaign", "start", "c")
    shown = world.json("campaign", "show", "c")
    assert (shown["windows"], shown["expire"], shown["zone"], shown["not_after"], shown["local_time"]) == (
        "08:00-18:00", "2 d 0 h", "Europe/Berlin", None, None), shown
    world.listctl("campaign", "schedule", "c", "--clear")
    assert world.sql("SELECT state, num_nulls(zone, start_at, not_after, windows, window_text, local_attribute, expire) FROM campaign") == [["draft", "7"]]
