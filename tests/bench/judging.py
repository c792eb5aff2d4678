"""What a judgement costs: the parts `verdicts`, `verdict` and `storms` of scripts/bench.

verdicts: a million members, to each of whom the five last campaigns went and each of whom five reports came back about (--campaigns older
ones went to them besides and did not come back): `prune`, `policy simulate` and `explain`. verdict: reports into bounced that count, beside
reports of a delay, which are stored and judge nobody. storms: reports that count while storms are looked for, and while not."""

import json
import statistics

MEMBERS = """SELECT set_config('verpost.members_are_counted', 'on', true);
WITH come AS (INSERT INTO verpost.membership (list_id, subscriber_id)
 SELECT l.id, s.id FROM verpost.list l, verpost.subscriber s WHERE l.name = 'judged' ORDER BY 2 RETURNING list_id, state)
INSERT INTO verpost.member_change (list_id, state, people) SELECT list_id, state, count(*) FROM come GROUP BY 1, 2"""
PEOPLE = """INSERT INTO verpost.subscriber (address, address_key, name)
SELECT a, a, 'Reader ' || n FROM generate_series(1, {count}) AS n, LATERAL (SELECT format('judged%s@d%s.example.net', n, n % 4999) AS a) AS x"""
# The newest is five days old, so that some windows are open; those before are a week apart.
CAMPAIGNS = """INSERT INTO verpost.campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at)
SELECT 'judged-' || n, l.id, 's', 'a@example.org', 't', 'finished', {people}, at, at FROM verpost.list l, generate_series({count}, 1, -1) AS n,
 LATERAL (SELECT now() - (5 + 7 * (n - 1)) * interval '1 day' AS at) AS x WHERE l.name = 'judged' ORDER BY n DESC"""
SENT = """INSERT INTO verpost.delivery (campaign_id, subscriber_id, outcome, attempts, at, code)
SELECT c.id, m.subscriber_id, 'accepted', 1, c.ended_at, 250 FROM verpost.campaign c JOIN verpost.membership m USING (list_id)
WHERE c.name = 'judged-{number}' ORDER BY 2"""
# One in 100 has failed for good and is out already; the others have full mailboxes, and are not condemned before 30 days.
RETURNED = """INSERT INTO verpost.bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, status, diagnostic,
 judged_at) SELECT d.campaign_id, nextval('verpost.bounce_event_id'), d.subscriber_id, sha256(d.subscriber_id::text::bytea), 'report',
 d.at + interval '1 minute', (CASE WHEN gone THEN 'bounce-hard' ELSE 'bounce-soft' END)::verpost.bounce_kind,
 CASE WHEN gone THEN 'user-unknown' ELSE 'mailbox-full' END, '5.0.0', 'as it is in the bench', now()
FROM verpost.delivery d JOIN verpost.campaign c ON c.id = d.campaign_id, LATERAL (SELECT d.subscriber_id % 100 = 0 AS gone) AS x
WHERE c.name = 'judged-{number}'"""
DISABLED = """UPDATE verpost.membership m SET state = 'disabled', reason = 'user-unknown', campaign_id = c.id FROM verpost.campaign c
WHERE c.name = 'judged-5' AND m.list_id = c.list_id AND m.subscriber_id % 100 = 0"""
RETURNING = 5


