"""Two tasks, or one task that is stopped as ECS stops it."""

import time

from case import Case
from lab import Lab
from scenarios.common import Hosts, Options, both, ended, finish, start, take_over, wait_acks, zombies


def no_fault(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Nothing goes wrong: two writers in one process, as in any web server, for 15 s. Seconds are the longest without a commit."""
    host = hosts.take()
    cases = [Case(lab, arm, f'2 writers, {journal}', THREADS=2, JOURNAL=journal) for arm in ('keeper', 'plain') for journal in ('wal', 'delete')]
    programs = start(cases, host)
    time.sleep(15)
    now = time.monotonic()
    for case, program in programs.items():
        moments = [when for when, _ in case.acks(program) if when < now]
        if moments:
            case.takeovers.append(max(b - a for a, b in zip(moments, [*moments[1:], now])))
        case.notes.append(f'{len(moments)} commits in 15 s')
        case.stop(10)
    results = finish(cases, faults=0)
    host.kill()
    return results


def overlap(lab: Lab, hosts: Hosts, options: Options) -> list:
    """A rolling deployment: the new task runs for 6 s beside the old one, which is then told to stop."""
    first, second = hosts.take(), hosts.take()
    cases = [Case(lab, arm) for arm in ('keeper', 'plain', 'locks')]
    old = start(cases, first)
    wait_acks(old, 10)
    new = start(cases, second)
    time.sleep(6)
    at = time.monotonic()
    for program in old.values():
        program.signal(15)
    take_over(new, at, 60)
    time.sleep(3)
    results = finish(cases, faults=1)
    for host in (first, second):
        host.kill()
    return results


def by_hand(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Somebody starts a second task by hand, for 8 s; the first goes on. `zombie_acks` are commits of the second."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    wait_acks(start(cases, first), 10)
    intruders = start(cases, second, KEEPER_LEASE_DEADLINE=6)
    time.sleep(8)
    for program in intruders.values():
        program.signal(15)
        ended(program, 30)
    time.sleep(2)
    results = finish(cases, faults=1)
    for result, case in zip(results, cases):
        result['zombie_acks'] = len(case.acks(intruders[case]))
        result['notes'].append(f'the second task ended with {intruders[case].exit}')
    for host in (first, second):
        host.kill()
    return results


def clean_restart(lab: Lab, hosts: Hosts, options: Options) -> list:
    """SIGTERM, then the task starts on another host."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    old = start(cases, first)
    wait_acks(old, 20)
    at = time.monotonic()
    for program in old.values():
        program.signal(15)
    for program in old.values():
        ended(program, 60)
    take_over(start(cases, second), at)
    time.sleep(1)
    results = finish(cases, faults=1)
    for host in (first, second):
        host.kill()
    return results


def clock_jump(lab: Lab, hosts: Hosts, options: Options) -> list:
    """The owner's clock jumps an hour ahead, then two back; the owner must not lose the lease. Then its host is lost."""
    first, second = hosts.take(), hosts.take()
    cases = both(lab)
    old = start(cases, first)
    wait_acks(old, 5)
    for seconds in (3600, -7200):
        first.clock(seconds)
        time.sleep(3)
        wait_acks(old, 3)
    first.kill()
    at = time.monotonic()
    take_over(start(cases, second), at)
    results = zombies(finish(cases, faults=3), cases, old)
    second.kill()
    return results
