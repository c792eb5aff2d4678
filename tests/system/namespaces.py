"""Hosts with a network of their own: a network namespace for each, joined by a switch to one with PostgreSQL and the relay. A host's link can
be cut, so that packets vanish and nobody is told.

    net = namespaces.open_world(world, "first", "second")   # where namespaces are refused, the same with folders: see Folders
    host = net.host("first")                                # hosts.Host
    net.cut(host)
    net.mend(host)

The namespaces have no names and belong to processes that end with this one, whatever way it ends: nothing of them can be left
behind, and runs beside each other do not meet. Nothing leaves them: there is no way out."""

import os
import signal
import subprocess

from hosts import Host
from verpost import Failure, until

SERVICES, NETWORK = "198.51.100.1", "198.51.100.0/24"
DISABLED, FORWARDS = 0, 3  # states of a bridge's port
PASSWORD = "secret"


class Refused(Exception):
    """No namespace, and why."""


def command(*words):
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise Refused(str(error)) from error
    if done.returncode:
        raise Refused(f"{' '.join(map(str, words))}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    return done.stdout


class Namespace:
    """A network namespace and the process that holds it. Who is not root has a user namespace around all of them, in which he is."""

    def __init__(self, world, around=None):
        self.is_ours = os.geteuid() == 0
        user = [] if self.is_ours or around else ["--user", "--map-root-user"]
        words = [*(around.inside if around else []), "unshare", *user, "--net", "cat"]
        try:
            self.holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           start_new_session=True)
        except OSError as error:
            raise Refused(f"unshare: {error}") from error
        world.others.append(self.holder)
        if not self.answers():
            self.holder.wait()
            raise Refused(self.holder.stderr.read().decode().strip() or "unshare said nothing")
        self.ip("link", "set", "lo", "up")

    def answers(self):
        """The cat is there once the namespace is."""
        try:
            self.holder.stdin.write(b"?\n")
            self.holder.stdin.flush()
        except BrokenPipeError:
            return False
        return self.holder.stdout.readline() == b"?\n"

    @property
    def inside(self):
        """What to write before a command that is to see and change this network."""
        user = [] if self.is_ours else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.holder.pid), *user, "--net", "--"]

    @property
    def wrapper(self):
        """What to run a program under that only uses it, and that is nobody else than outside."""
        if self.is_ours:
            return self.inside
        return [*self.inside, "unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--"]

    def ip(self, *words):
        return command(*self.inside, "ip", *words)

    def identity(self):
        return os.readlink(f"/proc/{self.holder.pid}/ns/net")


class Namespaces:
    """One for what all hosts use, at SERVICES, with the switch; one for each host."""

    is_real = True

    def __init__(self, world, names):
        self.world = world
        self.services = Namespace(world)
        self.services.ip("link", "add", "switch", "type", "bridge")
        self.services.ip("address", "add", f"{SERVICES}/24", "dev", "switch")
        self.services.ip("link", "set", "dev", "switch", "up")
        self.wrapper, self.address = self.services.wrapper, SERVICES
        self.namespaces = {name: self.plug(number) for number, name in enumerate(names)}
        self.numbers = {name: number for number, name in enumerate(names)}
        self.move_postgres()

    def plug(self, number):
        """A host's namespace, plugged into the switch."""
        namespace, port = Namespace(self.world, self.services), f"port{number}"
        self.services.ip("link", "add", port, "type", "veth", "peer", "name", "wire", "netns", namespace.holder.pid)
        self.services.ip("link", "set", "dev", port, "master", "switch", "up")
        namespace.ip("address", "add", f"{self.address_of(number)}/24", "dev", "wire")
        namespace.ip("link", "set", "dev", "wire", "up")
        until(lambda: "state forwarding" in self.bridge("show", "dev", port), f"{port} of the switch forwards")
        self.set_port(number, FORWARDS)  # or it is refused here, not in the middle of a test
        return namespace

    @staticmethod
    def address_of(number):
        return f"{SERVICES}{number}"

    def move_postgres(self):
        """PostgreSQL listens in there too, for who knows a password; tests and listctl have its Unix socket as before."""
        data = self.world.base / "pg/data"
        self.world.postgres("stop")
        with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"listen_addresses = '{SERVICES}'\n")
        with open(data / "pg_hba.conf", "a", encoding="utf-8") as file:
            file.write(f"host all verpost_sender {NETWORK} scram-sha-256\n")
        self.world.postgres_wrapper = self.wrapper
        self.world.postgres("start")

    def host(self, name, conninfo="", **changes):
        """conninfo: further keywords of libpq. After world.setup()."""
        self.world.sql(f"ALTER ROLE verpost_sender PASSWORD '{PASSWORD}'")
        where = f"host={SERVICES} dbname=verpost user=verpost_sender password={PASSWORD} {conninfo}"
        return Host(self.world, name, self.namespaces[name].wrapper, **{"database.sender": where, "relay.host": SERVICES,
                                                                        "relay.helo": f"{name}.test", **changes})

    def bridge(self, *words):
        return command(*self.services.inside, "bridge", "link", *words)

    def set_port(self, number, state):
        self.bridge("set", "dev", f"port{number}", "state", state)

    def cut(self, host):
        """The switch drops all that comes from the host or goes to it. Its own end stays up, or its kernel would tell its programs."""
        self.set_port(self.numbers[host.name], DISABLED)

    def mend(self, host):
        self.set_port(self.numbers[host.name], FORWARDS)

    def check_apart(self, *hosts):
        """They run where they should."""
        seen = {os.readlink(f"/proc/{pid}/ns/net") for host in hosts for pid in host.workers()}
        if seen != {self.namespaces[host.name].identity() for host in hosts} or len(seen) != len(hosts) or self.services.identity() in seen:
            raise Failure(f"the hosts do not have a network each: {seen}")

    def sessions(self, host):
        """How many sessions PostgreSQL has with this host."""
        address = self.address_of(self.numbers[host.name])
        return int(self.world.value(f"SELECT count(*) FROM pg_stat_activity WHERE client_addr = '{address}'"))

    def timers(self):
        """What the kernel beside PostgreSQL waits for on each of its connections, such as keepalive,29sec,0."""
        lines = command(*self.services.inside, "ss", "--no-header", "--options", "--tcp", "--numeric", "state", "established",
                        "sport", "=", ":5432").splitlines()
        return [line.partition("timer:(")[2].rstrip(" )") for line in lines]


class Folders:
    """Without namespaces: a host is a folder without a file that another host has, and one that is cut off is one that does nothing."""

    is_real = False
    wrapper, address = (), "127.0.0.1"

    def __init__(self, world):
        self.world = world

    def host(self, name, conninfo="", **changes):
        return Host(self.world, name, **{"relay.helo": f"{name}.test", **changes})

    def cut(self, host):
        host.signal_all(signal.SIGSTOP)

    def mend(self, host):
        host.signal_all(signal.SIGCONT)


def open_world(world, *names):
    """names: of the hosts there will be. Says so where it cannot be the real thing."""
    try:
        return Namespaces(world, names)
    except Refused as error:
        print(f"     no network namespaces here, so hosts are folders and a cut link is a frozen host: {error}", flush=True)
        return Folders(world)
