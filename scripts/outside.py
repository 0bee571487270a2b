#!/usr/bin/env python3
"""kuu beside outside tools on the same frames, several rounds, each of which begins with another tool; prints medians and ratios.

Files: `gzip -dc`, DuckDB (where `pip install duckdb` was done). Kafka, with --brokers: `kcat`, and scripts/plain_reader.c,
which is compiled here (`apt-get install kcat librdkafka-dev`); then the engines `go` and `kafka-streams` on the same file,
started and judged by `kuu race`. At the end a line for each ratio of docs/performance.md: the median of the rounds, the least
and the greatest. Missing tools are named and left out.

    kuu engines build go kafka-streams                          # once; needs go, mvn, java
    scripts/kafka.sh start
    kuu generate --frames 1000000 --users 100000 -o frames.jsonl.gz
    scripts/outside.py --brokers localhost:9092 frames.jsonl.gz  # without --brokers any frames will do, late ones too

Exit status: 0 measured; 2 a tool failed.
"""

import argparse
import glob
import gzip
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"
DUCKDB = """
import duckdb, sys
duckdb.sql("select ts // 60 * 60 as minute, count(distinct uid) from read_json(?, format='newline_delimited', "
           "columns={uid: 'VARCHAR', ts: 'BIGINT'}) group by 1 order by 1", params=[sys.argv[1]]).fetchall()
"""
PRODUCE, UNZIPPED = "kuu produce FILE.gz", "kuu produce, the file unzipped"
KCAT, PIPED = "kcat -P, the file unzipped, without keys", "gzip -dc FILE.gz | kcat -P, without keys"
RAW, COUNT = "kuu bench: raw read", "kuu count, exactly once"
BATCHED = "the same, a thousand messages a call"
# The engines of the race, and what they need.
ENGINES = {"go": ["go"], "kafka-streams": ["mvn", "java"]}
# The properties that kuu sets, for tools that use librdkafka too.
READING = ["fetch.wait.max.ms=20", "queued.max.messages.kbytes=32768"]
SENDING = ["enable.idempotence=true", "linger.ms=20", "batch.size=1000000", "partitioner=murmur2_random",
           "queue.buffering.max.kbytes=65536", "compression.type=lz4"]


def fail(why):
    print(f"outside.py: {why}", file=sys.stderr)
    sys.exit(2)


