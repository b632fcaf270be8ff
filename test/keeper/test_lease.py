"""One owner at a time: the lock, the lease file, the heartbeat."""

import os
import signal
import time

import pytest
from conftest import alive, eventually, keeper, leave_wal, make_database, rows_of

SLEEP = ("run", "--", "sleep", "60")


def test_an_empty_directory_has_no_former_owner(box):
    end = box.fork("run", "--", "true")
    assert end.status == 0 and end.event("leased")["previous"] == "none"
    assert end.names() == ["leased", "running", "exited", "released"]
    assert box.state() == "released"
    assert box.fork("run", "--", "true").event("leased")["previous"] == "released"


def test_data_without_a_lease_file_is_taken_over(box):
    rows = leave_wal(box.dir / "webui.db")
    end = box.fork("run", "--", "true")
    assert end.event("leased")["previous"] == "unknown" and end.event("takeover-store")["store"] == "webui.db"
    assert rows_of(box.dir / "webui.db") == rows


def test_a_second_owner_gives_up_after_the_deadline_and_names_the_first(box):
    first = box.spawn(*SLEEP)
    first.seen("running")
    second = box.fork("run", "--", "touch", str(box.path / "opened"))
    assert second.status == 75 and not (box.path / "opened").exists()
    assert str(first.pid) in second.event("busy")["holder"]
    assert str(box.dir) in second.event("busy")["message"]
    assert second.event("waiting")["holder"] == second.event("busy")["holder"]
    assert first.poll() is None


def test_a_second_owner_gets_in_when_the_first_lets_go(box):
    first = box.spawn(*SLEEP)
    first.seen("running")
    second = box.spawn("run", "--", "true", KEEPER_LEASE_DEADLINE="20")
    second.seen("waiting")
    assert box.phase() in ("waiting", "running")
    first.send(signal.SIGTERM)
    end = second.result()
    assert end.status == 0 and end.event("leased")["previous"] == "released"
    assert end.event("leased")["waited_s"] > 0
    assert first.result().status == 143


def test_a_killed_owner_is_followed_at_once_and_taken_over(box):
    make_database(box.dir / "webui.db")
    first = box.spawn(*SLEEP)
    child = first.seen("running")["pid"]
    first.send(signal.SIGKILL).result()
    eventually(lambda: not alive(child))  # It dies with its keeper.
    assert box.fork("run", "--", "true").event("leased")["previous"] == "held"


def test_status_takes_no_lease(box):
    make_database(box.dir / "webui.db")
    first = box.spawn(*SLEEP)
    first.seen("running")
    end = box.fork("status")
    assert end.status == 0 and '"state": "held"' in end.output and '"webui.db"' in end.output
    time.sleep(0.3)
    assert box.fork("run", "--", "true").status == 75


def test_status_of_a_new_directory(box):
    assert '"lease": null' in box.fork("status").output


# --- the lease file ---


def slots(box):
    fd = os.open(box.dir / ".owner", os.O_RDWR)
    return fd, keeper.Slots(fd, 0, 4096)


@pytest.mark.parametrize("damage", [b"\0" * 4096, b"keeper1 99 10 1\n{}", b"\xff" * 4096, b"keeper1 9 -5 0\n", b"keeper1 x y z\n"])
def test_a_torn_slot_leaves_the_one_before(box, damage):
    box.fork("run", "--", "true")
    fd, lease = slots(box)
    before = lease.read()
    lease.write({**before, "state": "held"})
    os.pwrite(fd, damage, (lease.sequence % 2) * 4096)
    os.close(fd)
    assert box.owner()[0] == before
    assert box.fork("run", "--", "true").event("leased")["previous"] == before["state"]


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0" * 200_000, b"keeper1 1 2 1\n{}" * 9000])
def test_a_lease_file_that_says_nothing_is_a_dead_owner(box, content):
    rows = leave_wal(box.dir / "webui.db")
    (box.dir / ".owner").write_bytes(content)
    end = box.fork("run", "--", "true")
    assert end.status == 0 and end.event("leased")["previous"] == "unknown" and "takeover" in end.names()
    assert rows_of(box.dir / "webui.db") == rows


