"""listctl group, warmup and pace: what an administrator sets and sees."""

import past


def group(world, name):
    return world.json("group", "show", name)


def one(rows, **wanted):
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, rows)
    return found[0]


def test_groups(world):
    "Groups of domains: the large operators are there; more are made, changed and removed, and a domain is in one at most."
    world.setup()
    rows = world.json("group", "ls")
    assert {"gmail", "microsoft", "yahoo", "apple"} <= {row["group"] for row in rows}, rows
    assert all(row["connections"] is None and row["rate"] is None for row in rows), rows
    world.listctl("group", "add", "school", "--add", "School.test, xn--mnchen-3ya.test", "--connections", "4", "--rate", "0.5")
    shown = group(world, "school")
    shown = shown[0] if isinstance(shown, list) else shown
    assert shown == {"group": "school", "connections": 4, "rate": 0.5, "domains": "school.test xn--mnchen-3ya.test"}, shown
    world.refused("group", "add", "school", says="there is a domain group school already")
    world.refused("group", "edit", "school", "--add", "gmail.com", says=["gmail.com is in the group gmail", "first"])
    world.listctl("group", "edit", "gmail", "--remove", "googlemail.com")
    world.listctl("group", "edit", "school", "--add", "googlemail.com", "--remove", "school.test", "--rate", "none")
    row = one(world.json("group", "ls"), group="school")
    assert row["rate"] is None and row["connections"] == 4 and row["domains"] == 2, row
    world.refused("group", "edit", "school", "--remove", "school.test", says="not in the group")
    world.refused("group", "edit", "school", "--rate", "-3", code=2, says="--rate takes a number from 0.01")
    world.refused("group", "edit", "school", "--connections", "0", code=2, says="or the word none")
    world.refused("group", "edit", "school", code=2, says=["nothing to change", "--rate"])
    for domains in ("a.test,,b.test", "a.test,", ""):
        world.refused("group", "edit", "school", "--add", domains, code=2, says="--add ")
    world.refused("group", "show", "scool", says="listctl group ls")
    world.listctl("group", "rm", "school")
    world.refused("group", "rm", "school", says="no domain group")
    assert world.value("SELECT count(*) FROM audit WHERE action LIKE 'group.%'") == "4"


def test_warmups(world):
    "Warm-up: a day's number for a relay, a group, both or all; set again it begins anew."
    world.setup()
    world.listctl("relay", "add", "new", "--host", "127.0.0.1", "--port", "25", "--connections", "1")
    world.listctl("warmup", "set", "--first", "100", "--until", "1000")
    world.listctl("warmup", "set", "--relay", "new", "--group", "gmail", "--first", "50", "--growth", "2", "--until", "10000")
    world.sql("UPDATE warmup SET began_on = began_on - 3")
    rows = world.json("warmup", "ls")
    assert one(rows, relay=None, group=None)["today"] == 337, rows
    row = one(rows, relay="new", group="gmail")
    assert row["today"] == 400 and row["day"] == 4 and row["used"] == 0 and row["ended"] is False, row
    world.sql("UPDATE warmup SET began_on = began_on - 30")
    assert [row["ended"] for row in world.json("warmup", "ls")] == [True, True]
    world.listctl("warmup", "set", "--first", "10", "--until", "20")
    row = one(world.json("warmup", "ls"), relay=None)
    assert row["today"] == 10 and row["day"] == 1, row
    world.refused("warmup", "set", "--first", "10", "--until", "10", code=2, says="must be more than N")
    world.refused("warmup", "set", "--first", "10", "--until", "20", "--growth", "0.5", code=2, says="from 1.01 to 10")
    world.refused("warmup", "set", "--first", "10", "--until", "20", "--growth", "1", code=2, says="from 1.01 to 10")
    # A relay that is not there, or has no row: it would hold nothing back.
    world.refused("warmup", "set", "--relay", "ne-w", "--first", "10", "--until", "20", says=["no relay \"ne-w\"", "relay ls"])
    world.refused("warmup", "set", "--relay", "default", "--first", "10", "--until", "20", says="without --relay")
    world.refused("warmup", "set", "--first", "10", "--until", "20", "--group", "nobody", says="no domain group")
    world.refused("warmup", "rm", "--group", "gmail", says="no warm-up is set for that")
    world.refused("warmup", "rm", "--group", "nobody", says="no warm-up is set for that")
    world.listctl("warmup", "rm", "--relay", "new", "--group", "gmail")
    world.listctl("warmup", "rm")
    assert world.json("warmup", "ls") == []


