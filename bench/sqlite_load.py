"""Runs in a guest: a load on one SQLite database through SQLAlchemy, measured; prints one JSON object.

    sqlite_load.py KIND THREADS SECONDS      KIND: read | write | fsync | read-bare (sqlite3 alone, without SQLAlchemy's own time)
    environment: DB, VFS, JOURNAL, SYNC, MMAP, POOL (connections), BUSY (milliseconds)
"""

import json
import os
import random
import sys
import threading
import time

ROWS = 2000


def engine():
    from sqlalchemy import create_engine, event  # only the database loads need it

    result = create_engine(
        f'sqlite:///file:{os.environ["DB"]}?vfs={os.environ["VFS"]}&uri=true',
        pool_size=int(os.environ['POOL']),
        max_overflow=0,
        pool_timeout=30,
        connect_args={'check_same_thread': False, 'timeout': int(os.environ['BUSY']) / 1000},
    )

    @event.listens_for(result, 'connect')
    def _pragmas(connection, _):
        settings = {'journal_mode': os.environ['JOURNAL'], 'synchronous': os.environ['SYNC'], 'mmap_size': os.environ['MMAP']}
        for name, value in {**settings, 'temp_store': 'MEMORY', 'cache_size': '-65536'}.items():
            connection.execute(f'PRAGMA {name}={value}').fetchall()

    return result


def fsync_load():
    file = os.open(os.environ['DB'] + '-yardstick', os.O_CREAT | os.O_RDWR)

    def once() -> None:
        os.pwrite(file, os.urandom(4096), 4096 * random.randrange(256))
        os.fsync(file)

    return once


def bare_load():
    """One connection, as SQLAlchemy's pool would hand it out: what SQLite and the volume take, and nothing else."""
    pooled = engine().raw_connection()
    connection = pooled.driver_connection

    def once(_keep=pooled) -> None:
        connection.execute('BEGIN')
        connection.execute('SELECT body FROM chat WHERE id = ?', (random.randint(1, ROWS),)).fetchone()
        connection.execute('COMMIT')

    return once


def database_load(kind: str):
    from sqlalchemy import text
    from sqlalchemy.orm import sessionmaker

    session = sessionmaker(engine())
    with session() as one:
        one.execute(text('CREATE TABLE IF NOT EXISTS chat (id INTEGER PRIMARY KEY, body TEXT)'))
        if one.execute(text('SELECT count(*) FROM chat')).scalar() < ROWS:
            one.execute(text('INSERT INTO chat (body) VALUES (:body)'), [{'body': os.urandom(150).hex()} for _ in range(ROWS)])
        one.commit()

    def write() -> None:
        with session() as one:
            one.execute(text('INSERT INTO chat (body) VALUES (:body)'), {'body': os.urandom(150).hex()})
            one.commit()

    def read() -> None:
        with session() as one:
            one.execute(text('SELECT body FROM chat WHERE id = :id'), {'id': random.randint(1, ROWS)}).scalar()

    return {'read': read, 'write': write}[kind]


def main() -> None:
    kind, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    once = fsync_load() if kind == 'fsync' else bare_load() if kind == 'read-bare' else database_load(kind)
    once()
    print('started', flush=True)
    end = time.monotonic() + seconds
    times: list[float] = []
    errors: dict[str, int] = {}

    def work() -> None:
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                once()
                times.append(time.perf_counter() - begun)
            except Exception as error:  # pylint: disable=broad-except
                name = str(getattr(error, 'orig', None) or type(error).__name__)
                errors[name] = errors.get(name, 0) + 1

    workers = [threading.Thread(target=work) for _ in range(threads)]
    begun = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.monotonic() - begun
    times.sort()
    answer = {'count': len(times), 'per_second': round(len(times) / took, 1), 'errors': errors}
    if times:
        answer.update(p50_ms=round(times[len(times) // 2] * 1000, 3), p99_ms=round(times[int(len(times) * 0.99)] * 1000, 3))
    print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
