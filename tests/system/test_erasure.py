"""Erasure: the person, and every text that names them, are gone; ledgers stay exact; the person is never taken in again unless asked."""

import json
import os
import pathlib
import re
import subprocess
import threading

from holding import Holding
from returns import deliver, dsn, people, return_path
from test_import import waiting
from test_suppressions import Transaction
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
    relay = Holding(world, silent=True)
    relay.start()
    world.start("sender")
    world.campaign("spring")
    until(lambda: world.status("spring")["audience"] == 50, "the audience to be frozen")
    world.listctl("campaign", "pause", "spring")
    world.listctl("subscriber", "erase", "p7@example.test", "--yes")
    relay.released.set()
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert (status["audience"], status["accepted"], status["skipped"]) == (50, 49, 1), status
    assert sorted(relay.accepted) == sorted(f"p{n}@example.test" for n in range(50) if n != 7)
    assert world.value("SELECT reason FROM delivery WHERE outcome = 'skipped'") == "erased"


ON_THEIR_WAY = {  # who: where the relay keeps its reply back, and what it says in the end
    "taken@example.test": ("dot", "250 2.0.0 <taken@example.test> is glad"),
    "quiet@example.test": ("dot", "250 2.0.0 queued as 4711"),
    "gone@example.test": ("rcpt", "550 5.1.1 <gone@example.test> no such user"),
    "policy@example.test": ("dot", "554 5.7.1 policy%40example.test does not want this"),
    "later@example.test": ("rcpt", "451 4.2.1 <later@example.test> is busy"),
}


def test_replies_to_copies_on_their_way(world):
    "What a relay answers to the copy of somebody who was erased meanwhile is kept as code and reason: neither ledger nor events hold a word of it."
    world.setup()
    world.subscribe([*ON_THEIR_WAY, "stays@example.test"])
    relay = Holding(world, {**ON_THEIR_WAY, "stays@example.test": ("dot", "250 2.0.0 <stays@example.test> is glad")})
    relay.start()
    world.configure(**{"sender.workers": 1, "relay.connections": 8, "relay.in_flight": 1, "sender.retry_after": "1s"})
    world.start("sender")
    world.campaign("spring")
    until(lambda: len(relay.asked) == 6, "all to be with the relay")
    ids = dict(world.sql("SELECT id, address FROM subscriber"))
    for address in ON_THEIR_WAY:
        said = world.run("listctl", "subscriber", "erase", address, "--yes").stderr
        assert "1 message(s)" in said and "code and reason" in said, said
    relay.released.set()
    status = world.finished("spring")
    assert (status["accepted"], status["refused"], status["skipped"]) == (3, 2, 1), status
    for address in ON_THEIR_WAY:
        assert not named(world, address) and not named(world, address.replace("@", "%40")), (address, named(world, address))
    rows = {ids[row[0]].split("@")[0]: row[1:] for row in world.sql(
        "SELECT subscriber_id, outcome, coalesce(code, 0), coalesce(reason, ''), coalesce(reply, '-') FROM delivery")}
    assert rows == {"taken": ["accepted", "250", "", "-"], "quiet": ["accepted", "250", "", "-"], "gone": ["refused", "550", "user-unknown", "-"],
                    "policy": ["refused", "554", "policy", "-"], "later": ["skipped", "0", "erased", "-"],
                    "stays": ["accepted", "250", "", "2.0.0 <stays@example.test> is glad"]}, rows


def test_a_reply_in_the_moment_of_the_erasure(world):
    "A reply that comes while the erasure is under way waits for nothing, and is not kept; the erasure waits for a reply that is being written."
    world.setup()
    world.subscribe(["ann@example.test"])
    person = world.value("SELECT id FROM subscriber")
    relay = Holding(world, {"ann@example.test": ("dot", "250 2.0.0 <ann@example.test> is glad")})
    relay.start()
    world.start("sender")
    world.campaign("spring")
    until(lambda: relay.asked, "the copy to be with the relay")
    erasing = Transaction(world, f"DELETE FROM membership WHERE subscriber_id = {person}", f"DELETE FROM subscriber WHERE id = {person}")
    relay.released.set()
    world.finished("spring")
    assert world.sql("SELECT outcome, code, reply IS NULL FROM delivery") == [["accepted", "250", "t"]]
    erasing.end("COMMIT")


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
    assert "which was erased earlier" in world.run("listctl", "subscriber", "erase", "ann@example.test", "--yes").stderr


