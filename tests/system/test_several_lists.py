"""Campaigns for several lists: one copy each, through the first list that has them, and what of it follows."""

import email
import json
import re

import past
from returns import return_path, unsubscribe
from sending import check
from verpost import Talk, until

RULES = "* accept\n"
CROWD = 3000


def lists(world, *names):
    for name in names:
        world.listctl("list", "create", name, "--title", f"The {name}", "--from", f"{name}@example.test")


def join(world, **lists_of):
    """name="news shop-" : active in news, unsubscribed from shop; attributes are {"n": the length of the name}."""
    for name, words in lists_of.items():
        world.sql("INSERT INTO subscriber (address, address_key, attributes)"
                  f" VALUES ('{name}@example.test', '{name}@example.test', jsonb_build_object('n', {len(name)}))")
        for word in words.split():
            state = {"-": "unsubscribed", "!": "disabled"}.get(word[-1], "active")
            reason = "NULL" if state == "active" else "'user-unknown'" if state == "disabled" else "'mailto'"
            world.sql("INSERT INTO membership (list_id, subscriber_id, state, reason)"
                      f" SELECT l.id, s.id, '{state}', {reason} FROM list l, subscriber s"
                      f" WHERE l.name = '{word.rstrip('-!')}' AND s.address_key = '{name}@example.test'")


def crowd(world):
    """p1 ... p3000: news has the multiples of 2, shop those of 3, club those of 5."""
    world.sql("INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, jsonb_build_object('n', n)"
              f" FROM generate_series(1, {CROWD}) AS n, LATERAL (SELECT format('p%s@example.test', n) AS a) AS x")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s WHERE"
              " (s.attributes ->> 'n')::int % CASE l.name WHEN 'news' THEN 2 WHEN 'shop' THEN 3 ELSE 5 END = 0")


def through(n):
    return "news" if n % 2 == 0 else "shop" if n % 3 == 0 else "club" if n % 5 == 0 else None


def copies(world):
    """Name -> the list that each of their copies names, everywhere that it names one."""
    found = {}
    for path in (world.base / "mailworld.mail").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes())
        name = re.search(r"([^\s<]+)@", message["To"])[1]
        found.setdefault(name, []).append(re.search(r"<([a-z]+)\.", message["List-Id"])[1])
    return found


def create(world, name, *options, text="Hello from {{list.name}}\n"):
    return world.run("listctl", "campaign", "create", name, "news", "--subject", "s", "--text", world.file(f"{name}.txt", text), *options)


def parts(world, campaign):
    return [(row["part"], row["name"], row["people"]) for row in json.loads(world.listctl("campaign", "audience", campaign, "--format", "json"))]


def state(world, name, list_name):
    return world.value("SELECT m.state FROM membership m JOIN list l ON l.id = m.list_id JOIN subscriber s ON s.id = m.subscriber_id"
                       f" WHERE l.name = '{list_name}' AND s.address_key = '{name}@example.test'")


def id_of(world, name):
    return world.value(f"SELECT id FROM subscriber WHERE address_key = '{name}@example.test'")


def list_id(world, name):
    return world.value(f"SELECT id FROM list WHERE name = '{name}'")


def send(world, campaign):
    world.mailworld(RULES)
    world.listctl("campaign", "start", campaign)
    world.start("sender")
    return world.finished(campaign)


