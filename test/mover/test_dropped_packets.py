"""Packets that vanish: nobody says no, nobody says anything. Each time the end comes within the limit, names the host and
the way out, and leaves the source as it was and the lease free; and once the network passes packets again, so does the move.

The limits are shortened by their settings (MOVER_SILENCE, DATA_LAYER_DEADLINE); what is held is that they are kept."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import ROOT, Case, chat, make_server, message, new_home, user
from network import THERE, network

ENTRY = ROOT / "lib" / "stores" / "entry.py"
SILENCE = 10
# TCP looks at its clock at each retransmission only, and those are up to twice as far apart each time.
LATE = 2 * SILENCE + 5
MANY = [user(1), chat(1, "u1"), *[message(number, "c1", '"' + "x" * 8000 + f'{number}"') for number in range(4000)]]


@pytest.fixture(scope="module")
def far(server, templates):
    """PostgreSQL on another host, with the tables that Open WebUI made on this one."""
    with network() as between:
        home, postgres = new_home(), None
        try:
            postgres = make_server(home, inside=tuple(between.inside(between.there)), address=THERE)
            postgres.sql("CREATE DATABASE template_webui OWNER openwebui")
            tables = f"{home}/tables"
            server.run(str(server.bin / "pg_dump"), "-h", server.home, "-p", str(server.port), "-f", f"{server.home}/tables", "template_webui")
            shutil.copyfile(f"{server.home}/tables", tables)
            psql = (str(postgres.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", home, "-p", str(postgres.port), "-d", "template_webui")
            postgres.run(*psql, "-f", tables)
            yield between, postgres
        finally:
            between.heal()
            if postgres:
                postgres.stop()
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def source(far, python, templates, tmp_path):
    between, postgres = far
    between.heal()
    made = Case(postgres, python, templates, tmp_path)
    made.inside = tuple(between.inside(between.here))
    made.fill(*MANY)
    before = hashlib.sha256(made.path.read_bytes()).hexdigest()
    made.network = between
    yield made
    between.heal()
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == before
    postgres.sql(f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)")


def left_alone(case):
    """The application may start on SQLite as before."""
    assert "migrated" not in case.owner() and case.owner()["lease"]["state"] == "released"
    assert case.marker() == ""


def says_what_to_do(said, case):
    assert f"{THERE}:{case.server.port}/{case.database}" in said and "security group" in said, said


def copying(case, words="COPY%FROM STDIN%"):
    """Waits until the server has taken some of a copy, and returns the session's process."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        pid = case.sql(f"SELECT p.pid FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid) WHERE a.query LIKE '{words}' AND bytes_processed > 2000000")
        if pid:
            return int(pid)
        time.sleep(0.02)
    raise AssertionError("no copy was seen under way: the moment says nothing")


def ended(process, within):
    """Its last event's message, its status, and the seconds it took from now."""
    begun = time.monotonic()
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"still waiting after {within} s: {process.communicate()[0][-2000:]}") from None
    events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return events[-1].get("message", ""), process.returncode, time.monotonic() - begun


def test_a_host_that_drops_every_packet(source):
    source.network.drop()
    said, status, seconds = ended(source.start(), 60)
    assert status == 69 and "does not answer" in said and "timeout" in said
    says_what_to_do(said, source)
    assert 14 < seconds < 45
    source.network.heal()
    left_alone(source)


@pytest.mark.parametrize("phase", ["copying", "comparing"])
def test_packets_dropped_in_the_middle_of_copy(source, phase):
    """As the mover sends, and as it reads back: the one waits for room to send, the other for anything to come."""
    process = source.start(MOVER_SILENCE=str(SILENCE))
    session = copying(source, {"copying": "COPY%FROM STDIN%", "comparing": "COPY%TO STDOUT%"}[phase])
    source.network.drop()
    said, status, seconds = ended(process, LATE)
    assert status == 74 and "Nothing was committed and the source is as it was" in said and "Run the same command again" in said
    says_what_to_do(said, source)
    assert seconds >= SILENCE - 3
    # The server gives its half up too, and with it the locks that the next attempt needs; nobody has to look for it.
    for _ in range(LATE):
        if not source.sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {session}"):
            break
        time.sleep(1)
    else:
        raise AssertionError("the server still holds the session of a mover that is gone")
    left_alone(source)
    assert source.rows("chat_message") == 0
    source.network.heal()
    source.move()
    assert source.rows("chat_message") == 4000 and source.marker() == "migrated"


