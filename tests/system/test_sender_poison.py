"""A relay that refuses some before their content, at DATA or MAIL, and takes others: they are refused, and nobody else waits for it. One that
refuses everybody so, or everybody of a group, or about which nobody else tells, has refused nobody."""

from faultrelay import OFFERS, FaultRelay
from sending import people, places
from verpost import free_port, until

POLICY = {"step": "data", "action": "hard", "reply": "554 5.7.1 Not by our policy"}


def begin(world, audience, rules, names=("relay",), **options):
    world.setup()
    world.subscribe(audience)
    relays = {name: FaultRelay(world, name=name, port=free_port(), processes=1, rules=rules, **options).start()
              for name in names}
    for relay in relays.values():
        world.listctl("relay", "add", relay.name, "--host", "127.0.0.1", "--port", relay.port)
    world.start("sender")
    return relays


def tripped(world):
    return [line for line in world.log("sender").splitlines() if "relay.tripped" in line]


def got(relays):
    return sorted(row["to"] for relay in relays.values() for row in relay.accepted())


def test_some_are_refused(world):
    """Neighbours at both ends of a list are refused at DATA: those in front, behind whom others were accepted, are refused at the second hearing, with
    the reply; who was the last waits until another one is accepted. The relay is never left alone."""
    bad = [f"poison{n:02}@bad.test" for n in range(45)]
    good = [address for address, _ in people(500)]
    world.configure(**{"sender.workers": 1})
    relays = begin(world, bad[:40] + good + bad[40:], [{**POLICY, "match": "poison*"}])
    world.listctl("list", "create", "two", "--title", "T", "--from", "T <t@example.test>")
    world.subscribe(["late@good.test"], "two")
    world.campaign("c")
    until(lambda: (lambda s: s["accepted"] == 500 and s["refused"] >= 40 and s["pending"] == 0)(world.status("c")), "all were heard")
    world.campaign("two", list_name="two")
    assert world.finished("two")["accepted"] == 1
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (500, 45), status
    assert got(relays) == sorted(good + ["late@good.test"])
    where = places(world, "c")
    assert {address for address, place in where.items() if place == "refused"} == set(bad)
    assert world.sql("SELECT DISTINCT code, status, reply, reason FROM delivery WHERE outcome = 'refused'") == [
        ["554", "5.7.1", "5.7.1 Not by our policy", "policy"]]
    assert world.value("SELECT max(d.attempts) FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id WHERE s.address < 'poison40'") == "1"
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == "0"
    assert tripped(world) == []
    heard = [row["to"] for row in relays["relay"].records("fault")]
    assert max(heard.count(address) for address in bad[:40]) <= 2, "he was refused again and again"
    assert [row["state"] for row in world.json("relay", "ls")] == ["enabled"]
    relays["relay"].check()


def distrusted(world):
    return until(lambda: [row for row in world.json("relay", "ls") if row["state"] == "tripped"], "it is told of the relay")[0]


def test_few_and_nobody_else(world):
    "All of a small campaign are refused at DATA by the only relay, for a while: they wait, people are told, and each gets one copy when it is mended."
    audience = [address for address, _ in people(10)]
    relays = begin(world, audience, [POLICY])
    world.campaign("c")
    status = until(lambda: (lambda s: s if s["deferred"] == 10 else None)(world.status("c")), "all wait")
    assert (status["refused"], status["expired"], status["state"]) == (0, 0, "running"), status
    row = distrusted(world)
    assert row["trouble"].startswith("data: 554 5.7.1 Not by our policy") and "answered no message since" in row["trouble"], row
    assert "Not by our policy" in str(world.status("c")["relay_trouble"]), "status tells of it"
    until(lambda: int(world.value("SELECT min(attempts) FROM deferral")) >= 2, "each was tried again")
    relays["relay"].rules([])
    status = world.finished("c")
    assert (status["accepted"], status["refused"]) == (10, 0), status
    assert got(relays) == sorted(audience)
    until(lambda: [row["state"] for row in world.json("relay", "ls")] == ["enabled"], "it is told that the relay works")
    assert tripped(world) == []
    relays["relay"].check()


def test_retry_begins_with_them(world):
    "Who waits so long after such a refusal is tried at once when a person says that the relay was mended."
    world.configure(**{"relay.retry": "10m", "sender.retry_after": "1h"})
    audience = [address for address, _ in people(5)]
    relays = begin(world, audience, [POLICY])
    world.campaign("c")
    until(lambda: world.status("c")["deferred"] == 5, "all wait")
    relays["relay"].rules([])
    world.listctl("relay", "retry", "relay")
    assert world.finished("c")["accepted"] == 5
    assert got(relays) == sorted(audience)
    relays["relay"].check()


