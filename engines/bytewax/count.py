"""Counts unique users per window of event time with Bytewax. README.md says why it is written so."""

import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

sys.path.insert(0, "../python")
from frame import Clock, read_frame

env = os.environ
UNIT, SIZE = env["KUU_WINDOW"], int(env["KUU_WINDOW_S"])
LATENESS = int(env.get("KUU_LATENESS_S", "5"))
IDLE_S = int(env.get("KUU_IDLE_MS", "2000")) / 1000
PARTITIONS = int(env["KUU_PARTITIONS"])
BOUNDED = bool(env.get("KUU_INPUT_END"))
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# bytewax-default leaves them to the library.
BY_DEFAULT = sys.argv[1:] == ["default"]
BATCHES = {} if BY_DEFAULT else {"batch_size": 5000}
FETCHES = {} if BY_DEFAULT else {"max.partition.fetch.bytes": str(4 << 20), "fetch.max.bytes": str(16 << 20)}


@dataclass
class LeastClock(windowing.Clock):
    """The least of the partitions' clocks less the lateness; Bytewax's own has one for all, and believes any stamp."""

    def build(self, resume_state):
        return LeastClockLogic(resume_state)


class LeastClockLogic(windowing.ClockLogic):
    def __init__(self, state):
        clocks, self.watermark = state or ([None] * PARTITIONS, windowing.UTC_MIN)
        self.partitions = [Clock(clock) for clock in clocks]
        self.heard = [time.monotonic()] * PARTITIONS

    def before_batch(self):
        self.advance()

    def on_item(self, value):
        partition, ts, _uid = value
        self.partitions[partition].observe(ts)
        self.heard[partition] = time.monotonic()
        return EPOCH + timedelta(seconds=ts), self.watermark

    def on_notify(self):
        return self.advance()

    def advance(self):
        """Down to the start of a window: Bytewax drops what is before the watermark, also of a window that is open."""
        now = time.monotonic()
        holding = [p.clock for p, heard in zip(self.partitions, self.heard) if BOUNDED or now - heard < IDLE_S]
        if holding and None not in holding:
            seconds = (min(holding) - LATENESS) // SIZE * SIZE
            self.watermark = max(self.watermark, EPOCH + timedelta(seconds=max(seconds, 0)))
        return self.watermark

    def on_eof(self):
        return windowing.UTC_MAX

    def to_system_utc(self, timestamp):
        return datetime.now(timezone.utc) + timedelta(seconds=IDLE_S / 4)

    def snapshot(self):
        return [p.clock for p in self.partitions], self.watermark


def frame(message):
    """The partition, the time and the user of a message; None if it is no frame."""
    found = read_frame(message.value)
    return found and (message.partition, found[1], found[0])


def add(users, value):
    users.add(value[2])
    return users


def row(window):
    _key, (number, users) = window
    start = number * SIZE
    value = {"unit": UNIT, "start": start, "end": start + SIZE, "users": len(users)}
    return KafkaSinkMessage(f"{UNIT}:{start}".encode(), orjson.dumps(value))


def dataflow():
    flow = Dataflow("count")
    brokers = env["KUU_BROKERS"].split(",")
    source = KafkaSource(
        brokers,
        [env["KUU_INPUT"]],
        tail=not BOUNDED,
        add_config={"group.id": env["KUU_GROUP"], "isolation.level": "read_committed", **FETCHES},
        **BATCHES,
    )
    frames = op.filter_map("parse", op.input("frames", flow, source), frame)
    windows = windowing.fold_window(
        "users",
        op.key_on("all", frames, lambda _: "all"),
        LeastClock(),
        windowing.TumblingWindower(length=timedelta(seconds=SIZE), align_to=EPOCH),
        builder=set,
        folder=add,
        merger=set.union,
        ordered=False,
    )
    op.output("rows", op.map("row", windows.down, row), KafkaSink(brokers, env["KUU_OUTPUT"]))
    return flow


def main():
    if UNIT in ("week", "month", "year"):
        print(f"KUU_WINDOW={UNIT}: only windows of one length that start at its multiples are counted", file=sys.stderr)
        sys.exit(2)
    state = Path(env["KUU_STATE_DIR"])
    if not list(state.glob("*.sqlite3")):
        state.mkdir(parents=True, exist_ok=True)
        init_db_dir(state, 1)
    cli_main(dataflow(), epoch_interval=timedelta(milliseconds=int(env.get("KUU_CHECKPOINT_MS", "1000"))), recovery_config=RecoveryConfig(str(state), timedelta(0)))


main()
