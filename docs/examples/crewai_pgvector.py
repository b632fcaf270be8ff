"""CrewAI's knowledge and memory in PostgreSQL with pgvector, instead of Chroma and LanceDB in a directory.

CrewAI has no environment variable for this. Copy this file into your image (it needs `psycopg`) and call, once, before the
first crew is made:

    import crewai_pgvector
    crewai_pgvector.use(embed)

`embed` takes a list of texts and returns a list of vectors, all of one length and normalized; with OpenAI for example

    lambda texts: [item.embedding for item in openai.embeddings.create(model="text-embedding-3-small", input=texts).data]

and give the same to Memory(embedder=embed) where a crew has memory. The database is found by libpq's own variables: PGHOST,
PGPORT, PGDATABASE, PGUSER, PGPASSWORD and PGSSLMODE. Tables are made in a schema of their own, `crewai`.

Distances and scores are those of CrewAI 1.15.30's built-in stores, so that its thresholds keep their meaning. Every search
is exact. From some 50,000 rows on, an index answers faster and not quite exactly:

    CREATE INDEX ON crewai.knowledge USING hnsw (embedding vector_cosine_ops);
    CREATE INDEX ON crewai.memory USING hnsw (embedding vector_l2_ops);
"""

import asyncio
import hashlib
import json

import psycopg
from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage
from crewai.knowledge.storage.factory import set_knowledge_storage_factory
from crewai.memory.storage.factory import set_memory_storage_factory
from crewai.memory.types import MemoryRecord, ScopeInfo

TABLES = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS crewai;
CREATE TABLE IF NOT EXISTS crewai.knowledge (
  collection text, id text, content text NOT NULL, embedding vector({length}) NOT NULL, PRIMARY KEY (collection, id));
CREATE TABLE IF NOT EXISTS crewai.memory (
  id text PRIMARY KEY, scope text NOT NULL, categories text[] NOT NULL, metadata jsonb NOT NULL,
  created_at timestamp NOT NULL, record jsonb NOT NULL, embedding vector({length}));