def test_only_such(world):
    "All of a small campaign are refused at DATA, some for now, and nobody tells that the relay takes anybody: it comes to its end with sender.expire."
    world.configure(**{"sender.retry_after": "1s", "sender.expire": "3s"})
    relays = begin(world, [f"poison{n}@bad.test" for n in range(3)] + [f"later{n}@bad.test" for n in range(3)],
                   [{**POLICY, "match": "poison*"}, {"step": "data", "action": "soft", "match": "later*"}])
    world.campaign("c")
    status = world.finished("c")
    assert (status["refused"], status["expired"]) == (3, 3), status
    assert world.sql("SELECT DISTINCT code, reply, reason, attempts > 2 FROM delivery WHERE outcome = 'refused'") == [
        ["554", "5.7.1 Not by our policy", "policy", "t"]]
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == "0"
    assert tripped(world) == []
    relays["relay"].check()


def test_a_group_is_refused(world):
    "All of gmail are refused at DATA, for no reason that is known: gmail is held with nobody lost, while all others and another campaign go on."
    gmail = [f"g{n:03}@gmail.com" for n in range(400)]
    others = [address for address, _ in people(300)]
    more = [address for address, _ in people(200, 1000)]
    relays = begin(world, gmail + others, [{"step": "data", "action": "hard", "match": "*@gmail.com", "reply": "550 5.0.0 No"}])
    world.listctl("list", "create", "two", "--title", "T", "--from", "T <t@example.test>")
    world.subscribe(more, "two")
    world.campaign("c")
    world.campaign("two", list_name="two")
    assert world.finished("two")["accepted"] == len(more)
    until(lambda: [hold["group"] for hold in world.status("c")["holds"]] == ["gmail"], "gmail is held")
    status = until(lambda: (lambda s: s if s["pending"] == 0 else None)(world.status("c")), "everybody has been looked at")
    assert (status["state"], status["accepted"], status["refused"]) == ("running", len(others), 0), status
    assert "550 5.0.0 No" in status["holds"][0]["reason"] or "because of us" in status["holds"][0]["reason"], status
    assert tripped(world) == []
    relays["relay"].rules([])
    world.listctl("campaign", "resume", "c", "--group", "gmail")
    assert world.finished("c")["accepted"] == len(gmail) + len(others)
    assert world.value("SELECT max(attempts) FROM delivery") == "1"
    assert got(relays) == sorted(gmail + others + more)
    relays["relay"].check()


def test_a_group_is_refused_by_two(world):
    "Two relays that both refuse all of gmail at DATA: it is held when about as many were refused by both as the breaker needs, not after everybody."
    gmail = [f"g{n:04}@gmail.com" for n in range(1500)]
    others = [address for address, _ in people(200)]
    world.configure(**{"sender.workers": 1, "relay.connections": 5})
    relays = begin(world, gmail + others, [{"step": "data", "action": "hard", "match": "*@gmail.com", "reply": "550 5.0.0 No"}], ("one", "two"))
    world.campaign("c")
    until(lambda: [hold["group"] for hold in world.status("c")["holds"]] == ["gmail"], "gmail is held")
    status = until(lambda: (lambda s: s if s["accepted"] == len(others) else None)(world.status("c")), "all others have it")
    assert status["refused"] == 0, status
    heard = sum(len(relay.records("fault")) for relay in relays.values())
    assert heard < 500, f"{heard} refusals before it was held"
    for relay in relays.values():
        relay.check()


def test_greylisted_at_data(world):
    "A relay that refuses everybody for now at DATA, once: all are deferred at once and accepted at their second attempt."
    world.configure(**{"sender.retry_after": "1s"})
    audience = [address for address, _ in people(400)]
    relays = begin(world, audience, [{"step": "data", "action": "soft", "each": 1, "reply": "451 4.7.1 Greylisted, try again later"}])
    world.campaign("c")
    assert world.finished("c")["accepted"] == len(audience)
    assert world.sql("SELECT DISTINCT attempts FROM delivery") == [["2"]]
    assert tripped(world) == []
    assert got(relays) == sorted(audience)
    relays["relay"].check()


