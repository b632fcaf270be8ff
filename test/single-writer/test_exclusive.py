"""sqlite3.connect made exclusive for the files of one directory, in real processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "lib" / "single-writer" / "exclusive.py"


@pytest.fixture
def run(tmp_path):
    python = tmp_path / "python"
    python.mkdir()
    shutil.copy(SOURCE, python / "sitecustomize.py")
    (tmp_path / "volume").mkdir()

    def run(code, **environment):
        variables = {
            **os.environ,
            "PYTHONPATH": str(python),
            "KEEPER_DIR": str(tmp_path / "volume"),
            "DIR": str(tmp_path),
            **environment,
        }
        done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


# Opens and closes as CrewAI does, then looks whether another process gets in, and what files there are.
CODE = """
import os, sqlite3, subprocess, sys
path = os.path.join(os.environ["DIR"], os.environ.get("WHERE", "volume"), "a b.db")
for number in range(3):
    db = sqlite3.connect(path, 30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE IF NOT EXISTS t (x)")
    db.execute("INSERT INTO t VALUES (?)", (number,))
    db.commit()
    db.close()
other = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=0.1).execute('SELECT count(*) FROM t').fetchone()[0])"
done = subprocess.run([sys.executable, "-c", other, path], env={}, capture_output=True, text=True)
print(done.stdout.strip() or done.stderr.strip().splitlines()[-1].replace(" ", "_"))
print(os.path.exists(path + "-shm"))
print(sqlite3.connect(path).execute("SELECT count(*) FROM t").fetchone()[0])
"""


def test_the_lock_stays_between_the_operations(run):
    assert run(CODE) == ["sqlite3.OperationalError:_database_is_locked", "False", "3"]


def test_a_file_elsewhere_is_left_alone(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    assert run(CODE, WHERE="elsewhere") == ["3", "False", "3"]


def test_it_can_be_turned_off(run):
    assert run(CODE, KEEPER_EXCLUSIVE="0") == ["3", "False", "3"]


def test_a_symbolic_link_into_the_directory_is_followed(run, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "volume")
    assert run(CODE, WHERE="link")[0] == "sqlite3.OperationalError:_database_is_locked"


def test_memory_and_uri_databases_are_left_alone(run):
    assert run("import sqlite3; sqlite3.connect(':memory:'); sqlite3.connect('file::memory:', uri=True); print('ok')") == ["ok"]


def test_the_next_sitecustomize_still_runs(run, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('own')")
    path = f"{tmp_path / 'python'}{os.pathsep}{tmp_path / 'own'}"
    assert run("print('code')", PYTHONPATH=path) == ["own", "code"]


def test_a_forked_child_that_closes_its_connections_leaves_the_lock_of_its_parent(run):
    code = CODE.replace(
        "other =",
        "pid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.waitpid(pid, 0)\nother =",
    )
    assert run(code)[0] == "sqlite3.OperationalError:_database_is_locked"
