"""Which fault the fault relay makes at which step of a conversation: rows, by chance from a seed or by count.

A rule is a dict:
    step     where (STEPS)
    action   what (ACTIONS)
    share    with this chance; or every: at each nth time (in each process); neither: always
    times    at most so often (in each process)
    each     at most so often for each recipient (in each process; steps from rcpt on)
    match    only for recipients that this pattern fits (steps from rcpt on)
    seconds  of a stall, or between two octets of a slow reply
    reply    instead of what the action would say"""

import collections
import fnmatch
import random
import re

# `dot`: after the final dot (or BDAT LAST), before the reply, and the message is not kept, but where the client
# has gone when a stall is over; `kept`: it is kept first.
STEPS = ("banner", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "content", "dot", "kept", "quit")
# drop: FIN; reset: RST; stall: silence, then as if nothing had been; hang: silence until the client gives up; gone: 421 and FIN; twice: the
# reply is said twice; soft and hard: refused with 4xx and 5xx; garbage: what no server says; slow: the reply octet by octet; inject: STARTTLS and more in one segment.
ACTIONS = ("drop", "reset", "stall", "hang", "gone", "soft", "hard", "garbage", "slow", "inject", "twice")

GONE = "421 4.3.2 Gone for now"
SOFT = "451 4.3.0 Not now"
HARD = "554 5.3.0 Not like this"
GARBAGE = (b"\x00\xff?!\r\n", b"2x0 hello\r\n", b"999 what\r\n", b"hello there\r\n", b"250-one\r\n354 other\r\n", b"250" + b"x" * 9000 + b"\r\n")


class Rule:
    def __init__(self, row, chance):
        self.step, self.action = row["step"], row["action"]
        assert self.step in STEPS and self.action in ACTIONS, row
        unknown = set(row) - {"step", "action", "share", "every", "times", "each", "match", "seconds", "reply"}
        assert not unknown, f"a rule has no {unknown}"
        self.share, self.every, self.times = row.get("share"), row.get("every"), row.get("times")
        self.each, self.struck = row.get("each"), collections.Counter()
        self.fits = re.compile(fnmatch.translate(row["match"])).match if "match" in row else None
        self.seconds = row.get("seconds", 1.0 if self.action == "stall" else 0.002)
        self.reply = row.get("reply")
        self.chance, self.seen, self.hits = chance, 0, 0

    def strikes(self, recipient):
        if self.fits and not self.fits(recipient):
            return False
        self.seen += 1
        if self.times is not None and self.hits >= self.times:
            return False
        if self.share is not None and self.chance.random() >= self.share:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        if self.each is not None and self.struck[recipient] >= self.each:
            return False
        self.hits += 1
        if self.each is not None:
            self.struck[recipient] += 1
        return True


class Rules:
    """Those of one process."""

    def __init__(self, rows, seed, process):
        self.chance = random.Random(f"{seed} {process}")
        self.by_step = {}
        for row in rows:
            rule = Rule(row, self.chance)
            self.by_step.setdefault(rule.step, []).append(rule)

    def at(self, step, recipient=""):
        """The first rule that strikes here, or None."""
        for rule in self.by_step.get(step, ()):
            if rule.strikes(recipient):
                return rule
        return None


def storm(steps, actions, share, **more):
    """Every one of these actions at every one of these steps, each with that chance."""
    return [{"step": step, "action": action, "share": share, **more} for step in steps for action in actions]
