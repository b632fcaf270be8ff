"""A real PostgreSQL with TLS, and the Python that Open WebUI's image has: entry.py runs in it as it does there."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
ENTRY = ROOT / "lib" / "stores" / "entry.py"
PASSWORD = "only-letters.and_digits0"

sys.path.insert(0, str(ROOT / "lib" / "single-writer"))


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    assert on_path, "PostgreSQL is needed (on Debian: apt-get install postgresql)."
    return pathlib.Path(on_path).parent


@pytest.fixture(scope="session")
def python():
    """Open WebUI's own environment: npm run test:stores makes it and names it here."""
    made = os.environ.get("OPEN_WEBUI_PYTHON")
    assert made, "Run these tests with: npm run test:stores"
    return made


class Postgres:
    def __init__(self, home, port, user):
        self.home, self.port, self.user = home, port, user
        self.bin = programs()

    def run(self, *command, **more):
        # PostgreSQL refuses to run as root.
        if self.user:
            command = ("runuser", "-u", self.user, "--", *command)
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/", **more).stdout

    def sql(self, text, database="postgres"):
        return self.run(
            str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.home, "-p", str(self.port), "-d", database, "-c", text
        ).strip()


@pytest.fixture(scope="session")
def server():
    home = tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    user = "postgres" if os.getuid() == 0 else None
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    postgres = Postgres(home, port, user)
    data = f"{home}/data"
    try:
        postgres.run(str(postgres.bin / "initdb"), "-D", data, "-A", "trust", "--no-sync")
        postgres.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{data}/server.key", "-out", f"{data}/server.crt")
        postgres.run("chmod", "600", f"{data}/server.key")
        # As RDS with rds.force_ssl: over the network by password and TLS only.
        (pathlib.Path(home) / "hba").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        settings = f"-c ssl=on -c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c hba_file={home}/hba -c port={port}"
        postgres.run(str(postgres.bin / "pg_ctl"), "-D", data, "-w", "-l", f"{home}/log", "-o", settings, "start")
        postgres.sql(f"CREATE ROLE openwebui LOGIN PASSWORD '{PASSWORD}'")
        yield postgres
    finally:
        if os.path.exists(f"{data}/postmaster.pid"):
            postgres.run(str(postgres.bin / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(server):
    """An empty database for each test."""
    server.sql("DROP DATABASE IF EXISTS openwebui")
    server.sql("CREATE DATABASE openwebui OWNER openwebui")
    return server


@pytest.fixture
def volume(tmp_path):
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume"
