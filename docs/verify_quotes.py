#!/usr/bin/env python3
"""Check an opening of sealed quotes (GMBID/1): python3 verify_quotes.py quotes.txt [receipt.json ...]

Computes every commitment of the published table anew, lists the valid quotes by price, and looks each receipt up in the table:
its commitment must stand there, and its place in the public log must lead to the signed head (compare the head with one you trust).
Needs Python 3.6 or newer and nothing else. Exit code 0: everything agrees.
"""

import hashlib
import json
import re
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def commitment(tender, bidder, price, nonce):
    return sha256("\n".join(("GMBID/1", tender, bidder, price, nonce, "")).encode("ascii")).hex()


def read_table(text):
    """(tender, {bidder: (price, nonce, commitment, verdict)}). Raises ValueError for anything but a published table."""
    lines = text.split("\n")
    if lines[0] != "GMBID/1" or lines[-1] != "" or not lines[1].startswith("tender: "):
        raise ValueError("not a table of GMBID/1")
    tender, quotes = lines[1][8:], {}
    for line in lines[4:-1]:
        found = re.fullmatch(
            r"quote: ([0-9A-Z]{18}) ((?:0|[1-9][0-9]*)\.[0-9]{2}|-) ([0-9a-f]{64}|-) ([0-9a-f]{64}) (valid|invalid)", line
        )
        if not found or found.group(1) in quotes:
            raise ValueError("bad line: " + line)
        quotes[found.group(1)] = found.groups()[1:]
    return tender, quotes


def in_log(receipt):
    """Whether the receipt's event, proof and head belong together (RFC 6962)."""
    event, log = receipt["event"], receipt["log"]
    if not event or not log or receipt["commitment"] not in event["body"]:
        return False
    salted = sha256(bytes.fromhex(event["salt"]) + event["body"].encode("utf-8"))
    node = sha256(b"\x00GMLOG/1\n" + salted)
    index, last = log["index"], log["size"] - 1
    for step in map(bytes.fromhex, log["path"]):
        if index % 2 or index == last:
            node = sha256(b"\x01" + step + node)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = sha256(b"\x01" + node + step)
        index, last = index // 2, last // 2
    return last == 0 and node.hex() == log["root"]


def main(table, receipts):
    with open(table, encoding="ascii", newline="") as file:
        tender, quotes = read_table(file.read())
    wrong = 0
    for bidder, (price, nonce, promised, verdict) in sorted(quotes.items(), key=lambda item: (item[1][3], item[0])):
        fits = price != "-" and commitment(tender, bidder, price, nonce) == promised
        wrong += verdict == "valid" and not fits
        print(bidder, price.rjust(16), verdict, "commitment fits" if fits else "COMMITMENT DOES NOT FIT")
    for name in receipts:
        with open(name, encoding="utf-8") as file:
            receipt = json.load(file)
        stands = receipt["tender"] == tender and quotes.get(receipt["bidder"], "   ")[2] == receipt["commitment"]
        logged = in_log(receipt) if "log" in receipt else None
        wrong += not stands or logged is False
        place = {None: "no log entry in this file", True: "log entry proven", False: "LOG ENTRY NOT PROVEN"}[logged]
        print(name, "stands in the table" if stands else "DOES NOT STAND IN THE TABLE", "-", place)
    print("everything agrees" if not wrong else "%d do not agree" % wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
