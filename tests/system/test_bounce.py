import json
import mailbox
import re
import subprocess

import past
import returns
from verpost import BIN, until

PEOPLE = ["ann@a.test", "bob@b.test", "cec@a.test", "dan@c.test"]


def prepared(world):
    world.setup()
    world.subscribe(PEOPLE)
    return past.sent(world, "first", {a: "accepted" for a in PEOPLE}, days_ago=1)


def member(world, address):
    return int(world.value(f"SELECT id FROM subscriber WHERE address_key = '{address}'"))


def to_return_path(world, message, campaign, address, header="Delivered-To"):
    return f"{header}: {returns.return_path(world, campaign, member(world, address))}\n{message}"


def test_report(world):
    "The report counts people by reason and domain, with their share of what was sent."
    campaign = prepared(world)
    past.dead(world, campaign, PEOPLE[0])
    past.came_back(world, campaign, PEOPLE[0])  # the same copy, reported twice
    past.came_back(world, campaign, PEOPLE[1], reason="mailbox-full", kind="bounce-soft")
    past.came_back(world, campaign, PEOPLE[2], reason="network", kind="delay")
    rows = {r["reason"]: r for r in world.json("bounce", "report", "--campaign", "first", "--by", "reason")}
    assert set(rows) == {"user-unknown", "mailbox-full"}, rows
    dead = rows["user-unknown"]
    assert (dead["recipients"], dead["sent"], dead["percent"], dead["disabled"]) == (1, 4, 25, 1), dead
    domains = {r["domain"]: r for r in world.json("bounce", "report", "--list", "news", "--by", "domain")}
    assert (domains["a.test"]["recipients"], domains["a.test"]["sent"]) == (1, 2), domains
    both = world.json("bounce", "report", "--by", "both")
    assert {(r["domain"], r["reason"]) for r in both} == {("a.test", "user-unknown"), ("b.test", "mailbox-full")}, both
    together = world.json("bounce", "report")
    assert together["reasons"] == list(rows.values()) and together["domains"] == list(domains.values()), together
    world.refused("bounce", "report", "--campaign", "nope", says="nope")
    world.refused("bounce", "report", "--by", "moon", code=2, says="moon")


def test_report_counts_copies(world):
    "What was sent counts each copy: a person to whom two campaigns went counts twice, in every table."
    campaign = prepared(world)
    past.sent(world, "second", {PEOPLE[0]: "accepted", PEOPLE[1]: "refused", PEOPLE[3]: "skipped"})
    past.came_back(world, campaign, PEOPLE[0])
    past.came_back(world, campaign, PEOPLE[3])
    domains = {r["domain"]: r["sent"] for r in world.json("bounce", "report", "--by", "domain")}
    assert domains == {"a.test": 3, "c.test": 1}, domains
    reasons = {r["reason"]: r["sent"] for r in world.json("bounce", "report", "--by", "reason")}
    assert reasons == {"user-unknown": 6}, reasons
    one = {r["domain"]: r["sent"] for r in world.json("bounce", "report", "--by", "domain", "--campaign", "first")}
    assert one == {"a.test": 2, "c.test": 1}, one


COUNTED = """WITH came AS (SELECT DISTINCT campaign_id, subscriber_id FROM bounce_event
WHERE kind IN ('bounce-hard', 'bounce-soft', 'complaint') AND NOT orphan AND NOT voided),
sent AS (SELECT split_part(s.address_key, '@', 2) AS domain, count(*) AS n FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.outcome <> 'skipped' GROUP BY 1)
SELECT split_part(s.address_key, '@', 2), count(*), coalesce(max(sent.n), 0) FROM came LEFT JOIN subscriber s ON s.id = came.subscriber_id
LEFT JOIN sent ON sent.domain = split_part(s.address_key, '@', 2) GROUP BY 1"""


def as_reported(world):
    """By domain, the people whose mail came back and the copies sent; None: of people who are gone."""
    return {r["domain"]: (r["recipients"], r["sent"]) for r in world.json("bounce", "report", "--by", "domain")}


def as_counted(world):
    return {domain or None: (int(people), int(copies)) for domain, people, copies in world.sql(COUNTED)}


def added(world):
    return world.value("SELECT string_agg(campaign_id::text, ' ' ORDER BY campaign_id) FROM campaign_added")


