"""A/B tests: who gets which variant, that it is what the ledger says, whatever is killed, and what is told of it."""

import re

from sending import check, people, until_accepted, workers
from test_files import PDF, PNG, folder
from verpost import until

AUDIENCE = people(10000)


def sent(world):
    "Address -> the subjects and first words of the copies that it got."
    found = {}
    for path in (world.base / "mailworld.mail").glob("*.eml"):
        head, body = path.read_text().split("\n\n", 1)
        address = re.search(r"^To:.*?([^\s<]+@[^\s>]+)", head, re.M)[1]
        found.setdefault(address, set()).add((re.search(r"^Subject: (.*)$", head, re.M)[1], body.split()[0]))
    return found


def within(count, audience, share):
    "Five standard deviations."
    expected = audience * share
    return abs(count - expected) <= 5 * (expected * (1 - share)) ** 0.5


def compare(world, name, shares, words):
    "Each copy is that of its ledger row, each share is met, and the database works out the same."
    rows = world.sql("SELECT s.address, d.variant FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"
                     f" JOIN campaign c ON c.id = d.campaign_id WHERE c.name = '{name}' AND d.outcome = 'accepted'")
    got = sent(world)
    wrong = [(address, variant, got[address]) for address, variant in rows if got[address] != {words[int(variant) - 1]}]
    assert not wrong, (len(wrong), wrong[:3])
    for variant, share in enumerate(shares, 1):
        count = sum(row[1] == str(variant) for row in rows)
        assert within(count, len(AUDIENCE), share), (variant, count)
    assert world.value("SELECT count(*) FROM delivery WHERE variant IS DISTINCT FROM variant_of(campaign_id, subscriber_id)") == "0"


def test_halves(world):
    "Two variants, half of 10,000 each."
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 2})
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("c", start=False, text="One {{name}}\n", variant="50% Other")
    world.listctl("campaign", "edit", "c", "--subject", "First")
    world.listctl("campaign", "start", "c")
    world.finished("c")
    compare(world, "c", [0.5, 0.5], [("First", "One"), ("Other", "One")])


def test_shares_through_crashes(world):
    "Three variants in 20, 30 and 50 percent of 10,000, workers killed on the way: what is sent again is the same variant."
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"relay.connections": 4, "sender.workers": 2})
    world.mailworld("u0001?@* defer 1 450 4.2.0 later\n* accept\n")
    letters = [folder(world, f"l{n}", letter__md=f"---\nsubject: S{n}\n---\nWord{n} {{{{name}}}}\n") for n in range(3)]
    world.listctl("campaign", "create", "c", "news", letters[0] / "letter.md", "--variant-letter", f"30% {letters[1]}/letter.md",
                  "--variant-letter", f"50% {letters[2]}")
    world.configure(**{"sender.retry_after": "1s"})
    world.start("sender")
    world.listctl("campaign", "start", "c")
    kills = 0
    for accepted in (1000, 3000, 5000, 7000):
        until_accepted(world, accepted)
        for victim in workers(world)[:1]:
            world.kill(victim)
            kills += 1
    assert kills >= 3, "too fast to kill"
    world.finished("c")
    check(world, "c", AUDIENCE)
    compare(world, "c", [0.2, 0.3, 0.5], [(f"S{n}", "--=_verpost") for n in range(3)])
    for path in (world.base / "mailworld.mail").glob("*.eml"):
        text = path.read_text()
        n = re.search(r"^Subject: S(\d)", text, re.M)[1]
        assert text.count(f"Word{n} ") == 2 and f"<title>S{n}</title>" in text, text


