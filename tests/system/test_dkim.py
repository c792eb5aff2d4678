"""DKIM: the keys and their verbs, and what leaves sender judged by two verifiers that are not ours."""

import csv
import email.utils
import io
import json
import os
import random
import re
import subprocess

import signatures
from verpost import Skip, until

CLOSED = ["From", "To", "Subject", "Date", "Reply-To", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"]


def with_folder(world, mode=0o750):
    world.setup()
    folder = world.base / "dkim"
    folder.mkdir()
    folder.chmod(mode)
    return folder


def states(world, domain="example.test"):
    return {row["selector"]: row["state"] for row in world.json("dkim", "show", domain)}


def messages(world):
    """As the relay has got them."""
    return [path.read_bytes() for path in sorted((world.base / "mailworld.mail").glob("*.eml"))]


# ---- keys ----

def test_keys(world):
    "Keys are made, shown with their records, wait for each other, and are retired; each refusal has its remedy."
    world.setup()
    world.refused("dkim", "new", "example.test", says=["no folder", str(world.base / "dkim"), "install -d -m 750"])
    folder = world.base / "dkim"
    folder.mkdir()
    folder.chmod(0o750)
    assert world.json("dkim", "show") == []
    world.refused("dkim", "show", "example.test", says="listctl dkim new example.test")
    world.refused("dkim", "new", "example.test", "--type", "ed25519", says=["no RSA key", "--type both"])
    world.refused("dkim", "new", "example.test", "--type", "dsa", code=2, says="rsa, ed25519 or both")
    world.refused("dkim", "new", "example.test", "--selector", "a_b", code=2, says="selector")
    world.refused("dkim", "new", "../etc", says="domain")
    assert not list(folder.iterdir())

    done = world.run("listctl", "dkim", "new", "Example.TEST", "--selector", "one", "--type", "both", "--format", "json")
    made = {row["selector"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0 and "restart sender" in done.stderr and set(made) == {"one", "one-ed"}, done
    rsa, ed25519 = made["one"], made["one-ed"]
    assert (rsa["type"], rsa["bits"], rsa["state"], rsa["name"]) == ("rsa", 2048, "signing", "one._domainkey.example.test"), rsa
    assert (ed25519["type"], ed25519["state"]) == ("ed25519", "signing") and len(ed25519["record"].split("p=")[1]) == 44, ed25519
    strings = re.findall(r'"([^"]*)"', rsa["strings"])
    assert len(strings) == 2 and all(len(s) <= 255 for s in strings) and "".join(strings) == rsa["record"], rsa
    for file, openssl in (("one.rsa.pem", ["rsa", "-RSAPublicKey_out"]), ("one-ed.ed25519.pem", ["pkey", "-text"])):
        path = folder / "example.test" / file
        assert path.stat().st_mode & 0o777 == 0o640 and path.read_text().startswith("created: 20"), file
        subprocess.run(["openssl", *openssl, "-in", path, "-noout"], check=True, capture_output=True)
    assert (folder / "example.test").stat().st_mode & 0o777 == 0o750
    public = subprocess.run(["openssl", "pkey", "-in", folder / "example.test/one.rsa.pem", "-pubout", "-outform", "DER"],
                            check=True, capture_output=True).stdout
    assert rsa["record"] == "v=DKIM1; k=rsa; p=" + __import__("base64").b64encode(public).decode(), rsa

    world.refused("dkim", "new", "example.test", "--selector", "one", says=["has had a key", "--selector"])
    world.refused("dkim", "retire", "example.test", "one", says=["only RSA key", "listctl dkim new", "--force"])
    world.refused("dkim", "retire", "example.test", "none", says="listctl dkim show")
    done = world.run("listctl", "dkim", "new", "example.test", "--selector", "two")
    assert "two._domainkey.example.test. IN TXT ( \"v=DKIM1; k=rsa; p=" in done.stdout, done
    assert "one goes on signing" in done.stderr and "dkim retire example.test one" in done.stderr, done
    assert states(world) == {"one": "signing", "one-ed": "signing", "two": "waiting"}
    done = world.run("listctl", "dkim", "retire", "example.test", "one")
    assert done.returncode == 0 and "7 days" in done.stderr and 'one._domainkey.example.test. IN TXT "v=DKIM1; p="' in done.stderr, done
    assert states(world) == {"one": "retired", "one-ed": "signing", "two": "signing"}
    assert "one._domainkey" not in world.listctl("dkim", "show", "example.test")
    world.refused("dkim", "retire", "example.test", "one", says="no key in use")
    world.refused("dkim", "new", "example.test", "--selector", "one", says="has had a key")
    world.listctl("dkim", "retire", "example.test", "two", "--force")
    assert states(world) == {"one": "retired", "one-ed": "alone", "two": "retired"}
    rows = list(csv.DictReader(io.StringIO(world.listctl("dkim", "show", "--format", "csv"))))
    assert [row["selector"] for row in rows] == ["one", "two", "one-ed"], rows
    assert world.sql("SELECT action, subject FROM audit WHERE action LIKE 'dkim.%' ORDER BY id") == [
        ["dkim.new", "dkim:example.test/one"], ["dkim.new", "dkim:example.test/one-ed"], ["dkim.new", "dkim:example.test/two"],
        ["dkim.retire", "dkim:example.test/one"], ["dkim.retire", "dkim:example.test/two"]]
    name = world.json("dkim", "new", "m\u00fcnchen.test")[0]
    assert re.fullmatch(r"v20\d{6}\._domainkey\.xn--mnchen-3ya\.test", name["name"]), name


def test_keys_that_others_may_read(world):
    "sender and listctl refuse keys that others may read or write, that are none, or that are misnamed, and say which and what to do."
    folder = with_folder(world)
    world.listctl("dkim", "new", "example.test", "--selector", "s")
    key = folder / "example.test/s.rsa.pem"
    good = key.read_bytes()

    def refused(*words):
        world.refused("dkim", "show", says=words)
        done = world.run("sender")
        assert done.returncode == 1 and all(word in done.stderr for word in words), (words, done)

    for mode in (0o644, 0o602, 0o660):
        key.chmod(mode)
        refused(str(key), "chmod g-w,o=")
    key.chmod(0o640)
    folder.chmod(0o757)
    refused(str(folder), "chmod o-w")
    folder.chmod(0o750)
    key.write_bytes(b"no key\n")
    refused(str(key), "no private key")
    key.write_bytes(subprocess.run(["openssl", "genrsa", "768"], check=True, capture_output=True).stdout)
    refused(str(key), "768 bits", "1024")
    key.write_bytes(good)
    key.rename(key.parent / "s.pem")
    refused("s.pem", "SELECTOR.rsa.pem")
    (key.parent / "s.pem").rename(key.parent / "s.ed25519.pem")
    (key.parent / "s.ed25519.pem").chmod(0o640)
    refused("s.ed25519.pem", "another kind")
    (key.parent / "s.ed25519.pem").rename(key)
    world.listctl("dkim", "show")
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else, for keys that may not be read at all")
    key.chmod(0o600)
    (world.base / "keys").chmod(0o644)
    for path in (world.base / "keys", world.config):
        os.chown(path, 65534, 65534)
    (world.base / "keys").chmod(0o600)
    os.chown(world.base / "journal", 65534, 65534)
    os.chown(folder, 65534, 65534)
    os.chown(folder / "example.test", 65534, 65534)
    program = world.base / "sender"
    program.write_bytes((signatures.HERE.parents[1] / "build/asan/bin/sender").read_bytes())
    program.chmod(0o755)
    done = subprocess.run([program, "--config", world.config, "--check-config"], capture_output=True, text=True, user=65534,
                          group=65534, extra_groups=[])
    assert done.returncode == 1 and str(key) in done.stderr and "only root and the daemons" in done.stderr, done


# ---- what leaves ----

LETTERS = "abcdefghijklmnopqrstuvwxyz \u00e9\u00fc\u0142\u03b1\u0436\u4e2d\u65e5\u0639\u0628\U0001f600.,;:!?=_-'\"()<>&"


FIELDS = 12


def random_text(chance, most):
    """What may stand in a field or a line: no control characters, nothing that a template means something by."""
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(most + 1)))


def random_people(count, chance):
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["email", "name", *(f"f{n}" for n in range(FIELDS))])
    for number in range(count):
        values = [random_text(chance, chance.choice([0, 5, 75, 80, 300])) for _ in range(FIELDS)]
        writer.writerow([f"u{number:04d}@d{number % 7}.test", random_text(chance, 40).strip(), *values])
    return rows.getvalue()


