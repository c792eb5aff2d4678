"""What stands on a terminal while an answer is long in coming, for what is asked every day."""

import csv
import io

import past
from test_segments import on_a_terminal

PEOPLE = [f"p{i}@a.test" for i in range(5)]
# What is asked, the table that somebody else has in hand meanwhile, and the words.
ASKED = (
    (("campaign", "report", "c"), "delivery", b"counting"),
    (("campaign", "status", "c", "--recipients", "accepted"), "delivery", b"listing, 0:01 so far"),
    (("bounce", "report"), "bounce_event", b"counting"),
    (("bounce", "ls", "--list", "news"), "bounce_event", b"looking, 0:01 so far"),
    (("prune",), "bounce_event", b"looking"),
    (("prune",), "list", b"looking"),  # which the last of its statements reads
    (("suppress", "ls"), "suppression", b"listing, 0:01 so far"),
    (("prune", "--apply"), "prune_batch", b"removing, 0:01 so far"),
    (("undo", "1"), "membership", b"restoring, 0:01 so far"),
)


def test_what_lasts_is_seen_to_last(world):
    "Reports, lists of rows, prune and undo show on a terminal that they wait and for how long; what is printed stays clean."
    world.setup()
    world.configure(**{"dns.check": "off"})
    world.subscribe(PEOPLE)
    campaign = past.sent(world, "c", {a: "accepted" for a in PEOPLE})
    past.dead(world, campaign, PEOPLE[0])
    world.listctl("suppress", "add", "x@gone.test")
    for arguments, table, words in ASKED:
        shown, out = on_a_terminal(world, *arguments, during=f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", words=words)
        assert words in shown and b"\r\x1b[K" in shown, (arguments, shown)
        assert "so far" not in out and "\x1b" not in out, (arguments, out)
    assert past.state(world, PEOPLE[0]) == "active"


def test_a_long_list_comes_as_it_is_read(world):
    "Of 12,000 suppressions each stands once under one line of headings, the first ones before the last ones are read, in a table as in CSV."
    world.setup()
    world.sql("INSERT INTO suppression (kind, value, reason, source) SELECT 'address', format('gone%s@a.test', lpad(n::text, 5, '0')), 'asked', 'test'"
              " FROM generate_series(1, 12000) AS n")
    values = [f"gone{n:05d}@a.test" for n in range(1, 12001)]
    lines = world.listctl("suppress", "ls").splitlines()
    assert lines[0].split()[0] == "VALUE" and [line.split()[0] for line in lines[1:]] == values, (lines[:3], len(lines))
    assert len({line.index("asked") for line in lines[1:]}) == 1
    rows = list(csv.DictReader(io.StringIO(world.listctl("suppress", "ls", "--format", "csv"))))
    assert [row["value"] for row in rows] == values
