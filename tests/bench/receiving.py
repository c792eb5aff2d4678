"""What `bounced` takes in a second: the parts `intake`, `crowd` and `classify` of scripts/bench.

Reports of 3 KB, each another one, for recipients of a campaign, into PostgreSQL with durable commits; beside the same client into a sink that
keeps nothing, and into Debian's Postfix, which discards, where that is unpacked (scripts/unpack-mta postfix) and root runs it."""

import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/system"))
from returns import dsn, token  # noqa: E402

DOMAIN = "bounce.example.org"
SIZE = 3 << 10
SPEED_SECONDS = 3


class Receiving:
    """bench: of scripts/bench, prepared; bin: where the programs are."""

    def __init__(self, bench, bin, run, say, free_port, process_times):
        self.bench, self.bin, self.run, self.say, self.free_port, self.process_times = bench, bin, run, say, free_port, process_times
        self.base = bench.folder  # where returns.token() finds the keys
        self.message, self.recipients = self.base / "report.eml", self.base / "recipients"

    # ---- what is sent ----

    def write_message(self, **report):
        text = dsn(**report)
        more = SIZE - len(text) - 60
        text = text.replace("Subject: News\n", "Subject: News\n" + "".join(f"X-Line-{i}: {'x' * 60}\n" for i in range(more // 74)))
        self.message.write_text(text.replace("\n", "\r\n"))

    def prepare(self):
        """A campaign that everybody has been sent, and the return paths of its copies."""
        bench, count = self.bench, self.bench.options.recipients
        bench.sql("INSERT INTO verpost.campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
                  f" SELECT 'returned', min(id), 's', 'a@example.org', 't', 'running', {count}, now() FROM verpost.list")
        campaign = int(bench.sql("SELECT id FROM verpost.campaign WHERE name = 'returned'"))
        bench.sql("INSERT INTO verpost.delivery (campaign_id, subscriber_id, outcome, attempts, at, code)"
                  f" SELECT {campaign}, id, 'accepted', 1, now(), 250 FROM verpost.subscriber ORDER BY id LIMIT {count}")
        ids = bench.sql(f"SELECT id FROM verpost.subscriber ORDER BY id LIMIT {count}").split()
        self.recipients.write_text("".join(f"b+{token(self, 'return-path', campaign, one, domain=DOMAIN)}@{DOMAIN}\n" for one in ids))
        bench.sql("VACUUM ANALYZE")
        self.write_message()

    def hand_over(self, port, connections, count, *how):
        done = json.loads(self.run(self.bin / "bench_reports", port, connections, count, self.recipients, self.message, *how))
        if done["refused"]:
            sys.exit(f"bench: {done['refused']} of {count} reports were refused")
        return done

    # ---- who takes it ----

    @contextlib.contextmanager
    def bounced(self, sections="", **settings):
        port = self.free_port()
        config = self.base / "bounced.conf"
        settings = {"listen": f"127.0.0.1:{port}", "hostname": "mx.example.org", "max_connections": 3000, "max_per_network": 3000,
                    "max_messages": 10**9, **settings}
        config.write_text(self.bench.config.read_text() + "[bounced]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()) + sections)
        log = open(self.base / "bounced.log", "a")
        process = subprocess.Popen([self.bin / "bounced", "--config", config], stderr=log)
        wait_for(port)
        try:
            yield port, process
        finally:
            process.terminate()
            process.wait(60)

    @contextlib.contextmanager
    def sink(self):
        port = self.free_port()
        process, _ = self.bench.sink(port)
        try:
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    @contextlib.contextmanager
    def postfix(self):
        from postfix import Postfix
        port = self.free_port()
        postfix = Postfix(self.base / "postfix", port, port, "discard:", DOMAIN, extra=f"relay_domains = {DOMAIN}\n")
        postfix.start()
        wait_for(port)
        try:
            yield port
        finally:
            postfix.stop()

    # ---- intake ----

    def intake(self):
        self.prepare()
        for label, how, connections, target in (("32 kept connections", [], 32, 7000), ("a fresh connection each", ["fresh"], 32, 5000),
                                                ("200 kept connections", [], 200, None)):
            self.compare(label, how, connections, target)

    def compare(self, label, how, connections, target):
        bench, budgets, rates, ratios, slowest = self.bench, [], [], [], []
        count = bench.options.recipients // 2
        for number in range(bench.options.rounds):
            before = int(bench.sql("SELECT count(*) FROM verpost.bounce_event"))
            with self.bounced() as (port, process):
                before_us = self.cpu_us(process.pid)
                done = self.hand_over(port, connections, count, *how)
                used = {part: (us - before_us[part]) / count for part, us in self.cpu_us(process.pid).items()}
            stored = int(bench.sql("SELECT count(*) FROM verpost.bounce_event")) - before
            if stored != count:
                sys.exit(f"bench: {count} reports were answered 250, {stored} are stored")
            with self.sink() as port:
                limit = self.hand_over(port, connections, count, *how)
            budgets.append(used), rates.append(done["rate"]), ratios.append(done["rate"] / limit["rate"]), slowest.append(done["slowest"])
            self.say(f"  {label}, round {number + 1}: bounced {done['rate']:,.0f}/s, slowest answer {1000 * done['slowest']:.0f} ms; "
                     f"a sink that keeps nothing {limit['rate']:,.0f}/s; us a report: " + ", ".join(f"{part} {us:.0f}" for part, us in used.items()))
        rate = statistics.median(rates)
        good = {} if target is None else {"target": f">= {target:,}/s", "good": rate >= target}
        bench.note(f"reports of 3 KB, {label}", f"{rate:,.0f}/s", *good.values())
        bench.note("  over a sink that keeps nothing", f"{statistics.median(ratios):.3f}")
        budget = {part: statistics.median(used[part] for used in budgets) for part in budgets[0]}
        bench.note("  processor time a report", f"{sum(budget.values()):.0f} us", "<= " + f"{2e6 / target:.0f} us" if target else "",
                   sum(budget.values()) <= 2e6 / target if target else None)
        for part, us in budget.items():
            bench.note(f"    {part}", f"{us:.0f} us")
        self.beside_postfix(rate, connections, how)

    def cpu_us(self, pid):
        """Microseconds of processor time so far: of bounced with its children, of PostgreSQL, and of the clients that have ended."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times, cpu = self.process_times(), {"bounced": 0.0, "postgres": 0.0, "client": 1e6 * (ended.ru_utime + ended.ru_stime)}
        for one, (parent, _, seconds) in times.items():
            ancestors = [one]
            while ancestors[-1] in times:
                ancestors.append(times[ancestors[-1]][0])
            if pid in ancestors:
                cpu["bounced"] += 1e6 * seconds
            elif parent == self.bench.postmaster:
                cpu["postgres"] += 1e6 * seconds
        return cpu

    def beside_postfix(self, rate, connections, how):
        if os.geteuid() != 0 or not (TOP / "build/mta/postfix").is_dir():
            self.say("  Postfix is not compared: it needs root, and scripts/unpack-mta postfix")
            return
        with self.postfix() as port:
            done = self.hand_over(port, min(connections, 90), 5000, *how)
        self.bench.note("  over Postfix that discards", f"{rate / done['rate']:.1f}")

    # ---- crowd ----

    def crowd(self):
        """1,000 that say nothing and 100 that drip, beside 100 that hand over reports."""
        if not self.recipients.exists():
            self.prepare()
        bench, ratios, memory = self.bench, [], []
        count = bench.options.recipients // 2
        for number in range(bench.options.rounds):
            with self.bounced() as (port, process):
                alone = self.hand_over(port, 100, count)
                with self.bad_company(port):
                    together = self.hand_over(port, 100, count)
                    memory.append(peak_mb(process.pid))
            ratios.append(together["rate"] / alone["rate"])
            self.say(f"  round {number + 1}: 100 peers alone {alone['rate']:,.0f}/s, beside 1,000 idle and 100 dripping ones "
                     f"{together['rate']:,.0f}/s, {memory[-1]:.0f} MB")
        ratio = statistics.median(ratios)
        bench.note("100 peers beside 1,000 idle and 100 dripping, over alone", f"{ratio:.2f}", ">= 0.90", ratio >= 0.9)
        bench.note("  memory of bounced", f"{max(memory):.0f} MB")

    @contextlib.contextmanager
    def bad_company(self, port):
        peers = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(1100)]
        path = self.recipients.read_text().split("\n", 1)[0]
        for peer in peers[:100]:
            peer.sendall(f"EHLO drip\r\nMAIL FROM:<>\r\nRCPT TO:<{path}>\r\nDATA\r\n".encode())
        over = threading.Event()

        def drip():
            while not over.wait(0.1):
                for peer in peers[:100]:
                    with contextlib.suppress(OSError):
                        peer.send(b"x")
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for peer in peers:
                peer.close()

    # ---- classify ----

    def classify(self):
        self.write_message()
        self.rate_of("classifying reports of 3 KB, one core", [self.message], 12000)
        corpus = os.environ.get("VERPOST_CORPUS")
        if not corpus:
            self.say("  no corpus: VERPOST_CORPUS names a folder with truth.jsonl")
            return
        files = [pathlib.Path(corpus) / json.loads(line)["file"] for line in open(pathlib.Path(corpus) / "truth.jsonl")]
        self.rate_of(f"classifying the corpus ({len(files)} messages), one core", files, 6000)

    def rate_of(self, label, files, target):
        rates = [json.loads(self.run(self.bin / "bench_classify", SPEED_SECONDS, *files))["rate"] for _ in range(self.bench.options.rounds)]
        rate = statistics.median(rates)
        self.bench.note(label, f"{rate:,.0f}/s", f">= {target:,}/s", rate >= target)


def wait_for(port):
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.recv(100)
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench: nobody answers on port {port}")


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024
