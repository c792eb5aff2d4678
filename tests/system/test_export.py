"""What leaves the database: members in any shape, what came back, what is suppressed, and files that are whole or not there."""

import csv
import io
import json
import os
import random
import signal
import subprocess

from verpost import BIN, TOP, until


def people(world, *rows):
    """Subscribers of news with these attributes, in this order."""
    for number, attributes in enumerate(rows):
        world.sql("WITH s AS (INSERT INTO subscriber (address, address_key, name, attributes)"
                  f" SELECT a, a, 'Reader {number}', $a${json.dumps(attributes)}$a$ FROM (SELECT 'r{number}@example.test' AS a) AS x"
                  " RETURNING id) INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, s WHERE l.name = 'news'")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_tell_their_types(world):
    "Attributes that hold no texts say so in the header, and their cells hold what JSON writes; texts stand as they are."
    world.setup()
    people(world, {"age": 42, "vip": True, "tags": ["a", "b"], "city": "Köln", "mixed": "x"},
           {"age": -1.5, "vip": False, "city": "", "mixed": 7}, {"tags": {"k": None}})
    rows = rows_of(world.listctl("export", "news"))
    assert list(rows[0]) == ["email", "name", "age:number", "city", "mixed:json", "tags:json", "vip:boolean"], rows[0]
    assert [row["age:number"] for row in rows] == ["42", "-1.5", ""], rows
    assert [row["mixed:json"] for row in rows] == ['"x"', "7", ""], rows
    assert json.loads(rows[0]["tags:json"]) == ["a", "b"] and json.loads(rows[2]["tags:json"]) == {"k": None}, rows
    assert ',"",' in world.listctl("export", "news").splitlines()[2]  # the empty text is said, what is absent is not


def test_json_lines(world):
    "--format json writes one object a line, with attributes as they are."
    world.setup()
    people(world, {"age": 12345678901234567890123, "City Name": "Köln"}, {})
    lines = world.listctl("export", "news", "--format", "json").splitlines()
    assert "12345678901234567890123" in lines[0]
    assert [json.loads(line) for line in lines] == [
        {"email": "r0@example.test", "name": "Reader 0", "attributes": {"age": 12345678901234567890123, "City Name": "Köln"}},
        {"email": "r1@example.test", "name": "Reader 1", "attributes": {}}]
    state = json.loads(world.listctl("export", "news", "--format", "json", "--state", "all").splitlines()[0])
    assert state["_state"] == "active" and state["_since"].endswith("Z"), state


def test_consents_come_back(world):
    "How and when people agreed leaves with them and comes back, to the fraction of a second, as CSV and as JSON lines; where nothing is known, no column tells of it."
    world.setup()
    people(world, {}, {}, {}, {"n": 1})
    assert "_consent" not in world.listctl("export", "news") + world.listctl("export", "news", "--format", "json", "--state", "all")
    for number, source, at in ((0, "'=form, on \"paper\"'", "'2024-02-29 10:20:30.123456Z'"), (1, "NULL", "'2023-01-02 03:04:05Z'"), (2, "'fair'", "NULL")):
        world.sql(f"UPDATE membership SET consent_source = {source}, consent_at = {at} FROM subscriber s"
                  f" WHERE s.id = subscriber_id AND s.address = 'r{number}@example.test'")
    read = "SELECT s.address, m.consent_source, m.consent_at, m.state FROM membership m JOIN subscriber s ON s.id = m.subscriber_id ORDER BY 1"
    before = world.sql(read)
    world.listctl("segment", "create", "everyone", "--where", "$.n == 1 || !exists($.n)")
    for options in ([], ["--format", "json"], ["--state", "all"], ["--state", "all", "--format", "json"], ["--segment", "everyone"]):
        text = world.listctl("export", "news", *options)
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        world.listctl("import", "news", world.file("again", text))
        assert world.sql(read) == before, (options, text, world.sql(read))
    assert rows_of(world.listctl("export", "news"))[3]["_consent_time"] == ""
    assert "_consent" not in world.listctl("export", "--segment", "everyone")


