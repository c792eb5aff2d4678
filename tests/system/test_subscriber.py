"""One person at a time: added, shown, changed, moved, unsubscribed, taken back, confirmed and found; each change is audited."""

import json
import pathlib

import past
from returns import deliver, dsn, events, membership, people, return_path, send
from verpost import until


def shown(world, who):
    return json.loads(world.listctl("subscriber", "show", who, "--format", "json"))


def state(world, who, list_name="news"):
    return {row["list"]: row["state"] for row in shown(world, who)["memberships"]}.get(list_name)


def actions(world, key):
    return [(row[0], json.loads(row[1])) for row in world.sql(f"SELECT action, detail FROM audit WHERE subject = 'subscriber:{key}' ORDER BY id")]


def test_who_bounced_and_comes_back(world):
    "Who was disabled, left and comes back is told to bounce still: to unsubscribe forgives nothing."
    world.setup()
    world.subscribe(["ann@example.test", "bob@example.test"])
    campaign = past.sent(world, "c", {"ann@example.test": "accepted"})
    past.dead(world, campaign, "ann@example.test")
    for address, words in (("ann@example.test", "1 of 1 failures needed (user-unknown"), ("bob@example.test", "")):
        world.listctl("subscriber", "unsubscribe", "news", address)
        said = world.run("listctl", "subscriber", "resubscribe", "news", address, "--reason", "asked")
        assert said.returncode == 0 and words in said.stderr and ("come back" in said.stderr) == bool(words), said
    assert [r["email"] for r in world.json("prune", "--each")] == ["ann@example.test"]


def test_add(world):
    "add takes a person in with name, typed attributes and consent; the rules of an import keep out whom they keep out."
    world.setup()
    world.listctl("subscriber", "add", "news", "Ann.Lee@gmail.com", "--name", "Ann", "--set", "city=Köln", "--set", "age:number=42",
                  "--set", "vip:boolean=yes", "--set", 'tags:json=["a"]', "--consent", "paper form", "--consent-time", "2026-01-02")
    person = shown(world, "annlee@GMAIL.com")
    assert person["person"]["email"] == "Ann.Lee@gmail.com" and person["person"]["mailbox"] == "annlee@gmail.com", person
    assert person["person"]["attributes"] == {"age": 42, "vip": True, "city": "Köln", "tags": ["a"]}, person
    row = person["memberships"][0]
    assert (row["list"], row["state"], row["consent"], row["consent_at"]) == ("news", "active", "paper form", "2026-01-02T00:00:00Z"), row
    world.listctl("subscriber", "add", "news", "annlee@gmail.com", "--set", "city=Bonn")
    assert world.value("SELECT count(*) FROM subscriber") == "1" and shown(world, "#1")["person"]["attributes"]["city"] == "Bonn"
    warned = world.run("listctl", "subscriber", "add", "news", "bob@gmial.com", "--status", "unconfirmed")
    assert warned.returncode == 0 and "gmail.com" in warned.stderr and state(world, "bob@gmial.com") == "unconfirmed", warned
    world.listctl("suppress", "add", "never.test")
    world.refused("subscriber", "add", "news", "x@never.test", says=["suppressed", "suppress rm never.test"])
    world.refused("subscriber", "add", "nosuch", "x@a.test", says="no list nosuch")
    world.refused("subscriber", "add", "news", "x@", says="name@domain")
    for options, words in ((["--set", "big=" + "x" * 70000], "at most 65536 octets"), (["--set", "a:float=1"], "date, json or tags"),
                           (["--consent-time", "03/04/2025"], "write it as 2025-12-31"), (["--set", "a:date=03/04/2025"], "write it as 2025-12-31")):
        world.refused("subscriber", "add", "news", "x@a.test", *options, code=2, says=words)
    for options in (["--set", "age:number=old"], ["--set", "city"], ["--set", "name=x"], ["--set", "Big Name=x"], ["--set", "a=x\x1by"],
                    ["--name", "a\tb"], ["--status", "gone"], ["--consent", ""], ["--consent-time", "soon"]):
        world.refused("subscriber", "add", "news", "x@a.test", *options, code=2, says=options[0])
    assert world.value("SELECT count(*) FROM subscriber") == "2"
    assert [action for action, _ in actions(world, "ann.lee@gmail.com")] == ["subscriber.add"] * 2, "under whom they are known by"
    world.listctl("subscriber", "add", "news", "cem@a.test", "--reason", "met at the fair", "--set", "seen:tags=a, b")
    assert actions(world, "cem@a.test")[0][1]["reason"] == "met at the fair" and shown(world, "cem@a.test")["person"]["attributes"] == {"seen": ["a", "b"]}
    world.listctl("subscriber", "set", "cem@a.test", "--set", "one=" + "x" * 60000)
    for verb in (("set",), ("add", "news")):
        world.refused("subscriber", *verb, "cem@a.test", "--set", "two=" + "x" * 60000, says=["at most 65536 octets"])
    world.refused("subscriber", "set", "cem@a.test", "--name", "x" * 70000, code=2, says="at most 65536 octets")
    assert sorted(shown(world, "cem@a.test")["person"]["attributes"]) == ["one", "seen"]


