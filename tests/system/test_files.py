"""Letters of every shape, sent, and read back by Python's email and by GMime: images in the HTML, attachments, scripts of the world, long ones."""

import base64
import email
import email.policy
import hashlib
import json
import subprocess

import signatures
from verpost import BIN, Failure

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40


def gmime(world, message):
    done = subprocess.run([BIN / "mimetree"], input=message, capture_output=True, timeout=60)
    if done.returncode:
        raise Failure(f"mimetree: {done.stderr}")
    return json.loads(done.stdout)


def python(message):
    it = email.message_from_bytes(message, policy=email.policy.default)
    parts = []
    for part in it.walk():
        assert not part.defects, part.defects
        if part.is_multipart():
            continue
        parts.append({"type": part.get_content_type(), "filename": part.get_filename(),
                      "id": part["Content-ID"] and part["Content-ID"].strip("<>"), "disposition": part.get_content_disposition(),
                      "sha256": hashlib.sha256(part.get_payload(decode=True)).hexdigest()})
    return it, {"subject": it["Subject"], "parts": parts}


def tree(part):
    return [part.get_content_type(), *map(tree, part.iter_parts())] if part.is_multipart() else part.get_content_type()


def text_of(it, kind):
    return next(part for part in it.walk() if part.get_content_type() == kind).get_content().replace("\r\n", "\n")


