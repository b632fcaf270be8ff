"""Moves Open WebUI's data from SQLite on the volume to PostgreSQL, or back; all of it or nothing.

usage:
  mover.py --check            read everything, move nothing, say what PostgreSQL would refuse; an empty target gets its empty
                              tables, as a move makes them
  mover.py                    move webui.db to PostgreSQL
  mover.py --back             move PostgreSQL to webui.db; the old file is set aside
  mover.py --back --discard-since-cutover
                              use the old webui.db again as it is, and say which rows are dropped by that
  mover.py --complete         put the moved webui.db aside for good (nothing is deleted)

options:
  --on-anomaly WHAT           what PostgreSQL refuses: fail (default), quarantine (leave the row out and write it to the
                              quarantine file) or repair; for one kind only with KIND=WHAT; separate several by commas
  --report FILE               the report as JSON (default: a line of the log only)
  --quarantine FILE           default: set-aside/<time>-quarantine.jsonl in KEEPER_DIR
  --replace-returned          the target still holds what `--back` copied out of it: replace that
  --no-keeper                 take no lease and write no .owner; for a copy of the file that nobody uses

environment:
  KEEPER_DIR                  the directory on the volume with webui.db; the other KEEPER_ variables as keeper.py has them
  DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD   the target; or DATABASE_URL, a postgresql:// address. PGSSLMODE and
                              PGSSLROOTCERT as libpq reads them
  MOVER_SILENCE (300)         seconds without any packet from the database's host after which a connection is given up

kinds of anomalies:
  nul            U+0000 in a text, or \\u0000 in a JSON text             repair: U+FFFD instead
  utf8           bytes that are no UTF-8                                repair: U+FFFD instead
  surrogate      half a surrogate pair in a JSON text (\\ud800)          repair: \\ufffd instead
  json           a JSON column with something else                      repair: NULL if empty, NaN as null, else as a string
  type           a value of another type, or outside the range          repair: converted if exact, else the nearest
  length         longer than the column                                 repair: cut
  null           NULL where none is allowed                             repair: not possible, quarantined
  orphan         the row that it belongs to does not exist              repair: as the foreign key says on deletion
  duplicate      a second row with the same key                         repair: not possible, quarantined
  email          e-mail addresses that differ in case only              repair: the younger accounts get another address
JSON null and SQL NULL are kept apart as they are; the report counts the first.

exit status:
  0 done, or nothing found by --check · 64 usage · 65 anomalies, or a store failed the keeper's check · 66 no source, or a damaged one · 69 the database cannot be reached ·
  70 the lease was lost · 71 a fault of the mover · 73 the target holds data · 74 the volume or the database failed while
  copying · 75 another owner holds the lease · 76 the two sides differ after the copy · 77 the database lets nobody in with
  these credentials · 78 refused: the schemas differ, or the order is wrong

The source is opened read-only. PostgreSQL gets everything in one transaction, whose last rows are a marker with the
source's digest; only then .owner says `migrated`. Killed at any moment, the target is empty or complete, and the same
command again goes on: what is complete already is only recognized.
"""

from __future__ import annotations

import collections
import datetime
import hashlib
import itertools
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

VERSION = "1"
DATABASE = "webui.db"
MARKER = "efs_data_layer_migration"
# Alembic's own table is compared, not copied; peewee's is of a time before Alembic, and only SQLite has it.
# Open WebUI's pgvector client makes document_chunk beside the rest: vectors are not moved here.
NOT_DATA = {"alembic_version", "migratehistory", "document_chunk", MARKER}
USAGE, ANOMALIES, SOURCE, UNREACHABLE, FAULT, OCCUPIED, IO, DIFFER, DENIED, REFUSED = 64, 65, 66, 69, 71, 73, 74, 76, 77, 78
KINDS = ("nul", "utf8", "surrogate", "json", "type", "length", "null", "orphan", "duplicate", "email")
ACTIONS = ("fail", "quarantine", "repair")
SHOWN = 20
BLOCK = 1 << 20