def test_leave_and_return(world):
    "Who has unsubscribed is not added again silently; resubscribe needs a reason; suppressed people do not return; all is audited."
    world.setup()
    world.listctl("list", "create", "other", "--from", "o@example.test")
    for name in ("news", "other"):
        world.listctl("subscriber", "add", name, "ann@example.test")
    world.listctl("subscriber", "unsubscribe", "news", "ann@example.test", "--reason", "by phone")
    assert (state(world, "ann@example.test"), state(world, "ann@example.test", "other")) == ("unsubscribed", "active")
    world.refused("subscriber", "unsubscribe", "news", "ann@example.test", says="is no member")
    world.refused("subscriber", "add", "news", "ann@example.test", "--set", "a=1", says=["has unsubscribed", "--resubscribe"])
    assert shown(world, "ann@example.test")["person"]["attributes"] == {}, "half of it was done"
    world.refused("subscriber", "resubscribe", "news", "ann@example.test", code=2, says="--reason")
    world.listctl("suppress", "add", "ann@example.test")
    world.refused("subscriber", "resubscribe", "news", "ann@example.test", "--reason", "asked", says=["suppressed", "suppress rm"])
    world.listctl("suppress", "rm", "ann@example.test")
    world.listctl("subscriber", "resubscribe", "news", "ann@example.test", "--reason", "asked at the fair", "--consent", "fair, list 7")
    assert state(world, "ann@example.test") == "active"
    world.listctl("subscriber", "unsubscribe", "--all", "ann@example.test")
    assert {state(world, "ann@example.test"), state(world, "ann@example.test", "other")} == {"unsubscribed"}
    world.listctl("subscriber", "add", "news", "ann@example.test", "--resubscribe", "wrote again")
    done = actions(world, "ann@example.test")
    assert [action for action, _ in done] == ["subscriber.add", "subscriber.add", "subscriber.unsubscribe", "subscriber.resubscribe",
                                              "subscriber.unsubscribe", "subscriber.add"], done
    assert done[2][1] == {"lists": ["news"], "reason": "by phone", "consent": ""} and done[3][1]["reason"] == "asked at the fair"
    assert done[5][1]["resubscribe"] == "wrote again"
    assert shown(world, "ann@example.test")["changes"][0]["what"] == "subscriber.add"


