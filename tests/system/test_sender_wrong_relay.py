"""A relay that says no, at RCPT and for no reason of the address's own, beside one that works, or to some only: whom another one takes is lost to
nobody, and whom it means is refused."""

from faultrelay import FaultRelay
from sending import people, places
from verpost import free_port, until

DENIED = {"step": "rcpt", "action": "hard", "reply": "554 5.7.1 Relay access denied"}
BLOCKED = {"step": "rcpt", "action": "hard", "match": "*@d3.test", "reply": "550 5.7.1 Blocked by policy"}


def begin(world, audience, rules, workers=2, slow=(), **weights):
    "A relay for each list of rules. Those that are slow accept no more than 20 a second on each connection."
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.workers": workers})
    relays = {name: FaultRelay(world, name=name, port=free_port(), processes=1, rules=rows, delay=0.05 * (name in slow)).start()
              for name, rows in rules.items()}
    for name, relay in relays.items():
        world.listctl("relay", "add", name, "--host", "127.0.0.1", "--port", relay.port, "--weight", weights.get(name, 1))
    world.start("sender")
    world.campaign("c")
    return relays


def addresses(count, start=0):
    return [address for address, _ in people(count, start)]


def heard(relay):
    return [row["to"] for row in relay.records("fault")]


def got(relays):
    return sorted(row["to"] for relay in relays.values() for row in relay.accepted())


def all_got_it(world, audience, relays):
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (len(audience), 0), status
    assert got(relays) == sorted(audience)
    assert world.sql("SELECT DISTINCT outcome, attempts, code FROM delivery") == [["accepted", "1", "250"]]
    for relay in relays.values():
        relay.check()


def state_of(world, name):
    return [row for row in world.json("relay", "ls") if row["relay"] == name][0]


def test_refuses_all(world):
    "One of two relays refuses everybody at RCPT: all go through the other, and it is left alone and told of."
    audience = addresses(2000)
    relays = begin(world, audience, {"good": [], "bad": [DENIED]})
    all_got_it(world, audience, relays)
    row = state_of(world, "bad")
    assert row["state"].startswith("tripped") and "rcpt: 554 5.7.1 Relay access denied" in row["trouble"], row
    assert "relay.tripped relay=good" not in world.log("sender")
    assert world.value("SELECT count(*) FROM audit WHERE action = 'campaign.hold'") == "0"


def test_refuses_all_with_more_weight(world):
    "The same where nine of ten are for the wrong one, which gives no reason."
    audience = addresses(2000)
    relays = begin(world, audience, {"good": [], "bad": [{**DENIED, "reply": "550 no"}]}, bad=9)
    all_got_it(world, audience, relays)
    assert state_of(world, "bad")["state"].startswith("tripped")


def test_refuses_all_with_less_weight(world):
    "The same where one of ten is for it: that never trips a breaker."
    audience = addresses(1000)
    relays = begin(world, audience, {"good": [], "bad": [{**DENIED, "reply": "550 5.7.1 Sender rejected"}]}, good=9)
    all_got_it(world, audience, relays)


def test_few(world):
    "The same with fewer than make it distrusted."
    audience = addresses(10)
    all_got_it(world, audience, begin(world, audience, {"good": [], "bad": [DENIED]}))


def test_a_domain_is_blocked_at_one(world):
    "One of two relays blocks one domain and takes all others: that domain goes through the other, and neither is left alone."
    audience = addresses(1400)
    relays = begin(world, audience, {"good": [], "picky": [BLOCKED]})
    all_got_it(world, audience, relays)
    assert relays["picky"].accepted() and heard(relays["picky"])
    assert [row["state"] for row in world.json("relay", "ls")] == ["enabled", "enabled"]


def test_a_domain_is_blocked_at_the_only_one(world):
    "The only relay blocks one domain, that of the last ones too: they are refused in its words after one more try, once each, and the campaign ends."
    blocked = [f"last{n}@d3.test" for n in range(6)]
    audience = addresses(700) + blocked
    relays = begin(world, audience, {"picky": [BLOCKED]}, workers=1)
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (600, 106), status
    where = places(world, "c")
    assert all((where[address] == "refused") == address.endswith("@d3.test") for address in audience)
    assert world.sql("SELECT DISTINCT attempts, code, status, reply FROM delivery WHERE outcome = 'refused'") == [
        ["1", "550", "5.7.1", "5.7.1 Blocked by policy"]]
    assert sorted(heard(relays["picky"])) == sorted(2 * [a for a in audience if a.endswith("@d3.test")])
    assert world.value("SELECT sum(policy) FROM campaign_tally") == "106"
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == "0"
    assert [row["state"] for row in world.json("relay", "ls")] == ["enabled"]
    relays["picky"].check()