def test_who_gets_what(world):
    "One copy each, through the first list that has them and does not suppress them; who left any of the lists gets none; numbers ahead are those sent."
    world.setup()
    lists(world, "shop", "club")
    join(world, ann="news", bob="shop", cat="news shop club", dan="news- shop", eve="news shop-", fay="news! shop", gus="news shop",
         hal="news club", ida="shop club", jim="club-", kim="news shop club", leo="shop")
    world.listctl("suppress", "add", "gus@example.test", "--list", "news")
    world.listctl("suppress", "add", "leo@example.test", "--list", "shop")
    world.listctl("suppress", "add", "kim@example.test")
    made = create(world, "spring", "--also-list", "shop", "--also-list", "club")
    assert made.returncode == 0 and "9 people through news and 2 more lists" in made.stderr, made
    ahead = [("members of", "news", 6), ("also members of", "shop", 8), ("also members of", "club", 4), ("in several of them", None, 5),
             ("unsubscribed from one", None, 2)]
    sums = [(9,), ("of these through", "news", 4), ("of these through", "shop", 5), ("of these through", "club", 0)]
    assert parts(world, "spring") == ahead + [("would go to", None, 9)] + sums[1:], parts(world, "spring")
    status = send(world, "spring")
    assert (status["audience"], status["accepted"], status["skipped"]) == (9, 7, 2), status
    assert copies(world) == {"ann": ["news"], "cat": ["news"], "hal": ["news"], "bob": ["shop"], "fay": ["shop"], "gus": ["shop"], "ida": ["shop"]}
    assert parts(world, "spring") == [("also members of", "shop", None), ("also members of", "club", None),
                                                       ("audience", None, 9)] + sums[1:], parts(world, "spring")


def test_copies_are_of_their_list(world):
    "Title, name, List-Id and the links of a copy are those of the list that it goes through; sender and letter are the campaign's."
    world.setup()
    lists(world, "shop")
    join(world, ann="news", bob="shop")
    create(world, "spring", "--also-list", "shop", text="{{list.name}} is {{list.title}}\n")
    send(world, "spring")
    for name, list_name, title in (("ann", "news", "Example News"), ("bob", "shop", "The shop")):
        message = next(m for m in map(lambda path: email.message_from_bytes(path.read_bytes()), (world.base / "mailworld.mail").glob("*.eml"))
                       if name in m["To"])
        assert f"{list_name} is {title}" in message.get_payload() and title in message["List-Id"], message.as_string()
        assert "news@example.test" in message["From"]
        sent_to = re.search(r"unsubscribe\+([a-z2-7]+)@", message["List-Unsubscribe"])[0]
        assert sent_to in unsubscribe(world, list_id(world, list_name), id_of(world, name)), message["List-Unsubscribe"]


def test_what_comes_back(world):
    "Who unsubscribes leaves the list that the copy came through; a bounce is the address's, and is shown under that list."
    world.setup()
    lists(world, "shop")
    join(world, ann="news shop", bob="shop", cat="shop")
    create(world, "spring", "--also-list", "shop")
    send(world, "spring")
    world.start("bounced")
    talk = Talk(world.bounced_port)
    talk.say("EHLO a.test", "250")
    for name in ("ann", "bob"):
        path = next(p for p in (world.base / "mailworld.mail").glob("*.eml") if f"{name}@" in p.read_text())
        address = re.search(r"unsubscribe\+[a-z2-7]+@[a-z0-9.]+", path.read_text())[0]
        talk.deliver(f"{name}@example.test", address, f"From: {name}@example.test\r\nSubject: unsubscribe\r\n\r\n")
    until(lambda: state(world, "bob", "shop") == "unsubscribed" and state(world, "ann", "news") == "unsubscribed", "them to leave")
    assert state(world, "ann", "shop") == "active"
    campaign = world.value("SELECT id FROM campaign")
    talk.deliver("", return_path(world, campaign, id_of(world, "cat")), (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        "Final-Recipient: rfc822; cat@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b--\r\n"))
    until(lambda: state(world, "cat", "shop") == "disabled", "the bounce to count")
    for list_name, count in (("shop", 1), ("news", 0)):
        assert len(world.json("bounce", "ls", "--list", list_name)) == count, list_name
    shown = world.listctl("explain", "cat@example.test")
    assert "spring" in shown and "shop" in shown, shown
    sends = [row for row in shown.splitlines() if "spring" in row]
    assert not any("news" in row for row in sends), shown


def reported(world, list_name, domain="example.test"):
    """Of a list: people whose mail came back, copies sent, and how many are no longer mailed."""
    rows = {row["domain"]: row for row in world.json("bounce", "report", "--by", "domain", "--list", list_name)}
    return tuple(rows[domain][key] for key in ("recipients", "sent", "disabled")) if domain in rows else None


