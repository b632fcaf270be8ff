"""The zombie: a host is cut off for longer than the lease, another takes over, then the network heals."""

import signal
import time

from case import Case
from lab import LEASE, Lab
from scenarios.common import Hosts, Options, ended, finish, start, take_over, wait_acks, zombies

ALL = [(journal, reopen) for journal in ('wal', 'delete') for reopen in (0, 7)]
SHORT = {'keeper': [('wal', 0), ('delete', 7)], 'keeper frozen': [('wal', 7), ('delete', 0)], 'locks': [('wal', 0)], 'plain': [('wal', 0)]}


def zombie(lab: Lab, hosts: Hosts, options: Options) -> list:
    """Both journal modes; one connection for ever, or connections that are reopened by path. In the cases `frozen` the old
    host's keeper is stopped (SIGSTOP), so that it cannot kill its application: what is left is the fence itself."""
    first, second = hosts.take(), hosts.take()
    cases = []
    for arm in ('keeper', 'keeper frozen', 'locks', 'plain'):
        for journal, reopen in ALL if options.long else SHORT[arm]:
            label = f'{journal}{", reopening" if reopen else ""}{", keeper frozen" if "frozen" in arm else ""}'
            cases.append(Case(lab, arm.split()[0], label, JOURNAL=journal, REOPEN=reopen, RATE=10))
    old = start(cases, first)
    wait_acks(old, 5)
    for case in cases:
        if 'frozen' in case.label:
            old[case].signal(signal.SIGSTOP)
    first.cut()
    at = time.monotonic()
    take_over(start(cases, second), at, 120)
    time.sleep(max(0.0, at + LEASE + 8 - time.monotonic()))
    first.heal()
    healed = time.monotonic()
    # TCP takes up to half a minute to find out; then the zombie has 10 s to do harm
    while time.monotonic() < healed + 45 and not _back(old, healed):
        time.sleep(0.5)
    time.sleep(10)
    for case in cases:
        case.new_owner_at = case.new_owner_at or at
        case.notes.append(f'old task: {"killed by its keeper" if old[case].exit == 70 else old[case].exit}')
        old[case].signal(signal.SIGKILL, group=True)
    for case in cases:
        ended(old[case], 20)
    results = zombies(finish(cases, faults=1), cases, old)
    for host in (first, second):
        host.kill()
    return results


def _back(old: dict, healed: float) -> bool:
    """Whether each old writer has said something, or ended, since the heal."""
    return all(program.exit is not None or (program.lines and program.lines[-1][0] > healed + 0.5) for program in old.values())
