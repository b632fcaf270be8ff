"""Makes the small store that the unit tests of lib/single-writer/chroma.py read, with a real Chroma server.

  chroma_fixture.py --chroma VENV/bin/chroma --out FILE.tar.gz

Two collections, l2 and cosine, of 8 numbers each: adds, updates, upserts, deletes, several saves of the index, and the
queue purged as Chroma does it by default.
"""

from __future__ import annotations

import argparse
import os
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chroma_client  # noqa: E402
import chroma_kill  # noqa: E402

DIMENSION = 8


def send(client: chroma_client.Chroma, collection: str, how: str, ids: list[str], version: str = "") -> None:
    body: dict[str, object] = {"ids": ids}
    if how != "delete":
        body["embeddings"] = [chroma_client.embed(key + version, DIMENSION) for key in ids]
        body["documents"] = [f"document {key}{version}" for key in ids]
    client.call("POST", f"{chroma_client.TENANT}/collections/{collection}/{how}", body)


def fill(client: chroma_client.Chroma, space: str) -> None:
    collection = client.collection(f"lab-{space}", {"space": space, "sync_threshold": 20})
    ids = [f"id{number}" for number in range(60)]
    for start in range(0, 60, 10):
        send(client, collection, "add", ids[start : start + 10])
    send(client, collection, "update", ids[:5], "-2")
    send(client, collection, "upsert", [*ids[5:8], "id60", "id61"], "-3")
    send(client, collection, "delete", ids[10:15])
    send(client, collection, "add", ids[10:12], "-4")
    send(client, collection, "add", ["id70"])
    send(client, collection, "add", ids[20:25], "-ignored")


def expected() -> dict[str, str]:
    """What must be in each collection: id to the text that its vector was made from."""
    have = {f"id{number}": f"id{number}" for number in range(60) if not 10 <= number < 15}
    have.update({f"id{number}": f"id{number}-2" for number in range(5)})
    have.update({key: f"{key}-3" for key in ("id5", "id6", "id7", "id60", "id61")})
    have.update({key: f"{key}-4" for key in ("id10", "id11")})
    have["id70"] = "id70"
    return have


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chroma", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--port", type=int, default=18140)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        data = os.path.join(work, "data")
        os.makedirs(data)
        server = chroma_kill.start(args.chroma, data, args.port, os.path.join(work, "log"))
        try:
            client = chroma_client.Chroma(f"http://127.0.0.1:{args.port}")
            client.wait()
            for space in ("l2", "cosine"):
                fill(client, space)
        finally:
            server.terminate()
            server.wait(30)
        with tarfile.open(args.out, "w:gz") as tar:
            for entry in sorted(os.listdir(data)):
                tar.add(os.path.join(data, entry), entry)


if __name__ == "__main__":
    main()
