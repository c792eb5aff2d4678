"""Rules on addresses: what `address check` says, how an administrator changes the table, and that each change is in the audit."""

import csv
import io
import json


def world_ready(world):
    world.setup()
    return world


def checked(world, *addresses, stdin=None):
    """By address: what `address check` says, whether or not all would be taken."""
    done = world.run("listctl", "address", "check", *addresses, "--format", "json", stdin=stdin)
    assert done.returncode in (0, 1), done.stderr
    return {row["address"]: row for row in json.loads(done.stdout)}


def rules(world, *options):
    return {(row["kind"], row["value"]): row for row in world.json("address-rule", "ls", *options)}


def audit(world):
    return world.sql("SELECT actor <> '', action, subject, detail::text FROM audit WHERE action LIKE 'address-rule.%' ORDER BY id")


def test_check_tells_what_an_address_is(world):
    "Address for sending, key, mailbox and findings; the exit says whether all would be taken."
    world_ready(world)
    found = checked(world, "A.B+News@GoogleMail.com", "jane@gmial.com", "Info+x@Example.org", "x@sub.mailinator.com", "jané@bücher.example",
                    "no-address", "jane@example.org")
    row = found["A.B+News@GoogleMail.com"]
    assert (row["verdict"], row["send_to"], row["key"], row["mailbox"]) == (
        "ok", "A.B+News@googlemail.com", "a.b+news@googlemail.com", "ab@gmail.com"), row
    row = found["jane@gmial.com"]
    assert (row["verdict"], row["findings"], row["suggestion"]) == ("warned", "typo", "jane@gmail.com"), row
    assert "gmail.com mistyped" in row["notes"], row
    assert found["Info+x@Example.org"]["findings"] == "role" and found["Info+x@Example.org"]["verdict"] == "warned"
    assert found["x@sub.mailinator.com"]["findings"] == "disposable"
    assert found["jané@bücher.example"]["verdict"] == "ok" and "SMTPUTF8" in found["jané@bücher.example"]["notes"]
    row = found["no-address"]
    assert row["verdict"] == "invalid" and row["send_to"] is None and "@" in row["notes"], row
    row = found["jane@example.org"]
    assert (row["verdict"], row["mailbox"], row["notes"]) == ("ok", "jane@example.org", None), row
    world.listctl("address", "check", "jane@example.org", "jane@gmial.com")
    world.refused("address", "check", "jane@example.org", "bad", says="1 of 2 addresses would not be taken")
    world.refused("address", "check", code=2, says="ADDRESS")
    assert audit(world) == []


def test_check_reads_lines(world):
    "Lines of standard input, blank ones left out, the last one without its end; an endless one is refused."
    world_ready(world)
    lines = "".join(f"person{i}@example.test\r\n" for i in range(5000)) + "\n  \nlast@gmial.com"
    found = checked(world, "-", stdin=lines)
    assert len(found) == 5001 and found["last@gmial.com"]["verdict"] == "warned", len(found)
    assert found["person4999@example.test"]["verdict"] == "ok"
    world.refused("address", "check", "-", stdin="a" * 200_000, says="1024 octets")
    hostile = checked(world, "-", stdin="a\x1b[31m@example.org\nb@exa\u202emple.org\n")
    assert [row["verdict"] for row in hostile.values()] == ["invalid", "invalid"], hostile


def test_rules_come_with_verpost(world):
    "A good list is there, warns only, and can be switched off but not removed."
    world_ready(world)
    there = rules(world)
    for rule in (("role", "postmaster"), ("role", "abuse"), ("role", "no-reply"), ("disposable", "mailinator.com"), ("typo", "*")):
        assert there[rule]["source"] == "builtin" and there[rule]["action"] == "warn", rule
    assert sum(1 for kind, _ in there if kind == "role") > 150 and sum(1 for kind, _ in there if kind == "disposable") > 500
    assert rules(world, "--own") == {}
    assert {kind for kind, _ in rules(world, "--kind", "role")} == {"role"}
    world.refused("address-rule", "rm", "role", "postmaster", says=["came with verpost", "--action off"])
    world.listctl("address-rule", "set", "role", "Postmaster", "--action", "off", "--reason", "we write to them")
    assert checked(world, "postmaster@example.org")["postmaster@example.org"]["verdict"] == "ok"
    assert rules(world)["role", "postmaster"]["source"] == "builtin"
    assert audit(world) == [["t", "address-rule.set", "address-rule:role:postmaster", '{"action": "off", "reason": "we write to them"}']]


