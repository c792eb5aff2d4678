"""Policies: which bounces disable, and when, by each list."""

import json

import past
from returns import deliver, dsn, return_path
from test_bounce_rules import MISREAD, NO_GOSSIP, rules

ANN, BOB = "ann@example.test", "bob@example.test"


def two_lists(world):
    """ann and bob are members of news and of shop."""
    world.setup()
    world.listctl("list", "create", "shop", "--title", "The shop", "--from", "shop@example.test")
    for name in ("news", "shop"):
        world.subscribe([ANN, BOB], list_name=name)


def shown(world, *lists):
    return {r["reason"]: (r["failures"], r["days"], r["is_own"]) for r in world.json("policy", "show", *lists)}


def both(world, address=ANN):
    return [past.state(world, address, name) for name in ("news", "shop")]


def comes_back(world, campaign, **shape):
    """A report about ann's copy of it."""
    ann = int(world.value(f"SELECT id FROM subscriber WHERE address_key = '{ANN}'"))
    deliver(world, "", return_path(world, campaign, ann), dsn(**shape))


def test_show_and_set(world):
    "What is set is shown as the list's own, audited with its reason, and taken back by default; wrong words are refused, and nothing changes."
    two_lists(world)
    default = shown(world)
    assert default["user-unknown"] == (1, 0, False) and default["spam-content"] == (None, None, False), default
    assert shown(world, "shop") == default
    said = world.run("listctl", "policy", "set", "shop", "user-unknown=2/3", "network=never", "--reason", "their server lies").stderr
    assert "changed for shop: 2" in said and "listctl prune shop" in said, said
    assert shown(world, "shop") == dict(default, **{"user-unknown": (2, 3, True), "network": (None, None, True)})
    assert shown(world, "news") == default
    audit = [json.loads(row[0]) for row in world.sql("SELECT detail FROM audit WHERE action = 'policy.set' AND subject = 'list:shop'")]
    assert audit == [{"set": ["user-unknown=2/3", "network=never"], "reason": "their server lies"}], audit
    assert "is so already" in world.run("listctl", "policy", "set", "shop", "user-unknown=2/3").stderr
    for wrong, words in (("user-unknown", "REASON=FAILURES/DAYS"), ("user-unknown=2", "FAILURES/DAYS"), ("user-unknown=0/1", "never"),
                         ("user-unknown=2/9999", "3650"), ("user-unknown=-1/2", "FAILURES"), ("unknown=1/1", "policy show"),
                         ("spam-content=1/0", "about us"), ("user-unknown=", "default")):
        world.refused("policy", "set", "shop", "moved=3/3", wrong, code=2, says=words)
    world.refused("policy", "set", "nowhere", "moved=3/3", says="no list nowhere")
    world.refused("policy", "show", "nowhere", says="no list nowhere")
    assert shown(world, "shop")["moved"] == (1, 0, False)
    world.listctl("policy", "set", "shop", "user-unknown=default", "network=default")
    assert shown(world, "shop") == default


def test_each_list_by_its_own(world):
    "One report disables the membership of the list that says so, in the transaction that stores it, and leaves the other until its own policy is met."
    two_lists(world)
    world.listctl("policy", "set", "shop", "user-unknown=2/0")
    world.start("bounced")
    first = past.sent(world, "first", {ANN: "accepted", BOB: "accepted"}, days_ago=0)
    comes_back(world, first, mark="1")
    assert both(world) == ["disabled", "active"], both(world)
    scores = {m["list"]: m["score"] for m in world.json("explain", ANN)["memberships"]}
    assert scores == {"news": "1 of 1 failures needed (user-unknown, at once)", "shop": "1 of 2 failures needed (user-unknown, at once)"}, scores
    second = past.sent(world, "second", {ANN: "accepted", BOB: "accepted"}, list_name="shop", days_ago=0)
    comes_back(world, second, mark="2")
    assert both(world) == ["disabled", "disabled"] and both(world, BOB) == ["active", "active"]


