"""Kills Open WebUI with SIGKILL while people write and files are embedded, many times, and checks what is left.

  openwebui_kill.py --python VENV/bin/python --work DIR [--rounds 10] [--users 5] [--settings ours|rollback|defaults]

Between the kill and the next start the keeper's rules for vector_db/ are applied (check, put aside, protect).
--no-keeper leaves the files as they are. One JSON line per round. Ends with status 1 if anything acknowledged is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib", "single-writer")]

import chroma  # noqa: E402
import openwebui_client  # noqa: E402
from openwebui_bench import Server, complaints, integrity  # noqa: E402


def heal(directory: str, aside: str) -> dict[str, object]:
    """What the keeper does with a Chroma directory after an unclean end."""
    if not chroma.is_chroma(directory):
        return {}
    problems = chroma.check_chroma(directory, unclean=True)
    rebuilt = chroma.rebuild_chroma(directory, problems, aside)
    shutil.rmtree(aside, ignore_errors=True)
    return {"indexes_put_aside": len(rebuilt), "vectors_copied_back": chroma.protect_chroma(directory)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15, help="a round's longest writing time")
    parser.add_argument("--settings", default="ours")
    parser.add_argument("--no-keeper", action="store_true")
    parser.add_argument("--port", type=int, default=18230)
    parser.add_argument("--embedding-port", type=int, default=18300)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    data, log, acks = (os.path.join(args.work, name) for name in ("data", "log", "acks"))
    chance, lost = random.Random(7), 0
    for number in range(args.rounds + 1):
        result: dict[str, object] = {"round": number}
        server = Server(args.python, data, args.port, args.settings, log, args.embedding_port)
        try:
            result["start_s"] = round(server.wait(), 1)
            if number:
                result.update(openwebui_client.verify(server.url, acks))
                lost += bool(result["missing"])
            if number == args.rounds:
                print(json.dumps(result), flush=True)
                break
            if not args.no_keeper:
                chroma.keep_every_vector(os.path.join(data, "vector_db"))
            writer = threading.Thread(
                target=openwebui_client.write, args=(server.url, acks, args.users, args.seconds, True), daemon=True
            )
            writer.start()
            openwebui_client.wait_for_acks(acks)
            time.sleep(chance.uniform(1, args.seconds / 2))
        finally:
            server.stop(signal.SIGKILL)
        writer.join(60)
        result["integrity"] = integrity(os.path.join(data, "webui.db"))
        if not args.no_keeper:
            result.update(heal(os.path.join(data, "vector_db"), os.path.join(args.work, "aside")))
        print(json.dumps(result), flush=True)
    print(json.dumps({"rounds": args.rounds, "rounds_with_losses": lost, "complaints": complaints(log)}))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
