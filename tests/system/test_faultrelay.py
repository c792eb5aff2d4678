"""The fault relay itself: what the tests of sender lean on has to be right. Driven by raw sockets and by Python's smtplib."""

import base64
import hashlib
import hmac
import smtplib
import socket
import ssl
import time

import faultrules
from certificates import Authority
from faultrelay import FaultRelay
from verpost import Failure, Talk, until

TOKEN = "a" * 31
FROM, TO = f"b+{TOKEN}@bounce.test", "ann@a.test"
MESSAGE = "Message-ID: <x@bounce.test>\r\nSubject: hi\r\n\r\n.dots\r\n..\r\nend\r\n"
ENVELOPE = f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n"
STUFFED = MESSAGE.replace("\r\n.", "\r\n..") + ".\r\n"
USERS = {"ann": "se,cr=et"}


def relay(world, rules=(), **options):
    return FaultRelay(world, rules=rules, processes=1, **options).start()


def talk(world, hello="EHLO sender.test"):
    peer = Talk(world.relay_port)
    peer.say(hello, "250")
    return peer


def deliver(peer, expected="250"):
    peer.send(ENVELOPE)
    for code in ("250", "250", "354"):
        peer.expect(code)
    peer.send(STUFFED)
    return peer.expect(expected)


def test_takes_messages(world):
    "Pipelined, alone and in chunks: each is written down once with its token, Message-ID and recipient, and nothing is a breach."
    it = relay(world, offers=["PIPELINING", "CHUNKING", "SIZE 100000", "DSN", "LIMITS MAILMAX=9"], keep=9)
    peer = talk(world)
    assert deliver(peer) == "250 2.0.0 Taken"
    peer.send(ENVELOPE)
    for code in ("250", "250", "354"):
        peer.expect(code)
    peer.send(STUFFED + ENVELOPE)  # the next one behind the dot
    for code in ("250", "250", "250", "354"):
        peer.expect(code)
    peer.send(STUFFED)
    peer.expect("250")
    size = len(MESSAGE)
    one = f"MAIL FROM:<{FROM}> SIZE={size} RET=HDRS ENVID=e\r\nRCPT TO:<{TO}> NOTIFY=FAILURE ORCPT=rfc822;{TO}\r\nBDAT {size} LAST\r\n{MESSAGE}"
    peer.send(one + one)
    for _ in range(6):
        peer.expect("250")
    peer.send(f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\nBDAT 30\r\n{MESSAGE[:30]}BDAT {size - 30} LAST\r\n{MESSAGE[30:]}")
    for _ in range(4):
        peer.expect("250")
    peer.say("QUIT", "221")
    it.wait(6)
    rows = it.accepted()
    assert [(r["token"], r["message_id"], r["to"], r["from"]) for r in rows] == [(TOKEN, "x@bounce.test", TO, FROM)] * 6, rows
    assert it.messages() == [MESSAGE.encode()] * 6, it.messages()
    assert not it.kept() and not it.faults()
    it.check()
    with smtplib.SMTP("127.0.0.1", world.relay_port) as client:
        client.sendmail(FROM, [TO], MESSAGE)
    it.wait(7)
    it.check()
    it.stop()


BREACHES = {
    "a bare LF": "EHLO a.test\n",
    "a bare CR": "NO\rOP\r\n",
    "no command of SMTP": "HELLO\r\n",
    "MAIL before a greeting": f"MAIL FROM:<{FROM}>\r\n",
    "spoke before the reply": "NOOP\r\nNOOP\r\n",
    "LHLO is for LMTP": "LHLO a.test\r\n",
    "was not offered": f"EHLO a.test\r\n|MAIL FROM:<{FROM}> SIZE=10\r\n",
    "no path": f"EHLO a.test\r\n|MAIL FROM:{FROM}\r\n",
    "STARTTLS was not offered": "EHLO a.test\r\n|STARTTLS\r\n",
    "AUTH mechanism that was not offered": "EHLO a.test\r\n|AUTH PLAIN AGFubgBhbm4=\r\n",
    "BDAT was not offered": "EHLO a.test\r\n|BDAT 1 LAST\r\n",
    "without SMTPUTF8": "EHLO a.test\r\n|MAIL FROM:<b\u00e4r@a.test>\r\n",
    "RCPT without MAIL": f"EHLO a.test\r\n|RCPT TO:<{TO}>\r\n",
    "MAIL in a transaction": f"EHLO a.test\r\n|MAIL FROM:<{FROM}>\r\n|MAIL FROM:<{FROM}>\r\n",
    "a second recipient": f"EHLO a.test\r\n|MAIL FROM:<{FROM}>\r\n|RCPT TO:<{TO}>\r\n|RCPT TO:<{TO}>\r\n",
    "begins with one dot": "DATA|Subject: x\r\n\r\n.one\r\n.\r\n",
    "content with a bare CR": "DATA|Subject: x\r\n\r\none\rtwo\r\n.\r\n",
    "more than 998 octets": "DATA|Subject: x\r\n\r\n" + "x" * 999 + "\r\n.\r\n",
    "without 8BITMIME": "DATA|Subject: \u00e4\r\n\r\none\r\n.\r\n",
    "before the reply to the final dot": "DATA|" + STUFFED + "NOOP\r\n",
    "before the reply, without": f"EHLO a.test\r\n|MAIL FROM:<{FROM}>\r\n|RCPT TO:<slow@a.test>\r\n||NOOP\r\n",
}


def test_tells_of_breaches(world):
    "Whatever a client may not do is written down, each under its own name, and fails the test."
    it = relay(world, [{"step": "rcpt", "action": "stall", "seconds": 2, "match": "slow*"}], offers=[])
    for what, conversation in BREACHES.items():
        before = len(it.breaches())
        peer = Talk(world.relay_port)
        conversation = conversation.replace("DATA|", "EHLO a.test\r\n|" + ENVELOPE.replace("\r\n", "\r\n|"))
        for part in conversation.split("|"):
            peer.send(part)
            if part and "||" not in conversation:
                peer.socket.settimeout(0.5)
                try:
                    peer.reply()
                except (TimeoutError, Failure):
                    pass
            elif part:
                time.sleep(0.2)
        until(lambda: len(it.breaches()) > before, what)
        found = [row["breach"] for row in it.breaches()[before:]]
        assert any(what in breach for breach in found), f"{what}: {found}"
        peer.close()
    try:
        it.check()
    except Failure:
        return
    raise Failure("breaches do not fail a test")


LONG = "Subject: x\r\n\r\n" + "some text\r\n" * 70  # longer than where the middle of a content may be
SAID = {"banner": "", "ehlo": "EHLO a.test\r\n", "mail": f"MAIL FROM:<{FROM}>\r\n", "rcpt": f"RCPT TO:<{TO}>\r\n",
        "data": "DATA\r\n", "content": LONG, "dot": STUFFED, "kept": STUFFED, "quit": "QUIT\r\n"}


def until_step(world, step):
    """A conversation up to what the reply of this step would answer."""
    peer = Talk(world.relay_port, greeting=None)
    last = [] if step in ("banner", "ehlo", "mail", "rcpt", "data") else [step]
    order = ["banner", "ehlo"] if step == "quit" else ["banner", "ehlo", "mail", "rcpt", "data"]
    for at in order + last:
        peer.send(SAID[at])
        if at == step:
            return peer
        peer.reply()
    raise AssertionError(step)


def first_line(peer):
    try:
        return peer.line()
    except (Failure, ConnectionResetError) as error:
        return "FIN" if isinstance(error, Failure) else "RST"
    except TimeoutError:
        return "silence"


def expectation(step, action):
    good = {"banner": "220", "data": "354", "quit": "221"}.get(step, "250")
    return {"drop": ("FIN", "RST"), "reset": ("RST",), "hang": ("silence",), "stall": (good,), "slow": (good,), "gone": ("421",),
            "soft": ("451",), "hard": ("554",), "garbage": tuple(text[:3].decode("latin-1") for text in faultrules.GARBAGE)}[action]


def break_once(world, it, step, action):
    accepted, kept = len(it.accepted()), len(it.kept())
    it.rules([{"step": step, "action": action, **({"seconds": 0.4} if action == "stall" else {})}])
    begun = time.monotonic()
    try:
        peer = until_step(world, step)
    except ConnectionResetError:  # at once, before connect() has even returned
        assert (step, action) == ("banner", "reset")
        until(lambda: it.faults()[step, action] == 1, "reset")
        return
    if (step, action) == ("content", "stall"):
        peer.send(".\r\n")
    peer.socket.settimeout(0.3 if action == "hang" else 60)
    line = first_line(peer)
    label = f"{step} {action}: {line[:60]!r}"
    assert line.startswith(expectation(step, action)) or (action == "garbage" and line == "\0\ufffd?!"), label
    assert action != "stall" or time.monotonic() - begun >= 0.4, label
    assert action != "gone" or peer.closed(), label
    keeps = step == "kept" and action in ("drop", "reset", "hang", "garbage")
    takes = step in ("content", "dot", "kept") and action in ("stall", "slow")
    until(lambda: it.faults()[step, action] == 1, label)
    until(lambda: len(it.kept()) == kept + keeps and len(it.accepted()) == accepted + takes, label)
    peer.close()


def test_breaks_at_every_step(world):
    "Each action at each step does what it says, is counted, and leaves the right word about the message."
    it = relay(world)
    for step in ("banner", "ehlo", "mail", "rcpt", "data", "content", "dot", "kept", "quit"):
        actions = ["drop", "reset", "stall", "hang", "garbage", "slow", "gone", "soft", "hard"]
        if step == "content":
            actions = ["drop", "reset", "stall", "hang", "gone"]
        if step == "kept":
            actions = actions[:6]
        for action in actions:
            break_once(world, it, step, action)
    it.check()


def test_hangs_up_meanwhile(world):
    "A client that goes away in a stall: who has the whole message delivers it, whether it was kept before the stall or is after it."
    it = relay(world, [{"step": "kept", "action": "stall", "seconds": 5, "times": 1}, {"step": "dot", "action": "stall", "seconds": 2}])
    until_step(world, "kept").close()
    until(lambda: len(it.kept()) == 1, "kept")
    until_step(world, "dot").close()
    until(lambda: it.faults()["dot", "stall"] == 1, "stalled")
    until(lambda: len(it.kept()) == 2, "kept too")
    assert not it.accepted()


def scram(client, user, secret):
    """RFC 5802 as a client would, apart from what the relay does."""
    first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r=abc"
    code, answer = client.docmd("AUTH SCRAM-SHA-256", base64.b64encode(f"n,,{first}".encode()).decode())
    assert code == 334, answer
    challenge = base64.b64decode(answer).decode()
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    last = f"c=biws,r={parts['r']}"
    signature = hmac.digest(hashlib.sha256(key).digest(), f"{first},{challenge},{last}".encode(), "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
    code, answer = client.docmd(base64.b64encode(f"{last},p={proof}".encode()).decode())
    if code != 334:
        return code
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), f"{first},{challenge},{last}".encode(), "sha256")
    assert base64.b64decode(answer) == b"v=" + base64.b64encode(server)
    return client.docmd("")[0]


