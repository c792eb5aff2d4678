"""Doubts that should not be: the relay had said in good time that it took the message, on a connection that nothing had broken, and the worker
that held it went on living."""

import datetime
import re

from verpost import Failure

# A doubt that a worker tells of while it lives; those that it finds in a journal name no connection. Of the first attempt, so that the relay's
# word can only be about this one.
DOUBT = re.compile(r"^(\S+) \S*\[(\d+)\] .*event=delivery\.in_doubt campaign=(\d+) subscriber=(\d+) attempt=1 connection=", re.MULTILINE)
GOOD_TIME = 1.0  # seconds between the relay's word and the doubt


def doubts(log, campaign):
    """(subscriber, when, process id) of each doubt in the log of a host."""
    for when, pid, number, subscriber in DOUBT.findall(log):
        if int(number) == campaign:
            yield int(subscriber), datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp(), int(pid)


def last_words(relay, numbers):
    """Subscriber -> what the relay wrote down of him, in the order of time. numbers: address -> subscriber."""
    words = {}
    for row in relay.records("accepted", "kept", "refused", "fault"):
        if row.get("to") in numbers:
            words.setdefault(numbers[row["to"]], []).append(row)
    return words


def first_garbage(relay):
    """Connection -> when it said the first thing that is no reply."""
    first = {}
    for row in relay.records("fault"):
        if row["action"] == "garbage":
            first.setdefault(row["connection"], row["at"])
    return first


def check(logs, relay, campaign, addresses):
    """addresses: subscriber -> address. Returns how many doubts were looked at; fails when one was about a message whose 250 lay in the
    socket. A reset takes back what has been said; what is said behind garbage cannot be told to be about anybody."""
    words = last_words(relay, {address: subscriber for subscriber, address in addresses.items()})
    reset = {row["connection"] for row in relay.records("fault") if row["action"] == "reset"}
    garbled = first_garbage(relay)
    seen, deaf = 0, []
    for log in logs:
        for subscriber, when, pid in doubts(log, campaign):
            seen += 1
            last = [row for row in words.get(subscriber, ()) if row["at"] <= when][-1:]
            if last and last[0]["what"] == "accepted" and when - last[0]["at"] > GOOD_TIME and last[0]["connection"] not in reset \
                    and last[0]["at"] < garbled.get(last[0]["connection"], when):
                deaf.append(f"subscriber {subscriber}, {when - last[0]['at']:.1f} s after the relay had said so to process {pid}")
    if deaf:
        raise Failure(f"{len(deaf)} in doubt though the relay's 250 was there to be read: {deaf[:3]}")
    return seen
