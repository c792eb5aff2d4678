"""Letters as people write them: Markdown or HTML in a file or a folder, in the list's layout, with a text part for those who read text."""

import email
import email.policy


def test_ways_out_that_lead_nowhere(world):
    "{{unsubscribe}} behind http:// and the like is refused with file, line and column, and so is {{list}} as a value."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email\nann@a.test\n"))
    for name, content, says in (
            ("a.md", "Dear reader,\n\n[leave](http://{{unsubscribe}})\n", "line 3, column 16: {{unsubscribe}} is a whole link"),
            ("b.html", "<p>x</p>\n<a href='mailto:{{unsubscribe}}'>leave</a>\n", "line 2, column 17: {{unsubscribe}} is a whole link"),
            ("c.html", "<html><a href='{{unsubscribe}}/x'>leave</a></html>\n", "line 1, column 31: {{unsubscribe}} is a whole link"),
            ("d.md", "Dear reader,\n\nthe news of {{list}}\n", "line 3, column 13: the field \"list\" holds others")):
        path = world.file(name, content)
        world.refused("campaign", "create", "c", "news", path, "--subject", "s", says=(f"{name}: {says}",))
    world.refused("campaign", "create", "c", "news", "--subject", "s", "--text", world.file("t.txt", "leave: https://a.test/{{unsubscribe}}\n"),
                  says=("t.txt: line 1, column 23: {{unsubscribe}} is a whole link",))


def test_ways_out_that_not_everybody_sees(world):
    "A way out within a section or hidden is none: a text that is made gets one below, letter.txt and layouts a warning."
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,vip\nann@a.test,\nbob@b.test,yes\n"))
    some = "{{#vip}}\n[leave]({{unsubscribe}})\n{{/vip}}\n"
    done = world.run("listctl", "campaign", "create", "c", "news", world.file("c.md", "Dear reader\n\n" + some), "--subject", "s")
    assert done.returncode == 0 and "unsubscribe-missing" not in done.stderr, done
    assert "\nUnsubscribe: mailto:" in world.listctl("campaign", "preview", "c", "ann@a.test").split("--- the HTML")[0]
    folder = world.base / "letter"
    folder.mkdir()
    (folder / "letter.md").write_text("Dear reader\n")
    (folder / "letter.txt").write_text("Dear reader\n{{#vip}}{{unsubscribe}}{{/vip}}\n")
    done = world.run("listctl", "campaign", "create", "d", "news", folder, "--subject", "s")
    assert done.returncode == 0 and "unsubscribe-missing: the text has no {{unsubscribe}}" in done.stderr, done
    for layout, is_well in (("<a href='{{unsubscribe}}'>leave</a>", True), ("<p title='{{unsubscribe}}'>x</p>", False)):
        done = world.run("listctl", "list", "edit", "news", "--layout", world.file("l.html", "<html>{{{content}}}" + layout + "</html>"))
        assert done.returncode == 0 and ("has no {{unsubscribe}}" not in done.stderr) == is_well, done


LETTER = """---
subject: "Q&A for {{name|friend}}"
from: The Editors <editors@example.test>
reply-to: answers@example.test
preheader: Ünder {{city|somewhere}}
---
# Hello {{name|friend}}

You live in **{{city|some town}}**; see [the map](https://maps.test/?q={{city}}&z=1).

{{#orders}}
* one {{.}}
{{/orders}}

| what | where |
|------|-------|
| post | {{city}} |

a < b <i>not italic</i>
"""


def begin(world):
    world.setup()
    world.listctl("import", "news", world.file("s.csv", "email,name,city\nann@a.test,Ann & <Sons>,Bonn & <Köln>\nbob@b.test,,\n"))
    world.sql("UPDATE subscriber SET attributes = attributes || '{\"orders\": [\"A & 5 €\", \"B2\"]}' WHERE address_key = 'ann@a.test'")


def parts(message):
    "Both parts' texts of a message, by Python's own parser, lines ended by LF."
    it = email.message_from_bytes(message if isinstance(message, bytes) else message.encode(), policy=email.policy.default)
    assert it.get_content_type() == "multipart/alternative", it.get_content_type()
    text, html = it.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return it, text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


