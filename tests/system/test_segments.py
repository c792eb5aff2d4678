"""Segments: who is in them by each fact, what is said about predicates that are none, and the index."""

import json
import os
import pty
import select
import subprocess
import time

from verpost import BIN, until


def person(world, name, lists=("news",), joined=10, **attributes):
    """A subscriber, member of lists since so many days."""
    world.sql("INSERT INTO subscriber (address, address_key, attributes)"
              f" VALUES ('{name}@example.test', '{name}@example.test', $a${json.dumps(attributes)}$a$)")
    for each in lists:
        world.sql("INSERT INTO membership (list_id, subscriber_id, joined_at) SELECT l.id, s.id, now() - interval '%d days'"
                  " FROM list l, subscriber s WHERE l.name = '%s' AND s.address_key = '%s@example.test'" % (joined, each, name))


def people(world, segment, *options):
    shown = json.loads(world.listctl("segment", "show", segment, "--format", "json", "--limit", "100", *options))
    names = [row["email"].split("@")[0] for row in shown["people"]]
    assert shown["segment"]["people"] == len(names) == count(world, segment, *options), shown
    return sorted(names)


def count(world, segment, *options):
    return json.loads(world.listctl("segment", "count", segment, "--format", "json", *options))["people"]


def campaign(world, name, days, outcomes):
    """A campaign that ended so many days ago, and what became of its recipients."""
    world.sql("INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at)"
              f" SELECT '{name}', id, 's', 'a@example.test', 't', 'finished', {len(outcomes)}, now() - interval '{days} days',"
              f" now() - interval '{days} days' FROM list WHERE name = 'news'")
    for who, outcome in outcomes.items():
        reason = "NULL" if outcome == "accepted" else "'user-unknown'"
        world.sql("INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, reason)"
                  f" SELECT c.id, s.id, '{outcome}', 1, now() - interval '{days} days', {reason} FROM campaign c, subscriber s"
                  f" WHERE c.name = '{name}' AND s.address_key = '{who}@example.test'")


def bounced(world, who, reason, days, **columns):
    more = "".join(f", {key}" for key in columns)
    values = "".join(f", {value}" for value in columns.values())
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, judged_at%s)"
              " SELECT 0, nextval('bounce_event_id'), s.id, sha256('%s %s'), 'report', now() - interval '%d days', 'bounce-soft', '%s', now()%s"
              " FROM subscriber s WHERE s.address_key = '%s@example.test'" % (more, who, reason, days, reason, values, who))


def test_attributes(world):
    "A predicate over attributes finds whom it is true for, and is no error where it cannot be asked."
    world.setup()
    person(world, "ann", country="ID", age=30)
    person(world, "bob", country="ID", age="old")
    person(world, "cat", country="DE", age=40)
    person(world, "dan", lists=(), country="ID", age=50)
    person(world, "eve")
    world.listctl("segment", "create", "grown", "--where", '$.country == "ID" && $.age > 20', "--about", "for the shop")
    assert people(world, "grown") == ["ann", "dan"]
    assert people(world, "grown", "--list", "news") == ["ann"]
    listed = json.loads(world.listctl("segment", "ls", "--format", "json"))
    assert listed == [{"segment": "grown", "definition": 'attributes match $.country == "ID" && $.age > 20', "index": False,
                       "about": "for the shop"}], listed
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto'")
    assert people(world, "grown", "--list", "news") == []


def test_joined(world):
    "Joined before and after a day or an age: in the list that is asked about, or in any."
    world.setup()
    world.listctl("list", "create", "other", "--from", "o@example.test")
    for name, days in (("old", 400), ("year", 200), ("new", 3)):
        person(world, name, joined=days)
    person(world, "two", lists=("other",), joined=500)
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s"
              " WHERE l.name = 'news' AND s.address_key = 'two@example.test'")
    person(world, "mix", joined=900)
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s"
              " WHERE l.name = 'other' AND s.address_key = 'mix@example.test'")
    day = world.value("SELECT to_char(now() - interval '300 days', 'YYYY-MM-DD')")
    for name, options in (("a", ["--joined-before", "100d"]), ("b", ["--joined-after", "100d"]), ("c", ["--joined-before", day]),
                          ("d", ["--joined-after", day, "--joined-before", "100d"])):
        world.listctl("segment", "create", name, *options)
    assert people(world, "a") == ["mix", "old", "two", "year"] and people(world, "a", "--list", "news") == ["mix", "old", "year"]
    assert people(world, "b", "--list", "news") == ["new", "two"]
    assert people(world, "c", "--list", "news") == ["mix", "old"]
    assert people(world, "d", "--list", "news") == ["year"]
    assert people(world, "d") == ["year"], "one membership lies within both bounds, not two of them together"


