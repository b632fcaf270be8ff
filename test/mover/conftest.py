"""A real PostgreSQL, and schemas that the real Open WebUI made; the mover runs in Open WebUI's own Python, as it does in
its image. `npm run test:migrate` says what is missing."""

import contextlib
import itertools
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MOVER = ROOT / "lib" / "stores" / "relational" / "mover.py"
PASSWORD = "only-letters.and_digits0"


def programs() -> pathlib.Path:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    assert found, "PostgreSQL is needed (on Debian: apt-get install postgresql)."
    return found[-1]


@pytest.fixture(scope="session")
def python() -> str:
    home = os.environ.get("EFS_LAB_VENVS") or ROOT / ".tmp" / "venvs"
    path = pathlib.Path(home) / "open-webui" / "bin" / "python"
    assert path.exists(), f"There is no {path}: python3 lab/apps/setup.py open-webui makes it."
    return str(path)


def programs_with_pgvector() -> pathlib.Path:
    """Debian's, when it has the extension, else those of the package pgserver (PyPI), which carry it."""
    if list(pathlib.Path("/usr/share/postgresql").glob(f"{programs().parent.name}/extension/vector.control")):
        return programs()
    found = list((ROOT / ".tmp" / "pgserver").glob("pgserver/pginstall/bin"))
    assert found, "pgvector is needed: pip install --no-deps --target .tmp/pgserver pgserver==0.1.4"
    return found[0]


class Postgres:
    """`inside` are the words that put a program into the server's network; `address` is where it listens there."""

    def __init__(self, home: str, bin: pathlib.Path | None = None, inside: tuple[str, ...] = (), address: str = "127.0.0.1"):
        self.home, self.bin, self.inside, self.address = home, bin or programs(), inside, address
        self.user = "postgres" if os.getuid() == 0 else None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def run(self, *command: str, check: bool = True) -> str:
        # PostgreSQL refuses to run as root.
        command = ("runuser", "-u", self.user, "--", *command) if self.user else command
        done = subprocess.run((*self.inside, *command), capture_output=True, text=True, cwd="/")
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def start(self, data: str = "", more: str = "") -> None:
        data = data or f"{self.home}/data"
        (pathlib.Path(self.home) / "hba").write_text("local all all trust\nhost all all all scram-sha-256\n")
        settings = f"-c fsync=off -c listen_addresses={self.address} -c unix_socket_directories={self.home} -c hba_file={self.home}/hba -c port={self.port} {more}"
        self.run(str(self.bin / "pg_ctl"), "-D", data, "-w", "-l", f"{self.home}/log", "-o", settings, "start")

    def stop(self, data: str = "") -> None:
        self.run(str(self.bin / "pg_ctl"), "-D", data or f"{self.home}/data", "-m", "immediate", "stop", check=False)

    def sql(self, text: str, database: str = "postgres") -> str:
        psql = (str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.home, "-p", str(self.port), "-d", database)
        return self.run(*psql, "-c", text).strip()

    def environment(self, database: str, **more: str) -> dict[str, str]:
        return {"DATABASE_HOST": self.address, "DATABASE_PORT": str(self.port), "DATABASE_NAME": database, "DATABASE_USER": "openwebui", "DATABASE_PASSWORD": PASSWORD, **more}

    def url(self, database: str) -> str:
        return f"postgresql://openwebui:{PASSWORD}@{self.address}:{self.port}/{database}"


def make_server(home: str, bin: pathlib.Path | None = None, data: str = "", **network) -> Postgres:
    data = data or f"{home}/data"
    if bin and not bin.is_relative_to("/usr"):
        # Its user may not enter our directory.
        shutil.copytree(bin.parents[2], f"{home}/programs")
        bin = pathlib.Path(home) / "programs" / "pgserver" / "pginstall" / "bin"
    postgres = Postgres(home, bin, **network)
    if postgres.user:
        os.chown(home, pwd.getpwnam(postgres.user).pw_uid, -1)
    postgres.run(str(postgres.bin / "initdb"), "-D", data, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8")
    postgres.start(data)
    postgres.sql(f"CREATE ROLE openwebui LOGIN PASSWORD '{PASSWORD}'")
    return postgres


def new_home() -> str:
    # The path of a socket is short; its user must be able to enter.
    home = tempfile.mkdtemp(prefix="mover-pg-", dir="/var/tmp")
    os.chmod(home, 0o755)
    return home


@contextlib.contextmanager
def pgvector_server(database: str = ""):
    """A server of its own with pgvector; on request with a database that has the extension, which on RDS its owner may make."""
    home, postgres = new_home(), None
    try:
        postgres = make_server(home, programs_with_pgvector())
        if database:
            postgres.sql(f"CREATE DATABASE {database} OWNER openwebui")
            postgres.sql("CREATE EXTENSION vector", database)
        yield postgres
    finally:
        if postgres:
            postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def server():
    home = new_home()
    postgres = None
    try:
        postgres = make_server(home)
        yield postgres
    finally:
        if postgres:
            postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def open_webui_schema(python: str, url: str, folder: pathlib.Path) -> None:
    """Its configuration module brings the schema up to date when it is imported; what it copies to STATIC_DIR afterwards
    is not in the package, so its status says nothing."""
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(folder), "STATIC_DIR": str(folder), "WEBUI_SECRET_KEY": "x", "OFFLINE_MODE": "true"}
    subprocess.run([python, "-c", "import open_webui.config"], env=environment, cwd=folder, capture_output=True)


