"""A relay that breaks: a strict SMTP and LMTP server that writes down what it took, complains of what a client may not do, and fails at
any step of the conversation as its rules say (faultrules.py).

    relay = FaultRelay(world, rules=[{"step": "dot", "action": "reset", "share": 0.01}])
    relay.start()
    ...
    relay.rules([])            # in force when it returns
    relay.accepted()           # whom it answered 250 to the final dot
    relay.kept()               # what it took and could not tell the client that it had
    relay.check()              # fails when the client broke a rule of SMTP

Several processes share the listening sockets; each writes a file of its own."""

import asyncio
import collections
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

import faultrules
import faultsasl
import faultsession
from verpost import PATIENCE, Failure, until

HERE = pathlib.Path(__file__).resolve()
SIGNALS = (signal.SIGHUP, signal.SIGTERM)
OFFERS = ["PIPELINING", "SIZE 10000000", "DSN", "SMTPUTF8", "8BITMIME", "ENHANCEDSTATUSCODES"]
DEFAULTS = {"host": "relay.test", "lmtp": False, "tls": "none", "certificate": None, "key": None, "users": {}, "mechanisms": None,
            "offers": OFFERS, "delay": 0, "mails": 0, "keep": 0, "alike": False, "processes": 2, "seed": 1}


# ---- for tests --------------------------------------------------------------------------------------------------------

