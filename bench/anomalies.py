"""What each mover does with rows that SQLite keeps and PostgreSQL refuses or keeps in another way: one small database for
each kind, ten sound rows and the unusual one. Used by migrate.py."""

from __future__ import annotations

import json
import pathlib
import sqlite3

import conftest as lab

TAG = "INSERT INTO tag (id, user_id, name) VALUES ('odd', 'u1', {})"
KINDS = {
    "nothing unusual": [],
    "texts that need quoting": [("INSERT INTO tag (id, user_id, name) VALUES ('odd', 'u1', ?)", ("a\tb\\N\nc'\"\\.",))],
    "JSON numbers and null": [("INSERT INTO config (key, value, updated_at) VALUES ('n', '5', 1), ('r', '1.5', 1), ('z', 'null', 1)",)],
    "JSON with a quote": [lab.message(99, "c1", json.dumps("it's"))],
    "nul": [(TAG.format("CAST(x'610062' AS TEXT)"),)],
    "utf8": [(TAG.format("CAST(x'61ff62' AS TEXT)"),)],
    "json": [lab.message(99, "c1", "{'a': NaN}")],
    "orphan": [lab.message(99, "nowhere", '"a"')],
    "email": [("DROP INDEX IF EXISTS uq_user_email_lower",), lab.user(2, "USER1@Example.com")],
    "type": [("INSERT INTO config_old (id, data, version) VALUES (5, '{}', 3000000000)",)],
}
TABLES = {"user": "id, email", "chat": "id, title", "chat_message": "id, content", "tag": "id, name", "config": "key, value", "config_old": "id, version"}


def make(template: pathlib.Path, path: pathlib.Path, kind: str) -> None:
    path.write_bytes(template.read_bytes())
    db = sqlite3.connect(path)
    for statement in [lab.user(1), lab.chat(1, "u1"), *[lab.message(n, "c1", f'"text {n}"') for n in range(8)], *KINDS[kind]]:
        db.execute(*statement)
    db.commit()
    db.close()


def source_rows(path: pathlib.Path) -> dict[str, set]:
    db = sqlite3.connect(path)
    db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return {table: {tuple(map(str, row)) for row in db.execute(f'SELECT {columns} FROM "{table}"')} for table, columns in TABLES.items()}


def target_rows(server: lab.Postgres, database: str) -> dict[str, set]:
    found = {}
    for table, columns in TABLES.items():
        parts = ", ".join(f"{column}::text" for column in columns.split(", "))
        text = server.sql(f'SELECT coalesce(json_agg(json_build_array({parts})), \'[]\') FROM "{table}"', database)
        found[table] = {tuple(map(str, row)) for row in json.loads(text)}
    return found


def verdict(status: int, before: dict[str, set], after: dict[str, set]) -> dict:
    """Missing rows are counted by key: a row that is there with another content was altered."""
    missing = altered = 0
    for table, rows in before.items():
        keys = {row[0] for row in after[table]}
        missing += sum(row[0] not in keys for row in rows)
        altered += sum(row[0] in keys and row not in after[table] for row in rows)
    total = sum(map(len, before.values()))
    if status == 0:
        word = "whole" if not missing + altered else "LOST OR ALTERED, and exit status 0"
    else:
        word = "refused, nothing moved" if missing == total else "failed half-way"
    return {"result": word, "status": status, "rows": total, "missing": missing, "altered": altered}
