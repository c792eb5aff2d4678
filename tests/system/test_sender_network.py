"""Two senders on two hosts, each in a network namespace of its own: they share a campaign, and the link of one is cut in the middle of the
work, for a while or for good. What the relay took stands beside the ledger.

Where namespaces are refused the hosts are folders without a shared file and a cut link is a frozen host, and a line says so."""

import exactness
import hosts
import namespaces

from disasters import opened_by
from faultrelay import FaultRelay
from verpost import Failure, until

RECIPIENTS = 4000
AUDIENCE = [f"u{n:05d}@d{n % 97}.test" for n in range(RECIPIENTS)]
CONNECTIONS, WORKERS, LEASE = 4, 2, 5
# A peer that says nothing is away after two seconds, whichever end waits; without these after half a minute.
IMPATIENT = "connect_timeout=2 tcp_user_timeout=2000 keepalives_idle=1 keepalives_interval=1"


class Pair:
    """Two hosts at work on one campaign."""

    def __init__(self, world, campaign, conninfo="", **options):
        self.world, self.campaign = world, campaign
        self.net = namespaces.open_world(world, "first", "second")
        world.setup()
        world.subscribe(AUDIENCE)
        world.configure(**{
            "relay.connections": CONNECTIONS, "relay.connect_timeout": "3s", "relay.reply_timeout": "3s", "relay.data_timeout": "3s",
            "relay.final_timeout": "3s", "relay.retry": "1s", "sender.workers": WORKERS, "sender.window": 60,
            "sender.lease": f"{LEASE}s", "sender.stop_timeout": "5s"})
        self.relay = FaultRelay(world, address=self.net.address, delay=0.01).start(*self.net.wrapper)
        self.first, self.second = (self.net.host(name, conninfo).start() for name in ("first", "second"))
        until(lambda: all(len(host.ids()) == WORKERS for host in (self.first, self.second)), "all workers are there")
        world.campaign(campaign, **options)

    def copies_of(self, host):
        """Subscriber -> when the relay took his copy from this host."""
        return {exactness.token_fields(row["token"])[1]: row["at"] for row in self.relay.accepted() if row["client"] == f"{host.name}.test"}

    def claims(self, host):
        """Of each chunk that a host has begun: until when it is its, in seconds since 1970, and who is not opened yet."""
        names = ", ".join(f"'{worker}'" for worker in host.ids())
        rows = self.world.sql("SELECT extract(epoch FROM lease_until), array_to_string(subscriber_ids[opened + 1:], ' ')"
                              f" FROM campaign_chunk WHERE lease_owner IN ({names}) AND opened BETWEEN 1 AND cardinality(subscriber_ids) * 3 / 4")
        return [(float(lease), {int(i) for i in ids.split()}) for lease, ids in rows]

    def cut_second(self):
        """In the middle of its work, with most of a chunk before it. Returns what it had claimed and not opened, as claims()."""
        claimed = until(lambda: self.copies_of(self.second) and self.claims(self.second), "it is at work")
        self.net.cut(self.second)
        now = self.world.value("SELECT clock_timestamp()")
        # What PostgreSQL had heard of it before may still be committed.
        until(lambda: self.world.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = 'sender'"
                                       f" AND query_start < '{now}'") == "0", "what was under way is done")
        return claimed

    def kept_by_second(self):
        """Whom it has opened: nobody else may touch them."""
        return {subscriber for _, subscriber in opened_by(self.world, self.second.ids())}

    def until_first_has_done_its_part(self, kept):
        """All that may be sent without the other host is sent, and nothing else."""
        until(lambda: self.world.status(self.campaign)["pending"] <= len(kept), "the other host has done all that it may")
        assert self.world.status(self.campaign)["pending"] == len(kept), "somebody else's recipients were sent to"
        touched = kept & set(self.copies_of(self.first))
        assert not touched, f"sent to by both: {exactness.some(touched)}"

    def check_taken_over(self, claimed):
        """What the lost host had only claimed came to the other one, and not before the lease had ended."""
        copies = self.copies_of(self.first)
        for lease, beyond in claimed:
            taken = {i: copies[i] for i in beyond if i in copies}
            assert taken, "nothing of a claimed chunk was taken over"
            assert min(taken.values()) >= lease, f"taken over {lease - min(taken.values()):.1f} s before the lease had ended"

    def check(self, lost=frozenset()):
        """The campaign is over; returns Copies and who was ever in doubt. lost: whom a host had opened that was given up."""
        copies, _, doubts = exactness.check(self.world, [self.relay], self.campaign, AUDIENCE, lost=lost)
        self.relay.check()
        return copies, set(doubts)

    def stop(self, *running):
        """Each in order and without help; no window is left behind."""
        for host in running:
            host.stop()
        if self.world.value("SELECT count(*) FROM chunk_window") != "0":
            raise Failure("windows are left behind")


