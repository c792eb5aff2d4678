"""What sender does when PostgreSQL refuses what it has to write of somebody."""

from faultrelay import FaultRelay
from verpost import until

ANN, BOB, CID = "ann@a.test", "bob@b.test", "cid@c.test"
OWN = "the database refused what else was to be written"


def begin(world, rules=(), **settings):
    world.setup()
    world.subscribe([ANN, BOB, CID])
    world.configure(**{"sender.workers": 1, "sender.stop_timeout": "2s", "sender.retry_after": "1h", **settings})
    return FaultRelay(world, processes=1, rules=list(rules)).start()


def got(relay):
    return sorted(row["to"] for row in relay.accepted())


def test_one_row_is_refused(world):
    "Who is written beside somebody whose row is refused is not held up; that one is written without the relay's words, and told."
    relay = begin(world, [{"step": "rcpt", "action": "soft", "match": ANN, "reply": "452 4.2.2 Odd"}], **{"relay.retry": "1h"})
    world.sql("ALTER TABLE deferral ADD CONSTRAINT odd CHECK (code IS DISTINCT FROM 452)")
    world.start("sender")
    world.campaign("news")
    until(lambda: (lambda s: s["accepted"] == 2 and s["deferred"] == 1)(world.status("news")), "all are written")
    written = world.sql("SELECT code, reply, attempts, next_attempt_at > now() FROM deferral")
    assert written == [["", OWN, "1", "t"]], written
    told = [line for line in world.log("sender").splitlines() if "event=ledger.refused" in line]
    assert len(told) == 1 and "outcome=deferred attempt=1" in told[0] and "SQLSTATE 23514" in told[0], told
    relay.rules([])
    world.sql("UPDATE deferral SET next_attempt_at = now()")
    world.finished("news")
    assert got(relay) == sorted([ANN, BOB, CID])
    world.stop("sender")


def test_stopped_while_all_is_refused(world):
    """When nothing can be written at all, SIGTERM ends sender in time, and what it knows stays in its journal; the next one writes it, row by
    row where it must, and sends nothing again."""
    relay = begin(world)
    world.sql("ALTER TABLE delivery ADD CONSTRAINT nobody CHECK (subscriber_id < 0)")
    world.start("sender")
    world.campaign("news")
    until(lambda: len(got(relay)) == 3 and "event=ledger.refused" in world.log("sender"), "all are refused")
    world.stop("sender")
    assert world.status("news")["pending"] == 3
    world.sql("ALTER TABLE delivery DROP CONSTRAINT nobody")
    world.sql("ALTER TABLE delivery ADD CONSTRAINT no_code CHECK (code IS NULL)")
    world.start("sender")
    status = world.finished("news")
    assert (status["accepted"], status["in_doubt"]) == (3, 0), status
    assert world.sql("SELECT DISTINCT outcome, code, reply FROM delivery") == [["accepted", "", OWN]]
    assert got(relay) == sorted([ANN, BOB, CID])
    world.stop("sender")


def test_longest_times(world):
    "The longest times that are taken: nobody expires, and who is put off waits for ten years."
    begin(world, [{"step": "rcpt", "action": "soft", "match": ANN}], **{"sender.expire": "3650d", "sender.retry_after": "3650d"})
    world.start("sender")
    world.campaign("news")
    until(lambda: (lambda s: s["accepted"] == 2 and s["deferred"] == 1)(world.status("news")), "ann is put off")
    assert world.value("SELECT next_attempt_at BETWEEN now() + interval '3649 days' AND now() + interval '3651 days' FROM deferral") == "t"
    world.stop("sender")
