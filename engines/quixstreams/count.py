"""Counts unique users per window of event time with Quix Streams. README.md says why it is written so."""

import os
import sys

from quixstreams import Application, State

sys.path.insert(0, "../python")
from frame import read_frame

env = os.environ
SIZE = int(env["KUU_WINDOW_S"])
TUNED = {
    "consumer_poll_timeout": 0.1,
    "consumer_extra_config": {"session.timeout.ms": 10_000},
    "producer_extra_config": {
        "compression.type": "lz4",
        "linger.ms": 50,
        # The same after a crash: so it ends the transaction that the crash left open.
        "transactional.id": env["KUU_GROUP"] + env["KUU_STATE_DIR"].replace("/", "-"),
    },
}
# quixstreams-default leaves them to the library.
BY_DEFAULT = sys.argv[1:] == ["default"]


def seen(value):
    """The window and the user of a message; None if it is no frame."""
    found = read_frame(value)
    return found and {"start": found[1] - found[1] % SIZE, "uid": found[0]}


def count(frame, state: State):
    """The row of the window that is the key, if the user is new in it; else None."""
    uid = "u" + frame["uid"]
    if state.exists(uid):
        return None
    state.set(uid, 1)
    users = state.get("users", 0) + 1
    state.set("users", users)
    return {"start": frame["start"], "users": users}


def main():
    if env["KUU_WINDOW"] in ("week", "month", "year"):
        print(f"KUU_WINDOW={env['KUU_WINDOW']}: only windows of one length that start at its multiples are counted", file=sys.stderr)
        sys.exit(2)
    app = Application(
        broker_address=env["KUU_BROKERS"],
        consumer_group=env["KUU_GROUP"],
        state_dir=env["KUU_STATE_DIR"],
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=int(env.get("KUU_CHECKPOINT_MS", "1000")) / 1000,
        loglevel="ERROR",
        **({} if BY_DEFAULT else TUNED),
    )
    messages = app.topic(env["KUU_INPUT"], value_deserializer="bytes", key_deserializer="bytes")
    frames = app.dataframe(messages).apply(seen).filter(lambda frame: frame is not None)
    rows = frames.group_by(lambda frame: frame["start"], name="window").apply(count, stateful=True)
    rows = rows.filter(lambda row: row is not None)
    rows.to_topic(app.topic(env["KUU_OUTPUT"], value_serializer="json", key_serializer="json"))
    app.run()


main()
