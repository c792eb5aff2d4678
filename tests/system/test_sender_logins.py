"""A password that a relay refuses is not tried again and again, however many workers there are: that is how accounts are locked."""

import socket
import subprocess
import time

from certificates import Authority
from faultrelay import FaultRelay
from relaying import Watch
from relaying import relay as set_relay
from sending import people
from verpost import BIN, until

AUDIENCE = [address for address, _ in people(200)]
MECHANISM = "PLAIN"


WHILE = 4  # seconds in which each worker would have tried again and again


class Scene:
    """A relay that wants AUTH over TLS, and a sender with two workers that would like to have many connections."""

    def __init__(self, world, right, auth="plain", mechanism="PLAIN"):
        self.world = world
        world.setup()
        world.subscribe(AUDIENCE)
        authority = Authority(world.base / "authority")
        certificate, key = authority.issue("mx.test")
        self.relay = FaultRelay(world, processes=1, tls="starttls", certificate=str(certificate), key=str(key),
                                users={"ann": right}, mechanisms=[mechanism]).start()
        (world.base / "secrets").mkdir()
        self.file = world.base / "secrets" / "main"
        world.configure(**{"sender.workers": 2, "sender.window": 20, "relay.connections": 10, "relay.retry": "1s"})
        world.listctl("relay", "add", "main", "--host", "127.0.0.1", "--port", self.relay.port, "--tls", "starttls", "--tls-name", "mx.test",
                      "--tls-ca", authority.certificate, "--auth", auth, "--user", "ann")

    def secret(self, text, mode=0o600):
        draft = self.file.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(mode)
        draft.rename(self.file)

    def begin(self):
        self.world.start("sender")
        self.world.campaign("news")

    def refused(self):
        return sum("refused" in row for row in self.relay.records("auth"))

    def stays_away(self, refused):
        "Nobody tries again."
        until(lambda: self.refused() >= refused, f"{refused} logins are refused")
        time.sleep(WHILE)
        assert self.refused() == refused, self.relay.records("auth")

    def is_sent(self):
        status = self.world.finished("news")
        assert status["accepted"] == len(AUDIENCE) == self.relay.taken(), status
        assert self.world.json("relay", "ls")[0]["trouble"] is None
        self.relay.check()


def test_wrong_password(world):
    "One login of all workers, also of those that come later; people are told what to do; the mended file is tried at once."
    scene = Scene(world, "right")
    scene.secret("hunter2\n")
    scene.begin()
    scene.stays_away(1)
    row = world.json("relay", "ls")[0]
    assert row["state"] == "tripped" and "535" in row["trouble"] and str(scene.file) in row["trouble"], row
    assert "relay edit main --user" in row["trouble"] and "relay retry main" in row["trouble"], row
    left = float(world.value("SELECT extract(epoch FROM min(retry_at) - now()) FROM relay_finding WHERE reason IS NOT NULL"))
    assert 3000 < left <= 3600, left
    assert "535" in str(world.status("news")["relay_trouble"])
    other = world.value("INSERT INTO worker (id, host, journal, pid) VALUES (gen_random_uuid(), 'other', '/', 1) RETURNING id")
    world.sql(f"INSERT INTO relay_finding (relay, worker_id) VALUES ('main', '{other}')")
    row = world.json("relay", "ls")[0]
    assert row["state"] == "tripped-on-some" and f"{socket.gethostname()}: " in row["trouble"], row
    world.stop("sender")
    assert world.json("relay", "ls")[0]["state"] == "enabled", "nobody runs who finds anything wrong"
    world.start("sender")
    until(lambda: world.log("sender").count("relay.tripped") >= 2, "the other sender knows it")
    scene.stays_away(1)
    assert world.status("news")["pending"] == len(AUDIENCE) and "hunter2" not in world.log("sender")
    scene.secret("right\n")
    scene.is_sent()
    assert scene.refused() == 1


def test_mended_at_the_relay(world):
    "The file was right: a person says so. What is still wrong is tried once more, and no more."
    scene = Scene(world, "another")
    scene.secret("right\n")
    scene.begin()
    scene.stays_away(1)
    world.listctl("relay", "edit", "main", "--weight", 2)
    scene.stays_away(2)
    told = float(world.value("SELECT 3600 - extract(epoch FROM min(retry_at) - now()) FROM relay_finding WHERE reason IS NOT NULL"))
    since = float(world.value("SELECT extract(epoch FROM now() - max(refused_at)) FROM relay_login"))
    assert told < since + 3, "people are told when it is tried after the last refusal"
    world.listctl("relay", "retry", "main")
    scene.stays_away(3)
    scene.relay.options["users"] = {"ann": "right"}
    scene.relay.rules([])
    world.listctl("relay", "retry", "main")
    scene.is_sent()
    assert scene.refused() == 3


def test_test_tries(world):
    "`relay test` logs in, and what it finds holds for all."
    scene = Scene(world, "another")
    scene.secret("right\n")
    scene.begin()
    scene.stays_away(1)
    assert "535" in world.run("listctl", "relay", "test", "main", "--timeout", "20s").stdout
    scene.stays_away(2)
    scene.relay.options["users"] = {"ann": "right"}
    scene.relay.rules([])
    asks = subprocess.Popen([BIN / "listctl", "--config", world.config, "relay", "test", "main", "--timeout", "2m"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert world.finished("news")["accepted"] == len(AUDIENCE)
    finally:
        asks.kill()
        asks.wait()
    assert scene.refused() == 2


def test_wrong_token(world):
    "A token may have run out: one login with a new one follows at once, and then none."
    scene = Scene(world, "never", auth="xoauth2", mechanism="XOAUTH2")
    asked = world.base / "asked"
    scene.secret(f"#!/bin/sh\necho x >>{asked}\necho token\n", 0o700)
    scene.begin()
    scene.stays_away(2)
    assert len(asked.read_text().split()) == 2, "the token was asked for anew"
    scene.secret("#!/bin/sh\necho never\n", 0o700)
    scene.is_sent()
    assert scene.refused() == 2


LULL = 11  # seconds, and a little more than a login in use is taken for good (sender/login.h)


def test_password_changed_at_the_relay(world):
    "While nothing was sent for a while: of all connections that are wanted then one logs in, is refused, and ends the logins."
    scene = Scene(world, "right")
    scene.secret("right\n")
    world.configure(**{"relay.messages_per_connection": 1, "sender.workers": 1})
    scene.begin()
    scene.is_sent()
    time.sleep(LULL)
    scene.relay.options["users"] = {"ann": "new"}
    scene.relay.rules([])
    world.campaign("more")
    scene.stays_away(1)
    scene.secret("new\n")
    assert world.finished("more")["accepted"] == len(AUDIENCE)
    assert scene.refused() == 1


def test_password_changed_while_sending(world):
    "Connections come and go while it changes: refused are at most those that were being opened then."
    scene = Scene(world, "right")
    scene.secret("right\n")
    world.configure(**{"relay.messages_per_connection": 1, "sender.workers": 1})
    scene.begin()
    until(lambda: scene.relay.taken() > 20, "it is being sent")
    scene.relay.options["users"] = {"ann": "new"}
    scene.relay.rules([])
    until(lambda: scene.refused() > 0 or world.status("news")["state"] == "finished", "the new one is heard of")
    time.sleep(WHILE)
    assert scene.refused() <= 10, "no more than there may be connections"
    scene.secret("new\n")
    scene.is_sent()
