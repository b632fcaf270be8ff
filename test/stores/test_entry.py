"""Every way the three witnesses can disagree, asked of a real PostgreSQL: the SQLite file, .owner, the marker."""

import json
import os
import shutil
import subprocess
import time

import keeper
import pytest

from conftest import ENTRY, PASSWORD

MARKER = (
    "CREATE TABLE efs_data_layer_migration (source_digest text, table_counts jsonb, schema_head text, source_path text, "
    "migrated_at timestamptz, mover_version text, state text)"
)


class Ended:
    def __init__(self, done):
        self.status, self.output = done.returncode, done.stdout + done.stderr
        self.events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"entry"')]
        self.started = "APPLICATION-RUNS" in done.stdout
        self.message = self.events[-1].get("message", "") if self.events else ""


@pytest.fixture
def settings(database, volume):
    return {
        "PATH": os.environ["PATH"],
        "DATA_LAYER_DIR": str(volume),
        "DATA_LAYER_PHASE": "cutover",
        "DATA_LAYER_DEADLINE": "1",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(database.port),
        "DATABASE_NAME": "openwebui",
        "DATABASE_USER": "openwebui",
        "DATABASE_PASSWORD": PASSWORD,
        "PGSSLMODE": "require",
    }


@pytest.fixture
def entry(python, settings):
    def command(*words):
        # As the task definition has it: the text is the argument of -c.
        return [python, "-c", ENTRY.read_text(), *(words or ("echo", "APPLICATION-RUNS"))]

    def start(**change):
        done = subprocess.run(command(), env={**settings, **change}, capture_output=True, text=True, timeout=60)
        return Ended(done)

    start.command, start.settings = command, settings
    return start


def sqlite_file(volume):
    (volume / "webui.db").write_bytes(b"SQLite format 3\0")


def moved(volume, digest="d1"):
    """.owner as the keeper's own code writes it."""
    lease = keeper.Lease(str(volume), 60)
    lease.acquire(1)
    lease.journal["migrated"] = {"target": "127.0.0.1/openwebui", "source_digest": digest, "at": keeper.utc()}
    lease.save()
    os.close(lease.fd)


def marker(database, digest="d1", state="migrated"):
    database.sql(f"SET ROLE openwebui; {MARKER}; INSERT INTO efs_data_layer_migration (source_digest, state, migrated_at) VALUES ('{digest}', '{state}', now())", "openwebui")


def states(database):
    return database.sql("SELECT state FROM efs_data_layer_migration", "openwebui").split()


def untouched(database):
    assert database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "openwebui") == "0"


class TestAllowed:
    def test_a_fresh_installation_starts_and_is_marked_once(self, entry, database):
        first, second = entry(), entry()
        assert first.started and second.started, first.output + second.output
        assert states(database) == ["fresh"]
        assert first.events[-1]["state"] == "fresh"

    def test_a_database_that_is_filled_already_is_adopted(self, entry, database):
        database.sql("SET ROLE openwebui; CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('abc')", "openwebui")
        assert entry().started
        assert states(database) == ["adopted"]

    def test_after_the_move_the_sqlite_file_may_stay(self, entry, database, volume):
        sqlite_file(volume), moved(volume), marker(database)
        assert entry().started
        assert states(database) == ["migrated"]

    def test_complete_when_the_file_is_archived(self, entry, database, volume):
        moved(volume), marker(database)
        assert entry(DATA_LAYER_PHASE="complete").started

    def test_without_a_phase_nothing_is_asked(self, entry, volume):
        sqlite_file(volume)
        assert entry(DATA_LAYER_PHASE="", DATABASE_HOST="").started


