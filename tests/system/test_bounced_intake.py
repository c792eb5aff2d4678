"""Each kind of mail that comes back ends at the right subscriber, with the right reason and the right consequence."""

from returns import *
from verpost import until

TRACE_MOST = 1100  # octets of Return-Path and Received, which bounced puts in front


def test_reports_reach_the_right_person(world):
    "One report of each kind: kind, reason, evidence and membership of just the one it is about; everybody else stays as they were."
    ids, campaign = people(world, 9)
    world.start("bounced")
    rows = [  # message, sender, what is stored, the membership after it
        (dsn(), "", ("bounce-hard", "user-unknown"), ("disabled", "user-unknown")),
        (dsn(**FULL), "", ("bounce-soft", "mailbox-full"), ("active", "import")),
        (dsn(**BLOCKED), "", ("bounce-soft", "sender-blocked"), ("active", "import")),
        (dsn(status="4.4.1", action="delayed", diagnostic="connect to mail.example.test[192.0.2.1]:25: Connection timed out"), "",
         ("delay", "network"), ("active", "import")),
        (VACATION, "", ("auto-reply", "auto-reply"), ("active", "import")),
        (VACATION, "p@example.test", ("auto-reply", "auto-reply"), ("active", "import")),
        (arf(), "fbl@provider.test", ("complaint", "complaint"), ("unsubscribed", "complaint")),
        (dsn(), "postmaster@example.test", ("bounce-hard", "user-unknown"), ("disabled", "user-unknown")),
    ]
    world.sql("UPDATE membership SET reason = 'import'")
    for person, (message, sender, stored, after) in zip(ids, rows):
        deliver(world, sender, return_path(world, campaign, person), message)
        assert events(world, person) == [stored], (stored, events(world, person))
        assert membership(world, person) == after, (stored, membership(world, person))
    assert membership(world, ids[-1]) == ("active", "import")
    raw, text, mta = world.sql("SELECT encode(r.message, 'escape') LIKE '%User unknown%', e.diagnostic, e.reporting_mta"
                               " FROM bounce_event e JOIN bounce_raw r ON r.event_id = e.id AND r.campaign_id = e.campaign_id"
                               f" WHERE e.subscriber_id = {ids[0]}")[0]
    assert raw == "t" and "User unknown" in text and mta.endswith("mx.example.test"), (raw, text, mta)
    assert world.value("SELECT count(*) FROM bounce_event") == "8" == world.value("SELECT count(*) FROM bounce_raw")
    world.stop("bounced")


def test_letter_is_kept_for_a_person(world):
    "What somebody writes by hand to a return path, to postmaster or to abuse is kept and changes nobody; twice is kept once."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    for _ in range(2):
        deliver(world, "p@example.test", return_path(world, campaign, one), LETTER)
    deliver(world, "p@example.test", "postmaster", LETTER)
    deliver(world, "", "Abuse@bounce.test", LETTER)
    assert events(world, one) == [] and membership(world, one)[0] == "active"
    rows = world.sql("SELECT recipient, sender FROM mailbox_message ORDER BY id")
    assert [row[1] for row in rows] == ["p@example.test", "p@example.test", ""], rows
    assert rows[1][0] == "postmaster" and rows[2][0] == "Abuse@bounce.test"
    assert world.value("SELECT count(*) FROM mailbox_message WHERE encode(message, 'escape') LIKE '%gardens%'") == "3"


