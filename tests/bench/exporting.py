"""The part `export` of scripts/bench: a list of a million written as CSV, beside psql's `\\copy ... to` of the same columns."""

import os
import statistics
import subprocess
import time

PEOPLE = """INSERT INTO verpost.subscriber (address, address_key, name, attributes)
SELECT a, a, 'Reader ' || n, jsonb_build_object('plan', 'plan ' || n % 3, 'city', 'City ' || n % 211, 'code', 'c' || n * 7919 % 1000003)
FROM generate_series(1::bigint, {count}) AS n, LATERAL (SELECT format('export%s@d%s.example.net', lpad(n::text, 8, '0'), n % 997) AS a) AS x"""
MEMBERS = """INSERT INTO verpost.membership (list_id, subscriber_id)
SELECT l.id, s.id FROM verpost.list l, verpost.subscriber s WHERE l.name = 'export' AND s.address LIKE 'export%'"""
COPY = ("\\copy (SELECT s.address AS email, s.name, s.attributes ->> 'city' AS city, s.attributes ->> 'code' AS code,"
        " s.attributes ->> 'plan' AS plan FROM verpost.membership m JOIN verpost.subscriber s ON s.id = m.subscriber_id"
        " JOIN verpost.list l ON l.id = m.list_id WHERE l.name = 'export' AND m.state = 'active' ORDER BY m.subscriber_id)"
        " TO '{path}' (FORMAT csv, HEADER)")
COUNT, TARGET, MEMORY_KB = 1_000_000, 0.5, 64 << 10


class Exporting:
    def __init__(self, bench, bin, top):
        self.bench, self.bin, self.top = bench, bin, top

    def make(self):
        bench = self.bench
        bench.sql(PEOPLE.format(count=COUNT))
        bench.listctl("list", "create", "export", "--title", "Export", "--from", "Export <export@example.org>")
        bench.sql(MEMBERS)
        bench.sql("VACUUM ANALYZE")

    def timed(self, *command):
        """Seconds, and the largest memory in KB."""
        begun = time.monotonic()
        pid = os.posix_spawn(command[0], [str(part) for part in command], os.environ)
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            raise SystemExit(f"bench: {command} failed")
        return time.monotonic() - begun, usage.ru_maxrss

    def export(self):
        bench, folder = self.bench, self.bench.folder
        self.make()
        ours, limit, memory_kb = [], [], 0
        conninfo = bench.conninfo
        for _ in range(bench.options.rounds):
            limit.append(self.timed("/usr/bin/psql", "-qd", conninfo, "-c", COPY.format(path=folder / "copy.csv"))[0])
            seconds, peak = self.timed(self.bin / "listctl", "--config", bench.config, "--quiet", "export", "export", "--output",
                                       folder / "export.csv")
            ours.append(seconds)
            memory_kb = max(memory_kb, peak)
        lines = [int(subprocess.run(["wc", "-l", folder / name], capture_output=True, text=True).stdout.split()[0])
                 for name in ("copy.csv", "export.csv")]
        if lines != [COUNT + 1, COUNT + 1]:
            raise SystemExit(f"bench: lines written: {lines}")
        ours, limit = statistics.median(ours), statistics.median(limit)
        bench.note(f"{COUNT:,} members as CSV", f"{COUNT / ours:,.0f}/s")
        bench.note("  \\copy ... to, the same columns", f"{COUNT / limit:,.0f}/s")
        bench.note("  ratio", f"{limit / ours:.2f}", f">= {TARGET}", limit / ours >= TARGET)
        bench.note("  memory of listctl", f"{memory_kb / 1024:.1f} MB", "< 64 MB", memory_kb < MEMORY_KB)
