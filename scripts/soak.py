#!/usr/bin/env python3
"""Live load for minutes: does count keep up, and does its memory stay constant?

`kuu produce --rate N --for TIME` sends a file again and again, each time days later in event time, while `kuu count
--follow` counts exactly once. Prints consumer lag and resident memory as they go, then the verdict of `kuu verify`: exit 0
if neither the lag nor the memory of the last third is above that of the second, and every frame was counted; else 1.

    scripts/kafka.sh start
    scripts/soak.py --rate 40000 --minutes 10

With --rate 0 it sends as fast as it can: their rate is then the ceiling, and a soak takes half of it.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"

def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def start(arguments, *options):
    command = [arguments.kuu, *options, "--brokers", arguments.brokers, "--results", arguments.results]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def follow_lag(count, lag):
    for line in count.stderr:
        if found := re.search(r"lag ([\d,]+)", line):
            lag.append((time.monotonic(), int(found.group(1).replace(",", ""))))
        else:
            sys.stderr.write(line)


def mean(samples, since, until):
    inside = [value for at, value in samples if since <= at < until]
    return sum(inside) / len(inside) if inside else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="frames per second; 0: as fast as it goes")
    parser.add_argument("--file", default=f"{ROOT}/fixtures/stream.jsonl.gz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [%(default)s]")
    parser.add_argument("--results", default=f"{ROOT}/results/soak")
    arguments = parser.parse_args()

    name = f"kuu-soak-{int(time.time())}"
    pace = ["--rate", str(arguments.rate)] if arguments.rate else []
    span = ["--for", f"{round(arguments.minutes * 60_000)}ms"]
    produce = start(arguments, "produce", arguments.file, "--topic", name, *pace, *span)
    # The count waits for a topic that is not there yet.
    while not os.path.exists(f"{arguments.results}/produce-{name}.json"):
        assert produce.poll() is None, produce.stderr.read()
        time.sleep(0.1)
    count = start(arguments, "count", "--topic", name, "--output", f"{name}-output", "--group", name, "--follow")
    lag, memory = [], []
    threading.Thread(target=follow_lag, args=(count, lag), daemon=True).start()
    begun = said = time.monotonic()
    while produce.poll() is None:
        now = time.monotonic()
        memory.append((now, resident(count.pid)))
        if now - said >= 10:
            said = now
            print(f"{now - begun:5.0f} s  lag {lag[-1][1] if lag else 0:9,}  resident {memory[-1][1] / 1e6:6.1f} MB", flush=True)
        time.sleep(1)
    seconds = time.monotonic() - begun
    sys.stderr.write(produce.stderr.read())
    # 5: it fell behind the rate, but sent everything that it says.
    assert produce.returncode in (0, 5), "produce failed"
    # The reported lag is that of the last statistics, so wait until everything is read.
    time.sleep(15)
    count.send_signal(signal.SIGINT)
    count.wait()
    figures = json.load(open(f"{arguments.results}/produce-{name}.json"))["figures"]
    sent, achieved = (figures[name]["value"] for name in ("delivered_frames", "produce_frames_per_s"))
    ledger = json.load(open(f"{arguments.results}/count.json"))["ledger"]

    third = seconds / 3
    thirds = [(begun + i * third, begun + (i + 1) * third) for i in range(3)]
    lags = [mean(lag, *span) for span in thirds]
    sizes = [mean(memory, *span) / 1e6 for span in thirds]
    print(f"{sent:,.0f} frames in {seconds:.0f} s: {achieved:,.0f} frames/s; counted {ledger['counted']:,}, "
          f"too late {ledger['too_late']:,}")
    print("lag, mean of each third:      " + ", ".join(f"{value:,.0f}" for value in lags) + " frames")
    print("resident, mean of each third: " + ", ".join(f"{value:.1f}" for value in sizes) + " MB")
    grew = lags[2] > max(2 * lags[1], achieved / 2) or sizes[2] > 1.1 * sizes[1] + 2
    lost = ledger["read"] != sent or ledger["counted"] + ledger["too_late"] != sent
    print("GREW" if grew else "LOST" if lost else "no growth of lag or memory, every frame accounted for")
    sys.exit(1 if grew or lost else 0)


if __name__ == "__main__":
    main()
