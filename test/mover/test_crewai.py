"""docs/examples/crewai_pgvector.py with the real CrewAI, a real PostgreSQL with pgvector, and no network."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import PASSWORD, ROOT, pgvector_server

PROGRAM = ROOT / "test" / "mover" / "crewai_program.py"


@pytest.fixture(scope="module")
def crewai():
    home = os.environ.get("EFS_LAB_VENVS") or ROOT / ".tmp" / "venvs"
    path = pathlib.Path(home) / "crewai" / "bin" / "python"
    assert path.exists(), f"There is no {path}: python3 lab/apps/setup.py crewai makes it."
    return path


@pytest.fixture(scope="module")
def server():
    with pgvector_server("crews") as postgres:
        yield postgres


@pytest.fixture
def run(crewai, server, tmp_path):
    def program(word):
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGDATABASE": "crews", "PGUSER": "openwebui", "PGPASSWORD": PASSWORD}
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CREWAI_STORAGE_DIR": str(tmp_path / "local"), **where}
        done = subprocess.run([str(crewai), str(PROGRAM), word], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
        assert answers, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(answers[0][len("ANSWER ") :])

    return program


def test_a_crew_finds_in_postgresql_what_another_process_stored(run, server, tmp_path):
    assert run("fill") == {"told": True}
    assert server.sql("SELECT count(*) FROM crewai.knowledge", "crews") == "1"
    assert int(server.sql("SELECT count(*) FROM crewai.memory", "crews")) >= 1
    local = {path.name for path in (tmp_path / "local").rglob("*") if path.is_file()}
    assert not [name for name in local if "chroma" in name or "lance" in name], local
    read = run("read")
    assert ["Ada prefers trains to planes", {"who": "ada"}, ["habit"]] in read["memory"]
    assert read["knowledge"] == ["The vault in Reykjavik opens with the amber key."]
    assert read["unrelated"] == 0 and read["after_reset"] == 0


def test_it_answers_as_the_built_in_stores_do(run):
    answer = run("compare")
    assert answer["differ"] == [], answer["examples"]
    assert answer["compared"] == 40
    # LanceDB takes the scope /ab for one below /a; here a scope is a path.
    assert answer["beside"] is False
    ours, chroma = answer["knowledge"]
    assert len(ours) > 5 and ours == chroma
