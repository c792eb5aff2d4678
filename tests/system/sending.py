"""What the tests of sender share: an audience, the state of a campaign in the middle, and the comparison of what the mail
world has got with what the ledger says."""

import collections
import subprocess

from verpost import until


def people(count, start=0):
    return [(f"u{n:05d}@d{n % 7}.test", f"Reader {n}") for n in range(start, start + count)]


def workers(world):
    """Process ids of the workers, without the coordinator."""
    parent = world.processes["sender"].pid
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(parent)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in out.splitlines() if line.split()[1] == "sender-worker"]


def until_accepted(world, count):
    """Waits until the mail world has accepted so many messages."""
    until(lambda: len(world.accepted()) >= count, f"{count} messages accepted")


def counts(world):
    return collections.Counter(message["to"] for message in world.accepted())


def doubtful(world, name):
    """Addresses that were ever in doubt."""
    return {row[0] for row in world.sql(
        "SELECT s.address FROM doubt d JOIN subscriber s ON s.id = d.subscriber_id JOIN campaign c ON c.id = d.campaign_id"
        f" WHERE c.name = '{name}'")}


def places(world, name):
    """Address -> where the ledger has it; fails when somebody is in two places or in none."""
    rows = world.sql("SELECT s.address, l.place FROM campaign c CROSS JOIN LATERAL campaign_ledger(c.id) l"
                     f" JOIN subscriber s ON s.id = l.subscriber_id WHERE c.name = '{name}'")
    found = dict(rows)
    assert len(found) == len(rows), f"in two places: {[a for a, n in collections.Counter(r[0] for r in rows).items() if n > 1][:5]}"
    return found


def check(world, name, audience, may_doubt=True):
    """The campaign is over: nobody was skipped, nobody got it twice but those named in doubt, and the ledger agrees."""
    got, named, where = counts(world), doubtful(world, name), places(world, name)
    addresses = [address for address, _ in audience]
    assert sorted(where) == sorted(addresses), f"{len(where)} in the ledger, {len(addresses)} in the audience"
    missed = [a for a in addresses if got[a] == 0 and where[a] not in ("refused", "skipped", "in_doubt", "expired")]
    assert not missed, f"{len(missed)} got nothing, such as {missed[:3]}"
    unknown = [a for a in addresses if got[a] > 0 and where[a] not in ("accepted", "in_doubt")]
    assert not unknown, f"the ledger does not know that these got it: {[(a, where[a]) for a in unknown[:3]]}"
    twice = {a for a in addresses if got[a] > 1}
    assert twice <= named, f"twice without a doubt: {sorted(twice - named)[:3]}"
    assert may_doubt or not named, f"in doubt: {sorted(named)[:3]}"
    ids = collections.defaultdict(set)
    for message in world.accepted():
        ids[message["to"]].add(message["message_id"])
    assert all(len(ids[a]) == 1 for a in twice), "a copy sent again has another Message-ID"
    return named