ANNS_TEXT = """Hello Ann & <Sons>
============

You live in Bonn & <Köln>; see the map (https://maps.test/?q=Bonn%20%26%20%3CK%C3%B6ln%3E&z=1).

- one A & 5 €

- one B2

what | where
------------
post | Bonn & <Köln>

a < b <i>not italic</i>

-- 
Example News
Unsubscribe: mailto:unsubscribe+"""


def test_markdown_letter_is_sent(world):
    "A letter in Markdown goes out as text and HTML, its fields escaped for each, as the preview said."
    begin(world)
    world.listctl("campaign", "create", "c", "news", world.file("november.md", LETTER))
    assert world.sql("SELECT subject, from_name, from_address, reply_to FROM campaign") == \
        [["Q&A for {{name|friend}}", "The Editors", "editors@example.test", "answers@example.test"]]
    preview = world.listctl("campaign", "preview", "c", "ann@a.test")
    assert "Subject: Q&A for Ann & <Sons>" in preview and "the HTML part" in preview, preview
    assert preview.count("You live in Bonn & <Köln>") == 2, preview
    world.mailworld("* accept\n")
    world.start("sender")
    world.listctl("campaign", "start", "c")
    world.finished("c")
    mails = {}
    for path in (world.base / "mailworld.mail").iterdir():
        it, text, html = parts(path.read_bytes())
        mails[it["To"].addresses[0].addr_spec] = (it, text, html)
    assert set(mails) == {"ann@a.test", "bob@b.test"}, mails
    it, text, html = mails["ann@a.test"]
    assert it["Subject"] == "Q&A for Ann & <Sons>" and it["Reply-To"] == "answers@example.test", it.items()
    assert text.startswith(ANNS_TEXT), text
    for piece in ["<title>Q&amp;A for Ann &amp; &lt;Sons&gt;</title>", ">Ünder Bonn &amp; &lt;Köln&gt;</div>",
                  "<h1>Hello Ann &amp; &lt;Sons&gt;</h1>", "<strong>Bonn &amp; &lt;Köln&gt;</strong>",
                  "https://maps.test/?q=Bonn%20%26%20%3CK%C3%B6ln%3E&amp;z=1", "<li>one A &amp; 5 €</li>", "<td>Bonn &amp; &lt;Köln&gt;</td>",
                  "&lt;i&gt;not italic&lt;/i&gt;", "<b>Example News</b>", "href=\"mailto:unsubscribe+", "max-width:600px"]:
        assert piece in html, (piece, html)
    it, text, html = mails["bob@b.test"]
    assert "Hello friend\n" in text and "You live in some town;" in text and " one " not in text, text
    assert "<li>" not in html and "Ünder somewhere" in html and "{{" not in html + text, html


