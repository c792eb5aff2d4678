"""What a system test needs: a private world with PostgreSQL, configuration, the real programs, and a mail world.

    from verpost import Skip

    def test_something(world):
        "One sentence: what a user or a peer sees."
        world.setup()                         # database, key, list "news"
        world.start("bounced")
        world.listctl("import", "news", world.file("subs.csv", "email\\nann@a.test\\n"))
        assert world.sql("SELECT count(*) FROM subscriber") == [["1"]]

The runner makes one World per test function and always closes it. Times are only guards against hanging."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("VERPOST_BIN", TOP / "build/asan/bin"))
PATIENCE = 300  # seconds: a guard against hanging, not a measure
LOOK_LEAST, LOOK_MOST = 0.05, 0.5  # seconds from one look of until() to the next
REST = 3  # times as long as the look took, or tests beside each other would spend the machine on looking
BOUNCE_DOMAIN = "bounce.test"
# What Debian has in the PATH is a Perl script that looks for clusters, and takes longer than psql.
os.environ["PATH"] = f"{os.environ.get('PG_BIN', '/usr/lib/postgresql/15/bin')}:{os.environ['PATH']}"


class Skip(Exception):
    """Raise it with the reason."""


class Failure(AssertionError):
    """A check of the harness did not hold."""


CLAIMS = []  # held until this process ends


def free_port():
    """Below the ports that the kernel gives to outgoing connections, so that none of those takes it meanwhile; and no other test is given it, while
    nobody listens there: each claims its ports by a name that ends with the process."""
    while True:
        port = random.randrange(10000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0verpost-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        return port


def until(condition, what, seconds=PATIENCE):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise Failure(f"waited {seconds} s in vain: {what}")
        time.sleep(min(max(LOOK_LEAST, REST * (now - begun)), LOOK_MOST))


class Talk:
    """A raw SMTP conversation with whatever listens on a loopback port."""

    def __init__(self, port, greeting="220"):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.settimeout(60)
        self.buffer = b""
        if greeting:
            self.expect(greeting)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise Failure(f"connection closed; unread: {self.buffer!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def reply(self):
        """One reply, all its lines joined by LF."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def expect(self, start):
        reply = self.reply()
        if not reply.startswith(start):
            raise Failure(f"expected {start!r}, heard {reply!r}")
        return reply

    def say(self, command, expected=None):
        self.send(command + "\r\n")
        return self.expect(expected) if expected else self.reply()

    def deliver(self, sender, recipient, message, expected="250"):
        """EHLO is up to the caller. message: text or bytes with any line ends."""
        data = message if isinstance(message, bytes) else message.encode()
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
        self.say(f"MAIL FROM:<{sender}>", "250")
        self.say(f"RCPT TO:<{recipient}>", "250")
        self.say("DATA", "354")
        self.send(data + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.expect(expected)

    def closed(self):
        """True once the peer has closed."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.socket.close()


class World:
    def __init__(self, name="test"):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix=f"verpost-{name}-"))
        self.base.chmod(0o755)
        self.config = self.base / "verpost.conf"
        self.bounced_port = free_port()
        self.relay_port = free_port()
        self.processes = {}
        self.others = []
        self.logs = {}
        self.postgres_wrapper = ()
        (self.base / "journal").mkdir()
        self.settings = {
            "database.conninfo": "", "keys.file": self.base / "keys",
            "bounce.domain": BOUNCE_DOMAIN,
            "relay.port": self.relay_port, "relay.helo": "sender.test", "relay.connections": 4,
            "dns.check": "off", "relay.retry": "1s", "relay.secrets": self.base / "secrets", "sender.workers": 2, "sender.poll": "1s",
            "dkim.dir": self.base / "dkim", "journal.dir": self.base / "journal", "journal.size": "2M",
            "bounced.listen": f"127.0.0.1:{self.bounced_port}", "bounced.hostname": "mx.bounce.test",
        }
        self.postgres("start")
        self.conninfo = self.pg("conninfo").strip()
        self.configure(**{"database.conninfo": self.conninfo,
                          "database.sender": self.conninfo + " user=verpost_sender",
                          "database.bounced": self.conninfo + " user=verpost_bounced"})

    # ---- files and settings ----

    def file(self, name, content):
        path = self.base / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def configure(self, **changes):
        """Writes the configuration; keyword names are section.name."""
        self.settings.update(changes)
        self.write_settings(self.config, self.settings)

    @staticmethod
    def write_settings(path, settings):
        sections = {}
        for name, value in settings.items():
            section, key = name.split(".", 1)
            sections.setdefault(section, []).append(f"{key} = {value}")
        path.write_text("".join(f"[{s}]\n" + "\n".join(rows) + "\n" for s, rows in sections.items()), encoding="utf-8")

    # ---- PostgreSQL ----

    def pg(self, verb):
        wrapper = self.postgres_wrapper if verb == "start" else ()  # a command to run PostgreSQL under
        done = subprocess.run([*wrapper, TOP / "scripts/pg", verb, self.base / "pg"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)
        if done.returncode != 0:
            raise Failure(f"scripts/pg {verb}: {done.stdout}{done.stderr}")
        return done.stdout

    def postgres(self, verb):
        """start, stop (fast) or kill (immediate)."""
        self.pg(verb)

    def sql(self, query):
        """Rows as lists of strings."""
        done = subprocess.run(["psql", self.conninfo, "-AtXq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c",
                               "SET search_path = verpost", "-c", query], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()}: {query}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def value(self, query):
        rows = self.sql(query)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def holding(self, query):
        """A transaction that has run the query, until what is yielded is called: then it is committed."""
        process = subprocess.Popen(["psql", self.conninfo, "-AtXq", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(f"SET search_path = verpost; BEGIN; {query}; SELECT 'held';\n")
        process.stdin.flush()
        while (line := process.stdout.readline().strip()) != "held":
            if not line and process.poll() is not None:
                raise Failure(f"psql ended: {query}")

        def commit():
            process.communicate("COMMIT;\n")
        try:
            yield commit
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    # ---- listctl ----

    def run(self, program, *arguments, stdin=None, env=None):
        return subprocess.run([str(BIN / program), "--config", str(self.config)] + [str(a) for a in arguments],
                              capture_output=True, text=True, input=stdin, timeout=PATIENCE,
                              env={**os.environ, **(env or {})}, **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))

    def listctl(self, *arguments, stdin=None):
        """Must succeed; returns what it printed."""
        done = self.run("listctl", *arguments, stdin=stdin)
        if done.returncode != 0:
            raise Failure(f"listctl {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.listctl(*arguments, "--format", "json"))

    def refused(self, *arguments, code=1, stdin=None, says=()):
        """Must fail with that exit code and an error that holds every text of `says`; returns stderr."""
        done = self.run("listctl", *arguments, stdin=stdin)
        words = [says] if isinstance(says, str) else says
        missing = [word for word in words if word not in done.stderr]
        if done.returncode != code or missing or not done.stderr.strip():
            raise Failure(f"listctl {' '.join(map(str, arguments))} ended with {done.returncode}, expected {code} and {words}:\n"
                          f"{done.stdout}{done.stderr}")
        return done.stderr

    def setup(self, list_name="news"):
        """Database, key and one list."""
        self.listctl("db", "init")
        self.listctl("key", "new")
        self.listctl("list", "create", list_name, "--title", "Example News", "--from", "Example News <news@example.test>")

    def subscribe(self, addresses, list_name="news"):
        """Imports addresses, or (address, name) pairs."""
        rows = "".join((f"{a},\n" if isinstance(a, str) else f"{a[0]},{a[1]}\n") for a in addresses)
        self.listctl("import", list_name, self.file("subscribers.csv", "email,name\n" + rows))

    def campaign(self, name, list_name="news", text="Hello {{name|friend}},\n\nthis is the news.\n", start=True, **options):
        extra = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
        self.listctl("campaign", "create", name, list_name, "--subject", "News for {{name|you}}", "--text",
                     self.file(f"{name}.txt", text), *extra)
        if start:
            self.listctl("campaign", "start", name)

    def status(self, name):
        """`campaign status`, with the ledger's sum checked."""
        status = self.json("campaign", "status", name)
        status = status[0] if isinstance(status, list) else status
        parts = ["accepted", "refused", "expired", "skipped", "in_doubt", "deferred", "pending"]
        if status["audience"] is not None and status["audience"] != sum(status[p] for p in parts):
            raise Failure(f"the ledger does not add up: {status}")
        return status

    def finished(self, name, seconds=PATIENCE):
        """Waits until the campaign has ended; returns its status."""
        until(lambda: self.status(name)["state"] == "finished", f"campaign {name} finished", seconds)
        return self.status(name)

    # ---- daemons ----

    def start(self, program, *arguments, ready=True):
        """A daemon in a process group of its own; its log is in self.log(program)."""
        log = self.base / f"{program}.log"
        self.logs[program] = log
        process = subprocess.Popen([str(BIN / program), "--config", str(self.config)] + [str(a) for a in arguments],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(log, "a"),
                                   start_new_session=True)
        self.processes[program] = process
        if ready and program == "bounced":
            self.listening(self.bounced_port, process)
        return process

    def listening(self, port, process=None):
        def answers():
            if process is not None and process.poll() is not None:
                raise Failure(f"ended with {process.returncode} before it listened on {port}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        until(answers, f"something listens on {port}")

    def log(self, program):
        path = self.logs.get(program)
        return path.read_text(errors="replace") if path and path.exists() else ""

    def stop(self, program, sig=signal.SIGTERM, code=0):
        """Ends a daemon and checks its exit code (None: any)."""
        process = self.processes.pop(program)
        process.send_signal(sig)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Failure(f"{program} did not end after {sig}:\n{self.log(program)[-3000:]}")
        if code is not None and process.returncode != code:
            raise Failure(f"{program} ended with {process.returncode}, expected {code}:\n{self.log(program)[-3000:]}")

    def workers(self):
        """Process ids of sender's workers."""
        parent = self.processes["sender"].pid
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True).stdout
        return [int(pid) for pid in out.split()]

    def kill(self, pid, sig=signal.SIGKILL):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass

    # ---- the mail world ----

    def mailworld(self, rules, port=None, name="mailworld", *arguments):
        """Starts the scripted SMTP peer as the relay; its rules are text (see `mailworld --help`)."""
        log = self.base / f"{name}.log"
        self.logs[name] = log
        (self.base / f"{name}.mail").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [str(BIN / "mailworld"), "--listen", f"127.0.0.1:{port or self.relay_port}", "--rules",
             str(self.file(f"{name}.rules", rules)), "--log", str(self.base / f"{name}.jsonl"), "--keep",
             str(self.base / f"{name}.mail"), "--reports-to", f"127.0.0.1:{self.bounced_port}"] + [str(a) for a in arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(log, "a"), start_new_session=True)
        self.processes[name] = process
        self.listening(port or self.relay_port, process)
        return process

    def accepted(self, name="mailworld"):
        """What the mail world has accepted: one dict a message, in order."""
        path = self.base / f"{name}.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]

    # ---- the end ----

    def close(self):
        for process in list(self.processes.values()) + self.others:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        try:
            self.pg("kill")
        except Failure:
            pass
        shutil.rmtree(self.base, ignore_errors=True)

    def evidence(self):
        """The ends of all logs, for a failed test."""
        parts = [f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}" for path in self.logs.values() if path.exists()]
        return "\n".join(parts)
