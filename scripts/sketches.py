#!/usr/bin/env python3
"""Exact sets and sketches: measures both, writes the tables of docs/sketches.md, and merges kuu's sketches with others.

  scripts/sketches.py measure [--rounds N] [-o RECORD]   frames of `kuu generate`, then `kuu bench --distinct` on all of them
  scripts/sketches.py tables [RECORD]                    the tables of docs/sketches.md, from a record
  scripts/sketches.py merge                              kuu's sketches against those of PyPI's datasketches (pip install datasketches)

Without -o, the record is results/example/sketches.json, and the tables are written, too. Nothing else should run meanwhile.
"""

import argparse
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KUU = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "kuu"
RECORD = ROOT / "results" / "example" / "sketches.json"
PAGE = ROOT / "docs" / "sketches.md"
BEGIN, END = "<!-- scripts/sketches.py writes what follows -->", "<!-- scripts/sketches.py ends here -->"

# Users of a stream: a window of a second has about 0.7 of them, in 1.2 frames a user, as the minutes of sample-250k.
USERS = [14, 143, 1_430, 14_300, 143_000, 1_430_000]
FRAMES_A_USER = 1.2
FRAMES, LEAST_WINDOWS = 250_000, 2
FRAME_BYTES = 120


def kuu(*words, **more):
    return subprocess.run([str(KUU), *map(str, words)], check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def made(folder):
    """The inputs: one as sample-250k, with frames of 2 KB, and one for each number of users."""
    names = [folder / "sample-like.jsonl"]
    kuu("generate", "-o", names[0], "--frames", FRAMES, "--seed", 20, "--quiet")
    for users in USERS:
        rate = FRAMES_A_USER * users
        frames = int(max(FRAMES, LEAST_WINDOWS * rate))
        names.append(folder / f"{users}-users.jsonl")
        kuu("generate", "-o", names[-1], "--frames", frames, "--users", users, "--rate", rate,
            "--frame-bytes", FRAME_BYTES, "--seed", 20, "--window", "second", "--quiet")
    return names


def measure(arguments):
    out = Path(arguments.o)
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        folder = Path(folder)
        names = [name.name for name in made(folder)]
        subprocess.run([str(KUU), "bench", "--distinct", "--window", "second", "--rounds", str(arguments.rounds), *names,
                        "--results", "results"], cwd=folder, check=True)
        [record] = (folder / "results").glob("bench-*.json")
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(record, out)
    print(f"record: {out}")
    if out.resolve() == RECORD:
        tables(arguments)


def ratios(ours, exact):
    return [a / b for a, b in zip(ours["frame_ns"], exact["frame_ns"])]


def size(number):
    for unit, divisor in (("MB", 1e6), ("kB", 1e3)):
        if number >= divisor:
            return f"{number / divisor:,.1f} {unit}"
    return f"{number:,} B"


def share(number):
    return f"{number:.3f}" if number < 10 else f"{number:,.0f}"


def table(record, head, row):
    lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
    for one in record["distinct"]:
        exact = one["ways"][0]
        lines += ["| " + " | ".join(row(one, way, exact)) + " |" for way in one["ways"]]
    return "\n".join(lines)


def times(one, way, exact):
    all_ratios = ratios(way, exact)
    ns = statistics.median(way["frame_ns"])
    parse = statistics.median(one["parse_ns"])
    whole = (parse + ns) / (parse + statistics.median(exact["frame_ns"]))
    return [f"{one['window_users']:,}", way["distinct"], f"{ns:.1f}", f"{statistics.median(all_ratios):.2f}",
            f"{min(all_ratios):.2f} to {max(all_ratios):.2f}", f"{parse:.0f}", f"{whole:.2f}"]


def needs(one, way, exact):
    memory, state = way["memory_bytes"], way["state_bytes"]
    return [f"{one['window_users']:,}", way["distinct"], size(memory), share(memory / exact["memory_bytes"]),
            f"{memory / one['all_window_users']:,.1f}", size(state), share(state / exact["state_bytes"]),
            f"{100 * way['rms_error']:.2f} %", f"{100 * way['largest_error']:.2f} %"]


def crossings(record):
    """From how many users a window on each sketch wins, in time and in memory."""
    inputs = sorted(record["distinct"], key=lambda one: one["window_users"])
    for index in range(1, len(inputs[0]["ways"])):
        name = inputs[0]["ways"][index]["distinct"]
        wins = {
            "less time in every round": lambda one: max(ratios(one["ways"][index], one["ways"][0])) < 1,
            "less memory": lambda one: one["ways"][index]["memory_bytes"] < one["ways"][0]["memory_bytes"],
        }
        words = []
        for what, is_won in wins.items():
            lost = [at for at, one in enumerate(inputs) if not is_won(one)]
            first = lost[-1] + 1 if lost else 0
            where = f"from {inputs[first]['window_users']:,} users a window on" if first < len(inputs) else "nowhere"
            words.append(f"{what} {where}")
        yield f"- `{name}`: {', '.join(words)}."


def tables(arguments):
    record = json.loads(Path(arguments.record).read_text())
    machine, program = record["machine"], record["program"]
    inputs = "; ".join(f"{one['name']}: {one['frames']:,} frames, {one['users']:,} users, {one['windows']:,} windows"
                       for one in record["distinct"])
    parts = [
        f"Record: `{Path(arguments.record).name}`, kuu {program['version']} ({program['git']}), {machine['cores']} cores "
        f"{machine['cpu']}, {record['written']}, {record['config']['rounds']} rounds. {inputs}.",
        "**Where one wins**, of the numbers of users that were measured:", "\n".join(crossings(record)),
        "**Time.** Counting a parsed frame; beside exact sets in the same round, the median and the range of the rounds; and "
        "with parsing:",
        table(record, ["users a window", "way", "ns a frame", "to exact", "range", "parse, ns", "both, to exact"], times),
        "**Memory, state and error**, of all windows of the input:",
        table(record, ["users a window", "way", "memory", "to exact", "bytes a user", "state", "to exact", "rms error",
                       "largest error"], needs),
    ]
    before, after = PAGE.read_text().split(BEGIN)[0], PAGE.read_text().split(END)[1]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n\n".join(parts) + "\n\n" + END + after)
    subprocess.run([sys.executable, str(ROOT / "scripts" / "check-docs"), "--fold"], check=True)


def merge(arguments):
    """Compares kuu's sketches with those that datasketches makes of the same ids, byte by byte, and merges them."""
    import datasketches

    kind = datasketches.tgt_hll_type.HLL_8
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.jsonl"
        kuu("generate", "-o", frames, "--frames", 60_000, "--users", 20_000, "--frame-bytes", 120, "--seed", 7, "--quiet")
        users = {}
        for line in frames.read_text().splitlines():
            frame = json.loads(line)
            users.setdefault(frame["ts"] // 60 * 60, set()).add(frame["uid"])
        for precision in arguments.precision:
            options = ["--distinct", f"hll:{precision}", "--sketches"]
            rows = list(map(json.loads, kuu("batch", frames, *options, stderr=subprocess.DEVNULL).splitlines()))
            [whole] = map(json.loads, kuu("batch", frames, *options, "--window", "day",
                                         stderr=subprocess.DEVNULL).splitlines())
            theirs, ours = datasketches.hll_union(precision), datasketches.hll_union(precision)
            for row in rows:
                sketch = datasketches.hll_sketch(precision, kind)
                for uid in sorted(users[row["start"]]):
                    sketch.update(uid)
                theirs.update(sketch)
                read = datasketches.hll_sketch.deserialize(base64.b64decode(row["sketch"]))
                assert (read.lg_config_k, read.tgt_type) == (precision, kind), row["start"]
                assert registers(read, precision) == registers(sketch, precision), row["start"]
                ours.update(read)
            both = ours.get_result(kind), theirs.get_result(kind)
            assert registers(both[0], precision) == registers(both[1], precision)
            day = datasketches.hll_sketch.deserialize(base64.b64decode(whole["sketch"]))
            assert registers(day, precision) == registers(both[0], precision), "a day is the union of its minutes"
            print(f"hll:{precision}: {len(rows)} windows have the registers of datasketches {version()}; merged: "
                  f"{both[0].get_estimate():.1f} there, {whole['users']} by kuu, {len(set().union(*users.values()))} exact")


def registers(sketch, precision):
    """What a sketch knows: its bytes, once merged with itself, without the order in which users came."""
    import datasketches

    union = datasketches.hll_union(precision)
    union.update(sketch)
    union.update(sketch)
    image = union.get_result(datasketches.tgt_hll_type.HLL_8).serialize_compact()
    # Registers of an array; hashes of a list or a set, in any order.
    if image[7] & 3 == 2:
        return image[40:]
    start = 8 if image[7] & 3 == 0 else 12
    return sorted(image[at:at + 4] for at in range(start, len(image), 4))


def version():
    from importlib import metadata

    return metadata.version("datasketches")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="measure, and write the tables")
    measuring.add_argument("--rounds", type=int, default=10, help="rounds; 10 is a full cycle of turns")
    measuring.add_argument("-o", default=str(RECORD), help="the record")
    measuring.add_argument("--scratch", help="where the frames go, about 1.4 GB")
    writing = commands.add_parser("tables", help="write the tables of docs/sketches.md")
    for one in (measuring, writing):
        one.add_argument("record", nargs="?", default=str(RECORD), help="the record that is written up")
    merging = commands.add_parser("merge", help="compare with PyPI's datasketches")
    merging.add_argument("--precision", type=int, nargs="+", default=[4, 8, 11, 14, 17, 21])
    arguments = parser.parse_args()
    {"measure": measure, "tables": tables, "merge": merge}[arguments.command](arguments)


main()
