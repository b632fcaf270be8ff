"""Moves one database of messages to PostgreSQL in several ways, on one machine, one after the other.

  migrate.py [--messages 1000000] [--peer DIR] [--only copy,mover,pgloader,peer] [--out FILE]

raw COPY: psql's \\copy of files in COPY's own format, prepared beforehand, tables in foreign-key order, one transaction,
into the same empty schema (nothing is read from SQLite and nothing compared). The mover: everything it does. pgloader:
Debian's, data only, 5,000 rows at a time (with its default of 100,000 its heap of 1 GiB ran full at 200,000 messages). --peer: a directory with taylorwilsdon/open-webui-postgres-migration (migrate.py), which asks its
questions on a terminal; the benchmark answers them. Needs PostgreSQL and Open WebUI's environment (lab/apps/setup.py).
Then what each does with rows that PostgreSQL refuses (anomalies.py).
Prints one JSON object: seconds, rows per second, peak resident memory of the client, rows that arrived.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "mover"))
import anomalies  # noqa: E402
import conftest as lab  # noqa: E402  the same server and schemas as the tests have

WORDS = "the a data volume of message in table row copies and PostgreSQL chat with model answers question ü ☃ 😀 \\n \\\"quoted\\\" C:\\\\path".split(" ")


def fill(path: pathlib.Path, messages: int) -> None:
    """Chats of 50 messages, of 20 to 200 words, as the application stores them."""
    chance = random.Random(7)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(20, 200))) for _ in range(2000)]
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous=OFF")
    for number in range(100):
        db.execute(*lab.user(number))
    for number in range(max(messages // 50, 1)):
        db.execute(*lab.chat(number, f"u{number % 100}"))
    sql = "INSERT INTO chat_message (id, chat_id, user_id, role, content, done, usage, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?)"
    rows = (
        (f"{number:032x}", f"c{number // 50 % max(messages // 50, 1)}", f"u{number % 100}", "user" if number % 2 else "assistant",
         f'"{texts[number % 2000]}"', 1, '{"total_tokens": 512}' if number % 2 == 0 else None, 1_700_000_000 + number, 1_700_000_000 + number)
        for number in range(messages)
    )  # fmt: skip
    db.executemany(sql, rows)
    db.commit()
    db.close()


def measured(command: list[str], environment: dict | None = None, feed: str | None = None, cwd: str | None = None) -> dict:
    """Runs it and says how long it took and how much memory its processes had at most (GNU time)."""
    with tempfile.NamedTemporaryFile("r") as told:
        start = time.monotonic()
        done = subprocess.run(["/usr/bin/time", "-o", told.name, "-f", "%M", *command], env=environment, input=feed, capture_output=True, text=True, cwd=cwd)
        seconds = time.monotonic() - start
        peak = int(told.read().split()[-1])
    return {"seconds": round(seconds, 1), "peak_mib": round(peak / 1024), "status": done.returncode, "said": (done.stdout + done.stderr)[-400:]}


class Bench:
    def __init__(self, server: lab.Postgres, python: str, template: pathlib.Path, folder: pathlib.Path, messages: int):
        self.server, self.python, self.folder, self.messages = server, python, folder, messages
        self.source = folder / "webui.db"
        shutil.copyfile(template, self.source)
        fill(self.source, messages)

    def database(self, name: str) -> str:
        self.server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.server.sql(f"CREATE DATABASE {name} OWNER openwebui TEMPLATE template_webui")
        self.server.sql("CHECKPOINT")
        return name

    def arrived(self, name: str) -> int:
        return int(self.server.sql("SELECT count(*) FROM chat_message", name))

    def result(self, name: str, run: dict) -> dict:
        arrived = self.arrived(name)
        run.update(arrived=arrived, rows_per_s=round(arrived / run["seconds"]))
        if run["status"] == 0 and arrived == self.messages:
            run.pop("said")
        return run

    def mover(self) -> dict:
        name = self.database("bench_mover")
        return self.result(name, self.run_mover(name, self.source))

    def run_mover(self, name: str, source: pathlib.Path) -> dict:
        directory = self.folder / "volume"
        directory.mkdir(exist_ok=True)
        shutil.copyfile(source, directory / "webui.db")
        environment = {**os.environ, "KEEPER_DIR": str(directory), **self.server.environment(name)}
        return measured([self.python, str(lab.MOVER), "--no-keeper"], environment)

    def copy(self) -> dict:
        """From files that the moved database was unloaded to: the same rows, in COPY's format already."""
        name = self.database("bench_copy")
        files = []
        for table in ("user", "chat", "chat_message"):
            file = self.folder / f"{table}.copy"
            self.server.run("bash", "-c", f"{self.server.bin}/psql -X -q -h {self.server.home} -p {self.server.port} -d bench_mover -c 'COPY \"{table}\" TO STDOUT' > {self.server.home}/{table}.copy")
            files.append((table, f"{self.server.home}/{table}.copy", file))
        script = "BEGIN;\n" + "".join(f"\\copy \"{table}\" from '{path}'\n" for table, path, _ in files) + "COMMIT;\n"
        psql = [str(self.server.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", self.server.url(name)]
        return self.result(name, measured(psql, feed=script))

    def pgloader(self) -> dict:
        if not shutil.which("pgloader"):
            return {"missing": "pgloader (apt-get install pgloader)"}
        name = self.database("bench_pgloader")
        return self.result(name, self.run_pgloader(name, self.source))

    def run_pgloader(self, name: str, source: pathlib.Path) -> dict:
        load = self.folder / "load"
        load.write_text(
            f"LOAD DATABASE FROM sqlite://{source} INTO {self.server.url(name)}\n"
            "WITH data only, create no tables, create no indexes, include no drop, reset sequences, prefetch rows = 5000\n"
            "EXCLUDING TABLE NAMES LIKE 'alembic_version';\n"
        )
        return measured(["pgloader", str(load)])

    def peer(self, directory: str) -> dict:
        name = self.database("bench_peer")
        copy = self.folder / "peer.db"  # It writes to its source.
        shutil.copyfile(self.source, copy)
        return self.result(name, self.run_peer(directory, name, copy))

    def run_peer(self, directory: str, name: str, source: pathlib.Path) -> dict:
        """Its questions: SQLite path, PostgreSQL host, port, database, user, password, confirmation, batch size (1.0.4)."""
        answers = [str(source), "127.0.0.1", str(self.server.port), name, "openwebui", lab.PASSWORD, "y", ""]
        return measured([self.python, "migrate.py"], feed="\n".join(answers) + "\n", cwd=directory)

    def unusual(self, tools: list[str], peer: str | None, template: pathlib.Path) -> dict:
        found: dict = {}
        for kind in anomalies.KINDS:
            path = self.folder / "unusual.db"
            for tool in tools:
                anomalies.make(template, path, kind)
                before, name = anomalies.source_rows(path), self.database("bench_unusual")
                run = self.run_peer(peer, name, path) if tool == "peer" else getattr(self, f"run_{tool}")(name, path)
                found.setdefault(kind, {})[tool] = anomalies.verdict(run["status"], before, anomalies.target_rows(self.server, name))
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--peer")
    parser.add_argument("--only", default="mover,copy,pgloader,peer")
    parser.add_argument("--out")
    args = parser.parse_args()
    home = os.environ.get("EFS_LAB_VENVS") or ROOT / ".tmp" / "venvs"
    python = pathlib.Path(home) / "open-webui" / "bin" / "python"
    missing = [what for what, there in {
        f"Open WebUI ({python}): python3 lab/apps/setup.py open-webui": python.exists(),
        "PostgreSQL: apt-get install postgresql": os.path.isdir("/usr/lib/postgresql"),
        "GNU time: apt-get install time": os.path.exists("/usr/bin/time"),
    }.items() if not there]  # fmt: skip
    if missing:
        print("npm run bench:migrate did NOT run. It needs\n  " + "\n  ".join(missing), file=sys.stderr)
        return 1
    place = lab.new_home()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mover-bench-", dir="/var/tmp"))
    server = lab.make_server(place)
    try:
        lab.open_webui_schema(str(python), f"sqlite:///{folder}/template.db", folder)
        server.sql("CREATE DATABASE template_webui OWNER openwebui")
        lab.open_webui_schema(str(python), server.url("template_webui"), folder)
        bench = Bench(server, str(python), folder / "template.db", folder, args.messages)
        results: dict = {"messages": args.messages, "source_mib": round(bench.source.stat().st_size / 1048576), "cores": os.cpu_count()}
        for name in args.only.split(","):
            if name == "peer" and not args.peer:
                results[name] = {"missing": "--peer DIR was not passed"}
            else:
                results[name] = bench.peer(args.peer) if name == "peer" else getattr(bench, name)()
            print(json.dumps({name: results[name]}), file=sys.stderr, flush=True)
        tools = [name for name in args.only.split(",") if name != "copy" and "missing" not in results[name]]
        results["unusual"] = bench.unusual(tools, args.peer, folder / "template.db")
        text = json.dumps(results, indent=1)
        print(text)
        if args.out:
            pathlib.Path(args.out).write_text(text + "\n", encoding="utf-8")
        return 0
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