# Bytes that no UTF-8 has (RFC 3629), between which a block of rows is handled as a whole.
FIELD, ROW, BAD = b"\xf8", b"\xf9", b"\xfb"
# A text may hold invalid bytes of its own: NULL is a mark that nobody can have written.
NULL = b"\xfa" + secrets.token_bytes(12).translate(bytes(0xC0 | (byte & 0x35) for byte in range(256)))
# What COPY's text format writes with a backslash (postgresql.org, COPY, file formats); the backslash goes first.
ESCAPES = ((b"\\", b"\\\\"), (b"\b", b"\\b"), (b"\f", b"\\f"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"), (b"\v", b"\\v"))
RANGES = {"smallint": 1 << 15, "integer": 1 << 31, "bigint": 1 << 63}
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
TOKEN = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.S)


class Quit(Exception):
    """Ends the mover with a status, after one line that says what to do."""

    def __init__(self, status: int, message: str, **fields: object):
        super().__init__(message)
        self.status, self.fields = status, fields


def log(event: str, **fields: object) -> None:
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
    print(json.dumps({"mover": event, "at": at, **fields}), flush=True)


def utc() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")


def reached(step: str) -> None:
    """Every place at which a kill was thought about passes here, so that the tests can kill it there."""
    if os.environ.get("MOVER_FAIL_AT") == step:
        os.kill(os.getpid(), 9)


class Digest:
    """Of the rows of a table, in whatever order they come: the sum of their hashes, and their number."""

    def __init__(self) -> None:
        self.rows, self.sum = 0, 0

    def add(self, lines) -> None:
        hashed, blake, number = 0, hashlib.blake2b, int.from_bytes
        count = 0
        for line in lines:
            hashed += number(blake(line, digest_size=16).digest(), "big")
            count += 1
        self.sum = (self.sum + hashed) & ((1 << 128) - 1)
        self.rows += count

    def __str__(self) -> str:
        return f"{self.rows}:{self.sum:032x}"


class Column:
    def __init__(self, name: str, kind: str, limit: int | None, required: bool):
        self.name, self.kind, self.limit, self.required = name, kind, limit, required
        self.is_json = kind == "json"

    def expression(self) -> str:
        """What SQLite returns for it: the bytes of COPY's text format before escaping, NULL's mark, or BAD for whatever
        must be looked at closely. SQLite does this many times faster than Python."""
        c = quoted(self.name)
        null = literal(BAD if self.required else NULL)
        bad = literal(BAD)
        if self.kind in RANGES:
            top = RANGES[self.kind]
            fits = f"c BETWEEN -{top} AND {top - 1}".replace("c ", c + " ") if self.kind != "bigint" else "1"
            return f"CASE typeof({c}) WHEN 'integer' THEN CASE WHEN {fits} THEN CAST({c} AS TEXT) ELSE {bad} END WHEN 'null' THEN {null} ELSE {bad} END"
        if self.kind == "boolean":
            return f"CASE WHEN {c} IS NULL THEN {null} WHEN typeof({c})<>'integer' THEN {bad} WHEN {c}=1 THEN 't' WHEN {c}=0 THEN 'f' ELSE {bad} END"
        if self.kind in ("timestamp without time zone", "date"):
            day = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
            if self.kind == "date":
                return f"CASE WHEN {c} IS NULL THEN {null} WHEN {c} GLOB '{day}' AND date({c})={c} THEN {c} ELSE {bad} END"
            # PostgreSQL writes no zeros at the end of a fraction.
            shape = f"{day} [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
            return (
                f"CASE WHEN {c} IS NULL THEN {null} WHEN datetime({c}) IS NULL THEN {bad} WHEN {c} GLOB '{shape}' THEN {c} "
                f"WHEN {c} GLOB '{shape}.[0-9]*' AND length({c})<=26 AND substr({c},21) NOT GLOB '*[^0-9]*' "
                f"THEN rtrim(rtrim({c},'0'),'.') ELSE {bad} END"
            )
        if self.is_json:
            # A column declared JSON has numeric affinity: SQLite keeps the JSON text 5 as an integer, 1.5 as a real.
            real = f"CASE WHEN abs({c})>1.7976931348623157e308 THEN {bad} WHEN CAST(CAST({c} AS TEXT) AS REAL)={c} THEN CAST({c} AS TEXT) ELSE printf('%!.17g',{c}) END"
            return f"CASE typeof({c}) WHEN 'text' THEN {c} WHEN 'null' THEN {null} WHEN 'integer' THEN CAST({c} AS TEXT) WHEN 'real' THEN {real} ELSE {bad} END"
        long = f"WHEN length({c})>{self.limit} THEN {bad} " if self.limit else ""
        return f"CASE WHEN {c} IS NULL THEN {null} WHEN typeof({c})<>'text' THEN {bad} {long}ELSE {c} END"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(data: bytes) -> str:
    return f"x'{data.hex()}'"


class Table:
    def __init__(self, name: str):
        self.name = name
        self.columns: list[Column] = []
        self.parents: list[ForeignKey] = []
        self.uniques: list[Unique] = []
        self.rows = 0
        self.sent = Digest()

    def names(self) -> str:
        return ", ".join(quoted(column.name) for column in self.columns)


ForeignKey = collections.namedtuple("ForeignKey", "name columns parent keys on_delete")
Unique = collections.namedtuple("Unique", "name columns lower")


# --- the source -----------------------------------------------------------------------------------------------------


class Source:
    """webui.db, opened so that SQLite can neither change nor lock it: nobody else has it open, that is what the lease
    is for."""

    def __init__(self, path: str):
        self.path = path
        if not os.path.isfile(path):
            raise Quit(SOURCE, f"There is no {path}. Name the directory that holds it in KEEPER_DIR.")
        for suffix in ("-wal", "-journal"):
            if os.path.exists(path + suffix) and os.path.getsize(path + suffix):
                raise Quit(
                    SOURCE,
                    f"{path}{suffix} holds commits that are not in {os.path.basename(path)} yet: the application runs, or it was killed. "
                    "Stop it, and run this without --no-keeper: the keeper folds them in.",
                )
        address = f"file:{urllib.request.pathname2url(os.path.abspath(path))}?mode=ro&immutable=1"
        self.db = sqlite3.connect(address, uri=True, isolation_level=None)
        self.db.text_factory = bytes
        # Rows that are left out; in memory, since the file is not ours to write.
        self.db.execute("PRAGMA temp_store=MEMORY")
        self.db.execute("CREATE TEMP TABLE left_out (tbl TEXT, rid INTEGER, PRIMARY KEY (tbl, rid)) WITHOUT ROWID")
        self.db.create_function("fold", 1, lambda text: text if text is None else fold(text), deterministic=True)
        try:
            problems = self.text("PRAGMA quick_check(3)")
        except sqlite3.DatabaseError as error:
            problems = [str(error)]
        if problems != ["ok"]:
            raise Quit(SOURCE, f"{path} is damaged: {'; '.join(problems)}. Restore a snapshot: efs-data-layer snapshots list.")

    def text(self, sql: str, *values) -> list[str]:
        return [row[0].decode() for row in self.db.execute(sql, values)]

    def one(self, sql: str, *values):
        row = self.db.execute(sql, values).fetchone()
        return row and row[0]

    def tables(self) -> list[str]:
        return self.text("SELECT name FROM main.sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name")

    def columns(self, table: str) -> list[str]:
        return self.text("SELECT name FROM pragma_table_info(?)", table)

    def head(self) -> str | None:
        if "alembic_version" not in self.tables():
            return None
        heads = self.text("SELECT version_num FROM alembic_version ORDER BY 1")
        return ",".join(heads) or None

    def unique_sets(self, table: str) -> list[set[str]]:
        """The sets of columns that SQLite itself keeps unique."""
        found = [set(self.text("SELECT name FROM pragma_table_info(?) WHERE pk", table))]
        for index in self.text('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', table):
            names = [row[0] for row in self.db.execute("SELECT name FROM pragma_index_info(?)", (index,))]
            found.append({name.decode() for name in names if name} if all(names) else set())
        return found

    def leave_out(self, table: str, rid: int) -> None:
        self.db.execute("INSERT OR IGNORE INTO left_out VALUES (?, ?)", (table, rid))

    def is_left_out(self, table: str) -> bool:
        return bool(self.one("SELECT 1 FROM left_out WHERE tbl=? LIMIT 1", table))


def fold(text) -> str:
    """PostgreSQL's lower()."""
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).lower()


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def address() -> dict:
    """What to connect to, and how it is called in messages and in .owner: never with its password."""
    url = os.environ.get("DATABASE_URL", "")
    if re.match(r"postgres(ql)?(\+\w+)?://", url):
        parts = urllib.parse.urlsplit(url)
        unquote = urllib.parse.unquote
        found = dict(
            host=parts.hostname or "localhost", port=str(parts.port or 5432), dbname=unquote(parts.path[1:]),
            user=unquote(parts.username or ""), password=unquote(parts.password or ""),
        )  # fmt: skip
        query = dict(urllib.parse.parse_qsl(parts.query))
        found.update({name: query[name] for name in ("sslmode", "sslrootcert") if name in query})
        return found
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    found = {key: os.environ.get(f"DATABASE_{name}", "") for key, name in names.items()}
    missing = [f"DATABASE_{names[key]}" for key, value in found.items() if not value and key != "password"]
    if missing:
        raise Quit(USAGE, f"{', '.join(missing)} is not set: the PostgreSQL to move to. Or set DATABASE_URL to a postgresql:// address.")
    return found


def fingerprint(target: dict) -> str:
    return f"{target['host']}:{target['port']}/{target['dbname']}"


def silence() -> int:
    return int(os.environ.get("MOVER_SILENCE") or 300)


