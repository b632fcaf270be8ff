"""The files themselves are damaged while no task runs."""

import json
import time

from case import STORE, Case
from lab import Lab
from scenarios.common import Hosts, Options, both, finish, start, take_over, wait_acks

# Overwrites the head of every third page but the first: a disk or an operator gone wrong
FLIP = """
import sys
with open(sys.argv[1], 'r+b') as file:
    file.seek(0, 2)
    pages = file.tell() // 4096
    for page in range(1, pages, 3):
        file.seek(page * 4096)
        file.write(bytes(byte ^ 255 for byte in b'damaged by test!'))
print(pages)
"""


def flipped_bytes(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Bytes of the database flipped after the host was lost. The keeper must refuse to open it and offer its snapshot; what came
    after the snapshot is gone by the fault itself."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    for _ in range(2):  # the second start takes a snapshot of the first run
        programs = start(cases, first)
        wait_acks(programs, 60)
        for case in cases:
            case.stop()
    programs = start(cases, first)
    wait_acks(programs, 20)
    first.kill()
    at = time.monotonic()
    for case in cases:
        lab.server.call(['python3', '-c', FLIP, case.at_server(STORE)])
    new = start(cases, second)
    keeper, plain = cases
    new[keeper].wait(60)
    refused = new[keeper].exit
    keeper.notes.append(f'the start after the damage ended with {refused}')
    _restore(keeper, second)
    new = {keeper: keeper.start(second), plain: new[plain]}
    take_over(new, at, 60)
    time.sleep(2)
    results = finish(cases, faults=1, by_the_fault=True)
    second.kill()
    return results


def _restore(case: Case, host) -> None:
    listed = case.keeper(host, 'snapshots', 'list', '--json')
    snapshots = [json.loads(line) for line in listed.text().splitlines() if line.startswith('{"id"')]
    if not snapshots:
        case.notes.append('there was no snapshot')
        return
    newest = snapshots[-1]['id']
    restored = case.keeper(host, 'snapshots', 'restore', newest)
    case.notes.append(f'restore of {newest} ended with {restored.exit}')


def truncated_wal(lab: Lab, hosts: Hosts, options: Options) -> list:
    """The WAL is cut in half after the host was lost: the commits in the missing half are gone by the fault itself."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    programs = start(cases, first)
    wait_acks(programs, 60)
    first.kill()
    at = time.monotonic()
    for case in cases:
        size = lab.server.call(['stat', '-c', '%s', case.at_server(f'{STORE}-wal')])
        lab.server.call(['truncate', '-s', str(int(size) // 2), case.at_server(f'{STORE}-wal')])
    take_over(start(cases, second), at, 60)
    results = finish(cases, faults=1, by_the_fault=True)
    second.kill()
    return results