def test_own_letter_that_comes_back(world):
    "A letter of ours that a redirection or a list sends back whole counts for nothing, whatever it tells, and its rule says why; a report that returns it counts."
    (one, other), campaign = people(world, 2)
    news = world.value("SELECT id FROM list WHERE name = 'news'")
    world.start("bounced")
    own = (f"From: Mail System News <news@example.test>\nSubject: failure notice\nList-Id: <news.bounce.test>\n"
           f"Message-ID: <{token(world, 'message', campaign, one)}@example.test>\n\nThis is an email abuse report.\n"
           "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n<p@example.test>:\nuser unknown\n")
    deliver(world, "", return_path(world, campaign, one), own)
    deliver(world, "p@example.test", return_path(world, campaign, one), own + "\nagain\n")
    deliver(world, "p@example.test", unsubscribe(world, news, one), own)
    assert events(world, one) == [("not-bounce", "other")] * 2 and membership(world, one)[0] == "active"
    assert world.value("SELECT count(*) FROM mailbox_message") == "1"
    first = world.value("SELECT min(id) FROM bounce_event")
    assert world.json("bounce", "show", int(first))["rule"] == "own-copy"
    deliver(world, "", return_path(world, campaign, other), dsn())
    assert membership(world, other)[0] == "disabled"


def test_same_report_twice_counts_once(world):
    "The same report again is answered 250 and stored once, whatever its trace fields; another report about it is stored too, and counts once."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    path = return_path(world, campaign, one)
    deliver(world, "", path, dsn(**FULL))
    deliver(world, "", path, dsn(**FULL))
    deliver(world, "", path, "Received: from a by b; Sun, 22 Nov 2026 10:00:01 +0000\nX-Seen: yes\n" + dsn(**FULL))
    assert len(events(world, one)) == 1
    for mark in range(2, 8):
        deliver(world, "", path, dsn(**FULL, mark=str(mark)))
    assert len(events(world, one)) == 7
    assert membership(world, one)[0] == "active", "seven reports about one attempt counted as seven attempts"


def test_several_recipients(world):
    "One message for several return paths gives each its event."
    ids, campaign = people(world, 3)
    world.start("bounced")
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    for person in ids[:2]:
        peer.say(f"RCPT TO:<{return_path(world, campaign, person)}>", "250")
    peer.say("RCPT TO:<postmaster>", "250")
    peer.say("DATA", "354")
    peer.send(dsn().replace("\n", "\r\n") + ".\r\n")
    peer.expect("250")
    assert [membership(world, person)[0] for person in ids] == ["disabled", "disabled", "active"]
    assert world.value("SELECT count(*) FROM mailbox_message") == "1"
    assert "event=report.shared recipients=3" in world.log("bounced"), "it is odd"


def test_report_overtakes_its_ledger_row(world):
    "A report that is faster than the ledger waits, and disables as soon as the row is there."
    ids, campaign = people(world, 2, ledger=0)
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, ids[0]), dsn())
    deliver(world, "", return_path(world, campaign, ids[1]), dsn(**FULL))
    assert world.sql("SELECT judged_at IS NULL, orphan FROM bounce_event") == [["t", "f"], ["t", "f"]]
    assert membership(world, ids[0])[0] == "active"
    world.sql(f"INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code)"
              f" SELECT {campaign}, id, 'accepted', 1, now(), 250 FROM subscriber")
    until(lambda: membership(world, ids[0])[0] == "disabled", "the waiting report is judged")
    until(lambda: world.value("SELECT count(*) FROM bounce_event WHERE judged_at IS NULL") == "0", "none waits any more")
    assert membership(world, ids[1])[0] == "active"


def test_waiting_report_of_an_ended_campaign_becomes_an_orphan(world):
    "A report that waits for a ledger row which cannot come any more counts for nothing."
    (one, *_), campaign = people(world, 1, ledger=0)
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    world.sql(f"UPDATE campaign SET state = 'canceled', ended_at = now() WHERE id = {campaign}")
    until(lambda: world.sql("SELECT orphan, judged_at IS NOT NULL FROM bounce_event") == [["t", "t"]], "it becomes an orphan")
    assert membership(world, one)[0] == "active"


