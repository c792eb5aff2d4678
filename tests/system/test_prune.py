import past

PEOPLE = [f"p{i}@{'ab'[i % 2]}.test" for i in range(10)]


def prepared(world, dead=4):
    """Ten members, a campaign that reached them all, and the first few of them dead."""
    world.setup()
    world.subscribe(PEOPLE)
    campaign = past.sent(world, "c", {a: "accepted" for a in PEOPLE})
    for address in PEOPLE[:dead]:
        past.dead(world, campaign, address)
    return campaign


def states(world, addresses=PEOPLE):
    return [past.state(world, a) for a in addresses]


def pruned(world, *more):
    """Prunes; returns the batch."""
    world.listctl("prune", "--apply", *more)
    return int(world.value("SELECT max(id) FROM prune_batch"))


def test_dry_by_default(world):
    "prune shows by list, reason and domain whom it would remove, and changes nothing until told."
    prepared(world)
    before = world.sql("SELECT * FROM membership ORDER BY 1, 2")
    rows = world.json("prune")
    assert sorted((r["domain"], r["memberships"]) for r in rows) == [("a.test", 2), ("b.test", 2)], rows
    assert all(r["reason"] == "user-unknown" and r["list"] == "news" and r["example"] in PEOPLE[:4] for r in rows), rows
    each = world.json("prune", "news", "--each")
    assert sorted(r["email"] for r in each) == PEOPLE[:4] and all("no such user" in r["evidence"] for r in each), each
    assert world.sql("SELECT * FROM membership ORDER BY 1, 2") == before
    assert world.value("SELECT count(*) FROM prune_batch") == "0"
    world.refused("prune", "nolist", says="nolist")
    world.refused("prune", "--max-share", "much", code=2, says="--max-share")


def test_apply_and_undo(world):
    "A batch removes; its undo brings everyone back to mail, and the same evidence does not disable them again."
    prepared(world)
    done = world.run("listctl", "prune", "--apply")
    assert done.returncode == 0 and "listctl undo 1" in done.stderr, done
    assert states(world) == ["removed"] * 4 + ["active"] * 6
    assert world.json("batch", "ls")[0]["removed"] == 4 and past.audited(world, "prune.apply") == 1
    assert world.listctl("prune", "--apply") is not None and world.value("SELECT count(*) FROM prune_batch") == "1"
    dry = world.json("undo", "1", "--dry-run")
    assert [r["result"] for r in dry] == ["would be restored"] * 4 and states(world)[:4] == ["removed"] * 4, dry
    assert world.json("undo", "1") == []
    assert states(world) == ["active"] * 10
    assert world.value("SELECT count(*) FROM bounce_event WHERE voided") == "4"
    assert world.json("prune") == [] and states(world) == ["active"] * 10
    assert [r["why"] for r in world.json("undo", "1", "--each")] == [None] * 4
    assert states(world) == ["active"] * 10 and past.audited(world, "prune.undo") == 2


def test_new_evidence_counts_again(world):
    "After an undo only what comes back later counts: then the verdict disables anew."
    prepared(world)
    world.listctl("undo", pruned(world))
    assert states(world)[:4] == ["active"] * 4
    second = past.sent(world, "second", {a: "accepted" for a in PEOPLE}, days_ago=0)
    past.came_back(world, second, PEOPLE[0])
    rows = world.json("prune", "--each")
    assert [r["email"] for r in rows] == [PEOPLE[0]], rows
    assert past.state(world, PEOPLE[0]) == "active", "a look changes nothing"
    pruned(world)
    assert states(world, PEOPLE[:2]) == ["removed", "active"]


