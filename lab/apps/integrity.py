"""Checks a copy of every SQLite file below a directory, with its WAL or journal. Prints {"verdict": "ok"} or what is wrong.

  integrity.py DIRECTORY

Copies, because opening a database recovers it: the next host has to find the files as the dead one left them.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile

OURS = {"snapshots", "set-aside", ".keeper"}  # what the keeper keeps for itself


def check(path: str) -> str:
    with tempfile.TemporaryDirectory() as work:
        copy = os.path.join(work, "copy")
        for suffix in ("", "-wal", "-journal"):
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, copy + suffix)
        try:
            db = sqlite3.connect(copy)
            try:
                return "; ".join(row[0] for row in db.execute("PRAGMA integrity_check(3)"))
            finally:
                db.close()
        except sqlite3.Error as error:
            return str(error)


def main() -> None:
    top, problems, files = sys.argv[1], [], 0
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name not in OURS]
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                if file.read(16) != b"SQLite format 3\0":
                    continue
            files += 1
            said = check(path)
            if said != "ok":
                problems.append(f"{os.path.relpath(path, top)}: {said}")
    if not files:
        problems.append("no SQLite file")  # Then nothing was checked.
    print(json.dumps({"verdict": "; ".join(problems) or "ok", "files": files}))


if __name__ == "__main__":
    main()
