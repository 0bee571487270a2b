#!/usr/bin/env python3
"""Measures results/baseline.json anew: scripts/baseline.py [--runs N] [options of `kuu bench`]

Runs `kuu bench` on the fixture N times (a third of them beside a process that keeps one core busy, as CI machines are),
takes the median share of each phase, and from the spread the tolerance: the distance from the lowest share to the highest,
0.15 at least: more than one busy process moves even the steadiest share that much. (A share must fall below it in three
measurements in a row before `kuu bench` says so.) Other brokers' expectations in the file stay as they are.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "results" / "baseline.json"
PHASES = ["parse", "batch", "produce", "count"]


def measure(options):
    with tempfile.TemporaryDirectory() as results:
        command = [ROOT / "target/release/kuu", "bench", ROOT / "fixtures/stream.jsonl.gz", "--results", results]
        subprocess.run([*command, "--live-seconds", "1", "--quiet", *options], check=True)
        record = json.loads(pathlib.Path(results, "bench.json").read_text())
    shares = {phase: record["figures"][f"{phase}_share"]["value"] for phase in PHASES}
    return record, shares


def main():
    arguments = sys.argv[1:]
    runs = 12
    if arguments[:1] == ["--runs"]:
        runs, arguments = int(arguments[1]), arguments[2:]
    measured = []
    for run in range(runs):
        busy = subprocess.Popen(["sh", "-c", "while :; do :; done"]) if run % 3 == 2 else None
        try:
            record, shares = measure(arguments)
        finally:
            if busy:
                busy.kill()
                busy.wait()
        measured.append(shares)
        print("busy " if busy else "quiet", {phase: round(share, 3) for phase, share in shares.items()}, flush=True)
    expected = {}
    for phase in PHASES:
        values = [shares[phase] for shares in measured]
        low, high = min(values), max(values)
        expected[phase] = {
            "share": round(statistics.median(values), 3),
            "tolerance": round(max(0.15, high - low), 3),
            "spread": [round(low, 3), round(high, 3)],
        }
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"notes": {}, "brokers": {}}
    machine = record["machine"]
    key = record["config"]["baseline_key"]
    baseline["notes"][key] = (
        f"Measured by scripts/baseline.py: {runs} runs, a third of them beside a busy process, on {machine['cores']} cores "
        f"{machine['cpu']}, {record['written']}. tolerance = max(0.15, highest - lowest share)."
    )
    baseline["brokers"][key] = expected
    BASELINE.write_text(json.dumps(baseline, indent=1) + "\n")
    print(BASELINE.read_text())


main()
