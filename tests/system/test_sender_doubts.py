"""Doubts that a person wants to decide about while sender has them to be sent again."""

from faultrelay import OFFERS, FaultRelay
from verpost import until

ANN, BOB = "ann@a.test", "bob@b.test"


def begin(world):
    """Ann is in doubt, held until again(), so that whatever is prepared before that comes before her next copy."""
    world.setup()
    world.subscribe([ANN, BOB])
    world.configure(**{"sender.workers": 1, "relay.retry": "2s", "sender.poll": "1s", "sender.retry_after": "1h",
                       "sender.stop_timeout": "2s"})
    relay = FaultRelay(world, processes=1, offers=OFFERS + ["CHUNKING"],
                       rules=[{"step": "kept", "action": "drop", "match": ANN, "times": 1}, {"step": "rcpt", "action": "soft", "match": BOB}])
    relay.start()
    world.start("sender")
    world.campaign("news", in_doubt="hold")
    until(lambda: world.status("news")["in_doubt"] == 1, "ann is in doubt")
    world.sql("CREATE TABLE hand (event text);"
              " CREATE FUNCTION note_hand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost AS $$BEGIN"
              " INSERT INTO hand VALUES (CASE WHEN NEW.opened_by IS NULL THEN 'let go' ELSE 'taken' END); RETURN NULL; END$$;"
              " CREATE TRIGGER note_hand AFTER UPDATE OF opened_by ON deferral FOR EACH ROW"
              " WHEN (NEW.state = 'in_doubt' AND OLD.opened_by IS DISTINCT FROM NEW.opened_by) EXECUTE FUNCTION note_hand()")
    return relay


def again(world):
    world.listctl("campaign", "in-doubt", "news", "--resend", ANN)


def has_been(world, event):
    """Whether Ann was taken by a worker, or let go, since begin(): by what the database has seen, however short it was."""
    return world.value(f"SELECT count(*) FROM hand WHERE event = '{event}'") != "0"


def row(world):
    return world.json("campaign", "in-doubt", "news")[0]


def decide(world, *options):
    return world.run("listctl", "campaign", "in-doubt", "news", *options)


def test_decided_while_the_relay_is_down(world):
    "Who is in doubt can be held and settled while the relay that he would be sent through is down."
    relay = begin(world)
    relay.stop()
    again(world)
    until(lambda: world.status("news")["relay_trouble"], "the relay is left alone")
    until(lambda: has_been(world, "taken"), "a worker has ann in hand")
    until(lambda: decide(world, "--hold", ANN).returncode == 0, "ann is held")
    assert row(world)["next_attempt_at"] is None and row(world)["decision"] == "hold", row(world)
    world.listctl("campaign", "in-doubt", "news", "--settle", ANN)
    assert world.status("news")["in_doubt"] == 0 and world.status("news")["accepted"] == 1
    world.stop("sender")


def test_sent_again_when_the_relay_is_back(world):
    "Who was let go because his relay was down is sent his copy when it is back."
    relay = begin(world)
    relay.stop()
    again(world)
    until(lambda: has_been(world, "let go"), "a worker had ann in hand, and let her go")
    relay = FaultRelay(world, name="again", processes=1, offers=OFFERS + ["CHUNKING"]).start()
    until(lambda: [r["to"] for r in relay.accepted()].count(ANN) == 1, "ann gets it again")
    assert world.log("sender").count("event=campaign.unsigned") == 1, "once, though the campaign was loaded for each retry"
    world.stop("sender")


def test_left_alone_while_in_hand(world):
    "Who is in a worker's hands is left alone: that fails when he was named, and a pause makes him be let go."
    relay = begin(world)
    relay.rules([{"step": "rcpt", "action": "hang", "match": ANN}])
    again(world)
    until(lambda: row(world)["in_hand"], "a worker has ann in hand")
    world.refused("campaign", "in-doubt", "news", "--hold", ANN, says=["left alone", "campaign pause news"])
    told = decide(world, "--hold")
    assert told.returncode == 0 and "1 are in the hands" in told.stderr and "0 in doubt are held" in told.stderr, told
    assert row(world)["decision"] == "resend"
    world.listctl("campaign", "pause", "news")
    until(lambda: not row(world)["in_hand"], "she was let go")
    world.listctl("campaign", "in-doubt", "news", "--hold", ANN)
    assert row(world)["next_attempt_at"] is None and row(world)["decision"] == "hold"
    world.stop("sender")


def refused_again(world, step, reply):
    """Ann, who is in doubt, is sent her copy again by a person's word and refused so; Bob is accepted meanwhile."""
    world.setup()
    world.subscribe([ANN, BOB])
    world.configure(**{"sender.workers": 1, "relay.retry": "1s", "sender.poll": "1s", "breaker.policy_share": 0})
    relay = FaultRelay(world, processes=1, rules=[{"step": "kept", "action": "drop", "match": ANN, "times": 1},
                                                  {"step": "rcpt", "action": "soft", "match": BOB}]).start()
    world.start("sender")
    world.campaign("news", in_doubt="hold")
    until(lambda: world.status("news")["in_doubt"] == 1, "ann is in doubt")
    relay.rules([{"step": step, "action": "hard", "match": ANN, "reply": reply}])
    world.sql("UPDATE deferral SET next_attempt_at = now() WHERE state = 'deferred'")
    until(lambda: world.status("news")["accepted"] == 1, "bob got his")
    world.listctl("campaign", "in-doubt", "news", "--resend", ANN)
    until(lambda: [r for r in relay.refused() if r["to"] == ANN], "ann is refused")
    return relay


