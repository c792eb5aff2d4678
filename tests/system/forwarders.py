"""Debian's mail servers as the relay of a campaign, each unpacked under build/ and private: what it takes it forwards by the recipient's
domain, and of what comes to nothing, or has to stay in its queue, it tells the sender as it does anywhere.

    forwarder = ForwardingExim(folder, listen, {"bounce.test": Way(port), None: Way(other)})    # None: all others
    forwarder.start()
    forwarder.hurry()      # what is in its queue is given up now, not in an hour

Each tells the sender of a delay as soon as a message has been refused for now and is a second old."""

import os
import re
import signal
import typing

import postfix
from chroots import Chroot, unavailable
from postfix import Postfix, unpacked
from verpost import BOUNCE_DOMAIN

HOST = "relay.test"


class Way(typing.NamedTuple):
    port: int
    address: str = "127.0.0.1"
    gives_up: bool = False  # what has to wait there is given up by hurry()


class ForwardingPostfix(Postfix):
    name, tries_again = "Postfix", True

    def __init__(self, base, listen, ways):
        rows = ", ".join(f"{{ {domain} = smtp:[{way.address}]:{way.port} }}" for domain, way in ways.items() if domain)
        self.log_file = base / "mail.log"
        super().__init__(base, listen, ways[None].port, ways[BOUNCE_DOMAIN].port, BOUNCE_DOMAIN,
                         extra=f"transport_maps = inline:{{ {rows} }}\ndelay_warning_time = 1s\n")

    @staticmethod
    def unavailable():
        return postfix.unavailable()

    def hurry(self):
        self.stop()
        main = self.conf / "main.cf"
        main.write_text(re.sub("(?m)^maximal_queue_lifetime = .*", "maximal_queue_lifetime = 1s", main.read_text()))
        self.start()


class InChroot:
    """What those have in common whose paths and accounts are fixed. log_name: where it writes; None: to standard error."""

    log_name = None

    def __init__(self, base, listen, ways):
        base.mkdir()
        base.chmod(0o755)
        self.base, self.listen, self.ways, self.process = base, listen, ways, None
        self.root = Chroot(base / "root", unpacked(self.package), self.program, self.accounts)
        self.log_file = self.root.path(self.log_name) if self.log_name else base / "errors"
        self.prepare()

    @classmethod
    def unavailable(cls):
        return unavailable(cls.name)

    def start(self):
        self.process = self.root.popen(*self.arguments, errors=open(self.base / "errors", "a"))
        return self

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


EXIM = """\
primary_hostname = {host}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {listen}
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim.pid
keep_environment =
tls_advertise_hosts =
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
delay_warning = 1s:1h
# By default nobody is told of the delay of a list's message.
delay_warning_condition = yes
begin routers
{routers}
begin transports
{transports}
begin retry
* * F,{lifetime},1s
"""

EXIM_ROUTER = """\
way{number}:
  driver = manualroute
  domains = {domain}
  transport = way{number}
  route_list = * {way.address}
  self = send
"""

EXIM_TRANSPORT = """\
way{number}:
  driver = smtp
  port = {way.port}
  allow_localhost
"""


class ForwardingExim(InChroot):
    name, package, program, accounts, tries_again = "Exim", "exim4-daemon-light", "/usr/sbin/exim4", ["Debian-exim"], True
    arguments, log_name = ["-bdf", "-q1s"], "var/log/exim4/mainlog"

    def prepare(self):
        self.root.path(self.program).chmod(0o4755)
        for folder in ("var/spool/exim4", "var/log/exim4"):
            self.root.folder(folder, "Debian-exim")
        self.configure("1h")

    def configure(self, lifetime):
        rows = [{"number": number, "domain": domain or "*", "way": way} for number, (domain, way) in enumerate(self.ways.items())]
        self.root.write("etc/exim4/exim4.conf", EXIM.format(
            host=HOST, listen=self.listen, lifetime=lifetime, routers="".join(EXIM_ROUTER.format(**row) for row in rows),
            transports="".join(EXIM_TRANSPORT.format(**row) for row in rows)))

    def hurry(self):
        self.stop()
        self.configure("1s")
        self.start()


class ForwardingOpenSmtpd(InChroot):
    """It tries again after 400 s, then ever later, which nothing changes. So the time that a message may stay is said of the ways that are to
    be given up, from the start. Who cannot be connected to is left alone by his address for a while: it should be one that nobody else has."""

    name, package, program, accounts, tries_again = "OpenSMTPD", "opensmtpd", "/usr/sbin/smtpd", ["opensmtpd", "opensmtpq"], False
    arguments = ["-d"]

    def prepare(self):
        self.root.write("etc/mailname", f"{HOST}\n")
        self.root.folder("var/spool/smtpd", mode=0o711)
        self.root.folder("var/lib/opensmtpd/empty")
        lines = ["queue ttl 1h", "bounce warn-interval 1s", f"listen on 127.0.0.1 port {self.listen} hostname {HOST}"]
        for number, way in enumerate(self.ways.values()):
            lines.append(f'action "way{number}" relay host "smtp+notls://{way.address}:{way.port}"' + (" ttl 5s" if way.gives_up else ""))
        for number, domain in enumerate(self.ways):
            lines.append(f'match from any for {f"domain {domain}" if domain else "any"} action "way{number}"')
        self.root.write("etc/smtpd.conf", "\n".join(lines) + "\n")

    def hurry(self):
        pass
