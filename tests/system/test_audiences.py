"""Campaigns for a part of their list: segments, and what is left out."""

import json

from verpost import until

RULES = "* accept\n"


def people(world, **attributes):
    """name=attributes: members of news."""
    for name, values in attributes.items():
        world.sql("WITH s AS (INSERT INTO subscriber (address, address_key, attributes)"
                  f" VALUES ('{name}@example.test', '{name}@example.test', $a${json.dumps(values)}$a$) RETURNING id)"
                  " INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, s WHERE l.name = 'news'")


def join(world, list_name, *names):
    world.listctl("list", "create", list_name, "--from", f"{list_name}@example.test")
    for name in names:
        world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s"
                  f" WHERE l.name = '{list_name}' AND s.address_key = '{name}@example.test'")


def got(world):
    return sorted(message["to"].split("@")[0] for message in world.accepted())


def parts(world, campaign):
    return [(row["part"], row["name"], row["people"]) for row in json.loads(world.listctl("campaign", "audience", campaign, "--format", "json"))]


def frozen(world, campaign):
    """Whom the audience holds, without sending."""
    return sorted(row[0].split("@")[0] for row in world.sql(
        "SELECT s.address FROM campaign c JOIN campaign_chunk k ON k.campaign_id = c.id, unnest(k.subscriber_ids) AS u(id)"
        f" JOIN subscriber s ON s.id = u.id WHERE c.name = '{campaign}'"))


def test_segments_and_exclusions(world):
    "A campaign goes to those who are in one of its segments and in nothing that it leaves out; the ledger holds nobody else."
    world.setup()
    people(world, ann={"country": "ID", "age": 20}, bob={"country": "ID", "age": 40}, cat={"country": "DE", "age": 20},
           dan={"country": "FR", "age": 70}, eve={"country": "ID", "age": 20}, fay={"country": "ID", "age": 20})
    join(world, "customers", "eve")
    world.listctl("segment", "create", "id", "--where", '$.country == "ID"')
    world.listctl("segment", "create", "young", "--where", "$.age < 30")
    world.listctl("segment", "create", "middle", "--where", "$.age > 30 && $.age < 60")
    world.listctl("suppress", "add", "fay@example.test")
    made = world.run("listctl", "campaign", "create", "spring", "news", "--subject", "s", "--text", world.file("t.txt", "Hello\n"),
                     "--segment", "id,young", "--exclude-segment", "middle", "--exclude-list", "customers")
    assert made.returncode == 0 and "3 of the 6 members of news" in made.stderr, made
    assert parts(world, "spring") == [("members of", "news", 6), ("in segment", "id", 4), ("in segment", "young", 4),
                                      ("not in segment", "middle", 1), ("not in list", "customers", 1), ("would go to", None, 3)]
    world.mailworld(RULES)
    world.listctl("campaign", "start", "spring")
    world.start("sender")
    status = world.finished("spring")
    assert got(world) == ["ann", "cat"] and (status["audience"], status["accepted"], status["skipped"]) == (3, 2, 1), status
    assert world.value("SELECT count(*) FROM delivery") == "3"
    assert parts(world, "spring")[-1] == ("audience", None, 3)


def test_asked_when_it_starts_and_never_again(world):
    "Who joins a segment before the start is in, a segment edited or removed afterwards changes nothing, and what it was is kept."
    world.setup()
    people(world, ann={"age": 20}, bob={"age": 40})
    world.listctl("segment", "create", "young", "--where", "$.age < 30")
    world.campaign("spring", segment="young", start=False)
    world.sql("UPDATE subscriber SET attributes = '{\"age\": 25}' WHERE address_key = 'bob@example.test'")
    world.refused("segment", "rm", "young", says=["campaign spring", "campaign edit"])
    world.listctl("campaign", "start", "spring")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 2, "the audience to be frozen")
    world.listctl("segment", "edit", "young", "--where", "$.age < 10")
    assert frozen(world, "spring") == ["ann", "bob"]
    world.listctl("campaign", "cancel", "spring", "--yes")
    until(lambda: world.status("spring")["state"] == "canceled", "the end")
    world.listctl("segment", "rm", "young")
    row = json.loads(world.listctl("campaign", "audience", "spring", "--format", "json"))[0]
    assert (row["name"], row["definition"]) == ("young", "attributes match $.age < 30"), row


def test_edit(world):
    "edit replaces the whole audience, --everybody takes it away, and other edits leave it alone; nothing is half changed."
    world.setup()
    people(world, ann={"age": 20}, bob={"age": 40})
    world.listctl("segment", "create", "young", "--where", "$.age < 30")
    world.listctl("segment", "create", "old", "--where", "$.age > 30")
    world.campaign("spring", segment="young", start=False)
    world.listctl("campaign", "edit", "spring", "--subject", "Another")
    assert ("in segment", "young", 1) in parts(world, "spring")
    world.listctl("campaign", "edit", "spring", "--exclude-segment", "old")
    assert parts(world, "spring") == [("members of", "news", 2), ("not in segment", "old", 1), ("would go to", None, 1)]
    world.refused("campaign", "edit", "spring", "--segment", "young,nosuch", says="no segment nosuch")
    world.refused("campaign", "edit", "spring", "--exclude-list", "nosuch", says="no list nosuch")
    world.refused("campaign", "edit", "spring", "--segment", "young", "--everybody", code=2, says="--everybody")
    world.refused("campaign", "edit", "spring", "--segment", "young,,old", code=2, says="--segment")
    assert parts(world, "spring")[1] == ("not in segment", "old", 1)
    world.listctl("campaign", "edit", "spring", "--everybody")
    assert parts(world, "spring") == [("members of", "news", 2), ("would go to", None, 2)]


