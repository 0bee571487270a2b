#!/usr/bin/env python3
"""Do others understand the metrics of `kuu count --follow`? With a Kafka of its own.

The official parser of OpenMetrics reads them, and a Prometheus scrapes them if there is one; both must have the values
that the input makes. Then the broker is killed under load: /health must become 503, and 200 again once the broker is back.

    python3 -m pip install prometheus_client
    apt-get install prometheus
    scripts/check-metrics.py --kuu target/release/kuu

Exit status: 0 all well; 1 a value is not what it should be; 2 a program is missing.
"""

import argparse
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or f"{ROOT}/target"
MINUTE = 1_468_244_340
MALFORMED = [b"{}", b'{"uid":"a"}', b"[]", b"nothing", b"nothing"]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["Content-Type"], answer.read().decode()


def eventually(what, ask, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    sys.exit(f"waited {seconds} s in vain for {what}")


def equal(what, found, wanted):
    if found != wanted:
        print(f"WRONG: {what}: {found}, not {wanted}")
        sys.exit(1)
    print(f"{what}: {found}")


class Count:
    """A count that follows, and its log."""

    def __init__(self, arguments, brokers, folder):
        options = ["--follow", "--metrics", "0", "--log-format", "json", "--log-level", "info", "--timeout", "2s"]
        command = [arguments.kuu, "count", *options, "--brokers", brokers]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.events, arrived = [], queue.Queue()

        def read():
            for line in self.process.stderr:
                self.events.append(json.loads(line))
                arrived.put(self.events[-1])

        threading.Thread(target=read, daemon=True).start()
        while not (said := arrived.get(timeout=60)["message"]).startswith("metrics: "):
            pass
        self.url = said.removeprefix("metrics: ").removesuffix("/metrics")

    def samples(self):
        from prometheus_client.openmetrics.parser import text_string_to_metric_families

        status, kind, text = get(f"{self.url}/metrics")
        assert (status, kind) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"), (status, kind)
        families = text_string_to_metric_families(text)
        return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for of in families for sample in of.samples}


def expected(frames, size):
    """What each metric must be after the first frames."""
    fates = {"counted": frames, "too_late": 0, "too_far": 0}
    reasons = {"not_utf8": 0, "not_json": 2, "not_object": 1, "duplicate_key": 0, "no_uid": 1, "bad_uid": 0, "no_ts": 1, "bad_ts": 0}
    of_fates = {("kuu_ledger_frames_total", (("fate", fate),)): count for fate, count in fates.items()}
    of_reasons = {
        ("kuu_ledger_frames_total", (("fate", "malformed"), ("reason", reason))): count for reason, count in reasons.items()
    }
    plain = {
        "kuu_frames_total": frames + len(MALFORMED),
        "kuu_read_bytes_total": size,
        "kuu_late_frames_total": 0,
        "kuu_out_of_order_frames_total": 0,
        "kuu_open_windows": 1,
        "kuu_setbacks_total": 0,
        "kuu_in_setback": 0,
        "kuu_hidden_offsets": 0,
    }
    return {**{(name, ()): value for name, value in plain.items()}, **of_fates, **of_reasons,
            ("kuu_results_total", (("timing", "on_time"),)): 9, ("kuu_results_total", (("timing", "early"),)): 0,
            ("kuu_results_total", (("timing", "late"),)): 0}


def label(name, labels):
    return name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels) + "}" if labels else "")