def random_template(chance, tag):
    """Lines of all kinds, with fields among them, blank ones and blanks at the ends."""
    odd = ["", "", ".", "..", ". x", "From me", " indented", "\ttab", "x \t", "a  b\t\tc", "-- ", "=3D=20", "--=_x", " \t "]
    lines = ["x"]
    for _ in range(chance.randrange(40)):
        field = f"f{chance.randrange(FIELDS)}"
        lines.append(chance.choice([chance.choice(odd), random_text(chance, 200), tag % field, f"a  {tag % field}\t", tag % field + " "]))
    return chance.choice(["\n", "\r\n"]).join(lines) + "\n" * chance.randrange(4)


def send_random(world, campaigns, people):
    """Campaigns of random texts to people with random data; some with an HTML part, some with Reply-To, some from a domain below."""
    chance = random.Random(20261126)
    world.listctl("import", "news", world.file("people.csv", random_people(people, chance)))
    for number in range(campaigns):
        more = []
        if number % 2:
            html = "<html>" + random_template(chance, "<p  >{{%s}}</p>") + "</html>\n"
            more += ["--html", world.file(f"{number}.html", html.encode())]
        if number % 3 == 0:
            more += ["--reply-to", "answers@example.test"]
        if number % 5 == 0:
            more += ["--from", "\u00c9ric, \"the\" editor <eric@sub.example.test>"]
        subject = chance.choice(["News", "For {{name|you}}", "\u4e2d\u6587 {{name}} " + "long " * 30, "  a   {{f1}}"])
        text = world.file(f"{number}.txt", random_template(chance, "{{{%s}}}").encode())
        world.listctl("campaign", "create", f"c{number}", "news", "--subject", subject, "--text", text, *more)
        world.listctl("campaign", "start", f"c{number}")
    for number in range(campaigns):
        status = world.finished(f"c{number}", 240)
        assert status["accepted"] + status["skipped"] == people, status


