"""CSV in, CSV out: what is taken, what is set aside, what is refused, and that nothing is half done."""

import csv
import gzip
import io
import json
import os
import pathlib
import random
import signal
import subprocess

from verpost import BIN, until


def world_with_list(world):
    world.setup()
    return world


def counts(world, content, *options, name="people.csv", list_name="news"):
    """Imports and returns the counts."""
    return json.loads(world.listctl("import", list_name, world.file(name, content), "--format", "json", *options))


def rejects_of(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def everything(world):
    """What an import could have changed."""
    return (world.sql("SELECT address, address_key, name, attributes FROM subscriber ORDER BY id"),
            world.sql("SELECT list_id, subscriber_id, state, reason FROM membership ORDER BY 1, 2"),
            world.value("SELECT count(*) FROM audit"))


def members(world, state="active"):
    return [row[0] for row in world.sql("SELECT s.address_key FROM subscriber s JOIN membership m ON m.subscriber_id = s.id"
                                        f" WHERE m.state = '{state}' ORDER BY 1")]


def test_former_addresses(world):
    "A file of before a move makes no second person of whoever has moved: the row is left out and told, and taken in only for a reason."
    world_with_list(world)
    counts(world, "email,city\nann.lee@gmail.com,Bonn\nbob@example.test,Ulm\ncem@example.test,Hof\n")
    world.listctl("subscriber", "move", "ann.lee@gmail.com", "ann@new.test")
    world.listctl("subscriber", "move", "bob@example.test", "bob@new.test")
    before = everything(world)
    old = "email,city\nAnnLee@gmail.com,Trier\nbob@example.test,Ulm\ncem@example.test,Hof\ndora@example.test,Kiel\n"
    said = world.run("listctl", "import", "news", world.file("old.csv", old), "--dry-run")
    for part in ("former addresses of people who have moved, left out: 2", "--reassigned", "AnnLee@gmail.com (former address of ann@new.test, moved 20"):
        assert part in said.stderr, said.stderr
    assert "where the file comes from" not in said.stderr and everything(world) == before
    done = counts(world, old, name="old.csv")
    assert (done["former"], done["left_out"], done["rows"], done["created"], done["already"]) == (2, 2, 2, 1, 1), done
    assert "bob@example.test (former address of bob@new.test" in done["former_of"]
    rejects = rejects_of(done["rejects"])
    assert [(row["_line"], row["_column"], row["email"]) for row in rejects] == [("2", "email", "AnnLee@gmail.com"), ("3", "email", "bob@example.test")]
    assert "former address of ann@new.test, moved 20" in rejects[0]["_reason"] and "--reassigned" in rejects[0]["_reason"], rejects
    assert members(world) == ["ann@new.test", "bob@new.test", "cem@example.test", "dora@example.test"]

    # To another list as well; the rest of a file that is refused is told of them, too.
    world.listctl("list", "create", "other", "--from", "o@example.test")
    assert counts(world, old, list_name="other", name="old.csv")["former"] == 2
    world.refused("import", "news", world.file("bad.csv", "email\nnonsense\nbob@example.test\ne@example.test\n"), says="1 of 3 rows")
    assert [row["email"] for row in rejects_of(world.base / "bad.csv.rejects.csv")] == ["nonsense", "bob@example.test"]
    assert counts(world, "email\nbob@example.test\n")["former"] == 1, "a file of nobody else"

    # Another person's now: taken in once for a reason, known by it ever after. And whoever moves back is known.
    world.refused("import", "news", world.file("one.csv", "email\nbob@example.test\n"), "--reassigned", " ", code=2, says="--reassigned")
    done = counts(world, "email\nbob@example.test\n", "--reassigned", "the firm gave it to Bob Two")
    assert (done["former"], done["created"], done["joined"], done["rejects"]) == (0, 1, 1, None), done
    assert json.loads(world.sql("SELECT detail FROM audit WHERE action = 'list.import' ORDER BY id DESC LIMIT 1")[0][0])[
        "reassigned_because"] == "the firm gave it to Bob Two"
    world.listctl("subscriber", "move", "ann@new.test", "ann.lee@gmail.com")
    done = counts(world, old, name="old.csv")
    assert (done["former"], done["created"], done["already"]) == (0, 0, 4), done
    assert counts(world, "email\nann@new.test\n")["former"] == 1


def test_former_addresses_among_many(world):
    "Of many rows in several portions just those of people who have moved are left out, however many have."
    world_with_list(world)
    counts(world, "email\n" + "".join(f"p{n}@example.test\n" for n in range(12000)))
    world.sql("UPDATE subscriber SET address = 'new' || address, address_key = 'new' || address_key WHERE id % 5 = 0")
    moved = int(world.value("SELECT count(*) FROM former_address"))
    done = counts(world, "email\n" + "".join(f"p{n}@example.test\nq{n}@example.test\n" for n in range(12000)), name="many.csv")
    assert moved == 2400 and (done["former"], done["created"], done["already"]) == (moved, 12000, 12000 - moved), done
    assert len(rejects_of(done["rejects"])) == moved and world.value("SELECT count(*) FROM subscriber") == "24000"


def test_good_rows_are_taken_and_bad_ones_set_aside(world):
    "Good rows are imported; bad ones stand in the rejects file with line, column, reason and their fields."
    world_with_list(world)
    done = counts(world, "\ufeffE-Mail,First name,Last name,City\r\n"
                         'ann@example.test,Ann,Lee,"Köln, Altstadt"\r\n'
                         "not-an-address,,,\r\n"
                         "two@fields.test,x\r\n"
                         "bob@bücher.example,Bob,,=1+1\r\n"
                         'crlf@example.test,"line\r\nBcc: all@example.test",,C\r\n'
                         '"""q""@example.test",,,\r\n'
                         "ANN@example.test,,,Bonn\r\n", "--skip-bad")
    assert (done["rows"], done["created"], done["joined"], done["duplicates"], done["refused"]) == (3, 2, 2, 1, 4), done
    rows = world.sql("SELECT address_key, name, attributes ->> 'city' FROM subscriber ORDER BY 1")
    assert rows == [["ann@example.test", "Ann Lee", "Bonn"], ["bob@xn--bcher-kva.example", "Bob", "=1+1"]], rows
    rejects = rejects_of(done["rejects"])
    assert [(row["_line"], row["_column"]) for row in rejects] == [("3", "e_mail"), ("4", ""), ("6", "first_name"), ("8", "e_mail")], rejects
    assert all(row["_reason"] for row in rejects)
    assert rejects[0]["E-Mail"] == "not-an-address" and rejects[2]["First name"] == "line\r\nBcc: all@example.test", rejects


def test_what_no_header_takes(world):
    "C1 controls and line separators, which come of files converted wrongly, are set aside: their owners would get no letter."
    world_with_list(world)
    done = counts(world, "email,name,city\nann@a.test,Ann O\u0092Neil,Cork\nben@a.test,Ben,a\u2028b\ncat@a.test,Cät,Köln\n", "--skip-bad")
    rejects = rejects_of(done["rejects"])
    assert [(row["_line"], row["_column"]) for row in rejects] == [("2", "name"), ("3", "city")], rejects
    assert "Windows-1252" in rejects[0]["_reason"], rejects
    assert members(world) == ["cat@a.test"]
    for option, value in (("--title", "O\u0092Neil News"), ("--from", "O\u0092Neil <a@a.test>")):
        world.refused("list", "edit", "news", option, value, code=2 if option == "--title" else 1, says="control character")


def test_mended_rejects_are_imported(world):
    "The rejects file, its rows mended, is imported as it is."
    world_with_list(world)
    done = counts(world, "email,name\nbroken@,A\nfine@example.test,B\n", "--skip-bad")
    mended = open(done["rejects"], encoding="utf-8").read().replace("broken@", "mended@example.test")
    done = counts(world, mended, name="mended.csv")
    assert (done["rows"], done["refused"]) == (1, 0), done
    assert members(world) == ["fine@example.test", "mended@example.test"]
    assert world.value("SELECT attributes::text FROM subscriber WHERE address LIKE 'mended%'") == "{}"


REFUSED = {
    "wrong encoding, told so": (b"email,name\na@example.test,A\nb@example.test,J\xfcrg\n", ["line 3", "not UTF-8", "iconv"], ["--encoding", "utf-8"]),
    "NUL": (b"email,name\na@example.test,A\0B\n", ["line 2", "NUL"], []),
    "unterminated quote": (b'email,name\na@example.test,"A\nb@example.test,B\n', ["line 2", "quot", "never ends"], []),
    "stray quote": (b'email,name\na@example.test,A\nb@example.test,B "x"\n', ["line 3", "at character 18 ", "quotation mark", "write the mark twice"], []),
    "a header that cannot be parted": (b'email,"na\na@example.test,A\n', ["line 1", "never ends"], []),
    "a header that is none, told so": (b"a@example.test,A\nb@example.test,B\n", ["line 1", "no header row", "email,name"], ["--header", "yes"]),
    "no address column": (b"name,city\nA,B\n", ["line 1", "called email", "--map"], []),
    "two address columns": (b"email,e-mail\na@example.test,b@example.test\n", ["line 1", "columns 1 and 2", "--map '#2=email'"], []),
    "names that collide": (b"email,Zip Code,zip_code\na@example.test,1,2\n", ["line 1", "columns 2 and 3", "zip_code"], []),
    "a column that is not there": (b"email,name\na@example.test,1\n", ["line 1", "called Ort", "there are email, name"], ["--map", "Ort=city"]),
    "ten thousand columns": (b",".join(b"c%d" % i for i in range(10000)) + b"\n", ["line 1", "1,024 fields"], []),
    "empty": (b"", ["empty", "email,name"], []),
    "only blank lines": (b"\n\n", ["empty"], []),
    "no good row": (b"email\nnobody\n", ["every row is refused", "line 2, column email"], []),
    "one bad row": (b"email\na@example.test\nnobody\n", ["1 of 2 rows is refused", "line 3", "nothing was imported", "--skip-bad"], []),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), ["is a picture"], []),
    "an Excel workbook": (b"PK\x03\x04\x14\0\x06\0" + bytes(range(256)), ["Excel", "save its sheet as CSV"], []),
    "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ["Excel workbook", "save its sheet as CSV"], []),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(random.Random(1).randbytes(5000)), ["is no text"], []),
    "gzip, cut off": (gzip.compress(b"email\n" + b"".join(b"u%d@example.test\n" % i for i in range(9999)))[:-9], ["cannot be unpacked", "cut off"], []),
    "gzip, damaged": (gzip.compress(b"email\na@example.test\n")[:-8] + b"\0\0\0\0\0\0\0\0", ["cannot be unpacked", "damaged"], []),
    "gzip, something behind": (gzip.compress(b"email\na@example.test\n") + b"junk", ["cannot be unpacked", "stands behind"], []),
    "packed twice": (gzip.compress(gzip.compress(b"email\na@example.test\n")), ["packed twice"], []),
    "a date of either order": (b"email,born\na@example.test,03/04/2025\n", ["line 2, column born", "--date-order"], ["--type", "born=date"]),
}


