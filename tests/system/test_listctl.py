"""listctl's habits: help, exit codes, formats, and one clear error for what is missing or unreadable."""

import csv
import io
import os
import pty
import re
import stat
import subprocess
import time

from verpost import BIN, Skip


def run(world, *arguments, stdin=None, **more):
    """listctl without the harness's --config."""
    return subprocess.run([BIN / "listctl", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}), **more)


def verbs(world):
    """Every "noun verb" that the overview shows."""
    lines = run(world, "--help").stdout.split("Options of every verb")[0].splitlines()
    return [words.split() for words in (line[2:26].strip() for line in lines if line.startswith("  ")) if words]


def test_help_is_everywhere(world):
    "--help works for everything, every noun and every verb, on stdout with exit 0, before anything is set up."
    found = verbs(world)
    assert ["db", "init"] in found and ["import"] in found and ["key", "retire"] in found, found
    for words in found:
        done = run(world, *words, "--help")
        assert done.returncode == 0 and not done.stderr, (words, done)
        assert done.stdout.startswith("Usage: listctl " + " ".join(words)), done.stdout
        assert "--format" in done.stdout and "--config" in done.stdout
    for noun in {words[0] for words in found if len(words) == 2}:
        done = run(world, noun, "--help")
        assert done.returncode == 0 and f"Usage: listctl {noun} VERB" in done.stdout
    assert re.match(r"listctl \(verpost\) \d", run(world, "--version").stdout)
    manual = run(world, "--manual").stdout
    for words in found:
        assert f"\n## {' '.join(words)} " in "\n" + manual, words
    settings = run(world, "--settings").stdout
    assert "bounce" in settings and "relay" in settings


def test_wrong_use_is_exit_2(world):
    "Wrong words end with 2, say what is wrong on stderr, print no data, and name the nearest word."
    rows = [((), "needs a command"), (("lst", "ls"), "did you mean list?"), (("list", "shwo"), "did you mean list show?"),
            (("frobnicate",), "no such command"), (("list",), "needs a verb"), (("list", "ls", "--nosuch"), "--nosuch"),
            (("list", "ls", "--format"), "needs a value"), (("list", "ls", "--format", "xml"), "table, csv and json"),
            (("import", "news"), "FILE.csv|- is missing behind LIST"), (("list", "ls", "x"), "too many arguments")]
    for words, text in rows:
        done = run(world, *words)
        assert done.returncode == 2 and text in done.stderr and not done.stdout, (words, done)
    world.listctl("db", "init")
    world.refused("list", "create", "Bad Name", "--from", "a@b.test", code=2, says="a-z, 0-9 and -")
    world.refused("key", "retire", "16", code=2, says="0 to 15")


def test_settings_and_keys_that_cannot_be_read(world):
    "Missing, unreadable and broken configuration and key files each get one error that names file, line and remedy."
    world.listctl("db", "init")
    rows = [("missing.conf", None, ["missing.conf", "No such file"]),
            ("folder.conf", "DIR", ["folder.conf", "directory"]),
            ("broken.conf", "[database]\nconninfo = dbname=x\nnosuch = 1\n", ["broken.conf", "3", "nosuch"]),
            ("value.conf", "[bounce]\ntoken_life = soon\n", ["value.conf", "2", "token_life"])]
    for name, content, words in rows:
        path = world.base / name
        if content == "DIR":
            path.mkdir()
        elif content is not None:
            world.file(name, content)
        for verb in (["list", "ls"], ["--check-config"]):
            done = run(world, "--config", path, *verb)
            assert done.returncode == 1 and all(word in done.stderr for word in words), done
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    keys = world.base / "keys"
    world.refused("key", "ls", says=[str(keys), "listctl key new"])
    done = run(world, "--config", world.config, "--check-config")
    assert done.returncode == 1 and "listctl key new" in done.stderr, done
    world.file("keys", "instance nothing\n")
    world.refused("key", "ls", says=[str(keys)])
    world.refused("key", "new", says=[str(keys)])
    assert keys.read_text() == "instance nothing\n"
    keys.unlink()
    world.configure(**{"keys.file": world.base / "no" / "keys"})
    world.refused("key", "new", says=[str(world.base / "no" / "keys")])
    world.configure(**{"keys.file": ""})
    world.refused("key", "new", says=["keys.file"])


