"""What the data layer tells Open WebUI, held against what the installed Open WebUI reads and makes of it."""

import ast
import json
import os
import pathlib
import subprocess

import pytest

from conftest import PASSWORD, ROOT

# Read by the entry program and the keeper, not by the application.
OURS = ("DATA_LAYER_", "KEEPER_")
# Read by libpq below the application's drivers (PostgreSQL's documentation, libpq-envars).
LIBPQ = {"PGSSLMODE", "PGSSLROOTCERT"}
# Read by the image's start.sh, which no Python package has (open-webui/open-webui, backend/start.sh, 0.12.4).
START = {"WEBUI_SECRET_KEY_FILE"}

# Prints the effective values that decide where the data lives, as the modules hold them once they are imported.
ASK = """
import json, sys
import open_webui.env as env
values = {name: getattr(env, name) for name in ("DATABASE_URL", "DATABASE_POOL_SIZE", "DATABASE_POOL_MAX_OVERFLOW", "REDIS_URL",
    "REDIS_CLUSTER", "WEBSOCKET_MANAGER", "WEBSOCKET_REDIS_URL", "WEBSOCKET_REDIS_CLUSTER", "REDIS_SOCKET_CONNECT_TIMEOUT",
    "REDIS_HEALTH_CHECK_INTERVAL", "ENABLE_WEBSOCKET_SUPPORT", "UVICORN_WORKERS", "DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL")}
if "config" in sys.argv:
    import open_webui.config as config
    for name in ("VECTOR_DB", "PGVECTOR_DB_URL", "PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH", "PGVECTOR_USE_HALFVEC", "PGVECTOR_INDEX_METHOD",
        "PGVECTOR_POOL_SIZE", "PGVECTOR_POOL_MAX_OVERFLOW", "PGVECTOR_CREATE_EXTENSION", "S3_VECTOR_BUCKET_NAME", "S3_VECTOR_REGION",
        "QDRANT_URI", "QDRANT_API_KEY"):
        values[name] = getattr(config, name)
print("VALUES " + json.dumps(values))
"""