def test_pace(world):
    "pace ls shows limits, cuts and what is closed; pace open ends a cut and lets the parked try at once."
    world.setup()
    assert world.json("pace", "ls") == []
    world.listctl("group", "edit", "gmail", "--rate", "20", "--connections", "3")
    world.sql("SELECT budget_cut('group:gmail', 5, false, '421 4.7.28 slow down'), budget_cut('domain:shut.test', 9, true, 'no')")
    rows = world.json("pace", "ls")
    gmail, shut = one(rows, what="group:gmail"), one(rows, what="domain:shut.test")
    assert gmail["limit"] == 20 and 2.4 < gmail["rate"] < 2.6 and gmail["connections"] == 3, gmail
    assert gmail["reason"] == "421 4.7.28 slow down" and gmail["cut_at"] and gmail["closed_until"] is None, gmail
    assert shut["limit"] is None and shut["closed_until"], shut
    world.listctl("pace", "open", "gmail")
    world.listctl("pace", "open", "shut.test")
    rows = world.json("pace", "ls")
    assert [row["what"] for row in rows] == ["group:gmail"] and rows[0]["rate"] == 20 and rows[0]["reason"] is None, rows
    world.refused("pace", "open", "shut.test", says="is not cut")
    world.sql("SELECT budget_cut('relay:new', 36, false, '421 4.7.0 slow down')")
    world.refused("pace", "open", "new", says=["group:new is not cut", "the relay of that name is", "listctl pace open relay:new"])
    world.listctl("pace", "open", "relay:new")
    said = world.refused("pace", "open", "new", says="is not cut")
    assert "relay of that name" not in said, said


def test_who_waits_for_what(world):
    """A campaign's status and watch say who waits for a closed group, a warm-up or a slow relay, why, and what ends it; so do relay ls and show.
    What is cut and concerns nobody is not told."""
    world.setup()
    people = [f"u{n}@gmail.com" for n in range(5)]
    world.subscribe(people)
    past.sent(world, "c", dict.fromkeys(people, "deferred"), state="running")
    assert world.status("c")["waits"] == []
    world.listctl("relay", "add", "new", "--host", "127.0.0.1", "--port", "25")
    world.listctl("warmup", "set", "--relay", "new", "--group", "gmail", "--first", "50", "--until", "1000")
    warmup = "warmup:" + world.value("SELECT id FROM warmup")
    world.sql("SELECT budget_cut('group:gmail', 5, true, '421 4.7.28 too much'), budget_cut('domain:shut.test', 9, true, 'no'),"
              " budget_cut('relay:new', 36, false, '421 4.7.0 slow down');"
              f" UPDATE deferral SET waits_for = CASE WHEN subscriber_id = (SELECT min(id) FROM subscriber) THEN '{warmup}'"
              " ELSE 'group:gmail' END")
    waits = world.status("c")["waits"]
    assert [(w["for"], w["recipients"]) for w in waits] == [("group:gmail", 4), (warmup, 1), ("relay:new", 0)], waits
    closed, warm, slow = (w["reason"] for w in waits)
    assert closed.startswith("4 wait for group:gmail, closed until ") and "421 4.7.28 too much; `listctl pace open gmail`" in closed, closed
    assert warm == "1 waits for the warm-up of relay new group gmail (50 today)", warm
    assert slow.startswith("relay:new is slowed to 18") and "`listctl pace open relay:new` ends it" in slow, slow
    shown = " ".join(world.listctl("campaign", "status", "c").split())
    assert "What slows it:" in shown and "4 wait for group:gmail, closed until" in shown, shown
    assert one(world.json("pace", "ls"), what=warmup)["of"] == "relay new group gmail"
    for row in one(world.json("relay", "ls"), relay="new"), world.json("relay", "show", "new"):
        row = row[0] if isinstance(row, list) else row
        assert row["state"] == "enabled" and row["trouble"].startswith("slowed to 18"), row
    world.sql("UPDATE deferral SET waits_for = 'away:new' WHERE waits_for LIKE 'warmup:%';"
              f" INSERT INTO budget (key, day, used) VALUES ('{warmup}', (now() AT TIME ZONE 'UTC')::date, 49)")
    waits = {w["for"]: (w["recipients"], w["reason"]) for w in world.status("c")["waits"]}
    assert waits["away:new"] == (1, "1 waits for relay new, which takes nobody now") and warmup not in waits, waits
    world.sql(f"UPDATE budget SET used = 50 WHERE key = '{warmup}'")
    waits = {w["for"]: (w["recipients"], w["reason"]) for w in world.status("c")["waits"]}
    assert waits[warmup] == (0, "the warm-up of relay new group gmail (50 today) is used up"), waits
    world.sql("UPDATE campaign SET state = 'finished', ended_at = now()")
    assert warmup not in {w["for"] for w in world.status("c")["waits"]}
    watched = world.listctl("campaign", "watch", "c")
    assert "; 4 wait for group:gmail, closed until" in watched and "relay:new" not in watched, watched
