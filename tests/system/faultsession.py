"""One connection to the fault relay: a strict SMTP or LMTP server (RFC 5321, 2033, 2920, 3030, 3207, 4954, 9422) that breaks where its
rules say so, and writes down what it took."""

import asyncio
import base64
import binascii
import re
import socket
import ssl
import struct

import faultrules
import faultsasl

LINE_MOST = 12288 + 2  # RFC 4954 section 4; shorter limits are not the client's trouble
TEXT_LINE_MOST = 1000
TOKEN = re.compile(r"^[a-z0-9]{1,5}\+([a-z2-7]{31})@", re.I)
MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>]*)>", re.I | re.M)
PATH = re.compile(r"^(FROM|TO):<([^<> ]*)>(?: (.*))?$", re.I)
PARAMETER = re.compile(r"^([A-Z0-9][A-Z0-9-]*)(?:=([!-<>-~]+))?$", re.I)
# Parameter -> the extension that has to be offered for it.
MAIL_PARAMETERS = {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "RET": "DSN", "ENVID": "DSN", "AUTH": "AUTH"}
RCPT_PARAMETERS = {"NOTIFY": "DSN", "ORCPT": "DSN"}
# Nothing may be said behind these before their reply (RFC 2920 section 3.1, RFC 4954 section 4).
LAST = {"EHLO", "HELO", "LHLO", "DATA", "STARTTLS", "AUTH", "QUIT", "VRFY", "EXPN", "TURN", "NOOP"}


class Closed(Exception):
    """The connection is over."""


