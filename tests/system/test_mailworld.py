"""The mail world itself: what its rules say is what happens, since the other tests stand on it."""

import json

from verpost import Failure, Talk, until

MESSAGE = "Message-ID: <{0}@x.test>\nSubject: hi\n\n.a line with a dot\n"


def deliver(port, recipient, sender="b+token@bounce.test"):
    """One message on a connection of its own; the last reply, or "closed"."""
    try:
        talk = Talk(port)
        talk.say("EHLO me.test", "250")
        replies = [talk.say(f"MAIL FROM:<{sender}>"), talk.say(f"RCPT TO:<{recipient}>")]
        if replies[-1].startswith("250"):
            replies.append(talk.say("DATA"))
        if replies[-1].startswith("354"):
            talk.send(MESSAGE.format(recipient.split("@")[0]).replace("\n", "\r\n").replace("\r\n.", "\r\n..") + ".\r\n")
            replies.append(talk.reply())
        talk.close()
        return replies[-1]
    except (Failure, ConnectionError):
        return "closed"


def test_rules(world):
    "The first rule that matches a recipient decides; refusals, deferrals, drops and shares are exact."
    world.mailworld("""
        gone*@*   refuse rcpt 550 5.1.1 "No such user"
        full*@*   refuse dot 552 5.2.2 "Mailbox is full"
        data*@*   refuse data 451 4.3.0 "Not now"
        grey*@*   defer 2 451 4.7.1 "Come back"
        lost*@*   drop dot
        kept*@*   drop kept
        body*@*   drop content
        third@*   drop rcpt every 3
        half*@*   refuse rcpt 550 5.1.1 "This half" share 0.5
        slow@*    accept slow 50
    """)
    port = world.relay_port
    assert deliver(port, "ann@a.test").startswith("250")
    assert deliver(port, "GONE1@a.test") == "550 5.1.1 No such user"
    assert deliver(port, "full1@a.test") == "552 5.2.2 Mailbox is full"
    assert deliver(port, "data1@a.test") == "451 4.3.0 Not now"
    assert [deliver(port, "grey@a.test")[:3] for _ in range(4)] == ["451", "451", "250", "250"]
    assert deliver(port, "grey2@a.test").startswith("451")
    assert deliver(port, "lost@a.test") == deliver(port, "kept@a.test") == deliver(port, "body@a.test") == "closed"
    assert [deliver(port, "third@a.test")[:3] for _ in range(6)] == ["250", "250", "clo"] * 2
    halves = [[deliver(port, f"half{i}@a.test")[:3] for i in range(60)] for _ in range(2)]
    assert halves[0] == halves[1] and 15 < halves[0].count("550") < 45, halves
    assert deliver(port, "slow@a.test").startswith("250")
    logged = [row["to"] for row in world.accepted()]
    assert [logged.count(a) for a in ("ann@a.test", "grey@a.test", "lost@a.test", "kept@a.test", "body@a.test")] == [1, 2, 0, 1, 0]
    assert world.accepted()[0]["from"] == "b+token@bounce.test" and world.accepted()[0]["message_id"] == "<ann@x.test>"
    kept = (world.base / "mailworld.mail/0.eml").read_bytes()
    assert kept == MESSAGE.format("ann").replace("\n", "\r\n").encode(), kept
    world.stop("mailworld")


def test_sessions(world):
    "Session rules refuse or drop at their point; SIGHUP reads the rules again."
    world.mailworld("session refuse mail 451 4.3.2 \"Too busy\"\n")
    assert deliver(world.relay_port, "ann@a.test") == "503 5.5.1 Not now: commands are out of order"
    for point in ("banner", "ehlo", "mail", "rcpt", "data", "content", "dot", "kept"):
        world.file("mailworld.rules", f"session drop {point}\n")
        world.processes["mailworld"].send_signal(1)
        until(lambda: deliver(world.relay_port, f"{point}@a.test") == "closed", f"a drop at {point}")
    assert {row["to"] for row in world.accepted()} <= {"kept@a.test", "banner@a.test"} | {
        f"{p}@a.test" for p in ("ehlo", "mail", "rcpt", "data", "content", "dot")}
    world.file("mailworld.rules", "nonsense\n")
    world.processes["mailworld"].send_signal(1)
    until(lambda: "no rule" in world.log("mailworld"), "bad rules are named")
    assert deliver(world.relay_port, "ann@a.test") == "closed", "and the old ones stay"
    world.stop("mailworld")


def test_reports(world):
    "Every shape comes back to the envelope sender, is tried again after 4xx, and says in its status what became of it."
    shapes = ["postfix", "exim", "exim-dsn", "sendmail", "exchange", "qmail", "arf", "vacation", "delay"]
    world.mailworld("* defer 1 451 4.3.0 later\n", port=world.bounced_port, name="home")
    stats = world.base / "stats"
    world.mailworld("".join(f"{s}@* accept report {s} copies 2 after 20\n" for s in shapes), None, "mailworld",
                    "--stats", stats)
    for shape in shapes:
        assert deliver(world.relay_port, f"{shape}@a.test", f"b+{shape}@bounce.test").startswith("250")
    assert deliver(world.relay_port, "postfix@a.test", "").startswith("250"), "nobody reports to the null sender"
    until(lambda: json.loads(stats.read_text())["reports_delivered"] == 2 * len(shapes), "all reports delivered")
    came = world.accepted("home")
    assert sorted(row["to"] for row in came) == sorted(2 * [f"b+{s}@bounce.test" for s in shapes])
    assert {row["from"] for row in came} == {"", "vacation@a.test"}
    assert json.loads(stats.read_text())["reports_waiting"] == 0
    mails = [path.read_bytes() for path in (world.base / "home.mail").iterdir()]
    assert len(set(mails)) == len(shapes), "both copies of a report are the same octets"
    world.stop("mailworld")
    world.stop("home")
