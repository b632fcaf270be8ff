"""Chroma to pgvector: a real Chroma as Open WebUI's own client fills it, a real PostgreSQL with pgvector, and what Open
WebUI's own pgvector client finds there afterwards."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import PASSWORD, ROOT, pgvector_server

VECTOR_MOVER = ROOT / "lib" / "stores" / "vectors" / "vector_mover.py"

FILL = """
import json, random, sys
from open_webui.retrieval.vector.dbs.chroma import ChromaClient
client, chance = ChromaClient(), random.Random(3)
for name, number in (("file-a", 700), ("user-memory-b", 1), ("knowledge", 1500)):
    items = []
    for n in range(number):
        vector = [chance.gauss(0, 1) for _ in range(96)]
        items.append({"id": f"{name}-{n}", "text": f"text {n} \\t\\\\N 'ü☃'" if n else "", "vector": vector,
            "metadata": {"name": f"f{n % 7}", "page": n, "score": n / 3, "flag": n % 2 == 0, "source": "tab\\there"}})
    client.insert(name, items)
"""

ASK = """
import json, os, sys
from open_webui.retrieval.vector.dbs.chroma import ChromaClient
from open_webui.retrieval.vector.dbs.pgvector import PgvectorClient
chroma, pgvector, found = ChromaClient(), PgvectorClient(), {}
for name in ("file-a", "user-memory-b", "knowledge"):
    ours, theirs = pgvector.get(name), chroma.get(name)
    rows = lambda got: {i: (d, m) for i, d, m in zip(got.ids[0], got.documents[0], got.metadatas[0])}
    assert rows(ours) == rows(theirs), name
    vectors = chroma.client.get_collection(name).get(limit=10, include=["embeddings"])["embeddings"].tolist()
    same = every = off = 0
    # One question at a time, as the application asks: its Chroma client answers the first only.
    for vector in vectors:
        # Its pgvector client lengthens the list that it is given.
        a, b = pgvector.search(name, [list(vector)], limit=5), chroma.search(name, [vector], limit=5)
        assert a and b, name
        same, every = same + len(set(a.ids[0]) & set(b.ids[0])), every + len(b.ids[0])
        off = max([off, *[abs(x - y) for x, y in zip(a.distances[0], b.distances[0])]])
    found[name] = [len(ours.ids[0]), same / every, off]
theirs = chroma.client.get_collection("knowledge").get(where={"name": "f3"})["ids"]
assert set(pgvector.query("knowledge", {"name": "f3"}).ids[0]) == set(theirs) and len(theirs) > 100
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def vectors():
    with pgvector_server() as server:
        yield server


@pytest.fixture(scope="module")
def filled(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chroma")
    run(python, FILL, folder)
    assert (folder / "vector_db" / "chroma.sqlite3").exists()
    return folder


def frontend(python: str) -> dict[str, str]:
    """The wheel keeps the built pages inside the package, the image beside it."""
    return {"FRONTEND_BUILD_DIR": str(next(pathlib.Path(python).parents[1].glob("lib/*/site-packages/open_webui/frontend")))}


def run(python: str, program: str, folder: pathlib.Path, **more: str) -> str:
    environment = {**os.environ, "DATA_DIR": str(folder), "STATIC_DIR": str(folder), "WEBUI_SECRET_KEY": "x", "OFFLINE_MODE": "true", "VECTOR_DB": "chroma", "DATABASE_URL": f"sqlite:///{folder}/unused.db", "ANONYMIZED_TELEMETRY": "false", **frontend(python), **more}
    done = subprocess.run([python, "-c", program], env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


class Copy:
    def __init__(self, server, python, folder, database):
        self.server, self.python, self.folder, self.database = server, python, folder, database

    def run(self, *arguments: str, status: int = 0, **more: str) -> list[dict]:
        base = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "KEEPER", "PG"))}
        own = {"KEEPER_DIR": str(self.folder), "KEEPER_STORES": "vector_db/", "KEEPER_LOCAL_DIR": str(self.folder.parent / "local"), "PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH": "128"}
        done = subprocess.run([self.python, str(VECTOR_MOVER), *arguments], env={**base, **frontend(self.python), **own, **self.server.environment(self.database), **more}, capture_output=True, text=True)
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return [event for event in map(json.loads, done.stdout.splitlines()) if "mover" in event]

    def rows(self) -> int:
        there = self.server.sql("SELECT to_regclass('document_chunk') IS NOT NULL", self.database)
        return int(self.server.sql("SELECT count(*) FROM document_chunk", self.database)) if there == "t" else 0


