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


def subscriber_of(path, campaign):
    """Whose copy a return path is of, None where it is another campaign's."""
    found = token_fields(path.split("+")[1][:31])
    return found[1] if found[0] == campaign else None


def proven(row, mails, in_flight):
    """That the client has read the reply to this message and kept what it says: a connection holds at most in_flight messages and one
    envelope, so that a further MAIL was said after that reply had been read; and the journal is written before the sockets are."""
    return mails[row["connection"]] > row["mail"] + in_flight


class Copies:
    """What relays took of one campaign: subscriber -> how many copies; and what else they know of each."""

    def __init__(self, world, relays, campaign, in_flight=1):
        self.campaign = campaign
        self.addresses = {int(i): a for i, a in world.sql("SELECT id, address FROM subscriber")}
        self.taken, self.ids = collections.Counter(), collections.defaultdict(set)
        self.refused = set()                  # told so with 5xx
        self.put_off = collections.Counter()  # subscriber -> temporary replies and broken sessions
        self.told = set()                     # they know that the client knows it was taken
        self.after_told = set()               # taken once more after that
        numbers = {address: i for i, address in self.addresses.items()}
        for relay in relays:
            self.read_refused(relay, campaign)
            self.put_off.update(numbers[row["to"]] for row in relay.records("fault") if row["to"] in numbers and row["action"] != "hard")
        mails = collections.Counter()
        taken = sorted(((row, number) for number, relay in enumerate(relays) for row in relay.accepted() + relay.kept()),
                       key=lambda pair: pair[0]["at"])
        for number, relay in enumerate(relays):
            for row in relay.records("accepted", "kept", "refused", "close"):
                key = (number, row["connection"])
                mails[key] = max(mails[key], row.get("mails", row.get("mail", 0)))
        for row, number in taken:
            self.take(row, campaign, {row["connection"]: mails[number, row["connection"]]}, in_flight)

    def read_refused(self, relay, campaign):
        for row in relay.refused():
            subscriber = subscriber_of(row["from"], campaign)
            if subscriber is not None and row["action"] == "hard":
                self.refused.add(subscriber)

    def take(self, row, campaign, mails, in_flight):
        subscriber = self.read(row, campaign)
        self.taken[subscriber] += 1
        if subscriber in self.told:
            self.after_told.add(subscriber)
        if row["what"] == "accepted" and proven(row, mails, in_flight):
            self.told.add(subscriber)

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


def judge(copies, places, doubts, others=(), lost=frozenset(), attempts=1):
    """Each of the recipients in places came to one end, has got one copy, and any copy more is named as a doubt of just this recipient.

    others: which places there may be beside accepted, refused and in_doubt; who has expired was put off at least `attempts` times.
    lost: whom a host had opened that was lost with its disk, so that what it had been told is lost too."""
    def where(condition):
        return {i for i, place in places.items() if condition(i, place)}
    taken, told = copies.taken, copies.told - lost
    wrong = {
        "these ended where nobody should": {(i, places[i]) for i in where(
            lambda i, place: place not in ("accepted", "refused", "in_doubt", *others))},
        "expired, the ledger says, and the relay did not put them off so often": where(
            lambda i, place: place == "expired" and copies.put_off[i] < attempts),
        "accepted, the ledger says, and the relay has no copy": where(lambda i, place: place == "accepted" and taken[i] == 0),
        "the relay has a copy that the ledger does not know of": {(i, places[i]) for i in where(
            lambda i, place: taken[i] > doubts[i] and place != "accepted")},
        "twice without a doubt": where(lambda i, place: taken[i] > 1 + doubts[i] or (taken[i] > 1 and not doubts[i])),
        "sender had read that it was taken, and sent it again": copies.after_told - lost,
        "sender had read that it was taken, and the ledger says something else": {(i, places[i]) for i in where(
            lambda i, place: i in told and place != "accepted")},
        "a copy sent again has another Message-ID": {i for i, ids in copies.ids.items() if len(ids) != 1},
        "in doubt and not named": where(lambda i, place: place == "in_doubt" and not doubts[i]),
        "refused, the ledger says, and the relay did not": where(lambda i, place: place == "refused" and i not in copies.refused),
    }
    for what, people in wrong.items():
        if people:
            raise Failure(f"{what}: {some(people)}")


def check(world, relays, name, audience, in_flight=1, **terms):
    """The campaign is over: what judge() wants holds (terms are its own) for this audience. Returns Copies, the places and the doubts by
    subscriber."""
    campaign = int(world.value(f"SELECT id FROM campaign WHERE name = '{name}'"))
    copies = Copies(world, relays, campaign, in_flight)
    rows = [(int(i), place) for i, place in world.sql(f"SELECT subscriber_id, place FROM campaign_ledger({campaign})")]
    places = dict(rows)
    doubts = collections.Counter(int(r[0]) for r in world.sql(f"SELECT subscriber_id FROM doubt WHERE campaign_id = {campaign}"))
    if len(places) != len(rows):
        raise Failure(f"{len(rows) - len(places)} are in two places")
    if sorted(copies.addresses[i] for i in places) != sorted(audience):
        raise Failure(f"{len(places)} in the ledger, {len(audience)} in the audience")
    judge(copies, places, doubts, **terms)
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
