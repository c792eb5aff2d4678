"""`campaign lint`, and its warnings when a campaign is written."""

import json


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


def test_tags_of_other_programs(world):
    "Merge tags of other programs are named with their line and what to write instead, when a campaign is written and by lint."
    world.setup()
    world.listctl("import", "news", world.file("people.csv", "email,name\nann@a.test,Ann\n"))
    letter = world.file("m.md", "---\nsubject: For [[name]]\n---\nDear *|FNAME|*,\n\nleave: %%unsubscribe_url%% {{unsubscribe}}\n")
    done = world.run("listctl", "campaign", "create", "c", "news", letter)
    assert done.returncode == 0 and "tag-foreign: [[name]] in line 1 of the subject, for which write {{name}}" in done.stderr, done
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
