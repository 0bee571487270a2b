#!/usr/bin/env python3
"""One count over several processes: Kafka Streams and a Flink cluster, with one process killed, and with one added.

    scripts/scale.sh                       # builds what it needs, starts Kafka, runs this, and stops what it started
    scripts/scale.py --brokers localhost:9092 [--frames N] [--engine NAME] [--scenario NAME] [--into FILE]

Sends N frames of 200 bytes (5 million) to a topic of 16 partitions once. For every engine it then counts them with 1, 2 and 3
processes; with 2 of which one is killed (kill -9) after a third of the frames; and with 2 to which a third one comes after
half of them. Each time `kuu verify` says whether the answer is exact. It prints a table; FILE (target/scale/scale.jsonl) has
a line for each run, and those that it has are not run again.

*Seconds* go from the start of the first process to the last row that changed an answer. *Going on* goes from the kill, or
from the start of the added process, to the first row that shows news: a window that had fewer users, or none. Processor time
is that of the engine's processes, per million frames.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

try:
    from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:  # said by main(): --help needs nothing
    AdminClient = None

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
KUU = TARGET / "release/kuu"
WORK = TARGET / "scale"
PARTITIONS = 16
TICKS = os.sysconf("SC_CLK_TCK")
# name: processes at first, what happens, and after which share of the frames
SCENARIOS = {
    "1": (1, None, 0), "2": (2, None, 0), "3": (3, None, 0),
    "2, one killed": (2, "kill", 1 / 3), "2, one added": (2, "add", 1 / 2),
}
PATIENCE_S = 180
SETTLED_S = 10  # a right answer must stand so long


class Processes:
    """The processes of one engine."""

    def __init__(self, directory, environment):
        self.directory, self.environment = directory, environment
        self.all, self.spent = [], 0.0

    def start(self, command, cwd=None):
        log = open(self.directory / f"{len(self.all)}.log", "wb")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                   cwd=cwd, env=self.environment, start_new_session=True)
        self.all.append(process)
        return process

    def kill(self, process):
        self.spent += cpu_s(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def cpu_s(self):
        return self.spent + sum(cpu_s(process.pid) for process in self.all if process.poll() is None)

    def stop(self):
        for process in self.all:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        for process in self.all:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def cpu_s(pid):
    """Processor time of a process; these engines have no children."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return 0.0


class KafkaStreams(Processes):
    """Processes of one application share the work by themselves."""

    def __init__(self, engine, directory, environment):
        super().__init__(directory, environment)
        self.engine = engine

    def command(self):
        return ["java", "-XX:MaxRAM=2g", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-cp",
                f"{self.engine}/target/engine.jar:{self.engine}/target/lib/*", "kuu.Engine"]

    def begin(self, count):
        for _ in range(count):
            self.add()

    def add(self):
        return self.start(self.command())

    def victim(self):
        return self.all[0]

    def finish(self):
        """Nothing waits: every change of a window is a row."""
        return True


class FlinkCluster(Processes):
    """A standalone session cluster: a JobManager, TaskManagers of one slot each, and the client that submits the job.

    The input has no end, as a bounded KafkaSource does not end once it was restored (FLINK-31006).
    """

    REST, RPC = 18081, 16123

    def __init__(self, engine, directory, environment):
        super().__init__(directory, environment)
        self.engine, self.stopping = engine, None
        self.libraries = f"{engine}/target/engine.jar:{engine}/target/lib/*"
        self.conf = directory / "conf"
        self.conf.mkdir()
        # A TaskManager that is started without Flink's shell scripts is told its memory here.
        options = {
            "jobmanager.rpc.address": "localhost", "jobmanager.rpc.port": self.RPC, "rest.port": self.REST, "rest.address": "localhost",
            # It takes as many slots as there are, and changes the parallelism when one goes or comes.
            "jobmanager.scheduler": "adaptive",
            "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "1 s",
            "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "1 s",
            "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "1 s",
            "heartbeat.interval": "1 s", "heartbeat.timeout": "10 s",
            "taskmanager.numberOfTaskSlots": 1, "taskmanager.cpu.cores": 1,
            "taskmanager.memory.task.heap.size": "768m", "taskmanager.memory.task.off-heap.size": "64m",
            "taskmanager.memory.managed.size": "64m", "taskmanager.memory.network.min": "64m", "taskmanager.memory.network.max": "64m",
            "taskmanager.memory.framework.heap.size": "128m", "taskmanager.memory.framework.off-heap.size": "128m",
            "taskmanager.memory.jvm-metaspace.size": "256m",
            "taskmanager.memory.jvm-overhead.min": "192m", "taskmanager.memory.jvm-overhead.max": "192m",
        }
        (self.conf / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in options.items()))
        # No partition counts as idle: a drain does not close the windows behind an idle source (FLINK-40499).
        self.environment |= {"FLINK_CONF_DIR": str(self.conf), "KUU_CPUS": "3", "KUU_IDLE_MS": "600000"}

    def java(self, heap, main, *arguments):
        opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("util", "lang", "net", "io", "nio", "time")]
        return self.start(["java", f"-Xmx{heap}", *opens, "-cp", self.libraries, main, *arguments], cwd=self.engine)

    def begin(self, count):
        self.java("512m", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", str(self.conf))
        for _ in range(count):
            self.add()
        deadline = time.monotonic() + 60
        while self.slots() < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"the cluster does not start: see {self.directory}")
            time.sleep(0.2)
        self.client("run", "-c", "kuu.flink.DataStreamJob", f"{self.engine}/target/engine.jar")

    def client(self, *arguments):
        return self.java("512m", "org.apache.flink.client.cli.CliFrontend", *arguments)

    def ask(self, path):
        with urllib.request.urlopen(f"http://localhost:{self.REST}/{path}", timeout=5) as answer:
            return json.load(answer)

    def slots(self):
        try:
            return self.ask("overview")["slots-total"]
        except OSError:
            return 0

    def finish(self):
        """Stops the job with a savepoint, and closes the windows that are open (`flink stop --drain`).

        Refused while tasks start again, and asked for anew then. Gives whether it is done.
        """
        if self.stopping and self.stopping.poll() is None:
            return False
        if self.stopping and self.stopping.returncode == 0:
            return True
        for job in self.ask("jobs")["jobs"]:
            if job["status"] == "RUNNING":
                self.stopping = self.client("stop", "--drain", "--savepointPath", self.environment["KUU_STATE_DIR"], job["id"])
        return False

    def add(self):
        return self.java("896m", "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", str(self.conf),
                         "-D", f"taskmanager.resource-id=tm-{len(self.all)}")

    def victim(self):
        return self.all[1]


