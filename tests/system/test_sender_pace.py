"""Politeness towards receivers: rates and connections shared by all senders, who refuses is slowed, breakers, warm-up."""

import collections
import signal

from limiter import Limiter
from sending import check, places, workers
from verpost import until

RATE = 10
SLOTS = 3
SLOW_MS = 300


def mixed(count, every=4, special="gmail.com"):
    """Each `every`th of them is at the special domain."""
    return [(f"u{n:05d}@{special if n % every == 0 else f'd{n % 7}.test'}", f"Reader {n}") for n in range(count)]


def at(audience, domain="gmail.com"):
    return [address for address, _ in audience if address.endswith("@" + domain)]


def rule(world, text):
    world.file("mailworld.rules", text)
    world.processes["mailworld"].send_signal(signal.SIGHUP)


def begin(world, audience, rules="* accept\n", **settings):
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.retry_after": "1s", "sender.window": 200, **settings})
    world.mailworld(rules)


def second(world):
    """Another sender, as on another host: a folder of its own for its journals."""
    folder = world.base / "journal2"
    folder.mkdir()
    first = world.config
    world.config = world.file("second.conf", first.read_text().replace(f"dir = {world.base}/journal", f"dir = {folder}"))
    (world.base / "sender.log").rename(world.base / "first.log")
    world.processes["first"], world.logs["first"] = world.processes.pop("sender"), world.base / "first.log"
    world.start("sender")
    world.config = first
    until(lambda: world.value("SELECT count(*) FROM worker") == "4", "four workers")


def two_senders(world):
    world.start("sender")
    until(lambda: world.value("SELECT count(*) FROM worker") == "2", "two workers")
    second(world)


def times(world, domain="gmail.com"):
    """When messages to that domain were accepted, in seconds."""
    return sorted(m["time_us"] / 1e6 for m in world.accepted() if m["to"].endswith("@" + domain))


def begun(world, domain=""):
    """For each message to that domain, in seconds: after when and before when it was begun, however late a busy machine wrote it down. A
    connection has at most two in hand, so one is begun after the one before the last was accepted there."""
    spans, last = [], collections.defaultdict(lambda: (0, 0))
    for message in world.accepted():
        accepted_at, (before_last, previous) = message["time_us"] / 1e6, last[message["connection"]]
        if message["to"].endswith(domain) and before_last:
            spans.append((before_last, accepted_at))
        last[message["connection"]] = (previous, accepted_at)
    return spans


def never_above(spans, rate, workers):
    """In whatever span no more were begun than so many a second, what a quarter of a second allows, and one a worker."""
    assert len(spans) > 2 * rate, f"only {len(spans)} can be judged"
    for begin_at, _ in spans:
        for count, end_at in enumerate(sorted(end for begin, end in spans if begin >= begin_at), 1):
            most = rate * (end_at - begin_at + 0.25) + workers
            assert count <= most, f"{count} begun within {end_at - begin_at:.3f} s, {most:.1f} may be"


def test_rate_shared(world):
    "Two senders with two workers each: a group's rate is never exceeded together, others wait for nobody, and all is exact."
    audience = mixed(480)
    begin(world, audience)
    world.listctl("group", "edit", "gmail", "--rate", RATE)
    two_senders(world)
    world.campaign("paced")
    others = len(audience) - len(at(audience))
    until(lambda: len(world.accepted()) - len(times(world)) == others, "all others have theirs")
    assert len(times(world)) < len(at(audience)), "the others had to wait for the slow group"
    until(lambda: world.value("SELECT count(*) FROM deferral WHERE waits_for = 'group:gmail' AND attempts = 0") != "0",
          "some are parked")
    assert world.status("paced")["deferred"] > 0
    status = world.finished("paced")
    assert status["accepted"] == len(audience), status
    check(world, "paced", audience, may_doubt=False)
    never_above(begun(world, "@gmail.com"), RATE, 4)
    assert world.value("SELECT max(attempts) FROM delivery") == "1"
    workers = world.value("SELECT count(DISTINCT source) FROM campaign_tally")
    assert int(workers) >= 2, "only one worker had something to do"