def test_folder(world):
    "A folder holds letter.md or letter.html and perhaps letter.txt; options win over front matter."
    begin(world)
    folder = world.base / "may"
    folder.mkdir()
    create = ["campaign", "create", "c", "news", folder]
    world.refused(*create, says=["letter.md", "letter.html"])
    (folder / "letter.html").write_text("---\r\nsubject: One\r\n---\r\n<p>Dear {{name|x}}</p>\r\n<ul><li>a &amp; b</li></ul>\r\n")
    world.listctl(*create, "--subject", "Two", "--from", "ed@example.test", "--preheader", "Psst {{city}}")
    it, text, html = parts(world.json("campaign", "preview", "c", "ann@a.test")["message"])
    assert it["Subject"] == "Two" and it["From"].addresses[0].addr_spec == "ed@example.test"
    assert text.startswith("Dear Ann & <Sons>\n\n- a & b\n\n-- \n"), text
    assert ">Psst Bonn &amp; &lt;Köln&gt;</div>" in html and "<p>Dear Ann &amp; &lt;Sons&gt;</p>\n<ul><li>a &amp; b" in html, html
    (folder / "letter.txt").write_text("Only text, {{name}}. {{unsubscribe}}\n")
    world.listctl("campaign", "edit", "c", folder)
    it, text, html = parts(world.json("campaign", "preview", "c", "ann@a.test")["message"])
    assert it["Subject"] == "One" and text.startswith("Only text, Ann & <Sons>. mailto:") and "Psst" not in html, text
    (folder / "letter.md").write_text("x")
    world.refused("campaign", "edit", "c", folder, says="remove one")
    # A whole document is its own layout.
    page = world.file("page.html", "---\nsubject: S&T\n---\n<!DOCTYPE html>\n<html><head><title>{{subject}}</title></head>\n"
                      "<body><p>Hi {{name}}, <a href='{{unsubscribe}}'>leave</a></p></body></html>\n")
    world.listctl("campaign", "create", "d", "news", page)
    it, text, html = parts(world.json("campaign", "preview", "d", "ann@a.test")["message"])
    assert html.strip().startswith("<!DOCTYPE html>\n<html><head><title>S&amp;T</title>") and "600px" not in html, html
    assert text.startswith("Hi Ann & <Sons>, leave (mailto:unsubscribe+"), text
    # Its subject and preheader may stand anywhere in it; the text has the subject too, and another one replaces both.
    page = world.file("shown.html", "---\nsubject: Q&A {{city}} #1\npreheader: Psst\n---\n<html><body><h1>{{subject}}</h1><i>{{preheader}}</i>"
                      "<p><a href=\"mailto:f@x.test?subject={{subject}}&amp;body=x\">tell</a> <a href='{{unsubscribe}}'>leave</a></body></html>\n")
    world.listctl("campaign", "create", "shown", "news", page)
    def shown():
        return parts(world.json("campaign", "preview", "shown", "ann@a.test")["message"])
    it, text, html = shown()
    link = "mailto:f@x.test?subject=Q%26A%20Bonn%20%26%20%3CK%C3%B6ln%3E%20%231"
    assert text.startswith("Q&A Bonn & <Köln> #1\n===") and "Psst" in text and link + "&body=x" in text, text
    assert "<h1>Q&amp;A Bonn &amp; &lt;Köln&gt; #1</h1><i>Psst</i>" in html and link + "&amp;body=x" in html, html
    world.listctl("campaign", "edit", "shown", "--subject", "N \"{{name}}\" <b>")
    it, text, html = shown()
    link = "mailto:f@x.test?subject=N%20%22Ann%20%26%20%3CSons%3E%22%20%3Cb%3E"
    assert text.startswith("N \"Ann & <Sons>\" <b>\n===") and link in text, text
    assert "<h1>N &quot;Ann &amp; &lt;Sons&gt;&quot; &lt;b&gt;</h1>" in html and link in html, html
    # Without a letter: a text is made for --html, too.
    world.listctl("campaign", "create", "e", "news", "--subject", "s", "--html", world.file("e.html", "<p>One</p><p>Two {{city}}</p>"))
    it, text, html = parts(world.json("campaign", "preview", "e", "ann@a.test")["message"])
    assert text.startswith("One\n\nTwo Bonn & <Köln>\n\n-- \n") and html.startswith("<p>One</p>"), text


def test_layout(world):
    "A list has a layout of its own; a campaign keeps the one that it was written with."
    begin(world)
    letter = world.file("l.md", "---\nsubject: S\n---\nHi *{{name}}*\n")
    edit = ["list", "edit", "news", "--layout"]
    world.refused(*edit, world.file("bad.html", "<p>\n{{content}}</p>"), says=["bad.html: line 2, column 1", "{{{content}}}"])
    world.refused(*edit, world.file("bad.html", "<p>{{{content}}}\n {{town}}</p>"), says=["bad.html: line 2, column 2", "town"])
    world.refused(*edit, world.file("bad.html", "{{#city}}{{{content}}}{{/city}}"), says=["bad.html: line 1, column 10", "in a section"])
    world.refused(*edit, world.base / "missing.html", says="missing.html")
    own = "<html><p>{{list.title}}: {{subject}}</p>\n{{{content}}}<a href=\"{{unsubscribe}}\">x</a></html>\n"
    world.listctl(*edit, world.file("own.html", own))
    assert world.listctl("list", "show", "news", "--layout") == own
    world.listctl("campaign", "create", "c", "news", letter)
    world.refused("campaign", "create", "p", "news", letter, "--preheader", "p", says=["layout of the list news", "{{preheader}}"])
    done = world.run("listctl", *edit, world.file("bare.html", "<html>{{{content}}}</html>"))
    assert done.returncode == 0 and "{{unsubscribe}}" in done.stderr, done
    def html(name):
        return parts(world.json("campaign", "preview", name, "ann@a.test")["message"])[2]
    assert html("c").startswith("<html><p>Example News: S</p>\n<p>Hi <em>Ann &amp; &lt;Sons&gt;</em></p>"), html("c")
    world.listctl("list", "edit", "news", "--title", "New Title")
    assert world.listctl("list", "show", "news", "--layout") == "<html>{{{content}}}</html>"
    world.listctl(*edit, "")
    assert "max-width:600px" in world.listctl("list", "show", "news", "--layout")
    world.listctl("campaign", "create", "d", "news", letter)
    assert "max-width:600px" in html("d") and "<b>New Title</b>" in html("d") and "max-width" not in html("c")


