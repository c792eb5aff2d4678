"""`listctl dns`: the records to publish, and what is published, looked up at a private nsd."""

import json
import os
import re
import socket
import threading
import time

import nameserver

FROM, BOUNCE = "news.example.test", "bounce.example.test"
LONG = '"' + "x" * 255 + '" '


def prepared(world):
    """World and nameserver, with two keys, two addresses of relays and an include."""
    dns = nameserver.Nameserver(world, "example.test.")
    world.configure(**{"bounce.domain": BOUNCE, "bounced.hostname": "mx.example.test", "dns.addresses": "192.0.2.1",
                       "dns.includes": "spf.relay.test", "dns.resolver": dns.address, "dns.timeout": "20s"})
    world.listctl("db", "init")
    world.listctl("key", "new")
    world.listctl("list", "create", "news", "--title", "News", "--from", f"News <letters@{FROM}>")
    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", FROM, "--type", "both", "--selector", "s")
    world.listctl("relay", "add", "other", "--host", "127.0.0.1", "--port", str(world.relay_port), "--source", "2001:db8::7")
    return dns


def published(world):
    """What a zone has that follows what `listctl dns` prints, and what stands around it."""
    records = {}
    for line in world.listctl("dns").splitlines():
        if line.startswith(";"):
            continue
        name, kind, data = re.fullmatch(r"(\S+) IN (\S+) (.*)", line).groups()
        records.setdefault(f"{name} {kind}", []).append(data)
    records |= {"spf.relay.test. TXT": ['"v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"'],
                "mx.example.test. A": ["192.0.2.9"], "sender.test. A": ["192.0.2.1"],
                "sender.test. AAAA": ["2001:db8::7"], f"{FROM}. A": ["192.0.2.9"]}
    return records


def check(world, *more):
    done = world.run("listctl", "dns", "--check", "--format", "json", *more)
    rows = json.loads(done.stdout)
    return done.returncode, {(row["record"], row["name"]): row for row in rows}


def verdicts(rows):
    return {row["verdict"] for row in rows.values()}