def alive() -> dict[str, int]:
    """How libpq and the server are told to give up a connection whose packets vanish. TCP's own patience is hours, the
    application is stopped meanwhile, and the server's half holds the locks that the next attempt needs."""
    seconds = silence()
    return {"keepalives_idle": max(1, seconds // 10), "keepalives_interval": max(1, seconds // 30), "keepalives_count": 6, "tcp_user_timeout": seconds * 1000}


def connect(target: dict):
    try:
        import psycopg
    except ImportError:
        raise Quit(USAGE, "This Python has no psycopg. Run the mover in the Open WebUI image.") from None
    where = fingerprint(target)
    try:
        there = " ".join(f"-c {name if name.startswith('tcp') else f'tcp_{name}'}={value}" for name, value in alive().items())
        connection = psycopg.connect(**target, **alive(), connect_timeout=15, application_name="efs-data-layer-mover", options=f"{there} -c DateStyle=ISO -c client_encoding=UTF8 -c idle_in_transaction_session_timeout=0 -c statement_timeout=0 -c lock_timeout=20s -c TimeZone=UTC")
    except psycopg.OperationalError as error:
        why = " ".join(str(error).split())
        if re.search(r"authentication failed|no password supplied|role .* does not exist|no pg_hba\.conf entry|permission denied", why):
            raise Quit(DENIED, f"{where} lets nobody in with these credentials: {why}. Check the secret.") from None
        if re.search(r'database ".*" does not exist', why):
            raise Quit(UNREACHABLE, f"{where}: {why}. Check DATABASE_NAME.") from None
        raise Quit(UNREACHABLE, f"{where} does not answer: {why}. Is it running, and does its security group let this task in?") from None
    encoding = connection.execute("SHOW server_encoding").fetchone()[0]
    if encoding != "UTF8":
        raise Quit(REFUSED, f"{where} has the encoding {encoding}. Make the database with ENCODING 'UTF8'.")
    return connection


def commit(connection, target: dict) -> None:
    import psycopg

    try:
        connection.commit()
    except psycopg.OperationalError as error:
        why = " ".join(str(error).split())
        raise Quit(IO, f"{fingerprint(target)} went away while the last step was committed: {why}. Whether it was is not known here; the files on the volume are as they were. Run the same command again once it answers: it finds out and goes on.") from None


def target_head(connection) -> str | None:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone()[0] is None:
        return None
    rows = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1").fetchall()
    return ",".join(row[0] for row in rows) or None


def make_schema(url: str) -> str:
    """Open WebUI brings a database's schema up to date when its configuration is imported; the image's own code, so
    source and target are at the same head. Returns the last of what it said."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        environment.update(DATABASE_URL=url, DATA_DIR=folder, STATIC_DIR=folder, WEBUI_SECRET_KEY="unused", OFFLINE_MODE="true", ENABLE_DB_MIGRATIONS="true")
        where = "/app/backend" if os.path.isdir("/app/backend") else folder
        done = subprocess.run([sys.executable, "-c", "import open_webui.config"], env=environment, cwd=where, capture_output=True, text=True)
        return (done.stderr or done.stdout).strip()[-600:]


def url_of(target: dict) -> str:
    quote = lambda text: urllib.parse.quote(text, safe="")
    more = {**{name: target[name] for name in ("sslmode", "sslrootcert") if name in target}, "connect_timeout": "15", **alive()}
    query = "&".join(f"{name}={quote(str(value))}" for name, value in more.items())
    return f"postgresql://{quote(target['user'])}:{quote(target['password'])}@{target['host']}:{target['port']}/{quote(target['dbname'])}?{query}"


def read_schema(connection) -> dict[str, Table]:
    """The tables of the target with what they demand, parents before children."""
    tables: dict[str, Table] = {}
    sql = """SELECT c.relname, a.attname, format_type(a.atttypid, NULL), CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END,
               a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' ORDER BY c.relname, a.attnum"""
    for table, name, kind, limit, required in connection.execute(sql).fetchall():
        if table not in NOT_DATA:
            column = Column(name, kind, limit if kind.startswith("character") else None, required)
            tables.setdefault(table, Table(table)).columns.append(column)
    attributes = "(SELECT array_agg(attname::text ORDER BY n) FROM unnest({0}) WITH ORDINALITY k(num, n) JOIN pg_attribute ON attrelid = {1} AND attnum = num)"
    sql = f"""SELECT conname, r.relname, f.relname, {attributes.format('conkey', 'conrelid')}, {attributes.format('confkey', 'confrelid')}, confdeltype
              FROM pg_constraint JOIN pg_class r ON r.oid = conrelid JOIN pg_class f ON f.oid = confrelid
              WHERE contype = 'f' AND r.relnamespace = current_schema()::regnamespace ORDER BY 1"""
    for name, table, parent, columns, keys, on_delete in connection.execute(sql).fetchall():
        tables[table].parents.append(ForeignKey(name, columns, parent, keys, on_delete))
    sql = f"""SELECT i.relname, r.relname, {attributes.format('indkey::int2[]', 'indrelid')}, pg_get_expr(indexprs, indrelid), indpred IS NOT NULL
              FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class r ON r.oid = indrelid
              WHERE indisunique AND r.relnamespace = current_schema()::regnamespace ORDER BY 1"""
    for name, table, columns, expression, partial in connection.execute(sql).fetchall():
        lower = re.fullmatch(r"lower\(\(?\"?(\w+)\"?\)?(?:::text)?\)", expression or "")
        if table in tables and lower:
            tables[table].uniques.append(Unique(name, [lower[1]], True))
        elif table in tables and columns and not expression and not partial:
            tables[table].uniques.append(Unique(name, columns, False))
    return in_order(tables)


def in_order(tables: dict[str, Table]) -> dict[str, Table]:
    ordered: dict[str, Table] = {}
    while len(ordered) < len(tables):
        ready = [t for t in tables.values() if t.name not in ordered and all(p.parent in ordered or p.parent == t.name for p in t.parents)]
        if not ready:
            raise Quit(REFUSED, f"Foreign keys form a circle between {', '.join(sorted(set(tables) - set(ordered)))}: they cannot be filled one after the other.")
        ordered.update({table.name: table for table in ready})
    return ordered


MANY_ROWS = 10_000


def take_down(connection, table: Table) -> list[str]:
    """Drops the foreign keys and plain indexes of a large table, and returns what makes them again, word for word as
    PostgreSQL itself describes them: built once over all rows they cost half of what each row's own update does. All of it
    is in the one transaction, so nobody ever sees the table without them."""
    if table.rows < MANY_ROWS:
        return []
    name, again = quoted(table.name), []
    sql = """SELECT i.relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class i ON i.oid = indexrelid
             WHERE indrelid = %s::regclass AND NOT indisunique"""
    for index, definition in connection.execute(sql, (name,)).fetchall():
        connection.execute(f"DROP INDEX {quoted(index)}")
        again.append(definition)
    sql = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'"
    for constraint, definition in connection.execute(sql, (name,)).fetchall():
        connection.execute(f"ALTER TABLE {name} DROP CONSTRAINT {quoted(constraint)}")
        again.append(f"ALTER TABLE {name} ADD CONSTRAINT {quoted(constraint)} {definition}")
    return again


def read_marker(connection) -> dict | None:
    if connection.execute("SELECT to_regclass(%s)", (MARKER,)).fetchone()[0] is None:
        return None
    row = connection.execute(f"SELECT source_digest, table_counts, schema_head, migrated_at, state FROM {MARKER}").fetchone()
    return row and dict(zip(("source_digest", "table_counts", "schema_head", "migrated_at", "state"), row))


def write_marker(connection, state: str, digest: str, counts: dict, head: str, path: str) -> None:
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {MARKER} (source_digest text, table_counts jsonb, schema_head text, source_path text, "
        "migrated_at timestamptz, mover_version text, state text)"
    )
    connection.execute(f"DELETE FROM {MARKER}")
    values = (digest, json.dumps(counts), head, path, VERSION, state)
    connection.execute(f"INSERT INTO {MARKER} VALUES (%s, %s, %s, %s, now(), %s, %s)", values)


# --- anomalies ------------------------------------------------------------------------------------------------------


class Anomalies:
    """What the source holds and PostgreSQL refuses, and what is done with it."""

    def __init__(self, policy: dict[str, str], check: bool, quarantine: str):
        self.policy, self.check, self.path, self.file = policy, check, quarantine, None
        self.counts: dict[str, dict[str, int]] = {}
        self.examples: list[dict] = []

    def action(self, kind: str) -> str:
        return "fail" if self.check else self.policy[kind]

    def found(self, kind: str, table: str, rid: int, what: str, done: str, row: dict | None = None) -> None:
        counts = self.counts.setdefault(kind, {"found": 0})
        counts["found"] += 1
        counts[done] = counts.get(done, 0) + 1
        example = {"kind": kind, "table": table, "rowid": rid, "what": what, "done": done}
        if counts["found"] <= SHOWN:
            self.examples.append(example)
            log("anomaly", **example)
        if row is not None and done in ("quarantined", "repaired"):
            if self.file is None:
                os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
                self.file = open(self.path, "w", encoding="utf-8")
            self.file.write(json.dumps({**example, "row": {name: readable(value) for name, value in row.items()}}) + "\n")

    def close(self) -> None:
        if self.file and not self.file.closed:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()

    def refuse(self) -> None:
        unsolved = {kind: counts["failed"] for kind, counts in self.counts.items() if counts.get("failed")}
        if unsolved and not self.check:
            words = ", ".join(f"{number} of kind {kind}" for kind, number in unsolved.items())
            raise Quit(
                ANOMALIES,
                f"PostgreSQL would refuse rows of {DATABASE}: {words}; the lines above name them. Nothing was moved. Correct them in the "
                "application, or choose with --on-anomaly quarantine or repair (--check shows all of them).",
            )


def readable(value):
    """For the quarantine file: nothing of the value is lost."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    return value


class Row:
    """A row that is looked at value by value, since something in its block is unusual."""

    def __init__(self, table: Table, rid: int, raw: tuple, types: tuple, anomalies: Anomalies):
        self.table, self.rid, self.anomalies = table, rid, anomalies
        self.raw = {column.name: value for column, value in zip(table.columns, raw)}
        self.types = dict(zip(self.raw, types))
        self.out = False
        self.noted = False

    def solve(self, kind: str, column: str, what: str, repair) -> bytes:
        """The value to go on with. `repair` gives one, or None when there is none."""
        action = self.anomalies.action(kind)
        value = repair() if action == "repair" else None
        done = "failed" if action == "fail" else "quarantined" if value is None else "repaired"
        row = None if self.noted else self.raw
        self.noted = self.noted or done != "failed"
        self.anomalies.found(kind, self.table.name, self.rid, f"{column}: {what}", done, row)
        self.out = self.out or done != "repaired"
        return NULL if value is None else value

    def fields(self) -> list[bytes] | None:
        """In COPY's form before escaping, or None for a row that is left out."""
        values = [self.value(column) for column in self.table.columns]
        return None if self.out else values

    def value(self, column: Column) -> bytes:
        value, kind = self.raw[column.name], self.types[column.name]
        if value is None:
            return self.solve("null", column.name, "NULL where none is allowed", lambda: None) if column.required else NULL
        if column.kind in RANGES:
            return self.integer(column, value, kind)
        if column.kind == "boolean":
            if kind == "integer" and value in (0, 1):
                return b"t" if value else b"f"
            truth = {b"0": b"f", b"1": b"t", b"false": b"f", b"true": b"t", b"0.0": b"f", b"1.0": b"t"}
            text = value.lower() if isinstance(value, bytes) else str(value).encode()
            return self.solve("type", column.name, f"{kind} {readable(value)!r:.60} is no boolean", lambda: truth.get(text))
        if kind != "text" and not (column.is_json and kind in ("integer", "real")):
            self_text = value if isinstance(value, bytes) else str(value).encode()
            value = self.solve("type", column.name, f"{kind} in a {column.kind} column", lambda: self_text)
        elif kind != "text":
            value = (b"%d" % value) if kind == "integer" else repr(value).encode()
        value = self.text(column, value)
        if value is NULL:
            return value
        if column.is_json:
            return self.json(column, value)
        if column.kind == "date" or column.kind.startswith("timestamp"):
            return self.moment(column, value)
        if column.limit and len(value.decode()) > column.limit:
            return self.solve("length", column.name, f"{len(value.decode())} characters, {column.limit} fit", lambda: value.decode()[: column.limit].encode())
        return value

    def integer(self, column: Column, value, kind: str) -> bytes:
        top = RANGES[column.kind]
        if kind == "integer" and -top <= value < top:
            return b"%d" % value

        def repair() -> bytes | None:
            try:
                number = float(value) if kind != "integer" else value
                exact = int(value) if kind != "real" else int(number)
                return b"%d" % max(-top, min(top - 1, exact))
            except (ValueError, OverflowError):
                return None

        return self.solve("type", column.name, f"{kind} {readable(value)!r:.60} does not fit into {column.kind}", repair)

    def text(self, column: Column, value: bytes) -> bytes:
        try:
            value.decode()
        except UnicodeDecodeError as error:
            bad = value
            value = self.solve("utf8", column.name, f"byte {bad[error.start]:#04x} at {error.start} is no UTF-8", lambda: bad.decode("utf-8", "replace").encode())
        if value is not NULL and b"\0" in value:
            with_nul = value
            value = self.solve("nul", column.name, f"{value.count(0)} times U+0000", lambda: with_nul.replace(b"\0", "\ufffd".encode()))
        return value

    def json(self, column: Column, value: bytes) -> bytes:
        try:
            json.loads(value, parse_constant=not_json)
        except RecursionError:
            pass  # PostgreSQL has a limit of its own, and its say.
        except ValueError as error:
            broken = value
            value = self.solve("json", column.name, f"{str(error):.80}", lambda: repaired_json(broken, column.required))
            if value is NULL:
                return value
        for kind, token, name in (("nul", b"\\u0000", "\\u0000"), ("surrogate", None, "half a surrogate pair")):
            escaped, count = escapes_of(value, kind)
            if count:
                value = self.solve(kind, column.name, f"{count} times {name} in JSON", lambda fixed=escaped: fixed)
                if value is NULL:
                    return value
        return value

    def moment(self, column: Column, value: bytes) -> bytes:
        try:
            if column.kind == "date":
                plain = datetime.date.fromisoformat(value.decode()).isoformat().encode()
                odd = plain != value
            else:
                when = datetime.datetime.fromisoformat(value.decode())
                odd = when.tzinfo is not None or not re.fullmatch(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", value)
                when = when.astimezone(datetime.timezone.utc).replace(tzinfo=None) if when.tzinfo else when
                plain = str(when).encode()
                plain = plain.rstrip(b"0").rstrip(b".") if b"." in plain else plain
            if not odd:
                return plain
        except ValueError:
            plain = None
        return self.solve("type", column.name, f"{readable(value)!r:.60} is no {column.kind}", lambda: plain)


def not_json(word: str):
    raise ValueError(f"{word} is no JSON")


def repaired_json(value: bytes, required: bool) -> bytes:
    text = value.decode()
    if not text.strip():
        return b"null" if required else NULL
    try:
        constants: list[str] = []
        parsed = json.loads(text, parse_constant=lambda word: constants.append(word))
        return json.dumps(parsed, ensure_ascii=False).encode()
    except ValueError:
        return json.dumps(text, ensure_ascii=False).encode()


def escapes_of(value: bytes, kind: str) -> tuple[bytes, int]:
    """A JSON text with U+FFFD for every \\u0000, or for every half of a surrogate pair, and how many there were."""
    if b"\\u" not in value:
        return value, 0
    parts, end, count, high = [], 0, 0, None
    tokens = list(TOKEN.finditer(value))
    for number, token in enumerate(tokens):
        code = int(token[1], 16) if token[1] else -1
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        follows = after is not None and after.start() == token.end() and after[1] and 0xDC00 <= int(after[1], 16) < 0xE000
        if kind == "nul":
            wrong = code == 0
        else:
            paired = high == token.start()
            wrong = (0xD800 <= code < 0xDC00 and not follows) or (0xDC00 <= code < 0xE000 and not paired)
            high = token.end() if 0xD800 <= code < 0xDC00 and follows else None
        if wrong:
            parts += [value[end : token.start()], b"\\ufffd"]
            end, count = token.end(), count + 1
    return b"".join(parts) + value[end:], count


# --- rows as PostgreSQL's COPY writes them --------------------------------------------------------------------------


class Reader:
    """The rows of a table of the source as lines of COPY's text format, in blocks. Both sides of a move are compared in
    this form: PostgreSQL writes a row in exactly one way."""

    def __init__(self, source: Source, table: Table, anomalies: Anomalies, changes: dict, careful: bool):
        self.source, self.table, self.anomalies, self.changes, self.careful = source, table, anomalies, changes, careful

    def blocks(self):
        """Pairs of a block, ready to be sent, and its lines."""
        table = self.table
        words = []
        for column in table.columns:
            word = column.expression()
            if column.is_json and self.careful:
                c = quoted(column.name)
                word = f"CASE WHEN typeof({c})='text' AND NOT json_valid({c}) THEN {literal(BAD)} ELSE {word} END"
            words.append(word)
        where = f"WHERE rowid NOT IN (SELECT rid FROM left_out WHERE tbl='{table.name}')" if self.source.is_left_out(table.name) else ""
        cursor = self.source.db.execute(f"SELECT rowid, {', '.join(words)} FROM main.{quoted(table.name)} {where} ORDER BY rowid")
        cursor.arraysize = 64
        lines, size, first, rid, join = [], 0, None, None, FIELD.join
        for rid, *row in cursor:
            line = join(row)
            lines.append(line)
            size += len(line)
            if first is None:
                first = rid
            if size >= BLOCK:
                yield from self.block(lines, first, rid, where)
                lines, size, first = [], 0, None
        if lines:
            yield from self.block(lines, first, rid, where)

    def block(self, lines: list[bytes], first: int, last: int, where: str):
        joined = ROW.join(lines)
        if self.table.name not in self.changes and self.is_plain(joined, len(lines)):
            yield self.escaped(joined)
        else:
            for rows in self.closely(first, last, where):
                yield self.escaped(ROW.join(FIELD.join(fields) for fields in rows))

    def is_plain(self, block: bytes, rows: int) -> bool:
        """Nothing in it needs a closer look."""
        if BAD in block or b"\0" in block or b"\\u0000" in block:
            return False
        if block.count(ROW) != rows - 1 or block.count(FIELD) != rows * (len(self.table.columns) - 1):
            return False
        try:
            block.replace(NULL, b"").translate(None, FIELD + ROW).decode()
        except UnicodeDecodeError:
            return False
        return not SURROGATE.search(block) or escapes_of(block, "surrogate")[1] == 0

    def closely(self, first: int, last: int, where: str):
        table, names = self.table, self.table.names()
        kinds = ", ".join(f"typeof({quoted(column.name)})" for column in table.columns)
        raw = ", ".join(quoted(column.name) for column in table.columns)
        more = f"{where} AND" if where else "WHERE"
        sql = f"SELECT rowid, {raw}, {kinds} FROM main.{quoted(table.name)} {more} rowid BETWEEN ? AND ? ORDER BY rowid"
        width, rows, size = len(table.columns), [], 0
        for rid, *values in self.source.db.execute(sql, (first, last)).fetchall() if last - first < 1000 else self.source.db.execute(sql, (first, last)):
            row = Row(table, rid, values[:width], [kind.decode() for kind in values[width:]], self.anomalies)
            for name, value in self.changes.get(table.name, {}).get(rid, {}).items():
                row.raw[name], row.types[name] = value, "null" if value is None else "text"
            fields = row.fields()
            if fields is None:
                self.source.leave_out(table.name, rid)
                continue
            rows.append(fields)
            size += sum(map(len, fields))
            if size >= BLOCK:
                yield rows
                rows, size = [], 0
        if rows:
            yield rows

    def escaped(self, block: bytes):
        for plain, escape in ESCAPES:
            if plain in block:
                block = block.replace(plain, escape)
        block = block.replace(NULL, b"\\N").replace(FIELD, b"\t").replace(ROW, b"\n")
        return block, block.split(b"\n")


class Progress:
    """A line every few seconds, and one for each table that has rows."""

    EVERY = 5.0

    def __init__(self, total: int):
        self.total, self.done = total, 0
        self.start = self.told = time.monotonic()

    def step(self, table: Table, rows: int, doing: str) -> None:
        now = time.monotonic()
        if now - self.told >= self.EVERY:
            self.told = now
            done = self.done + (table.sent.rows if doing == "copying" else table.rows)
            rate = done / max(now - self.start, 0.001)
            log("progress", doing=doing, table=table.name, rows=rows, of=table.rows, rows_per_s=round(rate), left_s=round(max(self.total - done, 0) / max(rate, 1)))


# --- the move -------------------------------------------------------------------------------------------------------


class Mover:
    def __init__(self, options, lease):
        self.options, self.lease = options, lease
        self.directory = os.environ["KEEPER_DIR"].rstrip("/")
        self.path = os.path.join(self.directory, DATABASE)
        quarantine = options.quarantine or os.path.join(self.directory, "set-aside", f"{utc()}-quarantine.jsonl")
        self.anomalies = Anomalies(options.policy, options.check, quarantine)
        self.changes: dict[str, dict[int, dict]] = {}
        self.report: dict = {"version": VERSION, "started": utc(), "tables": {}}
        self.target = address()

    # -- what the source may hold --

    def look(self, source: Source, table: Table) -> None:
        """What shows only between rows: orphans, second rows of a key, e-mail addresses. Parents were looked at before."""
        own = set(source.columns(table.name))
        for key in table.parents:
            while self.orphans(source, table, key) and key.parent == table.name and self.anomalies.action("orphan") != "fail":
                pass
        known = source.unique_sets(table.name)
        for unique in table.uniques:
            if not set(unique.columns) <= own or (not unique.lower and set(unique.columns) in known):
                continue
            columns = [f"fold({quoted(c)})" if unique.lower else quoted(c) for c in unique.columns]
            given = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in unique.columns)
            order = "created_at, rowid" if "created_at" in own else "rowid"
            sql = f"SELECT rowid, {', '.join(map(quoted, unique.columns))} FROM (SELECT *, rowid, row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY {order}) n FROM main.{quoted(table.name)} WHERE {given} AND rowid NOT IN (SELECT rid FROM left_out WHERE tbl=?)) WHERE n > 1"
            for rid, *values in source.db.execute(sql, (table.name,)).fetchall():
                self.second(source, table, unique, rid, values)

    def orphans(self, source: Source, table: Table, key: ForeignKey) -> int:
        if table.name not in source.tables() or key.parent not in source.tables():
            return 0
        parent_left = f"AND NOT EXISTS (SELECT 1 FROM left_out WHERE tbl='{key.parent}' AND rid=p.rowid)" if source.is_left_out(key.parent) else ""
        match = " AND ".join(f"p.{quoted(k)}=c.{quoted(n)}" for n, k in zip(key.columns, key.keys))
        given = " AND ".join(f"c.{quoted(n)} IS NOT NULL" for n in key.columns)
        sql = f"SELECT c.rowid, {', '.join('c.' + quoted(n) for n in key.columns)} FROM main.{quoted(table.name)} c WHERE {given} AND NOT EXISTS (SELECT 1 FROM main.{quoted(key.parent)} p WHERE {match} {parent_left}) AND c.rowid NOT IN (SELECT rid FROM left_out WHERE tbl=?)"
        number = 0
        for rid, *values in source.db.execute(sql, (table.name,)).fetchall():
            if rid in self.changes.get(table.name, {}) and self.changes[table.name][rid].get(key.columns[0], 1) is None:
                continue
            what = f"{', '.join(key.columns)} {[readable(value) for value in values]} is in no row of {key.parent}"
            action, number = self.anomalies.action("orphan"), number + 1
            if action == "repair" and key.on_delete == "n":
                self.change(source, table, rid, {name: None for name in key.columns}, "orphan", what)
            else:
                done = {"fail": "failed", "quarantine": "quarantined", "repair": "repaired"}[action]
                self.anomalies.found("orphan", table.name, rid, what, done, self.whole(source, table, rid))
                if action != "fail":
                    source.leave_out(table.name, rid)
        return number

    def second(self, source: Source, table: Table, unique: Unique, rid: int, values: list) -> None:
        kind = "email" if unique.lower else "duplicate"
        what = f"{', '.join(unique.columns)} {[readable(value) for value in values]} is there already ({unique.name})"
        action = self.anomalies.action(kind)
        if action == "repair" and unique.lower:
            name = unique.columns[0]
            identity = source.db.execute(f"SELECT id FROM main.{quoted(table.name)} WHERE rowid=?", (rid,)).fetchone()[0]
            local, _, domain = readable(values[0]).rpartition("@") if isinstance(readable(values[0]), str) else ("", "", "")
            other = f"{local}+{hashlib.sha256(identity).hexdigest()[:8]}@{domain}".encode()
            self.change(source, table, rid, {name: other}, kind, f"{what}; now {other.decode()}")
            # The same account's row in `auth`, which has the address too.
            if table.name == "user" and "auth" in source.tables():
                for (row,) in source.db.execute("SELECT rowid FROM main.auth WHERE id=?", (identity.decode(),)).fetchall():
                    self.changes.setdefault("auth", {})[row] = {name: other}
            return
        self.anomalies.found(kind, table.name, rid, what, "failed" if action == "fail" else "quarantined", self.whole(source, table, rid))
        if action != "fail":
            source.leave_out(table.name, rid)

    def change(self, source: Source, table: Table, rid: int, values: dict, kind: str, what: str) -> None:
        self.anomalies.found(kind, table.name, rid, what, "repaired", self.whole(source, table, rid))
        self.changes.setdefault(table.name, {}).setdefault(rid, {}).update(values)

    def whole(self, source: Source, table: Table, rid: int) -> dict:
        cursor = source.db.execute(f"SELECT * FROM main.{quoted(table.name)} WHERE rowid=?", (rid,))
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone()))

    def match(self, source: Source, tables: dict[str, Table]) -> None:
        """Every table and column of the source that holds something must have its place."""
        for name in source.tables():
            if name in NOT_DATA:
                continue
            if name not in tables:
                if source.one(f"SELECT 1 FROM main.{quoted(name)} LIMIT 1"):
                    raise Quit(REFUSED, f"{DATABASE} has a table {name} with rows that the target does not have. It is none of Open WebUI's at this schema: drop it, or move it by hand.")
                continue
            table, own = tables[name], set(source.columns(name))
            theirs = {column.name for column in table.columns}
            for extra in sorted(own - theirs):
                if source.one(f"SELECT 1 FROM main.{quoted(name)} WHERE {quoted(extra)} IS NOT NULL LIMIT 1"):
                    raise Quit(REFUSED, f"{DATABASE} has a column {name}.{extra} with values that the target does not have.")
            for missing in sorted(column.name for column in table.columns if column.required and column.name not in own):
                raise Quit(REFUSED, f"The target demands a column {name}.{missing} that {DATABASE} does not have.")
            table.columns = [column for column in table.columns if column.name in own]
            for column in table.columns:
                if not (column.kind in (*RANGES, "boolean", "text", "json", "date", "timestamp without time zone") or column.kind.startswith("character")):
                    raise Quit(REFUSED, f"The column {name}.{column.name} has the type {column.kind}, which the mover does not know.")
            table.rows = source.one(f"SELECT count(*) FROM main.{quoted(name)}")

    # -- SQLite -> PostgreSQL --

    def forward(self) -> None:
        moved = self.lease.journal.get("migrated")
        if moved and not os.path.exists(self.path):
            # Archived by --complete.
            self.already(moved, read_marker(connect(self.target)))
            return
        source = Source(self.path)
        head = source.head()
        if head is None:
            raise Quit(REFUSED, f"{self.path} has no Alembic schema version: it is not Open WebUI's, or older than 0.4. Start the application once with the present image.")
        self.report.update(source=self.path, target=fingerprint(self.target), schema_head=head)
        self.refuse_other_image(head)
        connection = connect(self.target)
        marker = read_marker(connection)
        if moved and not self.options.check:
            self.already(moved, marker)
            return
        before = target_head(connection)
        if before is None or (before != head and not self.rows_in(connection)):
            before = self.make_tables(connection, before)
        connection.rollback()
        if before != head:
            raise Quit(REFUSED, f"The schemas differ: {DATABASE} is at {head}, {fingerprint(self.target)} at {before}. Start both with the same image first (an empty target: make the database anew).")
        tables = read_schema(connection)
        self.match(source, tables)
        if self.options.check:
            self.check(source, tables)
            return
        self.guard(connection, tables, marker)
        self.lease.snapshot()
        self.move(source, connection, tables, head, marker)

    def make_tables(self, connection, before: str | None) -> str:
        """Empty ones, by Open WebUI's own code, or those that are there brought up to date; returns the schema's version."""
        connection.rollback()
        said, where = make_schema(url_of(self.target)), fingerprint(self.target)
        head = target_head(connection)
        if head is None:
            raise Quit(REFUSED, f"Open WebUI's own code did not make its tables in {where}: {said}")
        if head != before:
            log("tables", message=f"{where} has Open WebUI's tables at schema {head}; they are empty.")
        return head

    def rows_in(self, connection) -> list[str]:
        """The tables of the target that hold rows."""
        return [table for table in read_schema(connection) if connection.execute(f"SELECT EXISTS (SELECT 1 FROM {quoted(table)})").fetchone()[0]]

    def refuse_other_image(self, head: str) -> None:
        """Before anything is made in the target: the image's own Alembic versions say which schema it makes."""
        known, parents = image_versions()
        if not known or head in known - parents:
            return
        if head in known:
            raise Quit(REFUSED, f"{DATABASE} is at schema {head}, which is older than this image's. Start the application once with this image on SQLite, then move.")
        raise Quit(REFUSED, f"{DATABASE} is at schema {head}, which this image does not know: the data is newer than the image. Use the image that the service runs.")

    def already(self, moved, marker) -> None:
        digest = moved.get("source_digest") if isinstance(moved, dict) else None
        if marker and marker["state"] == "migrated" and marker["source_digest"] == digest:
            log("done", message=f"{DATABASE} was moved to {moved['target']} already: nothing is to be done.")
            self.report.update(already=True, source_digest=digest)
            return
        raise Quit(REFUSED, f"{DATABASE} was moved to {moved.get('target')} before, and {fingerprint(self.target)} is not it or holds no mark of that move. Point the mover at that database, or go back first with --back.")

    def guard(self, connection, tables: dict[str, Table], marker) -> None:
        """Nobody writes into the target while we look and copy; and what is in it is not overwritten."""
        names = ", ".join(quoted(name) for name in [*tables, "alembic_version"])
        connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        if marker and marker["state"] == "migrated":
            return  # Of a move that was killed before .owner was written, if the digests agree.
        full = self.rows_in(connection)
        if full and marker and marker["state"] in ("returned", "discarded"):
            if not self.options.replace_returned:
                raise Quit(OCCUPIED, f"{fingerprint(self.target)} still holds what was copied back out of it at an earlier --back. Pass --replace-returned to replace that.")
            connection.execute(f"TRUNCATE {', '.join(map(quoted, tables))}")
        elif full:
            raise Quit(OCCUPIED, f"{fingerprint(self.target)} holds data ({', '.join(full[:5])}). The mover fills an empty database only: it overwrites nothing. Make a new one, or name another in DATABASE_NAME.")

    def check(self, source: Source, tables: dict[str, Table]) -> None:
        progress = Progress(sum(table.rows for table in tables.values()))
        for table in tables.values():
            self.look(source, table)
            if table.rows:
                for _, lines in Reader(source, table, self.anomalies, self.changes, True).blocks():
                    table.sent.add(lines)
                    progress.step(table, table.sent.rows, "copying")
            self.note(source, table)
            progress.done += table.rows
        self.finish("checked")
        if self.anomalies.counts:
            raise Quit(ANOMALIES, f"PostgreSQL would refuse rows of {DATABASE}: {json.dumps(self.anomalies.counts)}. Nothing was changed. A move stops at them, unless --on-anomaly says what to do.")

    def note(self, source: Source, table: Table, **more) -> None:
        nulls = {}
        for column in table.columns:
            if column.is_json and table.rows and self.options.check:
                number = source.one(f"SELECT count(*) FROM main.{quoted(table.name)} WHERE {quoted(column.name)}='null'")
                nulls.update({column.name: number} if number else {})
        self.report["tables"][table.name] = {"rows": table.rows, "moved": table.sent.rows, "digest": str(table.sent), **({"json_nulls": nulls} if nulls else {}), **more}

    def move(self, source: Source, connection, tables: dict[str, Table], head: str, marker) -> None:
        only_marked = marker is not None and marker["state"] == "migrated"
        progress = Progress(sum(table.rows for table in tables.values()))
        for table in tables.values():
            start = time.monotonic()
            self.copy_table(source, connection, table, progress, only_marked)
            progress.done += table.rows
            seconds = time.monotonic() - start
            self.note(source, table, seconds=round(seconds, 2))
            if table.rows:
                log("table", table=table.name, rows=table.sent.rows, of=table.rows, rows_per_s=round(table.sent.rows / max(seconds, 0.001)), digest=str(table.sent))
            self.anomalies.refuse()
            reached(f"table-{table.name}")
        counts = {name: table.sent.rows for name, table in tables.items()}
        digest = hashlib.sha256("".join(f"{name} {table.sent}\n" for name, table in sorted(tables.items())).encode()).hexdigest()
        self.anomalies.close()
        if only_marked:
            connection.rollback()
            if marker["source_digest"] != digest:
                raise Quit(OCCUPIED, f"{fingerprint(self.target)} holds the data of another move (source {marker['source_digest'][:12]}, this one is {digest[:12]}). Point the mover at an empty database.")
            log("recognized", message="An earlier move into this database was complete; only .owner was not written.")
        else:
            self.sequences(connection, tables)
            write_marker(connection, "migrated", digest, counts, head, self.path)
            reached("marked")
            commit(connection, self.target)
        reached("committed")
        self.lease.set_migrated({"source_digest": digest, "target": fingerprint(self.target), "at": utc()})
        reached("owner-written")
        if not only_marked:
            connection.autocommit = True
            connection.execute("ANALYZE")  # Else the first queries would be planned for empty tables.
        self.report.update(source_digest=digest, rows_per_s=round(progress.total / max(time.monotonic() - progress.start, 0.001)))
        self.finish("moved")

    def copy_table(self, source: Source, connection, table: Table, progress: Progress, only_read: bool) -> None:
        """Sends a table and reads it back. What PostgreSQL refuses although it looked plain is looked at once more, value
        by value."""
        import psycopg

        if only_read:
            self.look(source, table)
            for _, lines in Reader(source, table, self.anomalies, self.changes, False).blocks() if table.rows else ():
                table.sent.add(lines)
            return
        connection.execute("SAVEPOINT copied")
        for careful in (False, True):
            self.look(source, table) if not careful else None
            if not table.rows:
                return
            table.sent = Digest()
            known = json.dumps(self.anomalies.counts)
            try:
                put_back = take_down(connection, table)
                with connection.cursor().copy(f"COPY {quoted(table.name)} ({table.names()}) FROM STDIN") as copy:
                    for block, lines in Reader(source, table, self.anomalies, self.changes, careful).blocks():
                        copy.write(block + b"\n")
                        table.sent.add(lines)
                        progress.step(table, table.sent.rows, "copying")
                for statement in put_back:
                    connection.execute(statement)
                break
            except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
                why = " ".join(f"{error} {error.diag.context or ''}".split())[:400]
                connection.execute("ROLLBACK TO SAVEPOINT copied")
                self.anomalies.refuse()
                if careful and known == json.dumps(self.anomalies.counts) or isinstance(error, psycopg.errors.ProgramLimitExceeded):
                    raise Quit(ANOMALIES, f"PostgreSQL refuses a row of {table.name}, and the mover does not know why: {why}. Nothing was moved.") from None
                if careful:
                    raise Quit(ANOMALIES, f"PostgreSQL refuses a row of {table.name}: {why}. Nothing was moved.") from None
        connection.execute("RELEASE SAVEPOINT copied")
        there = Digest()
        self.read_back(connection, table, there, progress)
        if str(there) != str(table.sent):
            raise Quit(DIFFER, f"{table.name} does not read back as it was sent ({table.sent} sent, {there} there): nothing was committed. A trigger in the target changes rows, or this is a fault of the mover.")

    def read_back(self, connection, table: Table, there: Digest, progress: Progress) -> None:
        with connection.cursor().copy(f"COPY {quoted(table.name)} ({table.names()}) TO STDOUT") as copy:
            lines = (bytes(line)[:-1] for line in copy)
            while some := list(itertools.islice(lines, 1000)):
                there.add(some)
                progress.step(table, there.rows, "comparing")

    def sequences(self, connection, tables: dict[str, Table]) -> None:
        for table in tables.values():
            for column in table.columns:
                if column.kind in RANGES:
                    name = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", (quoted(table.name), column.name)).fetchone()[0]
                    if name:
                        connection.execute(f"SELECT setval(%s, coalesce(max({quoted(column.name)}), 0) + 1, false) FROM {quoted(table.name)}", (name,))

    def finish(self, event: str) -> None:
        self.anomalies.close()
        self.report.update(
            result=event, ended=utc(), anomalies=self.anomalies.counts, examples=self.anomalies.examples,
            quarantine=self.anomalies.path if self.anomalies.file else None,
        )  # fmt: skip
        if self.options.report:
            with open(self.options.report, "w", encoding="utf-8") as file:
                json.dump(self.report, file, indent=1)
        log("report", **{key: value for key, value in self.report.items() if key != "examples"})

    # -- and back --

    def back(self) -> None:
        """PostgreSQL's rows into a new webui.db, which takes the old one's place only when it reads the same."""
        moved = self.lease.journal.get("migrated")
        if not moved:
            raise Quit(REFUSED, f"{self.directory} says nothing of a move: the application runs on {DATABASE} as far as it knows. There is nothing to bring back.")
        connection = connect(self.target)
        marker, head = read_marker(connection), target_head(connection)
        if not marker or marker["state"] not in ("migrated", "returned", "discarded"):
            raise Quit(REFUSED, f"{fingerprint(self.target)} holds no mark of a move; the data went to {moved.get('target')}.")
        self.report.update(source=fingerprint(self.target), target=self.path, schema_head=head)
        tables = read_schema(connection)
        connection.execute(f"LOCK TABLE {', '.join(map(quoted, [*tables, MARKER]))} IN EXCLUSIVE MODE")
        if self.options.discard:
            self.discard(connection, tables, marker, head)
            return
        self.refuse_other_image(head)
        # Below .keeper/, which no store is made of; what a killed run left there is begun anew.
        folder = os.path.join(self.directory, ".keeper", "back")
        self.lease.module.remove_tree(folder)
        os.makedirs(folder)
        fresh = os.path.join(folder, DATABASE)
        said = make_schema(f"sqlite:///{fresh}")
        if not os.path.isfile(fresh):
            raise Quit(REFUSED, f"Open WebUI's own code did not make a {DATABASE}: {said}")
        self.fill(connection, tables, fresh, head)
        reached("back-filled")
        write_marker(connection, "returned", marker["source_digest"], marker["table_counts"], head, self.path)
        commit(connection, self.target)  # From here PostgreSQL is not started on; the file is not yet either.
        reached("back-committed")
        keeper = self.lease.module
        if os.path.exists(self.path):
            self.lease.keeper.put_aside(self.lease.store(), os.path.join("set-aside", f"{utc()}-{DATABASE}-before-back"))
        reached("back-aside")
        os.rename(fresh, self.path)
        keeper.sync_dir(self.directory)
        reached("back-renamed")
        self.lease.set_migrated(None)
        keeper.remove_tree(folder)
        self.finish("returned")

    def fill(self, connection, tables: dict[str, Table], path: str, head: str) -> None:
        db = sqlite3.connect(path, isolation_level=None)
        if [row[0] for row in db.execute("SELECT version_num FROM alembic_version")] != [head]:
            raise Quit(REFUSED, f"This image makes a {DATABASE} at another schema than {head}, PostgreSQL's. Use the image that the service runs.")
        # If it is killed, the file is thrown away whole.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        db.execute("BEGIN")
        own = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        for table in tables.values():
            table.rows = connection.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()[0]
            if table.name not in own and table.rows:
                raise Quit(REFUSED, f"PostgreSQL has a table {table.name} with rows that {DATABASE} does not have: it is none of Open WebUI's at this schema. Drop it, or move it by hand.")
        total = Progress(sum(table.rows for table in tables.values()))
        for table in [table for table in tables.values() if table.name in own]:
            db.execute(f"DELETE FROM {quoted(table.name)}")
            marks = ", ".join("?" * len(table.columns))
            rows, insert = [], f"INSERT INTO {quoted(table.name)} ({table.names()}) VALUES ({marks})"
            with connection.cursor().copy(f"COPY {quoted(table.name)} ({table.names()}) TO STDOUT") as copy:
                for data in copy:
                    line = bytes(data)[:-1]
                    table.sent.add([line])
                    rows.append(values_of(table, line))
                    if len(rows) == 200:
                        db.executemany(insert, rows)
                        rows = []
                        total.step(table, table.sent.rows, "copying")
            db.executemany(insert, rows)
            total.done += table.rows
        db.execute("COMMIT")
        db.close()
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        source = Source(path)
        for table in [table for table in tables.values() if table.name in own]:
            there = Digest()
            for _, lines in Reader(source, table, Anomalies(dict.fromkeys(KINDS, "fail"), True, os.devnull), {}, False).blocks() if table.rows else ():
                there.add(lines)
            if str(there) != str(table.sent):
                raise Quit(DIFFER, f"{table.name} does not read back as PostgreSQL has it ({table.sent} there, {there} in the file): nothing was changed. This is a fault of the mover.")
            self.report["tables"][table.name] = {"rows": table.rows, "moved": table.sent.rows, "digest": str(table.sent)}
            if table.rows:
                log("table", table=table.name, rows=table.sent.rows, of=table.rows, digest=str(table.sent))
        source.db.close()

    def discard(self, connection, tables: dict[str, Table], marker, head: str) -> None:
        """The old file as it is. What PostgreSQL has and it has not is counted exactly, row by row, and printed first."""
        source = Source(self.path)
        self.match(source, tables)
        dropped, lost = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            seen = sqlite3.connect(os.path.join(folder, "seen"), isolation_level=None)
            seen.execute("PRAGMA synchronous=OFF")
            for table in tables.values():
                seen.execute("CREATE TABLE seen (hash BLOB PRIMARY KEY) WITHOUT ROWID")
                seen.execute("BEGIN")
                for _, lines in Reader(source, table, Anomalies(dict.fromkeys(KINDS, "repair"), False, os.devnull), {}, False).blocks():
                    seen.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((hashlib.blake2b(line, digest_size=16).digest(),) for line in lines))
                number = 0
                with connection.cursor().copy(f"COPY {quoted(table.name)} ({table.names()}) TO STDOUT") as copy:
                    for data in copy:
                        key = (hashlib.blake2b(bytes(data)[:-1], digest_size=16).digest(),)
                        number += not seen.execute("DELETE FROM seen WHERE hash=?", key).rowcount
                again = seen.execute("SELECT count(*) FROM seen").fetchone()[0]
                seen.execute("COMMIT")
                seen.execute("DROP TABLE seen")
                if number or again:
                    dropped[table.name], lost[table.name] = number, again
                    log("discard", table=table.name, dropped=number, as_before=again, message=f"{table.name}: {number} rows that were made or changed since the move are dropped, {again} are as they were before it")
        write_marker(connection, "discarded", marker["source_digest"], marker["table_counts"], head, self.path)
        commit(connection, self.target)
        reached("discard-committed")
        self.lease.set_migrated(None)
        self.report.update(dropped=dropped, dropped_rows=sum(dropped.values()), as_before_rows=sum(lost.values()))
        self.finish("discarded")

    # -- the end --

    def complete(self) -> None:
        """The moved file leaves the place where the application would look for it. It stays in set-aside/."""
        moved = self.lease.journal.get("migrated")
        if not moved:
            raise Quit(REFUSED, f"{DATABASE} was not moved: there is nothing to complete. Run the move first.")
        if not os.path.exists(self.path):
            log("done", message=f"There is no {self.path} any more: it was archived already.")
            return
        connection = connect(self.target)
        marker = read_marker(connection)
        if not marker or marker["state"] != "migrated" or marker["source_digest"] != moved.get("source_digest"):
            raise Quit(REFUSED, f"{fingerprint(self.target)} does not hold what {DATABASE} was moved to ({moved.get('target')}): the file stays where it is.")
        where = os.path.join("set-aside", f"{utc()}-{DATABASE}-migrated")
        self.lease.keeper.put_aside(self.lease.store(), where)
        log("archived", message=f"{DATABASE} lies in {os.path.join(self.directory, where)}. It is billed like any file; delete it by hand when it is not needed.")


