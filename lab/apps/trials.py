"""What happens to the applications: hosts killed, overlaps, clean restarts, fifty users. Hosts cut off: zombies.py."""

from __future__ import annotations

import random
import signal
import time

import openwebui_client
from applications import COMPLAINTS, KINDS, Case, Task
from tally import Tally, come_up, examine, host_for, say


def kills(lab, venvs, options, kind: str, arm: str, seconds: float, together: int = 1, writing: float = 10, fresh: int = 5) -> list[dict]:
    """kill -9 of the host at random moments while clients write. Each of the `together` applications on the host is a
    fault. After `fresh` kills an application is checked a last time and another begins in a new directory, so that the check
    of everything stays short."""
    chance, tally = random.Random(options.seed), Tally("kill-host", arm, kind)
    ages: dict[Case, int] = {}
    cases: list[Case] = []
    killed, end = 0.0, time.monotonic() + seconds
    while True:
        last = time.monotonic() > end and killed > 0
        while len(cases) < together and not last:
            cases.append(KINDS[kind](lab, arm, venvs))
            ages[cases[-1]] = 0
        tally.cases = list(ages)
        host = host_for(lab, cases)
        first = [(case, case.start(host)) for case in cases]
        working = []
        for case, task in first:
            task = come_up(case, host, tally, task)
            if task and ages[case]:
                tally.took_over(task, killed)
            # What is lost is counted once: then the directory is left.
            if tally.reckon(examine(case, task)) and not last and ages[case] < fresh:
                working.append((case, task))
        say(kind, arm, f"faults {tally.faults}, acknowledged {sum(len(t.acks) for c in ages for t in c.tasks)}, lost {tally.lost}")
        if last:
            host.kill()
            return [tally.result()]
        for case, task in working:
            case.work(task)
        for case, task in working:
            if task.wait_acks(3):
                tally.faults += 1
            else:  # Killed and checked like the others, but no fault: hardly anybody wrote.
                tally.stalled += 1
            ages[case] += 1
        time.sleep(chance.uniform(0.5, writing))
        host.kill()
        killed = time.monotonic()
        for case in cases:
            for task in case.tasks:
                task.over.set()
        cases = [case for case, _ in working]
        for case in cases:
            tally.intact(case.integrity())


def stop(task: Task, tally: Tally) -> None:
    """As ECS does: SIGTERM, to the application's container first; it has ECS's usual 30 s, with the construct's settings
    120 s. What has not ended by then is killed with its host."""
    began, limit = time.monotonic(), 120 if task.case.kept else 30
    for program in reversed(task.programs):
        program.signal(signal.SIGTERM)
    try:
        status = task.programs[0].wait(limit)
        tally.notes.append(f"stopped in {time.monotonic() - began:.1f} s with {status}")
    except TimeoutError:
        tally.notes.append(f"still ran {limit} s after SIGTERM")


def restart(lab, venvs, options, kind: str, arm: str, times: int) -> list[dict]:
    """SIGTERM while clients write, then the next host."""
    case, tally = KINDS[kind](lab, arm, venvs), Tally("restart", arm, kind)
    tally.cases.append(case)
    stopped = 0.0
    for number in range(times + 1):
        host = host_for(lab, [case])
        task = come_up(case, host, tally, case.start(host))
        if task and stopped:
            tally.took_over(task, stopped)
        good = tally.reckon(examine(case, task))
        if number < times and good:
            case.work(task)
            if task.wait_acks(15):
                tally.faults += 1
            else:
                tally.stalled += 1
            time.sleep(5)
            stopped = time.monotonic()
            stop(task, tally)
        for each in case.tasks:
            each.over.set()
        host.kill()
        tally.intact(case.integrity())
        if not good:
            break
    return [tally.result()]


def overlap(lab, venvs, options, kind: str, arm: str, seconds: float = 25) -> list[dict]:
    """A second task starts while the first still runs, as in a rolling deployment; then the first gets SIGTERM."""
    case, tally = KINDS[kind](lab, arm, venvs), Tally("overlap", arm, kind)
    tally.cases.append(case)
    tally.faults = 1
    first, second = host_for(lab, [case], "old"), host_for(lab, [case], "new")
    old = come_up(case, first, tally, case.start(first))
    if not old:
        raise RuntimeError(f"{case.name} does not start")
    case.work(old)
    if not old.wait_acks(15):
        raise RuntimeError(f"{case.name} acknowledged {len(old.acks)} operations in 240 s: too few to try it")
    new = case.start(second)
    if case.kept:
        time.sleep(seconds)
        tally.notes.append("the second task waits" if not new.event("running") else "the second task did NOT wait")
    elif new.ready(300):
        # Nothing keeps it: people use both.
        case.work(new)
        time.sleep(seconds)
        tally.notes.append("both tasks ran at once")
    at = time.monotonic()
    stop(old, tally)
    old.over.set()
    if new.ready():
        tally.took_over(new, at)
        if case.kept:
            case.work(new)
            new.wait_acks(10)
    new.over.set()
    tally.wrongly = sum(when > new.event("running")[0] for when, _ in old.acks) if new.event("running") else 0
    for host in (first, second):
        host.kill()
    tally.intact(case.integrity())
    third = host_for(lab, [case], "third")
    tally.reckon(examine(case, come_up(case, third, tally, case.start(third))))
    third.kill()
    return [tally.result()]


def users(lab, venvs, options, number: int, seconds: float) -> list[dict]:
    """Many people at once on the mount: our settings under the keeper beside Open WebUI's defaults. Then SIGTERM, and
    the check of everything on another host."""
    results = []
    for arm in ("keeper", "plain"):
        case, tally = KINDS["open-webui"](lab, arm, venvs), Tally(f"{number} users", arm, "open-webui")
        tally.cases.append(case)
        host = host_for(lab, [case])
        task = come_up(case, host, tally, case.start(host))
        if not task:
            raise RuntimeError(f"{case.name} does not start")
        stats = openwebui_client.Stats(task.failed)
        tally.extra["loads"] = [openwebui_client.write(task.url, openwebui_client.Acks(task.acknowledge), number, seconds, False, stats)]
        stop(task, tally)
        tally.extra["complaints"] = {word: count for word in COMPLAINTS if (count := task.programs[0].text().count(word))}
        task.over.set()
        host.kill()
        tally.intact(case.integrity())
        host = host_for(lab, [case])
        tally.reckon(examine(case, come_up(case, host, tally, case.start(host))))
        host.kill()
        results.append(tally.result())
    return results