def test_bounce_report_by_list(world):
    "What came back and what was sent count for the list that the copy went through, while it runs, when it is over, and after people moved."
    world.setup()
    lists(world, "shop")
    join(world, ann="news shop", al="news", bob="shop", bo="shop", cat="shop news", dan="shop")
    names = {"ann": "accepted", "al": "refused", "bob": "accepted", "bo": "accepted", "cat": "accepted", "dan": "skipped"}
    campaign = past.sent(world, "spring", {f"{name}@example.test": outcome for name, outcome in names.items()}, state="running")
    world.sql("INSERT INTO campaign_audience (campaign_id, place, is_left_out, list_id, name)"
              f" SELECT {campaign}, 0, false, id, name FROM list WHERE name = 'shop'")
    world.sql("INSERT INTO campaign_reached (campaign_id, subscriber_id, list_id) SELECT c.id, s.id, l.id FROM campaign c, subscriber s, list l"
              " WHERE l.name = 'shop' AND s.address_key ~ '^(bob|bo|dan)@'")
    other = past.sent(world, "other", {"bob@example.test": "accepted"}, list_name="shop")
    for name in ("ann", "bob", "cat"):
        past.dead(world, campaign, f"{name}@example.test")
    past.came_back(world, other, "bob@example.test")
    expected = {"news": (2, 3, 2), "shop": (2, 3, 0)}
    assert {name: reported(world, name) for name in expected} == expected, {name: reported(world, name) for name in expected}
    world.sql(f"UPDATE campaign SET state = 'finished', ended_at = now() WHERE id = {campaign}")
    assert {name: reported(world, name) for name in expected} == expected, {name: reported(world, name) for name in expected}
    assert world.value("SELECT count(*) FROM campaign_added") == "2"
    world.listctl("subscriber", "move", "bob@example.test", "bob@elsewhere.test")
    assert reported(world, "shop", "elsewhere.test") == (2, 2, 0) and reported(world, "shop") is None, (reported(world, "shop", "elsewhere.test"), reported(world, "shop"))
    assert reported(world, "news") == (2, 3, 2)
    world.listctl("subscriber", "erase", "bo@example.test", "--yes")
    assert world.value("SELECT sum(copies) FROM list_copies c JOIN list l ON l.id = c.list_id WHERE l.name = 'shop' AND domain = ''") == "1"
    one = {row["domain"]: row["sent"] for row in world.json("bounce", "report", "--by", "domain", "--campaign", "spring")}
    assert one == {"example.test": 3, "elsewhere.test": 1}, one


def previewed(world, campaign, *address):
    """Who, through which list, and whether a copy goes to them: as the JSON and the message itself say."""
    shown = world.json("campaign", "preview", campaign, *address)
    message = email.message_from_string(shown["message"])
    assert f"<{shown['list']}.bounce.test>" in message["List-Id"], shown
    return shown["email"].split("@")[0], shown["list"], shown["in_audience"]


