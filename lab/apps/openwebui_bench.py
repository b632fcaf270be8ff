"""Fifty users on Open WebUI: our settings beside its own defaults, in one run on the same directory's disk.

  openwebui_bench.py --python VENV/bin/python --work DIR [--users 50] [--seconds 60] [--settings ours,rollback,defaults]

For each kind of settings: a fresh directory, the load, SIGTERM while users write, a second start, the check that everything
acknowledged is there, the database's integrity. One JSON object per kind. --work on the mount under test.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import openwebui_client  # noqa: E402

COMPLAINTS = ("database is locked", "QueuePool limit", "disk I/O error", "malformed", "Traceback")


class Server:
    def __init__(self, python: str, data: str, port: int, kind: str, log: str, embedding_port: int):
        self.url, self.data = f"http://127.0.0.1:{port}", data
        self.log = open(log, "ab")  # noqa: SIM115: open as long as the server
        command = [python, os.path.join(HERE, "openwebui_server.py"), "--data", data, "--port", str(port)]
        command += ["--settings", kind, "--embedding-port", str(embedding_port)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)

    def wait(self, seconds: float = 180) -> float:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.process.poll() is not None:
                raise SystemExit(f"Open WebUI ended with {self.process.returncode}: see {self.log.name}")
            try:
                urllib.request.urlopen(self.url + "/health", timeout=2).read()
                return time.monotonic() - began
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        raise SystemExit("Open WebUI did not start")

    def connections(self) -> int:
        """Open descriptors of the database file: one per connection."""
        folder, path = f"/proc/{self.process.pid}/fd", os.path.realpath(os.path.join(self.data, "webui.db"))
        try:
            return sum(os.path.realpath(os.path.join(folder, fd)) == path for fd in os.listdir(folder))
        except OSError:
            return 0

    def stop(self, number: int = signal.SIGTERM) -> tuple[float, int]:
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return round(time.monotonic() - began, 2), self.process.returncode


def complaints(log: str) -> dict[str, int]:
    with open(log, encoding="utf-8", errors="replace") as lines:
        text = lines.read()
    return {word: text.count(word) for word in COMPLAINTS if word in text}


def integrity(path: str) -> str:
    db = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True)
    try:
        mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        return f"{mode} {db.execute('PRAGMA integrity_check').fetchone()[0]}"
    finally:
        db.close()


def bench(args: argparse.Namespace, kind: str) -> dict[str, object]:
    work = os.path.join(args.work, kind)
    os.makedirs(work)
    data, log, acks = (os.path.join(work, name) for name in ("data", "log", "acks"))
    result: dict[str, object] = {"settings": kind}
    server = Server(args.python, data, args.port, kind, log, args.embedding_port)
    try:
        result["start_s"] = round(server.wait(), 1)
        most: collections.Counter[str] = collections.Counter()
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                most["connections"] = max(most["connections"], server.connections())

        watcher = threading.Thread(target=watch)
        watcher.start()
        result.update(openwebui_client.write(server.url, acks, args.users, args.seconds, False))
        result["files"] = sorted(name for name in os.listdir(data) if name.startswith("webui.db"))
        over.set()
        watcher.join()
        result.update(most)
        late = threading.Thread(target=openwebui_client.write, args=(server.url, acks, 5, 3, False), daemon=True)
        late.start()
        time.sleep(8)  # five sign-ins, then writes
        result["sigterm_s"], result["sigterm_exit"] = server.stop()
        late.join(10)
        result["left"] = sorted(name for name in os.listdir(data) if name.startswith("webui.db"))
    finally:
        server.process.kill()
    server = Server(args.python, data, args.port, kind, log, args.embedding_port)
    try:
        server.wait()
        result["verify"] = openwebui_client.verify(server.url, acks)
    finally:
        server.stop(signal.SIGKILL)
    result["integrity"] = integrity(os.path.join(data, "webui.db"))
    result["complaints"] = complaints(log)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="the Python of Open WebUI's environment")
    parser.add_argument("--work", required=True)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--settings", default="ours,rollback,defaults")
    parser.add_argument("--port", type=int, default=18220)
    parser.add_argument("--embedding-port", type=int, default=18300)
    args = parser.parse_args()
    for kind in args.settings.split(","):
        print(json.dumps(bench(args, kind)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