def test_meaning_is_kept(world):
    "Defaults with character references, struck out and raised text and autolinks with fields mean in the text part what they mean in the HTML."
    begin(world)
    letter = world.file("k.html", "---\nsubject: '{{nick|A &amp; B}}'\n---\n<p>{{nick|Tom &amp; Jerry}}: <s>50</s> 30 EUR, 10<sup>2</sup>\n")
    world.sql("UPDATE subscriber SET attributes = attributes || '{\"nick\": \"\"}'")
    world.listctl("campaign", "create", "k", "news", letter)
    message = world.json("campaign", "preview", "k", "ann@a.test")["message"]
    _, text, html = parts(message)
    assert "Tom & Jerry: ~~50~~ 30 EUR, 10\u00b2" in text and "Tom &amp; Jerry:" in html and "&amp;amp; J" not in html, (text, html)
    letter = world.file("l.md", "---\nsubject: S\n---\n{{nick|Tom &amp; Jerry}} ~~50~~ 30 <https://a.test/{{email}}>\n")
    world.listctl("campaign", "create", "l", "news", letter)
    _, text, html = parts(world.json("campaign", "preview", "l", "ann@a.test")["message"])
    assert "Tom & Jerry ~~50~~ 30 https://a.test/ann%40a.test\n" in text and "<p>Tom &amp; Jerry <del>50" in html, (text, html)


