#!/usr/bin/env python3
"""How `kuu count` grows: with frames, with users, with partitions. On a Kafka that may be filled; prints medians.

    scripts/kafka.sh start
    scripts/growth.py fixtures/stream.jsonl.gz

Frames: the file so many times, each time days later in event time (`kuu produce --repeat`). Users: frames of 100 bytes, each user
about as often as any other (`kuu generate --skew 0`).
Exit status: 0 measured; else a command failed.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"


class Growth:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.options = ["--brokers", arguments.brokers, "--results", work]
        self.made = 0

    def kuu(self, *command):
        subprocess.run([self.arguments.kuu, *command, *self.options], stdout=subprocess.DEVNULL, check=True)

    def produce(self, file, *options):
        """A topic with the frames of a file."""
        self.made += 1
        topic = f"growth-{os.getpid()}-{self.made}"
        self.kuu("produce", file, "--topic", topic, *options)
        return topic

    def repeated(self, times, partitions=4):
        return self.produce(self.arguments.file, "--repeat", str(times), "--partitions", str(partitions))

    def users(self, number):
        file = f"{self.work}/{number}-users.jsonl"
        frames = ["--frames", "2000000", "--frame-bytes", "100", "--rate", "5000"]
        self.kuu("generate", "--quiet", "-o", file, "--users", str(number), *frames)
        topic = self.produce(file)
        os.remove(file)
        return topic

    def count(self, topics, title):
        """Counts each topic in turn, several rounds; shows medians beside those of the first."""
        samples = {name: [] for name in topics}
        for index in range(self.arguments.rounds):
            for name, topic in topics.items():
                run = f"{topic}-{index}"
                self.kuu("count", "--topic", topic, "--output", run, "--group", run)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="frames that span less than a day")
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=10, help="of the file, for the smaller number of frames")
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [%(default)s]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        growth = Growth(arguments, work)
        few = arguments.passes
        growth.count({f"{times} passes": growth.repeated(times) for times in (few, 2 * few)}, "frames")
        growth.count(
            {f"{users:,} users": growth.users(users) for users in (100_000, 1_000_000)},
            "users, 2,000,000 frames of 100 B",
        )
        growth.count(
            {f"{partitions} partitions": growth.repeated(few, partitions) for partitions in (4, 1, 16, 64)},
            "partitions",
        )


if __name__ == "__main__":
    main()
