import past

PEOPLE = ["ann@a.test", "bob@b.test", "cec@c.test"]


def prepared(world):
    world.setup()
    world.subscribe([(a, a[:3].title()) for a in PEOPLE])
    return past.sent(world, "first", {PEOPLE[0]: "accepted", PEOPLE[1]: "refused", PEOPLE[2]: "accepted"}, days_ago=20)


def test_a_dead_address(world):
    "Everything about one address: lists, sends, bounces, score, prunes, and what is next."
    campaign = prepared(world)
    past.dead(world, campaign, PEOPLE[0], recipient="ann@forward.test", days_ago=20)
    told = world.json("explain", "Ann@A.test")
    person = told["person"]
    assert person["email"] == PEOPLE[0] and person["disables"] is True, person
    assert "1 of 1 failures needed (user-unknown" in person["score"] and "prune --apply" in person["next"], person
    assert [(m["list"], m["state"], m["reason"], m["campaign"]) for m in told["memberships"]] == [
        ("news", "disabled", "user-unknown", "first")], told
    assert [(s["campaign"], s["outcome"], s["code"]) for s in told["sends"]] == [("first", "accepted", 250)], told
    bounce = told["bounces"][0]
    assert bounce["forwarded_to"] == "ann@forward.test" and bounce["reported_by"] == "mx.example.test", bounce
    assert told["person"]["forwards"].startswith("it forwards to ann@forward.test"), told["person"]
    assert "no such user" in bounce["diagnostic"] and bounce["rule"] == "test-rule" and told["prunes"] == [], bounce
    world.listctl("prune", "--apply")
    told = world.json("explain", PEOPLE[0])
    assert told["memberships"][0]["state"] == "removed" and told["prunes"][0]["batch"] == 1, told
    assert "listctl undo 1" in told["person"]["next"], told
    world.listctl("undo", 1)
    told = world.json("explain", PEOPLE[0])
    assert told["memberships"][0]["state"] == "active" and told["bounces"][0]["standing"] == "voided", told
    assert told["person"]["score"] == "nothing counts against it" and told["prunes"][0]["restored"] is True, told
    text = world.listctl("explain", PEOPLE[0])
    assert "forward.test" in text and "first" in text and "voided" in text, text


def test_the_arithmetic(world):
    "A reason that needs several failures tells how many of how many, and over which time."
    prepared(world)
    for number, days in enumerate([40, 30, 18]):
        campaign = past.sent(world, f"c{number}", {PEOPLE[2]: "accepted"}, days_ago=days)
        past.came_back(world, campaign, PEOPLE[2], reason="mailbox-full", kind="bounce-soft", days_ago=days)
    person = world.json("explain", PEOPLE[2])["person"]
    # the message of 20 days ago arrived: only the failure after it counts
    assert person["score"].startswith("1 of 5 failures needed (mailbox-full, 0 of 30 days"), person
    assert person["disables"] is False and "4 more failed" in person["next"], person
    past.came_back(world, 1, PEOPLE[2], reason="mailbox-full", kind="bounce-soft", days_ago=20)
    person = world.json("explain", PEOPLE[2])["person"]
    assert person["score"].startswith("4 of 5 failures needed (mailbox-full, 22 of 30 days"), person


