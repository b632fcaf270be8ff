"""A real Redis cluster with TLS on this machine, as strict as ElastiCache Serverless about what it takes."""

import pathlib
import shutil
import socket
import subprocess
import time

from serverless import REFUSED

NAMES = ("valkey", "redis")
ADMIN = ("--user", "admin", "--pass", "only-of-this-test", "--no-auth-warning")


def program(kind: str) -> str:
    found = next((path for name in NAMES if (path := shutil.which(f"{name}-{kind}"))), None)
    assert found, f"A Valkey or Redis {kind} is needed (on Debian: apt-get install redis-server)."
    return found


def free_port() -> int:
    """One that leaves room for the cluster's own, 10000 above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port > 50000:
            port -= 30000
        with socket.socket() as probe, socket.socket() as bus:
            try:
                probe.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10000))
                return port
            except OSError:
                continue


class Cluster:
    """Three masters that share the slots; clients are told the name in the certificate, as ElastiCache does."""

    def __init__(self, home: pathlib.Path):
        self.home = home
        self.ports = [free_port() for _ in range(3)]
        self.url = f"rediss://localhost:{self.ports[0]}"
        self.processes: list[subprocess.Popen] = []
        self.monitors: list[subprocess.Popen] = []
        self.authority = home / "ca.crt"

    def certificates(self) -> None:
        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", *arguments], cwd=self.home, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
        # The client makes 127.0.0.1 of the name localhost, of no other.
        (self.home / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "server.crt")

    def start(self) -> None:
        self.certificates()
        for port in self.ports:
            folder = self.home / str(port)
            folder.mkdir()
            denied = " ".join(f"-{name}" for name in REFUSED)
            (folder / "server.conf").write_text(
                f"port 0\ntls-port {port}\nbind 127.0.0.1\ndir {folder}\nsave \"\"\nappendonly no\n"
                f"tls-cert-file {self.home}/server.crt\ntls-key-file {self.home}/server.key\ntls-ca-cert-file {self.authority}\n"
                "tls-auth-clients no\ntls-cluster yes\ncluster-enabled yes\ncluster-config-file nodes.conf\n"
                "cluster-announce-hostname localhost\ncluster-preferred-endpoint-type hostname\n"
                f"user default on nopass ~* &* +@all {denied}\nuser admin on >only-of-this-test ~* &* +@all\n"
            )
            log = open(folder / "log", "w")
            self.processes.append(subprocess.Popen([program("server"), str(folder / "server.conf")], stdout=log, stderr=log))
        for port in self.ports:
            self.until(lambda port=port: "PONG" in self.ask(port, "PING"), f"port {port} answers")
        nodes = [f"127.0.0.1:{port}" for port in self.ports]
        self.cli(self.ports[0], "--cluster", "create", *nodes, "--cluster-yes", check=True)
        for port in self.ports:
            self.until(lambda port=port: "cluster_state:ok" in self.ask(port, "CLUSTER", "INFO"), "the cluster stands")

    def cli(self, port: int, *words: str, check: bool = False) -> str:
        command = [program("cli"), "--tls", "--cacert", str(self.authority), *ADMIN, "-h", "localhost", "-p", str(port), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, port: int, *words: str) -> str:
        return self.cli(port, *words)

    def everywhere(self, *words: str) -> list[str]:
        return [line for port in self.ports for line in self.ask(port, *words).splitlines() if line]

    def until(self, holds, what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            time.sleep(0.1)

    def record(self) -> None:
        """From here on every command that any node gets."""
        for port in self.ports:
            file = open(self.home / str(port) / "commands", "w")
            command = [program("cli"), "--tls", "--cacert", str(self.authority), *ADMIN, "-h", "localhost", "-p", str(port), "MONITOR"]
            self.monitors.append(subprocess.Popen(command, stdout=file))
        for port in self.ports:
            self.until(lambda port=port: (self.home / str(port) / "commands").read_text().startswith("OK"), "it is recorded")

    def recorded(self) -> list[list[str]]:
        """The words of each command that came over a connection; those of scripts say lua in the place of an address."""
        found = []
        for port in self.ports:
            for line in (self.home / str(port) / "commands").read_text(errors="replace").splitlines():
                head, _, words = line.partition("] ")
                if words and not head.endswith(" lua"):
                    found.append([word.strip('"') for word in words.split()])
        return found

    def stop(self) -> None:
        for process in [*self.monitors, *self.processes]:
            process.kill()
            process.wait()
