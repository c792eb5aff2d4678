"""Guarantees 1 and 2 under every fault there is. A campaign of twenty thousand is sent by two hosts while, from a seed, their processes
are killed, ended and frozen, PostgreSQL is restarted, the disk of a journal is full, one host is lost for good, and the relay breaks and
slows its connections at every step. At the end what the relay took, by its tokens, stands beside the ledger.

VERPOST_SEED=N runs another seed, VERPOST_FAULTS=N another number of recipients."""

import os
import random
import time

import disasters
import exactness
import heard

from certificates import Authority
from faultrelay import OFFERS, FaultRelay
from hosts import Host
from relaying import relay as set_relay
from verpost import Failure, Skip, until

RECIPIENTS = int(os.environ.get("VERPOST_FAULTS", 20000))
CONNECTIONS = 4
WORKERS = 2  # a host
BREAKS = ("drop", "reset", "stall", "hang", "gone", "soft", "hard", "garbage", "slow")
# What may strike where; content and kept know no reply of their own.
STRIKES = {step: BREAKS for step in ("banner", "ehlo", "mail", "rcpt", "data", "dot", "quit")}
STRIKES["content"] = ("drop", "reset", "stall", "hang", "gone")
STRIKES["kept"] = ("drop", "reset", "stall", "hang", "garbage", "slow")
BY_CONNECTION = ("banner", "ehlo", "starttls", "tls", "auth", "quit")
# After these the client may not know what became of the message whose content it had written.
LEAVES_DOUBT = ("drop", "reset", "hang", "gone", "garbage")
AT_THE_END = ("content", "dot", "kept")
TEXT = "Hello {{name|friend}},\n\n.this line begins with a dot\n..and this one with two\n\nthis is the news.\n"


def audience():
    return [f"u{n:05d}@d{n % 997}.test" for n in range(RECIPIENTS)]


def relay_rules(chance, strikes):
    """Each action at each step, by count, so that none is left out."""
    rules = []
    for step, actions in strikes.items():
        for action in actions:
            least = RECIPIENTS // 400 if step in BY_CONNECTION else RECIPIENTS // 20
            rule = {"step": step, "action": action, "every": chance.randrange(least, 2 * least)}
            if action == "hang":
                rule["times"] = 3
            if action == "stall":
                rule["seconds"] = 0.7
            rules.append(rule)
    return rules


def begin(world, rules, seed, options, settings, row):
    """Database, audience, relay and two hosts. row: what the relay's row says; without one it is that of the settings."""
    world.setup()
    world.subscribe(audience())
    world.configure(**{
        "relay.connections": CONNECTIONS, "relay.messages_per_connection": 40, "relay.connect_timeout": "3s",
        **{f"relay.{step}_timeout": f"{disasters.PATIENCE_OF_SENDER}s" for step in ("reply", "data", "final")}, "relay.retry": "1s",
        "sender.workers": WORKERS, "sender.lease": f"{disasters.LEASE}s", "sender.window": 100, "sender.stop_timeout": "4s",
        "sender.retry_after": "1s 2s", "journal.size": "512K", **settings})
    relay = FaultRelay(world, rules=rules, seed=seed, **{"delay": 0.004, **options}).start()
    if row:
        set_relay(world, host="127.0.0.1", port=relay.port, **row)
    return relay, [Host(world, name, dies_at_writes=True) for name in ("first", "second")]


