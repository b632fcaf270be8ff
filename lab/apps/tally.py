"""One row of the table while it is played, and what every trial does: bring an application up, examine what it gives back."""

from __future__ import annotations

import collections
import time

from applications import Case, Task


class Tally:
    """One row of the table."""

    def __init__(self, scenario: str, arm: str, label: str):
        self.scenario, self.arm, self.label = scenario, arm, label
        self.faults = self.lost = self.wrong = self.checks = self.broken = self.failed_starts = self.stalled = 0
        self.answer_s: list[float] = []
        self.keeper_s: list[float] = []
        self.wrongly: int | None = None
        self.cases: list[Case] = []
        self.said: collections.Counter[str] = collections.Counter()
        self.verdict = ""  # of the last check of SQLite files that failed
        self.extra: dict[str, object] = {}
        self.notes: list[str] = []

    def reckon(self, found: dict) -> bool:
        """What a check found; True when nothing is lost."""
        self.lost += found["lost"]
        self.wrong += found["wrong"]
        if found["said"]:
            self.said[found["said"]] += 1
        return not (found["lost"] or found["wrong"])

    def intact(self, verdict: str) -> None:
        self.checks += 1
        if verdict != "ok":
            self.broken += 1
            self.verdict = verdict

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
        return {
            "scenario": self.scenario,
            "arm": self.arm,
            "label": self.label,
            "faults": self.faults,
            "acknowledged": sum(len(task.acks) for case in self.cases for task in case.tasks),
            "lost": self.lost,
            "wrong": self.wrong,
            "integrity": self.verdict or "ok",
            "integrity_checks": self.checks,
            "integrity_failures": self.broken,
            "failed_starts": self.failed_starts,
            "stalled": self.stalled,
            "takeover_s": [round(seconds, 1) for seconds in self.answer_s],
            "keeper_s": [round(seconds, 1) for seconds in self.keeper_s],
            "errors": dict(errors),
            "said": dict(self.said),
            "notes": self.notes,
            **({} if self.wrongly is None else {"zombie_acks": self.wrongly}),
            **self.extra,
        }


def say(*words: object) -> None:
    print(time.strftime("%H:%M:%S", time.gmtime()), *words, flush=True)


def host_for(lab, cases: list[Case], name: str = "host"):
    return lab.boot(name, memory=f"{200 + sum(case.memory for case in cases)}M")


def come_up(case: Case, host, tally: Tally, task: Task) -> Task | None:
    """The task that answers. One that ended at its start is an error of the row, and is started again as ECS does; beside
    one that lives and does not answer no second one is started."""
    for attempt in range(5):
        if attempt:
            time.sleep(5)
            task = case.start(host)
        if task.ready():
            return task
        tally.failed_starts += 1
        if not task.ended():
            task.failed("start: lives, and does not answer")
            break
        task.failed(f"start: {task.complaint()}")
    say(case.name, "does not start:", task.tail())
    return None


def examine(case: Case, task: Task | None) -> dict:
    """What the application gives back of everything acknowledged; all of it is lost when there is no application."""
    return case.check(task) if task else {"lost": len(case.acknowledged()), "wrong": 0, "said": "does not start"}
