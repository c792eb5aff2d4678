"""maintain: what is old goes, and what is said and decided afterwards stays true."""

import json
import subprocess

import past
from returns import deliver, dsn, return_path
from verpost import BIN, PATIENCE, until

ANN, BOB, CEC = "ann@a.test", "bob@b.test", "cec@c.test"
PEOPLE = [ANN, BOB, CEC]


def ended(world, name, outcomes, days_ago):
    campaign = past.sent(world, name, outcomes, days_ago=days_ago)
    world.sql(f"UPDATE campaign SET ended_at = started_at WHERE id = {campaign}")
    return campaign


def prepared(world):
    """ann's mailbox was full in two old letters and in a young one; bob got all of them; cec complained."""
    world.setup()
    world.subscribe([(a, a[:3].title()) for a in PEOPLE])
    old = [ended(world, name, {ANN: "accepted", BOB: "accepted", CEC: "accepted"}, days) for name, days in (("old", 1300), ("elder", 1250))]
    young = ended(world, "young", {ANN: "accepted", BOB: "accepted"}, 20)
    for campaign, days in zip(old + [young], (1300, 1250, 20)):
        past.came_back(world, campaign, ANN, reason="mailbox-full", kind="bounce-soft", days_ago=days, raw=b"Subject: full\r\n\r\n")
    past.came_back(world, old[0], CEC, reason="complaint", kind="complaint", days_ago=1299)
    world.sql("UPDATE bounce_raw r SET stored_at = e.received_at FROM bounce_event e WHERE e.campaign_id = r.campaign_id AND e.id = r.event_id")
    return old


def table(world, *options):
    return {line["what"]: line for line in world.json("maintain", *options)}


def test_what_is_old(world):
    "Old ledgers go with what came back, sums and verdicts stay; a dry run changes nothing; what is told afterwards says what it lacks."
    old = prepared(world)
    before = world.json("explain", ANN)
    shown = table(world, "--dry-run")
    assert "a dry run" in world.run("listctl", "maintain", "--dry-run").stderr
    assert (shown["ledger"]["rows"], shown["events"]["rows"], shown["messages"]["rows"], shown["ledger"]["campaigns"]) == (6, 3, 2, 2), shown
    assert int(world.value("SELECT count(*) FROM delivery")) == 8 and past.audited(world, "maintain") == 0
    ran = world.run("listctl", "maintain", "--format", "json")
    told = {line["what"]: line for line in json.loads(ran.stdout)}
    assert {w: told[w]["rows"] for w in told} == {w: shown[w]["rows"] for w in shown} | {"messages of these": 0}, told
    assert told["ledger"]["octets"] > 100 and "dropped campaign old" in ran.stderr and past.audited(world, "maintain") == 1, ran.stderr
    assert int(world.value("SELECT count(*) FROM delivery")) == 2
    assert table(world)["ledger"]["rows"] == 0, "nothing is left to do"

    after = world.json("explain", ANN)
    assert after["person"]["score"] == before["person"]["score"] and "3 of 5" in after["person"]["score"], (before, after)
    assert [(p["campaign"], p["kind"], p["reason"]) for p in after["past"]] == [
        ("elder", "bounce-soft", "mailbox-full"), ("old", "bounce-soft", "mailbox-full")], after
    assert [p["kind"] for p in world.json("explain", CEC)["past"]] == ["success", "complaint"]
    assert world.json("explain", BOB)["past"] == []

    status = world.json("campaign", "status", "old")
    status = status[0] if isinstance(status, list) else status
    assert (status["audience"], status["accepted"], status["pending"]) == (3, 3, 0), status
    assert "ledger was dropped" in world.run("listctl", "campaign", "status", "old").stderr
    for command in (["report", "campaign", "old"], ["campaign", "report", "old"], ["bounce", "report", "--campaign", "old"],
                    ["campaign", "status", "old", "--recipients", "accepted"]):
        world.refused(*command, says="campaign status old")
    assert "older ledgers are dropped" in world.run("listctl", "bounce", "report").stderr
    assert "older ledgers are dropped" not in world.run("listctl", "report", "campaign", "--since", "90d").stderr
    sent = {row["domain"]: row["recipients"] for row in world.json("bounce", "report", "--by", "domain")}
    assert sent == {"a.test": 1}, sent
    # two more failures condemn her by what was dropped
    for name, days in (("c4", 8), ("c5", 1)):
        past.came_back(world, ended(world, name, {ANN: "accepted"}, days), ANN, reason="mailbox-full", kind="bounce-soft", days_ago=days)
    assert [r["email"] for r in world.json("prune", "--each")] == [ANN]