@pytest.fixture(scope="session")
def templates(server, python, tmp_path_factory):
    """Both made by the real Open WebUI: an empty webui.db, and the database `template_webui`."""
    folder = tmp_path_factory.mktemp("templates")
    open_webui_schema(python, f"sqlite:///{folder}/webui.db", folder)
    server.sql("CREATE DATABASE template_webui OWNER openwebui")
    open_webui_schema(python, server.url("template_webui"), folder)
    assert server.sql("SELECT count(*) FROM alembic_version", "template_webui") == "1"
    db = sqlite3.connect(folder / "webui.db")
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    return folder / "webui.db"


class Case:
    """A directory with a webui.db, and a database to move it to."""

    # The words that put the mover into a network of its own.
    inside: tuple[str, ...] = ()
    names = (f"case{number}" for number in itertools.count())

    def __init__(self, server, python, template: pathlib.Path, folder: pathlib.Path):
        self.server, self.python, self.folder = server, python, folder / "open-webui"
        self.folder.mkdir()
        self.path = self.folder / "webui.db"
        shutil.copyfile(template, self.path)
        self.database = next(self.names)
        server.sql(f"CREATE DATABASE {self.database} OWNER openwebui TEMPLATE template_webui")
        self.local = folder / "local"

    def fill(self, *statements) -> None:
        db = sqlite3.connect(self.path)
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        db.commit()
        db.close()

    def environment(self, **more: str) -> dict[str, str]:
        base = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "KEEPER", "PG"))}
        own = {"KEEPER_DIR": str(self.folder), "KEEPER_STORES": "webui.db", "KEEPER_LOCAL_DIR": str(self.local), "KEEPER_LEASE_DEADLINE": "3"}
        return {**base, **own, **self.server.environment(self.database), **more}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen:
        return subprocess.Popen([*self.inside, self.python, str(MOVER), *arguments], env=self.environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def move(self, *arguments: str, status: int = 0, **more: str) -> list[dict]:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=300)
        assert process.returncode == status, f"status {process.returncode}\n{out[-4000:]}\n{err[-4000:]}"
        # The keeper's own lines are between them.
        return [event for event in map(json.loads, out.splitlines()) if "mover" in event]

    def failed(self, *arguments: str, status: int, **more: str) -> str:
        return self.move(*arguments, status=status, **more)[-1]["message"]

    def killed(self, step: str, *arguments: str) -> None:
        self.move(*arguments, status=-signal.SIGKILL, MOVER_FAIL_AT=step)

    def rows(self, table: str) -> int:
        return int(self.server.sql(f'SELECT count(*) FROM "{table}"', self.database))

    def sql(self, text: str) -> str:
        return self.server.sql(text, self.database)

    def marker(self) -> str:
        exists = self.sql("SELECT to_regclass('efs_data_layer_migration') IS NOT NULL")
        return self.sql("SELECT state FROM efs_data_layer_migration") if exists == "t" else ""

    def owner(self) -> dict:
        """What the keeper's own code reads from .owner."""
        sys.path.insert(0, str(ROOT / "lib" / "single-writer"))
        import keeper

        fd = os.open(self.folder / ".owner", os.O_RDONLY)
        try:
            return {**(keeper.Slots(fd, 8192, 65536).read() or {}), "lease": keeper.Slots(fd, 0, 4096).read()}
        finally:
            os.close(fd)


@pytest.fixture
def case(server, python, templates, tmp_path):
    made = Case(server, python, templates, tmp_path)
    yield made
    server.sql(f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)")


def user(number: int, email: str = "") -> tuple:
    return (
        'INSERT INTO "user" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at, settings) VALUES (?,?,?,?,?,?,?,?,?)',
        (f"u{number}", f"User {number}", email or f"user{number}@example.com", "user", "/user.png", number, number, number, '{"ui": {}}'),
    )


def chat(number: int, owner: str, content: str = '{"messages": []}') -> tuple:
    return (
        "INSERT INTO chat (id, user_id, title, chat, meta, archived, pinned, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?)",
        (f"c{number}", owner, f"Chat {number}", content, "{}", 0, number % 2, number, number),
    )


def message(number: int, chat_id: str, content: str) -> tuple:
    return (
        "INSERT INTO chat_message (id, chat_id, user_id, role, content, done, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?)",
        (f"m{number}", chat_id, "u1", "user", content, 1, number, number),
    )
