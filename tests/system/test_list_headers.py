"""The header fields that a list puts into its copies, and one-click unsubscribing."""

import email
import email.policy
import re

from verpost import until


def copies(world):
    return [path.read_bytes() for path in sorted((world.base / "mailworld.mail").glob("*.eml"))]


def signed(message):
    return re.sub(rb"\s", b"", re.search(rb"\th=([^;]*);", message).group(1)).decode().split(":")


def test_fields_of_a_list(world):
    "A list's header fields are set, shown, taken away, refused where they would break a message, and stand in every copy, signed."
    world.setup()
    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", "example.test", "--type", "rsa", "--selector", "s")
    shown = world.json("list", "show", "news")
    assert [shown[name] for name in ("help_url", "owner", "archive_url", "post", "headers")] == [None] * 4 + [{}], shown
    world.listctl("list", "edit", "news", "--help-url", "https://example.test/help", "--owner", "ann@example.test", "--archive-url",
                  "https://example.test/archive/", "--post", "no", "--header", "X-Team: the \u00e9ditors", "--header", "X-Plan: a: b",
                  "--header", "CFBL-Address: fbl@example.test; report=arf")
    for wrong in ("From: x@example.test", "Bcc: x@example.test", "Content-Type: text/html", "List-Id: <x.y>", "Received: by x",
                  "DKIM-Signature: v=1", "X Team: x", "X-\u00e9: x", ": x"):
        world.refused("list", "edit", "news", "--header", wrong, says="--header: ")
    world.refused("list", "edit", "news", "--header", "X-A: b\nBcc: x@example.test", says=["X-A", "line end"])
    world.refused("list", "edit", "news", "--header", "X-A: " + "b" * 201, says=["X-A", "200"])
    world.refused("list", "edit", "news", "--header", "X-A", code=2, says="NAME: VALUE")
    world.refused("list", "edit", "news", "--help-url", "ftp://example.test", says="--help-url: ")
    world.refused("list", "edit", "news", "--owner", "nobody", says="--owner: ")
    shown = world.json("list", "show", "news")
    assert shown["headers"] == {"X-Team": "the \u00e9ditors", "X-Plan": "a: b",
                                "CFBL-Address": "fbl@example.test; report=arf"}, shown
    assert [shown[name] for name in ("help_url", "owner", "archive_url", "post")] == [
        "https://example.test/help", "ann@example.test", "https://example.test/archive/", "no"], shown
    world.listctl("list", "edit", "news", "--header", "X-Plan:")
    assert "X-Plan" not in world.json("list", "show", "news")["headers"]
    detail = world.value("SELECT detail->'header' FROM audit WHERE action = 'list.edit' ORDER BY id LIMIT 1")
    assert "X-Plan: a: b" in detail and "CFBL" in detail, detail

    world.subscribe([("ann@a.test", "Ann"), ("bob@b.test", "Bob")])
    world.mailworld("")
    world.campaign("c")
    world.start("sender")
    world.finished("c")
    assert len(copies(world)) == 2
    for raw in copies(world):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        expected = {"List-Help": "<https://example.test/help>", "List-Owner": "<mailto:ann@example.test>",
                    "List-Archive": "<https://example.test/archive/>", "List-Post": "NO", "X-Team": "the \u00e9ditors",
                    "CFBL-Address": "fbl@example.test; report=arf"}
        for name, value in expected.items():
            assert message.get_all(name) == [value], (name, message.get_all(name))
        assert len(message.get_all("From")) == 1 and message["X-Plan"] is None and message["Auto-Submitted"] is None
        assert message["List-Unsubscribe"].startswith("<mailto:unsubscribe+") and message["List-Unsubscribe-Post"] is None
        names = signed(raw)
        for name in ("List-Help", "List-Owner", "List-Archive", "List-Post", "CFBL-Address", "List-Id", "Feedback-ID"):
            assert name in names, names


def test_a_started_campaign_keeps_its_fields(world):
    "What a list's header fields become after a campaign has started is not in its copies, retried ones included."
    world.setup()
    world.configure(**{"sender.retry_after": "5s", "web.base_url": "https://lists.example.test/mail/"})
    world.listctl("list", "edit", "news", "--header", "X-Team: first")
    world.subscribe([("ann@a.test", "Ann")])
    world.mailworld("* defer 1 450 4.2.0 later\n")
    world.campaign("c")
    world.start("sender")
    until(lambda: world.status("c")["deferred"] == 1, "ann is deferred")
    world.listctl("list", "edit", "news", "--header", "X-Team: second", "--post", "no")
    world.finished("c")
    message = email.message_from_bytes(copies(world)[0], policy=email.policy.default)
    assert message["X-Team"] == "first" and message["List-Post"] is None, message.items()
    links = re.findall(r"<([^>]*)>", message["List-Unsubscribe"])
    assert len(links) == 2 and re.fullmatch(r"https://lists\.example\.test/mail/u/[a-z2-7]{45}", links[0]), links
    assert links[1] == f"mailto:unsubscribe+{links[0].rsplit('/', 1)[1]}@bounce.test", links
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