def test_records(world):
    "What is printed is a zone's text; published as it is, all is ok, for one domain and for those of all lists."
    dns = prepared(world)
    rows = {row["record"]: row for row in world.json("dns", FROM) if row["record"] != "dkim"}
    assert rows["bounce-mx"]["name"] == BOUNCE and rows["bounce-mx"]["value"] == "10 mx.example.test.", rows
    assert rows["spf"]["value"] == "v=spf1 ip4:192.0.2.1 ip6:2001:db8::7 include:spf.relay.test -all", rows
    assert rows["dmarc"]["name"] == f"_dmarc.{FROM}" and "p=none" in rows["dmarc"]["value"], rows
    keys = [row for row in world.json("dns") if row["record"] == "dkim"]
    assert {row["name"] for row in keys} == {f"s._domainkey.{FROM}", f"s-ed._domainkey.{FROM}"}, keys
    reverse = [row["name"] for row in world.json("dns") if row["record"] == "reverse"]
    assert reverse == ["1.2.0.192.in-addr.arpa", "7." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"], reverse
    dns.serve(published(world))
    code, rows = check(world)
    assert code == 0 and verdicts(rows) == {"ok"}, [row for row in rows.values() if row["verdict"] != "ok"]
    assert len(rows) == 10, rows
    done = world.run("listctl", "dns", FROM, "--check")
    assert done.returncode == 0 and "bounce-mx" in done.stdout, done
    world.configure(**{"dns.resolver": "127.0.0.1@1", "dns.timeout": "1s"})
    code, rows = check(world, "--resolver", dns.address, "--timeout", "20s")
    assert code == 0, rows


def test_senders_unknown(world):
    "Of a relay elsewhere whose addresses nobody has named, no record that forbids others is printed, and it is said what to set."
    dns = prepared(world)
    world.listctl("relay", "rm", "other")
    world.listctl("list", "create", "other", "--title", "Other", "--from", "other@unsigned.test")

    def spf(**settings):
        world.configure(**{"dns.addresses": "", "dns.includes": "", **settings})
        done = world.run("listctl", "dns", "--format", "json", FROM)
        value = next(row["value"] for row in json.loads(done.stdout) if row["record"] == "spf")
        return value, "dns.addresses" in done.stderr and "dns.includes" in done.stderr, world.listctl("dns", FROM).count("; from which addresses")

    assert spf(**{"relay.host": "127.0.0.1"}) == ("v=spf1 mx -all", False, 0)
    assert spf(**{"relay.host": "MX.example.test"}) == ("v=spf1 mx -all", False, 0)
    assert spf(**{"relay.host": "smtp.relay.test"}) == ("v=spf1 mx ~all", True, 1)
    dns.serve(published(world))
    code, rows = check(world, FROM)
    row = rows["spf", BOUNCE]
    assert code == 0 and row["verdict"] == "ok" and "set dns.addresses or dns.includes" in row["remedy"], row
    assert spf(**{"dns.includes": "spf.relay.test"}) == ("v=spf1 include:spf.relay.test -all", False, 0)
    # A relay's row counts as well as the settings' one, and the address it binds to is not all that is to be known of it.
    world.listctl("relay", "add", "far", "--host", "far.relay.test", "--source", "192.0.2.3")
    assert spf(**{"relay.host": "127.0.0.1"}) == ("v=spf1 ip4:192.0.2.3 ~all", True, 1)
    assert "`listctl dkim new unsigned.test`" in world.run("listctl", "dns", "unsigned.test").stderr


# What is done to a good zone -> the record concerned, the verdict, words of the remedy.
def faults(good):
    spf, dmarc, key = f"{BOUNCE}. TXT", f"_dmarc.{FROM}. TXT", f"s._domainkey.{FROM}. TXT"
    whole = "".join(re.findall(r'"([^"]*)"', good[key][0]))
    other = whole[:-30] + ("A" if whole[-30] != "A" else "B") + whole[-29:]
    strings = " ".join(f'"{whole[at:at + 100]}"' for at in range(0, len(whole), 100))

    def txt(text):
        return " ".join(f'"{text[at:at + 250]}"' for at in range(0, len(text), 250))
    return {
        "no MX": ({f"{BOUNCE}. MX": []}, "bounce-mx", "missing", "no report"),
        "another MX": ({f"{BOUNCE}. MX": ["5 elsewhere.test."]}, "bounce-mx", "differs", "bounced.hostname"),
        "one of two MX": ({f"{BOUNCE}. MX": ["5 elsewhere.test.", "9 MX.example.TEST."]}, "bounce-mx", "ok", ""),
        "MX without address": ({"mx.example.test. A": []}, "bounce-host", "missing", "address"),
        "no SPF": ({spf: ['"hello"']}, "spf", "missing", "7208"),
        "two SPF": ({spf: good[spf] + ['"v=spf1 -all"']}, "spf", "differs", "more than one"),
        "an address not let send": ({spf: ['"v=spf1 ip6:2001:db8::7 include:spf.relay.test -all"']}, "spf", "differs", "add ip4:192.0.2.1"),
        "an include not there": ({spf: ['"v=spf1 ip4:192.0.2.1 ip6:2001:db8::7 -all"']}, "spf", "differs", "include:spf.relay.test"),
        "by a wider network": ({spf: ['"v=spf1 ip4:192.0.0.0/16 include:spf.relay.test ~all"']}, "spf", "ok", ""),
        "everybody": ({spf: ['"v=spf1 include:spf.relay.test +all"']}, "spf", "differs", "+all"),
        "an include without SPF": ({"spf.relay.test. TXT": ['"x"']}, "spf", "differs", "no SPF record"),
        "includes in a circle": ({"spf.relay.test. TXT": [f'"v=spf1 include:{BOUNCE} -all"']}, "spf", "differs", "receivers take it for an error"),
        "too many lookups": ({spf: ['"v=spf1 ' + "a:mx.example.test " * 11 + '-all"']}, "spf", "differs", "eleventh"),
        "no key": ({key: []}, "dkim", "missing", "before the key signs"),
        "another key": ({key: [txt(other)]}, "dkim", "differs", "another key"),
        "split otherwise": ({key: [strings]}, "dkim", "ok", ""),
        "spaces in the key": ({key: [txt(whole[:60] + "  " + whole[60:])]}, "dkim", "ok", ""),
        "revoked": ({key: ['"v=DKIM1; p="']}, "dkim", "differs", "revoked"),
        "cut at 255": ({key: [f'"{whole[:255]}"']}, "dkim", "differs", "another key"),
        "two keys": ({key: [txt(whole), txt(other)]}, "dkim", "differs", "more than one"),
        "another kind": ({key: [txt(whole.replace("k=rsa", "k=ed25519"))]}, "dkim", "differs", "k="),
        "testing": ({key: [txt(whole.replace("k=rsa", "k=rsa; t=y"))]}, "dkim", "ok", "t=y"),
        "no DMARC": ({dmarc: []}, "dmarc", "missing", "Google"),
        "DMARC above": ({dmarc: [], "_dmarc.example.test. TXT": ['"v=DMARC1; p=reject; rua=mailto:a@example.test"']}, "dmarc", "ok", ""),
        "two DMARC": ({dmarc: ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, "dmarc", "differs", "more than one"),
        "a wrong policy": ({dmarc: ['"v=DMARC1; p=drop"']}, "dmarc", "differs", "p is none of"),
        "no reports": ({dmarc: ['"v=DMARC1; p=none"']}, "dmarc", "ok", "rua="),
        "no reverse name": ({"1.2.0.192.in-addr.arpa. PTR": []}, "reverse", "missing", "provider"),
        "a reverse name that leads elsewhere": ({"sender.test. A": ["192.0.2.77"]}, "reverse", "differs", "lead back"),
        "no such domain": ({name: [] for name in good if name.split()[0].endswith(f"{FROM}.")}, "zone", "missing", "Yahoo"),
    }


def test_faults(world):
    "Each fault of a zone is told at its record, with what was found and a remedy, and exit 1; what is as good is ok."
    dns = prepared(world)
    good = published(world)
    for label, (change, record, verdict, words) in faults(good).items():
        dns.serve({**good, **change})
        code, rows = check(world)
        of_record = [row for (kind, name), row in rows.items() if kind == record]
        hit = [row for row in of_record if row["verdict"] == verdict and words in (row["remedy"] or "")]
        assert hit, (label, of_record)
        assert code == (0 if verdict == "ok" else 1), (label, code, rows)
        if verdict != "ok":
            bad = {kind for (kind, name), row in rows.items() if row["verdict"] != "ok"}
            assert bad == {record} or record == "zone", (label, bad)
            assert all(row["remedy"] for row in of_record if row["verdict"] != "ok"), label


def test_alignment(world):
    "What DMARC asks strictly of DKIM and SPF is compared with the key's domain and the bounce domain."
    dns = prepared(world)
    world.listctl("dkim", "new", "example.test", "--selector", "above")
    good = published(world)
    good |= {"_dmarc.sub.example.test. TXT": ['"v=DMARC1; p=none; adkim=s; aspf=s; rua=mailto:a@example.test"']}
    dns.serve(good)
    code, rows = check(world, "sub.example.test")
    assert rows["dmarc", "_dmarc.sub.example.test"]["verdict"] == "differs", rows["dmarc", "_dmarc.sub.example.test"]
    assert "aligned" in rows["dmarc", "_dmarc.sub.example.test"]["remedy"], rows
    dns.serve({**good, "_dmarc.sub.example.test. TXT": ['"v=DMARC1; p=none; adkim=s; rua=mailto:a@example.test"']})
    code, rows = check(world, "sub.example.test")
    row = rows["dmarc", "_dmarc.sub.example.test"]
    assert row["verdict"] == "ok" and "only SPF" in row["remedy"], row


def test_domains_of_mailbox_providers(world):
    "For mail from gmail.com nothing can be published and no key made: it is said where it comes up, and other lists' records are printed all the same."
    prepared(world)
    said = world.run("listctl", "list", "create", "club", "--title", "Club", "--from", "club@gmail.com")
    assert said.returncode == 0 and "gmail.com, which only its provider can sign for" in said.stderr and "a domain of your own" in said.stderr, said
    world.refused("dns", "Yahoo.co.uk", says=("Yahoo.co.uk is a domain which only its provider", "DMARC", "a domain of your own"))
    world.refused("dkim", "new", "gmail.com", says="which only its provider can sign for")
    done = world.run("listctl", "dns")
    assert done.returncode == 1 and "gmail.com is a domain" in done.stderr and f"_dmarc.{FROM}" in done.stdout, done
    assert "gmail.com" not in done.stdout, done
    done = world.run("listctl", "campaign", "create", "c", "club", "--subject", "S", "--text", world.file("t.txt", "{{unsubscribe}}\n"))
    assert done.returncode == 0 and "from-provider: From is an address at gmail.com" in done.stderr, done
    assert "dkim new" not in done.stderr and "bounce-unaligned" not in done.stderr, done
    codes = {row["code"] for row in json.loads(world.run("listctl", "campaign", "lint", "c", "--format", "json").stdout)}
    assert "from-provider" in codes and not codes & {"unsigned", "bounce-unaligned", "dkim-unaligned"}, codes
    world.listctl("import", "club", world.file("s.csv", "email\nann@a.test\n"))
    world.configure(**{"dns.check": "refuse"})
    world.refused("campaign", "start", "c", says="which only its provider can sign for")


def test_hostile_answers(world):
    "Long, looping, binary and escaping answers do no harm and never reach the terminal as they are."
    dns = prepared(world)
    good = published(world)
    odd = r'"v=spf1 \027[31m\007\155\194\000 \010\013 \\ include:\027x -all"'
    dns.serve({**good, f"{BOUNCE}. TXT": [odd, LONG * 100, '""', r'"\255\254"'],
               f"_dmarc.{FROM}. TXT": [r'"v=DMARC1; p=\027]0;x\007; rua=\226\128\174"'],
               f"s._domainkey.{FROM}. TXT": [r'"v=DKIM1; p=\027[2J' + "A" * 200 + '" ' + LONG * 20],
               "1.2.0.192.in-addr.arpa. PTR": [r"a\027b\.c.test."], f"{BOUNCE}. MX": [r"10 \027[31m.test.", "0 ."],
               f"s-ed._domainkey.{FROM}. TXT": [],
               f"s-ed._domainkey.{FROM}. CNAME": ["loop.test."], "loop.test. CNAME": ["pool.test."], "pool.test. CNAME": ["loop.test."]})
    for form in ("table", "csv", "json"):
        done = world.run("listctl", "dns", "--check", "--format", form)
        assert done.returncode == 1 and "Sanitizer" not in done.stderr, done.stderr[-2000:]
        text = done.stdout + done.stderr
        assert all(c == "\n" or c == "\r" or c.isprintable() for c in text), sorted({c for c in text if not c.isprintable()})
        assert "\u202e" not in text and len(text) < 40000, len(text)
    code, rows = check(world)
    assert rows["spf", BOUNCE]["verdict"] == "differs" and r"\027[31m" in rows["spf", BOUNCE]["found"], rows["spf", BOUNCE]
    assert rows["dkim", f"s-ed._domainkey.{FROM}"]["verdict"] in ("unknown", "missing"), rows


def silent_server(garbage):
    """A resolver that says nothing, or only octets; its port."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def work():
        while True:
            try:
                query, peer = server.recvfrom(4096)
                if garbage:
                    server.sendto(query[:2] + os.urandom(200), peer)
            except OSError:
                return
    threading.Thread(target=work, daemon=True).start()
    return server, server.getsockname()[1]


def test_time(world):
    "A resolver that is silent or talks nonsense ends within the time, as unknown, exit 1."
    prepared(world)
    for garbage in (False, True):
        server, port = silent_server(garbage)
        start = time.monotonic()
        code, rows = check(world, "--resolver", f"127.0.0.1@{port}", "--timeout", "3s")
        assert code == 1 and verdicts(rows) == {"unknown"}, rows
        assert time.monotonic() - start < 30, time.monotonic() - start
        server.close()
    world.refused("dns", "--check", "--resolver", "nonsense", says="address is wanted")
    world.refused("dns", "--timeout", "3s", code=2, says="--check")
    world.refused("dns", "no_domain", says="domain")


def test_before_campaigns(world):
    "dns.check: off says nothing, warn says what is wrong and goes on, refuse refuses it, and what cannot be told only warns."
    dns = prepared(world)
    world.subscribe([("ann@a.test", "Ann")])
    world.campaign("c", start=False)
    good = published(world)
    dns.serve({**good, f"_dmarc.{FROM}. TXT": []})
    done = world.run("listctl", "campaign", "schedule", "c", "--at", "2030-01-01 08:00", "--zone", "UTC")
    assert done.returncode == 0 and "DNS" not in done.stderr, done
    world.configure(**{"dns.check": "warn"})
    done = world.run("listctl", "campaign", "schedule", "c", "--at", "2030-01-01 08:00", "--zone", "UTC")
    assert done.returncode == 0 and f"dmarc of _dmarc.{FROM} is missing" in done.stderr and done.stderr.count("DNS:") == 1, done
    world.configure(**{"dns.check": "refuse"})
    world.listctl("campaign", "schedule", "c", "--clear")
    world.refused("campaign", "start", "c", says=["is missing", "dns.check is refuse", f"listctl dns --check {FROM}"])
    world.refused("campaign", "schedule", "c", "--at", "2030-01-01 08:00", "--zone", "UTC", says="dns.check is refuse")
    assert world.status("c")["state"] == "draft"
    dns.stop()
    world.configure(**{"dns.timeout": "2s"})
    done = world.run("listctl", "campaign", "schedule", "c", "--at", "2030-01-01 08:00", "--zone", "UTC")
    assert done.returncode == 0 and "could not be looked up" in done.stderr, done
    world.configure(**{"dns.timeout": "20s"})
    dns.serve(good)
    done = world.run("listctl", "campaign", "start", "c")
    assert done.returncode == 0 and "DNS" not in done.stderr, done