def test_accepted_and_bounced(world):
    "Whom a message was accepted for, whom for none, and who bounced, for which reason and when; voided reports do not count."
    world.setup()
    for name in ("ann", "bob", "cat", "dan"):
        person(world, name)
    campaign(world, "long-ago", 200, {"ann": "accepted", "bob": "accepted"})
    campaign(world, "lately", 5, {"ann": "accepted", "bob": "refused"})
    bounced(world, "bob", "mailbox-full", 5)
    bounced(world, "cat", "user-unknown", 100)
    bounced(world, "dan", "mailbox-full", 5, voided="true")
    for name, options in (("read", ["--accepted-within", "30d"]), ("ever", ["--accepted-within", "365d"]),
                          ("quiet", ["--not-accepted-within", "30d"]), ("full", ["--bounced", "mailbox-full, policy"]),
                          ("any", ["--bounced", "mailbox-full,user-unknown"]),
                          ("late", ["--bounced", "mailbox-full,user-unknown", "--bounced-within", "30d"])):
        world.listctl("segment", "create", name, *options)
    assert people(world, "read") == ["ann"] and people(world, "ever") == ["ann", "bob"]
    assert people(world, "quiet") == people(world, "quiet", "--list", "news") == ["bob", "cat", "dan"]
    assert people(world, "full") == ["bob"] and people(world, "any") == ["bob", "cat"] and people(world, "late", "--list", "news") == ["bob"]


def reported(world, name, who, reason, kind):
    """What came back of that campaign's copy."""
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, judged_at)"
              f" SELECT c.id, nextval('bounce_event_id'), s.id, sha256('{who}'), 'report', now(), '{kind}', '{reason}', now()"
              f" FROM campaign c, subscriber s WHERE c.name = '{name}' AND s.address_key = '{who}'")


def test_who_moved_has_not_bounced(world):
    "What came back of a former address puts nobody into a segment; what came of the present one does, and a complaint is the person's own."
    world.setup()
    names = ("stays", "moved", "again", "angry")
    for name in names:
        person(world, name)
    campaign(world, "lately", 5, dict.fromkeys(names, "refused"))
    for name in names:
        complains = name == "angry"
        reported(world, "lately", f"{name}@example.test", *(("complaint", "complaint") if complains else ("user-unknown", "bounce-hard")))
    world.listctl("segment", "create", "bad", "--bounced", "user-unknown,complaint", "--bounced-within", "30d")
    assert people(world, "bad") == sorted(names)
    for name in names[1:]:
        world.listctl("subscriber", "move", f"{name}@example.test", f"{name}@new.test")
    assert people(world, "bad") == people(world, "bad", "--list", "news") == ["angry", "stays"]
    campaign(world, "now", 0, {})
    world.sql("INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, reason) SELECT c.id, s.id, 'refused', 1, now(), 'user-unknown'"
              " FROM campaign c, subscriber s WHERE c.name = 'now' AND s.address_key = 'again@new.test'")
    reported(world, "now", "again@new.test", "user-unknown", "bounce-hard")
    assert people(world, "bad") == ["again", "angry", "stays"]
    assert sorted(line.split("@")[0] for line in world.listctl("export", "--segment", "bad").splitlines()[1:]) == ["again", "angry", "stays"]


def test_members_of_lists(world):
    "Member of each of these lists, of none of those; only active ones count."
    world.setup()
    for name in ("x", "y"):
        world.listctl("list", "create", name, "--from", f"{name}@example.test")
    person(world, "one", lists=("news", "x"))
    person(world, "both", lists=("news", "x", "y"))
    person(world, "none")
    person(world, "left", lists=("news", "x", "y"))
    world.sql("UPDATE membership m SET state = 'unsubscribed', reason = 'mailto' FROM list l, subscriber s"
              " WHERE m.list_id = l.id AND l.name = 'y' AND m.subscriber_id = s.id AND s.address_key = 'left@example.test'")
    for name, options in (("in-x", ["--member-of", "x"]), ("in-both", ["--member-of", "x,y"]), ("x-not-y", ["--member-of", "x", "--not-member-of", "y"]),
                          ("neither", ["--not-member-of", "x, y"])):
        world.listctl("segment", "create", name, *options)
    assert people(world, "in-x") == ["both", "left", "one"] and people(world, "in-both") == ["both"]
    assert people(world, "x-not-y", "--list", "news") == ["left", "one"] and people(world, "neither") == ["none"]
    text = json.loads(world.listctl("segment", "show", "x-not-y", "--format", "json"))["segment"]["definition"]
    assert text == "member of x, not member of y", text