def test_bad_files_change_nothing(world):
    "A file that cannot be read as rows of people gets one error with file, line and remedy, and changes nothing."
    world_with_list(world)
    counts(world, "email,name,city\nold@example.test,Old,Rome\n")
    before = everything(world)
    for label, (content, words, options) in REFUSED.items():
        path = world.file("bad.csv", content)
        error = world.refused("import", "news", path, *options, says=["bad.csv", *words])
        assert len(error.strip().splitlines()) == 1, (label, error)
        assert everything(world) == before, label
    directory = world.base / "folder.csv"
    directory.mkdir()
    world.refused("import", "news", directory, says=["folder.csv", "is a directory"])
    world.refused("import", "news", world.base / "missing.csv", says=["missing.csv", "No such file"])
    world.refused("import", "nosuch", world.file("good.csv", "email\na@example.test\n"), says=["no list nosuch", "list ls"])
    for options in (["--delimiter", "xx"], ["--encoding", "klingon"], ["--header", "maybe"], ["--map", "x"], ["--map", "x=Y Z"],
                    ["--type", "x=float"], ["--date-order", "ymd"], ["--strict", "--skip-bad"]):
        world.refused("import", "news", world.base / "good.csv", *options, code=2, says=options[0])
    world.refused("import", "news", world.base / "good.csv", "--rejects", world.base / "no" / "r.csv", says=["rejects file", "--rejects"])
    assert everything(world) == before


def test_all_or_nothing(world):
    "One bad row refuses the file, with --strict or without; --skip-bad takes the others; --dry-run changes nothing and ends alike."
    world_with_list(world)
    counts(world, "email,name\nold@example.test,Old\n")
    before = everything(world)
    mixed = world.file("mixed.csv", "email,name\nold@example.test,New\nnew@example.test,N\nbad,\n")
    for options in ([], ["--strict"], ["--dry-run", "--rejects", f"{mixed}.rejects.csv"]):
        world.refused("import", "news", mixed, *options, says=["mixed.csv", "1 of 3 rows", "nothing was imported", "mixed.csv.rejects.csv"])
        assert everything(world) == before
        assert [row["_line"] for row in rejects_of(f"{mixed}.rejects.csv")] == ["4"]
        os.unlink(f"{mixed}.rejects.csv")
    done = json.loads(world.listctl("import", "news", mixed, "--dry-run", "--skip-bad", "--format", "json"))
    assert (done["created"], done["updated"], done["joined"], done["already"], done["refused"]) == (1, 1, 1, 1, 1), done
    assert everything(world) == before
    done = json.loads(world.listctl("import", "news", mixed, "--skip-bad", "--format", "json"))
    assert (done["created"], done["updated"], done["refused"]) == (1, 1, 1), done


def test_a_dry_run_touches_no_file(world):
    "A dry run neither writes nor removes a file that nobody has named, whatever it finds."
    world_with_list(world)
    for content, refused in (("email\nbad\nok@example.test\n", True), ("email\nok@example.test\n", False)):
        path = world.file("dry.csv", content)
        older = world.file("dry.csv.rejects.csv", "of an earlier import\n")
        files = sorted(os.listdir(world.base))
        done = world.run("listctl", "import", "news", path, "--dry-run", "--skip-bad")
        assert done.returncode == 0 and ("--rejects PATH" in done.stderr) == refused, done
        done = world.run("listctl", "import", "news", path, "--dry-run")
        assert done.returncode == int(refused) and ("--rejects PATH" in done.stderr) == refused, done
        assert older.read_text() == "of an earlier import\n" and sorted(os.listdir(world.base)) == files
    world.listctl("import", "news", path)
    assert not older.exists(), "an import removes it"


