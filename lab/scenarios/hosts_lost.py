"""The host of the task is lost (kill -9 of its kernel); another host starts the task at once."""

import itertools
import threading
import time

from case import Case
from lab import Lab
from scenarios.common import Hosts, Options, finish, start, take_over, wait_acks


def kill_host(lab: Lab, hosts: Hosts, options: Options) -> list:
    """One loss, under a writer at full speed; beside the two arms SQLite's own locks alone."""
    chance = options.random('kill-host')
    first, second = hosts.take(), hosts.take()
    cases = [Case(lab, arm) for arm in ('keeper', 'plain', 'locks')]
    wait_acks(start(cases, first), 10)
    time.sleep(chance.uniform(0, 2))
    first.kill()
    at = time.monotonic()
    take_over(start(cases, second), at)
    time.sleep(2)
    results = finish(cases, faults=1)
    second.kill()
    return results


def many_kills(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Losses at random moments, in chains: each new owner is the next victim, often before its takeover is done."""
    chains, directories, rounds = (3, 10, 42) if options.long else (1, 5, 3)
    results: list = []
    threads = [
        threading.Thread(target=lambda n=n: results.extend(_chain(lab, hosts, options.random(f'chain-{n}'), directories, rounds)))
        for n in range(chains)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(results) != chains * directories:
        raise RuntimeError('a chain of kills did not come to its end')
    return _merge(results)


def _chain(lab: Lab, hosts: Hosts, chance, directories: int, rounds: int) -> list:
    results = []
    for number in range(0, rounds, 12):
        cases = [Case(lab, 'plain' if index == directories - 1 else 'keeper', RATE=10) for index in range(directories)]
        results.extend(_generation(hosts, chance, cases, min(12, rounds - number)))
    return _sum_by_place(results, directories)


def _generation(hosts: Hosts, chance, cases: list, rounds: int) -> list:
    """Up to twelve losses of the host under the same directories, then the reckoning."""
    host, at = hosts.take(), None
    for number in itertools.count():
        programs = start(cases, host)
        if number == rounds:
            break
        early = at is not None and chance.random() < 0.3
        if early:
            time.sleep(chance.uniform(0.5, 14))  # somewhere in the wait for the lease or in the takeover
        else:
            take_over(programs, at) if at else wait_acks(programs, 1)
            time.sleep(chance.uniform(0, 2))
        following = hosts.take()
        host.kill()
        at = time.monotonic()
        host = following
    take_over(programs, at)
    results = finish(cases, faults=rounds)
    host.kill()
    return results


def _sum_by_place(results: list, directories: int) -> list:
    return [_add(results[index::directories]) for index in range(directories)]


def _merge(results: list) -> list:
    return [_add(group) for arm in ('keeper', 'plain') if (group := [r for r in results if r['arm'] == arm])]


def _add(results: list) -> dict:
    """One row of many: sums, and the first integrity failure."""
    total = dict(results[0])
    for key in ('acknowledged', 'present', 'lost', 'wrong', 'bytes', 'faults'):
        total[key] = sum(result[key] for result in results)
    for key in ('takeover_s', 'exits', 'notes'):
        total[key] = [item for result in results for item in result[key]]
    total['errors'] = {}
    for result in results:
        for message, count in result['errors'].items():
            total['errors'][message] = total['errors'].get(message, 0) + count
    bad = [result['integrity'] for result in results if result['integrity'] != 'ok']
    total['integrity_failures'] = sum(result.get('integrity_failures', result['integrity'] != 'ok') for result in results)
    total['integrity'] = bad[0] if bad else 'ok'
    total['directories'] = sum(result.get('directories', 1) for result in results)
    return total
