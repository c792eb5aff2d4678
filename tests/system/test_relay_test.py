"""The return-path self-test: what a relay does with the sender of the envelope is found out before readers' bounces depend on it."""

import json
import re
import socket
import subprocess

from postfix import Postfix, unavailable
from returns import *
from tampering import Tampering
from verpost import BIN, BOUNCE_DOMAIN, PATIENCE, Skip, free_port, until

HOME = f"*@{BOUNCE_DOMAIN} accept report itself\n"  # the relay hands what is for the bounce domain to bounced
FIXED = "returns@relay.test"


def relay(world, rules=HOME, rewrite=None):
    for kept in (world.base / "mailworld.mail").glob("*.eml"):  # of one that was stopped
        kept.unlink()
    world.mailworld(rules, None, "mailworld", *(["--rewrite-from", rewrite] if rewrite else []))


def tested(world, code, *arguments):
    """`relay test`: its row as JSON, and what stands on stderr."""
    done = world.run("listctl", "relay", "test", *arguments, "--format", "json")
    assert done.returncode == code, (done.stdout, done.stderr)
    rows = json.loads(done.stdout)
    assert len(rows) == 1 and rows[0]["relay"] == "default", rows
    assert rows[0]["passes"] == (code == 0), rows
    return rows[0], done.stderr


def nobody_was_touched(world):
    """Tests are about no recipient: no event, no letter, no verdict follows from them."""
    for table in ("bounce_event", "bounce_raw", "mailbox_message"):
        assert world.value(f"SELECT count(*) FROM {table}") == "0", world.sql(f"SELECT * FROM {table}")


def test_kept(world):
    "A relay that leaves the return path alone passes; the test leaves a row, an audit entry and nothing about anybody."
    world.setup()
    relay(world)
    world.start("bounced")
    world.start("sender")
    row, _ = tested(world, 0)
    assert row["result"] == "kept" and row["message_kept"] and row["back_at"], row
    probe, = world.accepted()
    assert probe["from"] == probe["to"] == row["mail_from"], (probe, row)
    mail = (world.base / "mailworld.mail/0.eml").read_text()
    assert "From: \"verpost\" <news@example.test>" in mail and "@example.test>" in probe["message_id"], mail
    assert "Auto-Submitted: auto-generated" in mail and f"List-Unsubscribe: <mailto:{probe['to']}>" in mail, mail
    assert row["changed"] == "" and world.value("SELECT sent_seal = back_seal FROM relay_test") == "t", row
    assert world.json("relay", "tests") == [row]
    table = world.listctl("relay", "test", "default")
    assert "kept" in table and "as it was sent" in table, table
    assert world.value("SELECT count(*) FROM audit WHERE action = 'relay.test' AND subject = 'relay:default'") == "2"
    nobody_was_touched(world)
    world.refused("relay", "test", "elsewhere", says=["no relay", "default"])
    world.refused("relay", "test", "--timeout", "0s", code=2, says="--timeout")
    world.refused("relay", "test", "--timeout", "90", code=2, says=["--timeout", "90s"])
    assert "event=relay.tested" in world.log("sender")
    world.stop("sender")
    world.stop("bounced")


def refold(message):
    """Each field that can be folded is, where it can be."""
    head, body = message.split(b"\r\n\r\n", 1)
    return re.sub(rb"(?m)^(From|To|Subject|Message-ID|Content-Type): ", rb"\1:\r\n\t", head) + b"\r\n\r\n" + body


HARMLESS = {
    "nothing": lambda message: message,
    "trace and fields of its own": lambda message: b"Return-Path: <x@y.test>\r\nDKIM-Signature: v=1; a=x\r\nX-Spam: no\r\n" + message,
    "another folding": refold,
    "blanks at the ends of lines": lambda message: message.replace(b".\r\n", b". \t\r\n") + b"\r\n\r\n",
}
HARM = {
    "body": lambda message: message + b"-- \r\nThis message was scanned.\r\n",
    "Subject": lambda message: message.replace(b"Subject: ", b"Subject: [SPAM] "),
    "From, Reply-To (added)": lambda message: b"Reply-To: a@relay.test\r\n" + re.sub(rb"(?m)^From: .*$", b"From: a@relay.test\r", message),
    "Message-ID": lambda message: re.sub(rb"Message-ID: .*", b"Message-ID: <1@relay.test>\r", message),
    "List-Unsubscribe (removed)": lambda message: re.sub(rb"List-Unsubscribe: .*\r\n", b"", message),
    "Content-Transfer-Encoding": lambda message: message.replace(b"Encoding: 7bit", b"Encoding: quoted-printable"),
}