def test_own_rules(world):
    "Rules of one's own are added, changed and removed, with an audit row each; what does not go together is refused whole."
    world_ready(world)
    world.listctl("address-rule", "add", "disposable", "@Trash.example", "bücher.example", "--action", "refuse")
    world.listctl("address-rule", "add", "typo", "exmaple.org", "--hint", "Example.org")
    world.listctl("address-rule", "add", "role", "vorstand@")
    own = rules(world, "--own")
    assert set(own) == {("disposable", "trash.example"), ("disposable", "xn--bcher-kva.example"), ("typo", "exmaple.org"), ("role", "vorstand")}
    found = checked(world, "a@x.trash.example", "a@exmaple.org", "Vorstand@example.org")
    assert found["a@x.trash.example"]["verdict"] == "refused"
    assert found["a@exmaple.org"]["suggestion"] == "a@example.org"
    assert found["Vorstand@example.org"]["findings"] == "role"
    world.refused("address", "check", "a@trash.example", says="1 of 1")
    world.listctl("address-rule", "set", "disposable", "trash.example", "--action", "warn")
    assert checked(world, "a@trash.example")["a@trash.example"]["verdict"] == "warned"
    world.listctl("address-rule", "rm", "disposable", "trash.example", "bücher.example")
    assert checked(world, "a@trash.example")["a@trash.example"]["verdict"] == "ok"
    assert [(row[1], row[2]) for row in audit(world)] == [
        ("address-rule.add", "address-rule:disposable:trash.example"),
        ("address-rule.add", "address-rule:disposable:xn--bcher-kva.example"),
        ("address-rule.add", "address-rule:typo:exmaple.org"), ("address-rule.add", "address-rule:role:vorstand"),
        ("address-rule.set", "address-rule:disposable:trash.example"),
        ("address-rule.rm", "address-rule:disposable:trash.example"),
        ("address-rule.rm", "address-rule:disposable:xn--bcher-kva.example")]
    before = (rules(world), audit(world))
    for words, code, says in (
            (("add", "role", "vorstand"), 1, "already"), (("add", "role", "new", "info"), 1, "already"),
            (("add", "role", "info@example.org"), 1, "before the @"), (("add", "disposable", "no_dot"), 1, "dot"),
            (("add", "typo", "exampel.org"), 1, "--hint"), (("add", "role", "boss", "--hint", "a.example"), 1, "only a typo"),
            (("add", "typo", "a.example", "--hint", "a.example"), 1, "itself"), (("add", "typo", "a.example", "--hint", "b@c"), 1, ""),
            (("add", "rolle", "boss"), 2, "role, disposable or typo"), (("add", "role", "boss", "--action", "drop"), 2, "warn, refuse or off"),
            (("add", "role", "boss", "--reason", ""), 2, "--reason"), (("add", "role"), 2, "VALUE"),
            (("set", "role", "unheard", "--action", "off"), 1, "address-rule ls"), (("set", "role", "info"), 2, "--action"),
            (("set", "role", "info", "--hint", "a.example"), 1, "hint"), (("set", "role", "info", "unheard", "--action", "off"), 1, "unheard"),
            (("rm", "role", "unheard"), 1, "no rule"), (("rm", "role", "vorstand", "info"), 1, "came with verpost"),
            (("ls", "--kind", "x"), 2, "kind")):
        world.refused("address-rule", *words, code=code, says=says)
    assert (rules(world), audit(world)) == before


def test_slips_may_be_switched_off(world):
    "One domain that is no slip, and all that are found."
    world_ready(world)
    world.listctl("address-rule", "add", "typo", "gmal.com", "--action", "off")
    found = checked(world, "a@gmal.com", "a@gmial.com")
    assert [row["verdict"] for row in found.values()] == ["ok", "warned"], found
    world.refused("address-rule", "set", "typo", "gmal.com", "--action", "warn", says="hint")
    world.listctl("address-rule", "set", "typo", "*", "--action", "refuse")
    assert checked(world, "a@gmial.com")["a@gmial.com"]["verdict"] == "refused"
    world.listctl("address-rule", "set", "typo", "*", "--action", "off")
    assert checked(world, "a@gmial.com")["a@gmial.com"]["verdict"] == "ok"


