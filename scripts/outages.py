#!/usr/bin/env python3
"""Memory after outages: a broker is stopped and started again and again under live load.

Starts an Apache Kafka of its own, sends small frames (one in a hundred malformed) at a steady rate into `kuu produce -`, and follows them
twice, exactly once and at least once, with dead letters and an ordered output. Prints the resident memory of each as it goes; exit 0 if both
counted every frame and hold less than --most at the end, else 1.

    scripts/outages.py --minutes 9 --restarts 7
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"
GUARANTEES = ["exactly-once", "at-least-once"]
AWAY = 5  # seconds
START = 1468244340


def resident(process):
    with open(f"/proc/{process.pid}/status") as file:
        return next((int(line.split()[1]) / 1000 for line in file if line.startswith("VmRSS:")), 0)


def broker(command, arguments, place):
    done = subprocess.run([f"{ROOT}/scripts/kafka.sh", command, "--port", str(arguments.port), "--dir", f"{place}/kafka"],
                          stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"outages.py: the broker does not {command}")


def bounce(arguments, place):
    begun, pause = time.monotonic(), arguments.minutes * 60 / (arguments.restarts + 1)
    for number in range(arguments.restarts):
        # A restart may take long; the pauses after it are then shorter, so that every restart comes under load.
        time.sleep(max(AWAY, begun + pause * (number + 1) - time.monotonic()))
        broker("stop", arguments, place)
        time.sleep(AWAY)
        broker("start", arguments, place)
        print(f"restart {number + 1} of {arguments.restarts}", flush=True)


def start(arguments, place, name, *options):
    command = [arguments.kuu, *options, "--brokers", f"localhost:{arguments.port}", "--results", f"{place}/{name}"]
    log = open(f"{place}/{name}.log", "w")
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)


def feed(arguments, pipe, counts):
    """Sends the frames as they are due; gives their number."""
    users, sent, begun = random.Random(1), 0, time.monotonic()
    said = begun
    while (now := time.monotonic()) < begun + arguments.minutes * 60:
        frames = []
        while sent < (now - begun) * arguments.rate:
            uid = "17" if sent % 100 == 99 else f'"user-{users.randrange(20000)}"'
            frames.append(f'{{"uid":{uid},"ts":{START + sent // arguments.rate}}}\n')
            sent += 1
        pipe.write("".join(frames).encode())
        pipe.flush()
        if now - said >= 10:
            said = now
            sizes = ", ".join(f"{name} {resident(count):.0f} MB" for name, count in counts.items())
            print(f"{now - begun:5.0f} s  {sent:,} frames  {sizes}", flush=True)
        time.sleep(0.02)
    return sent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=4000, help="frames per second")
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--restarts", type=int, default=7)
    parser.add_argument("--most", type=float, default=80, help="MB that each may hold a minute after the end")
    parser.add_argument("--port", type=int, default=19640)
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [%(default)s]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        broker("start", arguments, place)
        try:
            sys.exit(run(arguments, place))
        finally:
            broker("stop", arguments, place)


def run(arguments, place):
    produce = start(arguments, place, "produce", "produce", "-")
    time.sleep(3)
    counts = {}
    for name in GUARANTEES:
        outputs = [f"--{option}={name}-{option}" for option in ["output", "dead-letter", "ordered-output"]]
        counts[name] = start(arguments, place, name, "count", "--follow", "--group", name, "--guarantee", name, *outputs)
    bouncing = threading.Thread(target=bounce, args=(arguments, place))
    bouncing.start()
    sent = feed(arguments, produce.stdin, counts)
    bouncing.join()
    produce.stdin.close()
    produce.wait()
    time.sleep(70)
    failed = False
    for name, count in counts.items():
        held = resident(count) if count.poll() is None else 0
        count.send_signal(signal.SIGINT)
        if count.wait() != 130:
            print(open(f"{place}/{name}.log").read()[-2000:])
            failed = True
            continue
        ledger = json.load(open(f"{place}/{name}/count.json"))["ledger"]
        right = ledger["read"] == sent and ledger["counted"] == sent - sent // 100
        print(f"{name}: {held:.0f} MB at the end, {ledger['read']:,} of {sent:,} frames read")
        failed |= held > arguments.most or not right
    return failed


if __name__ == "__main__":
    main()
