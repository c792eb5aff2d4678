"""A private instance of Debian's Postfix, unpacked under build/ and run with a configuration of its own on high loopback ports.

Postfix changes user, so it needs root; `unavailable()` says why it cannot run here, or None. Secrets of users are kept and verified by
Cyrus SASL, whose tools and mechanisms are unpacked likewise.
"""

import os
import pathlib
import signal
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
# Accounts that every Debian has and that nothing else uses here. Postfix wants three different ones.
OWNER, SETGID, NOBODY = "news", "uucp", "nobody"
QUEUES = "incoming active deferred bounce defer flush corrupt hold saved trace".split()

MASTER_CF = """\
{listen} inet n - n - - smtpd
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
verify   unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp     unix - - n - - smtp
lmtp     unix - - n - - lmtp
relay    unix - - n - - smtp
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
anvil    unix - - n - 1 anvil
tlsmgr   unix - - n 1000? 1 tlsmgr
postlog  unix-dgram n - n - 1 postlogd
"""

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
import_environment = MAIL_CONFIG LD_LIBRARY_PATH SASL_PATH LANG=C
mail_owner = {owner}
setgid_group = {setgid}
default_privs = {nobody}
maillog_file = {base}/mail.log
maillog_file_prefixes = {base}
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtp_dns_support_level = disabled
smtp_host_lookup = native
relay_domains =
default_transport = smtp:[127.0.0.1]:{destination}
transport_maps = inline:{{ {{ {bounce_domain} = {bounced} }} }}
smtputf8_enable = yes
maximal_queue_lifetime = {lifetime}
bounce_queue_lifetime = 1h
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_connect_timeout = 5s
smtpd_client_connection_rate_limit = 0
smtpd_recipient_limit = 1000
{extra}
"""


SMTPS_CF = """\
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
"""

TLS_CF = """
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
"""

# Nobody may send without a password, not even from this host.
SASL_CF = """
mynetworks =
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = $myhostname
smtpd_sasl_security_options = noanonymous
smtpd_sasl_authenticated_header = yes
smtpd_tls_auth_only = yes
"""

# The mechanisms' own settings: where the secrets lie, and which are offered.
SMTPD_CONF = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {database}
mech_list: {mechanisms}
"""

MECHANISMS = "PLAIN LOGIN SCRAM-SHA-256"


def unavailable():
    if os.geteuid() != 0:
        return "Postfix changes user and so needs root"
    return None


def unpacked(package):
    done = subprocess.run([TOP / "scripts/unpack-mta", package], check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Postfix:
    """listen: the port it takes mail on; destination: where all mail goes; bounced: where mail for bounce_domain goes, a port or a transport
    as Postfix writes it.

    tls: (certificate, key) to offer and demand STARTTLS; smtps: a further port that begins with TLS; users: {name: password}, of whom one
    must log in, by one of the mechanisms."""

    def __init__(self, base, listen, destination, bounced, bounce_domain, lifetime="1h", extra="", tls=None, smtps=None, users=None,
                 mechanisms=MECHANISMS):
        self.base = pathlib.Path(base)
        self.listen = listen
        self.process = None
        self.root = unpacked("postfix")
        self.conf, queue, data = self.base / "conf", self.base / "queue", self.base / "data"
        for folder in [self.base, self.conf, queue, data]:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        for name in QUEUES + ["private", "public", "maildrop"]:
            (queue / name).mkdir(exist_ok=True)
            subprocess.run(["chown", OWNER, queue / name], check=True)
        (queue / "pid").mkdir(exist_ok=True)
        subprocess.run(["chown", OWNER, data], check=True)
        if tls:
            extra += TLS_CF.format(certificate=tls[0], key=tls[1])
        if users:
            extra += SASL_CF
        if isinstance(bounced, int):
            bounced = f"smtp:[127.0.0.1]:{bounced}"
        (self.conf / "main.cf").write_text(
            MAIN_CF.format(base=self.base, root=self.root, queue=queue, data=data, owner=OWNER, setgid=SETGID,
                           nobody=NOBODY, destination=destination, bounced=bounced, bounce_domain=bounce_domain,
                           lifetime=lifetime, extra=extra))
        services = SMTPS_CF.format(smtps=smtps) if smtps else ""
        (self.conf / "master.cf").write_text(MASTER_CF.format(listen=f"127.0.0.1:{listen}") + services)
        for helper in ["dynamicmaps.cf", "postfix-files"]:
            (self.conf / helper).write_text("")
        self.environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "MAIL_CONFIG": str(self.conf), "LANG": "C",
                            "LD_LIBRARY_PATH": f"{self.root}/usr/lib/postfix"}
        if users:
            self.prepare_secrets(users, mechanisms)

    def prepare_secrets(self, users, mechanisms):
        plugins = [next(pathlib.Path(unpacked(package)).glob("usr/lib/*/sasl2"))
                   for package in ("libsasl2-modules", "libsasl2-modules-db")]
        self.environment["SASL_PATH"] = ":".join(map(str, plugins))
        database = self.base / "sasldb2"
        (self.conf / "sasl").mkdir()
        (self.conf / "sasl/smtpd.conf").write_text(SMTPD_CONF.format(database=database, mechanisms=mechanisms))
        for name, password in users.items():
            subprocess.run([f"{unpacked('sasl2-bin')}/usr/sbin/saslpasswd2", "-p", "-c", "-f", database, "-u", "relay.test", name],
                           input=password, text=True, check=True, capture_output=True, env=self.environment)
        subprocess.run(["chown", OWNER, database], check=True)

    def start(self):
        master = f"{self.root}/usr/lib/postfix/sbin/master"
        self.process = subprocess.Popen([master, "-c", self.conf, "-d"], env=self.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.base / "master.err", "w"), start_new_session=True)
        return self

    def stop(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
        # Children that left the process group end when their master does; give them a moment.
        time.sleep(0.2)
        self.process = None

    def log(self):
        parts = [self.base / "mail.log", self.base / "master.err"]
        return "\n".join(p.read_text(errors="replace") for p in parts if p.exists())
