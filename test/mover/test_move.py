"""The move itself: what arrives, and that nothing else happens."""

import hashlib
import json

from conftest import chat, message, user

AWKWARD = ["tab\there", "new\nline", "back\\slash", "\\N", "\\.", "", "\b\f\v\r", "ünï ☃ 😀", "'\"", "\x7f\x01", "t" * 70000]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_text_arrives_as_it_was_and_the_source_stays(case):
    case.fill(user(1), chat(1, "u1"), *[message(n, "c1", json.dumps(text)) for n, text in enumerate(AWKWARD)])
    case.fill(*[("INSERT INTO tag (id, user_id, name) VALUES (?,?,?)", (f"t{n}", "u1", text)) for n, text in enumerate(AWKWARD)])
    before = digest(case.path)
    events = case.move()
    assert digest(case.path) == before
    assert case.marker() == "migrated"
    got = json.loads(case.sql("SELECT json_agg(json_build_array(id, name)) FROM tag"))
    assert {key: value for key, value in got} == {f"t{n}": text for n, text in enumerate(AWKWARD)}
    got = json.loads(case.sql("SELECT json_agg(json_build_array(id, content)) FROM chat_message"))
    assert {key: value for key, value in got} == {f"m{n}": text for n, text in enumerate(AWKWARD)}
    report = events[-1]
    assert report["mover"] == "report" and report["tables"]["chat_message"]["moved"] == len(AWKWARD)
    owner = case.owner()
    assert owner["migrated"]["source_digest"] == report["source_digest"] == case.sql("SELECT source_digest FROM efs_data_layer_migration")
    assert owner["lease"]["state"] == "released"
    assert "only-letters" not in json.dumps(events) + json.dumps(owner)


def test_types_that_sqlite_keeps_in_its_own_way(case):
    """A JSON column has numeric affinity in SQLite; JSON null is not NULL; booleans are numbers; a big integer is whole."""
    values = ["5", "1.5", "null", '"5"', "true", "0.1", "1e300", None, "9007199254740993", '{"b": 1,  "a": 2}']
    case.fill(*[("INSERT INTO config (key, value, updated_at) VALUES (?,?,?)", (f"k{n}", value, 2**62 + n)) for n, value in enumerate(values) if value is not None])
    case.fill(user(1), chat(2, "u1"), chat(3, "u1"))
    case.fill('UPDATE "user" SET date_of_birth = \'2001-02-03\', info = NULL, scim = \'null\'')
    case.fill("INSERT INTO config_old (id, data, version, created_at, updated_at) VALUES (7, '{}', 0, '2026-01-02 03:04:05.120000', '2026-01-02 03:04:05')")
    case.move()
    got = dict(json.loads(case.sql("SELECT json_agg(json_build_array(key, value::text)) FROM config")))
    assert {key: json.loads(value) for key, value in got.items()} == {f"k{n}": json.loads(v) for n, v in enumerate(values) if v is not None}
    assert got["k9"] == values[9] and got["k3"] == '"5"'
    assert case.sql("SELECT max(updated_at) FROM config") == str(2**62 + 9)
    assert case.sql('SELECT date_of_birth, info IS NULL, scim::text FROM "user"') == "2001-02-03|t|null"
    assert case.sql("SELECT pinned FROM chat ORDER BY id").split() == ["f", "t"]
    assert case.sql("SELECT created_at, updated_at FROM config_old") == "2026-01-02 03:04:05.12|2026-01-02 03:04:05"
    assert case.sql("INSERT INTO config_old (data, version) VALUES ('{}', 0) RETURNING id") == "8"


def test_again_changes_nothing_and_the_keeper_refuses_sqlite(case, tmp_path):
    case.fill(user(1))
    case.move()
    assert "already" in case.move()[-1]["message"]
    import subprocess

    from conftest import ROOT

    keeper = [case.python, str(ROOT / "lib" / "single-writer" / "keeper.py"), "run", "true"]
    done = subprocess.run(keeper, env=case.environment(), capture_output=True, text=True)
    assert done.returncode == 78 and "migrated away" in done.stdout
    # What is left for one owner, such as Chroma's directory, still has its keeper.
    done = subprocess.run(keeper, env=case.environment(KEEPER_STORES="vector_db/"), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_an_empty_database_gets_its_tables_from_the_image(case):
    case.fill(user(1))
    case.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION openwebui")
    case.move()
    assert case.rows("user") == 1 and case.marker() == "migrated"


def test_what_is_in_the_wal_only_is_moved_too(case):
    """As an application leaves it that was killed."""
    import sqlite3

    db = sqlite3.connect(case.path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(*user(1))
    db.commit()
    copied = {name: (case.folder / name).read_bytes() for name in ("webui.db", "webui.db-wal")}
    db.close()
    for name, content in copied.items():
        (case.folder / name).write_bytes(content)
    assert len(copied["webui.db-wal"]) > 0
    assert "webui.db-wal holds commits" in case.failed("--no-keeper", status=66)
    case.move()
    assert case.rows("user") == 1


SCHEMA = """SELECT string_agg(line, chr(10) ORDER BY line) FROM (
  SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'efs_data_layer_migration'
  UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace) t"""


def test_a_large_table_has_its_indexes_and_foreign_keys_afterwards(case):
    before = case.sql(SCHEMA)
    case.fill(user(1), chat(1, "u1"), *[message(n, "c1", f'"{n}"') for n in range(12000)])
    case.move()
    assert case.sql(SCHEMA) == before and before.count("chat_message") > 5
    # An orphan among many is found before, not by the key that is made again.
    assert case.rows("chat_message") == 12000


def test_json_that_is_none_among_many(case):
    """PostgreSQL finds it, the mover names it, and everything is as it was."""
    before = case.sql(SCHEMA)
    case.fill(user(1), chat(1, "u1"), *[message(n, "c1", f'"{n}"') for n in range(12000)], message(99999, "c1", "{oops"))
    events = case.move(status=65)
    assert [(event["kind"], event["table"]) for event in events if event["mover"] == "anomaly"] == [("json", "chat_message")]
    assert case.sql(SCHEMA) == before and case.rows("chat_message") == 0
    case.move("--on-anomaly", "quarantine")
    assert case.rows("chat_message") == 12000 and case.sql(SCHEMA) == before