UNESCAPES = {escape: plain for plain, escape in ESCAPES}


def values_of(table: Table, line: bytes) -> list:
    """A line of COPY's text format as values for SQLite."""
    values: list = []
    for column, field in zip(table.columns, line.split(b"\t")):
        if field == b"\\N":
            values.append(None)
            continue
        if b"\\" in field:
            field = re.sub(rb"\\.", lambda found: UNESCAPES[found[0]], field, flags=re.S)
        if column.kind in RANGES:
            values.append(int(field))
        elif column.kind == "boolean":
            values.append(int(field == b"t"))
        elif column.kind == "timestamp without time zone":
            # As SQLAlchemy writes them to SQLite.
            whole, _, fraction = field.decode().partition(".")
            values.append(f"{whole}.{fraction:0<6}")
        else:
            values.append(field.decode())
    return values


def image_versions() -> tuple[set[str], set[str]]:
    """The Alembic revisions of the image, and those of them that have a successor."""
    folder = os.environ.get("KEEPER_MIGRATIONS", "")
    if not os.path.isdir(folder):
        folders = [os.path.join(path, "open_webui", "migrations", "versions") for path in ["/app/backend", *sys.path]]
        folder = next((path for path in folders if os.path.isdir(path)), "")
    known, parents = set(), set()
    for name in os.listdir(folder) if folder else []:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            known |= set(re.findall(r"^revision\b[^=\n]*=\s*[\"']([^\"']+)", text, re.M))
            for line in re.findall(r"^down_revision\b[^=\n]*=\s*(.*)", text, re.M):
                parents |= set(re.findall(r"[\"']([^\"']+)[\"']", line))
    return known, parents


