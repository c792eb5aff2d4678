"""What an administrator asks every day, in a database of millions: the part `daily` of scripts/bench.

Everybody is a member of one list, a tenth of another, to whom twenty campaigns have gone; 1,000 campaigns are known. Something came back about
each of that tenth, a hundredth of all is disabled, and as many addresses as a tenth are suppressed. Each query is asked on a terminal, three times, and its
median shown beside one second; what takes longer has to show how far it is."""

import json
import os
import pty
import signal
import statistics
import subprocess
import threading
import time

# What the asking is about. Texts are as varied as in a real list: one in 50 has no attribute at all.
PEOPLE = """INSERT INTO verpost.subscriber (address, address_key, name, attributes)
SELECT a, a, 'Reader ' || n, CASE n % 50 WHEN 0 THEN '{{}}' ELSE jsonb_build_object('country',
 (ARRAY['ID', 'DE', 'FR', 'US', 'BR', 'IN', 'JP'])[1 + n % 7], 'age', 18 + n % 70, 'plan', 'plan ' || n % 3) END
FROM generate_series({first}::bigint, {last}) AS n,
LATERAL (SELECT format('daily%s@d%s.example.net', lpad(n::text, 8, '0'), n % 49999) AS a) AS x"""
# As an import does, in one transaction: nobody else is there whom a lock would keep away (schema/028), and all are counted at once (schema/034).
MEMBERS = """SELECT set_config('verpost.members_are_counted', 'on', true);
WITH come AS (INSERT INTO verpost.membership (list_id, subscriber_id, since)
 SELECT l.id, s.id, now() - s.id % 1000 * interval '1 day' FROM verpost.list l, verpost.subscriber s WHERE l.name = '{name}' AND s.id % {part} = 0
 RETURNING list_id, state)
INSERT INTO verpost.member_change (list_id, state, people) SELECT list_id, state, count(*) FROM come GROUP BY 1, 2"""
SENT = """INSERT INTO verpost.delivery (campaign_id, subscriber_id, outcome, attempts, at, code, reason)
SELECT {campaign}, id, CASE WHEN id % 100 = 0 THEN 'refused' ELSE 'accepted' END::verpost.delivery_outcome, 1, now(),
 CASE WHEN id % 100 = 0 THEN 550 ELSE 250 END, CASE WHEN id % 100 = 0 THEN 'user-unknown' END
FROM (SELECT subscriber_id AS id FROM verpost.membership m JOIN verpost.list l ON l.id = m.list_id AND l.name = 'daily-part'
 ORDER BY 1 LIMIT 1000000) AS x"""
# Campaigns that are over, as the first one; the twenty oldest with their ledgers.
OVER = """INSERT INTO verpost.campaign (name, list_id, subject, from_address, text_body, html_body, state, audience, started_at, ended_at)
SELECT 'daily-old-' || n, list_id, subject, from_address, text_body, html_body, state, audience, at, at FROM verpost.campaign,
 generate_series(1, 1000) AS n, LATERAL (SELECT now() - n * interval '1 day' AS at) AS x WHERE name = 'daily-sent'"""
# One report about each, soft but for a tenth.
RETURNED = """INSERT INTO verpost.bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, status, diagnostic,
 judged_at) SELECT campaign_id, nextval('verpost.bounce_event_id'), subscriber_id, sha256(subscriber_id::text::bytea), 'report',
 now() - subscriber_id % 5000 * interval '1 minute', (CASE WHEN outcome = 'refused' THEN 'bounce-hard' ELSE 'bounce-soft' END)::verpost.bounce_kind,
 CASE WHEN outcome = 'refused' THEN 'user-unknown' ELSE 'mailbox-full' END, '5.0.0', 'as it is in the bench', now()
FROM verpost.delivery WHERE campaign_id = {campaign}"""
DISABLED = """UPDATE verpost.membership m SET state = 'disabled', reason = 'user-unknown' FROM verpost.list l
WHERE l.id = m.list_id AND l.name = 'daily-all' AND m.subscriber_id % 100 = 7"""
SUPPRESSED = """INSERT INTO verpost.suppression (kind, value, reason, source)
SELECT 'address', format('gone%s@d%s.example.net', n, n % 997), 'asked', 'bench' FROM generate_series(1, {count}) AS n"""
STEP = 500_000
GRACE = 0.3  # seconds in which a progress line may be due and not yet drawn
LEDGERS = 20


