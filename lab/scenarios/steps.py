"""The keeper itself is killed, at each step its source names, in the takeover after a lost host."""

import re
import time

from case import KEEPER, Case
from lab import Lab, LabError
from scenarios.common import Hosts, Options, finish, start, take_over, wait_acks

# Steps of a takeover and start of one database; the short form plays these alone
SHORT = ['sidecar-moved', 'fenced', 'copied-recorded', 'checked', 'swapped', 'old-removed']


def steps() -> list:
    """Every step at which the keeper can be killed, read from its source."""
    source = KEEPER.read_text(encoding='utf-8')
    recorded = re.findall(r'self\.record\((?:step := )?"([a-z-]+)"', source)
    return [*re.findall(r'reached\("([a-z-]+)"\)', source), *(f'{name}-recorded' for name in recorded)]


def keeper_killed(lab: Lab, hosts: Hosts, options: Options) -> list:
    results = []
    names = steps()
    if not options.long:
        missing = set(SHORT) - set(names)
        if missing:
            raise LabError(f'the keeper has no step {missing}')
        names = SHORT
    for at in range(0, len(names), 8):
        results.extend(_kill_at(lab, hosts, names[at : at + 8]))
    return results


def _kill_at(lab: Lab, hosts: Hosts, names: list) -> list:
    first, second = hosts.take(), hosts.take()
    cases = {Case(lab, 'keeper', step, RATE=10): step for step in names}
    wait_acks(start(list(cases), first), 5)
    first.kill()
    at = time.monotonic()
    killed = {case: case.start(second, KEEPER_FAIL_AT=step) for case, step in cases.items()}
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and any(p.exit is None and 'ack ' not in p.text() for p in killed.values()):
        time.sleep(0.5)
    for case, program in killed.items():
        case.notes.append('killed there' if program.exit == -9 else 'step not reached in a takeover')
    new = {case: case.start(second) for case, program in killed.items() if program.exit is not None}
    take_over(new, at)
    results = finish(list(cases), faults=2)
    second.kill()
    return results
