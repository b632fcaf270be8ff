"""Copies the embeddings of Open WebUI's Chroma on the volume into pgvector; nothing is embedded again.

usage:
  vector_mover.py             copy vector_db/ into the table document_chunk; all of it or nothing
  vector_mover.py --check     read everything, change nothing, say what PostgreSQL would refuse

options:
  --repair                    U+0000 in a document or its metadata becomes U+FFFD (default: it is refused)
  --samples N (20)            vectors of each collection whose ten nearest neighbours are compared
  --agreement PART (0.95)     of those neighbours must be the same in both, on average
  --no-keeper                 take no lease; for a copy of the directory that nobody uses

environment: KEEPER_DIR and the target as mover.py has them, which must lie beside this file;
  PGVECTOR_DB_URL             the target, when vectors have a database of their own
  PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH (1536)   as Open WebUI reads it: shorter vectors are padded with zeros

Open WebUI's own code makes the table. Chroma is opened on a copy in the temporary directory, for it writes when it is
opened; that copy must fit there. Chroma searches an approximate index, PostgreSQL is asked without one: the agreement
says how far Chroma's answers and exact ones are the same.

exit status: as mover.py has them; 76 also when the neighbours do not agree
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(globals().get("__file__", "/tmp/vector_mover.py")))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "relational")]

import mover  # noqa: E402
from mover import ANOMALIES, DIFFER, OCCUPIED, REFUSED, SOURCE, USAGE, Quit, log  # noqa: E402

FOLDER = "vector_db"
TABLE = "document_chunk"
PAGE = 500
NEIGHBOURS = 10
INITIALIZE = "from open_webui.retrieval.vector.dbs.pgvector import PgvectorClient; PgvectorClient()"


def canonical(value):
    """Metadata as jsonb gives it back: a large float without an exponent is an integer there."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def row_hash(key: str, collection: str, text, metadata, vector) -> int:
    import numpy

    told = json.dumps([key, collection, text, canonical(metadata)], ensure_ascii=False).encode()
    body = told + b"\0" + numpy.asarray(vector, dtype="<f4").tobytes()
    return int.from_bytes(hashlib.blake2b(body, digest_size=16).digest(), "big")


class Digest:
    """Of rows in any order: their number and the sum of their hashes."""

    def __init__(self) -> None:
        self.rows, self.sum = 0, 0

    def add(self, number: int) -> None:
        self.rows, self.sum = self.rows + 1, (self.sum + number) % (1 << 128)

    def __str__(self) -> str:
        return f"{self.rows}:{self.sum:032x}"


class Chroma:
    """The embedded store of Open WebUI, from a copy of its directory."""

    def __init__(self, directory: str, scratch: str):
        source = os.path.join(directory, FOLDER)
        if not os.path.isfile(os.path.join(source, "chroma.sqlite3")):
            raise Quit(SOURCE, f"There is no {source}/chroma.sqlite3. Nothing was embedded yet, or KEEPER_DIR names another directory.")
        needed = sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(source) for name in names)
        if shutil.disk_usage(scratch).free < needed * 1.2:
            raise Quit(mover.IO, f"{source} has {needed >> 20} MiB, which do not fit into {scratch}. Give the task more ephemeral storage, or name another directory in TMPDIR.")
        import chromadb
        from chromadb.config import Settings

        copy = os.path.join(scratch, FOLDER)
        shutil.copytree(source, copy)
        # As Open WebUI opens it (open_webui/retrieval/vector/dbs/chroma.py, 0.12.4).
        tenant, database = os.environ.get("CHROMA_TENANT", "default_tenant"), os.environ.get("CHROMA_DATABASE", "default_database")
        self.client = chromadb.PersistentClient(path=copy, settings=Settings(allow_reset=True, anonymized_telemetry=False), tenant=tenant, database=database)
        self.names = sorted(getattr(collection, "name", collection) for collection in self.client.list_collections())

    def rows(self, name: str):
        """Identifier, document, metadata and embedding, in pages: the whole never lies in memory."""
        collection, start = self.client.get_collection(name, embedding_function=None), 0
        while True:
            page = collection.get(limit=PAGE, offset=start, include=["embeddings", "documents", "metadatas"])
            if not page["ids"]:
                return
            vectors = page["embeddings"] if page["embeddings"] is not None else [None] * len(page["ids"])
            yield from zip(page["ids"], page["documents"], page["metadatas"], vectors)
            start += len(page["ids"])

    def count(self, name: str) -> int:
        return self.client.get_collection(name, embedding_function=None).count()

    def nearest(self, name: str, vectors: list) -> list[list[str]]:
        collection = self.client.get_collection(name, embedding_function=None)
        number = min(NEIGHBOURS, collection.count())
        return collection.query(query_embeddings=vectors, n_results=number, include=[])["ids"]

    def space(self, name: str) -> str:
        collection = self.client.get_collection(name, embedding_function=None)
        told = (collection.metadata or {}).get("hnsw:space")
        return told or ((getattr(collection, "configuration_json", {}) or {}).get("hnsw") or {}).get("space") or "l2"