def test_two_hosts_share_a_campaign(world):
    "Each host does a part, everybody gets one copy, and PostgreSQL would soon notice the loss of either."
    pair = Pair(world, "shared")
    if pair.net.is_real:
        pair.net.check_apart(pair.first, pair.second)
    world.finished("shared")
    copies, named = pair.check()
    assert not named, f"in doubt: {exactness.some(named)}"
    parts = [set(pair.copies_of(host)) for host in (pair.first, pair.second)]
    assert all(parts) and not parts[0] & parts[1] and len(parts[0] | parts[1]) == len(copies.taken) == RECIPIENTS, [len(p) for p in parts]
    if pair.net.is_real:
        timers = pair.net.timers()
        assert len(timers) >= 2 * WORKERS and not any("min" in timer for timer in timers if timer.startswith("keepalive")), timers
    pair.stop(pair.first, pair.second)


def test_a_link_is_cut_and_mended(world):
    """A host is cut off in the middle of the work for longer than its lease: it notices, the other one takes what it had not opened and nothing
    else, and when the link is back it goes on where it was."""
    pair = Pair(world, "cut", IMPATIENT)
    first, second = pair.first, pair.second
    claimed = pair.cut_second()
    if pair.net.is_real:
        until(lambda: second.log().count("event=database.away") >= WORKERS, "its workers miss the database")
        until(lambda: second.log().count("event=relay.tripped") > 0, "they miss the relay")
        until(lambda: pair.net.sessions(second) == 0, "PostgreSQL misses the host")
    kept = pair.kept_by_second()
    assert kept, "the host has kept nothing of what it had opened"
    pair.until_first_has_done_its_part(kept)
    assert world.status("cut")["state"] == "running"
    pair.check_taken_over(claimed)
    pair.net.mend(second)
    world.finished("cut")
    _, named = pair.check()
    assert named <= kept and len(named) <= WORKERS * CONNECTIONS, f"{len(named)} in doubt, {len(named - kept)} of them strangers"
    if pair.net.is_real:
        assert named, "no message was under way"
        assert second.log().count("event=database.back") >= WORKERS, second.log()
    assert "event=worker.forgotten" not in first.log() + second.log()
    assert set(pair.copies_of(second)) >= kept - named, "somebody else sent what was the host's"
    pair.stop(first, second)


def test_a_link_is_cut_for_good(world):
    """A host never comes back. It has noticed, with nothing but the settings' defaults; forgetting its workers makes exactly whom it had opened
    doubtful, by name, and nobody gets a second copy unless a person says so."""
    pair = Pair(world, "lost", in_doubt="hold")
    claimed = pair.cut_second()
    if pair.net.is_real:
        until(lambda: pair.second.log().count("event=database.away") >= WORKERS, "its workers miss the database", 60)
    kept = pair.kept_by_second()
    assert kept, "the host has kept nothing of what it had opened"
    pair.until_first_has_done_its_part(kept)
    pair.check_taken_over(claimed)
    hosts.forget(world, pair.second.lose())
    status = world.finished("lost")
    copies, named = pair.check(kept)
    assert named == kept, f"{len(named)} in doubt, {len(kept)} were open"
    assert (status["in_doubt"], status["accepted"]) == (len(kept), RECIPIENTS - len(kept)), status
    listed = {row["email"] for row in world.json("campaign", "in-doubt", "lost")}
    assert listed == {copies.addresses[i] for i in kept}, f"{len(listed)} are listed"
    assert max(copies.taken.values()) == 1, "a second copy"
    pair.stop(pair.first)


def test_a_host_given_up_comes_back(world):
    """A host's workers are forgotten while it is cut off. When its link is back it hears of it and sends nothing more of what it had opened; new
    workers take their places."""
    pair = Pair(world, "back", IMPATIENT, in_doubt="hold")
    first, second = pair.first, pair.second
    pair.cut_second()
    if pair.net.is_real:
        until(lambda: second.log().count("event=database.away") >= WORKERS, "its workers miss the database")
    kept, given_up = pair.kept_by_second(), second.ids()
    hosts.forget(world, given_up)
    world.finished("back")
    before = set(pair.copies_of(second))
    pair.net.mend(second)
    until(lambda: second.log().count("event=worker.forgotten") >= WORKERS, "its workers hear that they were forgotten")
    until(lambda: len(second.ids()) == WORKERS and not set(second.ids()) & set(given_up), "new workers")
    copies, named = pair.check(kept)
    assert named == kept, f"{len(named)} in doubt, {len(kept)} were open"
    late = set(pair.copies_of(second)) - before
    # What was on the wire may still arrive; who was frozen ends his turn first.
    most = WORKERS * CONNECTIONS * (1 if pair.net.is_real else 2)
    assert late <= kept and len(late) <= most, f"{len(late)} were sent that were not under way before"
    assert max(copies.taken.values()) == 1, "a second copy"
    first.stop()
    world.listctl("campaign", "in-doubt", "back", "--resend")
    status = world.finished("back")
    assert (status["in_doubt"], status["accepted"]) == (0, RECIPIENTS), status
    pair.check(kept)
    pair.stop(second)
