#!/usr/bin/env python3
"""Runs the system tests: tests/system/test_*.py, every function test_*(world), each in a process of its own, several at a time.

    run.py [WORD ...]      only tests whose "file.function" holds one of the words

Those that tests/system/longest names begin first, so that the end does not wait for one of them. One line a test: `ok NAME`, `FAIL NAME` with the traceback and the ends of all logs, `skip NAME: reason`."""

import concurrent.futures
import importlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
LONGEST = HERE / "longest"
A_CORE = 4  # at a time: they wait three quarters of their time
ONE_TEST = 900  # seconds; a guard against hanging
ONE_PROCESS = ONE_TEST + 60
sys.path.insert(0, str(HERE))

import verpost  # noqa: E402


class Hung(Exception):
    pass


def on_alarm(signum, frame):
    raise Hung(f"no end after {ONE_TEST} s")


def run_one(name, function):
    begun = time.monotonic()
    world = None
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(ONE_TEST)
    try:
        world = verpost.World(function.__name__.removeprefix("test_")[:16])
        function(world)
        print(f"ok   {name} ({time.monotonic() - begun:.1f} s)", flush=True)
    except verpost.Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
    except BaseException as error:  # a test may fail in any way; the others still run
        evidence = world.evidence() if world else ""
        print(f"FAIL {name}: {error}\n{traceback.format_exc()}\n{evidence}", flush=True)
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        signal.alarm(0)
        if world:
            world.close()


def names_in(path):
    """Without running the file."""
    return [f"{path.stem}.{name}" for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)]


def all_names():
    """The longest first, the others file by file; and what is named as long and is not there."""
    names = [name for path in sorted(HERE.glob("test_*.py")) for name in names_in(path)]
    longest = LONGEST.read_text(encoding="utf-8").split()
    rank = {name: number for number, name in enumerate(longest)}
    return sorted(names, key=lambda name: rank.get(name, len(rank))), sorted(set(longest) - set(names))


def chosen(name, words):
    return not words or any(word in name for word in words)


def run_here(name):
    # Whoever started this in the background of a shell had SIGINT ignored, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file, function = name.split(".")
    run_one(name, getattr(importlib.import_module(file), function))


def run_in_process(name):
    try:
        done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=ONE_PROCESS)
        out, code, err = done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else (late.stdout or "")
        code, err = 1, f"no end after {ONE_PROCESS} s"
    if code != 0:
        out += f"FAIL {name}: {err.strip()}\n"
    return out


def main():
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        run_here(words[1])
        return 0
    names, strange = all_names()
    failed = bool(strange)
    if strange:
        print(f"FAIL run.longest: these are no tests: {' '.join(strange)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(A_CORE * (os.cpu_count() or 1)) as pool:
        runs = [pool.submit(run_in_process, name) for name in names if chosen(name, words)]
        for done in concurrent.futures.as_completed(runs):
            out = done.result()
            print(out, end="", flush=True)
            failed = failed or any(line.startswith("FAIL") for line in out.splitlines())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
