"""The lines that the alarms' metric filters read, from a keeper that runs: test/alarms/keeper-lines.jsonl holds one of
each, and test/alarms/log-metrics.test.ts tries the patterns on them.

After a change of the keeper's lines: python test/keeper/test_alarm_lines.py > test/alarms/keeper-lines.jsonl
"""

import json
import pathlib
import shutil
import signal
import socket
import tempfile
import time

from conftest import ROOM, Box, flip, keeper, leave_hot_journal, leave_wal, make_database

LINES = pathlib.Path(__file__).parents[1] / "alarms" / "keeper-lines.jsonl"


def usual_run(box):
    make_database(box.dir / "webui.db")
    yield box.fork("run", "--", "true")


def two_owners(box):
    first = box.spawn("run", "--", "sleep", "60")
    first.seen("running")
    yield box.fork("run", "--", "true")


def owner_without_keeper(box):
    make_database(box.dir / "webui.db")
    box.hold()
    other = keeper.os.open(box.dir / "webui.db", keeper.os.O_RDWR)
    keeper.fcntl.lockf(other, keeper.fcntl.LOCK_EX, 512, 0x40000000, keeper.os.SEEK_SET)
    yield box.fork("run", "--", "true")
    keeper.os.close(other)


def crash(box):
    leave_wal(box.dir / "webui.db")
    box.hold()
    yield box.fork("run", "--", "true")


def damage(box):
    leave_wal(box.dir / "webui.db", 200, 9)
    flip(box.dir / "webui.db", 2 * 4096)
    box.hold()
    yield box.fork("run", "--", "true")


def strays(box):
    leave_wal(box.dir / "webui.db")
    box.hold()
    leave_hot_journal(box.path / "other.db")
    stray = (box.path / "other.db-journal").read_bytes()
    assert box.fork("run", "--", "true", KEEPER_FAIL_AT="fenced-recorded").status == -signal.SIGKILL
    (box.dir / "webui.db-journal").write_bytes(stray)
    yield box.fork("run", "--", "true")


def lost_lease(box):
    first = box.spawn("run", "--", "sleep", "60")
    first.seen("running")
    (box.dir / ".owner").rename(box.dir / ".owner.old")
    yield first.result()


def reports(box):
    """The heartbeat line comes every five minutes: this clock runs 400 times as fast."""
    make_database(box.dir / "webui.db")

    start = time.monotonic()

    def hurry():
        keeper.time = type("Hurry", (), {"__getattr__": lambda self, name: getattr(time, name)})()
        keeper.time.monotonic = lambda: start + (time.monotonic() - start) * 400

    process = box.spawn("run", "--", "sleep", "60", patch=hurry, KEEPER_LEASE_DEADLINE="1000", KEEPER_HEARTBEAT_TIMEOUT="100000")
    process.seen("heartbeat")
    process.send(signal.SIGTERM)
    yield process.result()


SCENARIOS = [usual_run, two_owners, owner_without_keeper, crash, damage, strays, lost_lease, reports]


def lines_of_a_keeper():
    """One line for each event and scenario."""
    found = []
    for scenario in SCENARIOS:
        path = pathlib.Path(tempfile.mkdtemp(prefix="lines-", dir=ROOM))
        box = Box(path)
        try:
            seen = set()
            for result in scenario(box):
                for event in result.events:
                    if event["keeper"] not in seen:
                        seen.add(event["keeper"])
                        text = json.dumps(event).replace(str(box.path), "").replace(f'"{socket.gethostname()}/', '"host/')
                        found.append({"scenario": scenario.__name__, "line": json.loads(text)})
        finally:
            box.close()
            shutil.rmtree(path, ignore_errors=True)
    return found


def shape(entries):
    """Events by scenario with the names and types of their fields: times, paths and durations differ each time."""
    return [
        (e["scenario"], e["line"]["keeper"], sorted((name, type(value).__name__) for name, value in e["line"].items()))
        for e in entries
    ]


def test_the_lines_that_the_alarms_are_tried_on_are_the_keepers():
    written = [json.loads(line) for line in LINES.read_text().splitlines()]
    assert shape(lines_of_a_keeper()) == shape(written)


if __name__ == "__main__":
    for entry in lines_of_a_keeper():
        print(json.dumps(entry))
