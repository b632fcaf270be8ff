"""The volume or its server is in trouble: restarted, full, slow, or simply large."""

import json
import time

from case import STORE, Case
from lab import LEASE, Lab
from scenarios.common import Hosts, Options, both, finish, start, take_over, wait_acks

FILL = 'dd if=/dev/zero of=/mnt/export/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/mnt/export/filler2 bs=4k 2>/dev/null; sync; df /mnt/export'

# A database of the writer's shape with that many MiB, made on the server itself
GROW = """
import sqlite3, sys
path, size = sys.argv[1], int(sys.argv[2]) << 20
connection = sqlite3.connect(path)
connection.execute('PRAGMA journal_mode=OFF'); connection.execute('PRAGMA synchronous=OFF')
connection.execute('CREATE TABLE IF NOT EXISTS chat (writer TEXT, number INTEGER, body TEXT)')
connection.execute('CREATE TABLE filler (content BLOB)')
for _ in range(size // 1000000):
    connection.execute('INSERT INTO filler VALUES (randomblob(1000000))')
connection.commit(); connection.close()
"""


def server_restart(lab: Lab, hosts: Hosts, options: Options) -> list:
    """kill -9 of the file server; it is back after a second. Seconds are those without a commit, with the 30 s in which clients reclaim their locks."""
    host = hosts.take()
    cases = both(lab)
    programs = start(cases, host)
    wait_acks(programs, 20)
    before = {case: case.acks(program)[-1][0] for case, program in programs.items()}
    lab.restart_server()
    at = time.monotonic()
    for case, program in programs.items():
        case.takeovers.append(_again(case, program, host, at) - before[case])
    time.sleep(3)
    results = finish(cases, faults=1)
    host.kill()
    return results


def _again(case: Case, program, host, since: float) -> float:
    """When the task commits again; it is started anew when it ended, as ECS does."""
    limit = since + 120
    while time.monotonic() < limit:
        if program.exit is not None:
            case.notes.append(f'the task ended with {program.exit} and was started again')
            program = case.start(host)
        for when, _ in case.acks(program)[-1:]:
            if when > since:
                return when
        time.sleep(0.2)
    case.notes.append('no commit of the new owner after the restart')
    return limit


def full_volume(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Not a byte free under the writers, then their host is lost; the task starts on the full volume, then room is made."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    programs = start(cases, first)
    wait_acks(programs, 20)
    lab.server.call(['sh', '-c', FILL], timeout=180)
    time.sleep(4)
    first.kill()
    new = start(cases, second)
    time.sleep(LEASE + 6)
    for case, program in new.items():
        case.notes.append(f'start on the full volume: {"runs" if program.exit is None else f"ended with {program.exit}"}')
    at = time.monotonic()
    lab.server.call(['sh', '-c', 'rm -f /mnt/export/filler*'])
    take_over({case: program if program.exit is None else case.start(second) for case, program in new.items()}, at)
    results = finish(cases, faults=2)
    second.kill()
    return results


def slow_server(lab: Lab, hosts: Hosts, options: Options) -> list:
    """A volume without burst credits: 1 MiB/s. The host is lost; a takeover that reads and writes all must not end in a kill loop."""
    size = 16 if options.long else 6
    first, second = lab.boot('slow1'), lab.boot('slow2', relay=True)
    lab.throttle(1 << 20)
    cases = [Case(lab, arm, f'{size} MiB at 1 MiB/s', RATE=5) for arm in ('keeper', 'plain')]
    for case in cases:
        lab.server.call(['python3', '-c', GROW, case.at_server(STORE), str(size)])
    wait_acks(start(cases, first), 3)
    first.kill()
    at = time.monotonic()
    new = start(cases, second)
    take_over(new, at, 240)
    results = finish(cases, faults=1)
    lab.throttle(None)
    second.kill()
    return results


def large_database(lab: Lab, hosts: Hosts, options: Options) -> list:
    """2 GiB: seconds to take over, and what a snapshot at a start costs. Needs a volume of 8 GiB."""
    size = 2048
    first, second = hosts.take(), hosts.take()
    case = Case(lab, 'keeper', f'{size} MiB')
    lab.server.call(['python3', '-c', GROW, case.at_server(STORE), str(size)], timeout=600)
    program = case.start(first)
    case.wait_acks(program, 20, 600)
    first.kill()
    at = time.monotonic()
    new = case.start(second)
    case.taken_over(new, at, 600)
    for one in (program, new):
        for event in case.events(one):
            if event['keeper'] in ('snapshot', 'takeover-store', 'takeover'):
                case.notes.append(json.dumps({key: value for key, value in event.items() if key != 'at'}))
    results = finish([case], faults=1)
    second.kill()
    return results