def test_a_thousand_messages(world):
    "Both signatures of 1,000 random messages are good to python3-dkim and to opendkim-testmsg, with the records that listctl prints."
    verifiers = signatures.Verifiers(world)
    with_folder(world)
    world.listctl("dkim", "new", "example.test", "--type", "both", "--selector", "s2026")
    world.mailworld("")
    world.start("sender")
    send_random(world, 21, 50)
    kept = messages(world)
    assert len(kept) >= 1000, len(kept)
    singles = {}
    for number, message in enumerate(kept):
        pair = signatures.split(message)
        assert [re.search(rb"a=([a-z0-9-]+);", field).group(1) for field, _ in pair] == [b"rsa-sha256", b"ed25519-sha256"], message
        for field, single in pair:
            assert b"d=example.test;" in field and re.search(rb"\tb=[A-Za-z0-9+/]", field), field
            assert all(len(line) <= 78 for line in field.split(b"\r\n")), field
            singles[number, field[25:50]] = single
    verdicts = verifiers.judge(singles)
    assert len(verdicts) == 2 * len(kept)
    bad = [(name, verdict) for name, verdict in verdicts.items() if not all(verdict.values())]
    assert not bad, f"{len(bad)} signatures are bad, such as {bad[0]}:\n{singles[bad[0][0]].decode(errors='replace')}"


def fields_of(message):
    """[(name, whole field)] of the head, and the body."""
    head, body = message.split(b"\r\n\r\n", 1)
    fields = re.findall(rb"([^\s:]+):((?:[^\r]|\r\n[ \t])*)\r\n", head + b"\r\n")
    return [(name.decode(), name + b":" + value + b"\r\n") for name, value in fields], body