class Prometheus:
    def __init__(self, program, target, folder, port):
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [f"{ROOT}/packaging/prometheus-alerts.yml"],
            "scrape_configs": [{"job_name": "kuu", "static_configs": [{"targets": [target]}]}],
        }
        with open(f"{folder}/prometheus.yml", "w") as file:
            json.dump(config, file)  # JSON is YAML
        log = open(f"{folder}/prometheus.log", "w")
        options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        self.process = subprocess.Popen([program, *options, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        self.url = f"http://127.0.0.1:{port}/api/v1"

    def api(self, path):
        try:
            return json.loads(get(f"{self.url}/{path}")[2])
        except (OSError, ValueError):
            return {"status": "none"}  # it is not ready yet

    def query(self, expression):
        return self.api("query?" + urllib.parse.urlencode({"query": expression}))

    def value(self, expression):
        found = self.query(expression).get("data", {}).get("result", [])
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def check(self, wanted):
        total = wanted[("kuu_frames_total", ())]
        eventually("a scrape", lambda: True if self.value("kuu_frames_total") == total else None)
        target = self.api("targets")["data"]["activeTargets"][0]
        equal("Prometheus says of its target", (target["health"], target["lastError"]), ("up", ""))
        for (name, labels), value in wanted.items():
            equal(f"Prometheus has {label(name, labels)}", self.value(label(name, labels)), float(value))
        equal("quantile over the commits is known", (self.value("histogram_quantile(0.99, kuu_commit_duration_seconds_bucket)") or 0) > 0, True)
        with open(f"{ROOT}/packaging/grafana-dashboard.json") as file:
            panels = json.load(file)["panels"]
        queries = [target["expr"] for panel in panels for target in panel["targets"]]
        plain = [query.replace("$__rate_interval", "1m").replace("$instance", ".*") for query in queries]
        bad = [query for query in plain if self.query(query)["status"] != "success"]
        equal(f"queries of the dashboard that fail, of {len(plain)}", bad, [])
        # A rate needs two scrapes.
        has_all = lambda: True if all(self.query(query).get("data", {}).get("result") for query in plain) else None
        eventually("a result of each query of the dashboard", has_all, 60)
        eventually("the first evaluation of the alerts", lambda: True if all(rule["health"] == "ok" for rule in self.rules()) else None)
        equal("alerts, and those that fire", (len(self.rules()), self.firing()), (9, []))

    def rules(self):
        return [rule for group in self.api("rules").get("data", {}).get("groups", []) for rule in group["rules"]]

    def firing(self):
        return [rule["name"] for rule in self.rules() if rule["state"] == "firing"]


def check(arguments, folder):
    brokers, kafka = f"127.0.0.1:{arguments.port}", [f"{ROOT}/scripts/kafka.sh"]
    place = ["--port", str(arguments.port), "--dir", f"{folder}/kafka"]
    os.mkdir(f"{folder}/kafka")
    subprocess.run([*kafka, "start", *place], check=True)
    processes = []
    try:
        frames = [json.dumps({"uid": f"u{i % 20}", "ts": MINUTE + i // 10}).encode() for i in range(6000)]
        values = frames + MALFORMED
        with open(f"{folder}/a.jsonl", "wb") as file:
            file.writelines(value + b"\n" for value in values)
        produce = [arguments.kuu, "produce", "a.jsonl", "--partitions", "1", "--brokers", brokers]
        subprocess.run(produce, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        count = Count(arguments, brokers, folder)
        processes.append(count.process)
        wanted = expected(len(frames), sum(map(len, values)))
        known = ("kuu_lag_frames", (("partition", "0"),))
        done = lambda found: found.get(("kuu_frames_total", ())) == len(values) and found.get(known) == 0
        found = eventually("all frames", lambda: (lambda found: found if done(found) else None)(count.samples()))
        for key, value in wanted.items():
            equal(label(*key), found.get(key), value)
        equal("kuu_watermark_timestamp_seconds", found[("kuu_watermark_timestamp_seconds", ())], MINUTE + 599 - 5)
        if arguments.prometheus:
            server = Prometheus(arguments.prometheus, count.url.removeprefix("http://"), folder, arguments.port + 5)
            processes.append(server.process)
            server.check(wanted)
        else:
            print("no prometheus on the PATH: not asked")
        outage(arguments, brokers, folder, kafka, place, count, processes)
        if arguments.prometheus:
            value = server.value("max_over_time(kuu_in_setback[5m])")
            equal("Prometheus saw the setback", value, 1.0)
    finally:
        for process in processes:
            process.kill()
        subprocess.run([*kafka, "stop", *place], check=False)


def outage(arguments, brokers, folder, kafka, place, count, processes):
    health = lambda wanted: (lambda answer: answer if answer[0] == wanted else None)(get(f"{count.url}/health"))
    equal("/health", health(200), (200, "text/plain; charset=utf-8", "fine\n"))
    load = [arguments.kuu, "produce", "a.jsonl", "--append", "--rate", "500", "--for", "20s", "--brokers", brokers]
    load = subprocess.Popen(load, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(load)
    time.sleep(3)
    with open(f"{folder}/kafka/kafka.pid") as file:
        os.kill(int(file.read()), signal.SIGKILL)
    print("the broker is killed")
    answer = eventually("/health to be 503", lambda: health(503))
    print(f"/health: {answer[0]}: {answer[2].strip()}")
    subprocess.run([*kafka, "start", *place], check=True)
    eventually("/health to be 200", lambda: health(200), 300)
    print("/health: 200")
    load.wait()
    sent = len(MALFORMED) + 6000 + 10_000
    name = ("kuu_frames_total", ())
    found = eventually("the frames of the load", lambda: (lambda found: found if found[name] == sent else None)(count.samples()))
    equal("frames after the outage", found[name], sent)
    parts = [value for (name, _), value in found.items() if name == "kuu_ledger_frames_total"]
    equal("the sum of their fates", sum(parts), sent)
    setbacks = found[("kuu_setbacks_total", ())]
    count.process.send_signal(signal.SIGTERM)
    equal("exit status after SIGTERM", count.process.wait(60), 130)
    events = [event for event in count.events if event["event"] == "setback"]
    equal("setbacks in the log and in the metrics", (len(events), setbacks > 0), (int(setbacks), True))
    print(json.dumps(events[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kuu", default=f"{TARGET}/release/kuu", help="the program [release/kuu of CARGO_TARGET_DIR or target]")
    parser.add_argument("--prometheus", default=shutil.which("prometheus"), help="the program [default: that on the PATH]")
    parser.add_argument("--port", type=int, default=23_400, help="of the broker; the next five are used too")
    arguments = parser.parse_args()
    arguments.kuu = os.path.abspath(arguments.kuu)
    try:
        import prometheus_client.openmetrics.parser  # noqa: F401
    except ImportError:
        print("check-metrics.py: python3 -m pip install prometheus_client", file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        # Not among the receipts and records of others.
        os.environ["XDG_STATE_HOME"] = folder
        check(arguments, folder)
    print("all well")


if __name__ == "__main__":
    main()
