"""A relay that has a way of its own with messages: what it takes it hands on to bounced, as its function makes it."""

import socketserver
import threading

from verpost import Talk


class Session(socketserver.StreamRequestHandler):
    """As little SMTP as sender needs."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def take(self):
        """The content, dots unstuffed."""
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def handle(self):
        self.say("220 relay.test")
        sender = recipient = None
        for line in self.rfile:
            verb = line[:4].upper().decode()
            if verb == "DATA":
                self.say("354 go on")
                self.server.taken(sender, recipient, self.take())
                self.say("250 queued")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                sender = address(line) if verb == "MAIL" else sender
                recipient = address(line) if verb == "RCPT" else recipient
                self.say("250 relay.test" if verb == "EHLO" else "250 ok")


def address(line):
    return line.decode().split("<")[1].split(">")[0]


class Tampering(socketserver.ThreadingTCPServer):
    """`tamper` makes of a message's octets what is handed on; None: nothing is. It comes back before the relay has answered."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, world, tamper=lambda message: message):
        super().__init__(("127.0.0.1", world.relay_port), Session)
        self.world, self.tamper = world, tamper
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def taken(self, sender, recipient, message):
        message = self.tamper(message)
        if message is None:
            return
        peer = Talk(self.world.bounced_port)
        peer.say("EHLO relay.test", "250")
        peer.deliver(sender, recipient, b"Received: by relay.test; now\r\n" + message)
        peer.say("QUIT", "221")

    def close(self):
        self.shutdown()
        self.server_close()
