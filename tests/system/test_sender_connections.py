"""Thousands of connections of one worker to one relay: nobody is lost among them, and the limit of open files is raised or named."""

import os
import resource
import subprocess

from sending import check, people, workers
from verpost import BIN, Skip, until

CONNECTIONS = 2000
MANY = {"sender.workers": 1, "relay.connections": CONNECTIONS, "relay.in_flight": 1, "sender.window": 2000, "journal.size": "32M"}


def sockets(process):
    "How many a process has open; none when it has just ended."
    folder, count = f"/proc/{process}/fd", 0
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return 0
    for name in names:
        try:
            count += os.readlink(f"{folder}/{name}").startswith("socket:")
        except FileNotFoundError:
            pass  # closed meanwhile
    return count


def until_all_are_open(world):
    until(lambda: any(sockets(worker) > CONNECTIONS for worker in workers(world)), f"{CONNECTIONS} connections are open")


def start_with_few_files(world):
    "sender, whose limit of open files may be raised and is low."
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 200:
        raise Skip(f"this host allows a process {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 200, hard))
    world.mailworld("* accept slow 4000\n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    world.start("sender")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_connections(world):
    "A worker that was given 256 open files works with 2,000 connections, is killed with all of them in use, and is exact."
    audience = people(7000)
    world.setup()
    world.subscribe(audience)
    world.configure(**MANY)
    start_with_few_files(world)
    world.campaign("wide")
    until_all_are_open(world)
    world.kill(workers(world)[0])
    until_all_are_open(world)
    world.finished("wide")
    named = check(world, "wide", audience)
    assert len(named) <= CONNECTIONS, f"{len(named)} in doubt after one death"
    assert "event=relay.limited" not in world.log("sender")


def test_too_few_files(world):
    "Where the limit cannot be raised sender does not begin, and says which number to raise."
    world.setup()
    world.configure(**MANY)
    done = subprocess.run([BIN / "sender", "--config", world.config], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1000)))
    words = ["relay.connections", "2000 connections need 2064 open files", "is 1000", "LimitNOFILE=", "ulimit -Hn"]
    assert done.returncode == 1 and all(word in done.stderr for word in words), done