# --- the lease ------------------------------------------------------------------------------------------------------


class NoLease:
    """For a copy of the file that nobody uses."""

    def __init__(self) -> None:
        self.journal: dict = {}

    def set_migrated(self, record) -> None: ...
    def snapshot(self) -> None: ...
    def release(self) -> None: ...


class KeeperLease:
    """The keeper's: the application cannot start meanwhile, and what a killed application left is put right first."""

    def __init__(self) -> None:
        here = os.path.dirname(os.path.abspath(globals().get("__file__", "/tmp/mover.py")))
        sys.path[:0] = [os.environ.get("KEEPER_LOCAL_DIR", "/tmp/keeper"), os.path.join(here, "..", "..", "single-writer")]
        import keeper

        self.module = keeper
        self.keeper = keeper.Keeper(os.environ)

    def take(self) -> None:
        keeper = self.keeper
        keeper.take_lease()
        keeper.finish_restore()
        keeper.refuse_damaged()
        keeper.take_over()
        keeper.settled = True
        self.fold()

    def fold(self) -> None:
        """Commits that are in the WAL only, as an application that stopped cleanly may leave them."""
        path = os.path.join(keeper_dir(), DATABASE)
        if os.path.isfile(path) and any(os.path.exists(path + suffix) for suffix in ("-wal", "-journal")):
            self.module.check_sqlite(path)

    @property
    def journal(self) -> dict:
        return self.keeper.journal

    def set_migrated(self, record) -> None:
        if record is None:
            self.journal.pop("migrated", None)
        else:
            self.journal["migrated"] = record
        self.keeper.lease.save()

    def store(self):
        return self.module.Store(self.keeper.root, DATABASE, declared=True)

    def snapshot(self) -> None:
        """Kept until it is released by hand; not made again when the same command is repeated."""
        store = self.store()
        mark = store.fingerprint()
        if self.journal.get("moving") == mark:
            return
        self.keeper.must_snapshot(store, "before-migration", kept=True)
        self.journal["moving"] = mark
        self.keeper.lease.save()

    def release(self) -> None:
        self.keeper.abandon()


