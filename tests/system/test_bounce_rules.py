"""Rules of an administrator: read from a file, checked, read again by the daemons, and applied to what came back before."""

import json
import signal
import subprocess

from returns import *
from verpost import BIN, until

RULES = """# What our neighbours say.
rule: neighbours-gone
reason: user-unknown
phrase: Has JOINED the circus
phrase: "wing of * is closed"
example: 550 5.7.1 Anna has joined the circus
"""
GONE = {"status": "5.7.1", "diagnostic": "550 5.7.1 p has joined the circus"}
MISREAD = {"status": "5.1.1", "diagnostic": "550 5.1.1 no gossip today"}
NO_GOSSIP = """rule: no-gossip
reason: spam-content
status: 5.1.1
phrase: no gossip
example: 550 5.1.1 no gossip today
"""


def rules(world, text):
    """Writes the file as an editor does, and names it in the settings."""
    path = world.base / "rules"
    world.file("rules.new", text).rename(path)
    world.configure(**{"bounce.rules": path})
    return path


def classified(world, message, *more):
    return json.loads(world.listctl("bounce", "classify", "--format", "json", *more, world.file("m.eml", message)))


def test_rules_are_checked(world):
    "check runs every example; a file that is not sound is refused with its line; ls and --why tell which rule decides, and by what line."
    world.setup()
    built_in = world.json("bounce", "rules", "check")
    assert len(built_in) > 90 and all(r["result"] == "ok" and r["where"] == "built in" for r in built_in), built_in[:3]
    path = rules(world, RULES)
    rows = world.json("bounce", "rules", "check")
    assert rows[0] == {"rule": "neighbours-gone", "where": "line 2", "reason": "user-unknown", "result": "ok",
                       "decided_by": "neighbours-gone", "example": "550 5.7.1 Anna has joined the circus"}
    assert world.json("bounce", "rules", "ls", str(path))[0]["words"] == '"has joined the circus", "wing of * is closed"'
    told = classified(world, dsn(**GONE), "--why")
    assert told["rule"] == "neighbours-gone" and told["kind"] == "bounce-hard" and told["code"] == 550, told
    assert told["place"] == "diagnostic" and told["line"].endswith("550 5.7.1 p has joined the circus"), told
    assert "rule" not in classified(world, dsn(**GONE))
    wrong = [  # text, what is said
        (RULES.replace("user-unknown", "user-unknwon"), "line 3"), (RULES.replace("550 5.7.1 Anna has joined", "Anna is in"), "decided by"),
        (RULES + "colour: red\n", "line 7"), (RULES.replace("reason", "# reason"), "no reason"), (RULES + RULES, "already"),
        (RULES.replace('"wing of * is closed"', "*"), "phrase"), (RULES.replace("neighbours-gone", "spam"), "already"),
        (RULES.replace("phrase: Has", "status: 5.7\nphrase: Has"), "status"), (RULES.replace("user-unknown", "complaint"), "complaint"),
        ("reason: policy\n", "rule:"),
    ]
    for text, says in wrong:
        rules(world, text)
        world.refused("bounce", "rules", "check", says=says)
        world.refused("bounce", "classify", world.base / "m.eml", says=str(path))
    world.refused("bounce", "rules", "mend", says="check", code=2)


def test_overruled_examples_are_told(world):
    "A rule of one's own may decide what a built-in one did: allowed, and said."
    world.setup()
    rules(world, "rule: mine\nreason: other\nphrase: over quota\nexample: 552 over quota\n")
    done = world.run("listctl", "bounce", "rules", "check", "--format", "json")
    assert done.returncode == 0 and "built-in examples" in done.stderr, done
    row = next(r for r in json.loads(done.stdout) if r["rule"] == "mailbox-full")
    assert row["result"] == "overruled" and row["decided_by"] == "mine", row


def test_bounced_reads_rules_again(world):
    "bounced reads by the file's rules, within its sandbox; SIGHUP reads them again, a broken file is refused and the old rules stay."
    ids, campaign = people(world, 4)
    rules(world, RULES)
    world.start("bounced")

    def event(person, message, mark):
        deliver(world, "", return_path(world, campaign, person), message)
        return world.sql(f"SELECT kind, reason, rule FROM bounce_event WHERE subscriber_id = {person}")[0]

    def hang_up(event_name, count):
        world.processes["bounced"].send_signal(signal.SIGHUP)
        until(lambda: world.log("bounced").count(event_name) == count, event_name)

    assert event(ids[0], dsn(**GONE), 1) == ["bounce-hard", "user-unknown", "neighbours-gone"]
    rules(world, NO_GOSSIP)
    hang_up("rules.reloaded", 1)
    assert event(ids[1], dsn(**MISREAD), 2) == ["bounce-soft", "spam-content", "no-gossip"]
    rules(world, NO_GOSSIP.replace("reason", "raeson"))
    hang_up("rules.kept", 1)
    assert "line 2" in world.log("bounced")
    assert event(ids[2], dsn(**MISREAD), 3) == ["bounce-soft", "spam-content", "no-gossip"]
    rules(world, "# none\n")
    hang_up("rules.reloaded", 2)
    assert event(ids[3], dsn(**MISREAD), 4)[:2] == ["bounce-hard", "user-unknown"]
    assert "parser.replaced" not in world.log("bounced"), world.log("bounced")
    world.stop("bounced")