class Daily:
    def __init__(self, bench, bin, say):
        self.bench, self.bin, self.say = bench, bin, say

    def make(self, count):
        bench, begun = self.bench, time.monotonic()
        for first in range(1, count + 1, STEP):
            bench.sql(PEOPLE.format(first=first, last=min(first + STEP - 1, count)))
        for name, part in (("daily-all", 1), ("daily-part", 10)):
            bench.listctl("list", "create", name, "--title", "Daily", "--from", "Daily <daily@example.org>")
            bench.sql(MEMBERS.format(name=name, part=part))
        self.write_campaign("daily-sent", "daily-part")
        members = int(bench.sql("SELECT people FROM verpost.member_count m JOIN verpost.list l ON l.id = m.list_id WHERE l.name = 'daily-part'"))
        bench.sql(f"UPDATE verpost.campaign SET state = 'finished', audience = {min(members, 1_000_000)}, started_at = now(), ended_at = now()"
                  " WHERE name = 'daily-sent'")
        bench.sql(OVER)
        first = int(bench.sql("SELECT id FROM verpost.campaign WHERE name = 'daily-sent'"))
        for campaign in range(first, first + LEDGERS):
            bench.sql(SENT.format(campaign=campaign))
        bench.sql(RETURNED.format(campaign=first))
        bench.sql(DISABLED)
        bench.sql(SUPPRESSED.format(count=count // 10))
        bench.sql("VACUUM ANALYZE")
        self.say(f"  {count:,} subscribers made in {time.monotonic() - begun:.0f} s")

    def write_campaign(self, name, members):
        folder = self.bench.folder
        self.bench.listctl("campaign", "create", name, members, "--subject", "Issue 42", "--text", folder / "news.txt", "--html",
                           folder / "news.html")

    def once(self, *arguments):
        """Seconds until the first octet of the answer and until the end, and whether a progress line was drawn: stderr is a terminal."""
        ours, theirs = pty.openpty()
        said = bytearray()

        def listen():
            try:
                while piece := os.read(ours, 4096):
                    said.extend(piece)
            except OSError:  # so a terminal ends
                pass

        listener = threading.Thread(target=listen)
        begun = time.monotonic()
        process = subprocess.Popen([str(part) for part in (self.bin / "listctl", "--config", self.bench.config, *arguments)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        listener.start()
        process.stdout.read(1)
        first = time.monotonic() - begun
        while process.stdout.read(1 << 20):
            pass
        code = process.wait()
        taken = time.monotonic() - begun
        listener.join()
        os.close(ours)
        if code != 0:
            raise SystemExit(f"bench: {' '.join(map(str, arguments))} failed ({code}): {said.decode(errors='replace')}")
        return first, taken, b"\r\x1b[K" in said

    def ask(self, *arguments, limit=1.0, as_text=None, has_to=False):
        """What lasts longer than the limit, if it may, shows how far it is; where its rows come as they are found, the first one is there before."""
        runs = [self.once(*arguments) for _ in range(3)]
        first, taken = (statistics.median(run[i] for run in runs) for i in (0, 1))
        is_told = all(told for _, seconds, told in runs if seconds > limit + GRACE)
        streams = ", the first row after %.2f s" % first if taken >= limit > first else ""
        self.bench.note("  " + (as_text or " ".join(map(str, arguments))),
                        f"{taken:.2f} s{streams}" + (", with progress" if any(run[2] for run in runs) else ""),
                        f"< {limit:g} s" + ("" if has_to else ", or progress"), taken < limit or (is_told and not has_to))

    def wait_line(self, log, event):
        """When sender said so, to some milliseconds."""
        deadline = time.monotonic() + 900
        while event not in log.read_text():
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: sender did not say {event}; see {log}")
            time.sleep(0.005)
        return time.monotonic()

    def freeze(self):
        """What sender needs from the moment at which it takes the campaign up until the audience stands; and from `campaign start` on."""
        bench, log = self.bench, self.bench.folder / "daily.log"
        self.write_campaign("daily-next", "daily-part")
        sender = subprocess.Popen([self.bin / "sender", "--config", bench.config], stdout=subprocess.DEVNULL, stderr=open(log, "w"))
        self.wait_line(log, "worker.started")
        asked = time.monotonic()
        bench.listctl("campaign", "start", "daily-next")
        begun = self.wait_line(log, "campaign.freezing")
        stands = self.wait_line(log, "campaign.started")
        audience = json.loads(bench.listctl("campaign", "status", "daily-next", "--format", "json"))
        audience = (audience[0] if isinstance(audience, list) else audience)["audience"]
        bench.listctl("campaign", "cancel", "daily-next", "--yes")
        sender.send_signal(signal.SIGTERM)
        sender.wait(90)
        bench.note(f"  an audience of {audience:,} frozen", f"{stands - begun:.2f} s, {stands - asked:.2f} s after `campaign start`", "< 1 s",
                   stands - begun < 1)

    def segments(self):
        """One in 23 of them: found by reading all, and by its index."""
        self.bench.listctl("segment", "create", "daily-older", "--where", '$.country == "ID" && $.age >= 66')
        self.ask("segment", "count", "daily-older", limit=10, as_text="segment count without an index")
        self.bench.listctl("segment", "index", "daily-older")
        self.bench.sql("VACUUM verpost.subscriber")
        self.ask("segment", "count", "daily-older", limit=2)
        self.ask("segment", "count", "daily-older", "--list", "daily-all", limit=2)
        self.ask("segment", "show", "daily-older", limit=2)

    def daily(self):
        count = self.bench.options.people
        self.make(count)
        somebody = f"daily{count // 2:08d}@d{count // 2 % 49999}.example.net"
        returned = f"daily{count // 2:08d}@d{count // 2 % 49999}.example.net"
        self.ask("list", "ls")
        self.ask("list", "show", "daily-all")
        self.ask("campaign", "ls")
        self.ask("campaign", "status", "daily-sent")
        self.ask("campaign", "report", "daily-sent")
        self.ask("campaign", "show", "daily-sent")
        self.ask("campaign", "status", "daily-sent", "--recipients", "refused")
        self.ask("campaign", "watch", "daily-sent")
        self.ask("bounce", "ls")
        self.ask("bounce", "ls", "--list", "daily-all")
        self.ask("bounce", "ls", "--address", returned, as_text="bounce ls --address ADDRESS")
        self.ask("bounce", "ls", "--reason", "policy")
        self.ask("bounce", "show", "1")
        self.ask("bounce", "report")
        self.ask("bounce", "report", "--campaign", "daily-sent")
        self.ask("bounce", "report", "--by", "both")
        self.ask("bounce", "report", "--list", "daily-part")
        self.ask("explain", somebody, as_text="explain ADDRESS")
        self.ask("subscriber", "show", somebody, as_text="subscriber show ADDRESS")
        self.ask("subscriber", "find", somebody[:10], as_text="subscriber find, by the beginning")
        self.ask("subscriber", "find", f"ader {count // 2} ", as_text="subscriber find, by a part that nobody has")
        self.ask("prune", "daily-all")
        self.ask("suppress", "ls")
        for noun in ("pace", "mailbox", "relay", "segment", "worker"):
            self.ask(noun, "ls")
        self.write_campaign("daily-draft", "daily-all")
        self.ask("campaign", "preview", "daily-draft", somebody, as_text="campaign preview NAME ADDRESS")
        self.ask("campaign", "edit", "daily-draft", "--subject", "Issue 42 for {{plan}}")
        self.ask("campaign", "lint", "daily-draft")
        self.segments()
        self.freeze()
