"""Reports that people look at: the same numbers in every format, of one instant, and pages that are one harmless file."""

import csv
import html.parser
import io
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import past
from verpost import BIN, until

PEOPLE = [f"p{n}{i}@{d}" for i in range(10) for n, d in enumerate(("gmail.com", "googlemail.com", "web.test", "slow.test"))]
HOSTILE = "</style><script src=\"http://evil.test/x.js\">alert(1)</script><img src=x onerror='y'> & \u202eevil\u2069 \x07"
ALL = (("campaign",), ("list", "news"), ("domain",), ("domain", "gmail"), ("domain", "web.test"), ("reasons",), ("deliverability",))
PAGE = {"x": "http://www.w3.org/1999/xhtml"}


def quoted(text):
    return text.replace("'", "''")


def two_campaigns(world):
    """One that has ended, with all kinds of ends and reports, and one under way."""
    world.setup()
    world.subscribe(PEOPLE)
    outcomes = {a: "accepted" for a in PEOPLE[:32]}
    outcomes.update({PEOPLE[32]: "refused", PEOPLE[33]: "refused", PEOPLE[34]: "expired", PEOPLE[35]: "skipped"})
    first = past.sent(world, "first", outcomes, days_ago=20)
    past.dead(world, first, PEOPLE[0], days_ago=19)
    past.came_back(world, first, PEOPLE[0], days_ago=18)  # told twice: one bounce
    past.came_back(world, first, PEOPLE[1], reason="mailbox-full", kind="bounce-soft", days_ago=19)
    past.came_back(world, first, PEOPLE[2], reason="sender-blocked", kind="bounce-soft", diagnostic=quoted(HOSTILE).replace("\x07", ""), days_ago=19)
    past.came_back(world, first, PEOPLE[3], reason="complaint", kind="complaint", days_ago=18)
    past.came_back(world, first, PEOPLE[4], reason="network", kind="delay", days_ago=19)
    past.came_back(world, first, PEOPLE[32], source="reply", days_ago=20)
    world.sql(f"UPDATE campaign SET subject = '{quoted(HOSTILE)}' WHERE name = 'first'")
    world.sql("UPDATE membership m SET state = 'unsubscribed', reason = 'mailto', since = now() - interval '10 days' FROM subscriber s"
              f" WHERE s.id = m.subscriber_id AND s.address_key = '{PEOPLE[5]}'")
    outcomes = {a: "accepted" for a in PEOPLE[6:12]}
    outcomes.update({PEOPLE[12]: "deferred", PEOPLE[13]: "in_doubt"})
    past.sent(world, "second", outcomes, days_ago=0, state="running", pending=PEOPLE[20:29])


def page(world, *report):
    path = world.base / "page.html"
    world.listctl("report", *report, "--format", "html", "--output", path)
    return path.read_text(encoding="utf-8")