def named(world, address):
    """Lines of a dump with the address as a whole, in text or in octets."""
    hexed = address.encode().hex()
    whole = re.compile(r"(?<![\w.+-])" + re.escape(address) + r"(?!-*\w)(?!\.\w)")
    return [line for line in dump(world).lower().splitlines() if whole.search(line) or hexed in line.replace(b"jo".hex() + hexed, "")]


def deeds(world, *operands):
    return {(row["place"], row["deed"]): row["rows"] for row in json.loads(
        world.listctl("subscriber", "erase", *operands, "--yes", "--format", "json"))}


# A row for every column of which erasable says that something becomes of it, with the address and one that holds it; in a database that no
# longer minds what a row means.
PLANT = """
SET session_replication_role = replica;
DO $do$
DECLARE
    r record;
    n bigint := 500;
    names text;
    vals text;
BEGIN
    FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND coninhcount = 0 AND conparentid = 0
        AND connamespace = 'verpost'::regnamespace AND conrelid <> 'erasable'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', r.t, r.conname);
    END LOOP;
    FOR r IN SELECT place, said, atttypid::regtype::text AS type FROM erasable JOIN pg_attribute ON attrelid = place::regclass AND attname = said
        WHERE deed IN ('blanked', 'emptied', 'removed') ORDER BY 1, 2 LOOP
        n := n + 1;
        SELECT string_agg(format('%I', attname), ', '), string_agg(CASE
            WHEN attname IN ('campaign_id') THEN '0'
            WHEN typtype = 'e' THEN format('(enum_range(NULL::%s))[1]', atttypid::regtype)
            WHEN typname IN ('int2', 'int4', 'int8', 'float8') THEN CASE WHEN typname = 'int2' THEN '1' ELSE n::text END
            WHEN typname = 'timestamptz' THEN 'now()' WHEN typname = 'bool' THEN 'false' WHEN typname = 'uuid' THEN 'gen_random_uuid()'
            WHEN typname = 'interval' THEN quote_literal('1 s') WHEN typname = 'bytea' THEN format('convert_to(%L, ''UTF8'')', n)
            WHEN typname = 'jsonb' THEN quote_literal('{}') ELSE quote_literal('dummy' || n) END, ', ')
        INTO names, vals FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = r.place::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = ''
          AND attname <> r.said;
        EXECUTE format('INSERT INTO %I (%s) VALUES (%s)', r.place, concat_ws(', ', names, quote_ident(r.said)), concat_ws(', ', vals,
            CASE r.type WHEN 'bytea' THEN $$convert_to(E'x\nANN@x.test y joann@x.test\\\\ \\303\\244', 'UTF8')$$
                WHEN 'jsonb' THEN $$'{"ann@x.test": ["a\\nANN@x.test", "joann@x.test"]}'$$
                ELSE quote_literal('<ANN@x.test> joann@x.test ' || n) END));
    END LOOP;
END $do$
"""


