"""A private instance of Debian's Exim, unpacked under build/ and run with a configuration of its own on high loopback ports. Its TLS is
GnuTLS, and it takes messages by BDAT. It keeps what it takes in its queue and says in its log how it came.

Exim changes user, so it needs root; `unavailable()` says why it cannot run here, or None. It insists on an account of its own name, which
a wrapper of the system's lists of users gives it."""

import os
import pathlib
import pwd
import re
import signal
import subprocess

from postfix import OWNER, unpacked

CONFIGURATION = """\
exim_path = {exim}
primary_hostname = relay.test
spool_directory = {base}/spool
log_file_path = {base}/%slog
pid_file_path = {base}/exim.pid
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
local_interfaces = <; [127.0.0.1]:{listen} ; [127.0.0.1]:{smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
pipelining_connect_advertise_hosts =
smtp_accept_max = 100
queue_only = true
host_lookup =
rfc1413_hosts =
log_selector = +received_recipients
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
begin acl
check_rcpt:
  accept authenticated = *
  deny message = not without a password
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""

ARRIVAL = re.compile(r" <= (?P<sender>\S+) .* P=(?P<protocol>\S+) X=(?P<tls>[^:]+):\S+ CV=no A=(?P<mechanism>\w+)"
                     r"(?P<chunking> K)? S=\d+ .*for (?P<recipient>\S+)")


def unavailable():
    if os.geteuid() != 0:
        return "Exim changes user and so needs root"
    return None


class Exim:
    """listen: the port it offers STARTTLS on; smtps: the one that begins with TLS; tls: (certificate, key); the user must log in."""

    def __init__(self, base, listen, smtps, tls, user, password):
        self.base = pathlib.Path(base)
        self.process = None
        self.exim = f"{unpacked('exim4-daemon-light')}/usr/sbin/exim4"
        account = pwd.getpwnam(OWNER)
        self.base.mkdir()
        (self.base / "spool").mkdir()
        for folder in (self.base, self.base / "spool"):
            os.chown(folder, account.pw_uid, account.pw_gid)
        self.conf = self.base / "exim.conf"
        self.conf.write_text(CONFIGURATION.format(exim=self.exim, base=self.base, listen=listen, smtps=smtps, certificate=tls[0],
                                                  key=tls[1], user=user, password=password))
        passwd, group = self.base / "passwd", self.base / "group"
        passwd.write_text(f"root:x:0:0::/:/bin/sh\nDebian-exim:x:{account.pw_uid}:{account.pw_gid}::/:/bin/false\n")
        group.write_text(f"root:x:0:\nDebian-exim:x:{account.pw_gid}:\n")
        wrapper = next(pathlib.Path(unpacked("libnss-wrapper")).glob("usr/lib/*/libnss_wrapper.so"))
        self.environment = {"PATH": "/usr/bin:/bin", "LANG": "C", "LD_PRELOAD": str(wrapper),
                            "NSS_WRAPPER_PASSWD": str(passwd), "NSS_WRAPPER_GROUP": str(group)}
        os.chown(tls[1], account.pw_uid, account.pw_gid)

    def start(self):
        self.process = subprocess.Popen([self.exim, "-C", self.conf, "-bdf"], env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(self.base / "exim.err", "w"), start_new_session=True)
        return self

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(10)

    def log(self):
        parts = [self.base / name for name in ("mainlog", "rejectlog", "paniclog", "exim.err")]
        return "\n".join(p.read_text(errors="replace") for p in parts if p.exists())

    def arrivals(self):
        """What it took, in order: sender, protocol, tls, mechanism, chunking, recipient."""
        return [found.groupdict() for found in map(ARRIVAL.search, self.log().splitlines()) if found]
