"""Guarantees 1 and 2 put to the proof: what a fault relay took, by the signed token, beside what the ledger says; and the ledger's sum
in every snapshot taken meanwhile."""

import base64
import collections
import threading

from verpost import Failure


def token_fields(token):
    """(campaign, subscriber) of a return path or a Message-ID."""
    octets = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    return int.from_bytes(octets[1:5], "big"), int.from_bytes(octets[5:10], "big")


class Copies:
    """What relays took of one campaign: subscriber -> how many copies."""

    def __init__(self, world, relays, campaign):
        self.addresses = {int(i): a for i, a in world.sql("SELECT id, address FROM subscriber")}
        self.taken, self.refused, self.ids = collections.Counter(), set(), collections.defaultdict(set)
        for relay in relays:
            for row in relay.accepted() + relay.kept():
                self.taken[self.read(row, campaign)] += 1
            for row in relay.refused():
                found = token_fields(row["from"].split("+")[1][:31])
                if found[0] == campaign:
                    self.refused.add(found[1])

    def read(self, row, campaign):
        path = token_fields(row["token"]) if row["token"] else None
        inside = token_fields(row["message_id"].split("@")[0])
        if path is None or path != inside or path[0] != campaign:
            raise Failure(f"return path and Message-ID do not belong together: {row}")
        if self.addresses[path[1]] != row["to"]:
            raise Failure(f"somebody else's copy was sent to {row['to']}: {self.addresses[path[1]]}")
        self.ids[path[1]].add(row["message_id"])
        return path[1]


def some(people):
    return f"{len(people)}, such as {sorted(people)[:3]}"


def check(world, relays, name, audience):
    """The campaign is over. Each of its recipients came to one end, has got one copy, and any copy more is named as a doubt of just this
    recipient. Returns Copies, the places and the doubts by subscriber."""
    campaign = int(world.value(f"SELECT id FROM campaign WHERE name = '{name}'"))
    copies = Copies(world, relays, campaign)
    rows = [(int(i), place) for i, place in world.sql(f"SELECT subscriber_id, place FROM campaign_ledger({campaign})")]
    places = dict(rows)
    doubts = collections.Counter(int(r[0]) for r in world.sql(f"SELECT subscriber_id FROM doubt WHERE campaign_id = {campaign}"))
    if len(places) != len(rows):
        raise Failure(f"{len(rows) - len(places)} are in two places")
    if sorted(copies.addresses[i] for i in places) != sorted(audience):
        raise Failure(f"{len(places)} in the ledger, {len(audience)} in the audience")
    skipped = {i for i, place in places.items() if place == "accepted" and copies.taken[i] == 0}
    if skipped:
        raise Failure(f"accepted, the ledger says, and the relay has no copy: {some(skipped)}")
    unknown = {i for i, place in places.items() if copies.taken[i] > doubts[i] and place != "accepted"}
    if unknown:
        raise Failure(f"the relay has a copy that the ledger does not know of: {some({(i, places[i]) for i in unknown})}")
    twice = {i for i in places if copies.taken[i] > 1 + doubts[i] or (copies.taken[i] > 1 and not doubts[i])}
    if twice:
        raise Failure(f"twice without a doubt: {some(twice)}")
    changed = {i for i, ids in copies.ids.items() if len(ids) != 1}
    if changed:
        raise Failure(f"a copy sent again has another Message-ID: {some(changed)}")
    unnamed = {i for i, place in places.items() if place == "in_doubt" and not doubts[i]}
    if unnamed:
        raise Failure(f"in doubt and not named: {some(unnamed)}")
    invented = {i for i, place in places.items() if place == "refused" and i not in copies.refused}
    if invented:
        raise Failure(f"refused, the ledger says, and the relay did not: {some(invented)}")
    return copies, places, doubts


STATUS_EACH = 4


class Snapshots(threading.Thread):
    """Takes snapshots of a campaign all the time and holds each to guarantee 1: everybody of the audience is in exactly one place, and (now
    and then, for it costs more) what `listctl campaign status` counts adds up. While `is_away` is set, PostgreSQL need not answer."""

    def __init__(self, world, name, pause=0.5):
        super().__init__(daemon=True)
        self.world, self.name, self.pause = world, name, pause
        self.is_away, self.ends = threading.Event(), threading.Event()
        self.taken, self.error = 0, None

    def take(self):
        if self.taken % STATUS_EACH == 0:
            self.world.status(self.name)
        audience, rows, people = self.world.sql(
            "SELECT c.audience, count(*), count(DISTINCT l.subscriber_id) FROM campaign c CROSS JOIN LATERAL campaign_ledger(c.id) l"
            f" WHERE c.name = '{self.name}' GROUP BY c.id, c.audience")[0]
        if not audience == rows == people:
            raise AssertionError(f"{audience} in the audience, {people} people in {rows} places")

    def run(self):
        while not self.ends.is_set():
            was_away = self.is_away.is_set()
            try:
                self.take()
                self.taken += 1
            except Failure as error:
                # Away before, or since.
                if "does not add up" in str(error) or not (was_away or self.is_away.is_set()):
                    self.error = error
                    return
            except Exception as error:  # told by end()
                self.error = error
                return
            self.ends.wait(self.pause)

    def end(self):
        """Stops, and fails when a snapshot did not hold."""
        self.ends.set()
        self.join()
        if self.error:
            raise Failure(f"snapshot {self.taken + 1}: {self.error}") from self.error
        return self.taken