def test_results(world):
    "The report tells by variant what was accepted, refused, came back, complained and left."
    world.setup()
    world.subscribe([f"p{n}@a.test" for n in range(40)] + ["gone1@b.test", "gone2@b.test", "late@b.test", "angry@b.test"])
    world.mailworld("gone*@* refuse rcpt 550 5.1.1 \"User unknown\"\nlate@* accept report postfix after 100\n"
                    "angry@* accept report arf after 100\n")
    world.start("bounced")
    world.start("sender")
    world.campaign("c", variant="40% Other")
    world.finished("c")
    until(lambda: world.value("SELECT count(*) FROM bounce_event WHERE judged_at IS NOT NULL") == "4", "all reports judged")
    world.sql("UPDATE membership SET state = 'unsubscribed', reason = 'mailto', since = now() FROM subscriber s"
              " WHERE s.id = subscriber_id AND s.address_key IN ('p1@a.test', 'p2@a.test', 'p3@a.test')")
    variants = dict(world.sql("SELECT s.address, d.variant FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"))
    rows = world.json("campaign", "report", "c")
    assert [(row["variant"], row["share"], row["subject"]) for row in rows] == [("A", 60, "News for {{name|you}}"), ("B", 40, "Other")], rows
    for number, row in enumerate(rows, 1):
        has = {address for address, variant in variants.items() if variant == str(number)}
        assert row["sent"] == len(has) and row["refused"] == len(has & {"gone1@b.test", "gone2@b.test"}), row
        assert row["accepted"] == row["sent"] - row["refused"] and row["expired"] == 0, row
        assert row["bounced"] == ("late@b.test" in has) and row["complained"] == ("angry@b.test" in has), row
        assert row["unsubscribed"] == len(has & {"p1@a.test", "p2@a.test", "p3@a.test"}), row
    assert world.listctl("campaign", "report", "c", "--format", "csv").splitlines()[0] == \
        "variant,share,subject,sent,accepted,refused,expired,bounced,complained,unsubscribed"
    world.refused("campaign", "edit", "c", "--variant", "10% x", says="frozen when a campaign starts")
    # A campaign without variants has one row, and nothing in the ledger.
    world.campaign("d")
    world.finished("d")
    assert [(row["variant"], row["share"]) for row in world.json("campaign", "report", "d")] == [(None, 100)]
    assert world.value("SELECT count(variant) FROM delivery d JOIN campaign c ON c.id = d.campaign_id WHERE c.name = 'd'") == "0"


