"""Letters that are complete messages: an .eml made by another program is created, sent, and read back."""

import email
import email.policy
import hashlib
from email.message import EmailMessage

from test_files import PDF, PNG, gmime, python, text_of, tree

CRLF = email.policy.SMTP


def begin(world):
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,name,city\nann@a.test,Ünn & 李,Bonn\nbob@a.test,Bob,\n"))


def letter(subject="Grüße, {{name}}", **fields):
    it = EmailMessage(policy=CRLF)
    it["Subject"] = subject
    it["From"] = "Ünsere Redaktion <editors@example.test>"
    for name, value in fields.items():
        it[name.replace("_", "-")] = value
    return it


def full():
    it = letter(Reply_To="Answers <answers@example.test>", To="draft@example.test", Message_ID="<1@x.test>", Date="Mon, 23 Nov 2026 10:00:00 +0000",
                X_Mailer="Writer 1", List_Id="<old.example.test>")
    it.set_content("Dear {{name}},\n\nnews from {{city|there}}: Ελληνικά\n{{unsubscribe}}\n", cte="base64")
    it.add_alternative("<html><body><p>Dear {{name}}, <img src=\"cid:logo@x.test\" alt='l'> {{city|there}}: Ελληνικά "
                       "<a href='{{unsubscribe}}'>leave</a></p></body></html>\n", subtype="html")
    it.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@x.test>", filename="logo.png")
    it.add_attachment(PDF, "application", "pdf", filename="Zürich 新聞 und ein langer Name, der über mehrere Zeilen geht.pdf")
    it.add_attachment("Größe\n", subtype="csv", charset="iso-8859-1", filename="a.csv")
    return it


def write(world, it, name="letter.eml"):
    return world.file(name, it if isinstance(it, bytes) else bytes(it))


def test_eml_comes_back(world):
    "Subject, sender, both texts, the image in the HTML and the attachments arrive as another program wrote them, with the fields filled."
    begin(world)
    done = world.run("listctl", "campaign", "create", "c", "news", write(world, full()))
    assert done.returncode == 0 and "left out of its header: To, Message-ID, Date, X-Mailer, List-Id\n" in done.stderr, done
    assert world.sql("SELECT subject, from_name, from_address, reply_to FROM campaign") == \
        [["Grüße, {{name}}", "Ünsere Redaktion", "editors@example.test", "answers@example.test"]]
    codes = {finding["code"] for finding in world.json("campaign", "lint", "c")}
    assert "image-heavy" in codes and "unsubscribe-missing" not in codes, codes
    assert "Dear Ünn & 李" in world.listctl("campaign", "preview", "c", "ann@a.test")
    world.mailworld("* accept\n")
    world.start("sender")
    tested = world.json("campaign", "test", "c", "me@a.test", "--as", "ann@a.test", "--plain")
    assert [row["result"] for row in tested] == ["accepted"], tested
    world.listctl("campaign", "start", "c")
    world.finished("c")
    mails = {}
    for path in (world.base / "mailworld.mail").iterdir():
        message = path.read_bytes()
        it, found = python(message)
        assert found == gmime(world, message)
        mails[it["To"].addresses[0].addr_spec] = it, found
    assert set(mails) == {"ann@a.test", "bob@a.test", "me@a.test"}, set(mails)
    for address, name, city in [("ann@a.test", "Ünn & 李", "Bonn"), ("me@a.test", "Ünn & 李", "Bonn"), ("bob@a.test", "Bob", "there")]:
        it, found = mails[address]
        assert it["Subject"] == f"Grüße, {name}" and it["From"].addresses[0].display_name == "Ünsere Redaktion", it.items()
        assert it["Reply-To"] == "answers@example.test" and it["X-Mailer"] is None and "old.example" not in it["List-Id"], it.items()
        assert tree(it) == ["multipart/mixed", ["multipart/alternative", "text/plain", ["multipart/related", "text/html", "image/png"]],
                            "application/pdf", "text/csv"], tree(it)
        assert text_of(it, "text/plain").startswith(f"Dear {name},\n\nnews from {city}: Ελληνικά\nmailto:unsubscribe+"), it
        image, pdf, csv = [part for part in found["parts"] if part["filename"]]
        html = text_of(it, "text/html")
        escaped = name.replace("&", "&amp;")
        assert html.startswith(f"<html><body><p>Dear {escaped}, <img src=\"cid:{image['id']}\" alt='l'> {city}: Ελληνικά <a href='mailto:"), html
        assert [(part["filename"], part["disposition"], part["sha256"]) for part in (image, pdf, csv)] == [
            ("logo.png", "inline", hashlib.sha256(PNG).hexdigest()),
            ("Zürich 新聞 und ein langer Name, der über mehrere Zeilen geht.pdf", "attachment", hashlib.sha256(PDF).hexdigest()),
            ("a.csv", "attachment", hashlib.sha256("Größe\r\n".encode()).hexdigest())], (image, pdf, csv)