def run(command, stdin=None):
    """Runs to the end; gives seconds of wall time, of processor time, and the most resident bytes."""
    with tempfile.TemporaryFile() as errors:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        if status:
            errors.seek(0)
            fail(f"{command[0]} failed with status {os.waitstatus_to_exitcode(status)}: {errors.read().decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def in_turn(steps, index):
    """Takes all steps; each round begins with the next one, so that none is always first, or always after the same."""
    at = index % len(steps)
    for step in steps[at:] + steps[:at]:
        step()


class Table:
    """Measurements by name, of several rounds; kuu, which the others are held against, is the first of the names."""

    def __init__(self, title, frames, *names):
        self.title, self.frames, self.rows = title, frames, {name: [] for name in names}

    def add(self, name, wall, processor=None, resident=None):
        self.rows.setdefault(name, []).append((wall, processor, resident))

    def ratio(self, name, other):
        """The speed of one against the other's in each round; none if one of them was not measured."""
        pairs = zip(self.rows.get(name, []), self.rows.get(other, []))
        return [theirs / ours for (ours, *_), (theirs, *_) in pairs]

    def show(self):
        print(f"\n{self.title:<46}{'seconds':>9}{'frames/s':>12}{'against kuu':>13}{'CPU s':>8}{'MB':>7}")
        first = next(iter(self.rows))
        for name, samples in self.rows.items():
            wall = statistics.median(wall for wall, _, _ in samples)
            # The speed of the machine changes over time: only tools of the same round are compared.
            against = statistics.median(wall / kuu for (wall, *_), (kuu, *_) in zip(samples, self.rows[first]))
            line = f"{name:<46}{wall:9.3f}{self.frames / wall:12,.0f}{against:13.2f}"
            if samples[0][1] is not None:
                processor = statistics.median(processor for _, processor, _ in samples)
                resident = max(resident for *_, resident in samples)
                line += f"{processor:8.2f}{resident / 1e6:7.0f}"
            print(line, flush=True)


def files(arguments, frames, ratios):
    table = Table("from the file", frames, "kuu batch")
    has_duckdb = subprocess.run([sys.executable, "-c", "import duckdb"], stderr=subprocess.DEVNULL).returncode == 0
    steps = [
        lambda: table.add("kuu batch", *run([arguments.kuu, "batch", arguments.file])),
        lambda: table.add("gzip -dc", *run(["gzip", "-dc", arguments.file])),
    ]
    if has_duckdb:
        steps.append(lambda: table.add("DuckDB", *run([sys.executable, "-c", DUCKDB, arguments.file])))
    for index in range(arguments.rounds):
        os.sync()
        in_turn(steps, index)
    table.show()
    if not has_duckdb:
        print("DuckDB is not installed: left out")
    ratios["kuu batch / DuckDB"] = table.ratio("kuu batch", "DuckDB")


def missing(*programs):
    """Names the programs that are not there."""
    absent = [program for program in programs if not shutil.which(program)]
    if absent:
        print(f"left out, as {', '.join(absent)} is not installed")
    return absent


def race(arguments, frames, work, ratios):
    """kuu, Go and Kafka Streams by `kuu race`: cold runs on the whole file, from the start to the right answer."""
    engines = [engine for engine, programs in ENGINES.items() if not missing(*programs)]
    if not engines:
        return
    # The steady runs are as short as they may be: they are not shown.
    run([arguments.kuu, "race", "kuu", *engines, arguments.file, "--brokers", arguments.brokers, "--results", work, "--quick",
         "--for", "1s", "--rounds", str(max(arguments.rounds, 2)), "--engines", f"{ROOT}/engines"])
    samples = json.load(open(max(glob.glob(f"{work}/race-*.json"), key=os.path.getmtime)))["speed"]["samples"]
    cold = [sample for sample in samples if sample["key"]["phase"] == "cold"]
    largest = max(sample["key"]["frames"] for sample in cold)
    table = Table("from Kafka to the right answer (kuu race, cold)", largest)
    million = {}
    for sample in sorted(cold, key=lambda sample: (sample["key"]["round"], sample["key"]["engine"] != "kuu")):
        engine, right = sample["key"]["engine"], sample["times"].get("right_us")
        if sample["key"]["frames"] != largest:
            continue
        if right is None:
            fail(f"{engine} was not right: {sample['verdict']}")
        seconds = sample["used"]["cpu_us"] / 1e6
        table.add(engine, right / 1e6, seconds, sample["used"]["peak_resident_bytes"])
        million.setdefault(engine, []).append(seconds / largest * 1e6)
    table.show()
    for engine in engines:
        ratios[f"kuu / {engine}, frames per second"] = table.ratio("kuu", engine)
    for engine in ["kuu", *engines]:
        ratios[f"{engine}, CPU seconds a million frames"] = million[engine]


def send(table, arguments, index, topic, plain, options):
    """Fills topics with the file: `topic` by kuu."""
    # All are new, of 4 partitions.
    topics = [topic, *(f"{topic}-{name}" for name in ("unzipped", "kcat", "piped"))]
    for each in topics:
        subprocess.run([arguments.kuu, "produce", "/dev/null", "--topic", each, *options], check=True, capture_output=True)
    properties = [option for name in SENDING for option in ("-X", name)]
    kcat = ["kcat", "-P", "-b", arguments.brokers, *properties, "-t"]
    produce = [arguments.kuu, "produce", "--append", *options, "--topic"]
    _, unzipped, plainly, piped = topics
    pipe = f"set -o pipefail; gzip -dc {shlex.quote(arguments.file)} | {shlex.join([*kcat, piped, '-l', '/dev/stdin'])}"
    commands = {
        PRODUCE: [*produce, topic, arguments.file],
        KCAT: [*kcat, plainly, "-l", plain],
        UNZIPPED: [*produce, unzipped, plain],
        PIPED: ["bash", "-c", pipe],
    }
    in_turn([lambda name=name: table.add(name, *run(commands[name])) for name in commands], index)


def kafka(arguments, frames, work, ratios):
    if missing("kcat", "cc"):
        return
    plain = f"{work}/frames.jsonl"
    with gzip.open(arguments.file) as packed, open(plain, "wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    reader = f"{work}/plain_reader"
    subprocess.run(["cc", "-O2", f"{ROOT}/scripts/plain_reader.c", "-o", reader, "-lrdkafka"], check=True)
    options = ["--brokers", arguments.brokers, "--results", work]
    sending = Table("into Kafka, 4 partitions, lz4 (whole process)", frames, PRODUCE)
    reading = Table("reading without parsing", frames, RAW)
    counting = Table("from Kafka (whole process)", frames, COUNT)
    shares = []

    def bench(topic):
        """The ceiling that kuu itself measures; the other tools read the same topic."""
        subprocess.run([arguments.kuu, "bench", arguments.file, "--rounds", "3", "--keep", *options],
                       check=False, capture_output=True)
        figures = json.load(open(f"{work}/bench.json"))["figures"]
        reading.add(RAW, frames / figures["count_frames_per_s"]["ceiling"]["value"])
        reading.add("kuu bench: count", frames / figures["count_frames_per_s"]["value"])
        shares.append(figures["produce_frames_per_s"])
        for left in glob.glob(f"{work}/bench-*"):
            os.remove(left)

    def plain_reader(name, mode, topic, *properties):
        out = subprocess.run([reader, mode, arguments.brokers, topic, *properties], check=True, capture_output=True)
        read, _, seconds = out.stdout.split()
        assert int(read) == frames, f"{read} of {frames} frames"
        reading.add(name, float(seconds))

    def count(topic):
        whole = ["--topic", topic, "--output", f"{topic}-output", "--group", topic, *options]
        counting.add(COUNT, *run([arguments.kuu, "count", *whole]))

    def kcat(topic):
        whole = ["-b", arguments.brokers, "-t", topic, "-o", "beginning", "-e", "-q"]
        counting.add("kcat -C -e > /dev/null", *run(["kcat", "-C", *whole]))

    for index in range(arguments.rounds):
        topic = f"outside-{os.getpid()}-{index}"
        send(sending, arguments, index, topic, plain, options)
        # The broker must have written the frames to disk before they are read.
        os.sync()
        in_turn([
            lambda: bench(topic),
            lambda: plain_reader("plain loop in C, librdkafka's defaults", "poll", topic),
            lambda: plain_reader("plain loop in C, kuu's properties", "poll", topic, *READING),
            lambda: plain_reader(BATCHED, "batch", topic, *READING),
            lambda: count(topic),
            lambda: kcat(topic),
        ], index)
    for table in (sending, reading, counting):
        table.show()
    ratios["kuu produce / kcat -P, which reads the unzipped file"] = sending.ratio(PRODUCE, KCAT)
    ratios["kuu produce / kcat -P, both from the unzipped file"] = sending.ratio(UNZIPPED, KCAT)
    ratios["kuu produce / gzip -dc | kcat -P"] = sending.ratio(PRODUCE, PIPED)
    ratios["kuu produce / raw send"] = [share["value"] / share["ceiling"]["value"] for share in shares]
    ratios["raw read / plain loop in C"] = reading.ratio(RAW, BATCHED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="gzipped frames")
    parser.add_argument("--brokers", help="of a Kafka that may be filled; without it, files only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [%(default)s]")
    arguments = parser.parse_args()
    with gzip.open(arguments.file) as packed:
        frames = sum(1 for line in packed if line.strip())
    print(f"{arguments.file}: {frames:,} frames, {arguments.rounds} rounds, medians")
    ratios = {}
    files(arguments, frames, ratios)
    if arguments.brokers:
        with tempfile.TemporaryDirectory() as work:
            kafka(arguments, frames, work, ratios)
            race(arguments, frames, work, ratios)
    print(f"\n{'in short':<60}{'median':>9}{'least':>9}{'greatest':>9}")
    for name, rounds in ratios.items():
        figures = (statistics.median(rounds), min(rounds), max(rounds)) if rounds else ()
        print(f"{name:<60}" + ("".join(f"{figure:9.2f}" for figure in figures) or " not measured"))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        fail(f"{failed}: {(failed.stderr or b'').decode()}")