def test_confirm_and_set(world):
    "An unconfirmed member is confirmed with consent; set changes, adds and takes away, and leaves the rest."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@example.test", "--status", "unconfirmed", "--set", "a=1", "--set", "b=2")
    world.listctl("subscriber", "confirm", "news", "ann@example.test", "--consent", "answered the letter")
    row = shown(world, "ann@example.test")["memberships"][0]
    assert (row["state"], row["consent"]) == ("active", "answered the letter") and row["consent_at"], row
    world.refused("subscriber", "confirm", "news", "ann@example.test", says="does not wait")
    world.listctl("subscriber", "set", "#1", "--name", "Ann", "--set", "a:number=7", "--unset", "b")
    person = shown(world, "ann@example.test")["person"]
    assert (person["name"], person["attributes"]) == ("Ann", {"a": 7}), person
    world.listctl("subscriber", "set", "#1", "--set", "c:json=[1, {\"k\": null}]", "--reason", "as she wrote")
    assert shown(world, "#1")["person"]["attributes"] == {"a": 7, "c": [1, {"k": None}]}
    assert actions(world, "ann@example.test")[-1] == ("subscriber.set", {"name": False, "attributes": "c", "reason": "as she wrote"})
    for value in ("{a:1}", "1e999999", "[1", "1 2", '"\\u0000"', '"\\ud800"', '"a\\bb"', '"\\u2028"', "[" * 5000):
        world.refused("subscriber", "set", "#1", "--set", f"d:json={value}", code=2, says="--set d:json: ")
    world.listctl("subscriber", "set", "ann@example.test", "--name", "")
    assert shown(world, "ann@example.test")["person"]["name"] is None
    world.refused("subscriber", "set", "ann@example.test", code=2, says="nothing to change")
    world.refused("subscriber", "set", "bob@example.test", "--set", "a=1", says=["no subscriber bob@example.test", "subscriber find"])
    world.refused("subscriber", "set", "#x", "--set", "a=1", code=2, says="#17")


def test_move(world):
    "A person gets another address and stays who they are; nobody is joined with somebody else, or evades a suppression."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@example.test", "--set", "a=1")
    world.listctl("subscriber", "add", "news", "bob@gmail.com")
    world.listctl("subscriber", "move", "ann@example.test", "New.Ann@gmail.com", "--reason", "married")
    person = shown(world, "newann@gmail.com")["person"]
    assert (person["subscriber"], person["email"], person["attributes"]) == (1, "New.Ann@gmail.com", {"a": "1"}), person
    assert actions(world, "new.ann@gmail.com")[0][1] == {"subscriber_id": 1, "from": "ann@example.test", "reason": "married"}
    world.refused("subscriber", "show", "ann@example.test", says="no subscriber")
    world.refused("subscriber", "move", "#1", "b.o.b@gmail.com", says=["bob@gmail.com", "already"])
    world.listctl("suppress", "add", "gone@example.test")
    world.refused("subscriber", "move", "#1", "gone@example.test", says="suppressed")
    world.listctl("suppress", "add", "bob@gmail.com")
    world.refused("subscriber", "move", "bob@gmail.com", "fresh@example.test", says="suppressed")
    # Of single lists those count that the person is or was in.
    world.listctl("list", "create", "other", "--from", "o@example.test")
    for name in ("other", "news"):
        world.listctl("suppress", "add", "new.ann@gmail.com", f"{name}only@example.test", "--list", name)
        if name == "other":
            world.listctl("subscriber", "move", "#1", "otheronly@example.test")
            world.listctl("subscriber", "move", "#1", "New.Ann@gmail.com")
            continue
        world.refused("subscriber", "move", "#1", "fresh@example.test", says=["newann@gmail.com is suppressed", "--list news"])
        world.listctl("suppress", "rm", "new.ann@gmail.com", "--list", "news")
        world.listctl("subscriber", "unsubscribe", "news", "#1")
        world.refused("subscriber", "move", "#1", "newsonly@example.test", says=["newsonly@example.test is suppressed", "--list news"])
    world.listctl("subscriber", "move", "#1", "newann@gmail.com")
    assert shown(world, "#1")["person"]["email"] == "newann@gmail.com"