def test_a_server_that_stands_still_in_the_middle_of_copy(source):
    """Its host still acknowledges packets, the server takes none: a disk that hangs, a machine that is paused."""
    process = source.start(MOVER_SILENCE=str(SILENCE))
    session = copying(source)
    os.kill(session, signal.SIGSTOP)
    try:
        said, status, seconds = ended(process, LATE)
    finally:
        os.kill(session, signal.SIGCONT)
    assert status == 74 and "Nothing was committed and the source is as it was" in said
    says_what_to_do(said, source)
    assert seconds >= SILENCE - 3
    left_alone(source)
    source.move()
    assert source.rows("chat_message") == 4000


def test_packets_dropped_on_the_way_back(source):
    source.move()
    kept = source.owner()["migrated"]
    process = source.start("--back", MOVER_SILENCE=str(SILENCE))
    copying(source, "COPY%TO STDOUT%")
    source.network.drop()
    said, status, _ = ended(process, LATE)
    assert status == 74 and "Run the same command again" in said
    says_what_to_do(said, source)
    assert source.owner()["migrated"] == kept and source.owner()["lease"]["state"] == "released"
    source.network.heal()
    assert source.marker() == "migrated" and source.rows("chat_message") == 4000


def test_packets_dropped_while_open_webui_makes_its_tables(source):
    """That is Open WebUI's own connection, in a process of its own: it gets the same limits."""
    source.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION openwebui")
    process = source.start(MOVER_SILENCE=str(SILENCE))
    for _ in range(3000):
        if source.sql("SELECT 1 FROM pg_tables WHERE tablename = 'alembic_version'"):
            break
        time.sleep(0.02)
    source.network.drop()
    said, status, _ = ended(process, 3 * LATE)
    assert status in (74, 78), said
    source.network.heal()
    left_alone(source)


class Starting:
    """entry.py as the task definition has it, on the near host."""

    def __init__(self, case, deadline, **more):
        self.begun = time.monotonic()
        environment = case.environment(DATA_LAYER_DIR=str(case.folder), DATA_LAYER_PHASE="cutover", DATA_LAYER_DEADLINE=str(deadline), **more)
        command = [*case.inside, case.python, "-c", ENTRY.read_text(), "echo", "APPLICATION-RUNS"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def refused(self, within):
        out, err = self.process.communicate(timeout=within)
        self.seconds = time.monotonic() - self.begun
        assert self.process.returncode == 69 and "APPLICATION-RUNS" not in out, out + err
        return json.loads(out.splitlines()[-1])["message"]


def test_the_start_before_a_host_that_drops_every_packet(source):
    source.network.drop()
    start = Starting(source, 6)
    said = start.refused(30)
    assert f"{THERE}:{source.server.port} did not answer in time" in said and "security group" in said
    # With time for Python to start.
    assert 6 <= start.seconds < 6 + 18


def test_the_start_whose_connection_goes_dead(source):
    """It waits for the task that makes the schema, and the network is gone meanwhile."""
    psql = subprocess.Popen(
        [str(source.server.bin / "psql"), "-X", "-q", "-h", source.server.home, "-p", str(source.server.port), "-U", "postgres", source.database],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        psql.stdin.write("SELECT pg_advisory_lock(4017220621);\n\\echo locked\n")
        psql.stdin.flush()
        while psql.stdout.readline() != "locked\n":
            pass
        start = Starting(source, SILENCE)
        for _ in range(400):
            if source.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'efs-data-layer' AND wait_event = 'advisory'"):
                break
            time.sleep(0.05)
        source.network.drop()
        said = start.refused(LATE)
    finally:
        psql.terminate()
        psql.wait()
    assert f"{THERE}:{source.server.port} went away while it was asked" in said and "both directions" in said