def test_every_column(world):
    "Each column that can hold text is known, and whatever of them names the person no longer does; what names somebody with a longer address stays."
    world.setup()
    world.subscribe(["ann@x.test", "joann@x.test"])
    unknown = world.sql("SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
                        " WHERE table_schema = 'verpost' AND table_type = 'BASE TABLE'"
                        " AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)"
                        " AND udt_name IN ('text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'bytea', 'jsonpath', '_text', '_varchar', '_bytea', 'xml')"
                        " EXCEPT SELECT place, said FROM erasable")
    assert not unknown, f"a column whose text nobody erases; add it to erasable: {unknown}"
    subprocess.run(["psql", world.conninfo, "-qX", "-v", "ON_ERROR_STOP=1"], input="SET search_path = verpost;" + PLANT, text=True, check=True)
    planted = world.sql("SELECT DISTINCT place FROM erasable WHERE deed IN ('blanked', 'emptied', 'removed')")
    assert len(named(world, "ann@x.test")) >= len(planted) > 15
    others = len(named(world, "joann@x.test"))
    gone = int(world.value("SELECT count(*) FROM erasable WHERE deed IN ('emptied', 'removed')"))
    done = deeds(world, "ANN@X.test")
    assert not named(world, "ann@x.test"), named(world, "ann@x.test")[:5]
    assert {place for place, _ in done} >= {row[0] for row in planted}, done
    assert len(named(world, "joann@x.test")) == others - gone, "somebody else's was taken"


def test_only_whole_addresses(world):
    "What names joann@, ann@x.test.example or ann+news@ is theirs: reports, suppressions and the audit keep it."
    world.setup()
    others = ["joann@x.test", "ann@x.test.example", "ann@x.test-er.example", "ann+news@x.test", "o'ann@x.test"]
    for address in ["ann@x.test", *others]:
        world.listctl("subscriber", "add", "news", address)
        world.listctl("suppress", "add", address, "--reason", f"{address} asked")
    before = {address: len(named(world, address)) for address in others}
    world.listctl("subscriber", "erase", "ann@x.test", "--yes")
    assert {address: len(named(world, address)) for address in others} == before
    assert all("o''ann@x.test" in line or "o'ann@x.test" in line for line in named(world, "ann@x.test")), named(world, "ann@x.test")
    assert world.value("SELECT count(*) FROM suppression WHERE kind = 'address'") == str(len(others))


# As a link or a web page writes an address, with what is left of it; and what only looks so.
ENCODED = {
    "https://x.test/?e=ann%2Bnews%40x.test&n=1": "https://x.test/?e=erased&n=1",
    "next=%2Fu%3Fe%3DANN%2bnews%40x.test%26n": "next=%2Fu%3Fe%3Derased%26n",
    "<b>ann&#43;news&#x40;x.test</b>": "<b>erased</b>",
    "ann+news%40x.test, ann+news@x.test": "erased, erased",
    "To: <list-bounces+Ann+News=x.test@lists.test>": "To: <list-bounces+erased@lists.test>",
    "<list-bounces-ann+news=x.test@l.test> bounces+1234567-1a2b-Ann+news=x.test@em1.l.test": "<list-bounces-erased@l.test> bounces+1234567-1a2b-erased@em1.l.test",
    "(list-return-123-ann+news=x.test@l.test), bounce=ann+news=x.test@l.test": "(list-return-123-erased@l.test), bounce=erased@l.test",
    "bounce-mc.us1_12.34-ann+news=x.test@l.test prvs=1234abcdef=ann+news@x.test": "bounce-mc.us1_12.34-erased@l.test prvs=1234abcdef=erased",
    "l-bounces-jo-ann+news=x.test@l.test l-jo-ann+news=x.test@l.test b+jo-ann+news=x.test@l.test b+1-ann+news=x.test@l.test": None,
    "Subject: =?utf-8?Q?ann=2Bnews=40x.test?= ann+news=40x.test": "Subject: =?utf-8?Q?erased?= erased",
    "b+joann+news=x.test@l.test b+jo+ann+news=x.test@l.test b+ann+news=x.test.au@l.test b+ann=x.test@l.test": None,
    "joann%2Bnews%40x.test": None, "jo%2Bann%2Bnews%40x.test": None, "ann%2Bnews%40x.test.example": None, "ann%40x.test": None,
}