def test_preview(world):
    "A preview is of somebody who is reached, through the list that reaches them; who is named and not reached is shown with a warning."
    world.setup()
    lists(world, "shop", "customers")
    join(world, ann="news", bob="shop", cat="news shop", dan="news- shop", eve="shop customers", long="shop", gus="news shop", hal="club")
    world.listctl("suppress", "add", "gus@example.test", "--list", "news")
    world.listctl("segment", "create", "three", "--where", "$.n == 3")
    create(world, "spring", "--also-list", "shop", "--segment", "three", "--exclude-list", "customers", text="{{list.name}} is {{list.title}}\n")
    expected = {"ann": ("news", True), "bob": ("shop", True), "cat": ("news", True), "dan": ("shop", False), "eve": ("shop", False),
                "long": ("shop", False), "gus": ("shop", True)}
    for name, what in expected.items():
        assert previewed(world, "spring", f"{name}@example.test") == (name, *what), name
    for name, (list_name, is_reached) in expected.items():
        told = world.run("listctl", "campaign", "preview", "spring", f"{name}@example.test")
        assert f"through the list {list_name}" in told.stderr and f"List-Id: \"{'Example News' if list_name == 'news' else 'The shop'}\"" in told.stdout, told
        assert f"{list_name} is " in told.stdout and ("not in the audience" in told.stderr) == (not is_reached), told
    world.refused("campaign", "preview", "spring", "hal@example.test", says="not on the lists")
    found = {previewed(world, "spring") for _ in range(12)}
    assert found <= {(name, *what) for name, what in expected.items() if what[1]} and len(found) > 1, found
    send(world, "spring")
    world.sql("UPDATE membership m SET state = 'unsubscribed', reason = 'mailto' FROM list l, subscriber s WHERE l.id = m.list_id"
              " AND s.id = m.subscriber_id AND l.name = 'news' AND s.address_key = 'cat@example.test'")
    assert previewed(world, "spring", "cat@example.test") == ("cat", "news", True), "what has been sent went through news"
    assert previewed(world, "spring", "bob@example.test") == ("bob", "shop", True)
    assert previewed(world, "spring", "long@example.test") == ("long", "shop", False)
    create(world, "nobody", "--also-list", "shop", "--segment", "three", "--exclude-list", "shop,news")
    world.refused("campaign", "preview", "nobody", says=["nobody is in the audience", "campaign audience"])


def test_preview_finds_the_few(world):
    "Of many, one who is reached is found, however few they are."
    world.setup()
    lists(world, "shop", "club")
    crowd(world)
    world.listctl("segment", "create", "one", "--where", "$.n == 1503")
    create(world, "spring", "--also-list", "shop", "--segment", "one")
    assert previewed(world, "spring") == ("p1503", "shop", True)


def test_copies_to_testers(world):
    "A test copy of a reader of another list is that list's, and says so; without --as it is of somebody who is reached."
    world.setup()
    lists(world, "shop")
    join(world, ann="news-", bob="shop", cat="shop news-")
    world.sql("""UPDATE subscriber SET attributes = '{"size": "XL"}' WHERE address_key ~ '^bob'""")
    create(world, "spring", "--also-list", "shop", text="{{list.name}} {{size|none}}\n")
    world.mailworld(RULES)
    world.start("sender")
    for options in (("--as", "bob@example.test"), ()):
        row, = world.json("campaign", "test", "spring", "me@tester.test", *options)
        assert (row["list"], row["copy_of"], row["result"]) == ("shop", "bob@example.test", "accepted"), row
    messages = [email.message_from_bytes(path.read_bytes()) for path in (world.base / "mailworld.mail").glob("*.eml")]
    assert len(messages) == 2
    for message in messages:
        assert "<shop.bounce.test>" in message["List-Id"] and "shop XL" in message.get_payload(), message.as_string()
    told = world.run("listctl", "campaign", "test", "spring", "me@tester.test", "--as", "cat@example.test")
    assert told.returncode == 0 and "not in the audience" in told.stderr, told


def found_by_lint(world, *words):
    """What create, edit or lint finds of gaps and sizes."""
    said = world.run("listctl", "campaign", *words)
    assert said.returncode in (0, 1), said
    return re.findall(r"\{\{(\w+)\}\} is empty for (\d+) of (\d+)", said.stdout + said.stderr)


def test_merge_tags(world):
    "A tag may be an attribute of members of any of the lists, and how many lack it is counted over everybody who is reached, once."
    world.setup()
    lists(world, "shop", "club")
    join(world, ann="news", bob="shop", cat="news shop", dan="shop", longer="shop", eve="club", fay="news- shop")
    world.sql("""UPDATE subscriber SET attributes = attributes || '{"size": "XL"}' WHERE address_key ~ '^(bob|longer)'""")
    text = world.file("t.txt", "Hello {{size}} {{unsubscribe}}\n")
    arguments = ("create", "spring", "news", "--subject", "s", "--text", text)
    world.refused("campaign", *arguments, says='the field "size" is unknown')
    world.refused("campaign", *arguments, "--also-list", "club", says='the field "size" is unknown')
    assert found_by_lint(world, *arguments, "--also-list", "shop") == [("size", "3", "5")]
    world.listctl("segment", "create", "three", "--where", "$.n == 3")
    for options, gaps in ((("--also-list", "shop", "--segment", "three"), [("size", "3", "4")]),
                          (("--also-list", "shop", "--exclude-list", "club"), [("size", "3", "5")]),
                          (("--also-list", "club,shop"), [("size", "4", "6")])):
        assert found_by_lint(world, "edit", "spring", *options) == gaps, options
    assert found_by_lint(world, "lint", "spring") == [("size", "4", "6")]
    world.refused("campaign", "edit", "spring", "--everybody", says='the field "size" is unknown')
    status = send(world, "spring")
    assert status["accepted"] == 6 == status["audience"], status


