#!/usr/bin/env python3
"""Repeat a public random draw (GMDRAW/1) from its two public files.

    python3 verify_draw.py [--demo] draw.txt beacon.txt [sha256 of draw.txt]

Needs nothing but Python 3.6 or newer. Prints the list hash, the seed and the complete ranking. Exits with 0 only when both
files are canonical and, when given, the hash is the one of draw.txt; with 1 when they are not; with 2 when called wrongly.

Check three things: (a) the list hash equals the one on your receipt; (b) the values in beacon.txt equal those on the public
sites of the sources; (c) this script prints the order that was published. --demo accepts the demonstration beacon, which
the operator made itself: such a draw proves nothing.
"""
import hashlib
import re
import sys
from datetime import datetime, timezone

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FACTORS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
NUMBER = r"[1-9][0-9]{0,11}"
LABEL = r"[A-Z0-9]{1,32}"
SOURCES = {  # name: (how its round is spelled, how its value is spelled)
    "drand-quicknet": (NUMBER, r"[0-9a-f]{96}"),
    "cwl-kl8": (LABEL, r"[0-9]{2}(-[0-9]{2}){19}"),
    "hall-d10": (LABEL, r"[0-9]{40}"),
    "demo-beacon": (NUMBER, r"[0-9a-f]{64}"),
}


class Bad(Exception):
    pass


def need(condition, message):
    if not condition:
        raise Bad(message)


def matches(pattern, text):
    return re.match("(?:" + pattern + r")\Z", text) is not None


def lines_of(data, name):
    need(all(32 <= byte < 127 or byte == 10 for byte in data), name + ": only printable ASCII and LF are allowed")
    need(data.endswith(b"\n"), name + ": must end with one line feed")
    lines = data[:-1].decode("ascii").split("\n")
    need(all(lines), name + ": empty line")
    return lines


def good_code(code):
    if len(code) != 18 or any(c not in ALPHABET for c in code):
        return False
    total = sum(ALPHABET.index(c) * f for c, f in zip(code, FACTORS))
    return ALPHABET[(31 - total % 31) % 31] == code[17]


def read_draw(data, demo):
    lines = lines_of(data, "draw.txt")
    need(len(lines) >= 6 and lines[0] == "GMDRAW/1", "draw.txt: line 1 must be GMDRAW/1, and something must follow")
    heads = ("draw: ", "select: ", "freeze: ")
    need(all(line.startswith(h) for line, h in zip(lines[1:4], heads)), "draw.txt: draw, select, freeze expected")
    draw_id, select, freeze = (line[len(h):] for line, h in zip(lines[1:4], heads))
    need(matches(r"[A-Z0-9]([A-Z0-9-]{0,62}[A-Z0-9])?", draw_id), "draw.txt: bad draw id")
    need(matches(NUMBER, select), "draw.txt: bad select")
    need(matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", freeze), "draw.txt: bad freeze")
    try:
        frozen = datetime.strptime(freeze, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise Bad("draw.txt: freeze is not a real moment")
    sources, entries = [], []
    for line in lines[4:]:
        if line.startswith("source: ") and not entries:
            sources.append(read_source(line[8:], frozen, demo))
        elif line.startswith("entry: "):
            entries.append(read_entry(line[7:]))
        else:
            raise Bad("draw.txt: unexpected line: " + line)
    names = [name for name, _ in sources]
    codes = [code for code, _ in entries]
    need(sources and len(set(names)) == len(names), "draw.txt: each source once, and at least one")
    need(entries and codes == sorted(set(codes)), "draw.txt: entries in ascending order, each once, at least one")
    need(int(select) <= len(entries) <= 100000, "draw.txt: fewer entries than seats, or too many")
    return int(select), sources, entries


def read_source(text, frozen, demo):
    parts = text.split(" ")
    need(len(parts) == 2 and parts[0] in SOURCES, "draw.txt: unknown source: " + text)
    name, turn = parts
    need(demo or name != "demo-beacon", "draw.txt: a demonstration beacon proves nothing (use --demo to accept it)")
    need(matches(SOURCES[name][0], turn), "draw.txt: bad round: " + text)
    known = {"drand-quicknet": lambda: 1692803367 + 3 * (int(turn) - 1), "demo-beacon": lambda: int(turn)}
    if name in known:
        need(known[name]() >= frozen + 600, "draw.txt: the value is known less than 600 s after the freeze: " + text)
    return name, turn


def read_entry(text):
    parts = text.split(" ")
    need(len(parts) == 3, "draw.txt: bad entry: " + text)
    code, weight, contribution = parts
    need(good_code(code), "draw.txt: not a unified social credit code: " + code)
    need(matches(NUMBER, weight) and int(weight) <= 1000, "draw.txt: bad weight: " + text)
    need(matches(r"[0-9a-f]{64}", contribution), "draw.txt: bad contribution: " + text)
    return code, int(weight)


def check_beacons(data, sources):
    lines = lines_of(data, "beacon.txt")
    need(len(lines) == len(sources), "beacon.txt: exactly one line per announced source")
    for line, (name, turn) in zip(lines, sources):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[:2] == [name, turn], "beacon.txt: expected the value of " + name + " " + turn)
        need(matches(SOURCES[name][1], parts[2]), "beacon.txt: the value is not in its canonical spelling: " + line)
        if name == "cwl-kl8":
            numbers = [int(n) for n in parts[2].split("-")]
            need(numbers == sorted(set(numbers)) and 1 <= numbers[0] and numbers[-1] <= 80, "beacon.txt: bad numbers")


def main(arguments):
    demo = "--demo" in arguments
    paths = [a for a in arguments if a != "--demo"]
    if len(paths) not in (2, 3) or any(p.startswith("-") for p in paths):
        sys.stderr.write("usage: verify_draw.py [--demo] draw.txt beacon.txt [sha256 of draw.txt]\n")
        return 2
    try:
        with open(paths[0], "rb") as file:
            draw = file.read()
        with open(paths[1], "rb") as file:
            beacon = file.read()
        list_hash = hashlib.sha256(draw).digest()
        need(len(paths) == 2 or paths[2] == list_hash.hex(), "draw.txt is not the file with that hash: " + list_hash.hex())
        select, sources, entries = read_draw(draw, demo)
        check_beacons(beacon, sources)
    except (Bad, OSError) as error:
        sys.stderr.write("REFUSED: " + str(error) + "\n")
        return 1
    seed = hashlib.sha256(b"GMDRAW/1 seed\n" + list_hash + beacon).digest()
    scored = []
    for code, weight in entries:
        head = b"GMDRAW/1 score\n" + seed + code.encode() + b"\n"
        scored.append((min(hashlib.sha256(head + str(t).encode()).hexdigest() for t in range(weight)), code))
    if any(name == "demo-beacon" for name, _ in sources):
        print("DEMONSTRATION: the beacon was made by the operator; this draw proves nothing")
    print("list hash: " + list_hash.hex())
    print("seed: " + seed.hex())
    for place, (value, code) in enumerate(sorted(scored), 1):
        print(" ".join([str(place), code, value] + (["SELECTED"] if place <= select else [])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
