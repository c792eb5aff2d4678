"""A tap on the line between a client and a server: it passes on what either says, and keeps what the client said, a string of octets a
connection. It may also alter what the server says, as somebody in the middle would."""

import socket
import threading


class Tap:
    """server: the port behind it. alter: octets of the server's -> octets in their place, in clear text only."""

    def __init__(self, server, alter=None):
        self.server, self.alter = server, alter or {}
        self.said = []  # by the client, one bytearray a connection
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            said = bytearray()
            self.said.append(said)
            try:
                server = socket.create_connection(("127.0.0.1", self.server), 30)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            threading.Thread(target=self.carry, args=(client, server, said.extend), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, None), daemon=True).start()

    def carry(self, source, target, note):
        try:
            while data := source.recv(65536):
                if note:
                    note(data)
                else:
                    for old, new in self.alter.items():
                        data = data.replace(old, new)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def clear(self):
        """What was said before TLS began (RFC 8446 section 5.1: a record of the handshake begins so), of each connection."""
        return [bytes(said).split(b"\x16\x03", 1)[0] for said in list(self.said)]

    def close(self):
        self.listener.close()