def test_encoded_addresses(world):
    "An address is found where a link has it behind percent signs, a web page in numbers, and a return path or quoted-printable behind =: in texts, attributes and returned messages."
    world.setup()
    world.listctl("subscriber", "add", "news", "Ann+News@x.test")
    world.listctl("subscriber", "add", "news", "bob@example.test")
    lines = "\n".join(ENCODED)
    world.sql(f"UPDATE subscriber SET attributes = jsonb_build_object('seen', $t${lines}$t$) WHERE id = 2")
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic)"
              f" SELECT 0, 1, 2, sha256('x'), 'report', now(), 'bounce-soft', 'other', $t${lines}$t$")
    world.sql(f"INSERT INTO bounce_raw (campaign_id, event_id, message) SELECT 0, 1, convert_to($t${lines}$t$, 'UTF8')")
    world.listctl("subscriber", "erase", "ann+news@x.test", "--yes")
    expected = "~".join(after or before for before, after in ENCODED.items())
    for place in ("attributes ->> 'seen' FROM subscriber", "diagnostic FROM bounce_event", "convert_from(message, 'UTF8') FROM bounce_raw"):
        found = world.value(f"SELECT replace(said, chr(10), '~') FROM (SELECT {place.replace(' FROM', ' AS said FROM')}) AS x")
        assert found == expected, (place, found)


def test_a_message_full_of_names(world):
    "A returned message that names somebody tens of thousands of times is cleaned as any other one; what is empty beside it stays empty."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@x.test")
    world.listctl("subscriber", "add", "news", "bob@x.test")
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic)"
              " SELECT 0, 1, 2, sha256('x'), 'report', now(), 'bounce-soft', 'other', 'not ann@x.test' || chr(10) || 'nor joann@x.test'")
    world.sql("INSERT INTO bounce_raw (campaign_id, event_id, message) SELECT 0, 1, convert_to(repeat(E'To: ann@x.test,\\r\\n', 50000) || 'end', 'UTF8')")
    world.listctl("subscriber", "erase", "ann@x.test", "--yes")
    assert world.sql("SELECT replace(diagnostic, chr(10), '~'), recipient IS NULL FROM bounce_event") == [["not erased~nor joann@x.test", "t"]]
    assert world.value("SELECT convert_from(message, 'UTF8') = repeat(E'To: erased,\\r\\n', 50000) || 'end' FROM bounce_raw") == "t"


def test_former_addresses(world):
    "Every address that the person had is removed and kept out, back through all moves; one that is somebody else's now is left to them."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@one.test")
    for old, new in (("ann@one.test", "ann@two.test"), ("ann@two.test", "A.Nn@gmail.com"), ("a.nn@gmail.com", "ann@four.test")):
        world.listctl("subscriber", "move", old, new, "--reason", f"from {old}")
    world.listctl("subscriber", "add", "news", "ann@two.test", "--reassigned", "Ann Two")  # somebody else, who moves on and whose address was Ann's
    said = world.run("listctl", "subscriber", "erase", "ann@four.test", "--yes")
    assert said.returncode == 0 and "ann@two.test" in said.stderr, said.stderr
    for address in ("ann@one.test", "a.nn@gmail.com", "ann@gmail.com", "ann@four.test"):
        assert not named(world, address), (address, named(world, address)[:3])
    assert world.value("SELECT count(*) FROM subscriber") == "1"
    path = world.file("again.csv", "email\nann@one.test\nann@gmail.com\nann@four.test\nann@two.test\n")
    done = json.loads(world.listctl("import", "news", path, "--format", "json"))
    assert (done["erased"], done["created"]) == (3, 0), done
    world.listctl("subscriber", "move", "ann@two.test", "bob@five.test")
    world.listctl("subscriber", "erase", "bob@five.test", "--yes")
    done = json.loads(world.listctl("import", "news", path, "--format", "json"))
    assert (done["erased"], done["created"]) == (4, 0), done


