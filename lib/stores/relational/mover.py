"""Moves Open WebUI's data from SQLite on the volume to PostgreSQL, or back; all of it or nothing.

usage:
  mover.py --check            read everything, change nothing, say what PostgreSQL would refuse
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
  0 done, or nothing found by --check · 64 usage · 65 anomalies · 66 no source, or a damaged one · 69 the database cannot be reached ·
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
NOT_DATA = {"alembic_version", "migratehistory", MARKER}
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
        for index in self.text("SELECT name FROM pragma_index_list(?) WHERE \"unique\" AND NOT partial", table):
            found.append({name for name in self.db.execute("SELECT name FROM pragma_index_info(?)", (index.encode().decode(),))})
        return [{n.decode() if isinstance(n, bytes) else n[0].decode() if isinstance(n, tuple) and n[0] else "" for n in names} for names in found]

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


def connect(target: dict):
    try:
        import psycopg
    except ImportError:
        raise Quit(USAGE, "This Python has no psycopg. Run the mover in the Open WebUI image.") from None
    where = fingerprint(target)
    try:
        connection = psycopg.connect(**target, connect_timeout=15, application_name="efs-data-layer-mover", options="-c DateStyle=ISO -c client_encoding=UTF8 -c idle_in_transaction_session_timeout=0 -c statement_timeout=0 -c lock_timeout=60s -c TimeZone=UTC")
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
    tls = "".join(f"{'&' if n else '?'}{name}={quote(target[name])}" for n, name in enumerate(k for k in ("sslmode", "sslrootcert") if k in target))
    return f"postgresql://{quote(target['user'])}:{quote(target['password'])}@{target['host']}:{target['port']}/{quote(target['dbname'])}{tls}"


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
        lower = re.fullmatch(r"lower\(\(?\"?(\w+)\"?\)?(?:::text\))?\)", expression or "")
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