def test_a_public_list_is_imported_and_brought_up_to_date(world):
    "A list of domains without a header; what was switched off stays off; --replace removes what the list has no longer."
    world_ready(world)
    world.listctl("address-rule", "set", "disposable", "mailinator.com", "--action", "off")
    first = world.file("list.conf", "# a public list\none.example\nTwo.example\n\nmailinator.com\ntwo.example\n")
    assert "added: 2, changed: 0, as they were: 1" in world.run("listctl", "address-rule", "import", first, "--kind", "disposable").stderr
    world.listctl("address-rule", "set", "disposable", "two.example", "--action", "refuse")
    world.listctl("address-rule", "add", "role", "boss")
    second = world.file("second.conf", "two.example\nthree.example\nmailinator.com\n")
    update = ("address-rule", "import", second, "--kind", "disposable", "--replace")
    before = rules(world)
    assert "dry run" in world.run("listctl", *update, "--dry-run").stderr
    assert rules(world) == before
    done = world.run("listctl", *update, "--reason", "monthly")
    assert "added: 1, changed: 0, as they were: 2, removed: 1" in done.stderr, done.stderr
    own = {key: row["action"] for key, row in rules(world, "--own").items()}
    assert own == {("disposable", "two.example"): "refuse", ("disposable", "three.example"): "warn", ("role", "boss"): "warn"}, own
    assert rules(world)["disposable", "mailinator.com"]["action"] == "off"
    assert audit(world)[-1][1:] == ["address-rule.import", f"address-rule:{second}", '{"added": 1, "reason": "monthly", "changed": 0, "removed": 1}']
    world.refused("address-rule", "import", second, "--replace", code=2, says="--kind")


def test_what_ls_writes_can_be_imported(world):
    "The export of one installation is the import of another."
    world_ready(world)
    world.listctl("address-rule", "add", "typo", "exmaple.org", "--hint", "example.org", "--action", "refuse")
    world.listctl("address-rule", "add", "role", "=cmd")
    world.listctl("address-rule", "set", "role", "info", "--action", "off")
    text = world.listctl("address-rule", "ls", "--format", "csv")
    before = {key: {**row, "changed_at": None} for key, row in rules(world).items()}
    for verb in (("rm", "typo", "exmaple.org"), ("rm", "role", "=cmd"), ("set", "role", "info", "--action", "warn")):
        world.listctl("address-rule", *verb)
    world.listctl("address-rule", "import", "-", stdin=text)
    assert {key: {**row, "changed_at": None} for key, row in rules(world).items()} == before
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(before)


def test_a_bad_file_changes_nothing(world):
    "Line and remedy, and not one rule."
    world_ready(world)
    before = (rules(world), audit(world))
    for label, content, options, says in (
            ("no kind", "value\na.example\n", (), ["line 1", "--kind"]),
            ("no value", "kind,action\nrole,warn\n", (), ["line 1", "value or domain"]),
            ("no header", "a.example\nb.example\n", (), ["line 1", "header"]),
            ("a bad domain", "kind,value\ndisposable,a.example\ndisposable,b\n", (), ["line 3", "dot"]),
            ("a bad kind", "kind,value\nrule,a\n", (), ["line 2", "role, disposable or typo"]),
            ("a bad action", "kind,value,action\nrole,a,drop\n", (), ["line 2", "warn, refuse or off"]),
            ("a slip without hint", "kind,value\ntypo,a.example\n", (), ["line 2", "hint"]),
            ("a hint too many", "kind,value,hint\nrole,a,b.example\n", (), ["line 2", "only a typo"]),
            ("a field too many", "kind,value\nrole,a,b\n", (), ["line 2", "3 fields"]),
            ("a NUL", "a.example\nb\0.example\n", ("--kind", "disposable"), ["line 2"]),
            ("not UTF-8", b"a.example\nb\xfccher.example\n", ("--kind", "disposable"), ["line 2"]),
            ("empty", "", ("--kind", "disposable"), ["no rule"]),
            ("remarks only", "# nothing\n", ("--kind", "disposable"), ["no rule"]),
            ("an address in a list", "a.example\nb@c.example\n", ("--kind", "disposable"), ["line 2"]),
            ("too many", "".join(f"d{i}.example\n" for i in range(100_001)), ("--kind", "disposable"), ["line 100001", "100000"])):
        path = world.file("rules.csv", content)
        world.refused("address-rule", "import", path, *options, says=says)
        assert (rules(world), audit(world)) == before, label
    world.refused("address-rule", "import", "/nowhere/rules.csv", says="/nowhere/rules.csv")


