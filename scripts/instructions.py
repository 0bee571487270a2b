#!/usr/bin/env python3
"""Instructions a frame, by stage: a gate without a clock. callgrind counts what the release build executes for
`kuu batch` and `kuu count` of the fixture, on one core, and this compares it with fixtures/stream.instructions.json.

    cargo build --release
    scripts/instructions.py             # compares
    scripts/instructions.py --write     # writes the baseline

Needs valgrind (`apt-get install valgrind`). It has no AVX-512 and no SHA instructions, whatever the processor has, so
kuu takes its AVX2 path there. Counts of another compiler, of other flags or of another path are not compared.

Exit status: 0 as before or better, or not compared, which it says; 2 a program failed, or counted something else;
3 a stage takes more than 2 % more instructions.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"
BASELINE = f"{ROOT}/fixtures/stream.instructions.json"
FIXTURE = f"{ROOT}/fixtures/stream.jsonl.gz"
RUNS = {"batch": ["batch", FIXTURE], "count": ["count", FIXTURE]}
# The functions of a stage, by name: the first that fits. What fits none is start, end and waiting.
STAGES = {
    "parse": r"kuu_frame::",
    "counter": r"kuu_core::(counter|frame_batch|window|reorder)|roaring::|kuu::engine::",
    "truth": r"kuu_core::truth",
    "lines": r"kuu_core::lines|memchr::|kuu::input::",
    "inflate": r"zlib_rs::|flate2::",
    "checksum": r"crc32fast::",
    "hash": r"sha2::|digest::|block_buffer::",
    "copies": r"^(__)?mem(cpy|move|set|cmp)",
    "memory": r"malloc|calloc|realloc|^_?_?(int_|libc_)?free|^unlink_chunk|^sysmalloc|^tcache",
}
OTHER = "other"
ALL = "all"
# They are shown and count in all, but are not compared: they depend on the turns of the threads.
BY_CHANCE = {"copies", "memory", OTHER}
# More than this share of a stage, and at least so many a frame: chance moves the smallest stages.
MORE = 1.02
LEAST = 3.0
# Functions with fewer instructions a frame are not recorded.
SMALL = 5.0


def fail(why):
    print(f"instructions.py: {why}", file=sys.stderr)
    sys.exit(2)


def functions(path):
    """The instructions of each function itself, from callgrind's file."""
    names, costs, current, called = {}, {}, None, False
    name = re.compile(r"c?fn=\((\d+)\)(?: (.*))?")
    for line in open(path, encoding="utf-8", errors="replace"):
        if found := name.match(line):
            if found[2]:
                names[found[1]] = re.sub(r"'\d+$", "", found[2])
            if line[0] == "f":
                current = names[found[1]]
        elif line.startswith("calls="):
            # The next line has the cost of the callee.
            called = True
        elif line[0] in "+-*0123456789":
            if not called:
                costs[current] = costs.get(current, 0) + int(line.split()[1])
            called = False
    return costs


def measure(kuu, arguments):
    """Instructions a frame by stage and function of one run, and its number of frames."""
    with tempfile.TemporaryDirectory() as work:
        out = f"{work}/callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", kuu, *arguments]
        # One core: how many threads there are changes what they do.
        one = {min(os.sched_getaffinity(0))}
        run = subprocess.run(command, cwd=work, capture_output=True, text=True,
                             preexec_fn=lambda: os.sched_setaffinity(0, one))
        if run.returncode:
            fail(f"{' '.join(command)} failed: {run.stderr[-2000:]}")
        # A window may have several rows; the last one counts.
        rows = {row["start"]: row["frames"] for row in map(json.loads, run.stdout.splitlines()) if "start" in row}
        frames = sum(rows.values())
        stages = {stage: {} for stage in [*STAGES, OTHER]}
        for function, cost in functions(out).items():
            stage = next((stage for stage, own in STAGES.items() if re.search(own, function)), OTHER)
            stages[stage][function] = cost / frames
        stages[ALL] = {function: cost for own in stages.values() for function, cost in own.items()}
        return stages, frames


def path_of(stages):
    """The vector instructions that the parser took, by the names of its functions."""
    taken = max(stages["parse"].items(), key=lambda one: one[1])[0]
    return next((path for path in ("avx512", "avx2", "portable") if path in taken), taken)


def build_of(kuu):
    """What the compiler says in the program, and the processor that it was told to compile for."""
    with open(kuu, "rb") as program:
        rustc = re.search(rb"rustc version ([\w. ()-]+)", program.read())
    cpu = re.search(r"target-cpu=([\w-]+)", os.environ.get("RUSTFLAGS", ""))
    machine = os.uname().machine
    return {"rustc": rustc[1].decode() if rustc else "unknown", "target_cpu": cpu[1] if cpu else f"{machine}, generic"}


def compare(name, now, before):
    """Prints a run beside the baseline; returns its failures."""
    failures = []
    print(f"\n{name + ', instructions a frame':<32}{'now':>10}{'baseline':>10}{'ratio':>8}")
    for stage, own in now.items():
        total = sum(own.values())
        line = f"{stage:<32}{total:10,.1f}"
        if before:
            earlier, then = before[stage]["instructions_per_frame"], before[stage]["functions"]
            line += f"{earlier:10,.1f}{total / earlier if earlier else 1:8.3f}"
            if stage not in BY_CHANCE and total > earlier * MORE and total - earlier > LEAST:
                worst = max(own, key=lambda function: own[function] - then.get(function, 0))
                failures.append(f"{name}, {stage}: {total:,.1f} instructions a frame instead of {earlier:,.1f}; most in "
                                f"{worst}: {own[worst]:,.1f} instead of {then.get(worst, 0):,.1f}")
        print(line)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [%(default)s]")
    parser.add_argument("--baseline", default=BASELINE, help="[fixtures/stream.instructions.json]")
    parser.add_argument("--write", action="store_true", help="write the baseline")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("no valgrind (apt-get install valgrind): not compared")
        return
    if not os.path.exists(arguments.kuu):
        fail(f"{arguments.kuu} is not there: cargo build --release")
    build = build_of(arguments.kuu)
    measured, frames = {}, 0
    for name, command in RUNS.items():
        measured[name], frames = measure(arguments.kuu, command)
    build["path"] = path_of(measured["batch"])
    print(f"{frames:,} frames, {build['rustc']}, {build['target_cpu']}, the parser's path: {build['path']}")
    if arguments.write:
        runs = {name: {stage: {"instructions_per_frame": round(sum(own.values()), 1),
                               "functions": {function: round(cost, 1) for function, cost in sorted(own.items())
                                             if cost >= SMALL}}
                       for stage, own in stages.items()} for name, stages in measured.items()}
        with open(arguments.baseline, "w", encoding="utf-8") as file:
            json.dump({**build, "frames": frames, "runs": runs}, file, indent=1)
            file.write("\n")
        print(f"written: {arguments.baseline}")
    with open(arguments.baseline, encoding="utf-8") as file:
        before = json.load(file)
    others = [f"{key} {before[key]}" for key in build if before[key] != build[key]]
    failures = []
    for name, stages in measured.items():
        failures += compare(name, stages, None if others else before["runs"][name])
    if others:
        print(f"\nnot compared: the baseline is of {', '.join(others)}: scripts/instructions.py --write")
    for failure in failures:
        print(f"\nMORE: {failure}")
    if failures:
        print("If it is meant: scripts/instructions.py --write, and commit fixtures/stream.instructions.json")
        sys.exit(3)


if __name__ == "__main__":
    main()
