"""The real Open WebUI under the keeper on the lab's NFS volume: host killed, stopped cleanly, overlapped.

  nfs_openwebui.py --python VENV/bin/python [--ends kill,term,overlap,kill] [--keeper FILE] [--no-keeper] [--settings ours|defaults]

Each round a new host starts the keeper, which starts Open WebUI; people write through its API; then the host ends as the
list says: `kill` -9 of the kernel, `term` SIGTERM to the keeper, `overlap` a second host started while the first one
runs, the first then gets SIGTERM. The next host must have everything acknowledged. One JSON line per round. Root.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.environ.get("EFS_LAB", os.path.dirname(HERE))]

import install  # noqa: E402
import namespace  # noqa: E402
import openwebui_client  # noqa: E402
from lab import Guest, Lab, Program  # noqa: E402

DIRECTORY = "/mnt/efs/open-webui"


def start(args: argparse.Namespace, host: Guest) -> tuple[str, Program]:
    host.call(["mkdir", "-p", DIRECTORY])
    host.run(["python3", f"{HERE}/embedding_server.py", "18300"])
    command = [args.python, f"{HERE}/openwebui_server.py", "--data", DIRECTORY, "--host", "0.0.0.0", "--port", "8080"]
    command += ["--settings", args.settings, "--embedding-port", "18300", "--static", "/tmp/static"]
    if not args.no_keeper:
        command = ["python3", args.keeper, "run", "--", *command]
    environment = {"KEEPER_DIR": DIRECTORY, "KEEPER_SNAPSHOT_AT": "", "KEEPER_LOCAL_DIR": "/tmp/keeper"}
    return f"http://{host.control_address}:8080", host.run(command, env=environment)


def wait(url: str, program: Program, seconds: float = 300) -> float:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if program.exit is not None:
            raise SystemExit(f"ended with {program.exit}: {program.text()[-3000:]}")
        try:
            urllib.request.urlopen(url + "/health", timeout=3).read()
            return round(time.monotonic() - began, 1)
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
    raise SystemExit(f"no answer in {seconds} s: {program.text()[-3000:]}")


def events(program: Program) -> list[dict]:
    """The keeper's lines among the application's."""
    found = []
    for _, line in list(program.lines):
        if '"keeper"' in line:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--keeper", default=os.path.join(HERE, "..", "..", "lib", "single-writer", "keeper.py"))
    parser.add_argument("--no-keeper", action="store_true")
    parser.add_argument("--settings", default="ours")
    parser.add_argument("--ends", default="kill,term,overlap,kill")
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    args.python, args.keeper = os.path.abspath(args.python), os.path.abspath(args.keeper)
    install.install()
    namespace.enter()
    chance, losses = random.Random(11), 0
    ends = [*args.ends.split(","), "last"]
    with Lab(volume_mb=2048) as lab, tempfile.TemporaryDirectory() as work:
        acks = os.path.join(work, "acks")
        waiting: tuple[Guest, str, Program] | None = None
        for number, end in enumerate(ends):
            result: dict[str, object] = {"round": number, "ends": end}
            if waiting:
                host, url, program = waiting
                waiting = None
            else:
                host = lab.boot("app", memory="900M")
                url, program = start(args, host)
            try:
                result["up_s"] = wait(url, program)
                result["events"] = [
                    {key: event[key] for key in ("keeper", "waited_s", "previous", "seconds", "integrity") if key in event}
                    for event in events(program)
                ]
                if os.path.exists(acks):
                    result.update(openwebui_client.verify(url, acks))
                    losses += bool(result["missing"])
                if end == "last":
                    print(json.dumps(result), flush=True)
                    break
                writer = threading.Thread(
                    target=openwebui_client.write, args=(url, acks, args.users, args.seconds, True), daemon=True
                )
                writer.start()
                openwebui_client.wait_for_acks(acks)
                time.sleep(chance.uniform(1, args.seconds / 2))
                result["files"] = sorted(
                    name for name in host.call(["ls", "-A", DIRECTORY]).split() if name.startswith("webui.db")
                )
                if end == "overlap":
                    second = lab.boot("next", memory="900M")
                    waiting = (second, *start(args, second))
                    time.sleep(15)
                    result["second_waits"] = waiting[2].exit is None and not any(e["keeper"] == "running" for e in events(waiting[2]))
                if end in ("term", "overlap"):
                    began = time.monotonic()
                    program.signal(15)
                    result["exit"] = program.wait(150)
                    result["stopped_s"] = round(time.monotonic() - began, 1)
                print(json.dumps(result), flush=True)
            finally:
                host.kill()
            writer.join(5)
        if waiting:
            waiting[0].kill()
    print(json.dumps({"rounds": len(ends) - 1, "rounds_with_losses": losses}))
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
