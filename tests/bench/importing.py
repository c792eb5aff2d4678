"""How fast people come in: the parts `import` and `curve` of scripts/bench.

Rows of email, name and three attributes, shuffled; of each 100 two repeat an address (half of them in capitals) and one is malformed. Each round
copies the good distinct rows by psql into a table with the same keys, and imports the file into an empty database; then the file comes again, with a
tenth of its values changed, and into another list. Both write into one database of the bench's PostgreSQL, which commits durably."""

import concurrent.futures
import os
import random
import shutil
import statistics
import subprocess
import time

FIRST = "anna ben carla david elena farid grace henrik ines katja liam mei noah olga pablo quinn rosa tariq uma viktor".split()
LAST = "smith mueller garcia rossi dubois novak kowalski jensen tanaka silva haddad chen kumar okafor ivanova larsen".split()
DOMAINS = [f"mail{i}.example" for i in range(7)] * 300 + [f"company{i}.example" for i in range(2000)]
COUNTRIES, PLANS = "US DE FR ES IT GB NL PL BR IN JP CN".split(), ("free", "basic", "pro", "team")
MALFORMED = ("no-at-sign.example.com", "two@@example.com", "trailing.dot@example.", " @example.com", "sp ace@example.com", "user@-bad-.com")
PLAIN = ("DROP TABLE IF EXISTS plain_copy", "CREATE TABLE plain_copy (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
         ' email text COLLATE "C" NOT NULL UNIQUE, name text, country text, plan text, signup text)')
EMPTY = "TRUNCATE verpost.subscriber, verpost.membership, verpost.member_change CASCADE"
TARGET, MEMORY_MB = 0.6, 64
PSQL = shutil.which("psql", path=f"{os.environ.get('PG_BIN', '/usr/lib/postgresql/15/bin')}:{os.environ['PATH']}")


