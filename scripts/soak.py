#!/usr/bin/env python3
"""Live load for minutes: does count keep up, and does its memory stay constant?

Replays fixtures/stream.jsonl.gz over and over, each pass 500 s later in event time, at a steady rate into `kuu produce -`,
while `kuu count --follow` counts exactly once. Prints consumer lag and resident memory as they go, then the verdict:
exit 0 if neither the lag nor the memory of the last third is above that of the second, and every frame was counted;
else 1.

    scripts/kafka.sh start
    scripts/soak.py --rate 40000 --minutes 10

With --rate 0 it sends as fast as it can: their rate is then the ceiling, and a soak takes half of it.
"""

import argparse
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPAN = 500  # seconds of event time in the fixture
BURST = 500  # frames a write


def frames():
    """The fixture as one buffer a burst, with the places of its timestamps and its number of frames."""
    with gzip.open(f"{ROOT}/fixtures/stream.jsonl.gz") as file:
        lines = file.read().splitlines(keepends=True)
    bursts = []
    for start in range(0, len(lines), BURST):
        buffer, places = bytearray(), []
        for line in lines[start : start + BURST]:
            ts = json.loads(line)["ts"]
            # A nested member of the same name changes too, which does not matter.
            for found in re.finditer(rb'"ts":"?(%d)' % int(ts), line):
                places.append((len(buffer) + found.start(1), int(ts)))
            buffer += line
        bursts.append((buffer, places, len(lines[start : start + BURST])))
    return bursts


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def start(arguments, *options):
    command = [arguments.kuu, *options, "--brokers", arguments.brokers, "--results", arguments.results]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


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
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--kuu", default=f"{ROOT}/target/release/kuu")
    parser.add_argument("--results", default=f"{ROOT}/results/soak")
    arguments = parser.parse_args()

    bursts = frames()
    name = f"kuu-soak-{int(time.time())}"
    produce = start(arguments, "produce", "-", "--topic", name)
    time.sleep(2)
    count = start(arguments, "count", "--topic", name, "--output", f"{name}-output", "--group", name, "--follow")
    lag, memory, sent = [], [], 0
    threading.Thread(target=follow_lag, args=(count, lag), daemon=True).start()
    begun = time.monotonic()
    end = begun + arguments.minutes * 60
    said = begun
    passes = 0
    while time.monotonic() < end:
        for buffer, places, frames_in in bursts:
            for place, ts in places:
                buffer[place : place + 10] = b"%d" % (ts + passes * SPAN)
            produce.stdin.buffer.write(buffer)
            sent += frames_in
            now = time.monotonic()
            if not memory or now - memory[-1][0] >= 1:
                memory.append((now, resident(count.pid)))
            if now - said >= 10:
                said = now
                shown = lag[-1][1] if lag else 0
                print(f"{now - begun:5.0f} s  {sent / (now - begun):9,.0f} frames/s  lag {shown:9,}  "
                      f"resident {memory[-1][1] / 1e6:6.1f} MB", flush=True)
            if arguments.rate and (early := begun + sent / arguments.rate - now) > 0:
                time.sleep(early)
            if now >= end:
                break
        passes += 1
    seconds = time.monotonic() - begun
    produce.stdin.close()
    produce.wait()
    # The reported lag is that of the last statistics, so wait until everything is read.
    time.sleep(15)
    count.send_signal(signal.SIGINT)
    count.wait()
    ledger = json.load(open(f"{arguments.results}/count.json"))["ledger"]

    third = seconds / 3
    thirds = [(begun + i * third, begun + (i + 1) * third) for i in range(3)]
    lags = [mean(lag, *span) for span in thirds]
    sizes = [mean(memory, *span) / 1e6 for span in thirds]
    print(f"{sent:,} frames in {seconds:.0f} s: {sent / seconds:,.0f} frames/s; counted {ledger['counted']:,}, "
          f"too late {ledger['too_late']:,}")
    print("lag, mean of each third:      " + ", ".join(f"{value:,.0f}" for value in lags) + " frames")
    print("resident, mean of each third: " + ", ".join(f"{value:.1f}" for value in sizes) + " MB")
    rate = sent / seconds
    grew = lags[2] > max(2 * lags[1], rate / 2) or sizes[2] > 1.1 * sizes[1] + 2
    lost = ledger["read"] != sent or ledger["counted"] + ledger["too_late"] != sent
    print("GREW" if grew else "LOST" if lost else "no growth of lag or memory, every frame accounted for")
    sys.exit(1 if grew or lost else 0)


if __name__ == "__main__":
    main()