def plan(chance, disk):
    """Every disaster once, in any order, the loss of the host not among the first, and some again."""
    first = [d for d in disasters.ALL if d is not disasters.lose_host and (disk or d is not disasters.fill_disk)]
    chance.shuffle(first)
    first.insert(chance.randrange(len(first) // 2, len(first)), disasters.lose_host)
    return first + [chance.choice(disasters.ALL[:11]) for _ in range(3)]


def go_through(trial, planned):
    """One disaster after the other, spread over the campaign."""
    for number, disaster in enumerate(planned):
        due = RECIPIENTS * (number + 1) // (len(planned) + 3)
        until(lambda: trial.relay.taken() >= due or trial.is_over(), f"{due} messages at the relay")
        if trial.is_over():
            raise Failure("the campaign was over before all had happened")
        trial.pause(0, 0.3)
        trial.do(disaster)


def leaves_doubt(step, action, in_flight):
    """A fault at the end of a message is about it. The commands that share a write with that end are answered behind it, so that its reply
    has left, which only a reset can take back. With several on the wire what ends the session ends all of them."""
    if step in BY_CONNECTION or action not in LEAVES_DOUBT:
        return False
    return step in AT_THE_END or action == "reset" or in_flight > 1


def broken_by_relay(relay, in_flight):
    """How many may be in doubt by faults of the relay."""
    return sum(count for (step, action), count in relay.faults().items() if leaves_doubt(step, action, in_flight)) * in_flight


def judge(trial, relay, strikes, in_flight):
    """What must hold when it is over."""
    world = trial.world
    copies, places, doubts = exactness.check(world, [relay], trial.campaign, audience(), in_flight, lost=trial.forgotten)
    relay.check()
    struck = relay.faults()
    missed = [(step, action) for step, actions in strikes.items() for action in actions if not struck[step, action]]
    if missed:
        raise Failure(f"not every fault struck: {missed}")
    told = len(copies.told)
    if told < len(places) // 2:
        raise Failure(f"of {told} only the relay knows that sender had heard of them: too few to prove anything")
    told_alive = heard.check([host.log() for host in trial.hosts], relay, copies.campaign, copies.addresses)
    named = sum(doubts.values())
    by_relay = broken_by_relay(relay, in_flight)
    most = len(trial.forgotten) + trial.doubtful + by_relay
    if named > most:
        raise Failure(f"{named} doubts, and at most {most} are to be explained: {len(trial.forgotten)} by the lost host, {trial.doubtful} by"
                      f" {len(trial.done)} disasters, {by_relay} by the relay")
    again = sum(copies.taken.values()) - len(copies.taken)
    return (f"{len(places)} recipients, {told} known to be known, {named} doubts of {most} that may be ({len(trial.forgotten)} of the"
            f" lost host, {told_alive} of living workers), {again} copies sent again")


def stop_all(trial):
    for host in trial.hosts:
        if host.is_up():
            host.stop()
    if trial.world.value("SELECT count(*) FROM chunk_window") != "0":
        raise Failure("windows are left behind")


def trial(world, seed, strikes=None, options=None, settings=None, row=None, in_flight=1):
    seed = int(os.environ.get("VERPOST_SEED", seed))
    chance = random.Random(seed)
    strikes = strikes or STRIKES
    relay, hosts = begin(world, relay_rules(chance, strikes), seed, options or {}, settings or {}, row)
    # Room for twice as many journals of 512K as there are workers: a new sender makes its own while orphans still hold theirs.
    disk = disasters.SmallDisk(hosts[0].folder, "2400k")
    snapshots = exactness.Snapshots(world, "faults")
    it = disasters.Trial(world, chance, hosts, relay, "faults", snapshots, CONNECTIONS, in_flight)
    it.disk = disk if disk.is_there else None
    planned = plan(chance, it.disk)
    try:
        for host in hosts:
            host.start()
        world.campaign("faults", text=TEXT)
        until(lambda: world.value("SELECT audience FROM campaign WHERE name = 'faults' AND state = 'running'"), "it runs")
        snapshots.start()
        sending = time.monotonic()
        go_through(it, planned)
        until(it.is_over, "the campaign has finished", 240)
        ended = time.monotonic()
        seen = snapshots.end()
        verdict = judge(it, relay, strikes, in_flight)
        stop_all(it)
        print(f"     seed {seed}: {verdict}, {len(it.done)} disasters, {sum(relay.faults().values())} faults of the relay, {seen} snapshots,"
              f" {ended - sending:.0f} s{'' if it.disk else '; no full disk: ' + disk.refusal}", flush=True)
    except Exception as error:
        raise Failure(f"seed {seed}, after {' '.join(it.done) or 'nothing'}: {error}") from error
    finally:
        disk.close()


def test_seed_one(world):
    "Everything at once, in the clear and one message at a time."
    trial(world, 1)


def test_with_tls_and_auth(world):
    "The same in another order, by STARTTLS and AUTH, which are broken too."
    authority = Authority(world.base / "authority")
    certificate, key = authority.issue("mx.test")
    strikes = {**STRIKES, "starttls": ("drop", "hang", "gone", "soft", "garbage", "slow", "inject"), "tls": ("drop", "reset", "hang"),
               "auth": ("drop", "reset", "stall", "hang", "gone", "soft", "hard", "garbage")}
    options = {"tls": "starttls", "certificate": str(certificate), "key": str(key), "users": {"ann": "a secret"}}
    row = {"tls": "starttls", "tls_name": "mx.test", "tls_ca": authority.certificate, "auth": "scram-sha-256", "auth_user": "ann"}
    trial(world, 20062, strikes, options, row={**row, "secret": "a secret"})


def test_with_several_in_flight(world):
    "Whole transactions by BDAT, four on the way at once: so many of a connection may be in doubt, and no more."
    strikes = {step: actions for step, actions in STRIKES.items() if step != "data"}
    trial(world, 7, strikes, {"offers": OFFERS + ["CHUNKING"], "delay": 0.012}, {"relay.in_flight": 4}, in_flight=4)


def test_full_disk(world):
    "No space for a journal: nothing is sent until there is. With a journal in place a full disk is not even felt."
    world.setup()
    world.subscribe(audience()[:1500])
    world.configure(**{"sender.workers": 1, "journal.size": "512K"})
    relay, host = FaultRelay(world, delay=0.004).start(), Host(world, "first")
    disk = disasters.SmallDisk(host.folder, "700k")
    if not disk.is_there:
        raise Skip(f"a small file system needs root: {disk.refusal}")
    try:
        disk.fill()
        host.start()
        world.campaign("full")
        until(lambda: "event=worker.waits" in host.log() and world.status("full")["state"] == "running", "the worker waits")
        assert "No space left" in host.log(), host.log()
        assert relay.taken() == 0 and world.status("full")["pending"] == 1500
        disk.clear()
        relay.wait(300)
        disk.fill()
        world.finished("full")
        assert "event=journal.failed" not in host.log(), host.log()
        _, _, doubts = exactness.check(world, [relay], "full", audience()[:1500])
        assert not doubts, doubts
        relay.check()
        host.stop()
    finally:
        disk.close()