def test_spellings(world):
    "However an address was written when it was added, suppressed or named, erase finds it: other spellings of the mailbox, a domain of another script."
    world.setup()
    world.listctl("subscriber", "add", "news", "Jo@B\u00fccher.example")
    world.listctl("suppress", "add", "jo@b\u00fccher.example", "--list", "news", "--reason", "JO@b\u00fccher.example said so")
    world.listctl("subscriber", "add", "news", "Ann.Lee@gmail.com")
    world.listctl("subscriber", "add", "news", "annlee+x@googlemail.com", "--set", "a=1")
    assert world.value("SELECT count(*) FROM audit WHERE subject = 'subscriber:ann.lee@gmail.com'") == "2"
    world.listctl("subscriber", "erase", "JO@xn--bcher-kva.example", "--yes", "--reason", "jo@b\u00fccher.example wrote a letter")
    text = dump(world).lower()
    assert "b\u00fccher" not in text and "bcher-kva" not in text
    assert json.loads(world.value("SELECT detail FROM audit WHERE action = 'subscriber.erase'"))["reason"] == "erased wrote a letter"
    world.listctl("subscriber", "erase", "annlee@gmail.com", "--yes")
    assert not named(world, "ann.lee@gmail.com") and not named(world, "annlee+x@googlemail.com")
    world.listctl("suppress", "rm", "annlee@gmail.com")
    world.sql("INSERT INTO subscriber (address, address_key, canonical) VALUES ('a.b@gmail.com', 'a.b@gmail.com', 'ab@gmail.com'),"
              " ('a.b+x@gmail.com', 'a.b+x@gmail.com', 'ab@gmail.com')")
    world.refused("subscriber", "erase", "ab@gmail.com", "--yes", says=["a.b@gmail.com", "a.b+x@gmail.com", "name the one"])
    world.listctl("subscriber", "erase", "a.b@gmail.com", "--yes")
    assert world.value("SELECT address FROM subscriber") == "a.b+x@gmail.com"


def test_erasures_of_before(world):
    "What the audit still said of people who were erased by a release before is emptied by the upgrade; rows about others stay."
    world.setup()
    world.listctl("subscriber", "add", "news", "ann@x.test", "--consent", "paper")
    world.sql("""INSERT INTO audit (actor, action, subject, detail) VALUES ('a', 'subscriber.add', 'subscriber:erased', '{"consent": "by telephone"}')""")
    before = world.sql("SELECT * FROM audit WHERE detail::text NOT LIKE '%telephone%' ORDER BY id")
    world.sql((pathlib.Path(__file__).parents[2] / "schema" / "054-erasures-of-before.sql").read_text())
    assert world.value("SELECT detail FROM audit WHERE subject = 'subscriber:erased'") == "{}"
    assert world.sql("SELECT * FROM audit WHERE subject <> 'subscriber:erased' ORDER BY id") == before


