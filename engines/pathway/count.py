"""Counts unique users per window of event time with Pathway. README.md says why it is written so."""

import os
import sys

env = os.environ
BY_DEFAULT = sys.argv[1:] == ["default"]  # pathway-default: what is tuned is left to the library
if not BY_DEFAULT:
    env.setdefault("PATHWAY_THREADS", env.get("KUU_CPUS", "1"))  # as `pathway spawn --threads` does

import pathway as pw

sys.path.insert(0, "../python")
from frame import read_frame

SIZE = int(env["KUU_WINDOW_S"])
brokers = {"bootstrap.servers": env["KUU_BROKERS"]}


@pw.udf(deterministic=True)
def seen(value: bytes) -> tuple[int, str] | None:
    """The window and the user of a message; None if it is no frame."""
    found = read_frame(value)
    return found and (found[1] - found[1] % SIZE, found[0])


if env["KUU_WINDOW"] in ("week", "month", "year"):
    print(f"KUU_WINDOW={env['KUU_WINDOW']}: only windows of one length that start at its multiples are counted", file=sys.stderr)
    sys.exit(2)
messages = pw.io.kafka.read(
    {
        **brokers,
        "group.id": env["KUU_GROUP"],
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        **({} if BY_DEFAULT else {"session.timeout.ms": "10000"}),
    },
    env["KUU_INPUT"],
    format="raw",
    mode="static" if env.get("KUU_INPUT_END") else "streaming",
    autogenerate_key=True,
    **({} if BY_DEFAULT else {"autocommit_duration_ms": 1000, "max_backlog_size": 20_000}),
    name="frames",
)
frames = messages.select(seen=seen(pw.this.data))
frames = frames.filter(pw.this.seen.is_not_none()).select(start=pw.unwrap(pw.this.seen)[0], uid=pw.unwrap(pw.this.seen)[1])
windows = frames.groupby(pw.this.start).reduce(pw.this.start, users=pw.reducers.count_distinct(pw.this.uid))
changes = windows.to_stream()
rows = changes.filter(pw.this.is_upsert).select(pw.this.start, pw.this.users)
pw.io.kafka.write(rows, brokers, env["KUU_OUTPUT"], format="json", name="rows")
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(
        pw.persistence.Backend.filesystem(env["KUU_STATE_DIR"]), snapshot_interval_ms=int(env.get("KUU_CHECKPOINT_MS", "1000"))
    ),
)
