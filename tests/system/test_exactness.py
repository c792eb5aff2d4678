"""What exactness.judge() must not let pass: each row is one lie of a ledger, or one fault of a sender, among honest recipients."""

import collections
import types

import exactness
from verpost import Failure

# What the relays know of everybody: 1 and 2 have a copy, 3 was refused, 4 was taken twice with a doubt, 5 is in doubt without a copy.
KNOWN = {"taken": {1: 1, 2: 1, 4: 2}, "refused": {3}, "put_off": {}, "told": {1}, "after_told": set(), "ids": {1: {"a"}, 2: {"b"}, 4: {"d"}}}
PLACES = {1: "accepted", 2: "accepted", 3: "refused", 4: "accepted", 5: "in_doubt"}
DOUBTS = {4: 1, 5: 1}

HONEST = [
    ("nothing out of the way", {}, {}, {}, {}),
    ("skipped where it may be", {}, {6: "skipped"}, {}, {"others": {"skipped"}}),
    ("expired after as many attempts", {"put_off": {6: 3}}, {6: "expired"}, {}, {"others": {"expired"}, "attempts": 3}),
    ("in doubt with a copy that was taken", {"taken": {6: 1}, "ids": {6: {"f"}}}, {6: "in_doubt"}, {6: 1}, {}),
    ("the lost host knew", {"told": {4, 5}, "after_told": {4}}, {}, {}, {"lost": {4, 5}}),
]
LIES = [
    ("skipped in silence", {}, {6: "skipped"}, {}, {}, "ended where nobody should"),
    ("expired in silence", {}, {6: "expired"}, {}, {}, "ended where nobody should"),
    ("deferred for ever", {}, {6: "deferred"}, {}, {}, "ended where nobody should"),
    ("still pending", {}, {6: "pending"}, {}, {}, "ended where nobody should"),
    ("another place than the one allowed", {}, {6: "skipped"}, {}, {"others": {"expired"}}, "ended where nobody should"),
    ("expired too early", {"put_off": {6: 2}}, {6: "expired"}, {}, {"others": {"expired"}, "attempts": 3}, "did not put them off"),
    ("accepted without a copy", {}, {6: "accepted"}, {}, {}, "the relay has no copy"),
    ("skipped with a copy", {"taken": {6: 1}, "ids": {6: {"f"}}}, {6: "skipped"}, {}, {"others": {"skipped"}}, "does not know of"),
    ("twice without a doubt", {"taken": {2: 2}}, {}, {}, {}, "twice without a doubt"),
    ("three times with one doubt", {"taken": {4: 3}}, {}, {}, {}, "twice without a doubt"),
    ("sent again though it was known to be taken", {"told": {4}, "after_told": {4}}, {}, {}, {}, "and sent it again"),
    ("in doubt though it was known to be taken", {"taken": {5: 1}, "told": {5}, "ids": {5: {"e"}}}, {}, {}, {}, "says something else"),
    ("another copy", {"ids": {4: {"d", "e"}}}, {}, {}, {}, "another Message-ID"),
    ("in doubt without a name", {}, {6: "in_doubt"}, {}, {}, "not named"),
    ("refused by nobody", {}, {6: "refused"}, {}, {}, "the relay did not"),
]


def copies(changes):
    """As exactness.Copies after it has read what the relays have written."""
    known = {name: {**KNOWN[name], **changes.get(name, {})} if isinstance(KNOWN[name], dict) else changes.get(name, KNOWN[name])
             for name in KNOWN}
    return types.SimpleNamespace(**{**known, "taken": collections.Counter(known["taken"]), "put_off": collections.Counter(known["put_off"])})


def judge(changes, places, doubts, terms):
    exactness.judge(copies(changes), {**PLACES, **places}, collections.Counter({**DOUBTS, **doubts}), **terms)


def test_honest_ledgers(world):
    "What may be is let pass."
    for label, changes, places, doubts, terms in HONEST:
        try:
            judge(changes, places, doubts, terms)
        except Failure as error:
            raise Failure(f"{label}: {error}") from error


def test_lies(world):
    "What must not be is told for what it is."
    for label, changes, places, doubts, terms, says in LIES:
        try:
            judge(changes, places, doubts, terms)
        except Failure as error:
            assert says in str(error), f"{label}: {error}"
        else:
            raise Failure(f"{label}: passed")


def test_what_proves_that_a_reply_was_read(world):
    "Only a command that was said after it: the envelope that shares a write with the content proves nothing, nor does one connection for another."
    for label, mail, mails, in_flight, is_proven in [
            ("nothing after it", 7, 7, 1, False), ("the next envelope", 7, 8, 1, False), ("the one after that", 7, 9, 1, True),
            ("four on the way", 7, 11, 4, False), ("a fifth", 7, 12, 4, True)]:
        row = {"connection": "0-1", "mail": mail}
        mails_of = collections.Counter({"0-1": mails, "0-2": 100})
        assert exactness.proven(row, mails_of, in_flight) is is_proven, label
