"""A task that does not take over: the keeper's fault, or the lab's own, which is no result."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))

import case  # noqa: E402
from lab import LabError  # noqa: E402


class Silent:
    """A task of which nothing is heard but its keeper's first line."""

    lines, exit = [(0.0, '{"keeper": "waiting"}')], None

    def wait_line(self, *_):
        raise TimeoutError


def taken_over(arm, stall):
    server = SimpleNamespace(call=lambda *_: None, ask=lambda op: {"disk_stall": stall}[op])
    its = case.Case(SimpleNamespace(server=server), arm)
    return its, its.taken_over(Silent(), since=0.0, timeout=0.1)


def test_a_keeper_that_never_takes_over_is_a_failure_and_says_where_it_stood():
    its, seconds = taken_over("keeper", stall=0.2)
    assert seconds is None
    assert "no commit of the new owner" in its.notes[0] and "its keeper: waiting" in its.notes[0]


def test_behind_a_disk_that_stood_still_it_is_no_result():
    with pytest.raises(LabError, match="disk stood still for 60 s"):
        taken_over("keeper", stall=60.0)


def test_without_the_keeper_nobody_promised_a_takeover():
    its, seconds = taken_over("plain", stall=60.0)
    assert seconds is None and len(its.notes) == 1
