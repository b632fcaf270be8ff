"""A store that fails its check: put aside whole, never opened, and a way back named."""

import contextlib
import os
import pathlib
import sqlite3

import pytest
from conftest import flip, keeper, leave_wal, make_database, rows_of


def refuse(box, **env):
    end = box.fork("run", "--", "touch", str(box.path / "opened"), **env)
    assert end.status == 65, end.output
    assert not (box.path / "opened").exists()
    return end.event("damaged")


def test_the_original_lies_beside_its_wal_and_every_start_is_refused(box):
    leave_wal(box.dir / "webui.db", 200, 9)
    flip(box.dir / "webui.db", 2 * 4096)
    was = {name: (box.dir / name).read_bytes() for name in ("webui.db", "webui.db-wal")}
    box.hold()
    told = refuse(box)
    assert "There is no snapshot" in told["message"] and "bring-back" in told["message"]
    aside = pathlib.Path(told["setAside"])
    # The check works on copies: it folds a WAL in, which here must stay for whoever repairs the file.
    assert {p.name: p.read_bytes() for p in aside.iterdir()} == was
    assert not (box.dir / "webui.db").exists()
    assert refuse(box)["setAside"] == told["setAside"] and box.set_aside() == [aside.name]


def test_a_file_put_there_by_hand_later_is_not_touched(box):
    make_database(box.dir / "webui.db", 200)
    flip(box.dir / "webui.db", 2 * 4096)
    box.hold()
    aside = pathlib.Path(refuse(box)["setAside"])
    damaged = (aside / "webui.db").read_bytes()
    make_database(box.dir / "webui.db", 3)
    refuse(box)
    assert (aside / "webui.db").read_bytes() == damaged and rows_of(box.dir / "webui.db") == 3


def test_the_newest_snapshot_is_offered_and_restores(box):
    make_database(box.dir / "webui.db", 200)
    assert box.fork("run", "--", "true").status == 0
    flip(box.dir / "webui.db", 2 * 4096)
    box.hold()
    wanted = f"webui.db/{box.snapshots('webui.db')[-1]}"
    assert f"snapshots restore {wanted}" in refuse(box)["message"]
    assert box.fork("snapshots", "restore", wanted).status == 0
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == 200


def test_damage_after_a_clean_stop_is_found_by_the_snapshot_at_the_start(box):
    make_database(box.dir / "webui.db", 200)
    assert box.fork("run", "--", "true").status == 0
    flip(box.dir / "webui.db", 2 * 4096)
    assert "failed its check" in refuse(box)["message"]
    assert box.set_aside()


@pytest.mark.parametrize("state", ["held", "released"])
def test_a_database_that_no_longer_begins_like_one(box, state):
    """Its first page was overwritten. It was one when the snapshot was made, so it is no plain file now."""
    make_database(box.dir / "webui.db", 20)
    assert box.fork("run", "--", "true").status == 0
    flip(box.dir / "webui.db", 0)
    if state == "held":
        box.hold()
    assert "does not begin like a SQLite database" in refuse(box)["message"]


def test_a_first_page_overwritten_while_the_wal_holds_commits(box):
    """No snapshot to compare with: the WAL tells that this was a database. Nothing of it may be dropped."""
    leave_wal(box.dir / "webui.db")
    flip(box.dir / "webui.db", 0)
    wal = (box.dir / "webui.db-wal").read_bytes()
    box.hold()
    assert (pathlib.Path(refuse(box)["setAside"]) / "webui.db-wal").read_bytes() == wal


def test_a_file_that_is_declared_a_database_but_is_none(box):
    (box.dir / "webui.db").write_text("a text")
    box.hold()
    assert "does not begin like" in refuse(box, KEEPER_STORES="webui.db")["message"]


def test_a_database_cut_to_nothing(box):
    make_database(box.dir / "webui.db", 20)
    assert box.fork("run", "--", "true").status == 0
    os.truncate(box.dir / "webui.db", 0)
    box.hold()
    refuse(box)


def test_a_database_cut_in_the_middle(box):
    make_database(box.dir / "webui.db", 200)
    os.truncate(box.dir / "webui.db", 5 * 4096)
    box.hold()
    refuse(box)


def test_a_wal_whose_database_is_missing(box):
    leave_wal(box.dir / "webui.db")
    os.unlink(box.dir / "webui.db")
    wal = (box.dir / "webui.db-wal").read_bytes()
    box.hold()
    told = refuse(box, KEEPER_STORES="webui.db")
    assert "missing" in told["message"] and (pathlib.Path(told["setAside"]) / "webui.db-wal").read_bytes() == wal


