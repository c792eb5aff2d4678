"""Sessions with peers that do not behave: none of them costs more than its own time."""

import contextlib
import socket
import subprocess
import time

from returns import *
from verpost import Talk, until


def greedy(world):
    "A peer that asks and asks and never reads an answer."
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.connect(("127.0.0.1", world.bounced_port))
    peer.recv(10)
    peer.setblocking(False)
    asked = 0
    while asked < 64 << 20:
        try:
            asked += peer.send(b"NOOP\r\n" * 4096)
        except BlockingIOError:
            time.sleep(0.3)
            try:
                asked += peer.send(b"NOOP\r\n" * 4096)
            except BlockingIOError:
                break
    assert asked < 64 << 20, "bounced reads on though its answers are not read"
    return peer


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def connections(world):
    "Established on bounced's side."
    end = f":{world.bounced_port:04X}"
    rows = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
    return sum(row[1].endswith(end) and row[3] in ("01", "08") for row in rows)


def test_peer_that_never_reads(world):
    "Who never reads what was answered loses the connection, and costs no time until then."
    world.setup()
    world.configure(**{"bounced.idle_timeout": "1s", "bounced.session_timeout": "2s"})
    bounced = world.start("bounced").pid
    peer = greedy(world)
    before = cpu_seconds(bounced)
    until(lambda: connections(world) == 0, "the connection is given up", 20)
    assert cpu_seconds(bounced) - before < 2
    peer.close()
    talk(world).say("QUIT", "221")


def test_peer_that_never_stops(world):
    "An octet now and then, or a line without end, so fast that there is always more to be read: a session ends with its time."
    world.setup()
    world.configure(**{"bounced.idle_timeout": "2s", "bounced.session_timeout": "3s"})
    world.start("bounced")
    dripping = socket.create_connection(("127.0.0.1", world.bounced_port))
    with contextlib.suppress(ConnectionError):
        until(lambda: dripping.send(b"N") and time.sleep(0.1), "the session ends", 20)
    until(lambda: connections(world) == 0, "the connection is given up", 20)
    flood = f"exec 3<>/dev/tcp/127.0.0.1/{world.bounced_port}; exec cat /dev/zero >&3"
    peers = [subprocess.Popen(["bash", "-c", flood], stderr=subprocess.DEVNULL) for _ in range(4)]
    try:
        until(lambda: connections(world) == 4, "all four are there", 20)
        until(lambda: connections(world) == 0, "the connections are given up", 20)
    finally:
        for peer in peers:
            peer.kill()
            peer.wait()


def test_sigterm_waits_for_nobody_who_is_idle(world):
    "SIGTERM with silent sessions, one in the middle of its message, one that never reads: all hear 421 at once, and it ends within seconds."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    silent, writing, gone = talk(world), talk(world), talk(world)
    writing.say("MAIL FROM:<>", "250")
    writing.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    writing.say("DATA", "354")
    writing.send("From: x@example.test\r\n")
    gone.say("QUIT", "221")
    stuck = greedy(world)
    began = time.monotonic()
    process = world.processes["bounced"]
    process.send_signal(15)
    silent.expect("421")
    writing.expect("421")
    assert process.wait(30) == 0
    took = time.monotonic() - began
    assert took < 4.5, f"it took {took:.1f} s"  # without care: at least the five seconds that a peer has to close
    world.processes.pop("bounced")
    stuck.close()
    assert events(world, one) == []
