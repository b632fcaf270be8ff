"""What the commands of the lab end with."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))

import outcome  # noqa: E402

GOOD = {"scenario": "s", "arm": "keeper", "label": "", "lost": 0, "integrity": "ok", "wrong": 0, "notes": [], "acknowledged": 3}
LOST = {**GOOD, "lost": 1}
NO_END = outcome.failed("s", "TimeoutError: it did not")
NO_KERNEL = outcome.no_lab("s", OSError("not granted"))
NAMES = ["a", "b", "c"]


@pytest.mark.parametrize(
    "results, names, status",
    [
        ([GOOD, GOOD], NAMES, 0),
        ([GOOD, LOST], NAMES, 1),
        ([GOOD, LOST, NO_END], NAMES, 1),
        ([GOOD, NO_END], NAMES, outcome.INCOMPLETE),
        ([NO_END, NO_END, NO_END], NAMES, 1),
        ([NO_END], ["a"], 1),
        ([NO_KERNEL, NO_KERNEL], NAMES, outcome.CANNOT_RUN),
        ([GOOD, NO_KERNEL], NAMES, outcome.INCOMPLETE),
    ],
)
def test_the_exit_status(results, names, status):
    assert outcome.status(results, names) == status


@pytest.mark.parametrize("first, tries", [([GOOD], 0), ([LOST], 0), ([NO_KERNEL], 0), ([NO_END], 1)])
def test_only_what_came_to_no_end_is_played_again(first, tries):
    played = []

    def play():
        played.append(1)
        return [GOOD]

    results = outcome.twice(first, play)
    assert len(played) == tries
    assert results == ([{**GOOD, "notes": ["second try"]}] if tries else first)