def test_former_addresses(world):
    "Who has moved is known by the address of before, in any spelling: it is not added again unless it is another person's, and they may move back."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann.lee@gmail.com")
    world.listctl("subscriber", "move", "ann.lee@gmail.com", "ann@new.test")
    for spelling in ("ann.lee@gmail.com", "AnnLee+shop@googlemail.com"):
        world.refused("subscriber", "add", "news", spelling, says=["former address of ann@new.test, moved 20", "--reassigned"])
        world.refused("subscriber", "show", spelling, says=["no subscriber", "former address of ann@new.test"])
    former = shown(world, "#1")["former_addresses"]
    assert [row["email"] for row in former] == ["ann.lee@gmail.com"] and former[0]["since"] <= former[0]["until"], former
    world.listctl("subscriber", "move", "#1", "ann@third.test")
    world.refused("subscriber", "add", "news", "ann@new.test", says="former address of ann@third.test")
    world.refused("subscriber", "add", "news", "annlee@gmail.com", says="former address of ann@third.test")
    world.listctl("subscriber", "move", "#1", "annlee@gmail.com")
    assert world.value("SELECT count(*) FROM subscriber") == "1"
    world.listctl("subscriber", "add", "news", "ann.lee@gmail.com", "--set", "a=1")  # hers again, by another spelling
    assert shown(world, "#1")["person"]["attributes"] == {"a": "1"}
    assert [row["email"] for row in shown(world, "#1")["former_addresses"]] == ["ann@third.test", "ann@new.test", "ann.lee@gmail.com"]

    # Another person has one of them now: added, or moved there.
    world.refused("subscriber", "add", "news", "ann@new.test", "--reassigned", "", code=2, says="--reassigned")
    world.listctl("subscriber", "add", "news", "ann@new.test", "--reassigned", "the new owner of new.test wrote")
    assert actions(world, "ann@new.test")[-1][1]["reassigned"] == "the new owner of new.test wrote"
    world.listctl("subscriber", "add", "news", "ann@new.test", "--set", "b=2")
    world.listctl("subscriber", "add", "news", "bob@example.test")
    world.refused("subscriber", "move", "bob@example.test", "ann@third.test",
                  says=["former address of annlee@gmail.com, moved 20", "bob@example.test's now", "--reassigned"])
    world.refused("subscriber", "move", "bob@example.test", "ann@third.test", "--reassigned", "", code=2, says="--reassigned")
    world.listctl("subscriber", "move", "bob@example.test", "ann@third.test", "--reassigned", "the firm gave it to Bob")
    assert actions(world, "ann@third.test")[-1][1]["reassigned"] == "the firm gave it to Bob"
    world.listctl("subscriber", "add", "news", "ann@third.test", "--set", "b=3")
    assert shown(world, "ann@third.test")["person"]["attributes"] == {"b": "3"} and world.value("SELECT count(*) FROM subscriber") == "3"
    world.listctl("subscriber", "move", "ann@third.test", "bob@four.test")
    world.refused("subscriber", "add", "news", "ann@third.test", says="former address of bob@four.test")
    assert [action for action, _ in actions(world, "bob@four.test")] == ["subscriber.move"]


def changes(world, who):
    """What `show` tells of each change, the last one first."""
    return [(row["what"], row["detail"]) for row in shown(world, who)["changes"]]


def test_changes_are_the_persons(world):
    "Who moves takes their changes along; whoever gets the former address is shown their own; an erasure leaves none of what was said, and the other's stays."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@example.test", "--consent", "paper form of Ann")
    world.listctl("subscriber", "set", "ann@example.test", "--name", "Ann", "--reason", "she wrote")
    world.listctl("subscriber", "move", "ann@example.test", "ann@new.test", "--reason", "married")
    world.listctl("subscriber", "add", "news", "ann@example.test", "--reassigned", "the next Ann", "--consent", "by telephone")
    world.listctl("subscriber", "unsubscribe", "news", "ann@new.test", "--reason", "had enough")
    assert [what for what, _ in changes(world, "ann@new.test")] == [
        "subscriber.unsubscribe", "subscriber.move", "subscriber.set", "subscriber.add"], changes(world, "ann@new.test")
    assert changes(world, "ann@new.test")[3][1]["consent"] == "paper form of Ann"
    assert [(what, detail["consent"]) for what, detail in changes(world, "ann@example.test")] == [("subscriber.add", "by telephone")]
    plan = {(row["place"], row["deed"]): row["rows"] for row in world.json("subscriber", "erase", "ann@new.test", "--dry-run")}
    done = {(row["place"], row["deed"]): row["rows"] for row in world.json("subscriber", "erase", "ann@new.test", "--yes")}
    assert plan["audit", "blanked"] == done["audit", "blanked"] == 4, (plan, done)
    left = [row for row in world.sql("SELECT action, subject, detail FROM audit WHERE subscriber_id = 1 ORDER BY id")]
    assert left == [[f"subscriber.{verb}", "subscriber:erased", "{}"] for verb in ("add", "set", "move", "unsubscribe")], left
    said = world.value("SELECT string_agg(subject || detail, ' ') FROM audit")
    assert not [text for text in ("paper form", "she wrote", "married", "had enough", "ann@new.test") if text in said], said
    assert [(what, detail["consent"]) for what, detail in changes(world, "ann@example.test")] == [("subscriber.add", "by telephone")]


