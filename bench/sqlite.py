#!/usr/bin/env python3
"""npm run bench:sqlite: SQLite on NFSv4.1 in the lab, Open WebUI's defaults beside ours in the same run.

Everything is measured twice: raw (the server kernel as it is) and through the relay, which adds EFS's published latency
(2.7 ms to what changes something, 0.25 ms to the rest). Options: --seconds per step, --out DIRECTORY (docs).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'lab'))

import install  # noqa: E402
import lab as lab_module  # noqa: E402
import namespace  # noqa: E402
import sqlite_picture  # noqa: E402

VENV = ROOT / '.tmp' / 'bench-sqlite'
PACKAGES = ['sqlalchemy==2.0.44', 'matplotlib==3.10.7']
WRITE_DELAY, READ_DELAY = 0.0027, 0.00025
READERS, WRITERS = [1, 5, 10, 25, 50], [1, 2, 4, 8, 16, 32, 64]

DEFAULT, OURS = "Open WebUI's defaults (WAL, NORMAL)", 'unix-excl, WAL, FULL (ours)'
OPEN_WEBUI = {'VFS': 'unix', 'JOURNAL': 'wal', 'SYNC': 'NORMAL', 'MMAP': '268435456', 'POOL': '512', 'BUSY': '5000'}
EXCLUSIVE = {'VFS': 'unix-excl', 'JOURNAL': 'wal', 'SYNC': 'FULL', 'MMAP': '0', 'POOL': '8', 'BUSY': '30000'}
MODES = {
    DEFAULT: OPEN_WEBUI,
    'default VFS, WAL, FULL': {**OPEN_WEBUI, 'SYNC': 'FULL'},
    'default VFS, rollback, FULL': {**OPEN_WEBUI, 'JOURNAL': 'delete', 'SYNC': 'FULL', 'MMAP': '0'},
    'unix-excl, rollback, FULL': {**EXCLUSIVE, 'JOURNAL': 'delete'},
    OURS: EXCLUSIVE,
}
CURVES = [DEFAULT, 'default VFS, rollback, FULL', OURS]


class Bench:
    """A client host at a time; a load that hangs costs the host, not the run."""

    def __init__(self, lab, relay: bool, seconds: float) -> None:
        self.lab, self.relay, self.seconds = lab, relay, seconds
        self.host = None
        self.serial = 0

    def run(self, mode: dict, kind: str, threads: int, fresh: bool) -> dict:
        if self.host is None:
            self.host = self.lab.boot('bench', relay=self.relay, memory='512M')
        if fresh:
            self.serial += 1
        database = f'{lab_module.MOUNT}/{"relay" if self.relay else "raw"}-{self.serial}.db'
        command = [str(VENV / 'bin' / 'python'), str(ROOT / 'bench' / 'sqlite_load.py'), kind, str(threads), str(self.seconds)]
        program = self.host.run(command, {**mode, 'DB': database})
        try:
            program.wait(self.seconds + 45)
        except TimeoutError:
            self.host.kill()
            self.host = None
            self.serial += 1
            return {'hangs': True, 'started': 'started' in program.text()}
        if program.exit != 0:
            return {'failed': program.text()[-300:]}
        return json.loads(program.lines[-1][1])

    def close(self) -> None:
        if self.host:
            self.host.kill()


def make_venv() -> None:
    stamp = VENV / 'packages'
    if stamp.exists() and stamp.read_text() == '\n'.join(PACKAGES):
        return
    print(f'Installing {" ".join(PACKAGES)} into {VENV.relative_to(ROOT)} …', flush=True)
    subprocess.run([sys.executable, '-m', 'venv', str(VENV)], check=True)
    subprocess.run([str(VENV / 'bin' / 'pip'), 'install', '-q', *PACKAGES], check=True)
    stamp.write_text('\n'.join(PACKAGES))


def shown(result: dict) -> str:
    if 'p50_ms' in result:
        errors = ''.join(f', {count}x {name}' for name, count in result['errors'].items())
        return f'p50 {result["p50_ms"]} ms, p99 {result["p99_ms"]} ms, {result["per_second"]}/s{errors}'
    return 'HANGS' if result.get('hangs') else str(result)


def measure(lab, relay: bool, seconds: float) -> dict:
    bench = Bench(lab, relay, seconds)
    way = 'through the relay' if relay else 'raw'
    found: dict = {'write+fsync': bench.run(EXCLUSIVE, 'fsync', 1, True), 'modes': {}}
    print(f'{way}: one write + fsync: {shown(found["write+fsync"])}', flush=True)
    for name, mode in MODES.items():
        curves: dict = {'read': {}, 'read-bare': {}, 'write': {}}
        for kind, counts in (('read', READERS), ('read-bare', [1]), ('write', WRITERS)):
            for index, count in enumerate(counts if name in CURVES else counts[:1]):
                result = bench.run(mode, kind, count, fresh=index == 0 and kind == 'read')
                curves[kind][count] = result
                print(f'{way}: {name}: {count} {kind}: {shown(result)}', flush=True)
                if 'p50_ms' not in result:
                    break  # with more threads it only hangs as well
        found['modes'][name] = curves
    bench.close()
    return found


def ratios(found: dict) -> dict:
    def p50(mode: str, kind: str) -> float:
        return found['modes'][mode][kind][1]['p50_ms']

    return {
        'commits, times faster than the defaults': round(p50(DEFAULT, 'write') / p50(OURS, 'write'), 1),
        'reads, times faster than the defaults': round(p50(DEFAULT, 'read') / p50(OURS, 'read'), 1),
        'reads without SQLAlchemy, times faster': round(p50(DEFAULT, 'read-bare') / p50(OURS, 'read-bare'), 1),
        'a commit in writes with fsync': round(p50(OURS, 'write') / found['write+fsync']['p50_ms'], 2),
        'writers with the most commits per second': _peak(found['modes'][OURS]['write']),
    }


def _peak(curve: dict) -> int:
    """From here on more writers bring less than a tenth more."""
    counts = [count for count in curve if 'per_second' in curve[count]]
    best = max(curve[count]['per_second'] for count in counts)
    return next(count for count in counts if curve[count]['per_second'] >= best * 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=4, help='of each step')
    parser.add_argument('--out', type=Path, default=ROOT / 'docs', help='where the picture and the numbers go')
    given = parser.parse_args()
    given.out = given.out.absolute()
    make_venv()
    install.install()
    namespace.enter()
    os.environ['MPLCONFIGDIR'] = f'{namespace.WORK}/tmp'
    started = time.strftime('%Y-%m-%d', time.gmtime())
    with lab_module.Lab(volume_mb=1024) as lab:
        result = {'date': started, 'raw': measure(lab, False, given.seconds)}
        lab.delay(WRITE_DELAY, READ_DELAY)
        result['relay'] = measure(lab, True, given.seconds)
    for way in ('raw', 'relay'):
        result[way]['ratios'] = ratios(result[way])
        for name, value in result[way]['ratios'].items():
            print(f'{way:6} {name}: {value}')
    given.out.mkdir(exist_ok=True)
    (given.out / 'bench-sqlite.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
    data = given.out / 'bench-sqlite.json'
    subprocess.run([str(VENV / 'bin' / 'python'), sqlite_picture.__file__, str(data), str(given.out / 'bench-sqlite.svg')], check=True)
    print(f'Written: {data.name} and bench-sqlite.svg in {given.out}')


if __name__ == '__main__':
    main()
