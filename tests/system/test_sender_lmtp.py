"""sender and a relay on the same host: LMTP (RFC 2033) over a Unix socket, to Postfix's own test server."""

import os
import pathlib
import pwd
import re
import subprocess

import postfix
from relaying import relay
from sending import people
from verpost import Skip, until

AUDIENCE = [address for address, _ in people(100)]


def sink(world, socket):
    """smtp-sink writes each message to a file of its own, what was said about it in front."""
    folder = world.base / "sink"
    folder.mkdir()
    account = pwd.getpwnam(postfix.OWNER)
    os.chown(folder, account.pw_uid, account.pw_gid)
    root = postfix.unpacked("postfix")
    process = subprocess.Popen([f"{root}/usr/sbin/smtp-sink", "-L", "-u", postfix.OWNER, "-d", f"{folder}/", f"unix:{socket}", "100"],
                               env={"LD_LIBRARY_PATH": f"{root}/usr/lib/postfix", "LANG": "C"}, start_new_session=True,
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    world.others.append(process)
    until(lambda: pathlib.Path(socket).exists(), "smtp-sink listens")
    return folder


def test_lmtp_over_a_unix_socket(world):
    "Every message goes by LMTP over the relay's socket, each once."
    reason = postfix.unavailable()
    if reason:
        raise Skip(reason)
    world.setup()
    world.subscribe(AUDIENCE)
    socket = world.base / "lmtp.sock"
    folder = sink(world, socket)
    relay(world, socket=socket, protocol="lmtp")
    world.start("sender")
    world.campaign("news")
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    letters = [path.read_text() for path in folder.iterdir()]
    assert all("X-Client-Proto: LMTP\n" in letter and "X-Helo-Args: sender.test\n" in letter for letter in letters)
    heard = [re.search(r"^X-Rcpt-Args: <(\S+)>", letter, re.M).group(1) for letter in letters]
    assert sorted(heard) == sorted(AUDIENCE)
    world.stop("sender")