def test_modified(world):
    "A relay that changes the text or a field that signatures cover is told by it, also before a campaign; what every relay does is none."
    world.setup()
    world.configure(**{"relay.test_before_campaign": "require", "relay.test_timeout": "60s"})
    tampering = Tampering(world)
    world.start("bounced")
    world.start("sender")
    for what, tampering.tamper in HARMLESS.items():
        row, _ = tested(world, 0)
        assert (row["result"], row["changed"]) == ("kept", ""), (what, row)
    for what, tampering.tamper in HARM.items():
        row, error = tested(world, 1)
        assert (row["result"], row["changed"]) == ("modified", what), row
        assert row["message_kept"] == (what != "Message-ID") and row["mail_from"].endswith(f"@{BOUNCE_DOMAIN}"), row
        assert f"modified the message ({what})" in error and "no footer" in error and "DKIM" in error, error
    assert "modified" in world.listctl("relay", "tests")
    tampering.tamper = HARM["body"]
    world.subscribe(["ann@a.test"])
    world.campaign("first")
    reason = until(lambda: world.status("first")["hold_reason"], "the campaign is held")
    assert "modified the message (body)" in reason and "no footer" in reason, reason
    tampering.tamper = lambda message: message if b"X-Verpost-Test" in message else None
    world.listctl("campaign", "start", "first")
    assert world.finished("first")["accepted"] == 1
    nobody_was_touched(world)
    world.stop("sender")
    world.stop("bounced")
    tampering.close()


def test_what_comes_to_a_test_is_about_nobody(world):
    "Reports, complaints, automatic replies and letters to the address of a test are no event of a subscriber with its number."
    ids, _ = people(world, 3)
    relay(world, "")  # it is accepted and never comes
    world.start("bounced")
    world.start("sender")
    row, error = tested(world, 1, "--timeout", "3s")
    assert row["result"] == "late" and "is bounced running" in error, (row, error)
    path, = {message["to"] for message in world.accepted()}
    assert world.value("SELECT max(id) FROM relay_test") == str(ids[0]), "the test has a subscriber's number"
    deliver(world, "", path, dsn(action="delayed", status="4.4.1", diagnostic="451 4.4.1 timed out"))
    deliver(world, "fbl@provider.test", path, arf())
    deliver(world, "p@example.test", path, VACATION)
    deliver(world, "p@example.test", path, LETTER)
    probe = (world.base / "mailworld.mail/0.eml").read_text()
    deliver(world, "p@example.test", path, VACATION + "\n" + probe)
    deliver(world, "fbl@provider.test", path, arf(mark="5").replace("--SEP--", "--SEP\nContent-Type: message/rfc822\n\n" + probe + "\n--SEP--"))
    assert world.value("SELECT back_at IS NULL FROM relay_test") == "t", "who answers or complains has not brought it back"
    assert world.value("SELECT report_kind FROM relay_test") == "delay"
    deliver(world, "", path, dsn())
    assert world.json("relay", "tests")[0]["result"] == "bounced"
    inside = token(world, "message", 0, ids[0])
    deliver(world, "fbl@provider.test", "abuse@bounce.test", arf(f"<{inside}@example.test>", mark="2"))
    assert world.value("SELECT count(*) FROM bounce_event") == "0"
    assert [membership(world, person) for person in ids] == [("active", "")] * 3
    assert world.value("SELECT count(*) FROM suppression") == "0"
    assert world.sql("SELECT count(*) FROM mailbox_message WHERE recipient = 'abuse@bounce.test'") == [["1"]]
    world.listctl("bounce", "ingest", world.file("probe.eml", f"Delivered-To: {path}\n" + dsn(mark="3")))
    assert world.value("SELECT count(*) FROM bounce_event") == "0"
    unknown = return_path(world, 0, 4711)  # a test whose row is gone
    deliver(world, "", unknown, dsn(mark="4"))
    assert world.value("SELECT count(*) FROM bounce_event") == "0"
    world.stop("sender")
    world.stop("bounced")


