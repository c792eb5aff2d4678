"""A relay that takes so many messages in each second of its clock and refuses what is beyond: an SMTP server in this process.

    relay = Limiter(world, rate=20, step="mail", reply="421 4.7.0 Too fast")
    relay.start()
    relay.taken(), relay.refused()   # how many so far
"""

import collections
import socket
import threading
import time


class Limiter:
    """step: what is refused, mail or rcpt (neither: nothing is); only for recipients at `domain`, when it is given. After 421 it closes.
    slow: seconds for each message. most_open: connections at once, never one too many, for one is over before QUIT is answered."""

    def __init__(self, world, rate=0, step="", reply="", domain="", slow=0):
        self.rate, self.step, self.reply, self.domain, self.slow = rate, step, reply, domain, slow
        self.port = world.relay_port
        self.lock = threading.Lock()
        self.seconds = collections.Counter()
        self.accepted, self.refusals = [], 0
        self.open, self.most_open = 0, 0

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self.accept, daemon=True).start()

    def taken(self):
        with self.lock:
            return len(self.accepted)

    def refused(self):
        with self.lock:
            return self.refusals

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def is_too_many(self):
        with self.lock:
            second = int(time.monotonic())
            self.seconds[second] += 1
            self.refusals += self.seconds[second] > self.rate
            return self.seconds[second] > self.rate

    def serve(self, client):
        self.count(1)
        with client, client.makefile("rwb") as file:
            try:
                has_quit = self.talk(file)
            except OSError:
                has_quit = False
        if not has_quit:
            self.count(-1)

    def count(self, more):
        with self.lock:
            self.open += more
            self.most_open = max(self.most_open, self.open)

    def talk(self, file):
        "True when it has ended by QUIT."
        def say(reply):
            file.write(reply.encode() + b"\r\n")
            file.flush()
        say("220 limiter.test")
        recipient = None
        for line in file:
            verb, _, rest = line.decode().strip().partition(" ")
            step = verb.lower()
            is_limited = step == self.step and (step != "rcpt" or rest.rstrip(">").endswith(self.domain))
            if is_limited and self.is_too_many():
                say(self.reply)
                if self.reply.startswith("421"):
                    return False
            elif step == "rcpt":
                recipient = rest[len("TO:<"):].partition(">")[0]
                say("250 2.1.5 Ok")
            elif step == "data":
                say("354 Go on")
                while file.readline() not in (b".\r\n", b""):
                    pass
                time.sleep(self.slow)
                with self.lock:
                    self.accepted.append(recipient)
                say("250 2.0.0 Ok")
            elif step == "ehlo":
                say("250-limiter.test\r\n250 ENHANCEDSTATUSCODES")
            elif step == "quit":
                self.count(-1)
                say("221 2.0.0 Bye")
                return True
            else:
                say("250 2.0.0 Ok")
        return False