@pytest.fixture
def copy(vectors, python, filled, tmp_path):
    folder, database = tmp_path / "open-webui", f"v{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:10]}"
    folder.mkdir()
    shutil.copytree(filled / "vector_db", folder / "vector_db")
    vectors.sql(f"CREATE DATABASE {database} OWNER openwebui")
    vectors.sql("CREATE EXTENSION vector", database)
    yield Copy(vectors, python, folder, database)
    vectors.sql(f"DROP DATABASE {database} WITH (FORCE)")


def tree(folder: pathlib.Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "vector_db").rglob("*")) if path.is_file()}


def test_every_embedding_arrives_and_open_webui_reads_it(copy, python):
    before = tree(copy.folder)
    report = copy.run("--no-keeper")[-1]
    assert tree(copy.folder) == before
    assert {name: told["rows"] for name, told in report["collections"].items()} == {"file-a": 700, "user-memory-b": 1, "knowledge": 1500}
    assert all(told["agreement"] >= 0.95 for told in report["collections"].values() if told["agreement"] is not None)
    url = f"postgresql://openwebui:{PASSWORD}@127.0.0.1:{copy.server.port}/{copy.database}"
    found = json.loads(run(python, ASK, copy.folder, PGVECTOR_DB_URL=url, PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH="128").splitlines()[-1])
    for number, same, off in found.values():
        assert same >= 0.95 and off < 1e-3, found
    assert copy.run("--no-keeper", status=73)[-1]["message"].count("as many as Chroma has") == 1


def test_under_the_lease_and_killed(copy):
    copy.run("--check")
    assert copy.rows() == 0
    import signal
    import time

    environment = {**os.environ, **frontend(copy.python), "KEEPER_DIR": str(copy.folder), "KEEPER_STORES": "vector_db/", "KEEPER_LOCAL_DIR": str(copy.folder.parent / "local"), "PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH": "128", **copy.server.environment(copy.database)}
    process = subprocess.Popen([copy.python, str(VECTOR_MOVER)], env=environment, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if '"table"' in line and "file-a" in line:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    time.sleep(1)
    assert copy.rows() == 0
    assert copy.run()[-1]["result"] == "copied" and copy.rows() == 2201


def test_what_postgresql_refuses(copy, python):
    run(python, "from open_webui.retrieval.vector.dbs.chroma import ChromaClient; ChromaClient().client.get_collection('file-a').add(ids=['odd'], documents=['a\\0b'], embeddings=[[0.5] * 96], metadatas=[{'name': 'x'}])", copy.folder)
    events = copy.run("--no-keeper", status=65)
    assert [event["kind"] for event in events if event["mover"] == "anomaly"] == ["nul"]
    assert copy.rows() == 0
    copy.run("--no-keeper", "--repair")
    assert copy.server.sql("SELECT text FROM document_chunk WHERE id = 'odd'", copy.database) == "a\ufffdb"


def test_refusals(copy):
    assert "64 fit" in copy.run("--no-keeper", "--check", status=65, PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH="64")[0]["what"]
    copy.run("--nonsense", status=64)
    copy.run("--no-keeper", status=77, DATABASE_PASSWORD="wrong")
    shutil.rmtree(copy.folder / "vector_db")
    assert "Nothing was embedded" in copy.run("--no-keeper", status=66)[-1]["message"]
