"""The files that an import writes: nothing of them is lost, and what was refused stays refused until it is mended."""

import csv
import json
import pathlib
import subprocess

from verpost import BIN, until


def counts(world, content, *options, name="people.csv", list_name="news"):
    """Imports and returns the counts."""
    return json.loads(world.listctl("import", list_name, world.file(name, content), "--format", "json", *options))


def rejects_of(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_a_full_disk_refuses_the_import(world):
    "Where the rejects or the warnings cannot be written, nothing is imported: else nobody would know any more who was refused."
    world.setup()
    path = world.file("people.csv", "email,name\ninfo@example.test,A\nnobody,B\n")
    for options in (("--skip-bad", "--rejects", "/dev/full"), ("--skip-bad", "--warnings", "/dev/full")):
        world.refused("import", "news", path, *options, says=[options[1] if options[1] != "--skip-bad" else options[0], "/dev/full", "No space left", "nothing was imported"])
        assert world.value("SELECT count(*) FROM subscriber") == "0", options
    assert not (world.base / "people.csv.rejects.csv.new").exists()

    # Nor where the file's own folder is full: the name in progress cannot be made.
    (world.base / "people.csv.rejects.csv.new").mkdir()
    world.refused("import", "news", path, "--skip-bad", says=["rejects file", "nothing was imported", "--rejects PATH"])
    assert world.value("SELECT count(*) FROM subscriber") == "0"
    (world.base / "people.csv.rejects.csv.new").rmdir()
    assert counts(world, "email,name\ninfo@example.test,A\nnobody,B\n", "--skip-bad")["joined"] == 1
    assert [row[0] for row in rejects_of(world.base / "people.csv.rejects.csv")] == ["_line", "3"]


def test_rejects_whose_name_is_taken(world):
    "If only the last step fails, the import is taken, its report written, and it is said where the rejects stand."
    world.setup()
    rejects = world.base / "rejects.csv"
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-", "--skip-bad", "--rejects", rejects],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write("email,name\na@example.test,A\nnobody,B\n" + "".join(f"u{n}@example.test,{n}\n" for n in range(9999)))
    process.stdin.flush()
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'listctl%' AND backend_xid IS NOT NULL") != "0", "the import")
    rejects.mkdir()
    error = process.communicate()[1]
    assert process.returncode == 1, error
    for part in ("joined the list: 10000", "could not be given its name", "rejects.csv.new", "the import was taken"):
        assert part in error, error
    assert [row[0] for row in rejects_of(f"{rejects}.new")] == ["_line", "3"]
    assert world.value("SELECT count(*) FROM membership") == "10000"


UNMENDED = {
    "NUL": b"email,name\na@example.test,A\nb@example.test,B\0B\n",
    "NUL in the address": b"email,name\na@example.test,A\nb\0@example.test,B\n",
    "NUL, addresses alone": b"email\na@example.test\nb\0@example.test\n",
    "Latin-1 in UTF-8": "email,name\na@example.test,Jürgen\n".encode() + b"b@example.test,J\xf6rg\n",
    "Latin-1 in UTF-8, addresses alone": "email\njürgen@example.test\n".encode() + b"j\xf6rg@example.test\n",
    "UTF-8 in Latin-1": "email,name\na@example.test,Jürgen\nc@example.test,Jörg\n".encode("latin-1") + "b@example.test,Jörg\n".encode(),
    "half a character of UTF-16": "email,name\na@example.test,A\nb@example.test,B".encode("utf-16-le") + b"\x3d\xd8x\0\n\0",
    "JSON lines, not UTF-8": b'{"email":"a@example.test"}\n{"email":"b@example.test","name":"J\xf6rg"}\n',
    "JSON lines, NUL": b'{"email":"a@example.test"}\n{"email":"b@example.test","name":"B\0B"}\n',
    "a lost character": "email\na@example.test\nb\ufffd@example.test\n".encode(),
}


def test_rejects_that_come_again_unmended(world):
    "What was refused for its octets is refused again as it stands in the rejects file: it is not taken with a text that was guessed."
    world.setup()
    for label, content in UNMENDED.items():
        done = counts(world, content, "--skip-bad")
        assert done["refused"] == 1, (label, done)
        rows = rejects_of(done["rejects"])
        for again in range(2):
            error = world.refused("import", "news", world.file("again.csv", open(done["rejects"], "rb").read()))
            assert "every row is refused" in error, (label, error)
            after = rejects_of(world.base / "again.csv.rejects.csv")
            assert [row[3:] for row in after] == [row[3:] for row in rows], (label, after)
    assert world.value("SELECT count(*) FROM subscriber WHERE address_key LIKE 'b%'") == "0"

    # Mended where it stands, it is taken.
    done = counts(world, UNMENDED["Latin-1 in UTF-8"], "--skip-bad")
    mended = open(done["rejects"], encoding="utf-8").read().replace('"b@example.test,J\\xF6rg"', "b@example.test,Jörg")
    assert "Jörg" in mended, mended
    assert counts(world, mended, name="mended.csv")["refused"] == 0
    assert world.value("SELECT name FROM subscriber WHERE address_key = 'b@example.test'") == "Jörg"


def members(world):
    return [row[0] for row in world.sql("SELECT s.address_key FROM membership m JOIN subscriber s ON s.id = m.subscriber_id ORDER BY 1")]


def test_words_for_no_in_any_column_of_states(world):
    "Whom a column says no of is no member, whatever it is called; --map takes in one that tells something else."
    world.setup()
    for header, yes, no in (("Opt-in Status", "Opted in", "Not opted in"), ("optin_status", "1", "0"), ("list_status", "Subscribed", "no"),
                            ("Email Subscription", "yes", "off"), ("Unsubscribed from all email", "", "true"), ("Marketing consent", "true", "FALSE"),
                            ("Subscription status", "active", "no"), ("Newsletter", "ja", "nein"), ("Do not send emails", "0", "1")):
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        done = counts(world, f"email,{header}\nyes@example.test,{yes}\nno@example.test,{no}\n")
        assert (members(world), done["left_out"]) == (["yes@example.test"], 1), (header, done)
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    done = counts(world, "email,Newsletter\na@example.test,no\n", "--map", "Newsletter=attribute:newsletter")
    assert (done["joined"], done["left_out"]) == (1, 0), done


def test_files_of_mailchimp_name_their_people(world):
    "What Mailchimp calls unsubscribed_, cleaned_ or nonsubscribed_, or who has no time of a consent there, is left out, unless --status says otherwise."
    world.setup()
    header = "Email Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\n"
    timed, untimed = header + "a@example.test,2,,2024-01-01 10:00:00,1,x\n", header + "a@example.test,2,,,1,x\n"
    cases = (("unsubscribed_email_audience_export_1.csv", timed, "has left or bounced", "everybody in it has left"),
             ("cleaned_email_audience_export_1.csv", timed, "has left or bounced", "suppress import"),
             ("nonsubscribed_email_audience_export_1.csv", timed, "never subscribed there", "nobody in it has subscribed"),
             ("people.csv", untimed, "never subscribed there", "neither OPTIN_TIME nor CONFIRM_TIME"))
    for name, content, kind, reason in cases:
        done = counts(world, content, name=name)
        assert (done["joined"], done["left_out"], done["reasons"][0]["reason"]) == (0, 1, kind), (name, done)
        row = rejects_of(done["rejects"])[1]
        assert reason in row[2] and "--status active" in row[2], (name, row)
        again = counts(world, open(done["rejects"], encoding="utf-8").read(), name=pathlib.Path(done["rejects"]).name)
        assert (again["joined"], again["left_out"]) == (0, 1), (name, again)
    for name, content, _, _ in cases:
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        assert counts(world, content, "--status", "active", name=name)["joined"] == 1, name
    world.sql("DELETE FROM membership; DELETE FROM subscriber")
    done = counts(world, timed, name="subscribed_email_audience_export_1.csv")
    assert (done["joined"], done["left_out"]) == (1, 0), done
    assert counts(world, "email\nb@example.test\n", name="unsubscribed_.csv")["joined"] == 1, "a name alone says nothing"


def test_times_of_consent(world):
    "consent_time and consent_source are what they say, with _ in front or without; one in the future is refused."
    world.setup()
    counts(world, "email,consent_source,Consent Time\na@example.test,form,2024-01-02 03:04:05\n")
    assert world.sql("SELECT consent_source, extract(epoch FROM consent_at)::bigint, s.attributes FROM membership JOIN subscriber s ON s.id = subscriber_id") == [
        ["form", "1704164645", "{}"]]
    for column in ("_consent_time", "consent_time"):
        world.refused("import", "news", world.file("future.csv", f"email,{column}\nb@example.test,2999-01-01\n"), says=["line 2", column, "in the future"])

    # An attribute of that name stays one on its way through a file.
    counts(world, "email,attribute:consent_time\na@example.test,noon\n")
    exported = world.listctl("export", "news")
    assert "attribute:consent_time" in exported, exported
    counts(world, exported, name="back.csv")
    assert world.value("SELECT attributes->>'consent_time' FROM subscriber") == "noon"


def test_whom_an_import_leaves_out_is_named(world):
    "Who is suppressed, or has left the list, stands in the rejects file with the reason, and stays out when it is imported; who was erased does not."
    world.setup()
    counts(world, "email,name\n" + "".join(f"{n}@example.test,{n}\n" for n in ("uns", "dis", "rem", "era", "act")))
    for name, state in (("uns", "unsubscribed"), ("dis", "disabled"), ("rem", "removed")):
        world.sql("UPDATE membership SET state = '%s', reason = 'x' FROM subscriber s WHERE s.id = subscriber_id"
                  " AND s.address_key = '%s@example.test'" % (state, name))
    world.listctl("subscriber", "erase", "era@example.test", "--yes")
    world.listctl("suppress", "add", "ann.lee@gmail.com", "era@example.test", "--reason", "=asked by letter")
    world.listctl("suppress", "add", "shut.test", "--reason", "closed")
    content = "name,email\n" + "".join(f"{n},{n}@example.test\n" for n in ("uns", "dis", "rem", "era", "act", "new")) + "A,AnnLee@gmail.com\nB,bob@shut.test\n"
    done = counts(world, content, "--dry-run")
    assert done["rejects"] is None
    done = counts(world, content)
    assert (done["joined"], done["suppressed"], done["erased"], done["unsubscribed"], done["disabled"], done["removed"], done["left_out"]) == (1, 2, 1, 1, 1, 1, 0), done
    rows = rejects_of(done["rejects"])
    named = {row[4]: row[2] for row in rows[1:]}
    assert sorted(named) == ["annlee@gmail.com", "bob@shut.test", "dis@example.test", "rem@example.test", "uns@example.test"], rows
    assert all(row[0] == row[3] == "" for row in rows[1:]), rows
    for address, part in (("annlee@gmail.com", "suppressed"), ("bob@shut.test", "the domain shut.test is suppressed (closed)"),
                          ("dis@example.test", "is disabled on news"), ("uns@example.test", "--resubscribe")):
        assert part in named[address] and named[address].startswith("left out: "), named
    before = world.sql("SELECT address, name, attributes FROM subscriber ORDER BY 1")

    again = counts(world, open(done["rejects"], encoding="utf-8").read(), name="again.csv")
    assert (again["joined"], again["suppressed"], again["unsubscribed"], again["refused"]) == (0, 2, 1, 0), again
    assert rejects_of(again["rejects"]) == rows and world.sql("SELECT address, name, attributes FROM subscriber ORDER BY 1") == before
    told = world.run("listctl", "import", "news", world.base / "again.csv").stderr
    assert "each of them and the reason: " in told, told
    again = counts(world, open(done["rejects"], encoding="utf-8").read(), "--resubscribe", "asked for it", name="again.csv")
    assert (again["resubscribed"], again["suppressed"]) == (1, 2), again


def test_many_that_are_left_out(world):
    "All of them are named, however many."
    world.setup()
    addresses = [f"u{n}@example.test" for n in range(25000)]
    counts(world, "email\n" + "\n".join(addresses) + "\n")
    world.sql("UPDATE membership SET state = 'unsubscribed' WHERE subscriber_id % 2 = 0")
    world.listctl("suppress", "import", world.file("s.csv", "email\n" + "".join(f"s{n}@example.test\n" for n in range(20000))))
    done = counts(world, "email\n" + "\n".join(addresses) + "\n" + "".join(f"s{n}@example.test\n" for n in range(20000)), name="more.csv")
    assert (done["unsubscribed"], done["suppressed"]) == (12500, 20000), done
    rows = rejects_of(done["rejects"])[1:]
    assert len(rows) == 32500 and len({row[3] for row in rows}) == 32500


def test_lines_and_tabs_in_attributes(world):
    "An attribute of several lines comes in from CSV and from a listmonk export, goes out as it was, and is one line in a subject; an address or a name has none."
    world.setup()
    note = "Tuesday\nafter 5\tonly\r\nBcc: all@example.test"
    cell = '"' + note + '"'
    done = counts(world, f"email,note\na@example.test,{cell}\n")
    assert done["refused"] == 0, done
    quoted = json.dumps({"note": note}).replace('"', '""')
    done = counts(world, f'uuid,email,name,attributes,status,created_at,updated_at\nu,b@example.test,B,"{quoted}",enabled,x,y\n', name="listmonk.csv")
    assert (done["export_of"], done["refused"]) == ("a listmonk export", 0), done
    notes = "SELECT DISTINCT attributes->'note' FROM subscriber"
    assert json.loads(world.value(notes)) == note and len(world.sql(notes)) == 1
    for form in ("csv", "json"):
        world.listctl("export", "news", "--format", form, "--output", world.base / "out")
        world.sql("UPDATE subscriber SET attributes = '{}'")
        done = counts(world, (world.base / "out").read_bytes(), name=f"back.{form}")
        assert (done["updated"], done["refused"]) == (2, 0), (form, done)
        assert json.loads(world.value(notes)) == note and len(world.sql(notes)) == 1, form
    for column in ("name", "first name", "_consent_source"):
        world.refused("import", "news", world.file("bad.csv", f'email,{column}\nc@example.test,"x\ny"\n'), says=["line 2", "control character"])
    world.refused("import", "news", world.file("bad.csv", 'email,note\n"c@example.test\nx",x\n'), says=["line 2", "control character"])

    text = world.file("letter.txt", "You wrote: {{note}}\n")
    world.listctl("campaign", "create", "tuesday", "news", "--subject", "On {{note}}", "--text", text)
    shown = world.listctl("campaign", "preview", "tuesday", "a@example.test", "--raw")
    head = shown.replace("\r", "").split("\n\n")[0]
    assert "Subject: On Tuesday after 5 only Bcc: all@example.test" in " ".join(head.split()), shown
    assert not any(line.lower().startswith("bcc") for line in head.splitlines()), shown


def test_an_array_of_people(world):
    "People come as the objects of a JSON array, too; one that is none is refused with its line, and an array without an end."
    world.setup()
    people = [{"email": f"u{n}@example.test", "name": f"U {n}", "attributes": {"n": n}} for n in range(3)]
    for indent in (None, 2):
        world.sql("DELETE FROM membership; DELETE FROM subscriber")
        done = counts(world, json.dumps(people, indent=indent), name="people.json")
        assert (done["layout"], done["joined"], done["refused"]) == ("JSON, an array", 3, 0), done
        assert world.sql("SELECT name, attributes FROM subscriber ORDER BY 1") == [[f"U {n}", '{"n": %d}' % n] for n in range(3)]
    assert counts(world, "[]\n", name="none.json")["rows"] == 0
    world.refused("import", "news", world.file("bad.json", '[\n{"email": "a@example.test"},\n{"email": "nobody"}\n]\n'), says=["line 3", "1 of 2 rows"])
    world.refused("import", "news", world.file("cut.json", '[{"email": "a@example.test"},\n{"email": "b@'), says=["line 2", "no end"])


def test_suppressions_are_exported_in_one_order(world):
    "Twice the same suppressions make the same file, in whatever order they were added."
    world.setup()
    exported = []
    for order in (1, -1):
        world.sql("DELETE FROM suppression")
        for value in ["b@example.test", "a@example.test", "c.test"][::order]:
            world.listctl("suppress", "add", value, "--reason", "x")
        exported.append([row[0] for row in csv.reader(world.listctl("export", "--suppressions").splitlines())])
    assert exported[0] == exported[1] == ["value", "a@example.test", "b@example.test", "c.test"], exported


def test_a_line_without_an_end(world):
    "A line of many megabytes is refused in the memory of any other, as CSV, as JSON and as addresses, and the rows beside it are told."
    world.setup()
    long = b"x" * (40 << 20)
    for name, content, says in (("long.csv", b"email,name\na@example.test,A\n" + long, ["line 3", "longer than 1 MB"]),
                                ("quoted.csv", b'email,name\na@example.test,"' + long, ["line 2", "longer than"]),
                                ("long.jsonl", b'{"email": "a@example.test"}\n{"email": "' + long, ["line 2", "longer than 1 MB"]),
                                ("long.json", b'[{"email": "a@example.test"},\n{"email": "' + long, ["line 2", "longer than 1 MB"]),
                                ("long.txt", b"a@example.test\nb@example.test\n" + long, ["line 3", "longer than"])):
        path = world.file(name, content)
        done = subprocess.run(["/usr/bin/env", "python3", "-c",
                               "import resource, subprocess, sys\n"
                               "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
                               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
                               "print(done.returncode, done.stderr)", BIN / "listctl", "--config", world.config, "import", "news", path],
                              capture_output=True, text=True)
        peak, told = done.stdout.split("\n", 1)
        assert told.startswith("1 "), (name, told)
        assert all(part in told for part in says), (name, told)
        assert int(peak) < 150 << 10, (name, peak)
        path.unlink()
