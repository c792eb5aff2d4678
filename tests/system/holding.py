"""A relay that keeps some of its replies back until it is told to say them: an SMTP server in this process.

    relay = Holding(world, {"ann@example.test": ("rcpt", "550 5.1.1 <ann@example.test> no such user")})
    relay.start()
    until(lambda: "ann@example.test" in relay.asked, "the relay to be asked")
    ...
    relay.released.set()
"""

import socket
import threading


class Holding:
    """replies: recipient -> (step, reply), step being rcpt or dot. All others are accepted, whenever. silent: no greeting before the release."""

    def __init__(self, world, replies=(), silent=False):
        self.port, self.replies, self.silent = world.relay_port, dict(replies), silent
        self.released = threading.Event()
        self.asked, self.accepted = set(), []

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection):
        try:
            with connection, connection.makefile("rwb", buffering=0) as wire:
                if self.silent:
                    self.released.wait()
                self.talk(wire)
        except OSError:
            pass  # the client has gone

    def say(self, wire, reply):
        wire.write(reply.encode() + b"\r\n")

    def judge(self, wire, step, recipient, otherwise):
        """Says what it has to say there, now or later."""
        at, reply = self.replies.get(recipient, (None, None))
        if at != step:
            reply = otherwise
        else:
            self.asked.add(recipient)
            self.released.wait()
        self.say(wire, reply)
        return reply.startswith("2")

    def talk(self, wire):
        self.say(wire, "220 relay.test ESMTP")
        recipient = None
        while line := wire.readline():
            verb = line.split()[0].upper()
            if verb == b"RCPT":
                address = line[line.index(b"<") + 1:line.index(b">")].decode()
                recipient = address if self.judge(wire, "rcpt", address, "250 OK") else None
            elif verb == b"DATA" and recipient is None:
                self.say(wire, "503 5.5.1 nobody to send it to")
            elif verb == b"DATA":
                self.say(wire, "354 Go ahead")
                while wire.readline() != b".\r\n":
                    pass
                if self.judge(wire, "dot", recipient, "250 2.0.0 taken"):
                    self.accepted.append(recipient)
            else:
                self.say(wire, "221 2.0.0 Bye" if verb == b"QUIT" else "250 OK")
            if verb == b"QUIT":
                return