def test_a_lease_file_replaced_while_waiting_is_locked_anew(box):
    first = box.spawn(*SLEEP, KEEPER_HEARTBEAT_TIMEOUT="60")
    first.seen("running")
    second = box.spawn(*SLEEP, KEEPER_LEASE_DEADLINE="20")
    second.seen("waiting")
    os.unlink(box.dir / ".owner")
    second.seen("running")
    # The first notices within a second or so, and its application dies before it can do harm for long.
    end = first.result()
    assert end.status == 70 and "heartbeat failed" in end.event("lost")["message"]
    assert box.fork("run", "--", "true").status == 75
    assert second.poll() is None


def test_a_lease_file_replaced_while_running_ends_the_application(box):
    first = box.spawn(*SLEEP)
    child = first.seen("running")["pid"]
    os.rename(box.dir / ".owner", box.dir / ".owner.old")
    (box.dir / ".owner").write_bytes((box.dir / ".owner.old").read_bytes())
    end = first.result()
    assert end.status == 70 and "was replaced" in end.event("lost")["message"]
    eventually(lambda: not alive(child))


def test_a_record_that_does_not_fit(box):
    box.fork("run", "--", "true")
    fd, lease = slots(box)
    with pytest.raises(keeper.Quit) as end:
        lease.write({"owner": "x" * 5000})
    os.close(fd)
    assert end.value.status == 74


# --- the heartbeat ---


def beat_with(work):
    """Replaces every write of the lease after the first, which takes it."""

    def patch():
        write = keeper.Slots.write

        def instead(self, record):
            if self.size == 4096 and record.get("beat", 0) > 0:
                work()
            return write(self, record)

        keeper.Slots.write = instead

    return patch


def fail():
    raise OSError(5, "Input/output error")


def test_a_heartbeat_that_fails_kills_the_whole_group(box):
    pids = box.path / "pids"
    first = box.spawn("run", "--", "sh", "-c", f"sleep 60 & echo $! $$ > {pids}; wait", patch=beat_with(fail))
    end = first.result()
    assert end.status == 70 and "Input/output error" in end.event("lost")["message"]
    for pid in pids.read_text().split():
        eventually(lambda pid=pid: not alive(int(pid)))
    assert box.state() == "held"


def test_a_heartbeat_that_hangs_is_noticed_by_the_clock(box):
    first = box.spawn(*SLEEP, patch=beat_with(lambda: time.sleep(60)), KEEPER_HEARTBEAT_TIMEOUT="1.5")
    child = first.seen("running")["pid"]
    start = time.monotonic()
    end = first.result()
    assert end.status == 70 and "no heartbeat" in end.event("lost")["message"]
    assert time.monotonic() - start < 6
    eventually(lambda: not alive(child))


def test_a_release_that_hangs_is_noticed_too(box):
    def patch():
        write = keeper.Slots.write
        keeper.Slots.write = lambda self, record: time.sleep(60) if record.get("state") == "released" else write(self, record)

    assert box.spawn("run", "--", "true", patch=patch, KEEPER_HEARTBEAT_TIMEOUT="1").result().status == 70
    assert box.state() == "held"


def test_a_log_that_nobody_reads_does_not_hold_up_the_end(box):
    def patch():
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(write, True)
        os.dup2(write, 1)
        keeper.log = log_when_lost
        beat_with(fail)()
        globals()["held_open"] = read

    log = keeper.log

    def log_when_lost(event, **fields):
        if event == "lost":
            log(event, **fields)

    assert box.spawn(*SLEEP, patch=patch).result(20).status == 70


def test_a_cut_off_keeper_leaves_its_successors_staging_alone(box):
    box.fork("run", "--", "true")
    newer = box.dir / ".keeper" / "e7" / "takeover" / "webui.db"
    newer.mkdir(parents=True)

    def patch():
        # Its own epoch was chosen before the successor came.
        keeper.Keeper.staged_epochs = lambda self: [1, 7] if self.lease.record else [1]

    assert box.fork("run", "--", "true", patch=patch).status == 0
    assert newer.is_dir()
    assert box.fork("run", "--", "true").event("leased")["epoch"] == 8
    assert not newer.exists()


def test_a_removed_staging_directory_is_not_made_again(box):
    """A cut-off keeper that goes on must not take its successor's WAL into a directory that it has just created."""
    with pytest.raises(FileNotFoundError):
        keeper.make_folders(str(box.dir / ".keeper" / "e1"), "takeover", "webui.db")
    with pytest.raises(FileNotFoundError):
        keeper.copy(__file__, str(box.dir / ".keeper" / "e1" / "copy"))