def test_a_late_attribute_is_in_the_header(world):
    "A column that only the last of thousands has, or another type of value in it, is in the file as if it had been known from the start."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, jsonb_build_object('n', n)"
              " FROM generate_series(1, 5000) AS n, LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("UPDATE subscriber SET attributes = '{\"n\": \"text\", \"late\": true}' WHERE address_key = 'p4999@example.test'")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s ORDER BY s.id")
    rows = rows_of(world.listctl("export", "news"))
    assert len(rows) == 5000 and list(rows[0]) == ["email", "name", "late:boolean", "n:json"], rows[0]
    assert [(row["email"], row["late:boolean"], row["n:json"]) for row in rows if row["late:boolean"] or not row["n:json"].isdigit()] == [
        ("p4999@example.test", "true", '"text"')]
    assert sum(int(row["n:json"]) for row in rows if row["n:json"].isdigit()) == 5000 * 5001 // 2 - 4999


def test_formulas_are_made_harmless(world):
    "Text that a spreadsheet would run gets an apostrophe, in names and headers too; --raw leaves it; a number stays a number."
    world.setup()
    people(world, {"a": "=HYPERLINK(1)", "b": "+49 30", "c": "-5", "d": "@x", "e": "'=1", "=f": "\u00a0=1"})
    world.sql("UPDATE subscriber SET name = '=cmd()'")
    row = rows_of(world.listctl("export", "news"))[0]
    assert (row["name"], row["a"], row["b"], row["c"], row["d"], row["e"]) == ("'=cmd()", "'=HYPERLINK(1)", "'+49 30", "-5", "'@x", "''=1")
    assert "attribute:=f" in row, row
    raw = rows_of(world.listctl("export", "news", "--raw"))[0]
    assert (raw["name"], raw["a"], raw["d"], raw["e"]) == ("=cmd()", "=HYPERLINK(1)", "@x", "'=1"), raw


def parts(path):
    return list(path.parent.glob(f"{path.name}.part*"))


def test_a_file_is_whole_or_not_there(world):
    "--output FILE: there when nothing is missing, with the mode that umask leaves or that it had; the old one stays when something fails."
    world.setup()
    people(world, {"a": "1"})
    path, fresh = world.base / "out.csv", world.base / "fresh.csv"
    path.write_text("old")
    path.chmod(0o640)
    error = world.refused("export", "nosuch", "--output", path, says="no list nosuch")
    assert path.read_text() == "old", error
    before = os.umask(0o027)
    try:
        for file in (path, fresh):
            world.listctl("export", "news", "--output", file)
            assert file.read_text() == world.listctl("export", "news") and file.stat().st_mode & 0o777 == 0o640, oct(file.stat().st_mode)
        path.chmod(0o600)
        world.listctl("export", "news", "--output", path)
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert world.listctl("export", "news", "--output", "-") == world.listctl("export", "news"), "- is standard output"
    world.refused("export", "news", "--output", world.base / "no" / "out.csv", says=["cannot write", "out.csv"])
    world.refused("export", "news", "--output", world.base, says="directory")
    os.mkfifo(world.base / "pipe")
    world.refused("export", "news", "--output", world.base / "pipe", says=["cannot write", "pipe"])
    assert not parts(path) and (world.base / "pipe").is_fifo(), "a part is left, or a pipe is gone"


def test_nobody_elses_file_is_written(world):
    "What others have put beside the file, or a symbolic link in its place, is left as it is."
    world.setup()
    people(world, {"a": "1"})
    path, precious = world.base / "out.csv", world.file("precious", "mine")
    for name in ("out.csv", "out.csv.part"):
        (world.base / name).symlink_to(precious)
    world.listctl("export", "news", "--output", path)
    assert precious.read_text() == "mine" and not path.is_symlink() and path.read_text().startswith("email,")
    assert (world.base / "out.csv.part").is_symlink()


def test_two_at_once(world):
    "Two exports to one file do not mix: it is one of them, whole."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key) SELECT a, a FROM generate_series(1, 20000) AS n,"
              " LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s")
    path = world.base / "both.csv"
    command = [BIN / "listctl", "--config", world.config, "export", "news", "--output", path]
    running = [subprocess.Popen([*command, "--format", form], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) for form in ("csv", "json") * 2]
    whole = {form: world.listctl("export", "news", "--format", form) for form in ("csv", "json")}
    assert [process.wait(60) for process in running] == [0] * 4
    assert path.read_text() in whole.values() and not parts(path)


def test_a_disk_that_is_full(world):
    "A file that cannot be written whole is an error, on standard output too."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key) SELECT a, a FROM generate_series(1, 20000) AS n,"
              " LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s")
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / "listctl", "--config", world.config, "export", "news"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "could not be written whole" in done.stderr, done


