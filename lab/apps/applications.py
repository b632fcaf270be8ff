"""The real applications as the lab's cases: a directory on the volume, tasks that work in it, and the reckoning.

Arms:
    keeper     as the construct deploys it: keeper.py run in front, or keeper.py guard beside gate.sh (Chroma's image has
               no Python)
    frozen     the same, but the keeper is stopped (SIGSTOP) before the cut: what is left is the fence, not the kill
    no-shim    frozen, and SQLite files that a Python application opens by plain path are not opened exclusively
    plain      the application's own defaults on the mount, nothing in front
"""

from __future__ import annotations

import collections
import itertools
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import chroma_client
import openwebui_client

HERE = Path(__file__).resolve().parent
KEEPER = HERE.parents[1] / "lib" / "single-writer" / "keeper.py"
GATE = KEEPER.with_name("gate.sh")
MOUNT, EXPORT = "/mnt/efs", "/mnt/export"
EMBEDDING_PORT = "18300"
# What Open WebUI, Chroma and CrewAI print when SQLite or its pool fails them
COMPLAINTS = ("database is locked", "QueuePool limit", "disk I/O error", "malformed")
_serial = itertools.count(1)


class Task:
    """The application on one host: its processes, its clients, what they were told."""

    def __init__(self, case: Case, host):
        self.case, self.host, self.number = case, host, next(_serial)
        self.started = time.monotonic()
        self.port = 20000 + self.number
        self.url = f"http://{host.control_address}:{self.port}"
        self.local = f"/tmp/keeper-{self.number}"
        self.acks: list[tuple[float, object]] = []
        self.errors: collections.Counter[str] = collections.Counter()
        self.over = threading.Event()
        self.clients: list[threading.Thread] = []
        self.programs = case.launch(self)  # the keeper, or the application, first

    def acknowledge(self, *record: object) -> None:
        """A client was told that this is stored."""
        self.acks.append((time.monotonic(), record))

    def failed(self, message: str) -> None:
        if not self.over.is_set():
            self.errors[message] += 1

    def events(self) -> list[tuple[float, dict]]:
        found = []
        for when, line in list(self.programs[0].lines):
            if line.startswith('{"keeper"'):
                found.append((when, json.loads(line)))
        return found

    def event(self, name: str) -> tuple[float, dict] | None:
        return next(((when, event) for when, event in self.events() if event["keeper"] == name), None)

    def ready(self, seconds: float = 400) -> bool:
        """Waits for the application's first answer; False when it ends before, or never answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.case.answers(self):
                self.ready_at = time.monotonic()
                return True
            if self.programs[-1].exit is not None or self.programs[0].exit is not None:
                return self.case.answers(self)
            time.sleep(0.25)
        return False

    def environment(self, **more: str) -> dict[str, str]:
        """What the construct gives to the keeper."""
        return {
            "KEEPER_DIR": self.case.at_client(),
            "KEEPER_STORES": self.case.stores,
            "KEEPER_LOCAL_DIR": self.local,
            "KEEPER_SNAPSHOT_AT": "",
            "KEEPER_EXCLUSIVE": "0" if self.case.arm == "no-shim" else "1",
            **more,
        }

    def client(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=(self, *arguments), daemon=True)
        self.clients.append(thread)
        thread.start()

    def wait_acks(self, number: int = 1, seconds: float = 240) -> bool:
        """Until this task has acknowledged that many, or has ended."""
        end = time.monotonic() + seconds
        while len(self.acks) < number and time.monotonic() < end and self.programs[-1].exit is None:
            time.sleep(0.1)
        return len(self.acks) >= number

    def ended(self, seconds: float = 60) -> bool:
        """All of its programs: when one has ended, the others follow within seconds, as the containers of a task do."""
        end = time.monotonic() + (seconds if any(program.exit is not None for program in self.programs) else 0)
        while time.monotonic() < end and any(program.exit is None for program in self.programs):
            time.sleep(0.25)
        return all(program.exit is not None for program in self.programs)

    def complaint(self) -> str:
        """Why it ended, in few words: what SQLite said, or how it exited."""
        text = "".join(program.text() for program in self.programs)
        words = [word for word in COMPLAINTS if word in text]
        return ", ".join(words) or f"exit {[program.exit for program in self.programs]}"

    def tail(self) -> str:
        return self.programs[-1].text()[-1500:]


class Case:
    """A directory on the volume, and everything that was acknowledged about it by any task."""

    kind = stores = ""
    memory = 400  # MiB of a host per task

    def __init__(self, lab, arm: str, venvs: Path):
        self.lab, self.arm, self.venvs = lab, arm, venvs
        self.name = f"{self.kind}-{arm}-{next(_serial)}"
        self.tasks: list[Task] = []
        lab.server.call(["mkdir", "-p", f"{EXPORT}/{self.name}"])

    def at_client(self, name: str = "") -> str:
        return f"{MOUNT}/{self.name}/{name}".rstrip("/")

    @property
    def kept(self) -> bool:
        return self.arm != "plain"

    def python(self) -> str:
        return str(self.venvs / self.kind / "bin" / "python")

    def start(self, host) -> Task:
        task = Task(self, host)
        self.tasks.append(task)
        return task

    def run_kept(self, task: Task, command: list[str], **environment: str) -> list:
        """The keeper in front, when the arm has one."""
        if not self.kept:
            return [task.host.run(command, environment)]
        return [task.host.run(["python3", "-S", str(KEEPER), "run", "--", *command], task.environment(**environment))]

    def acknowledged(self) -> list:
        return [record for task in self.tasks for _, record in task.acks]

    def integrity(self) -> str:
        """Of every SQLite file, on copies and on the server itself, while no host has them open."""
        command = ["python3", "-S", str(HERE / "integrity.py"), f"{EXPORT}/{self.name}"]
        return json.loads(self.lab.server.call(command, timeout=300).splitlines()[-1])["verdict"]

    # What each application does in its own way

    def launch(self, task: Task) -> list:
        raise NotImplementedError

    def answers(self, task: Task) -> bool:
        raise NotImplementedError

    def work(self, task: Task) -> None:
        """Starts clients that write until task.over is set."""
        raise NotImplementedError

    def check(self, task: Task) -> dict:
        """{lost, wrong, said, and missing, the records, where they are known}: what of everything acknowledged the
        application does not give back as it was."""
        raise NotImplementedError


def responds(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).read()
        return True
    except (OSError, urllib.error.URLError):
        return False


class OpenWebUi(Case):
    """People sign up, chat, upload files and put some into a knowledge base (the embedded Chroma)."""

    kind, stores, memory = "open-webui", "webui.db,vector_db/", 900
    users = 3

    def launch(self, task: Task) -> list:
        # The same port on every host: Open WebUI remembers the address in its database.
        task.host.run(["python3", str(HERE / "embedding_server.py"), EMBEDDING_PORT])
        command = [self.python(), str(HERE / "openwebui_server.py"), "--data", self.at_client(), "--host", "0.0.0.0"]
        command += ["--port", str(task.port), "--embedding-port", EMBEDDING_PORT]
        command += ["--settings", "ours" if self.kept else "defaults", "--static", f"/tmp/static-{task.number}"]
        versions = sorted((self.venvs / self.kind).glob("lib/*/site-packages/open_webui/migrations/versions"))
        return self.run_kept(task, command, KEEPER_MIGRATIONS=str(versions[0]))

    def answers(self, task: Task) -> bool:
        return responds(task.url + "/health")

    def work(self, task: Task) -> None:
        stats = openwebui_client.Stats(task.failed)
        task.client(self._people, stats)

    def _people(self, task: Task, stats: openwebui_client.Stats) -> None:
        acks = openwebui_client.Acks(task.acknowledge)
        try:
            task.summary = openwebui_client.write(task.url, acks, self.users, 3600, True, stats, task.over)
        except openwebui_client.Refused as refused:
            task.failed(f"sign-in: {refused.status}")

    def check(self, task: Task) -> dict:
        try:
            found = openwebui_client.check(task.url, self.acknowledged())
        except openwebui_client.Refused as refused:
            return {"lost": len(self.acknowledged()), "wrong": 0, "said": str(refused)[:100]}
        said = ", ".join(f"{count} {what}" for what, count in found["missing"].items())
        return {"lost": sum(found["missing"].values()), "wrong": 0, "said": said}


class ChromaServer(Case):
    """The Chroma server; clients add vectors, which are a function of their id. The index is saved every 100 records
    instead of 1,000, so that many a kill falls into a save."""

    kind, stores, memory = "chroma", "chroma/", 170
    clients, batch, pause = 3, 10, 0.3
    timeout = 90.0

    def launch(self, task: Task) -> list:
        command = [self.python(), str(HERE / "chroma_server.py"), "run", "--path", self.at_client("chroma"), "--host", "0.0.0.0", "--port", str(task.port)]
        if not self.kept:
            return [task.host.run(command)]
        guard = task.host.run(["python3", "-S", str(KEEPER), "guard"], task.environment())
        return [guard, task.host.run(["bash", str(GATE), *command], {"KEEPER_LOCAL_DIR": task.local})]

    def answers(self, task: Task) -> bool:
        return responds(task.url + "/api/v2/heartbeat")

    def work(self, task: Task) -> None:
        for number in range(self.clients):
            task.client(self._add, number)

    def _add(self, task: Task, worker: int) -> None:
        client, collection = chroma_client.Chroma(task.url, self.timeout), ""
        for number in itertools.count(step=self.batch):
            if task.over.is_set():
                return
            ids = [f"{task.number}-{worker}-{number + i}" for i in range(self.batch)]
            try:
                collection = collection or client.collection("lab", {"sync_threshold": 100})
                client.add(collection, ids)
            except chroma_client.ChromaError as error:
                task.failed(re.sub(r"[0-9a-f]{8}-[0-9a-f-]+", "…", str(error))[:90])
                time.sleep(1)
                continue
            for key in ids:
                task.acknowledge(key)
            time.sleep(self.pause)

    def check(self, task: Task) -> dict:
        wanted = [key for (key,) in self.acknowledged()]
        if not wanted:
            return {"lost": 0, "wrong": 0, "said": ""}
        found = chroma_client.check(task.url, wanted, "lab", 100)
        if "error" in found:
            # Nothing of the collection can be read any more.
            return {"lost": len(wanted), "wrong": 0, "said": found["error"][:100]}
        said = f"{found['not_nearest']} of {found['queried']} not found by search" if found["not_nearest"] else ""
        missing = [(key,) for key in found["missing_ids"]]
        return {"lost": found["missing"], "wrong": found["wrong"] + found["not_nearest"], "said": said, "missing": missing}


class Crew(Case):
    """A crew with memory and knowledge, and a persisted flow, in one process, over and over."""

    kind, stores, memory = "crewai", "crewai/", 420

    def launch(self, task: Task) -> list:
        known = Path(os.environ.get("TMPDIR", "/tmp")) / f"known-{task.number}"
        known.write_text("".join(json.dumps(record) + "\n" for record in self.acknowledged()), encoding="ascii")
        command = [self.python(), "-u", str(HERE / "crewai_client.py"), "serve", "--acks", str(known)]
        programs = self.run_kept(task, command, CREWAI_STORAGE_DIR=self.at_client("crewai"))
        task.client(self._listen, programs[0])
        return programs

    def _listen(self, task: Task, program) -> None:
        """The process tells on its output what it was told to be stored."""
        seen = 0
        while program.exit is None or seen < len(program.lines):
            for when, line in program.lines[seen:]:
                seen += 1
                if line.startswith("ack "):
                    task.acks.append((when, tuple(json.loads(line[4:]))))
                elif line.startswith("error "):
                    task.failed(line[6:96])
            time.sleep(0.1)

    def _found(self, task: Task) -> dict | None:
        for _, line in list(task.programs[0].lines):
            if line.startswith("verified "):
                return json.loads(line[9:])
        return None

    def answers(self, task: Task) -> bool:
        return self._found(task) is not None

    def work(self, task: Task) -> None:
        """It began by itself, right after its check."""

    def check(self, task: Task) -> dict:
        found = self._found(task) or {}
        counts = {key: value for key, value in found.items() if key.endswith("_missing") and value}
        said = found.get("error", "") or ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in counts.items())
        missing = {"missing": [tuple(record) for record in found["missing"]]} if "missing" in found else {}
        return {"lost": sum(counts.values()), "wrong": 0, "said": said, **missing}


KINDS = {case.kind: case for case in (OpenWebUi, ChromaServer, Crew)}
