"""`campaign test`: one recipient's copy to testers, signed as the real one, and nothing of it in the ledger."""

import email
import email.policy
import json
import re
import smtplib

import signatures
from verpost import until


def copies(world):
    return {path: path.read_bytes() for path in sorted((world.base / "mailworld.mail").glob("*.eml"))}


def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def ledger(world):
    """All that a campaign leaves behind."""
    return [world.value(f"SELECT count(*) FROM {table}") for table in
            ("delivery", "deferral", "campaign_chunk", "chunk_window", "bounce_event", "campaign_tally")]


def test_copies_to_testers(world):
    "The copy of a member goes to each address, marked, signed, with the member's fields, and the ledger and the members stay as they were."
    verifiers = signatures.Verifiers(world)
    world.setup()
    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", "example.test", "--type", "rsa", "--selector", "s")
    world.listctl("list", "edit", "news", "--header", "X-Team: letters")
    world.listctl("import", "news", world.file("people.csv", "email,name,city\nann@a.test,Ann,Oslo\nbob@b.test,Bob,Rome\n"))
    world.mailworld("gone@* refuse rcpt 550 5.1.1 \"No such user\"\nlater@* defer 9 450 4.2.0 later\n")
    world.start("bounced")
    world.start("sender")
    world.campaign("c", text="{{name}} <{{email}}> of {{city}}\n{{unsubscribe}}\n", start=False)
    before = ledger(world)

    rows = world.json("campaign", "test", "c", "one@test.test", "two@test.test", "--as", "BOB@b.test")
    assert [(row["address"], row["copy_of"], row["result"], row["code"]) for row in rows] == [
        ("one@test.test", "bob@b.test", "accepted", 250), ("two@test.test", "bob@b.test", "accepted", 250)], rows
    kept = copies(world)
    assert len(kept) == 2
    envelopes = {entry["to"]: entry for entry in world.accepted()}
    assert set(envelopes) == {"one@test.test", "two@test.test"}, envelopes
    for raw in kept.values():
        message = parsed(raw)
        assert str(message["Subject"]) == "[test] News for Bob" and message["X-Team"] == "letters", message.items()
        assert message["To"].addresses[0].addr_spec in envelopes and message["To"].addresses[0].display_name == ""
        assert message.get_content().startswith("Bob <bob@b.test> of Rome"), message.get_content()
        assert "unsubscribe+" in message["List-Unsubscribe"]
    verdicts = verifiers.judge({str(path): raw for path, raw in kept.items()})
    assert all(all(verdict.values()) for verdict in verdicts.values()), verdicts
    assert len({str(parsed(raw)["Message-ID"]) for raw in kept.values()}) == 2

    # Somebody follows the link, and the copy bounces: nobody is unsubscribed and nobody's fault is counted.
    raw = next(iter(kept.values()))
    leave = re.search(r"mailto:(unsubscribe\+\S+@bounce\.test)", str(parsed(raw)["List-Unsubscribe"])).group(1)
    with smtplib.SMTP("127.0.0.1", world.bounced_port) as client:
        client.sendmail("one@test.test", leave, "From: one@test.test\r\nSubject: leave\r\n\r\nplease\r\n")
        client.sendmail("", envelopes["one@test.test"]["from"], "From: mailer-daemon@x.test\r\nSubject: Undelivered\r\n"
                        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nMIME-Version: 1.0\r\n\r\n"
                        "--b\r\nContent-Type: text/plain\r\n\r\ngone\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                        "Reporting-MTA: dns; x.test\r\n\r\nFinal-Recipient: rfc822; one@test.test\r\nAction: failed\r\n"
                        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 gone\r\n\r\n--b--\r\n")
    assert ledger(world) == before, (before, ledger(world))
    assert world.sql("SELECT DISTINCT state FROM membership") == [["active"]]
    assert world.status("c")["state"] == "draft"

    world.listctl("campaign", "test", "c", "one@test.test", "--plain")
    newest = parsed(list(copies(world).values())[-1])
    assert str(newest["Subject"]) in ("News for Ann", "News for Bob"), newest["Subject"]
    assert len({str(parsed(raw)["To"]) for raw in copies(world).values()}) == 2

    done = world.run("listctl", "campaign", "test", "c", "one@test.test", "gone@test.test", "--format", "json")
    rows = {row["address"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1 and rows["one@test.test"]["result"] == "accepted", done
    assert (rows["gone@test.test"]["result"], rows["gone@test.test"]["step"], rows["gone@test.test"]["code"]) == ("refused", "rcpt", 550)
    assert "No such user" in rows["gone@test.test"]["reply"] and "gone@test.test is refused" in done.stderr, done
    world.refused("campaign", "test", "c", "later@test.test", says="450")
    assert ledger(world) == before
    # The campaign itself goes its way, and its copies are unmarked.
    world.listctl("campaign", "start", "c")
    assert world.finished("c")["accepted"] == 2
    assert {str(parsed(raw)["Subject"]) for raw in list(copies(world).values())[-2:]} == {"News for Ann", "News for Bob"}
    world.listctl("campaign", "test", "c", "one@test.test")
    assert world.status("c")["accepted"] == 2


def test_what_cannot_be_sent(world):
    "Wrong addresses, unknown members, a relay that is not there, missing keys and a sender that does not run are told, with exit 1."
    world.setup()
    world.configure(**{"dkim.required": "yes", "sender.poll": "1s"})
    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", "example.test", "--type", "rsa", "--selector", "s")
    world.subscribe([("ann@a.test", "Ann")])
    world.campaign("c", start=False)
    world.refused("campaign", "test", "c", "nobody", says="nobody: ")
    world.refused("campaign", "test", "c", code=2)
    world.refused("campaign", "test", "c", "one@test.test", "--as", "eve@e.test", says="eve@e.test is not on the list")
    world.refused("campaign", "test", "c", "one@test.test", "--relay", "none", says="no such relay")
    world.refused("campaign", "test", "c", "one@test.test", "--timeout", "2", code=2, says="--timeout")
    assert world.value("SELECT count(*) FROM campaign_test") == "0"
    world.refused("campaign", "test", "c", "one@test.test", "--timeout", "1s", says=["late", "is sender running?"])
    world.listctl("relay", "add", "other", "--host", "127.0.0.1", "--port", str(world.relay_port), "--domains", "x.test")
    world.refused("campaign", "test", "c", "one@test.test", says=["no relay in use", "--relay"])
    (world.base / "dkim/example.test/s.rsa.pem").unlink()
    world.start("sender")
    world.refused("campaign", "test", "c", "one@x.test", says=["refused", "no keys", "listctl dkim new"])
    world.configure(**{"dkim.required": "no"})
    world.stop("sender")
    world.start("sender")
    world.refused("campaign", "test", "c", "one@test.test", "--relay", "other", "--timeout", "20s", says="refused")  # nothing listens
    world.mailworld("")
    until(lambda: world.run("listctl", "campaign", "test", "c", "one@sub.x.test", "--relay", "other").returncode == 0, "taken")
    assert world.value("SELECT count(*) FROM delivery") == "0"
    # Without rows of relays the settings' one is asked; what cannot be merged is told as it is.
    world.listctl("relay", "rm", "other")
    world.sql("UPDATE subscriber SET attributes = '{\"site\": \"javascript:x\"}'")
    world.listctl("campaign", "create", "odd", "news", "--subject", "s", "--html", world.file("h.html", "<p><a href='{{site}}'>x</a></p>"))
    rows = json.loads(world.run("listctl", "campaign", "test", "odd", "one@test.test", "--format", "json").stdout)
    assert "site" in rows[0]["reply"] and "relay" not in rows[0]["reply"], rows
    world.listctl("campaign", "delete", "c")
    world.listctl("campaign", "delete", "odd")
    assert world.value("SELECT count(*) FROM campaign_test") == "0"
