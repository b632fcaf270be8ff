"""The application under the keeper: its status, its signals, and snapshots while it runs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from conftest import alive, eventually, keeper, make_database, rows_of

# Commits one row after the other through unix-excl, and writes down which were acknowledged. It ends by itself, so that
# a test that fails leaves nothing that fills the disk.
WRITER = """
import os, sqlite3, sys, time
db = sqlite3.connect("file:" + sys.argv[1] + "?vfs=unix-excl", uri=True, isolation_level=None, timeout=30)
db.execute("PRAGMA journal_mode=" + sys.argv[3])
db.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
out = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
end = time.monotonic() + 20
while time.monotonic() < end:
    row = db.execute("INSERT INTO t (v) VALUES (?)", ("x" * 300,)).lastrowid
    os.write(out, b"%d\\n" % row)
"""


def writer(box, journal="wal"):
    return ("run", "--", sys.executable, "-S", "-c", WRITER, str(box.dir / "webui.db"), str(box.path / "acknowledged"), journal)


def acknowledged(box):
    path = box.path / "acknowledged"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def stubborn(box):
    """Does not stop when asked to."""
    return ("run", "--", "sh", "-c", f"trap '' TERM; touch {box.path}/ready; while :; do sleep 0.05; done")


# --- status and signals, as a program ---


def test_the_status_of_the_application(box):
    for status in (0, 1, 42):
        assert box.start("run", "--", "sh", "-c", f"exit {status}").result().status == status
    end = box.start("run", "sh", "-c", "kill -SEGV $$").result()
    assert end.status == 128 + signal.SIGSEGV and end.event("exited")["clean"] is False
    assert box.state() == "held"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_passed_on_and_clean(box, number):
    script = f"trap 'touch {box.path}/stopped; exit 0' TERM; touch {box.path}/ready; while :; do sleep 0.02; done"
    run = box.start("run", "--", "sh", "-c", script)
    eventually((box.path / "ready").exists)
    end = run.send(number).result()
    assert end.status == 0 and (box.path / "stopped").exists() and end.event("released")
    assert box.state() == "released" and box.phase() == "stopping"


def test_an_application_that_dies_of_the_signal_has_stopped_cleanly_too(box):
    run = box.start("run", "--", "sleep", "60")
    run.seen("running")
    assert run.send(signal.SIGTERM).result().status == 143
    assert box.state() == "released"


def test_an_application_that_does_not_stop_is_killed(box):
    run = box.spawn(*stubborn(box), KEEPER_STOP_TIMEOUT="0.5")
    eventually((box.path / "ready").exists)
    end = run.send(signal.SIGTERM).result()
    assert end.status == 137 and "did not stop within" in end.event("killed")["message"]
    assert box.state() == "held"


def test_what_the_application_leaves_behind_is_ended_before_the_release(box):
    run = box.spawn("run", "--", "sh", "-c", f"sleep 60 & echo $! > {box.path}/pid")
    assert run.result().status == 0
    assert not alive(int((box.path / "pid").read_text()))


def test_a_process_that_cannot_be_ended_leaves_the_lease_held(box):
    def patch():
        keeper.Child.end = lambda self: False

    end = box.fork("run", "--", "true", patch=patch)
    assert end.status == 0 and end.event("exited")["clean"] is False and box.state() == "held"


def test_the_application_does_not_inherit_an_ignored_sigpipe(box):
    end = box.start("run", "--", "sh", "-c", "grep SigIgn /proc/self/status").result()
    ignored = int(end.output.split("SigIgn:")[1].split()[0], 16)
    assert not ignored & 1 << signal.SIGPIPE - 1


def test_a_stop_before_the_start(box):
    first = box.spawn("run", "--", "sleep", "60")
    first.seen("running")
    second = box.start("run", "--", "true", KEEPER_LEASE_DEADLINE="30")
    second.seen("waiting")
    end = second.send(signal.SIGTERM).result()
    assert end.status == 143 and end.event("stopped")


def test_the_starter_ends_when_its_keeper_is_gone(box):
    """The keeper was killed before its child could ask the kernel to be killed with it."""
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-S", "-c", keeper.STARTER, "1", "touch", str(box.path / "opened")])
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 137 and not (box.path / "opened").exists()


def test_the_phase_file(box):
    make_database(box.dir / "webui.db")
    end = box.fork("run", "--", "cp", str(box.local / "phase"), str(box.path / "seen"))
    assert end.status == 0 and (box.path / "seen").read_text() in ("snapshot", "running")
    assert box.phase() == "stopping"


def test_the_application_does_not_notice_a_reader_that_is_gone(box):
    read, write = os.pipe()
    os.close(read)

    def patch():
        os.dup2(write, 1)

    assert box.fork("run", "--", "true", patch=patch).status == 0
    os.close(write)
    assert box.state() == "released"


def test_a_fault_of_the_keeper_ends_the_application_and_leaves_the_lease_held(box):
    def patch():
        def broken(self, child):
            time.sleep(0.2)
            raise KeyError("a fault")

        keeper.Keeper.supervise = broken

    run = box.spawn("run", "--", "sh", "-c", f"echo $$ > {box.path}/pid; sleep 60", patch=patch)
    end = run.result()
    assert end.status == 71 and "KeyError" in end.event("failed")["message"]
    eventually(lambda: not alive(int((box.path / "pid").read_text())))
    assert box.state() == "held"


def test_a_report_that_cannot_be_read_does_not_end_the_application(box):
    """A journal that is removed while its size is read, an overloaded volume: the heartbeat decides, nothing else."""

    def patch():
        monotonic, count = time.monotonic, [0]

        def hurry():
            count[0] += 1
            return monotonic() + count[0] * 20

        def broken(self):
            raise FileNotFoundError("webui.db-journal")

        keeper.Keeper.report = broken
        keeper.Lease._watch = lambda self: None
        keeper.time = type("Hurry", (), {"__getattr__": lambda self, name: getattr(time, name)})()
        keeper.time.monotonic = hurry

    run = box.spawn("run", "--", "sleep", "1", patch=patch)
    end = run.result()
    assert end.status == 0 and "runs on" in end.event("failed")["message"]


def reported(box, slowest=0.0):
    """A keeper, and what its report says."""
    k = keeper.Keeper({"KEEPER_DIR": str(box.dir)})
    k.lease = type("Lease", (), {"slowest": slowest})()
    told = {}
    log, keeper.log = keeper.log, lambda event, **fields: told.update(fields)
    try:
        k.report()
    finally:
        keeper.log = log
    return k, told


def test_a_report(box):
    make_database(box.dir / "webui.db")
    box.fork("run", "--", "true")
    k, told = reported(box, slowest=0.25)
    assert told["heartbeat_s"] == 0.25 and told["database_bytes"] > 4096 and told["wal_bytes"] == 0
    assert told["snapshot_age_s"] > 0 and k.lease.slowest == 0
    mounted = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", str(box.dir)], capture_output=True, text=True, check=True)
    assert told["filesystem"] in mounted.stdout.split()
    assert told["journal"] == {"webui.db": "wal"} and told["shared_memory"] == []


def test_what_a_database_says_of_its_journal(box):
    path = box.dir / "app.db"
    assert keeper.journal_of(str(path)) == "none"
    path.write_bytes(b"")
    assert keeper.journal_of(str(path)) == "none"
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert keeper.journal_of(str(path)) == "rollback"


def test_a_shared_memory_file_is_told(box):
    make_database(box.dir / "webui.db")
    (box.dir / "webui.db-shm").touch()
    _, told = reported(box)
    assert told["shared_memory"] == ["webui.db"]


def test_sizes_of_files_that_vanish(box):
    make_database(box.dir / "webui.db")
    store = keeper.Store(str(box.dir), "webui.db")
    assert store.bytes(["webui.db", "webui.db-journal"]) == os.path.getsize(box.dir / "webui.db")


# --- snapshots while it runs ---


def due_now(times=1):
    def patch():
        left = list(range(times))
        keeper.Keeper.next_snapshot = lambda self: time.time() + 0.3 if left and left.pop() is not None else None

    return patch


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_snapshot_while_it_writes(box, journal):
    run = box.spawn(*writer(box, journal), patch=due_now())
    made = run.seen("snapshot")
    at_least = rows_of(box.dir / "snapshots" / made["id"] / "files" / "webui.db")
    assert at_least > 0 and made["reason"] == "scheduled"
    assert run.seen("pause")["pause_s"] < 5
    before = len(acknowledged(box))
    eventually(lambda: len(acknowledged(box)) > before)  # It goes on.
    assert run.send(signal.SIGTERM).result().status == 143
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") >= len(acknowledged(box))


def test_every_commit_before_the_pause_is_in_the_snapshot(box):
    def patch():
        due_now()()
        pause = keeper.Child.pause

        def count(self):
            rested = pause(self)
            (box.path / "at-pause").write_text(str(len(acknowledged(box))))
            return rested

        keeper.Child.pause = count

    run = box.spawn(*writer(box), patch=patch)
    made = run.seen("snapshot")
    inside = rows_of(box.dir / "snapshots" / made["id"] / "files" / "webui.db")
    # The writer may have been stopped between a commit and its note of it.
    assert int((box.path / "at-pause").read_text()) <= inside <= int((box.path / "at-pause").read_text()) + 1


def test_a_database_is_asked_before_the_application_rests(box):
    """It may rest within a transaction; then the question would wait ten seconds, and lengthen the pause by them."""

    def patch():
        due_now()()
        pause, resume, ask = keeper.Child.pause, keeper.Child.resume, keeper.chroma_stores
        resting = []
        keeper.Child.pause = lambda self: resting.append(True) or pause(self)
        keeper.Child.resume = lambda self: resting.clear() or resume(self)

        def asked(store, tree=""):
            if not tree and resting:
                (box.path / "asked-at-rest").touch()
            (box.path / "asked").touch()
            return ask(store, tree)

        keeper.chroma_stores = asked

    run = box.spawn(*writer(box), patch=patch)
    run.seen("snapshot")
    assert (box.path / "asked").exists() and not (box.path / "asked-at-rest").exists()


def test_a_pause_that_would_be_too_long_becomes_a_restart(box):
    run = box.spawn(*writer(box), patch=due_now(), KEEPER_MAX_PAUSE="0")
    told = run.seen("snapshot-restart")
    assert "too long" in told["message"]
    run.seen("snapshot")
    before = len(acknowledged(box))
    eventually(lambda: len(acknowledged(box)) > before)
    assert box.phase() == "running"
    assert run.send(signal.SIGTERM).result().status == 143 and box.state() == "released"


def test_a_stop_during_a_snapshot_does_not_wait_for_it(box):
    """A check of gigabytes takes longer than ECS waits."""

    def patch():
        due_now()()
        check = keeper.check_sqlite

        def slow(path):
            (box.path / "checking").touch()
            end = time.monotonic() + 30
            while not keeper.stopping.is_set() and time.monotonic() < end:
                time.sleep(0.02)
            check(path)

        keeper.check_sqlite = slow

    run = box.spawn(*writer(box), patch=patch)
    eventually((box.path / "checking").exists)
    start = time.monotonic()
    end = run.send(signal.SIGTERM).result()
    assert end.status == 143 and time.monotonic() - start < 5 and box.state() == "released"
    assert end.event("snapshot-failed") and not box.snapshots("webui.db")


def test_a_stop_during_a_restart_does_not_start_it_again(box):
    def patch():
        due_now()()
        keeper.Keeper.try_snapshot = lambda *_: (keeper.stopping.set())

    end = box.spawn(*writer(box), patch=patch, KEEPER_MAX_PAUSE="0").result()
    assert end.status == 143 and end.names().count("running") == 1 and box.state() == "released"


def test_a_snapshot_that_fails_its_check_is_told_and_the_application_runs_on(box):
    def patch():
        due_now()()

        def damaged(path):
            raise keeper.Damage("page 3 is gone")

        keeper.check_sqlite = damaged

    run = box.spawn(*writer(box), patch=patch)
    assert "page 3" in run.seen("snapshot-failed")["message"]
    before = len(acknowledged(box))
    eventually(lambda: len(acknowledged(box)) > before)
    assert not box.snapshots("webui.db")


def test_an_application_that_does_not_come_to_rest_is_left_alone(box):
    def patch():
        due_now()()
        keeper.Child.pause = lambda self: False

    run = box.spawn(*writer(box), patch=patch)
    assert "did not come to rest" in run.seen("snapshot-skipped")["message"]


def test_at_rest(box):
    run = box.spawn("run", "--", "sleep", "60")
    pid = run.seen("running")["pid"]
    assert not keeper.at_rest([str(pid)])
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: keeper.at_rest([str(pid)]))
    assert keeper.at_rest(["999999999"])
    os.kill(pid, signal.SIGCONT)


def test_a_check_of_a_large_database_can_be_interrupted(box):
    make_database(box.dir / "webui.db", 1)
    db = sqlite3.connect(str(box.dir / "webui.db"))
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) INSERT INTO t SELECT i + 9, 'x' FROM n")
    db.commit()
    db.close()
    keeper.stopping.set()
    try:
        with pytest.raises(OSError, match="interrupted"):
            keeper.check_sqlite(str(box.dir / "webui.db"))
        with pytest.raises(InterruptedError):
            keeper.digest(str(box.dir / "webui.db"))
    finally:
        keeper.stopping.clear()


@pytest.mark.parametrize("at, expected", [("", None), ("23:59", "23:59"), ("0:00", "00:00")])
def test_the_next_snapshot(box, at, expected):
    k = keeper.Keeper({"KEEPER_DIR": str(box.dir), "KEEPER_SNAPSHOT_AT": at})
    due = k.next_snapshot()
    assert (due and time.strftime("%H:%M", time.gmtime(due))) == expected
    assert due is None or 0 < due - time.time() <= 86400


# --- killed at random ---


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_killed_at_random_moments(box, journal):
    """Fifty times for each mode: whatever the keeper or the application is doing, no acknowledged row is lost."""
    for number in range(50):
        run = box.spawn(*writer(box, journal))
        time.sleep((number * 7 % 50) / 50 * 0.25)
        child = [e["pid"] for e in result_so_far(run) if e["keeper"] == "running"]
        run.send(signal.SIGKILL).result()
        for pid in child:
            eventually(lambda pid=pid: not alive(pid))
        eventually(lambda: not keeper.processes_of(child[0]) if child else True)
    end = box.fork("run", "--", "true", KEEPER_LEASE_DEADLINE="20")
    assert end.status == 0, end.output
    db = sqlite3.connect(str(box.dir / "webui.db"))
    present = {row[0] for row in db.execute("SELECT id FROM t")}
    assert set(acknowledged(box)) <= present and len(present) > 20
    assert rows_of(box.dir / "webui.db") == len(present)


def result_so_far(run):
    return [json.loads(line) for line in run.output().splitlines() if line.startswith('{"keeper"') and line.endswith("}")]

