"""Run by test_crewai.py in the Python that has the real CrewAI: docs/examples/crewai_pgvector.py as an application uses it.

  crewai_program.py fill      a crew with knowledge and memory
  crewai_program.py read      another process: what the first one stored is found
  crewai_program.py compare   the same records in CrewAI's own stores and in PostgreSQL answer alike
"""

import json
import math
import os
import sys
import zlib
from datetime import datetime, timedelta

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false", ANONYMIZED_TELEMETRY="False")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "examples"))

import crewai_pgvector  # noqa: E402
from crewai import Agent, Crew, Memory, Task  # noqa: E402
from crewai.knowledge.knowledge import Knowledge  # noqa: E402
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource  # noqa: E402
from crewai.llms.base_llm import BaseLLM  # noqa: E402
from crewai.memory.types import MemoryRecord  # noqa: E402

LENGTH = 64
FACT = "The vault in Reykjavik opens with the amber key."


def embed(texts):
    """Texts that share words are near each other; without a network."""
    vectors = []
    for text in texts:
        vector = [0.0] * LENGTH
        for word in text.lower().replace(".", " ").replace("?", " ").split():
            vector[zlib.crc32(word.encode()) % LENGTH] += 1.0
        size = math.sqrt(sum(number * number for number in vector)) or 1.0
        vectors.append([number / size for number in vector])
    return vectors


class Listener(BaseLLM):
    """Answers at once, and keeps what it was asked."""

    def call(self, messages, *args, **kwargs):
        text = messages if isinstance(messages, str) else json.dumps(messages)
        ASKED.append(text)
        return "Thought: I now can give a great answer\nFinal Answer: Which vault in Reykjavik opens with the amber key?"

    def supports_function_calling(self):
        return False


ASKED = []


def memory():
    return Memory(llm=Listener(model="none"), embedder=embed)


def fill():
    crewai_pgvector.use(embed)
    mine = memory()
    mine.remember("Ada prefers trains to planes", scope="/travel", categories=["habit"], importance=0.7, metadata={"who": "ada"})
    agent = Agent(role="clerk", goal="answer", backstory="knows vaults", llm=Listener(model="none"))
    task = Task(description="Which key opens the vault in Reykjavik?", expected_output="a key", agent=agent)
    crew = Crew(agents=[agent], tasks=[task], memory=mine, knowledge_sources=[StringKnowledgeSource(content=FACT)])
    crew.kickoff()
    mine.close()
    return {"told": any(FACT in text for text in ASKED)}


def read():
    crewai_pgvector.use(embed)
    found = memory().recall("Does Ada like trains or planes", scope="/travel", depth="shallow")
    knowledge = Knowledge(collection_name="crew", sources=[])
    before = knowledge.query(["Which key opens the vault in Reykjavik?"], results_limit=3, score_threshold=0.6)
    unrelated = knowledge.query(["zebra"], results_limit=3, score_threshold=0.6)
    knowledge.reset()
    return {
        "memory": [[match.record.content, match.record.metadata, match.record.categories] for match in found],
        "knowledge": [result["content"] for result in before],
        "unrelated": len(unrelated),
        "after_reset": len(knowledge.query(["Which key opens the vault in Reykjavik?"], results_limit=3, score_threshold=0.1)),
    }


