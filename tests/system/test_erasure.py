"""Erasure: the person, and every text that names them, are gone; ledgers stay exact; the person is never taken in again unless asked."""

import json
import os
import subprocess

from verpost import until

ADDRESS = "Ann.Lee+news@gmail.com"
SPELLINGS = ["ann.lee+news@gmail.com", "annlee@gmail.com", "ann.lee@gmail.com", "ann.lee+news@"]


def dump(world):
    """The whole database as text."""
    binary = next(path for path in ("/usr/lib/postgresql/15/bin/pg_dump", "/usr/bin/pg_dump") if os.path.exists(path))
    return subprocess.run([binary, "-d", world.conninfo, "--inserts"], capture_output=True, text=True, check=True).stdout


def traces(world):
    """Where in the database the person is still named, in text or in octets, in whatever case."""
    text = dump(world).lower()
    hexed = [spelling.encode().hex() for spelling in SPELLINGS]
    return [line for line in text.splitlines() if any(part in line for part in SPELLINGS + hexed + ["secret-attribute"])]


def filled(world):
    """Ann everywhere: sent to, bounced, complained about, written from, suppressed, tested and audited; and Bob, who stays."""
    world.setup()
    world.listctl("import", "news", world.file("p.csv", f"email,name,plan\n{ADDRESS},Ann Lee,secret-attribute\nbob@example.test,Bob,free\n"))
    world.mailworld('*@gmail.com refuse rcpt 550 5.1.1 "<ann.lee+news@gmail.com> no such user"\n* accept\n')
    world.campaign("spring")
    world.start("sender")
    world.finished("spring")
    world.stop("sender")
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic, recipient, judged_at)"
              " SELECT c.id, nextval('bounce_event_id'), s.id, sha256('x'), 'report', now(), 'bounce-hard', 'user-unknown', 'Ann.Lee+news@GMAIL.com is full',"
              " 'Ann.Lee+news@gmail.com', now() FROM campaign c, subscriber s WHERE s.name = 'Ann Lee'")
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic, recipient, judged_at)"
              " SELECT c.id, nextval('bounce_event_id'), s.id, sha256('y'), 'report', now(), 'bounce-soft', 'other', 'forwards to annlee@gmail.com',"
              " 'annlee@gmail.com', now() FROM campaign c, subscriber s WHERE s.name = 'Bob'")
    world.sql("INSERT INTO bounce_raw (campaign_id, event_id, message) SELECT campaign_id, id, convert_to('To: Ann.Lee+news@gmail.com', 'UTF8')"
              " FROM bounce_event WHERE diagnostic LIKE '%full'")
    world.sql("INSERT INTO mailbox_message (sender, recipient, message, message_hash, received_at)"
              " VALUES ('ann.lee+news@gmail.com', 'postmaster', convert_to('From: Ann', 'UTF8'), sha256('m'), now()),"
              " ('bob@example.test', 'postmaster', convert_to('Cc: ann.lee+news@gmail.com', 'UTF8'), sha256('n'), now())")
    world.listctl("suppress", "add", ADDRESS, "--list", "news", "--reason", "ann.lee+news@gmail.com asked")


def test_nothing_names_the_person(world):
    "After erase no table and no dump of the database holds the address, in any case or spelling; what was done is told table by table."
    filled(world)
    assert traces(world), "the test finds nothing to erase"
    before = world.status("spring")
    planned = json.loads(world.listctl("subscriber", "erase", ADDRESS.upper(), "--dry-run", "--format", "json"))
    assert traces(world) and world.value("SELECT count(*) FROM subscriber") == "2"
    world.refused("subscriber", "erase", ADDRESS, says="--yes")
    done = json.loads(world.listctl("subscriber", "erase", ADDRESS, "--yes", "--reason", "asked by letter", "--format", "json"))
    assert not traces(world), traces(world)[:5]
    assert {(row["place"], row["deed"]) for row in done} >= {
        ("subscriber", "removed"), ("membership", "removed"), ("bounce_raw", "removed"), ("bounce_event", "blanked"), ("delivery", "blanked"),
        ("mailbox_message", "removed"), ("audit", "blanked"), ("suppression", "removed")}, done
    assert {(row["place"], row["deed"]): row["rows"] for row in planned if row["place"] not in ("audit",)} == {
        (row["place"], row["deed"]): row["rows"] for row in done if row["place"] not in ("audit",)}
    assert world.status("spring") == before, "the ledger is not what it was"
    assert world.value("SELECT name FROM subscriber") == "Bob" and world.value("SELECT count(*) FROM membership") == "1"
    row = json.loads(world.listctl("suppress", "ls", "--format", "json"))[0]
    assert row["kind"] == "erased" and len(row["value"]) == 64 and row["reason"] == "asked by letter", row


