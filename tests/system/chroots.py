"""A folder that a Debian mail server, unpacked under build/, takes for the whole system: its program, the libraries that it needs, and
accounts of its own names. For servers whose paths and accounts are fixed when they are compiled. Needs root."""

import os
import pathlib
import shutil
import subprocess

FIRST_ACCOUNT = 64000  # numbers that nothing else uses here


def unavailable(name):
    """Why such a server cannot run here, or None."""
    if os.geteuid() != 0:
        return f"{name} changes user and so needs root"
    done = subprocess.run(["chroot", "/", "true"], capture_output=True, text=True)
    return f"{name} is to run in a folder of its own: {done.stderr.strip()}" if done.returncode else None


def libraries(program):
    """What the loader loads for it, with the loader."""
    out = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    assert "not found" not in out, f"{program} lacks a library:\n{out}"
    words = (word for line in out.splitlines() for word in line.split())
    return [word for word in words if word.startswith("/")]


class Chroot:
    """base: becomes the folder. source: where the server was unpacked; program: its path in there, and within. accounts: names of users,
    each with a group of the same name."""

    def __init__(self, base, source, program, accounts):
        self.base, self.program = pathlib.Path(base), program
        self.accounts = {name: FIRST_ACCOUNT + number for number, name in enumerate(accounts)}
        binary = f"{source}{program}"
        for file, name in [(binary, program), *((library, library) for library in libraries(binary))]:
            self.copy(file, name)
        lines = [f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in self.accounts.items()]
        self.write("etc/passwd", "root:x:0:0::/:/bin/sh\n" + "".join(lines))
        self.write("etc/group", "root:x:0:\n" + "".join(f"{name}:x:{number}:\n" for name, number in self.accounts.items()))
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.write("dev/null", "")
        (self.base / "dev/null").chmod(0o666)
        for folder in ("tmp", "run", "var"):
            self.folder(folder)
        (self.base / "var/run").symlink_to("../run")

    def path(self, name):
        return self.base / str(name).lstrip("/")

    def copy(self, file, name):
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)

    def write(self, name, text):
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def folder(self, name, owner=None, mode=0o755):
        target = self.path(name)
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(mode)
        if owner:
            os.chown(target, self.accounts[owner], self.accounts[owner])

    def popen(self, *arguments, errors):
        return subprocess.Popen(["chroot", self.base, self.program, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C"}, stdout=subprocess.DEVNULL, stderr=errors,
                                start_new_session=True)