def test_lint_tries_copies_of_their_list(world):
    "The copies that lint tries are those of the list that each goes through: the largest is of the list with the long header."
    world.setup()
    lists(world, "shop")
    world.listctl("list", "edit", "shop", "--title", "T" * 200)
    join(world, ann="news", bob="shop")
    create(world, "spring", "--also-list", "shop", "--html", world.file("t.html", "<p>" + "{{list.title}}\n" * 600 + "{{unsubscribe}}</p>"))
    rows = {row["code"]: row["finding"] for row in json.loads(world.run("listctl", "campaign", "lint", "spring", "--format", "json").stdout)}
    assert "in the copy for bob@example.test, the largest of 2" in rows["gmail-clipped"], rows


def test_segments_and_exclusions(world):
    "Segments narrow each of the lists, and what is left out is left out of all."
    world.setup()
    lists(world, "shop", "customers")
    join(world, ann="news", al="news", bob="shop", bo="shop", cat="news shop", eve="shop customers", fay="news customers", long="shop")
    world.listctl("segment", "create", "three", "--where", "$.n == 3")
    world.listctl("segment", "create", "four", "--where", "$.n == 4")
    create(world, "spring", "--also-list", "shop", "--segment", "three,four", "--exclude-segment", "four", "--exclude-list", "customers")
    rows = parts(world, "spring")
    assert ("in segment", "three", 5) in rows and ("not in list", "customers", 2) in rows and ("would go to", None, 3) in rows, rows
    status = send(world, "spring")
    assert status["audience"] == 3 == status["accepted"], status
    assert copies(world) == {"ann": ["news"], "bob": ["shop"], "cat": ["news"]}


def test_read_again_of_the_list_it_goes_through(world):
    "Who leaves, or is suppressed, after the start is judged by the list that the copy goes through, and by no other."
    world.setup()
    lists(world, "shop")
    join(world, ann="news shop", bob="shop", cat="news shop", dan="shop", eve="shop news!")
    create(world, "spring", "--also-list", "shop")
    world.mailworld(RULES)
    world.listctl("relay", "add", "one", "--host", "127.0.0.1", "--port", world.relay_port)
    world.listctl("campaign", "start", "spring")
    world.sql("CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.state := 'paused'; NEW.hold_reason := 'test'; RETURN NEW; END$$;"
              " CREATE TRIGGER stay BEFORE UPDATE OF state ON campaign FOR EACH ROW WHEN (NEW.state = 'running') EXECUTE FUNCTION stay()")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 5, "the audience to be frozen")
    world.sql("DROP TRIGGER stay ON campaign")
    leave = ("UPDATE membership m SET state = 'unsubscribed', reason = 'mailto' FROM list l, subscriber s WHERE l.id = m.list_id"
             " AND s.id = m.subscriber_id AND l.name = '{}' AND s.address_key = '{}@example.test'")
    world.sql(leave.format("shop", "bob"))
    world.sql(leave.format("shop", "ann"))
    world.sql(leave.format("news", "cat"))
    world.listctl("suppress", "add", "dan@example.test", "--list", "shop")
    world.listctl("suppress", "add", "eve@example.test", "--list", "news")
    world.listctl("campaign", "resume", "spring")
    status = world.finished("spring")
    assert copies(world) == {"ann": ["news"], "eve": ["shop"]} and status["skipped"] == 3, (copies(world), status)


