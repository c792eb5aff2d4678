"""The ways to bounced: STARTTLS, LMTP, Unix sockets, sockets of systemd, a proxy in front; and who is slowed there."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

from certificates import Authority
from returns import *
from verpost import BIN, Talk, until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class Peer(Talk):
    "A Talk through any connected socket."

    def __init__(self, peer, greeting="220"):
        self.socket = peer
        self.socket.settimeout(60)
        self.buffer = b""
        self.greeting = self.expect(greeting) if greeting else None


def connects(peer, path):
    try:
        peer.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):  # not made yet, or made and not listened to yet
        return False
    return True


def unix(path, greeting="220"):
    peer = socket.socket(socket.AF_UNIX)
    until(lambda: connects(peer, path), f"somebody listens at {path}")
    return Peer(peer, greeting)


def tcp(world):
    return socket.create_connection(("127.0.0.1", world.bounced_port), 60)


# ---- STARTTLS ----


def certified(world):
    authority = Authority(world.base / "tls")
    certificate, key = authority.issue("mx.bounce.test")
    world.configure(**{"bounced.hostname": "mx.bounce.test", "bounced.tls_certificate": certificate, "bounced.tls_key": key})
    return authority


def secured(peer, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    peer.say("STARTTLS", "220 2.0.0")
    return Peer(context.wrap_socket(peer.socket, server_hostname="mx.bounce.test"), None)


def serial(peer):
    return peer.socket.getpeercert()["serialNumber"]


def test_starttls(world):
    "A report comes through TLS; the session begins anew in it, and TLS is not offered again."
    (one, *_), campaign = people(world, 1)
    authority = certified(world)
    world.start("bounced")
    peer = talk(world)
    assert "STARTTLS" in peer.say("EHLO sender.test", "250")
    peer.say("MAIL FROM:<>", "250")
    peer.say("STARTTLS", "503")
    peer.say("RSET", "250")
    peer = secured(peer, authority)
    peer.say("MAIL FROM:<>", "503")
    assert "STARTTLS" not in peer.say("EHLO sender.test", "250")
    peer.say("STARTTLS", "503")
    peer.deliver("", return_path(world, campaign, one), dsn())
    assert events(world, one) == [("bounce-hard", "user-unknown")]


def test_starttls_injection(world):
    "What is sent behind STARTTLS without encryption is never executed, at once or before the handshake."
    world.setup()
    certified(world)
    world.start("bounced")
    peer = talk(world)
    peer.say("EHLO sender.test", "250")
    peer.send("STARTTLS\r\nMAIL FROM:<>\r\n")
    peer.expect("554")
    assert peer.closed()
    peer = talk(world)
    peer.say("EHLO sender.test", "250")
    peer.say("STARTTLS", "220")
    peer.send("MAIL FROM:<>\r\n")
    left = peer.socket.recv(4096)
    assert b"250" not in left, left
    until(lambda: not peer.socket.recv(4096), "the connection ends")
    talk(world).say("QUIT", "221")


def test_certificate_is_read_again(world):
    "SIGHUP takes a new certificate for new sessions; a broken one is refused, and the old one stays."
    world.setup()
    authority = certified(world)
    bounced = world.start("bounced")
    fresh = lambda: secured_after_ehlo(world, authority)
    first = serial(fresh())
    certificate, key = authority.issue("mx.bounce.test")
    bounced.send_signal(signal.SIGHUP)
    until(lambda: "event=certificate.reloaded" in world.log("bounced"), "it is read again")
    second = serial(fresh())
    assert second != first
    good = certificate.read_text()
    certificate.write_text("nonsense\n")
    bounced.send_signal(signal.SIGHUP)
    until(lambda: "event=certificate.kept" in world.log("bounced"), "it is refused")
    assert serial(fresh()) == second
    certificate.write_text(good)


def secured_after_ehlo(world, authority):
    peer = talk(world)
    peer.say("EHLO sender.test", "250")
    return secured(peer, authority)


# ---- LMTP and Unix sockets ----


def test_lmtp(world):
    "By TCP and by a Unix socket: a reply for each recipient, and no EHLO."
    (one, two, *_), campaign = people(world, 2)
    path = world.base / "lmtp"
    world.configure(**{"bounced.lmtp_listen": f"unix:{path}"})
    world.start("bounced")
    peer = unix(path, "220 ")
    assert "LMTP" in peer.greeting
    peer.say("EHLO me", "500")
    peer.say("LHLO me", "250")
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    peer.say("RCPT TO:<nobody@bounce.test>", "550 5.1.1")
    peer.say(f"RCPT TO:<{return_path(world, campaign, two)}>", "250")
    peer.say("DATA", "354")
    peer.send(dsn().replace("\n", "\r\n") + ".\r\n")
    peer.expect("250 2.0.0")
    peer.expect("250 2.0.0")
    peer.say("NOOP", "250")
    assert len(events(world, one)) == len(events(world, two)) == 1
    talk(world).say("LHLO me", "500")


def test_an_mta_that_asks_is_not_slowed(world):
    "Who asks by LMTP, or on a Unix socket, asks for others: however many of them guess, nobody waits."
    (one, *_), campaign = people(world, 1)
    path = world.base / "lmtp"
    world.configure(**{"bounced.lmtp_listen": f"unix:{path}"})
    world.start("bounced")
    wrong = return_path(world, campaign, one, key=(keys(world)[-1][0], bytes(32)))
    for _ in range(30):
        peer = unix(path, "220 ")
        peer.say("LHLO me", "250")
        peer.say("MAIL FROM:<>", "250")
        peer.say(f"RCPT TO:<{wrong}>", "550")
        peer.say("QUIT", "221")
    world.stop("bounced")
    assert "guesses.slowed" not in world.log("bounced")


def test_an_mta_brings_what_anybody_wrote(world):
    "What comes by LMTP on a Unix socket may be a stranger's, though `unix` may report: a Message-ID inside acts neither at abuse@ nor at another's path."
    (one, two, *_), campaign = people(world, 2)
    path = world.base / "lmtp"
    world.configure(**{"bounced.lmtp_listen": f"unix:{path}", "bounced.report_networks": "unix"})
    world.start("bounced")
    seen = f"<{token(world, 'message', campaign, two)}@example.test>"
    peer = unix(path, "220 ")
    peer.say("LHLO me", "250")
    for recipient, message in (("abuse@bounce.test", arf(seen)),
                               (return_path(world, campaign, one), dsn().replace("Message-ID: <x@example.test>", f"Message-ID: {seen}"))):
        peer.say("MAIL FROM:<>", "250")
        peer.say(f"RCPT TO:<{recipient}>", "250")
        peer.say("DATA", "354")
        peer.send(message.replace("\n", "\r\n") + ".\r\n")
        peer.expect("250 2.0.0")
    assert events(world, one) == events(world, two) == []
    assert membership(world, two)[0] == "active" and world.value("SELECT count(*) FROM mailbox_message") == "2"


def test_unix_socket_of_a_dead_one_is_replaced(world):
    "A socket's file that nobody listens on is no hindrance; one in use is."
    world.setup()
    path = world.base / "smtp"
    world.configure(**{"bounced.listen": f"unix:{path}"})
    world.start("bounced", ready=False)
    until(lambda: "event=bounced.listening" in world.log("bounced"), "it listens")
    unix(path).say("QUIT", "221")
    done = world.run("bounced")
    assert done.returncode == 1 and "in use" in done.stderr, done.stderr
    world.stop("bounced", signal.SIGKILL, -signal.SIGKILL)
    assert path.exists()
    world.start("bounced", ready=False)
    until(lambda: world.log("bounced").count("event=bounced.listening") == 2, "it listens again")
    unix(path).say("QUIT", "221")


def test_sockets_of_systemd(world):
    "What systemd hands over is used instead of the settings; by its name one speaks LMTP."
    world.setup()
    handed = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    launch = ("import os, sys; [os.dup2(int(fd), 3 + i) for i, fd in enumerate(sys.argv[1:3])];"
              "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='verpost-bounced:lmtp');"
              "os.execv(sys.argv[3], sys.argv[3:])")
    numbers = [os.dup2(one.fileno(), 30 + i) for i, one in enumerate(handed)]
    log = open(world.base / "handed.log", "w")
    process = subprocess.Popen([sys.executable, "-c", launch, *map(str, numbers), BIN / "bounced", "--config", world.config],
                               pass_fds=numbers, stderr=log)
    for number in numbers:
        os.close(number)
    try:
        smtp, lmtp = (socket.create_connection(one.getsockname(), 60) for one in handed)
        assert "ESMTP" in Peer(smtp).greeting
        assert "LMTP" in Peer(lmtp).greeting
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", world.bounced_port)) != 0, "it listens where the settings say, too"
    finally:
        process.terminate()
        assert process.wait(30) == 0


# ---- behind a proxy ----


def header(client="192.0.2.7"):
    return SIGNATURE + b"\x21\x11" + struct.pack("!H", 12) + socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 999, 25)


def introduced(world, client, greeting="220"):
    peer = tcp(world)
    peer.sendall(header(client))
    return Peer(peer, greeting)


def test_proxy(world):
    "The peer is who the header says: limits and report networks are his; a connection without a header is closed."
    world.setup()
    world.configure(**{"bounced.proxy_networks": "127.0.0.0/8", "bounced.max_per_network": 1,
                       "bounced.report_addresses": "fbl@bounce.test", "bounced.report_networks": "198.51.100.0/24"})
    world.start("bounced", ready=False)
    until(lambda: "event=bounced.listening" in world.log("bounced"), "it listens")
    stranger, loop = introduced(world, "192.0.2.7"), introduced(world, "198.51.100.1")
    third = introduced(world, "192.0.2.9", "421 4.3.2")
    for peer, reply in ((stranger, "550 5.1.1"), (loop, "250")):
        peer.say("EHLO me", "250")
        peer.say("MAIL FROM:<>", "250")
        peer.say("RCPT TO:<fbl@bounce.test>", reply)
    slowly = tcp(world)
    for octet in header("203.0.113.1"):
        slowly.sendall(bytes([octet]))
    Peer(slowly).say("QUIT", "221")
    bare = tcp(world)
    bare.sendall(b"EHLO me\r\n")
    assert not bare.recv(100), "it is not greeted"
    early = tcp(world)
    early.sendall(header("203.0.114.2") + b"EHLO me\r\n")
    Peer(early, "554")
    itself = tcp(world)
    itself.sendall(SIGNATURE + b"\x20\0\0\0")
    Peer(itself).say("QUIT", "221")
    world.stop("bounced")
    assert "event=proxy.silent count=1" in world.log("bounced")


def test_header_of_a_stranger(world):
    "Without bounced.proxy_networks such a header is no more than a wrong start."
    world.setup()
    world.start("bounced")
    peer = tcp(world)
    peer.sendall(header())
    heard = peer.recv(4096)
    assert b"192.0.2.7" not in heard and not heard.startswith(b"250"), heard


# ---- slow ones ----


def test_slow_content_is_given_up(world):
    "Who sends an octet now and then hears 421; a content that comes as it should does not."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.least_rate": 1000, "bounced.least_rate_time": "1s"})
    world.start("bounced")
    path = return_path(world, campaign, one)
    peer = talk(world)
    for command, reply in (("MAIL FROM:<>", "250"), (f"RCPT TO:<{path}>", "250"), ("DATA", "354")):
        peer.say(command, reply)
    begun = time.monotonic()
    peer.socket.setblocking(False)
    heard = b""
    while not heard and time.monotonic() - begun < 60:
        time.sleep(0.1)
        try:
            peer.socket.send(b"x")
            heard = peer.socket.recv(100)
        except BlockingIOError:
            pass
    assert heard.startswith(b"421 4.4.2"), heard
    deliver(world, "", path, dsn())
    assert len(events(world, one)) == 1


def test_guessing_is_slowed(world):
    "From the twenty-first wrong token of a network on the answers come later and later; good tokens are answered meanwhile."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.max_errors": 100})
    world.start("bounced")
    good = f"RCPT TO:<{return_path(world, campaign, one)}>"
    guess = f"RCPT TO:<{return_path(world, campaign, one, key=(keys(world)[-1][0], bytes(32)))}>"
    expired = f"RCPT TO:<{return_path(world, campaign, one, age=40)}>"
    guesser, friend = talk(world), talk(world)
    for peer in (guesser, friend):
        peer.say("MAIL FROM:<>", "250")
    for _ in range(30):
        guesser.say(expired, "550")
    for number in range(20):
        guesser.say(guess if number < 15 else "RCPT TO:<nobody@bounce.test>", "550 5.1.1")
    for late in (1, 2):
        begun = time.monotonic()
        guesser.send(guess + "\r\nNOOP\r\n")
        friend.say(good, "250")
        friend.say("RSET", "250")
        friend.say("MAIL FROM:<>", "250")
        guesser.expect("550 5.1.1")
        assert time.monotonic() - begun >= late
        guesser.expect("250")
    guesser.send(guess + "\r\n")
    world.stop("bounced")
    assert "event=guesses.slowed network=127.0.0.0/24 count=23 no_such_address=5 unknown_key=0 forged=18 foreign_domain=0" in world.log("bounced")


def test_what_is_kept_has_a_measure(world):
    "Beyond max_per_copy, max_letters and mailbox_size there is no 250; others, and who may report, are not concerned; what is too old goes, and makes room."
    (one, other), campaign = people(world, 2)
    world.configure(**{"bounced.max_per_copy": 3, "bounced.max_letters": 2, "bounced.mailbox_size": "20K",
                       "bounced.lmtp_listen": f"unix:{world.base / 'lmtp'}"})
    world.start("bounced")
    path = return_path(world, campaign, one)
    for mark in range(3):
        deliver(world, "", path, dsn(**FULL, mark=str(mark)))
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{path}>", "450 4.7.1 enough about this copy")
    peer.say(f"RCPT TO:<{return_path(world, campaign, other)}>", "250")
    peer.say("RSET", "250")
    for mark in range(2):
        deliver(world, "p@example.test", "abuse@bounce.test", LETTER + str(mark))
    peer.say("MAIL FROM:<p@example.test>", "250")
    peer.say("RCPT TO:<postmaster>", "450 4.7.1 enough mail from your network")
    peer.say("RSET", "250")
    local = unix(world.base / "lmtp")  # an MTA that speaks for others
    local.say("LHLO me", "250")
    local.deliver("p@example.test", "abuse@bounce.test", LETTER + ("x" * 900 + "\n") * 30)
    local.say("MAIL FROM:<p@example.test>", "250")
    local.say("RCPT TO:<postmaster>", "452 4.2.2")
    local.say("RSET", "250")
    assert len(events(world, one)) == 3 and world.value("SELECT count(*) FROM mailbox_message") == "3"
    done = world.run("listctl", "mailbox", "ls")
    assert done.returncode == 0 and "3 messages, " in done.stderr and " octets of 20480" in done.stderr, done
    until(lambda: "allowance.used_up about_a_copy=1 from_a_network=1" in world.log("bounced") and "mailbox.full octets=" in world.log("bounced"),
          "both are logged")
    world.sql("UPDATE mailbox_message SET received_at = now() - interval '366 days'")
    until(lambda: world.value("SELECT count(*) FROM mailbox_message") == "0", "old mail is gone")
    def takes():
        local.say("MAIL FROM:<p@example.test>", "250")
        local.send("RCPT TO:<postmaster>\r\n")
        reply = local.reply()
        local.say("RSET", "250")
        return reply.startswith("250")
    until(takes, "there is room again")
