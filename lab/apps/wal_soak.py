"""Looks for SQLite's WAL-reset bug (before 3.51.3) under unix-excl: many connections of one process, the log reset all the time.

  wal_soak.py --work DIR [--seconds 120] [--mode wal|delete] [--writers 10] [--readers 4]

The bug needs two connections that write or checkpoint at the same moment. Open WebUI holds up to 14 connections in one
process; here the log is checkpointed every few pages instead of every 1,000, so that it is reset hundreds of times more
often. Every commit is remembered; at the end all must be there and the database whole, also after a kill -9.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time


def connect(path: str, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute(f"PRAGMA journal_mode={mode}")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA wal_autocheckpoint=7")
    return db


def child(path: str, mode: str, seconds: float, writers: int, readers: int, acks: str) -> None:
    """Writes until killed or out of time; each commit is acknowledged with one line."""
    connect(path, mode).execute("CREATE TABLE IF NOT EXISTS t (writer INT, number INT, body TEXT, PRIMARY KEY (writer, number))")
    stop = time.monotonic() + seconds
    errors: list[str] = []
    out = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(writer: int) -> None:
        db, chance = connect(path, mode), random.Random(writer)
        (number,) = db.execute("SELECT coalesce(max(number), 0) FROM t WHERE writer = ?", (writer,)).fetchone()
        while time.monotonic() < stop:
            number += 1
            try:
                db.execute("INSERT INTO t VALUES (?, ?, ?)", (writer, number, "x" * chance.randint(10, 6000)))
                os.write(out, f"{writer} {number}\n".encode())
            except sqlite3.Error as error:
                errors.append(str(error))
                number -= 1

    def read() -> None:
        db = connect(path, mode)
        while time.monotonic() < stop:
            try:
                db.execute("SELECT count(*), sum(length(body)) FROM (SELECT body FROM t ORDER BY rowid DESC LIMIT 500)").fetchone()
            except sqlite3.Error as error:
                errors.append(str(error))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(writers)]
    threads += [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        print(json.dumps({"errors": {text: errors.count(text) for text in set(errors)}}), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--mode", choices=["wal", "delete"], default="wal")
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--readers", type=int, default=4)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    path, acks = os.path.join(args.work, f"{args.mode}.db"), os.path.join(args.work, f"{args.mode}.acks")
    chance = random.Random(1)
    began, kills = time.monotonic(), 0
    while time.monotonic() - began < args.seconds:
        pid = os.fork()
        if pid == 0:
            child(path, args.mode, 3600, args.writers, args.readers, acks)
            os._exit(0)
        time.sleep(min(chance.uniform(5, 20), max(1.0, args.seconds - (time.monotonic() - began))))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        kills += 1
        db = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True)
        state = db.execute("PRAGMA quick_check").fetchone()[0]
        db.close()
        if state != "ok":
            print(json.dumps({"mode": args.mode, "kills": kills, "integrity": state}))
            return 1
    db = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True)
    have = set(db.execute("SELECT writer, number FROM t"))
    with open(acks, encoding="ascii") as lines:
        wanted = {tuple(map(int, line.split())) for line in lines if line.endswith("\n")}
    result = {
        "mode": args.mode,
        "sqlite": sqlite3.sqlite_version,
        "seconds": round(time.monotonic() - began),
        "kills": kills,
        "acknowledged": len(wanted),
        "lost": len(wanted - have),
        "integrity": db.execute("PRAGMA integrity_check").fetchone()[0],
    }
    print(json.dumps(result))
    return 0 if not result["lost"] and result["integrity"] == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
