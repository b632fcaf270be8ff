"""kill -9 at every place that was thought about, and at random moments: the source as it was, the target empty or complete,
and the same command again comes to the end."""

import hashlib
import json
import os
import random
import time

import pytest
from conftest import chat, message, user

STEPS = ["table-user", "table-chat", "table-chat_message", "marked", "committed", "owner-written"]


def state(case):
    return hashlib.sha256(case.path.read_bytes()).hexdigest()


def wait_for_end(case):
    """The server notices a moment later that its client is gone."""
    for _ in range(500):
        if case.server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'efs-data-layer-mover' AND datname = '{case.database}'") == "0":
            return
        time.sleep(0.02)
    raise AssertionError("the killed mover's session stays")


def empty_or_complete(case, messages):
    if case.marker() == "migrated":
        assert case.rows("chat_message") == messages and case.rows("user") == 1
        return True
    assert case.rows("chat_message") == case.rows("user") == 0
    assert not (case.folder / ".owner").exists() or "migrated" not in case.owner()
    return False


@pytest.mark.parametrize("step", STEPS)
def test_killed_at(case, step):
    case.fill(user(1), chat(1, "u1"), message(1, "c1", '"a"'))
    before = state(case)
    case.killed(step)
    wait_for_end(case)
    assert empty_or_complete(case, 1) == (step in ("committed", "owner-written"))
    events = case.move()
    assert empty_or_complete(case, 1) and "migrated" in case.owner()
    if step == "committed":
        assert any(event["mover"] == "recognized" for event in events)
    assert state(case) == before


def test_another_source_is_not_taken_for_the_one_that_was_moved(case):
    case.fill(user(1))
    case.killed("committed")
    wait_for_end(case)
    case.fill(user(2))
    assert "another move" in case.failed(status=73)
    assert "migrated" not in case.owner() and case.rows("user") == 1


def test_killed_at_random_moments(case):
    messages = 30000
    case.fill(user(1), chat(1, "u1"), *[message(number, "c1", json.dumps("x" * (number % 997))) for number in range(messages)])
    before = state(case)
    rounds = int(os.environ.get("MOVER_KILLS", "12"))
    chance, complete, began = random.Random(5), 0, 0
    for _ in range(rounds):
        process = case.start()
        time.sleep(chance.uniform(0.1, 3.0))
        process.kill()
        out, _ = process.communicate()
        wait_for_end(case)
        assert state(case) == before
        began += '"table"' in out
        if empty_or_complete(case, messages):
            complete += 1
            case.sql("DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version') LOOP EXECUTE format('TRUNCATE %I CASCADE', t); END LOOP; END $$")
            (case.folder / ".owner").unlink()
    assert began > 0, "no kill came while rows were copied: the moments say nothing"
    case.move()
    assert empty_or_complete(case, messages)
