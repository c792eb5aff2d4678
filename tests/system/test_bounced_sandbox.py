"""What bounced takes away from itself, and that it still does all it has to."""

import os
import pathlib
import pwd
import random
import re
import shutil
import signal

from returns import *
from test_bounced_parsers import births, nurseries, parent, parser, status
from verpost import BIN, Skip, until


def open_files(pid):
    return {name: os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}


def test_each_process_is_confined(world):
    "All processes of bounced have their filters and can gain nothing; a parser has its socket and standard error open, and nothing else."
    world.setup()
    world.configure(**{"bounced.sandbox": "require"})
    world.start("bounced")
    one = until(lambda: parser(world), "a parser is there")
    main = world.processes["bounced"].pid
    filters = {pid: int(status(pid, "Seccomp_filters")) for pid in [main, *nurseries(world, 0)]}
    for pid in filters:
        assert status(pid, "NoNewPrivs") == "1" and status(pid, "Seccomp") == "2", pid
    assert filters[one] == filters[parent(one)] + 1, filters
    for pid in nurseries(world, 0):
        files = open_files(pid)
        assert set(files) == {"0", "2"} and files["0"].startswith("socket:"), files
        assert files["2"] == str(world.base / "bounced.log"), files
    assert "event=sandbox.on" in world.log("bounced")
    world.stop("bounced")


def limits(pid):
    rows = re.findall(r"^(Max .*?)  +(\S+)  +(\S+)", pathlib.Path(f"/proc/{pid}/limits").read_text(), re.M)
    return {name: hard for name, soft, hard in rows}


def test_parsers_are_rationed(world):
    "The processes that read messages leave no core, open nothing beyond what they are handed, and have an end to their memory and files."
    world.setup()
    world.start("bounced")
    until(lambda: parser(world), "a parser is there")
    wanted = {"Max core file size": "0", "Max open files": "8", "Max msgqueue size": "0"}
    if "asan" not in BIN.parts:  # a sanitizer's shadow takes terabytes
        wanted["Max file size"] = "0"
    for pid in nurseries(world, 0):
        most = limits(pid)
        assert most.items() >= wanted.items(), most
        assert "asan" in BIN.parts or int(most["Max address space"]) < 1 << 30, most
    assert limits(world.processes["bounced"].pid)["Max open files"] != "8"
    world.stop("bounced")


def test_no_secret_is_in_a_parser(world):
    "Neither a key nor the connection string is anywhere in the memory of the processes that read messages, though they are in the main one."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"database.bounced": world.conninfo + " user=verpost_bounced password=MarkOfThisPassword"})
    world.start("bounced")
    until(lambda: parser(world), "a parser is there")
    deliver(world, "", return_path(world, campaign, one), dsn())
    secrets = [b"MarkOfThisPassword", keys(world)[-1][1]]
    main = world.processes["bounced"].pid
    assert all(holds(main, secret) for secret in secrets)
    for pid in nurseries(world, 0):
        assert not any(holds(pid, secret) for secret in secrets), pid
    world.stop("bounced")


def holds(pid, octets):
    "Whether they are in its memory, as far as that may be read."
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" not in line.split()[1] or end - start > 1 << 28:  # not the sanitizer's shadow
                continue
            try:
                memory.seek(start)
                if octets in memory.read(end - start):
                    return True
            except OSError:
                continue
    return False


def test_keys_and_postgres_come_back(world):
    "Within the sandbox SIGHUP reads keys that were replaced, and PostgreSQL is found again after a restart."
    (one, two, *_), campaign = people(world, 2)
    world.configure(**{"bounced.sandbox": "require"})
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    world.listctl("key", "new")
    world.processes["bounced"].send_signal(signal.SIGHUP)
    until(lambda: "event=keys.reloaded" in world.log("bounced"), "the keys are read")
    world.postgres("kill")
    world.postgres("start")
    path = return_path(world, campaign, two, key=keys(world)[-1])
    until(lambda: deliver_if(world, path), "PostgreSQL is found again")
    assert events(world, two) == [("bounce-hard", "user-unknown")]
    assert births(world) == 1
    world.stop("bounced")