class Session(asyncio.Protocol):
    def __init__(self, house, number, is_local):
        self.house, self.is_local = house, is_local
        self.name = f"{house.process}-{number}"
        self.options = house.options
        self.buffer, self.out = bytearray(), []
        self.transport = None
        self.tls = None            # an ssl.SSLObject once it is secured
        self.incoming = self.outgoing = self.secured = None
        self.is_over = self.is_held = self.has_gone = False
        self.mode = None           # what reads the buffer: True when it has got on
        self.after = None          # what a delay is followed by
        self.offers = {}
        self.hello = None
        self.client = None         # the name in its greeting
        self.user = None
        self.sasl = self.mechanism = None
        self.sender = self.size = None
        self.recipients, self.chunks = [], []
        self.is_utf8 = self.is_8bit = self.is_void = False
        self.cut = None            # the fault in the middle of this content, and after how many octets
        self.scanned = self.chunk_left = 0
        self.is_last_chunk = False
        self.transactions, self.mail_most = 0, 1 << 30
        self.mails = 0             # MAIL commands so far

    # ---- the socket ----

    def connection_made(self, transport):
        self.transport = transport
        self.house.note({"what": "open", "connection": self.name})
        if self.options["tls"] == "implicit":
            self.begin_tls()
        else:
            self.run(self.greet)

    def connection_lost(self, error):
        self.has_gone = True
        self.is_over = True
        self.house.note({"what": "close", "connection": self.name, "messages": self.transactions, "mails": self.mails})
        if self.after:
            after, self.after = self.after, None
            try:
                after()
            except Closed:
                pass

    def eof_received(self):
        self.has_gone = True
        return False

    def data_received(self, data):
        if self.is_over:
            return
        if self.incoming is not None:
            self.incoming.write(data)
            self.run(self.read_tls)
            return
        self.buffer += data
        if self.is_held:
            self.check_silence()
        else:
            self.run()

    def run(self, first=None):
        """Gets on until input is missing or a delay begins."""
        try:
            if first:
                first()
            while not self.is_held and not self.is_over and self.mode is not None and self.mode():
                pass
            self.flush()
        except Closed:
            pass

    def flush(self):
        if not self.out or self.is_over:
            self.out.clear()
            return
        data = b"".join(self.out)
        self.out.clear()
        if self.tls is not None:
            self.tls.write(data)
            data = self.outgoing.read()
        self.transport.write(data)

    def close(self, reset=False):
        """What has been said leaves first."""
        self.flush()
        self.is_over = True
        if reset:
            raw = self.transport.get_extra_info("socket")
            if raw.family != socket.AF_UNIX:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
            raise Closed
        if self.tls is not None:
            self.say_goodbye()
        self.transport.close()
        raise Closed

    # ---- TLS ----

    def say_goodbye(self):
        try:
            self.tls.unwrap()
        except ssl.SSLError:  # it wants the peer's answer, which nobody waits for
            pass
        self.transport.write(self.outgoing.read())

    def begin_tls(self):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secured = self.house.tls.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.mode = self.shake_hands

    def read_tls(self):
        while self.tls is not None:
            try:
                data = self.tls.read(1 << 16)
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
                break
            except ssl.SSLError as error:
                self.breach(f"TLS is broken: {error}")
                self.close()
            if not data:
                break
            self.buffer += data
        if self.is_held:
            self.check_silence()

    def shake_hands(self):
        if not self.incoming.pending:
            return False
        rule = self.strike("tls")
        if rule:
            self.mode = None
            if rule.action == "garbage":
                self.transport.write(b"220 this is no TLS\r\n")
            self.end_by(rule)
            return False
        try:
            self.secured.do_handshake()
        except ssl.SSLWantReadError:
            self.transport.write(self.outgoing.read())
            return False
        except ssl.SSLError as error:
            self.transport.write(self.outgoing.read())
            self.house.note({"what": "tls", "connection": self.name, "error": str(error)})
            self.close()
        self.transport.write(self.outgoing.read())
        self.house.note({"what": "tls", "connection": self.name, "version": self.secured.version(),
                         "name": self.house.names.pop(id(self.secured), None)})
        self.tls = self.secured
        if self.options["tls"] == "implicit":
            self.greet()
        else:
            self.mode = self.read_command
        self.read_tls()
        return True

    # ---- saying things ----

    def say(self, reply):
        is_alike = self.options["alike"] and reply.startswith("250 ")
        self.out.append(b"250 Ok\r\n" if is_alike else reply.encode() + b"\r\n")

    def breach(self, what, line=b""):
        self.house.note({"what": "breach", "connection": self.name, "breach": what, "line": bytes(line[:200]).decode("latin-1")})

    def check_silence(self):
        """While a reply is owed, only a client that was told of PIPELINING may go on."""
        if self.buffer and "PIPELINING" not in self.offers and self.buffer != b"QUIT\r\n":
            self.breach("spoke before the reply, without PIPELINING", self.buffer)

    def delay(self, seconds, then):
        """Nothing is read or said until then; then() comes in any case, also when the client has gone meanwhile (self.has_gone)."""
        self.flush()
        self.is_held = True
        self.after = then
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self.resume)

    def resume(self):
        if self.after is None:
            return
        then, self.after = self.after, None
        self.is_held = False
        self.run(then)

    def spell(self, data, seconds, then):
        """Octet by octet."""
        if self.has_gone:
            then()
            return
        self.out.append(data[:1])
        if len(data) > 1:
            self.delay(seconds, lambda: self.spell(data[1:], seconds, then))
        else:
            then()

    def strike(self, step, recipient=""):
        if step not in self.house.rules.by_step:
            return None
        rule = self.house.rules.at(step, recipient)
        if rule:
            self.note_fault(rule, recipient)
        return rule

    def note_fault(self, rule, recipient):
        self.house.note({"what": "fault", "connection": self.name, "step": rule.step, "action": rule.action, "to": recipient})

    def end_by(self, rule):
        """The actions after which nothing comes."""
        if rule.action in ("drop", "reset"):
            self.close(rule.action == "reset")
        if rule.action == "gone":
            self.say(rule.reply or faultrules.GONE)
            self.close()
        if rule.action == "hang":
            self.delay(None, lambda: None)
            raise Closed
        if rule.action in ("stall", "garbage"):
            self.delay(rule.seconds, self.close)
            raise Closed

    def answer(self, step, reply, then=None, recipient="", instead=None, too_late=None):
        """The reply of this step and what follows from it, unless a fault strikes; then instead(action) follows where it is refused.
        too_late() follows where the client has gone before the reply."""
        rule = self.strike(step, recipient)

        def go_on():
            if not self.has_gone:
                self.say(reply)
                if then:
                    then()
            elif too_late:
                too_late()

        if rule is None:
            go_on()
        elif rule.action == "stall":
            self.delay(rule.seconds, go_on)
        elif rule.action == "twice":
            self.say(reply)
            go_on()
        elif rule.action == "slow":
            self.spell(reply.encode() + b"\r\n", rule.seconds, lambda: then() if then and not self.has_gone else None)
        elif rule.action in ("soft", "hard"):
            self.say(rule.reply or (faultrules.SOFT if rule.action == "soft" else faultrules.HARD))
            if instead:
                instead(rule.action)
        elif rule.action == "garbage":
            self.out.append(self.house.rules.chance.choice(faultrules.GARBAGE))
            if instead:
                instead(rule.action)
        elif rule.action == "inject":
            self.say(reply)
            self.say("250 2.0.0 injected")
            self.offers = {}
            self.delay(None, lambda: None)
        else:
            self.end_by(rule)

    def greet(self):
        def then():
            self.mode = self.read_command
        if self.buffer:
            self.breach("spoke before the banner", self.buffer)
        self.answer("banner", f"220 {self.options['host']} fault relay", then, instead=lambda action: then())

    # ---- commands ----

    def take_line(self):
        end = self.buffer.find(b"\n")
        if end < 0:
            if len(self.buffer) > LINE_MOST:
                self.breach("a line without an end", self.buffer)
                self.close()
            return None
        line = bytes(self.buffer[:end + 1])
        del self.buffer[:end + 1]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line or len(line) > LINE_MOST:
            self.breach("a line with a bare CR, a bare LF or a NUL, or too long", line)
        return line.rstrip(b"\r\n")

    def read_command(self):
        raw = self.take_line()
        if raw is None:
            return False
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.breach("neither ASCII nor UTF-8", raw)
            line = raw.decode("latin-1")
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if self.buffer and (verb in LAST or "PIPELINING" not in self.offers) and verb != "BDAT":
            self.breach(f"spoke before the reply to {verb}", self.buffer)
        handler = VERBS.get(verb)
        if handler is None:
            self.breach("no command of SMTP", raw)
            self.say("500 5.5.1 What?")
        else:
            handler(self, rest, raw)
        return True

    def forget_transaction(self):
        self.sender = None
        self.recipients, self.chunks = [], []
        self.is_void = False

    def on_hello(self, rest, raw):
        verb = raw[:4].upper().decode()
        if (verb == "LHLO") != self.options["lmtp"]:
            self.breach("LHLO is for LMTP, EHLO and HELO are for SMTP", raw)
        if not rest or " " in rest:
            self.breach("a greeting with no name or two", raw)
        self.forget_transaction()
        self.offers, self.hello = {}, None
        offered = self.house.offers_now(self) if verb != "HELO" else {}
        lines = [self.options["host"]] + [f"{name} {value}".rstrip() for name, value in offered.items()]
        reply = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}" for i, text in enumerate(lines))

        def then():
            self.offers, self.hello, self.client = offered, verb, rest
            limits = dict(part.split("=") for part in offered.get("LIMITS", "").split())
            self.mail_most = int(limits.get("MAILMAX", 1 << 30))
        self.answer("ehlo", reply, then)

    def on_starttls(self, rest, raw):
        if "STARTTLS" not in self.offers or rest:
            self.breach("STARTTLS was not offered", raw)
        if self.sender is not None:
            self.breach("STARTTLS in a transaction", raw)
        self.answer("starttls", "220 2.0.0 Go ahead", self.start_tls)

    def start_tls(self):
        self.flush()
        if self.buffer:
            self.breach("spoke between STARTTLS and its reply", self.buffer)
            self.buffer.clear()
        self.hello, self.offers = None, {}
        self.begin_tls()

    # ---- AUTH ----

    def on_auth(self, rest, raw):
        name, _, initial = rest.partition(" ")
        name = name.upper()
        if name not in self.offers.get("AUTH", "").split():
            self.breach("an AUTH mechanism that was not offered", raw.split(b" ")[0] + b" " + name.encode())
            self.say("504 5.5.4 No such mechanism")
            return
        if self.user is not None or self.sender is not None:
            self.breach("AUTH twice or in a transaction")
        if name in faultsasl.IS_CLEAR and self.tls is None and not self.is_local:
            self.breach("a secret in clear text over the network")
        self.sasl = faultsasl.MECHANISMS[name](self.options["users"])
        challenge = next(self.sasl)
        self.mechanism = name
        if initial:
            if name == "LOGIN":
                self.breach("LOGIN with an initial response")
            self.step_sasl(initial.encode())
        else:
            self.say("334 " + base64.b64encode(challenge).decode())
        self.mode = self.read_auth if self.sasl else self.read_command

    def read_auth(self):
        line = self.take_line()
        if line is None:
            return False
        if self.buffer:
            self.breach("spoke before the reply in AUTH", b"")
        if line == b"*":
            self.sasl = None
            self.say("501 5.7.0 Given up")
        else:
            self.step_sasl(line)
        self.mode = self.read_auth if self.sasl else self.read_command
        return True

    def step_sasl(self, text):
        try:
            answer = b"" if text in (b"=", b"") else base64.b64decode(text, validate=True)
            challenge = self.sasl.send(answer)
            self.say("334 " + base64.b64encode(challenge).decode())
        except StopIteration as end:
            self.sasl = None
            self.end_auth(end.value)
        except (faultsasl.Wrong, binascii.Error, KeyError, UnicodeDecodeError) as error:
            self.sasl = None
            self.breach(f"AUTH {self.mechanism}: {error}")
            self.say("501 5.5.2 Not understood")

    def end_auth(self, is_good):
        def then():
            self.user = self.mechanism
            self.house.note({"what": "auth", "connection": self.name, "mechanism": self.mechanism, "tls": self.tls is not None})
        if is_good:
            self.answer("auth", "235 2.7.0 Welcome", then)
        else:
            self.house.note({"what": "auth", "connection": self.name, "mechanism": self.mechanism, "refused": True})
            self.say("535 5.7.8 Not this secret")

    # ---- a transaction ----

    def read_path(self, word, rest, raw, allowed):
        found = PATH.match(rest)
        if not found or found[1].upper() != word:
            self.breach(f"{word} with no path", raw)
            return None, {}
        parameters = {}
        for text in (found[3] or "").split(" "):
            if not text:
                continue
            parameter = PARAMETER.match(text)
            name = parameter[1].upper() if parameter else text
            if name in parameters or allowed.get(name) not in self.offers:
                self.breach(f"the parameter {name} was not offered or comes twice", raw)
            parameters[name] = parameter[2] if parameter else None
        return found[2], parameters

    def on_mail(self, rest, raw):
        if 0 < self.options["mails"] <= self.mails:
            self.close()
        self.mails += 1
        path, parameters = self.read_path("FROM", rest, raw, MAIL_PARAMETERS)
        self.is_utf8 = "SMTPUTF8" in parameters
        self.is_8bit = (parameters.get("BODY") or "").upper() == "8BITMIME"
        self.size = int(parameters["SIZE"]) if "SIZE" in parameters else None
        if self.hello is None:
            self.breach("MAIL before a greeting", raw)
        if self.options["tls"] != "none" and self.tls is None:
            self.breach("mail in clear text where TLS was wanted", raw)
        if self.options["users"] and self.user is None:
            self.breach("MAIL without AUTH", raw)
        if self.sender is not None:
            self.breach("MAIL in a transaction", raw)
        if not raw.isascii() and not self.is_utf8:
            self.breach("an international address without SMTPUTF8", raw)
        if self.transactions >= self.mail_most:
            self.breach("more transactions than LIMITS MAILMAX allows", raw)
        if path is None:
            self.say("501 5.5.4 No path")
            return
        if self.size is not None and 0 < int(self.offers.get("SIZE", 0) or 0) < self.size:
            self.breach("a larger SIZE than was offered", raw)

        def then():
            self.transactions += 1
            self.sender = path
        self.answer("mail", "250 2.1.0 Ok", then)

    def on_rcpt(self, rest, raw):
        path, _ = self.read_path("TO", rest, raw, RCPT_PARAMETERS)
        if not raw.isascii() and not self.is_utf8:
            self.breach("an international address without SMTPUTF8", raw)
        if self.sender is None or path is None:
            self.check_order("RCPT without MAIL", raw)
            self.say("503 5.5.1 MAIL first")
            return
        if self.recipients:
            self.breach("a second recipient: every copy has its own return path", raw)

        def refuse(action):
            self.house.note({"what": "refused", "connection": self.name, "to": path, "from": self.sender, "step": "rcpt",
                             "action": action, "mail": self.mails})
        self.answer("rcpt", "250 2.1.5 Ok", lambda: self.recipients.append(path), path, refuse)

    def check_order(self, what, raw):
        """In a pipelined group what follows a refusal is no fault of the client."""
        if "PIPELINING" not in self.offers:
            self.breach(what, raw)

    def on_rset(self, rest, raw):
        self.forget_transaction()
        self.say("250 2.0.0 Ok")

    def on_data(self, rest, raw):
        if self.chunks:
            self.breach("DATA after BDAT", raw)
        if not self.recipients:
            self.check_order("DATA without a recipient", raw)
            self.say("554 5.5.1 No valid recipients" if self.sender else "503 5.5.1 MAIL first")
            return
        self.answer("data", "354 Go on", self.begin_content, self.recipients[0])

    def begin_content(self):
        self.mode, self.scanned = self.read_content, 0
        self.plan_cut()

    def plan_cut(self):
        rule = self.house.rules.at("content", self.recipients[0])
        self.cut = (rule, self.house.rules.chance.randrange(600)) if rule else None

    def cut_off(self):
        """In the middle of the content."""
        rule, self.cut = self.cut[0], None
        self.note_fault(rule, self.recipients[0])
        if rule.action != "stall":
            self.end_by(rule)
            raise AssertionError(f"no {rule.action} in the middle of content")
        self.delay(rule.seconds, lambda: None)

    def read_content(self):
        if self.cut and (len(self.buffer) > self.cut[1] or self.buffer.endswith(b"\r\n.\r\n")):
            self.cut_off()
            return True
        if self.buffer.startswith(b".\r\n"):
            end, dot = 0, 3
        else:
            end = self.buffer.find(b"\r\n.\r\n", max(0, self.scanned - 4))
            self.scanned = len(self.buffer)
            if end < 0:
                return False
            end, dot = end + 2, 5 - 2
        content = bytes(self.buffer[:end])
        del self.buffer[:end + dot]
        if self.buffer and "PIPELINING" not in self.offers:
            self.breach("spoke before the reply to the final dot", self.buffer)
        stuffed = b"\r\n" + content
        if stuffed.count(b"\r\n.") != stuffed.count(b"\r\n.."):
            self.breach("a line that begins with one dot", content)
        self.mode = self.read_command
        self.end_message((b"\r\n" + content).replace(b"\r\n..", b"\r\n.")[2:])
        return True

    def on_bdat(self, rest, raw):
        found = re.fullmatch(r"(\d{1,12})( LAST)?", rest, re.I)
        if "CHUNKING" not in self.offers or not found:
            self.breach("BDAT was not offered, or is not laid out as it must be", raw)
            self.say("501 5.5.4 BDAT how much?")
            return
        self.chunk_left, self.is_last_chunk = int(found[1]), found[2] is not None
        self.is_void = not self.recipients
        if self.is_void:
            self.check_order("BDAT without a recipient", raw)
        else:
            self.plan_cut()
        self.mode = self.read_chunk

    def read_chunk(self):
        if self.cut and (len(self.buffer) > self.cut[1] or len(self.buffer) >= self.chunk_left):
            self.cut_off()
            return True
        if len(self.buffer) < self.chunk_left:
            return False
        self.chunks.append(bytes(self.buffer[:self.chunk_left]))
        del self.buffer[:self.chunk_left]
        if self.buffer and "PIPELINING" not in self.offers:
            self.breach("spoke before the reply to BDAT", self.buffer)
        self.mode = self.read_command
        if self.is_void:
            self.forget_transaction()
            self.say("503 5.5.1 No valid recipients")
        elif self.is_last_chunk:
            self.end_message(b"".join(self.chunks))
        else:
            self.say("250 2.0.0 Octets taken")
        return True

    # ---- the end of a message ----

    def check_content(self, content):
        if b"\r" in content.replace(b"\r\n", b"") or b"\n" in content.replace(b"\r\n", b"") or b"\0" in content:
            self.breach("content with a bare CR, a bare LF or a NUL", content)
        if not content.endswith(b"\r\n"):
            self.breach("content whose last line has no end", content[-100:])
        if not content.isascii() and not self.is_8bit and not self.is_utf8:
            self.breach("octets above 127 without 8BITMIME", content)
        if self.size is not None and self.size != len(content):
            self.breach(f"SIZE={self.size}, and {len(content)} octets came")
        if max(map(len, content.split(b"\r\n"))) > TEXT_LINE_MOST - 2:
            self.breach("a line of more than 998 octets")

    def end_message(self, content):
        self.check_content(content)
        token, found = TOKEN.match(self.sender), MESSAGE_ID.search(content)
        record = {"connection": self.name, "from": self.sender, "token": token[1].lower() if token else None,
                  "message_id": found[1].decode("latin-1") if found else None, "to": self.recipients[0],
                  "size": len(content), "client": self.client, "mail": self.mails}
        self.house.keep(content)
        self.forget_transaction()
        kept = self.strike("kept", record["to"])
        if kept:
            self.keep_and_break(record, kept)
            return

        def then():
            self.house.note({"what": "accepted", **record})

        def refuse(action):
            self.house.note({"what": "refused", **record, "step": "dot", "action": action})

        def too_late():
            """Who has the whole message delivers it, whether the client hears of it or not."""
            self.house.note({"what": "kept", **record})

        def reply():
            self.answer("dot", "250 2.0.0 Taken", then, record["to"], refuse, too_late)
        if self.options["delay"]:
            self.delay(self.options["delay"], reply)
        else:
            reply()

    def keep_and_break(self, record, rule):
        def at_last():
            """After a stall or a slow reply: whether the client has heard it."""
            self.house.note({"what": "kept" if self.has_gone else "accepted", **record})

        def say_at_last():
            if not self.has_gone:
                self.say("250 2.0.0 Taken")
            at_last()
        if rule.action == "stall":
            self.delay(rule.seconds, say_at_last)
        elif rule.action == "slow":
            self.spell(b"250 2.0.0 Taken\r\n", rule.seconds, at_last)
        else:
            self.house.note({"what": "kept", **record})
            if rule.action == "garbage":
                self.out.append(self.house.rules.chance.choice(faultrules.GARBAGE))
            else:
                assert rule.action in ("drop", "reset", "hang"), f"{rule.action} after keeping would be a lie"
                self.end_by(rule)

    def on_noop(self, rest, raw):
        self.say("250 2.0.0 Ok")

    def on_quit(self, rest, raw):
        self.answer("quit", "221 2.0.0 Bye", self.close)


VERBS = {"EHLO": Session.on_hello, "HELO": Session.on_hello, "LHLO": Session.on_hello, "STARTTLS": Session.on_starttls,
         "AUTH": Session.on_auth, "MAIL": Session.on_mail, "RCPT": Session.on_rcpt, "DATA": Session.on_data,
         "BDAT": Session.on_bdat, "RSET": Session.on_rset, "NOOP": Session.on_noop, "QUIT": Session.on_quit}
