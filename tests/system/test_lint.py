"""`campaign lint`, and its warnings when a campaign is written."""

import json
import re


def lint(world, name):
    done = world.run("listctl", "campaign", "lint", name, "--format", "json")
    return done, {row["code"]: row for row in json.loads(done.stdout)}


def test_lint(world):
    "A letter with many faults is told all of them with remedies, exit 1; a good one passes; create warns and goes on."
    world.setup()
    world.listctl("list", "edit", "news", "--header", "Importance: high")
    world.listctl("import", "news", world.file("people.csv", "email,name,city,plan\nann@a.test,Ann,Oslo,x\nbob@b.test,Bob,,x\n"
                                               "cid@c.test,,Rome,x\n"))
    html = world.file("bad.html", '<html><body><p>Dear {{name}} of {{city}}, {{plan}} {{city|there}}</p><img src="cid:x">'
                      '<a href="www.example.test">shop</a><a href="https://bit.ly/x">x</a></body></html>')
    done = world.run("listctl", "campaign", "create", "bad", "news", "--subject", "BUY OUR THINGS NOW!!", "--text",
                     world.file("bad.txt", "Dear {{name}}\n"), "--html", html)
    assert done.returncode == 0, done
    for words in ("unsubscribe-missing: neither text nor HTML has {{unsubscribe}}", "link-broken", "www.example.test", "subject-shouts", "header-spammy"):
        assert words in done.stderr, (words, done.stderr)
    assert done.stderr.count("not be signed") == 1 and "one-click" not in done.stderr and "unsigned" not in done.stderr, done.stderr
    done, found = lint(world, "bad")
    assert done.returncode == 1 and "errors" in done.stderr, done
    assert set(found) >= {"unsigned", "bounce-unaligned", "one-click-missing", "header-spammy", "subject-shouts", "unsubscribe-missing",
                          "link-broken", "link-shortened", "image-without-alt", "image-heavy", "field-gaps"}, found
    gaps = found["field-gaps"]["finding"]
    assert "{{city}} is empty for 1 of 3 readers" in gaps and "{{name}} is empty for 1 of 3 readers" in gaps and "plan" not in gaps, gaps
    assert all(row["remedy"] and row["severity"] in ("error", "warning", "note") for row in found.values())
    table = world.run("listctl", "campaign", "lint", "bad")
    assert table.returncode == 1 and "link-broken" in table.stdout, table

    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", "example.test", "--type", "rsa", "--selector", "s")
    world.configure(**{"web.base_url": "https://example.test", "bounce.domain": "bounce.example.test"})
    world.listctl("list", "edit", "news", "--header", "Importance:")
    letter = world.file("good.md", "---\nsubject: News for {{name|you}}\n---\nDear {{name|reader}},\n\n" + "many words of news " * 20 +
                        "\n\n[more](https://example.test/more)\n")
    done = world.run("listctl", "campaign", "create", "good", "news", letter)
    assert done.returncode == 0 and done.stderr.count("listctl:") == 0, done
    done, found = lint(world, "good")
    assert done.returncode == 0 and found == {}, (done, found)


def test_size_of_the_largest_copy(world):
    "What Gmail clips is measured by copies, not by the template: one reader's long field is found, and whose it is told."
    world.setup()
    world.listctl("import", "news", world.file("people.csv", "email,note\nann@a.test,x\nbob@b.test,y\ncid@c.test,z\n"))
    world.sql("UPDATE subscriber SET attributes = jsonb_build_object('note', repeat('long ', 10000)) WHERE address_key = 'bob@b.test'")
    letter = world.file("n.md", "---\nsubject: N\n---\n{{note}} {{note}} {{note}}\n\n" + "many words of news " * 20)
    done = world.run("listctl", "campaign", "create", "c", "news", letter)
    says = " KB in the copy for bob@b.test, the largest of 3; Gmail shows the first 102"
    assert done.returncode == 0 and "gmail-clipped: the HTML has 1" in done.stderr and says in done.stderr, done
    done, found = lint(world, "c")
    assert says in found["gmail-clipped"]["finding"], found


