#!/usr/bin/env python3
"""How often the regression gate is wrong: false alarms between equal builds, and a parser that is slower by a tenth.

    scripts/alarms.py [--same N] [--slow N] [--into FILE] [options of `kuu bench`]

Runs `./bench.sh --against HEAD` N times (20) on this state, which must be committed, and N times (10) on the same state with
cargo's feature `slow-parser`, in turn; after each, `kuu compare` on the records of its runs. A line of FILE
(target/alarms/alarms.jsonl) is one such run; lines that are there already count, so it may be stopped, and go on at another
time of day. Builds are in target/ (the first ones take some minutes). The machine should do nothing else.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
KINDS = ("same", "slow")


def git(*words, at=ROOT):
    return subprocess.run(["git", "-C", at, *words], check=True, capture_output=True, text=True).stdout.strip()


def slow_tree(commit):
    """A checkout of this state whose parser is slower."""
    tree = TARGET / "alarms" / "source"
    if not (tree / ".git").exists():
        git("worktree", "prune")
        git("worktree", "add", "--quiet", "--detach", "--force", str(tree), commit)
    git("checkout", "--quiet", "--detach", "--force", commit, at=tree)
    manifest = tree / "crates/frame/Cargo.toml"
    before = manifest.read_text()
    after = before.replace("[features]\n", '[features]\ndefault = ["slow"]\n')
    assert before != after, manifest
    manifest.write_text(after)
    return tree


def one(tree, kind, commit, options):
    """One answer of the gate, and what `compare` says of the same records."""
    environment = dict(os.environ)
    if kind == "slow":
        environment["CARGO_TARGET_DIR"] = str(TARGET / "alarms" / "target")
    with tempfile.TemporaryDirectory() as results:
        command = [tree / "bench.sh", "--against", commit, "--results", results, "--json", *options]
        gate = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if gate.returncode not in (0, 3, 4):
            raise SystemExit(f"bench.sh ended with exit status {gate.returncode}: {gate.stderr}")
        # bench.sh says which revision it builds.
        figures = json.loads(gate.stdout[gate.stdout.index("["):])
        sides = [f"{results}/against-*/*-{side}/bench-*.json" for side in ("before", "after")]
        compare = subprocess.run([TARGET / "release/kuu", "compare", *sides, "--json"], check=False, capture_output=True, text=True)
        if compare.returncode not in (0, 3):
            raise SystemExit(f"compare ended with exit status {compare.returncode}: {compare.stderr}")
        [compared] = json.loads(compare.stdout)
    ratio = next(figure["of"]["ratio"] for figure in figures if figure["of"]["name"] == "parse_ns_per_frame")
    return {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "commit": commit[:7],
        "processor": processor(),
        "options": options,
        "pairs": ratio["rounds"],
        "parser": [ratio["ratio"], ratio["interval"]["low"], ratio["interval"]["high"]],
        "gate_status": gate.returncode,
        "gate": {figure["of"]["name"]: figure["verdict"] for figure in figures},
        "compare_status": compare.returncode,
        "compare_worse": [figure["name"] for figure in compared["figures"] if figure["verdict"] == "slower"],
        "compare_better": [figure["name"] for figure in compared["figures"] if figure["verdict"] == "faster"],
    }


def processor():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else "unknown"


def table(runs):
    for kind in KINDS:
        of = [run for run in runs if run["kind"] == kind]
        if of:
            gate = sum(run["gate_status"] == 3 for run in of)
            parser = sum(run["gate"]["parse_ns_per_frame"] == "slower" for run in of)
            open_ = sum(run["gate_status"] == 4 for run in of)
            compare = sum(run["compare_status"] == 3 for run in of)
            print(f"{kind}: {len(of)} answers; the gate says slower in {gate} (of the parser in {parser}) and gives no answer in {open_}; "
                  f"compare says worse in {compare}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--same", type=int, default=20, help="how many comparisons of equal builds the file has at the end")
    parser.add_argument("--slow", type=int, default=10, help="how many comparisons with the slower parser")
    parser.add_argument("--into", type=pathlib.Path, default=TARGET / "alarms" / "alarms.jsonl")
    arguments, options = parser.parse_known_args()
    if git("status", "--porcelain"):
        raise SystemExit("commit this state first: it is compared with its own last commit")
    commit = git("rev-parse", "HEAD")
    wanted = dict(zip(KINDS, (arguments.same, arguments.slow)))
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    runs = [json.loads(line) for line in arguments.into.read_text().splitlines()] if arguments.into.exists() else []
    trees = {"same": ROOT}
    if arguments.slow:
        trees["slow"] = slow_tree(commit)
    while True:
        left = {kind: wanted[kind] - sum(run["kind"] == kind for run in runs) for kind in KINDS}
        kind = max(KINDS, key=lambda kind: left[kind] / max(wanted[kind], 1))
        if left[kind] <= 0:
            break
        run = one(trees[kind], kind, commit, options)
        with arguments.into.open("a") as file:
            print(json.dumps(run), file=file)
        runs.append(run)
        print(kind, run["at"], "gate", run["gate_status"], "compare", run["compare_status"], run["compare_worse"],
              "parser {:.3f} [{:.3f}, {:.3f}]".format(*run["parser"]), f"{run['pairs']} pairs", flush=True)
    table(runs)


if __name__ == "__main__":
    main()
