"""Databases and networks that fail in ways of their own: each time an error that says what and what to do, the source as it
was, the lease free for the application, and nothing in the target."""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import threading

import pytest
from conftest import PASSWORD, Case, chat, make_server, message, new_home, user

# Two thousand messages of 8 kB: enough that a copy is under way when it is cut.
MANY = [user(1), chat(1, "u1"), *[message(number, "c1", '"' + "x" * 8000 + f'{number}"') for number in range(2000)]]


def of(case, **changed):
    other = Case.__new__(Case)
    other.__dict__.update(case.__dict__, **changed)
    return other


def digest(case):
    return hashlib.sha256(case.path.read_bytes()).hexdigest()


@pytest.fixture
def source(case):
    """Whatever happens, it stays as it is, and the application gets the lease afterwards."""
    case.fill(*MANY)
    before = digest(case)
    yield case
    assert digest(case) == before
    assert "migrated" not in case.owner() and case.owner()["lease"]["state"] == "released"
    assert case.marker() == "" and case.rows("chat_message") == 0


class Proxy:
    """Between the mover and PostgreSQL; cuts every connection once `limit` bytes went to the server."""

    def __init__(self, port: int, limit: int):
        self.port, self.limit, self.cut = port, limit, 0
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.door.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self.pump, args=(client, server, self.limit), daemon=True).start()
                threading.Thread(target=self.pump, args=(server, client, None), daemon=True).start()

    def pump(self, one, other, limit):
        sent = 0
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
                sent += len(data)
                if limit and sent > limit:
                    self.cut += 1
                    break
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_a_network_that_cuts_the_connection_in_the_middle(source):
    proxy = Proxy(source.server.port, 4_000_000)
    try:
        said = source.failed(status=74, DATABASE_PORT=str(proxy.door.getsockname()[1]))
    finally:
        proxy.door.close()
    assert proxy.cut == 1
    assert "Nothing was committed and the source is as it was" in said and "Run the same command again" in said


def test_the_same_command_again_after_a_cut(case):
    case.fill(*MANY)
    proxy = Proxy(case.server.port, 4_000_000)
    try:
        case.failed(status=74, DATABASE_PORT=str(proxy.door.getsockname()[1]))
    finally:
        proxy.door.close()
    case.move()
    assert case.rows("chat_message") == 2000 and case.marker() == "migrated"


