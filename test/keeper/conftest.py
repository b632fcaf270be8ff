"""Runs the keeper on a local disk: in a fork of the test's process where only speed matters, as a program where the
process itself is the point (signals, exit status, the application's group)."""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import pytest

KEEPER = pathlib.Path(__file__).parents[2] / "lib" / "single-writer" / "keeper.py"

# In memory where there is such a place: these tests are about order, not about the disk.
ROOM = "/dev/shm" if os.path.isdir("/dev/shm") else None


sys.path.insert(0, str(KEEPER.parent))  # As Python does for a program: the keeper's modules stand beside it.


def load():
    spec = importlib.util.spec_from_file_location("keeper", KEEPER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


keeper = load()


class Result:
    """How a keeper ended: its status (negative: the signal that killed it) and the lines it logged."""

    def __init__(self, status, output):
        self.status, self.output = status, output
        self.events = [json.loads(line) for line in output.splitlines() if line.startswith('{"keeper"')]

    def event(self, name):
        found = [event for event in self.events if event["keeper"] == name]
        assert found, f"no {name} in:\n{self.output}"
        return found[-1]

    def names(self):
        return [event["keeper"] for event in self.events]


class Impatient(threading.Event):
    """The keeper looks after its child five times a second; these tests start hundreds of children."""

    def wait(self, timeout=None):
        return super().wait(0.01)


class Spawned:
    """A keeper that runs."""

    def __init__(self, pid, out):
        self.pid, self.out, self.status = pid, out, None

    def output(self):
        return self.out.read_text() if self.out.exists() else ""

    def seen(self, name):
        """Waits for an event."""
        eventually(lambda: f'"keeper": "{name}"' in self.output())
        return Result(None, self.output()).event(name)

    def poll(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def result(self, seconds=30):
        end = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < end, f"it still runs:\n{self.output()}"
            time.sleep(0.002)
        return Result(self.status, self.output())

    def send(self, number):
        os.kill(self.pid, number)
        return self

    def close(self):
        if self.poll() is None:
            self.send(signal.SIGKILL)
            self.result()


def measure():
    """With KEEPER_LINES=<file>: notes there the lines of the keeper that this fork runs, for lines.py."""
    if not os.environ.get("KEEPER_LINES"):
        return
    target, seen = os.environ["KEEPER_LINES"], set()

    def line(frame, event, _):
        seen.add(frame.f_lineno)
        return line

    def trace(frame, *_):
        return line(frame, None, None) if frame.f_code.co_filename == str(KEEPER) else None

    def save():
        with open(target, "a") as file:
            file.write("".join(f"{number}\n" for number in seen))

    leave, kill = os._exit, os.kill
    os._exit = lambda status: (save(), leave(status))
    os.kill = lambda pid, number: (pid == os.getpid() and number == signal.SIGKILL and save(), kill(pid, number))
    threading.settrace(trace)
    sys.settrace(trace)


class Box:
    """A directory of stores, and the keeper on it."""

    def __init__(self, path):
        self.path = path
        self.dir = path / "volume"
        self.local = path / "local"
        self.dir.mkdir(parents=True)
        self.env = {"KEEPER_LEASE_DEADLINE": "1", "KEEPER_SNAPSHOT_AT": ""}
        self.started = []

    def environment(self, **more):
        base = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPER_", "ECS_"))}
        return {**base, "KEEPER_DIR": str(self.dir), "KEEPER_LOCAL_DIR": str(self.local), **self.env, **more}

    def spawn(self, *words, patch=None, **env):
        """keeper.py WORDS in a fork of this process: as real a process, in a tenth of the time. Snapshots get names a
        second apart, without the wait. `patch` is run in it first."""
        out = self.path / f"out{len(self.started)}"
        pid = os.fork()
        if pid == 0:
            status = 99
            measure()
            try:
                fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(fd, 1)
                os.dup2(fd, 2)
                os.environ.clear()
                os.environ.update(self.environment(**env))
                keeper.utc = self.clock
                if "TRACE" in env:
                    keeper.reached = lambda step: print(step, file=open(env["TRACE"], "a"))
                keeper.stopping = Impatient()
                sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
                if patch:
                    patch()
                status = keeper.main(list(words))
                sys.stdout.flush()
            except BaseException:
                os.write(1, traceback.format_exc().encode())
            finally:
                os._exit(status)
        self.started.append(Spawned(pid, out))
        return self.started[-1]

    def fork(self, *words, patch=None, **env):
        return self.spawn(*words, patch=patch, **env).result()

    def clock(self):
        counter = self.path / "clock"
        now = int(counter.read_text()) + 1 if counter.exists() else 1_700_000_000
        counter.with_suffix(f".{os.getpid()}").write_text(str(now))
        counter.with_suffix(f".{os.getpid()}").rename(counter)  # Its process may be killed at any moment.
        return time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime(now))

    def start(self, *words, **env):
        """keeper.py WORDS as a program."""
        out = self.path / f"out{len(self.started)}"
        with open(out, "w") as file:
            command = [sys.executable, str(KEEPER), *words]
            process = subprocess.Popen(command, env=self.environment(**env), stdout=file, stderr=file)
        self.started.append(Spawned(process.pid, out))
        return self.started[-1]

    def phase(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.local / "phase").read_text()

    def owner(self):
        fd = os.open(self.dir / ".owner", os.O_RDONLY)
        try:
            return keeper.Slots(fd, 0, 4096).read(), keeper.Slots(fd, 8192, 65536).read()
        finally:
            os.close(fd)

    def state(self):
        return self.owner()[0]["state"]

    def snapshots(self, store):
        path = self.dir / "snapshots" / store
        return sorted(p.name for p in path.iterdir()) if path.exists() else []

    def set_aside(self):
        path = self.dir / "set-aside"
        return sorted(p.name for p in path.iterdir()) if path.exists() else []

    def hold(self, **more):
        """Marks the lease as held by somebody who died, without a start that would take over."""
        fd = os.open(self.dir / ".owner", os.O_RDWR | os.O_CREAT, 0o640)
        slots = keeper.Slots(fd, 0, 4096)
        epoch = (slots.read() or {}).get("epoch", 0)
        slots.write({"epoch": epoch + 1, "state": "held", "owner": "dead", "since": "-", "beat": 1, **more})
        os.close(fd)

    def staged(self):
        """What is left in the staging directories."""
        return sorted(str(p.relative_to(self.dir)) for p in (self.dir / ".keeper").glob("*/*")) if (self.dir / ".keeper").exists() else []

    def close(self):
        for process in self.started:
            process.close()


@pytest.fixture
def box():
    path = pathlib.Path(tempfile.mkdtemp(prefix="keeper-", dir=ROOM))
    made = Box(path)
    yield made
    made.close()
    shutil.rmtree(path, ignore_errors=True)


def eventually(check, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def alive(pid):
    return keeper.proc_fields(f"/proc/{pid}/stat")[:1] not in ([], ["Z"])


def in_fork(work):
    """Runs work() in a process that is then killed, so that nothing is closed or cleaned up."""
    pid = os.fork()
    if pid == 0:
        try:
            kept = work()  # Python would close a connection that nobody refers to any more.
            os.kill(os.getpid(), signal.SIGKILL)
            del kept
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the writer failed"


def make_database(path, rows=20, journal="wal"):
    """A database that is closed."""
    with contextlib.closing(sqlite3.connect(str(path), isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode={journal}")
        db.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
        add_rows(db, rows)


def add_rows(db, rows):
    for _ in range(rows):
        db.execute("INSERT INTO t (v) VALUES (?)", ("x" * 300,))


def leave_wal(path, rows=20, more=15):
    """A database whose last commits are in its WAL alone. Returns the number of acknowledged rows."""

    def write():
        make_database(path, rows)
        db = keeper.open_sqlite(str(path))
        db.execute("PRAGMA wal_autocheckpoint=0")
        add_rows(db, more)
        return db

    in_fork(write)
    assert os.path.getsize(f"{path}-wal") > 300 * more
    return rows + more


def leave_hot_journal(path, rows=200):
    """A database in rollback mode whose writer died in the middle of a commit that had reached the file: without its
    journal it is not what was acknowledged."""

    def write():
        make_database(path, rows, "delete")
        db = sqlite3.connect(str(path), isolation_level=None)
        db.execute("PRAGMA cache_size=1")
        db.execute("BEGIN")
        db.execute("UPDATE t SET v = upper(v) || '!'")
        add_rows(db, 200)
        return db

    in_fork(write)
    assert keeper.is_hot(f"{path}-journal")
    return rows


def rows_of(path):
    """The number of rows of a database that is whole; the values say that nothing half-written is in it."""
    with contextlib.closing(sqlite3.connect(str(path))) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*) FROM t WHERE v <> ?", ("x" * 300,)).fetchone() == (0,)
        return db.execute("SELECT count(*) FROM t").fetchone()[0]


def flip(path, offset, length=64):
    with open(path, "r+b") as file:
        file.seek(offset)
        data = file.read(length)
        file.seek(offset)
        file.write(bytes(b ^ 0xFF for b in data))