def test_an_export_is_of_one_moment(world):
    "Who joins or changes while an export runs is not in it, even when it has to read everything twice."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, '{\"n\": 1}' FROM generate_series(1, 60000) AS n,"
              " LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("UPDATE subscriber SET attributes = '{\"late\": \"x\"}' WHERE address_key = 'p60000@example.test'")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s")
    path = world.base / "moment.csv"
    with open(path, "w") as out:
        running = subprocess.Popen([BIN / "listctl", "--config", world.config, "export", "news"], stdout=out, stderr=subprocess.PIPE)
        until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'") != "0"
              or running.poll() is not None, "the COPY to begin")
        world.sql("UPDATE subscriber SET attributes = '{\"new\": \"y\"}'")
        assert running.wait(60) == 0, running.stderr.read()
    header = path.read_text().splitlines()[0]
    assert header in ("email,name,late,n:number", "email,name,new"), header  # before or after, never a mixture
    assert len(path.read_text().splitlines()) == 60001


def test_stopped_in_the_middle(world):
    "Ctrl-C leaves no file, under its name or another one."
    world.setup()
    people(world, {"a": "1"})
    path = world.base / "stopped.csv"
    lock = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lock.stdin.write("BEGIN; LOCK verpost.subscriber;\\echo locked\n")
    lock.stdin.flush()
    assert lock.stdout.readline() == "locked\n"
    running = subprocess.Popen([BIN / "listctl", "--config", world.config, "export", "news", "--output", path], stderr=subprocess.PIPE)
    until(lambda: parts(path), "the export to begin")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130 and b"interrupted" in running.stderr.read()
    lock.communicate("ROLLBACK;\n", timeout=60)
    assert not path.exists() and not parts(path)
    world.listctl("export", "news", "--output", path)
    assert path.exists()


def test_bounces_and_suppressions(world):
    "--bounces and --suppressions, of a list or of all, as CSV and JSON lines; suppress import reads the latter back."
    world.setup()
    people(world, {})
    world.sql("INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
              " SELECT 'spring', id, 's', 'a@example.test', 't', 'running', 1, now() FROM list")
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic, judged_at)"
              " SELECT c.id, nextval('bounce_event_id'), s.id, sha256('x'), 'report', '2026-01-02 03:04:05Z', 'bounce-hard', 'user-unknown',"
              " '=550 no', now() FROM campaign c, subscriber s")
    world.listctl("list", "create", "other", "--from", "o@example.test")
    row = rows_of(world.listctl("export", "--bounces"))[0]
    assert (row["campaign"], row["list"], row["email"], row["kind"], row["reason"], row["received_at"], row["diagnostic"]) == (
        "spring", "news", "r0@example.test", "bounce-hard", "user-unknown", "2026-01-02T03:04:05Z", "'=550 no"), row
    assert rows_of(world.listctl("export", "--bounces", "other")) == []
    exported = json.loads(world.listctl("export", "--bounces", "news", "--format", "json"))
    assert exported["diagnostic"] == "=550 no"
    # The same id and the same words wherever it is told.
    told = [exported, world.json("bounce", "ls")[0], world.json("explain", "r0@example.test")["bounces"][0]]
    told.append(world.json("bounce", "show", exported["bounce"]))
    told[-1] = told[-1].get("event", told[-1])
    assert {(type(one["bounce"]), one["bounce"], one["standing"]) for one in told} == {(int, exported["bounce"], "judged")}, told
    world.listctl("suppress", "add", "gone@example.test", "never.test", "--reason", "asked, by letter")
    world.listctl("suppress", "add", "one@example.test", "--list", "other")
    exported = world.listctl("export", "--suppressions")
    assert [(row["value"], row["list"]) for row in rows_of(exported)] == [
        ("gone@example.test", ""), ("never.test", ""), ("one@example.test", "other")], exported
    world.sql("DELETE FROM suppression")
    world.listctl("suppress", "import", world.file("s.csv", exported))
    assert world.value("SELECT count(*) FROM suppression WHERE reason = 'asked, by letter'") == "2"