def test_daemons_refuse_broken_rules(world):
    "A daemon does not start with rules that are not sound, and says where they are not."
    world.setup()
    path = rules(world, RULES + "bad\n")
    for program in ("bounced", "sender"):
        done = world.run(program, "--check-config")
        assert done.returncode == 1 and f"{path}, line 7" in done.stderr, done


def test_sender_sees_a_change_of_rules(world):
    "Who sends reads replies by the file's rules, and by others within seconds of a change; a broken file is refused and told once."
    full = NO_GOSSIP.replace("spam-content", "mailbox-full")
    rules(world, full)
    world.setup()
    world.mailworld('gone*@* refuse rcpt 550 5.1.1 "no gossip today"\n* accept\n')
    world.subscribe(["gone@example.test", "p@example.test"])
    world.start("sender")
    world.campaign("first")
    world.finished("first")
    assert world.sql("SELECT reason, kind, rule FROM bounce_event") == [["mailbox-full", "bounce-soft", "no-gossip"]]
    rules(world, full.replace("reason", "raeson"))
    until(lambda: world.log("sender").count("rules.kept") == 3, "both workers and the prober refuse it")
    rules(world, "# none\n")
    until(lambda: world.log("sender").count("rules.reloaded") == 3, "both workers and the prober take it")
    world.campaign("second")
    world.finished("second")
    assert world.sql("SELECT m.reason, s.address FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"
                     " WHERE m.state = 'disabled'") == [["user-unknown", "gone@example.test"]]
    world.stop("sender")


def misread(world, count):
    """Reports that were read as user-unknown and are about spam: each has cost a membership."""
    ids, campaign = people(world, count)
    world.start("bounced")
    for person in ids:
        deliver(world, "", return_path(world, campaign, person), dsn(**MISREAD))
    world.stop("bounced")
    assert world.value("SELECT count(*) FROM membership WHERE state = 'disabled'") == str(count)
    return ids, campaign


def reclassified(world, *more):
    answer = world.json("bounce", "reclassify", *more)
    return answer["changes"], answer["totals"]


def verdicts(world):
    return world.sql("SELECT subscriber_id, kind, reason, status, code, rule, judged_at, orphan FROM bounce_event ORDER BY id")


def states(world):
    return world.sql("SELECT subscriber_id, state, reason, since, campaign_id FROM membership ORDER BY 1")


def test_reclassify_shows_then_applies(world):
    "The difference is shown before; --apply restores who was disabled by what is not hard any more, once; undo takes all of it back."
    ids, campaign = misread(world, 3)
    before, people_before = verdicts(world), states(world)
    assert reclassified(world)[0] == []
    path = rules(world, NO_GOSSIP)
    for more in ((), ("--rules", str(path)), ("--list", "news"), ("--campaign", "first"), ("--since", "1h")):
        changes, totals = reclassified(world, *more)
        assert len(changes) == 1 and changes[0]["reports"] == 3 and changes[0]["old_kind"] == "bounce-hard", changes
        assert (changes[0]["old_reason"], changes[0]["new_kind"], changes[0]["new_reason"]) == ("user-unknown", "bounce-soft", "spam-content")
        assert "no gossip" in changes[0]["example"] and len(changes[0]["bounces"].split()) == 3, changes
        assert (totals["changed"], totals["applied"], totals["restored"], totals["batch"]) == (3, 0, 3, None), totals
        assert verdicts(world) == before and states(world) == people_before
    assert world.value("SELECT count(*) FROM prune_batch") == "0"
    world.refused("bounce", "reclassify", "--rules", str(path), "--apply", says="--rules", code=2)
    world.listctl("prune", "--apply")  # batch 1: two of them are removed for it, and one is forbidden meanwhile
    world.listctl("suppress", "add", "p3@example.test")
    people_before = states(world)
    done = world.run("listctl", "bounce", "reclassify", "--apply", "--format", "json")
    assert done.returncode == 0 and "listctl undo 2" in done.stderr, done
    totals = json.loads(done.stdout)["totals"]
    assert (totals["applied"], totals["restored"], totals["disabled"], totals["batch"]) == (3, 2, 0, 2), totals
    assert [m[1:3] for m in states(world)] == [["active", "reclassify"]] * 2 + [["removed", "user-unknown"]], states(world)
    assert {tuple(v[1:6]) for v in verdicts(world)} == {("bounce-soft", "spam-content", "5.1.1", "550", "no-gossip")}
    assert [b["kind"] for b in world.json("batch", "ls")] == ["reclassify", "prune"]
    assert world.value("SELECT count(*) FROM audit WHERE action IN ('reclassify.apply', 'reclassify.done') AND subject = 'batch:2'") == "2"
    again = reclassified(world, "--apply")
    assert again[0] == [] and again[1]["batch"] is None and world.value("SELECT count(*) FROM prune_batch") == "2"
    world.listctl("prune", "--apply")
    assert [m[1] for m in states(world)] == ["active", "active", "removed"]
    world.listctl("undo", "2")
    assert states(world) == people_before and verdicts(world) == before