class Observed:
    """What a read_committed reader of the output has seen."""

    def __init__(self, brokers, topic, truth):
        self.truth, self.rows, self.users, self.news = truth, 0, {}, []
        self.right_at = None
        self.over = threading.Event()
        self.consumer = Consumer({"bootstrap.servers": brokers, "group.id": "kuu-scale", "isolation.level": "read_committed",
                                  "enable.auto.commit": False, "fetch.wait.max.ms": 20})
        self.consumer.assign([TopicPartition(topic, 0, 0)])
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        most, wrong = {}, set(self.truth)
        while not self.over.is_set():
            message = self.consumer.poll(0.05)
            if message is None or message.error() or message.value() is None:
                continue
            now, row = time.monotonic(), json.loads(message.value())
            window, users = row["start"], row["users"]
            self.rows += 1
            if users > most.get(window, 0):
                most[window] = users
                self.news.append(now)
            (wrong.discard if self.truth.get(window) == users else wrong.add)(window)
            if wrong:
                self.right_at = None
            elif self.right_at is None:
                self.right_at = now

    def stop(self):
        self.over.set()
        self.thread.join()
        self.consumer.close()


class Broker:
    def __init__(self, brokers):
        self.brokers = brokers
        self.admin = AdminClient({"bootstrap.servers": brokers})

    def create(self, topic, partitions):
        config = {"retention.ms": "-1", "retention.bytes": "-1"}
        self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result()

    def delete(self, prefix):
        topics = [topic for topic in self.admin.list_topics(timeout=30).topics if topic.startswith(prefix)]
        if topics:
            for done in self.admin.delete_topics(topics).values():
                done.result()

    def committed(self, group, topic):
        """Frames that the group has counted and committed."""
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        asked = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, partitions)])
        try:
            found = asked[group].result()
        except Exception:  # the group is not there yet
            return 0
        return sum(max(partition.offset, 0) for partition in found.topic_partitions)


def kuu(*words, **more):
    return subprocess.run([KUU, *map(str, words)], check=True, capture_output=True, text=True, **more).stdout


def input_of(arguments, broker):
    """The topic with the frames, which is filled once, and the users of each window."""
    file = WORK / f"frames-{arguments.frames}.jsonl"
    if not file.exists():
        print(f"making {arguments.frames:,} frames", file=sys.stderr)
        kuu("generate", "--frames", arguments.frames, "--frame-bytes", 200, "--users", 100_000, "--rate", 5_000, "--seed", 42, "-o", file)
    topic = f"kuu-scale-{arguments.frames}"
    if topic not in broker.admin.list_topics(timeout=30).topics:
        print(f"sending them to topic {topic}", file=sys.stderr)
        kuu("produce", file, "--topic", topic, "--partitions", PARTITIONS, "--brokers", arguments.brokers, "--results", WORK / "results")
    truth = {row["start"]: row["users"] for row in map(json.loads, kuu("batch", file).splitlines()) if "start" in row}
    return file, topic, truth


