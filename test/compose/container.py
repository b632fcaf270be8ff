"""Runs the services of a compose.yaml without a container engine: in a mount and a network namespace of their own, under
the user that the file names, with exactly its entry point, command, environment, volumes and health check. Only what
comes with an image is put in its place by `Image`: programs, working directory, the environment of its Dockerfile.

Needs root (namespaces, bind mounts) and Linux.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Image:
    """What stands for an image."""

    workdir: str
    environment: dict[str, str]
    # Path in the container -> directory of this machine that appears there, read-only.
    mounts: dict[str, str] = field(default_factory=dict)


def plain(text: str, variables: dict[str, str]) -> str:
    """What compose makes of a text: $$ is a dollar, ${NAME:-default} and ${NAME:?message} are variables."""

    def value(match: re.Match) -> str:
        if match[0] == "$$":
            return "$"
        found = variables.get(match[1], "")
        if not found and match[2] == ":?":
            raise KeyError(f"{match[1]}: {match[3]}")
        return found or (match[3] if match[2] == ":-" else "")

    return re.sub(r"\$\$|\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


class Network:
    """A network of its own, with nothing but the loopback: ports are free, and nothing leaves the machine."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 3600"], stdout=subprocess.PIPE)
        assert self.process.stdout and self.process.stdout.readline() == b"up\n", "there is no network namespace (is `ip` installed?)"

    def enter(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Container:
    """One service of the file."""

    def __init__(self, folder: Path, service: dict, image: Image, network: Network, variables: dict[str, str], scratch: dict[str, Path] | None = None) -> None:
        self.folder, self.service, self.image, self.network = folder, service, image, network
        # The named volumes that services share, empty at their start.
        self.volumes = scratch or {}
        self.words = lambda key: [plain(word, variables) for word in service.get(key) or []]
        given = {name: plain(value, variables) for name, value in service.get("environment", {}).items()}
        self.environment = {**image.environment, **given}
        self.scratch = Path(tempfile.mkdtemp(prefix="container-"))
        (self.scratch / "tmp").mkdir()
        (self.scratch / "tmp").chmod(0o1777)
        self.process: subprocess.Popen | None = None
        self.log = self.scratch / "log"

    def within(self, words: list[str]) -> list[str]:
        """The command that runs these words inside: root directory, mounts and user as the container would have them."""
        mounts = {**self.image.mounts}
        writable = {}
        for volume in self.service["volumes"]:
            bound = volume["type"] == "bind"
            writable[volume["target"]] = str((self.folder / volume["source"]).resolve() if bound else self.volumes[volume["source"]])
        plan = {
            "mounts": mounts,
            "writable": writable,
            "tmp": str(self.scratch / "tmp"),
            "user": [int(part) for part in self.service["user"].split(":")],
            "workdir": self.image.workdir,
            "words": words,
        }
        return [*self.network.enter(), "unshare", "-m", "--propagation", "private", sys.executable, __file__, json.dumps(plan)]

    def start(self) -> None:
        words = [*self.words("entrypoint"), *self.words("command")]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.within(words), env=self.environment, stdout=log, stderr=log, start_new_session=True)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL after the file's grace period."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(float(self.service["stop_grace_period"].rstrip("s")))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()  # The application ends with its keeper.
            self.process.wait()
        self.network.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def healthy(self) -> bool:
        """The health check of the file, once."""
        kind, *check = [word for word in self.service["healthcheck"]["test"]]
        check = [plain(word, {}) for word in check]
        words = ["/bin/sh", "-c", *check] if kind == "CMD-SHELL" else check
        return self.run(words).returncode == 0

    def run(self, words: list[str]) -> subprocess.CompletedProcess:
        return subprocess.run(self.within(words), env=self.environment, capture_output=True, text=True)

    def events(self) -> list[dict]:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith('{"keeper"')]

    def wait_for(self, event: str, seconds: float, after: int = 0) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [e for e in self.events()[after:] if e["keeper"] == event]
            if found:
                return found[0]
            assert self.process and self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)
        raise AssertionError(f"no {event}:\n{self.log.read_text(errors='replace')[-3000:]}")


def wait_healthy(container, seconds=180):
    end = time.monotonic() + seconds
    while not container.healthy():
        assert time.monotonic() < end and container.process.poll() is None, container.log.read_text(errors="replace")[-3000:]
        time.sleep(1)


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def enter(plan: dict) -> None:
    """Runs in the new mount namespace: builds the root directory from this machine's, and becomes the command."""
    root = Path(tempfile.mkdtemp(prefix="root-"))
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root))
    for entry in os.scandir("/"):
        if entry.is_symlink():
            (root / entry.name).symlink_to(os.readlink(entry.path))
        elif entry.is_dir() and entry.name not in ("tmp", "mnt", "app", "root"):
            (root / entry.name).mkdir()
            mount("--rbind", entry.path, str(root / entry.name))
    places = {"/tmp": plan["tmp"], **plan["mounts"], **plan["writable"]}
    for target, source in sorted(places.items()):
        place = root / target.lstrip("/")
        if os.path.isdir(source):
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.touch()
        mount("--bind", source, str(place))
    (root / plan["workdir"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    os.chroot(root)
    os.chdir(plan["workdir"])
    uid, gid = plan["user"]
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.execvp(plan["words"][0], plan["words"])


if __name__ == "__main__":
    enter(json.loads(sys.argv[1]))