def test_own_tags_in_encoded_braces(world):
    "Our own merge tags whose braces an editor has encoded are refused with line and column when a letter is written, wherever they stand."
    world.setup()
    world.listctl("import", "news", world.file("people.csv", "email,first_name\nann@a.test,Ann\n"))
    entities, percents = "&#123;&#123;first_name&#125;&#125;", "%7B%7Bfirst_name%7D%7D"

    def bad(name, text, place, *options):
        world.refused("campaign", "create", "c", "news", world.file(name, text), *options,
                      says=(place, "encoded, so that it would go out as it stands; write {{first_name}}"))
    head = "---\nsubject: S\n---\n"
    bad("a.html", head + "<p>Dear\n" + entities + "</p>", "a.html: line 5, column 1: the braces of " + entities)
    bad("b.html", head + '<p><a href="https://a.test/?n=' + percents + '">x</a>', "b.html: line 4, column 31: ")
    bad("c.md", head + "Dear " + entities, "c.md: line 4, column 6: ")
    bad("d.md", head + "[x](https://a.test/?n=%257B%257Bfirst_name%257D%257D)", "d.md: line 4, column 23: ")
    bad("e.md", "---\nsubject: For " + entities + "\n---\nx", "e.md: line 2, column 14: ")
    bad("f.html", "<html><body>" + entities + "</body></html>", "f.html: line 1, column 13: ", "--subject", "S")
    bad("g.md", head + "x", "--subject: line 1, column 3: ", "--subject", "a " + entities)
    text = world.file("t.txt", "https://a.test/?n=" + percents + "\n")
    world.refused("campaign", "create", "c", "news", "--subject", "S", "--text", text, says=("--text " + str(text) + ": line 1, column 19: ",))
    layout = world.file("l.html", "<p>" + entities + "{{{content}}}")
    world.refused("list", "edit", "news", "--layout", layout, says=("line 1, column 4: ",))
    good = world.file("good.md", head + "Dear {{first_name}}, \\{\\{first_name}} is how. &#123;&#123;nobody&#125;&#125;\n")
    world.listctl("campaign", "create", "c", "news", good)
    world.refused("campaign", "edit", "c", world.file("h.md", head + entities), says=("h.md: line 4, column 1: ",))
    world.refused("campaign", "edit", "c", "--subject", percents, says=("--subject: line 1, column 1: ",))


def test_tags_of_other_programs(world):
    "Merge tags of other programs are named with their line and what to write instead, when a campaign is written and by lint."
    world.setup()
    world.listctl("import", "news", world.file("people.csv", "email,name\nann@a.test,Ann\n"))
    letter = world.file("m.md", "---\nsubject: For [[name]]\n---\nDear *|FNAME|*,\n\nleave: %%unsubscribe_url%% {{unsubscribe}}\n")
    done = world.run("listctl", "campaign", "create", "c", "news", letter)
    assert done.returncode == 0 and f"tag-foreign: [[name]] in line 2 of {letter}, for which write {{{{name}}}}" in done.stderr, done
    assert f"*|FNAME|* in line 4 of {letter}, for" in done.stderr and f"%%unsubscribe_url%% in line 6 of {letter}, for" in done.stderr, done
    world.listctl("list", "edit", "news", "--layout", world.file("l.html", "<p>For [EMAIL]\n{{{content}}} {{unsubscribe}}</p>"))
    done = world.run("listctl", "campaign", "create", "l", "news", world.file("x.md", "---\nsubject: S\n---\n# x\n"))
    assert "[EMAIL] in line 1 of the HTML, not of the letter's own file, for which write {{email}}" in done.stderr, done
    world.listctl("list", "edit", "news", "--layout", "")
    done, found = lint(world, "c")
    says = found["tag-foreign"]["finding"]
    assert "%%unsubscribe_url%% in line 3 of the text, for which write {{unsubscribe}}" in says and "{{first_name}}" in says, says
    done = world.run("listctl", "campaign", "create", "d", "news", world.file("d.md", "---\nsubject: S\n---\n{{unsubscribe}}\n"),
                     "--from", "*|COMPANY|* <a@example.test>")
    assert done.returncode == 0 and "tag-foreign: *|COMPANY|* in the sender's name, which takes no field" in done.stderr, done