def test_the_only_one_refuses_a_few_and_nobody_else(world):
    "The only relay refuses all of a small campaign: they wait, people are told, and each gets a copy when it is mended."
    audience = addresses(10)
    relays = begin(world, audience, {"bad": [DENIED]})
    status = until(lambda: (lambda s: s if s["deferred"] == 10 else None)(world.status("c")), "all wait")
    assert status["refused"] == 0, status
    until(lambda: "Relay access denied" in str(world.status("c")["relay_trouble"]), "status tells of it")
    relays["bad"].rules([])
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (10, 0), status
    assert got(relays) == sorted(audience)
    relays["bad"].check()


def test_unknown_addresses_end_at_once(world):
    "No such user: that is his end at the first relay that says so, also when another one would be there."
    relays = begin(world, addresses(300), {name: [{"step": "rcpt", "action": "hard", "match": "u0001?@*", "reply": "550 5.1.1 No such user"}]
                                           for name in ("one", "two")})
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (290, 10), status
    assert sorted(heard(relays["one"]) + heard(relays["two"])) == sorted(addresses(10, 10))
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == "10"


def test_many_and_nobody_else(world):
    "The only relay refuses all and no breaker speaks: it is left alone, for longer each time, and they are refused when their time is over."
    audience = [f"u{n}@d{n % 2}.test" for n in range(72)]
    world.configure(**{"breaker.policy_share": 0, "sender.retry_after": "1s", "sender.expire": "2s"})
    relays = begin(world, audience, {"bad": [DENIED]}, workers=1)
    assert world.finished("c")["refused"] == 72
    waits = [line.split("wait=")[1].split()[0] for line in world.log("sender").splitlines() if "relay.tripped" in line]
    assert waits[:3] == ["1s", "2s", "4s"], waits
    assert all(heard(relays["bad"]).count(address) >= 2 for address in audience), "each was tried once more"
    relays["bad"].check()


def test_own_quota_is_used_up(world):
    "One of two relays has reached what it may send in a day: that is nobody's full mailbox, and the other takes all."
    audience = addresses(1500)
    relays = begin(world, audience, {"good": [], "full": []})
    relays["full"].wait(200)
    relays["full"].rules([{"step": "rcpt", "action": "hard", "reply": "550 5.4.5 Daily user sending quota exceeded."}])
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (len(audience), 0), status
    assert got(relays) == sorted(audience)
    assert world.value("SELECT count(*) FROM bounce_event") == "0"


def test_lost_table_of_users(world):
    "A relay suddenly knows none of the users: the worker stops by itself, before the coordinator looks, with few disabled."
    audience = addresses(4000)
    relays = begin(world, audience, {"broken": [], "good": []}, workers=1)
    relays["broken"].wait(200)
    relays["broken"].rules([{"step": "rcpt", "action": "hard", "reply": "550 5.1.1 User unknown"}])
    status = until(lambda: (lambda s: s if s["state"] == "paused" else None)(world.status("c")), "the campaign is held")
    assert "User unknown" in status["hold_reason"], status
    disabled = int(world.value("SELECT count(*) FROM membership WHERE state = 'disabled'"))
    assert 100 <= disabled < 400, disabled


def test_the_other_is_out_of_reach(world):
    "Refused by a relay that takes others, while another one that fits him is away for a while: he waits for that one."
    last = [f"last{n}@d3.test" for n in range(10)]
    audience = addresses(100) + last
    world.configure(**{"relay.retry": "1s", "sender.retry_after": "1s"})
    away = [{"step": step, "action": "gone"} for step in ("banner", "mail", "rcpt")]
    picky = {"step": "rcpt", "action": "hard", "match": "last*", "reply": "550 5.7.1 Recipient limit of the day reached"}
    relays = begin(world, audience, {"good": away, "bad": [picky]}, workers=1)
    until(lambda: world.value("SELECT count(*) FROM deferral WHERE code = 550") == "10", "they are put off")
    assert world.status("c")["accepted"] == 100
    relays["good"].rules([])
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (len(audience), 0), status
    assert got(relays) == sorted(audience)
    assert sorted(row["to"] for row in relays["good"].accepted()) == last


