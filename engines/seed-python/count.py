"""A reconstruction of the counter in the document behind kuu. README.md says what is known of it and what is a guess."""

import heapq
import json
import os
import time

from kafka import KafkaConsumer, KafkaProducer

FLUSH_S = 5

consumer = KafkaConsumer(
    os.environ["KUU_INPUT"],
    bootstrap_servers=os.environ["KUU_BROKERS"],
    group_id=os.environ["KUU_GROUP"],
    auto_offset_reset="earliest",
    enable_auto_commit=True,
    auto_commit_interval_ms=int(os.environ.get("KUU_CHECKPOINT_MS", "5000")),
    max_partition_fetch_bytes=4 << 20,
)
producer = KafkaProducer(bootstrap_servers=os.environ["KUU_BROKERS"])


def this_minute():
    return int(time.time()) // 60 * 60


def send(minute, users, frames):
    row = {"start": minute, "users": users, "frames": frames}
    producer.send(os.environ["KUU_OUTPUT"], json.dumps(row).encode(), f"minute:{minute}".encode())


minute = this_minute()
users = set()  # of this minute, by the clock of the machine
messages = 0  # in this minute
late = []  # a heap of (minute, user): frames that are older than this minute
late_users = {}  # of the minutes before: what the heap gave
late_messages = {}
flushed = time.time()


def flush():
    """Sends this minute as it is, and the earlier minutes that got late frames."""
    changed = set()
    while late:
        old, uid = heapq.heappop(late)
        late_users.setdefault(old, set()).add(uid)
        late_messages[old] = late_messages.get(old, 0) + 1
        changed.add(old)
    for old in sorted(changed):
        send(old, len(late_users[old]), late_messages[old])
    if messages:
        send(minute, len(users), messages)
    producer.flush()


while True:
    for batch in consumer.poll(timeout_ms=1_000).values():
        for message in batch:
            try:
                frame = json.loads(message.value)
                uid, ts = frame["uid"], int(frame["ts"])
                if not isinstance(uid, str):  # a set takes a number too, a heap no two kinds
                    continue
                if ts < minute:
                    heapq.heappush(late, (ts // 60 * 60, uid))
                else:
                    users.add(uid)
                    messages += 1
            except Exception:
                continue
    if time.time() - flushed >= FLUSH_S:
        flush()
        flushed = time.time()
    if this_minute() != minute:
        flush()
        # Late frames may still come for the minute that ends.
        late_users[minute], late_messages[minute] = users, messages
        minute, users, messages = this_minute(), set(), 0
