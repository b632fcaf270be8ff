"""Snapshots: made, checked, listed, thinned out, restored, and brought back from AWS Backup."""

import json
import os
import time

import pytest
from conftest import add_rows, flip, keeper, leave_wal, make_database, rows_of


@pytest.fixture
def clean(box):
    """A database with one snapshot, stopped."""
    make_database(box.dir / "webui.db", 10)
    assert box.fork("run", "--", "true").status == 0
    return box


def listed(box):
    return [json.loads(line) for line in box.fork("snapshots", "list", "--json").output.splitlines()]


def test_one_at_each_start_after_a_change(clean):
    assert len(clean.snapshots("webui.db")) == 1
    clean.fork("run", "--", "true")
    assert len(clean.snapshots("webui.db")) == 1
    make_database(clean.dir / "webui.db", 1)
    end = clean.fork("run", "--", "true")
    assert end.event("snapshot")["reason"] == "start" and len(clean.snapshots("webui.db")) == 2


def test_list(clean):
    [row] = listed(clean)
    assert row["id"] == f"webui.db/{clean.snapshots('webui.db')[0]}" and row["reason"] == "start" and row["bytes"] > 8000
    assert row["id"] in clean.fork("snapshots", "list").output


def test_list_of_an_empty_directory(box):
    assert listed(box) == []


def test_verify(clean):
    make_database(clean.dir / "webui.db", 1)
    assert clean.fork("snapshots", "take").status == 0
    first, second = clean.snapshots("webui.db")
    assert clean.fork("snapshots", "verify").status == 0
    flip(clean.dir / "snapshots" / "webui.db" / first / "files" / "webui.db", 5000)
    end = clean.fork("snapshots", "verify")
    assert end.status == 65 and "webui.db is not what was written" in end.output and "ok" in end.output
    assert clean.fork("snapshots", "verify", f"webui.db/{second}").status == 0
    os.unlink(clean.dir / "snapshots" / "webui.db" / second / "files" / "webui.db")
    end = clean.fork("snapshots", "verify", f"webui.db/{second}", "--json")
    assert end.status == 65 and "missing" in json.loads(end.output)["verdict"]


def test_take_needs_the_lease(clean):
    running = clean.spawn("run", "--", "sleep", "60")
    running.seen("running")
    assert clean.fork("snapshots", "take").status == 75
    assert clean.fork("snapshots", "restore", listed(clean)[0]["id"]).status == 75


def test_take_says_when_there_is_no_room(clean):
    def patch():
        keeper.free_bytes = lambda path: 1000

    end = clean.fork("snapshots", "take", patch=patch)
    assert end.status == 74 and "no room" in end.event("failed")["message"]
    make_database(clean.dir / "webui.db", 1)
    end = clean.fork("run", "--", "true", patch=patch)
    assert end.status == 0 and "no room" in end.event("snapshot-skipped")["message"]


def test_a_directory_with_links_and_empty_folders_comes_back_as_it_was(box):
    store = box.dir / "models"
    (store / "blobs").mkdir(parents=True)
    (store / "empty").mkdir()
    (store / "blobs" / "1").write_bytes(b"weights")
    os.symlink("blobs/1", store / "current")
    os.symlink("/nowhere", store / "dangling")
    assert box.fork("run", "--", "true").status == 0
    [row] = listed(box)
    (store / "blobs" / "1").write_bytes(b"other")
    assert box.fork("snapshots", "restore", row["id"]).status == 0
    assert (store / "current").read_bytes() == b"weights" and os.readlink(store / "current") == "blobs/1"
    assert os.readlink(store / "dangling") == "/nowhere" and (store / "empty").is_dir()


def test_restore_puts_the_present_files_aside(clean):
    leave_wal(clean.dir / "webui.db", 0, 5)
    wanted = listed(clean)[0]["id"]
    end = clean.fork("snapshots", "restore", wanted)
    assert end.status == 0 and rows_of(clean.dir / "webui.db") == 10 and clean.state() == "released"
    [aside] = clean.set_aside()
    assert rows_of(clean.dir / "set-aside" / aside / "webui.db") == 15
    assert end.event("restored")["setAside"].endswith(aside)


def test_restore_of_one_of_several_stores_leaves_the_others_to_the_next_start(box):
    for name in ("a.db", "b.db"):
        make_database(box.dir / name, 10)
    assert box.fork("run", "--", "true").status == 0
    rows = leave_wal(box.dir / "b.db", 0, 5)
    box.hold()
    wanted = f"a.db/{box.snapshots('a.db')[0]}"
    # Also when only the one is configured: the other is there, and nobody has looked at it.
    assert box.fork("snapshots", "restore", wanted, KEEPER_STORES="a.db").status == 0
    assert box.state() == "held"
    assert "takeover" in box.fork("run", "--", "true").names()
    assert rows_of(box.dir / "b.db") == rows + 10