def test_changes_of_before(world):
    "Rows of before the audit named people are given to whoever had the address then, by the moves; where nobody knows they are nobody's, and what the release before writes is not."
    world.setup()
    for address in ("ann@x.test", "ann@y.test", "cem@x.test"):
        world.listctl("subscriber", "add", "news", address)
    world.sql("DELETE FROM audit; UPDATE subscriber SET created_at = '2026-01-01' WHERE id < 3; UPDATE subscriber SET created_at = '2026-03-01' WHERE id = 3;"
              # 1 had ann@x until February, then one@x, and has ann@x again since April; 3 was dee@x until May; 2 never moved
              "UPDATE subscriber SET address_since = '2026-04-01' WHERE id = 1; UPDATE subscriber SET address_since = '2026-05-01' WHERE id = 3;"
              "INSERT INTO former_address (subscriber_id, address_key, since, until) VALUES (1, 'one@x.test', '2026-02-01', '2026-04-01'),"
              " (3, 'dee@x.test', '2026-03-01', '2026-05-01');")
    rows = [("2026-01-10", "ann@x.test", 1), ("2026-03-10", "one@x.test", 1), ("2026-04-10", "ann@x.test", 1), ("2026-04-11", "one@x.test", None),
            ("2026-04-12", "dee@x.test", 3), ("2026-06-01", "dee@x.test", None), ("2026-04-13", "cem@x.test", None), ("2026-06-02", "cem@x.test", 3),
            ("2025-12-01", "ann@y.test", None), ("2026-06-03", "ann@y.test", 2), ("2026-06-04", "erased", None)]
    for at, key, _ in rows:
        world.sql(f"INSERT INTO audit (at, actor, action, subject) VALUES ('{at}', 'a', 'subscriber.set', 'subscriber:{key}')")
    world.sql("INSERT INTO audit (at, actor, action, subject, detail) VALUES"
              """ ('2026-02-01', 'a', 'subscriber.move', 'subscriber:one@x.test', '{"subscriber_id": 1, "from": "ann@x.test"}')""")
    assert world.value("SELECT subscriber_id FROM audit WHERE at = '2026-06-03'") == "2", "what the release before writes"
    text = (pathlib.Path(__file__).parents[2] / "schema" / "050-audit-of-people.sql").read_text()
    world.sql("UPDATE audit SET subscriber_id = NULL; " + text[text.index("WITH had AS"):text.index("-- The release before")])
    found = world.sql("SELECT at::date, substr(subject, 12), coalesce(subscriber_id::text, '') FROM audit WHERE action = 'subscriber.set' ORDER BY id")
    assert found == [[at, key, str(person or "")] for at, key, person in rows], found
    assert world.value("SELECT subscriber_id FROM audit WHERE action = 'subscriber.move'") == "1"


def test_the_rules_judge_a_move(world):
    "A new address is judged as one that is added: a rule warns of it or refuses it."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@example.test")
    world.listctl("address-rule", "add", "disposable", "thrown.test", "--action", "refuse")
    world.refused("subscriber", "move", "ann@example.test", "ann@thrown.test", says=["thrown.test", "address-rule ls"])
    said = world.run("listctl", "subscriber", "move", "ann@example.test", "info@gmial.com")
    assert said.returncode == 0 and "is a role" in said.stderr and "gmail.com mistyped" in said.stderr, said
    assert world.value("SELECT address FROM subscriber") == "info@gmial.com"


