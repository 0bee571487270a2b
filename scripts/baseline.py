#!/usr/bin/env python3
"""Measures this machine for the regression gate: what `kuu bench` reaches here, into results/baseline.json.

    scripts/baseline.py [--runs N] [--every SECONDS] [FILE... and options of `kuu bench`]

Runs `kuu bench` N times (12), one every SECONDS (3600), on the fixture where no FILE is named; a third of the runs stand
beside a process that keeps one core busy, as on CI machines. Each run is added to those that the file has of the same
conditions (processor, cores, broker, input, options), so it may be stopped, and go on another day. `kuu bench` compares
only with runs of at least 6 different hours: within one hour the shares agree, and an hour later they may all be elsewhere.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KUU = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release" / "kuu"
FORMAT = 2
SHARE = "_share"


def measure(options):
    with tempfile.TemporaryDirectory() as results:
        command = [KUU, "bench", "--default-file", ROOT / "fixtures/stream.jsonl.gz", "--results", results, "--quiet"]
        # With statuses 4 and 5 only the latency is invalid, and nothing here uses it.
        done = subprocess.run([*command, *options], check=False)
        if done.returncode not in (0, 4, 5):
            raise SystemExit(f"kuu bench ended with exit status {done.returncode}")
        record = json.loads(pathlib.Path(results, "bench.json").read_text())
    shares = {name.removesuffix(SHARE): round(figure["value"], 4)
              for name, figure in record["figures"].items() if name.endswith(SHARE)}
    run = {"at": record["written"], "kuu": record["program"]["git"], "shares": shares}
    return record["config"]["conditions"], run


def add(path, conditions, run):
    baseline = {"format": FORMAT, "measured": []}
    if path.exists():
        baseline = json.loads(path.read_text())
        if baseline.get("format") != FORMAT:
            raise SystemExit(f"{path} has another format than {FORMAT}: delete it")
    same = [measured for measured in baseline["measured"] if measured["conditions"] == conditions]
    if not same:
        same = [{"conditions": conditions, "runs": []}]
        baseline["measured"] += same
    same[0]["runs"].append(run)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(baseline, indent=1) + "\n")
    draft.replace(path)
    return len({then["at"][:13] for then in same[0]["runs"]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--every", type=float, default=3600, help="seconds from the start of a run to that of the next")
    parser.add_argument("--baseline", type=pathlib.Path, default=ROOT / "results" / "baseline.json")
    arguments, options = parser.parse_known_args()
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", ROOT / "Cargo.toml"], check=True)
    for index in range(arguments.runs):
        begun = time.monotonic()
        busy = subprocess.Popen(["sh", "-c", "while :; do :; done"]) if index % 3 == 2 else None
        try:
            conditions, run = measure(options)
        finally:
            if busy:
                busy.kill()
                busy.wait()
        hours = add(arguments.baseline, conditions, run)
        print(run["at"], "busy " if busy else "quiet", run["shares"], f"run {index + 1} of {arguments.runs},",
              f"runs of {hours} different hours in {arguments.baseline}", flush=True)
        if index + 1 < arguments.runs:
            time.sleep(max(0.0, begun + arguments.every - time.monotonic()))


main()
