"""Opens every SQLite file of the volume exclusively, in an application that has no setting for it.

The keeper puts this file as sitecustomize.py into a directory of its own and that directory first on the application's
PYTHONPATH; Python imports it before the application. From then on sqlite3.connect (and what is built on it: aiosqlite,
SQLAlchemy) opens files below KEEPER_DIR through the VFS unix-excl, and one more connection per file stays open as long as
the process lives: it holds the lock. An application like CrewAI opens and closes its databases at every operation; without
that lock another host, or a cut-off former owner that comes back, could open the file by its path in between.

KEEPER_EXCLUSIVE=0 turns it off. Paths outside KEEPER_DIR, databases in memory and URIs are left alone.
"""

import os
import sqlite3
import threading
import urllib.parse


def install(root):
    """Replaces sqlite3.connect. `root`: the directory whose files are opened exclusively."""
    root = os.path.join(os.path.realpath(root), "")
    plain, lock, anchors = sqlite3.connect, threading.Lock(), {}

    def forget():
        # A forked child shares the descriptors but not the locks: it opens its own, and must not close these.
        nonlocal lock
        lock = threading.Lock()
        kept.append(dict(anchors))
        anchors.clear()

    kept = []
    os.register_at_fork(after_in_child=forget)

    def connect(database, *args, **kwargs):
        if isinstance(database, (str, bytes, os.PathLike)):
            path = os.fsdecode(database)
            real = os.path.realpath(path)
            if path and not path.startswith((":", "file:")) and real.startswith(root):
                database = f"file:{urllib.parse.quote(real)}?vfs=unix-excl"
                kwargs["uri"] = True
                args = args[:6]  # timeout to cached_statements; uri, the seventh, is given by name
                with lock:
                    if real not in anchors:
                        anchor = plain(database, uri=True, check_same_thread=False, isolation_level=None)
                        anchors[real] = anchor
                        # unix-excl locks at the first access and lets go when the process's last connection closes.
                        anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return plain(database, *args, **kwargs)

    sqlite3.connect = sqlite3.dbapi2.connect = connect
    return anchors


def next_sitecustomize():
    """The application's own sitecustomize, which this one hides, still runs."""
    import importlib.machinery
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    rest = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec and spec.loader:
        import importlib.util

        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if __name__ == "sitecustomize":
    if os.environ.get("KEEPER_DIR") and os.environ.get("KEEPER_EXCLUSIVE") != "0":
        install(os.environ["KEEPER_DIR"])
    next_sitecustomize()
