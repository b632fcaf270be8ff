"""Chroma's files (1.0 to 1.5, single node): is every vector safe, and which vector index has to be built anew?

Chroma acknowledges a record when its row is in the table embeddings_queue of chroma.sqlite3: journal, fsync, safe. Every
1,000 records it writes the vectors into an HNSW index too, one directory per collection: in place, without fsync, without
checksums, and then deletes the rows from the queue. From then on those vectors are only in the index. A process killed
while it saves leaves an index that Chroma cannot open, or opens and crashes on, or from which it writes files of hundreds
of gigabytes; a host that dies leaves pages that never reached the disk although the rows are gone.

So the queue must keep every vector (Chroma has a switch for that, a row in embeddings_queue_config), and an index that was
in use when its writer died is not believed: it is put aside, and Chroma builds it anew from the queue when the collection
is next used.

  keep_every_vector(dir)          sets the switch; also while Chroma runs
  check_chroma(dir, unclean)      what is wrong
  forget_indexes(dir, names)      before broken ones are removed: Chroma builds them anew
  protect_chroma(dir)             sets the switch, and copies vectors that the queue has already lost back into it
Except for the first, Chroma must be stopped. Standard library only; nothing in the files is executed.
"""

from __future__ import annotations

import array
import contextlib
import dataclasses
import json
import os
import sqlite3
import struct
from collections.abc import Iterator

from chroma_index import Index, Torn, read_labels

DATABASE = "chroma.sqlite3"
# The switch as Chroma wrote it itself until 0.6, and our mark in it: the queue lacks nothing. Chroma ignores the mark, and
# writes the row anew, without it, when somebody purges by hand (chroma vacuum).
KEEP = '{"automatically_purge":false,"_type":"EmbeddingsQueueConfigurationInternal"}'
KEEP_COMPLETE = '{"automatically_purge":false,"_type":"EmbeddingsQueueConfigurationInternal","complete":true}'
HNSW = "urn:chroma:segment/vector/hnsw-local-persisted"
ADD, UPDATE, UPSERT, DELETE = range(4)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something wrong with a store. `rebuildable`: the vectors are all in the queue, putting the index aside heals it."""

    segment: str  # the index's directory; empty: the database itself
    text: str
    rebuildable: bool

    def __str__(self) -> str:
        cure = "can be rebuilt" if self.rebuildable else "cannot be rebuilt from the queue"
        return f"{self.segment or DATABASE}: {self.text} ({cure})"


@dataclasses.dataclass(frozen=True)
class Segment:
    """One collection: its vector index and where its rows are."""

    id: str
    collection: str
    metadata: str
    dimension: int
    saved: int  # the last operation that the index says it holds; 0: never saved


def is_chroma(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, DATABASE))


@contextlib.contextmanager
def database(directory: str, vfs: str = "unix-excl") -> Iterator[sqlite3.Connection]:
    path = os.path.abspath(os.path.join(directory, DATABASE)).replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{path}?mode=rw&vfs={vfs}", uri=True, timeout=10, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def switch(db: sqlite3.Connection) -> tuple[bool, bool]:
    """Whether Chroma keeps the queue, and whether the queue is marked as lacking nothing."""
    try:
        rows = [json.loads(row[0]) for row in db.execute("SELECT config_json_str FROM embeddings_queue_config")]
    except (ValueError, TypeError):
        return False, False
    keeps = bool(rows) and all(row.get("automatically_purge") is False for row in rows)
    return keeps, keeps and all(row.get("complete") is True for row in rows)


def set_switch(db: sqlite3.Connection, text: str) -> None:
    db.execute("DELETE FROM embeddings_queue_config")
    db.execute("INSERT INTO embeddings_queue_config (id, config_json_str) VALUES (1, ?)", (text,))


def has_started(directory: str) -> bool:
    """Chroma has written its own settings or a collection. Before that it is making its tables, and ends with "database
    is locked" when another process writes in between."""
    with database(directory, "unix") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        wanted = [table for table in ("embeddings_queue_config", "collections") if table in tables]
        return any(db.execute(f"SELECT 1 FROM {table}").fetchone() for table in wanted)


def keep_every_vector(directory: str) -> bool:
    """Makes Chroma keep the queue. True: the switch is set; False: the database has no such table yet.

    Chroma reads the row whenever it is about to purge, so this works on a running server of the same host.
    """
    with database(directory, "unix") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'embeddings_queue_config'").fetchone():
            return False
        if switch(db)[0]:
            return True
        db.execute("BEGIN IMMEDIATE")
        # Rows are purged up to what an index has saved: as long as none has, none is missing.
        whole = all(segment.saved == 0 for segment in segments(db))
        set_switch(db, KEEP_COMPLETE if whole else KEEP)
        db.execute("COMMIT")
        return True