def folder(world, name, **files):
    where = world.base / name
    where.mkdir()
    for file, content in files.items():
        file = file.replace("__", ".")
        (where / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return where


LONG = "A very long subject that goes on and on: " + "näher " * 24 + "{{name}}"
BIG = "\n\n".join(f"Paragraph {n} for {{{{name}}}}: " + "all work and no play makes a long letter " * 20 for n in range(240))

SHAPES = {
    "alternative": ("S", "Dear *{{name}}*\n", {}),
    "international": ("Grüße, 新闻, {{name}}", "Ελληνικά, русский, 中文, 日本語: {{name}}\n", {}),
    "long": (LONG, "Hi {{name}}\n", {}),
    "big": ("Big", BIG, {}),
    "emoji": ("🎉 {{name}} 👩‍👩‍👧", "👍🏽 {{name}} 🇩🇪\n", {}),
    "rtl": ("שלום {{name}}", "مرحبا {{name}} - שלום \u202b(1)\u202c\n", {}),
    "related": ("S", "See ![the pixel](pixel.png) and ![again](cid:pixel.png), {{name}}\n", {"pixel__png": PNG}),
    "mixed": ("S", "Read it, {{name}}\n", {"report__pdf": PDF}),
    "all": ("S", "![p](pixel.png) {{name}}\n", {"pixel__png": PNG, "report__pdf": PDF, "Zürich 新聞__txt": "Grüße\n"}),
}
TREES = {
    "related": ["multipart/alternative", "text/plain", ["multipart/related", "text/html", "image/png"]],
    "mixed": ["multipart/mixed", ["multipart/alternative", "text/plain", "text/html"], "application/pdf"],
    "all": ["multipart/mixed", ["multipart/alternative", "text/plain", ["multipart/related", "text/html", "image/png"]],
            "application/pdf", "text/plain"],
}


def test_every_shape(world):
    "Each shape arrives signed, with the same parts and the same text for Python's email and for GMime."
    verifiers = signatures.Verifiers(world)
    world.setup()
    keys = world.base / "dkim"
    keys.mkdir()
    keys.chmod(0o750)
    world.listctl("dkim", "new", "example.test")
    world.listctl("import", "news", world.file("s.csv", "email,name\nann@a.test,Ünn & 李\n"))
    world.mailworld("* accept\n")
    for name, (subject, body, files) in SHAPES.items():
        attachments = [file.replace("__", ".") for file in files if not file.startswith("pixel")]
        front = f"---\nsubject: {subject}\n" + (f"attachments: {', '.join(attachments)}\n" if attachments else "") + "---\n"
        world.listctl("campaign", "create", name, "news", folder(world, name, letter__md=front + body, **files))
    world.listctl("campaign", "create", "plain", "news", "--subject", "S", "--text", world.file("p.txt", "Only {{name}}\n.\nFrom here\n"))
    world.start("sender")
    for name in [*SHAPES, "plain"]:
        world.listctl("campaign", "start", name)
        world.finished(name)
    mails = {}
    for path in (world.base / "mailworld.mail").iterdir():
        message = path.read_bytes()
        it, found = python(message)
        assert found == gmime(world, message), (found, gmime(world, message))
        mails[it["Feedback-ID"].split(":")[0]] = (it, found, message)
        assert all(len(line) <= 998 and line.isascii() for line in message.split(b"\r\n")), path
    assert set(mails) == {*SHAPES, "plain"}, set(mails)
    for name, (subject, body, files) in SHAPES.items():
        it, found, _ = mails[name]
        assert it["Subject"] == subject.replace("{{name}}", "Ünn & 李"), it["Subject"]
        assert tree(it) == TREES.get(name, ["multipart/alternative", "text/plain", "text/html"]), (name, tree(it))
        assert "Ünn & 李" in text_of(it, "text/plain") and "Ünn &amp; 李" in text_of(it, "text/html"), name
        digests = {part["sha256"]: part for part in found["parts"]}
        for file, content in files.items():
            part = digests[hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()]
            shown = file == "pixel__png"
            assert part["filename"] == file.replace("__", ".") and part["disposition"] == ("inline" if shown else "attachment"), part
            if shown:
                assert f'src="cid:{part["id"]}"' in text_of(it, "text/html"), text_of(it, "text/html")
    for n in range(240):
        assert f"Paragraph {n} for Ünn & 李: all work" in text_of(mails["big"][0], "text/plain").replace("\n", " "), n
    assert len(mails["big"][2]) > 200_000
    assert "Ελληνικά, русский, 中文, 日本語: Ünn" in text_of(mails["international"][0], "text/plain")
    assert "👍🏽 Ünn & 李 🇩🇪" in text_of(mails["emoji"][0], "text/plain")
    assert "مرحبا Ünn & 李 - שלום \u202b(1)\u202c" in text_of(mails["rtl"][0], "text/plain")
    assert tree(mails["plain"][0]) == "text/plain" and text_of(mails["plain"][0], "text/plain") == "Only Ünn & 李\n.\nFrom here\n"
    judged = verifiers.judge({name: mail[2] for name, mail in mails.items()})
    assert all(all(verdicts.values()) for verdicts in judged.values()), judged


def test_page_for_a_browser(world):
    "A preview's page is one member's HTML with the images in it; a letter without HTML has none."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,name\nann@a.test,Ünn & 李\n"))
    _, body, files = SHAPES["related"]
    world.listctl("campaign", "create", "c", "news", folder(world, "c", letter__md=f"---\nsubject: S\n---\n{body}", **files))
    page = world.base / "page.html"
    world.listctl("campaign", "preview", "c", "ann@a.test", "--html", page)
    text = page.read_text()
    assert "Ünn &amp; 李" in text and "cid:" not in text, text
    assert text.count(f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"') == 2, text
    assert world.listctl("campaign", "preview", "c", "ann@a.test", "--html", "-") == text
    world.refused("campaign", "preview", "c", "--html", world.base / "no/where", says="no/where")
    world.listctl("campaign", "create", "plain", "news", "--subject", "S", "--text", world.file("p.txt", "Only {{name}}\n"))
    world.refused("campaign", "preview", "plain", "--html", page, says="no HTML")


def lint(world, name):
    done = world.run("listctl", "campaign", "lint", name, "--format", "json")
    return {row["code"]: row["finding"] for row in json.loads(done.stdout)}


def test_names_of_files(world):
    "A file is found by ./NAME, a name with blanks, percent signs or commas, and by one that itself holds %20."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email\nann@a.test\n"))
    files = {"my logo.png": PNG, "a%20b.png": PNG + b"1", "c&d.png": PNG + b"2", "100%.png": PNG + b"3", "März.png": PNG + b"4",
             "a, b.pdf": PDF, "c.pdf": PDF, "it's.txt": "x\n"}
    body = ("Look: ![](./my%20logo.png) ![](<my logo.png>) ![](a%20b.png) ![](<c&d.png>) ![](100%.png) ![](März.png)\n\n"
            '<img src="./my logo.png" alt=""> <img src="cid:my logo.png" alt="">\n')
    front = "---\nsubject: S\nhtml: yes\nattachments: ./c.pdf, \"a, b.pdf\", it's.txt\n---\n"
    where = folder(world, "named", letter__md=front + body)
    for name, content in files.items():
        (where / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    done = world.run("listctl", "campaign", "create", "c", "news", where)
    assert done.returncode == 0 and "does not use" not in done.stderr and "image-broken" not in done.stderr, done
    rows = world.sql("SELECT name FROM campaign_file ORDER BY position")
    assert sorted(row[0] for row in rows) == sorted(files), rows
    page = world.listctl("campaign", "preview", "c", "--html", "-")
    assert page.count(base64.b64encode(PNG).decode() + '"') == 4 and "cid:" not in page, page
    text = world.listctl("campaign", "preview", "c", "ann@a.test")
    assert "Image: my logo.png (image/png, 70 octets)" in text and "Attached: it's.txt (text/plain; charset=utf-8, 2 octets)" in text, text
    assert text.rstrip().endswith("Unsubscribe"), text
    codes = lint(world, "c")
    assert "image-broken" not in codes and "message-large" not in codes, codes
    # Without alt it is called by its name.
    html = world.file("l.html", '<p>{{unsubscribe}}</p><img src="my%20logo.png">')
    (world.base / "my logo.png").write_bytes(PNG)
    done = world.run("listctl", "campaign", "create", "d", "news", html, "--subject", "S")
    assert 'images without alt: "my logo.png"' in done.stderr, done
    assert lint(world, "d")["image-without-alt"] == 'images without alt: "my logo.png"'
    # What is attached counts.
    (world.base / "large.pdf").write_bytes(PDF + bytes(1 << 20))
    done = world.run("listctl", "campaign", "create", "e", "news", world.file("e.md", "---\nsubject: S\nattachments: large.pdf\n---\nx\n"))
    assert "message-large: the message has 14" in done.stderr and "message-large" in lint(world, "e"), done


def test_files_that_are_refused(world):
    "What cannot be sent is said with its place and what to do, and nothing is created."
    world.setup()

    def bad(body, *says, front="", **files):
        where = world.base / "bad"
        subprocess.run(["rm", "-rf", where], check=True)
        folder(world, "bad", letter__md=f"---\nsubject: S\n{front}---\n{body}\n", **files)
        world.refused("campaign", "create", "x", "news", where, says=[*says])

    bad("a\n\n![x](none.png)", "letter.md: line 6, column 6: the image none.png", "none.png")
    bad("![x](A.PNG)", "the image A.PNG: cannot read", "No such file or directory; there is a.png, and capitals make a difference", a__png=PNG)
    bad("![x](cid:a.png)", "a.png", "it is no png", a__png="GIF89a")
    bad("![x](a.pdf)", "it is no image", "attachments", a__pdf=PDF)
    bad("![x](../a.png)", "no dot in front")
    bad("![x](b/a.png)", "it is a path")
    bad('<img src="a.png" srcset="https://a.test/a.png 1x, b.png 2x">', "letter.md: line 5, column 51: the image b.png", "b.png", front="html: yes\n",
        a__png=PNG)
    bad('<img src="a.png" srcset="a.png 2x">', "letter.md: line 5, column 26: the image a.png: a srcset takes images on the web alone", "(cid:)",
        front="html: yes\n", a__png=PNG)
    bad("a", "line 3: the attachment letter.md: it is the letter itself", front="attachments: ./letter.md\n")
    bad("a", "line 3: the attachment letter.txt: it is the letter itself", front="attachments: letter.txt\n", letter__txt="a")
    bad("a", "the attachment Thumbs.db: it is a file that the system or an editor has left", front="attachments: Thumbs.db\n", Thumbs__db="a")
    bad("a", "turns the direction", front="attachments: x\u202efdp.txt\n")
    bad("a", "line 3: the attachment a.exe", "program", front="attachments: a.exe\n", a__exe=b"MZ")
    bad("a", "line 3: the attachment a.pdf", "program", front="attachments: a.pdf\n", a__pdf=b"MZ")
    bad("a", "the attachment a.pdf, b.pdf", "quotes of its own", front='attachments: "a.pdf, b.pdf"\n', a__pdf=PDF, b__pdf=PDF)
    bad("a", "more than 5242880 octets", "campaign.attachments_max", front="attachments: a.pdf\n", a__pdf=b"%PDF-" + bytes(5 << 20))
    bad("a", "have more octets together", front="attachments: a.pdf, b.pdf\n", a__pdf=b"%PDF-" + bytes(3 << 20),
        b__pdf=b"%PDF-" + bytes(3 << 20))
    secret = world.file("secret.txt", "what root alone may read")
    linked = folder(world, "linked", letter__md="---\nsubject: S\nattachments: a.txt\n---\nx\n", b__txt="beside it")
    for target, says in ((secret, ["the attachment a.txt", f"it is a link to {secret}", "put the file itself there"]), ("b.txt", None)):
        (linked / "a.txt").unlink(missing_ok=True)
        (linked / "a.txt").symlink_to(target)
        if says:
            world.refused("campaign", "create", "x", "news", linked, says=says)
    (linked / "letter.txt").symlink_to(secret)
    world.refused("campaign", "create", "x", "news", linked, says=["letter.txt", f"is a link to {secret}"])
    (linked / "letter.txt").unlink()
    world.listctl("campaign", "create", "linked", "news", linked)
    world.listctl("campaign", "delete", "linked")
    assert world.value("SELECT count(*) FROM campaign") == "0"
    good = folder(world, "good", letter__md="---\nsubject: S\n---\n![x](a.png)\n", a__png=PNG, old__pdf=PDF, Thumbs__db="x", desktop__ini="x")
    for name in (".DS_Store", "letter.md~", ".letter.md.swp", ".git"):
        (good / name).write_text("x")
    done = world.run("listctl", "campaign", "create", "c", "news", good)
    assert done.returncode == 0 and "does not use old.pdf\n" in done.stderr, done
    left = done.stderr.split("left aside in the letter's folder, as files of the system or an editor: ")[1].split("\n")[0]
    assert sorted(left.split(", ")) == [".DS_Store", ".letter.md.swp", "Thumbs.db", "desktop.ini", "letter.md~"], left
    # An edit without a letter keeps the files; one with another letter takes its own.
    world.listctl("campaign", "edit", "c", "--subject", "T")
    assert world.sql("SELECT name, type, content_id IS NOT NULL FROM campaign_file") == [["a.png", "image/png", "t"]]
    world.refused("campaign", "edit", "c", "--html", "", "--text", world.file("t.txt", "t"), says="images for the HTML")
    world.listctl("campaign", "edit", "c", world.file("l.md", "---\nsubject: S\n---\nx\n"))
    assert world.value("SELECT count(*) FROM campaign_file") == "0"
