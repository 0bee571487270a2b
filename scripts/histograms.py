#!/usr/bin/env python3
"""Checks that the tools of HdrHistogram for Java read what `kuu bench` writes: .hlog and .hgrm hold what the record says.

    scripts/histograms.py [KUU]    runs that program on the fixture, with its embedded broker

Then it damages copies of these files, and expects to find that out. Needs Java 17, and Maven, which fetches HdrHistogram.
Exit status: 0 all is the same, 1 something differs, 2 something is missing.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION, SHA256 = "2.2.2", "22d1d4316c4ec13a68b559e98c8256d69071593731da96136640f864fa14fad8"
HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kuu"
PERCENTILES = ["p50_us", "p90_us", "p99_us", "p99_9_us"]
# The record's values are bounds of buckets: of three significant digits, or of a microsecond.
RESOLUTION = 0.001
# Of the columns of a distribution: the last digit of a tie may differ, as Java rounds halves up.
LAST_DIGITS = (1e-3, 1e-12, 0, 1e-2)


class Differs(Exception):
    """What Java reads is not what the record says."""


def jar():
    """The jar of HdrHistogram; Maven fetches it once."""
    path = CACHE / f"HdrHistogram-{VERSION}.jar"
    is_whole = lambda: path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    if not is_whole():
        plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
        artifact = f"-Dartifact=org.hdrhistogram:HdrHistogram:{VERSION}"
        run("mvn", "-B", "-ntp", "-q", plugin, artifact, f"-DoutputDirectory={CACHE}")
    if not is_whole():
        sys.exit(f"{path} has another SHA-256 than {SHA256}")
    return path


def run(*words, **options):
    try:
        return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options).stdout
    except FileNotFoundError as error:
        print(f"histograms.py: {error.filename} is not there", file=sys.stderr)
        sys.exit(2)
    except subprocess.CalledProcessError as error:
        raise Differs(f"{' '.join(map(str, words))}: {error.stderr.strip()[-400:]}") from error


def expect(is_so, *what):
    if not is_so:
        raise Differs(" ".join(map(str, what)))


def bucket(us):
    return max(1, us * RESOLUTION)


def check_log(legs, log, java):
    """The histograms of the log, read by HdrHistogram, against the record."""
    found = {}
    for line in run(*java, HERE / "Histograms.java", log).splitlines():
        tag, count, greatest, *values = line.split()
        found[tag] = (int(count), int(greatest), [list(map(int, values[at : at + 3])) for at in range(0, len(values), 3)])
    expect(found.keys() == legs.keys(), "legs:", sorted(found), "instead of", sorted(legs))
    for leg, record in legs.items():
        count, greatest, values = found[leg]
        expect(count == record["samples"], leg, "samples:", count, "instead of", record["samples"])
        if count == 0:
            continue
        figures = record["percentiles"]
        expect(abs(greatest - figures["max_us"]) <= bucket(greatest), leg, "max:", greatest, "instead of", figures["max_us"])
        for name, (below, _, above) in zip(PERCENTILES, values):
            us = figures.get(name)
            # Java and Rust may differ by a rank.
            expect(us is None or below - bucket(below) <= us <= above + bucket(above), leg, name, below, above, "not", us)


def rows(path):
    """The rows of a percentile distribution, and its comments, which begin with #."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    head, *numbers = [line for line in lines if not line[0].startswith("#")]
    # Java says besides which part of the log it read, and kuu how many values were negative.
    notes = [re.split(r"[\s=,]+", " ".join(line).strip("#[]")) for line in lines if line[0] in ("#[Mean", "#[Max", "#[Buckets")]
    return head, [[float(cell) for cell in line] for line in numbers], notes


