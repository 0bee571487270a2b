#!/usr/bin/env python3
"""Every workload by all paths: its truth file beside `kuu batch`, `kuu count FILE`, `kuu count` over Kafka, and DuckDB.

    scripts/workloads.py [--only NAME]... [--kuu PATH]

It starts a broker of its own (scripts/kafka.sh) and stops it at its end, however it ends. DuckDB and a Kafka client
that reads `output` come from PyPI, into a temporary directory. If all workloads ran and agree, the table goes into
docs/workloads.md; else it is only printed.

Exit status: 0 all agree; 1 one path differs; 2 something could not be run.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import tomllib
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
WORKLOADS = ROOT / "workloads"
PAGE = ROOT / "docs/workloads.md"
BEGIN, END = "<!-- scripts/workloads.py writes what follows -->", "<!-- scripts/workloads.py ends here -->"
PATHS = ["batch", "count FILE", "Kafka", "DuckDB"]

# The rules of a frame: an object, uid and ts once, uid a string with text, ts an integer or digits, in range. The
# reader of lines leaves out those that are not UTF-8.
FRAMES = r"""
create or replace temp table frames as
with lines as (
    select case when json_valid(line) then line::json end as value
    from read_csv(?, columns = {line: 'VARCHAR'}, auto_detect = false, header = false, delim = e'\x01', quote = '',
                  escape = '', strict_mode = false, ignore_errors = true, max_line_size = 8000000)
), objects as (
    select value, json_type(value, '$.uid') as uid_type, json_type(value, '$.ts') as ts_type
    from lines
    where json_type(value) = 'OBJECT'
      and len(list_filter(json_keys(value), lambda key: key = 'uid')) = 1
      and len(list_filter(json_keys(value), lambda key: key = 'ts')) = 1
)
select value ->> '$.uid' as uid, try_cast(value ->> '$.ts' as bigint) as ts
from objects
where uid_type = 'VARCHAR' and value ->> '$.uid' <> ''
  and (ts_type in ('BIGINT', 'UBIGINT') or ts_type = 'VARCHAR' and regexp_full_match(value ->> '$.ts', '[0-9]+'))
  and try_cast(value ->> '$.ts' as bigint) between 0 and 253402300799