def bearer(client, mechanism, user, token):
    text = {"XOAUTH2": f"user={user}\1auth=Bearer {token}\1\1",
            "OAUTHBEARER": f"n,a={user},\1host=127.0.0.1\1port=25\1auth=Bearer {token}\1\1"}[mechanism]
    code, _ = client.docmd(f"AUTH {mechanism}", base64.b64encode(text.encode()).decode())
    return client.docmd("AQ==" if mechanism == "OAUTHBEARER" else "")[0] if code == 334 else code


def secured(world, authority):
    client = smtplib.SMTP("127.0.0.1", world.relay_port, "sender.test")
    client.starttls(context=ssl.create_default_context(cafile=authority.certificate))
    client.ehlo("sender.test")
    return client


def test_tls_and_auth(world):
    "STARTTLS and implicit TLS by a certificate that verifies; every mechanism with the right secret and with a wrong one."
    authority = Authority(world.base / "tls")
    certificate, key = authority.issue("127.0.0.1", "relay.test")
    secure = {"certificate": str(certificate), "key": str(key), "users": USERS}
    it = relay(world, tls="starttls", **secure)
    other = FaultRelay(world, "implicit", port=world.bounced_port, processes=1, tls="implicit", **secure).start()
    for secret, code in (("se,cr=et", 235), ("wrong", 535)):
        for mechanism in ("SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"):
            client = secured(world, authority)
            assert mechanism in client.esmtp_features["auth"].split()
            if mechanism == "SCRAM-SHA-256":
                heard_code = scram(client, "ann", secret)
            elif mechanism in ("XOAUTH2", "OAUTHBEARER"):
                heard_code = bearer(client, mechanism, "ann", secret)
            else:
                client.user, client.password = "ann", secret
                heard_code, _ = client.auth(mechanism, {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism],
                                            initial_response_ok=mechanism == "PLAIN") if code == 235 else refused(client, mechanism)
            assert heard_code == code, (mechanism, secret, heard_code)
            if code == 235:
                client.sendmail(FROM, [TO], MESSAGE)
            client.quit()
    with smtplib.SMTP_SSL("127.0.0.1", world.bounced_port, context=ssl.create_default_context(cafile=authority.certificate)) as client:
        client.login("ann", "se,cr=et")
        client.sendmail(FROM, [TO], MESSAGE)
    it.wait(5)
    other.wait(1)
    it.check()
    other.check()
    assert {r["mechanism"] for r in it.records("auth") if r.get("tls")} >= {"SCRAM-SHA-256", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}
    peer = talk(world)
    peer.say(f"MAIL FROM:<{FROM}>")
    said = {row["breach"] for row in it.breaches()}
    assert said == {"mail in clear text where TLS was wanted", "MAIL without AUTH"}, said