def test_refused_for_no_reason_of_hers(world):
    "Who is in doubt and then refused for a reason that is not the address's is in doubt again, held, with the relay's words; a person decides."
    relay = refused_again(world, "rcpt", "554 5.7.1 Relay access denied")
    found = until(lambda: (lambda r: r if r["attempt"] == 2 and not r["in_hand"] else None)(row(world)), "it is told")
    assert (found["decision"], found["next_attempt_at"], found["reply"]) == ("hold", None, "554 5.7.1 Relay access denied"), found
    status = world.status("news")
    assert (status["accepted"], status["refused"], status["deferred"], status["in_doubt"]) == (1, 0, 0, 1), status
    assert "554 5.7.1 Relay access denied" in " ".join(world.listctl("campaign", "in-doubt", "news").split())
    relay.rules([])
    world.listctl("campaign", "in-doubt", "news", "--resend", ANN)
    assert world.finished("news")["accepted"] == 2
    assert len({r["message_id"] for r in relay.kept() + relay.accepted() if r["to"] == ANN}) == 1, "the same message"
    world.stop("sender")


def test_content_refused_for_no_reason_of_hers(world):
    "The same behind the content."
    refused_again(world, "dot", "554 5.7.1 Message rejected by policy")
    until(lambda: row(world)["attempt"] == 2, "it is told")
    assert row(world)["reply"].startswith("554 5.7.1") and row(world)["decision"] == "hold", row(world)
    assert world.value("SELECT count(*) FROM delivery WHERE outcome = 'refused'") == "0"
    world.stop("sender")


def test_refused_as_an_address(world):
    "Who is in doubt and then refused as an address that does not exist is refused."
    refused_again(world, "rcpt", "550 5.1.1 No such user")
    status = until(lambda: (lambda s: s if s["refused"] == 1 else None)(world.status("news")), "she is refused")
    assert status["in_doubt"] == 0 and status["refused_reasons"] == {"user-unknown": 1}, status
    world.stop("sender")


def both_in_doubt(world, rules=()):
    """Ann and Bob are in doubt and held; then the relay goes by those rules."""
    world.setup()
    world.subscribe([ANN, BOB])
    world.configure(**{"sender.workers": 1, "relay.retry": "1s", "sender.poll": "1s"})
    relay = FaultRelay(world, processes=1, rules=[{"step": "kept", "action": "drop", "times": 1, "match": who} for who in (ANN, BOB)]).start()
    world.start("sender")
    world.campaign("news", in_doubt="hold")
    until(lambda: world.status("news")["in_doubt"] == 2, "both are in doubt")
    relay.rules(list(rules))
    return relay


def test_suppressed_while_held(world):
    "Whom nothing may be sent to any more stays in doubt when all are to be sent again, and that is said; a person can settle it."
    relay = both_in_doubt(world)
    world.listctl("suppress", "add", ANN)
    told = decide(world, "--resend")
    assert told.returncode == 0 and "1 in doubt are sent again" in told.stderr and "1 of 2 kept in doubt: left or suppressed" in told.stderr, told
    status = world.finished("news")
    assert (status["accepted"], status["skipped"], status["in_doubt"]) == (1, 0, 1), status
    assert (row(world)["email"], row(world)["decision"], row(world)["attempt"]) == (ANN, "hold", 1), row(world)
    world.refused("campaign", "in-doubt", "news", "--resend", ANN, says="1 of 1 kept in doubt: left or suppressed")
    assert world.status("news")["state"] == "finished"
    world.listctl("campaign", "in-doubt", "news", "--settle", ANN)
    assert world.status("news")["accepted"] == 2
    assert [r["to"] for r in relay.accepted()] == [BOB]
    world.stop("sender")


def test_suppressed_before_the_copy_goes(world):
    "The same where a copy was to go by itself, at once or after it was put off: nothing is skipped, and the reason is shown."
    relay = both_in_doubt(world, rules=[{"step": "rcpt", "action": "soft", "match": BOB}])
    world.listctl("campaign", "in-doubt", "news", "--resend", BOB)
    until(lambda: world.status("news")["deferred"] == 1, "bob's copy is put off")
    for address in (ANN, BOB):
        world.listctl("suppress", "add", address)
    world.sql("UPDATE deferral SET next_attempt_at = now()")
    status = world.finished("news")
    assert (status["accepted"], status["skipped"], status["in_doubt"]) == (0, 0, 2), status
    shown = {r["email"]: (r["attempt"], r["decision"], r["next_attempt_at"], r["reply"]) for r in world.json("campaign", "in-doubt", "news")}
    assert shown == {ANN: (1, "hold", None, "not sent again: suppressed"), BOB: (2, "hold", None, "not sent again: suppressed")}, shown
    assert relay.accepted() == []
    world.stop("sender")


def test_canceled_while_the_copy_waits(world):
    "Cancel skips nobody whose first copy a relay may have, though the second one was put off: they stay in doubt."
    both_in_doubt(world, rules=[{"step": "rcpt", "action": "soft", "match": who} for who in (ANN, BOB)])
    world.listctl("campaign", "in-doubt", "news", "--resend", BOB)
    until(lambda: world.status("news")["deferred"] == 1, "bob's copy is put off")
    world.listctl("campaign", "cancel", "news", "--yes")
    status = until(lambda: (lambda s: s if s["state"] == "canceled" and s["in_doubt"] == 2 else None)(world.status("news")), "both are in doubt")
    assert (status["accepted"], status["skipped"], status["deferred"]) == (0, 0, 0), status
    assert {r["email"]: r["reply"] for r in world.json("campaign", "in-doubt", "news")}[BOB] == "not sent again: canceled"
    world.listctl("campaign", "in-doubt", "news", "--settle", BOB)
    assert world.status("news")["accepted"] == 1
    world.stop("sender")
