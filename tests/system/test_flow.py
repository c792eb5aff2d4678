"""The whole flow: a messy CSV goes in, a newsletter goes out, bounces come back, the dead are pruned, and a prune is undone."""

import json
import re

from verpost import until

SUBSCRIBERS = """\
Email,Name,City
ann@good.test,"Ann ""A."" Archer",Oslo
ANN@GOOD.TEST,Ann Archer,Bergen
"ben@good.test","Burns, Ben",Paris
jörg@bücher.test,Jörg Müller,Köln
用户@例え.test,山田 太郎,東京
gone1@dead.test,Gone One,Rome
gone2@dead.test,Gone Two,Rome
full@busy.test,Full Fox,Kyiv
later@busy.test,Later Lee,Riga
listed@block.test,Listed Lou,Bonn
late@slow.test,Late Lou,Graz
angry@isp.test,Angry Amy,Pisa
away@office.test,Away Al,Brno
not an address,Nobody,Nowhere
two@at@signs.test,Two,Rows
short@row.test
"""
RULES = """\
gone1@* refuse rcpt 550 5.1.1 "User unknown"
gone2@* accept report postfix after 300
full@* accept report exim-dsn after 300 status 5.2.2 text "552 5.2.2 mailbox full, over quota"
later@* defer 1 451 4.7.1 "greylisted, try again later"
listed@* refuse rcpt 554 5.7.1 "Service unavailable; client host blocked using zen.spamhaus.org"
late@* accept report qmail after 2000
angry@* accept report arf after 300
away@* accept report vacation after 300
"""


def states(world):
    return {row[0]: row[1] for row in world.sql(
        "SELECT s.address_key, m.state FROM membership m JOIN subscriber s ON s.id = m.subscriber_id")}


def test_from_csv_to_undo(world):
    "A subscriber CSV goes in, a newsletter goes out, bounces come back, the dead are pruned, and the prune is undone."
    world.configure(**{"sender.retry_after": "1s", "relay.retry": "1s"})
    world.setup()
    world.mailworld(RULES)
    world.listctl("import", "news", world.file("people.csv", SUBSCRIBERS), "--skip-bad")
    rejects = (world.base / "people.csv.rejects.csv").read_text()
    assert "two@at@signs.test" in rejects and "not an address" in rejects and "short@row.test" in rejects, rejects
    assert len(states(world)) == 12
    world.start("bounced")
    world.start("sender")
    world.campaign("first", text="Dear {{name|friend}} in {{city}},\n\nnews.\n\n{{unsubscribe}}\n")
    status = world.finished("first")
    assert (status["audience"], status["accepted"], status["refused"]) == (12, 10, 2), status

    until(lambda: world.value("SELECT count(*) FROM bounce_event WHERE judged_at IS NOT NULL") == "6",
          "six events are judged")
    now = states(world)
    assert [who for who, state in sorted(now.items()) if state == "disabled"] == \
        ["gone1@dead.test", "gone2@dead.test", "late@slow.test"], now
    assert now["angry@isp.test"] == "unsubscribed" and now["away@office.test"] == "active", now
    assert now["listed@block.test"] == "active" and now["full@busy.test"] == "active", now

    report = world.json("bounce", "report", "--campaign", "first")
    reasons = {row["reason"]: row for row in (report["reasons"] if isinstance(report, dict) else report)}
    assert {"user-unknown", "mailbox-full", "complaint"} <= set(reasons), report

    dry = world.listctl("prune", "news")
    assert "user-unknown" in dry and states(world) == now, dry
    applied = world.run("listctl", "prune", "news", "--apply")
    assert applied.returncode == 0, applied.stderr
    batch = re.search(r"listctl undo (\d+)", applied.stdout + applied.stderr).group(1)
    assert states(world)["gone1@dead.test"] == "removed"
    why = world.listctl("explain", "gone2@dead.test")
    assert "user-unknown" in why and "first" in why, why
    world.listctl("undo", batch)
    assert states(world)["gone1@dead.test"] == "active"
    world.listctl("undo", batch)  # again: there is nothing left to restore, and nothing changes

    world.campaign("second", text="Again, {{name}}.\n")
    second = world.finished("second")
    assert second["audience"] == 11, second  # everybody but the one who complained
    world.stop("sender")
    world.stop("bounced")


def test_each_copy_is_its_own(world):
    "Every recipient gets one copy with an own return path, Message-ID and merged text, and replies to the mailto link unsubscribe."
    world.setup()
    world.mailworld("")
    people = [(f"p{n}@x.test", f"Person {n}") for n in range(50)] + [("jörg@bücher.test", "Jörg Müller")]
    world.subscribe(people)
    world.start("bounced")
    world.start("sender")
    world.campaign("first", text="Dear {{name}},\n\nhello.\n.\nleave: {{unsubscribe}}\n")
    world.finished("first")
    got = world.accepted()
    assert len(got) == 51, len(got)
    for key in ["to", "from", "message_id"]:
        assert len({row[key].lower() for row in got}) == 51, key
    assert all(re.fullmatch(r"b\+[a-z2-7]{31}@bounce\.test", row["from"]) for row in got), got[0]

    import email
    import email.policy
    mails = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default)
             for p in sorted((world.base / "mailworld.mail").iterdir())]
    by_to = {str(m["To"].addresses[0].addr_spec if m["To"].addresses else m["To"]): m for m in mails}
    assert len(by_to) == 51
    one = by_to["p7@x.test"]
    assert one["Subject"] == "News for Person 7" and "Dear Person 7," in one.get_content(), one
    assert one["List-Id"] == "Example News <news.bounce.test>" or "<news." in one["List-Id"], one["List-Id"]
    leave = re.fullmatch(r"<mailto:(unsubscribe\+[a-z2-7]{45}@bounce\.test)>", one["List-Unsubscribe"]).group(1)
    assert leave in one.get_content() and one["List-Unsubscribe-Post"] is None

    from verpost import Talk
    talk = Talk(world.bounced_port)
    talk.say("EHLO peer.test", "250")
    talk.deliver("p7@x.test", leave, "From: p7@x.test\nSubject: no more\n\nbye\n")
    assert states(world)["p7@x.test"] == "unsubscribed"
    talk.say("QUIT", "221")
    assert json.loads(world.listctl("explain", "p7@x.test", "--format", "json"))
    world.campaign("second", text="Again.\n")
    assert world.finished("second")["audience"] == 50
    world.stop("sender")
    world.stop("bounced")