def test_never_taken_in_again(world):
    "Import leaves out who was erased, in every spelling of the mailbox, until suppress rm lets them come back."
    filled(world)
    world.listctl("subscriber", "erase", ADDRESS, "--yes")
    path = world.file("again.csv", "email\nann.lee+news@gmail.com\nAnnLee+other@googlemail.com\nannlee@gmail.com\nnew@example.test\n")
    done = json.loads(world.listctl("import", "news", path, "--format", "json"))
    assert (done["erased"], done["created"], done["duplicates"]) == (1, 1, 2), done
    assert not [line for line in traces(world) if "copy" not in line]
    assert len(json.loads(world.listctl("suppress", "check", "annlee@gmail.com", "--format", "json"))) == 1
    world.listctl("suppress", "rm", "a.n.n.lee@gmail.com")
    done = json.loads(world.listctl("import", "news", path, "--format", "json"))
    assert (done["erased"], done["created"]) == (0, 1), done


def test_while_a_campaign_runs(world):
    "Erased in the middle of a campaign, a person gets no copy and the ledger stays exact."
    world.setup()
    world.subscribe([f"p{n}@example.test" for n in range(50)])
    world.campaign("spring")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 50, "the audience to be frozen")
    world.listctl("campaign", "pause", "spring")
    world.listctl("subscriber", "erase", "p7@example.test", "--yes")
    world.mailworld("* accept\n")
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert (status["audience"], status["accepted"], status["skipped"]) == (50, 49, 1), status
    assert "p7@example.test" not in {message["to"] for message in world.accepted()}
    assert world.value("SELECT reason FROM delivery WHERE outcome = 'skipped'") == "erased"


def test_the_key(world):
    "The erasure key is in the key file alone, outlives new keys, and is never made anew while somebody is known by it."
    world.setup()
    world.subscribe(["ann@example.test"])
    keys = world.base / "keys"
    line = [text for text in keys.read_text().splitlines() if text.startswith("erasure ")]
    assert len(line) == 1 and any(row["state"] == "erasure" for row in json.loads(world.listctl("key", "ls", "--format", "json")))
    world.refused("key", "new", "--erasure", says="for good")
    world.listctl("subscriber", "erase", "ann@example.test", "--yes")
    world.listctl("key", "new")
    assert line[0] in keys.read_text() and line[0].split()[-1] not in dump(world)
    path = world.file("again.csv", "email\nann@example.test\n")
    assert json.loads(world.listctl("import", "news", path, "--format", "json"))["erased"] == 1
    kept = keys.read_text()
    keys.write_text("\n".join(text for text in kept.splitlines() if not text.startswith("erasure ")) + "\n")
    world.refused("import", "news", path, says="erasure")
    world.refused("key", "new", "--erasure", says="former key file")
    keys.write_text(kept.replace(line[0], "erasure 2026-01-01 " + "ab" * 32))
    world.refused("import", "news", path, says="another erasure key")
    keys.write_text(kept)
    assert json.loads(world.listctl("import", "news", path, "--format", "json"))["erased"] == 1


def test_a_key_file_of_before(world):
    "A key file without an erasure key is told what to do, and gets one."
    world.setup()
    world.subscribe(["ann@example.test"])
    keys = world.base / "keys"
    keys.write_text("\n".join(text for text in keys.read_text().splitlines() if not text.startswith("erasure ")) + "\n")
    world.refused("subscriber", "erase", "ann@example.test", "--yes", says="key new --erasure")
    world.listctl("key", "new", "--erasure")
    world.listctl("subscriber", "erase", "ann@example.test", "--yes")
    world.refused("subscriber", "erase", "ann@example.test", "--yes", says="no subscriber")