def test_reasons_for_programs(world):
    "The JSON report counts refused and left out rows by reason and has the first one, also where the file is refused whole."
    world_with_list(world)
    content = "email,status,age:number\nbad,active,1\nworse,active,2\nok@example.test,active,x\nleft@example.test,unsubscribed,1\nin@example.test,active,2\n"
    path = world.file("why.csv", content)
    reasons = [{"reason": "bad address", "rows": 2, "left_out": False}, {"reason": "value of another type", "rows": 1, "left_out": False},
               {"reason": "has left or bounced", "rows": 1, "left_out": True}]
    for options, code, joined in ((["--dry-run"], 1, 0), ([], 1, 0), (["--skip-bad"], 0, 1)):
        done = world.run("listctl", "import", "news", path, "--format", "json", *options)
        said = json.loads(done.stdout)
        assert done.returncode == code and said["reasons"] == reasons, done
        assert said["first_refused"].startswith("line 2, column email: ") and (said["joined"], said["refused"], said["left_out"]) == (joined, 3, 1), said
        assert said["rejects"] == (None if "--dry-run" in options else f"{path}.rejects.csv"), said
    assert counts(world, "email\nin@example.test\n")["reasons"] == []


def test_values_are_merged(world):
    "A second import adds and changes values, keeps those it does not name, and counts what it left alone."
    world_with_list(world)
    counts(world, "email,name,a,b\np@example.test,Pat,1,2\nq@example.test,Quin,,\n")
    done = counts(world, 'email,name,b,c\nP@Example.test,,3,""\nq@example.test,,,\n')
    assert (done["updated"], done["unchanged"], done["already"]) == (1, 1, 2), done
    rows = world.sql("SELECT name, attributes FROM subscriber ORDER BY address_key")
    assert [(name, json.loads(text)) for name, text in rows] == [("Pat", {"a": "1", "b": "3", "c": ""}), ("Quin", {})], rows
    world.sql("UPDATE subscriber SET attributes = '{\"age\": 42, \"a\": \"1\"}' WHERE address_key = 'p@example.test'")
    done = counts(world, "email,age\np@example.test,42\n")
    assert done["unchanged"] == 1 and world.value("SELECT attributes -> 'age' = '42' FROM subscriber WHERE name = 'Pat'") == "t", done


def attributes_of(world, address):
    return json.loads(world.value(f"SELECT attributes FROM subscriber WHERE address_key = '{address}'"))


def test_what_left_a_value_is_gone(world):
    "A new list or object takes the place of the old one in whatever way it comes, and segments no longer count who was in it."
    world_with_list(world)

    def line(**values):
        return json.dumps({"email": "cl@tt.test", "attributes": values}) + "\n"

    cases = ((["sport", "politics"], ["sport"]), (["sport"], []), ({"x": 1, "y": 2}, {"x": 1}), ({"x": {"y": 1}}, {}), (1, None))
    for before, after in cases:
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        counts(world, line(topics=before, a=1), name="a.jsonl")
        done = counts(world, line(topics=after), name="b.jsonl")
        assert (done["updated"], done["unchanged"]) == (1, 0), (before, after, done)
        assert attributes_of(world, "cl@tt.test") == {"a": 1, "topics": after}, (before, after)
        again = counts(world, line(topics=after), name="b.jsonl")
        assert (again["updated"], again["unchanged"]) == (0, 1), (before, after, again)
    world.listctl("segment", "create", "sporty", "--where", '$.topics[*] == "sport"')
    counts(world, line(topics=["sport", "politics"]), name="a.jsonl")
    assert "cl@tt.test" in world.listctl("segment", "show", "sporty", "--list", "news")
    world.listctl("subscriber", "add", "news", "cl@tt.test", "--set", 'topics:json=["politics"]')
    assert attributes_of(world, "cl@tt.test")["topics"] == ["politics"]
    assert "cl@tt.test" not in world.listctl("segment", "show", "sporty", "--list", "news")


def test_exports_again_with_a_tag_less(world):
    "Who has lost a tag at Mailchimp loses it here with the next export."
    world_with_list(world)
    exported = fixture("mailchimp-subscribed.csv").decode()
    tags = '"""VIP"",""Paper, daily"""'
    assert tags in exported
    counts(world, exported, name="first.csv")
    done = counts(world, exported.replace(tags, '"""VIP"""'), name="second.csv")
    assert (done["updated"], done["unchanged"]) == (1, 1), done
    assert world.value("SELECT attributes -> 'tags' FROM subscriber WHERE name = 'Ann Lee'") == '["VIP"]'
    world.listctl("segment", "create", "vip", "--where", '$.tags[*] == "VIP"')
    assert "ann@" in world.listctl("segment", "show", "vip", "--list", "news")
    done = counts(world, exported.replace(tags, ""), name="third.csv")
    assert (done["updated"], done["unchanged"]) == (1, 1), done
    assert attributes_of(world, "ann@example.test")["tags"] == [] and "ann@" not in world.listctl("segment", "show", "vip", "--list", "news")


def test_types_are_mended(world):
    "Texts become what a later import, or add, says that they are; a null is kept, also under a new name; what is a number stays one without a type."
    world_with_list(world)
    content = "email,age,vip,tags\nann@x.test,32,true,\"[\"\"a\"\"]\"\n"
    typed = {"age": 32, "vip": True, "tags": ["a"]}
    counts(world, content)
    assert attributes_of(world, "ann@x.test") == {"age": "32", "vip": "true", "tags": '["a"]'}
    done = counts(world, content, "--type", "age=number", "--type", "vip=boolean", "--type", "tags=json")
    assert (done["updated"], done["unchanged"]) == (1, 0) and attributes_of(world, "ann@x.test") == typed, done
    done = counts(world, content)
    assert (done["updated"], done["unchanged"]) == (0, 1) and attributes_of(world, "ann@x.test") == typed, done
    counts(world, "email,age\nann@x.test,31\n")
    for setting, value in (("age:number=31", 31), ("age:json=null", None), ("age:json=[1]", [1])):
        world.listctl("subscriber", "add", "news", "ann@x.test", "--set", setting, "--set", "new:json=null")
        assert attributes_of(world, "ann@x.test") == {**typed, "age": value, "new": None}, setting


def test_nobody_is_subscribed_again_silently(world):
    "Who has unsubscribed, was disabled or removed, or is suppressed stays so, and is counted."
    world_with_list(world)
    counts(world, "email\n" + "".join(f"{n}@example.test\n" for n in ("act", "uns", "dis", "rem")))
    for name, state in (("uns", "unsubscribed"), ("dis", "disabled"), ("rem", "removed")):
        world.sql("UPDATE membership SET state = '%s', reason = 'x' FROM subscriber s WHERE s.id = subscriber_id"
                  " AND s.address_key = '%s@example.test'" % (state, name))
    world.listctl("suppress", "add", "sup@example.test", "never.test")
    world.listctl("list", "create", "other", "--from", "o@example.test")
    world.listctl("suppress", "add", "elsewhere@example.test", "--list", "other")
    done = counts(world, "email\n" + "".join(f"{n}@example.test\n" for n in ("act", "uns", "dis", "rem", "sup", "new", "elsewhere"))
                  + "SUP@EXAMPLE.TEST\nx@never.test\nx@sub.never.test\n")
    expected = {"already": 1, "unsubscribed": 1, "disabled": 1, "removed": 1, "suppressed": 2, "joined": 3, "duplicates": 1}
    assert {key: done[key] for key in expected} == expected, done
    assert members(world) == ["act@example.test", "elsewhere@example.test", "new@example.test", "x@sub.never.test"]
    assert world.value("SELECT count(*) FROM subscriber WHERE address_key IN ('sup@example.test', 'x@never.test')") == "0"