def test_rate_is_spread(world):
    "A worker does not use what it is granted for a second in one burst, at the beginning as little as later."
    rate = 80
    audience = [(f"u{n:05d}@d{n % 50}.test", "") for n in range(400)]
    begin(world, audience, **{"sender.workers": 1, "relay.connections": 1})
    world.sql("INSERT INTO relay (name, host, port, messages_per_second)"
              f" VALUES ('small', '127.0.0.1', {world.relay_port}, {rate})")
    world.start("sender")
    world.campaign("paced")
    world.finished("paced")
    never_above(begun(world), rate, 1)


def test_connections_shared(world):
    "Two senders: never more messages under way to a group than it allows, in whatever instant."
    audience = mixed(200)
    begin(world, audience, f"*@gmail.com accept slow {SLOW_MS}\n* accept\n")
    world.listctl("group", "edit", "gmail", "--connections", SLOTS)
    two_senders(world)
    world.campaign("paced")
    world.finished("paced")
    check(world, "paced", audience, may_doubt=False)
    stamps = times(world)
    # Each was under way for SLOW_MS at least, before or after its line was written; half of it, for a busy machine writes late.
    for i, stamp in enumerate(stamps):
        together = [s for s in stamps[i:] if s < stamp + SLOW_MS / 2000]
        assert len(together) <= SLOTS, f"{len(together)} at once"


def attempts(world, domain):
    return int(world.value("SELECT coalesce((SELECT sum(f.attempts) FROM deferral f JOIN subscriber s ON s.id = f.subscriber_id"
                           f" WHERE s.address LIKE '%@{domain}'), 0)"))


def test_throttled_destination(world):
    """421 4.7.28 for all of a group: it is slowed and closed while all others go out, whatever the retry times; 4.7.x of one domain closes
    only that domain; once accepted again, everyone gets the message once."""
    audience = mixed(400) + [(f"s{n}@shut.test", "") for n in range(60)]
    begin(world, audience, '*@gmail.com refuse rcpt 421 4.7.28 "Our system has detected an unusual rate of mail"\n'
                           '*@shut.test refuse dot 451 4.7.1 "Too many messages for now"\n* accept\n')
    two_senders(world)
    world.campaign("paced")
    others = len(audience) - len(at(audience)) - 60
    until(lambda: len(world.accepted()) == others, "all others have theirs")
    until(lambda: {row["what"] for row in world.json("pace", "ls") if row["closed_until"]} == {"group:gmail", "domain:shut.test"},
          "both are closed, and nothing else")
    reasons = {row["what"]: row["reason"] for row in world.json("pace", "ls")}
    assert "unusual rate" in reasons["group:gmail"], reasons
    until(lambda: world.value("SELECT count(*) FROM deferral WHERE opened_by IS NOT NULL OR waits_for IS NULL") == "0",
          "those of both are parked")
    tried = attempts(world, "gmail.com"), attempts(world, "shut.test")
    assert max(tried) < 60, f"{tried} attempts where everything was refused"
    status = world.status("paced")
    assert status["state"] == "running" and status["deferred"] == len(at(audience)) + 60, status
    assert world.log("sender").count("event=pace.c") + world.log("first").count("event=pace.c") >= 2
    rule(world, "* accept\n")
    world.listctl("pace", "open", "gmail")
    world.listctl("pace", "open", "shut.test")
    assert world.finished("paced")["accepted"] == len(audience)
    check(world, "paced", audience, may_doubt=False)


def cut(world):
    "What is; \"relay\" for the one that there is."
    return {"relay" if row["what"].startswith("relay:") else row["what"] for row in world.json("pace", "ls") if row["cut_at"]}


def limited(world, audience, **limiter):
    "A campaign of two workers through a relay that refuses what is beyond 20 messages a second; when it returns, something was refused."
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.retry_after": "1s", "relay.connections": 8})
    relay = Limiter(world, rate=20, **limiter)
    relay.start()
    world.start("sender")
    world.campaign("paced")
    until(lambda: cut(world), "something is cut")
    return relay


def becomes_quiet(relay):
    "After some steps hardly anything is refused while it goes on."
    heard = []
    while not heard or heard[-1] > 10:
        assert len(heard) < 8, f"refusals while each hundred was taken: {heard}"
        taken, refused = relay.taken(), relay.refused()
        until(lambda: relay.taken() >= taken + 100, "it goes on, more slowly")
        heard.append(relay.refused() - refused)


