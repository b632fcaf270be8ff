"""What a snapshot counts for the upgrade triggers, and that no count costs a snapshot."""

import contextlib
import sqlite3
import time

import pytest
from conftest import keeper, make_database

DAY = 86400
USER = "CREATE TABLE user (id VARCHAR PRIMARY KEY, profile_image_url TEXT, last_active_at {type})"
CHROMA = (
    "CREATE TABLE segments (id TEXT PRIMARY KEY, type TEXT NOT NULL, scope TEXT NOT NULL, collection TEXT NOT NULL);"
    "CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT NOT NULL, embedding_id TEXT NOT NULL,"
    " seq_id BLOB NOT NULL, UNIQUE (segment_id, embedding_id));"
    "INSERT INTO segments VALUES ('m', 't', 'METADATA', 'c')"
)


def write(path, script, rows=(), into=""):
    with contextlib.closing(sqlite3.connect(str(path), isolation_level=None)) as db:
        db.executescript(script)
        db.executemany(into, rows) if into else None


def people(path, seen, kind="BIGINT"):
    into = "INSERT INTO user VALUES (?, 'data:', ?)"
    write(path, USER.format(type=kind), [(str(number), at) for number, at in enumerate(seen)], into)


def records(folder, number, segment="m"):
    folder.mkdir(parents=True)
    into = "INSERT INTO embeddings (segment_id, embedding_id, seq_id) VALUES (?, ?, ?)"
    write(folder / "chroma.sqlite3", CHROMA, [(segment, str(one), one) for one in range(number)], into)


def counted(box, **env):
    end = box.fork("snapshots", "take", **env)
    assert end.status == 0, end.output
    names = ("users", "active_users_30d", "embeddings")
    return {e["store"]: {n: e[n] for n in names if n in e} for e in end.events if e["keeper"] == "snapshot"}


def test_users_and_records_are_on_the_snapshots_line(box):
    now = time.time()
    people(box.dir / "webui.db", [now, now - 29 * DAY, now - 31 * DAY, None])
    records(box.dir / "vector_db", 3)
    records(box.dir / "chroma" / "a", 2)
    records(box.dir / "chroma" / "b", 5)
    (box.dir / "notes.txt").write_text("no database")
    assert counted(box) == {
        "webui.db": {"users": 4, "active_users_30d": 2},
        "vector_db": {"embeddings": 3},
        "chroma": {"embeddings": 7},
        "notes.txt": {},
    }
    assert box.fork("snapshots", "verify").status == 0


def test_records_of_a_collection_that_is_gone_are_none(box):
    records(box.dir / "vector_db", 3, segment="gone")
    assert counted(box) == {"vector_db": {"embeddings": 0}}


@pytest.mark.parametrize("at, kind", [(time.time() * 1e9, "BIGINT"), ("2026-03-10", "TEXT")])
def test_times_that_are_no_seconds_say_nothing_of_who_was_active(box, at, kind):
    people(box.dir / "webui.db", [at], kind)
    assert counted(box) == {"webui.db": {"users": 1}}


@pytest.mark.parametrize("table", ["t (id)", "user (id, seen_at)", "user (id, last_active)"])
def test_another_schema_is_not_counted(box, table):
    write(box.dir / "webui.db", f"CREATE TABLE {table}; INSERT INTO {table.split()[0]} (id) VALUES (1)")
    assert counted(box) == {"webui.db": {}}


def test_an_unknown_chroma_is_not_counted(box):
    (box.dir / "vector_db").mkdir()
    make_database(box.dir / "vector_db" / "chroma.sqlite3")
    assert counted(box) == {"vector_db": {}}


def test_a_count_that_fails_or_takes_long_costs_no_snapshot(box):
    people(box.dir / "webui.db", range(200_000))

    def broken(error):
        def patch():
            opened = keeper.open_sqlite

            def open_sqlite(path):
                if keeper.sys._getframe(1).f_code.co_name == "counts":
                    raise error
                return opened(path)

            keeper.open_sqlite = open_sqlite

        return patch

    def impatient():
        keeper.COUNT_SECONDS = 0

    for patch in (broken(sqlite3.OperationalError("disk I/O error")), broken(sqlite3.DatabaseError("malformed")), impatient):
        assert counted(box, patch=patch) == {"webui.db": {}}
    assert len(box.snapshots("webui.db")) == 3
    assert counted(box) == {"webui.db": {"users": 200_000, "active_users_30d": 0}}