def test_edit_and_remove(world):
    "edit changes one fact and leaves the others, '' takes one away, the last one stays; all of it is audited."
    world.setup()
    person(world, "ann", age=30, joined=100)
    person(world, "bob", age=10)
    world.listctl("segment", "create", "s", "--where", "$.age > 20", "--joined-before", "30d")
    assert people(world, "s") == ["ann"]
    world.listctl("segment", "edit", "s", "--where", "$.age < 20")
    assert people(world, "s") == []
    world.listctl("segment", "edit", "s", "--joined-before", "")
    assert people(world, "s") == ["bob"]
    world.refused("segment", "edit", "s", "--where", "", code=2, says="something that holds")
    world.refused("segment", "edit", "s", code=2, says="nothing to change")
    world.listctl("segment", "rm", "s")
    world.refused("segment", "count", "s", says=["no segment s", "segment ls"])
    actions = [row[0] for row in world.sql("SELECT action FROM audit WHERE subject = 'segment:s' ORDER BY at, action")]
    assert sorted(actions) == ["segment.create", "segment.edit", "segment.edit", "segment.rm"], actions


WRONG = {
    '$.country = "ID"': (11, "compare with =="),
    '$.country == "ID" AND $.age > 20': (19, "write && for and"),
    'country == "ID"': (1, "begins with $."),
    "$.country == 'ID'": (14, "double quotation marks"),
    "$country == 1": (1, "with a point"),
    "$.country": (10, "neither true nor false"),
    "$.a + 1": (8, "neither true nor false"),
    '$ ? (@.a == 1)': (15, "neither true nor false"),
    '$.a like_regex "("': (16, "regular expression"),
    '$.a like_regex "a{1,255}{1,255}" && $.b == 1': (16, "quantifier"),
    '$.b == 1 && $.a == "\\u0000"': (20, "Unicode"),
    "$.a > 1e131072": (7, "numeric"),
    "@.a == 1": (1, "write $"),
    "$.a == last": (8, "$.a[last]"),
    '$.since.datetime() > "2026-01-01".datetime()': (9, "compare as texts"),
    'exists($.a ? (@.datetime("HH24") > $.b))': (17, "compare as texts"),
    "$" + "[$" * 60 + "]" * 60 + " == 1": (101, "too deep"),
    '$.a == "x': (8, "not closed"),
}


def test_wrong_predicates(world):
    "What is no predicate is refused with its place, a mark under it and a remedy, and PostgreSQL refuses it too; nothing is made."
    world.setup()
    person(world, "ann", country="ID")
    for text, (column, words) in WRONG.items():
        error = world.refused("segment", "create", "s", "--where", text, says=["cannot be read", words])
        if column is not None:
            assert f"line 1, column {column}:" in error, (text, error)
            lines = error.splitlines()
            assert lines[-1].index("^") == lines[-2].index(text) + column - 1, error
    world.refused("segment", "create", "s", code=2, says="something that holds")
    world.refused("segment", "create", "s", "--bounced", "nonsense", code=2, says="no reason nonsense")
    world.refused("segment", "create", "s", "--member-of", "nosuch", says="no list nosuch")
    world.refused("segment", "create", "s", "--joined-before", "90", code=2, says="--joined-before")
    world.refused("segment", "create", "s", "--accepted-within", "2026-01-01", code=2, says="an age")
    world.refused("segment", "create", "S P", "--where", "$.a == 1", says='"S P" is no segment name')
    assert world.value("SELECT count(*) FROM segment") == "0"