def test_eml_of_other_shapes(world):
    "Plain text alone stays alone, HTML alone gets a text, options win, and an edit takes another message whole."
    begin(world)
    plain = letter("Plain")
    plain.set_content("Hi {{name}}: café\n", charset="iso-8859-1")
    world.listctl("campaign", "create", "c", "news", write(world, plain), "--from", "Ed <ed@example.test>")
    it, _ = python(world.json("campaign", "preview", "c", "ann@a.test")["message"].encode())
    assert tree(it) == "text/plain" and text_of(it, "text/plain") == "Hi Ünn & 李: café\n", it
    assert it["From"].addresses[0].addr_spec == "ed@example.test", it.items()
    html = letter("{{city|HTML}}")
    html.set_content("<p>Hi {{name}}</p>\n", subtype="html")
    html.add_attachment(PDF, "application", "pdf", filename="a.pdf")
    world.listctl("campaign", "edit", "c", write(world, html), "--subject", "Other")
    it, found = python(world.json("campaign", "preview", "c", "ann@a.test")["message"].encode())
    assert tree(it) == ["multipart/mixed", ["multipart/alternative", "text/plain", "text/html"], "application/pdf"], tree(it)
    assert it["Subject"] == "Other" and text_of(it, "text/html") == "<p>Hi Ünn &amp; 李</p>\n", it
    assert text_of(it, "text/plain").startswith("Hi Ünn & 李\n\n-- \nExample News\n"), it
    world.listctl("campaign", "edit", "c", write(world, plain))
    it, found = python(world.json("campaign", "preview", "c", "ann@a.test")["message"].encode())
    assert tree(it) == "text/plain" and world.value("SELECT count(*) FROM campaign_file") == "0"
    # As Apple Mail has it, in another charset than its copies.
    apple = letter("S")
    apple.set_content("Grüße {{name}}\n")
    apple.add_alternative("<html><head><meta charset=\"iso-8859-1\"></head><body>Grüße</body></html>", subtype="html", charset="iso-8859-1")
    apple.get_payload()[1].add_attachment(PDF, "application", "pdf", filename="a.pdf")
    apple.get_payload()[1].add_attachment("<html><body>Ende</body></html>", subtype="html", disposition="inline")
    apple.get_payload()[1].add_attachment("<html><body><br></body></html>", subtype="html", disposition="inline")
    world.listctl("campaign", "edit", "c", write(world, apple))
    it, found = python(world.json("campaign", "preview", "c", "ann@a.test")["message"].encode())
    assert tree(it) == ["multipart/mixed", ["multipart/alternative", "text/plain", "text/html"], "application/pdf"], tree(it)
    assert "".join(text_of(it, "text/html").split("\n")) == '<html><head><meta charset="utf-8"></head><body>GrüßeEnde</body></html>', it
    page = world.file("page.html", "---\nsubject: S\n---\n<html><head><meta http-equiv='Content-Type' content='text/html; charset=latin1'></head>ü</html>\n")
    world.listctl("campaign", "edit", "c", page)
    it, found = python(world.json("campaign", "preview", "c", "ann@a.test")["message"].encode())
    assert "charset=utf-8'></head>ü" in text_of(it, "text/html"), it


def test_eml_refused(world):
    "What cannot be sent as it was meant is refused with its part, and with line and column of the decoded text; nothing is created."
    begin(world)

    def bad(it, *says, options=()):
        return world.refused("campaign", "create", "x", "news", write(world, it), *options, says=["letter.eml", *says])

    def edited(change):
        it = full()
        change(it)
        return it

    field = letter()
    field.set_content("a\n\nb {{wrong}}\n", cte="base64")
    bad(field, "letter.eml, part 1 (text/plain): line 3, column 3", "wrong")
    field = letter("Hello {{wrong}}")
    field.set_content("a\n")
    bad(field, "letter.eml: line 1, column 16", "wrong")
    field = full()
    field.get_payload()[0].get_payload()[1].get_payload()[0].set_content("<html>\n<p>{{wrong}}</p></html>\n", subtype="html", cte="base64")
    bad(field, "part 1.2.1 (text/html): line 2, column 4", "wrong")
    bad(bytes(full()).replace(b"cid:logo@x", b"cid:gone@x"), "part 1.2.1 (text/html): line 1, column", "the image gone@x.test: no part")
    bad(edited(lambda it: it.add_attachment(b"MZ", "application", "pdf", filename="b.pdf")),
        "part 4 (application/pdf): the attachment b.pdf: it is a program")
    said = bad(bytes(full()).replace(b"cid:logo@x", b"cid:\x1b[2Jgone@x"), "the image \\x1B[2Jgone@x.test")
    assert "\x1b" not in said, said
    said = bad(edited(lambda it: it.get_payload()[2].replace_header("Content-Disposition", "attachment; filename*=utf-8''a%1B%5B2J.csv")),
               "part 3 (text/csv)")
    assert "\x1b" not in said, said
    bad(edited(lambda it: it.add_attachment(b"%PDF-" + bytes(6 << 20), "application", "pdf", filename="b.pdf")), "campaign.attachments_max")
    bad(edited(lambda it: it.add_attachment(letter("Inner"))), "part 4 (message/rfc822): it is a message within the message")
    bad(bytes(full()).rsplit(b"\r\n--", 1)[0], "cut short")
    bad(b"Subject: a\n\nx\0y", "part 1 (text/plain): it holds a NUL octet")
    bad(b"no header at all\n", "it holds no text")
    plain = letter()
    plain.set_content("a\n")
    bad(plain, "no HTML for --preheader", options=["--preheader", "x"])
    assert world.value("SELECT count(*) FROM campaign") == "0"
    world.refused("campaign", "create", "x", "news", world.file("bare.eml", "From: a@example.test\n\nhello\n"), code=2, says="needs a subject")