def test_refusals(world):
    "A relay that refuses or is away is told with its words; one whose message cannot come is told with the report."
    world.setup()
    world.start("bounced")
    world.start("sender")
    row, error = tested(world, 1)
    assert row["result"] == "refused" and "Connection refused" in row["detail"] and "Connection refused" in error, row
    relay(world, f'*@{BOUNCE_DOMAIN} refuse rcpt 554 5.7.1 "Relay access denied"\n')
    row, error = tested(world, 1)
    assert row["result"] == "refused" and "rcpt: 554" in row["detail"] and "Relay access denied" in error, row
    world.stop("mailworld")
    relay(world, 'session refuse mail 550 5.7.1 "Sender not allowed"\n')
    row, _ = tested(world, 1)
    assert row["result"] == "refused" and "Sender not allowed" in row["detail"], row
    world.stop("mailworld")
    relay(world, f'*@{BOUNCE_DOMAIN} accept report postfix text "550 5.1.2 no such host"\n')
    row, error = tested(world, 1)
    assert row["result"] == "bounced" and "no such host" in error and "MX of bounce.domain" in error, (row, error)
    nobody_was_touched(world)
    world.stop("sender")
    world.stop("bounced")


def test_nobody_there(world):
    "Without bounced the message is not back in time, without sender nobody takes it; each is told, with exit 1."
    world.setup()
    relay(world)
    world.start("sender")
    row, error = tested(world, 1, "--timeout", "4s")
    assert row["result"] == "late" and "the relay took it" in error and "is bounced running" in error, (row, error)
    world.start("bounced")  # the relay tries again, and late is better than never
    until(lambda: world.json("relay", "tests")[0]["result"] == "kept", "the late one is back")
    world.stop("sender")
    row, error = tested(world, 1, "--timeout", "2s")
    assert row["result"] == "late" and "is sender running" in error, (row, error)
    assert world.json("relay", "tests")[0]["result"] == "kept", "a test that nobody took says nothing about the relay"
    world.start("sender")
    assert tested(world, 0)[0]["result"] == "kept"
    assert len(world.accepted()) == 2, "what was late before a sender came is not sent any more"
    world.stop("sender")
    world.stop("bounced")


def prober(world):
    """Its process id; None while there is none."""
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(world.processes["sender"].pid)], capture_output=True, text=True).stdout
    return next((int(line.split()[0]) for line in out.splitlines() if line.split()[1] == "sender-prober"), None)


def test_stopped_and_killed(world):
    "A test that its relay keeps waiting is given back at a stop, and made by the next; a killed prober comes again, and sends none twice."
    world.setup()
    relay(world, f'*@{BOUNCE_DOMAIN} refuse rcpt 550 5.1.1 "Too late" slow 100000\n')
    world.start("sender")

    def asked(number, patience):
        """A test that runs beside this one, once it is in the prober's hands."""
        command = [BIN / "listctl", "--config", world.config, "relay", "test", "--timeout", patience, "--format", "json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        world.others.append(process)
        until(lambda: world.value("SELECT count(*) FROM relay_test WHERE taken_at IS NOT NULL") == str(number), "it is taken")
        return process
    first = asked(1, "100s")
    world.stop("sender")
    assert world.sql("SELECT taken_at IS NULL, sent_seal IS NULL, answered_at IS NULL FROM relay_test") == [["t"] * 3], "it is given back"
    assert "answer=given-back" in world.log("sender") and first.poll() is None
    world.stop("mailworld")
    relay(world)
    world.start("bounced")
    world.start("sender")
    out, error = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0 and json.loads(out)[0]["result"] == "kept", (out, error)
    world.stop("bounced")
    world.stop("mailworld")
    relay(world, f'*@{BOUNCE_DOMAIN} refuse rcpt 550 5.1.1 "Too late" slow 100000\n')
    second = asked(2, "12s")
    killed = prober(world)
    world.kill(killed)
    until(lambda: "event=child.died" in world.log("sender"), "the parent sees it")
    until(lambda: prober(world) not in (killed, None), "there is another")
    out, error = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1 and json.loads(out)[0]["result"] == "late", (out, error)
    assert "did not get an answer of the relay" in error, error
    world.stop("mailworld")
    relay(world)
    world.start("bounced")
    assert tested(world, 0)[0]["result"] == "kept"
    assert len(world.accepted()) == 2
    world.stop("sender")
    world.stop("bounced")


def test_silent_relay(world):
    "A relay that keeps its test waiting holds up nobody else's."
    world.setup()
    relay(world)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.sql("INSERT INTO relay (name, host, port) VALUES"
                  f" ('good', '127.0.0.1', {world.relay_port}), ('silent', '127.0.0.1', {silent.getsockname()[1]})")
        world.start("bounced")
        world.start("sender")
        command = [BIN / "listctl", "--config", world.config, "relay", "test", "silent", "--timeout", "10m"]
        world.others.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True))
        until(lambda: world.value("SELECT count(*) FROM relay_test WHERE taken_at IS NOT NULL") == "1", "it is taken")
        row, = world.json("relay", "test", "good")
        assert (row["relay"], row["result"]) == ("good", "kept"), row
        assert world.value("SELECT state FROM relay_test_state WHERE relay = 'silent'") == "taken"
        world.stop("sender")
    world.stop("bounced")