CREATE INDEX IF NOT EXISTS memory_scope ON crewai.memory (scope text_pattern_ops);
"""


def use(embed):
    """Makes the tables, and makes every Knowledge and Memory created from now on use them."""
    with connect() as db:
        # Of several tasks that start at once, one after the other.
        db.execute("SELECT pg_advisory_xact_lock(4017220622)")
        db.execute(TABLES.format(length=len(embed(["a"])[0])))
    set_knowledge_storage_factory(lambda _embedder, collection: Knowledge(embed=embed, collection=collection or ""))
    set_memory_storage_factory(lambda _spec: Memory())


def connect():
    """A connection for each operation: none is left open when the database is restarted. psycopg_pool keeps them."""
    return psycopg.connect(connect_timeout=15, options="-c TimeZone=UTC")


def literal(vector):
    return None if not vector else "[" + ",".join(str(float(number)) for number in vector) + "]"


class Knowledge(BaseKnowledgeStorage):
    embed: object
    collection: str = ""

    def save(self, documents):
        unique = list(dict.fromkeys(documents))
        rows = [
            (self.collection, hashlib.sha256(text.encode()).hexdigest(), text, literal(vector))
            for text, vector in zip(unique, self.embed(unique) if unique else [])
        ]
        with connect() as db:
            db.cursor().executemany(
                "INSERT INTO crewai.knowledge VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (collection, id) DO UPDATE SET embedding = excluded.embedding",
                rows,
            )

    def search(self, query, limit=5, metadata_filter=None, score_threshold=0.6):
        if metadata_filter:
            raise ValueError("CrewAI gives knowledge no metadata, so there is none to ask for: leave metadata_filter out.")
        vector = literal(self.embed([" ".join(query)])[0])
        with connect() as db:
            rows = db.execute(
                "SELECT id, content, 1 - (embedding <=> %s) / 2 AS score FROM crewai.knowledge WHERE collection = %s "
                "ORDER BY embedding <=> %s LIMIT %s",
                (vector, self.collection, vector, limit),
            ).fetchall()
        near = [row for row in rows if row[2] >= (score_threshold or 0)]
        return [dict(id=key, content=text, metadata={}, score=score) for key, text, score in near]

    def reset(self):
        with connect() as db:
            db.execute("DELETE FROM crewai.knowledge WHERE collection = %s", (self.collection,))

    async def asave(self, documents):
        await asyncio.to_thread(self.save, documents)

    async def asearch(self, query, limit=5, metadata_filter=None, score_threshold=0.6):
        return await asyncio.to_thread(self.search, query, limit, metadata_filter, score_threshold)

    async def areset(self):
        await asyncio.to_thread(self.reset)


def where(scope_prefix=None, categories=None, record_ids=None, older_than=None, metadata_filter=None):
    """A scope is a path; its records are those at it and below it."""
    scope = (scope_prefix or "").rstrip("/")
    conditions = [
        ("(scope = %s OR starts_with(scope, %s))", [scope, scope + "/"]) if scope else None,
        ("categories && %s::text[]", [list(categories)]) if categories else None,
        ("id = ANY(%s)", [list(record_ids)]) if record_ids else None,
        ("created_at < %s", [older_than]) if older_than else None,
        ("metadata @> %s::jsonb", [json.dumps(metadata_filter)]) if metadata_filter else None,
    ]
    given = [condition for condition in conditions if condition]
    return " AND ".join(["true", *(sql for sql, _ in given)]), [value for _, values in given for value in values]


class Memory:
    """crewai.memory.storage.backend.StorageBackend."""

    def save(self, records):
        rows = [
            (
                *(one.id, one.scope, one.categories, json.dumps(one.metadata), one.created_at),
                *(one.model_dump_json(), literal(one.embedding)),
            )
            for one in records
        ]
        with connect() as db:
            db.cursor().executemany(
                "INSERT INTO crewai.memory VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
                "scope = excluded.scope, categories = excluded.categories, metadata = excluded.metadata, "
                "record = excluded.record, embedding = coalesce(excluded.embedding, memory.embedding)",
                rows,
            )

    def update(self, record):
        self.save([record])

    def touch_records(self, record_ids):
        with connect() as db:
            db.execute(
                "UPDATE crewai.memory SET record = jsonb_set(record, '{last_accessed}', to_jsonb(now() AT TIME ZONE 'utc')) "
                "WHERE id = ANY(%s)",
                (list(record_ids),),
            )

    def search(
        self, query_embedding, scope_prefix=None, categories=None, metadata_filter=None, limit=10, min_score=0.0
    ):
        condition, values = where(scope_prefix, categories, metadata_filter=metadata_filter)
        vector = literal(query_embedding)
        rest = f", 1 / (1 + (embedding <-> %s) ^ 2) FROM crewai.memory WHERE embedding IS NOT NULL AND {condition} "
        found = self.select(rest + "ORDER BY embedding <-> %s LIMIT %s", [vector, *values, vector, limit])
        return [(record, score) for record, score in found if score >= min_score]

    def get_record(self, record_id):
        return next((one for (one,) in self.select(" FROM crewai.memory WHERE id = %s", [record_id])), None)

    def list_records(self, scope_prefix=None, limit=200, offset=0):
        condition, values = where(scope_prefix)
        rest = f" FROM crewai.memory WHERE {condition} ORDER BY created_at DESC LIMIT %s OFFSET %s"
        return [one for (one,) in self.select(rest, [*values, limit, offset])]

    def select(self, rest, values):
        with connect() as db:
            rows = db.execute("SELECT record, embedding::text" + rest, values).fetchall()
        for record, vector, *more in rows:
            yield MemoryRecord(**record, embedding=vector and json.loads(vector)), *more

    def delete(self, scope_prefix=None, categories=None, record_ids=None, older_than=None, metadata_filter=None):
        condition, values = where(scope_prefix, categories, record_ids, older_than, metadata_filter)
        with connect() as db:
            return db.execute(f"DELETE FROM crewai.memory WHERE {condition}", values).rowcount

    def reset(self, scope_prefix=None):
        self.delete(scope_prefix)

    def count(self, scope_prefix=None):
        return self.get_scope_info(scope_prefix or "/").record_count

    def get_scope_info(self, scope):
        condition, values = where(scope)
        with connect() as db:
            sql = f"SELECT count(*), min(created_at), max(created_at) FROM crewai.memory WHERE {condition}"
            number, oldest, newest = db.execute(sql, values).fetchone()
        return ScopeInfo(
            path=scope.rstrip("/") or "/", record_count=number, categories=sorted(self.list_categories(scope)),
            oldest_record=oldest, newest_record=newest, child_scopes=self.list_scopes(scope),
        )  # fmt: skip

    def list_scopes(self, parent="/"):
        start = parent.rstrip("/") + "/"
        sql = (
            "SELECT DISTINCT %s || split_part(substr(scope, %s), '/', 1) FROM crewai.memory "
            "WHERE starts_with(scope, %s) AND scope <> %s ORDER BY 1"
        )
        with connect() as db:
            return [name for (name,) in db.execute(sql, (start, len(start) + 1, start, start)).fetchall()]

    def list_categories(self, scope_prefix=None):
        condition, values = where(scope_prefix)
        with connect() as db:
            sql = f"SELECT c, count(*) FROM crewai.memory, unnest(categories) c WHERE {condition} GROUP BY c"
            return dict(db.execute(sql, values).fetchall())

    async def asave(self, records):
        await asyncio.to_thread(self.save, records)

    async def asearch(self, *vector, **filters):
        return await asyncio.to_thread(self.search, *vector, **filters)

    async def adelete(self, *scope, **filters):
        return await asyncio.to_thread(self.delete, *scope, **filters)
