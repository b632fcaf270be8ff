"""What SQLite keeps and PostgreSQL refuses: found, named, and handled as chosen; never changed in silence."""

import json

import pytest
from conftest import chat, message, user

EMAIL = 'DROP INDEX IF EXISTS uq_user_email_lower'
# kind, statements, and what a repair makes of it: a query and its answer
ANOMALIES = {
    "nul": (["INSERT INTO tag (id, user_id, name) VALUES ('t', 'u1', CAST(x'610062' AS TEXT))"], "SELECT name FROM tag", "a\ufffdb"),
    "nul-json": ([message(9, "c1", '"a\\u0000b \\\\u0000"')], "SELECT content #>> '{}' FROM chat_message", "a\ufffdb \\u0000"),
    "utf8": (["INSERT INTO tag (id, user_id, name) VALUES ('t', 'u1', CAST(x'61ff62' AS TEXT))"], "SELECT name FROM tag", "a\ufffdb"),
    "utf8-surrogate": (["INSERT INTO tag (id, user_id, name) VALUES ('t', 'u1', CAST(x'61eda08062' AS TEXT))"], "SELECT name FROM tag", "a\ufffd\ufffd\ufffdb"),
    "utf8-separators": (["INSERT INTO tag (id, user_id, name) VALUES ('t', 'u1', CAST(x'f8f9fafb' AS TEXT))"], "SELECT name FROM tag", "\ufffd" * 4),
    "surrogate": ([message(9, "c1", '"x\\ud83d \\ud83d\\ude00 \\ude00"')], "SELECT content #>> '{}' FROM chat_message", "x\ufffd \U0001f600 \ufffd"),
    "json": ([message(9, "c1", "{'a': NaN}")], "SELECT content #>> '{}' FROM chat_message", "{'a': NaN}"),
    "json-nan": ([message(9, "c1", '{"a": NaN}')], "SELECT content FROM chat_message", '{"a": null}'),
    "json-empty": ([message(9, "c1", "")], "SELECT content IS NULL FROM chat_message", "t"),
    "type": (["UPDATE chat SET updated_at = 'yesterday' || 1 WHERE 0", "UPDATE chat SET updated_at = 12.5"], "SELECT updated_at FROM chat", "12"),
    "type-range": (["INSERT INTO config_old (id, data, version) VALUES (5, '{}', 3000000000)"], "SELECT version FROM config_old", "2147483647"),
    "type-boolean": (["UPDATE chat SET archived = 'true'"], "SELECT archived FROM chat", "t"),
    "length": (['UPDATE "user" SET username = printf(\'%.60c\', \'x\')'], 'SELECT length(username) FROM "user"', "50"),
    "orphan": ([message(9, "nowhere", '"a"')], "SELECT count(*) FROM chat_message", "0"),
    "email": ([EMAIL, user(2, "USER1@Example.com")], 'SELECT count(DISTINCT lower(email)) FROM "user"', "2"),
}
QUARANTINE_ONLY = {"email": 1}


def kind_of(name):
    return name.split("-")[0]


def seeded(case, name):
    case.fill(user(1), chat(1, "u1"), *ANOMALIES[name][0])


@pytest.mark.parametrize("name", ANOMALIES)
def test_found_by_check_and_refused(case, name):
    seeded(case, name)
    before = case.path.read_bytes()
    for arguments in (["--check"], []):
        events = case.move(*arguments, status=65)
        found = [event for event in events if event["mover"] == "anomaly"]
        assert {event["kind"] for event in found} == {kind_of(name)}, found
        assert all(event["table"] and event["rowid"] and event["done"] == "failed" for event in found)
    assert case.path.read_bytes() == before
    assert case.marker() == "" and case.rows("user") == 0


@pytest.mark.parametrize("name", ANOMALIES)
def test_repaired(case, name):
    seeded(case, name)
    report = case.move("--on-anomaly", f"{kind_of(name)}=repair")[-1]
    assert report["anomalies"][kind_of(name)]["repaired"] >= 1
    assert case.sql(ANOMALIES[name][1]) == ANOMALIES[name][2]
    # Whoever wants to know finds the row as it was.
    lines = [json.loads(line) for path in case.folder.glob("set-aside/*-quarantine.jsonl") for line in path.read_text().splitlines()]
    assert lines and lines[0]["row"]


@pytest.mark.parametrize("name", ANOMALIES)
def test_quarantined(case, name):
    seeded(case, name)
    report = case.move("--on-anomaly", "quarantine")[-1]
    assert report["anomalies"][kind_of(name)]["quarantined"] >= 1
    left = sum(entry["rows"] - entry["moved"] for entry in report["tables"].values())
    lines = [json.loads(line) for path in case.folder.glob("set-aside/*-quarantine.jsonl") for line in path.read_text().splitlines()]
    assert len(lines) == left > 0


def test_what_hangs_on_a_quarantined_row_goes_with_it(case):
    case.fill(user(1), chat(1, "u1"), message(1, "c1", '"a"'), chat(2, "u1"), message(2, "c2", '"b"'), "UPDATE chat SET title = CAST(x'6100' AS TEXT) WHERE id = 'c1'")
    report = case.move("--on-anomaly", "quarantine")[-1]
    assert report["anomalies"] == {"nul": {"found": 1, "quarantined": 1}, "orphan": {"found": 1, "quarantined": 1}}
    assert case.sql("SELECT id FROM chat_message") == "m2"


def test_json_nulls_are_counted(case):
    case.fill(user(1), chat(1, "u1"), message(1, "c1", "null"), message(2, "c1", '"x"'))
    report = case.move("--check")[-1]
    assert report["tables"]["chat_message"]["json_nulls"] == {"content": 1}
    case.move()
    assert case.sql("SELECT content::text FROM chat_message ORDER BY id").split("\n") == ["null", '"x"']


def test_a_null_where_none_is_allowed(case):
    case.fill(user(1), "CREATE TABLE t2 AS SELECT * FROM prompt", "DROP TABLE prompt", "ALTER TABLE t2 RENAME TO prompt", "INSERT INTO prompt (id, command) VALUES ('p', 'c')")
    assert {event["kind"] for event in case.move("--check", status=65) if event["mover"] == "anomaly"} == {"null"}


def test_a_second_row_with_the_same_key(case):
    case.fill("CREATE TABLE t2 AS SELECT * FROM tag", "DROP TABLE tag", "ALTER TABLE t2 RENAME TO tag")
    case.fill(*["INSERT INTO tag (id, user_id, name) VALUES ('a', 'b', 'c')"] * 2)
    assert {event["kind"] for event in case.move("--check", status=65) if event["mover"] == "anomaly"} == {"duplicate"}
    assert case.move("--on-anomaly", "duplicate=quarantine")[-1]["tables"]["tag"]["moved"] == 1