class TestRefused:
    def refused(self, ended, *words):
        assert ended.status == 78 and not ended.started, ended.output
        assert ended.events[-1]["entry"] == "refused"
        for word in words:
            assert word in ended.message

    def test_a_sqlite_file_that_was_not_moved(self, entry, database, volume):
        sqlite_file(volume)
        self.refused(entry(), "was not moved", "prepare", "efs-data-layer migrate")
        untouched(database)

    def test_a_sqlite_file_beside_a_fresh_database(self, entry, database, volume):
        assert entry().started
        sqlite_file(volume)
        self.refused(entry(), "was not moved")

    def test_the_mover_died_between_its_commit_and_owner(self, entry, database, volume):
        sqlite_file(volume), marker(database)
        self.refused(entry(), "was not moved", "efs-data-layer migrate")

    @pytest.mark.parametrize("file", [True, False], ids=["cutover", "archived"])
    def test_an_empty_target(self, entry, database, volume, file):
        moved(volume)
        if file:
            sqlite_file(volume)
        self.refused(entry(), "no mark of a finished move", "127.0.0.1/openwebui")
        untouched(database)

    def test_a_stale_target(self, entry, database, volume):
        sqlite_file(volume), moved(volume, "newer"), marker(database, "older")
        self.refused(entry(), "stale", "older", "newer")

    @pytest.mark.parametrize("state", ["returned", "discarded", "fresh"])
    def test_a_target_whose_mark_is_of_another_kind(self, entry, database, volume, state):
        moved(volume), marker(database, state=state)
        self.refused(entry(), "stale", state)

    @pytest.mark.parametrize("state", ["returned", "discarded"])
    def test_after_the_way_back(self, entry, database, volume, state):
        marker(database, state=state)
        self.refused(entry(), "moved back", state)
        sqlite_file(volume)
        self.refused(entry(), "was not moved")

    def test_complete_while_the_file_is_there(self, entry, database, volume):
        sqlite_file(volume), moved(volume), marker(database)
        self.refused(entry(DATA_LAYER_PHASE="complete"), "still on the volume", "migrate --complete")

    def test_complete_right_after_sqlite(self, entry, volume):
        sqlite_file(volume)
        self.refused(entry(DATA_LAYER_PHASE="complete"), "was not moved")

    def test_an_image_older_than_the_schema(self, entry, database, tmp_path):
        versions = tmp_path / "versions"
        versions.mkdir()
        (versions / "a.py").write_text("revision: str = 'known'\n")
        database.sql("SET ROLE openwebui; CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('unknown')", "openwebui")
        self.refused(entry(DATA_LAYER_MIGRATIONS=str(versions)), "unknown", "newer image")
        database.sql("UPDATE alembic_version SET version_num = 'known'", "openwebui")
        assert entry(DATA_LAYER_MIGRATIONS=str(versions)).started

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"DATABASE_PASSWORD": "wrong"}, "authentication failed"),
            ({"DATABASE_NAME": "absent"}, "does not exist"),
            ({"DATABASE_PASSWORD": "a/b@c"}, "URL"),
            ({"PGSSLMODE": "disable"}, "no pg_hba.conf entry"),
        ],
        ids=["password", "database", "characters", "plaintext"],
    )
    def test_what_waiting_would_not_mend(self, entry, change, words):
        begun = time.monotonic()
        self.refused(entry(**change, DATA_LAYER_DEADLINE="30"), words)
        assert time.monotonic() - begun < 15

    def test_a_certificate_of_an_unknown_authority(self, entry):
        ended = entry(PGSSLMODE="verify-full", PGSSLROOTCERT="/etc/ssl/certs/ca-certificates.crt")
        assert ended.status == 69 and not ended.started
        assert "certificate" in ended.message


def test_a_database_that_does_not_answer(entry):
    ended = entry(DATABASE_PORT="9", DATA_LAYER_DEADLINE="3")
    assert ended.status == 69 and not ended.started
    assert "did not answer" in ended.message and "security group" in ended.message
    assert [event["entry"] for event in ended.events].count("waiting") >= 1


def test_a_missing_setting_is_named(entry):
    ended = entry(DATABASE_USER="")
    assert ended.status == 64 and "DATABASE_USER is not set" in ended.message


def test_the_application_gets_the_process_and_its_status(entry, python):
    done = subprocess.run(entry.command("sh", "-c", "exit 7"), env=entry.settings)
    assert done.returncode == 7


