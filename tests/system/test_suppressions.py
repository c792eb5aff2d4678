"""Suppressions: addresses and domains, for good or until a day, honoured wherever mail is sent, and moved from one installation to another."""

import json

from verpost import until


def listed(world, *options):
    return {row["value"]: row for row in json.loads(world.listctl("suppress", "ls", "--format", "json", *options))}


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


def test_a_round_trip(world):
    "What ls and export write, import reads back: kinds, lists, reasons, sources, ends."
    world.setup()
    world.listctl("suppress", "add", "ann@example.test", "never.test", "--reason", "by letter, 3 May", "--until", "2099-01-31")
    world.listctl("suppress", "add", "bob@example.test", "--list", "news", "--reason", "=1+1")
    before = world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value")
    for text in (world.listctl("suppress", "ls", "--format", "csv"), world.listctl("export", "--suppressions")):
        world.sql("DELETE FROM suppression")
        world.listctl("suppress", "import", world.file("s.csv", text))
        assert world.sql("SELECT kind, value, list_id, reason, source, expires_at FROM suppression ORDER BY value") == before
    lines = world.listctl("export", "--suppressions", "--format", "json").splitlines()
    assert {json.loads(line)["value"] for line in lines} == {"ann@example.test", "never.test", "bob@example.test"}


def test_lists_of_others(world):
    "Suppression lists as providers of mail write them; what is wrong is refused with its line, and nothing is taken."
    world.setup()
    for content in ("EmailAddress,Reason,LastUpdateTime\none@example.test,COMPLAINT,2025-01-02T03:04:05Z\n",
                    "email,reason,created\ntwo@example.test,550 5.1.1 unknown,1700000000\n",
                    "Email Address,First Name\nthree@example.test,T\n"):
        world.listctl("suppress", "import", world.file("p.csv", content))
    assert sorted(listed(world)) == ["one@example.test", "three@example.test", "two@example.test"]
    before = world.sql("SELECT * FROM suppression ORDER BY id")
    for content, words in (("email,expires_at\na@b.test,tomorrow\n", "line 2"), ("email,list\na@b.test,nosuch\n", "no list nosuch"),
                           ("email\nok@b.test\nbad@\n", "line 3"), ("value,kind\nxyz,erased\n", "64 hexadecimal"), ("a,b\n1,2\n", "no column is called")):
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
    assert check("ann@example.test") == [("ann@example.test", "news")] and check("x@sub.never.test") == []