def test_unreadable_files_as_somebody_else(world):
    "Without the right to read them, configuration and keys are named as such."
    world.setup()
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    for name in ("verpost.conf", "keys"):
        (world.base / name).chmod(0o600)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    program = world.base / "listctl"
    program.write_bytes((BIN / "listctl").read_bytes())
    program.chmod(0o755)

    def refused(*arguments):
        done = subprocess.run([program, "--config", world.config, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, **nobody)
        assert done.returncode == 1 and "Permission denied" in done.stderr, done
        return done.stderr

    assert str(world.config) in refused("key", "ls")
    world.config.chmod(0o644)
    assert str(world.base / "keys") in refused("key", "ls")


def test_postgres_is_stopped(world):
    "With PostgreSQL stopped every verb that needs it says so once and ends with 1."
    world.setup()
    path = world.file("people.csv", "email\na@example.test\n")
    world.postgres("stop")
    for words in (["db", "status"], ["list", "ls"], ["import", "news", path], ["export", "news"], ["suppress", "ls"], ["key", "new"],
                  ["campaign", "start", "c"], ["campaign", "status", "c"], ["prune", "--apply"], ["undo", "1"], ["explain", "a@example.test"],
                  ["bounce", "report"]):
        error = world.refused(*words)
        assert len(error.strip().splitlines()) == 1 and "PostgreSQL" in error, error
        assert "is it running" in error and str(world.config) in error, error
    before = (world.base / "keys").read_text()
    world.postgres("start")
    assert world.value("SELECT count(*) FROM subscriber") == "0"
    assert (world.base / "keys").read_text() == before


def test_database_verbs(world):
    "init makes the database once, status tells its state, and other verbs refuse a database without it."
    assert world.json("db", "status")["database"]["state"] == "empty"
    world.refused("list", "ls", says="listctl db init")
    world.listctl("db", "init")
    world.refused("db", "init", says="already")
    status = world.json("db", "status")
    assert status["database"]["state"] == "current" and status["migrations"][0]["name"] == "initial", status
    world.listctl("db", "upgrade")
    world.sql("UPDATE instance SET schema_version = 999, oldest_program = 999")
    world.refused("list", "ls")


def test_lists(world):
    "Lists are made, shown, edited and refused; every change stands in the audit with who made it."
    world.listctl("db", "init")
    world.listctl("list", "create", "news", "--title", "The News", "--from", '"News, Daily" <news@bücher.example>')
    shown = world.json("list", "show", "news")
    assert shown["from_name"] == "News, Daily" and shown["from_address"] == "news@xn--bcher-kva.example", shown
    assert shown["list_id"] == "news.bounce.test" and shown["reply_to"] is None and shown["active"] == 0, shown
    world.listctl("list", "edit", "news", "--reply-to", "help@example.test", "--title", "Neu")
    assert world.json("list", "show", "news")["reply_to"] == "help@example.test"
    world.listctl("list", "edit", "news", "--reply-to", "")
    assert world.json("list", "show", "news")["reply_to"] is None
    world.refused("list", "create", "news", "--from", "a@example.test", says="already")
    world.refused("list", "create", "two", "--from", "a@example.test", "--list-id", "news.bounce.test", says="already")
    world.refused("list", "create", "two", code=2, says="--from")
    world.refused("list", "create", "two", "--from", "no address", says="--from")
    world.refused("list", "create", "two", "--from", "A\nB <a@example.test>", says="control")
    world.refused("list", "create", "two", "--from", "a@example.test", "--list-id", "nodot", code=2, says="list id")
    world.refused("list", "edit", "nosuch", "--title", "x", says=["no list nosuch; `listctl list ls`"])
    world.refused("list", "edit", "news", code=2, says="nothing to change")
    assert [row["name"] for row in world.json("list", "ls")] == ["news"]
    actions = world.sql("SELECT action, actor <> '' FROM audit ORDER BY id")
    assert actions == [["list.create", "t"], ["list.edit", "t"], ["list.edit", "t"]], actions


def test_formats_agree(world):
    "The same rows come as a table, as CSV and as JSON; --quiet leaves the data."
    world.setup()
    world.listctl("list", "create", "zwei", "--title", "=HYPERLINK(1)", "--from", "z@example.test")
    as_json = world.json("list", "ls")
    as_csv = list(csv.DictReader(io.StringIO(world.listctl("list", "ls", "--format", "csv"))))
    assert [row["name"] for row in as_json] == [row["name"] for row in as_csv] == ["news", "zwei"]
    assert as_json[1]["title"] == "=HYPERLINK(1)" and as_csv[1]["title"] == "'=HYPERLINK(1)"
    table = world.listctl("list", "ls", "--quiet").splitlines()
    assert table[0].startswith("NAME") and table[2].startswith("zwei"), table
    done = world.run("listctl", "list", "create", "drei", "--from", "d@example.test", "--quiet")
    assert done.returncode == 0 and done.stdout == "" and done.stderr == "", done
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / "listctl", "--config", world.config, "list", "ls"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "written" in done.stderr, done


def test_suppressions(world):
    "Addresses and domains are added, listed, removed and imported, for one list or for all."
    world.setup()
    world.listctl("suppress", "add", "Ann@Example.test", "@bücher.example", "--reason", "asked by letter")
    world.listctl("suppress", "add", "ann@example.test", "--list", "news")
    rows = [(row["value"], row["kind"], row["list"], row["reason"]) for row in world.json("suppress", "ls")]
    assert rows == [("ann@example.test", "address", None, "asked by letter"), ("xn--bcher-kva.example", "domain", None, "asked by letter"),
                    ("ann@example.test", "address", "news", "by hand")], rows
    world.refused("suppress", "add", "good@example.test", "bad@@x", says="address")
    assert len(world.json("suppress", "ls")) == 3
    world.listctl("suppress", "rm", "ANN@example.test")
    world.refused("suppress", "rm", "ann@example.test", says="not suppressed")
    world.listctl("suppress", "rm", "ann@example.test", "--list", "news")
    world.refused("suppress", "ls", "--list", "nosuch", says="no list nosuch")
    assert len(world.json("suppress", "ls")) == 1
    exported = world.listctl("suppress", "ls", "--format", "csv")
    world.listctl("suppress", "rm", "bücher.example")
    world.listctl("suppress", "import", world.file("s.csv", exported))
    world.listctl("suppress", "import", world.file("t.csv", "email,reason\na@example.test,old list\nA@example.test,\n"))
    assert [row["value"] for row in world.json("suppress", "ls")] == ["xn--bcher-kva.example", "a@example.test"]
    world.refused("suppress", "import", world.file("u.csv", "email\nb@example.test\nbroken\n"), says=["u.csv", "line 3", "nothing was imported"])
    world.refused("suppress", "import", world.file("v.csv", "what\nb@example.test\n"), says=["v.csv", "line 1", "header"])
    world.refused("suppress", "import", world.file("w.csv", b"email\n\xff@example.test\n"), says=["w.csv", "line 2", "UTF-8"])
    assert len(world.json("suppress", "ls")) == 2


def test_keys(world):
    "Keys are made in a file of mode 0600 that names the database, rotate, and are not retired while in use."
    world.listctl("db", "init")
    keys = world.base / "keys"
    world.listctl("key", "new")
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert f"instance {world.value('SELECT id FROM instance')}" in keys.read_text()
    world.refused("key", "retire", "0", says="signing key")
    world.listctl("key", "new")
    states = [(row["id"], row["state"]) for row in world.json("key", "ls")]
    assert states == [(0, "active"), (1, "signing"), (None, "erasure")], states
    assert not any(word in world.listctl("key", "ls") for word in re.findall("[0-9a-f]{64}", keys.read_text()))
    world.listctl("list", "create", "news", "--from", "n@example.test")
    world.sql("INSERT INTO campaign (name, list_id, state, subject, from_address, text_body, audience, started_at)"
              " SELECT 'c', id, 'running', 's', 'n@example.test', 't', 1, now() FROM list")
    world.sql("INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids, opened, key_id, day, date_at)"
              " SELECT id, 0, '{1}', 1, 0, extract(epoch FROM now())::bigint / 86400, now() FROM campaign")
    world.refused("key", "retire", "0", says=["key 0", "still used", "--force"])
    world.sql("UPDATE campaign_chunk SET done = true")
    world.refused("key", "retire", "0", says=["key 0", "days", "--force"])
    world.sql("UPDATE campaign_chunk SET day = 1000")
    world.listctl("key", "retire", "0")
    world.refused("key", "retire", "0", says="no active key 0")
    assert [row["state"] for row in world.json("key", "ls")] == ["retired", "signing", "erasure"]
    for _ in range(14):
        world.listctl("key", "new")
    before = keys.read_text()
    world.refused("key", "new", says="16")
    keys.write_text(before.replace(world.value("SELECT id FROM instance"), "00000000-0000-0000-0000-000000000000"))
    world.refused("key", "new", says=["belongs to the database instance"])
    assert world.value("SELECT count(*) FROM audit WHERE action LIKE 'key.%'") == "17"


def test_workers(world):
    "Workers are listed; one that is not there cannot be forgotten."
    world.setup()
    assert world.json("worker", "ls") == []
    world.refused("worker", "forget", "x", code=2, says="worker ls")
    worker = "0b1e0d5c-7b5e-4f64-9f0c-d6a1c0b7e1aa"
    world.refused("worker", "forget", worker, says="0b1e0d5c")
    world.configure(**{"sender.lease": "1h"})
    world.sql(f"INSERT INTO worker (id, host, journal, seen_at) VALUES ('{worker}', 'h', 'j', now() - interval '1 hour')")
    told = [int(word) for word in world.refused("worker", "forget", worker, says="last heard of").split() if word.isdigit()]
    assert 3600 <= told[0] < 3800 and 3400 < told[1] <= 3600 and 7199 <= sum(told) <= 7201, told
    world.sql("UPDATE worker SET seen_at = now() - interval '2 hours'")
    world.refused("worker", "forget", worker, says=["--yes", "in doubt", "nothing was changed"])
    assert world.value("SELECT count(*) FROM worker") == "1"
    world.listctl("worker", "forget", worker, "--yes")
    assert world.value("SELECT count(*) FROM worker") == "0"


def test_nothing_is_asked(world):
    "Without a terminal nothing is asked and no progress is drawn: stderr holds lines of text only."
    world.setup()
    rows = "".join(f"u{i}@example.test,U\n" for i in range(20000))
    done = world.run("listctl", "import", "news", world.file("p.csv", "email,name\n" + rows))
    assert done.returncode == 0 and "\r" not in done.stderr and "\x1b" not in done.stderr, done.stderr
    assert done.stdout == ""


def test_mailbox(world):
    "Mail for a person is listed, shown as it came, and thrown away."
    world.setup()
    assert world.json("mailbox", "ls") == []
    world.sql("INSERT INTO mailbox_message (recipient, sender, message_hash, message) SELECT 'postmaster@bounce.test', '',"
              " sha256(m), m FROM (VALUES ('\\x5375626a6563743a2068690d0a0d0afc0d0a'::bytea)) v (m)")
    shown = world.json("mailbox", "ls")
    assert [(row["recipient"], row["sender"], row["octets"]) for row in shown] == [("postmaster@bounce.test", "", 18)], shown
    done = subprocess.run([BIN / "listctl", "--config", world.config, "mailbox", "show", str(shown[0]["id"])], capture_output=True)
    assert done.stdout == b"Subject: hi\r\n\r\n\xfc\r\n", done
    world.refused("mailbox", "show", "99", says=["no message 99", "mailbox ls"])
    world.refused("mailbox", "show", "x", code=2, says="mailbox ls")
    world.refused("mailbox", "rm", str(shown[0]["id"]), "99", says="no message 99")
    assert len(world.json("mailbox", "ls")) == 1
    world.listctl("mailbox", "rm", shown[0]["id"])
    assert world.json("mailbox", "ls") == []


def test_progress_on_a_terminal(world):
    "Work that lasts shows a bar with rate on a terminal, and wipes it; --quiet shows none."
    world.setup()
    for quiet in (False, True):
        terminal, other_end = pty.openpty()
        process = subprocess.Popen([BIN / "listctl", "--config", world.config, "import", "news", "-", *(["--quiet"] if quiet else [])],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=other_end)
        world.others.append(process)
        os.close(other_end)
        process.stdin.write(b"email\n")
        for i in range(30):
            time.sleep(0.1)
            process.stdin.write(b"u%d@example.test\n" % i)
            process.stdin.flush()
        process.stdin.close()
        shown = b""
        while True:
            try:
                data = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown += data
        os.close(terminal)
        assert process.wait(60) == 0
        if quiet:
            assert shown == b"", shown
        else:
            assert b"\rreading" in shown.replace(b"\x1b[K", b"") and b"/s" in shown and b"rows taken: 30" in shown, shown


def test_a_name_is_misspelt(world):
    "A list, segment or campaign that there is not is answered with the one that is nearest by spelling, where just one is."
    world.setup("weekly-news")
    for name in ("team-a", "team-b", "offers"):
        world.listctl("list", "create", name, "--from", "o@example.test")
    world.listctl("segment", "create", "berlin", "--where", '$.city == "Berlin"')
    world.listctl("campaign", "create", "spring-2026", "offers", "--from", "o@example.test", "--subject", "s", "--text", world.file("t.txt", "t {{unsubscribe}}"))
    for wrong in ("weekly-new", "wekly-news", "weeklynews", "Weekly-News", "weelky-news"):
        world.refused("export", wrong, says=f"no list {wrong}; did you mean weekly-news? `listctl list ls` shows")
    world.refused("segment", "show", "berln", says="no segment berln; did you mean berlin? `listctl segment ls`")
    world.refused("campaign", "status", "spring-2025", says='no campaign "spring-2025"; did you mean spring-2026?')
    # Two are as near as each other, or none is near.
    for wrong in ("team-c", "nosuch", "x", "weekly", "a" * 200, "o\nfers"):
        assert "did you mean" not in world.refused("export", wrong, says=["there is no", "`listctl list ls`"]), wrong
    assert "did you mean" not in world.refused("campaign", "status", "autumn", says="there are: spring-2026")
