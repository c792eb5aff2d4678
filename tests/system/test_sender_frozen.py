"""A worker that stands still for longer than it would wait for a reply: what the relay said meanwhile is heard before anything is given up."""

import os
import signal
import time

from certificates import Authority
from faultrelay import OFFERS, FaultRelay
from relaying import relay as set_relay
from sending import people, workers
from verpost import until

AUDIENCE = [address for address, _ in people(1000)]
WAITS = "4s"
FROZEN = 4.5  # seconds
ROUNDS = 2


def freeze(pid):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN)
    os.kill(pid, signal.SIGCONT)


def trial(world, row=None, settings=None, **options):
    """With every connection waiting for a reply, as good as always; nobody is in doubt, and no connection is given up."""
    world.setup()
    world.subscribe(AUDIENCE)
    world.configure(**{"sender.workers": 1, "relay.connections": 8, "relay.final_timeout": WAITS, "relay.reply_timeout": WAITS,
                       "relay.data_timeout": WAITS, **(settings or {})})
    relay = FaultRelay(world, processes=1, delay=0.05, **options).start()
    if row:
        set_relay(world, host="127.0.0.1", port=relay.port, **row)
    world.start("sender")
    world.campaign("frozen")
    for number in range(1, ROUNDS + 1):
        until(lambda: relay.taken() >= 60 * number, "it gets on")
        freeze(workers(world)[0])
    status = world.finished("frozen")
    assert status["accepted"] == len(AUDIENCE) == relay.taken(), (status, relay.taken())
    assert world.sql("SELECT connection FROM doubt") == []
    assert "in time" not in world.log("sender"), world.log("sender")
    relay.check()


def test_one_at_a_time(world):
    "The reply was in the socket: nobody is in doubt."
    trial(world)


def test_several_in_flight_by_tls(world):
    "The same with four messages on the way at once, and with TLS."
    authority = Authority(world.base / "authority")
    certificate, key = authority.issue("mx.test")
    trial(world, row={"tls": "starttls", "tls_name": "mx.test", "tls_ca": authority.certificate},
          settings={"relay.in_flight": 4}, offers=OFFERS + ["CHUNKING"], tls="starttls", certificate=str(certificate), key=str(key))
