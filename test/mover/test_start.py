"""The check before Open WebUI starts (lib/stores/entry.py), held against what mover.py really wrote: the mark in PostgreSQL
and `migrated` in .owner. test/stores/test_entry.py has the same decisions with witnesses made by hand."""

import json
import shutil
import subprocess

import pytest
from conftest import ROOT, chat, message, user

ENTRY = ROOT / "lib" / "stores" / "entry.py"


class Started:
    def __init__(self, case, phase="cutover", **more):
        environment = case.environment(DATA_LAYER_DIR=str(case.folder), DATA_LAYER_PHASE=phase, DATA_LAYER_DEADLINE="2", **more)
        # As the task definition has it: the text is the argument of -c, the application comes after it.
        command = [case.python, "-c", ENTRY.read_text(), "echo", "APPLICATION-RUNS"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.status, self.output = done.returncode, done.stdout + done.stderr
        self.runs = "APPLICATION-RUNS" in done.stdout
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"entry"')]
        self.message = events[-1].get("message", "") if events else ""


def allowed(case, phase="cutover", **more):
    started = Started(case, phase, **more)
    assert started.runs and started.status == 0, started.output


def refused(case, words, phase="cutover", **more):
    started = Started(case, phase, **more)
    assert started.status == 78 and not started.runs, started.output
    for word in words:
        assert word in started.message


@pytest.fixture
def filled(case):
    case.fill(user(1), chat(1, "u1"), message(1, "c1", '"a"'))
    return case


@pytest.fixture
def other(case):
    """A second database of the same server: made, but never moved into."""
    name = f"{case.database}other"
    case.server.sql(f"CREATE DATABASE {name} OWNER openwebui TEMPLATE template_webui")
    yield name
    case.server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_the_whole_way(filled):
    """Each phase as the runbook has it, and each start that comes too early."""
    refused(filled, ["was not moved", "efs-data-layer migrate"])
    filled.move()
    allowed(filled)
    refused(filled, ["still on the volume", "migrate --complete"], phase="complete")
    allowed(filled)
    filled.move("--complete")
    allowed(filled, phase="complete")
    # Starting changes nothing of what the mover wrote.
    assert filled.marker() == "migrated" and "migrated" in filled.owner()


def test_an_empty_target(filled, other):
    filled.move()
    refused(filled, ["no mark of a finished move", other], DATABASE_NAME=other)
    assert filled.server.sql("SELECT to_regclass('efs_data_layer_migration') IS NULL", other) == "t"
    filled.move("--complete")
    refused(filled, ["no mark of a finished move"], phase="complete", DATABASE_NAME=other)


def test_a_stale_target(filled):
    """The database is restored from before the last move: moved, brought back, changed on SQLite, moved again."""
    filled.move()
    old = f"{filled.database}old"
    filled.server.sql(f"CREATE DATABASE {old} OWNER openwebui TEMPLATE {filled.database}")
    try:
        filled.move("--back")
        filled.fill(user(2))
        filled.move("--replace-returned")
        allowed(filled)
        refused(filled, ["stale", old], DATABASE_NAME=old)
    finally:
        filled.server.sql(f"DROP DATABASE {old}")


def test_the_mark_of_another_volume(filled, other, tmp_path_factory):
    """Two installations moved to two databases, and the one pointed at the database of the other."""
    filled.move()
    stranger = type(filled).__new__(type(filled))
    folder = tmp_path_factory.mktemp("stranger") / "open-webui"
    folder.mkdir()
    stranger.__dict__.update(filled.__dict__, folder=folder, path=folder / "webui.db", local=folder.parent / "local", database=other)
    shutil.copyfile(filled.path, stranger.path)
    stranger.fill(user(7))
    stranger.move()
    refused(filled, ["stale", other], DATABASE_NAME=other)
    refused(stranger, ["stale", filled.database], DATABASE_NAME=filled.database)
    allowed(filled)
    allowed(stranger)


def test_a_file_that_was_left_behind(filled):
    """A restored webui.db beside a database that was archived to: nobody may lose sight of which one is the newer."""
    before = filled.path.read_bytes()
    filled.move()
    filled.move("--complete")
    filled.path.write_bytes(before)
    refused(filled, ["still on the volume"], phase="complete")
    # A volume whose .owner knows of no move, as one restored from a backup of before it.
    (filled.folder / ".owner").unlink()
    refused(filled, ["was not moved"])
    refused(filled, ["was not moved"], phase="complete")


@pytest.mark.parametrize("words", [["--back"], ["--back", "--discard-since-cutover"]], ids=["back", "discarded"])
def test_after_the_way_back(filled, words):
    filled.move()
    filled.move(*words)
    refused(filled, ["was not moved"])
    filled.path.unlink()
    refused(filled, ["moved back"])


@pytest.mark.parametrize(("step", "starts"), [("marked", False), ("committed", False), ("owner-written", True)])
def test_a_mover_that_was_killed(filled, step, starts):
    filled.killed(step)
    allowed(filled) if starts else refused(filled, ["was not moved"])
    filled.move()
    allowed(filled)


def test_the_keeper_refuses_sqlite_once_it_was_moved(filled):
    """The other way round: phase PREPARE deployed again after the move would start on the old file."""
    filled.move()
    keeper = ROOT / "lib" / "single-writer" / "keeper.py"
    command = [filled.python, str(keeper), "run", "--", "echo", "APPLICATION-RUNS"]
    done = subprocess.run(command, env=filled.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "APPLICATION-RUNS" not in done.stdout, done.stdout + done.stderr
    filled.move("--back")
    done = subprocess.run(command, env=filled.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "APPLICATION-RUNS" in done.stdout, done.stdout + done.stderr
