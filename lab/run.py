#!/usr/bin/env python3
"""Boots the lab (an NFSv4.1 server kernel and client kernels) and plays scenarios with and without the keeper.

npm run lab                 the short form
npm run lab:long            every scenario at full length, with at least 1,000 faults
npm run lab -- --list       names the scenarios
"""

import argparse
import concurrent.futures
import ctypes
import json
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install  # noqa: E402
import namespace  # noqa: E402
import outcome  # noqa: E402
import report  # noqa: E402
from lab import PYTHON, Lab  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from scenarios.common import Hosts, Options  # noqa: E402

LONG_ONLY = {'large-database'}
# Dozens of Python processes in one guest
CROWDED = {'zombie', 'keeper-killed', 'many-kills'}
# The longest first, so that none of them is alone at the end
ORDER = ['many-kills', 'large-database', 'zombie', 'keeper-killed', 'slow-server']


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='npm run lab --', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('scenario', nargs='*', help='only these')
    parser.add_argument('--list', action='store_true', help='list the scenarios')
    parser.add_argument('--long', action='store_true', help='full length')
    parser.add_argument('--seed', type=int, default=1, help='of the random moments')
    parser.add_argument('--jobs', type=int, default=3, help='scenarios at a time; most of them wait most of the time')
    parser.add_argument('--out', type=Path, help='write the results there as JSON, and beside it as Markdown')
    parser.add_argument('--alone', action='store_true', help=argparse.SUPPRESS)  # one scenario, results to --out
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.list:
        for name, scenario in SCENARIOS.items():
            print(f'{name:16} {" ".join((scenario.__doc__ or "").split())}')
        return
    unknown = [name for name in given.scenario if name not in SCENARIOS]
    if unknown:
        sys.exit(f'No such scenario: {", ".join(unknown)}. See --list.')
    options = Options(long=given.long, seed=given.seed)
    if given.alone:
        with open(given.out, 'w', encoding='utf-8') as file:
            json.dump(play(given.scenario[0], options), file)
        return
    install.install()
    names = given.scenario or [name for name in SCENARIOS if given.long or name not in LONG_ONLY]
    started = time.monotonic()
    results = play_all(names, options, given.jobs)
    if outcome.status(results, names) == outcome.CANNOT_RUN:
        print(f'\nNothing was tested: {results[0]["failed"]}')
        sys.exit(outcome.CANNOT_RUN)
    text = f'{report.table(results)}\n\n{report.verdict(results)}'
    print(f'\n{text}\n{time.monotonic() - started:.0f} s')
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
        given.out.with_suffix('.md').write_text(report.page(results), encoding='utf-8')
    sys.exit(outcome.status(results, names))


def play_all(names: list, options: Options, jobs: int) -> list:
    """Each scenario in a process with namespaces, a server and a volume of its own."""
    waiting = sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {name: pool.submit(play_apart, name, options) for name in waiting}
        results = {name: future.result() for name, future in futures.items()}
    # The second try comes when nothing else is played.
    return [result for name in names for result in outcome.twice(results[name], lambda: play_apart(name, options))]


def play_apart(name: str, options: Options) -> list:
    started = time.monotonic()
    with tempfile.NamedTemporaryFile('r', suffix='.json') as file:
        command = [PYTHON, __file__, '--alone', name, '--seed', str(options.seed), '--out', file.name, *(['--long'] if options.long else [])]
        done = subprocess.run(command, check=False, preexec_fn=_die_with_me)
        text = file.read()
    print(f'{name}: {time.monotonic() - started:.0f} s', flush=True)
    return json.loads(text) if done.returncode == 0 else [outcome.failed(name, f'its process ended with {done.returncode}')]


def _die_with_me() -> None:
    ctypes.CDLL(None).prctl(namespace.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def play(name: str, options: Options) -> list:
    large = name == 'large-database'
    try:
        namespace.enter()
        lab = Lab(volume_mb=10240 if large else 1024 if options.long else 512, on_disk=large)
    except outcome.CANNOT_BOOT as error:
        return [outcome.no_lab(name, error)]
    hosts = Hosts(lab, memory='768M' if name in CROWDED else '320M')
    try:
        return [{'scenario': name, **result} for result in SCENARIOS[name](lab, hosts, options)]
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        return [outcome.failed(name, f'{type(error).__name__}: {str(error)[:150]}')]
    # Nothing to take down: all of it ends with this process


if __name__ == '__main__':
    main()
