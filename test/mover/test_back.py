"""Back to SQLite, to SQLite as it was, and the end of the move."""

import json
import sqlite3

import pytest
from conftest import chat, message, user


def moved(case):
    case.fill(user(1), chat(1, "u1"), message(1, "c1", '"tab\\t\\u00fc"'), "INSERT INTO config (key, value, updated_at) VALUES ('a', '5', 1), ('b', 'null', 2), ('c', '0.1', 3)")
    case.fill("INSERT INTO config_old (id, data, version, created_at) VALUES (7, '{}', 0, '2026-01-02 03:04:05.120000')")
    case.move()


def since(case):
    case.sql("INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived) VALUES ('c2', 'u1', E'a\\tb\\\\N\\nc', '{}', 1, 1, true)")
    case.sql("UPDATE \"user\" SET name = 'Changed'")
    case.sql("DELETE FROM chat_message")


def select(case, sql):
    db = sqlite3.connect(case.path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_back_brings_what_was_done_since(case):
    moved(case)
    since(case)
    case.move("--back")
    assert select(case, "SELECT id, title, archived, typeof(archived) FROM chat ORDER BY id")[1] == ("c2", "a\tb\\N\nc", 1, "integer")
    assert select(case, 'SELECT name FROM "user"') == [("Changed",)]
    assert select(case, "SELECT count(*) FROM chat_message") == [(0,)]
    # A number in a JSON column is a number for SQLite again, JSON null a text.
    assert select(case, "SELECT value, typeof(value) FROM config ORDER BY key") == [(5, "integer"), ("null", "text"), (0.1, "real")]
    assert select(case, "SELECT created_at FROM config_old") == [("2026-01-02 03:04:05.120000",)]
    assert "migrated" not in case.owner() and case.marker() == "returned"
    aside = [path for path in (case.folder / "set-aside").iterdir() if path.name.endswith("-before-back")]
    assert len(aside) == 1 and (aside[0] / "webui.db").exists()
    # And over again: only when it is said that the target's rows are the ones that came back.
    assert "--replace-returned" in case.failed(status=73)
    case.move("--replace-returned")
    assert case.marker() == "migrated" and case.rows("chat") == 2


@pytest.mark.parametrize("step", ["back-filled", "back-committed", "back-aside", "back-renamed"])
def test_back_killed(case, step):
    moved(case)
    since(case)
    case.killed(step, "--back")
    case.move("--back")
    assert select(case, 'SELECT name FROM "user"') == [("Changed",)]
    assert "migrated" not in case.owner()


def test_discard_says_what_is_dropped(case):
    moved(case)
    since(case)
    before = case.path.read_bytes()
    events = case.move("--back", "--discard-since-cutover")
    # The new chat and the changed user; the deleted message and the user's old row are back.
    assert events[-1]["dropped"] == {"user": 1, "chat": 1, "chat_message": 0}
    assert events[-1]["dropped_rows"] == 2 and events[-1]["as_before_rows"] == 2
    assert case.path.read_bytes() == before
    assert "migrated" not in case.owner() and case.marker() == "discarded"


def test_complete_archives_and_deletes_nothing(case):
    assert "was not moved" in case.failed("--complete", status=78)
    moved(case)
    before = case.path.read_bytes()
    case.move("--complete")
    assert not case.path.exists()
    archived = [path for path in (case.folder / "set-aside").glob("*-migrated/webui.db")]
    assert [path.read_bytes() for path in archived] == [before]
    assert "already" in case.move("--complete")[-1]["message"]
    # The way back is still open.
    case.move("--back")
    assert select(case, "SELECT count(*) FROM chat") == [(1,)]


def test_complete_refuses_when_the_target_is_another(case):
    moved(case)
    case.sql("UPDATE efs_data_layer_migration SET source_digest = 'x'")
    assert "stays where it is" in case.failed("--complete", status=78)
    assert case.path.exists()


def test_back_without_a_move(case):
    assert "nothing to bring back" in case.failed("--back", status=78)