def test_a_late_report(world):
    "A report about a dropped copy is kept with its person and counts for nothing."
    prepared(world)
    world.start("bounced")
    late = ended(world, "late", {BOB: "accepted"}, 1290)
    bob = int(world.value(f"SELECT id FROM subscriber WHERE address_key = '{BOB}'"))
    path = return_path(world, late, bob)
    world.listctl("maintain")
    deliver(world, "", path, dsn(mark="late"))
    assert world.sql(f"SELECT orphan, reason FROM bounce_event WHERE subscriber_id = {bob}") == [["t", "user-unknown"]]
    assert past.state(world, BOB) == "active"


def test_too_short(world):
    "A ledger that reports may still be about is not dropped: such a setting is refused by name, and nothing goes."
    prepared(world)
    world.configure(**{"retention.ledger": "300d"})
    world.refused("maintain", says="bounce.inside_life")
    assert int(world.value("SELECT count(*) FROM delivery")) == 8 and int(world.value("SELECT count(*) FROM bounce_raw")) == 3
    world.configure(**{"retention.ledger": "0"})
    assert table(world)["ledger"]["rows"] == 0 and int(world.value("SELECT count(*) FROM bounce_raw")) == 1


def test_an_undo_behind_it(world):
    "An undo of a prune voids what is kept of the dropped evidence too."
    prepared(world)
    dead = ended(world, "dead", {ANN: "accepted"}, 1200)
    past.dead(world, dead, ANN, days_ago=1200)
    world.listctl("prune", "--apply")
    world.listctl("maintain")
    world.listctl("undo", 1)
    assert past.state(world, ANN) == "active"
    assert {p["kind"] for p in world.json("explain", ANN)["past"]} == {"voided"}
    assert world.json("prune", "--each") == []


def test_two_at_once(world):
    "Two take turns, and what one has dropped the other does not count."
    prepared(world)
    command = [str(BIN / "listctl"), "--config", str(world.config), "maintain", "--format", "json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    rows = 0
    for process in both:
        told, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        rows += {line["what"]: line for line in json.loads(told)}["ledger"]["rows"]
    assert rows == 6, rows
    assert int(world.value("SELECT sum(accepted) FROM campaign_past")) == 6


def test_killed(world):
    "Killed in the middle of a campaign, it has dropped nothing of it; the next one drops it whole."
    old = prepared(world)
    world.sql("UPDATE bounce_raw SET stored_at = now()")
    # its last step waits for this row, behind all others
    with world.holding(f"SELECT FROM delivery WHERE campaign_id = {old[0]} FOR UPDATE"):
        process = subprocess.Popen([str(BIN / "listctl"), "--config", str(world.config), "maintain"], stderr=subprocess.DEVNULL)
        until(lambda: int(world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) > 0, "it waits")
        process.kill()
        process.wait()
    assert int(world.value("SELECT count(*) FROM campaign_past")) == 0 and int(world.value("SELECT count(*) FROM past_report")) == 0
    assert [int(world.value(f"SELECT count(*) FROM {t}")) for t in ("delivery", "bounce_event", "bounce_raw", "campaign_chunk")] == [8, 4, 3, 3]
    assert (table(world)["ledger"]["rows"], int(world.value("SELECT count(*) FROM bounce_raw"))) == (6, 1)