def test_export_reads_back_alike(world):
    "What export writes, import reads back: a second installation's export is the same, octet by octet."
    world_with_list(world)
    chance = random.Random(20260101)
    alphabet = ["a", "Z", "0", " ", ",", '"', "'", ";", "=", "+", "-", "@", "|", "\\", "ü", "城", "😀", "\u00a0", "{{x}}", "'="]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["email", "name", "plain", "odd", "Third One"])
    for i in range(300):
        values = ["".join(chance.choice(alphabet) for _ in range(chance.randrange(6))).strip(" ") for _ in range(3)]
        writer.writerow([f"user{i}@example.test", f"Name {i}", *values])
    done = counts(world, text.getvalue())
    assert (done["created"], done["refused"]) == (300, 0), done
    exported = world.listctl("export", "news")
    world.listctl("list", "create", "copy", "--from", "c@example.test")
    done = counts(world, exported, name="exported.csv", list_name="copy")
    assert (done["unchanged"], done["joined"], done["refused"]) == (300, 300, 0), done
    assert world.listctl("export", "copy") == exported
    before = world.sql("SELECT address, name, attributes FROM subscriber ORDER BY address_key")
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    done = counts(world, exported, name="exported.csv")
    assert (done["created"], done["refused"]) == (300, 0), done
    assert world.sql("SELECT address, name, attributes FROM subscriber ORDER BY address_key") == before
    assert sorted(world.listctl("export", "news").splitlines()) == sorted(exported.splitlines())


def test_export_of_other_states_is_not_an_invitation(world):
    "An export with --state all, imported elsewhere, does not subscribe those who have left."
    world_with_list(world)
    counts(world, "email\nin@example.test\nout@example.test\n")
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto' WHERE subscriber_id ="
              " (SELECT id FROM subscriber WHERE address_key = 'out@example.test')")
    assert "out@" not in world.listctl("export", "news")
    exported = world.listctl("export", "news", "--state", "all")
    assert "out@example.test,,unsubscribed,mailto," in exported, exported
    world.listctl("list", "create", "copy", "--from", "c@example.test")
    done = counts(world, exported, name="all.csv", list_name="copy")
    assert (done["joined"], done["refused"], done["left_out"]) == (1, 0, 1), done


def test_rows_of_who_has_left_change_nobody(world):
    "Whom one row of a file leaves out keeps name and attributes whatever another row says, before or behind it, near or far, in all modes."
    world_with_list(world)
    world.listctl("list", "create", "other", "--from", "o@example.test")
    known = "email,name,a,b\nann@gmail.com,Ann,1,2\nbob@example.test,Bob,1,2\ncem@example.test,Cem,1,2\n"
    counts(world, known, list_name="other")
    before = world.sql("SELECT address_key, name, attributes FROM subscriber ORDER BY address_key")
    active = "ann@gmail.com,subscribed,New,9\nbob@example.test,subscribed,New,9\n"
    left = "a.n.n@gmail.com,unsubscribed,Left,7\nbob@example.test,unsubscribed,Left,7\n"
    fill = "".join(f"f{n}@example.test,subscribed,,\n" for n in range(11000))
    for label, rows in (("before", active + left), ("behind", left + active), ("far", active + fill + left + active)):
        for conflict in ("merge", "update"):
            world.sql("DELETE FROM membership WHERE list_id = 1; DELETE FROM subscriber WHERE address_key LIKE 'f%'")
            done = counts(world, "email,status,name,a\n" + rows, "--on-conflict", conflict, name=f"{label}.csv")
            assert (done["updated"], done["left_out"], done["taken_back"]) == (0, 2, 2), (label, conflict, done)
            assert before == world.sql("SELECT address_key, name, attributes FROM subscriber WHERE address_key NOT LIKE 'f%' ORDER BY address_key"), label
    done = counts(world, "email,status,name,a\ncem@example.test,subscribed,Cem Two,3\n" + active + left, name="third.csv")
    assert (done["updated"], done["joined"]) == (1, 1), done
    assert attributes_of(world, "cem@example.test") == {"a": "3", "b": "2", "status": "subscribed"}


MUELLER = "E-Mail-Adresse;Vorname;Ort\njm@example.test;Jürgen Müller – „Jo“;Köln\nab@example.test;Æsa;Ålesund\n"


def found(world, content, *options):
    """What an import found the file to be, and what became of the two people above."""
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    done = counts(world, content, *options)
    rows = world.sql("SELECT address_key, name, attributes ->> 'ort' FROM subscriber ORDER BY 1 DESC")
    assert rows == [["jm@example.test", "Jürgen Müller – „Jo“", "Köln"], ["ab@example.test", "Æsa", "Ålesund"]], (rows, done)
    return done["encoding"], done["delimiter"], done["header_line"], done["layout"]


