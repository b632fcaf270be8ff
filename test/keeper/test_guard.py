"""An application in another container of the task: it waits at a gate, and the keeper sees its process."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import KEEPER, alive, eventually, keeper, leave_wal, make_database, rows_of
from test_run import WRITER, acknowledged, due_now

GATE = KEEPER.with_name("gate.sh")


class Application:
    """The other container."""

    def __init__(self, box, *command):
        script = GATE.read_text().replace("sleep 1", "sleep 0.05")
        env = {**os.environ, "KEEPER_LOCAL_DIR": str(box.local)}
        self.process = subprocess.Popen(["bash", "-c", script, "gate", *command], env=env, start_new_session=True)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def guarded(box):
    def start(*command, **more):
        applications.append(Application(box, *command))
        run = box.spawn("guard", **more)
        run.seen("running")
        eventually((box.local / "pid").exists)
        return run

    applications = []
    yield start
    for application in applications:
        application.close()


def pid_of(box):
    return eventually(lambda: int((box.local / "pid").read_text() or 0))


def writer(box):
    return (sys.executable, "-S", "-c", WRITER, str(box.dir / "webui.db"), str(box.path / "acknowledged"), "wal")


def test_the_gate_opens_after_the_takeover(box, guarded):
    rows = leave_wal(box.dir / "webui.db")
    box.hold()
    run = guarded("sh", "-c", f"ls {box.dir}/webui.db-wal > {box.path}/seen 2>&1; exit 0")
    end = run.result()
    assert end.status == 0 and "No such file" in (box.path / "seen").read_text()
    assert end.names().index("takeover") < end.names().index("running")
    assert rows_of(box.dir / "webui.db") == rows and box.state() == "released"


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_of_the_application(box, guarded, status):
    assert guarded("sh", "-c", f"exit {status}").result().status == status
    assert box.state() == ("held" if status else "released")


def test_a_stop_is_passed_on(box, guarded):
    run = guarded("sleep", "60")
    pid = pid_of(box)
    assert run.send(signal.SIGTERM).result().status == 143
    assert not alive(pid) and box.state() == "released"


def test_ecs_stops_the_application_first(box, guarded):
    """It ends by itself, with the status of a stop that the keeper did not ask for: the next start looks at everything."""
    run = guarded("sleep", "60")
    os.kill(pid_of(box), signal.SIGTERM)
    assert run.result().status == 143 and box.state() == "held"


def test_a_stop_before_the_application_came_to_the_gate(box):
    run = box.spawn("guard")
    run.seen("running")
    assert run.send(signal.SIGTERM).result().status == 0
    assert not (box.local / "gate").exists()  # It stays shut: nobody guards any more.


def test_a_killed_keeper_does_not_leave_the_application_unguarded(box, guarded):
    run = guarded("sleep", "60")
    pid = pid_of(box)
    run.send(signal.SIGKILL).result()
    eventually(lambda: not alive(pid))
    assert eventually((box.local / "exit").read_text).strip() == "137" and box.state() == "held"


def test_a_lost_lease_kills_the_application_and_its_children(box, guarded):
    run = guarded("sh", "-c", f"sleep 60 & echo $! > {box.path}/child; wait")
    pids = [pid_of(box), int(eventually(lambda: (box.path / "child").exists() and (box.path / "child").read_text()))]
    os.unlink(box.dir / ".owner")
    assert run.result().status == 70
    for pid in pids:
        eventually(lambda pid=pid: not alive(pid))


def test_a_killed_application(box, guarded):
    run = guarded("sleep", "60")
    os.kill(pid_of(box), signal.SIGKILL)
    assert run.result().status == 137 and box.state() == "held"


def test_an_application_whose_shell_died_with_it(box):
    application = Application(box, "sleep", "60")
    run = box.spawn("guard")
    eventually((box.local / "pid").exists)
    pid = pid_of(box)
    application.process.kill()
    application.process.wait()
    os.kill(pid, signal.SIGKILL)
    assert run.result().status == 137


def test_a_snapshot_stops_all_its_processes(box, guarded):
    run = guarded("sh", "-c", f"{sys.executable} -S -c '{WRITER}' {box.dir}/webui.db {box.path}/acknowledged wal & wait", patch=due_now(50))
    made = run.seen("snapshot")
    assert rows_of(box.dir / "snapshots" / made["id"] / "files" / "webui.db") >= 0
    before = len(acknowledged(box))
    eventually(lambda: len(acknowledged(box)) > before)
    run.send(signal.SIGTERM)
    run.result()


def test_a_pause_that_would_be_too_long_stops_it(box, guarded):
    """Its container ends with it, ECS starts the task again, and that start takes the snapshot."""
    make_database(box.dir / "webui.db")
    run = guarded("sleep", "60", patch=due_now(), KEEPER_MAX_PAUSE="0")
    assert run.result().status == 143 and run.seen("snapshot-restart")
    assert box.state() == "released"


def test_an_application_of_a_former_keeper_is_ended_first(box):
    """The keeper's container died and came back; the application writes on without a lease."""
    application = Application(box, "sleep", "60")
    first = box.spawn("guard")
    pid = pid_of(box) if eventually((box.local / "pid").exists) else 0
    first.send(signal.SIGKILL).result()
    assert alive(pid)
    second = box.spawn("guard")
    second.seen("leased")
    assert not alive(pid)
    second.send(signal.SIGTERM).result()
    application.close()


def test_an_application_that_may_not_be_signalled(box):
    told = []
    guard = keeper.Guarded(str(box.local))
    guard.pid = 1
    kill, keeper.os.kill = keeper.os.kill, lambda *_: (_ for _ in ()).throw(PermissionError())
    log, keeper.log = keeper.log, lambda event, **fields: told.append((event, fields["message"]))
    try:
        guard.terminate()
    finally:
        keeper.os.kill, keeper.log = kill, log
    assert told[0][0] == "powerless" and "same user" in told[0][1]


def test_half_written_files_are_read_again(box):
    guard = keeper.Guarded(str(box.local))
    for content in ("", "\n", "abc"):
        pathlib.Path(box.local, "exit").write_text(content)
        assert guard.poll() is None
    pathlib.Path(box.local, "exit").write_text("7\n")
    assert guard.poll() == 7
    time.sleep(0)
