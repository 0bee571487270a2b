#!/usr/bin/env python3
"""What the frames of files look like: a table of figures, a column for each file."""

import argparse
import collections
import gzip
import json
import statistics
from itertools import islice

FRAMES = 50_000


class Shape:
    def __init__(self, name):
        self.bytes, self.keys, self.depths, self.repeated = [], [], [], []
        self.escapes = self.foreign = self.inner = self.decoys = self.first_uid = 0
        self.kinds, self.words, self.strings = collections.Counter(), set(), collections.Counter()
        opened = gzip.open if name.endswith(".gz") else open
        with opened(name, "rb") as lines:
            for line in islice(lines, FRAMES):
                self.frame(line.rstrip(b"\r\n"))

    def frame(self, line):
        at = line.find(b"\\")
        while at >= 0:
            self.escapes += 1
            at = line.find(b"\\", at + 2)
        self.bytes.append(len(line))
        self.foreign += sum(1 for byte in line if byte > 127)
        self.deepest, self.members = 0, 0
        root = json.loads(line, object_pairs_hook=lambda pairs: ("object", pairs))
        names = [name for name, _ in root[1]]
        self.first_uid += names.index("uid") < names.index("ts")
        self.repeated.append(len(names) - len(set(names)))
        self.ids = {dict(root[1])["uid"]}
        self.value(root, 1)
        self.depths.append(self.deepest)
        self.keys.append(self.members)

    def value(self, value, level):
        if isinstance(value, tuple):
            self.deepest = max(self.deepest, level)
            for name, member in value[1]:
                self.members += 1
                self.words.add(name)
                if level > 1:
                    self.inner += 1
                    self.decoys += name in ("uid", "ts")
                self.kind(member)
                self.value(member, level + 1)
        elif isinstance(value, list):
            self.deepest = max(self.deepest, level)
            for element in value:
                self.kind(element)
                self.value(element, level + 1)

    def kind(self, value):
        names = {bool: "bools", str: "strings", int: "integers", float: "fractions", list: "arrays", tuple: "objects"}
        kind = names[type(value)]
        if kind in ("arrays", "objects") and not (value[1] if kind == "objects" else value):
            kind = "empty " + kind
        self.kinds[kind] += 1
        if kind == "strings" and value not in self.ids:
            self.strings[value] += 1

    def rows(self):
        ordered, total, values = sorted(self.bytes), sum(self.bytes), sum(self.kinds.values())
        rank = lambda share: ordered[int(share * (len(ordered) - 1))]
        share = lambda part, whole: f"{100 * part / whole:.2f} %"
        yield "bytes a frame, mean", f"{statistics.mean(self.bytes):,.1f}"
        yield "median, p95, largest", f"{rank(0.5):,}, {rank(0.95):,}, {rank(1):,}"
        yield "keys a frame", f"{statistics.mean(self.keys):.2f}"
        yield "levels, mean and most", f"{statistics.mean(self.depths):.2f}, {max(self.depths)}"
        yield "escapes a frame", f"{self.escapes / len(self.bytes):.1f}"
        yield "bytes that are not ASCII", share(self.foreign, total)
        yield "different keys, strings", f"{len(self.words)}, {len(self.strings)}"
        yield "inner keys that are uid or ts", share(self.decoys, self.inner)
        yield "repeated keys of the root, mean", f"{statistics.mean(self.repeated):.2f}"
        yield "uid before ts", share(self.first_uid, len(self.bytes))
        for kind in ("strings", "integers", "fractions", "bools", "arrays", "empty arrays", "objects", "empty objects"):
            yield f"values that are {kind}", share(self.kinds[kind], values)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"JSON lines, plain or gzipped; the first {FRAMES:,} of each count")
    files = parser.parse_args().files
    columns = [list(Shape(name).rows()) for name in files]
    print("| | " + " | ".join(files) + " |\n|---|" + "---|" * len(columns))
    for cells in zip(*columns):
        print(f"| {cells[0][0]} | " + " | ".join(value for _, value in cells) + " |")


if __name__ == "__main__":
    main()
