"""The reckoning of the trials with real applications, without a kernel: nothing is dropped, hidden or added up by hand."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

LAB = Path(__file__).resolve().parents[2] / "lab"
sys.path[:0] = [str(LAB / "apps"), str(LAB)]

import applications  # noqa: E402
import page  # noqa: E402
import tally  # noqa: E402
import trials  # noqa: E402


class Program:
    def __init__(self, host, text=""):
        self.lines, self.exit, self.said = [], None, text
        host.programs.append(self)

    def text(self):
        return self.said


class Host:
    control_address = "127.0.0.1"

    def __init__(self):
        self.programs = []

    def kill(self):
        for program in self.programs:
            program.exit = program.exit if program.exit is not None else -9


class Lab:
    server = SimpleNamespace(call=lambda *_: None)

    def boot(self, *_, **__):
        return Host()


class Fake(applications.Case):
    """Acknowledges `acks` operations as soon as it works; `starts`: what each start does."""

    kind = "fake"

    def launch(self, task):
        what = next(self.starts, "answers")
        program = Program(task.host, "sqlite3.OperationalError: database is locked" if what == "ends" else "")
        program.exit = 1 if what == "ends" else None
        program.answers = what == "answers"
        return [program]

    def answers(self, task):
        return task.programs[0].answers

    def work(self, task):
        for number in range(self.acks):
            task.acknowledge("operation", number)

    def check(self, task):
        self.checked = len(self.acknowledged())
        return {"lost": 0, "wrong": 0, "said": ""}

    def integrity(self):
        return "ok"


class Clock:
    """Sleeping takes no time."""

    now = 1000.0

    def sleep(self, seconds):
        self.now += seconds

    def monotonic(self):
        self.now += 0.001
        return self.now

    gmtime, strftime = staticmethod(time.gmtime), staticmethod(time.strftime)


@pytest.fixture
def play(monkeypatch):
    """Kills for `seconds`; returns the row and the cases."""
    cases = []

    class Played(Fake):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            cases.append(self)

    def run(seconds=1.0, acks=3, starts=(), fresh=5):
        clock = Clock()
        for module in (trials, tally, applications):
            monkeypatch.setattr(module, "time", clock)
        Played.acks, Played.starts = acks, iter(starts)
        monkeypatch.setitem(trials.KINDS, "fake", Played)
        return trials.kills(Lab(), Path("/"), SimpleNamespace(seed=1), "fake", "plain", seconds, fresh=fresh)[0], cases

    return run


def test_the_last_kill_of_a_directory_is_checked_by_the_application_too(play):
    row, cases = play(seconds=60, fresh=2)
    assert row["faults"] == row["integrity_checks"] >= 6
    assert len(cases) >= 3
    assert [case.checked for case in cases] == [len(case.acknowledged()) for case in cases]
    assert sum(case.checked for case in cases) == row["acknowledged"] == 3 * row["faults"]


def test_who_acknowledges_too_little_is_checked_and_counted_apart(play):
    row, cases = play(acks=2)
    assert (row["faults"], row["stalled"], row["acknowledged"]) == (0, 1, 2)
    assert cases[0].checked == 2


def test_a_start_that_fails_is_an_error_of_the_row(play):
    row, cases = play(starts=["answers", "ends", "ends"])
    assert row["errors"] == {"start: database is locked": 2}
    assert (row["failed_starts"], row["lost"], cases[0].checked) == (2, 0, 3)


def test_no_second_task_is_started_beside_a_living_one(play):
    row, cases = play(starts=["answers", "hangs"])
    assert len(cases[0].tasks) == 2
    assert row["errors"] == {"start: lives, and does not answer": 1}
    assert (row["lost"], row["said"]) == (3, {"does not start": 1})


def test_runs_are_added_up_and_written_between_the_marks(play, tmp_path):
    row, _ = play(starts=["answers", "ends"])
    row["played"] = [{"at": "2026-11-25T10:00Z", "seed": 1, "versions": "x 1"}]
    target = tmp_path / "results.json"
    target.with_suffix(".md").write_text(f"Before\n\n{page.BEGIN}\nold\n{page.END}\n\nAfter\n")
    page.write(target, page.add([row, row, {**row, "arm": "keeper"}]))
    text = target.with_suffix(".md").read_text()
    assert text.startswith("Before\n") and text.endswith("After\n") and "old" not in text
    assert "| kill-host (fake) | plain  | 2      | 6 " in text
    assert "2 x start: database is locked" in text
    rows = page.json.loads(target.read_text())
    assert [(each["faults"], each["failed_starts"], len(each["takeover_s"])) for each in rows] == [(2, 2, 2), (1, 1, 1)]
    assert row["faults"] == 1


def test_a_vector_that_search_does_not_find_is_wrong(monkeypatch):
    found = {"missing": 0, "missing_ids": [], "wrong": 0, "not_nearest": 2, "queried": 3}
    monkeypatch.setattr(applications.chroma_client, "check", lambda *_: found)
    case = applications.ChromaServer(Lab(), "plain", Path("/"))
    task = SimpleNamespace(url="", acks=[(0, ("a",)), (0, ("b",)), (0, ("c",))])
    case.tasks.append(task)
    assert case.check(task) == {"lost": 0, "wrong": 2, "said": "2 of 3 not found by search", "missing": []}