def test_a_host_that_takes_the_connection_and_says_nothing(source):
    """As an address behind a security group that swallows packets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = source.failed(status=69, DATABASE_PORT=str(silent.getsockname()[1]))
    assert "does not answer" in said and "timeout" in said and "security group" in said


def test_a_name_that_nobody_has(source):
    said = source.failed(status=69, DATABASE_HOST="database.invalid")
    assert "database.invalid:" in said and "does not answer" in said


def test_a_user_that_is_not_known(source):
    said = source.failed(status=77, DATABASE_USER="nobody")
    assert "credentials" in said and PASSWORD not in said


def test_a_user_that_may_not_write(source):
    source.server.sql(f"DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    said = source.failed(status=74, DATABASE_USER="guest")
    assert "permission denied" in said and "the owner of the database is needed" in said


def test_a_target_that_changes_what_it_is_given(source):
    """A trigger that somebody left in the database: the comparison before the commit finds it."""
    source.sql("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := lower(NEW.title); RETURN NEW; END $$")
    source.sql("CREATE TRIGGER meddle BEFORE INSERT ON chat FOR EACH ROW EXECUTE FUNCTION meddle()")
    said = source.failed(status=76)
    assert "chat" in said and source.rows("chat") == 0


def test_something_else_uses_the_tables(source):
    """An application that was left connected to the target."""
    psql = subprocess.Popen(
        [str(source.server.bin / "psql"), "-X", "-q", source.server.url(source.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        psql.stdin.write("BEGIN; LOCK TABLE chat IN ROW EXCLUSIVE MODE;\n\\echo locked\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "locked\n"
        said = source.failed(status=74)
    finally:
        psql.terminate()
        psql.wait()
    assert "Something else uses its tables" in said


@contextlib.contextmanager
def small(path: str, size: str):
    os.makedirs(path, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", path], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here (root is needed): the full disk was not tried")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path])


def test_a_server_whose_whole_disk_is_full(case):
    """Data and log on one disk, as RDS has them: the server may stop altogether."""
    case.fill(*MANY, *[message(number, "c1", '"' + os.urandom(4000).hex() + '"') for number in range(3000, 15000)])
    before, home, server = digest(case), new_home(), None
    try:
        with small(f"{home}/disk", "120m"):
            server = make_server(home, data=f"{home}/disk/data")
            server.sql("CREATE DATABASE full_one OWNER openwebui")
            full = of(case, server=server, database="full_one")
            said = full.failed(status=74)
            assert "Nothing was committed and the source is as it was" in said
            assert "disk is full" in said or "Was it restarted" in said
            server.stop(f"{home}/disk/data")
            server = None
    finally:
        if server:
            server.stop(f"{home}/disk/data")
        shutil.rmtree(home, ignore_errors=True)
    assert digest(case) == before and case.owner()["lease"]["state"] == "released"
    case.move()
    assert case.marker() == "migrated"


def test_a_volume_without_room_for_the_way_back(case, tmp_path):
    """EFS grows by itself; a file system with a quota, or the disk of a workstation, does not."""
    with small(str(tmp_path / "volume"), "120m"):
        folder = tmp_path / "volume" / "open-webui"
        shutil.copytree(case.folder, folder)
        tight = of(case, folder=folder, path=folder / "webui.db")
        tight.fill(user(1), chat(1, "u1"))
        tight.move()
        tight.sql("INSERT INTO chat_message (id, chat_id, user_id, role, content, done, created_at, updated_at) SELECT 'm' || n, 'c1', 'u1', 'user', to_json(repeat(md5(n::text), 300)), true, n, n FROM generate_series(1, 14000) n")
        before = digest(tight)
        said = tight.failed("--back", status=74)
        assert "The volume failed" in said and "Make room" in said
        assert digest(tight) == before and tight.marker() == "migrated" and "migrated" in tight.owner()
        # What it had begun is no obstacle once there is room.
        tight.sql("DELETE FROM chat_message")
        tight.move("--back")
        assert "migrated" not in tight.owner()


def test_check_on_a_database_that_was_only_made(case):
    """As phase PREPARE leaves it: without tables. They are made, as a move makes them, and stay empty."""
    case.fill(user(1), chat(1, "u1"))
    empty = of(case, database=f"{case.database}empty")
    case.server.sql(f"CREATE DATABASE {empty.database} OWNER openwebui")
    try:
        before = digest(case)
        report = empty.move("--check")[-1]
        assert report["result"] == "checked" and report["tables"]["chat"]["rows"] == 1
        assert empty.rows("chat") == 0 and empty.marker() == ""
        assert digest(case) == before and "migrated" not in case.owner()
        empty.move()
        assert empty.rows("chat") == 1
    finally:
        case.server.sql(f"DROP DATABASE {empty.database} WITH (FORCE)")


DOWN = """
import os, alembic.command, alembic.config, open_webui
folder = os.path.dirname(open_webui.__file__)
config = alembic.config.Config(os.path.join(folder, "alembic.ini"))
config.set_main_option("script_location", os.path.join(folder, "migrations"))
alembic.command.downgrade(config, "-1")
"""


def test_empty_tables_of_an_older_image(case, tmp_path):
    """--check made them, then the service got a newer image: they hold nothing, so they are brought up to date."""
    case.fill(user(1))
    head = case.sql("SELECT version_num FROM alembic_version")
    environment = {**os.environ, "DATABASE_URL": case.server.url(case.database), "ENABLE_DB_MIGRATIONS": "false", "DATA_DIR": str(tmp_path), "STATIC_DIR": str(tmp_path), "WEBUI_SECRET_KEY": "x"}
    done = subprocess.run([case.python, "-c", DOWN], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert case.sql("SELECT version_num FROM alembic_version") != head, done.stderr[-2000:]
    case.move()
    assert case.sql("SELECT version_num FROM alembic_version") == head and case.rows("user") == 1


def test_a_move_after_the_file_was_archived(case):
    """A move repeated after --complete: recognized, or refused when it is another database."""
    case.fill(user(1))
    case.move()
    case.move("--complete")
    assert "already" in case.move()[-1]["message"]
    case.sql("DROP TABLE efs_data_layer_migration")
    assert "holds no mark of that move" in case.failed(status=78)
    assert case.rows("user") == 1
