"""Two real Open WebUI processes as two tasks would run: one PostgreSQL, one cluster with TLS, one directory.
`npm run test:replicas` says what is missing."""

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pytest
from cluster import Cluster

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
START = float(os.environ.get("REPLICAS_START_SECONDS", "400"))

sys.path.insert(0, str(ROOT / "lab" / "apps"))


def load(name: str, path: pathlib.Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The mover's PostgreSQL, and the database it moves: nothing of it is different here.
mover = load("mover_servers", ROOT / "test" / "mover" / "conftest.py")
python, server, templates = mover.python, mover.server, mover.templates


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def vectors():
    """A database of its own for vectors, with pgvector."""
    with mover.pgvector_server("openwebui") as postgres:
        yield postgres


@pytest.fixture(scope="session")
def cluster():
    home = pathlib.Path(tempfile.mkdtemp(prefix="cluster-", dir="/var/tmp"))
    made = Cluster(home)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def model():
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "model_server.py"), str(port)])
    yield f"http://127.0.0.1:{port}/v1"
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def told():
    """What the container of the template is told, with two replicas."""
    tsx = ROOT / "node_modules" / ".bin" / "tsx"
    done = subprocess.run([str(tsx), "test/stores/print-settings.ts"], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["replicas"]


class Replica:
    """One task: the entry program with the settings of the template, then what start.sh of the image does."""

    def __init__(self, python: str, folder: pathlib.Path, environment: dict):
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        entry = (ROOT / "lib" / "stores" / "entry.py").read_text()
        start = f'WEBUI_SECRET_KEY=$(cat "$WEBUI_SECRET_KEY_FILE") exec "{python}" -m uvicorn open_webui.main:app --host 127.0.0.1 --port {self.port} --workers 1'
        self.log = open(folder / "log", "w+")
        package = pathlib.Path(subprocess.run([python, "-c", "import importlib.util as i; print(i.find_spec('open_webui').origin)"], capture_output=True, text=True, check=True).stdout.strip()).parent
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            # What the image has and an installed package must be told.
            "FRONTEND_BUILD_DIR": str(package / "frontend"),
            "STATIC_DIR": str(folder / "static"),
            **environment,
        }
        (folder / "static").mkdir()
        self.process = subprocess.Popen([python, "-c", entry, "bash", "-c", start], env=environment, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT)

    def text(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return json.load(answer) == {"status": True}
        except OSError:
            return False

    def wait(self) -> "Replica":
        end = time.monotonic() + START
        while not self.healthy():
            assert self.process.poll() is None and time.monotonic() < end, f"Open WebUI did not start:\n{self.text()[-4000:]}"
            time.sleep(0.5)
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Fleet:
    """The replicas, and what they share."""

    def __init__(self, python, told, moved, vectors, cluster, model, home):
        self.python, self.moved, self.cluster, self.home = python, moved, cluster, home
        self.replicas: list[Replica] = []
        mine = {
            # The addresses, the directory and the certificates of this machine.
            "DATA_DIR": str(moved.folder),
            "DATA_LAYER_DIR": str(moved.folder),
            "WEBUI_SECRET_KEY_FILE": str(moved.folder / ".webui_secret_key"),
            "DATA_LAYER_MIGRATIONS": "",
            **moved.server.environment(moved.database),
            "PGSSLMODE": "disable",
            "DATA_LAYER_VECTORS_HOST": "127.0.0.1",
            "DATA_LAYER_VECTORS_PORT": str(vectors.port),
            "DATA_LAYER_VECTORS_USER": "openwebui",
            "DATA_LAYER_VECTORS_PASSWORD": mover.PASSWORD,
            "DATA_LAYER_VECTORS_SSLMODE": "disable",
            "REDIS_URL": cluster.url,
            "WEBSOCKET_REDIS_URL": cluster.url,
            # Amazon's authority is one that every machine trusts; this one is the test's.
            "SSL_CERT_FILE": str(cluster.authority),
        }
        here = {
            # What a user sets: a model without a network.
            "OFFLINE_MODE": "true",
            "HF_HUB_OFFLINE": "1",
            "ENABLE_OLLAMA_API": "false",
            "OPENAI_API_BASE_URL": model,
            "OPENAI_API_KEY": "test",
            "RAG_EMBEDDING_ENGINE": "openai",
            "RAG_OPENAI_API_BASE_URL": model,
            "RAG_OPENAI_API_KEY": "test",
        }
        unknown = set(mine) - set(told["environment"]) - set(told["secrets"]) - {"SSL_CERT_FILE"}
        assert not unknown, f"the template does not set {sorted(unknown)}"
        self.environment = {**told["environment"], **mine, **here}
        self.environment.pop("PGSSLROOTCERT")

    def start(self) -> Replica:
        replica = Replica(self.python, self.home / f"replica{len(self.replicas)}", self.environment)
        self.replicas.append(replica)
        return replica

    def socket(self, replica: Replica, token: str) -> "Socket":
        return Socket(self.python, replica.url, token)


class Socket:
    """The socket of one open browser window."""

    def __init__(self, python: str, url: str, token: str):
        self.process = subprocess.Popen([python, str(HERE / "socket_client.py"), url, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.got: list[list] = []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.id = self.seen(lambda event, data: data["sid"] if event == "joined" else None)

    def read(self) -> None:
        for line in self.process.stdout:
            with self.changed:
                self.got.append(json.loads(line))
                self.changed.notify_all()

    def seen(self, wanted, seconds: float = 60):
        """Waits for an event; `wanted` is asked of each one, from the first."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for event, *data in self.got:
                    if (found := wanted(event, data[0] if data else None)) is not None:
                        return found
                left = end - time.monotonic()
                if left <= 0:
                    self.process.kill()
                    raise AssertionError(f"not within {seconds} s; it was sent {self.got}\n{self.process.stderr.read()[-2000:]}")
                self.changed.wait(left)

    def emit(self, event: str, data: object) -> None:
        self.process.stdin.write(json.dumps([event, data]) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def fleet(python, server, templates, told, vectors, cluster, model, tmp_path_factory):
    """Two replicas on a volume whose SQLite the mover has moved to PostgreSQL before."""
    home = tmp_path_factory.mktemp("fleet")
    moved = mover.Case(server, python, templates, home)
    moved.move()
    made = Fleet(python, told, moved, vectors, cluster, model, home)
    cluster.record()
    try:
        # Both at once, as one deployment starts them.
        for replica in [made.start(), made.start()]:
            replica.wait()
        yield made
    finally:
        for replica in made.replicas:
            replica.kill()
