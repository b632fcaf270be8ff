#!/usr/bin/env python3
"""Boots the lab (an NFSv4.1 server kernel and client kernels) and plays scenarios with and without the keeper.

npm run lab                 the short form
npm run lab:long            every scenario at full length, with at least 1,000 faults
npm run lab -- --list       names the scenarios
"""

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install  # noqa: E402
import namespace  # noqa: E402
import report  # noqa: E402
from lab import Lab  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from scenarios.common import Hosts, Options  # noqa: E402

LONG_ONLY = {'large-database'}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='npm run lab --', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('scenario', nargs='*', help='only these')
    parser.add_argument('--list', action='store_true', help='list the scenarios')
    parser.add_argument('--long', action='store_true', help='full length')
    parser.add_argument('--seed', type=int, default=1, help='of the random moments')
    parser.add_argument('--out', type=Path, help='write the results there as JSON, and beside it as Markdown')
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.list:
        for name, scenario in SCENARIOS.items():
            print(f'{name:16} {" ".join((scenario.__doc__ or sys.modules[scenario.__module__].__doc__).split())}')
        return
    unknown = [name for name in given.scenario if name not in SCENARIOS]
    if unknown:
        sys.exit(f'No such scenario: {", ".join(unknown)}. See --list.')
    names = given.scenario or [name for name in SCENARIOS if given.long or name not in LONG_ONLY]
    if given.out:
        given.out = given.out.absolute()
        given.out.parent.mkdir(parents=True, exist_ok=True)
    install.install()
    namespace.enter()
    results = play(names, Options(long=given.long, seed=given.seed))
    text = report.table(results)
    print(f'\n{text}\n\n{report.verdict(results)}')
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
        given.out.with_suffix('.md').write_text(f'{report.heading()}\n\n{text}\n\n{report.verdict(results)}\n', encoding='utf-8')
    sys.exit(1 if report.failures(results) else 0)


def play(names: list, options: Options) -> list:
    results: list = []
    for name in names:
        started = time.monotonic()
        print(f'{name} …', end=' ', flush=True)
        large = name == 'large-database'
        lab = Lab(volume_mb=10240 if large else 1024 if options.long else 512, on_disk=large)
        hosts = Hosts(lab, ahead=2)
        try:
            found = SCENARIOS[name](lab, hosts, options)
            results.extend({'scenario': name, **result} for result in found)
            print(f'{time.monotonic() - started:.0f} s', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            traceback.print_exc()
            results.append({'scenario': name, 'arm': 'keeper', 'label': '', 'failed': f'{type(error).__name__}: {str(error)[:150]}'})
        finally:
            hosts.close()
            lab.close()
    return results


if __name__ == '__main__':
    main()