def test_relay_throttles(world):
    "A relay that says 421 4.7.0 to MAIL beyond its limit is slowed as a relay: it hears no more of us than it takes, and no destination is blamed."
    audience = [(f"u{n:05d}@d{n % 9}.test", "") for n in range(3000)]
    relay = limited(world, audience, step="mail", reply="421 4.7.0 Too many messages, slow down")
    assert cut(world) == {"relay"}, cut(world)
    becomes_quiet(relay)
    assert cut(world) == {"relay"}, cut(world)
    assert "what=relay:" in world.log("sender")
    assert len(relay.accepted) == len(set(relay.accepted)), "somebody got it twice"


def test_relay_throttles_whatever_the_domain(world):
    "A relay that says 451 4.7.0 to RCPT for all domains alike is cut itself, and not one domain after the other."
    audience = [(f"u{n:05d}@d{n % 700}.test", "") for n in range(3000)]
    relay = limited(world, audience, step="rcpt", reply="451 4.7.0 Relay rate exceeded")
    until(lambda: "relay" in cut(world), "the relay is cut")
    becomes_quiet(relay)
    assert len(cut(world)) < 40, f"{len(cut(world))} are cut"


def test_busy_destination_stays_open(world):
    "A destination that takes so many a second and refuses the rest is slowed, and never closed, however many were under way at once."
    audience = [(f"u{n:05d}@gmail.com", "") for n in range(2000)]
    relay = limited(world, audience, step="rcpt", reply="450 4.7.28 Unusual rate of mail", domain="gmail.com")
    taken = relay.taken()
    until(lambda: relay.taken() >= taken + 100, "it goes on, more slowly")
    assert cut(world) == {"group:gmail"}, cut(world)
    assert "event=pace.closed" not in world.log("sender")


def test_breaker_holds_a_group(world):
    """A group that rejects us is held while the rest goes out; status says why; no membership changes; a person lets it go on, and the
    counting begins anew."""
    audience = mixed(1200)
    begin(world, audience, '*@gmail.com refuse dot 550 5.7.1 "Message rejected as spam"\n* accept slow 60\n',
          **{"breaker.policy_min": 20, "relay.connections": 2, "sender.window": 40})
    two_senders(world)
    world.campaign("paced")
    held = until(lambda: world.status("paced")["holds"], "a group is held")
    assert [hold["group"] for hold in held] == ["gmail"] and any(
        words in held[0]["reason"] for words in ("because of us", "refuses us")), held
    others = len(audience) - len(at(audience))
    until(lambda: len(world.accepted()) == others, "all others have theirs")
    until(lambda: world.status("paced")["pending"] == 0, "everyone has been looked at")
    status = world.status("paced")
    assert status["state"] == "running" and status["refused"] < len(at(audience)), status
    assert status["deferred"] == status["holds"][0]["recipients"] == len(at(audience)) - status["refused"], status
    assert "gmail" in world.listctl("campaign", "status", "paced")
    assert world.sql("SELECT state, count(*) FROM membership GROUP BY 1") == [["active", str(len(audience))]]
    world.refused("campaign", "resume", "paced", "--group", "yahoo", says="not held")
    rule(world, "* accept\n")
    world.listctl("campaign", "resume", "paced", "--group", "gmail")
    done = world.finished("paced")
    assert done["accepted"] == len(audience) - status["refused"] and done["holds"] == [], done
    check(world, "paced", audience, may_doubt=False)


def test_breaker_goes_by_group(world):
    """Half of a list refused because of us, mixed with others: the group is held and not the whole campaign, and again after a resume, as
    long as nothing has changed."""
    audience = mixed(900, every=2)
    begin(world, audience, '*@gmail.com refuse dot 554 5.7.1 "Message rejected as spam"\n* accept\n', **{"breaker.policy_min": 30})
    world.start("sender")
    world.campaign("paced")
    others = len(audience) - len(at(audience))
    until(lambda: [hold["group"] for hold in world.status("paced")["holds"]] == ["gmail"], "the group is held")
    until(lambda: len(world.accepted()) == others, "all others have theirs")
    refused = until(lambda: (lambda s: s["refused"] if s["pending"] == 0 else 0)(world.status("paced")), "everyone has been looked at")
    world.listctl("campaign", "resume", "paced", "--group", "gmail")
    until(lambda: world.status("paced")["refused"] > refused and world.status("paced")["holds"], "it is held again")
    status = world.status("paced")
    assert status["state"] == "running" and 60 <= status["refused"] < len(at(audience)), status