def in_a_while(world, query):
    """A psql that holds what the query has done until it is ended."""
    process = subprocess.Popen(["psql", "-XqAt", world.conninfo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(f"SET search_path = verpost; BEGIN; {query}; SELECT 'done';\n")
    process.stdin.flush()
    while process.stdout.readline() != "done\n":
        pass
    return process


def test_report_keeps_count(world):
    "What is kept of campaigns that are over is what the ledger has, however people move, go, or are counted meanwhile."
    campaign = prepared(world)
    for address in PEOPLE:
        past.came_back(world, campaign, address)
    second = past.sent(world, "second", {PEOPLE[0]: "accepted", PEOPLE[1]: "refused", PEOPLE[3]: "skipped"})
    open_one = past.sent(world, "open", {PEOPLE[0]: "accepted", PEOPLE[3]: "accepted"}, state="running", pending=[PEOPLE[1]])
    short = past.sent(world, "short", {PEOPLE[2]: "accepted"})  # its ledger is not complete: one is missing
    world.sql(f"UPDATE campaign SET audience = 2 WHERE id = {short}")
    assert as_reported(world) == as_counted(world), as_reported(world)
    assert added(world) == f"{campaign} {second}", added(world)
    assert as_reported(world) == as_counted(world) and added(world) == f"{campaign} {second}"
    world.sql(f"INSERT INTO delivery (campaign_id, subscriber_id, outcome, at) VALUES ({short}, {member(world, PEOPLE[3])}, 'accepted', now())")
    world.sql(f"UPDATE campaign SET state = 'canceled', ended_at = now() WHERE id = {open_one}")
    assert as_reported(world) == as_counted(world) and added(world) == f"{campaign} {second} {short}"
    world.listctl("subscriber", "erase", PEOPLE[2], "--yes")
    assert as_reported(world) == as_counted(world) and as_counted(world)["a.test"] == (1, 3), as_reported(world)
    world.listctl("subscriber", "move", PEOPLE[0], "ann@elsewhere.test")
    assert as_reported(world) == as_counted(world) and as_counted(world)["elsewhere.test"] == (1, 3)
    sent = {r["sent"] for r in world.json("bounce", "report", "--by", "reason")}
    assert sent == {int(world.value("SELECT count(*) FROM delivery WHERE outcome <> 'skipped'"))}, sent


def test_report_is_added_once(world):
    "Whoever counts beside others, is killed in between, or meets somebody who moves, adds each campaign once and whole."
    campaign = prepared(world)
    for address in PEOPLE:
        past.came_back(world, campaign, address)
    mover = in_a_while(world, "UPDATE subscriber SET address_key = 'ann@new.test' WHERE address_key = 'ann@a.test';"
                              f" SELECT add_list_copies({past.sent(world, 'other', {PEOPLE[1]: 'accepted'})})")
    counting = [subprocess.Popen([BIN / "listctl", "--config", world.config, "bounce", "report"], stdout=subprocess.DEVNULL) for _ in range(3)]
    until(lambda: int(world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%add_list_copies%'")) == 3,
          "three who count wait for who moves")
    counting[0].kill()
    counting[0].wait()
    mover.communicate("COMMIT;\n")
    assert [one.wait() for one in counting[1:]] == [0, 0]
    assert as_reported(world) == as_counted(world) and as_counted(world)["new.test"] == (1, 1), (as_reported(world), as_counted(world))
    assert world.value("SELECT count(*) FROM campaign_added") == "2"
    adder = in_a_while(world, f"SELECT add_list_copies({past.sent(world, 'third', {a: 'accepted' for a in PEOPLE[1:]})})")
    mover = subprocess.Popen(["psql", "-XqAt", world.conninfo, "-c", "SET search_path = verpost", "-c",
                              "UPDATE subscriber SET address_key = 'bob@new.test' WHERE address_key = 'bob@b.test'"])
    until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE subscriber%'") == "1",
          "who moves waits for who adds")
    adder.communicate("COMMIT;\n")
    assert mover.wait() == 0
    assert as_reported(world) == as_counted(world) and as_counted(world)["new.test"] == (2, 4), (as_reported(world), as_counted(world))


def test_ls_and_show(world):
    "Events are found by what they are; the evidence is shown without harm to the terminal."
    campaign = prepared(world)
    raw = b"Subject: \x1b]0;gone\x07\r\n\r\ncaf\xe9 \xe2\x80\xae evil\r\n"
    first = past.came_back(world, campaign, PEOPLE[0], raw=raw)
    past.came_back(world, campaign, PEOPLE[1], reason="mailbox-full", kind="bounce-soft", days_ago=20)
    assert len(world.json("bounce", "ls")) == 2
    for option, value, found in [("--reason", "mailbox-full", 1), ("--kind", "bounce-hard", 1), ("--since", "7d", 1),
                                 ("--since", "2001-01-01", 2), ("--since", "1970-01-01", 2), ("--campaign", "first", 2), ("--list", "news", 2),
                                 ("--address", "BOB@b.test", 1), ("--limit", "1", 1)]:
        assert len(world.json("bounce", "ls", option, value)) == found, option
    for option, value in [("--reason", "sunspots"), ("--kind", "hard"), ("--since", "2026-02-30"), ("--since", "2100-01-01"), ("--since", "7"), ("--limit", "all")]:
        world.refused("bounce", "ls", option, value, code=2, says=value)
    shown = world.json("bounce", "show", first)
    assert shown["email"] == PEOPLE[0] and shown["reason"] == "user-unknown" and "no such user" in shown["text"], shown
    text = world.listctl("bounce", "show", first, "--raw")
    assert "\\x1B]0;gone\\x07" in text and "caf\\xE9 \\xE2\\x80\\xAE evil" in text and "\x1b" not in text, text
    octets = subprocess.run([BIN / "listctl", "--config", world.config, "bounce", "show", str(first), "--octets"],
                            capture_output=True, check=True).stdout
    assert octets == raw, octets
    world.refused("bounce", "show", first + 1, "--raw", says="no returned message")
    world.refused("bounce", "show", 999999, says="999999")


def test_classify(world):
    "Without database or settings: one line a message; a file that cannot be read does not stop the others."
    dead = world.file("dead.eml", returns.dsn())
    away = world.file("away.eml", returns.VACATION)
    done = world.run("listctl", "bounce", "classify", "--format", "json", dead, world.base / "missing.eml", away, world.base)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and "missing.eml" in done.stderr and "directory" in done.stderr, done
    assert [line["file"] for line in lines] == [str(dead), str(away)], lines
    assert (lines[0]["kind"], lines[0]["reason"], lines[0]["status"]) == ("bounce-hard", "user-unknown", "5.1.1"), lines
    assert lines[0]["recipients"] == ["p@example.test"] and lines[1]["kind"] == "auto-reply", lines
    assert set(lines[0]) == {"file", "kind", "reason", "status", "recipients"}
    table = world.listctl("bounce", "classify", dead, away)
    assert "bounce-hard" in table and "auto-reply" in table
    world.refused("bounce", "classify", code=2)


def test_ingest(world):
    "Messages that came another way are judged like those of bounced, once, for whom their token names."
    campaign = prepared(world)
    one = to_return_path(world, returns.dsn(), campaign, PEOPLE[0])
    told = json.loads(world.listctl("bounce", "ingest", "--format", "json", stdin=one))
    assert (told["messages"], told["stored"], told["disabled"]) == (1, 1, 1), told
    assert past.state(world, PEOPLE[0]) == "disabled"
    assert world.sql("SELECT source, reason FROM bounce_event") == [["ingest", "user-unknown"]]
    told = json.loads(world.listctl("bounce", "ingest", "-", "--format", "json", stdin=one))
    assert (told["stored"], told["known_already"]) == (0, 1), told
    forged = one.replace("Delivered-To: b+", "Delivered-To: b+a")
    done = world.run("listctl", "bounce", "ingest", stdin=forged)
    assert done.returncode == 1 and "token" in done.stderr, done
    world.refused("bounce", "ingest", stdin="", says="no message")
    world.refused("bounce", "ingest", world.base / "missing", says="missing")
    world.refused("bounce", "ingest", world.base, says="Maildir")
    keys = world.base / "keys"
    text = keys.read_text()
    keys.write_text(re.sub(r"instance \S+", "instance 00000000-0000-0000-0000-000000000000", text))
    world.refused("bounce", "ingest", stdin=one, says="instance")
    keys.write_text(text)
    assert world.value("SELECT count(*) FROM bounce_event") == "1"


def test_ingest_of_another_copy(world):
    "A report that came to one copy's return path and tells of another copy is named and counts for nobody: anybody can write it."
    campaign = prepared(world)
    inside = returns.dsn().replace("Message-ID: <x@example.test>",
                                   f"Message-ID: <{returns.token(world, 'message', campaign, member(world, PEOPLE[2]))}@example.test>")
    world.refused("bounce", "ingest", stdin=to_return_path(world, inside, campaign, PEOPLE[0]), says="tells of another copy")
    assert world.value("SELECT count(*) FROM bounce_event") == "0"
    assert [past.state(world, a) for a in PEOPLE] == ["active"] * 4


def test_ingest_mbox_and_maildir(world):
    "An mbox and a Maildir are read whole; what has no token is named and the rest is stored."
    campaign = prepared(world)
    first = to_return_path(world, returns.dsn(mark="1").replace("This is the mail", "From here >From there\nFrom now on\nThis is the mail"),
                           campaign, PEOPLE[0])
    second = to_return_path(world, returns.dsn(mark="2"), campaign, PEOPLE[1], header="X-Original-To")
    stranger = returns.dsn(mark="3")
    inside = returns.dsn(mark="4").replace("Message-ID: <x@example.test>",
                                           f"Message-ID: <{returns.token(world, 'message', campaign, member(world, PEOPLE[2]))}@example.test>")
    box = mailbox.mbox(world.base / "box")
    for message in [first, second, stranger, inside]:
        box.add(message)
    box.flush()
    (world.base / "box").write_bytes(b"\xef\xbb\xbf" + (world.base / "box").read_bytes())  # as an editor may have saved it
    done = world.run("listctl", "bounce", "ingest", world.base / "box", "--format", "json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and "box message 3" in done.stderr, done
    assert (told["messages"], told["stored"], told["no_token"], told["disabled"]) == (4, 3, 1, 3), told
    folder = mailbox.Maildir(world.base / "maildir")
    for message in [first, second, to_return_path(world, returns.dsn(mark="5"), campaign, PEOPLE[3], header="To")]:
        folder.add(message)
    told = world.json("bounce", "ingest", world.base / "maildir")
    assert (told["messages"], told["stored"], told["known_already"]) == (3, 1, 2), told
    assert [past.state(world, a) for a in PEOPLE] == ["disabled"] * 4