def test_restore_in_the_middle_of_a_takeover_keeps_what_it_had_staged(clean):
    """The WAL is fenced and lies in the staging directory alone. The operator restores; the WAL must not go."""
    wanted = listed(clean)[0]["id"]
    for number, step in enumerate(("sidecar-moved", "fenced-recorded", "copied-recorded", "checked-recorded", "swapped-recorded")):
        leave_wal(clean.dir / "webui.db", 0, 5)
        clean.hold()
        assert clean.fork("run", "--", "true", KEEPER_FAIL_AT=step).status == -9
        assert clean.fork("snapshots", "restore", wanted).status == 0
        assert rows_of(clean.dir / "webui.db") == 10
        assert len(clean.set_aside()) == number + 1
        assert rows_of(clean.dir / "set-aside" / clean.set_aside()[-1] / "webui.db") == 15


def test_restore_of_a_directory_in_the_middle_of_its_swap(box):
    store = box.dir / "chroma"
    store.mkdir()
    make_database(store / "chroma.sqlite3", 10)
    assert box.fork("run", "--", "true").status == 0
    wanted = listed(box)[0]["id"]
    leave_wal(store / "chroma.sqlite3", 0, 5)
    box.hold()
    assert box.fork("run", "--", "true", KEEPER_FAIL_AT="swapped-half").status == -9
    assert not store.exists()
    assert box.fork("snapshots", "restore", wanted).status == 0
    assert rows_of(store / "chroma.sqlite3") == 10
    assert rows_of(box.dir / "set-aside" / box.set_aside()[0] / "chroma" / "chroma.sqlite3") == 15


def test_restore_refuses_a_snapshot_that_fails(clean):
    wanted = listed(clean)[0]["id"]
    flip(clean.dir / "snapshots" / wanted / "files" / "webui.db", 5000)
    end = clean.fork("snapshots", "restore", wanted)
    assert end.status == 65 and "Nothing was changed" in end.event("refused")["message"]
    assert rows_of(clean.dir / "webui.db") == 10 and clean.set_aside() == []


def test_restore_of_what_there_is_not(clean):
    end = clean.fork("snapshots", "restore", "webui.db/yesterday")
    assert end.status == 64 and listed(clean)[0]["id"] in end.event("usage")["message"]
    assert clean.state() == "released"


def test_restore_of_a_store_that_is_gone(clean):
    wanted = listed(clean)[0]["id"]
    os.unlink(clean.dir / "webui.db")
    assert clean.fork("snapshots", "restore", wanted).status == 0
    assert rows_of(clean.dir / "webui.db") == 10


def test_an_application_without_a_keeper_stops_a_restore(clean):
    wanted = listed(clean)[0]["id"]
    db = keeper.open_sqlite(str(clean.dir / "webui.db"))
    add_rows(db, 1)
    try:
        end = clean.fork("snapshots", "restore", wanted)
        assert end.status == 75 and "without a keeper" in end.event("busy")["message"]
    finally:
        db.close()
    assert rows_of(clean.dir / "webui.db") == 11 and clean.set_aside() == []
    # It was recorded, so the next start does it.
    assert clean.fork("run", "--", "true").event("restored")


# --- retention ---


def manifest(box, at, kept=False):
    path = box.dir / "snapshots" / "webui.db" / at
    (path / "files").mkdir(parents=True)
    told = {"store": "webui.db", "directory": False, "at": at, "reason": "x", "kept": kept, "fingerprint": "f", "files": {}}
    (path / "manifest.json").write_text(json.dumps(told))


def prune(box, newest):
    k = keeper.Keeper({"KEEPER_DIR": str(box.dir)})
    k.prune(keeper.Store(str(box.dir), "webui.db"), f"webui.db/{newest}")
    return box.snapshots("webui.db")


def test_a_crash_loop_does_not_rotate_yesterday_away(box):
    days = [f"2026-03-{day:02}T09-00-00Z" for day in range(1, 10)]
    loop = [f"2026-03-10T10-{minute:02}-00Z" for minute in range(60)]
    for at in days + loop:
        manifest(box, at)
    # The last three; the first of each of the last seven days.
    assert prune(box, loop[-1]) == days[-6:] + [loop[0]] + loop[-3:]


def test_kept_ones_stay_until_they_are_released(box):
    for minute in range(10):
        manifest(box, f"2026-03-10T10-{minute:02}-00Z", kept=minute in (3, 4))
    assert "2026-03-10T10-03-00Z" in prune(box, "2026-03-10T10-09-00Z")
    assert box.fork("snapshots", "release", "webui.db/2026-03-10T10-03-00Z").status == 0
    names = prune(box, "2026-03-10T10-09-00Z")
    assert "2026-03-10T10-03-00Z" not in names and "2026-03-10T10-04-00Z" in names


def test_a_clock_that_went_back_does_not_cost_the_newest(box):
    for minute in range(10):
        manifest(box, f"2026-03-10T10-{minute:02}-00Z")
    manifest(box, "2026-03-10T09-59-00Z")
    manifest(box, "2026-03-10T09-30-00Z")
    assert "2026-03-10T09-59-00Z" in prune(box, "2026-03-10T09-59-00Z")