def test_nobody_is_left(world):
    "A campaign whose audience is empty is told of when it is written, and ends at once."
    world.setup()
    people(world, ann={"age": 20})
    world.listctl("segment", "create", "old", "--where", "$.age > 30")
    made = world.run("listctl", "campaign", "create", "none", "news", "--subject", "s", "--text", world.file("t.txt", "Hello\n"), "--segment", "old")
    assert made.returncode == 0 and "nobody is in the audience" in made.stderr, made
    world.listctl("campaign", "start", "none")
    world.start("sender")
    assert world.finished("none")["audience"] == 0


def test_local_times(world):
    "An audience that is narrowed down goes at its recipients' local times, too."
    world.setup()
    people(world, ann={"tz": "Asia/Jakarta", "age": 20}, bob={"tz": "Europe/Berlin", "age": 20}, cat={"tz": "Asia/Jakarta", "age": 40},
           dan={"age": 20})
    world.listctl("segment", "create", "young", "--where", "$.age < 30")
    world.campaign("spring", segment="young", start=False)
    later = world.value("SELECT to_char(now() + interval '30 hours', 'YYYY-MM-DD HH24:MI')")
    world.listctl("campaign", "schedule", "spring", "--at", later, "--zone", "UTC", "--local-to", "tz")
    world.sql("UPDATE campaign SET start_at = now() WHERE name = 'spring'")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 3, "the audience to be frozen")
    assert frozen(world, "spring") == ["ann", "bob", "dan"]
    assert world.value("SELECT count(DISTINCT not_before) FROM campaign_chunk") == "3"
    assert world.value("SELECT local_fallback FROM campaign") == "1"


def test_one_that_cannot_start(world):
    "A campaign whose audience cannot be frozen waits for a person, with its reason; the others start, and it does too once it is mended."
    world.setup()
    people(world, ann={"since": "2026-03-01 10:00:00+02"}, bob={"since": "2026-03-01"})
    world.listctl("segment", "create", "late", "--where", '$.since > "2026-01-01"')
    world.campaign("broken", segment="late")
    world.campaign("whole")
    # As an earlier release took it.
    old = '$.since.datetime() > "2026-01-01".datetime()'
    world.sql(f"ALTER TABLE segment DROP CONSTRAINT segment_predicate_never_raises; UPDATE segment SET written = '{old}', predicate = '{old}'")
    world.mailworld(RULES)
    world.start("sender")
    world.finished("whole")
    status = json.loads(world.listctl("campaign", "status", "broken", "--format", "json"))
    status = status[0] if isinstance(status, list) else status
    assert status["state"] == "scheduled" and "could not be frozen" in status["hold_reason"] and "campaign resume" in status["hold_reason"], status
    assert world.log("sender").count("event=campaign.held") == 1 and "coordinator.failed" not in world.log("sender")
    assert world.value("SELECT count(*) FROM audit WHERE action = 'campaign.hold' AND subject = 'campaign:broken'") == "1"
    world.listctl("segment", "edit", "late", "--where", '$.since > "2026-01-01"')
    world.listctl("campaign", "resume", "broken")
    assert world.finished("broken")["accepted"] == 2


def test_definition_and_people_are_of_one_moment(world):
    "What is recorded of a segment is what its people were frozen by, though it is edited in that moment."
    world.setup()
    people(world, ann={"age": 20}, bob={"age": 40})
    world.listctl("segment", "create", "s", "--where", "$.age < 30")
    world.campaign("spring", segment="s")
    # Stops in the transaction that freezes, before people are looked for.
    world.sql("CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $f$;"
              " CREATE TRIGGER stop_here BEFORE UPDATE OF suppressed_up_to ON campaign FOR EACH ROW EXECUTE FUNCTION stop_here()")
    with world.holding("SELECT pg_advisory_xact_lock(77)") as commit:
        world.start("sender")
        until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != "0", "sender to freeze")
        world.listctl("segment", "edit", "s", "--where", "$.age > 30")
        commit()
    until(lambda: world.status("spring")["audience"] == 1, "the audience to be frozen")
    assert frozen(world, "spring") == ["bob"]
    assert world.value("SELECT definition FROM campaign_audience") == "attributes match $.age > 30"


def test_a_death_in_the_middle(world):
    "Killed in the middle, the campaign reaches exactly its audience, each once."
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, jsonb_build_object('n', n)"
              " FROM generate_series(1, 3000) AS n, LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s")
    world.listctl("segment", "create", "odd", "--where", "$.n % 2 == 1")
    world.campaign("spring", segment="odd")
    world.mailworld(RULES)
    world.start("sender")
    until(lambda: len(world.accepted()) > 200, "some messages")
    for pid in [*world.workers(), world.processes["sender"].pid]:
        world.kill(pid)
    world.processes.pop("sender").wait()
    world.start("sender")
    status = world.finished("spring")
    assert status["audience"] == 1500 == status["accepted"], status
    assert {int(name[1:]) % 2 for name in got(world)} == {1} and len(set(got(world))) == 1500