def test_the_score_step_by_step(world):
    "Each attempt since the oldest failure says what it did to the score, and the last step is the score."
    prepared(world)
    for name, days, reason in [("old", 50, "mailbox-full"), ("two", 12, "mailbox-full"), ("ours", 11, "spam-content"), ("three", 9, "mailbox-disabled"),
                               ("four", 1, "mailbox-disabled")]:
        campaign = past.sent(world, name, {PEOPLE[2]: "accepted"}, days_ago=days)
        past.came_back(world, campaign, PEOPLE[2], reason=reason, kind="bounce-soft", days_ago=days)
    past.sent(world, "now", {PEOPLE[2]: "accepted"}, days_ago=0)
    told = world.json("explain", PEOPLE[2])
    steps = [(step["campaign"], step["outcome"], step["reason"], step["failures"], step["needed"]) for step in told["score_steps"]]
    assert steps == [
        ("old", "failed", "mailbox-full", 1, 5),
        ("first", "arrived", None, 0, 0),
        ("two", "failed", "mailbox-full", 1, 5),
        ("ours", "undecided", "spam-content", 1, 5),
        ("three", "failed", "mailbox-disabled", 1, 2),
        ("four", "failed", "mailbox-disabled", 2, 2),
        ("now", "undecided", None, 2, 2)], steps
    effects = [step["effect"] for step in told["score_steps"]]
    for effect, says in zip(effects, ["1 of 5", "starts anew", "1 of 5 (mailbox-full)", "about the sender", "1 of 2 (mailbox-disabled)", "enough to disable",
                                      "window is open"]):
        assert says in effect, effects
    assert told["person"]["score"].startswith("2 of 2 failures needed (mailbox-disabled, 8 of 7"), told["person"]
    # by the list's own policy
    world.listctl("policy", "set", "news", "mailbox-disabled=3/7")
    assert [step["needed"] for step in world.json("explain", PEOPLE[2])["score_steps"]][-2:] == [3, 3]
    assert len(world.json("explain", PEOPLE[2], "--limit", 2)["score_steps"]) == 2
    # what was taken out came back all the same: its window is no longer what is waited for
    world.sql("UPDATE bounce_event SET voided = true WHERE campaign_id = (SELECT id FROM campaign WHERE name = 'four')")
    step = world.json("explain", PEOPLE[2])["score_steps"][-2]
    assert (step["campaign"], step["outcome"], step["reason"], step["failures"]) == ("four", "undecided", "mailbox-disabled", 2), step
    assert "counts for nothing" in step["effect"], step
    assert "step by step" in world.listctl("explain", PEOPLE[2])
    assert "step by step" not in world.listctl("explain", PEOPLE[1]) and world.json("explain", PEOPLE[1])["score_steps"] == []


def test_pending_and_deferred(world):
    "Who waits in a running campaign is told so."
    prepared(world)
    past.sent(world, "now", {PEOPLE[0]: "deferred", PEOPLE[1]: "in_doubt"}, state="running", pending=[PEOPLE[2]], days_ago=0)
    places = [world.json("explain", a)["sends"][0]["outcome"] for a in PEOPLE]
    assert places == ["deferred", "in_doubt", "pending"], places
    assert world.json("explain", PEOPLE[0])["sends"][0]["next_attempt_at"] is not None
    assert len(world.json("explain", PEOPLE[0], "--limit", 1)["sends"]) == 1


def test_strangers(world):
    "Nobody has the address: exit 1; but a suppressed stranger is told about."
    prepared(world)
    world.refused("explain", "eve@e.test", says="eve@e.test")
    world.refused("explain", "no address")
    world.listctl("suppress", "add", "eve@e.test")
    told = world.json("explain", "eve@e.test")
    assert told["person"]["subscriber"] is None and told["suppressions"][0]["value"] == "eve@e.test", told
    world.listctl("suppress", "add", "a.test")
    assert "suppressed" in world.json("explain", PEOPLE[0])["person"]["next"]


def test_whichever_way_it_is_named(world):
    "A person is explained by any spelling of the mailbox and by the number; an address of before names the one of now."
    world.setup()
    world.subscribe(["j.ane@gmail.com", "old@example.test"])
    said = world.json("explain", "j.ane@gmail.com")
    assert world.json("explain", "JANE+x@googlemail.com") == said == world.json("explain", f"#{said['person']['subscriber']}")
    world.listctl("subscriber", "move", "old@example.test", "new@example.test")
    world.refused("explain", "old@example.test", says="new@example.test")
    world.refused("explain", "#99", says="no subscriber #99")


def test_hostile_text(world):
    "What came back cannot play with the terminal."
    campaign = prepared(world)
    past.came_back(world, campaign, PEOPLE[0], diagnostic="550 \x1b[31mred\x07")
    text = world.listctl("explain", PEOPLE[0])
    assert "red" in text and "\x1b" not in text and "\x07" not in text, text
    assert "\x1b" not in world.listctl("bounce", "ls")