def keeper_dir() -> str:
    directory = os.environ.get("KEEPER_DIR", "").rstrip("/")
    if not os.path.isdir(directory):
        raise Quit(USAGE, f"KEEPER_DIR is {directory!r}, which is no directory. Set it to the one that holds {DATABASE}.")
    return directory


# --- the command ----------------------------------------------------------------------------------------------------

Options = collections.namedtuple("Options", "check back discard complete policy report quarantine replace_returned no_keeper")


def parse_policy(text: str) -> dict[str, str]:
    policy = dict.fromkeys(KINDS, "fail")
    for word in text.split(","):
        kind, _, action = word.rpartition("=")
        if action not in ACTIONS or (kind and kind not in KINDS):
            raise Quit(USAGE, f"--on-anomaly {text}: {word!r} is neither one of {', '.join(ACTIONS)} nor KIND=one of them, with KIND of {', '.join(KINDS)}.")
        policy.update(dict.fromkeys([kind] if kind else KINDS, action))
    return policy


def parse(arguments: list[str]) -> Options:
    flags = {"--check": False, "--back": False, "--discard-since-cutover": False, "--complete": False, "--replace-returned": False, "--no-keeper": False}
    values = {"--on-anomaly": "fail", "--report": "", "--quarantine": ""}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in flags:
            flags[word] = True
        elif word in values and words:
            values[word] = words.pop(0)
        else:
            raise Quit(USAGE, f"{word}: see --help.")
    if flags["--discard-since-cutover"] and not flags["--back"]:
        raise Quit(USAGE, "--discard-since-cutover goes with --back.")
    if sum(flags[name] for name in ("--check", "--back", "--complete")) > 1:
        raise Quit(USAGE, "--check, --back and --complete are three different commands.")
    if flags["--no-keeper"] and (flags["--back"] or flags["--complete"]):
        raise Quit(USAGE, "--back and --complete change the directory: not without the keeper's lease.")
    return Options(
        flags["--check"], flags["--back"], flags["--discard-since-cutover"], flags["--complete"], parse_policy(values["--on-anomaly"]),
        values["--report"], values["--quarantine"], flags["--replace-returned"], flags["--no-keeper"],
    )  # fmt: skip


