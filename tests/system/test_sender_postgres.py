"""PostgreSQL goes away in the middle of a campaign: nothing is lost and nothing is sent twice."""

import os
import socket
import threading
import time

from sending import check, people, until_accepted
from verpost import until

AUDIENCE = people(3000)


def begin(world):
    world.setup()
    world.subscribe(AUDIENCE)
    world.mailworld("* accept\n")
    world.start("sender")
    world.campaign("away")
    until_accepted(world, 600)


def test_postgres_killed(world):
    "PostgreSQL killed (-m immediate) twice while messages are under way."
    begin(world)
    for more in (500, 0):
        world.postgres("kill")
        time.sleep(2)
        assert all(process.poll() is None for process in world.processes.values()), "sender ended with PostgreSQL"
        world.postgres("start")
        if more:
            before = len(world.accepted())
            until_accepted(world, min(before + more, len(AUDIENCE)))
    world.finished("away")
    check(world, "away", AUDIENCE, may_doubt=False)
    world.stop("sender")


def test_deaf_workers_begin_nothing(world):
    """Who cannot hear of a pause begins nothing after 0.9 s. No more can have come until then than the connections carry, each message
    taking 0.1 s: without that they would go on for 4.5 s."""
    world.configure(**{"sender.workers": 2, "relay.connections": 16})
    world.setup()
    audience = AUDIENCE[:1500]
    world.subscribe(audience)
    world.mailworld("* accept slow 100\n")
    world.start("sender")
    world.campaign("away")
    until_accepted(world, 100)
    world.postgres("kill")
    before, after = len(world.accepted()), None
    while after != len(world.accepted()):
        after = len(world.accepted())
        time.sleep(1)
    assert after < len(audience), "all was sent before anything could be seen"
    assert after - before <= 32 * 15, f"{after - before} were sent after PostgreSQL had gone"
    world.postgres("start")
    world.finished("away")
    check(world, "away", audience, may_doubt=False)


def test_one_line_a_change(world):
    "A process says once that the database is away, and once that it is back."
    begin(world)
    world.postgres("kill")
    time.sleep(8)
    world.postgres("start")
    world.finished("away")
    log = world.log("sender")
    assert 1 <= log.count("event=database.away") <= 2, log[-3000:]
    assert log.count("event=database.back") == log.count("event=database.away"), log[-3000:]
    check(world, "away", AUDIENCE, may_doubt=False)


def test_stopped_while_away(world):
    "SIGTERM with PostgreSQL away: what is known stays in the journal and is written by the next sender."
    begin(world)
    world.postgres("kill")
    until(lambda: "event=database.away" in world.log("sender"), "sender saw it")
    world.stop("sender")
    world.postgres("start")
    world.start("sender")
    world.finished("away")
    check(world, "away", AUDIENCE, may_doubt=False)


def test_started_while_away(world):
    "sender starts without PostgreSQL and goes to work when it comes."
    world.setup()
    world.subscribe(AUDIENCE[:50])
    world.campaign("away")
    world.mailworld("* accept\n")
    world.postgres("stop")
    process = world.start("sender")
    time.sleep(2)
    assert process.poll() is None, world.log("sender")
    world.postgres("start")
    world.finished("away")
    check(world, "away", AUDIENCE[:50], may_doubt=False)


class DeafProxy:
    """Stands between sender and PostgreSQL and closes some connections right after COMMIT has been answered, without passing the
    answer on: committed, and never heard."""

    def __init__(self, world, every):
        self.folder = world.base / "proxy"
        self.folder.mkdir()
        self.target = next((world.base / "pg").rglob(".s.PGSQL.*[0-9]"))
        self.every, self.commits, self.deaf = every, 0, 0
        path = self.folder / self.target.name
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(self.folder, 0o755)
        os.chmod(path, 0o777)
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.target))
            state = {"deaf": False}
            for source, sink, heard in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pass_on, args=(source, sink, heard, state), daemon=True).start()

    def pass_on(self, source, sink, from_client, state):
        try:
            while data := source.recv(1 << 16):
                if from_client and b"\0db_commit\0" in data:  # bound and run, not prepared
                    self.commits += 1
                    state["deaf"] = self.commits % self.every == 0
                elif not from_client and state["deaf"]:
                    self.deaf += 1
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_commit_never_heard(world):
    "The answer to a COMMIT is lost again and again: what it opened is found, what it ended is not ended twice."
    world.setup()
    world.subscribe(AUDIENCE[:1500])
    world.mailworld("u000??@* defer 1 450 4.2.1 \"Later\"\n* accept\n")
    proxy = DeafProxy(world, every=4)
    conninfo = world.conninfo.replace(str(proxy.target.parent), str(proxy.folder))
    assert conninfo != world.conninfo, world.conninfo
    world.configure(**{"database.sender": conninfo + " user=verpost_sender", "sender.window": 50,
                       "sender.retry_after": "1s"})
    world.start("sender")
    world.campaign("deaf")
    world.finished("deaf")
    assert proxy.deaf >= 3, f"only {proxy.deaf} commits were not heard"
    check(world, "deaf", AUDIENCE[:1500], may_doubt=False)
