"""The real Chroma server on the lab's NFS volume; its host is killed again and again.

  nfs_chroma.py --chroma VENV/bin/chroma [--rounds 10] [--rule keeper|none] [--threshold 1000]

Each round: a new host, the server on the mount, writes through HTTP, kill -9 of the host (half of the rounds soon after
the index was saved). The next host applies the keeper's rules (or nothing), starts the server, and every acknowledged
vector is read back and compared. Root; needs the lab.
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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.environ.get("EFS_LAB", os.path.dirname(HERE))]

import chroma_client  # noqa: E402
import install  # noqa: E402
import namespace  # noqa: E402
from lab import Guest, Lab  # noqa: E402

DATA = "/mnt/efs/chroma/data"


def serve(args: argparse.Namespace, host: Guest) -> tuple[chroma_client.Chroma, object]:
    program = host.run([args.chroma, "run", "--path", DATA, "--host", "0.0.0.0", "--port", "8000"])
    client = chroma_client.Chroma(f"http://{host.control_address}:8000", timeout=90)
    client.wait(120)
    return client, program


def play(args: argparse.Namespace, lab: Lab, number: int, chance: random.Random, acks: str) -> dict[str, object]:
    result: dict[str, object] = {"round": number, "rule": args.rule}
    host = lab.boot("chroma", memory="700M")
    try:
        host.call(["mkdir", "-p", DATA])
        if args.rule == "keeper":
            result["heal"] = json.loads(host.call(["python3", f"{HERE}/chroma_heal.py", "heal", DATA], timeout=180))
        client, program = serve(args, host)
        began = time.monotonic()
        if os.path.exists(acks):
            result.update(chroma_client.verify(client.url, acks, "lab", 25))
            result["verify_s"] = round(time.monotonic() - began, 1)
        if number == args.rounds or result.get("error"):
            if result.get("error"):
                result["server"] = program.text()[-300:] if program.exit is not None else ""
            return result
        if args.rule == "keeper":
            host.call(["python3", f"{HERE}/chroma_heal.py", "keep", DATA])
        writer = threading.Thread(
            target=chroma_client.write,
            args=(client.url, acks, "lab", 50, 2, args.seconds, {"sync_threshold": args.threshold}),
        )
        writer.start()
        time.sleep(chance.uniform(args.seconds / 3, args.seconds))
    finally:
        host.kill()
    writer.join()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chroma", required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rule", choices=["keeper", "none"], default="keeper")
    parser.add_argument("--threshold", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12)
    args = parser.parse_args()
    args.chroma = os.path.abspath(args.chroma)
    install.install()
    namespace.enter()
    chance, bad = random.Random(3), 0
    with Lab(volume_mb=2048) as lab, tempfile.TemporaryDirectory() as work:
        acks = os.path.join(work, "acks")
        for number in range(args.rounds + 1):
            result = play(args, lab, number, chance, acks)
            broken = any(result.get(name) for name in ("error", "missing", "wrong"))
            bad += broken
            print(json.dumps(result), flush=True)
            if broken and args.rule == "none":  # nothing heals it: begin anew
                os.remove(acks)
                lab.server.call(["rm", "-rf", "/mnt/export/chroma"])
    print(json.dumps({"rule": args.rule, "rounds": args.rounds, "rounds_with_losses": bad}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
