"""Kills a Chroma server with SIGKILL while it saves its index, many times, and says what is left.

  chroma_kill.py --chroma VENV/bin/chroma --work DIR [--rounds 50] [--purge default|off] [--heal] [--threshold 100]

Each round: start, write, kill (half of the rounds at a random moment, half within milliseconds of the index being
touched), start again, check every acknowledged vector. One JSON line per round, a summary at the end. The files as
they were right after a kill that broke something are kept in DIR/broken-N.

--purge off    sets Chroma's own switch to keep every vector in its queue table, as the keeper does
--heal         runs the keeper's check and rebuild between the kill and the restart
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib", "single-writer")]

import chroma_client  # noqa: E402


FILE_LIMIT = 1 << 30  # A server on a torn index can write until the disk is full.


def start(chroma: str, data: str, port: int, log: str) -> subprocess.Popen:
    with open(log, "ab") as out:
        return subprocess.Popen(
            [chroma, "run", "--path", data, "--port", str(port)],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT)),
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )


def wait_for_save(data: str, deadline: float) -> bool:
    """Returns when some index file changes: the save has just begun."""

    def stamp() -> int:
        newest = 0
        for entry in os.scandir(data):
            if entry.is_dir():
                try:
                    newest = max(newest, os.stat(os.path.join(entry.path, "header.bin")).st_mtime_ns)
                except FileNotFoundError:
                    pass
        return newest

    before = stamp()
    while time.monotonic() < deadline:
        if stamp() != before:
            return True
        time.sleep(0.0003)
    return False


def round_(args: argparse.Namespace, number: int, chance: random.Random) -> dict[str, object]:
    data, acks = os.path.join(args.work, "data"), os.path.join(args.work, "acks")
    log = os.path.join(args.work, "server.log")
    url = f"http://127.0.0.1:{args.port}"
    client = chroma_client.Chroma(url, timeout=60)
    result: dict[str, object] = {"round": number}

    server = start(args.chroma, data, args.port, log)
    try:
        client.wait()
        if args.purge == "off":
            import chroma  # the keeper's module

            chroma.keep_every_vector(data)
        hnsw = {"sync_threshold": args.threshold}
        writer = threading.Thread(
            target=chroma_client.write, args=(url, acks, "lab", args.batch, 2, args.seconds, hnsw)
        )
        writer.start()
        time.sleep(chance.uniform(0.5, args.seconds * 0.6))
        if number % 2:
            result["aimed"] = wait_for_save(data, time.monotonic() + args.seconds)
            time.sleep(chance.uniform(0, args.aim))
        server.send_signal(signal.SIGKILL)
        server.wait()
        writer.join()
    finally:
        server.kill()
        server.wait()

    kept = os.path.join(args.work, f"broken-{number}")
    shutil.copytree(data, kept)
    if args.heal or args.check:
        import chroma

        problems = chroma.check_chroma(data)
        result["problems"] = [str(problem) for problem in problems]
        if args.heal:
            result["rebuilt"] = sorted({problem.segment for problem in problems if problem.rebuildable})
            chroma.forget_indexes(data, result["rebuilt"])
            for name in result["rebuilt"]:
                shutil.rmtree(os.path.join(data, name), ignore_errors=True)

    server = start(args.chroma, data, args.port, log)
    try:
        client.wait()
        began = time.monotonic()
        result.update(chroma_client.verify(url, acks, "lab", 25))
        result["verify_s"] = round(time.monotonic() - began, 2)
        if server.poll() is not None:
            result["error"] = f"server died: {server.returncode}"
    finally:
        server.kill()
        server.wait()
    broken = [name for name in ("error", "missing", "wrong") if result.get(name)]
    result["broken"] = broken
    if broken:
        shutil.rmtree(data)
        os.makedirs(data)
        os.remove(acks)
    else:
        shutil.rmtree(kept)
        if int(result["acknowledged"]) > args.limit:  # keep the rounds short
            shutil.rmtree(data)
            os.makedirs(data)
            os.remove(acks)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chroma", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--purge", choices=["default", "off"], default="default")
    parser.add_argument("--heal", action="store_true")
    parser.add_argument("--check", action="store_true", help="run the check after the kill, but do not rebuild")
    parser.add_argument("--threshold", type=int, default=100)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--aim", type=float, default=0.03, help="kill within this many seconds of a save's begin")
    parser.add_argument("--limit", type=int, default=8000)
    parser.add_argument("--port", type=int, default=18101)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(os.path.join(args.work, "data"), exist_ok=True)
    chance = random.Random(args.seed)
    total: collections.Counter[str] = collections.Counter()
    for number in range(args.rounds):
        result = round_(args, number, chance)
        print(json.dumps(result), flush=True)
        total["rounds"] += 1
        total["acknowledged"] += int(result.get("acknowledged", 0))  # type: ignore[call-overload]
        for name in result["broken"]:  # type: ignore[attr-defined]
            total[f"rounds with {name}"] += 1
        if not result["broken"]:
            total["rounds whole"] += 1
        total["vectors missing"] += int(result.get("missing", 0))  # type: ignore[call-overload]
    print(json.dumps({"summary": dict(total)}))
    return 0 if total["rounds whole"] == total["rounds"] else 1


if __name__ == "__main__":
    sys.exit(main())
