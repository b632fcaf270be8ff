"""What a start does with the files of an owner that did not say that it stopped."""

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import time

import pytest
from conftest import add_rows, eventually, in_fork, keeper, leave_hot_journal, leave_wal, make_database, rows_of

STEPS = ["begun", "fenced", "copied", "checked", "swapped", "done"]


def test_a_database_gets_a_fresh_inode_and_its_wal_is_folded_in(box):
    rows = leave_wal(box.dir / "webui.db")
    (box.dir / "webui.db-shm").write_bytes(b"\0" * 32768)
    os.chmod(box.dir / "webui.db", 0o664)
    handles = [os.open(box.dir / name, os.O_RDWR) for name in ("webui.db", "webui.db-wal")]
    box.hold()
    end = box.fork("run", "--", "true")
    assert end.status == 0 and end.event("takeover-store")["integrity"] == "ok"
    # What a cut-off owner still holds is nobody's any more: over NFS its handles are stale.
    assert [os.fstat(fd).st_nlink for fd in handles] == [0, 0]
    assert not (box.dir / "webui.db-wal").exists() and not (box.dir / "webui.db-shm").exists()
    assert stat.S_IMODE((box.dir / "webui.db").stat().st_mode) == 0o664
    assert rows_of(box.dir / "webui.db") == rows


def test_the_wal_is_unlinked_before_the_database_is_copied(box):
    leave_wal(box.dir / "webui.db")
    box.hold()
    wal = os.open(box.dir / "webui.db-wal", os.O_RDONLY)
    assert box.fork("run", "--", "true", KEEPER_FAIL_AT="fenced-recorded").status == -9
    assert os.fstat(wal).st_nlink == 0 and not (box.dir / ".keeper/e2/takeover/webui.db/copy/webui.db").exists()


def test_commits_of_a_cut_off_owner_until_its_wal_is_unlinked_are_kept(box):
    """It appends to its WAL between our copy and the unlink."""
    make_database(box.dir / "webui.db", 5)
    box.hold()
    shutil.copy(box.dir / "webui.db", box.path / "shorter.db")
    in_fork(lambda: write_wal(box.path / "shorter.db", 3))
    in_fork(lambda: write_wal(box.dir / "webui.db", 9))
    long = (box.dir / "webui.db-wal").read_bytes()
    short = long[: 32 + 3 * (4096 + 24)]
    (box.dir / "webui.db-wal").write_bytes(short)

    def patch():
        copy, grown = keeper.copy_verified, []

        def growing(source, target):
            size = copy(source, target)
            if "fenced" in str(source) and not grown:
                with open(source, "ab") as wal:
                    wal.write(long[len(short) :])
                grown.append(1)
            return size

        keeper.copy_verified = growing

    assert box.fork("run", "--", "true", patch=patch).status == 0
    assert rows_of(box.dir / "webui.db") == 14


def write_wal(path, rows):
    db = keeper.open_sqlite(str(path))
    add_rows(db, rows)
    return db


def test_a_directory_has_fresh_inodes_throughout(box):
    store = box.dir / "chroma"
    (store / "index").mkdir(parents=True)
    rows = leave_hot_journal(store / "chroma.sqlite3")
    (store / "index" / "data.bin").write_bytes(b"vectors")
    os.chmod(store / "index", 0o711)
    handles = [os.open(p, os.O_RDONLY) for p in store.rglob("*") if p.is_file()] + [os.open(store, os.O_RDONLY)]
    box.hold()
    end = box.fork("run", "--", "true")
    assert end.status == 0 and end.event("takeover-store")["store"] == "chroma"
    assert [os.fstat(fd).st_nlink for fd in handles] == [0] * len(handles)
    assert rows_of(store / "chroma.sqlite3") == rows and (store / "index" / "data.bin").read_bytes() == b"vectors"
    assert stat.S_IMODE((store / "index").stat().st_mode) == 0o711


def test_a_clean_stop_costs_nothing(box):
    make_database(box.dir / "webui.db")
    assert box.fork("run", "--", "true").status == 0
    inode = (box.dir / "webui.db").stat().st_ino
    assert "takeover" not in box.fork("run", "--", "true").names()
    assert (box.dir / "webui.db").stat().st_ino == inode


def test_an_application_that_crashed_is_taken_over(box):
    make_database(box.dir / "webui.db")
    assert box.fork("run", "--", "sh", "-c", "exit 3").status == 3
    assert box.state() == "held" and "takeover" in box.fork("run", "--", "true").names()


def test_only_the_named_stores_are_taken(box):
    for name in ("webui.db", "other.db"):
        make_database(box.dir / name)
    inode = (box.dir / "other.db").stat().st_ino
    box.hold()
    end = box.fork("run", "--", "true", KEEPER_STORES=" webui.db , missing.db, gone/ ")
    assert [e["store"] for e in end.events if e["keeper"] == "takeover-store"] == ["webui.db"]
    assert (box.dir / "other.db").stat().st_ino == inode


def test_a_step_of_a_store_that_is_no_longer_named_is_finished(box):
    rows = leave_wal(box.dir / "webui.db")
    box.hold()
    box.fork("run", "--", "true", KEEPER_FAIL_AT="fenced-recorded")
    assert box.fork("run", "--", "true", KEEPER_STORES="another.db").status == 0
    assert rows_of(box.dir / "webui.db") == rows


def test_an_application_without_a_keeper_is_waited_for(box):
    make_database(box.dir / "webui.db")
    box.hold()
    pid = os.fork()
    if pid == 0:
        db = keeper.open_sqlite(str(box.dir / "webui.db"))
        add_rows(db, 1)
        (box.path / "open").touch()
        time.sleep(60)
        os._exit(0)
    try:
        eventually((box.path / "open").exists)
        end = box.fork("run", "--", "true")
        assert end.status == 75 and "webui.db" in end.event("busy")["message"]
        assert box.state() == "held"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == 21


