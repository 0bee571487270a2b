"""Counts unique users per window of event time: confluent-kafka, orjson, SQLite. README.md says why it is written so."""

import fcntl
import heapq
import os
import signal
import sqlite3
import sys
import time

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from frame import Clock, read_frame

BATCH = 5000  # messages taken from the client at once
WAIT_S = 0.02  # how long a batch may take to fill: it adds to the latency of a slow stream
FINAL_ERRORS = (KafkaError._AUTO_OFFSET_RESET, KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Settings:
    def __init__(self, env):
        self.brokers = env["KUU_BROKERS"]
        self.input = env["KUU_INPUT"]
        end = env.get("KUU_INPUT_END", "")
        self.end = orjson.loads(end) if end else None
        self.output = env["KUU_OUTPUT"]
        self.group = env["KUU_GROUP"]
        self.state_dir = env["KUU_STATE_DIR"]
        self.partitions = int(env["KUU_PARTITIONS"])
        self.unit = env["KUU_WINDOW"]
        if self.unit in ("week", "month", "year"):
            sys.exit(f"KUU_WINDOW={self.unit}: only windows of one length that start at its multiples are counted")
        self.size = int(env["KUU_WINDOW_S"])
        self.lateness = int(env.get("KUU_LATENESS_S", "5"))
        self.retention = int(env.get("KUU_RETENTION_S", "86400"))
        self.checkpoint_s = int(env.get("KUU_CHECKPOINT_MS", "1000")) / 1000
        self.idle_s = int(env.get("KUU_IDLE_MS", "2000")) / 1000


class Partition(Clock):
    """Where a partition is, in offsets and in event time."""

    def __init__(self, position=0, clock=None, end=None):
        super().__init__(clock)
        self.position = position  # of the next message
        self.end = end
        self.at_end = False
        self.heard = time.monotonic()
        self.sure_until = 0.0  # so long the broker's word counts that it has no more

    def done(self):
        return self.end is not None and self.position >= self.end

    def holds(self, idle_s, now):
        """Whether the watermark has to wait for it."""
        if self.end is not None:
            return self.position < self.end
        return not self.at_end or now - self.heard < idle_s or now >= self.sure_until


class Window:
    __slots__ = ("users", "unsaved", "frames", "revision", "changed")

    def __init__(self, users=(), frames=0, revision=-1):
        self.users = set(users)
        self.unsaved = []  # the users that the last checkpoint does not have
        self.frames = frames
        self.revision = revision  # -1: no result yet
        self.changed = False


class Counter:
    """Windows and clocks. It knows neither Kafka nor SQLite."""

    def __init__(self, settings, partitions, windows, watermark):
        self.settings = settings
        self.keep = settings.size + settings.retention
        self.partitions = partitions
        self.windows = windows
        self.watermark = watermark
        self.changed = set()  # starts of the windows that the last checkpoint does not have as they are
        self.unanswered = [start for start, window in windows.items() if window.revision < 0]
        self.kept = list(windows)
        heapq.heapify(self.unanswered)
        heapq.heapify(self.kept)
        self.frames = self.malformed = self.too_late = 0

    def count(self, partition, value):
        frame = read_frame(value)
        if frame is None:
            self.malformed += 1
            return
        uid, ts = frame
        partition.observe(ts)
        start = ts - ts % self.settings.size
        if self.is_too_late(partition, start + self.keep):
            self.too_late += 1
            return
        window = self.windows.get(start)
        if window is None:
            window = self.windows[start] = Window()
            heapq.heappush(self.unanswered, start)
            heapq.heappush(self.kept, start)
        self.frames += 1
        window.frames += 1
        if uid not in window.users:
            window.users.add(uid)
            window.unsaved.append(uid)
        if not window.changed:
            window.changed = True
            self.changed.add(start)

    def is_too_late(self, partition, closes):
        """The watermark moves with each batch; where the frame's own partition says that it may be too late, it is looked at once more."""
        if closes > self.watermark and partition.clock is not None and closes <= partition.clock:
            self.advance()
        return closes <= self.watermark

    def advance(self):
        """Moves the watermark to the least of the clocks; returns whether a window waits for its result."""
        now = time.monotonic()
        holding = [p for p in self.partitions if p.holds(self.settings.idle_s, now)]
        if holding and all(p.clock is not None for p in holding):
            self.watermark = max(self.watermark, min(p.clock for p in holding) - self.settings.lateness)
        return bool(self.unanswered) and self.unanswered[0] + self.settings.size <= self.watermark

    def results(self, everything):
        """The windows that have a new result, by start: those the watermark passed, and corrections of earlier ones."""
        due = [start for start in self.changed if self.windows[start].revision >= 0]
        while self.unanswered and (everything or self.unanswered[0] + self.settings.size <= self.watermark):
            due.append(heapq.heappop(self.unanswered))
        due.sort()
        for start in due:
            self.windows[start].revision += 1
            self.changed.add(start)
        return due

    def expired(self):
        """Takes out the windows that accept no frame any more, and returns their starts."""
        gone = []
        while self.kept and self.kept[0] + self.keep <= self.watermark:
            gone.append(heapq.heappop(self.kept))
            del self.windows[gone[-1]]
        return gone


class State:
    """All that a restart needs, in one SQLite file; and the rows that may not have been sent yet."""

    def __init__(self, settings):
        self.settings = settings
        os.makedirs(settings.state_dir, exist_ok=True)
        self.lock = open(os.path.join(settings.state_dir, "lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # a second copy waits here, and takes over when this one ends
        self.db = sqlite3.connect(os.path.join(settings.state_dir, "state.sqlite"), isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(
            """
            CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS partitions(partition INTEGER PRIMARY KEY, position INTEGER, clock INTEGER);
            CREATE TABLE IF NOT EXISTS windows(start INTEGER PRIMARY KEY, frames INTEGER, revision INTEGER);
            CREATE TABLE IF NOT EXISTS users(start INTEGER, ids BLOB);
            CREATE INDEX IF NOT EXISTS users_start ON users(start);
            CREATE TABLE IF NOT EXISTS outbox(key TEXT, value BLOB);
            """
        )

    def load(self):
        s = self.settings
        facts = dict(self.db.execute("SELECT name, value FROM facts"))
        identity = f"{s.input} {s.unit} {s.size}"
        if facts.setdefault("identity", identity) != identity:
            sys.exit(f"{s.state_dir} has the state of another count ({facts['identity']}): give another directory")
        self.db.execute("INSERT OR IGNORE INTO facts VALUES('identity', ?)", (identity,))
        partitions = [Partition(end=s.end[i] if s.end else None) for i in range(s.partitions)]
        for i, position, clock in self.db.execute("SELECT * FROM partitions"):
            partitions[i].position, partitions[i].clock = position, clock
        windows = {}
        for start, frames, revision in self.db.execute("SELECT * FROM windows"):
            windows[start] = Window((), frames, revision)
        for start, ids in self.db.execute("SELECT * FROM users"):
            windows[start].users.update(orjson.loads(ids))
        return Counter(s, partitions, windows, facts.get("watermark", -1)), self.outbox()

    def outbox(self):
        return list(self.db.execute("SELECT key, value FROM outbox ORDER BY rowid"))

    def save(self, counter, gone, rows):
        db = self.db
        db.execute("BEGIN")
        db.execute("DELETE FROM outbox")  # what was there is sent
        db.executemany("INSERT INTO outbox VALUES(?, ?)", rows)
        db.execute("REPLACE INTO facts VALUES('watermark', ?)", (counter.watermark,))
        clocks = [(i, p.position, p.clock) for i, p in enumerate(counter.partitions)]
        db.executemany("REPLACE INTO partitions VALUES(?, ?, ?)", clocks)
        for start in counter.changed:
            window = counter.windows[start]
            db.execute("REPLACE INTO windows VALUES(?, ?, ?)", (start, window.frames, window.revision))
            if window.unsaved:
                db.execute("INSERT INTO users VALUES(?, ?)", (start, orjson.dumps(window.unsaved)))
                window.unsaved = []
            window.changed = False
        counter.changed.clear()
        db.executemany("DELETE FROM windows WHERE start = ?", ((start,) for start in gone))
        db.executemany("DELETE FROM users WHERE start = ?", ((start,) for start in gone))
        db.execute("COMMIT")


class Output:
    def __init__(self, settings):
        self.topic = settings.output
        self.producer = Producer(
            {
                "bootstrap.servers": settings.brokers,
                "enable.idempotence": True,
                "linger.ms": 0,
                "delivery.timeout.ms": 120000,
            }
        )
        self.failed = None

    def delivered(self, error, _message):
        if error is not None:
            self.failed = error

    def send(self, rows):
        for key, value in rows:
            self.producer.produce(self.topic, value, key, on_delivery=self.delivered)
            self.producer.poll(0)
        if rows and (self.producer.flush(130) > 0 or self.failed):
            sys.exit(f"results did not reach {self.topic}: {self.failed or 'no answer'}")


def make_consumer(settings, partitions):
    consumer = Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": settings.group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",  # frames that are gone are an error, not a gap
            "check.crcs": True,
            "max.partition.fetch.bytes": 4 << 20,
            "fetch.max.bytes": 16 << 20,
            "queued.max.messages.kbytes": 64 << 10,
            "fetch.wait.max.ms": 100,
            "fetch.queue.backoff.ms": 20,
        }
    )
    consumer.assign(
        [
            TopicPartition(settings.input, i, p.position or OFFSET_BEGINNING)
            for i, p in enumerate(partitions)
            if not p.done()
        ]
    )
    return consumer


def take(counter, messages):
    for message in messages:
        error = message.error()
        if error is None:
            partition = counter.partitions[message.partition()]
            offset = message.offset()
            partition.heard = time.monotonic()
            partition.at_end = False
            if partition.end is not None and offset >= partition.end:
                partition.position = max(partition.position, partition.end)
                continue
            partition.position = offset + 1
            counter.count(partition, message.value())
        elif error.code() == KafkaError._PARTITION_EOF:
            # Its offset is behind transaction markers and aborted messages, which nobody delivers.
            partition = counter.partitions[message.partition()]
            partition.position = max(partition.position, message.offset())
            partition.at_end = True
        elif error.fatal() or error.code() in FINAL_ERRORS:
            raise KafkaException(error)
        else:  # the client goes on by itself
            print(f"{error}", file=sys.stderr)


def confirm_ends(consumer, settings, partitions, away):
    """Asks the broker whether silent partitions have no more; returns whether it is away. Their silence says nothing then, and
    counts anew from when it is back."""
    for i, partition in enumerate(partitions):
        now = time.monotonic()
        is_silent = partition.end is None and partition.at_end and now - partition.heard >= settings.idle_s
        if not away and (not is_silent or now < partition.sure_until):
            continue
        try:
            ends = consumer.get_watermark_offsets(TopicPartition(settings.input, i), timeout=0.5)
        except KafkaException:
            ends = None
        if ends is None:
            silence_counts_from_now(partitions)
            return True
        if ends[1] <= partition.position:
            partition.sure_until = time.monotonic() + settings.idle_s
    if away:
        silence_counts_from_now(partitions)
    return False


def silence_counts_from_now(partitions):
    for partition in partitions:
        partition.heard = time.monotonic()


def main():
    settings = Settings(os.environ)
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))
    state = State(settings)
    counter, unsent = state.load()
    output = Output(settings)
    output.send(unsent)
    consumer = make_consumer(settings, counter.partitions)

    def checkpoint(everything=False):
        rows = []
        for start in counter.results(everything):
            window = counter.windows[start]
            row = {"unit": settings.unit, "start": start, "end": start + settings.size}
            row |= {"users": len(window.users), "frames": window.frames, "revision": window.revision}
            rows.append((f"{settings.unit}:{start}", orjson.dumps(row)))
        gone = counter.expired()
        counter.changed.difference_update(gone)
        state.save(counter, gone, rows)
        output.send(rows)
        # For whoever looks at the lag: a restart goes by the state.
        offsets = [TopicPartition(settings.input, i, p.position) for i, p in enumerate(counter.partitions)]
        consumer.commit(offsets=offsets, asynchronous=True)

    saved = time.monotonic()
    away = False
    while not stop and not all(p.done() for p in counter.partitions):
        take(counter, consumer.consume(BATCH, WAIT_S))
        away = confirm_ends(consumer, settings, counter.partitions, away)
        if counter.advance() or time.monotonic() - saved >= settings.checkpoint_s:
            checkpoint()
            saved = time.monotonic()
    checkpoint(everything=not stop)
    consumer.close()
    print(f"{counter.frames} frames, {counter.malformed} malformed, {counter.too_late} too late", file=sys.stderr)


main()
