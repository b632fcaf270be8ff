"""What happens to the applications: hosts killed, hosts cut off that come back, overlaps, clean restarts, fifty users."""

from __future__ import annotations

import collections
import random
import signal
import time

import openwebui_client
from applications import KINDS, Case, Task

LEASE_AND_MORE = 18  # the lab's lease of 10 s, and 8 s


class Tally:
    """One row of the table."""

    def __init__(self, scenario: str, arm: str, label: str):
        self.scenario, self.arm, self.label = scenario, arm, label
        self.faults = self.lost = self.wrong = self.checks = self.broken = 0
        self.answer_s: list[float] = []
        self.keeper_s: list[float] = []
        self.wrongly: int | None = None
        self.cases: list[Case] = []
        self.said: collections.Counter[str] = collections.Counter()
        self.integrity = "ok"
        self.extra: dict[str, object] = {}
        self.notes: list[str] = []

    def reckon(self, found: dict) -> bool:
        """What a check found; True when nothing is lost."""
        self.lost += found["lost"]
        self.wrong += found["wrong"]
        if found["said"]:
            self.said[found["said"]] += 1
        return not (found["lost"] or found["wrong"])

    def intact(self, verdict: str) -> bool:
        self.checks += 1
        if verdict != "ok":
            self.broken += 1
            self.integrity = f"{self.broken} of {self.checks} checks failed: {verdict}"
        return verdict == "ok"

    def took_over(self, task: Task, since: float) -> None:
        self.answer_s.append(task.ready_at - since)
        running = task.event("running")
        if running:
            self.keeper_s.append(running[0] - since)

    def result(self) -> dict:
        errors: collections.Counter[str] = collections.Counter()
        for case in self.cases:
            for task in case.tasks:
                errors.update(task.errors)
        notes = list(self.notes)
        if self.keeper_s:
            ordered = sorted(self.keeper_s)
            notes.append(f"lease and takeover {ordered[len(ordered) // 2]:.1f} s (max {ordered[-1]:.1f}), the rest is the application's start")
        notes += [f"{count} x {what}" for what, count in self.said.items()]
        return {
            "scenario": self.scenario,
            "arm": self.arm,
            "label": self.label,
            "faults": self.faults,
            "acknowledged": sum(len(task.acks) for case in self.cases for task in case.tasks),
            "lost": self.lost,
            "wrong": self.wrong,
            "integrity": self.integrity,
            "integrity_checks": self.checks,
            "integrity_failures": self.broken,
            "takeover_s": [round(seconds, 1) for seconds in self.answer_s],
            "keeper_s": [round(seconds, 1) for seconds in self.keeper_s],
            "errors": dict(errors),
            "notes": notes,
            **({} if self.wrongly is None else {"zombie_acks": self.wrongly}),
            **self.extra,
        }


def say(*words: object) -> None:
    print(time.strftime("%H:%M:%S", time.gmtime()), *words, flush=True)


def host_for(lab, cases: list[Case], name: str = "host"):
    return lab.boot(name, memory=f"{200 + sum(case.memory for case in cases)}M")