def test_rewritten(world):
    "A relay that writes another sender is told by it; reports there then find their recipient by the Message-ID."
    world.setup()
    people = ["gone@a.test", "ann@a.test", "mad@a.test"]
    relay(world, HOME + "gone@* accept report postfix\nmad@* accept report arf\n", rewrite=FIXED)
    world.start("bounced")
    world.start("sender")
    row, error = tested(world, 1)
    assert (row["result"], row["mail_from"], row["message_kept"]) == ("rewritten", FIXED, True), row
    assert f"rewritten to {FIXED}" in error and "bounced.report_addresses" in error, error
    world.stop("bounced")
    world.configure(**{"bounced.report_addresses": f"fbl@bounce.test {FIXED}", "bounced.report_networks": "127.0.0.0/8"})
    world.start("bounced")
    row, _ = tested(world, 0)
    assert (row["result"], row["mail_from"]) == ("rewritten", FIXED) and "ENVID or Message-ID" in row["detail"], row
    world.subscribe(people)
    world.campaign("first")
    world.finished("first")

    def found():
        return world.sql("SELECT s.address_key, e.kind FROM bounce_event e JOIN subscriber s ON s.id = e.subscriber_id"
                         " WHERE NOT e.orphan AND e.judged_at IS NOT NULL ORDER BY 1")
    until(lambda: len(found()) == 2, "both reports count")
    assert found() == [["gone@a.test", "bounce-hard"], ["mad@a.test", "complaint"]], found()
    states = dict(world.sql("SELECT s.address_key, m.state FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"))
    assert states == {"gone@a.test": "disabled", "ann@a.test": "active", "mad@a.test": "unsubscribed"}, states
    world.stop("sender")
    world.stop("bounced")


def test_rewritten_to_a_signed_address(world):
    "A relay that uses one signed return path for all is told by the test; its reports still end at the recipient inside."
    world.setup()
    world.subscribe(["other@a.test", "gone@a.test", "slow@a.test", "ann@a.test"])
    world.configure(**{"bounced.report_networks": "127.0.0.0/8"})
    fixed = return_path(world, 0, 4711)
    relay(world, HOME + "gone@* accept report exim-dsn\nslow@* accept report delay\n", rewrite=fixed)
    world.start("bounced")
    world.start("sender")
    row, error = tested(world, 1)
    assert (row["result"], row["mail_from"]) == ("rewritten", fixed) and fixed in error, (row, error)
    world.campaign("first")
    world.finished("first")

    def found():
        return world.sql("SELECT s.address_key, e.kind FROM bounce_event e JOIN subscriber s ON s.id = e.subscriber_id"
                         " WHERE NOT e.orphan ORDER BY 1")
    until(lambda: len(found()) == 2, "both reports count")
    assert found() == [["gone@a.test", "bounce-hard"], ["slow@a.test", "delay"]], found()
    assert world.value("SELECT count(*) FROM relay_test WHERE reported_at IS NOT NULL") == "0"
    world.stop("sender")
    world.stop("bounced")


