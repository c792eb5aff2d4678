"""CSV in, CSV out: what is taken, what is set aside, what is refused, and that nothing is half done."""

import csv
import io
import json
import os
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


def everything(world):
    """What an import could have changed."""
    return (world.sql("SELECT address, address_key, name, attributes FROM subscriber ORDER BY id"),
            world.sql("SELECT list_id, subscriber_id, state, reason FROM membership ORDER BY 1, 2"),
            world.value("SELECT count(*) FROM audit"))


def members(world, state="active"):
    return [row[0] for row in world.sql("SELECT s.address_key FROM subscriber s JOIN membership m ON m.subscriber_id = s.id"
                                        f" WHERE m.state = '{state}' ORDER BY 1")]


def test_good_rows_are_taken_and_bad_ones_set_aside(world):
    "Good rows are imported; bad ones stand in the rejects file with line, column, reason and their fields."
    world_with_list(world)
    done = counts(world, "\ufeffE-Mail,First name,Last name,City\r\n"
                         'ann@example.test,Ann,Lee,"Köln, Altstadt"\r\n'
                         "not-an-address,,,\r\n"
                         "two@fields.test,x\r\n"
                         "bob@bücher.example,Bob,,=1+1\r\n"
                         'crlf@example.test,C,,"line\r\nBcc: all@example.test"\r\n'
                         '"""q""@example.test",,,\r\n'
                         "ANN@example.test,,,Bonn\r\n")
    assert (done["rows"], done["created"], done["joined"], done["duplicates"], done["refused"]) == (3, 2, 2, 1, 4), done
    rows = world.sql("SELECT address_key, name, attributes ->> 'city' FROM subscriber ORDER BY 1")
    assert rows == [["ann@example.test", "Ann Lee", "Bonn"], ["bob@xn--bcher-kva.example", "Bob", "=1+1"]], rows
    with open(done["rejects"], newline="", encoding="utf-8") as file:
        rejects = list(csv.DictReader(file))
    assert [(row["_line"], row["_column"]) for row in rejects] == [("3", "e_mail"), ("4", ""), ("6", "city"), ("8", "e_mail")], rejects
    assert all(row["_reason"] for row in rejects)
    assert rejects[0]["E-Mail"] == "not-an-address" and rejects[2]["City"] == "line\r\nBcc: all@example.test", rejects


def test_what_no_header_takes(world):
    "C1 controls and line separators, which come of files converted wrongly, are set aside: their owners would get no letter."
    world_with_list(world)
    done = counts(world, "email,name,city\nann@a.test,Ann O\u0092Neil,Cork\nben@a.test,Ben,a\u2028b\ncat@a.test,Cät,Köln\n")
    with open(done["rejects"], newline="", encoding="utf-8") as file:
        rejects = list(csv.DictReader(file))
    assert [(row["_line"], row["_column"]) for row in rejects] == [("2", "name"), ("3", "city")], rejects
    assert "Windows-1252" in rejects[0]["_reason"], rejects
    assert members(world) == ["cat@a.test"]
    for option, value in (("--title", "O\u0092Neil News"), ("--from", "O\u0092Neil <a@a.test>")):
        world.refused("list", "edit", "news", option, value, code=2 if option == "--title" else 1, says="control character")


def test_mended_rejects_are_imported(world):
    "The rejects file, its rows mended, is imported as it is."
    world_with_list(world)
    done = counts(world, "email,name\nbroken@,A\nfine@example.test,B\n")
    mended = open(done["rejects"], encoding="utf-8").read().replace("broken@", "mended@example.test")
    done = counts(world, mended, name="mended.csv")
    assert (done["rows"], done["refused"]) == (1, 0), done
    assert members(world) == ["fine@example.test", "mended@example.test"]
    assert world.value("SELECT attributes::text FROM subscriber WHERE address LIKE 'mended%'") == "{}"


REFUSED = {
    "wrong encoding": (b"email,name\na@example.test,A\nb@example.test,J\xfcrg\n", ["line 3", "not UTF-8", "iconv"]),
    "UTF-16": ("email\na@example.test\n".encode("utf-16"), ["line 1", "UTF-16", "iconv"]),
    "NUL": (b"email,name\na@example.test,A\0B\n", ["line 2", "NUL"]),
    "unterminated quote": (b'email,name\na@example.test,"A\nb@example.test,B\n', ["line 2", "quot", "never ends"]),
    "stray quote": (b'email,name\na@example.test,A\nb@example.test,B "x"\n', ["line 3, column 18", "quotation mark", "write the mark twice"]),
    "no header": (b"a@example.test,A\nb@example.test,B\n", ["line 1", "no header row", "email,name"]),
    "no address column": (b"name,city\nA,B\n", ["line 1", "called email", "--address-column"]),
    "two address columns": (b"email,e-mail\na@example.test,b@example.test\n", ["line 1", "columns 1 and 2"]),
    "names that collide": (b"email,Zip Code,zip_code\na@example.test,1,2\n", ["line 1", "columns 2 and 3", "zip_code"]),
    "empty": (b"", ["empty", "email,name"]),
    "only blank lines": (b"\n\n", ["empty"]),
    "no good row": (b"email\nnobody\n", ["every row is refused"]),
}