def row_of(chance, number):
    """The address and what stands behind it."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    return (f"{first}.{last}{number}@{chance.choice(DOMAINS)}",
            f"{first.title()} {last.title()},{chance.choice(COUNTRIES)},{chance.choice(PLANS)},20{chance.randrange(15, 26)}-"
            f"{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}")


def write_files(count, all_path, good_path, changed_path):
    """Blocks are shuffled, not the whole file: ten million rows are not kept in memory. Returns how many good distinct rows there are."""
    chance, good, step = random.Random(7), 0, 1_000_000
    with open(all_path, "w") as everything, open(good_path, "w") as plain, open(changed_path, "w") as changed:
        for file in (everything, plain, changed):
            file.write("email,name,country,plan,signup\n")
        for start in range(0, count, step):
            size = min(step, count - start)
            rows = [row_of(chance, start + i) for i in range(size - size // 50 - size // 100)]
            good += len(rows)
            again = [(address.upper() if i % 2 else address, rest) for i, (address, rest) in enumerate(chance.sample(rows, size // 50))]
            bad = [(MALFORMED[i % len(MALFORMED)], "Nobody,US,free,2020-01-01") for i in range(size // 100)]
            lines = [",".join(row) + "\n" for row in rows]
            chance.shuffle(lines)
            plain.writelines(lines)
            lines += [",".join(row) + "\n" for row in again + bad]
            chance.shuffle(lines)
            everything.writelines(lines)
            changed.writelines(line.replace(",20", ",19") if i % 10 == 0 else line for i, line in enumerate(lines))
    return good


class Importing:
    def __init__(self, bench, bin, say):
        self.bench, self.bin, self.say = bench, bin, say
        self.good = 0

    def prepare(self):
        """A database of its own, which may be emptied."""
        folder = self.bench.folder
        self.bench.sql("CREATE DATABASE importing")
        self.conninfo = self.bench.conninfo.replace("dbname=verpost", "dbname=importing")
        self.config = folder / "importing.conf"
        self.config.write_text(f"[database]\nconninfo = {self.conninfo}\n[keys]\nfile = {folder}/importing-keys\n"
                               "[bounce]\ndomain = bounce.example.org\n")
        self.listctl("db", "init")
        self.listctl("key", "new")
        for name in ("people", "others"):
            self.listctl("list", "create", name, "--title", "People", "--from", "People <people@example.org>")

    def listctl(self, *arguments):
        return self.spend(self.bin / "listctl", "--config", self.config, *arguments)

    def sql(self, *statements):
        done = subprocess.run([PSQL, "-XAtq", "-v", "ON_ERROR_STOP=1", self.conninfo, *(part for text in statements for part in ("-c", text))], capture_output=True,
                              text=True, check=True)
        return done.stdout.strip()

    def spend(self, *command):
        """Seconds by the clock, and the largest memory of the program in MB."""
        begun = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"bench: {' '.join(map(str, command))} failed ({process.returncode}):\n{error}")
        return time.monotonic() - begun, usage.ru_maxrss / 1024

    def copy(self, path):
        self.sql(*PLAIN, "CHECKPOINT")
        return self.spend(PSQL, "-X", "-q", self.conninfo, "-c",
                          f"\\copy plain_copy (email, name, country, plan, signup) FROM '{path}' WITH (FORMAT csv, HEADER)")[0]

    def take(self, members, path):
        return self.listctl("import", members, path, "--skip-bad")

    def check(self, members, count):
        there = int(self.sql("SELECT count(*) FROM verpost.membership m JOIN verpost.list l ON l.id = m.list_id"
                                   f" JOIN verpost.subscriber s ON s.id = m.subscriber_id WHERE l.name = '{members}'"))
        if there != count:
            raise SystemExit(f"bench: {there} members of {members}, where there should be {count}")

    def round(self, count, number, most_mb):
        """Rows a second of the copy, and of the import into an empty database."""
        folder = self.bench.folder
        everything, plain, changed = (folder / f"{name}-{count}.csv" for name in ("people", "plain", "changed"))
        if not everything.exists():
            with concurrent.futures.ProcessPoolExecutor(1) as writer:  # its memory would count as that of the programs started here
                self.good = writer.submit(write_files, count, everything, plain, changed).result()
        copied = self.good / self.copy(plain)
        self.sql("DROP TABLE plain_copy", EMPTY, "CHECKPOINT")
        seconds, memory = self.take("people", everything)
        self.check("people", self.good)
        most_mb.append(memory)
        self.say(f"  round {number}: \\copy {copied:,.0f} rows/s, import {count / seconds:,.0f} rows/s, ratio {count / seconds / copied:.3f}")
        return copied, count / seconds

    def run_import(self, count, rounds):
        note, most_mb = self.bench.note, []
        pairs = [self.round(count, number + 1, most_mb) for number in range(rounds)]
        ratio = statistics.median(imported / copied for copied, imported in pairs)
        note(f"\\copy of {self.good:,} good rows", f"{statistics.median(pair[0] for pair in pairs):,.0f} rows/s")
        note(f"import of {count:,} rows, memberships included", f"{statistics.median(pair[1] for pair in pairs):,.0f} rows/s")
        note("  over \\copy", f"{ratio:.3f}", f">= {TARGET}", ratio >= TARGET)
        for what, members, name in (("the same again", "people", "people"), ("a tenth changed", "people", "changed"),
                                    ("into another list", "others", "people")):
            seconds, memory = self.take(members, self.bench.folder / f"{name}-{count}.csv")
            self.check(members, self.good)
            most_mb.append(memory)
            note(f"  {what}", f"{count / seconds:,.0f} rows/s")
        note("  memory of listctl", f"{max(most_mb):.1f} MB", f"< {MEMORY_MB} MB", max(most_mb) < MEMORY_MB)

    def curve(self):
        self.prepare()
        for count in (10_000, 100_000, 1_000_000, 10_000_000):
            most_mb = []
            copied, imported = self.round(count, 1, most_mb)
            self.bench.note(f"{count:,} rows", f"{imported:,.0f} rows/s, {imported / copied:.2f} of \\copy, {most_mb[0]:.1f} MB")
            for path in self.bench.folder.glob(f"*-{count}.csv"):
                path.unlink()


def part_import(importing):
    importing.prepare()
    importing.run_import(importing.bench.options.rows, importing.bench.options.rounds)


setattr(Importing, "import", part_import)  # the part's name is a keyword of the language