def test_encodings_and_delimiters_are_found_out(world):
    "UTF-8 and UTF-16 with and without a mark and Windows-1252, parted by , ; tab and |, packed or not, with any line ends: read right, and said."
    world_with_list(world)
    for delimiter, name in ((",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        text = MUELLER.replace(";", delimiter)
        assert found(world, text.encode()) == ("UTF-8", name, 1, "CSV")
        assert found(world, gzip.compress(text.replace("\n", "\r\n").encode("utf-16"))) == ("UTF-16 (little-endian)", name, 1, "CSV")
    for encoding, name in (("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16 (little-endian)"),
                           ("utf-16-be", "UTF-16 (big-endian)")):
        for ends in ("\n", "\r\n", "\r"):
            assert found(world, MUELLER.replace("\n", ends).encode(encoding)) == (name, "semicolons", 1, "CSV"), (encoding, ends)
    assert found(world, ("\ufeff" + MUELLER).encode("utf-16-be"))[0] == "UTF-16 (big-endian)"
    for encoding in ("utf-16-le", "utf-16-be"):  # their halves hold zeros on either side
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        done = counts(world, "email,name\na@example.test,\U0001f600\u3000\U0001f600\nb@example.test,\U0001f600\n".encode(encoding))
        assert (done["joined"], done["refused"]) == (2, 0) and "UTF-16" in done["encoding"], done
        assert world.sql("SELECT name FROM subscriber ORDER BY address_key") == [["\U0001f600\u3000\U0001f600"], ["\U0001f600"]]
    assert found(world, MUELLER.encode("cp1252"), "--encoding", "cp1252")[0] == "Windows-1252"
    assert found(world, MUELLER.encode("utf-16-be"), "--encoding", "UTF-16BE")[0] == "UTF-16 (big-endian)"
    assert found(world, ("sep=;\n" + MUELLER).encode()) == ("UTF-8", "semicolons", 2, "CSV")
    assert found(world, ("\n\n" + MUELLER.rstrip("\n")).encode()) == ("UTF-8", "semicolons", 3, "CSV")
    assert found(world, gzip.compress(MUELLER[:40].encode()) + gzip.compress(MUELLER[40:].encode()))[0] == "UTF-8"
    done = world.run("listctl", "import", "news", world.file("m.csv", MUELLER.encode("cp1252")))
    assert "read as Windows-1252, parted by semicolons, header in line 1" in done.stderr, done.stderr


def test_what_turns_out_late_is_not_garbled(world):
    "Behind five megabytes of ASCII the first other octet decides; a row that contradicts what was found before is refused with its line."
    world_with_list(world)
    plain = b"email,name\n" + b"".join(b"u%d@example.test,%s\n" % (i, b"x" * 60) for i in range(70000))
    assert len(plain) > 5 << 20
    done = counts(world, gzip.compress(plain + "z@example.test,Zoë – „x“\n".encode("cp1252"), 1), "--skip-bad", name="late.csv.gz")
    assert (done["encoding"], done["rows"], done["refused"]) == ("Windows-1252", 70001, 0), done
    assert world.value("SELECT name FROM subscriber WHERE address_key = 'z@example.test'") == "Zoë – „x“"
    utf8 = "email,name\na@example.test,Zoë\n".encode()
    for label, content, line, whole in (
            ("cp1252 in UTF-8", utf8 + b"b@example.test,Zo\xeb\n", 3, "b@example.test,Zo\\xEB"),
            ("UTF-8 in cp1252", b"email,name\nb@example.test,Zo\xeb\nc@example.test,Zo\xeb\n" + utf8.splitlines(True)[1], 4, "a@example.test,Zoë")):
        error = world.refused("import", "news", world.file("mixed.csv", content), says=[f"line {line}", "the text is"])
        assert "rest of the file" in error or "elsewhere in the file" in error, (label, error)
        rows = rejects_of(world.base / "mixed.csv.rejects.csv")
        assert [(row["_line"], row["email"], row["name"]) for row in rows] == [(str(line), whole, None)], (label, rows)


def test_files_without_a_header(world):
    "Where the first row holds an address there is no header: the address is found, a second column is the name, others are named by --map."
    world_with_list(world)
    done = counts(world, "Ann Lee,ann@example.test\nBob,bob@example.test\n")
    assert done["header_line"] is None
    assert world.sql("SELECT address_key, name FROM subscriber ORDER BY 1") == [["ann@example.test", "Ann Lee"], ["bob@example.test", "Bob"]]
    counts(world, "7;cy@example.test;Bonn\nx;bad;y\n", "--map", "#1=age", "--type", "age=number", "--map", "#3=city", "--skip-bad", name="n.csv")
    assert json.loads(world.value("SELECT attributes FROM subscriber WHERE address_key = 'cy@example.test'")) == {"age": 7, "city": "Bonn"}
    # A first row that is bad is just that, where the others or somebody say that it is no header.
    for label, bad in (("address", "x;bad;y"), ("fields", "cy@example.test;1"), ("more fields", "x;cy@example.test;Bonn;more"), ("quote", 'x;"bad" y;z'),
                       ("octet", b"\x81;bad;y"), ("NUL", "a\0;bad;y")):
        rest = "8;di@example.test;Hof\n9;ed@example.test;Ulm\n"
        content = (bad + b"\n" + rest.encode()) if isinstance(bad, bytes) else bad + "\n" + rest
        world.sql("DELETE FROM membership; DELETE FROM subscriber WHERE address_key LIKE '_d@%'")
        path = world.file("first.csv", content)
        options = ["--header", "no", "--map", "#1=age", "--map", "#3=city"]
        said = json.loads(world.listctl("import", "news", path, *options, "--skip-bad", "--format", "json"))
        assert (said["joined"], said["refused"]) == (2, 1) and [row["_line"] for row in rejects_of(said["rejects"])] == ["1"], (label, said)
        assert attributes_of(world, "di@example.test") == {"age": "8", "city": "Hof"}, label
        assert "line 1" in world.refused("import", "news", path, *options, says="1 of 3 rows"), label
        if "@" not in str(bad):
            world.refused("import", "news", path, *options[2:], "--skip-bad", says="--header no")
    world.sql("DELETE FROM membership; DELETE FROM subscriber WHERE address_key LIKE '_d@%'")
    # The rejects file has a header, and the same options read it.
    mended = (world.base / "n.csv.rejects.csv").read_text().replace("bad", "di@example.test").replace("x,", "8,")
    done = counts(world, mended, "--map", "#1=age", "--type", "age=number", "--map", "#3=city", name="n2.csv")
    assert done["joined"] == 1 and json.loads(world.value("SELECT attributes FROM subscriber WHERE address_key = 'di@example.test'")) == {"age": 8, "city": "y"}
    done = counts(world, "only@example.test\n", name="one.csv")
    assert done["joined"] == 1
    done = counts(world, "email\n", name="header.csv")
    assert (done["rows"], done["header_line"]) == (0, 1), done
    done = counts(world, "email,x\nq@example.test,1\nemail,x\nr@example.test,2\n", name="twice.csv")
    assert (done["joined"], done["repeated_headers"], done["refused"]) == (2, 1, 0), done


ROWS = "".join(f"{c}@example.test,{c}\n" for c in "abc")
BAD_INPUT = {  # rows of CSV behind a header email,name: what is taken, and the lines that are refused
    "quoted": ('"a@example.test","A"\n', "a", []),
    "doubled quotes": ('a@example.test,"The ""A"""\n', "a", []),
    "delimiters in quotes": ('a@example.test,"A, B"\n', "a", []),
    "a line break in quotes": ('a@example.test,"A\nB"\nb@example.test,B\n', "b", [2]),
    "CR LF": (ROWS.replace("\n", "\r\n"), "abc", []),
    "CR": (ROWS.replace("\n", "\r"), "abc", []),
    "mixed line ends": ("a@example.test,A\r\nb@example.test,B\rc@example.test,C\n", "abc", []),
    "no final line end": (ROWS.rstrip("\n"), "abc", []),
    "empty lines": ("\n" + ROWS.replace("\n", "\n\n"), "abc", []),
    "blanks in a line": ("   \n\t\n" + ROWS, "abc", []),
    "rows of no values": (",\n" + ROWS, "abc", [2]),
    "too few fields": ("a@example.test\nb@example.test,B\n", "b", [2]),
    "too many fields": ("a@example.test,A,B\nb@example.test,B\n", "b", [2]),
    "empty fields at the end": ("a@example.test,A,,,\nb@example.test,B\n", "ab", []),
    "a stray quote": ('a@example.test,5" disk\nb@example.test,B\n', "b", [2]),
    "text behind a quoted field": ('a@example.test,"A" x\nb@example.test,B\n', "b", [2]),
    "a quote that is never closed": ('a@example.test,"A\nb@example.test,B\nc@example.test,C\n', "bc", [2]),
    "two of them": ('a@example.test,"A\nb@example.test,"B\nc@example.test,C\n', "c", [2, 3]),
    "a field of 1 MB": ("a@example.test," + "x" * (1 << 20) + "\nb@example.test,B\n", "b", [2]),
    "a quoted field of 1 MB": ('a@example.test,"' + "x\n" * (1 << 19) + '"\nb@example.test,B\n', None, None),
    "ten thousand fields": ("a@example.test" + "," * 10000 + "x\nb@example.test,B\n", "b", [2]),
    "NUL": ("a@example.test,A\0\nb@example.test,B\n", "b", [2]),
    "a tab in a field": ("a@example.test,A\tB\nb@example.test,B\n", "b", [2]),
    "no UTF-8": (b"a@example.test,\xc3\xa4\nb@example.test,\xe4\nc@example.test,C\n", "ac", [3]),
    "half a character at the end": (b"a@example.test,\xc3\xa4\nb@example.test,\xe2\x82", "a", [3]),
    "a byte order mark in the middle": ("a@example.test,A\n\ufeffb@example.test,B\n", "a", [3]),
    "blanks around an address": (" a@example.test ,A\n", "a", []),
    "a name in the address field": ("Ann <a@example.test>,A\nb@example.test,B\n", "b", [2]),
    "two addresses in a field": ('"a@example.test,c@example.test",A\nb@example.test,B\n', "b", [2]),
}


def test_bad_input(world):
    "What CSV from everywhere brings has one outcome each: taken, or refused by row, in the rejects file with its line; reading goes on behind it."
    world_with_list(world)
    for label, (content, taken, lines) in BAD_INPUT.items():
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        content = b"email,name\n" + (content if isinstance(content, bytes) else content.encode())
        done = counts(world, content, "--skip-bad")
        rejects = rejects_of(done["rejects"]) if done["rejects"] else []
        if lines is None:  # a million lines that a mark has swallowed are each a row of their own
            assert members(world) == ["b@example.test"] and rejects[0]["_line"] == "2", (label, rejects[:3])
            continue
        assert members(world) == [f"{c}@example.test" for c in taken], (label, members(world), rejects)
        assert [int(row["_line"]) for row in rejects] == lines, (label, rejects)
        assert all(row["_reason"] and row["email"] for row in rejects if label != "rows of no values"), (label, rejects)


def test_any_kind_of_file(world):
    "A FIFO and standard input are read like files; a file that cannot be read is named with the cause."
    world_with_list(world)
    fifo = world.base / "fifo.csv"
    os.mkfifo(fifo)
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", fifo], stderr=subprocess.PIPE)
    world.others.append(process)
    with open(fifo, "wb") as pipe:
        for octet in gzip.compress(b"email\na@example.test\n"):
            pipe.write(bytes([octet]))
            pipe.flush()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0 and members(world) == ["a@example.test"], error


def test_columns_are_mapped_and_typed(world):
    "--map and --type, and types in the header, make attributes of their own types; bad values refuse their row with column and reason."
    world_with_list(world)
    content = ("Kontakt;Given;Alter;VIP;seit;Konto;extra:json;egal\n"
               "a@example.test;Ann;0042;ja;31.12.2024;12345678901234567890,50;{\"x\": [1, 2.50]};x\n"
               "b@example.test;Bob;1.234,50;nein;2024-12-31 10:00;;;x\n")
    options = ["--map", "Kontakt=email", "--map", "Given=first_name", "--map", "egal=-", "--map", "#3=age", "--type", "age=number",
               "--type", "vip=boolean", "--type", "seit=date", "--type", "konto=number"]
    counts(world, content.replace('{"x": [1, 2.50]}', '"{""x"": [1, 2.50]}"'), *options)
    rows = world.sql("SELECT name, attributes::text FROM subscriber ORDER BY 1")
    assert rows[0] == ["Ann", '{"age": 42, "vip": true, "seit": "2024-12-31", "extra": {"x": [1, 2.50]}, "konto": 12345678901234567890.50, "first_name": "Ann"}'], rows
    assert rows[1] == ["Bob", '{"age": 1234.50, "vip": false, "seit": "2024-12-31T10:00:00", "first_name": "Bob"}'], rows
    bad = content.replace('{"x": [1, 2.50]}', "{x}").replace("nein", "vielleicht")
    done = counts(world, bad + "c@example.test;C;x;;;;;\nd@example.test;D;;;;;;\n", *options, "--skip-bad")
    rejects = rejects_of(done["rejects"])
    assert [(row["_line"], row["_column"]) for row in rejects] == [("2", "extra"), ("3", "vip"), ("4", "age")], rejects
    assert "no JSON" in rejects[0]["_reason"] and "neither true nor false" in rejects[1]["_reason"] and "no number" in rejects[2]["_reason"], rejects


def fixture(name):
    return (pathlib.Path(__file__).parent.parent / "fixtures" / "exports" / name).read_bytes()


def test_exports_of_others_are_taken_as_they_come(world):
    "Exports of Mailchimp, listmonk, Mailman 2 and 3 and Sympa are recognised; who has left there is left out and reported, which is no error."
    world_with_list(world)
    cases = {
        "mailchimp-subscribed.csv": ("a Mailchimp export", 2, 0),
        "mailchimp-unsubscribed.csv": ("a Mailchimp export", 0, 2),
        "mailchimp-cleaned.csv": ("a Mailchimp export", 0, 1),
        "listmonk.csv": ("a listmonk export", 2, 2),
        "mailman2-members.txt": (None, 3, 0),
        "mailman3-members.txt": (None, 3, 0),
        "sympa-dump.txt": ("a Sympa dump", 2, 0),
        "sympa-lines.txt": (None, 3, 0),
    }
    for name, (export, joined, left_out) in cases.items():
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        done = counts(world, fixture(name), name=name)
        assert (done["export_of"], done["joined"], done["left_out"], done["refused"]) == (export, joined, left_out, 0), (name, done)
        assert bool(done["rejects"]) == (left_out > 0), (name, done)
        if left_out:
            assert all("has left" in row["_reason"] for row in rejects_of(done["rejects"])), name
        people = world.sql("SELECT name, attributes FROM subscriber ORDER BY address_key")
        people = [(name, json.loads(attributes)) for name, attributes in people]
        if name == "mailchimp-subscribed.csv":
            assert people[0] == ("Ann Lee", {"first_name": "Ann", "last_name": "Lee", "phone_number": "+49 221 123", "member_rating": 4,
                                             "notes": "met at the fair", "tags": ["VIP", "Paper, daily"]}), people
            assert done["columns_left_out"] == ("OPTIN_IP, CONFIRM_IP, LATITUDE, LONGITUDE, GMTOFF, DSTOFF, TIMEZONE, CC, REGION, LAST_CHANGED,"
                                                " LEID, EUID"), done
        if name == "listmonk.csv":
            assert people[0] == ("Ann Lee", {"city": "Köln", "age": 41, "vip": True, "ids": [1, 2], "x_name": "A"}), people
        if "mailman" in name or name == "sympa-lines.txt":
            assert [name for name, _ in people] == ["Ann Lee", "", "Lee, Cy"], people
            assert done["layout"] == "addresses, one a line", done
        if name == "sympa-dump.txt":
            assert people == [("Ann Lee", {}), ("Jörg", {})], people


def test_what_becomes_of_known_people(world):
    "--on-conflict merges, keeps or updates name and attributes of people known already; all join the list alike."
    world_with_list(world)
    known = "email,name,a,b\nann@example.test,Ann,1,2\n"
    for conflict, expected in (("merge", ["New", {"a": "9", "b": "2", "c": "3"}]), ("keep", ["Ann", {"a": "1", "b": "2"}]),
                               ("update", ["New", {"a": "9", "c": "3"}])):
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        counts(world, known)
        world.sql("DELETE FROM membership")
        done = counts(world, "email,name,a,c\nANN@example.test,New,9,3\n", "--on-conflict", conflict)
        assert (done["joined"], done["updated"]) == (1, conflict != "keep"), (conflict, done)
        name, attributes = world.sql("SELECT name, attributes FROM subscriber")[0]
        assert [name, json.loads(attributes)] == expected, (conflict, name, attributes)


def memberships(world):
    return world.sql("SELECT split_part(s.address_key, '@', 1), m.state, m.consent_source, extract(epoch FROM m.consent_at)::bigint"
                     " FROM membership m JOIN subscriber s ON s.id = m.subscriber_id ORDER BY 1")


def test_consent_is_kept(world):
    "How and when people agreed comes from the file or from --consent and --consent-time, and stands with their memberships."
    world_with_list(world)
    counts(world, "email,How,When\na@example.test,form,2024-01-02 03:04:05\nb@example.test,,\n", "--map", "How=consent_source",
           "--map", "When=consent_time", "--consent", "fair in Köln", "--consent-time", "2023-01-01")
    counts(world, "email,_consent_source,_consent_time\nc@example.test,own,2024-01-02T10:04:05+07:00\n", name="own.csv")
    counts(world, "email\nd@example.test\n", name="none.csv")
    counts(world, fixture("mailchimp-subscribed.csv"), name="mc.csv")
    assert memberships(world) == [["a", "active", "form", "1704164645"], ["ann", "active", "mailchimp export", "1683356889"],
                                  ["b", "active", "fair in Köln", "1672531200"], ["bob", "active", "mailchimp export", "1641092700"],
                                  ["c", "active", "own", "1704164645"], ["d", "active", "", ""]], memberships(world)
    assert "fair in Köln" in world.value("SELECT detail::text FROM audit WHERE action = 'list.import' ORDER BY id LIMIT 1")
    for options in (["--consent", " "], ["--consent-time", "soon"], ["--consent-time", "2999-01-01"], ["--status", "gone"], ["--on-conflict", "x"]):
        world.refused("import", "news", world.base / "none.csv", *options, code=2, says=options[0])


def test_who_is_unconfirmed(world):
    "With --status unconfirmed those who join have yet to confirm, and so may rows that say so be taken; members stay what they are."
    world_with_list(world)
    counts(world, "email\na@example.test\n")
    done = counts(world, "email,_state\na@example.test,\nb@example.test,\nc@example.test,unconfirmed\nd@example.test,unsubscribed\n", "--status", "unconfirmed")
    assert (done["joined"], done["already"], done["left_out"]) == (2, 1, 1), done
    assert [row[:2] for row in memberships(world)] == [["a", "active"], ["b", "unconfirmed"], ["c", "unconfirmed"]], memberships(world)


def test_who_comes_back(world):
    "Only --resubscribe, with a reason that the audit keeps, brings back who has unsubscribed; who was disabled or removed stays so."
    world_with_list(world)
    content = "email\n" + "".join(f"{n}@example.test\n" for n in ("uns", "dis", "rem", "new"))
    counts(world, content)
    for name, state in (("uns", "unsubscribed"), ("dis", "disabled"), ("rem", "removed")):
        world.sql("UPDATE membership SET state = '%s', reason = 'x' FROM subscriber s WHERE s.id = subscriber_id"
                  " AND s.address_key = '%s@example.test'" % (state, name))
    told = world.run("listctl", "import", "news", world.base / "people.csv")
    assert "1 unsubscribed, 1 disabled, 1 removed" in told.stderr and "--resubscribe" in told.stderr, told.stderr
    for who in ("uns@example.test (unsubscribed)", "dis@example.test (disabled)", "rem@example.test (removed)"):
        assert who in told.stderr, told.stderr
    assert members(world) == ["new@example.test"]
    world.refused("import", "news", world.base / "people.csv", "--resubscribe", "", code=2, says="--resubscribe")
    done = counts(world, content, "--resubscribe", "signed again at the fair")
    assert (done["resubscribed"], done["unsubscribed"], done["disabled"], done["removed"], done["already"]) == (1, 0, 1, 1, 1), done
    assert members(world) == ["new@example.test", "uns@example.test"]
    detail = json.loads(world.value("SELECT detail FROM audit WHERE action = 'list.import' ORDER BY id DESC LIMIT 1"))
    assert (detail["resubscribed"], detail["resubscribed_because"]) == (1, "signed again at the fair"), detail


def test_spellings_of_one_mailbox(world):
    "Addresses that a provider delivers to one mailbox are one person, in the file and among those known; the address stays as it was first given."
    world_with_list(world)
    done = counts(world, "email,name\nab.c@gmail.com,A\nABC+news@googlemail.com,B\nabc@gmail.example,C\n")
    assert (done["created"], done["duplicates"], done["aliases"]) == (2, 1, 1), done
    done = counts(world, "email,name\na.b.c@gmail.com,D\n")
    assert (done["created"], done["already"]) == (0, 1), done
    assert len(members(world)) == 2


def test_guarded_cells_survive_the_rejects_file(world):
    "What a spreadsheet would run is guarded in the rejects file once, however it stood in the input, and comes back as it was."
    world_with_list(world)
    done = counts(world, "email,a,b\nbad,=1+1,'=1+1\nx@example.test,=2,'=2\n", "--skip-bad")
    rejects = rejects_of(done["rejects"])
    assert (rejects[0]["a"], rejects[0]["b"]) == ("'=1+1", "'=1+1"), rejects
    counts(world, open(done["rejects"], encoding="utf-8").read().replace("bad", "y@example.test"), name="mended.csv")
    rows = world.sql("SELECT attributes ->> 'a', attributes ->> 'b' FROM subscriber ORDER BY address_key")
    assert rows == [["=2", "=2"], ["=1+1", "=1+1"]], rows


def test_json_lines_are_read_back(world):
    "What `export --format json` writes is read back as it was, attributes with any name and type; what is no such line is set aside."
    world_with_list(world)
    world.sql("INSERT INTO subscriber (address, address_key, name, attributes) VALUES ('Ann@a.test', 'ann@a.test', '=Ann''s', $a$"
              '{"City Name": "Köln", "n": 12345678901234567890.50, "deep": {"x": [null, "a\\nb"]}, "name": "x", "t": ""}$a$)')
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s")
    before = world.sql("SELECT address, address_key, name, attributes FROM subscriber")
    exported = world.listctl("export", "news", "--format", "json")
    everyone = world.listctl("export", "news", "--format", "json", "--state", "all")
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    done = counts(world, exported, name="people.json")
    assert (done["layout"], done["joined"], done["refused"]) == ("JSON, an object a line", 1, 0), done
    assert world.sql("SELECT address, address_key, name, attributes FROM subscriber") == before
    assert world.listctl("export", "news", "--format", "json") == exported
    done = counts(world, everyone.replace("active", "unsubscribed").replace("nn@", "xx@"), name="all.json")
    assert (done["joined"], done["left_out"]) == (0, 1), done
    bad = '{"email": "b@a.test", "name": "B", "attributes": {}}\n{"email": "c@a.test"\n[1]\n{"email": 7}\n{"email": "d@a.test", "age": 7}\n'
    done = counts(world, bad, "--skip-bad", name="bad.json")
    rejects = rejects_of(done["rejects"])
    assert [row["_line"] for row in rejects] == ["2", "3", "4", "5"] and "age" in rejects[3]["_reason"], rejects
    assert done["joined"] == 1, done


def test_standard_input_and_delimiters(world):
    "`-` reads standard input; semicolons, tabs and bare CR are understood when said or found."
    world_with_list(world)
    out = world.listctl("import", "news", "-", "--delimiter", ";", "--format", "json", stdin="email;name\na@example.test;A, B\n")
    assert json.loads(out)["joined"] == 1 and world.value("SELECT name FROM subscriber") == "A, B"
    world.listctl("import", "news", "-", "--delimiter", "tab", stdin="email\tname\nb@example.test\tB\n")
    world.listctl("import", "news", "-", "--address-column", "kontakt", stdin="kontakt,name\rc@example.test,C\r")
    assert len(members(world)) == 3
    world.listctl("import", "news", "-", stdin="email;name\nd@example.test;D\n")
    assert len(members(world)) == 4
    world.refused("import", "news", "-", "--delimiter", ",", stdin="email;name\nd@example.test;D\n", says=["standard input, line 1", "--delimiter ';'"])


MERGING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"


def start_import_from_pipe(world):
    """An import that has merged many rows, has taken more, and waits."""
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=world.base)
    world.others.append(process)
    process.stdin.write(b"email,name\n" + b"".join(b"u%d@example.test,U\n" % i for i in range(130000)))
    process.stdin.flush()
    until(lambda: world.value(MERGING) == "1", "rows are merged")
    return process


def test_nothing_is_half_imported(world):
    "Ctrl-C, SIGKILL and a stopped PostgreSQL in mid-import leave the database as it was."
    world_with_list(world)
    before = everything(world)
    for sig, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        process = start_import_from_pipe(world)
        process.send_signal(sig)
        _, error = process.communicate(timeout=60)
        assert process.returncode == code, (process.returncode, error)
        assert sig == signal.SIGKILL or error == b"listctl: interrupted; nothing was imported\n", error
        until(lambda: world.value(MERGING) == "0", "the server has noticed")
        assert everything(world) == before
    process = start_import_from_pipe(world)
    world.postgres("kill")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1 and error.startswith(b"listctl: ") and b"PostgreSQL" in error, (process.returncode, error)
    world.postgres("start")
    assert everything(world) == before


def test_two_imports_at_once(world):
    "Two imports of the same people at the same time both end well, and each person is there once."
    world_with_list(world)
    world.listctl("list", "create", "other", "--from", "o@example.test")
    rows = [f"u{i}@example.test,{i}\n" for i in range(5000)]
    files = []
    for name in ("one", "two"):
        random.Random(name).shuffle(rows)
        files.append(world.file(f"{name}.csv", f"email,{name}\n" + "".join(rows)))
    processes = [subprocess.Popen([BIN / "listctl", "--config", world.config, "import", list_name, path], stderr=subprocess.PIPE)
                 for list_name, path in zip(("news", "other"), files)]
    for process in processes:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    assert world.value("SELECT count(*) FROM subscriber WHERE attributes ? 'one' AND attributes ? 'two'") == "5000"
    assert world.value("SELECT count(*) FROM membership WHERE state = 'active'") == "10000"


def test_imports_do_not_block_each_other(world):
    "An import that changes people and another that lets the same people join a list both end well, whoever came first."
    world_with_list(world)
    counts(world, "email,v\n" + "".join(f"u{i}@example.test,0\n" for i in range(3)))
    world.listctl("list", "create", "other", "--from", "o@example.test")
    # As the second import stands after it has locked those whom it changes: u1, while u0 is another's.
    psql = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    world.others.append(psql)
    psql.stdin.write("SET search_path = verpost; BEGIN; UPDATE subscriber SET name = 'B' WHERE address_key = 'u1@example.test';"
                     " SELECT 'locked';\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "locked\n"
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news",
                                world.file("all.csv", "email,v\n" + "".join(f"u{i}@example.test,1\n" for i in range(3)))],
                               stderr=subprocess.PIPE)
    world.others.append(process)
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1", "the import waits")
    psql.communicate("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s"
                     " WHERE l.name = 'other'; COMMIT;\n", timeout=60)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert world.value("SELECT count(*) FROM membership") == "6"
    assert world.value("SELECT count(*) FROM subscriber WHERE attributes ->> 'v' = '1'") == "3"


