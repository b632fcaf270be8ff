"""Writes vectors to a Chroma server, says which ones it acknowledged, and checks afterwards that they are all there.

Plain HTTP with the standard library, so the same file runs wherever a Python is. A vector is a function of its id:
whoever has the list of acknowledged ids can check every number in the store.

  chroma_client.py write  --url URL --acks FILE [--collection c] [--batch 50] [--threads 2] [--seconds 10]
  chroma_client.py verify --url URL --acks FILE [--collection c] [--queries 50]

`write` appends one line per acknowledged record to FILE, each line flushed before the next request is sent.
"""

from __future__ import annotations

import argparse
import array
import hashlib
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request

DIMENSION = 384
TENANT = "/api/v2/tenants/default_tenant/databases/default_database"


def embed(key: str, dimension: int = DIMENSION) -> list[float]:
    """The vector of an id: uniform numbers seeded by the id, rounded to what 32-bit floats hold."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    numbers = random.Random(seed)
    return array.array("f", (numbers.random() - 0.5 for _ in range(dimension))).tolist()


class ChromaError(RuntimeError):
    """An answer that is not 2xx, or no answer."""


class Chroma:
    def __init__(self, url: str, timeout: float = 120) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout

    def call(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ChromaError(f"{error.code} {error.read().decode(errors='replace')[:300]}") from None
        except (OSError, EOFError) as error:
            raise ChromaError(f"no answer: {error!r}") from None
        return json.loads(text) if text else None

    def heartbeat(self) -> object:
        return self.call("GET", "/api/v2/heartbeat")

    def wait(self, seconds: float = 60) -> float:
        """Waits until the server answers; returns how long it took."""
        start = time.monotonic()
        while True:
            try:
                self.heartbeat()
                return time.monotonic() - start
            except ChromaError:
                if time.monotonic() - start > seconds:
                    raise
                time.sleep(0.05)

    def collection(self, name: str, hnsw: dict | None = None) -> str:
        body: dict[str, object] = {"name": name, "get_or_create": True}
        if hnsw:
            body["configuration"] = {"hnsw": hnsw}
        return self.call("POST", f"{TENANT}/collections", body)["id"]  # type: ignore[index]

    def add(self, collection: str, ids: list[str], how: str = "add") -> None:
        self.call(
            "POST",
            f"{TENANT}/collections/{collection}/{how}",
            {
                "ids": ids,
                "embeddings": [embed(key) for key in ids],
                "documents": [f"document {key}" for key in ids],
                "metadatas": [{"key": key} for key in ids],
            },
        )

    def delete(self, collection: str, ids: list[str]) -> None:
        self.call("POST", f"{TENANT}/collections/{collection}/delete", {"ids": ids})

    def count(self, collection: str) -> int:
        return self.call("GET", f"{TENANT}/collections/{collection}/count")  # type: ignore[return-value]

    def get(self, collection: str, ids: list[str]) -> dict[str, list[float]]:
        found = self.call(
            "POST", f"{TENANT}/collections/{collection}/get", {"ids": ids, "include": ["embeddings"]}
        )
        return dict(zip(found["ids"], found["embeddings"]))  # type: ignore[index]

    def nearest(self, collection: str, ids: list[str], n: int = 1) -> list[list[str]]:
        found = self.call(
            "POST",
            f"{TENANT}/collections/{collection}/query",
            {"query_embeddings": [embed(key) for key in ids], "n_results": n, "include": ["distances"]},
        )
        return found["ids"]  # type: ignore[index]


def write(url: str, acks: str, name: str, batch: int, threads: int, seconds: float, hnsw: dict | None) -> int:
    """Adds batches until the time is up or the server is gone. Returns how many records were acknowledged."""
    client = Chroma(url)
    collection = client.collection(name, hnsw)
    lock = threading.Lock()
    stop = time.monotonic() + seconds
    total = 0
    run = f"{time.time_ns():x}"

    def work(worker: int) -> None:
        nonlocal total
        number = 0
        while time.monotonic() < stop:
            ids = [f"{run}-{worker}-{number + i}" for i in range(batch)]
            number += batch
            try:
                client.add(collection, ids)
            except ChromaError:
                return
            with lock:
                out.write("".join(f"{key}\n" for key in ids))
                out.flush()
                total += len(ids)

    with open(acks, "a", encoding="ascii") as out:
        workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return total


def verify(url: str, acks: str, name: str, queries: int, page: int = 500) -> dict[str, object]:
    """Checks every acknowledged record: in the table, its vector equal, and found as its own nearest neighbour."""
    with open(acks, encoding="ascii") as lines:
        return check(url, [line.strip() for line in lines if line.endswith("\n")], name, queries, page)


def check(url: str, wanted: list[str], name: str, queries: int, page: int = 500) -> dict[str, object]:
    result: dict[str, object] = {"acknowledged": len(wanted)}
    client = Chroma(url)
    try:
        collection = client.collection(name)
        result["count"] = client.count(collection)
        missing: list[str] = []
        wrong = 0
        for start in range(0, len(wanted), page):
            part = wanted[start : start + page]
            have = client.get(collection, part)
            missing += [key for key in part if key not in have]
            for key, vector in have.items():
                if any(abs(a - b) > 1e-5 for a, b in zip(vector, embed(key))):
                    wrong += 1
        result["missing"], result["missing_ids"], result["wrong"] = len(missing), missing, wrong
        sample = random.Random(1).sample(wanted, min(queries, len(wanted)))
        sample += wanted[-min(queries, len(wanted)) :]
        found = client.nearest(collection, sample) if sample else []
        result["queried"] = len(sample)
        result["not_nearest"] = sum(not hits or hits[0] != key for key, hits in zip(sample, found))
    except ChromaError as error:
        result["error"] = str(error)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["write", "verify"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--acks", required=True)
    parser.add_argument("--collection", default="lab")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--sync-threshold", type=int, help="records between two saves of the index (Chroma: 1000)")
    args = parser.parse_args()
    if args.command == "write":
        hnsw = {"sync_threshold": args.sync_threshold} if args.sync_threshold else None
        total = write(args.url, args.acks, args.collection, args.batch, args.threads, args.seconds, hnsw)
        print(json.dumps({"acknowledged": total}))
        return 0
    result = verify(args.url, args.acks, args.collection, args.queries)
    print(json.dumps(result))
    good = not any(result.get(name) for name in ("error", "missing", "wrong", "not_nearest"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