def test_many_and_nobody_else(world):
    """More such than make a relay distrusted, and nobody else: it is left alone, tried again with more of them each time, and they are refused at
    last, when their time is over."""
    audience = [f"poison{n}@bad{n % 2}.test" for n in range(72)]
    world.configure(**{"sender.workers": 1, "breaker.policy_share": 0, "sender.retry_after": "1s", "sender.expire": "2s"})
    relays = begin(world, audience, [POLICY])
    world.campaign("c")
    assert world.finished("c")["refused"] == 72
    waits = [line.split("wait=")[1].split()[0] for line in tripped(world)]
    assert waits[:3] == ["1s", "2s", "4s"] and len(waits) <= 4, waits  # for one, two, four; and those that were on the way
    heard = [row["to"] for row in relays["relay"].records("fault")]
    assert all(heard.count(address) >= 2 for address in audience), "each was tried once more"
    relays["relay"].check()


def test_many_of_one_destination(world):
    "Of one destination, and nobody else, they are no word about the relay, however many."
    world.configure(**{"breaker.policy_share": 0, "sender.retry_after": "1s", "sender.expire": "2s"})
    relays = begin(world, [f"u{n}@one.test" for n in range(200)], [POLICY])
    world.campaign("c")
    assert world.finished("c")["refused"] == 200
    assert tripped(world) == []
    relays["relay"].check()


def all_are_refused(world, **settings):
    "Begins a campaign of 300 through a relay that refuses all at DATA."
    world.configure(**settings)
    audience = [address for address, _ in people(300)]
    relays = begin(world, audience, [POLICY])
    world.campaign("c")
    return audience, relays


def ends_well(world, audience, relays):
    status = world.status("c")
    assert (status["accepted"], status["refused"], status["deferred"]) == (0, 0, 0), status
    relays["relay"].rules([])
    if status["state"] != "running":
        world.listctl("campaign", "resume", "c")
    assert world.finished("c")["accepted"] == len(audience)
    assert world.value("SELECT max(attempts) FROM delivery") == "1"
    assert got(relays) == sorted(audience)
    relays["relay"].check()


def test_all_are_refused(world):
    "A relay that refuses all at DATA: the breaker pauses the campaign, nobody is refused, and no attempt is counted."
    audience, relays = all_are_refused(world)
    until(lambda: world.status("c")["state"] == "paused", "the campaign is paused")
    assert "554 5.7.1 Not by our policy" in world.log("sender")
    assert tripped(world) == []
    ends_well(world, audience, relays)


def test_all_are_refused_and_no_breaker(world):
    "The same without breakers: the relay is left alone, whatever it says, and nobody is refused."
    audience, relays = all_are_refused(world, **{"breaker.policy_share": 0})
    row = until(lambda: [row for row in world.json("relay", "ls") if row["state"] == "tripped"], "it is left alone")[0]
    assert row["trouble"].startswith("data: 554 5.7.1") and "64 in a row" in row["trouble"], row
    ends_well(world, audience, relays)


def test_another_relay_takes_them(world):
    "Of two relays one refuses all at DATA: everybody goes through the other, few as they may be."
    for count in (8, 600):
        audience = [address for address, _ in people(count)]
        if count == 8:
            relays = begin(world, audience, [], ("good", "bad"))
            relays["bad"].rules([POLICY])
        else:
            world.listctl("import", "news", world.file("more.csv", "email\n" + "\n".join(audience) + "\n"))
        world.campaign(f"c{count}")
        status = world.finished(f"c{count}")
        assert (status["accepted"], status["refused"]) == (count, 0), status
    assert relays["bad"].accepted() == []
    assert [row["state"] for row in world.json("relay", "ls") if row["relay"] == "bad"] == ["tripped"]
    for relay in relays.values():
        relay.check()


def test_refused_in_flight(world):
    "Whole transactions in flight, of which MAIL refuses some as too large: each comes to one end."
    audience = [address for address, _ in people(400)]
    relays = begin(world, audience, [], ("one", "two"), offers=OFFERS + ["CHUNKING"])
    for relay in relays.values():
        relay.rules([{"step": "mail", "action": "hard", "share": 0.3, "reply": "552 5.3.4 Too large"}])
        world.listctl("relay", "edit", relay.name, "--in-flight", 8)
    world.campaign("c")
    status = world.finished("c")
    assert status["accepted"] + status["refused"] == 400 and 0 < status["refused"] < 100, status
    assert got(relays) == sorted(address for address, place in places(world, "c").items() if place == "accepted")
    assert world.sql("SELECT DISTINCT code, reason FROM delivery WHERE outcome = 'refused'") == [["552", "message-too-big"]]
    assert tripped(world) == []
    for relay in relays.values():
        relay.check()