@pytest.fixture(scope="session")
def told():
    tsx = ROOT / "node_modules" / ".bin" / "tsx"
    done = subprocess.run([str(tsx), "test/stores/print-settings.ts"], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def package(python):
    code = "import importlib.util; print(importlib.util.find_spec('open_webui').origin)"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(found).parent


@pytest.fixture(scope="session")
def read_by_open_webui(package):
    """Every name that the package asks the environment for, by its syntax tree."""
    names = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("getenv", "get") and node.args:
                if node.func.attr == "getenv" or (isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "environ"):
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        names.add(first.value)
    assert len(names) > 300 and "DATABASE_HOST" in names, "the package could not be read"
    return names


def outside(package, home):
    """What the image has and an installed package must be told: a key, its web pages, a place for what it unpacks."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "WEBUI_SECRET_KEY": "only-of-this-test",
        "FRONTEND_BUILD_DIR": str(package / "frontend"),
        "STATIC_DIR": str(home / "static"),
    }


@pytest.fixture
def ask(python, package, tmp_path):
    (tmp_path / "static").mkdir()

    def effective(container, *words, **change):
        environment = {**outside(package, tmp_path), **container["environment"], "DATA_DIR": str(tmp_path), **change}
        return values_of(python, environment, words)

    return effective


def values_of(python, env, words):
    done = subprocess.run([python, "-c", ASK, *words], env=env, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("VALUES ")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(lines[0][len("VALUES ") :])


def test_every_name_is_one_that_something_reads(told, read_by_open_webui):
    for choice, container in told.items():
        names = {name for name in [*container["environment"], *container["secrets"]] if not name.startswith(OURS)}
        unknown = names - read_by_open_webui - LIBPQ - START
        assert not unknown, f"{choice}: Open WebUI does not read {sorted(unknown)}"


SECRETS = {"DATABASE_USER": "openwebui", "DATABASE_PASSWORD": PASSWORD}


@pytest.mark.parametrize("choice", ["external", "rds-postgres", "aurora-serverless-v2"])
def test_the_address_of_the_database_is_put_together(told, ask, choice):
    container = told[choice]
    assert set(container["secrets"]) == set(SECRETS)
    values = ask(container, **SECRETS)
    env = container["environment"]
    where = f"{env['DATABASE_HOST']}:{env['DATABASE_PORT']}/{env['DATABASE_NAME']}"
    assert values["DATABASE_URL"] == f"postgresql://openwebui:{PASSWORD}@{where}"
    assert (values["DATABASE_POOL_SIZE"], values["DATABASE_POOL_MAX_OVERFLOW"], values["UVICORN_WORKERS"]) == (5, 5, 1)
    assert values["DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL"] == 300


def test_sqlite_is_opened_as_the_keeper_expects(told, ask):
    assert ask(told["sqlite"])["DATABASE_URL"] == "sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true"


def test_the_cache_is_asked_for_as_a_cluster(told, ask):
    values = ask(told["valkey-serverless"])
    assert values["REDIS_URL"] == values["WEBSOCKET_REDIS_URL"] == "rediss://deployed:6379"
    assert (values["REDIS_CLUSTER"], values["WEBSOCKET_REDIS_CLUSTER"], values["WEBSOCKET_MANAGER"]) == (True, True, "redis")
    assert (values["REDIS_SOCKET_CONNECT_TIMEOUT"], values["REDIS_HEALTH_CHECK_INTERVAL"]) == (5.0, 60)
    assert values["ENABLE_WEBSOCKET_SUPPORT"] is True


class TestVectors:
    """open_webui.config reads these. It also brings the database's schema up to date: here a SQLite file is enough."""

    @pytest.fixture
    def of(self, ask, tmp_path):
        here = {"ENABLE_DB_MIGRATIONS": "false", "DATABASE_URL": f"sqlite:///{tmp_path}/webui.db"}
        return lambda container, **more: ask(container, "config", **here, **more)

    @pytest.mark.parametrize(("choice", "dimensions", "halfvec"), [("pgvector", 1536, False), ("pgvector-halfvec", 3072, True)])
    def test_pgvector_in_the_relational_store(self, told, of, choice, dimensions, halfvec):
        # The parts of the relational store's address win over DATABASE_URL, also for the vectors.
        values = of(told[choice], **SECRETS)
        assert values["PGVECTOR_DB_URL"] == f"postgresql://openwebui:{PASSWORD}@db.example.com:5432/openwebui"
        assert values["VECTOR_DB"] == "pgvector" and values["PGVECTOR_CREATE_EXTENSION"] is True
        assert (values["PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH"], values["PGVECTOR_USE_HALFVEC"]) == (dimensions, halfvec)
        assert (values["PGVECTOR_INDEX_METHOD"], values["PGVECTOR_POOL_SIZE"], values["PGVECTOR_POOL_MAX_OVERFLOW"]) == ("hnsw", 5, 5)

    def test_pgvector_in_a_database_of_its_own(self, told, of):
        # The entry program puts this together; its own test asks PostgreSQL with it.
        url = "postgresql://u:p@vectors.example.com:5432/openwebui?sslmode=require"
        assert set(told["pgvector-own"]["secrets"]) == {"DATA_LAYER_VECTORS_USER", "DATA_LAYER_VECTORS_PASSWORD"}
        assert of(told["pgvector-own"], PGVECTOR_DB_URL=url)["PGVECTOR_DB_URL"] == url

    def test_s3_vectors(self, told, of):
        container = told["s3-vectors"]
        values = of(container)
        assert values["VECTOR_DB"] == "s3vector"
        assert values["S3_VECTOR_BUCKET_NAME"] == container["environment"]["S3_VECTOR_BUCKET_NAME"] != ""
        assert values["S3_VECTOR_REGION"] == "deployed"

    def test_qdrant(self, told, of):
        assert told["qdrant"]["secrets"] == ["QDRANT_API_KEY"]
        values = of(told["qdrant"], QDRANT_API_KEY="k")
        assert (values["VECTOR_DB"], values["QDRANT_URI"], values["QDRANT_API_KEY"]) == ("qdrant", "https://q.example.com:6333", "k")


def test_the_schema_of_the_real_application_is_made_by_one_task_and_marked(told, python, package, database, volume, tmp_path):
    """The entry program with the settings of the template, the real Open WebUI and a real PostgreSQL."""
    (tmp_path / "static").mkdir()
    environment = {
        **outside(package, tmp_path),
        **told["external"]["environment"],
        **SECRETS,
        "DATA_DIR": str(volume),
        "DATA_LAYER_DIR": str(volume),
        "DATA_LAYER_REPLICAS": "2",
        "DATA_LAYER_MIGRATIONS": "",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(database.port),
        "PGSSLMODE": "require",
        "WEBUI_SECRET_KEY_FILE": str(volume / ".webui_secret_key"),
    }
    environment.pop("PGSSLROOTCERT")
    # As in the image, which gets its key from the file in start.sh: after the entry program.
    environment.pop("WEBUI_SECRET_KEY")
    entry = (ROOT / "lib" / "stores" / "entry.py").read_text()
    done = subprocess.run([python, "-c", entry, "echo", "APPLICATION-RUNS"], env=environment, capture_output=True, text=True, timeout=300)
    assert "APPLICATION-RUNS" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    assert database.sql("SELECT state FROM efs_data_layer_migration", "openwebui") == "fresh"
    assert database.sql("SELECT count(*) FROM alembic_version", "openwebui") == "1"
    assert int(database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "openwebui")) > 20