def test_undo_respects_what_happened_since(world):
    "Who unsubscribed, complained, was suppressed or changed since the batch stays away and is listed with why."
    campaign = prepared(world, dead=7)
    batch = pruned(world)
    member = "(SELECT id FROM subscriber WHERE address_key = '{}')"
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto', since = now() WHERE subscriber_id = "
              + member.format(PEOPLE[0]))
    world.listctl("suppress", "add", PEOPLE[1])
    past.came_back(world, campaign, PEOPLE[2], reason="complaint", kind="complaint")
    world.sql("UPDATE membership SET since = now() WHERE subscriber_id = " + member.format(PEOPLE[3]))
    world.sql("INSERT INTO suppression (kind, value, reason, source) VALUES ('domain', 'a.test', 'test', 'test')")
    rows = {r["email"]: r for r in world.json("undo", batch)}
    why = {a: rows[a]["why"] for a in rows}
    assert why[PEOPLE[0]] == "unsubscribed since (mailto)" and why[PEOPLE[1]] == "suppressed", why
    assert why[PEOPLE[3]].startswith("changed since"), why
    assert set(why) == {PEOPLE[0], PEOPLE[1], PEOPLE[2], PEOPLE[3], PEOPLE[4], PEOPLE[6]}, why
    assert states(world)[:7] == ["unsubscribed", "removed", "removed", "removed", "removed", "active", "removed"]
    world.sql("DELETE FROM suppression WHERE kind = 'domain'")
    again = {r["email"]: r["why"] for r in world.json("undo", batch)}
    assert again[PEOPLE[2]] == "complained" and PEOPLE[5] in again and again[PEOPLE[5]] is None, again
    assert states(world)[:7] == ["unsubscribed", "removed", "removed", "removed", "active", "active", "active"]


def test_disabled_by_hand(world):
    "Whom a person had disabled is disabled again by an undo, not mailed."
    prepared(world, dead=1)
    past.disable(world, PEOPLE[5], "NULL", reason="listctl")
    batch = pruned(world)
    assert states(world, [PEOPLE[0], PEOPLE[5]]) == ["removed", "removed"]
    world.listctl("undo", batch)
    assert states(world, [PEOPLE[0], PEOPLE[5]]) == ["active", "disabled"]
    assert world.value("SELECT reason FROM membership WHERE state = 'disabled'") == "listctl"


def test_share(world):
    "A batch that would take too much of a list is refused unless forced."
    prepared(world)
    world.refused("prune", "--apply", "--max-share", "30%", says=["4 of 10", "30%", "--force"])
    assert states(world)[:4] == ["disabled"] * 4 and world.value("SELECT count(*) FROM prune_batch") == "0"
    world.listctl("prune", "--apply", "--max-share", "30%", "--force")
    assert states(world)[:4] == ["removed"] * 4


def test_share_unless_told(world):
    "Unless told, a twentieth of a list; fewer than ten are no landslide, whatever the list."
    people = [f"p{i}@a.test" for i in range(100)]
    world.setup()
    world.subscribe(people)
    campaign = past.sent(world, "c", {a: "accepted" for a in people})
    for address in people[:9]:
        past.dead(world, campaign, address)
    assert pruned(world) == 1 and states(world, people[:10]) == ["removed"] * 9 + ["active"]
    world.listctl("undo", 1)
    second = past.sent(world, "d", {a: "accepted" for a in people})
    for address in people[:10]:
        past.dead(world, second, address)
    world.refused("prune", "--apply", says=["10 of 100", "5%", "--max-share"])
    world.listctl("prune", "--apply", "--max-share", "10%")
    assert states(world, people[:10]) == ["removed"] * 10


def test_one_list_only(world):
    "prune LIST leaves the other lists alone; the evidence is the address's, through whatever list it came."
    prepared(world, dead=1)
    world.listctl("list", "create", "other", "--title", "Other", "--from", "o@example.test")
    world.subscribe(PEOPLE, "other")
    assert past.state(world, PEOPLE[0], "other") == "active"
    batch = pruned(world, "other")
    assert past.state(world, PEOPLE[0], "other") == "removed" and past.state(world, PEOPLE[0]) == "disabled"
    shown = world.json("batch", "show", batch)
    assert [(r["list"], r["email"], r["result"]) for r in shown] == [("other", PEOPLE[0], "removed")], shown
    assert world.json("batch", "ls")[0]["list"] == "other"
    world.refused("undo", 99, says="99")
    world.refused("undo", "x", code=2, says="number")