class VectorMover:
    def __init__(self, options: dict, lease):
        self.options, self.lease = options, lease
        self.length = int(os.environ.get("PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH") or 1536)
        if os.environ.get("PGVECTOR_DB_URL"):
            os.environ["DATABASE_URL"] = os.environ["PGVECTOR_DB_URL"]
        self.target = mover.address()
        self.report: dict = {"version": mover.VERSION, "started": mover.utc(), "collections": {}}
        self.problems: dict[str, int] = {}
        self.shown = 0
        self.seen: dict[int, str] = {}

    def problem(self, kind: str, collection: str, key: str, what: str, done: str = "failed") -> None:
        self.problems[kind] = self.problems.get(kind, 0) + (done == "failed")
        self.shown += 1
        if self.shown <= mover.SHOWN:
            log("anomaly", kind=kind, table=collection, rowid=key, what=what, done=done)

    def sound(self, name: str, key: str, text, metadata, vector):
        """A row as PostgreSQL can take it, or None after it was named."""
        if vector is None or len(vector) > self.length or not all(map(math.isfinite, vector)):
            why = "no embedding" if vector is None else f"{len(vector)} dimensions, {self.length} fit" if len(vector) > self.length else "an embedding that is no number"
            self.problem("vector", name, key, why)
            return None
        known = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
        if known in self.seen:
            self.problem("duplicate", name, key, f"the identifier is also in {self.seen[known]}; document_chunk has each once")
            return None
        self.seen[known] = name
        for part, value in (("document", text), ("metadata", json.dumps(metadata, ensure_ascii=False))):
            if value and ("\0" in value or "\\u0000" in value):
                self.problem("nul", name, key, f"U+0000 in the {part}", "repaired" if self.options["repair"] else "failed")
                if not self.options["repair"]:
                    return None
        clean = lambda value: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        metadata = {clean(k): clean(v) for k, v in (metadata or {}).items()}
        padded = [float(number) for number in vector] + [0.0] * (self.length - len(vector))
        return key, clean(text), metadata, padded

    def run(self) -> None:
        connection = mover.connect(self.target)
        where = mover.fingerprint(self.target)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            chroma = Chroma(os.environ["KEEPER_DIR"].rstrip("/"), scratch)
            self.report.update(source=os.path.join(os.environ["KEEPER_DIR"], FOLDER), target=where)
            if not self.options["check"]:
                self.make_table(connection, where)
                connection.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
                self.refuse_occupied(connection, chroma, where)
            sent = self.copy(connection, chroma)
            if any(self.problems.values()):
                raise Quit(ANOMALIES, f"PostgreSQL would refuse embeddings: {json.dumps(self.problems)}; the lines above name them. Nothing was changed.")
            if self.options["check"]:
                self.finish("checked")
                return
            self.compare(connection, chroma, sent)
            mover.commit(connection, self.target)
            connection.autocommit = True
            connection.execute(f"ANALYZE {TABLE}")
            self.finish("copied")

    def make_table(self, connection, where: str) -> None:
        connection.rollback()
        environment = {**os.environ, "VECTOR_DB": "pgvector", "PGVECTOR_DB_URL": mover.url_of(self.target), "WEBUI_SECRET_KEY": "unused", "OFFLINE_MODE": "true"}
        with tempfile.TemporaryDirectory() as folder:
            environment.update(DATA_DIR=folder, STATIC_DIR=folder, DATABASE_URL=f"sqlite:///{folder}/unused.db")
            cwd = "/app/backend" if os.path.isdir("/app/backend") else folder
            done = subprocess.run([sys.executable, "-c", INITIALIZE], env=environment, cwd=cwd, capture_output=True, text=True)
        if connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone()[0] is None:
            raise Quit(REFUSED, f"Open WebUI's own code did not make {TABLE} in {where}; is the extension vector there (CREATE EXTENSION vector, by its owner)? It said: {(done.stderr or done.stdout).strip()[-400:]}")
        kind = connection.execute("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'vector'", (TABLE,)).fetchone()[0]
        if kind != f"vector({self.length})":
            raise Quit(REFUSED, f"{TABLE}.vector in {where} is a {kind}, PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH is {self.length}. Set it to the column's length; only the type vector (up to 2000) is copied.")

    def refuse_occupied(self, connection, chroma: Chroma, where: str) -> None:
        there = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0]
        if there:
            same = there == sum(map(chroma.count, chroma.names))
            raise Quit(OCCUPIED, f"{TABLE} in {where} holds {there} rows{' (as many as Chroma has: was it copied before?)' if same else ''}. It is filled only when it is empty.")

    def copy(self, connection, chroma: Chroma) -> dict[str, Digest]:
        sent: dict[str, Digest] = {}
        total, done, start = sum(map(chroma.count, chroma.names)), 0, time.monotonic()
        told = start
        sink = connection.cursor().copy(f"COPY {TABLE} (id, collection_name, text, vmetadata, vector) FROM STDIN") if not self.options["check"] else None
        copy = sink.__enter__() if sink else None
        try:
            for name in chroma.names:
                digest = sent[name] = Digest()
                for key, text, metadata, vector in chroma.rows(name):
                    done += 1
                    row = self.sound(name, key, text, metadata, vector)
                    if row is None:
                        continue
                    key, text, metadata, vector = row
                    digest.add(row_hash(key, name, text, metadata, vector))
                    if copy:
                        copy.write_row((key, name, text, json.dumps(metadata, ensure_ascii=False), str(vector)))
                    if time.monotonic() - told >= 5:
                        told = time.monotonic()
                        rate = done / (told - start)
                        log("progress", doing="copying", table=name, rows=digest.rows, of=chroma.count(name), rows_per_s=round(rate), left_s=round((total - done) / rate))
                if chroma.count(name) != digest.rows and not any(self.problems.values()):
                    raise Quit(SOURCE, f"Chroma says that {name} has {chroma.count(name)} embeddings and gives {digest.rows}. Its index is damaged: restore a snapshot of {FOLDER}.")
                log("table", table=name, rows=digest.rows, of=chroma.count(name), digest=str(digest))
        except BaseException:
            if sink:
                sink.__exit__(*sys.exc_info())
            raise
        if sink:
            sink.__exit__(None, None, None)
        return sent

    def compare(self, connection, chroma: Chroma, sent: dict[str, Digest]) -> None:
        there = {name: Digest() for name in sent}
        with connection.cursor(name="rows") as cursor:
            cursor.itersize = PAGE
            cursor.execute(f"SELECT id, collection_name, text, vmetadata, vector::text FROM {TABLE}")
            for key, name, text, metadata, vector in cursor:
                there[name].add(row_hash(key, name, text, metadata, json.loads(vector)))
        for name, digest in sent.items():
            if str(digest) != str(there[name]):
                raise Quit(DIFFER, f"{name} does not read back as it was sent ({digest} sent, {there[name]} there): nothing was committed.")
            agreement = self.agreement(connection, chroma, name, digest.rows)
            self.report["collections"][name] = {"rows": digest.rows, "digest": str(digest), "agreement": agreement}
            if agreement is not None and agreement < self.options["agreement"]:
                raise Quit(DIFFER, f"Of the nearest neighbours in {name} only {agreement:.0%} are the same in both: nothing was committed. Chroma's index is poor or its distance is another ({chroma.space(name)}); lower --agreement to accept that.")

    def agreement(self, connection, chroma: Chroma, name: str, rows: int) -> float | None:
        """Of the neighbours that Chroma finds, by whichever of the two distances it was made with, how many are as near in
        PostgreSQL: rows at the same distance are as good as each other."""
        if rows < 2:
            return None
        operator = {"cosine": "<=>", "l2": "<->", "ip": "<#>"}[chroma.space(name)]
        sql = f"SELECT id, vector::text FROM {TABLE} WHERE collection_name = %s ORDER BY md5(id) LIMIT %s"
        sample = connection.execute(sql, (name, self.options["samples"])).fetchall()
        width = len(next(chroma.rows(name))[3])
        found = chroma.nearest(name, [json.loads(vector)[:width] for _, vector in sample])
        connection.execute("SET LOCAL enable_indexscan = off")
        good = every = 0
        for (_, vector), theirs in zip(sample, found):
            exact = connection.execute(f"SELECT vector {operator} %s::vector FROM {TABLE} WHERE collection_name = %s ORDER BY 1 LIMIT %s", (vector, name, len(theirs))).fetchall()
            farthest = exact[-1][0] + 1e-6
            near = connection.execute(f"SELECT count(*) FROM {TABLE} WHERE id = ANY(%s) AND vector {operator} %s::vector <= %s", (theirs, vector, farthest)).fetchone()[0]
            good, every = good + near, every + len(theirs)
        return round(good / every, 4)

    def finish(self, event: str) -> None:
        self.report.update(result=event, ended=mover.utc())
        log("report", **self.report)


