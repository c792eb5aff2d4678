"""What import reads: exports of other systems that say who gets no mail, lists with bad lines, names of attributes, and what is said of it all."""

import csv
import json
import os
import signal
import subprocess
import time

from verpost import BIN, until


def counts(world, content, *options, name="people.csv"):
    """Imports and returns the counts."""
    return json.loads(world.listctl("import", "news", world.file(name, content), "--format", "json", *options))


def rejects_of(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def members(world):
    return [row[0] for row in world.sql("SELECT s.address_key FROM subscriber s JOIN membership m ON m.subscriber_id = s.id"
                                        " WHERE m.state = 'active' ORDER BY 1")]


def empty(world):
    world.sql("DELETE FROM membership; DELETE FROM subscriber")


def attributes(world, address):
    return json.loads(world.value(f"SELECT attributes FROM subscriber WHERE address_key = '{address}'"))


# ---- who gets no mail where the file comes from ----

NOW = int(time.time())
SYMPA = f"""bounce 1700000000 1700000300 3 5.1.1
bounce_score 20
date 1683356889
email bouncing@example.test
gecos Bo
included 1
reception mail
visibility noconceal

date 1683356889
email nomail@example.test
gecos No
reception nomail

date 1683356889
email digest@example.test
reception digestplain

date 1683356889
email suspended@example.test
startdate {NOW - 1000}
suspend 1

date 1683356889
email away@example.test
enddate {NOW + 10**7}
reception mail
startdate {NOW - 1000}
suspend 1

date 1683356889
email back@example.test
enddate {NOW - 1000}
startdate {NOW - 2000}
suspend 1

date 1683356889
email later@example.test
startdate {NOW + 10**7}
suspend 1
"""


def test_who_receives_nothing_there(world):
    "Who has reception nomail in Sympa, or is suspended, or delivery that is off in Mailman, does not become a member who gets mail; it is said why."
    world.setup()
    done = counts(world, SYMPA, name="members.dump")
    assert (done["export_of"], done["joined"], done["left_out"], done["refused"]) == ("a Sympa dump", 4, 3, 0), done
    assert members(world) == [f"{who}@example.test" for who in ("back", "bouncing", "digest", "later")]
    rejects = rejects_of(done["rejects"])
    assert [(row["_line"], row["_column"], row["email"]) for row in rejects] == [
        ("11", "reception", "nomail@example.test"), ("20", "suspend", "suspended@example.test"), ("25", "suspend", "away@example.test")], rejects
    assert all("nomail: " in row["_reason"] for row in rejects), rejects
    # The rejects are read again as what they are: nobody comes in by the back door.
    again = counts(world, open(done["rejects"], encoding="utf-8").read(), name="again.csv")
    assert (again["joined"], again["left_out"], again["refused"]) == (0, 3, 0), again
    empty(world)
    done = counts(world, "email,display_name,delivery_mode,delivery_status\na@example.test,A,regular,enabled\nb@example.test,B,regular,by_user\n"
                         "c@example.test,C,mime_digests,enabled\nd@example.test,D,regular,by_moderator\ne@example.test,E,regular,by_bounces\n")
    assert members(world) == ["a@example.test", "c@example.test"] and done["left_out"] == 3, done
    empty(world)
    done = counts(world, "email,nomail\na@example.test,off\nb@example.test,on\n")
    assert members(world) == ["a@example.test"] and done["left_out"] == 1, done
    error = world.run("listctl", "import", "news", world.file("p.dump", SYMPA)).stderr
    assert "not written to where the file comes from, and left out: 3" in error and "receives nothing there: 3" in error, error


SAYS_NO = ["unconfirmed", "pending", "Opted-Out", "opt out", "hard bounce", "spam complaint", "inactive", "unsub", "unsubscribed (2024)", "désabonné", "invalid"]
NO_COLUMNS = [("unsubscribed", "yes", "no"), ("unsubscribed", "1", "0"), ("unsubscribed", "2024-05-01", ""), ("Opted Out", "TRUE", "FALSE"),
              ("Do Not Email", "TRUE", ""), ("unsubscribed_at", "2024-05-01 10:00", ""), ("subscribed", "no", "yes"), ("opt_in", "no", "yes"),
              ("active", "no", "yes"), ("subscribed", "", "yes")]


def test_who_says_no_there(world):
    "Whoever a file calls unsubscribed, bounced, inactive or unconfirmed, in whatever words and column, does not become a member; it is counted."
    world.setup()
    done = counts(world, "Email,Status\nyes@example.test,Active\n" + "".join(f"n{i}@example.test,{word}\n" for i, word in enumerate(SAYS_NO)))
    assert members(world) == ["yes@example.test"] and done["left_out"] == len(SAYS_NO), done
    for name, no, yes in NO_COLUMNS:
        empty(world)
        done = counts(world, f"Email,{name},City\nno@example.test,{no},X\nyes@example.test,{yes},Y\n")
        assert (members(world), done["left_out"]) == (["yes@example.test"], 1), (name, no, done)
    empty(world)
    done = counts(world, "Email,Status\na@example.test,pending\nb@example.test,inactive\n", "--status", "unconfirmed")
    assert (done["joined"], done["left_out"]) == (1, 1), done


def test_words_of_state_that_nobody_knows(world):
    "In a column that tells of some who is written to, nobody is taken whom it calls something unknown, wherever it stands; of others it is an attribute."
    world.setup()
    for order in (["foo", "active", "foo", "bar"], ["active", "foo", "foo", "bar"]):
        empty(world)
        content = "Email,Status\n" + "".join(f"{word}{i}@example.test,{word}\n" for i, word in enumerate(order))
        done = counts(world, content)
        assert members(world) == [f"active{order.index('active')}@example.test"], done
        assert (done["left_out"], done["unknown_states"]) == (3, "status `foo` (2), status `bar` (1)"), done
        assert {row["_column"] for row in rejects_of(done["rejects"])} == {"status"}
        again = counts(world, open(done["rejects"], encoding="utf-8").read(), name="again.csv")
        assert (again["joined"], again["left_out"]) == (0, 3), again
    error = world.run("listctl", "import", "news", world.file("p.csv", content)).stderr
    assert "not said to be written to: 3" in error and "status `foo` (2)" in error and "--map" in error, error
    empty(world)
    done = counts(world, content, "--map", "Status=attribute:Status")
    assert done["joined"] == 4 and done["left_out"] == 0, done
    empty(world)
    done = counts(world, "Email,Status\na@example.test,gold\nb@example.test,silver\n")
    assert done["joined"] == 2 and attributes(world, "a@example.test") == {"status": "gold"}, done
    empty(world)
    late = world.run("listctl", "import", "news", "-", stdin="Email,Status\na@example.test,foo\nb@example.test,active\n")
    assert late.returncode == 1 and "line 3" in late.stderr and "read twice" in late.stderr and members(world) == [], late


def states(world):
    return world.sql("SELECT s.address_key, m.state, m.reason FROM subscriber s JOIN membership m ON m.subscriber_id = s.id ORDER BY 1")


def test_left_out_by_any_row(world):
    "Who is left out by one row of a file is brought in by no other, in whatever order and spelling; a member here who has left there is told of."
    world.setup()
    yes, no = "xa@example.test,active\n", "XA@example.test,unsubscribed\n"
    for content in (yes + no, no + yes, yes + no + yes):
        empty(world)
        done = counts(world, f"Email,Status\n{content}b@example.test,active\n")
        assert members(world) == ["b@example.test"], (content, done)
        assert (done["joined"], done["created"], done["taken_back"], done["already"]) == (1, 1, 1, 0), done
        assert world.value("SELECT count(*) FROM subscriber") == "1"
    empty(world)
    done = counts(world, "Email,Status\nx.a@gmail.com,active\nxa+news@gmail.com,unsubscribed\nb@example.test,active\n")
    assert members(world) == ["b@example.test"] and done["taken_back"] == 1, done
    # Somebody known who is no member of this list stays none, and one who had unsubscribed stays so.
    empty(world)
    counts(world, "email\nxa@example.test\nc@example.test\n")
    world.sql("DELETE FROM membership WHERE subscriber_id = (SELECT id FROM subscriber WHERE address_key = 'xa@example.test')")
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto'")
    done = counts(world, f"Email,Status\n{yes}{no}c@example.test,active\nc@example.test,unsubscribed\n", "--resubscribe", "asked")
    assert members(world) == [] and (done["taken_back"], done["joined"], done["resubscribed"]) == (2, 0, 0), done
    assert [row[1] for row in states(world)] == ["unsubscribed"] and world.value("SELECT count(*) FROM subscriber") == "2"
    # A member here.
    empty(world)
    counts(world, "email\nxa@example.test\nc@example.test\n")
    path = world.file("p.csv", f"Email,Status\n{no}d@example.test,unsubscribed\nc@example.test,active\n")
    error = world.run("listctl", "import", "news", path).stderr
    assert "active members here, who go on receiving: 1 (`listctl subscriber unsubscribe`" in error, error
    assert members(world) == ["c@example.test", "xa@example.test"]
    done = json.loads(world.listctl("import", "news", path, "--format", "json"))
    assert (done["still_active"], done["taken_back"], done["left_out"]) == (1, 0, 2), done
    counted = "SELECT sum(people) FROM member_count WHERE state = 'active'"
    assert world.value(counted) == world.value("SELECT count(*) FROM membership WHERE state = 'active'") == "2"


# ---- lists of addresses ----

LISTS = {  # content: who is taken, and the lines that are refused
    "a comment": ("Ann Y <y2@h.org>\n# comment\n", ["y2@h.org"], []),
    "comments in front, a taken-out address": ("# of the choir\n\na@x.org\n#b@x.org\n", ["a@x.org"], []),
    "a bad line": ("a@x.org\noops\n", ["a@x.org"], [2]),
    "a bad line first": ("b@@x.org\na@x.org\nc@x.org\n", ["a@x.org", "c@x.org"], [1]),
    "no address in the first line": ("The choir of 2024\na@x.org\nc@x.org\n", ["a@x.org", "c@x.org"], [1]),
    "two people in a line": ("a@x.org\nBo <b@x.org>, Cy <c@x.org>\nd@x.org\n", ["a@x.org", "d@x.org"], [2]),
}


def test_bad_lines_of_lists(world):
    "A file whose lines are mostly addresses is a list: comments are left out, and a bad line is refused alone."
    world.setup()
    for label, (content, taken, lines) in LISTS.items():
        empty(world)
        done = counts(world, content, "--skip-bad", name="list.txt")
        assert done["layout"] == "addresses, one a line", (label, done)
        assert members(world) == taken, (label, members(world))
        assert [int(row["_line"]) for row in (rejects_of(done["rejects"]) if done["rejects"] else [])] == lines, label
    done = counts(world, "# nobody yet\n", name="comments.txt")
    assert done["rows"] == 0, done
    empty(world)
    done = counts(world, "Kontakt\na@x.org\nb@x.org\n", "--map", "Kontakt=email", name="one-column.csv")
    assert (done["layout"], members(world)) == ("CSV", ["a@x.org", "b@x.org"]), done
    empty(world)
    done = counts(world, "a@x.org Jörg\n# x\nb@x.org\n".encode("utf-16"), name="utf16.txt")
    assert done["encoding"].startswith("UTF-16") and world.sql("SELECT name FROM subscriber ORDER BY address_key") == [["Jörg"], [""]], done
    empty(world)
    counts(world, 'a@x.org (Ann B)\n"Lee, Cy" <c@x.org>\n', name="names.txt")
    assert world.sql("SELECT name FROM subscriber ORDER BY address_key") == [["Ann B"], ["Lee, Cy"]]


# ---- names of attributes ----

def test_names_of_listmonk(world):
    "Attributes of listmonk whose names are no merge fields, or differ in capitals alone, keep their names: the person is taken, and nothing is lost."
    world.setup()
    header = "uuid,email,name,attributes,status,created_at,updated_at\n"
    values = {"ключ": "v", "3": 1, "City": "Köln", "city": "Bonn", "_x": True, "": 0, "Full Name": "A B"}
    cell = json.dumps(values, ensure_ascii=False).replace('"', '""')
    done = counts(world, header + f'u1,ann@example.test,Ann,"{cell}",enabled,x,x\nu2,bob@example.test,Bob,"{{""City"": ""Kiel""}}",enabled,x,x\n')
    assert (done["joined"], done["refused"]) == (2, 0), done
    kept = {key: value for key, value in values.items() if key != "Full Name"}
    assert attributes(world, "ann@example.test") == {**kept, "full_name": "A B"}
    assert attributes(world, "bob@example.test") == {"city": "Kiel"}
    # As they are exported, they come back.
    exported = world.listctl("export", "news")
    before = attributes(world, "ann@example.test")
    empty(world)
    world.listctl("import", "news", world.file("back.csv", exported))
    assert attributes(world, "ann@example.test") == before
    # A row of very many members takes no time to speak of.
    many = json.dumps({f"K{i}": 1 for i in range(5000)}).replace('"', '""')
    done = counts(world, header + f'u3,cy@example.test,Cy,"{many}",enabled,x,x\n')
    assert len(attributes(world, "cy@example.test")) == 5000


def test_names_by_map(world):
    "--map and --type take attribute:NAME for any name."
    world.setup()
    counts(world, "email,Größe,attribute:City Name\na@example.test,7,x\n", "--map", "Größe=attribute:Größe", "--type", "attribute:Größe=number",
           "--map", "attribute:City Name=city")
    assert attributes(world, "a@example.test") == {"Größe": 7, "city": "x"}
    error = world.refused("import", "news", world.file("k.csv", "email,ключ\na@example.test,x\n"), says="no letter of a to z")
    assert "attribute:" in error, error
    assert "attribute:NAME" in world.listctl("import", "--help")


# ---- what is said ----

def test_updated_is_what_has_changed(world):
    "A known person whose rows far apart contradict each other, and who ends as he began, is unchanged; one who ends otherwise is updated once."
    world.setup()
    counts(world, "email,city\na@example.test,Bonn\nb@example.test,Bonn\n")
    filler = "".join(f"f{i}@example.test,x\n" for i in range(10500))
    content = f"email,city\na@example.test,Kiel\nb@example.test,Kiel\n{filler}a@example.test,Bonn\nb@example.test,Ulm\n"
    for options in ((), ("--on-conflict", "update")):
        world.sql("UPDATE subscriber SET attributes = '{\"city\": \"Bonn\"}' WHERE address_key < 'c'")
        done = counts(world, content, *options)
        assert attributes(world, "a@example.test") == {"city": "Bonn"} and attributes(world, "b@example.test") == {"city": "Ulm"}
        assert (done["updated"], done["duplicates"]) == (1, 2), (options, done)
        assert done["rows"] == sum(done[key] for key in ("duplicates", "suppressed", "erased", "created", "updated", "unchanged")), done


def test_mailchimp_cells_in_quotation_marks(world):
    "In exports of others an empty cell in quotation marks says nothing, as one without; in other files it sets the empty text."
    world.setup()
    counts(world, 'Email Address,Phone,LEID,EUID\na@example.test,"",1,x\n')
    assert attributes(world, "a@example.test") == {}
    counts(world, 'email,phone\na@example.test,""\n')
    assert attributes(world, "a@example.test") == {"phone": ""}


def test_reasons_are_those_of_the_file(world):
    "What is refused is said in words of the file's own kind: UTF-16, JSON lines, rows of one field."
    world.setup()
    content = "email,name\na@example.test,Ann\nb@example.test,".encode("utf-16") + b"\x00\xd8" + "x\n".encode("utf-16-le")
    rejects = rejects_of(counts(world, content, "--skip-bad")["rejects"])
    assert [row["_line"] for row in rejects] == ["3"] and "UTF-16" in rejects[0]["_reason"] and "UTF-8" not in rejects[0]["_reason"], rejects
    lines = '{"email": "c@example.test"}\n{"email": "d@example.test", "x": 1}\nnonsense\n'
    path = world.file("people.jsonl", lines)
    done = world.run("listctl", "import", "news", path, "--skip-bad")
    assert "no JSON object about a person: 2" in done.stderr and "quotation mark" not in done.stderr, done
    rejects = rejects_of(f"{path}.rejects.csv")
    assert "x" in rejects[0]["_reason"] and "no JSON object" in rejects[1]["_reason"], rejects
    world.refused("import", "news", f"{path}.rejects.csv", says=["line 2", "nobody knows its member x"])
    again = rejects_of(f"{path}.rejects.csv.rejects.csv")
    assert again[0]["email"] == lines.splitlines()[1] and "stands whole in the first column" in again[1]["_reason"], again
    done = counts(world, "email,name\ne@example.test\nf@example.test,F\n", "--skip-bad")
    assert "the row has 1 field where the header has 2" in rejects_of(done["rejects"])[0]["_reason"]


def test_rejected_json_is_mended_in_its_place(world):
    "Objects that could not be read are mended where they stand in the rejects file, as a spreadsheet writes it too; so are those that were refused for a cell."
    world.setup()
    path = world.file("people.jsonl", '{"email": "a@example.test", "name": "A", "attributes": {"n": 1, "s": "=x"}, "x": 1}\n'
                      '{"email": "b@", "attributes": {"n": 2}}\n{"email": "c@example.test", "_consent_source": "paper"\nnonsense\n'
                      '{"email": "d@example.test"}\n'.encode() + b'{"email": "e@example.test", "name": "\xfc"}\n')
    world.listctl("import", "news", path, "--skip-bad")
    rejects = f"{path}.rejects.csv"
    text = open(rejects, encoding="utf-8").read()
    assert "\\xFC" in text, text  # what is no UTF-8 stands there as it can be read
    mended = text.replace("\\xFC", "ü").replace(', ""x"": 1', "").replace("b@,", "b@example.test,").replace('""paper""', '""paper""}').replace("nonsense", '"{""email"": ""f@example.test""}"')
    rows = list(csv.reader(mended.splitlines()))
    padded = "".join(";".join('"' + cell.replace('"', '""') + '"' if cell else "" for cell in row + [""] * (9 - len(row))) + "\r\n" for row in rows)
    for content in (mended, padded):
        empty(world)
        done = counts(world, content, name="mended.csv")
        assert done["refused"] == 0 and members(world) == [f"{c}@example.test" for c in "abcef"], (done, members(world))
        assert (attributes(world, "a@example.test"), attributes(world, "b@example.test")) == ({"n": 1, "s": "=x"}, {"n": 2})
        assert world.sql("SELECT s.address, m.consent_source FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"
                         " WHERE m.consent_source IS NOT NULL") == [["c@example.test", "paper"]]


def test_what_is_cut_says_so(world):
    "Of a row too long to be kept, the first 64 KB stand in the rejects file, no character torn; the reason says so, and where the whole is."
    world.setup()
    for label, content, line in (("a row", "email,name\na@example.test,A\nb@example.test," + "x" * 1500000 + "\n", "3"),
                                 ("a row of other letters", "email,name\na@example.test,A\nbb@example.test," + "é" * 600000 + "\n", "3"),
                                 ("a field", "email,name\na@example.test,A\nb@example.test,\"" + "ü" * 50000 + "\"\n", "3"),
                                 ("a line", "".join(f"{c}@example.test\n" for c in "acd") + "b@example.test " + "x" * 90000 + "\n", "4"),
                                 ("JSON", '{"email": "a@example.test"}\n{"email": "b@example.test", "x": "' + "é" * 50000 + '"}\n', "2"),
                                 ("JSON of megabytes", '{"email": "a@example.test"}\n{"email": "b@example.test", "x": "' + "x" * 2500000 + '"}\n', "2")):
        done = counts(world, content, "--skip-bad")
        csv.field_size_limit(1 << 20)
        row, = rejects_of(done["rejects"])
        assert row["_line"] == line and f"only its beginning stands here, 64 KB at most: the whole is in line {line}" in row["_reason"], (label, row["_reason"])
        assert 60000 < len(row["email"].encode()) <= 65536 and row["email"] in content, (label, len(row["email"].encode()), row["email"][:99])


def test_old_rejects_are_no_ones(world):
    "The rejects and warnings of an earlier import are gone when another one has begun, also one that is interrupted or refuses nothing."
    world.setup()
    path = world.file("p.csv", "email\na@example.test\nbad\n")
    rejects = world.base / "p.csv.rejects.csv"
    warnings = world.base / "warnings.csv"
    world.listctl("import", "news", path, "--skip-bad", "--warnings", warnings)
    assert rejects.exists() and warnings.exists()
    lock = subprocess.Popen(["psql", world.conninfo, "-AtXq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lock.stdin.write("BEGIN; LOCK verpost.membership;\\echo locked\n")
    lock.stdin.flush()
    assert lock.stdout.readline() == "locked\n"
    running = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", path, "--warnings", warnings], stderr=subprocess.PIPE)
    until(lambda: not rejects.exists() or running.poll() is not None, "the import to begin")
    until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0" or running.poll() is not None, "it to wait")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130 and b"interrupted" in running.stderr.read()
    lock.communicate("ROLLBACK;\n", timeout=60)
    assert not rejects.exists() and not warnings.exists()
    world.listctl("import", "news", path, "--skip-bad")
    assert rejects.exists()
    path.write_text("email\na@example.test\n")
    world.listctl("import", "news", path)
    assert not rejects.exists(), "an import that refused nothing has left another one's rejects"
    # Wrong usage touches nothing, nor does a file that is not there.
    rejects.write_text("mine")
    world.refused("import", "news", path, "--status", "gone", code=2, says="--status")
    world.refused("import", "nosuch", path, says="nosuch")
    assert rejects.read_text() == "mine"


def test_rejects_that_are_no_file(world):
    "A pipe or a device as --rejects is written to, not replaced; what standard input comes from is not written over."
    world.setup()
    path = world.file("p.csv", "email\na@example.test\nbad\n")
    pipe = world.base / "pipe"
    os.mkfifo(pipe)
    running = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", path, "--skip-bad", "--rejects", pipe])
    world.others.append(running)
    with open(pipe, encoding="utf-8") as reading:
        assert "bad" in reading.read()
    assert running.wait(60) == 0 and pipe.is_fifo()
    mended = world.file("news.rejects.csv", "email\nb@example.test\nworse\n")
    with open(mended, "rb") as people:
        done = subprocess.run([BIN / "listctl", "--config", world.config, "import", "news", "-", "--skip-bad"], stdin=people, cwd=world.base,
                              capture_output=True, text=True)
    assert done.returncode == 2 and "--rejects" in done.stderr and mended.read_text().endswith("worse\n"), done
