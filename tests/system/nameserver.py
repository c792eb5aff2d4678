"""A private nsd on a high loopback port, which answers for everything below the root, and for zones below it that are named.

    dns = nameserver.Nameserver(world, "example.test.")
    dns.serve({"news.test. TXT": ['"v=spf1 -all"']})   # replaces all that was there"""

import shutil
import socket
import struct
import subprocess

from postfix import unpacked
from verpost import Failure, free_port, until

CONF = """\
server:
  ip-address: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  pidfile: ""
  database: ""
  zonesdir: "{base}"
  xfrdfile: "{base}/xfrd"
  zonelistfile: "{base}/zonelist"
  xfrdir: "{base}"
  server-count: 1
  do-ip6: no
remote-control:
  control-enable: no
"""

ZONE = """\
zone:
  name: "{zone}"
  zonefile: "{base}/zone{number}"
"""

HEAD = "$TTL 60\n{zone} SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n{zone} NS ns.test.\n"


def conf(base, port, zones):
    """Zone number N, counted from 0, is the file zoneN."""
    return CONF.format(base=base, port=port) + "".join(ZONE.format(zone=zone, base=base, number=n) for n, zone in enumerate(zones))


def asked(port):
    """Whether something answers there: the SOA of the root."""
    query = struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + b"\0" + struct.pack("!HH", 6, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        try:
            client.sendto(query, ("127.0.0.1", port))
            return len(client.recv(4096)) > 12
        except OSError:
            return False


class Nameserver:
    def __init__(self, world, *zones):
        self.zones = [*zones, "."]
        self.world, self.base = world, world.base / "nsd"
        self.program = f"{unpacked('nsd')}/usr/sbin/nsd"
        self.base.mkdir()
        self.port = free_port()
        self.address = f"127.0.0.1@{self.port}"
        (self.base / "nsd.conf").write_text(conf(self.base, self.port, self.zones))
        self.process = None

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.world.others.remove(self.process)
            self.process = None

    def serve(self, records):
        """{"NAME. TYPE": [data, ...]}"""
        self.stop()
        shutil.rmtree(self.base / "xfrd", ignore_errors=True)
        texts = {zone: HEAD.format(zone=zone) for zone in self.zones}
        for name, rows in records.items():
            zone = next(zone for zone in self.zones if zone == "." or name.split()[0].endswith("." + zone))
            texts[zone] += "".join(f"{name} {data}\n" for data in rows)
        texts["."] += "ns.test. A 127.0.0.1\n" + "".join(f"{zone} NS ns.test.\n" for zone in self.zones[:-1])
        for number, zone in enumerate(self.zones):
            (self.base / f"zone{number}").write_text(texts[zone])
        self.process = subprocess.Popen([self.program, "-d", "-c", self.base / "nsd.conf"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(self.base / "log", "w"), start_new_session=True)
        self.world.others.append(self.process)

        def answers():
            if self.process.poll() is not None:
                raise Failure(f"nsd ended: {(self.base / 'log').read_text()}")
            return asked(self.port)
        until(answers, "nsd answers")