def test_report_addresses(world):
    "They exist for their networks only, act by a signed token only, and keep the rest for a person."
    ids, campaign = people(world, 2)
    world.configure(**{"bounced.report_addresses": "fbl@bounce.test"})
    done = world.run("bounced")
    assert done.returncode == 1 and "bounced.report_networks" in done.stderr, done
    world.configure(**{"bounced.report_networks": "192.0.2.0/24"})
    world.start("bounced")
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    peer.say("RCPT TO:<fbl@bounce.test>", "550 5.1.1")
    world.stop("bounced")
    world.configure(**{"bounced.report_networks": "192.0.2.0/24 127.0.0.1"})
    world.start("bounced")

    def report(message_id, **how):
        return dsn(**how).replace("Message-ID: <x@example.test>", f"Message-ID: <{message_id}@example.test>")
    forged = token(world, "message", campaign, ids[0], key=(keys(world)[-1][0], bytes(32)))
    deliver(world, "", "fbl@bounce.test", report(forged))
    deliver(world, "p@example.test", "fbl@bounce.test", LETTER)
    deliver(world, "p@example.test", "fbl@bounce.test", VACATION)
    assert world.value("SELECT count(*) FROM bounce_event") == "0"
    assert world.value("SELECT count(*) FROM mailbox_message") == "2", "the automatic reply says nothing to anybody"
    deliver(world, "", "FBL@Bounce.test", report(token(world, "message", campaign, ids[1]), mark="2"))
    assert [events(world, i) for i in ids] == [[], [("bounce-hard", "user-unknown")]]
    world.stop("bounced")


def test_report_at_another_copys_address(world):
    "Where a relay writes one fixed signed address, its report is about the copy inside; a report that names both is the address's, a stranger's a person's."
    ids, campaign = people(world, 4)

    def report(inside, mark, more=""):
        return dsn(mark=mark).replace("Message-ID: <x@example.test>", f"Message-ID: <{inside}@example.test>\n{more}To: x@y.test")
    fixed = return_path(world, campaign, ids[0])
    message = token(world, "message", campaign, ids[1])
    world.configure(**{"bounced.report_networks": "192.0.2.0/24"})
    world.start("bounced")
    deliver(world, "", fixed, report(message, "0"))
    assert [events(world, i) for i in ids] == [[], [], [], []], "whoever has been answered to knows a Message-ID"
    assert world.value("SELECT count(*) FROM mailbox_message") == "1"
    world.stop("bounced")
    world.configure(**{"bounced.report_networks": "127.0.0.0/8"})
    world.start("bounced")
    deliver(world, "", fixed, report(message, "1"))
    assert [events(world, i) for i in ids[:2]] == [[], [("bounce-hard", "user-unknown")]]
    assert membership(world, ids[0]) == ("active", "") and membership(world, ids[1])[0] == "disabled"
    envid = dsn(mark="2").replace("Arrival-Date", f"Original-Envelope-Id: {token(world, 'message', campaign, ids[2])}\nArrival-Date")
    deliver(world, "", fixed, envid)
    assert events(world, ids[2]) == [("bounce-hard", "user-unknown")]
    both = report(token(world, "message", campaign, ids[3]), "3", f"Return-Path: <{fixed}>\n")
    deliver(world, "", fixed, both)
    assert [len(events(world, i)) for i in ids] == [1, 1, 1, 0]
    forged = token(world, "message", campaign, ids[3], key=(keys(world)[-1][0], bytes(32)))
    deliver(world, "", fixed, report(forged, "4"))
    assert [len(events(world, i)) for i in ids] == [2, 1, 1, 0]
    test = return_path(world, 0, 1)  # that of a test serves alike
    deliver(world, "", test, report(token(world, "message", campaign, ids[3]), "5"))
    assert [len(events(world, i)) for i in ids] == [2, 1, 1, 1]
    world.stop("bounced")


def test_before_a_campaign(world):
    "With `require` a campaign whose relay rewrites stays scheduled with the remedy; mended and started anew it goes out."
    world.setup()
    world.configure(**{"relay.test_before_campaign": "require", "relay.test_timeout": "20s"})
    relay(world, rewrite=FIXED)
    world.start("bounced")
    world.start("sender")
    world.subscribe(["ann@a.test"])
    world.campaign("first")
    until(lambda: world.status("first")["hold_reason"], "the campaign is held")
    status = world.status("first")
    assert status["state"] == "scheduled" and status["audience"] is None, status
    assert f"rewritten to {FIXED}" in status["hold_reason"] and "listctl campaign start" in status["hold_reason"], status
    assert world.log("sender").count("event=campaign.held") == 1
    world.stop("mailworld")
    relay(world)
    world.listctl("campaign", "start", "first")
    assert world.finished("first")["accepted"] == 1
    assert world.value("SELECT count(*) FROM relay_test") == "2", "one each time"
    world.campaign("second")  # a fresh good test serves further campaigns
    world.finished("second")
    assert world.value("SELECT count(*) FROM relay_test") == "2"
    world.stop("sender")
    world.stop("bounced")