class Judging:
    """daily, receiving: those parts, which know how a question is timed and how reports are handed over."""

    def __init__(self, bench, say, daily, receiving):
        self.bench, self.say, self.daily, self.receiving = bench, say, daily, receiving

    def make(self, people, campaigns):
        bench = self.bench
        bench.listctl("list", "create", "judged", "--title", "Judged", "--from", "Judged <judged@example.org>")
        for text in (PEOPLE.format(count=people), MEMBERS, CAMPAIGNS.format(people=people, count=campaigns)):
            bench.sql(text)
        for number in range(campaigns, 0, -1):
            bench.sql(SENT.format(number=number))
            if number <= RETURNING:
                bench.sql(RETURNED.format(number=number))
        bench.sql(DISABLED)
        bench.sql("VACUUM ANALYZE")
        self.say(f"  {people:,} members, {campaigns * people:,} rows of the ledger, {RETURNING * people:,} events made")

    def verdicts(self):
        options = self.bench.options
        self.make(options.judged, RETURNING + options.campaigns)
        somebody = self.bench.sql("SELECT address FROM verpost.subscriber WHERE address LIKE 'judged%'"
                                  f" ORDER BY id DESC OFFSET {options.judged // 2} LIMIT 1")
        self.daily.ask("prune", "judged", limit=10, has_to=True)
        self.daily.ask("policy", "simulate", "judged", "--set", "mailbox-full=3/7", limit=30, has_to=True)
        self.daily.ask("explain", somebody, limit=0.1, has_to=True, as_text="explain ADDRESS")

    def verdict(self):
        """By processor time of both programs and PostgreSQL, so that what runs beside is no matter."""
        receiving, bench, used = self.receiving, self.bench, {"counts": [], "delay": []}
        receiving.prepare()
        count = bench.options.recipients // 2
        for number in range(bench.options.rounds):
            for name, times in used.items():
                receiving.write_message(**({"action": "delayed", "status": "4.4.1"} if name == "delay" else {"status": "5.1.1"}),
                                        diagnostic="550 5.1.1 no such user", mark=f"{name}-{number}")
                with receiving.bounced() as (port, process):
                    before = receiving.cpu_us(process.pid)
                    receiving.hand_over(port, 32, count)
                    after = receiving.cpu_us(process.pid)
                times.append(sum(after[part] - before[part] for part in ("bounced", "postgres")) / count)
            self.say(f"  round {number + 1}: " + ", ".join(f"{name} {times[-1]:.0f} us" for name, times in used.items()))
        kinds = json.loads(bench.sql("SELECT json_object_agg(kind, n) FROM (SELECT kind, count(*) AS n FROM verpost.bounce_event GROUP BY 1) AS x"))
        if set(kinds) != {"bounce-hard", "delay"}:
            raise SystemExit(f"bench: these kinds are stored: {kinds}")
        ratio = statistics.median(one / other for one, other in zip(used["counts"], used["delay"]))
        bench.note("a report with its verdict, over one that is only stored", f"{ratio:.2f}", "<= 2", ratio <= 2)
        for name, label in (("counts", "with its verdict"), ("delay", "only stored")):
            bench.note(f"  {label}", f"{statistics.median(used[name]):.0f} us")

    def storms(self):
        """By processor time, as verdict() does: the same reports with and without looking for storms, of addresses as lists have them: half at one operator, a
        quarter at nine, the others at many. Nobody has accepted before, so that none opens and all are judged."""
        receiving, bench, used = self.receiving, self.bench, {"with": [], "without": []}
        bench.sql("UPDATE verpost.subscriber SET address = a, address_key = a FROM (SELECT id AS one, format('user%s@%s', id, CASE WHEN id % 4 < 2"
                  " THEN 'gmail.com' WHEN id % 4 = 2 THEN format('large%s.example.net', id % 9) ELSE format('d%s.example.net', id % 997) END) AS a"
                  " FROM verpost.subscriber) AS x WHERE id = one")
        receiving.prepare()
        count = bench.options.recipients // 2
        for number in range(bench.options.rounds + 1):  # the first warms up
            for name, times in used.items():
                receiving.write_message(status="5.1.1", diagnostic="550 5.1.1 no such user", mark=f"{name}-{number}")
                with receiving.bounced(sections="" if name == "with" else "[storm]\nshare = 0\n") as (port, process):
                    before = receiving.cpu_us(process.pid)
                    receiving.hand_over(port, 32, count)
                    after = receiving.cpu_us(process.pid)
                times.append(sum(after[part] - before[part] for part in ("bounced", "postgres")) / count)
            self.say(f"  round {number}: " + ", ".join(f"{name} {times[-1]:.0f} us" for name, times in used.items()))
        if int(bench.sql("SELECT count(*) FROM verpost.storm")) != 0:
            raise SystemExit("bench: a storm has opened, which is not what is measured")
        ratio = statistics.median(one / other for one, other in zip(used["with"][1:], used["without"][1:]))
        bench.note("a report while storms are looked for, over one while not", f"{ratio:.2f}", "<= 1.10", ratio <= 1.1)
        for name, times in used.items():
            bench.note(f"  {name}", f"{statistics.median(times[1:]):.0f} us")