def tampered(message):
    """What was done -> the message after it."""
    fields, body = fields_of(message)
    head = b"".join(field for _, field in fields)
    found = {
        "a word of the body": head + b"\r\n" + body.replace(b"the news", b"the nows", 1),
        "a line added": message + b"Buy this.\r\n",
        "a line lost": head + b"\r\n" + b"\r\n".join(body.rstrip().split(b"\r\n")[:-1]) + b"\r\n",
        "truncated": message[:len(message) - len(body) // 2],
        "no body": head + b"\r\n",
        "an empty line in front of the body": head + b"\r\n\r\n" + body,
        "another time of signing": re.sub(rb"; t=(\d+);", rb"; t=1\1;", message, 1),
        "h= without the second From": message.replace(b"h=From:From:", b"h=From:", 1),
    }
    for name in CLOSED:
        found[f"a {name} in front"] = f"{name}: x <x@evil.test>\r\n".encode() + message
        found[f"a {name} behind"] = head + f"{name}: x <x@evil.test>\r\n\r\n".encode() + body
    signed = set(re.sub(rb"\s", b"", re.search(rb"\th=([^;]*);", fields[0][1]).group(1)).decode().split(":"))
    for number, (name, field) in enumerate(fields):
        if name not in signed:
            continue
        before = b"".join(other for _, other in fields[:number])
        after = b"".join(other for _, other in fields[number + 1:]) + b"\r\n" + body
        found[f"{name} changed"] = before + field[:-2] + b"x\r\n" + after
        found[f"{name} removed"] = before + after
    return found


def test_tampering(world):
    "Whatever is changed of a signed message, both verifiers refuse it; what relays do and must do is no change."
    verifiers = signatures.Verifiers(world)
    with_folder(world)
    world.listctl("dkim", "new", "example.test", "--type", "both", "--selector", "s")
    world.subscribe([("ann@a.test", "Ann")])
    world.mailworld("")
    world.start("sender")
    html = world.file("t.html", "<p>this is the news</p>\n")
    world.campaign("c", reply_to="answers@example.test", html=html, text="this is the news\n\nfor {{name}}\n\nthe end\n")
    world.finished("c")
    cases = {}
    for field, message in signatures.split(messages(world)[0]):
        kind = re.search(rb"a=([a-z0-9]+)-", field).group(1).decode()
        assert message.count(b"the news") == 2
        cases |= {(kind, what): after for what, after in tampered(message).items()}
        fields, body = fields_of(message)
        same = {"as it was": message,
                "a trace field": b"Received: by relay.test;\r\n\tnow\r\n" + message,
                "fields of the relay's own": b"X-Spam: no\r\nSender: x@y.test\r\n" + message,
                "folded anew": message.replace(b"Subject: ", b"Subject:\r\n  ", 1),
                "blank lines at the end": message + b"\r\n \r\n"}
        cases |= {(kind, "GOOD", what): after for what, after in same.items()}
    names = {case[1] for case in cases}
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "List-Id",
                 "List-Unsubscribe", "Feedback-ID"):
        assert f"{name} changed" in names and f"{name} removed" in names, (name, sorted(names))
    assert len({message for message in cases.values()}) == len(cases), "something was not changed"
    verdicts = verifiers.judge(cases)
    wrong = {case: verdict for case, verdict in verdicts.items() if set(verdict.values()) != {"GOOD" in case}}
    assert not wrong, wrong


def test_a_copy_sent_again_is_the_same(world):
    "A message in doubt that is sent again has the same octets, its signatures among them."
    with_folder(world)
    world.listctl("dkim", "new", "example.test", "--type", "both", "--selector", "s")
    people = [f"u{n}@a.test" for n in range(20)]
    world.subscribe(people)
    world.mailworld("* drop kept every 5\n")
    world.start("sender")
    world.campaign("c")
    world.finished("c")
    copies = {}
    for message in messages(world):
        assert len(signatures.split(message)) == 2, message
        date = int(email.utils.parsedate_to_datetime(re.search(rb"^Date: ([^\r]+)", message, re.M).group(1).decode()).timestamp())
        assert [int(at) for at in re.findall(rb"[; \t]t=(\d+);", message)] == [date, date], message
        copies.setdefault(re.search(rb"Message-ID: (\S+)", message).group(1), []).append(message)
    assert len(copies) == len(people)
    again = [same for same in copies.values() if len(same) > 1]
    assert again and all(len(set(same)) == 1 for same in again), again


# ---- which keys, and none ----