def kills(lab, venvs, options, kind: str, arm: str, seconds: float, together: int = 1, writing: float = 10, fresh: int = 5) -> list[dict]:
    """kill -9 of the host at random moments while clients write. Each of the `together` applications on the host is a
    fault. Every `fresh` rounds an application gets a new directory, so that the check of everything stays short."""
    chance, tally = random.Random(options.seed), Tally("kill-host", arm, kind)
    cases: list[Case] = []
    ages: dict[Case, int] = {}
    killed, end, last = 0.0, time.monotonic() + seconds, False
    while True:
        while len(cases) < together and not last:
            cases.append(KINDS[kind](lab, arm, venvs))
            tally.cases.append(cases[-1])
            ages[cases[-1]] = 0
        host = host_for(lab, cases)
        tasks = [case.start(host) for case in cases]
        good = []
        for number, case in enumerate(cases):
            task = tasks[number]
            ready = task.ready()
            for _ in range(4):
                if ready:
                    break
                # As ECS does with a task that ended: once more.
                tally.said["a task ended at its start and was started again"] += 1
                time.sleep(5)
                task = tasks[number] = case.start(host)
                ready = task.ready()
            found = case.check(task) if ready else {"lost": len(case.acknowledged()), "wrong": 0, "said": "does not start"}
            if not ready:
                say(kind, arm, "does not start:", task.tail())
            elif ages[case]:
                tally.took_over(task, killed)
            if tally.reckon(found):
                good.append((case, task))
            ages[case] += 1
        say(kind, arm, f"faults {tally.faults}, acknowledged {sum(len(t.acks) for c in tally.cases for t in c.tasks)}, lost {tally.lost}")
        if last:
            break
        for case, task in good:
            case.work(task)
        good = [(case, task) for case, task in good if task.wait_acks(3)]
        time.sleep(chance.uniform(0.5, writing))
        host.kill()
        killed = time.monotonic()
        for task in tasks:
            task.over.set()
        tally.faults += len(good)
        cases = [case for case, _ in good if tally.intact(case.integrity())]
        last = time.monotonic() > end
        if not last:
            # A lost one is counted once; an old one has been checked often enough.
            cases = [case for case in cases if ages[case] < fresh]
        if not cases and last:
            break
    host.kill()
    return [tally.result()]


def zombie(lab, venvs, options, kind: str, arms: list[str]) -> list[dict]:
    """The host is cut off, another takes over, the network heals. Clients reach both hosts all the time."""
    cases = [KINDS[kind](lab, arm, venvs) for arm in arms]
    first, second = host_for(lab, cases, "old"), host_for(lab, cases, "new")
    old = {case: case.start(first) for case in cases}
    for case, task in old.items():
        if not task.ready():
            raise RuntimeError(f"{case.name} does not start: {task.tail()}")
        case.work(task)
    for task in old.values():
        task.wait_acks(5)
    for case, task in old.items():
        if case.arm in ("frozen", "no-shim"):
            task.programs[0].signal(signal.SIGSTOP)
    first.cut()
    at = time.monotonic()
    new = {case: case.start(second) for case in cases}
    tallies = {}
    for case, task in new.items():
        named = {"frozen": ("keeper", f"{kind}, keeper frozen"), "no-shim": ("no shim", f"{kind}, keeper frozen")}
        tally = tallies[case] = Tally("zombie", *named.get(case.arm, (case.arm, kind)))
        tally.cases.append(case)
        tally.faults = 1
        if task.ready(240):
            tally.took_over(task, at)
            case.work(task)
        else:
            tally.notes.append(f"the new task did not come up while the old host was cut off: {task.tail()[-80:]}")
    time.sleep(max(0.0, at + LEASE_AND_MORE - time.monotonic()))
    first.heal()
    say(kind, "healed after", round(time.monotonic() - at, 1))
    time.sleep(options.after_heal)
    for case, task in new.items():
        tally = tallies[case]
        running = task.event("running")
        since = running[0] if running else getattr(task, "ready_at", time.monotonic())
        tally.wrongly = sum(when > since for when, _ in old[case].acks)
        exits = [program.exit for program in old[case].programs]
        tally.notes.append(f"old task: {'killed by its keeper' if exits[0] == 70 else f'exit {exits}'}")
        tally.extra["old_task_errors"] = dict(old[case].errors)
        tally.extra["old_task_exits"] = exits
    for host in (first, second):
        host.kill()
    for task in [*old.values(), *new.values()]:
        task.over.set()
    third = host_for(lab, cases, "third")
    last = {case: case.start(third) for case in cases if tallies[case].intact(case.integrity())}
    for case, tally in tallies.items():
        if case not in last:
            tally.reckon({"lost": len(case.acknowledged()), "wrong": 0, "said": "damaged"})
        elif last[case].ready():
            tally.reckon(case.check(last[case]))
        else:
            tally.reckon({"lost": len(case.acknowledged()), "wrong": 0, "said": "does not start"})
    third.kill()
    return [tally.result() for tally in tallies.values()]