def test_mistakes(world):
    "What is wrong with a letter is said with the line and column of the file, and nothing is created."
    begin(world)
    head = "---\nsubject: S\n---\n"

    def bad(text, *says, name="m.md", options=(), code=1):
        path = world.file(name, text)
        return world.refused("campaign", "create", "x", "news", path, *options, code=code, says=[*says])

    bad(head + "Hi\n\n* a {{nam}}\n", "m.md: line 6, column 5", "nam")
    bad(head + "Hi {{#city}}\n", "m.md: line 4, column 4", "{{/city}}")
    bad(head + "**a {{#city}}b** c{{/city}}\n", "m.md: line 4, column 19", "section")
    bad("---\nsubject: 'Ä {{nam}}'\n---\nHi\n", "m.md: line 2, column 13", "nam")
    bad("---\nsubject: S\npreheader: {{nam}}\n---\nHi\n", "m.md: line 3, column 12", "nam")
    bad(head + "Hi\n\n[x](javascript:f%28{{city}}%29)\n", "m.md: line 6, column 20", "such a link")
    bad(head + "<p>\n<style>p { color: {{city}} }</style>", "m.html: line 5, column 19", "<style>", name="m.html")
    bad(head + "<p>\n<!-- {{city}} --><p {{city}}><a href={{city}}>", "m.html: line 5, column 6", "comment", name="m.html")
    bad(head + "{{#orders}}{{skew}}{{/orders}}\n", "m.md: line 4, column 12", "skew")
    bad("---\nsubjekt: S\n---\nHi\n", "m.md: line 2, column 1", "subject, from, reply-to, preheader, html, attachments")
    said = bad("---\nsub\x1b[2Jject: S\n---\nHi\n", "m.md: line 2, column 1", "sub\\x1B[2Jject")
    assert "\x1b" not in said, said
    bad("---\nsubject: S\nfrom: nobody\n---\nHi\n", "m.md: line 3, column 7: from", "@")
    bad("---\nsubject: S\nfrom: News for {{city}} <a@b.test>\n---\nHi\n", "m.md: line 3, column 16: from", "merge field", "{{city}} <a@b.test>")
    bad("---\nsubject: S\nreply-to: <{{city}}@b.test>\n---\nHi\n", "m.md: line 3, column 12: reply-to", "merge field")
    bad(head + "Hi\n", "--from: a merge field", options=["--from", "{{name}} <a@b.test>"])
    bad("\n" + head + "Hi\n", "m.md: line 2, column 1", "an empty line stands before the front matter")
    bad(head + "Hi {{name}}}\n", "m.md: line 4, column 12", "a } too many")
    bad(head + "Hi {{name|{{city}}}}\n", "m.md: line 4, column 11", "{{^name}}...{{/name}}")
    bad(head + "Hi {{ na<span>me</span> }}\n", "m.html: line 4, column 4", "one piece: {{name}}", name="m.html")
    bad(head + "Hi {{na\u200bme}}\n", "m.md: line 4, column 4", "U+200B", "{{name}}")
    bad(head + '<a href="java&#115;cript:f({{city}})">', "m.html: line 4, column 28", "such a link", name="m.html")
    world.refused("list", "edit", "news", "--header", "X-For: {{name}}", says="merge field")
    world.refused("list", "edit", "news", "--title", "For {{name}}", code=2, says="merge field")
    world.refused("list", "edit", "news", "--layout", world.file("l.html", '<p title="{{{content}}}">'), says=["line 1, column 11", "between elements"])
    bad("---\nsubject: S\nHi\n", "m.md: line 3, column 1", "---")
    bad("Hi\n", "subject", code=2)
    bad(head, "m.md holds no letter")
    bad(head.encode() + b"caf\xe9\n", "m.md", "UTF-8")
    bad(head + "<p>\n{{nam}}", "m.html: line 5, column 1", "nam", name="m.html")
    bad(head + "<html>\n{{{content}}}", "m.html: line 5, column 1", "layouts only", name="m.html")
    bad(head + "<div>" * 1000 + "x", "text part", "stand in each other", name="m.html")
    bad("x", "m.txt", ".md, .html or .eml", name="m.txt")
    bad(head + "Hi", "--preheader: line 1", "nam", options=["--preheader", "{{nam}}"])
    world.refused("campaign", "create", "x", "news", world.base / "none.md", says="none.md")
    world.refused("campaign", "create", "x", "news", "--subject", "s", "--html", world.file("h.html", "<p>x"), "--allow-html", code=2,
                  says="LETTER")
    assert world.value("SELECT count(*) FROM campaign") == "0"
    page = world.file("r.md", head + "a <b>c</b> {{name}}\n")
    for name, options in [("x", []), ("y", ["--allow-html"])]:
        world.listctl("campaign", "create", name, "news", page, *options)
        html = parts(world.json("campaign", "preview", name, "ann@a.test")["message"])[2]
        assert ("<p>a <b>c</b> Ann &amp; &lt;Sons&gt;</p>" in html) == bool(options), html
    world.listctl("campaign", "create", "z", "news", world.file("r.md", "---\nsubject: S\nhtml: yes\n---\na <b>c</b>\n"))
    assert "<p>a <b>c</b></p>" in parts(world.json("campaign", "preview", "z", "ann@a.test")["message"])[2]


def test_first_mistakes(world):
    "What people who write their first letter do wrong is said so that they know what to do."
    begin(world)
    head = "---\nsubject: S\n---\n"

    def bad(name, text, *says, code=1):
        world.refused("campaign", "create", "x", "news", world.file(name, text), code=code, says=says)

    bad("a.md", "Subject: November\n\nDear {{name}}\n", "at the top of the letter a line `subject: ...` between two lines ---", code=2)
    bad("b.docx", "PK", "save it there as HTML")
    bad("c.md", "---\nsubject: S\nfrom: Example News\n---\nx", "line 3, column 7: from: here is no address; write Name <name@example.org>")
    bad("d.md", head + "{{#if city}}x{{/if}}", "line 4, column 1: \"if city\" is no field")
    bad("e.html", head + "<a href=\u201c{{unsubscribe}}\u201d>x</a>", "straight quotes")
    done = world.run("listctl", "campaign", "create", "c", "news",
                     world.file("f.md", head + 'Dear <b>{{name|"you"}}</b><br>\n\n[shop](https://a.test/my page) [x](y.test) `<b>`\n'))
    assert done.returncode == 0, done
    for says in ('markup-shown: readers see as text: "<b>", "</b>", "<br>" and 1 more', "for which write {{name|you}}", 'links that lead nowhere: "y.test"'):
        assert says in done.stderr, (says, done.stderr)
    done = world.run("listctl", "campaign", "edit", "c", world.file("g.md", "---\nSubject: S\nHTML: yes\n---\nDear <b>{{name|you}}</b>\n"))
    assert done.returncode == 0 and "markup-shown" not in done.stderr, done