# More than is read to find out what a file is.
FILLING = "".join(f"filling{i}@example.test\n" for i in range(10000))


def begun(world, text, *options):
    """An import from a pipe that has the turn, and the rows so far; they stay with it until the pipe is closed."""
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-", *options], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=world.base)
    world.others.append(process)
    process.stdin.write(text + FILLING)
    process.stdin.flush()
    until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock'") != "0", "it has begun")
    return process


def named(world):
    """Members, but the filling."""
    return [address for address in members(world) if not address.startswith("filling")]


def waiting(world, *arguments):
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=world.base)
    world.others.append(process)
    until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1", "it waits")
    return process


def test_moved_while_an_import_runs(world):
    "A move waits for an import that may have the former address in hand, and says so: nobody is two people afterwards."
    world_with_list(world)
    world.listctl("subscriber", "add", "news", "ann@example.test")
    first = begun(world, "email\n")
    moving = waiting(world, "subscriber", "move", "ann@example.test", "ann@new.test")
    _, said = first.communicate("ann@example.test\n", timeout=60)
    assert first.returncode == 0, said
    _, said = moving.communicate(timeout=60)
    assert moving.returncode == 0 and "waits for the end of another import" in said, said
    assert named(world) == ["ann@new.test"]


def test_who_waits_is_told(world):
    "Imports and erasures wait for each other's end, and say so."
    world_with_list(world)
    first = begun(world, "email\na@example.test\n")
    second = waiting(world, "import", "news", world.file("b.csv", "email\nb@example.test\n"))
    assert second.poll() is None
    assert first.communicate("c@example.test\n", timeout=60) and first.returncode == 0
    _, error = second.communicate(timeout=60)
    assert second.returncode == 0 and "waits for the end of another import or erasure (it began at 20" in error, error
    assert named(world) == ["a@example.test", "b@example.test", "c@example.test"], named(world)