# What can be asked of attributes, and attributes that fit none of it: jsonpath would be silent about most of them.
ASKED = ["$.a > 1", "$.a / $.z > 1", "$.a % 0 == 1", "$.a * 1e300 * 1e300 > 1", "$.a.double() > 1", "-$.a == 1", "$.a.abs() > 1", "$.a.ceiling() > 1",
         "$.a[3000000000] == 1", "$.a[$.b] == 1", "$.a[1e300 to last] == 1", '$.a["x"] == 1', "$.a.keyvalue().key == \"k\"", "$.**.a == 1", "strict $.no > 1",
         'strict $.a[9] == 1', '$.a like_regex "^(a+)+$" flag "q"', '$.a starts with "x"', '($.a > "x") is unknown', '$.a >= "2026-01-31"']
HOSTILE = [1, -1, 1e308, "", "x", "1e400", "NaN", "-infinity", "2026-01-31", "2026-01-31 10:00:00+02", "10:00:00+02", "24:00:00", "a" * 500, None, True,
           [], [1, "x"], ["2026-01-31", "2026-01-31T10:00:00+02"], {}, {"k": 1, "key": 2}, [{"a": [{}]}]]


def test_nothing_asked_fails(world):
    "What a predicate may ask makes no attributes whatever fail: neither a count nor an import into an index."
    world.setup()
    for number, (a, b) in enumerate((a, b) for a in HOSTILE for b in HOSTILE):
        person(world, f"p{number}", a=a, b=b, z=0) if number % 7 == 0 else None
    for number, text in enumerate(ASKED):
        world.listctl("segment", "create", f"s{number}", "--where", text, "--index")
        count(world, f"s{number}")
    world.listctl("import", "news", world.file("p.csv", "email,a,b,z\nq@example.test,2026-01-31 10:00:00+02,x,0\n"), "--format", "json")


def keep_old(world, name, predicate):
    """A segment as an earlier release took it."""
    world.sql("ALTER TABLE segment DROP CONSTRAINT segment_predicate_never_raises;"
              f" INSERT INTO segment (name, written, predicate) VALUES ('{name}', $p${predicate}$p$, $p${predicate}$p$);"
              " ALTER TABLE segment ADD CONSTRAINT segment_predicate_never_raises CHECK (NOT predicate_may_raise(predicate)) NOT VALID")


OLD = '$.since.datetime() > "2026-01-01".datetime()'


def test_a_failed_index_leaves_nothing(world):
    "An index that cannot be made is said so, and nothing of it stays in the way; the segment can be mended."
    world.setup()
    person(world, "ann", since="2026-03-01 10:00:00+02")
    keep_old(world, "old", OLD)
    world.refused("segment", "index", "old", says=["segment old is there, but not its index", "time zone", "is removed", "tries again"])
    assert world.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'segment\\_%' AND relkind = 'i' AND relname ~ '[0-9]$'") == "0"
    world.refused("segment", "edit", "old", "--joined-after", "3d", says=["line 1, column 9", "earlier release", "--where"])
    world.listctl("segment", "edit", "old", "--where", '$.since > "2026-01-01"', "--joined-after", "30d")
    assert people(world, "old") == ["ann"]


def test_two_who_edit(world):
    "Of two who edit a segment at once the second changes what the first has left."
    world.setup()
    world.listctl("segment", "create", "s", "--where", "$.a == 1")
    with world.holding("UPDATE segment SET silent_days = 9 WHERE name = 's'") as commit:
        second = subprocess.Popen([BIN / "listctl", "--config", world.config, "segment", "edit", "s", "--where", "$.a == 2"])
        until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0", "the second to wait")
        commit()
    assert second.wait(30) == 0
    assert world.sql("SELECT written, silent_days FROM segment") == [["$.a == 2", "9"]]


def on_a_terminal(world, *arguments, during, words):
    """What stands on a terminal while `during` keeps the database from answering until words are seen, or for some time; and what is printed."""
    terminal, other_end = pty.openpty()
    with world.holding(during) as commit:
        process = subprocess.Popen([BIN / "listctl", "--config", world.config, *arguments], stdout=subprocess.PIPE, stderr=other_end, text=True)
        os.close(other_end)
        shown, end = b"", time.monotonic() + (30 if words else 3)
        while time.monotonic() < end and not (words and words in shown):
            if select.select([terminal], [], [], 0.2)[0]:
                shown += os.read(terminal, 4096)
        commit()
    out = process.communicate(timeout=60)[0]
    os.close(terminal)
    assert process.returncode == 0, (shown, out)
    return shown, out


