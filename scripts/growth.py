#!/usr/bin/env python3
"""How `kuu count` grows: with frames, with users, with partitions. On a Kafka that may be filled; prints medians.

    scripts/kafka.sh start
    scripts/growth.py fixtures/stream.jsonl.gz

Frames: the file so many times, each pass later in event time. Users: frames of 100 bytes, each user as often as any other.
Exit status: 0 measured; else a command failed.
"""

import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPAN = 600  # seconds from one pass to the next: more than the file spans
STAMP = re.compile(rb'("ts":"?)(\d{10})')


class Growth:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.options = ["--brokers", arguments.brokers, "--results", work]
        self.made = 0

    def produce(self, frames, partitions=4):
        """A topic with these frames."""
        self.made += 1
        topic = f"growth-{os.getpid()}-{self.made}"
        command = [self.arguments.kuu, "produce", "-", "--topic", topic, "--partitions", str(partitions), *self.options]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for chunk in frames:
            process.stdin.write(chunk)
        process.stdin.close()
        assert process.wait() == 0, "produce failed"
        return topic

    def count(self, topics, title):
        """Counts each topic in turn, several rounds; shows medians beside those of the first."""
        samples = {name: [] for name in topics}
        for index in range(self.arguments.rounds):
            for name, topic in topics.items():
                run = f"{topic}-{index}"
                command = [self.arguments.kuu, "count", "--topic", topic, "--output", run, "--group", run, *self.options]
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
                record = json.load(open(f"{self.work}/count.json"))
                frames = record["ledger"]["read"]
                rate, resident = (record["figures"][figure]["value"] for figure in ("count_frames_per_s", "peak_resident_bytes"))
                samples[name].append((frames / rate, frames, resident))
        print(f"\n{title:<34}{'seconds':>9}{'frames/s':>12}{'against first':>15}{'resident MB':>13}")
        first = next(iter(samples.values()))
        for name, runs in samples.items():
            seconds = statistics.median(seconds for seconds, *_ in runs)
            against = statistics.median(run[0] / base[0] for run, base in zip(runs, first))
            resident = statistics.median(resident for *_, resident in runs)
            print(f"{name:<34}{seconds:9.3f}{runs[0][1] / seconds:12,.0f}{against:15.2f}{resident / 1e6:13.1f}", flush=True)


def passes(path, times):
    with gzip.open(path) as file:
        data = file.read()
    for index in range(times):
        yield STAMP.sub(lambda found: found[1] + b"%d" % (int(found[2]) + index * SPAN), data) if index else data


def synthetic(users, frames):
    filler = "x" * 40
    for start in range(0, frames, 10_000):
        yield "".join(
            # Far apart, so that successive ids do not lie side by side in a table.
            f'{{"uid":"user-{i * 7919 % users:012}","ts":{1468244384 + i // 5000},"note":"{filler}"}}\n'
            for i in range(start, start + 10_000)
        ).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="gzipped frames of at most 600 s")
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=10, help="of the file, for the smaller number of frames")
    parser.add_argument("--kuu", default=f"{ROOT}/target/release/kuu")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        growth = Growth(arguments, work)
        few = arguments.passes
        growth.count({f"{times} passes": growth.produce(passes(arguments.file, times)) for times in (few, 2 * few)}, "frames")
        growth.count(
            {f"{users:,} users": growth.produce(synthetic(users, 2_000_000)) for users in (100_000, 1_000_000)},
            "users, 2,000,000 frames of 100 B",
        )
        growth.count(
            {f"{partitions} partitions": growth.produce(passes(arguments.file, few), partitions)
             for partitions in (4, 1, 16, 64)},
            "partitions",
        )


if __name__ == "__main__":
    main()