class Counter(html.parser.HTMLParser):
    """Elements as a browser would read them."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def check_harmless(text):
    elements = Counter(text).elements
    ElementTree.fromstring(text.split("\n", 1)[1])  # well-formed
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base", "audio", "video"}, tags
    for tag, attributes in elements:
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src", "action", "xlink:href"):
                assert value.startswith("#"), (tag, name, value)
    assert "url(" not in text and "@import" not in text
    policy = [a["content"] for tag, a in elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policy) == 1 and policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'"), policy
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    return elements


def inner(element):
    return "".join(element.itertext())


def value_of(cell):
    """What a cell of the page tells, as JSON has it."""
    for kind, key in (("data", "value"), ("time", "datetime")):
        found = cell.find(f".//x:{kind}", PAGE)
        if found is not None:
            return found.get(key)
    text = inner(cell)
    return {"\u2013": None, "yes": True, "no": False}.get(text, text)


def sections_of(text):
    """What the page tells: {section: rows}, each row a list in the order of columns."""
    top = ElementTree.fromstring(text.split("\n", 1)[1])
    sections = {}
    for section in top.iterfind(".//x:section", PAGE):
        rows = [[value_of(cell) for cell in row] for row in section.iterfind(".//x:tbody/x:tr", PAGE)]
        pairs = {inner(pair[0]): value_of(pair[1]) for pair in section.iterfind(".//x:dl/x:div", PAGE)}
        sections[section.get("id")] = pairs or rows
    return sections


def plain(value):
    """A value of JSON as the page writes it."""
    if value is None or isinstance(value, bool):
        return value
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def heading(name):
    return name[:-8].replace("_", " ") + "\u00a0%" if name.endswith("_percent") else name.replace("_", " ")


def unfit(text):
    return re.sub("[\u202a-\u202e\u2066-\u2069\x07]", "\ufffd", text) if isinstance(text, str) else text


def same(told, shown, section):
    if isinstance(told, dict):
        assert {heading(k): unfit(plain(v)) for k, v in told.items()} == shown, (section, told, shown)
        return
    expected = [[unfit(plain(v)) for v in row.values()] for row in told]
    assert len(shown) == len(expected) or len(shown) >= 20, (section, len(shown), len(expected))
    for a, b in zip(expected, shown):
        # a number that is whole in JSON may be a real one
        assert a == b or [float(x) if re.fullmatch(r"-?[\d.e+]+", str(x)) else x for x in a] == \
            [float(x) if re.fullmatch(r"-?[\d.e+]+", str(x)) else x for x in b], (section, a, b)


def numbers(told):
    rows = [told] if isinstance(told, dict) else told
    return [v for row in rows for v in row.values() if isinstance(v, (int, float)) and not isinstance(v, bool)]


def test_numbers_add_up(world):
    "The places of a report add up to the audience and are those of the status; reasons, operators, time and variants to the same sums."
    two_campaigns(world)
    for name in ("first", "second"):
        told, status = world.json("report", "campaign", name), world.status(name)
        places = {row["place"]: row["recipients"] for row in told["places"]}
        assert places == {place: status[place] for place in places} and len(places) == 7, (places, status)
        assert sum(places.values()) == told["campaign"]["audience"] == status["audience"], told["campaign"]
        for place in ("accepted", "refused", "expired", "skipped"):
            for section in ("time", "operators"):
                assert sum(row[place] for row in told[section]) == places[place], (section, place, told[section])
        for place in ("refused", "expired"):
            assert sum(row[place] for row in told["reasons"]) == places[place], (place, told["reasons"])
        at_a_glance = told["campaign"]
        for what in ("bounced_hard", "bounced_soft"):
            for section in ("reasons", "operators", "late"):
                assert sum(row[what] for row in told[section]) == at_a_glance[what], (section, what)
        assert sum(row["copies"] for row in told["reasons"]) == places["refused"] + places["expired"] + at_a_glance["bounced_hard"] \
            + at_a_glance["bounced_soft"] + at_a_glance["complained"], told["reasons"]
        assert at_a_glance["sent"] == places["accepted"] + places["refused"] + places["expired"]
        assert told["variants"] == world.json("campaign", "report", name)
    told = world.json("report", "campaign", "first")["campaign"]
    assert (told["bounced_hard"], told["bounced_soft"], told["complained"], told["unsubscribed"]) == (1, 2, 1, 1), told
    assert told["bounced_percent"] == round(100 * 3 / 32, 4) and told["awaited"] == 0 and told["reports_in_percent"] == 100, told
    late = world.json("report", "campaign", "second")["campaign"]
    assert late["awaited"] == late["accepted"] == 6 and late["reports_in_percent"] is None, late  # too few reports to know
    # What `bounce report` counts of that campaign is the same.
    reported = {row["reason"]: row["recipients"] for row in world.json("bounce", "report", "--campaign", "first", "--by", "reason")}
    assert reported == {"user-unknown": 2, "mailbox-full": 1, "sender-blocked": 1, "complaint": 1}, reported
    reasons = {row["reason"]: row for row in world.json("report", "reasons")["reasons"]}
    told_twice = {name: row["copies"] for name, row in reasons.items()}
    assert told_twice == {**reported, "user-unknown": 3, "rate-limited": 1}, told_twice  # one refusal was not reported, and one expired
    assert reasons["sender-blocked"]["about_us"] and not reasons["user-unknown"]["about_us"]


def test_one_snapshot(world):
    "What is committed while a report is made is in none of its numbers."
    two_campaigns(world)
    before = world.json("report", "campaign", "second")
    arrives = "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code)" \
              " SELECT c.id, s.id, 'accepted', 1, now(), 250 FROM campaign c, subscriber s WHERE c.name = 'second'" \
              f" AND s.address_key = '{PEOPLE[20]}'"
    leaves = "UPDATE membership m SET state = 'unsubscribed', reason = 'mailto', since = now() FROM subscriber s" \
             f" WHERE s.id = m.subscriber_id AND s.address_key = '{PEOPLE[6]}'"
    # Between its pass over the ledger and what is asked of memberships the report waits; both grow meanwhile.
    with world.holding(f"LOCK TABLE membership IN ACCESS EXCLUSIVE MODE; {leaves}; {arrives}") as commit:
        report = subprocess.Popen([str(BIN / "listctl"), "--config", str(world.config), "report", "campaign", "second", "--format", "json"],
                                  stdout=subprocess.PIPE, text=True)
        until(lambda: world.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'membership'::regclass") == "1",
              "the report waits for memberships")
        commit()
    told = json.loads(report.communicate()[0])
    del before["report"], told["report"], before["campaign"]["reports_in_percent"], told["campaign"]["reports_in_percent"]
    assert told == before, [(name, told[name], before[name]) for name in told if told[name] != before[name]]
    after = world.json("report", "campaign", "second")
    assert after["campaign"]["accepted"] == before["campaign"]["accepted"] + 1, after["campaign"]
    assert after["campaign"]["unsubscribed"] == before["campaign"]["unsubscribed"] + 1, after["campaign"]
    assert sum(row["recipients"] for row in after["places"]) == after["campaign"]["audience"]


def test_formats_tell_the_same(world):
    "HTML, JSON, CSV and the table have the same sections with the same numbers; pages are well-formed, harmless and tell charts in words."
    two_campaigns(world)
    for report in (("campaign", "first"), ("campaign", "second"), *ALL):
        told = world.json("report", *report)
        text = page(world, *report)
        elements = check_harmless(text)
        shown = sections_of(text)
        assert list(shown) == [name for name in told if name != "report"], (report, list(shown))
        for name, section in told.items():
            if name == "report":
                continue
            same(section, shown[name], (report, name))
        pictures = [a for tag, a in elements if tag == "svg" and a.get("role") == "img"]
        ids = {a["id"] for _, a in elements if "id" in a}
        assert all(set(a["aria-labelledby"].split()) <= ids for a in pictures), pictures
        assert len(pictures) >= 1, report
        table = world.listctl("report", *report)
        rows = list(csv.reader(io.StringIO(world.listctl("report", *report, "--format", "csv"))))
        cells = [cell for row in rows for cell in row]
        for name, section in told.items():
            for number in numbers(section):
                assert plain(number) in cells or plain(float(number)) in cells, (report, name, number)
                short = str(number) if isinstance(number, int) else f"{number:.2f}"
                assert short in table or f"{number:.2f}" in table, (report, name, number)


def test_strangers_cannot_write_into_a_page(world):
    "A subject, a domain and a reply that hold markup, marks that turn text and controls stand in the page as text."
    two_campaigns(world)
    world.sql("UPDATE subscriber SET address = 'x@<b onclick=1>.test', address_key = 'x@<b onclick=1>.test'"
              f" WHERE address_key = '{PEOPLE[10]}'")
    world.sql("UPDATE list SET title = '<script>alert(2)</script>'")
    text = page(world, "campaign", "first")
    check_harmless(text)
    assert "&lt;script src=&quot;http://evil.test/x.js&quot;&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b onclick=1&gt;.test" in text
    text = page(world, "reasons")
    check_harmless(text)
    assert "&lt;img src=x onerror=&#39;y&#39;&gt; &amp; \ufffdevil\ufffd" in text
    text = page(world, "list", "news")
    check_harmless(text)
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in text


def test_since(world):
    "--since takes campaigns that started since, from the beginning or a day; 90 days unless told; and not of one campaign."
    two_campaigns(world)
    past.sent(world, "ancient", {PEOPLE[0]: "accepted"}, days_ago=200)

    def names(*more):
        return [row["campaign"] for row in world.json("report", "campaign", *more)["campaigns"]]
    assert names() == ["first", "second"] and names("--since", "300d") == ["ancient", "first", "second"]
    assert names("--since", "10d") == ["second"] and names("--since", "2001-01-01") == ["ancient", "first", "second"]
    assert world.json("report", "domain", "--since", "10d")["totals"]["sent"] == 6
    assert world.json("report", "list", "news", "--since", "10d")["totals"]["campaigns"] == 1
    assert "delay" not in {row["kind"] for row in world.json("report", "reasons", "--since", "300d")["examples"]}
    assert world.json("report", "reasons", "--since", "10d")["examples"] == []
    world.refused("report", "campaign", "first", "--since", "3d", code=2, says="--since")
    world.refused("report", "reasons", "--since", "soon", code=2, says="soon")


def test_operators_and_lists(world):
    "An operator's domains are one row and can be told alone; a report of a list has the copies that went through it only."
    two_campaigns(world)
    operators = {row["operator"]: row for row in world.json("report", "domain", "--since", "15d")["operators"]}
    assert set(operators) == {"gmail", "web.test", "slow.test"}, operators
    gmail = world.json("report", "domain", "gmail")
    assert {row["domain"] for row in gmail["domains"]} == {"gmail.com", "googlemail.com"}, gmail["domains"]
    everything = {row["operator"]: row for row in world.json("report", "domain")["operators"]}
    assert gmail["totals"]["sent"] == everything["gmail"]["sent"] == sum(row["sent"] for row in gmail["domains"])
    assert gmail["totals"]["bounced_hard"] == everything["gmail"]["bounced_hard"] == 1
    world.refused("report", "domain", "nobody.test", says=("nobody.test", "group ls"))
    world.listctl("list", "create", "other", "--title", "Other", "--from", "Other <other@example.test>")
    world.subscribe(["z@web.test"], "other")
    past.sent(world, "third", {"z@web.test": "accepted"}, list_name="other")
    assert [row["campaign"] for row in world.json("report", "list", "other")["campaigns"]] == ["third"]
    assert world.json("report", "list", "other")["totals"]["sent"] == 1
    assert world.json("report", "domain", "web.test", "--list", "other")["totals"]["sent"] == 1
    assert world.json("report", "reasons", "--list", "other")["reasons"] == []
    members = world.json("report", "list", "news")
    assert (members["list"]["members"], members["list"]["active"], members["list"]["disabled"]) == (40, 38, 1), members["list"]
    assert sum(row["joined"] for row in members["growth"]) == 40 and sum(row["unsubscribed"] for row in members["growth"]) == 1
    assert members["growth"][0]["joined"] or members["growth"][0]["change"], members["growth"]  # it begins with the first who came
    assert sum(row["disabled"] for row in members["growth"]) == 1 and sum(row["change"] for row in members["growth"]) == 38


def test_trouble(world):
    "Deliverability names what is paused, held, closed, and the operators that hold something against us."
    two_campaigns(world)
    past.sent(world, "stopped", {PEOPLE[0]: "accepted"}, state="paused")
    world.sql("INSERT INTO campaign_group_hold (campaign_id, group_name, reason) SELECT id, 'gmail', 'refused time after time'"
              " FROM campaign WHERE name = 'second'")
    world.sql("INSERT INTO budget (key, closed_for, closed_until, reason) VALUES ('group:yahoo', '1 hour', now() + interval '1 hour', '421 later')")
    told = world.json("report", "deliverability")
    trouble = {(row["what"], row["name"]): row["reason"] for row in told["trouble"]}
    assert trouble == {("campaign", "stopped"): "held by a test", ("group", "gmail"): "refused time after time",
                       ("destination", "group:yahoo"): "421 later"}, trouble
    us = {(row["reason"], row["operator"]): row["copies"] for row in told["about_us"]}
    assert us == {("sender-blocked", "web.test"): 1, ("rate-limited", "web.test"): 1}, us
    assert [(row["sent"], row["about_us"]) for row in told["about_us_over_time"]][0] == (35, 2), told["about_us_over_time"]


def test_what_really_happened(world):
    "After a real sending through two relays, with people put off, refused and reported, the report tells by relay, and how long who was put off waited."
    people = [f"p{n}@web.test" for n in range(40)] + ["late1@slow.test", "late2@slow.test", "gone1@web.test", "gone2@web.test", "back@web.test"]
    world.setup()
    world.configure(**{"sender.retry_after": "2s"})
    world.subscribe(people)
    world.mailworld('late*@* defer 1 450 4.2.0 "later"\ngone*@* refuse rcpt 550 5.1.1 "User unknown"\nback@* accept report postfix after 100\n')
    world.listctl("relay", "add", "one", "--host", "127.0.0.1", "--port", world.relay_port)
    world.listctl("relay", "add", "two", "--host", "127.0.0.1", "--port", world.relay_port)
    world.start("bounced")
    world.start("sender")
    world.campaign("c")
    status = world.finished("c")
    until(lambda: world.value("SELECT count(*) FROM bounce_event WHERE judged_at IS NOT NULL") == "3", "all reports judged")
    told = world.json("report", "campaign", "c")
    relays = {row["relay"]: row for row in told["relays"]}
    assert set(relays) == {"one", "two"}, relays
    for what in ("accepted", "refused", "expired"):
        assert sum(row[what] for row in relays.values()) == status[what], (what, relays)
    assert sum(row["bounced_hard"] for row in relays.values()) == told["campaign"]["bounced_hard"] == 1, relays
    assert sum(row["retried"] for row in relays.values()) == 2
    domains = {row["domain"]: row for row in world.json("report", "domain", "slow.test")["domains"]}
    assert domains["slow.test"]["deferred_minutes"] >= 2 / 60 and domains["slow.test"]["retried"] == 2, domains
    operators = {row["operator"]: row for row in told["operators"]}
    assert operators["web.test"]["deferred_minutes"] is None and operators["web.test"]["refused"] == 2, operators
    assert [row["domain"] for row in told["slowest"]][0] == "slow.test", told["slowest"]
    assert [(row["bounced_hard"]) for row in told["late"] if row["within"] == "1 minute"] == [1], told["late"]


def test_nothing_yet(world):
    "Where nothing was sent, or nothing has started, reports say so; what is not there is refused with its remedy."
    world.setup()
    world.subscribe(["a@web.test"])
    for report in ALL:
        if report == ("domain", "gmail"):
            continue
        told = world.json("report", *report)
        assert told["report"]["snapshot_at"] and told.get("totals", {"sent": 0})["sent"] == 0, told
        check_harmless(page(world, *report))
        world.listctl("report", *report)
        world.listctl("report", *report, "--format", "csv")
    assert world.json("report", "list", "news")["list"]["active"] == 1
    world.campaign("draft", start=False)
    world.refused("report", "campaign", "draft", says="has not started")
    world.refused("report", "campaign", "nope", says="nope")
    world.refused("report", "list", "nope", says="nope")
    world.refused("list", "ls", "--format", "html", code=2, says=("listctl report", "table, csv and json"))


def test_a_file_is_whole_or_not_there(world):
    "--output writes a file whole under its name, and leaves the one that was there when it cannot."
    two_campaigns(world)
    path = world.file("report.json", "old")
    world.refused("report", "campaign", "nope", "--format", "json", "--output", path)
    assert path.read_text() == "old"
    world.listctl("report", "campaign", "first", "--format", "json", "--output", path)
    assert '"places"' in path.read_text() and not [name for name in os.listdir(world.base) if name.startswith(".report")]
    world.refused("report", "reasons", "--output", world.base / "no" / "such.html", says="such.html")