def test_no_subscriber(world):
    "Whoever is no subscriber is erased from suppressions, kept letters, reports and the audit, and kept out; a former address leads to its person; nothing found is said."
    world.setup()
    world.subscribe(["bob@x.test", "joann@x.test"])
    world.listctl("suppress", "add", "Ann@x.test", "joann@x.test", "--reason", "ann@x.test asked by letter")
    world.sql("INSERT INTO mailbox_message (sender, recipient, message, message_hash, received_at) VALUES"
              " ('ann@x.test', 'postmaster', convert_to('From: Ann', 'UTF8'), sha256('m'), now()),"
              " ('joann@x.test', 'postmaster', convert_to('From: Joann', 'UTF8'), sha256('n'), now())")
    for subscriber, recipient in ((0, "ANN@x.test"), (1, "ann@x.test"), (77, "joann@x.test")):
        world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, diagnostic, recipient)"
                  f" VALUES (0, nextval('bounce_event_id'), {subscriber}, sha256('{subscriber}'), 'report', now(), 'bounce-soft', 'other',"
                  f" 'forwarded to {recipient}', '{recipient}')")
        world.sql("INSERT INTO bounce_raw (campaign_id, event_id, message) SELECT 0, id, convert_to('To: ' || recipient, 'UTF8') FROM bounce_event"
                  f" WHERE subscriber_id = {subscriber}")
    kept = len(named(world, "joann@x.test"))
    world.refused("subscriber", "erase", "ann@x.test", says=["no subscriber has the address ann@x.test", "--yes"])
    assert named(world, "ann@x.test")
    plan = {(row["place"], row["deed"]): row["rows"] for row in world.json("subscriber", "erase", "ann@x.test", "--dry-run")}
    done = deeds(world, "ann@X.test", "--reason", "ann@x.test wrote")
    assert plan == done == {("suppression", "removed"): 1, ("suppression", "blanked"): 1, ("mailbox_message", "removed"): 1, ("bounce_event", "blanked"): 2,
                            ("bounce_raw", "blanked"): 2, ("audit", "blanked"): 2}, (plan, done)
    assert not named(world, "ann@x.test"), named(world, "ann@x.test")
    assert len(named(world, "joann@x.test")) == kept and world.value("SELECT count(*) FROM subscriber") == "2"
    path = world.file("again.csv", "email\nann@x.test\nnew@x.test\n")
    done = world.json("import", "news", path)
    assert (done["erased"], done["created"]) == (1, 1), done
    said = world.run("listctl", "subscriber", "erase", "nobody@x.test", "--yes", "--format", "json")
    assert said.returncode == 0 and json.loads(said.stdout) == [] and "nothing else names it" in said.stderr and "erased earlier" not in said.stderr, said
    assert "nobody@x.test was erased" in world.run("listctl", "subscriber", "add", "news", "nobody@x.test").stderr
    world.listctl("subscriber", "move", "bob@x.test", "bob@y.test")
    world.refused("subscriber", "erase", "bob@x.test", "--yes", says=["no subscriber bob@x.test", "bob@y.test"])
    world.refused("subscriber", "erase", "#99", "--yes", says="no subscriber #99")
    world.refused("subscriber", "erase", "ann@", "--yes", says="nothing after the")


def test_a_subscriber_meanwhile(world):
    "Whoever becomes a subscriber while an erasure of the address waits is not half erased: that is told, and nothing is changed."
    world.setup()
    world.listctl("suppress", "add", "ann@x.test")
    adding = Transaction(world, "DO $$BEGIN PERFORM pg_advisory_xact_lock(hashtext('verpost import')); END$$",
                         "INSERT INTO subscriber (address, address_key) VALUES ('ann@x.test', 'ann@x.test')")
    erasing = waiting(world, "subscriber", "erase", "ann@x.test", "--yes")
    adding.end("COMMIT")
    _, error = erasing.communicate(timeout=60)
    assert erasing.returncode == 1 and "has become a subscriber" in error and "nothing was changed" in error, error
    assert world.sql("SELECT kind, value FROM suppression") == [["address", "ann@x.test"]]


def late(world, campaign, person, mark):
    deliver(world, "", return_path(world, campaign, person), dsn(mark=mark))


def test_reports_that_come_later(world):
    "Of a report on somebody erased only what is counted is kept, also when it waited for the erasure to end; one on a campaign that is gone keeps its text."
    ids, campaign = people(world, 3)
    world.start("bounced")
    world.listctl("subscriber", "erase", "p1@example.test", "--yes")
    late(world, campaign, ids[0], "1")
    erasing = Transaction(world, f"DELETE FROM membership WHERE subscriber_id = {ids[1]}", f"DELETE FROM subscriber WHERE id = {ids[1]}")
    peer = threading.Thread(target=late, args=(world, campaign, ids[1], "2"))
    peer.start()
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0", "bounced waits for the erasure")
    erasing.end("COMMIT")
    peer.join()
    late(world, 77, ids[2], "3")
    rows = world.sql("SELECT subscriber_id, orphan, kind, reason, diagnostic, coalesce(recipient, ''), (SELECT count(*) FROM bounce_raw r"
                     " WHERE (r.campaign_id, r.event_id) = (e.campaign_id, e.id)) FROM bounce_event e ORDER BY id")
    assert rows[0] == [str(ids[0]), "t", "bounce-hard", "user-unknown", "", "", "0"], rows
    assert rows[1] == [str(ids[1]), "t", "bounce-hard", "user-unknown", "", "", "0"], rows
    assert rows[2][4] != "" and rows[2][5] != "" and rows[2][6] == "1", rows