def test_orphans_count_for_nothing(world):
    "A valid token whose campaign or person is gone, or who was never sent to: stored, answered 250, changes nobody."
    ids, campaign = people(world, 2, ledger=1)
    world.sql(f"UPDATE campaign SET state = 'finished', ended_at = now() WHERE id = {campaign}")
    world.start("bounced")
    for scope, person in ((77, ids[0]), (5000000, ids[0]), (campaign, 99999), (campaign, ids[1])):
        deliver(world, "", return_path(world, scope, person), dsn())
    deliver(world, "fbl@provider.test", return_path(world, 77, ids[0]), arf())
    assert world.value("SELECT count(*) FROM bounce_event WHERE orphan AND judged_at IS NOT NULL") == "5"
    kept = world.value("SELECT diagnostic FROM bounce_event WHERE campaign_id = 0")
    assert kept.startswith("campaign 5000000: smtp; 550 5.1.1"), kept
    assert [membership(world, person)[0] for person in ids] == ["active", "active"]
    assert world.value("SELECT count(*) FROM suppression") == "0"


def test_late_report_after_an_undo(world):
    "Who was put back stays, though another report about an attempt from before comes in; a new attempt that fails counts."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    world.listctl("prune", "--apply", "--force")
    world.listctl("undo", world.value("SELECT max(id) FROM prune_batch"))
    assert membership(world, one)[0] == "active"
    deliver(world, "", return_path(world, campaign, one), dsn(mark="2"))
    assert len(events(world, one)) == 2 and membership(world, one)[0] == "active"
    deliver(world, "", return_path(world, send(world, "second"), one), dsn(mark="3"))
    assert membership(world, one)[0] == "disabled"


def test_complaint_ends_everything(world):
    "A complaint unsubscribes from every list and suppresses the address; one at abuse@ does so by the token inside when it comes from a network that reports, else it is kept."
    ids, campaign = people(world, 3)
    world.listctl("list", "create", "other", "--title", "Other", "--from", "Other <other@example.test>")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT (SELECT max(id) FROM list), id FROM subscriber")
    world.configure(**{"bounced.report_networks": "192.0.2.0/24"})
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, ids[0]), arf())
    inside = token(world, "message", campaign, ids[1], age=200)
    deliver(world, "fbl@stranger.test", "abuse@bounce.test", arf(f"<{inside}@example.test>"))
    assert membership(world, ids[1])[0] == "active", "whoever has been answered to knows a Message-ID"
    world.stop("bounced")
    world.configure(**{"bounced.report_networks": "127.0.0.0/8"})
    world.start("bounced")
    deliver(world, "fbl@provider.test", "abuse@bounce.test", arf(f"<{inside}@example.test>"))
    deliver(world, "fbl@provider.test", "abuse@bounce.test", arf("<unknown@example.test>", mark="2"))
    forged = token(world, "message", campaign, ids[2], key=(keys(world)[-1][0], bytes(32)))
    deliver(world, "fbl@provider.test", "abuse@bounce.test", arf(f"<{forged}@example.test>", mark="3"))
    assert world.sql("SELECT subscriber_id, state, reason FROM membership ORDER BY subscriber_id, list_id") == \
        [[str(p), "unsubscribed", "complaint"] for p in ids[:2] for _ in range(2)] + [[str(ids[2]), "active", ""]] * 2
    assert world.sql("SELECT value, coalesce(list_id::text, 'all'), reason FROM suppression ORDER BY id") == \
        [["p1@example.test", "all", "complaint"], ["p2@example.test", "all", "complaint"]]
    assert world.value("SELECT count(*) FROM mailbox_message") == "3"
    assert world.value("SELECT count(*) FROM audit WHERE action = 'subscriber.complaint'") == "2"