def test_verbs(world):
    "Variants are shown, previewed, tested, judged and replaced; what cannot be is refused with what to do."
    world.setup()
    world.subscribe([("ann@a.test", "Ann")])
    letter = folder(world, "letter", letter__md="---\nsubject: One\nattachments: a.pdf\n---\nHi {{name}} ![p](p.png)\n", p__png=PNG, a__pdf=PDF)
    (letter / "short.md").write_text("---\nsubject: Three\nattachments: a.pdf\n---\nShort, {{name}} ![p](p.png)\n")
    (letter / "bad.md").write_text("---\nsubject: X\n---\n![p](q.png)\n")
    (letter / "q.png").write_bytes(PNG + b"q")
    create = ["campaign", "create", "c", "news", letter]

    def other(line):
        (letter / "other.md").write_text(f"---\nsubject: Four\n{line.lower()}\nattachments: a.pdf\n---\nShort ![p](p.png)\n")
        return letter / "other.md"

    for extra, says in [(["--variant", "Two"], '"33.3% Another subject", not "Two"'), (["--variant", "100% Two"], 'below 100%'),
                        (["--variant", "60% x", "--variant-letter", "40.5% y"], ["60% + 40.5% = 100.5%", "less than 100%", "A, has the rest"]),
                        (["--variant", "10% x"] * 5, "at most 5 variants"), (["--variant-letter", "10%"], "such as")]:
        world.refused(*create, *extra, code=2, says=says)
        said = world.run("listctl", *create, *extra).stderr
        assert "bounce-unaligned" not in said and said.count("listctl:") == 1, said
    world.refused(*create, "--variant", "10% x", "--variant", "10% {{wrong}}", says="variant C, subject: line 1, column 1: ")
    world.refused(*create, "--variant-letter", f"10% {other('From: Eve <eve@e.test>')}", says=["variant B", "other.md: line 3: from", "--from"])
    world.refused(*create, "--variant-letter", f"10% {other('reply-to: eve@e.test')}", says=["variant B", "other.md: line 3: reply-to"])
    world.refused(*create, "--variant-letter", f"10% {letter}/none.md", says="none.md")
    world.refused(*create, "--variant-letter", f"10% {letter}/bad.md", says=["q.png", "not one of the campaign's own"])
    assert world.value("SELECT count(*) FROM campaign") == "0"
    # The same sender may stand there, his name in quotes; what is true of all is warned of once, the rest with the variant.
    said = world.run("listctl", "campaign", "create", "d", "news", letter, "--variant", "10% Re: {{name|you}}", "--variant", "10% Re: {{name|you}}",
                     "--from", "A, B <news@example.test>", "--variant-letter", "10% " + str(other('from: "A, B" <news@example.test>')))
    assert said.returncode == 0 and said.stderr.count("bounce-unaligned") == 1 and said.stderr.count("subject-answers") == 1, said
    assert "listctl: variant B, subject-answers: " in said.stderr, said
    assert said.stderr.count("between them nothing is tested") == 1 and "variant C has the same subject and letter as B: " in said.stderr, said
    world.listctl("campaign", "delete", "d")
    world.listctl(*create, "--variant", "12.5% Two {{name}}", "--variant-letter", f"30% {letter}/short.md")
    assert world.json("campaign", "show", "c")["variants"] == "A 57.5%, B 12.5%: Two {{name}}, C 30%: Three"

    def subject(*options):
        message = world.json("campaign", "preview", "c", *options)["message"]
        return re.search(r"^Subject: (.*)$", message.replace("\r", ""), re.M)[1], "Short, Ann" in message

    def titled(*options):
        return re.findall(r"<title>(.*)</title>", world.json("campaign", "preview", "c", *options)["message"])

    assert [subject(), subject("--variant", "A"), subject("--variant", "B"), subject("--variant", "c")] == \
        [("One", False), ("One", False), ("Two Ann", False), ("Three", True)]
    world.refused("campaign", "preview", "c", "--variant", "D", says="there are A to C")
    linted = world.run("listctl", "campaign", "lint", "c", "--format", "csv").stdout
    assert all(f",{variant}\n" in linted.replace("\r", "") for variant in "ABC"), linted
    world.mailworld("* accept\n")
    world.start("sender")
    rows = world.json("campaign", "test", "c", "me@a.test")
    assert [(row["variant"], row["result"]) for row in rows] == [(v, "accepted") for v in "ABC"], rows
    rows = world.json("campaign", "test", "c", "you@a.test", "--variant", "B")
    assert [row["variant"] for row in rows] == ["B"], rows
    got = {address: {subject for subject, _ in copies} for address, copies in sent(world).items()}
    assert got == {"me@a.test": {"[test A] One", "[test B] Two Ann", "[test C] Three"}, "you@a.test": {"[test B] Two Ann"}}, got
    # Another letter wants its variants anew; other words do not.
    world.refused("campaign", "edit", "c", letter, code=2, says="give them again")
    world.listctl("campaign", "edit", "c", "--subject", "Eins")
    assert world.json("campaign", "show", "c")["variants"].startswith("A 57.5%, B")
    titles = [titled("--variant", variant) for variant in "ABC"]
    assert titles == [["Eins"], ["Two Ann"], ["Three"]], titles
    # Another subject alone would take the other letter away.
    world.refused("campaign", "edit", "c", "--variant", "25% Zwei", code=2, says=["A 57.5%, B 12.5%: Two {{name}}, C 30%: Three", "--variant-letter"])
    world.refused("campaign", "preview", "c", "--html", "-", "--raw", code=2, says="give one")
    world.refused("campaign", "show", "c", "--html", "--text", code=2, says="give one")
    said = world.run("listctl", "campaign", "edit", "c", letter, "--variant", "25% Zwei")
    assert said.returncode == 0 and "its variants were A 57.5%, B 12.5%: Two {{name}}, C 30%: Three" in said.stderr, said
    assert world.json("campaign", "show", "c")["variants"] == "A 75%, B 25%: Zwei"
    world.listctl("campaign", "edit", "c", "--variant", "")
    assert world.json("campaign", "show", "c")["variants"] is None
    said = world.run("listctl", "campaign", "edit", "c", "--variant", "25% One")
    assert said.returncode == 0 and "variant B has the same subject and letter as A: between them nothing is tested; give it" in said.stderr, said
    world.listctl("campaign", "edit", "c", "--variant", "25% Drei & {{name}}")
    assert [titled("--variant", variant) for variant in "AB"] == [["One"], ["Drei &amp; Ann"]]
    world.listctl("campaign", "edit", "c", "--variant", "")
    world.refused("campaign", "preview", "c", "--variant", "A", says="has no variants")
