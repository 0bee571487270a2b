#!/usr/bin/env python3
"""Confirms wrong cells of a scorecard without kuu's counting: scripts/confirm.py --brokers B [--into DIR] RACE...

A RACE is the directory of a scorecard (`kuu race --scorecard --into RACE`). For each of its cells that is `wrong` the messages
of the workload are sent into a topic and read back by librdkafka, parsed by Python's json, and counted by sets. Then it says
how far the engine's last rows are off; that must be what the cell says. Of one window, the wrong one with the fewest frames,
every frame that counts is listed, in DIR/RACE-WORKLOAD-ENGINE.txt; the messages that are no frames are numbered by reason. The
topic `confirm-wrong-cells` stays.

It needs confluent-kafka: run it with engines/python/.venv/bin/python, once that engine is built.

Exit status: 0 every cell is as wrong as it says; 1 one is not; 2 something could not be run.
"""

import argparse
import collections
import datetime
import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST_TS = 253402300799
AGREEING = 8  # so many frames in a row a clock believes, however far ahead they are
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
TOPIC = "confirm-wrong-cells"
Message = collections.namedtuple("Message", "partition offset uid ts why")


class Failure(Exception):
    pass


def refuse(constant):
    raise ValueError(f"JSON has no {constant}")


def frame(value):
    """The user and the time of a frame, and why it is none."""
    if value is None:
        return None, None, "no value"
    try:
        pairs = json.loads(value.decode(), object_pairs_hook=list, parse_constant=refuse)
        json.dumps(pairs, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        return None, None, f"no JSON: {str(error)[:60]}"
    if not value.lstrip().startswith(b"{"):
        return None, None, "no object"
    found = {name: [at[1] for at in pairs if at[0] == name] for name in ("uid", "ts")}
    if any(len(values) != 1 for values in found.values()):
        return None, None, "not one uid and one ts"
    uid, ts = found["uid"][0], found["ts"][0]
    if type(uid) is not str or not uid:
        return None, None, "uid is no text"
    if type(ts) is str and ts.isascii() and ts.isdigit():
        ts = int(ts)
    if type(ts) is not int or not 0 <= ts <= LARGEST_TS:
        return None, None, "ts is no second of the years 1970 to 9999"
    return uid, ts, ""


def read(brokers):
    """All messages of committed transactions."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition

    settings = {"bootstrap.servers": brokers, "group.id": TOPIC, "isolation.level": "read_committed"}
    settings |= {"enable.partition.eof": True, "enable.auto.commit": False}
    consumer = Consumer(settings)
    partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in partitions])
    open_partitions = set(partitions)
    while open_partitions:
        for message in consumer.consume(1000, 1):
            error = message.error()
            if error is None:
                yield Message(message.partition(), message.offset(), *frame(message.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                open_partitions.discard(message.partition())
            else:
                raise Failure(f"topic {TOPIC} cannot be read: {error}")
    consumer.close()


def messages_of(workload, arguments):
    command = [arguments.kuu, "produce", "--workloads", ROOT / "workloads", "--workload", workload, "--topic", TOPIC]
    command += ["--recreate", "--brokers", arguments.brokers, "--results", arguments.into / "results"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"kuu produce --workload {workload}: exit status {done.returncode}\n{done.stderr[-1500:]}")
    return list(read(arguments.brokers))


def second(start):
    """The start of a window, which is a number or RFC 3339."""
    return int(datetime.datetime.fromisoformat(start).timestamp()) if isinstance(start, str) else start


def answers_of(rows, frames, size):
    """The last row of each window that is one, and how many rows repeat an answer. Without windows of the epilogue: that comes
    after the data, a set of frames every hour or two windows. A window of fewer frames than a clock believes may be that of a
    stamp in the future."""
    last = max(start for start, counted in frames.items() if len(counted) >= AGREEING)
    epilogue = range(last + 1, last + 400 * max(3600, 2 * size))

    def is_judged(start):
        return start in frames or start % size == 0 and start not in epilogue

    starts, answers, repeats = {}, {}, 0
    for line in rows.read_text().splitlines():
        row = json.loads(line)
        value = row.get("value")
        try:
            result = json.loads(value) if value is not None else None
            start = second(result["start"]) if result else starts.get(row.get("key"))
            if result:
                starts[row.get("key")] = start
                repeats += is_judged(start) and answers.get(start) == result["users"]
                answers[start] = result["users"]
            else:
                answers.pop(start, None)
        except (ValueError, KeyError, TypeError):
            continue  # a message that is no row
    return {start: users for start, users in answers.items() if is_judged(start)}, repeats


def confirm(cell, directory, messages, size, into):
    """The line of a cell, and whether it is as wrong as it says."""
    frames = collections.defaultdict(list)
    for message in messages:
        if not message.why:
            frames[message.ts - message.ts % size].append(message)
    truth = {start: len({each.uid for each in counted}) for start, counted in frames.items()}
    answers, repeats = answers_of(directory / "rows.jsonl", frames, size)
    off = {start for start in truth.keys() | answers.keys() if truth.get(start, 0) != answers.get(start, 0)}
    differences = [answers.get(start, 0) - truth.get(start, 0) for start in off]
    found = [len(off), sum(d for d in differences if d > 0), -sum(d for d in differences if d < 0)]
    said = [cell["windows"], cell["more"], cell["fewer"]]
    name = f"{cell['workload']}, {cell['engine']}"
    if not off and cell["why"][0].startswith(f"{repeats:,} rows repeat an answer"):
        return f"{name}: confirmed: {repeats} rows repeat an answer, in order of the topic", True
    if not off or found != said:
        return f"{name}: NOT confirmed: {found} windows, users more and fewer, not {said}", False
    start = min(off, key=lambda each: (not frames.get(each), len(frames.get(each, ())), each))
    line = f"{name}: window {start}: {truth.get(start, 0)} users in {len(frames.get(start, ()))} frames, "
    line += f"the engine says {answers.get(start, 0)}; in all {found[0]} windows, +{found[1]} and -{found[2]} users"
    listed = [f"{line}; {' or '.join(cell['why'])}", "", "partition offset ts uid"]
    listed += [f"{each.partition} {each.offset} {each.ts} {each.uid}" for each in frames.get(start, ())]
    refused = collections.Counter(each.why for each in messages if each.why)
    listed += ["", "Messages that are no frames, in the whole workload:", *(f"{n} {why}" for why, n in refused.items())]
    race = directory.parent.parent.name
    (into / f"{race}-{cell['workload']}-{cell['engine']}.txt").write_text("\n".join(listed) + "\n")
    return line, True


def confirm_all(arguments):
    """Whether every wrong cell is as wrong as it says; prints a line for each."""
    cells = [path for race in arguments.race for path in sorted(race.glob("*/*/cell.json"))]
    if not cells:
        raise Failure(f"no cells in {', '.join(map(str, arguments.race))}: name the directory given to kuu race --into")
    wrong = [(path, cell) for path in cells if (cell := json.loads(path.read_text()))["verdict"] == "wrong"]
    read_once, confirmed = {}, 0
    for path, cell in wrong:
        workload = cell["workload"]
        if workload not in read_once:
            read_once[workload] = messages_of(workload, arguments)
        units = tomllib.loads((ROOT / "workloads" / f"{workload}.toml").read_text())["frames"].get("window", ["minute"])
        size = min(SECONDS.get(unit, 1 << 40) for unit in units)
        line, is_confirmed = confirm(cell, path.parent, read_once[workload], size, arguments.into)
        print(line, flush=True)
        confirmed += is_confirmed
    print(f"{confirmed} of {len(wrong)} wrong cells confirmed, of {len(cells)} cells")
    return confirmed == len(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True, help="a Kafka that the messages are sent to")
    parser.add_argument("--kuu", default=ROOT / "target/release/kuu", type=pathlib.Path, help="it only sends")
    parser.add_argument("--into", default=ROOT / "target/confirmed", type=pathlib.Path, help="where the lists go")
    parser.add_argument("race", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    sys.setrecursionlimit(20_000)
    arguments.into.mkdir(parents=True, exist_ok=True)
    for old in arguments.into.glob("*.txt"):
        old.unlink()
    try:
        sys.exit(0 if confirm_all(arguments) else 1)
    except (Failure, ImportError, OSError) as error:
        print(f"confirm.py: {error}", file=sys.stderr)
        sys.exit(2)


main()
