"""Runs a real crew with memory and knowledge and a real persisted flow, without a network, and says what it stored.

Needs CREWAI_STORAGE_DIR (absolute). The language model is a function that answers at once, the embedding is the one of
chroma_client.py: everything else is CrewAI itself.

  crewai_client.py run    --acks FILE [--rounds N]   one line per acknowledged operation
  crewai_client.py verify --acks FILE                checks that everything acknowledged is there
  crewai_client.py serve  --acks FILE                checks, then runs for ever; tells on its output: verified, ack, error
  crewai_client.py files                             every file in the storage directory, and each SQLite file's journal mode
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
import uuid

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("OTEL_SDK_DISABLED", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from chroma_client import embed  # noqa: E402


def storage() -> str:
    path = os.environ.get("CREWAI_STORAGE_DIR", "")
    if not os.path.isabs(path):
        raise SystemExit("CREWAI_STORAGE_DIR must be an absolute path: a relative one means another directory to each module")
    os.makedirs(path, exist_ok=True)
    return path


def pieces():
    """The parts of CrewAI, imported late: `files` needs none of them."""
    import numpy
    from crewai import Agent, Crew, Memory, Process, Task
    from crewai.flow.flow import Flow, listen, start
    from crewai.flow.persistence import persist
    from crewai.flow.persistence.sqlite import SQLiteFlowPersistence
    from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource
    from crewai.llms.base_llm import BaseLLM
    from crewai.rag.chromadb.config import ChromaDBConfig
    from crewai.rag.config.utils import set_rag_config
    from crewai.rag.embeddings.providers.custom.embedding_callable import CustomEmbeddingFunction

    class Echo(BaseLLM):
        """Answers every call with its last words."""

        def call(self, messages, *args, **kwargs):  # type: ignore[no-untyped-def]
            text = messages if isinstance(messages, str) else str(messages[-1].get("content", ""))
            return f"Thought: I now can give a great answer\nFinal Answer: noted {text[-40:]}"

        def supports_function_calling(self) -> bool:
            return False

    class Embedder(CustomEmbeddingFunction):
        @staticmethod
        def name() -> str:
            return "default"

        def __call__(self, input):  # type: ignore[no-untyped-def]
            return [numpy.array(embed(text), dtype=numpy.float32) for text in input]

    set_rag_config(ChromaDBConfig(embedding_function=Embedder()))

    @persist()
    class Counting(Flow[dict]):
        @start()
        def first(self) -> int:
            self.state["count"] = self.state.get("count", 0) + 1
            return self.state["count"]

        @listen(first)
        def second(self, count: int) -> int:
            self.state["done"] = count
            return count

    return locals()


def memory_of(p):
    return p["Memory"](llm=p["Echo"](model="echo"), embedder=lambda texts: [embed(text) for text in texts])


def run(p, memory, acknowledge) -> None:
    """A memory, a crew with knowledge, a flow; `acknowledge` is told of each as soon as CrewAI has returned."""
    key = f"{time.time_ns():x}"
    memory.remember(f"memory {key}", scope="/lab", categories=["lab"], importance=0.5, metadata={"key": key})
    acknowledge("memory", key)

    source = p["StringKnowledgeSource"](content=f"knowledge {key}", chunk_size=1000)
    agent = p["Agent"](role="clerk", goal="note", backstory="notes", llm=p["Echo"](model="echo"), verbose=False)
    task = p["Task"](description=f"Note {key}", expected_output="a note", agent=agent)
    crew = p["Crew"](
        agents=[agent],
        tasks=[task],
        memory=memory,
        knowledge_sources=[source],
        process=p["Process"].sequential,
        verbose=False,
    )
    crew.kickoff()
    acknowledge("knowledge", f"knowledge {key}")

    flow = p["Counting"]()
    flow.kickoff(inputs={"id": str(uuid.uuid4())})
    acknowledge("flow", flow.state["id"])


def serve(path: str) -> None:
    """As a service would: an operation that fails is told, and the next one is tried."""
    p = pieces()
    tell = os.fdopen(os.dup(1), "w", buffering=1)  # whatever CrewAI does to sys.stdout
    try:
        found = verify(path, p)
    except Exception as error:  # noqa: BLE001: the store cannot be read, whatever the reason
        found = {"error": f"{type(error).__name__}: {error}"[:300], "all_missing": len(records(path))}
    tell.write(f"verified {json.dumps(found)}\n")
    memory = None
    while True:
        try:
            memory = memory or memory_of(p)
            run(p, memory, lambda kind, value: tell.write(f"ack {json.dumps([kind, value])}\n"))
        except Exception as error:  # noqa: BLE001
            tell.write(f"error {type(error).__name__}: {' '.join(str(error).split())}\n")
            time.sleep(1)


def records(path: str) -> list:
    with open(path, encoding="ascii") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]


def verify(acks: str, p=None) -> dict[str, object]:
    wanted = records(acks)
    p = p or pieces()
    result: dict[str, object] = {"acknowledged": len(wanted)}
    memory = memory_of(p)
    have = {record.metadata.get("key") for record in memory.list_records(scope="/lab", limit=100000)}
    flows = p["SQLiteFlowPersistence"]()
    import chromadb

    client = chromadb.PersistentClient(storage(), settings=chromadb.Settings(anonymized_telemetry=False, allow_reset=True))
    documents: set[str] = set()
    for collection in client.list_collections():
        documents.update(client.get_collection(collection.name, embedding_function=None).get()["documents"] or [])
    # Of a flow the state that its last step left: that is what was acknowledged.
    there = {"memory": have.__contains__, "knowledge": documents.__contains__, "flow": lambda value: bool((flows.load_state(value) or {}).get("done"))}
    missing = [[kind, value] for kind, value in wanted if not there[kind](value)]
    for name in there:
        result[f"{name}_missing"] = sum(kind == name for kind, _ in missing)
    result["missing"] = missing
    return result


def files() -> None:
    root = storage()
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                head = file.read(20)
            mode = ""
            if head.startswith(b"SQLite format 3\0"):
                mode = "WAL" if head[18] == 2 else "rollback"
                try:
                    db = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True, timeout=1)
                    db.execute("BEGIN IMMEDIATE")
                    mode += ", opens exclusively"
                    db.close()
                except sqlite3.Error as error:
                    mode += f", exclusive open fails: {error}"
            print(json.dumps({"file": os.path.relpath(path, root), "bytes": os.path.getsize(path), "sqlite": mode}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "verify", "serve", "files"])
    parser.add_argument("--acks")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    storage()
    if args.command == "files":
        files()
        return 0
    if not args.acks:
        parser.error("--acks is needed")
    if args.command == "run":
        p = pieces()
        memory = memory_of(p)
        with open(args.acks, "a", encoding="ascii", buffering=1) as out:
            for _ in range(args.rounds):
                run(p, memory, lambda kind, value: out.write(json.dumps([kind, value]) + "\n"))
        memory.close()
        return 0
    if args.command == "serve":
        serve(args.acks)
    result = verify(args.acks)
    print(json.dumps(result))
    return 0 if not any(value for key, value in result.items() if key.endswith("_missing")) else 1


if __name__ == "__main__":
    sys.exit(main())