def parse(words: list[str]) -> dict:
    options: dict = {"check": False, "repair": False, "no_keeper": False, "samples": 20, "agreement": 0.95}
    words = list(words)
    while words:
        name = words.pop(0).lstrip("-").replace("-", "_")
        if name not in options:
            raise Quit(USAGE, f"--{name}: see --help.")
        if isinstance(options[name], bool):
            options[name] = True
            continue
        kind = type(options[name])
        try:
            options[name] = kind(words.pop(0))
        except (IndexError, ValueError):
            raise Quit(USAGE, f"--{name} needs a number.") from None
    if not 0 <= options["agreement"] <= 1 or options["samples"] < 1:
        raise Quit(USAGE, "--agreement lies between 0 and 1, --samples is at least 1.")
    return options


def run(words: list[str]) -> None:
    options = parse(words)
    mover.keeper_dir()
    lease = mover.NoLease() if options["no_keeper"] else mover.KeeperLease()
    try:
        if not options["no_keeper"]:
            lease.take()
        VectorMover(options, lease).run()
    finally:
        lease.release()


if __name__ == "__main__":
    if sys.argv[1:2] in (["--help"], ["-h"]):
        print(__doc__)
        sys.exit(0)
    sys.exit(mover.guarded(lambda: run(sys.argv[1:])))
