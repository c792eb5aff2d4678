"""The server's side of SMTP AUTH (RFC 4954), for the fault relay: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 5802, 7677), XOAUTH2 and
OAUTHBEARER (RFC 7628). Each mechanism is a generator: it yields challenges (bytes), is sent the client's answers, and returns whether the
client has shown that it knows the secret."""

import base64
import hashlib
import hmac
import os

ROUNDS = 4096


class Wrong(Exception):
    """What the client says is not of the mechanism: a breach, not a wrong secret."""


def plain(users):
    parts = (yield b"").split(b"\0")
    if len(parts) != 3:
        raise Wrong("PLAIN without its two NULs")
    return users.get(parts[1].decode()) == parts[2].decode()


def login(users):
    user = yield b"Username:"
    secret = yield b"Password:"
    return users.get(user.decode()) == secret.decode()


def fields(message):
    found = {}
    for part in message.split(b","):
        name, equals, value = part.partition(b"=")
        if not equals or len(name) != 1:
            raise Wrong(f"SCRAM field {part!r}")
        found[name.decode()] = value
    return found


def keyed(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def scram(users):
    first = yield b""
    if not first.startswith((b"n,,", b"y,,")):
        raise Wrong(f"SCRAM begins with {first[:8]!r}")
    bare = first[3:]
    asked = fields(bare)
    secret = users.get(asked.get("n", b"").decode().replace("=2C", ",").replace("=3D", "="), "").encode()
    salt, nonce = os.urandom(16), asked["r"] + base64.b64encode(os.urandom(18))
    challenge = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), ROUNDS)
    last = yield challenge
    unsigned, _, proof = last.rpartition(b",p=")
    said = fields(unsigned)
    if said.get("r") != nonce or base64.b64decode(said.get("c", b"")) != first[:3]:
        raise Wrong("SCRAM's last message does not go with the first")
    salted = hashlib.pbkdf2_hmac("sha256", secret, salt, ROUNDS)
    client_key = keyed(salted, b"Client Key")
    signed = b",".join((bare, challenge, unsigned))
    signature = keyed(hashlib.sha256(client_key).digest(), signed)
    proved = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature))
    if not secret or proved != client_key:
        return False
    done = yield b"v=" + base64.b64encode(keyed(keyed(salted, b"Server Key"), signed))
    if done:
        raise Wrong("SCRAM goes on after its end")
    return True


REFUSAL = b'{"status":"invalid_token"}'


def xoauth2(users):
    parts = (yield b"").split(b"\1")
    if len(parts) != 4 or not parts[0].startswith(b"user=") or not parts[1].startswith(b"auth=Bearer ") or parts[2:] != [b"", b""]:
        raise Wrong("XOAUTH2 is not laid out as it must be")
    if users.get(parts[0][5:].decode()) == parts[1][12:].decode():
        return True
    yield REFUSAL
    return False


def oauthbearer(users):
    head, *pairs = (yield b"").split(b"\1")
    said = dict(pair.split(b"=", 1) for pair in pairs if pair)
    if not head.startswith(b"n,a=") or not head.endswith(b",") or pairs[-2:] != [b"", b""] or not {b"host", b"port", b"auth"} <= set(said):
        raise Wrong("OAUTHBEARER is not laid out as RFC 7628 section 3.1 says")
    if said[b"auth"] == b"Bearer " + users.get(head[4:-1].decode(), "\0").encode():
        return True
    if (yield REFUSAL) != b"\1":
        raise Wrong("OAUTHBEARER's error is not acknowledged as RFC 7628 section 3.2.3 says")
    return False


MECHANISMS = {"PLAIN": plain, "LOGIN": login, "SCRAM-SHA-256": scram, "XOAUTH2": xoauth2, "OAUTHBEARER": oauthbearer}
# Those that show the secret to whoever listens, or to a false server.
IS_CLEAR = {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}
