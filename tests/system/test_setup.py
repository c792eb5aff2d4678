"""The daemons, wrongly set up: one error that names the file and the remedy, exit 1, and nothing begun."""

import os
import re
import subprocess

from verpost import BIN, TOP, Skip

DAEMONS = ["sender", "bounced"]


def refused(world, program, *words, config=None, user=None, arguments=()):
    """Must end by itself with 1 and one line of error that holds the words; returns it."""
    path = BIN / program
    if user is not None:  # who may not look into this tree
        path = world.base / program
        path.write_bytes((BIN / program).read_bytes())
        path.chmod(0o755)
    done = subprocess.run([path, "--config", config or world.config, *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, **(user or {}))
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith(f"{program}: "), (program, words, done)
    assert all(str(word) in lines[0] for word in words), (program, words, done.stderr)
    return lines[0]


def changed(world, name, value):
    """A configuration beside the good one with one setting changed."""
    good = world.settings[name]
    world.configure(**{name: value})
    text = world.config.read_text()
    world.configure(**{name: good})
    return world.file("changed.conf", text)


def test_settings_and_keys_that_daemons_cannot_use(world):
    "Missing, unreadable and broken configuration and key files make a daemon exit with file and remedy, checked or started."
    world.setup()
    folder = world.base / "folder"
    folder.mkdir()
    broken = world.file("broken.conf", "[database]\nconninfo = dbname=x\nnosuch = 1\n")
    garbage = world.file("garbage", "no keys\n")
    open_keys = world.file("openkeys", (world.base / "keys").read_text())
    open_keys.chmod(0o644)
    for program in DAEMONS:
        for arguments in ([], ["--check-config"]):
            def no(config, *words):
                refused(world, program, *words, config=config, arguments=arguments)
            no(world.base / "missing.conf", "missing.conf", "No such file", "--config")
            no(folder, folder, "is a directory")
            no(broken, "broken.conf line 3", "database.nosuch", "--settings")
            no(changed(world, "keys.file", world.base / "nokeys"), "nokeys", "No such file", "listctl key new")
            no(changed(world, "keys.file", folder), folder, "is a directory")
            no(changed(world, "keys.file", garbage), "garbage line 1")
            no(changed(world, "keys.file", open_keys), "openkeys", "everybody may read", "chmod o=")
            no(changed(world, "keys.file", ""), "changed.conf line", "keys.file")
            no(changed(world, "bounce.domain", ""), "changed.conf", "[bounce]")
    refused(world, "sender", "changed.conf", "relay.port", "65535", config=changed(world, "relay.port", "70000"))
    refused(world, "sender", "changed.conf", "journal.size", "relay.connections = 4", config=changed(world, "journal.size", "1K"))
    refused(world, "sender", "changed.conf", "journal.dir", config=changed(world, "journal.dir", world.base / "none"))
    assert not list((world.base / "journal").iterdir()) and world.value("SELECT count(*) FROM worker") == "0"


def test_files_that_daemons_may_not_read(world):
    "Without the right to read them, configuration and keys are named as such."
    world.setup()
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    (world.base / "keys").chmod(0o600)
    (world.base / "journal").chmod(0o777)
    for program in DAEMONS:
        world.config.chmod(0o644)
        refused(world, program, world.base / "keys", "Permission denied", "only root and the daemons", user=nobody)
        world.config.chmod(0o600)
        refused(world, program, world.config, "Permission denied", "--config", user=nobody)


def test_example_configuration(world):
    "The example that `make install` brings serves all programs as it is, and what it shows commented out are the defaults."
    world.listctl("db", "init")
    world.listctl("key", "new")
    example = (TOP / "examples/verpost.conf").read_text(encoding="utf-8")
    here = example.replace("/etc/verpost/keys", str(world.base / "keys")).replace("/var/lib/verpost", str(world.base / "journal"))
    printed = set()
    for text in (here, re.sub(r"^#(\w+ =)", r"\1", here, flags=re.MULTILINE)):
        world.file("example.conf", text)
        for program in [*DAEMONS, "listctl"]:
            done = subprocess.run([BIN / program, "--config", world.base / "example.conf", "--check-config"], capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL, timeout=60)
            assert done.returncode == 0, (program, done)
            printed.add(done.stdout)
    assert here.count("\n#window = ") == 1 and len(printed) == 1, printed