def test_erased_while_an_import_brings_them_in(world):
    """Ann, the first who is ever erased, is erased while an import has her row: she is gone when both are over, and stays away from the next one."""
    world_with_list(world)
    text = "email\nann@example.test\nbob@example.test\n"
    world.listctl("import", "news", world.file("all.csv", text))
    process = begun(world, text)
    erasure = waiting(world, "subscriber", "erase", "ann@example.test", "--yes")
    assert process.communicate(timeout=60) and process.returncode == 0
    assert erasure.communicate(timeout=60) and erasure.returncode == 0
    assert named(world) == ["bob@example.test"], named(world)
    # And the other way round: an import that waits for the erasure knows of it.
    psql = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    world.others.append(psql)
    psql.stdin.write("SET search_path = verpost; BEGIN; CREATE TEMPORARY TABLE held AS SELECT * FROM suppression WHERE kind = 'erased';"
                     " SELECT pg_advisory_xact_lock(hashtext('verpost import')); SELECT 'locked';\n")
    psql.stdin.flush()
    until(lambda: psql.stdout.readline() == "locked\n", "the turn is another's")
    world.sql("DELETE FROM suppression WHERE kind = 'erased'")
    late = waiting(world, "import", "news", world.file("late.csv", text))
    psql.communicate("INSERT INTO suppression (kind, value, list_id, reason, source) SELECT kind, value, list_id, reason, source FROM held; COMMIT;\n",
                     timeout=60)
    _, error = late.communicate(timeout=60)
    assert late.returncode == 0 and "they were erased: 1" in error, error
    assert named(world) == ["bob@example.test"], named(world)