def domains_of(message):
    return [re.search(rb"d=([^;]+); s=([^;]+);", field).groups() for field, _ in signatures.split(message)]


def test_which_keys(world):
    "The keys of the From domain sign, or of the nearest one above it; sender takes another key up at its start, and one retired goes."
    with_folder(world)
    for domain, selector in (("example.test", "up"), ("news.example.test", "own"), ("other.test", "no")):
        world.listctl("dkim", "new", domain, "--selector", selector)
    world.listctl("dkim", "new", "example.test", "--selector", "next")
    world.subscribe(["ann@a.test"])
    world.mailworld("")
    world.start("sender")
    senders = ["a@news.example.test", "a@deep.news.example.test", "a@sub.example.test", "a@example.test"]
    for number, sender in enumerate(senders):
        world.campaign(f"c{number}", **{"from": f"A <{sender}>"})
        world.finished(f"c{number}")
    found = [domains_of(message) for message in messages(world)]
    own, up = [(b"news.example.test", b"own")], [(b"example.test", b"up")]
    assert found == [own, own, up, up], found
    world.campaign("waits", start=False)
    assert world.status("waits")["signed_by"] == "example.test (rsa up)", world.status("waits")
    world.listctl("dkim", "retire", "example.test", "up")
    assert world.status("waits")["signed_by"] == "example.test (rsa next)", world.status("waits")
    world.stop("sender")
    world.start("sender")
    world.listctl("campaign", "start", "waits")
    world.finished("waits")
    assert domains_of(messages(world)[-1]) == [(b"example.test", b"next")]


def test_without_keys(world):
    "Without keys a campaign goes unsigned and each verb says so; with dkim.required it is refused, and held by a sender that finds none."
    folder = with_folder(world)
    world.subscribe(["ann@a.test"])
    text = world.file("t.txt", "Hello\n")

    def create(name):
        return ["campaign", "create", name, "news", "--subject", "s", "--text", text]

    world.mailworld("")
    world.start("sender")
    for arguments in (create("c"), ["campaign", "edit", "c", "--subject", "t"], ["campaign", "start", "c"]):
        done = world.run("listctl", *arguments)
        assert done.returncode == 0 and "not be signed" in done.stderr and "listctl dkim new example.test" in done.stderr, done
    world.finished("c")
    assert b"DKIM-Signature" not in messages(world)[0]
    until(lambda: "campaign.unsigned campaign=c domain=example.test" in world.log("sender"), "sender says so")

    world.listctl(*create("draft"))
    assert world.status("draft")["signed_by"].startswith(f"nobody: {folder} has no keys for example.test"), world.status("draft")
    world.listctl("campaign", "start", "draft", "--help")
    world.configure(**{"dkim.required": "yes"})
    for arguments in (create("x"), ["campaign", "edit", "draft", "--subject", "t"], ["campaign", "start", "draft"],
                      ["campaign", "schedule", "draft", "--at", "2099-01-01 08:00", "--zone", "UTC"]):
        world.refused(*arguments, says=["dkim.required", "listctl dkim new example.test"])
    assert world.sql("SELECT name, state FROM campaign ORDER BY id") == [["c", "finished"], ["draft", "draft"]]

    # Who may not read keys may write campaigns: what sender finds is what counts.
    folder.chmod(0o757)
    done = world.run("listctl", "campaign", "edit", "draft", "--subject", "u")
    assert done.returncode == 0 and "cannot be told here" in done.stderr and "chmod o-w" in done.stderr, done
    assert world.status("draft")["signed_by"].startswith("unknown here: "), world.status("draft")
    folder.chmod(0o750)

    # This host has keys, sender's has none.
    world.stop("sender")
    world.start("sender")
    world.listctl("dkim", "new", "example.test")
    world.listctl("campaign", "start", "draft")
    reason = until(lambda: world.status("draft")["hold_reason"], "the campaign is held")
    assert "no keys" in reason and "example.test" in reason and "restart sender" in reason, reason
    assert len(messages(world)) == 1
    world.stop("sender")
    world.start("sender")
    world.listctl("campaign", "resume", "draft")
    world.finished("draft")
    assert len(signatures.split(messages(world)[1])) == 1
