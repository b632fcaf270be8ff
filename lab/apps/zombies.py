"""A host that is cut off while its application runs, and comes back when another has taken over."""

from __future__ import annotations

import collections
import signal
import time

from applications import KINDS, Case, Task
from tally import Tally, come_up, examine, host_for, say

LEASE_AND_MORE = 18  # the lab's lease of 10 s, and 8 s
# The keeper promises for as long as it runs. With it stopped (SIGSTOP of that one process, which no partition does) what
# holds is the fence alone: a row of its own, that says what it holds and what not.
NAMED = {"frozen": ("fence alone", ", keeper stopped"), "no-shim": ("no shim", ", keeper stopped")}


def zombie(lab, venvs, options, kind: str, arms: list[str]) -> list[dict]:
    """The host is cut off, another takes over, the network heals. Clients reach both hosts all the time."""
    cases = [KINDS[kind](lab, arm, venvs) for arm in arms]
    first, second = host_for(lab, cases, "old"), host_for(lab, cases, "new")
    tallies: dict[Case, Tally] = {}
    for case in cases:
        arm, more = NAMED.get(case.arm, (case.arm, ""))
        tallies[case] = Tally("zombie", arm, kind + more)
        tallies[case].cases.append(case)
    begun = {case: case.start(first) for case in cases}
    old = {case: come_up(case, first, tallies[case], task) for case, task in begun.items()}
    if missing := [case.name for case, task in old.items() if not task]:
        raise RuntimeError(f"{', '.join(missing)} does not start")
    for case, task in old.items():
        case.work(task)
    for case, task in old.items():
        if not task.wait_acks(5):
            raise RuntimeError(f"{case.name} acknowledged {len(task.acks)} operations in 240 s: too few to try it")
        tallies[case].faults = 1
    for case, task in old.items():
        if case.arm in ("frozen", "no-shim"):
            task.programs[0].signal(signal.SIGSTOP)
    first.cut()
    at = time.monotonic()
    new = {case: case.start(second) for case in cases}
    for case, task in new.items():
        if task.ready(240):
            tallies[case].took_over(task, at)
            case.work(task)
        else:
            tallies[case].notes.append(f"the new task did not come up while the old host was cut off: {task.complaint()}")
    time.sleep(max(0.0, at + LEASE_AND_MORE - time.monotonic()))
    first.heal()
    healed = time.monotonic()
    say(kind, "healed after", round(healed - at, 1))
    time.sleep(options.after_heal)
    wrongly = {case: count_wrongly(tallies[case], old[case], new[case], healed) for case in cases}
    for host in (first, second):
        host.kill()
    for task in [*old.values(), *new.values()]:
        task.over.set()
    for case in cases:
        tallies[case].intact(case.integrity())
    third = host_for(lab, cases, "third")
    begun = {case: case.start(third) for case in cases}
    for case, task in begun.items():
        found = examine(case, come_up(case, third, tallies[case], task))
        tallies[case].reckon(found)
        missing = [record for record in wrongly[case] if record in found.get("missing", ())]
        if wrongly[case]:
            tallies[case].extra["zombie_acks_lost"] = len(missing) if "missing" in found else None
    third.kill()
    return [tally.result() for tally in tallies.values()]


def count_wrongly(tally: Tally, old: Task, new: Task, healed: float) -> list:
    """What the old host acknowledged after another had taken over: since the keeper says that its application runs, or,
    without a keeper, since the new application answered, which is later. Also what all arms have in common: since it answered."""
    running, answered = new.event("running"), getattr(new, "ready_at", time.monotonic())
    since = running[0] if running else answered
    records = [(when, record) for when, record in old.acks if when > since]
    tally.wrongly = len(records)
    tally.extra["zombie_acks_since_answer"] = sum(when > answered for when, _ in old.acks)
    kinds = collections.Counter(str(record[0]) if len(record) > 1 else "record" for _, record in records)
    tally.extra["zombie_kinds"] = dict(kinds)
    for when, record in records[:20]:
        what = record[0] if len(record) > 1 else "record"
        tally.notes.append(f"{what} acknowledged {when - since:.1f} s after the takeover, {when - healed:+.1f} s from the heal, {when - answered:+.1f} s from the new one's first answer")
    exits = [program.exit for program in old.programs]
    tally.notes.append(f"old task: {'killed by its keeper' if exits[0] == 70 else 'lived on' if exits[0] is None else f'exit {exits}'}")
    tally.extra["old_task_errors"] = dict(old.errors)
    return [record for _, record in records]