def test_a_journal_that_is_kept_after_each_commit_is_no_reason_to_stop(box):
    """journal_mode=PERSIST leaves the file with an empty head."""

    def write():
        with contextlib.closing(sqlite3.connect(str(box.dir / "webui.db"), isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=PERSIST")
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
            add_rows(db, 10)

    in_fork(write)
    assert os.path.getsize(box.dir / "webui.db-journal") and not keeper.is_hot(str(box.dir / "webui.db-journal"))
    box.hold()
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == 10 and len(box.snapshots("webui.db")) == 1


def test_what_only_the_application_can_check_does_not_stop_it(box):
    """A collation of its own: SQLite's check ends early, which is said."""
    with contextlib.closing(sqlite3.connect(str(box.dir / "webui.db"), isolation_level=None)) as db:
        db.create_collation("mine", lambda a, b: (a > b) - (a < b))
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE mine)")
        db.execute("CREATE INDEX i ON t (v)")
        add_rows(db, 5)
    box.hold()
    end = box.fork("run", "--", "true")
    assert end.status == 0 and "no such collation" in end.event("check-partial")["message"]


def test_an_empty_database_is_left_alone(box):
    (box.dir / "webui.db").write_bytes(b"")
    box.hold()
    assert box.fork("run", "--", "true", KEEPER_STORES="webui.db").status == 0
    assert (box.dir / "webui.db").read_bytes() == b""


def test_a_takeover_that_was_stopped_by_a_signal_goes_on(box):
    rows = leave_wal(box.dir / "webui.db")
    box.hold()

    def patch():
        check = keeper.check_sqlite
        keeper.check_sqlite = lambda path: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(1), check(path))

    end = box.fork("run", "--", "true", patch=patch)
    assert end.status == 143 and end.event("stopped")
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == rows


@pytest.mark.parametrize("step", [*(f"{s}-recorded" for s in STEPS), "sidecar-moved", "sidecar-saved", "swapped-half", "swapped"])
def test_the_lease_file_is_removed_in_the_middle_of_a_takeover(box, step):
    """Somebody takes it for a stale lock. The journal goes with it; the WAL that was already fenced must not."""
    rows = leave_wal(box.dir / "webui.db")
    (box.dir / "chroma").mkdir()
    more = leave_wal(box.dir / "chroma" / "chroma.sqlite3", 3, 4)
    box.hold()
    assert box.fork("run", "--", "true", KEEPER_FAIL_AT=step).status == -9
    os.unlink(box.dir / ".owner")
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == rows and rows_of(box.dir / "chroma" / "chroma.sqlite3") == more


def test_symbolic_links_at_the_top_are_left_alone(box):
    (box.path / "elsewhere").mkdir()
    os.symlink(box.path / "elsewhere", box.dir / "models")
    make_database(box.dir / "webui.db")
    box.hold()
    end = box.fork("run", "--", "true")
    assert [e["store"] for e in end.events if e["keeper"] == "takeover-store"] == ["webui.db"]
    assert os.readlink(box.dir / "models") == str(box.path / "elsewhere")


def test_a_copy_that_does_not_read_back_replaces_nothing(box):
    rows = leave_wal(box.dir / "webui.db")
    box.hold()

    def patch():
        keeper.digest = lambda source: "another"

    end = box.fork("run", "--", "true", patch=patch, KEEPER_STORES="webui.db")
    assert end.status == 74 and "does not read back" in end.event("failed")["message"]
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == rows


def test_a_wal_that_appears_after_the_fence_does_not_replace_the_one_that_was_saved(box):
    """The keeper was killed between the fence and its record; a cut-off owner has opened its files by name since."""
    rows = leave_wal(box.dir / "webui.db")
    box.hold()
    assert box.fork("run", "--", "true", KEEPER_FAIL_AT="sidecar-fenced").status == -9
    leave_wal(box.path / "other.db", 1, 1)
    shutil.copy(box.path / "other.db-wal", box.dir / "webui.db-wal")
    end = box.fork("run", "--", "true")
    assert end.status == 0 and rows_of(box.dir / "webui.db") == rows
    [strays] = box.set_aside()
    assert (box.dir / "set-aside" / strays / "webui.db-wal").read_bytes() == (box.path / "other.db-wal").read_bytes()


def test_moved_files_replace_nothing(box):
    for name in ("from", "to"):
        (box.path / name / "deep").mkdir(parents=True)
        (box.path / name / "deep" / "a").write_text(name)
    keeper.move_files(str(box.path / "from"), str(box.path / "to"))
    assert {p.name: p.read_text() for p in (box.path / "to" / "deep").iterdir()} == {"a": "to", "a.1": "from"}
    assert not (box.path / "from").exists()


def test_a_schema_that_cannot_be_read_now_is_not_no_schema(box):
    """Else a busy moment would let an old image in."""
    make_database(box.dir / "webui.db")
    pid = os.fork()
    if pid == 0:
        db = keeper.open_sqlite(str(box.dir / "webui.db"))
        add_rows(db, 1)
        (box.path / "open").touch()
        time.sleep(60)
        os._exit(0)
    try:
        eventually((box.path / "open").exists)
        connect, keeper.open_sqlite = keeper.open_sqlite, lambda path: sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True, timeout=0)
        with pytest.raises(OSError, match="locked"):
            keeper.Keeper({"KEEPER_DIR": str(box.dir)}).schema_head(str(box.dir / "webui.db"))
    finally:
        keeper.open_sqlite = connect
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