def test_prune_by_its_own(world):
    "prune judges each membership by its list's policy of this moment, in the dry run as in the applied one."
    two_lists(world)
    campaign = past.sent(world, "c", {ANN: "accepted", BOB: "accepted"})
    for address in (ANN, BOB):
        past.came_back(world, campaign, address, reason="mailbox-full", kind="bounce-soft")
    assert world.json("prune", "--each") == []
    world.listctl("policy", "set", "shop", "mailbox-full=1/0")
    each = world.json("prune", "--each")
    assert sorted((r["list"], r["email"]) for r in each) == [("shop", ANN), ("shop", BOB)], each
    assert both(world) == ["active", "active"]
    world.listctl("prune", "--apply", "--force")
    assert both(world) == both(world, BOB) == ["active", "removed"]


def test_reclassified_by_its_own(world):
    "A report that is another one now gives back the membership whose list's policy no longer condemns it, and leaves the one that it still does."
    two_lists(world)
    world.listctl("policy", "set", "shop", "mailbox-full=1/0")
    world.start("bounced")
    comes_back(world, past.sent(world, "c", {ANN: "accepted"}, days_ago=0), **MISREAD)
    assert both(world) == ["disabled", "disabled"], both(world)
    world.stop("bounced")
    rules(world, NO_GOSSIP.replace("spam-content", "mailbox-full"))
    totals = world.json("bounce", "reclassify", "--apply")["totals"]
    assert (totals["restored"], totals["disabled"]) == (1, 0) and both(world) == ["active", "disabled"], (totals, both(world))
    rules(world, "# none\n")
    totals = world.json("bounce", "reclassify", "--apply")["totals"]
    assert (totals["restored"], totals["disabled"]) == (0, 1) and both(world) == ["disabled", "disabled"], (totals, both(world))


def simulated(world, *arguments):
    return [(r["change"], r["list"], r["reason"], r["memberships"], r["example"]) for r in world.json("policy", "simulate", *arguments)]


def everything(world):
    return [world.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("membership", "list_policy", "bounce_event", "audit", "prune_batch")]


def test_simulate(world):
    "Whom another policy would disable or leave, by list and reason, over what is known; it changes nothing, and prune does what it said."
    two_lists(world)
    cat, dan = "cat@example.test", "dan@example.test"
    world.subscribe([cat, dan], list_name="news")
    campaign = past.sent(world, "c", {a: "accepted" for a in (ANN, BOB, cat, dan)}, days_ago=40)
    again = past.sent(world, "d", {a: "accepted" for a in (ANN, BOB)}, days_ago=10)
    for day, one in ((39, campaign), (9, again)):
        past.came_back(world, one, ANN, reason="mailbox-full", kind="bounce-soft", days_ago=day)
    past.dead(world, campaign, cat, days_ago=39)
    past.dead(world, campaign, dan, days_ago=39)
    world.listctl("suppress", "add", dan)
    before = everything(world)
    assert simulated(world) == [], "nothing is otherwise by the policy in force"
    assert simulated(world, "news", "--set", "mailbox-full=2/30") == [("disable", "news", "mailbox-full", 1, ANN)]
    assert simulated(world, "--set", "mailbox-full=2/30") == [("disable", name, "mailbox-full", 1, ANN) for name in ("news", "shop")]
    assert simulated(world, "--set", "mailbox-full=2/31") == []
    assert simulated(world, "news", "--set", "mailbox-full=2/20", "--since", "20d") == []
    assert simulated(world, "news", "--set", "mailbox-full=1/0", "--since", "20d") == [("disable", "news", "mailbox-full", 1, ANN)]
    both_ways = [("disable", "news", "mailbox-full", 1, ANN), ("restore", "news", "user-unknown", 1, cat)]
    assert simulated(world, "news", "--set", "user-unknown=2/0", "--set", "mailbox-full=2/0") == both_ways
    assert simulated(world, "news", "--set", "user-unknown=never", "--set", "mailbox-full=2/0", "--each") == both_ways
    world.refused("policy", "simulate", "news", "--set", "mailbox-full", code=2, says="REASON=FAILURES/DAYS")
    world.refused("policy", "simulate", "nowhere", says="no list nowhere")
    world.refused("policy", "simulate", "--since", "soon", code=2, says="--since")
    assert everything(world) == before
    world.listctl("policy", "set", "news", "mailbox-full=2/30")
    assert simulated(world) == [("disable", "news", "mailbox-full", 1, ANN)]
    each = world.json("prune", "--each")
    assert sorted((r["list"], r["email"]) for r in each if r["reason"] == "mailbox-full") == [("news", ANN)], each