def refused(client, mechanism):
    try:
        return client.auth(mechanism, {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism],
                           initial_response_ok=mechanism == "PLAIN")
    except smtplib.SMTPAuthenticationError as error:
        return error.smtp_code, error.smtp_error


def test_tls_breaks(world):
    "Faults at STARTTLS, in the handshake and at AUTH; what is said between STARTTLS and its reply is a breach."
    authority = Authority(world.base / "tls")
    certificate, key = authority.issue("127.0.0.1")
    it = relay(world, tls="starttls", certificate=str(certificate), key=str(key), users=USERS)
    for step in ("starttls", "tls", "auth"):
        for action in ("drop", "reset", "garbage"):
            it.rules([{"step": step, "action": action, "seconds": 0.1}])
            try:
                client = secured(world, authority)
                assert step == "auth"
                bearer(client, "XOAUTH2", "ann", "se,cr=et")
            except (OSError, smtplib.SMTPException, ValueError):
                pass
            until(lambda: it.faults()[step, action] == 1, f"{step} {action}")
    it.check()
    it.rules([{"step": "starttls", "action": "inject"}])
    peer = talk(world)
    peer.say("STARTTLS", "220")
    peer.expect("250 2.0.0 injected")
    it.check()
    peer = talk(world)
    peer.send("STARTTLS\r\nNOOP\r\n")
    until(it.breaches, "a breach")


def test_lmtp_on_a_socket(world):
    "LMTP over a Unix socket, with AUTH and without TLS; EHLO is a breach there."
    path = world.base / "lmtp.sock"
    it = FaultRelay(world, processes=2, lmtp=True, unix=path, users=USERS).start()
    with smtplib.LMTP(str(path)) as client:
        client.login("ann", "se,cr=et")
        assert client.sendmail(FROM, [TO], MESSAGE) == {}
    it.wait(1)
    it.check()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        peer.recv(1000)
        peer.sendall(b"EHLO a.test\r\n")
        peer.recv(1000)
    until(it.breaches, "a breach")
