#!/usr/bin/env python3
"""Writes src/kafka/client/librdkafka.txt, what `kuu -X list` prints, from CONFIGURATION.md of the librdkafka in Cargo.lock.

usage: scripts/properties.py [CONFIGURATION.md]     run it after `cargo update` of rdkafka-sys

Each line has, with tabs between: name, who it is for (* both, C consumers, P producers), default, range, what it says.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def source():
    lock = open(f"{ROOT}/Cargo.lock", encoding="utf-8").read()
    version = re.search(r'name = "rdkafka-sys"\nversion = "([^"]+)"', lock).group(1)
    home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    found = glob.glob(f"{home}/registry/src/*/rdkafka-sys-{version}/librdkafka/CONFIGURATION.md")
    if not found:
        sys.exit(f"rdkafka-sys {version} is not in {home}: cargo fetch")
    return found[0]


def main():
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
        return
    rows = {}
    for line in open(sys.argv[1] if len(sys.argv) > 1 else source(), encoding="utf-8"):
        cells = [cell.strip() for cell in line.split("|", 5)]
        if len(cells) < 6 or cells[0] in ("Property", "") or cells[0].startswith("-"):
            continue
        name, of, allowed, default, _, words = cells
        # Callbacks and pointers are no text.
        if re.search(r"\*Type: (see dedicated API|pointer)", words):
            continue
        words = re.sub(r"<br>.*", "", words).replace("**", "").replace("`", "").strip()
        alias = re.match(r"Alias for ([\w.]+)", words)
        # The first sentence: a full stop before a capital letter, but not that of `e.g.`.
        sentence = re.split(r"(?<!e\.g)(?<!i\.e)\.\s+(?=[A-Z])", words)[0].rstrip(".")
        rows.setdefault(name, (of, default, allowed, f"alias of {alias.group(1)}" if alias else sentence))
    with open(f"{ROOT}/src/kafka/client/librdkafka.txt", "w", encoding="utf-8") as out:
        for name in sorted(rows):
            out.write("\t".join((name, *rows[name])) + "\n")
    print(f"{len(rows)} properties")


main()