"""
WINDOWS = """
select epoch(date_trunc(?, make_timestamp(ts * 1000000)))::bigint, count(distinct uid), count(*) from frames group by 1
"""


class Failure(Exception):
    pass


def run(command, statuses=(0,)):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in statuses:
        said = f"{done.stdout[-500:]}{done.stderr[-1500:]}"
        raise Failure(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{said}")
    return done


def windows_of(rows):  # the last row of a window counts
    return {(row["unit"], row["start"]): (row["users"], row["frames"]) for row in rows}


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def total(counts, windows, number):
    return sum(counts.get(window, (0, 0))[number] for window in windows)


def difference(truth, found, ledger=None, expected=None):
    """What differs, in numbers; nothing if all is the same."""
    wrong = [window for window in truth.keys() | found.keys() if truth.get(window) != found.get(window)]
    words = []
    if wrong:
        users, frames = (total(found, wrong, number) - total(truth, wrong, number) for number in (0, 1))
        words.append(f"{len(wrong)} of {len(truth)} windows: {users:+,} users, {frames:+,} frames")
    for name in sorted((ledger or {}).keys() | (expected or {}).keys()):
        if ledger.get(name, 0) != expected.get(name, 0):
            words.append(f"{name} {ledger.get(name, 0):,}, not {expected.get(name, 0):,}")
    return "; ".join(words)


def both(path):
    """The differences of both parsers in one cell."""
    fast, plain = path("fast"), path("plain")
    return fast if fast == plain else f"fast: {fast or 'exact'}; plain: {plain or 'exact'}"


class Workload:
    def __init__(self, name, kuu, work):
        self.name, self.kuu, self.work = name, kuu, work
        self.definition = tomllib.loads((WORKLOADS / f"{name}.toml").read_text())
        self.frames = self.definition["frames"]
        self.units = self.frames.get("window", ["minute"])
        self.is_made = "file" not in self.definition
        rows = self.make() if self.is_made else self.find()
        self.truth = windows_of(rows)
        kept = windows_of({**row, **row.get("counted", {})} for row in rows)
        self.counted = {window: numbers for window, numbers in kept.items() if numbers[1]}

    def make(self):
        self.file = self.work / f"{self.name}.jsonl"
        self.call("generate", "--workloads", WORKLOADS, "--workload", self.name, "-o", self.file)
        self.header, *rows = rows_of(pathlib.Path(f"{self.file}.truth.jsonl").read_text())
        return rows

    def find(self):  # a file that is there, with its expected counts beside it
        self.file = (WORKLOADS / self.definition["file"]).resolve()
        self.header = {"totals": {"malformed": {}, "too_late": 0, **self.definition["expect"]}, "troubles": []}
        return rows_of(pathlib.Path(str(self.file).replace(".jsonl.gz", ".expected.jsonl")).read_text())

    def call(self, *words, statuses=(0,)):
        return run([self.kuu, *words, "--results", self.work / "results"], statuses)

    def batch(self, parser):
        check = ["--check", f"{self.file}.truth.jsonl"] if self.is_made else []
        checked = self.call("batch", self.file, *check, "--parser", parser, statuses=(0, 1))
        rows = rows_of(self.call("batch", self.file, "--window", ",".join(self.units), "--parser", parser).stdout)
        words = difference(self.truth, windows_of(rows))
        return words or ("" if checked.returncode == 0 else f"--check: {checked.stderr.strip()}")

    def count_file(self, parser):
        command = ["count", self.file, "--window", ",".join(self.units), "--parser", parser]
        rows = rows_of(self.call(*command).stdout)
        totals = self.header["totals"]
        expected = {"read": totals["read"], "counted": totals["counted"], **totals["malformed"]}
        if self.frames["partitions"] == 1:
            expected |= {"counted": totals["counted"] - totals["too_late"], "too_late": totals["too_late"]}
        return difference(self.counted, windows_of(rows), self.ledger(command), expected)

    def ledger(self, command):
        ledger = json.loads(self.call(*command, "--json").stdout)["ledger"]
        return {name: ledger[name] for name in ("read", "counted", "too_late")} | ledger["malformed"]

    def kafka(self, brokers):
        topic = f"workload-{self.name}"
        self.call("produce", "--workloads", WORKLOADS, "--workload", self.name, "--topic", topic, "--brokers", brokers)
        return both(lambda parser: self.count_topic(brokers, topic, parser))

    def count_topic(self, brokers, topic, parser):
        output = f"{topic}-{parser}"
        names = ["--topic", topic, "--output", output, "--group", output, "--brokers", brokers]
        ledger = self.ledger(["count", *names, "--window", ",".join(self.units), "--parser", parser])
        found = windows_of(read_committed(brokers, output))
        after = [found.pop(window) for window in list(found) if self.is_epilogue(window)]
        expect = self.definition["expect"]
        partitions = self.frames["partitions"]
        step = partitions * max(64, -(-1000 // partitions))
        steps = 3 if self.definition.get("epilogue") else 0
        expected = {"read": expect["read"] + steps * step, "counted": expect["counted"] + steps * step,
                    "too_late": expect.get("too-late", 0), **expect.get("malformed", {})}
        words = difference(self.counted, found, ledger, expected)
        if len(self.counted) != expect["windows"]:
            words += f"; the truth has {len(self.counted)} windows, not {expect['windows']}"
        return words if after == [(step, step)] * steps else f"{words}; epilogue: {after}"

    def is_epilogue(self, window):
        return self.definition.get("epilogue", False) and window[1] > max(start for _, start in self.counted)

    def duckdb(self, connection):
        connection.execute(FRAMES, [str(self.file)])
        found = {(unit, start): (users, frames) for unit in self.units
                 for start, users, frames in connection.execute(WINDOWS, [unit]).fetchall()}
        return difference(self.truth, found)

    def paths(self, brokers, connection):
        """What each path says, and whether that is as it should be."""
        cells = {"batch": both(self.batch), "count FILE": both(self.count_file), "Kafka": self.kafka(brokers),
                 "DuckDB": self.duckdb(connection)}
        return {path: words or "exact" for path, words in cells.items()}, not any(cells.values())


def read_committed(brokers, topic):
    """All rows of a topic, in the order of its partition, by a client that is not kuu."""
    import confluent_kafka
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "workloads",
                                         "enable.partition.eof": True, "isolation.level": "read_committed"})
    try:
        partitions = list(consumer.list_topics(topic, 30).topics[topic].partitions)
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        rows = collections.defaultdict(list)
        open_partitions = set(partitions)
        while open_partitions:
            message = consumer.poll(30)
            if message is None:
                raise Failure(f"topic {topic} cannot be read to its end")
            if not message.error():
                rows[message.partition()].append(json.loads(message.value()))
            elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                open_partitions.discard(message.partition())
            else:
                raise Failure(f"topic {topic}: {message.error()}")
        return [row for number in partitions for row in rows[number]]
    finally:
        consumer.close()


def install(work):
    """The packages, into an environment of their own, unless this Python has them."""
    try:
        import confluent_kafka, duckdb
    except ImportError:
        venv.create(work / "venv", with_pip=True)
        run([work / "venv/bin/pip", "install", "--quiet", "duckdb", "confluent-kafka"])
        sys.path.append(sysconfig.get_path("platlib", vars={"base": work / "venv", "platbase": work / "venv"}))
        import duckdb
    return duckdb


def line(cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def table(rows):
    head = ["workload", "tier", "targets", "frames", "windows", *PATHS]
    lines = [line(head), line("---" for _ in head)]
    for workload, cells in rows:
        definition = workload.definition
        targets, frames = ", ".join(definition.get("targets", [])), workload.header["totals"]["read"]
        lines.append(line([f"`{workload.name}`", definition["tier"], targets, f"{frames:,}", len(workload.truth),
                           *(cells[path] for path in PATHS)]))
    whys = [textwrap.fill(f"- `{workload.name}`: {workload.definition['why']}", 160, subsequent_indent="  ", break_long_words=False,
                          break_on_hyphens=False) for workload, _ in rows]
    return "\n".join([*lines, "", "Why they are there:", "", *whys])


def write(rows, version, duckdb, broker):
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    state = f"State: {today}, {version}, {broker}, DuckDB {duckdb.__version__}, both parsers."
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{state}\n\n{table(rows)}\n\n{END}{after}")
    print(f"written: {PAGE.relative_to(ROOT)}")


def compare(arguments, work):
    duckdb = install(work)
    names = arguments.only or sorted(path.stem for path in WORKLOADS.glob("*.toml"))
    rows, is_fine = [], True
    try:
        # An interrupt may end kafka.sh after the broker began: it is stopped all the same.
        broker = run([ROOT / "scripts/kafka.sh", "start", "--port", arguments.port, "--dir", work / "kafka"]).stdout
        for name in names:
            workload = Workload(name, arguments.kuu, work)
            cells, is_right = workload.paths(f"localhost:{arguments.port}", duckdb.connect())
            rows.append((workload, cells))
            is_fine &= is_right
            said = "  ".join(f"{path}: {cells[path]}" for path in PATHS)
            print(f"{name:<18}{'' if is_right else 'DIFFERS  '}{said}", flush=True)
            if workload.is_made:
                workload.file.unlink()
    finally:
        run([ROOT / "scripts/kafka.sh", "stop", "--dir", work / "kafka"])
    if is_fine and not arguments.only:
        version = run([arguments.kuu, "--version"]).stdout.strip()
        write(rows, version, duckdb, " ".join(broker.split(": ", 1)[1].split()[:3]))
    return 0 if is_fine else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", action="append", help="this workload only; may be repeated")
    parser.add_argument("--kuu", type=pathlib.Path, help="the program [release/kuu of CARGO_TARGET_DIR or target, built if missing]")
    parser.add_argument("--port", type=int, default=19292, help="of its broker, and the next one [%(default)s]")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments.kuu is None:
            arguments.kuu = TARGET / "release/kuu"
            if not arguments.kuu.exists():
                subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
        with tempfile.TemporaryDirectory(prefix="kuu-workloads-") as work:
            return compare(arguments, pathlib.Path(work))
    except KeyboardInterrupt:
        return 130
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"workloads.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
