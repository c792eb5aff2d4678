"""What comes back: tokens made by an implementation of their own (from the layout in lib/mail/token.h), and messages of each kind."""

import base64
import hashlib
import hmac
import pathlib
import re
import time

from verpost import BOUNCE_DOMAIN, Talk

TAG = {"return-path": 7, "message": 7, "unsubscribe": 16, "confirm": 16}


def today():
    return int(time.time() // 86400)


def keys(world):
    """[(id, bytes)] of the active keys, in the file's order."""
    text = pathlib.Path(world.base / "keys").read_text()
    return [(int(i), bytes.fromhex(h)) for i, h in re.findall(r"^key (\d+) \S+ active ([0-9A-Fa-f]{64})", text, re.M)]


def token(world, purpose, scope, subscriber, age=0, key=None, domain=BOUNCE_DOMAIN):
    key_id, secret = key or keys(world)[-1]
    day = (today() - age) % 65536
    fields = bytes([1 << 4 | key_id]) + int(scope).to_bytes(4, "big") + int(subscriber).to_bytes(5, "big") + day.to_bytes(2, "big")
    tag = hmac.new(secret, purpose.encode() + b"\0" + domain.encode() + b"\0" + fields, hashlib.sha256).digest()
    return base64.b32encode(fields + tag[:TAG[purpose]]).decode().rstrip("=").lower()


def return_path(world, campaign, subscriber, **how):
    return f"b+{token(world, 'return-path', campaign, subscriber, **how)}@{BOUNCE_DOMAIN}"


def unsubscribe(world, list_id, subscriber, **how):
    return f"unsubscribe+{token(world, 'unsubscribe', list_id, subscriber, **how)}@{BOUNCE_DOMAIN}"


def people(world, count, outcome="accepted", ledger=None):
    """A list's members p1.., a running campaign, and ledger rows for the first `ledger` of them (default all). Their ids in order,
    with the campaign's: the tests below are about what comes back, so what was sent is only written into the tables."""
    world.setup()
    world.sql("INSERT INTO subscriber (address, address_key) SELECT a, a FROM (SELECT 'p' || g || '@example.test' AS a"
              f" FROM generate_series(1, {count}) g) AS x ORDER BY length(a), a")
    world.sql("INSERT INTO membership (list_id, subscriber_id) SELECT (SELECT min(id) FROM list), id FROM subscriber")
    campaign = send(world, "first", outcome=outcome, ledger=count if ledger is None else ledger)
    return [int(row[0]) for row in world.sql("SELECT id FROM subscriber ORDER BY id")], campaign


def send(world, name, outcome="accepted", ledger=10**9, days_ago=0):
    """A running campaign to everybody with ledger rows for the first `ledger`; its id."""
    world.sql("INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
              f" SELECT '{name}', min(id), 's', 'a@example.test', 't', 'running',"
              f" (SELECT count(*) FROM subscriber), now() - interval '{days_ago} days' FROM list")
    campaign = int(world.value(f"SELECT id FROM campaign WHERE name = '{name}'"))
    world.sql(f"INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code)"
              f" SELECT {campaign}, id, '{outcome}', 1, now() - interval '{days_ago} days', 250"
              f" FROM (SELECT id FROM subscriber ORDER BY id LIMIT {ledger}) AS s")
    return campaign


def talk(world):
    peer = Talk(world.bounced_port)
    peer.say("EHLO peer.test", "250")
    return peer


def deliver(world, sender, recipient, message, expected="250"):
    peer = talk(world)
    reply = peer.deliver(sender, recipient, message, expected)
    peer.say("QUIT", "221")
    peer.close()
    return reply


def dsn(status="5.1.1", diagnostic="550 5.1.1 <p@example.test>: Recipient address rejected: User unknown", action="failed",
        mark="1", padding=0, to="x@bounce.test"):
    """A delivery report in the shape of Postfix. `mark` makes it another report."""
    return f"""From: MAILER-DAEMON@mx.example.test (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: Sun, 22 Nov 2026 10:00:00 +0000
Message-Id: <{mark}@mx.example.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="SEP"

--SEP
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.test.

<p@example.test>: host mail.example.test[192.0.2.1] said: {diagnostic}

--SEP
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test
Arrival-Date: Sun, 22 Nov 2026 09:59:59 +0000

Final-Recipient: rfc822; p@example.test
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.test
Diagnostic-Code: smtp; {diagnostic}

--SEP
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: news@example.test
To: p@example.test
Subject: News
Message-ID: <x@example.test>

{"Some text of the newsletter. " * 2}
{("y" * 70 + chr(10)) * (padding // 71)}
--SEP--
"""


FULL = {"status": "5.2.2", "diagnostic": "552 5.2.2 <p@example.test>: Mailbox full, quota exceeded"}
BLOCKED = {"status": "5.7.1", "diagnostic": "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org"}


def arf(message_id="<x@example.test>", mark="1"):
    return f"""From: <fbl@provider.test>
To: <abuse@bounce.test>
Subject: FW: News
Date: Sun, 22 Nov 2026 10:00:00 +0000
Message-ID: <{mark}@provider.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="SEP"

--SEP
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for a message received from 192.0.2.1.

--SEP
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <news@example.test>
Arrival-Date: Sun, 22 Nov 2026 09:00:00 +0000

--SEP
Content-Type: message/rfc822

From: news@example.test
To: someone@provider.test
Subject: News
Message-ID: {message_id}

Text.
--SEP--
"""


VACATION = """From: p@example.test
To: x@bounce.test
Subject: Out of office: News
Date: Sun, 22 Nov 2026 10:00:00 +0000
Message-ID: <v1@example.test>
Auto-Submitted: auto-replied
Precedence: bulk
Content-Type: text/plain

I am away until Monday. For urgent matters call my colleague; my mailbox is full of postcards.
"""

LETTER = """From: Pat <p@example.test>
To: x@bounce.test
Subject: Re: News
Date: Sun, 22 Nov 2026 10:00:00 +0000
Message-ID: <l1@example.test>
Content-Type: text/plain

Thank you for the newsletter, I liked it very much. Could you write more about gardens?
"""


def membership(world, subscriber):
    """(state, reason)"""
    return tuple(world.sql(f"SELECT state, coalesce(reason, '') FROM membership WHERE subscriber_id = {subscriber}")[0])


def events(world, subscriber):
    """(kind, reason) of the stored events, oldest first."""
    return [tuple(row) for row in world.sql(
        f"SELECT kind, reason FROM bounce_event WHERE subscriber_id = {subscriber} ORDER BY id")]