def test_mailto_unsubscribe(world):
    "A person's mail to an unsubscribe address ends that list's membership, once; a machine's or a senderless mail does nothing."
    ids, _ = people(world, 4)
    world.listctl("list", "create", "other", "--title", "Other", "--from", "Other <other@example.test>")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT (SELECT max(id) FROM list), id FROM subscriber")
    world.sql(f"UPDATE membership SET state = 'disabled', reason = 'user-unknown' WHERE subscriber_id = {ids[3]}")
    news = world.value("SELECT id FROM list WHERE name = 'news'")
    world.start("bounced")
    wish = "From: p@example.test\nSubject: unsubscribe\n\n"
    for _ in range(2):
        deliver(world, "p@example.test", unsubscribe(world, news, ids[0], age=380), wish)
    deliver(world, "", unsubscribe(world, news, ids[1]), wish)
    deliver(world, "p@example.test", unsubscribe(world, news, ids[2]), VACATION)
    deliver(world, "p@example.test", unsubscribe(world, news, ids[2]), dsn())
    deliver(world, "p@example.test", unsubscribe(world, news, ids[3]), wish)
    deliver(world, "p@example.test", unsubscribe(world, news, 99999), wish)
    states = world.sql(f"SELECT state, coalesce(reason, '') FROM membership WHERE list_id = {news} ORDER BY subscriber_id")
    assert states == [["unsubscribed", "mailto"], ["active", ""], ["active", ""], ["unsubscribed", "mailto"]], states
    assert world.value("SELECT count(*) FROM membership WHERE state = 'unsubscribed'") == "2", "another list was touched"
    assert world.value("SELECT count(*) FROM audit WHERE action = 'membership.unsubscribe'") == "2"
    assert world.value("SELECT count(*) FROM bounce_event") == "0"


def test_too_large_report_is_refused_and_its_head_recorded(world):
    "Beyond bounced.max_message the answer is 552 5.3.4, but what stood in front is read and counts, also of a size told in advance."
    (one, other), campaign = people(world, 2)
    world.configure(**{"bounced.max_message": "100K"})
    world.start("bounced")
    peer = talk(world)
    peer.deliver("", return_path(world, campaign, one), dsn(padding=300000), "552 5.3.4")
    peer.say("NOOP", "250")
    assert events(world, one) == [("bounce-hard", "user-unknown")] and membership(world, one)[0] == "disabled"
    peer.say("MAIL FROM:<> SIZE=300000", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, other)}>", "250")
    peer.say("DATA", "354")
    peer.send(dsn(padding=300000).replace("\n", "\r\n") + ".\r\n")
    peer.expect("552 5.3.4")
    assert membership(world, other)[0] == "disabled"
    assert int(world.value("SELECT max(octet_length(message)) FROM bounce_raw")) <= 65536 + TRACE_MOST


def test_smuggled_endings(world):
    "Only CRLF . CRLF ends a message: a bare CR or LF around a dot ends the session with 550 and what follows is never executed."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    path = return_path(world, campaign, one)
    hidden = f"MAIL FROM:<>\r\nRCPT TO:<{path}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n".encode()
    for ending in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\r\n.\n"):
        peer = talk(world)
        peer.say("MAIL FROM:<p@example.test>", "250")
        peer.say(f"RCPT TO:<{path}>", "250")
        peer.say("DATA", "354")
        peer.send(LETTER.replace("\n", "\r\n").encode() + b"text" + ending + hidden)
        reply = peer.reply()
        assert reply.startswith("550 5.6.0"), (ending, reply)
        assert peer.closed(), ending
    assert world.value("SELECT count(*) FROM bounce_event") == "0" == world.value("SELECT count(*) FROM mailbox_message")
    peer = talk(world)
    peer.say("MAIL FROM:<p@example.test>", "250")
    peer.say(f"RCPT TO:<{path}>", "250")
    peer.say("DATA", "354")
    for part in (b"Subject: dots\r\n\r\n..two\r", b"\n", b".", b"\r", b"\n"):
        peer.send(part)
    peer.expect("250")
    assert world.value("SELECT encode(message, 'escape') LIKE '%\r\n.two\r\n' FROM mailbox_message") == "t"


def test_old_evidence_is_removed(world):
    "Returned messages older than bounce.keep_raw go; the events stay."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    world.stop("bounced")
    world.sql("UPDATE bounce_raw SET stored_at = now() - interval '31 days'")
    world.start("bounced")
    until(lambda: world.value("SELECT count(*) FROM bounce_raw") == "0", "the message is removed")
    assert len(events(world, one)) == 1