def test_whom_an_import_brings_back(world):
    "import --resubscribe writes into the audit of each person it brings back that it did, why and from what consent; of nobody else."
    world.setup()
    world.subscribe(["ann@example.test", "bob@example.test"])
    world.listctl("subscriber", "unsubscribe", "news", "ann@example.test")
    path = world.file("p.csv", "email\nann@example.test\nbob@example.test\nnew@example.test\n")
    world.listctl("import", "news", path)
    assert world.value("SELECT count(*) FROM audit WHERE action = 'subscriber.resubscribe'") == "0"
    world.listctl("import", "news", path, "--resubscribe", "asked at the fair", "--consent", "list 7")
    assert changes(world, "ann@example.test")[0] == (
        "subscriber.resubscribe", {"lists": ["news"], "reason": "asked at the fair", "consent": "list 7", "import": True})
    rows = world.sql("SELECT a.subject, s.address, a.actor <> '' FROM audit a JOIN subscriber s ON s.id = a.subscriber_id WHERE a.action = 'subscriber.resubscribe'")
    assert rows == [["subscriber:ann@example.test", "ann@example.test", "t"]], rows


def test_what_comes_back_for_the_former_address(world):
    "A late report on a copy to the address of before is kept and told, and counts for nobody; one on a copy to the present address counts."
    (moved, stayed, spelt), campaign = people(world, 3)
    world.sql("UPDATE subscriber SET address = address_key, address_key = 'p3@gmail.com', canonical = NULL WHERE id = 3")
    world.start("bounced")
    world.listctl("subscriber", "move", "p1@example.test", "new@example.test")
    world.listctl("subscriber", "move", "p3@gmail.com", "p.3@gmail.com")  # the same mailbox
    for person in (moved, stayed, spelt):
        deliver(world, "", return_path(world, campaign, person), dsn(mark=str(person)))
    assert membership(world, moved)[0] == "active" and events(world, moved) == [("bounce-hard", "user-unknown")]
    assert membership(world, stayed) == membership(world, spelt) == ("disabled", "user-unknown")
    told = json.loads(world.listctl("explain", "new@example.test", "--format", "json"))
    assert (told["bounces"][0]["standing"], told["bounces"][0]["forwarded_to"]) == ("former address", None), told["bounces"]
    assert told["person"]["disables"] is False, told["person"]
    assert [row["standing"] for row in world.json("bounce", "ls") if row["email"] == "new@example.test"] == ["former address"]
    assert world.listctl("export", "--bounces").count("former address") == 1

    # Taken by the relay a moment after the move: the report tells which address it was for.
    second = send(world, "second")
    deliver(world, "", return_path(world, second, moved), dsn(mark="4", diagnostic="550 5.1.1 <p1@example.test>: User unknown").replace(
        "Final-Recipient: rfc822;", "Final-Recipient: rfc822; p1@example.test\nX-Was:"))
    assert membership(world, moved)[0] == "active", world.sql("SELECT recipient FROM bounce_event ORDER BY id")
    third = send(world, "third")
    deliver(world, "", return_path(world, third, moved), dsn(mark="5", diagnostic="550 5.1.1 <new@example.test>: User unknown").replace(
        "Final-Recipient: rfc822;", "Final-Recipient: rfc822; new@example.test\nX-Was:"))
    assert membership(world, moved) == ("disabled", "user-unknown"), world.sql("SELECT recipient FROM bounce_event ORDER BY id")
    world.stop("bounced")


def test_find(world):
    "By the beginning of an address, at once; by a part of anything with --anywhere; a limit is told."
    world.setup()
    for name, town in (("anna", "Köln"), ("annette", "Bonn"), ("bob", "KÖLN")):
        world.listctl("subscriber", "add", "news", f"{name}@example.test", "--name", name.title(), "--set", f"city={town}")

    def found(*arguments):
        return [row["email"].split("@")[0] for row in json.loads(world.listctl("subscriber", "find", *arguments, "--format", "json"))]
    assert found("ANN") == ["anna", "annette"] and found("bob@") == ["bob"] and found("nn") == []
    assert found("köln", "--anywhere") == ["anna", "bob"] and found("NETT", "--anywhere") == ["annette"]
    for verb in (("subscriber", "find", "ann"), ("explain", "ann@example.test"), ("bounce", "ls"), ("segment", "show", "x")):
        for wrong in ("0", "-1", "x"):
            world.refused(*verb, "--limit", wrong, code=2, says="--limit takes a number from 1 to")
    limited = world.run("listctl", "subscriber", "find", "ann", "--limit", "1")
    assert "the first one of several" in limited.stderr and len(limited.stdout.splitlines()) == 2, limited
    assert "--limit" not in world.run("listctl", "subscriber", "find", "ann", "--limit", "2").stderr, "there are no more"
    assert found("%", "--anywhere") == [] and found("'", "--anywhere") == []