class TestReplicas:
    def test_of_several_on_an_empty_database_one_at_a_time_makes_the_schema(self, entry, database, tmp_path):
        package = tmp_path / "image" / "open_webui"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        record = tmp_path / "record"
        (package / "config.py").write_text(
            f"import os, time\nassert os.environ.get('ENABLE_DB_MIGRATIONS') is None\n"
            f"def told(word):\n    fd = os.open({str(record)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n    os.write(fd, word)\n"
            "told(b'(')\ntime.sleep(0.3)\ntold(b')')\n"
        )
        env = {**entry.settings, "DATA_LAYER_REPLICAS": "4", "PYTHONPATH": str(tmp_path / "image"), "DATA_LAYER_DEADLINE": "30"}
        command = entry.command("sh", "-c", "echo migrations=$ENABLE_DB_MIGRATIONS")
        tasks = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        outputs = [task.communicate(timeout=60)[0] for task in tasks]
        assert [task.returncode for task in tasks] == [0] * 4, outputs
        assert all("migrations=false" in output for output in outputs)
        assert record.read_text() == "()" * 4
        assert states(database) == ["fresh"]

    def test_a_schema_that_cannot_be_made_stops_the_task(self, entry, tmp_path):
        package = tmp_path / "image" / "open_webui"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "config.py").write_text("raise SystemExit(3)")
        ended = entry(DATA_LAYER_REPLICAS="2", PYTHONPATH=str(tmp_path / "image"))
        assert ended.status == 3 and not ended.started

    def test_one_key_wins(self, entry, volume):
        env = {**entry.settings, "WEBUI_SECRET_KEY_FILE": str(volume / ".webui_secret_key"), "DATA_LAYER_DEADLINE": "30"}
        command = entry.command("cat", str(volume / ".webui_secret_key"))
        tasks = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        keys = {task.communicate(timeout=60)[0].splitlines()[-1] for task in tasks}
        assert len(keys) == 1 and len(keys.pop()) == 32
        assert os.listdir(volume) == [".webui_secret_key"]
        assert (volume / ".webui_secret_key").stat().st_mode & 0o777 == 0o600


def test_the_address_of_a_database_for_vectors(entry, database, python):
    database.sql("CREATE ROLE vectors LOGIN PASSWORD 'a/b@c:d%'")
    program = "import os, psycopg2; print('as', psycopg2.connect(os.environ['PGVECTOR_DB_URL']).info.user)"
    vectors = {
        "DATA_LAYER_VECTORS_HOST": "127.0.0.1",
        "DATA_LAYER_VECTORS_PORT": str(database.port),
        "DATA_LAYER_VECTORS_NAME": "openwebui",
        "DATA_LAYER_VECTORS_USER": "vectors",
        "DATA_LAYER_VECTORS_PASSWORD": "a/b@c:d%",
        "DATA_LAYER_VECTORS_SSLMODE": "require",
    }
    done = subprocess.run(entry.command(python, "-c", program), env={**entry.settings, **vectors}, capture_output=True, text=True)
    assert "as vectors" in done.stdout, done.stdout + done.stderr

    # The authority that the application's own database is verified by says nothing about this one.
    other = {"DATA_LAYER_PHASE": "", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/ssl/certs/ca-certificates.crt"}
    done = subprocess.run(entry.command(python, "-c", program), env={**entry.settings, **vectors, **other}, capture_output=True, text=True)
    assert "as vectors" in done.stdout, done.stdout + done.stderr

    verify = {"DATA_LAYER_VECTORS_SSLMODE": "verify-full", "DATA_LAYER_VECTORS_SSLROOTCERT": f"{database.home}/server.crt", "DATA_LAYER_VECTORS_HOST": "localhost"}
    shutil.copy(f"{database.home}/data/server.crt", verify["DATA_LAYER_VECTORS_SSLROOTCERT"])
    done = subprocess.run(entry.command(python, "-c", program), env={**entry.settings, **vectors, **verify}, capture_output=True, text=True)
    assert "as vectors" in done.stdout, done.stdout + done.stderr
    verify["DATA_LAYER_VECTORS_SSLROOTCERT"] = "/etc/ssl/certs/ca-certificates.crt"
    done = subprocess.run(entry.command(python, "-c", program), env={**entry.settings, **vectors, **verify}, capture_output=True, text=True)
    assert "certificate verify failed" in done.stderr, done.stdout + done.stderr