def stop(task: Task, tally: Tally) -> None:
    """As ECS does: SIGTERM, to the application's container first."""
    began = time.monotonic()
    for program in reversed(task.programs):
        program.signal(signal.SIGTERM)
    status = task.programs[0].wait(150)
    tally.notes.append(f"stopped in {time.monotonic() - began:.1f} s with {status}")


def restart(lab, venvs, options, kind: str, arm: str, times: int) -> list[dict]:
    """SIGTERM while clients write, then the next host."""
    case, tally = KINDS[kind](lab, arm, venvs), Tally("restart", arm, kind)
    tally.cases.append(case)
    stopped = 0.0
    for number in range(times + 1):
        host = host_for(lab, [case])
        task = case.start(host)
        if not task.ready():
            raise RuntimeError(f"{case.name} does not start: {task.tail()}")
        if stopped:
            tally.took_over(task, stopped)
            tally.reckon(case.check(task))
        if number < times:
            case.work(task)
            task.wait_acks(15)
            time.sleep(5)
            tally.faults += 1
            stopped = time.monotonic()
            stop(task, tally)
        task.over.set()
        host.kill()
        tally.intact(case.integrity())
    return [tally.result()]


def overlap(lab, venvs, options, kind: str, arm: str, seconds: float = 25) -> list[dict]:
    """A second task starts while the first still runs, as in a rolling deployment; then the first gets SIGTERM."""
    case, tally = KINDS[kind](lab, arm, venvs), Tally("overlap", arm, kind)
    tally.cases.append(case)
    tally.faults = 1
    first, second = host_for(lab, [case], "old"), host_for(lab, [case], "new")
    old = case.start(first)
    if not old.ready():
        raise RuntimeError(f"{case.name} does not start: {old.tail()}")
    case.work(old)
    old.wait_acks(15)
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
    task = case.start(third)
    ready = task.ready()
    tally.reckon(case.check(task) if ready else {"lost": len(case.acknowledged()), "wrong": 0, "said": f"does not start: {task.tail()[-60:]}"})
    third.kill()
    return [tally.result()]


COMPLAINTS = ("database is locked", "QueuePool limit", "disk I/O error", "malformed")


def users(lab, venvs, options, number: int, seconds: float) -> list[dict]:
    """Many people at once on the mount: our settings under the keeper beside Open WebUI's defaults. Then SIGTERM, and
    the check of everything on another host."""
    results = []
    for arm in ("keeper", "plain"):
        case, tally = KINDS["open-webui"](lab, arm, venvs), Tally(f"{number} users", arm, "open-webui")
        tally.cases.append(case)
        host = host_for(lab, [case])
        task = case.start(host)
        if not task.ready():
            raise RuntimeError(f"{case.name} does not start: {task.tail()}")
        stats = openwebui_client.Stats(task.failed)
        tally.extra["load"] = openwebui_client.write(task.url, openwebui_client.Acks(task.acknowledge), number, seconds, False, stats)
        stop(task, tally)
        tally.extra["complaints"] = {word: count for word in COMPLAINTS if (count := task.programs[0].text().count(word))}
        tally.notes += [f"{count} x {word} in the log" for word, count in tally.extra["complaints"].items()]
        new_chat = tally.extra["load"].get("latency_ms", {}).get("new chat", {})
        tally.notes.append(f"{tally.extra['load'].get('per_second')} requests/s, new chat p50 {new_chat.get('p50')} p99 {new_chat.get('p99')} ms")
        task.over.set()
        host.kill()
        tally.intact(case.integrity())
        host = host_for(lab, [case])
        task = case.start(host)
        tally.reckon(case.check(task) if task.ready() else {"lost": len(case.acknowledged()), "wrong": 0, "said": "does not start"})
        host.kill()
        results.append(tally.result())
    return results