def test_progress(world):
    "What lasts shows how long it has on a terminal, beside what is printed; --quiet shows nothing."
    world.setup()
    person(world, "ann", a=1)
    world.listctl("segment", "create", "s", "--where", "$.a == 1")
    world.campaign("spring", segment="s", start=False)
    hold = "LOCK TABLE subscriber IN ACCESS EXCLUSIVE MODE"
    for arguments, words in ((("segment", "count", "s"), b"counting, 0:01 so far"), (("campaign", "audience", "spring"), b"counting a part of it, 0:01"),
                             (("campaign", "create", "summer", "news", "--subject", "s", "--text", world.file("t.txt", "Hello")), b"reading which attributes")):
        shown, out = on_a_terminal(world, *arguments, during=hold, words=words)
        assert words in shown and b"so far" not in out.encode(), (shown, out)
    shown, out = on_a_terminal(world, "segment", "count", "s", "--format", "json", "--quiet", during=hold, words=b"")
    assert shown == b"" and json.loads(out)["people"] == 1, (shown, out)


# Of attributes a and city, of which the first 10,000 people have only city: which hint each predicate gets.
NOBODY = "none of the subscribers has an attribute "
HINTS = {
    "$.city == 1": None, "$.a == 1": None, "$.a.b == 1": None, '$."a" == 1': None, '$."\\u0061" == 1': None, "$.\\u0061 == 1": None,
    "$.size() == 1": None, '$.keyvalue().key == "a"': None, '$.*.type() == "string"': None, "$.**.x == 1": None, "exists($ ? (@.x == 1))": None,
    "$.city.size() == 1 && ($.a == 1) is unknown": None, "strict $.a == 1": None, "$.a == 1 /* $.x */": None,
    "$.citty == 1": NOBODY + 'citty; the nearest known one is "city"', "$.size == 1": NOBODY + "size; known are city",
    "$.A == 1": NOBODY + "A;", 'exists($.city ? (@ == $."zip code"))': NOBODY + "zip code;", "$.x == 1 || $.x == 2": NOBODY + "x;",
    '$.email == "x"': NOBODY + "email; a subscriber's address and name are no attributes",
    '$.Name == "x"': NOBODY + "Name; a subscriber's address and name are no attributes",
}


def test_hints_about_fields(world):
    "A field that nobody has is told, once, with the nearest one; of a field that somebody has, a method, or what is not known to be a field nothing is said."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, '{\"city\": 1}'"
              " FROM generate_series(1, 10000) AS n, LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    person(world, "last", a=1)
    for n, (predicate, hint) in enumerate(HINTS.items()):
        told = world.run("listctl", "segment", "create", f"s{n}", "--where", predicate)
        said = [line for line in told.stderr.splitlines() if line.startswith("listctl:")]
        assert told.returncode == 0 and len(said) == (0 if hint is None else 1), (predicate, told)
        assert hint is None or hint in said[0], (predicate, said)


def test_index(world):
    "An index is made while others write, used, renewed with the predicate and dropped with the segment."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, jsonb_build_object('n', n)"
              " FROM generate_series(1, 20000) AS n, LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.listctl("segment", "create", "few", "--where", "$.n > 19990", "--index")
    world.sql("VACUUM ANALYZE subscriber")

    def plan():
        query = world.value("SELECT segment_query(id, NULL) FROM segment")
        return str(world.sql(f"EXPLAIN {query}"))

    number = world.value("SELECT id FROM segment")
    assert f"segment_{number}" in plan(), plan()
    assert count(world, "few") == 10
    world.listctl("segment", "edit", "few", "--where", "$.n > 19980")
    assert f"segment_{number}" in plan() and count(world, "few") == 20
    assert json.loads(world.listctl("segment", "ls", "--format", "json"))[0]["index"] is True
    world.listctl("segment", "index", "few", "--drop")
    assert f"segment_{number}" not in plan() and count(world, "few") == 20
    world.listctl("segment", "index", "few")
    world.listctl("segment", "rm", "few")
    assert world.value(f"SELECT to_regclass('segment_{number}') IS NULL") == "t"


def test_sender_may_ask(world):
    "The role of sender finds a segment's people: campaigns are frozen by it."
    world.setup()
    person(world, "ann", age=1)
    world.listctl("segment", "create", "s", "--where", "$.age == 1", "--not-accepted-within", "10d", "--bounced", "policy")
    world.sql("SET ROLE verpost_sender; SELECT segment_people(id, 1), segment_count(id, NULL), segment_text(id) FROM segment")
