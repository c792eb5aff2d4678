"""Two verifiers of DKIM that are not ours: python3-dkim, and opendkim-testmsg, whose DNS is a private nsd with the records that listctl has
printed, in a network and a mount namespace of their own, so that nothing of this machine is touched.

    verifiers = signatures.Verifiers(world)      # Skip without the packages
    verifiers.judge({"name": message})           # each message has one signature: {"name": {"python3-dkim": True, "opendkim": True}}"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import nameserver
from postfix import unpacked
from verpost import Failure, Skip

HERE = pathlib.Path(__file__).resolve().parent

# Waits for nsd by asking it through the C library, then prints "FILE STATUS" for each message.
OPENDKIM = """\
ip link set lo up && mount --bind {base}/resolv.conf /etc/resolv.conf || exit 9
{nsd} -d -c {base}/nsd.conf 2>{base}/nsd.log & nsd=$!
for try in $(seq 600); do getent hosts there.test >/dev/null && break; sleep 0.1; done
for file in {base}/mail/*; do opendkim-testmsg <$file >/dev/null 2>&1; echo "$file $?"; done
kill $nsd
"""


def split(message):
    """[(the signature field, the message with only that one)], CRLF kept."""
    found = re.match(rb"(?:DKIM-Signature:[^\r]*\r\n(?:\t[^\r]*\r\n)*)+", message)
    if not found:
        return []
    fields = re.findall(rb"DKIM-Signature:[^\r]*\r\n(?:\t[^\r]*\r\n)*", found.group())
    return [(field, field + message[found.end():]) for field in fields]


class Verifiers:
    def __init__(self, world):
        if not shutil.which("opendkim-testmsg"):
            raise Skip("opendkim-tools is not installed")
        if subprocess.run(["/usr/bin/python3", "-c", "import dkim, nacl"], capture_output=True).returncode:
            raise Skip("python3-dkim is not installed")
        self.unshare = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
        probe = subprocess.run([*self.unshare, "true"], capture_output=True, text=True)
        if probe.returncode:
            raise Skip(f"namespaces are refused: {probe.stderr.strip()}")
        self.nsd = f"{unpacked('nsd')}/usr/sbin/nsd"
        self.world, self.base = world, world.base / "verifiers"
        (self.base / "mail").mkdir(parents=True)
        (self.base / "nsd.conf").write_text(nameserver.conf(self.base, 53, ["test."]))
        (self.base / "resolv.conf").write_text("nameserver 127.0.0.1\n")

    def publish(self):
        """The records as people see them, lines of a zone file, and as machines do."""
        lines = [line for line in self.world.listctl("dkim", "show").splitlines() if " IN TXT ( " in line]
        assert lines and all(line.endswith(" )") for line in lines), lines
        (self.base / "zone0").write_text("$ORIGIN test.\n$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\n"
                                        "ns IN A 127.0.0.1\nthere IN A 127.0.0.1\n" + "\n".join(lines) + "\n")
        (self.base / "records.json").write_text(json.dumps({row["name"]: row["record"] for row in self.world.json("dkim", "show")}))

    def judge(self, messages):
        self.publish()
        shutil.rmtree(self.base / "mail")
        (self.base / "mail").mkdir()
        files = {}
        for number, (name, message) in enumerate(messages.items()):
            files[name] = str(self.world.file(f"verifiers/mail/{number:06d}", message))
        python = self.python(files.values())
        opendkim = self.opendkim()
        return {name: {"python3-dkim": python[file], "opendkim": opendkim[file]} for name, file in files.items()}

    def python(self, files):
        done = subprocess.run(["/usr/bin/python3", HERE / "dkimcheck.py", self.base / "records.json", *files],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240)
        if done.returncode:
            raise Failure(f"dkimcheck.py: {done.stderr}")
        return json.loads(done.stdout)

    def opendkim(self):
        """0: good; 70: a bad signature. Anything else is trouble of the test's own."""
        done = subprocess.run([*self.unshare, "bash", "-c", OPENDKIM.format(base=self.base, nsd=self.nsd)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=240)
        found = dict(line.split() for line in done.stdout.splitlines())
        if not found or set(found.values()) - {"0", "70"}:
            log = self.base / "nsd.log"
            raise Failure(f"opendkim-testmsg: {done.stderr} {set(found.values())} {log.read_text() if log.exists() else ''}")
        return {file: status == "0" for file, status in found.items()}
