"""What the scenarios share."""

import concurrent.futures
import dataclasses
import random
import threading
import time

from case import Case
from lab import Guest, Lab, Program


@dataclasses.dataclass
class Options:
    long: bool = False
    seed: int = 1

    def random(self, name: str) -> random.Random:
        return random.Random(f'{self.seed}/{name}')


class Hosts:
    """Client kernels. The next ones boot while the present ones work."""

    def __init__(self, lab: Lab, ahead: int = 2, memory: str = '320M') -> None:
        self.lab, self.ahead, self.memory = lab, ahead, memory
        self._boots = concurrent.futures.ThreadPoolExecutor(max_workers=2)
        self._ready: list = []
        self._number = 0
        self._lock = threading.Lock()

    def _prepare(self) -> None:
        while len(self._ready) < self.ahead:
            self._number += 1
            self._ready.append(self._boots.submit(self.lab.boot, f'h{self._number}-', memory=self.memory))

    def take(self) -> Guest:
        with self._lock:
            self._prepare()
            future = self._ready.pop(0)
            self._prepare()
        return future.result()

    def close(self) -> None:
        with self._lock:
            for future in self._ready:
                future.result().kill()
            self._ready = []


def start(cases: list, guest: Guest, **extra) -> dict:
    return {case: case.start(guest, **extra) for case in cases}


def wait_acks(programs: dict, count: int = 3, timeout: float = 90) -> None:
    for case, program in programs.items():
        case.wait_acks(program, count, timeout)


def take_over(programs: dict, since: float, timeout: float = 90) -> None:
    """Waits for the first commit of each new owner. What has no keeper and does not come back in half a minute, does not."""
    for case, program in programs.items():
        limit = since + (timeout if case.arm == 'keeper' else min(timeout, 30))
        case.taken_over(program, since, max(1.0, limit - time.monotonic()))


def finish(cases: list, **extra) -> list:
    for case in cases:
        case.stop()
    return [{**case.check(), **extra} for case in cases]


def zombies(results: list, cases: list, old: dict) -> list:
    for result, case in zip(results, cases):
        result['zombie_acks'] = case.zombie_acks(old[case])
    return results


def ended(program: Program, timeout: float) -> bool:
    try:
        program.wait(timeout)
        return True
    except TimeoutError:
        return False


def both(lab: Lab, **settings) -> list:
    """One directory with the keeper, and one as Open WebUI opens it by default."""
    return [Case(lab, arm, **settings) for arm in ('keeper', 'plain')]