def test_warned_before_a_campaign(world):
    "With `warn` the campaign goes out, and the log says what is wrong with the relay."
    world.setup()
    world.configure(**{"relay.test_before_campaign": "warn"})
    relay(world, rewrite=FIXED)
    world.start("bounced")
    world.start("sender")
    world.subscribe(["ann@a.test"])
    world.campaign("first")
    assert world.finished("first")["accepted"] == 1
    assert "event=relay.suspect" in world.log("sender") and FIXED.split("@")[1] in world.log("sender")
    world.stop("sender")
    world.stop("bounced")


def test_relays_as_rows(world):
    "Each relay is tested by its name; a campaign is held for those that it may use, and for no others."
    world.setup()
    world.configure(**{"relay.test_before_campaign": "require", "relay.test_timeout": "20s"})
    bad_port = free_port()
    relay(world)
    world.mailworld(HOME, bad_port, "rewriter", "--rewrite-from", FIXED)
    world.sql("INSERT INTO relay (name, host, port, enabled, campaigns) VALUES"
              f" ('good', '127.0.0.1', {world.relay_port}, true, '{{good-*}}'), ('bad', '127.0.0.1', {bad_port}, true, '{{}}'),"
              f" ('off', '127.0.0.1', {world.relay_port}, false, '{{}}')")
    world.start("bounced")
    world.start("sender")
    done = world.run("listctl", "relay", "test", "--format", "json")
    results = {row["relay"]: (row["result"], row["passes"]) for row in json.loads(done.stdout)}
    assert results == {"good": ("kept", True), "bad": ("rewritten", False)}, results
    assert done.returncode == 1 and "relay bad" in done.stderr and "relay good" not in done.stderr, done.stderr
    row, = world.json("relay", "test", "off")
    assert (row["relay"], row["result"]) == ("off", "kept"), row
    world.refused("relay", "test", "good", "nowhere", says=["nowhere", "bad, good"])
    world.refused("relay", "test", "default", says="no relay")
    world.subscribe(["ann@a.test"])
    world.campaign("good-news")
    assert world.finished("good-news")["accepted"] == 1
    world.campaign("other-news")
    until(lambda: world.status("other-news")["hold_reason"], "the other one is held")
    assert "relay bad" in world.status("other-news")["hold_reason"]
    world.sql("DELETE FROM relay WHERE name = 'bad'")
    world.sql("UPDATE relay SET enabled = true")
    world.listctl("campaign", "start", "other-news")
    assert world.finished("other-news")["accepted"] == 1
    assert not [message for message in world.accepted("rewriter") if "bounce.test" not in message["to"]]
    world.stop("sender")
    world.stop("bounced")


def postfix(world, extra):
    reason = unavailable()
    if reason:
        raise Skip(reason)
    mta = Postfix(world.base / "postfix", world.relay_port, free_port(), world.bounced_port, BOUNCE_DOMAIN, extra=extra)
    world.logs["postfix"] = world.base / "postfix/mail.log"
    world.others.append(mta.start().process)
    world.listening(world.relay_port)
    world.setup()
    world.start("bounced")
    world.start("sender")


def test_postfix_keeps_the_path(world):
    "Debian's Postfix as the relay brings the message back as it was sent."
    postfix(world, "")
    assert tested(world, 0)[0]["result"] == "kept"
    nobody_was_touched(world)
    world.stop("sender")
    world.stop("bounced")


def test_postfix_that_rewrites(world):
    "Postfix with a canonical map of envelope senders is found out."
    postfix(world, f"sender_canonical_maps = static:{FIXED}\nsender_canonical_classes = envelope_sender\n")
    row, error = tested(world, 1)
    assert (row["result"], row["mail_from"], row["message_kept"]) == ("rewritten", FIXED, True), row
    nobody_was_touched(world)
    world.stop("sender")
    world.stop("bounced")
