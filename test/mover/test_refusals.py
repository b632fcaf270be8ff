"""What must not begin, and what breaks in the middle: a clear error, the source untouched, nothing in the target."""

import hashlib
import os
import shutil
import subprocess
import time

import pytest
from conftest import Case, chat, make_server, message, new_home, user


@pytest.fixture
def untouched(case):
    case.fill(user(1), chat(1, "u1"))
    before = hashlib.sha256(case.path.read_bytes()).hexdigest()
    yield case
    assert hashlib.sha256(case.path.read_bytes()).hexdigest() == before
    if (case.folder / ".owner").exists():
        assert "migrated" not in case.owner()


def nothing_moved(case):
    assert case.marker() == ""
    assert case.rows("chat") == 0


def test_a_target_with_data(untouched):
    untouched.sql("INSERT INTO tag (id, user_id, name) VALUES ('a', 'b', 'c')")
    assert "holds data (tag)" in untouched.failed(status=73)
    assert untouched.rows("tag") == 1
    nothing_moved(untouched)


def test_vectors_that_are_there_already_are_left_alone(case):
    case.fill(user(1))
    case.sql("CREATE TABLE document_chunk (id text); INSERT INTO document_chunk VALUES ('v'); GRANT ALL ON document_chunk TO openwebui")
    case.move()
    assert case.rows("document_chunk") == 1 and case.rows("user") == 1


def test_wrong_credentials(untouched):
    message = untouched.failed(status=77, DATABASE_PASSWORD="something-else")
    assert "credentials" in message and "something-else" not in message
    nothing_moved(untouched)


def test_no_such_database(untouched):
    assert "does not exist" in untouched.failed(status=69, DATABASE_NAME="elsewhere")


def test_an_unreachable_database(untouched):
    assert "does not answer" in untouched.failed(status=69, DATABASE_PORT="9")


def test_the_target_is_not_named(untouched):
    assert "DATABASE_NAME" in untouched.failed(status=64, DATABASE_NAME="")


def test_a_source_newer_than_the_image(case):
    case.fill("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert "newer than the image" in case.failed(status=78)
    nothing_moved(case)


def test_a_source_older_than_the_image(case, python):
    known = subprocess.run([python, "-c", "import importlib.util, pathlib; print(*[p.stem.split('_')[0] for p in (pathlib.Path(importlib.util.find_spec('open_webui').origin).parent / 'migrations/versions').glob('*.py')])"], capture_output=True, text=True)
    head = case.sql("SELECT version_num FROM alembic_version")
    older = next(name for name in known.stdout.split() if name != head)
    case.fill(f"UPDATE alembic_version SET version_num = '{older}'")
    assert "older than this image's" in case.failed(status=78)
    nothing_moved(case)


def test_a_target_at_another_schema(untouched):
    untouched.sql("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert "The schemas differ" in untouched.failed(status=78)
    nothing_moved(untouched)


def test_no_open_webui_database(case):
    case.fill("DROP TABLE alembic_version")
    assert "no Alembic schema version" in case.failed(status=78)


def test_no_source(case):
    case.path.unlink()
    assert "There is no" in case.failed(status=66)


def test_a_damaged_source(case):
    case.fill(*[user(number) for number in range(3000)])
    content = bytearray(case.path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = os.urandom(8192)
    case.path.write_bytes(content)
    assert "damaged" in case.failed("--no-keeper", status=66)
    # With the lease it is the keeper that finds it, and sets the file aside.
    assert "failed its check" in case.failed(status=65)
    assert case.rows("user") == 0


def test_a_table_that_the_target_does_not_know(case):
    case.fill("CREATE TABLE plugin_table (id TEXT)", "INSERT INTO plugin_table VALUES ('x')")
    assert "plugin_table" in case.failed(status=78)


def test_another_owner_holds_the_lease(untouched):
    import fcntl

    owner = os.open(untouched.folder / ".owner", os.O_RDWR | os.O_CREAT)
    fcntl.lockf(owner, fcntl.LOCK_EX, 1, 1 << 20)
    assert "Another owner holds" in untouched.failed(status=75)
    os.close(owner)
    nothing_moved(untouched)


def test_a_move_before_the_data_came_back(case):
    """Moved to one database already, and pointed at another."""
    case.fill(user(1))
    case.move()
    other = f"{case.database}b"
    case.server.sql(f"CREATE DATABASE {other} OWNER openwebui TEMPLATE template_webui")
    try:
        assert "was moved to" in case.failed(status=78, DATABASE_NAME=other)
    finally:
        case.server.sql(f"DROP DATABASE {other}")


@pytest.mark.parametrize("words", [["--on-anomaly", "ignore"], ["--nonsense"], ["--check", "--back"], ["--discard-since-cutover"]])
def test_usage(case, words):
    case.failed(*words, status=64)


def large(case):
    case.fill(user(1), chat(1, "u1"), *[message(number, "c1", '"' + os.urandom(1000).hex() + '"') for number in range(20000)])


def test_a_connection_that_is_cut_in_the_middle(case):
    large(case)
    before = hashlib.sha256(case.path.read_bytes()).hexdigest()
    process = case.start()
    for _ in range(600):
        cut = case.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'efs-data-layer-mover' AND query LIKE 'COPY%chat_message%'")
        if "t" in cut:
            break
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 74, out + err
    assert "Nothing was committed" in out
    assert hashlib.sha256(case.path.read_bytes()).hexdigest() == before
    nothing_moved(case)
    case.move()
    assert case.rows("chat_message") == 20000


def test_a_full_disk(case, python, templates, tmp_path):
    """The target's data lies on a file system that is too small."""
    home = new_home()
    small = f"{home}/small"
    os.mkdir(small)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m,mode=0777", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        os.rmdir(small)
        pytest.skip("no file system can be mounted here (root is needed): the full disk was not tried")
    server = None
    try:
        server = make_server(home)
        server.run("chmod", "700", small, check=False)
        subprocess.run(["chown", "postgres", small], check=True)
        server.sql(f"CREATE TABLESPACE small LOCATION '{small}'")
        full = Case.__new__(Case)
        full.__dict__.update(case.__dict__, server=server, database="onsmall")
        server.sql("CREATE DATABASE onsmall OWNER openwebui TABLESPACE small")
        large(full)
        full.fill(*[message(number, "c1", '"' + os.urandom(1000).hex() + '"') for number in range(20000, 60000)])
        assert "disk is full" in full.failed(status=74)
        nothing_moved(full)
    finally:
        if server:
            server.stop()
        subprocess.run(["umount", small])
        shutil.rmtree(home, ignore_errors=True)
