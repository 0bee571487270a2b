"""Runs the blocks of a page in a clean clone."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from docs.pages import Differs, blocks, compare, plain

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 120
FETCH_S = 1800  # of what builds or fetches
GRACE_S = 10
SLOW_S = 2  # what takes longer is said


class Unusable(Exception):
    """Something could not be run."""


class Terminal:
    """A command that runs beside others."""

    def __init__(self, block, command, number, expected, place, environment):
        self.block, self.command, self.number, self.expected = block, command, number, expected
        self.output = tempfile.NamedTemporaryFile(mode="w+", errors="replace")
        self.process = subprocess.Popen(["bash", "-c", command], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)

    def text(self):
        return pathlib.Path(self.output.name).read_text(errors="replace")

    def wait_for_first_line(self):
        """Until it shows its first line, or 2 s where that is not said."""
        first = next((line for _, line in self.expected if line.strip()), "...")
        until = time.monotonic() + (2 if first == "..." else 20)
        while time.monotonic() < until and self.process.poll() is None:
            if first != "..." and any(plain(line) == plain(first) for line in self.text().splitlines()):
                return
            time.sleep(0.1)

    def end(self, interrupt, patience=PATIENCE_S):
        if interrupt:
            time.sleep(3)  # a person takes a look first
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Differs(f"{self.block.page}:{self.number}: it does not end within {patience} s\n{tail(self.text())}") from None

    def kill(self):
        """Asks it first, as a script has processes of its own to stop."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                return
            os.killpg(self.process.pid, sign)
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                pass