def test_deaths_in_the_middle(world):
    "Workers and all killed in the middle, retries on the way, variants: each gets exactly one copy, of one list and one variant."
    world.setup()
    lists(world, "shop", "club")
    crowd(world)
    world.configure(**{"sender.workers": 2, "sender.retry_after": "1s", "relay.connections": 4})
    world.mailworld("p1*@* defer 1 450 4.2.0 later\n* accept\n")
    create(world, "spring", "--also-list", "shop,club", "--variant", "50% Other")
    world.listctl("campaign", "start", "spring")
    world.start("sender")
    for accepted in (200, 500, 900):
        until(lambda: len(world.accepted()) >= accepted, f"{accepted} messages")
        for pid in world.workers()[:1]:
            world.kill(pid)
    for pid in [*world.workers(), world.processes["sender"].pid]:
        world.kill(pid)
    world.processes.pop("sender").wait()
    world.start("sender")
    status = world.finished("spring")
    audience = {f"p{n}": through(n) for n in range(1, CROWD + 1) if through(n)}
    assert status["audience"] == len(audience) and status["skipped"] == 0, status
    check(world, "spring", [(f"{name}@example.test", "") for name in audience])
    got = copies(world)
    wrong = [(name, got.get(name), where) for name, where in audience.items() if set(got.get(name, [])) - {where}]
    assert not wrong, wrong[:3]
    rows = dict((name, people) for part, name, people in parts(world, "spring") if part == "of these through")
    assert rows == {name: list(audience.values()).count(name) for name in ("news", "shop", "club")}, rows
    results = world.json("campaign", "report", "spring")
    assert sum(row["accepted"] for row in results) == status["accepted"], results


def test_local_times(world):
    "Each at their local time, through whichever list: a chunk is of one instant and of one list."
    world.setup()
    lists(world, "shop")
    join(world, ann="news", bob="shop", cat="shop", dan="news shop")
    world.sql("""UPDATE subscriber SET attributes = '{"tz": "Asia/Jakarta"}' WHERE address_key ~ '^(ann|bob)'""")
    create(world, "spring", "--also-list", "shop")
    later = world.value("SELECT to_char(now() + interval '30 hours', 'YYYY-MM-DD HH24:MI')")
    told = world.run("listctl", "campaign", "schedule", "spring", "--at", later, "--zone", "UTC", "--local-to", "tz")
    assert told.returncode == 0, told
    world.sql("UPDATE campaign SET start_at = now() WHERE name = 'spring'")
    world.start("sender")
    until(lambda: world.status("spring")["audience"] == 4, "the audience to be frozen")
    assert world.value("SELECT count(*) || ' ' || count(DISTINCT not_before) || ' ' || count(list_id) FROM campaign_chunk") == "4 2 2"
    assert world.value("SELECT local_fallback FROM campaign") == "2"


def test_refusals(world):
    "A list named twice, or that is not there, is refused, and nothing is half changed; edit and --everybody work on lists, too."
    world.setup()
    lists(world, "shop")
    join(world, ann="news", bob="shop")
    text = world.file("t.txt", "Hello\n")
    arguments = ("campaign", "create", "spring", "news", "--subject", "s", "--text", text)
    world.refused(*arguments, "--also-list", "news", code=2, says="named twice")
    world.refused(*arguments, "--also-list", "shop,shop", code=2, says="named twice")
    world.refused(*arguments, "--also-list", "nosuch", says="no list nosuch")
    create(world, "spring", "--also-list", "shop")
    world.listctl("campaign", "edit", "spring", "--subject", "Another")
    assert ("would go to", None, 2) in parts(world, "spring")
    world.refused("campaign", "edit", "spring", "--also-list", "shop", "--everybody", code=2, says="--everybody")
    world.listctl("campaign", "edit", "spring", "--everybody")
    assert parts(world, "spring") == [("members of", "news", 1), ("would go to", None, 1)]
    world.listctl("campaign", "edit", "spring", "--also-list", "shop")
    assert "spring" in world.listctl("campaign", "ls", "--list", "shop")