class FaultRelay:
    """One relay. Options: see DEFAULTS; `offers` are EHLO lines, STARTTLS and AUTH come by tls ("starttls", "implicit"; certificate and key
    are PEM files) and users ({name: secret}); `delay`: seconds before each final reply; `mails`: it hangs up at each further MAIL of a
    connection, without a word; `keep`: the first N messages of a process are kept
    as files; `address`: where it listens; `unix`: the path of a Unix socket beside it."""

    def __init__(self, world, name="relay", port=None, address="127.0.0.1", unix=None, rules=(), **options):
        unknown = set(options) - set(DEFAULTS)
        assert not unknown, f"a fault relay has no {unknown}"
        self.world, self.name = world, name
        self.folder = world.base / f"{name}.fault"
        self.folder.mkdir()
        self.port = port or world.relay_port
        self.address, self.unix = address, unix
        self.options = {**DEFAULTS, **options}
        self.version = 0
        self.read = {}  # file -> (offset, what was read)
        self.write(rules)

    def write(self, rules):
        self.version += 1
        listen = [["tcp", self.address, self.port]] + ([["unix", str(self.unix)]] if self.unix else [])
        text = json.dumps({**self.options, "listen": listen, "rules": list(rules), "version": self.version})
        draft = self.folder / "draft.json"
        draft.write_text(text)
        draft.rename(self.folder / "relay.json")

    def start(self, *wrapper):
        """wrapper: a command to run it under, such as ip netns exec NAME."""
        log = self.world.base / f"{self.name}.log"
        self.world.logs[self.name] = log
        self.world.processes[self.name] = subprocess.Popen(
            [*wrapper, sys.executable, str(HERE), str(self.folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(log, "a"), start_new_session=True)
        self.in_force()
        return self

    def in_force(self):
        """Waits until every process works by the rules as they are."""
        def all_do():
            if self.world.processes[self.name].poll() is not None:
                raise Failure(f"the fault relay has ended:\n{self.world.log(self.name)}")
            said = [r for r in self.records("rules") if r["version"] == self.version]
            return len({r["process"] for r in said}) == self.options["processes"]
        until(all_do, "the fault relay works by its rules")

    def rules(self, rules):
        self.write(rules)
        self.world.processes[self.name].send_signal(signal.SIGHUP)
        self.in_force()

    def stop(self):
        self.world.stop(self.name)

    def wait(self, count, seconds=PATIENCE):
        """Until so many messages were accepted or kept."""
        until(lambda: self.taken() >= count, f"{count} messages at the relay", seconds)

    def read_on(self):
        """What was written down since."""
        for path in sorted(self.folder.glob("*.jsonl")):
            offset, rows = self.read.get(path, (0, collections.defaultdict(list)))
            with open(path, "rb") as file:
                file.seek(offset)
                data = file.read()
            whole = data[:data.rfind(b"\n") + 1]
            for line in whole.splitlines():
                row = json.loads(line)
                rows[row["what"]].append(row)
            self.read[path] = (offset + len(whole), rows)

    def records(self, *kinds):
        """All that was written down of these kinds, in the order of time."""
        self.read_on()
        found = [row for _, rows in self.read.values() for kind in kinds for row in rows[kind]]
        return sorted(found, key=lambda row: row["at"])

    def taken(self):
        """How many messages were accepted or kept."""
        self.read_on()
        return sum(len(rows["accepted"]) + len(rows["kept"]) for _, rows in self.read.values())

    def accepted(self):
        return self.records("accepted")

    def kept(self):
        return self.records("kept")

    def refused(self):
        return self.records("refused")

    def faults(self):
        """(step, action) -> how often it struck."""
        return collections.Counter((row["step"], row["action"]) for row in self.records("fault"))

    def breaches(self):
        return self.records("breach")

    def messages(self):
        return [path.read_bytes() for path in sorted(self.folder.glob("*.message"))]

    def check(self):
        """Fails when the client broke a rule of SMTP, or the relay itself is broken."""
        breaches = self.breaches()
        if breaches:
            raise Failure(f"{len(breaches)} breaches of SMTP, such as {breaches[:3]}")
        lost = self.records("broken")
        if lost:
            raise Failure(f"the fault relay is broken: {lost[0]['error']}")


# ---- the process ------------------------------------------------------------------------------------------------------

class House:
    """What the connections of one process share."""

    def __init__(self, folder, process):
        self.folder, self.process = folder, process
        self.file = os.open(folder / f"{process}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.connections, self.kept = 0, 0
        self.names, self.tls = {}, None
        self.load()
        if self.options["certificate"]:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(self.options["certificate"], self.options["key"])
            self.tls.sni_callback = lambda session, name, context: self.names.update({id(session): name})

    def load(self):
        self.options = json.loads((self.folder / "relay.json").read_text())
        self.rules = faultrules.Rules(self.options["rules"], f"{self.options['seed']} {self.options['version']}", self.process)

    def reload(self):
        self.load()
        self.ready()

    def ready(self):
        self.note({"what": "rules", "version": self.options["version"], "process": self.process})

    def note(self, row):
        row["at"] = round(time.time(), 6)
        os.write(self.file, json.dumps(row).encode() + b"\n")

    def keep(self, content):
        if self.kept < self.options["keep"]:
            (self.folder / f"{self.process}-{self.kept}.message").write_bytes(content)
            self.kept += 1

    def offers_now(self, session):
        """Keyword -> its parameters, in this state of the connection."""
        offers = dict(offer.partition(" ")[::2] for offer in self.options["offers"])
        if self.options["tls"] == "starttls" and session.tls is None:
            offers["STARTTLS"] = ""
        if self.options["users"] and (session.tls is not None or self.options["tls"] == "none" or session.is_local):
            offers["AUTH"] = " ".join(self.options["mechanisms"] or faultsasl.MECHANISMS)
        return offers

    def session(self, is_local):
        self.connections += 1
        return faultsession.Session(self, self.connections, is_local)

    def on_exception(self, loop, context):
        self.note({"what": "broken", "error": f"{context.get('message')}: {context.get('exception')!r}"})
        loop.default_exception_handler(context)


def listen_at(place):
    if place[0] == "unix":
        listener = socket.socket(socket.AF_UNIX)
        pathlib.Path(place[1]).unlink(missing_ok=True)
        listener.bind(place[1])
        os.chmod(place[1], 0o777)
    else:
        listener = socket.socket(socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place[1], place[2]))
    listener.listen(1000)
    listener.setblocking(False)
    return listener


async def serve(house, listeners):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(house.on_exception)
    loop.add_signal_handler(signal.SIGHUP, house.reload)
    loop.add_signal_handler(signal.SIGTERM, loop.stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for listener in listeners:
        is_local = listener.family == socket.AF_UNIX
        await loop.create_server(lambda local=is_local: house.session(local), sock=listener)
    house.ready()


def run_process(folder, process, listeners):
    house = House(folder, process)
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(house, listeners))
    loop.run_forever()
    if task.done():
        task.result()


def main():
    folder = pathlib.Path(sys.argv[1])
    options = json.loads((folder / "relay.json").read_text())
    listeners = [listen_at(place) for place in options["listen"]]
    children = []
    # Whoever sees the children work sends signals to this process: none may come before it has something to do with them.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    for process in range(options["processes"]):
        pid = os.fork()
        if pid == 0:
            run_process(folder, process, listeners)
            os._exit(0)
        children.append(pid)

    def pass_on(number, frame):
        for child in children:
            os.kill(child, number)
    for number in SIGNALS:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