def compare():
    from crewai.memory.storage.lancedb_storage import LanceDBStorage
    from crewai.rag.chromadb.config import ChromaDBConfig
    from crewai.rag.chromadb.types import ChromaEmbeddingFunctionWrapper
    from crewai.rag.factory import create_client

    crewai_pgvector.use(embed)
    ours, theirs = crewai_pgvector.Memory(), LanceDBStorage(path=os.environ["CREWAI_STORAGE_DIR"] + "/lance", vector_dim=LENGTH)
    ours.reset()
    words = "amber birch cedar dune ember fjord grove heath".split()
    begun = datetime(2026, 1, 2, 3, 4, 5)
    records = [
        MemoryRecord(
            content=f"{words[n % 8]} {words[n * 3 % 8]} {n}", scope=["/", "/a", "/a/b", "/z", "/a/b/c"][n % 5], categories=[words[n % 3], words[3 + n % 2]],
            metadata={"n": n % 4, "even": n % 2 == 0}, importance=n / 40, created_at=begun + timedelta(minutes=n), source="s" if n % 2 else None,
            private=n % 7 == 0, embedding=embed([f"{words[n % 8]} {words[n * 3 % 8]} {n}"])[0],
        )
        for n in range(40)
    ]  # fmt: skip
    for store in (ours, theirs):
        store.save(records)
    question = embed(["cedar heath"])[0]

    def answers(store):
        def ranked(**filters):
            return sorted((round(score, 5), record.id) for record, score in store.search(question, **filters))

        info = store.get_scope_info("/a")
        said = {
            "all": ranked(limit=40), "scope": ranked(scope_prefix="/a", limit=40), "metadata": ranked(metadata_filter={"even": True}, limit=40),
            "categories": ranked(categories=["birch"], limit=40), "least": ranked(limit=40, min_score=0.4), "count": store.count(),
            "count_a": store.count("/a"), "scopes": store.list_scopes("/"), "below": store.list_scopes("/a"), "cats": store.list_categories("/a"),
            "info": [info.record_count, info.categories, str(info.oldest_record), str(info.newest_record), info.child_scopes],
            "newest": [record.id for record in store.list_records(limit=5, offset=2)], "one": store.get_record(records[7].id).model_dump(mode="json"),
        }  # fmt: skip
        store.update(records[3].model_copy(update={"content": "changed"}))
        store.touch_records([records[4].id])
        said["changed"] = store.get_record(records[3].id).content
        said["touched"] = store.get_record(records[4].id).last_accessed > records[4].last_accessed
        said["deleted"] = [store.delete(record_ids=[records[0].id]), store.delete(metadata_filter={"n": 1}), store.count()]
        store.reset("/a/b")
        said["left"] = store.count()
        return said

    mine, built_in = answers(ours), answers(theirs)
    ours.save([MemoryRecord(content="beside", scope="/ab", embedding=embed(["beside"])[0])])
    beside = "beside" in [record.content for record in ours.list_records("/a")]

    class Wrapped(ChromaEmbeddingFunctionWrapper):
        def __init__(self):
            pass

        @staticmethod
        def name():
            return "default"

        def __call__(self, input):
            import numpy

            return [numpy.array(vector, dtype=numpy.float32) for vector in embed(input)]

    chroma = create_client(ChromaDBConfig(embedding_function=Wrapped()))
    chroma.get_or_create_collection(collection_name="knowledge_c")
    texts = [record.content for record in records]
    chroma.add_documents(collection_name="knowledge_c", documents=[{"content": text} for text in texts])
    knowledge = crewai_pgvector.Knowledge(embed=embed, collection="c")
    knowledge.save(texts)
    knowledge.save(texts)  # the same again changes nothing
    scores = lambda results: sorted((round(result["score"], 4), result["id"]) for result in results)  # noqa: E731
    asked = dict(limit=40, score_threshold=0.6)
    return {
        "differ": [key for key in mine if mine[key] != built_in[key]],
        "examples": {key: [mine[key], built_in[key]] for key in mine if mine[key] != built_in[key]},
        "compared": len(mine["all"]),
        "beside": beside,
        "knowledge": [scores(knowledge.search(["cedar heath"], **asked)), scores(chroma.search(collection_name="knowledge_c", query="cedar heath", **asked))],
    }


if __name__ == "__main__":
    answer = {"fill": fill, "read": read, "compare": compare}[sys.argv[1]]()
    print("ANSWER " + json.dumps(answer, default=str), flush=True)