def deliver_if(world, path):
    peer = talk(world)
    try:
        peer.deliver("", path, dsn(mark="2"))
        return True
    except AssertionError:
        return False
    finally:
        peer.close()


def test_off(world):
    "bounced.sandbox = off: said in the log; messages are read as ever."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.sandbox": "off"})
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    assert events(world, one) == [("bounce-hard", "user-unknown")]
    assert status(world.processes["bounced"].pid, "Seccomp") == "0" and "event=sandbox.off" in world.log("bounced")
    world.stop("bounced")


def somebody():
    "An ordinary user with a group of another name."
    if os.geteuid() != 0:
        raise Skip("only root can become somebody")
    return pwd.getpwnam("nobody")


def test_root_is_given_up(world):
    "Started by root with bounced.user: every process is that user, without capabilities, and reads its keys again."
    user = somebody()
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.user": "nobody", "bounced.group": "daemon", "bounced.sandbox": "require"})
    shutil.chown(world.base / "keys", "root", "daemon")
    (world.base / "keys").chmod(0o640)
    (world.base / "pg").chmod(0o711)  # where its socket is
    world.start("bounced")
    until(lambda: parser(world), "a parser is there")
    for pid in [world.processes["bounced"].pid, *nurseries(world, 0)]:
        assert set(status(pid, "Uid").split()) == {str(user.pw_uid)}, pid
        assert len(set(status(pid, "Gid").split())) == 1 and status(pid, "Gid").split()[0] != "0", pid
        assert status(pid, "CapEff") == status(pid, "CapPrm") == "0" * 16, pid
        assert "0" not in status(pid, "Groups").split(), pid
    deliver(world, "", return_path(world, campaign, one), dsn())
    assert events(world, one) == [("bounce-hard", "user-unknown")]
    world.processes["bounced"].send_signal(signal.SIGHUP)
    until(lambda: "event=keys.reloaded" in world.log("bounced"), "the keys are read")
    assert "event=rights.root" not in world.log("bounced")
    world.stop("bounced", code=None)


def test_rights_that_cannot_be_had(world):
    "A user or group that does not exist, a group alone: bounced says so and does not start."
    world.setup()
    for settings, says in (({"bounced.user": "nobody-such"}, "there is no user"),
                           ({"bounced.user": "root", "bounced.group": "no-such"}, "there is no group"),
                           ({"bounced.user": "", "bounced.group": "daemon"}, "without bounced.user")):
        world.configure(**settings)
        done = world.run("bounced")
        assert done.returncode == 1 and says in done.stderr, done


def test_postgres_by_tcp(world):
    "A database that is reached by TCP, with a password from a file: found at the start and again after a restart, within the sandbox."
    (one, two, *_), campaign = people(world, 2)
    address = f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"  # others may have 5432 elsewhere
    world.sql("ALTER ROLE verpost_bounced PASSWORD 'open sesame'")
    world.postgres("stop")
    with open(world.base / "pg/data/postgresql.conf", "a") as file:
        file.write(f"listen_addresses = '{address}'\n")
    with open(world.base / "pg/data/pg_hba.conf", "a") as file:
        file.write("host all verpost_bounced 127.0.0.0/8 scram-sha-256\n")
    world.postgres("start")
    (world.base / "secret").mkdir()
    passwords = world.file("secret/passwords", "*:*:*:*:open sesame\n")
    passwords.chmod(0o600)
    world.configure(**{"bounced.sandbox": "require", "database.bounced":
                       f"host={address} dbname=verpost user=verpost_bounced passfile={passwords}"})
    world.start("bounced")
    deliver(world, "", return_path(world, campaign, one), dsn())
    world.postgres("kill")
    world.postgres("start")
    until(lambda: deliver_if(world, return_path(world, campaign, two)), "PostgreSQL is found again")
    assert len(events(world, one)) == len(events(world, two)) == 1
    world.stop("bounced")
