"""sender and relays that speak TLS: Debian's Postfix (OpenSSL) and Exim (GnuTLS) with real certificates. Who has not proven to be the
relay gets neither a recipient nor a word of a message, and nobody is asked to do without TLS."""

import exim
import postfix
from certificates import Authority
from relaying import Watch, relay
from sending import people
from tap import Tap
from verpost import BOUNCE_DOMAIN, Skip, free_port, until

AUDIENCE = [address for address, _ in people(40)]
# All that a client may say before TLS.
COURTESIES = [b"", b"EHLO sender.test\r\n", b"EHLO sender.test\r\nQUIT\r\n", b"EHLO sender.test\r\nSTARTTLS\r\n"]
STRIP = {b"250-STARTTLS\r\n": b"250-XTARTTLS\r\n"}


class Scene:
    """Postfix for mx.test behind a tap, in front of a destination that takes everything."""

    def __init__(self, world, **options):
        reason = postfix.unavailable()
        if reason:
            raise Skip(reason)
        self.world = world
        self.authority = Authority(world.base / "authority")
        self.tls = self.authority.issue("mx.test")
        self.port, self.smtps, destination = world.relay_port, free_port(), free_port()
        world.mailworld("* accept\n", port=destination)
        self.postfix = postfix.Postfix(world.base / "postfix", self.port, destination, world.bounced_port, BOUNCE_DOMAIN, tls=self.tls,
                                       smtps=self.smtps, **options)
        world.logs["postfix"] = world.base / "postfix/mail.log"
        world.others.append(self.postfix.start().process)
        world.listening(self.port)
        world.listening(self.smtps)
        world.setup()
        world.subscribe(AUDIENCE)

    def relay(self, **changes):
        """The relay as it must be, but for the changes."""
        row = {"host": "127.0.0.1", "port": self.port, "tls": "starttls", "tls_name": "mx.test", "tls_ca": self.authority.certificate}
        relay(self.world, **{**row, **changes})

    def all_have_it(self, times):
        until(lambda: len(self.world.accepted()) >= times * len(AUDIENCE), "all mail has come through Postfix")
        assert sorted(a["to"] for a in self.world.accepted()) == sorted(AUDIENCE * times)

    def letters(self):
        return [path.read_text() for path in (self.world.base / "mailworld.mail").iterdir()]


def test_starttls_and_smtps(world):
    "Every message goes to Postfix by TLS, by STARTTLS or on a port of its own, from the source address that was asked for."
    scene = Scene(world)
    taps = [Tap(scene.port), Tap(scene.smtps)]
    scene.relay(port=taps[0].port)
    world.start("sender")
    world.campaign("first")
    assert world.finished("first")["accepted"] == len(AUDIENCE)
    scene.relay(port=taps[1].port, tls="implicit")
    world.campaign("second")
    assert world.finished("second")["accepted"] == len(AUDIENCE)
    scene.relay(source_address="127.0.0.3")
    world.campaign("third")
    assert world.finished("third")["accepted"] == len(AUDIENCE)
    scene.all_have_it(3)
    assert all("using TLSv1.3 with cipher" in letter for letter in scene.letters())
    assert set(taps[0].clear()) == {b"EHLO sender.test\r\nSTARTTLS\r\n"}, taps[0].clear()
    assert set(taps[1].clear()) == {b""}, taps[1].clear()
    assert "TLS connection established from unknown[127.0.0.3]" in scene.postfix.log()
    world.stop("sender")


def test_who_is_not_proven_gets_nothing(world):
    "Another name, an unknown authority, STARTTLS not offered or no TLS at all: the relay is left alone with the reason, and nobody is touched."
    scene = Scene(world)
    stripped = Tap(scene.port, STRIP)
    # No two neighbours fail alike: what is still said about the one before is not taken for the next one's.
    cases = [
        ("another name", {"tls_name": "relay.test"}, "starttls: the certificate is for mx.test, not relay.test"),
        ("unknown authority", {"tls_ca": Authority(world.base / "other", "Other Authority").certificate},
         "starttls: the certificate was issued by CN=Example Authority, which is no authority that is trusted here"),
        ("another name, implicit", {"tls": "implicit", "tls_name": "relay.test"}, "tls: the certificate is for mx.test, not relay.test"),
        ("no TLS there", {"tls": "implicit"}, "tls: the peer does not speak TLS at this point"),
        ("the system's authorities", {"tls_ca": None}, "which is no authority that is trusted here"),
        ("STARTTLS is not offered", {"port": stripped.port}, "does not offer STARTTLS"),
    ]
    world.start("sender")
    world.campaign("news")
    for label, changes, reason in cases:
        server = scene.smtps if changes.get("tls") == "implicit" and label != "no TLS there" else scene.port
        tap = stripped if "port" in changes else Tap(server)
        watch = Watch(world)
        scene.relay(**{"port": tap.port, **changes})
        watch.trouble(reason)
        status = world.status("news")
        assert status["pending"] == status["audience"] == len(AUDIENCE), (label, status)
        assert tap.said and set(tap.clear()) <= set(COURTESIES), (label, tap.clear())
    assert world.accepted() == [] and "sasl" not in scene.postfix.log()
    assert " from=<" not in scene.postfix.log() and "mail=" not in scene.postfix.log()
    assert world.value("SELECT count(*) FROM delivery") == world.value("SELECT count(*) FROM deferral") == "0"
    scene.relay()
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    scene.all_have_it(1)
    world.stop("sender")


def test_exim(world):
    "Exim takes several transactions at a time by BDAT, over GnuTLS, each once."
    reason = exim.unavailable()
    if reason:
        raise Skip(reason)
    audience = [address for address, _ in people(300)]
    authority = Authority(world.base / "authority")
    smtps = free_port()
    server = exim.Exim(world.base / "exim", world.relay_port, smtps, authority.issue("mx.test"), "ann", "a secret")
    world.logs["exim"] = world.base / "exim/mainlog"
    world.others.append(server.start().process)
    world.listening(world.relay_port)
    world.setup()
    world.subscribe(audience)
    row = {"host": "127.0.0.1", "port": world.relay_port, "tls": "starttls", "tls_name": "mx.test", "tls_ca": authority.certificate,
           "auth": "plain", "auth_user": "ann", "in_flight": 4}
    relay(world, secret="a secret", **row)
    world.start("sender")
    world.campaign("first")
    assert world.finished("first")["accepted"] == len(audience)
    relay(world, secret="a secret", **{**row, "tls": "implicit", "port": smtps, "auth": "login"})
    world.campaign("second")
    assert world.finished("second")["accepted"] == len(audience)
    arrivals = server.arrivals()
    for mechanism in ("plain", "login"):
        of_it = [arrival for arrival in arrivals if arrival["mechanism"] == mechanism]
        assert sorted(arrival["recipient"] for arrival in of_it) == sorted(audience), mechanism
    assert {arrival["tls"] for arrival in arrivals} == {"TLS1.3"} and {arrival["chunking"] for arrival in arrivals} == {" K"}
    world.stop("sender")