def check_distribution(leg, ours, log, java, work):
    """The distribution that HistogramLogProcessor makes of the log, against the one that kuu wrote."""
    # It takes the values of the log, in microseconds, and prints milliseconds.
    options = ["-i", log, "-o", work / leg, "-tag", leg, "-outputValueUnitRatio", "1000"]
    run(*java, "org.HdrHistogram.HistogramLogProcessor", *options)
    (head, theirs, notes), (our_head, ours, our_notes) = rows(work / f"{leg}.hgrm"), rows(ours)
    expect(head == our_head, leg, "columns:", our_head, "instead of", head)
    expect(len(theirs) == len(ours), leg, "rows:", len(ours), "instead of", len(theirs))
    for their, our in zip(theirs, ours):
        # Its last row has no fourth column.
        same = all(abs(one - other) <= digit * 1.000001 for one, other, digit in zip(their, our, LAST_DIGITS))
        expect(same and their[2] == our[2], leg, "row:", our, "instead of", their)
    expect(len(notes) == len(our_notes), leg, "notes:", our_notes, "instead of", notes)
    for their, our in zip(notes, our_notes):
        same = len(their) == len(our) and all(is_same_note(one, other) for one, other in zip(their, our))
        expect(same, leg, "notes:", our, "instead of", their)


def is_same_note(one, other):
    """Whether two members of a comment are the same: a name, or a number but for its last digit."""
    try:
        return abs(float(one) - float(other)) <= LAST_DIGITS[0] * 1.000001
    except ValueError:
        return one == other


def check(record, log, java):
    """All of it; returns the number of legs."""
    legs = record["latency"]
    with tempfile.TemporaryDirectory() as work:
        check_log(legs, log, java)
        for leg in legs:
            check_distribution(leg, log.with_suffix(f".{leg}.hgrm"), log, java, Path(work))
    return len(legs)


def damages(log):
    """Names and makers of files that are not what the record says."""
    text = log.read_text()
    lines = text.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("Tag=result"))
    other = next(line for line in lines if line.startswith("Tag=schedule"))
    middle = len(lines[at]) * 3 // 4
    swapped = lines[at][:middle] + ("A" if lines[at][middle] != "A" else "B") + lines[at][middle + 1 :]
    yield "cut off in a histogram", "".join(lines[:at]) + lines[at][:middle]
    yield "a byte of a histogram", "".join([*lines[:at], swapped, *lines[at + 1 :]])
    yield "a leg that is missing", "".join(lines[:at] + lines[at + 1 :])
    yield "the values of another leg", "".join([*lines[:at], other.replace("Tag=schedule", "Tag=result"), *lines[at + 1 :]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kuu", nargs="?", default=TARGET / "release/kuu", metavar="KUU", help="the program [%(default)s]")
    kuu = parser.parse_args().kuu
    java = ["java", "-cp", jar()]
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory)
        fixture = HERE.parent / "fixtures" / "stream.jsonl.gz"
        run(kuu, "bench", fixture, "--rounds", "1", "--live-seconds", "5s", "--results", results, "--quiet")
        log = next(results.glob("bench-*.hlog"))
        record = json.loads((results / "bench.json").read_text())
        try:
            print(f"HdrHistogram {VERSION} for Java reads {check(record, log, java)} legs as they are in the record")
        except Differs as differs:
            print(f"histograms.py: {differs}", file=sys.stderr)
            sys.exit(1)
        files = [(name, log, text) for name, text in damages(log)]
        hgrm = log.with_suffix(".result.hgrm")
        files.append(("a row of a distribution", hgrm, hgrm.read_text().replace("0.500000000000", "0.510000000000", 1)))
        files.append(("the mean of a distribution", hgrm, re.sub(r"(#\[Mean +=\D+)", r"\g<1>1", hgrm.read_text(), count=1)))
        for name, path, text in files:
            good = path.read_text()
            path.write_text(text)
            try:
                check(record, log, java)
            except Differs as differs:
                print(f"found out: {name}: {str(differs).splitlines()[-1][:150]}")
            else:
                print(f"histograms.py: not found out: {name}", file=sys.stderr)
                sys.exit(1)
            path.write_text(good)


main()