def test_readers_without_a_copy(world):
    "Readers for whom no copy can be made are counted, with one of them and why, when a campaign is written and by lint; preview names its reader."
    world.setup()
    world.listctl("import", "news", world.file("people.csv", "email,orders\nann@a.test,one\nbob@b.test,x\ncid@c.test,two\n"))
    odd = "UPDATE subscriber SET attributes = '{\"orders\": [\"a\"]}'"
    world.sql(odd + " WHERE address_key = 'bob@b.test'")
    text = world.file("t.txt", "You ordered {{orders}}.\n\n{{unsubscribe}}\n")
    done = world.run("listctl", "campaign", "create", "c", "news", "--subject", "Your orders", "--text", text)
    says = "1 of 3 readers get no copy, such as bob@b.test: the field \"orders\" is a list"
    assert done.returncode == 0 and "readers-skipped: " + says in done.stderr, done
    done, found = lint(world, "c")
    assert found["readers-skipped"]["severity"] == "warning" and found["readers-skipped"]["finding"].startswith(says), found
    world.sql(odd)
    done, found = lint(world, "c")
    assert done.returncode == 1 and "3 of 3 readers get no copy" in found["readers-all-skipped"]["finding"], found
    world.refused("campaign", "preview", "c", says=("there is no copy for ", ".test: the field \"orders\" is a list"))


MANY = """SET verpost.members_are_counted = on;
INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, '{"plan": "x"}' || CASE WHEN g = 11075
 THEN '{"rare": {"in": 1}}' WHEN g % 4 = 0 THEN '{"city": "Oslo"}' ELSE '{}' END::jsonb
FROM generate_series(1, 30000) AS g, LATERAL (SELECT 'p' || g || '@x.test' AS a) AS x;
INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;
INSERT INTO member_change (list_id, state, people) VALUES (1, 'active', 30000)"""


def test_of_a_large_list_some_readers_tell_and_all_where_it_matters(world):
    "Of 30,000 readers some are asked: a tag that only one of them has passes, one that nobody has is refused, gaps are estimated by create, and counted by lint."
    world.setup()
    world.sql(MANY)
    words = "\n\n" + "many words of news " * 20

    def create(name, text, subject="N"):
        return world.run("listctl", "campaign", "create", name, "news", world.file(f"{name}.md", f"---\nsubject: {subject}\n---\n{text}{words}"))
    done = create("common", "{{city}}, {{plan}}")
    assert done.returncode == 0, done
    says = re.search(r"{{city}} is empty for about (\d+) of 30000 readers, by (\d+) of them", done.stderr)
    assert says and abs(int(says[1]) - 22500) < 1500 and 10000 < int(says[2]) < 30000, done
    assert "plan}}" not in done.stderr, done
    done, found = lint(world, "common")
    assert "{{city}} is empty for 22500 of 30000 readers" in found["field-gaps"]["finding"], found
    assert create("rare", "{{rare.in}} {{city|there}}").returncode == 0
    done, found = lint(world, "rare")
    assert "{{rare.in}} is empty for 29999 of 30000 readers" in found["field-gaps"]["finding"], found
    assert world.run("listctl", "campaign", "preview", "rare", "p11075@x.test").returncode == 0
    done = create("nobody", "{{rare.inn}}")
    assert done.returncode == 1 and 'the field "rare.inn" is unknown; the nearest known one is "rare.in"' in done.stderr, done
    done = create("subject", "x", subject="for {{plam}}")
    assert done.returncode == 1 and 'subject.md: line 2, column 14: ' in done.stderr and 'the nearest known one is "plan"' in done.stderr, done
    for name, is_field in (("rare.in", True), ("rarity", False)):
        done = create("braces", f"&#123;&#123;{name}&#125;&#125;")
        assert done.returncode == is_field and ("are encoded" in done.stderr) == is_field, done
    layout = world.file("l.html", "<p>{{rare.in}} &#123;&#123;rarity&#125;&#125; {{{content}}} {{unsubscribe}}")
    assert world.run("listctl", "list", "edit", "news", "--layout", layout).returncode == 0
    layout = world.file("l.html", "<p>&#123;&#123;rare.in&#125;&#125;{{{content}}}")
    world.refused("list", "edit", "news", "--layout", layout, says=("line 1, column 4: ", "are encoded"))