def test_reclassify_disables_who_is_hard_now(world):
    "A report that was about nobody's address and is now: the verdict follows, and undo takes it back."
    ids, campaign = people(world, 2)
    world.start("bounced")
    for person in ids:
        deliver(world, "", return_path(world, campaign, person), dsn(**GONE))
    world.stop("bounced")
    before, people_before = verdicts(world), states(world)
    assert [m[1] for m in people_before] == ["active"] * 2
    rules(world, RULES)
    assert reclassified(world)[1]["disabled"] == 2 and states(world) == people_before
    assert reclassified(world, "--apply")[1]["disabled"] == 2
    assert [m[1:3] + m[4:] for m in states(world)] == [["disabled", "user-unknown", str(campaign)]] * 2
    world.listctl("undo", "1")
    assert states(world) == people_before and verdicts(world) == before


def test_reclassify_tells_what_it_cannot_read(world):
    "Reports without their message, messages that no parser could read, and refusals that sender heard are counted, and stay as they are."
    ids, campaign = misread(world, 4)
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, kind, reason, rule, judged_at)"
              f" VALUES ({campaign}, nextval('bounce_event_id'), {ids[0]}, sha256('r'), 'reply', 'bounce-hard', 'user-unknown', 'r', now())")
    world.sql(f"DELETE FROM bounce_raw WHERE event_id = (SELECT id FROM bounce_event WHERE subscriber_id = {ids[1]})")
    world.sql(f"UPDATE bounce_event SET rule = 'unread', kind = 'unknown' WHERE subscriber_id = {ids[2]}")
    rules(world, NO_GOSSIP)
    changes, totals = reclassified(world, "--apply")
    assert (totals["messages"], totals["applied"], totals["not_kept"], totals["unread"], totals["replies"]) == (2, 2, 1, 1, 1), totals
    assert [m[1] for m in states(world)] == ["disabled", "disabled", "disabled", "active"]  # the first one still by the refusal


def test_reclassify_in_portions(world):
    "Many reports, several of one person among them: what is changed is the same in portions; a report somebody holds is left for later."
    count = 70
    ids, campaign = misread(world, count)
    for mark in range(2, 42):
        world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, kind, reason, status, judged_at)"
                  f" VALUES ({campaign}, nextval('bounce_event_id'), {ids[5]}, sha256('{mark}'), 'report', 'bounce-hard', 'user-unknown',"
                  " '5.1.1', now())")
    world.sql("INSERT INTO bounce_raw (campaign_id, event_id, message) SELECT e.campaign_id, e.id, (SELECT message FROM bounce_raw LIMIT 1)"
              " FROM bounce_event e WHERE NOT EXISTS (SELECT FROM bounce_raw r WHERE r.event_id = e.id)")
    rules(world, NO_GOSSIP)
    holder = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; SELECT 'held' FROM verpost.bounce_event WHERE subscriber_id = {ids[1]} FOR UPDATE;\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    changes, totals = reclassified(world, "--apply")
    assert (totals["applied"], totals["busy"], totals["restored"]) == (count + 40 - 1, 1, count - 1), totals
    holder.communicate("COMMIT;\n")
    changes, totals = reclassified(world, "--apply")
    assert (totals["applied"], totals["busy"], totals["restored"]) == (1, 0, 1), totals
    assert world.value("SELECT count(*) FROM membership WHERE state = 'active'") == str(count)


def test_reclassify_is_taken_back_in_order(world):
    "What was read anew twice is taken back from the last on; nobody else reads anew, and nothing is taken back, while reports are being read anew."
    ids, campaign = misread(world, 3)
    before, people_before = verdicts(world), states(world)
    rules(world, NO_GOSSIP)
    assert reclassified(world, "--apply")[1]["batch"] == 1
    rules(world, NO_GOSSIP.replace("spam-content", "mailbox-full"))
    assert reclassified(world, "--apply")[1]["batch"] == 2
    after = verdicts(world), states(world)
    for more in ([], ["--dry-run"]):
        world.refused("undo", "1", *more, says="listctl undo 2")
    assert (verdicts(world), states(world)) == after
    world.listctl("undo", "2")
    world.listctl("undo", "1")
    assert (verdicts(world), states(world)) == (before, people_before)
    holder = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; SELECT 'held' FROM verpost.subscriber WHERE id = {ids[1]} FOR UPDATE;\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    applies = subprocess.Popen([BIN / "listctl", "--config", world.config, "bounce", "reclassify", "--apply", "--quiet"],
                               stdout=subprocess.DEVNULL)
    until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted") != "0", "it waits")
    world.refused("undo", "1", says="reports are being read anew")
    world.refused("bounce", "reclassify", "--apply", says="reports are being read anew")
    holder.communicate("COMMIT;\n")
    assert applies.wait(60) == 0
    world.listctl("undo", "3")
    assert (verdicts(world), states(world)) == (before, people_before)
