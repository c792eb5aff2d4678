"""A day like 14 and 15 December 2020, when Gmail refused living accounts as unknown (tests/fixtures/gmail-outage), played through the real
programs: nobody is disabled until a person decides."""

import json

import past
import returns
from test_bounce_rules import MISREAD, rules as rules_file
from verpost import TOP, until

LIVING = [f"reader{n:03d}@gmail.com" for n in range(200)]
DEAD = [f"dead{n}@gmail.com" for n in range(2)]
OTHERS = [f"reader{n:03d}@example.test" for n in range(60)]


def rules(name):
    return (TOP / "tests/fixtures/gmail-outage" / f"{name}.rules").read_text()


def calm_day(world):
    """Everybody has accepted once, save the dead."""
    world.configure(**{"breaker.hard_share": 0})  # the day is to be heard to its end
    world.setup()
    world.subscribe(LIVING + DEAD + OTHERS)
    world.mailworld(rules("calm"), name="calm")
    world.start("bounced")
    world.start("sender")
    world.campaign("monday")
    world.finished("monday")
    world.stop("calm")


def outage(world, how, campaign="tuesday"):
    world.mailworld(rules(how), name=campaign)
    world.campaign(campaign)
    world.finished(campaign)


def struck(world, campaign="tuesday"):
    return int(world.value("SELECT count(DISTINCT e.subscriber_id) FROM bounce_event e JOIN campaign c ON c.id = e.campaign_id"
                           f" WHERE c.name = '{campaign}'"))


def disabled(world):
    return sorted(row[0] for row in world.sql("SELECT s.address FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"
                                              " WHERE m.state <> 'active'"))


def held(world):
    """The only storm, once it is seen."""
    until(lambda: world.value("SELECT count(*) FROM storm") == "1", "a storm")
    until(lambda: disabled(world) == [], "everybody restored, the dead of monday among them, whom the same words are about")
    storms = world.json("storm", "ls")
    assert len(storms) == 1 and storms[0]["group"] == "gmail" and storms[0]["state"] == "holding", storms
    return storms[0]


def later(world, days=1):
    """What was is so much longer ago."""
    world.sql(f"UPDATE storm SET since = since - interval '{days} days', until = until - interval '{days} days',"
              f" decided_at = decided_at - interval '{days} days';"
              f" UPDATE bounce_event SET received_at = received_at - interval '{days} days';"
              f" UPDATE storm_count SET slot = slot - interval '{days} days'")


def test_refused_at_rcpt(world):
    "Heard by sender itself: held, told everywhere, nobody disabled; then void: later real bounces count anew."
    calm_day(world)
    outage(world, "at-rcpt")
    storm = held(world)
    assert storm["people"] == struck(world) + len(DEAD) and struck(world) >= 80 and storm["reason"] == "user-unknown", storm
    assert "event=storm.opened" in world.log("sender") + world.log("bounced")
    one = world.value("SELECT s.address FROM bounce_event e JOIN subscriber s ON s.id = e.subscriber_id WHERE address LIKE 'reader%' LIMIT 1")
    page = world.json("explain", one)
    assert page["bounces"][0]["standing"] == "held" and page["bounces"][0]["storm"] == storm["storm"], page
    event = world.json("bounce", "show", page["bounces"][0]["bounce"])
    assert (event["standing"], event["storm"]) == ("held", storm["storm"]), event
    assert f"storm show {storm['storm']}" in page["person"]["next"] and not page["person"]["disables"], page
    for verb in (["campaign", "status", "tuesday"], ["prune"], ["bounce", "report"]):
        done = world.run("listctl", *verb)
        assert done.returncode == 0 and f"storm {storm['storm']} holds" in done.stderr, done
    shown = world.json("storm", "show", storm["storm"])
    assert shown["storm"]["reports"] == storm["reports"] and shown["campaigns"][0]["campaign"] == "tuesday", shown
    assert world.json("prune") == []
    assert world.json("policy", "simulate", "--each") == []
    batch = shown["storm"]["restored_batch"]
    if batch is not None:
        world.refused("undo", batch, says="storm apply")
        assert past.audited(world, "storm.restore") == 1
    world.refused("storm", "void", storm["storm"], code=2, says="--reason")
    assert world.run("listctl", "storm", "void", storm["storm"], "--dry-run").returncode == 0
    assert world.json("storm", "ls")[0]["state"] == "holding"
    world.listctl("storm", "void", storm["storm"], "--reason", "Gmail says it was theirs")
    assert world.json("storm", "ls") == [] and world.json("storm", "ls", "--all")[0]["state"] == "void"
    assert disabled(world) == [] and past.audited(world, "storm.void") == 1
    assert world.json("explain", one)["bounces"][0]["standing"] == "voided"
    world.refused("storm", "void", storm["storm"], "--reason", "again", says="already")
    later(world)
    world.stop("tuesday")
    world.mailworld(f'{one} refuse rcpt 550 5.1.1 "The email account that you tried to reach does not exist"\n* accept\n', name="wednesday")
    world.campaign("wednesday")
    world.finished("wednesday")
    until(lambda: disabled(world) == [one], "the later bounce counts")
    assert world.value("SELECT count(*) FROM storm") == "1"


