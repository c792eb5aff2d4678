#!/usr/bin/python3
"""Verifies messages by python3-dkim, run by Debian's own Python, which has the package: dkimcheck.py RECORDS.json FILE...

RECORDS.json: {"s._domainkey.example.test": "v=DKIM1; ..."}. Prints a JSON object: each file, and whether its first signature is good."""

import json
import logging
import sys

import dkim


def main():
    records = json.load(open(sys.argv[1]))
    logging.disable(logging.CRITICAL)

    def record(name, timeout=5):
        text = records.get(name.decode().rstrip("."))
        return text.encode() if text else None

    def is_good(path):
        try:
            return dkim.DKIM(open(path, "rb").read(), minkey=1024).verify(dnsfunc=record)
        except dkim.DKIMException:
            return False

    json.dump({path: is_good(path) for path in sys.argv[2:]}, sys.stdout)


main()
