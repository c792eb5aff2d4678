#!/usr/bin/env python3
"""Runs the system tests: tests/system/test_*.py, every function test_*(world), two files a core at a time.

    run.py [WORD ...]      only tests whose "file.function" holds one of the words

One line a test: `ok NAME`, `FAIL NAME` with the traceback and the ends of all logs, `skip NAME: reason`."""

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
ONE_TEST = 300  # seconds; a guard against hanging
ONE_FILE = 1200
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
        world = verpost.World(function.__name__.removeprefix("test_")[:24])
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


def tests_of(path):
    module = importlib.import_module(path.stem)
    return [(f"{path.stem}.{n}", f) for n, f in vars(module).items() if n.startswith("test_") and callable(f)]


def chosen(name, words):
    return not words or any(word in name for word in words)


def names_in(path):
    """As tests_of(), without running the file."""
    return [f"{path.stem}.{name}" for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)]


def run_file(path, words):
    # Whoever started this in the background of a shell had SIGINT ignored, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, function in tests_of(path):
        if chosen(name, words):
            run_one(name, function)


def run_in_process(path, words):
    try:
        done = subprocess.run([sys.executable, __file__, "--file", path, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=ONE_FILE)
        out, code, err = done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else (late.stdout or "")
        code, err = 1, f"no end after {ONE_FILE} s"
    if code != 0:
        out += f"FAIL {path.stem}: {err.strip()}\n"
    return out


def main():
    words = sys.argv[1:]
    if words[:1] == ["--file"]:
        run_file(pathlib.Path(words[1]), words[2:])
        return 0
    files = [p for p in sorted(HERE.glob("test_*.py")) if any(chosen(name, words) for name in names_in(p))]
    failed = False
    # They wait most of the time: two files a core.
    jobs = 2 * (os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        # The large ones first, so that the end does not wait for one of them.
        files.sort(key=lambda path: path.stat().st_size, reverse=True)
        runs = [pool.submit(run_in_process, path, words) for path in files]
        for done in concurrent.futures.as_completed(runs):
            out = done.result()
            print(out, end="", flush=True)
            failed = failed or any(line.startswith("FAIL") for line in out.splitlines())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