def run(arguments: list[str]) -> None:
    options = parse(arguments)
    keeper_dir()
    lease = NoLease() if options.no_keeper else KeeperLease()
    try:
        if not options.no_keeper:
            lease.take()
        mover = Mover(options, lease)
        if options.back:
            mover.back()
        elif options.complete:
            mover.complete()
        else:
            mover.forward()
    finally:
        lease.release()


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    return guarded(lambda: run(arguments))


def guarded(work) -> int:
    """The exit status, after a line that says why when it is not 0."""
    fields: dict = {}
    try:
        work()
        return 0
    except Quit as end:
        status, message, fields = end.status, str(end), end.fields
    except OSError as error:
        status, message = IO, f"The volume failed: {error}. The source is as it was; PostgreSQL holds nothing of it."
    except Exception as error:
        name = f"{type(error).__module__}.{type(error).__name__}"
        if type(error).__module__.startswith("psycopg"):
            status, message = IO, f"PostgreSQL at {target_name()} failed: {' '.join(str(error).split())}. Nothing was committed and the source is as it was. {way_out(error)}"
        elif type(error).__module__ == "keeper" and hasattr(error, "status"):
            status, message, fields = error.status, error.message, error.fields
        elif name == "keeper.Damage":
            status, message = ANOMALIES, f"A copy failed its check: {error}."
        elif isinstance(error, sqlite3.DatabaseError) and re.search("disk is full|disk I/O", str(error)):
            status, message = IO, f"The volume failed: {error}. {DATABASE} is as it was. Make room, then run the same command again."
        elif isinstance(error, sqlite3.DatabaseError):
            status, message = SOURCE, f"{DATABASE} cannot be read: {error}. Restore a snapshot: efs-data-layer snapshots list."
        else:
            status, message = FAULT, f"The mover failed: {traceback.format_exc(limit=-4)} The source is as it was and the target empty or complete: run the same command again."
    log("failed", status=status, message=message, **fields)
    return status


def target_name() -> str:
    try:
        return fingerprint(address())
    except Quit:
        return "an address that is not set"


def way_out(error: Exception) -> str:
    code = getattr(error, "sqlstate", None) or ""
    if code.startswith("53100"):
        return "Its disk is full: make it larger, then run the same command again."
    if code == "42501":
        return "Its user may not do this: the owner of the database is needed."
    if code == "55P03":
        return "Something else uses its tables: stop whatever is connected to it."
    return f"Was it restarted, or the connection cut? Or did {silence()} s pass without a packet from it: does it run, and do the security groups and routes in between let packets through in both directions? Run the same command again."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