def test_half_a_snapshot_is_none_and_is_removed(clean):
    (clean.dir / "snapshots" / "webui.db" / "2020-01-01T00-00-00Z" / "files").mkdir(parents=True)
    (clean.dir / "snapshots" / "webui.db" / "2020-01-02T00-00-00Z").mkdir()
    (clean.dir / "snapshots" / "webui.db" / "2020-01-02T00-00-00Z" / "manifest.json").write_text("{")
    assert len(listed(clean)) == 1
    assert clean.fork("snapshots", "take").status == 0
    assert "2020-01-01T00-00-00Z" not in clean.snapshots("webui.db")


def test_two_in_the_same_second(clean):
    def patch():
        at = iter([*["2026-03-10T10-00-00Z"] * 20, *["2026-03-10T10-00-01Z"] * 40])
        keeper.utc = lambda: next(at)

    manifest(clean, "2026-03-10T10-00-00Z")
    assert clean.fork("snapshots", "take", patch=patch).status == 0
    assert "2026-03-10T10-00-01Z" in clean.snapshots("webui.db")


def test_a_crash_loop_makes_no_snapshots_at_all(clean):
    for _ in range(5):
        make_database(clean.dir / "webui.db", 1)
        assert clean.fork("run", "--", "sh", "-c", "exit 1").status == 1
    assert len(clean.snapshots("webui.db")) == 2  # The first start followed a clean stop.


# --- another image ---


def test_the_first_start_of_another_image_keeps_a_snapshot(box):
    make_database(box.dir / "webui.db", 10)
    assert box.fork("run", "--", "true", KEEPER_IMAGE="one").status == 0
    assert [row["kept"] for row in listed(box)] == [False]
    assert box.fork("run", "--", "true", KEEPER_IMAGE="two").event("snapshot")["reason"] == "image"
    assert box.fork("run", "--", "true", KEEPER_IMAGE="two").names().count("snapshot") == 0
    assert [row["kept"] for row in listed(box)] == [False, True]


# --- bring-back ---


@pytest.fixture
def backup(box):
    source = box.path / "aws-backup-restore_2026-03-10" / "open-webui"
    (source / "vector_db").mkdir(parents=True)
    leave_wal(source / "webui.db", 10, 5)
    make_database(source / "vector_db" / "chroma.sqlite3", 3)
    (source / ".owner").write_bytes(b"another life")
    (source / "snapshots").mkdir()
    return source


def test_bring_back(box, backup):
    end = box.fork("bring-back", f"{backup}/")
    assert end.status == 0 and {row["id"].split("/")[0] for row in listed(box)} == {"webui.db", "vector_db"}
    assert all(row["kept"] and row["reason"] == "aws-backup" for row in listed(box))
    assert (backup / "webui.db-wal").exists()  # Nothing there is changed.
    for row in listed(box):
        assert box.fork("snapshots", "restore", row["id"]).status == 0
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == 15 and rows_of(box.dir / "vector_db" / "chroma.sqlite3") == 3


def test_bring_back_leaves_a_held_directory_held(box, backup):
    rows = leave_wal(box.dir / "webui.db")
    box.hold()
    assert box.fork("bring-back", str(backup)).status == 0
    assert box.state() == "held" and (box.dir / "webui.db-wal").exists()
    assert box.fork("run", "--", "true").status == 0
    assert rows_of(box.dir / "webui.db") == rows


def test_bring_back_of_a_damaged_copy(box, backup):
    make_database(backup / "webui.db", 200)
    flip(backup / "webui.db", 2 * 4096)
    end = box.fork("bring-back", str(backup))
    assert end.status == 65 and "webui.db" in end.event("snapshot-failed")["store"]
    assert {row["id"].split("/")[0] for row in listed(box)} == {"vector_db"}


def test_bring_back_without_room(box, backup):
    def patch():
        keeper.free_bytes = lambda path: 1000

    assert box.fork("bring-back", str(backup), patch=patch).status == 74


@pytest.mark.parametrize("stores, source", [("*", "empty"), ("other.db", ""), ("*", "missing")])
def test_bring_back_of_nothing(box, backup, stores, source):
    (backup / "empty").mkdir()
    end = box.fork("bring-back", str(backup / source), KEEPER_STORES=stores)
    assert end.status == 64 and str(backup) in end.event("usage")["message"]


def test_a_copy_that_does_not_read_back_is_no_snapshot(clean):
    make_database(clean.dir / "webui.db", 1)

    def patch():
        digest = keeper.digest
        keeper.digest = lambda source: digest(source)[::-1]

    assert clean.fork("snapshots", "take", patch=patch).status == 74
    assert len(clean.snapshots("webui.db")) == 1


def test_a_snapshot_is_older_than_it_says_nowhere(clean):
    """The age that `report` logs comes from the manifest."""
    k = keeper.Keeper({"KEEPER_DIR": str(clean.dir)})
    [told] = k.list_snapshots(keeper.Store(str(clean.dir), "webui.db"))
    assert time.strptime(told["at"], "%Y-%m-%dT%H-%M-%SZ")