def test_bounces_of_a_list(world):
    "--bounces LIST has what came of the copies that went through the list, also of another list's campaign, and each column stands in the manual."
    world.setup()
    world.listctl("list", "create", "shop", "--from", "shop@example.test")
    world.subscribe(["own@example.test"])
    world.subscribe(["gone@example.test"], "shop")
    world.start("bounced")
    world.mailworld("own*@* accept report postfix\ngone*@* refuse rcpt 550 5.1.1 unknown\n")
    world.start("sender")
    world.campaign("both", also_list="shop")
    world.finished("both")
    until(lambda: world.value("SELECT count(*) FROM bounce_event WHERE judged_at IS NOT NULL") == "2", "both bounces")
    everything = world.listctl("export", "--bounces")
    expected = {"news": "own@example.test", "shop": "gone@example.test"}
    assert {row["list"]: row["email"] for row in rows_of(everything)} == expected, everything
    for name, email in expected.items():
        exported = [json.loads(line) for line in world.listctl("export", "--bounces", name, "--format", "json").splitlines()]
        listed = world.json("bounce", "ls", "--list", name)
        assert [row["email"] for row in exported] == [row["email"] for row in listed] == [email], (exported, listed)
        assert all(type(value) is (int if key == "bounce" else str) or value is None for row in exported for key, value in row.items()), exported
    manual = (TOP / "man/listctl.1.tail").read_text().replace("\\_", "_")
    for column in rows_of(everything)[0]:
        assert f"*{column}*" in manual, column
    world.sql("UPDATE bounce_event SET received_at = now() - interval '9 days' WHERE source = 'reply'")
    assert [row["list"] for row in rows_of(world.listctl("export", "--bounces", "--since", "3d"))] == ["news"]
    assert len(rows_of(world.listctl("export", "--bounces", "--since", "1970-01-01"))) == 2
    world.refused("export", "--bounces", "--since", "2100-01-01", code=2, says="lies ahead")
    world.refused("export", "news", "--since", "3d", code=2, says="--bounces")
    world.refused("export", "bounces", says=["no list bounces", "`listctl export --bounces`"])


def test_a_segment(world):
    "--segment writes those who are in it: of a list, active ones, or of everybody."
    world.setup()
    people(world, {"age": 20}, {"age": 40}, {"age": 25})
    world.listctl("list", "create", "other", "--from", "o@example.test")
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto' WHERE subscriber_id = 3")
    world.listctl("segment", "create", "young", "--where", "$.age < 30")
    assert [row["email"] for row in rows_of(world.listctl("export", "news", "--segment", "young"))] == ["r0@example.test"]
    everybody = world.listctl("export", "--segment", "young")
    assert [(row["email"], row["age:number"]) for row in rows_of(everybody)] == [("r0@example.test", "20"), ("r2@example.test", "25")]
    assert rows_of(world.listctl("export", "other", "--segment", "young")) == []
    assert len(world.listctl("export", "--segment", "young", "--format", "json").splitlines()) == 2
    world.refused("export", "--segment", "nosuch", says="no segment nosuch")
    world.refused("export", "news", "--segment", "young", "--state", "all", code=2, says="--segment")


def any_value(chance, depth=0):
    """Any value that an attribute may have, nasty ones not seldom."""
    alphabet = ["a", "Z", "0", " ", ",", '"', "'", ";", "=", "+", "-", "@", "|", "\\", "ü", "城", "😀", "\u00a0", "{{x}}", "'=", ":", "[", "null"]
    text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(6)))
    kinds = [text, text, chance.choice(["007", "1e5", "-0", "true", "NULL", "2026-01-01"]), chance.randrange(-10**6, 10**6),
             chance.choice([0.5, -1.25, 10**20, 10**30]), True, False]
    if depth < 2:
        kinds += [None, [any_value(chance, depth + 1) for _ in range(2)], {"k": any_value(chance, depth + 1), "é": "x"}]
    return chance.choice(kinds)


def any_name(chance):
    """Any name that an attribute may have, most of them none that a header's words could be."""
    pieces = ["#3", "-", "ключ", "城", "City Name", "a", "Z", " ", ":", '"', "\\", "'", "=", "@", ",", ";", "\n", "\t", "attribute:", "number", "json", "_",
              "x" * 70, "a@b.c", "sep=;", "+", "null", "%s", "{{x}}"]
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(4)))


