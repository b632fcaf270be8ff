"""Bad input, old images, migrated data, a full volume: refused with the input, where it came from, and the way out."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from conftest import KEEPER, keeper, leave_wal, make_database, rows_of

TRUE = ("run", "--", "true")


@pytest.mark.parametrize(
    "env, words",
    [
        ({"KEEPER_DIR": ""}, ["KEEPER_DIR", "''", "mount path"]),
        ({"KEEPER_DIR": "/nowhere"}, ["KEEPER_DIR", "/nowhere"]),
        ({"KEEPER_LEASE_DEADLINE": "soon"}, ["KEEPER_LEASE_DEADLINE", "'soon'", "240"]),
        ({"KEEPER_LEASE_DEADLINE": "-1"}, ["KEEPER_LEASE_DEADLINE", "'-1'"]),
        ({"KEEPER_STOP_TIMEOUT": "nan"}, ["KEEPER_STOP_TIMEOUT", "'nan'", "110"]),
        ({"KEEPER_HEARTBEAT_TIMEOUT": "inf"}, ["KEEPER_HEARTBEAT_TIMEOUT", "'inf'", "60"]),
        ({"KEEPER_MAX_PAUSE": "1m"}, ["KEEPER_MAX_PAUSE", "'1m'", "10"]),
        ({"KEEPER_SNAPSHOT_AT": "25:00"}, ["KEEPER_SNAPSHOT_AT", "'25:00'", "15:00"]),
        ({"KEEPER_SNAPSHOT_AT": "noon"}, ["KEEPER_SNAPSHOT_AT", "'noon'"]),
        ({"KEEPER_LOCAL_DIR": "/proc/nowhere"}, ["KEEPER_LOCAL_DIR", "'/proc/nowhere'"]),
        ({"KEEPER_STORES": "../webui.db"}, ["KEEPER_STORES", "'../webui.db'"]),
        ({"KEEPER_STORES": "a/b.db"}, ["KEEPER_STORES", "'a/b.db'"]),
        ({"KEEPER_STORES": "/"}, ["KEEPER_STORES", "'/'"]),
        ({"KEEPER_STORES": ".owner"}, ["KEEPER_STORES", "'.owner'"]),
        ({"KEEPER_STORES": "snapshots/"}, ["KEEPER_STORES", "'snapshots/'"]),
        ({"KEEPER_STORES": "folder"}, ["KEEPER_STORES", "'folder'", "is a directory", "slash"]),
        ({"KEEPER_STORES": "file/"}, ["KEEPER_STORES", "'file/'", "is a file"]),
        ({"KEEPER_STORES": "link"}, ["KEEPER_STORES", "'link'", "symbolic link"]),
        ({"KEEPER_STORES": "a.db,a.db/"}, ["KEEPER_STORES", "once"]),
        ({"KEEPER_STORES": " , "}, ["KEEPER_STORES", "' , '"]),
    ],
)
def test_the_environment(box, env, words):
    (box.dir / "folder").mkdir()
    (box.dir / "file").write_text("")
    os.symlink("file", box.dir / "link")
    end = box.fork("run", "--", "touch", str(box.path / "opened"), **env)
    assert end.status == 64 and not (box.path / "opened").exists()
    for word in words:
        assert word in end.event("usage")["message"]
    # Nothing was claimed: the lease file is not even there, or says nothing.
    assert not (box.dir / ".owner").exists() or box.owner() == (None, None)


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "--"], ["guard", "x"], ["walk"], ["status", "x"], ["snapshots"], ["snapshots", "eat"], ["snapshots", "restore"],
     ["snapshots", "release"], ["bring-back"], ["bring-back", "a", "b"]],
)  # fmt: skip
def test_the_command_line(box, words):
    end = box.fork(*words)
    assert end.status == 64 and end.event("usage")["message"]
    assert not (box.dir / ".owner").exists()


def test_a_program_that_is_not_there(box):
    end = box.fork("run", "--", "no-such-program")
    assert end.status == 64 and "no-such-program" in end.event("usage")["message"] and not (box.dir / ".owner").exists()


def test_help():
    for words, status in ((["--help"], 0), (["-h"], 0), ([], 64)):
        end = subprocess.run([sys.executable, str(KEEPER), *words], capture_output=True, text=True)
        assert end.returncode == status and "KEEPER_DIR" in end.stdout and "exit status" in end.stdout


def test_every_variable_is_in_the_help():
    import re

    source = KEEPER.read_text()
    assert set(re.findall(r'"(KEEPER_\w+)"', source)) == set(re.findall(r"^  (KEEPER_\w+)", keeper.__doc__, re.M))


def test_a_directory_with_too_many_entries(box):
    for number in range(keeper.MANY_STORES + 1):
        (box.dir / f"{number}.txt").touch()
    end = box.fork(*TRUE)
    assert end.status == 64 and "KEEPER_STORES" in end.event("usage")["message"]
    assert box.fork(*TRUE, KEEPER_STORES="webui.db").status == 0


# --- the image and the schema ---


@pytest.fixture
def versioned(box):
    make_database(box.dir / "webui.db", 3)
    set_schema(box, "b2")
    versions = box.path / "versions"
    versions.mkdir()
    (versions / "1_one.py").write_text("revision = 'a1'\ndown_revision = None\n")
    (versions / "README").write_text("revision = 'nothing'")
    box.env["KEEPER_MIGRATIONS"] = str(versions)
    return box


def set_schema(box, head):
    with contextlib.closing(sqlite3.connect(str(box.dir / "webui.db"), isolation_level=None)) as db:
        db.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
        db.execute("DELETE FROM alembic_version")
        db.execute("INSERT INTO alembic_version VALUES (?)", (head,))


def know(box, head):
    (box.path / "versions" / f"{head}.py").write_text(f'revision: str = "{head}"\n')


def test_an_image_older_than_the_schema(versioned):
    end = versioned.fork("run", "--", "touch", str(versioned.path / "opened"))
    assert end.status == 78 and not (versioned.path / "opened").exists()
    told = end.event("refused")
    assert told["schemaHead"] == "b2" and "newer image" in told["message"] and "no snapshot" in told["message"]
    assert versioned.state() == "released"
    know(versioned, "b2")
    assert versioned.fork(*TRUE).status == 0


def test_the_snapshot_of_the_older_schema_is_named(versioned):
    set_schema(versioned, "a1")
    assert versioned.fork(*TRUE).status == 0
    set_schema(versioned, "b2")
    end = versioned.fork(*TRUE)
    wanted = f"webui.db/{versioned.snapshots('webui.db')[0]}"
    assert end.status == 78 and f"snapshots restore {wanted}" in end.event("refused")["message"]
    assert versioned.fork("snapshots", "restore", wanted).status == 0
    assert versioned.fork(*TRUE).status == 0


def test_a_directory_of_migrations_that_is_not_there_is_told(versioned):
    end = versioned.fork(*TRUE, KEEPER_MIGRATIONS="/nowhere")
    assert end.status == 0 and "/nowhere" in end.event("schema-unguarded")["message"]
    (versioned.path / "empty").mkdir()
    end = versioned.fork(*TRUE, KEEPER_MIGRATIONS=str(versioned.path / "empty"))
    assert end.status == 0 and "no Alembic revision" in end.event("schema-unguarded")["message"]


def test_a_database_without_a_schema(box, versioned):
    with contextlib.closing(sqlite3.connect(str(box.dir / "webui.db"), isolation_level=None)) as db:
        db.execute("DROP TABLE alembic_version")
    assert box.fork(*TRUE).status == 0


def test_migrated_data_is_not_opened(box):
    make_database(box.dir / "webui.db")
    assert box.fork(*TRUE).status == 0
    fd = os.open(box.dir / ".owner", os.O_RDWR)
    steps = keeper.Slots(fd, 8192, 65536)
    steps.write({**(steps.read() or {}), "migrated": "PostgreSQL, 2026-03-10"})
    os.close(fd)
    end = box.fork("run", "--", "touch", str(box.path / "opened"))
    assert end.status == 78 and "PostgreSQL, 2026-03-10" in end.event("refused")["message"]
    assert "migrate --back" in end.event("refused")["message"] and not (box.path / "opened").exists()
    assert box.state() == "released"


# --- ECS's metadata ---


@contextlib.contextmanager
def metadata(body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v4"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_task_and_the_image_come_from_ecs(box):
    make_database(box.dir / "webui.db")
    body = {"ImageID": "sha256:abc", "Labels": {"com.amazonaws.ecs.task-arn": "arn:aws:ecs:x:task/1"}}
    with metadata(json.dumps(body)) as uri:
        # Not through a proxy: the address is the host's own.
        run = box.start(*TRUE, ECS_CONTAINER_METADATA_URI_V4=uri, http_proxy="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")
        assert run.result().status == 0
    record, journal = box.owner()
    assert record["owner"] == "arn:aws:ecs:x:task/1" and journal["image"] == "sha256:abc"


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"Labels": null}'])
def test_metadata_that_says_nothing(box, body):
    with metadata(body) as uri:
        assert box.start(*TRUE, ECS_CONTAINER_METADATA_URI_V4=uri).result().status == 0
    assert "/" in box.owner()[0]["owner"]


# --- events ---


def test_metrics(box):
    make_database(box.dir / "webui.db")
    event = box.fork(*TRUE, KEEPER_METRICS="1").event("leased")
    assert event["Workload"] == "volume" and event["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "waited_s", "Unit": "Seconds"}
    ]
    assert "_aws" not in box.fork(*TRUE).event("leased")


# --- a full volume ---


@pytest.fixture
def small(box):
    if os.geteuid() != 0:
        pytest.skip("mounting a small volume needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(box.dir)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield box
    box.close()
    subprocess.run(["umount", "-l", str(box.dir)], check=True)


def fill(box, leave):
    ballast = os.open(box.dir / "ballast", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(ballast, b"x" * 4096)
    os.ftruncate(ballast, max(os.fstat(ballast).st_size - leave, 0))
    os.close(ballast)


@pytest.mark.parametrize("leave", [256 << 10, 600 << 10, 1 << 20])
def test_a_takeover_on_a_full_volume_loses_nothing_and_goes_on_when_there_is_room(small, leave):
    small.env["KEEPER_STORES"] = "webui.db"
    rows = leave_wal(small.dir / "webui.db", 1500, 300)
    small.hold()
    fill(small, leave)
    for _ in range(3):
        end = small.fork("run", "--", "touch", str(small.path / "opened"))
        assert end.status == 74, end.output
        assert "volume is full" in end.event("failed")["message"] and "make room" in end.event("failed")["message"]
        assert not (small.path / "opened").exists() and small.state() == "held"
    os.unlink(small.dir / "ballast")
    assert small.fork(*TRUE).status == 0
    assert rows_of(small.dir / "webui.db") == rows


def test_a_heartbeat_on_a_full_volume_goes_on(small):
    run = small.spawn("run", "--", "sleep", "60", KEEPER_STORES="webui.db")
    run.seen("running")
    beat = lambda: small.owner()[0]["beat"]  # noqa: E731
    while beat() < 2:
        pass
    fill(small, 0)
    now = beat()
    while beat() < now + 2:
        assert run.poll() is None
    assert run.send(signal.SIGTERM).result().status == 143 and small.state() == "released"


def test_a_snapshot_on_a_full_volume_is_skipped(small):
    make_database(small.dir / "webui.db")
    end = small.fork(*TRUE)
    assert end.status == 0 and "no room" in end.event("snapshot-skipped")["message"]


def test_files_that_cannot_be_read(box):
    """What the system says, and where, rather than a stack trace."""
    (box.dir / ".owner").mkdir()
    end = box.fork(*TRUE)
    assert end.status == 74 and str(pathlib.Path(box.dir) / ".owner") in end.event("failed")["message"]