def one(arguments, broker, name, scenario, file, topic, truth):
    """One run."""
    count, event, share = SCENARIOS[scenario]
    group = f"kuu-scale-{name}-{int(time.time())}"
    directory = WORK / "runs" / group
    (directory / "state").mkdir(parents=True)
    broker.create(f"{group}-output", 1)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KUU_")} | {
        "TZ": "UTC", "KUU_BROKERS": arguments.brokers, "KUU_INPUT": topic, "KUU_OUTPUT": f"{group}-output", "KUU_GROUP": group,
        "KUU_STATE_DIR": str(directory / "state"), "KUU_PARTITIONS": str(PARTITIONS), "KUU_WINDOW": "minute", "KUU_WINDOW_S": "60",
        "KUU_LATENESS_S": "5", "KUU_RETENTION_S": "86400", "KUU_IDLE_MS": "2000", "KUU_MEMORY_BYTES": str(2 << 30),
        "KUU_CPUS": str(os.cpu_count()), "KUU_PROGRAM": str(KUU),
    }
    kind, engine = ENGINES[name]
    processes = kind(ROOT / "engines" / engine, directory, environment)
    observed = Observed(arguments.brokers, f"{group}-output", truth)
    begun, happened, last_look, all_read = time.monotonic(), None, 0.0, False
    try:
        processes.begin(count)
        while time.monotonic() - begun < PATIENCE_S:
            time.sleep(0.05)
            now = time.monotonic()
            if not all_read and now - last_look > 0.3:
                last_look = now
                done = broker.committed(group, topic) / arguments.frames
                if event and happened is None and done >= share:
                    happened = (time.monotonic(), done)
                    processes.kill(processes.victim()) if event == "kill" else processes.add()
                elif done >= 1:
                    all_read = processes.finish()
            if observed.right_at and now - observed.right_at > SETTLED_S:
                break
        cpu = processes.cpu_s()
    finally:
        processes.stop()
        observed.stop()
    verify = subprocess.run([KUU, "verify", file, "--topic", topic, "--output", f"{group}-output", "--brokers", arguments.brokers,
                             "--results", directory / "results"], check=False, capture_output=True, text=True)
    after = [at for at in observed.news if happened and at > happened[0]]
    broker.delete(group)
    shutil.rmtree(directory / "state")
    return {
        "engine": name, "scenario": scenario, "frames": arguments.frames,
        "exact": verify.returncode == 0,
        "verdict": next((line for line in verify.stdout.splitlines() if "exact" in line.lower() or "wrong" in line.lower()), verify.stderr.strip()[-200:]),
        "seconds": round(observed.right_at - begun, 2) if observed.right_at else None,
        "cpu_s_per_million": round(cpu * 1e6 / arguments.frames, 2),
        "happened_at_share": round(happened[1], 3) if happened else None,
        "going_on_s": round(after[0] - happened[0], 2) if after else None,
    }


ENGINES = {"kafka-streams": (KafkaStreams, "kafka-streams"), "flink": (FlinkCluster, "flink-datastream")}


def table(runs):
    lines = ["| engine | processes | exact | seconds | frames/s | CPU s/M | going on after |", "|---|---|---|---|---|---|---|"]
    for run in runs:
        seconds = run["seconds"]
        rate = f"{run['frames'] / seconds:,.0f}" if seconds else "-"
        going_on = f"{run['going_on_s']} s, at {run['happened_at_share']:.0%}" if run["going_on_s"] else "-"
        lines.append(f"| {run['engine']} | {run['scenario']} | {'yes' if run['exact'] else 'NO: ' + run['verdict']} | {seconds or '-'} | {rate} | "
                     f"{run['cpu_s_per_million']} | {going_on} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--frames", type=int, default=5_000_000)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="may be repeated; all if left out")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated; all if left out")
    parser.add_argument("--into", type=pathlib.Path, default=WORK / "scale.jsonl")
    arguments = parser.parse_args()
    if AdminClient is None:
        parser.error("needs confluent-kafka: scripts/scale.sh runs it by the python of engines/python/.venv, which has it")
    WORK.mkdir(parents=True, exist_ok=True)
    broker = Broker(arguments.brokers)
    file, topic, truth = input_of(arguments, broker)
    runs = [json.loads(line) for line in arguments.into.read_text().splitlines()] if arguments.into.exists() else []
    for name in arguments.engine or ENGINES:
        for scenario in arguments.scenario or SCENARIOS:
            if any((run["engine"], run["scenario"], run["frames"]) == (name, scenario, arguments.frames) for run in runs):
                continue
            run = one(arguments, broker, name, scenario, file, topic, truth)
            print(run, file=sys.stderr, flush=True)
            runs.append(run)
            with arguments.into.open("a") as lines:
                print(json.dumps(run), file=lines)
    print(table(runs))
    sys.exit(0 if all(run["exact"] for run in runs) else 1)


if __name__ == "__main__":
    main()