def test_names_come_back(world):
    "Attributes of any name stand in the header so that import makes the same of them, and nobody is warned of anything."
    world.setup()
    names = {"#3": "x", "-": "y", "ключ": 7, "City Name": "Köln", "city_name": "Bonn", "": "empty", " a": True, "b\n": [1], "age:number": "old",
             "attribute:x": "z", "x@y.org": "w", "n" * 300: "long", "tags": "t", '"q"': "q", "status": "unsubscribed"}
    people(world, names)
    done = world.run("listctl", "export", "news")
    assert done.returncode == 0 and not done.stderr, done
    header = next(csv.reader(io.StringIO(done.stdout, newline="")))
    assert {"attribute:#3", "attribute:-", "attribute:ключ:number", "attribute:City Name", "city_name", 'attribute:""',
            "attribute:age:number:text", "attribute:x@y.org", "tags", "attribute:status"} <= set(header), header
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    world.listctl("import", "news", world.file("names.csv", done.stdout))
    assert json.loads(world.value("SELECT attributes FROM subscriber")) == names


def test_as_many_columns_as_an_export_has(world):
    "A file of a thousand attributes is read back; one more is not written as CSV."
    world.setup()
    people(world, {f"c{i:04}": str(i) for i in range(1000)})
    exported = world.listctl("export", "news", "--state", "all")
    before = world.value("SELECT attributes FROM subscriber")
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    world.listctl("import", "news", world.file("wide.csv", exported))
    assert world.value("SELECT attributes FROM subscriber") == before
    world.sql("UPDATE subscriber SET attributes = attributes || '{\"c1000\": 1}'")
    world.refused("export", "news", says=["1000", "--format json"])


def test_raw_is_for_other_programs(world):
    "--raw writes texts as they are; import takes an apostrophe before a formula away, as the manual and --help say."
    world.setup()
    people(world, {"a": "'=1", "b": "=1", "c": "'x"})
    raw = world.listctl("export", "news", "--raw")
    row = rows_of(raw)[0]
    assert (row["a"], row["b"], row["c"]) == ("'=1", "=1", "'x"), row
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    world.listctl("import", "news", world.file("raw.csv", raw))
    assert json.loads(world.value("SELECT attributes FROM subscriber")) == {"a": "=1", "b": "=1", "c": "'x"}
    assert "takes away an apostrophe" in world.listctl("export", "--help").replace("\n", " ").replace("  ", " ")


def test_everything_comes_back(world):
    "Property: whatever people have, export, import into an empty database and export again give the same, in both formats."
    seed = int(os.environ.get("VERPOST_SEED", random.SystemRandom().randrange(10**6)))
    chance = random.Random(seed)
    world.setup()
    meanings = chance.sample(["full_name", "nama", "courriel", "vorname", "nachname", "state", "status", "email", "name", "adresse", "list", "leid",
                              "euid", "uuid", "tags", "gecos", "first_name", "_state", "_attributes", "subscription", "attribute"], 8)
    names = meanings + [any_name(chance) for _ in range(12)]
    people(world, *({name: any_value(chance) for name in [f"f{i}" for i in range(8)] + names if chance.random() < 0.7} for _ in range(60)))
    world.sql(f"UPDATE subscriber SET attributes = attributes || '{{\"{meanings[0]}\": \"unsubscribed\"}}' WHERE id % 5 = 0")
    world.sql("UPDATE subscriber SET name = (ARRAY['=1+1', $$O'Neil$$, '\"q\"', 'a,b', '', 'Jörg', $$'=x$$])[1 + id % 7]")
    before = world.sql("SELECT address, name, attributes FROM subscriber ORDER BY address_key")
    for form, name in (("csv", "all.csv"), ("json", "all.jsonl")):
        exported = world.listctl("export", "news", "--format", form)
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        world.listctl("import", "news", world.file(name, exported))
        after = world.sql("SELECT address, name, attributes FROM subscriber ORDER BY address_key")
        assert after == before, (f"VERPOST_SEED={seed}", form, [pair for pair in zip(before, after) if pair[0] != pair[1]][:3])
        assert sorted(world.listctl("export", "news", "--format", form).splitlines()) == sorted(exported.splitlines()), (f"VERPOST_SEED={seed}", form)


def test_wrong_uses(world):
    "A list is asked for, options that do not go together are refused, a table is no export."
    world.setup()
    world.refused("export", code=2, says="LIST is missing")
    world.refused("export", "news", "--format", "table", code=2, says="csv or json")
    world.refused("export", "--bounces", "--suppressions", code=2, says="not both")
    world.refused("export", "--bounces", "--state", "all", code=2, says="--state")
    world.refused("export", "news", "--state", "gone", code=2, says="--state takes")