def test_bad_files_change_nothing(world):
    "A file that cannot be read as rows of people gets one error with file, line and remedy, and changes nothing."
    world_with_list(world)
    counts(world, "email,name,city\nold@example.test,Old,Rome\n")
    before = everything(world)
    for label, (content, words) in REFUSED.items():
        path = world.file("bad.csv", content)
        error = world.refused("import", "news", path, says=["bad.csv", *words])
        assert len(error.strip().splitlines()) == 1, (label, error)
        assert everything(world) == before, label
    directory = world.base / "folder.csv"
    directory.mkdir()
    world.refused("import", "news", directory, says=["folder.csv", "is a directory"])
    world.refused("import", "news", world.base / "missing.csv", says=["missing.csv", "No such file"])
    world.refused("import", "nosuch", world.file("good.csv", "email\na@example.test\n"), says=["no list nosuch", "list ls"])
    world.refused("import", "news", world.base / "good.csv", "--delimiter", "xx", code=2, says="--delimiter")
    world.refused("import", "news", world.base / "good.csv", "--rejects", world.base / "no" / "r.csv", says=["rejects file", "--rejects"])
    assert everything(world) == before


def test_strict_and_dry_run_change_nothing(world):
    "--strict refuses all for one bad row, --dry-run shows what would happen; neither changes anything."
    world_with_list(world)
    counts(world, "email,name\nold@example.test,Old\n")
    before = everything(world)
    mixed = world.file("mixed.csv", "email,name\nold@example.test,New\nnew@example.test,N\nbad,\n")
    world.refused("import", "news", mixed, "--strict", says=["mixed.csv", "--strict", "nothing was imported", "rejects"])
    assert everything(world) == before
    done = json.loads(world.listctl("import", "news", mixed, "--dry-run", "--format", "json"))
    assert (done["created"], done["updated"], done["joined"], done["already"], done["refused"]) == (1, 1, 1, 1, 1), done
    assert everything(world) == before
    done = json.loads(world.listctl("import", "news", mixed, "--format", "json"))
    assert (done["created"], done["updated"]) == (1, 1), done


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
    assert (done["joined"], done["refused"]) == (1, 1), done


def test_standard_input_and_delimiters(world):
    "`-` reads standard input; semicolons, tabs and bare CR are understood when said or found."
    world_with_list(world)
    out = world.listctl("import", "news", "-", "--delimiter", ";", "--format", "json", stdin="email;name\na@example.test;A, B\n")
    assert json.loads(out)["joined"] == 1 and world.value("SELECT name FROM subscriber") == "A, B"
    world.listctl("import", "news", "-", "--delimiter", "tab", stdin="email\tname\nb@example.test\tB\n")
    world.listctl("import", "news", "-", "--address-column", "kontakt", stdin="kontakt,name\rc@example.test,C\r")
    assert len(members(world)) == 3
    world.refused("import", "news", "-", stdin="email;name\nd@example.test;D\n", says=["standard input, line 1", "--delimiter ';'"])


def start_import_from_pipe(world):
    """An import that has taken many rows and waits for more."""
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=world.base)
    world.others.append(process)
    process.stdin.write(b"email,name\n" + b"".join(b"u%d@example.test,U\n" % i for i in range(20000)))
    process.stdin.flush()
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY import_row%'") == "1", "rows arrive")
    return process


def test_nothing_is_half_imported(world):
    "Ctrl-C, SIGKILL and a stopped PostgreSQL in mid-import leave the database as it was."
    world_with_list(world)
    before = everything(world)
    for sig in (signal.SIGINT, signal.SIGKILL):
        process = start_import_from_pipe(world)
        process.send_signal(sig)
        process.wait(60)
        assert process.returncode != 0
        until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY import_row%' AND state = 'active'") == "0",
              "the server has noticed")
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


def peak_memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


def test_memory_does_not_grow_with_the_file(world):
    "After a hundred thousand rows listctl needs no more memory than after twenty thousand."
    world_with_list(world)
    # A sanitizer keeps freed memory back: only briefly here, so that growth would show.
    environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd=world.base)
    world.others.append(process)
    process.stdin.write(b"email,name,a,b\n")
    peaks = []
    for block in range(100):
        process.stdin.write(b"".join(b"u%d@h%d.test,Name %d,%d,x\n" % (i, i % 100, i, i) for i in range(block * 1000, block * 1000 + 1000)))
        process.stdin.flush()
        if block in (20, 99):  # a pipe holds back 64 KB at most
            peaks.append(peak_memory(process))
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0 and len(members(world)) == 100000, error
    assert peaks[1] < peaks[0] + 2 * 1024, peaks