def test_the_table_has_a_ceiling(world):
    "No more rules than an import loads; what is there goes on working."
    world_ready(world)
    path = world.file("list.conf", "".join(f"d{i}.example\n" for i in range(99_900)))
    world.refused("address-rule", "import", path, "--kind", "disposable", says="and 100000 of")
    path = world.file("long.conf", "".join(f"{'a' * 60}.{'b' * 60}.{'c' * 60}.d{i}.example\n" for i in range(50_000)))
    world.refused("address-rule", "import", path, "--kind", "disposable", says="8388608 together")
    assert rules(world, "--own") == {}
    world.sql("INSERT INTO address_rule (kind, value) SELECT 'disposable', 'd' || i || '.example' FROM generate_series(1,"
              " 100000 - (SELECT count(*) FROM address_rule)) AS i")
    world.refused("address-rule", "add", "role", "boss", says="and 100000 of")
    assert checked(world, "a@d1.example")["a@d1.example"]["verdict"] == "warned"


def test_an_import_warns(world):
    "Warnings are counted by kind, listed on request, and take nobody away; addresses stay as given."
    world_ready(world)
    path = world.file("people.csv", "name,email\nA,jane@gmial.com\nB,Info@Example.org\nC,x@sub.mailinator.com\nD,=info+a@Yaho.com\nE,plain@example.org\n"
                                    "F,bad\n")
    listed = world.base / "warnings.csv"
    done = world.run("listctl", "import", "news", path, "--skip-bad", "--warnings", listed)
    assert done.returncode == 0 and "warnings about addresses: role: 1, disposable: 1, typo: 2" in done.stderr, done.stderr
    assert str(listed) in done.stderr
    with open(listed, newline="", encoding="utf-8") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [("2", "jane@gmial.com", "typo", "gmail.com"), ("3", "Info@example.org", "role", ""),
                    ("4", "x@sub.mailinator.com", "disposable", ""), ("5", "'=info+a@yaho.com", "typo", "yahoo.com")], rows
    assert world.value("SELECT string_agg(address, ' ' ORDER BY address COLLATE \"C\") FROM subscriber") == \
        "=info+a@yaho.com Info@example.org jane@gmial.com plain@example.org x@sub.mailinator.com"
    found = world.json("import", "news", path, "--skip-bad", "--dry-run")
    assert (found["warned_role"], found["warned_disposable"], found["warned_typo"], found["warnings"]) == (1, 1, 2, None), found
    assert "--warnings PATH lists them" in world.run("listctl", "import", "news", path, "--skip-bad").stderr
    fine = world.file("fine.csv", "email\nplain@example.org\n")
    done = world.run("listctl", "import", "news", fine, "--warnings", listed)
    assert "warnings" not in done.stderr and listed.read_text() == "line,address,kind,hint\n", (done.stderr, listed.read_text())


def test_a_rule_refuses_rows(world):
    "Refused rows are rejects with their reason: they refuse the file, or with --skip-bad themselves only."
    world_ready(world)
    world.listctl("address-rule", "set", "typo", "*", "--action", "refuse")
    world.listctl("address-rule", "set", "role", "noreply", "--action", "refuse")
    path = world.file("people.csv", "E-Mail,name\njane@gmial.com,A\nnoreply@example.org,B\ninfo@example.org,C\nplain@example.org,D\n")
    world.refused("import", "news", path, says=["2 of 4 rows are refused", "refused by a rule on addresses: 2", "line 2", "gmail.com mistyped"])
    assert world.value("SELECT count(*) FROM subscriber") == "0"
    found = world.json("import", "news", path, "--skip-bad")
    assert (found["rows"], found["refused"], found["warned_role"], found["warned_typo"]) == (2, 2, 1, 0), found
    with open(found["rejects"], newline="", encoding="utf-8") as file:
        rejects = list(csv.DictReader(file))
    assert [(row["_line"], row["_column"], row["E-Mail"]) for row in rejects] == [("2", "e_mail", "jane@gmial.com"), ("3", "e_mail", "noreply@example.org")], rejects
    assert all("address-rule ls" in row["_reason"] for row in rejects), rejects
    world.listctl("address-rule", "set", "typo", "*", "--action", "off")
    found = world.json("import", "news", path, "--skip-bad")
    assert (found["refused"], found["warned_typo"]) == (1, 0), found


def test_the_file_of_warnings_has_its_own_place(world):
    "What cannot be written is refused before anything is read; other files of the import are left alone."
    world_ready(world)
    path = world.file("people.csv", "email\njane@gmial.com\n")
    for where, code, says in ((world.base, 1, "directory"), ("/nowhere/w.csv", 1, "--warnings PATH"), (path, 2, "file of its own"),
                              (f"{path}.rejects.csv", 2, "file of its own")):
        world.refused("import", "news", path, "--warnings", where, code=code, says=says)
    assert path.read_text() == "email\njane@gmial.com\n" and world.value("SELECT count(*) FROM subscriber") == "0"
