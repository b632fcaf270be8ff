"""Opens a copy of a database that sqlite_writer.py wrote and prints what is in it, as one JSON object.

    check.py DATABASE [SCRATCH]

The copy (with -wal and -journal) is recovered by SQLite as the next process to open it would; the original stays as it is.
"""

import json
import os
import shutil
import sqlite3
import sys
import tempfile

from sqlite_writer_body import body


def ranges(numbers: list) -> list:
    result: list = []
    for number in numbers:
        if result and result[-1][1] == number - 1:
            result[-1][1] = number
        else:
            result.append([number, number])
    return result


def look(path: str) -> dict:
    answer: dict = {'integrity': '', 'rows': {}, 'wrong': 0, 'bytes': os.path.getsize(path)}
    connection = sqlite3.connect(path)
    try:
        answer['integrity'] = connection.execute('PRAGMA integrity_check').fetchone()[0]
        found: dict[str, set] = {}
        for tag, number, text in connection.execute('SELECT writer, number, body FROM chat'):
            if text == body(tag, number):
                found.setdefault(tag, set()).add(number)
            else:
                answer['wrong'] += 1
        answer['rows'] = {tag: ranges(sorted(numbers)) for tag, numbers in found.items()}
    except sqlite3.Error as error:
        answer['integrity'] = answer['integrity'] if answer['integrity'] not in ('', 'ok') else str(error)
    connection.close()
    return answer


def main() -> None:
    source = sys.argv[1]
    if not os.path.exists(source):
        print(json.dumps({'integrity': 'no database', 'rows': {}, 'wrong': 0, 'bytes': 0}))
        return
    # A guest's /tmp is in memory: what does not fit there is copied beside the source.
    beside = os.path.dirname(source) if os.path.getsize(source) > 64 << 20 else None
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else beside) as scratch:
        copy = os.path.join(scratch, 'copy.db')
        for suffix in ('', '-wal', '-journal'):
            if os.path.exists(source + suffix):
                shutil.copyfile(source + suffix, copy + suffix)
        print(json.dumps(look(copy)))


if __name__ == '__main__':
    main()
