"""Commits rows into a SQLite database and prints the number of each row once its commit has returned.

Settings come from the environment; the defaults are those with which Open WebUI opens its database.

    DB        path of the database                 TAG      who writes, stored with each row
    VFS       unix | unix-excl                     JOURNAL  wal | delete
    SYNC      NORMAL | FULL                        MMAP     bytes (268435456)
    BUSY      milliseconds (5000)                  THREADS  number of writers (1)
    REOPEN    0 | n: each writer closes its connection and opens the path anew after n commits and after every error
    RATE      commits per second and writer, 0 = as fast as it goes

Output: `ack N`, `error N message`, `open message` (an attempt to open the database that failed; it is tried again).
SIGTERM: finish the commit at hand, close, end with 0.
"""

import itertools
import os
import signal
import sqlite3
import sys
import threading
import time

from sqlite_writer_body import body


def setting(name: str, default: str) -> str:
    return os.environ.get(name, default)


DB = os.environ['DB']
TAG = setting('TAG', 'writer')
VFS = setting('VFS', 'unix')
JOURNAL = setting('JOURNAL', 'wal')
SYNC = setting('SYNC', 'NORMAL')
MMAP = setting('MMAP', '268435456')
BUSY = setting('BUSY', '5000')
REOPEN = int(setting('REOPEN', '0'))
RATE = float(setting('RATE', '0'))

stopping = threading.Event()
numbers = itertools.count(1)
output = threading.Lock()


def say(text: str) -> None:
    with output:
        sys.stdout.write(text + '\n')
        sys.stdout.flush()


def described(error: sqlite3.Error) -> str:
    """With SQLite's extended code: "disk I/O error" alone says little."""
    return f'{error} ({getattr(error, "sqlite_errorname", type(error).__name__)})'


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(f'file:{DB}?vfs={VFS}', uri=True, timeout=int(BUSY) / 1000, check_same_thread=False)
    try:
        for pragma in (f'journal_mode={JOURNAL}', f'synchronous={SYNC}', f'mmap_size={MMAP}', 'temp_store=MEMORY', 'cache_size=-8000'):
            connection.execute(f'PRAGMA {pragma}').fetchall()
        connection.execute('CREATE TABLE IF NOT EXISTS chat (writer TEXT, number INTEGER, body TEXT)')
        connection.commit()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def opened() -> sqlite3.Connection | None:
    """A connection, however long it takes; None when told to stop."""
    while not stopping.is_set():
        try:
            return connect()
        except sqlite3.Error as error:
            say(f'open {described(error)}')
            stopping.wait(0.2)
    return None


def write() -> None:
    connection = opened()
    commits = 0
    while connection and not stopping.is_set():
        number = next(numbers)
        begun = time.monotonic()
        failed = False
        try:
            connection.execute('INSERT INTO chat VALUES (?, ?, ?)', (TAG, number, body(TAG, number)))
            connection.commit()
            commits += 1
            say(f'ack {number}')
        except sqlite3.Error as error:
            failed = True
            say(f'error {number} {described(error)}')
            try:
                connection.rollback()
            except sqlite3.Error:
                pass
            stopping.wait(0.05)
        if REOPEN and (failed or commits % REOPEN == 0):
            connection.close()
            connection = opened()
        if RATE:
            stopping.wait(max(0.0, 1 / RATE - (time.monotonic() - begun)))
    if connection:
        connection.close()


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # Under unix-excl the lock lives as long as one connection is open: an application's pool never empties
    keep = opened()
    threads = [threading.Thread(target=write) for _ in range(int(setting('THREADS', '1')))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
    if keep:
        keep.close()


if __name__ == '__main__':
    main()