# ---- for now ----

LATER = {"step": "rcpt", "action": "soft", "reply": "450 4.2.0 Try again later"}


def tripped(world):
    return [line for line in world.log("sender").splitlines() if "relay.tripped" in line]


def put_off_by_one(world, rule):
    "One of two relays, which has nine tenths of the weight, puts everybody off: all go through the other one before their time is over."
    world.configure(**{"sender.retry_after": "1s", "sender.expire": "1h"})
    audience = addresses(400)
    relays = begin(world, audience, {"good": [], "bad": [rule]}, workers=1, slow=("good",), bad=9)
    status = world.finished("c")
    assert (status["accepted"], status["expired"]) == (len(audience), 0), status
    assert got(relays) == sorted(audience)
    assert relays["bad"].accepted() == []
    for relay in relays.values():
        relay.check()
    return relays


def test_puts_all_off(world):
    "At RCPT: who was put off goes through the other one, and the relay is left alone and told of."
    relays = put_off_by_one(world, LATER)
    row = state_of(world, "bad")
    assert row["state"] == "tripped" and "rcpt: 450 4.2.0 Try again later" in row["trouble"], row
    assert "another relay accepts" in row["trouble"], row
    assert state_of(world, "good")["state"] == "enabled"
    assert len(heard(relays["bad"])) < 300, "it is left alone"
    assert int(world.value("SELECT max(attempts) FROM delivery")) < 10, "who was put off there goes through the other one"


def test_puts_all_off_at_mail(world):
    "The same at MAIL, before any address."
    put_off_by_one(world, {"step": "mail", "action": "soft", "reply": "451 4.3.0 Try again later"})
    assert state_of(world, "bad")["state"] == "tripped"


def test_puts_all_off_behind_the_content(world):
    "The same when it has read the content."
    put_off_by_one(world, {"step": "dot", "action": "soft", "reply": "451 4.3.0 Try again later"})
    assert state_of(world, "bad")["state"] == "tripped"


def test_works_again(world):
    "A relay that was left alone because it put all off is told to work, and takes people, once it has accepted one."
    world.configure(**{"sender.retry_after": "1s"})
    audience = addresses(600)
    relays = begin(world, audience, {"good": [], "bad": [LATER]}, workers=1, bad=9)
    assert world.finished("c")["accepted"] == len(audience)
    assert state_of(world, "bad")["state"] == "tripped"
    relays["bad"].rules([])

    def goes_again(n=iter(range(100))):
        name = f"more{next(n)}"
        world.campaign(name)
        assert world.finished(name)["accepted"] == len(audience)
        return state_of(world, "bad")["state"] == "enabled"
    until(goes_again, "it is told that it works")
    assert len(relays["bad"].accepted()) > 0
    assert "relay.restored relay=bad" in world.log("sender").replace("event=", "")


def greylists(world, names):
    "Relays that put everybody off once, at RCPT."
    world.configure(**{"sender.retry_after": "1s"})
    audience = addresses(400)
    relays = begin(world, audience, {name: [{**LATER, "each": 1, "reply": "451 4.7.1 Greylisted"}] for name in names})
    assert world.finished("c")["accepted"] == len(audience)
    assert got(relays) == sorted(audience)
    for relay in relays.values():
        relay.check()


def test_the_only_one_greylists(world):
    "The only relay greylists: all are accepted at their second attempt, and it is not left alone."
    greylists(world, ["grey"])
    assert tripped(world) == []
    assert world.sql("SELECT DISTINCT attempts FROM delivery") == [["2"]]


def test_both_greylist(world):
    "Both relays greylist, each by itself: all are accepted."
    greylists(world, ["one", "two"])


def test_the_only_one_puts_all_off(world):
    "The only relay puts everybody off: they are tried by the schedule until their time is over, and it is not left alone."
    world.configure(**{"sender.retry_after": "1s", "sender.expire": "4s"})
    relays = begin(world, addresses(100), {"bad": [LATER]})
    until(lambda: world.sql("SELECT DISTINCT relay FROM deferral") == [["bad"]], "it is known who put them off")
    status = world.finished("c")
    assert (status["expired"], status["accepted"]) == (100, 0), status
    assert world.sql("SELECT DISTINCT attempts > 2, code FROM delivery") == [["t", "450"]]
    assert tripped(world) == []
    relays["bad"].check()