def test_the_file_is_not_written_over(world):
    "Neither rejects nor warnings go over the people, by whatever name the file goes."
    world_with_list(world)
    text = "email\nann@example.test\nno address\n"
    path = world.file("people.csv", text)
    link = world.base / "link.csv"
    link.symlink_to(path)
    for option in ("--rejects", "--warnings"):
        for name in (path, link, world.base / "." / "people.csv"):
            done = world.run("listctl", "import", "news", path, "--skip-bad", option, name)
            assert done.returncode == 2 and "a file of its own" in done.stderr, done.stderr
    assert path.read_text() == text and members(world) == []


def peak_memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


def test_memory_does_not_grow_with_the_file(world):
    "After three hundred thousand rows listctl needs no more memory than after the first hundred thousand, which it merges at once."
    world_with_list(world)
    # A sanitizer keeps freed memory back: only briefly here, so that growth would show.
    environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd=world.base)
    world.others.append(process)
    process.stdin.write(b"email,name,a,b\n")
    peaks = []
    for block in range(300):
        process.stdin.write(b"".join(b"u%d@h%d.test,Name %d,%d,x\n" % (i, i % 100, i, i) for i in range(block * 1000, block * 1000 + 1000)))
        process.stdin.flush()
        if block in (120, 299):  # a pipe holds back 64 KB at most
            peaks.append(peak_memory(process))
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0 and len(members(world)) == 300000, error
    assert peaks[1] < peaks[0] + 2 * 1024, peaks