def test_breaker_switched_off(world):
    "breaker.policy_share = 0: nothing stops a campaign that is refused because of us."
    audience = [(f"u{n:05d}@{'gmail.com' if n % 2 else 'd.test'}", "") for n in range(300)]
    begin(world, audience, '* refuse dot 554 5.7.1 "Message rejected as spam"\n', **{"breaker.policy_share": 0})
    world.start("sender")
    world.campaign("paced")
    assert world.finished("paced")["refused"] == len(audience)


def test_breaker_pauses_a_campaign(world):
    "Too many dead addresses everywhere: the campaign is paused with the reason, and goes on when a person says so."
    # Never many in a row, which a worker would stop at by itself.
    audience = [(f"u{n:05d}{'gone' if n % 3 == 0 else ''}@d{n % 7}.test", "") for n in range(900)]
    begin(world, audience, '*gone@* refuse rcpt 550 5.1.1 "No such user"\n* accept slow 30\n',
          **{"breaker.hard_min": 30, "relay.connections": 1, "sender.workers": 1, "sender.window": 40})
    world.start("sender")
    world.campaign("paced")
    status = until(lambda: (lambda s: s if s["state"] == "paused" else None)(world.status("paced")), "the campaign is paused")
    assert "bounced hard" in status["hold_reason"], status
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL") == "0", "all is given back")
    status = world.status("paced")
    assert status["pending"] > 0 and status["holds"] == [], status
    # Only the verdicts about the addresses themselves have changed memberships.
    assert world.value("SELECT count(*) FROM membership WHERE state <> 'active'") == str(status["refused"])
    world.configure(**{"breaker.hard_share": 0})
    world.stop("sender")
    world.start("sender")
    world.listctl("campaign", "resume", "paced")
    assert world.finished("paced")["accepted"] == 600


def test_breaker_by_complaints(world):
    "Complaints that come back through bounced while the campaign runs hold their group."
    audience = mixed(1500)
    begin(world, audience, "*@gmail.com accept slow 5 report arf\n* accept slow 5\n",
          **{"breaker.complaint_min": 5, "relay.connections": 1, "sender.workers": 1, "sender.window": 40})
    world.start("bounced")
    world.start("sender")
    world.campaign("paced")
    held = until(lambda: world.status("paced")["holds"], "a group is held")
    assert held[0]["group"] == "gmail" and "complaints within" in held[0]["reason"], held
    others = len(audience) - len(at(audience))
    until(lambda: len(world.accepted()) - len(times(world)) == others, "all others have theirs")
    assert len(times(world)) < len(at(audience)), "the held group was sent to"
    # Those who complained are unsubscribed because they did; nobody else is.
    until(lambda: world.value("SELECT count(*) FROM membership WHERE state <> 'active'")
          == world.value("SELECT count(DISTINCT subscriber_id) FROM bounce_event WHERE kind = 'complaint'"), "only those")


def test_warm_up(world):
    "A warm-up stops at the day's number, the rest is parked until the next day, and the next day's number is larger."
    until(lambda: float(world.value("SELECT extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'"
                                    " - now() AT TIME ZONE 'UTC')")) > 100, "no day ends during this test")
    audience = mixed(400)  # 100 at gmail.com
    begin(world, audience)
    world.listctl("warmup", "set", "--group", "gmail", "--first", 20, "--growth", 2, "--until", 1000)
    two_senders(world)
    world.campaign("paced")
    sent = 0
    for number in (20, 40):
        until(lambda: world.value("SELECT count(*) FROM deferral WHERE waits_for LIKE 'warmup:%' AND opened_by IS NULL"
                                  " AND abs(extract(epoch FROM next_attempt_at - interval '1 day'"
                                  " - date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')) < 60") == str(len(at(audience)) - sent - number), "the rest is parked")
        sent += number
        assert len(times(world)) == sent, f"{len(times(world))} instead of {sent}"
        until(lambda: (lambda s: s["pending"] == 0 and s["accepted"] == 300 + sent)(world.status("paced")), "all others have theirs")
        assert len(times(world)) == sent, f"{len(times(world))} instead of {sent}"
        assert world.json("warmup", "ls")[0]["used"] == number
        # The next day comes.
        world.sql("UPDATE warmup SET began_on = began_on - 1; UPDATE budget SET day = day - 1;"
                  " UPDATE deferral SET next_attempt_at = now() WHERE waits_for LIKE 'warmup:%'")
    assert world.finished("paced")["accepted"] == len(audience)
    check(world, "paced", audience, may_doubt=False)