def test_letters_that_were_kept(world):
    "A campaign whose letter was kept before rules became stricter is not sent: each verb says what is wrong and how to go on."
    begin(world)
    letter = world.file("m.md", "---\nsubject: S\n---\nDear {{name}} of {{city}}\n")
    world.listctl("campaign", "create", "c", "news", letter)
    world.sql("UPDATE campaign SET text_body = 'Dear {{name}}}'")
    says = ("text: line 1, column 14: a } too many stands behind {{name}}", "That is how campaign c was kept: `listctl campaign show c --text`",
            "`listctl campaign edit c LETTER`")
    for verb in (["start", "c"], ["lint", "c"], ["preview", "c"], ["test", "c", "a@a.test"], ["edit", "c", "--from", "b@example.test"],
                 ["schedule", "c", "--at", "2031-01-01 10:00", "--zone", "UTC"]):
        world.refused("campaign", *verb, says=says)
    assert world.listctl("campaign", "show", "c", "--text") == "Dear {{name}}}"
    text = world.file("t.txt", "Dear {{name}}}")
    said = world.refused("campaign", "edit", "c", "--text", text, says=f"--text {text}: line 1, column 14: a }} too many")
    assert "was kept" not in said, said
    assert "was kept" not in world.refused("campaign", "edit", "c", "--subject", "{{x", "--text", world.file("u.txt", "x"), says="subject: line 1, column 1"), 1
    world.listctl("campaign", "edit", "c", letter, "--variant", "10% {{city}}")
    world.sql("UPDATE campaign_variant SET subject = '{{city}}}' WHERE subject IS NOT NULL")
    world.refused("campaign", "start", "c", says="subject: line 1, column 9: a } too many")
    world.listctl("campaign", "edit", "c", "--variant", "")
    world.listctl("campaign", "start", "c")


def test_values_in_their_places(world):
    "A value is escaped for where it stands; who has one that cannot stand there is set aside, with the reason."
    begin(world)
    world.sql("UPDATE subscriber SET attributes = '{\"site\": \"https://ann.test/?a=1&b=\\\"\", \"q\": \"a&b/\\u00e9\", \"box\": {\"w\": \"50%\"},"
              " \"orders\": [{\"sku\": \"<1>\"}, {\"sku\": \"2\"}]}' WHERE address_key = 'ann@a.test'")
    world.sql("UPDATE subscriber SET attributes = '{\"site\": \"javascript:alert(1)\"}' WHERE address_key = 'bob@b.test'")
    letter = """---
subject: "{{q}}"
---
[site]({{site}}), [find](https://f.test/{{q}}?x={{q}}), [mail](mailto:{{email}}), ![pic](https://i.test/{{{q}}}.png "is {{q}}")

{{#orders}}
* {{sku}} of {{box.w}}
{{/orders}}
"""
    world.listctl("campaign", "create", "c", "news", world.file("l.md", letter))
    it, text, html = parts(world.json("campaign", "preview", "c", "ann@a.test")["message"])
    assert it["Subject"] == "a&b/é", it["Subject"]
    for piece in ['href="https://ann.test/?a=1&amp;b=%22"', 'href="https://f.test/a%26b%2F%C3%A9?x=a%26b%2F%C3%A9"', 'href="mailto:ann@a.test"',
                  'src="https://i.test/a&amp;b/%C3%A9.png" alt="pic" title="is a&amp;b/é"', "<li>&lt;1&gt; of 50%</li>", "<li>2 of 50%</li>"]:
        assert piece in html, (piece, html)
    assert 'find (https://f.test/a%26b%2F%C3%A9?x=a%26b%2F%C3%A9)' in text.replace("\n", " ") and "- <1> of 50%" in text, text
    world.refused("campaign", "preview", "c", "bob@b.test", says=["site", "https://"])
    world.mailworld("* accept\n")
    world.start("sender")
    world.listctl("campaign", "start", "c")
    world.finished("c")
    assert world.sql("SELECT s.address_key, d.outcome, d.reason FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id ORDER BY 1") == \
        [["ann@a.test", "accepted", ""], ["bob@b.test", "skipped", "not-mergeable"]]
    assert "javascript" not in "".join(path.read_text() for path in (world.base / "mailworld.mail").iterdir())
