"""A relay that says one octet at a time and never comes to an end has no more time than one that is silent."""

import socket
import threading
import time

from faultrelay import FaultRelay
from relaying import Watch
from relaying import relay as set_relay
from sending import people
from verpost import until

AUDIENCE = [address for address, _ in people(20)]
WAITS = "2s"
BETWEEN = 0.4  # seconds: a reply of many octets takes longer than anything is waited for


def begin(world, **settings):
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 1, "relay.connections": 1, "relay.connect_timeout": WAITS, "relay.reply_timeout": WAITS,
                       "relay.data_timeout": WAITS, "relay.final_timeout": WAITS, "relay.retry": "1s", **settings})


def test_before_the_first_message(world):
    "The banner, and the many lines of a reply to EHLO: the connection is given up, and nobody is touched."
    begin(world)
    relay = FaultRelay(world, processes=1, rules=[{"step": "banner", "action": "slow", "seconds": BETWEEN}]).start()
    watch = Watch(world)
    world.start("sender")
    world.campaign("drips")
    watch.trouble("banner: no reply in time")
    relay.rules([{"step": "ehlo", "action": "slow", "seconds": BETWEEN}])
    watch = Watch(world)
    watch.trouble("ehlo: no reply in time")
    relay.rules([])
    status = world.finished("drips")
    assert status["accepted"] == len(AUDIENCE) == relay.taken(), status
    assert world.sql("SELECT connection FROM doubt") == []


def test_after_the_final_dot(world):
    "The reply that decides drips: who waits for it is in doubt when its time is over, and named."
    begin(world, **{"sender.retry_after": "1s"})
    relay = FaultRelay(world, processes=1, rules=[{"step": "kept", "action": "slow", "seconds": BETWEEN, "times": 1}]).start()
    world.start("sender")
    world.campaign("drips")
    until(lambda: len(world.sql("SELECT connection FROM doubt")) == 1, "the one is in doubt", 30)
    status = world.finished("drips")
    assert status["accepted"] == len(AUDIENCE), status
    assert len(relay.kept()) == 1 and relay.taken() == len(AUDIENCE) + 1, "it had it, and it is sent once more"


def drip(listener):
    """The head of a TLS record, and then nothing that would ever fill it."""
    def talk(peer):
        try:
            for octet in b"\x16\x03\x03\x3f\x00" + b"\x02" + bytes(1000):
                peer.sendall(bytes([octet]))
                time.sleep(BETWEEN)
        except OSError:
            pass
        peer.close()
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=talk, args=(peer,), daemon=True).start()


def test_in_the_handshake(world):
    "TLS that never gets anywhere."
    begin(world)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=drip, args=(listener,), daemon=True).start()
    set_relay(world, host="127.0.0.1", port=listener.getsockname()[1], tls="implicit", tls_name="mx.test")
    watch = Watch(world)
    world.start("sender")
    world.campaign("drips")
    watch.trouble("tls: no reply in time")
    status = world.status("drips")
    assert status["pending"] == len(AUDIENCE), status
    listener.close()
    world.stop("sender")
