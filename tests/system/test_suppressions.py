"""Suppressions: addresses and domains, for good or until a day, honoured wherever mail is sent, and moved from one installation to another."""

import json
import subprocess

from returns import arf, deliver, membership, people, return_path
from verpost import until


def listed(world, *options):
    return {row["value"]: row for row in json.loads(world.listctl("suppress", "ls", "--format", "json", *options))}


class Transaction:
    """Statements of somebody else whose transaction stays open, until end() says COMMIT or ROLLBACK."""

    def __init__(self, world, *statements):
        self.psql = subprocess.Popen(["psql", world.conninfo, "-AtXq", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write("SET search_path = verpost;\nBEGIN;\n" + "".join(f"{text};\n" for text in statements) + "\\echo open\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == "open\n"

    def end(self, how):
        self.psql.communicate(f"{how};\n", timeout=60)
        assert self.psql.returncode == 0


def audit(world, action):
    """The details of such rows, oldest first."""
    return [json.loads(row[0]) for row in world.sql(f"SELECT detail FROM audit WHERE action = '{action}' ORDER BY id")]


def end(world, value, when="now() - interval '1 second'"):
    """Lets one end, which nobody may do by hand: what a suppression says never changes."""
    world.sql("ALTER TABLE suppression DISABLE TRIGGER suppression_stays;"
              f" UPDATE suppression SET expires_at = {when} WHERE value = '{value}';"
              " ALTER TABLE suppression ENABLE TRIGGER suppression_stays")


def test_an_end(world):
    "--until and --for give a suppression an end; then the address is written to and imported again."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test", "--for", "90d", "--reason", "asked for a pause")
    world.listctl("suppress", "add", "never.test", "--until", "2099-01-31")
    world.listctl("suppress", "add", "bob@example.test")
    rows = listed(world)
    assert rows["never.test"]["expires_at"] == "2099-01-31T00:00:00Z" and rows["bob@example.test"]["expires_at"] is None, rows
    days = world.value("SELECT round(extract(epoch FROM expires_at - now()) / 86400) FROM suppression WHERE value = 'ann@example.test'")
    assert days == "90"
    path = world.file("a.csv", "email\nann@example.test\nx@never.test\nbob@example.test\n")
    assert json.loads(world.listctl("import", "news", path, "--format", "json"))["suppressed"] == 3
    end(world, "ann@example.test")
    assert "ann@example.test" not in listed(world) and list(listed(world, "--ended")) == ["ann@example.test"]
    assert json.loads(world.listctl("import", "news", path, "--format", "json"))["joined"] == 1
    world.listctl("suppress", "tidy")
    assert world.value("SELECT count(*) FROM suppression") == "2"
    for options, words in ((["--for", "x"], "--for"), (["--until", "2020-01-01"], "to come"), (["--for", "1d", "--until", "2099-01-01"], "not both")):
        world.refused("suppress", "add", "z@example.test", *options, code=2, says=words)


def test_the_longer_one_counts(world):
    "One that lasts longer takes the place of a shorter one, whoever adds it; a shorter one changes nothing."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test", "--for", "10d")
    world.listctl("suppress", "add", "ann@example.test", "--for", "5d")
    assert listed(world)["ann@example.test"]["expires_at"] > world.value("SELECT to_char(now() + interval '9 days', 'YYYY-MM-DD')")
    world.listctl("suppress", "add", "ann@example.test", "--reason", "for good")
    assert listed(world)["ann@example.test"]["expires_at"] is None
    world.listctl("suppress", "add", "ann@example.test", "--for", "5d")
    assert (listed(world)["ann@example.test"]["reason"], world.value("SELECT count(*) FROM suppression")) == ("for good", "1")
    done = world.run("listctl", "suppress", "add", "ann@example.test")
    assert "there already: 1" in done.stderr, done


def test_one_for_good_is_not_lost_to_another_one(world):
    "Whoever adds one for good while somebody else's with an end is not committed yet does not wait, and it holds whatever becomes of the other."
    world.setup()
    adding = "INSERT INTO suppression (kind, value, reason, source, expires_at) VALUES ('address', '{}@example.test', 'x', 'y', now() + interval '1 day')"
    for name, how in (("ann", "COMMIT"), ("bob", "ROLLBACK")):
        other = Transaction(world, adding.format(name))
        done = world.run("listctl", "suppress", "add", f"{name}@example.test", "--reason", "for good")
        assert "suppressed: 1" in done.stderr, done
        other.end(how)
        assert world.value(f"SELECT count(*) FROM suppression_in_force WHERE value = '{name}@example.test' AND expires_at IS NULL") == "1"
    world.listctl("suppress", "rm", "ann@example.test")  # both of hers
    assert list(listed(world)) == ["bob@example.test"]


def test_bounced_waits_for_no_import(world):
    """A complaint is taken while an import that holds the same address, or takes the place of a shorter one, is not finished, and while somebody takes
    back the suppression that is there; and it holds whatever becomes of that."""
    (one, two, three), campaign = people(world, 3)
    world.listctl("suppress", "add", "p2@example.test", "--for", "1d")
    world.start("bounced")
    other = Transaction(world, "INSERT INTO suppression (kind, value, reason, source) SELECT 'address', format('p%s@example.test', n), 'x', 'import'"
                        " FROM generate_series(1, 1000) AS n")
    for person in (one, two):
        deliver(world, "fbl@provider.test", return_path(world, campaign, person), arf())
        assert membership(world, person) == ("unsubscribed", "complaint")
    other.end("ROLLBACK")
    rows = listed(world)
    assert {value: row["source"] for value, row in rows.items()} == {"p1@example.test": "complaint", "p2@example.test": "complaint"}, rows
    assert world.value("SELECT count(*) FROM suppression WHERE expires_at IS NULL") == "2"
    world.listctl("suppress", "add", "p3@example.test")
    other = Transaction(world, "DELETE FROM suppression WHERE value = 'p3@example.test'")
    deliver(world, "fbl@provider.test", return_path(world, campaign, three), arf())
    other.end("COMMIT")
    assert listed(world)["p3@example.test"]["source"] == "complaint"
    world.stop("bounced")


def test_erasures_of_another_key(world):
    "Hashes that another installation's key has made are refused with their line; those that are there nevertheless can be taken away."
    world.setup()
    world.subscribe(["ann@example.test", "bob@example.test"])
    world.listctl("subscriber", "erase", "ann@example.test", "--yes")
    own = next(row for row in listed(world).values() if row["kind"] == "erased")
    head, foreign = "value,kind,source\n", "erase:0123456789abcdef"
    path = world.file("s.csv", f"{head}x@example.test,address,x\n{'ab' * 32},erased,{foreign}\n")
    world.refused("suppress", "import", path, says=["line 3", "0123456789abcdef", own["source"].split(":")[1], "nothing was imported"])
    assert list(listed(world)) == [own["value"]]
    exported = world.listctl("suppress", "ls", "--format", "csv")
    world.sql("DELETE FROM suppression")
    world.listctl("suppress", "import", world.file("own.csv", exported))
    assert list(listed(world)) == [own["value"]]

    world.sql(f"INSERT INTO suppression (kind, value, reason, source) SELECT 'erased', repeat(x, 32), 'old', '{foreign}' FROM unnest('{{cd,ef,12}}'::text[]) x")
    again = world.file("again.csv", "email\nann@example.test\nnew@example.test\n")
    world.refused("import", "news", again, says="suppress rm --erased-by")
    world.listctl("suppress", "add", "gone@example.test")
    world.listctl("suppress", "rm", "gone@example.test", "cd" * 32, "--reason", "taken by mistake")
    error = world.refused("suppress", "rm", "nobody@example.test", says=["nobody@example.test is not suppressed", "another erasure key"])
    assert "nor anywhere else" in error
    world.refused("suppress", "rm", "--erased-by", foreign.split(":")[1], says="--yes")
    world.refused("suppress", "rm", "--erased-by", "ffff", "--yes", says="ffff")
    world.listctl("suppress", "rm", "--erased-by", foreign.split(":")[1], "--yes", "--reason", "not ours")
    assert audit(world, "suppress.rm")[-1] == {"list_id": 0, "reason": "not ours", "removed": 2}
    assert json.loads(world.listctl("import", "news", again, "--format", "json"))["erased"] == 1


def test_whoever_was_erased_is_not_named_again(world):
    "Of somebody erased neither add nor import stores the address, in any spelling, and both say how many; where nobody can tell, that is said."
    world.setup()
    world.subscribe(["Ann.Lee@gmail.com", "bob@example.test"])
    world.listctl("subscriber", "erase", "annlee@gmail.com", "--yes")
    said = world.run("listctl", "suppress", "add", "a.n.n.lee+x@gmail.com", "new@example.test", "never.test")
    assert said.returncode == 0 and "suppressed: 2, there already: 0, erased earlier: 1, left as they are" in said.stderr, said
    said = world.run("listctl", "suppress", "add", "annlee@gmail.com", "--list", "news")
    assert said.returncode == 0 and "suppressed: 0, there already: 0, erased earlier: 1" in said.stderr, said
    path = world.file("p.csv", "email\nAnn.Lee@googlemail.com\nnew@example.test\nother@example.test\n")
    for options in (["--dry-run"], []):
        said = world.run("listctl", "suppress", "import", path, "--format", "json", *options)
        done = json.loads(said.stdout)
        assert (done["rows"], done["added"], done["there_already"], done["erased_earlier"]) == (3, 1, 1, 1), said
        assert "erased earlier: 1, left as they are" in said.stderr, said
    kept = listed(world)
    assert sorted(row["kind"] for row in kept.values()) == ["address", "address", "domain", "erased"], kept
    assert not [row for row in world.sql("SELECT subject || detail FROM audit WHERE action LIKE 'suppress%'") if "lee" in row[0]]
    # an erasure and the same address in one file: whoever is erased by it is not named by it
    erased = next(row for row in kept.values() if row["kind"] == "erased")
    world.listctl("suppress", "rm", "annlee@gmail.com")
    both = world.file("both.csv", f"value,kind,source\n{erased['value']},erased,{erased['source']}\nann.lee@gmail.com,address,\n")
    assert json.loads(world.listctl("suppress", "import", both, "--format", "json"))["erased_earlier"] == 1
    assert "annlee@gmail.com" not in listed(world)
    keys = world.base / "keys"
    lines = keys.read_text().splitlines()
    keys.write_text("\n".join(line for line in lines if not line.startswith("erasure ")) + "\n")
    said = world.run("listctl", "suppress", "add", "annlee@gmail.com")
    assert said.returncode == 0 and "nobody can tell" in said.stderr and "annlee@gmail.com" in listed(world), said
    keys.unlink()
    said = world.run("listctl", "suppress", "import", world.file("q.csv", "email\nq@example.test\n"))
    assert said.returncode == 0 and "also that of somebody who was erased" in said.stderr, said


def test_who_and_why(world):
    "Each change says in the audit why, until when, how many; what was not there is named, with where it is."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test", "--list", "news", "--reason", 'by "letter"', "--until", "2099-01-31")
    world.listctl("suppress", "add", "bob@example.test")
    assert audit(world, "suppress.add") == [{"list_id": 1, "reason": 'by "letter"', "until": "2099-01-31T00:00:00Z"},
                                            {"list_id": 0, "reason": "by hand", "until": None}]
    world.refused("suppress", "rm", "Ann@example.test", says=["ann@example.test is not suppressed for the whole installation", "--list news"])
    world.refused("suppress", "rm", "bob@example.test", "--list", "news", says=["bob@example.test is not suppressed for the list news", "without --list"])
    world.refused("suppress", "rm", "zoe@example.test", says=["zoe@example.test", "nor anywhere else"])
    world.listctl("suppress", "rm", "bob@example.test", "--reason", "asked for news again")
    assert audit(world, "suppress.rm") == [{"list_id": 0, "reason": "asked for news again"}]
    end(world, "ann@example.test")
    world.listctl("suppress", "tidy", "--reason", "spring cleaning")
    assert audit(world, "suppress.tidy") == [{"list_id": 0, "reason": "spring cleaning", "removed": 1}]
    world.refused("suppress", "rm", "bob@example.test", "--reason", "", code=2, says="--reason")


def test_a_dry_import(world):
    "import --dry-run reports as the import does and changes nothing; the import's counts are in the audit; an end that has passed is said."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test")
    path = world.file("s.csv", "email,expires_at\nann@example.test,\nbob@example.test,2099-01-31\nold@example.test,2020-01-31\n"
                      "older@example.test,1970-01-01\nbob@example.test,2098-01-31\n")
    before = world.sql("SELECT * FROM suppression"), audit(world, "suppress.import")
    dry = world.run("listctl", "suppress", "import", path, "--dry-run", "--format", "json")
    assert (world.sql("SELECT * FROM suppression"), audit(world, "suppress.import")) == before and "nothing was changed" in dry.stderr, dry
    done = world.run("listctl", "suppress", "import", path, "--format", "json", "--reason", "moved here")
    counts = {"rows": 5, "added": 3, "ended_already": 2, "there_already": 2, "erased_earlier": 0}
    for run, is_dry in ((dry, True), (done, False)):
        assert json.loads(run.stdout) == {"file": str(path), **counts, "dry_run": is_dry} and "has passed" in run.stderr, run
    assert audit(world, "suppress.import") == [{"list_id": 0, "reason": "moved here", "rows": 5, "added": 3, "erased_earlier": 0, "ended": 2}]
    assert sorted(listed(world)) == ["ann@example.test", "bob@example.test"]
    assert sorted(listed(world, "--ended")) == ["old@example.test", "older@example.test"]


def test_a_running_campaign(world):
    "A campaign that started before honours a suppression that is prolonged, one that is new, and writes to nobody whose own has not ended."
    world.setup()
    names = ["ended", "prolonged", "fresh", "kept", "none"]
    world.subscribe([f"{name}@example.test" for name in names])
    for name in ("ended", "prolonged", "kept"):
        world.listctl("suppress", "add", f"{name}@example.test", "--for", "10d")
    end(world, "ended@example.test")
    end(world, "prolonged@example.test")
    world.campaign("spring")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 5, "the audience to be frozen")
    world.listctl("campaign", "pause", "spring")
    world.listctl("suppress", "add", "prolonged@example.test", "--for", "20d")
    world.listctl("suppress", "add", "fresh@example.test", "--for", "20d")
    world.mailworld("* accept\n")
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert sorted(m["to"].split("@")[0] for m in world.accepted()) == ["ended", "none"], world.accepted()
    assert (status["accepted"], status["skipped"]) == (2, 3), status


def spelled(world):
    """Six members, five of them under another spelling of their mailbox than the first one."""
    world.setup()
    world.listctl("list", "create", "shop", "--title", "The shop", "--from", "shop@example.test")
    names = ["ja.ne.x@gmail.com", "b.ob+a@gmail.com", "carl@googlemail.com", "dora+c@outlook.com", "fa.y@gmail.com", "gus@example.test"]
    world.subscribe(names)
    return names


def test_a_mailbox_at_the_start(world):
    "Who is suppressed is a mailbox: whoever has another spelling of it, or of a suppressed domain, gets nothing; one list's suppression is that list's."
    names = spelled(world)
    world.subscribe(names[4:], list_name="shop")
    world.listctl("suppress", "add", "janex@gmail.com")
    said = world.run("listctl", "suppress", "add", "bo.b@gmail.com").stderr
    assert "bo.b@gmail.com is another spelling of bob@gmail.com" in said, said
    world.listctl("suppress", "add", "f.ay@gmail.com", "--list", "news")
    assert sorted(listed(world)) == ["bob@gmail.com", "fay@gmail.com", "janex@gmail.com"]
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("spring")
    assert (world.finished("spring")["skipped"], sorted(m["to"] for m in world.accepted())) == (3, [names[2], names[3], names[5]])
    world.listctl("suppress", "add", "gmail.com")
    world.listctl("suppress", "rm", "gmail.com")
    world.campaign("both", also_list="shop")
    assert world.finished("both")["skipped"] == 2
    assert sorted(m["to"] for m in world.accepted()[3:]) == sorted(names[2:]), "fay is reached through the shop"
    world.listctl("suppress", "add", "gmail.com")
    world.campaign("third")
    assert (world.finished("third")["skipped"], sorted(m["to"] for m in world.accepted()[7:])) == (4, [names[3], names[5]])


def test_a_mailbox_meanwhile(world):
    "A campaign that runs skips whose mailbox is suppressed in another spelling, in what is opened later, in retries and in what a dead sender left."
    names = spelled(world)
    world.campaign("spring")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 6, "the audience to be frozen")
    world.listctl("campaign", "pause", "spring")
    # A worker that has not seen the pause yet would go on with whom it opened before the suppression.
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") == "0", "whoever was opened to be given back")
    world.listctl("suppress", "add", "janex@gmail.com", "bo.b@gmail.com")
    world.mailworld("*@outlook.com defer 1 450 4.2.0 later\n*@googlemail.com defer 1 450 4.2.0 later\n")
    world.listctl("campaign", "resume", "spring")
    until(lambda: world.status("spring")["deferred"] == 2, "carl and dora to be put off")
    world.listctl("campaign", "pause", "spring")
    world.listctl("suppress", "add", "d.or.a@outlook.com", "carl@gmail.com", "dora@outlook.com")
    world.sql("UPDATE deferral SET next_attempt_at = now()")
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert sorted(m["to"] for m in world.accepted()) == names[4:], world.accepted()
    assert (status["accepted"], status["skipped"]) == (2, 4), status


def test_a_complaint_is_the_mailboxes(world):
    "Who complains under one spelling is sent to under none, and can be let back under any."
    names = spelled(world)
    world.mailworld("* accept\n")
    world.start("sender")
    world.start("bounced")
    world.campaign("spring")
    world.finished("spring")
    ids = dict(world.sql("SELECT address, id FROM subscriber"))
    deliver(world, "fbl@provider.test", return_path(world, 1, ids[names[4]]), arf())
    assert sorted(listed(world)) == ["fay@gmail.com"]
    world.refused("subscriber", "resubscribe", "news", "f.a.y@gmail.com", "--reason", "r", says=["fay@gmail.com is suppressed"])
    assert "complaint" in world.listctl("explain", names[4])
    world.sql("INSERT INTO suppression (kind, value, reason, source) VALUES ('address', 'fa.y@gmail.com', 'as kept formerly', 'listctl')")
    world.listctl("suppress", "rm", "fa.y@gmail.com", "--reason", "asked to")
    assert listed(world) == {} and [a["reason"] for a in audit(world, "suppress.rm")] == ["asked to"] * 2


def test_a_round_trip(world):
    "What ls and export write, import reads back: kinds, lists, reasons, sources, ends."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test", "never.test", "--reason", "by letter, 3 May", "--until", "2099-01-31")
    world.listctl("suppress", "add", "bob@example.test", "--list", "news", "--reason", "=1+1")
    world.listctl("suppress", "add", "zoe@example.test", "--for", "90d")
    end(world, "zoe@example.test", "'2098-01-02 03:04:05.678901Z'")
    before = world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value")
    for text in (world.listctl("suppress", "ls", "--format", "csv"), world.listctl("export", "--suppressions")):
        world.sql("DELETE FROM suppression")
        world.listctl("suppress", "import", world.file("s.csv", text))
        assert world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value") == before
    lines = world.listctl("export", "--suppressions", "--format", "json").splitlines()
    world.sql("DELETE FROM suppression")
    world.listctl("suppress", "import", world.file("s.jsonl", "\n".join(lines)))
    assert world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value") == before
    # The array of `suppress ls`, as it comes, in one line, and with every object over several.
    as_listed = world.listctl("suppress", "ls", "--format", "json")
    for text in (as_listed, json.dumps(json.loads(as_listed)), json.dumps(json.loads(as_listed), indent=4)):
        world.sql("DELETE FROM suppression")
        done = world.run("listctl", "suppress", "import", world.file("s.json", text))
        assert done.returncode == 0 and "JSON, an array" in done.stderr, done
        assert world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value") == before
    assert world.json("suppress", "import", world.file("none.json", "[]"))["rows"] == 0
    assert {json.loads(line)["value"] for line in lines} == {"ann@example.test", "never.test", "bob@example.test", "zoe@example.test"}


def test_lists_of_others(world):
    "Suppression lists as providers of mail write them; what is wrong is refused with its line, and nothing is taken."
    world.setup()
    for content in ("EmailAddress,Reason,LastUpdateTime\none@example.test,COMPLAINT,2025-01-02T03:04:05Z\n",
                    "email,reason,created\ntwo@example.test,550 5.1.1 unknown,1700000000\n",
                    "Email Address;First Name\nthree@example.test;T,U\n", "sep=;\nvalue;kind\nfour@example.test;address\n",
                    '\ufeffdomain\tkind\nfive.test\tDomain\n', '{"email": "six@example.test", "created": 1, "reason": null}\n\n{"domain": "@seven.test"}\n'):
        world.listctl("suppress", "import", world.file("p.csv", content))
    assert sorted(listed(world)) == ["five.test", "four@example.test", "one@example.test", "seven.test", "six@example.test", "three@example.test", "two@example.test"]
    assert listed(world)["six@example.test"]["reason"] == listed(world)["four@example.test"]["reason"] == "from p.csv"
    world.listctl("suppress", "import", "-", stdin="email\neight@example.test\n")
    assert listed(world)["eight@example.test"]["reason"] == "from standard input"
    before = world.sql("SELECT * FROM suppression ORDER BY id")
    for content, words in (("email,expires_at\na@b.test,tomorrow\n", "line 2"), ("email,list\na@b.test,nosuch\n", "no list nosuch"),
                           ("email\nok@b.test\nbad@\n", "line 3"), ("value,kind\nxyz,erased\n", "64 hexadecimal"), ("a,b\n1,2\n", "no column is called"),
                           ("a;b\n1;2\n", "parted by semicolons"), ("value,kind\nok@b.test,address\nab@c.org,domain\n", "line 3: its kind is domain, but"),
                           ("value,kind\nc.org,address\n", "line 2: its kind is address, but"), ("value,kind\nc.org,dmain\n", "line 2: its kind is dmain, but"),
                           ('{"value": "a@b.test"}\n{"value": 1}\n', "line 2: its member value is no text"), ('{"value": "a@b.test"\n', "line 1: it is no JSON object"),
                           ('[\n{"value": "a@b.test"},\n{"value": 1}\n]\n', "line 3: its member value is no text"),
                           ('[{"value": "a@b.test"}', "the array has no end"), ('[{"value": "a@b.test"}] x', "something stands behind it"),
                           ('[{"value": "a@b.test"},\n"c@d.test"]', "line 2: it is no JSON object"), ('[{"value": "a@b.test"}\n{"value": "c@d.test"}]', "line 1: it is no"),
                           ('{"reason": "x"}\n', "line 1")):
        world.refused("suppress", "import", world.file("w.csv", content), says=[words])
    assert world.sql("SELECT * FROM suppression ORDER BY id") == before


def test_check(world):
    "check tells what keeps mail from an address: itself, its mailbox's other spelling, its domain, on which list."
    world.setup()
    world.listctl("suppress", "add", "ab@gmail.com", "never.test")
    world.listctl("suppress", "add", "ann@example.test", "--list", "news")

    def check(*addresses):
        return [(row["value"], row["list"]) for row in json.loads(world.listctl("suppress", "check", *addresses, "--format", "json"))]
    assert check("A.B+x@gmail.com") == [("ab@gmail.com", None)] and check("x@never.test") == [("never.test", None)]
    assert check("NEVER.test") == check("@never.test") == [("never.test", None)] and check("example.test") == check("sub.never.test") == []
    world.listctl("suppress", "add", "bücher.example", "--list", "news")
    assert check("bücher.example", "never.test") == [("xn--bcher-kva.example", "news"), ("never.test", None)]
    assert "nothing is suppressed" in world.run("listctl", "suppress", "check", "example.test").stderr
    said = world.run("listctl", "suppress", "check", "x@never.test", "x@example.test", "A.B@gmail.com", "--format", "json")
    assert [(row["asked"], row["value"]) for row in json.loads(said.stdout)] == [("x@never.test", "never.test"), ("A.B@gmail.com", "ab@gmail.com")], said
    assert said.stderr == "x@example.test: nothing is suppressed there\n", said
    world.listctl("suppress", "add", "*@whole.test")
    assert listed(world)["whole.test"]["kind"] == "domain" and check("x@whole.test") == check("*@whole.test") == [("whole.test", None)]
    world.listctl("suppress", "rm", "*@whole.test")
    world.refused("suppress", "check", "bad@", says="nothing after the")
    assert check("ann@example.test") == [("ann@example.test", "news")] and check("x@sub.never.test") == []
