"""A day like 14 and 15 December 2020, when Gmail refused living accounts as unknown (tests/fixtures/gmail-outage), played through the real
programs: nobody is disabled until a person decides."""

import past
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
    assert [b["kind"] for b in world.json("batch", "ls") if b["batch"] == batch] == ["storm"]
    world.listctl("undo", batch)
    assert disabled(world) == [] and world.json("storm", "ls")[0]["state"] == "holding"
    assert world.json("prune") == []