def test_find_by_other_names(world):
    "A whole address finds whoever has its mailbox in another spelling, or had the address before a move; a domain is found in either script; said is by what."
    world.setup()
    for address in ("An.Na@gmail.com", "bob@old.test", "jo@b\u00fccher.example"):
        world.listctl("subscriber", "add", "news", address)
    world.listctl("subscriber", "move", "bob@old.test", "bob@new.test")

    def found(*arguments):
        return [(row["email"].split("@")[0].lower(), row["found_as"]) for row in json.loads(world.listctl("subscriber", "find", *arguments, "--format", "json"))]
    for anywhere in ((), ("--anywhere",)):
        assert found("a.nna+x@googlemail.com", *anywhere) == [("an.na", "anna@gmail.com")]
        assert found("an.na@gmail.com", *anywhere) == [("an.na", None)]
        assert found("BOB@old.test", *anywhere) == [("bob", "bob@old.test")] and found("bob@new.test", *anywhere) == [("bob", None)]
        assert found("jo@b\u00fccher.example", *anywhere) == found("Jo@xn--bcher-kva.example", *anywhere) == [("jo", None)]
    assert found("bob@o") == [("bob", "bob@old.test")] and found("bob") == [("bob", None)]
    assert found("b\u00fccher.example", "--anywhere") == found("@b\u00fccher.example", "--anywhere") == [("jo", None)]
    assert found("old.test", "--anywhere") == [("bob", "bob@old.test")] and found("nobody@old.test") == found("nobody@old.test", "--anywhere") == []


def test_for_programs(world):
    "With --format json each verb that changes somebody writes an object as show does, with what it has done; a table writes nothing but its sentence."
    world.setup()
    steps = [("add", "news", "ann@x.test", "--set", "a=1"), ("set", "ann@x.test", "--name", "Ann"), ("move", "ann@x.test", "ann@y.test"),
             ("unsubscribe", "news", "ann@y.test"), ("resubscribe", "news", "ann@y.test", "--reason", "asked")]
    for verb, *operands in steps:
        done = world.json("subscriber", verb, *operands)
        assert done.keys() == shown(world, "#1").keys() and done["person"] == shown(world, "#1")["person"], done
        assert [row["what"] for row in done["changes"]] == [f"subscriber.{verb}"] and done["memberships"][0]["list"] == "news", done
    assert done["memberships"][0]["state"] == "active" and done["former_addresses"][0]["email"] == "ann@x.test", done
    assert world.listctl("subscriber", "set", "#1", "--name", "Bo") == ""
    refused = world.run("listctl", "subscriber", "set", "#7", "--name", "Bo", "--format", "json")
    assert refused.returncode == 1 and refused.stdout == "", refused


def test_while_a_campaign_runs(world):
    "Changes are honoured by a campaign that runs: who leaves gets nothing, who moves gets it at the new address, attributes are the new ones."
    world.setup()
    for name in ("leaves", "moves", "changes", "stays"):
        world.listctl("subscriber", "add", "news", f"{name}@example.test", "--set", "word=old")
    world.campaign("spring", text="word {{word}}\n")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 4, "the audience to be frozen")
    world.listctl("campaign", "pause", "spring")
    world.listctl("subscriber", "unsubscribe", "news", "leaves@example.test")
    world.listctl("subscriber", "move", "moves@example.test", "moved@example.test")
    world.listctl("subscriber", "set", "changes@example.test", "--set", "word=new")
    world.mailworld("* accept\n")
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert (status["accepted"], status["skipped"]) == (3, 1), status
    assert sorted(message["to"].split("@")[0] for message in world.accepted()) == ["changes", "moved", "stays"]
    letters = [path.read_text() for path in (world.base / "mailworld.mail").iterdir()]
    assert sum("word new" in letter for letter in letters) == 1 and sum("word old" in letter for letter in letters) == 2