class Run:
    """A page that is run in a clone, with an environment of its own."""

    def __init__(self, page, place, environment, names, has_kafka, edits=None):
        self.page, self.place, self.environment, self.names, self.has_kafka = page, place, environment, names, has_kafka
        self.terminals, self.run, self.left_out, self.edits = {}, 0, 0, edits

    def block(self, block):
        if "file" in block.words:
            path = self.place / block.words["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(block.lines) + "\n")
            return
        if block.language != "console" or "quoted" in block.words:
            return
        if "kafka" in block.words and not self.has_kafka:
            self.left_out += 1
            return
        for word in ("wait", "interrupt"):
            for name in filter(None, block.words.get(word, "").split(",")):
                self.close(name, word == "interrupt")
        commands = block.commands()
        for index, (command, number, expected) in enumerate(commands):
            # Some commands take their broker from the command line only.
            for real, shown in self.names:
                command = command.replace(shown, real)
            status = int(block.words.get("exit", 0)) if index == len(commands) - 1 else 0
            if "terminal" in block.words:
                terminal = Terminal(block, command, number, expected, self.place, self.environment)
                self.terminals[block.words["terminal"]] = terminal
                terminal.wait_for_first_line()
            else:
                self.command(block, command, number, expected, status)
            self.run += 1

    def command(self, block, command, number, expected, status):
        fetches = "cargo" in command or "kafka.sh start" in command or "engines build" in command
        patience, begun = FETCH_S if fetches else PATIENCE_S, time.monotonic()
        terminal = Terminal(block, command, number, expected, self.place, self.environment)
        try:
            ended = terminal.end(False, patience)
            self.judge(terminal, ended, status)
        finally:
            terminal.kill()
        if (seconds := time.monotonic() - begun) > SLOW_S:
            print(f"{block.page}:{number}: {seconds:.0f} s: {command}", flush=True)

    def close(self, name, interrupt):
        if name not in self.terminals:
            if self.has_kafka:
                raise Differs(f"{self.page}: no block has terminal={name}")
            return
        terminal = self.terminals.pop(name)
        try:
            self.judge(terminal, terminal.end(interrupt), int(terminal.block.words.get("exit", 0)))
        finally:
            terminal.kill()

    def judge(self, terminal, ended, status):
        block, text = terminal.block, terminal.text()
        if ended != status:
            raise Differs(f"{block.page}:{terminal.number}: exit status {ended}, not {status}\n{tail(text)}")
        for real, shown in self.names:
            text = text.replace(real, shown)
        expected = terminal.expected or [(terminal.number, "")]
        try:
            came = compare(block.page, expected, text, block.words)
            if self.edits is not None:
                self.edits += [(number - 1, 1, [line]) for number, line in came]
        except Differs:
            if self.edits is None:
                raise
            first = terminal.number + terminal.command.count("\n")
            self.edits.append((first, len(terminal.expected), shortened(terminal.expected, text)))

    def finish(self):
        for name in list(self.terminals):
            self.close(name, False)

    def kill(self):
        for terminal in self.terminals.values():
            terminal.kill()


def tail(text):
    return "\n".join("    " + line for line in text.splitlines()[-15:])


def clone(work):
    """A clean clone, with what is not committed yet."""
    place = work / "kuu"
    git = lambda *words, at=ROOT: subprocess.run(["git", "-C", at, *words], check=True, capture_output=True, text=True).stdout
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, place], check=True)
    changed = [name for name in git("ls-files", "-z", "-m", "-o", "--exclude-standard").split("\0") if name]
    for name in changed:
        if (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
        else:
            (place / name).unlink(missing_ok=True)
    if changed:
        print(f"the clone has {len(set(changed))} files as they are here, not as they are committed")
    return place


def free_port():
    """Three in a row: for a broker, for its controller, for metrics."""
    for port in range(23000 + os.getpid() % 2900 * 3, 31990, 3):
        if all(is_free(port + more) for more in range(3)):
            return port
    raise Unusable("no port is free")


def is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def environment_of(work, place, kuu, port):
    """What a newcomer has, with the broker at another port, and with the built kuu if there is one."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("KUU_") and name not in ("CARGO_TARGET_DIR", "NO_COLOR", "CLICOLOR_FORCE")}
    environment.update(KUU_KAFKA_PORT=str(port), KUU_BROKERS=f"localhost:{port}", XDG_STATE_HOME=str(work / "state"))
    path = [str(place / "target/release")]
    if kuu:
        (place / "target/release").mkdir(parents=True)
        (place / "target/release/kuu").symlink_to(kuu)
        (work / "bin").mkdir()
        cargo = work / "bin/cargo"
        cargo.write_text("#!/bin/sh\n# kuu is built already: scripts/check-docs --kuu\n")
        cargo.chmod(0o755)
        path.insert(0, str(work / "bin"))
    environment["PATH"] = os.pathsep.join([*path, environment["PATH"]])
    return environment


def shortened(expected, printed):
    """What was printed, with as many lines before and after `...` as the page has."""
    lines = [line.rstrip() for line in printed.rstrip("\n").splitlines()]
    words = [line.strip() for _, line in expected]
    if "..." not in words:
        return lines
    before, after = words.index("..."), len(words) - 1 - words[::-1].index("...")
    return [*lines[:before], "...", *(lines[-(len(words) - 1 - after):] if after < len(words) - 1 else [])]


def run_page(page, text, kuu, has_kafka, edits=None):
    """Runs the blocks of a page; returns how many commands ran, and how many blocks were left out. With a list of edits, outputs
    that differ go there."""
    found = blocks(page, text)
    if not any(block.language == "console" and "quoted" not in block.words for block in found):
        return 0, 0
    with tempfile.TemporaryDirectory(prefix="kuu-docs-") as directory:
        work = pathlib.Path(directory).resolve()
        place, port = clone(work), free_port()
        names = [(str(place), "/home/you/kuu"), (f"localhost:{port}", "localhost:9092"), (f"127.0.0.1:{port + 2}", "127.0.0.1:9464")]
        run = Run(page, place, environment_of(work, place, kuu, port), names, has_kafka, edits)
        try:
            for block in found:
                run.block(block)
            run.finish()
        finally:
            run.kill()
            subprocess.run([place / "scripts/kafka.sh", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return run.run, run.left_out