def test_a_wal_that_no_longer_begins_like_one(box):
    """SQLite would take it for empty, and drop the commits in it without a word."""
    leave_wal(box.dir / "webui.db")
    flip(box.dir / "webui.db-wal", 0, 8)
    wal = (box.dir / "webui.db-wal").read_bytes()
    box.hold()
    told = refuse(box)
    assert "webui.db-wal" in told["message"] and (pathlib.Path(told["setAside"]) / "webui.db-wal").read_bytes() == wal


def test_text_files_with_such_names_are_no_databases(box):
    (box.dir / "daily").write_text("a")
    (box.dir / "daily-journal").write_text("b")
    (box.dir / "notes.db").write_text("c")
    box.hold()
    assert box.fork("run", "--", "true").status == 0
    assert [(box.dir / n).read_text() for n in ("daily", "daily-journal", "notes.db")] == ["a", "b", "c"]


def test_a_damaged_directory(box):
    store = box.dir / "chroma"
    store.mkdir()
    make_database(store / "chroma.sqlite3", 200, "delete")
    (store / "index.bin").write_bytes(b"vectors")
    assert box.fork("run", "--", "true").status == 0
    flip(store / "chroma.sqlite3", 2 * 4096)
    damaged = (store / "chroma.sqlite3").read_bytes()
    box.hold()
    told = refuse(box)
    aside = pathlib.Path(told["setAside"]) / "chroma"
    assert (aside / "chroma.sqlite3").read_bytes() == damaged and (aside / "index.bin").read_bytes() == b"vectors"
    assert not store.exists()
    assert box.fork("snapshots", "restore", f"chroma/{box.snapshots('chroma')[0]}").status == 0
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(store / "chroma.sqlite3") == 200 and (store / "index.bin").read_bytes() == b"vectors"


def test_a_sound_store_beside_a_damaged_one_is_not_forgotten(box):
    """The start ends at the damaged one; the other still needs its takeover."""
    make_database(box.dir / "a.db", 200)
    flip(box.dir / "a.db", 2 * 4096)
    rows = leave_wal(box.dir / "b.db")
    box.hold()
    refuse(box)
    assert box.state() == "held" and (box.dir / "b.db-wal").exists()
    with contextlib.closing(sqlite3.connect(str(box.path / "good.db"))) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    backup = box.path / "backup"
    backup.mkdir()
    make_database(backup / "a.db", 7)
    assert box.fork("bring-back", str(backup)).status == 0
    assert box.fork("snapshots", "restore", f"a.db/{box.snapshots('a.db')[0]}").status == 0
    assert box.state() == "held"
    assert box.fork("run", "--", "true").event("takeover")
    assert rows_of(box.dir / "b.db") == rows and rows_of(box.dir / "a.db") == 7


def test_schema_reading_finds_damage_too(box):
    make_database(box.dir / "webui.db", 200)
    assert box.fork("run", "--", "true").status == 0
    was = os.stat(box.dir / "webui.db")
    flip(box.dir / "webui.db", 100, 200)  # The table of tables; the time stays, so that no snapshot looks.
    os.utime(box.dir / "webui.db", ns=(was.st_atime_ns, was.st_mtime_ns))
    (box.path / "versions").mkdir()
    (box.path / "versions" / "1.py").write_text('revision = "1"\n')
    refuse(box, KEEPER_MIGRATIONS=str(box.path / "versions"))


def test_errors_of_the_volume_are_not_damage(box):
    make_database(box.dir / "webui.db")
    box.hold()

    def patch():
        class Broken:
            def __getattr__(self, name):
                return lambda *_: self

            def execute(self, *_):
                raise sqlite3.OperationalError("disk I/O error")

        keeper.open_sqlite = lambda path: Broken()

    end = box.fork("run", "--", "true", patch=patch)
    assert end.status == 74 and "disk I/O error" in end.event("failed")["message"]
    assert box.state() == "held" and not box.set_aside()
    assert box.fork("run", "--", "true").status == 0


def test_what_the_integrity_check_lists(box):
    """A file whose pages are sound, but not what is in them."""
    make_database(box.dir / "webui.db", 5)
    with contextlib.closing(sqlite3.connect(str(box.dir / "webui.db"), isolation_level=None)) as db:
        db.execute("INSERT INTO t (v) VALUES (NULL)")
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'v TEXT', 'v TEXT NOT NULL')")
    box.hold()
    assert "NULL value in t.v" in refuse(box)["message"]