def test_pause_and_cancel_with_parked(world):
    "Who is parked is paused, canceled and counted like everyone else."
    audience = mixed(300, every=2)
    begin(world, audience)
    world.listctl("group", "edit", "gmail", "--rate", "0.5")
    world.start("sender")
    world.campaign("paced")
    until(lambda: len(world.accepted()) - len(times(world)) == 150, "all others have theirs")
    until(lambda: world.status("paced")["pending"] < 20 and world.status("paced")["deferred"] > 100, "most are parked")
    world.listctl("campaign", "pause", "paced")
    until(lambda: world.value("SELECT (SELECT count(*) FROM chunk_window WHERE worker_id IS NOT NULL)"
                              " + (SELECT count(*) FROM deferral WHERE opened_by IS NOT NULL)") == "0", "all is given back")
    sent = len(world.accepted())
    world.listctl("campaign", "resume", "paced")
    until(lambda: len(world.accepted()) > sent, "it goes on")
    world.listctl("campaign", "cancel", "paced", "--yes")
    until(lambda: (lambda s: s["skipped"] + s["accepted"] == 300)(world.status("paced")), "everyone has an end")
    where = places(world, "paced")
    got = {m["to"] for m in world.accepted()}
    assert {a for a, place in where.items() if place == "accepted"} == got


def test_relay_limits_shared(world):
    "Two senders with two workers each: a relay's rate and its connections are never exceeded together."
    audience = [(f"u{n:05d}@d{n % 50}.test", "") for n in range(150)]
    begin(world, audience, f"* accept slow {SLOW_MS // 3}\n", **{"sender.window": 30})
    world.sql("INSERT INTO relay (name, host, port, connections, messages_per_second)"
              f" VALUES ('small', '127.0.0.1', {world.relay_port}, 2, {RATE})")
    two_senders(world)
    world.campaign("paced")
    world.finished("paced")
    check(world, "paced", audience, may_doubt=False)
    never_above(begun(world), RATE, 4)
    stamps = sorted(m["time_us"] / 1e6 for m in world.accepted())
    for i, stamp in enumerate(stamps):
        together = [s for s in stamps[i:] if s < stamp + SLOW_MS / 6000]
        assert len(together) <= 2, f"{len(together)} at once"
    assert world.value("SELECT count(*) FROM deferral") == "0"


def test_a_worker_that_stands_still(world):
    "The connections of a worker that was stopped count as long as its lease: others do not take them, and when it goes on there are not too many."
    most = 6
    world.setup()
    world.subscribe([(f"u{n:05d}@d{n % 50}.test", "") for n in range(4000)])
    world.configure(**{"sender.lease": "10m", "relay.connections": most})
    world.sql("INSERT INTO relay (name, host, port, connections)"
              f" VALUES ('small', '127.0.0.1', {world.relay_port}, {most})")
    relay = Limiter(world, slow=0.05)
    relay.start()
    world.start("sender")
    world.campaign("paced")
    until(lambda: relay.open == most and world.value("SELECT count(*) FROM budget_lease WHERE slots > 0") == "2",
          "both workers have connections")
    stopped = workers(world)[0]
    world.kill(stopped, signal.SIGSTOP)
    until(lambda: world.value("SELECT count(*) FROM budget_lease WHERE until < now()") == "1", "it has asked for nothing for a while")
    taken = relay.taken()
    until(lambda: relay.taken() > taken + 100, "the other goes on")
    world.kill(stopped, signal.SIGCONT)
    taken = relay.taken()
    until(lambda: relay.taken() > taken + 200, "both go on")
    assert relay.most_open <= most, f"{relay.most_open} connections, {most} may be"