def segments(db: sqlite3.Connection) -> list[Segment]:
    """Every collection that has a vector index and has been written to."""
    rows = db.execute(
        "SELECT v.id, v.collection, m.id, c.dimension, coalesce(s.seq_id, 0)"
        " FROM segments v JOIN collections c ON c.id = v.collection"
        " JOIN segments m ON m.collection = v.collection AND m.scope = 'METADATA'"
        " LEFT JOIN max_seq_id s ON s.segment_id = v.id"
        " WHERE v.type = ? AND c.dimension IS NOT NULL ORDER BY v.id",
        (HNSW,),
    )
    return [Segment(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in rows]


def unqueued(db: sqlite3.Connection, segment: Segment) -> set[str]:
    """The ids whose vector cannot be had from the queue: the record is there, the row that brought it may not be."""
    if segment.saved == 0 or switch(db)[1]:
        covering = "operation IN (0, 2)"
    else:
        # An ADD of an id that existed was ignored; in a purged queue only the record's own number tells it apart. Our own
        # rows have no metadata, and where one of them is left nothing after it was purged: rows go from the front.
        covering = (
            "(operation = 2 OR operation = 0 AND (metadata IS NULL OR seq_id ="
            " (SELECT e.seq_id FROM embeddings e WHERE e.segment_id = :metadata AND e.embedding_id = embeddings_queue.id)))"
        )
    rows = db.execute(
        "SELECT embedding_id FROM embeddings WHERE segment_id = :metadata EXCEPT"
        f" SELECT id FROM embeddings_queue WHERE topic LIKE '%/' || :collection AND vector IS NOT NULL AND {covering}",
        {"metadata": segment.metadata, "collection": segment.collection},
    )
    return {row[0] for row in rows}


def sources(db: sqlite3.Connection, segment: Segment) -> dict[str, int]:
    """For the ids in the saved index: the row of the queue that holds the vector, where that is certain."""
    if segment.saved == 0 or switch(db)[1]:
        found: dict[str, int] = {}
        rows = db.execute(
            "SELECT seq_id, id, operation, vector IS NOT NULL FROM embeddings_queue"
            " WHERE topic LIKE '%/' || ? AND seq_id <= ? ORDER BY seq_id",
            (segment.collection, segment.saved),
        )
        for number, key, operation, has_vector in rows:
            if operation == DELETE:
                found.pop(key, None)
            elif has_vector and (operation == UPSERT or (operation == UPDATE) == (key in found)):
                found[key] = number
        return found
    rows = db.execute(
        "SELECT q.id, q.seq_id FROM embeddings_queue q JOIN embeddings e ON e.segment_id = ? AND e.embedding_id = q.id"
        " AND e.seq_id = q.seq_id WHERE q.topic LIKE '%/' || ? AND q.seq_id <= ? AND q.vector IS NOT NULL",
        (segment.metadata, segment.collection, segment.saved),
    )
    return dict(rows.fetchall())


def same_vector(a: bytes, b: bytes) -> bool:
    """Equal, or equal up to what normalising and back costs."""
    if a == b:
        return True
    x, y = array.array("f", a), array.array("f", b)
    return len(x) == len(y) and all(abs(p - q) <= 1e-4 * (1 + abs(q)) for p, q in zip(x, y))


def check_index(db: sqlite3.Connection, directory: str, segment: Segment) -> Index | None:
    """Reads an index and compares it with the tables. None: there is no index yet. Raises Torn."""
    path = os.path.join(directory, segment.id)
    if not os.path.exists(os.path.join(path, "index_metadata.pickle")):
        # Chroma takes this for an index never saved, and begins with the queue's first row.
        if segment.saved:
            raise Torn(f"the index is gone, the database says that it holds {segment.saved} operations")
        return None
    ids = read_labels(path)
    index = Index(path, segment.dimension)
    if set(ids.values()) != set(index.vectors_at):
        raise Torn("index_metadata.pickle and data_level0.bin do not hold the same vectors")
    live = dict(db.execute("SELECT embedding_id, seq_id FROM embeddings WHERE segment_id = ?", (segment.metadata,)))
    later = {
        row[0]
        for row in db.execute(
            "SELECT id FROM embeddings_queue WHERE topic LIKE '%/' || ? AND seq_id > ?", (segment.collection, segment.saved)
        )
    }
    lost = sum(seq <= segment.saved and key not in ids for key, seq in live.items())
    extra = sum(key not in live and key not in later for key in ids)
    if lost or extra:
        raise Torn(f"{lost} records are not in the index, {extra} in the index are no records")
    differ = 0
    wanted = {ids[key]: number for key, number in sources(db, segment).items() if key in ids}
    for label, vector in index.vectors(list(wanted)):
        row = db.execute("SELECT vector FROM embeddings_queue WHERE seq_id = ?", (wanted[label],)).fetchone()
        differ += not same_vector(vector, row[0])
    if differ:
        raise Torn(f"{differ} vectors differ from the ones that were added")
    return index


def rebuildable(directory: str, vfs: str = "unix-excl") -> list[str]:
    """The index directories that Chroma can build anew from the queue. Nobody needs to copy them."""
    try:
        with database(directory, vfs) as db:
            complete = switch(db)[1]
            return [segment.id for segment in segments(db) if complete or not unqueued(db, segment)]
    except sqlite3.OperationalError:
        return []  # A database without its tables yet, or one that is in use at the moment.


def check_chroma(directory: str, unclean: bool = False) -> list[Problem]:
    """Everything wrong with a stopped store.

    unclean: its last writer did not end cleanly. Then an index is reported whenever it can be rebuilt, whatever it looks
    like: what a dead host had not yet written cannot be seen from the files that it left.
    """
    problems = []
    try:
        with database(directory) as db:
            state = db.execute("PRAGMA integrity_check(3)").fetchall()
            if state != [("ok",)]:
                return [Problem("", "; ".join(str(row[0]) for row in state), False)]
            for segment in segments(db):
                missing = unqueued(db, segment)
                used = os.path.isdir(os.path.join(directory, segment.id))
                if unclean and used and not missing:
                    problems.append(Problem(segment.id, "was in use when its writer died", True))
                    continue
                try:
                    check_index(db, directory, segment)
                    if missing and not used:
                        raise Torn(f"{len(missing)} records have no vector anywhere")
                except (Torn, OSError, struct.error) as error:
                    problems.append(Problem(segment.id, str(error), not missing))
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise  # Somebody has it open: that is no damage.
        if "no such" in str(error):
            return []  # Tables that a new store has not made yet, or another Chroma's: nothing can be said.
        return [Problem("", str(error), False)]
    return problems


def is_complete(directory: str) -> bool:
    """True when the queue is known to lack nothing."""
    with database(directory) as db:
        return switch(db)[1]


def forget_indexes(directory: str, names: list[str]) -> None:
    """Makes Chroma read the queue from its first row for these. Of a stopped store."""
    with database(directory) as db:
        for name in names:
            db.execute("DELETE FROM max_seq_id WHERE segment_id = ?", (name,))


def refill(db: sqlite3.Connection, directory: str, segment: Segment) -> int:
    """Copies the vectors that are only in the index back into the queue, each at a number that is free."""
    missing = unqueued(db, segment)
    if not missing:
        return 0
    index = check_index(db, directory, segment)
    ids = read_labels(os.path.join(directory, segment.id)) if index else {}
    # What the index has not yet saved was not yet purged.
    later = {
        row[0]
        for row in db.execute(
            "SELECT id FROM embeddings_queue WHERE topic LIKE '%/' || ? AND seq_id > ? AND vector IS NOT NULL AND operation = 0",
            (segment.collection, segment.saved),
        )
    }
    lost = missing - set(ids) - later
    if index is None or lost:
        raise Torn(f"{len(lost)} records have no vector anywhere")
    names = {ids[key]: key for key in missing if key in ids}
    # Before every row that the collection still has, so that what comes later in the queue stays later.
    first, topic = db.execute(
        "SELECT coalesce(min(seq_id), ?), coalesce(min(topic), ?) FROM embeddings_queue WHERE topic LIKE '%/' || ?",
        (segment.saved + 1, f"persistent://default/default/{segment.collection}", segment.collection),
    ).fetchone()
    taken = {row[0] for row in db.execute("SELECT seq_id FROM embeddings_queue WHERE seq_id < ?", (first,))}
    free = (number for number in range(first - 1, 0, -1) if number not in taken)
    for label, vector in index.vectors(list(names)):
        number = next(free, None)
        if number is None:
            raise Torn("the queue has no free numbers")
        db.execute(
            "INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding) VALUES (?, ?, ?, ?, ?, 'FLOAT32')",
            (number, ADD, topic, names[label], vector),
        )
    return len(names)


def protect_chroma(directory: str) -> int:
    """Makes a stopped, whole store rebuildable for good; returns how many vectors were copied back. Raises Torn."""
    if not keep_every_vector(directory):
        return 0
    with database(directory) as db:
        db.execute("PRAGMA synchronous = FULL")
        if switch(db)[1]:
            return 0
        db.execute("BEGIN IMMEDIATE")
        try:
            copied = sum(refill(db, directory, segment) for segment in segments(db))
            set_switch(db, KEEP_COMPLETE)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        return copied