def test_reported(world):
    "Through delivery reports to bounced, on both days: one storm; then applied: they are disabled, and undo brings them back to wait again."
    calm_day(world)
    outage(world, "reported")
    until(lambda: struck(world) == 120, "all reports of the first day")
    storm = held(world)
    world.campaign("wednesday")
    world.finished("wednesday")
    until(lambda: struck(world, "wednesday") == 120, "all reports of the second day")
    assert held(world)["storm"] == storm["storm"]
    everybody = 120 + len(DEAD)
    assert world.json("storm", "show", storm["storm"])["storm"]["people"] == everybody
    dry = world.run("listctl", "storm", "apply", storm["storm"], "--dry-run")
    assert f"{everybody} memberships would be disabled" in dry.stderr and disabled(world) == [], dry
    done = world.run("listctl", "storm", "apply", storm["storm"], "--reason", "they are gone")
    assert done.returncode == 0 and f"{everybody} memberships disabled" in done.stderr, done
    assert len(disabled(world)) == everybody
    shown = world.json("storm", "show", storm["storm"])["storm"]
    assert shown["state"] == "applied" and shown["because"] == "they are gone", shown
    batch = shown["applied_batch"]
    assert {b["batch"]: b["kind"] for b in world.json("batch", "ls")} == {batch: "storm", shown["restored_batch"]: "storm-restored"}
    world.listctl("undo", batch)
    assert disabled(world) == [] and world.json("storm", "ls")[0]["state"] == "holding"
    assert world.json("prune") == []


def open_storm(world, key):
    """As if it had been seen: over whatever has come with these words until now."""
    world.sql("INSERT INTO storm (key, group_name, reason, said, since, until, sampled, accepted, copies)"
              f" VALUES ({key}, 'gmail', 'user-unknown', 'no such user', now() - interval '6 hours', now() + interval '6 hours', 30, 30, 60)")


def test_what_counts(world):
    "Prune, simulation, explanation, segments, exports and reports say of a storm's bounces what was decided: held, then applied, then void."
    people = [f"reader{n:02d}@gmail.com" for n in range(30)]
    world.setup()
    world.subscribe(people)
    now = past.sent(world, "now", dict.fromkeys(people, "accepted"), days_ago=0.01)
    for one in people:
        past.came_back(world, now, one)
    world.sql("UPDATE bounce_event SET storm_key = 7")
    open_storm(world, 7)
    world.listctl("segment", "create", "bounced", "--bounced", "user-unknown")

    def told():
        ever = world.json("policy", "simulate", "--set", "user-unknown=1/0", "--each")
        never = world.json("policy", "simulate", "--set", "user-unknown=never", "--each")
        report = world.json("report", "deliverability")
        return {"prune": len(world.json("prune")), "disables": len(ever), "restores": len(never),
                "explained": world.json("explain", people[0])["bounces"][0]["standing"],
                "disabled": len(disabled(world)),
                "exported": {row["standing"] for row in map(json.loads, world.listctl("export", "--bounces", "--format", "json").splitlines())},
                "in segment": len(world.listctl("export", "--segment", "bounced", "--format", "json").splitlines()),
                "came back": sum(row["recipients"] for row in world.json("bounce", "report", "--by", "reason")),
                "hard": world.json("report", "campaign", "now")["campaign"]["bounced_hard"],
                "trouble": [(row["what"], row["name"]) for row in report["trouble"]]}

    held_now = told()
    assert held_now == {"prune": 0, "disables": 0, "restores": 0, "explained": "held", "disabled": 0, "exported": {"held"}, "in segment": 0,
                        "came back": 30, "hard": 30, "trouble": [("storm", "gmail")]}, held_now
    world.listctl("storm", "apply", "1", "--reason", "gone")
    applied = told()
    assert applied == {"prune": 1, "disables": 0, "restores": 30, "explained": "judged", "disabled": 30, "exported": {"judged"}, "in segment": 30,
                       "came back": 30, "hard": 30, "trouble": []}, applied
    world.listctl("prune", "--apply", "--force")
    world.listctl("storm", "void", "1", "--reason", "they live after all")
    void = told()
    assert void == {"prune": 0, "disables": 0, "restores": 0, "explained": "voided", "disabled": 0, "exported": {"voided"}, "in segment": 0,
                    "came back": 0, "hard": 0, "trouble": []}, void


def test_reading_anew(world):
    "Reports that a storm holds can be read by other rules, and undone, and are held before and after; applied, they count as they are read now."
    ids, campaign = returns.people(world, 3)
    world.start("bounced")
    for person in ids:
        returns.deliver(world, "", returns.return_path(world, campaign, person), returns.dsn(**MISREAD))
    world.stop("bounced")
    keys = world.sql("SELECT DISTINCT storm_key FROM bounce_event")
    assert len(keys) == 1 and len(disabled(world)) == 3, keys
    open_storm(world, keys[0][0])
    assert world.json("prune") == [] and disabled(world) == []
    rules_file(world, "rule: away\nreason: moved\nstatus: 5.1.1\nphrase: no gossip\nexample: 550 5.1.1 no gossip today\n")
    totals = world.json("bounce", "reclassify", "--apply")["totals"]
    assert (totals["changed"], totals["applied"], totals["disabled"], totals["restored"]) == (3, 3, 0, 0), totals
    assert disabled(world) == []
    world.listctl("undo", totals["batch"])
    assert disabled(world) == [] and world.value("SELECT DISTINCT reason FROM bounce_event") == "user-unknown"
    world.listctl("bounce", "reclassify", "--apply")
    world.listctl("storm", "apply", "1", "--reason", "gone")
    assert world.sql("SELECT DISTINCT state, reason FROM membership") == [["disabled", "moved"]]
