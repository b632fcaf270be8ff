"""The keeper: one owner at a time for a directory of SQLite databases on EFS.

usage:
  keeper.py run [--] COMMAND...     take the lease, make the files safe, run COMMAND as the one writer
  keeper.py guard                   the same for a process in another container of the task (shared PID namespace)
  keeper.py status                  who owns the directory, what is stored, what is damaged (JSON; takes no lease)
  keeper.py snapshots list          verified copies on the volume
  keeper.py snapshots verify [ID]   read one (or all) again and check it
  keeper.py snapshots take          make one now; the application must be stopped
  keeper.py snapshots restore ID    put the present files aside and the snapshot in their place; application stopped
  keeper.py snapshots release ID    let a kept snapshot grow old like any other
  keeper.py bring-back SOURCE       make snapshots from a tree that AWS Backup restored elsewhere on the file system

environment (default):
  KEEPER_DIR                 the directory on the volume; required
  KEEPER_STORES (*)          comma separated names in it: webui.db is a database, chroma/ a directory; * is everything
  KEEPER_LEASE_DEADLINE (240)    seconds to wait for the lease
  KEEPER_HEARTBEAT_TIMEOUT (60)  seconds without a successful heartbeat until the application is killed
  KEEPER_STOP_TIMEOUT (110)      seconds the application gets after SIGTERM
  KEEPER_SNAPSHOT_AT (15:00)     UTC time of the daily snapshot while the application runs; empty: none
  KEEPER_MAX_PAUSE (10)      seconds; a snapshot that would pause the application longer restarts it instead
  KEEPER_MIGRATIONS          the image's Alembic versions directory: an image that does not know the schema is refused
  KEEPER_IMAGE               the image's digest (default: from the ECS task metadata); the first start of another one
                             keeps a snapshot until it is released by hand
  KEEPER_LOCAL_DIR (/tmp/keeper) local, not on the volume: `phase` (waiting takeover snapshot running stopping), and
                             with guard `gate`, `pid` and `exit`
  KEEPER_EXCLUSIVE (1)       0: SQLite files that a Python application opens by plain path are not opened exclusively
  KEEPER_METRICS             1: events carry CloudWatch embedded metrics
  KEEPER_FAIL_AT             tests only: the step at which the keeper kills itself

exit status:
  the application's own (128 + signal) · 64 usage · 65 a store failed its check, it is set aside and never opened ·
  70 the lease was lost · 71 a fault of the keeper · 74 the volume failed or is full · 75 another owner holds the lease · 78 refused: the image is
  older than the schema, or the store was migrated away

In KEEPER_DIR the keeper owns .owner, .keeper/, snapshots/ and set-aside/. It deletes nothing of which no verified copy
stays, and each of its steps can be killed: the next start goes on where it ended.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
import zlib

import chroma

USAGE, DAMAGED, LOST, FAULT, IO, BUSY, REFUSED = 64, 65, 70, 71, 74, 75, 78

OWN_NAMES = {".owner", ".keeper", "snapshots", "set-aside"}
SIDECARS = ("-wal", "-journal")
SQLITE_MAGIC = b"SQLite format 3\0"
# How a WAL (in either byte order) and a rollback journal begin (sqlite.org/fileformat.html).
HOT = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
# The bytes every SQLite VFS locks (sqlite.org/lockingv3.html: PENDING, RESERVED, SHARED from 1 GiB on).
SQLITE_LOCK = (0x40000000, 512)
CHUNK = 1 << 20
# Dirty data is flushed this often, so that the heartbeat's fsync never queues behind minutes of a slow volume.
FLUSH_EVERY = 8 * CHUNK
KEEP_LAST, KEEP_DAYS = 3, 7
SPARE_BYTES = 64 << 20
MANY_STORES = 400
# What status holds against the triggers of an upgrade: people in Open WebUI's table (0.12; seconds, or nothing is said of
# who was active), records in Chroma's. No count is worth waiting for.
PEOPLE = (
    "SELECT count(*) AS users, CASE WHEN max(last_active_at) < :now + 86400"
    " THEN sum(last_active_at > :now - 30 * 86400) END AS active_users_30d FROM user"
)
RECORDS = "SELECT count(*) AS embeddings FROM embeddings WHERE segment_id IN (SELECT id FROM segments)"
COUNT_SECONDS = 5


class Quit(Exception):
    """Ends the keeper with a status, after one event that says what to do."""

    def __init__(self, status: int, event: str, message: str, **fields: object):
        super().__init__(message)
        self.status, self.event, self.message, self.fields = status, event, message, fields


class Damage(Exception):
    """A copy failed its check."""


# --- events ---------------------------------------------------------------------------------------------------------

METRICS = {
    "waited_s": "Seconds", "takeover_s": "Seconds", "copy_s": "Seconds", "pause_s": "Seconds",
    "heartbeat_s": "Seconds", "snapshot_age_s": "Seconds", "database_bytes": "Bytes", "wal_bytes": "Bytes",
}  # fmt: skip


def utc() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")


def log(event: str, **fields: object) -> None:
    line = {"keeper": event, "at": utc(), **fields}
    names = [name for name in fields if name in METRICS]
    if names and os.environ.get("KEEPER_METRICS") == "1":
        line["Workload"] = os.path.basename(os.environ.get("KEEPER_DIR", "").rstrip("/"))
        line["_aws"] = {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [{
                "Namespace": "efs-data-layer", "Dimensions": [["Workload"]],
                "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in names],
            }],
        }  # fmt: skip
    try:
        # One write, without Python's buffer and its lock: threads and signal handlers log too.
        os.write(1, (json.dumps(line) + "\n").encode())
    except OSError:
        pass  # Nobody reads the log any more: no reason to stop guarding the files.


def reached(step: str) -> None:
    """Every place at which a crash was thought about passes here, so that the tests can crash it there."""
    if os.environ.get("KEEPER_FAIL_AT") == step:
        os.kill(os.getpid(), signal.SIGKILL)


# --- files ----------------------------------------------------------------------------------------------------------


def sync_dir(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# The databases that we hold SQLite's lock of, by path. While we do, each is read through this one descriptor: closing
# any other of the same file, in the same process, would drop the lock (POSIX).
locked: dict[str, int] = {}


def unlock(path: str) -> None:
    os.close(locked.pop(path))


def first_bytes(path: str) -> bytes:
    """Of a regular file; nothing of anything else."""
    if path in locked:
        return os.pread(locked[path], 16, 0)
    if os.path.islink(path) or not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read(16)


def is_sqlite(path: str) -> bool:
    return first_bytes(path) == SQLITE_MAGIC


def is_hot(path: str) -> bool:
    """Something of a database's last commits, or of the way back from them, is in this WAL or journal."""
    return first_bytes(path).startswith(HOT)


def is_sidecar(path: str) -> bool:
    """A WAL, journal or shared-memory file beside a database; not any file that is called so."""
    for suffix in (*SIDECARS, "-shm"):
        if path.endswith(suffix):
            base = path[: -len(suffix)]
            return os.path.exists(base) and (is_sqlite(base) or is_hot(path))
    return False


# Set by the first SIGTERM while the application runs: whatever the keeper copies or checks then is not worth waiting for.
stopping = threading.Event()


def chunks_of(path: str):
    fd = locked.get(path, -1)
    fd = os.open(path, os.O_RDONLY) if fd < 0 else fd
    try:
        offset = 0
        while True:
            data = os.pread(fd, CHUNK, offset)
            if not data:
                return
            if stopping.is_set():
                raise InterruptedError(errno.EINTR, "asked to stop")
            offset += len(data)
            if offset % FLUSH_EVERY == 0:
                # The next reads arrive while the copy of these is flushed.
                os.posix_fadvise(fd, offset, FLUSH_EVERY, os.POSIX_FADV_WILLNEED)
            yield data
    finally:
        if locked.get(path) != fd:
            os.close(fd)


def digest(path: str) -> str:
    sha = hashlib.sha256()
    for data in chunks_of(path):
        sha.update(data)
    return sha.hexdigest()


def keep_attributes(was: os.stat_result, target) -> None:
    os.chmod(target, stat.S_IMODE(was.st_mode))
    try:
        os.chown(target, was.st_uid, was.st_gid)
    except PermissionError:
        pass  # Not root: then the files belong to whom we run as, or to the access point's user.
    os.utime(target, ns=(was.st_atime_ns, was.st_mtime_ns))


def copy(source: str, target: str, sha=None) -> int:
    """Copies a file with its attributes, or a symbolic link as such, fsyncs it, and returns its bytes; `sha` is fed with
    what was read. The directory must exist: see Keeper.work()."""
    if os.path.islink(source):
        if os.path.lexists(target):
            os.unlink(target)
        os.symlink(os.readlink(source), target)
        return 0
    size, dirty = 0, 0
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for data in chunks_of(source):
            if sha:
                sha.update(data)
            size += len(data)
            dirty += len(data)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if dirty >= FLUSH_EVERY:
                os.fdatasync(fd)
                dirty = 0
        keep_attributes(os.stat(source), fd)
        os.fsync(fd)
    finally:
        os.close(fd)
    return size


def describe(path: str, known: dict) -> dict:
    """What a snapshot's manifest says of a file. `known`: digests of files as they were, see state_of()."""
    if os.path.islink(path):
        return {"link": os.readlink(path)}
    told = {"bytes": os.path.getsize(path), "sha256": known.get(state_of(path)) or digest(path)}
    return {**told, "database": True} if is_sqlite(path) else told


def state_of(path: str) -> tuple:
    """Changes when somebody writes to the file."""
    now = os.lstat(path)
    return now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


def verify_copy(target: str, sha) -> None:
    if not os.path.islink(target) and digest(target) != sha.hexdigest():
        raise OSError(errno.EIO, f"{target} does not read back as it was written")


def copy_verified(source: str, target: str) -> int:
    sha = hashlib.sha256()
    size = copy(source, target, sha)
    verify_copy(target, sha)
    return size


def files_below(path: str) -> list[str]:
    """Every regular file and symbolic link below a directory, as relative paths. `.nfs…` is what the NFS client keeps
    of a file that was removed while it was open."""
    found = []
    for top, folders, names in os.walk(path):
        for name in [*folders, *names]:
            full = os.path.join(top, name)
            if not name.startswith(".nfs") and (os.path.islink(full) or os.path.isfile(full)):
                found.append(os.path.relpath(full, path))
    return sorted(found)


def make_folders(top: str, *below: str) -> str:
    """Creates directories one by one below `top`, never `top` itself: once another owner has removed our staging
    directory, it must stay away. See Keeper.work()."""
    for part in os.path.join(*below).split(os.sep):
        top = os.path.join(top, part)
        if not os.path.isdir(top):
            os.mkdir(top)
    return top


def copy_folders(source: str, target: str) -> None:
    """The same directories, empty. `target` exists."""
    for top, _, _ in os.walk(source):
        new = os.path.normpath(os.path.join(target, os.path.relpath(top, source)))
        if not os.path.isdir(new):
            os.mkdir(new)
        keep_attributes(os.stat(top), new)


def move_files(source: str, target: str) -> None:
    """Moves every file of a tree by its own rename, into directories that nobody else has a handle of. Nothing that is
    there already is replaced."""
    copy_folders(source, target)
    for name in files_below(source):
        new, number = os.path.join(target, name), 0
        while os.path.lexists(new):
            number += 1
            new = os.path.join(target, f"{name}.{number}")
        os.rename(os.path.join(source, name), new)
    remove_tree(source)


def sync_tree(path: str) -> None:
    for top, _, _ in os.walk(path, topdown=False):
        sync_dir(top)


def remove_tree(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        shutil.rmtree(path)  # A second try says what is wrong.


def free_bytes(path: str) -> int:
    volume = os.statvfs(path)
    return volume.f_bavail * volume.f_frsize


def open_sqlite(path: str) -> sqlite3.Connection:
    """unix-excl: one exclusive lock for the process, no shared-memory file on the volume."""
    quoted = urllib.request.pathname2url(path)
    return sqlite3.connect(f"file:{quoted}?vfs=unix-excl", uri=True, isolation_level=None, timeout=10)


def journal_of(path: str) -> str:
    """The journal a database keeps, by the read version in its header (sqlite.org/fileformat.html)."""
    try:
        with open(path, "rb") as file:
            return {b"\x01": "rollback", b"\x02": "wal"}.get(file.read(20)[19:], "none")
    except FileNotFoundError:
        return "none"


def filesystem_of(path: str) -> str:
    """What is mounted there: nfs4 on EFS."""
    device = os.stat(path).st_dev
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            own, _, source = line.partition(" - ")
            if own.split()[2] == f"{os.major(device)}:{os.minor(device)}":
                return source.split()[0]
    return "unknown"


def check_sqlite(path: str) -> None:
    """Recovers a database that nobody has open, folds its WAL in, and checks it. Raises Damage."""
    name = os.path.basename(path)
    try:
        connection = open_sqlite(path)
        # Python runs signal handlers between two of its own steps only; a check of gigabytes is one step without this.
        connection.set_progress_handler(lambda: stopping.is_set(), 100_000)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if re.search("full|I/O|locked|unable to open|readonly|interrupted", str(error)):
            # The volume's trouble, not the file's.
            raise OSError(errno.ENOSPC if "full" in str(error) else errno.EIO, f"{path}: {error}") from error
        # A collation, function or module of the application's own: what needs it cannot be checked here.
        log("check-partial", file=name, message=f"{name} was read and recovered, but its check ended early: {error}.")
        problems = ["ok"]
    except sqlite3.DatabaseError as error:
        raise Damage(f"{name}: {error}") from error
    if problems != ["ok"]:
        raise Damage(f"{name}: {'; '.join(problems)}")
    for suffix in SIDECARS:
        if is_hot(path + suffix):
            raise OSError(errno.EIO, f"{path}: its WAL or journal was not folded in")
        if os.path.exists(path + suffix):
            os.unlink(path + suffix)  # What journal_mode=PERSIST or TRUNCATE leaves.


def try_lock(fd: int, start: int, length: int) -> bool:
    """An exclusive POSIX lock, or False when another process has it."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        return True
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return False


# --- the lease ------------------------------------------------------------------------------------------------------


class Slots:
    """A small JSON record in two checksummed slots of the lease file, so that a torn write leaves the one before."""

    def __init__(self, fd: int, offset: int, size: int):
        self.fd, self.offset, self.size, self.sequence = fd, offset, size, 0

    def read(self) -> dict | None:
        best = None
        for slot in (0, 1):
            raw = os.pread(self.fd, self.size, self.offset + slot * self.size)
            head, _, rest = raw.partition(b"\n")
            try:
                mark, sequence, length, crc = head.split()
                body = rest[: int(length)]
                if mark == b"keeper1" and zlib.crc32(body) == int(crc) and (not best or int(sequence) > best[0]):
                    best = (int(sequence), json.loads(body))
            except ValueError:
                continue
        if not best:
            return None
        self.sequence = best[0]
        return best[1]

    def write(self, record: dict) -> None:
        self.sequence += 1
        body = json.dumps(record).encode()
        head = f"keeper1 {self.sequence} {len(body)} {zlib.crc32(body)}\n".encode()
        block = (head + body).ljust(self.size - 1) + b"\n"
        if len(block) != self.size:
            raise Quit(IO, "refused", f"the record is too large for the lease file ({len(body)} bytes)")
        if os.pwrite(self.fd, block, self.offset + (self.sequence % 2) * self.size) != self.size:
            raise OSError(errno.ENOSPC, "the lease file was written in part")
        os.fsync(self.fd)


class Lease:
    """`.owner`: an exclusive byte-range lock, and through its descriptor alone the lease record (who, since when, held
    or released), the heartbeat and the journal of finished steps. After a lost lock the kernel fails every write
    through that descriptor (EIO), which is how a cut-off owner learns of it."""

    LOCK_OFFSET = 1 << 20

    def __init__(self, directory: str, heartbeat_timeout: float):
        self.path = os.path.join(directory, ".owner")
        self.heartbeat_timeout = heartbeat_timeout
        self.on_lost = lambda: None
        self.record: dict = {}
        self.mutex = threading.Lock()
        self.slowest, self.lost = 0.0, False
        self.stopped = threading.Event()
        self._open()

    def _open(self) -> None:
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o640)
        self.lease, self.steps = Slots(self.fd, 0, 4096), Slots(self.fd, 8192, 65536)

    def acquire(self, deadline_s: float) -> float:
        """Waits for the lock; returns the seconds waited."""
        start, told = time.monotonic(), 0.0
        while True:
            if try_lock(self.fd, self.LOCK_OFFSET, 1):
                if os.path.exists(self.path) and os.stat(self.path).st_ino == os.fstat(self.fd).st_ino:
                    break
                os.close(self.fd)  # The file was replaced while we waited: the lock would guard nothing.
                self._open()
                continue
            waited = time.monotonic() - start
            if waited >= deadline_s:
                raise Quit(
                    BUSY, "busy",
                    f"Another owner holds {self.path} and did not let go within {deadline_s:.0f} s. Stop the other "
                    "task, or wait until its host is gone: a dead host's lease runs out by itself.",
                    holder=self.peek(), waited_s=round(waited, 1),
                )  # fmt: skip
            if waited >= told:
                log("waiting", waited_s=round(waited, 1), holder=self.peek())
                told = waited + 15
            time.sleep(0.25)
        self.inode = os.fstat(self.fd).st_ino
        self.previous = self.lease.read()
        journal = self.steps.read()
        self.journal, self.journal_lost = journal or {}, journal is None
        return time.monotonic() - start

    def peek(self) -> str | None:
        return (Slots(self.fd, 0, 4096).read() or {}).get("owner")

    def hold(self, owner: str, epoch: int) -> None:
        """Writes that we hold it, and starts the heartbeat."""
        self.record = {"epoch": epoch, "state": "held", "owner": owner, "since": utc(), "beat": 0}
        self._write(self.lease, self.record)
        self.last = time.monotonic()
        threading.Thread(target=self._beat, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _write(self, slots: Slots, record: dict) -> None:
        with self.mutex:
            slots.write(record)

    def save(self) -> None:
        """Records finished steps."""
        self._write(self.steps, self.journal)

    def _beat(self) -> None:
        while not self.stopped.wait(1.0):
            start = time.monotonic()
            try:
                with self.mutex:
                    if self.stopped.is_set():
                        return
                    self.record["beat"] += 1
                    self.lease.write(self.record)
                    # Removed or replaced by hand: the next owner would lock another file, and get in beside us.
                    if os.stat(self.path).st_ino != self.inode:
                        raise OSError(errno.ESTALE, f"{self.path} was replaced")
            except OSError as error:
                self._lose(f"the heartbeat failed: {error}")
            self.last = time.monotonic()
            self.slowest = max(self.slowest, self.last - start)

    def _watch(self) -> None:
        # Apart from the writer, and by the monotonic clock: while the host is cut off the write hangs for ever.
        while not self.stopped.wait(0.5):
            silent = time.monotonic() - self.last
            if silent > self.heartbeat_timeout:
                self._lose(f"no heartbeat reached the volume for {silent:.0f} s")

    def _lose(self, why: str) -> None:
        self.lost = True
        self.on_lost()
        # A log that nobody takes, as on a host that is cut off, must not hold up the end.
        end = threading.Timer(2, os._exit, [LOST])
        end.daemon = True
        end.start()
        log("lost", message=f"Lease lost, the application was killed: {why}.", epoch=self.record["epoch"])
        os._exit(LOST)

    def release(self, clean: bool) -> None:
        while self.lost:
            time.sleep(1)  # It is _lose() that killed the application, and that ends us.
        with self.mutex:
            if clean:
                # Still watched: on a host that is cut off this write would hang for ever.
                self.last = time.monotonic()
                self.lease.write({**self.record, "state": "released"})
            self.stopped.set()
        os.close(self.fd)


# --- stores ---------------------------------------------------------------------------------------------------------


class Store:
    """A database with its sidecars, or a directory, in KEEPER_DIR."""

    def __init__(self, root: str, name: str, declared: bool = False):
        """`declared`: its owner said by name that this is a database."""
        self.root, self.is_dir, self.declared = root, name.endswith("/"), declared
        self.name = name.rstrip("/")
        self.key = self.name + ("/" if self.is_dir else "")
        self.live = os.path.join(root, self.name)
        self.snapshots = os.path.join(root, "snapshots", self.name)

    def base(self) -> str:
        """The directory that relative names start from."""
        return self.live if self.is_dir else self.root

    def files(self) -> list[str]:
        """Its files, relative to base(); without shared-memory files, which recovery makes anew."""
        if self.is_dir:
            return [f for f in files_below(self.live) if not (f.endswith("-shm") and is_sidecar(f"{self.live}/{f}"))]
        found = [self.name + s for s in ("", *SIDECARS) if os.path.isfile(self.live + s)]
        return found if self.declared else [f for f in found if f == self.name or is_sidecar(os.path.join(self.root, f))]

    def sidecars(self) -> list[str]:
        """Its WALs and journals, also those of a database that is itself missing."""
        if not self.is_dir:
            return [f for f in self.files() if f != self.name]
        return [f for f in self.files() if is_sidecar(os.path.join(self.live, f))]

    def bytes(self, names=None) -> int:
        total = 0
        for name in self.files() if names is None else names:
            try:
                total += os.lstat(os.path.join(self.base(), name)).st_size
            except FileNotFoundError:
                pass  # A running application creates and removes journals all the time.
        return total

    def fingerprint(self) -> str:
        """Changes when any file does."""
        seen = []
        for name in self.files():
            is_now = os.lstat(os.path.join(self.base(), name))
            seen.append(f"{name} {is_now.st_size} {is_now.st_mtime_ns}")
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def store_names(text: str) -> list[str]:
    """Of KEEPER_STORES. The directory itself is looked at under the lease only: an NFS client believes for up to a minute
    what it saw before."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        plain = name.rstrip("/")
        if not plain or "/" in plain or plain in OWN_NAMES or plain in (".", ".."):
            raise Quit(USAGE, "usage", f"KEEPER_STORES: {name!r} is not a name in the directory. Write webui.db or chroma/.")
    if len({name.rstrip("/") for name in names}) < len(names) or not names:
        raise Quit(USAGE, "usage", f"KEEPER_STORES is {text!r}. Name each store once.")
    return names


def parse_stores(root: str, text: str) -> list[Store]:
    if text != "*":
        for name in store_names(text):
            path = os.path.join(root, name.rstrip("/"))
            if os.path.islink(path) or (os.path.lexists(path) and os.path.isdir(path) != name.endswith("/")):
                kind = "a symbolic link" if os.path.islink(path) else "a directory" if os.path.isdir(path) else "a file"
                raise Quit(
                    USAGE, "usage",
                    f"KEEPER_STORES names {name!r}, but {path} is {kind}. A directory ends with a slash, a database does "
                    "not, and either lies in KEEPER_DIR itself.",
                )  # fmt: skip
        return [Store(root, name, declared=not name.endswith("/")) for name in store_names(text)]
    found = []
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if entry.name in OWN_NAMES or entry.name.startswith(".nfs") or entry.is_symlink() or is_sidecar(entry.path):
            continue
        found.append(Store(root, entry.name + ("/" if entry.is_dir() else "")))
    if len(found) > MANY_STORES:
        raise Quit(
            USAGE, "usage",
            f"{root} has {len(found)} entries, too many to keep a record of each. Name the databases and directories to "
            "guard in KEEPER_STORES.",
        )  # fmt: skip
    return found


def chroma_stores(store: Store, tree: str = "") -> list[str]:
    """The directories with a Chroma store in a directory store or a copy of it: itself, or one level below."""
    top = tree or store.live
    if not store.is_dir or not os.path.isdir(top):
        return []
    below = [entry.name for entry in os.scandir(top) if entry.is_dir(follow_symlinks=False)]
    return [folder for folder in ["", *sorted(below)] if chroma.is_chroma(os.path.join(top, folder))]


def counts(store: Store, tree: str) -> dict[str, int]:
    """What PEOPLE and RECORDS find in a copy; nothing where the schema is another or the time is up. Never raises."""
    asked = [(os.path.join(folder, chroma.DATABASE), RECORDS) for folder in chroma_stores(store, tree)]
    if not store.is_dir and is_sqlite(os.path.join(tree, store.name)):
        asked = [(store.name, PEOPLE)]
    now, end, found = int(time.time()), time.monotonic() + COUNT_SECONDS, {}
    try:
        for name, question in asked:
            with contextlib.closing(open_sqlite(os.path.join(tree, name))) as db:
                db.row_factory = sqlite3.Row
                db.set_progress_handler(lambda: stopping.is_set() or time.monotonic() > end, 100_000)
                row = dict(db.execute(question, {"now": now}).fetchone())
                found.update({key: found.get(key, 0) + number for key, number in row.items() if number is not None})
    except sqlite3.Error:
        return {}
    return found


def drop_indexes(tree: str, folder: str, indexes: list[str]) -> list[str]:
    """Removes indexes whose vectors are all in the queue from a store that nobody has open."""
    directory = os.path.join(tree, folder)
    chroma.forget_indexes(directory, indexes)
    for index in indexes:
        if os.path.isdir(os.path.join(directory, index)):
            remove_tree(os.path.join(directory, index))
    return [os.path.join(folder, index, "") for index in indexes]


class Keeper:
    """The protocol: lease, takeover, snapshots, run, release."""

    def __init__(self, environment):
        self.env = environment
        self.root = environment.get("KEEPER_DIR", "").rstrip("/")
        if not os.path.isdir(self.root):
            raise Quit(USAGE, "usage", f"KEEPER_DIR is {self.root!r}, which is no directory. Set it to the mount path.")
        self.stores_text = environment.get("KEEPER_STORES") or "*"
        if self.stores_text != "*":
            store_names(self.stores_text)
        self.deadline = self.number("KEEPER_LEASE_DEADLINE", 240)
        self.stop_timeout = self.number("KEEPER_STOP_TIMEOUT", 110)
        self.max_pause = self.number("KEEPER_MAX_PAUSE", 10)
        self.snapshot_at = self.clock("KEEPER_SNAPSHOT_AT", "15:00")
        self.local = environment.get("KEEPER_LOCAL_DIR", "/tmp/keeper")
        self.copy_speed = 50.0 * (1 << 20)  # bytes per second, until one was measured
        self.lease: Lease | None = None
        self.child = self.restored = None
        self.settled = False
        self.started: set[str] = set()  # Chroma stores whose first start is over
        self.image: str | None = None

    def number(self, name: str, default: float) -> float:
        text = self.env.get(name) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise Quit(USAGE, "usage", f"{name} is {text!r}. Set it to a number of seconds such as {default}.")
        return value

    def clock(self, name: str, default: str) -> tuple[int, int] | None:
        text = self.env.get(name, default)
        if not text:
            return None
        match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
        if not match:
            raise Quit(USAGE, "usage", f"{name} is {text!r}. Set it to a UTC time such as {default}, or leave it empty.")
        return int(match[1]), int(match[2])

    def stores(self) -> list[Store]:
        """Those that are configured; a directory's content changes while the application runs."""
        return parse_stores(self.root, self.stores_text)

    def phase(self, word: str) -> None:
        temporary = os.path.join(self.local, "phase.new")
        try:
            os.makedirs(self.local, exist_ok=True)
            with open(temporary, "w") as file:
                file.write(word)
            os.replace(temporary, os.path.join(self.local, "phase"))
        except OSError as error:
            if word != "waiting":
                return  # The health check misses a word; the files are guarded all the same.
            raise Quit(USAGE, "usage", f"KEEPER_LOCAL_DIR is {self.local!r}, which cannot be written: {error}.") from None

    # -- lease --

    def task(self) -> dict:
        """The task's ARN and the image's digest, from ECS; empty elsewhere."""
        uri = self.env.get("ECS_CONTAINER_METADATA_URI_V4")
        if not uri:
            return {}
        try:
            # Without the proxies of the environment: the address is the host's own.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(uri, timeout=2) as answer:
                container = json.load(answer)
            labels = container.get("Labels") or {}
            return {"task": labels.get("com.amazonaws.ecs.task-arn"), "image": container.get("ImageID")}
        except (OSError, ValueError, AttributeError):
            return {}

    def take_lease(self) -> None:
        task = self.task()
        self.image = self.env.get("KEEPER_IMAGE") or task.get("image")
        self.lease = Lease(self.root, self.number("KEEPER_HEARTBEAT_TIMEOUT", 60))
        waited = self.lease.acquire(self.deadline)
        previous = self.lease.previous
        # A file that says nothing readable is treated like a dead owner: the expensive way is the safe one.
        self.previous = previous["state"] if previous else "unknown" if self.stores_exist() else "none"
        # Above every staging directory too, in case the lease file was removed: see adopt_work().
        epoch = max([(previous or {}).get("epoch", 0), *self.staged_epochs()]) + 1
        self.lease.hold(task.get("task") or f"{socket.gethostname()}/{os.getpid()}", epoch)
        reached("leased")
        self.adopt_work()
        log("leased", waited_s=round(waited, 2), previous=self.previous, epoch=self.lease.record["epoch"])

    def stores_exist(self) -> bool:
        return any(store.files() for store in self.stores())

    @property
    def journal(self) -> dict:
        return self.lease.journal

    def work(self, *names: str) -> str:
        """A path in the staging directory of this epoch. Live names change only by a rename out of it or into it. So a
        rename that a cut-off owner sent and its kernel repeats after the heal finds no such directory, and fails."""
        return os.path.join(self.root, ".keeper", f"e{self.lease.record['epoch']}", *names)

    def staged_epochs(self) -> list[int]:
        top = os.path.join(self.root, ".keeper")
        names = os.listdir(top) if os.path.isdir(top) else []
        return sorted(int(name[1:]) for name in names if re.fullmatch(r"e\d+", name))

    def adopt_work(self) -> None:
        """Takes what an unfinished takeover or restore had staged into our own directory, and removes the old ones."""
        top = os.path.join(self.root, ".keeper")
        os.makedirs(self.work(), exist_ok=True)
        mine = self.lease.record["epoch"]
        for epoch in [e for e in self.staged_epochs() if e < mine]:  # A cut-off owner must not remove its successor's.
            path = os.path.join(top, f"e{epoch}")
            for kind in ("takeover", "restore", "aside"):
                wanted = kind == "aside" or self.journal.get(kind) or (kind == "takeover" and self.lease.journal_lost)
                if wanted and os.path.isdir(os.path.join(path, kind)):
                    move_files(os.path.join(path, kind), make_folders(self.work(), kind))
            sync_tree(top)
            remove_tree(path)
        if self.lease.journal_lost and os.path.isdir(self.work("takeover")):
            # The lease file, and the journal with it, was removed or destroyed. The first step of a takeover can be done
            # again at any point of it.
            for name in os.listdir(self.work("takeover")):
                is_dir = os.path.isdir(self.work("takeover", name, "old")) or os.path.isdir(os.path.join(self.root, name))
                self.journal.setdefault("takeover", {})[name + ("/" if is_dir else "")] = "begun"
            self.lease.save()
        # What is on its way to set-aside/ goes on by itself when the journal tells where.
        told = [*self.journal.get("damaged", {}), self.journal.get("restore", {}).get("key", "")]
        aside = self.work("aside")
        for name in os.listdir(aside) if os.path.isdir(aside) else []:
            if name not in [key.rstrip("/") for key in told]:
                move_files(os.path.join(aside, name), make_folders(self.root, "set-aside", f"{utc()}-{name}"))
        sync_tree(top)
        reached("work-adopted")

    def stores_and(self, keys) -> list[Store]:
        """The stores, and those that only the journal still names: half-way through a swap a store has no live name."""
        stores = self.stores()
        present = {store.key for store in stores}
        return stores + [Store(self.root, key) for key in keys if key not in present]

    def record(self, step: str, store: Store) -> None:
        self.journal.setdefault("takeover", {})[store.key] = step
        self.lease.save()
        reached(f"{step}-recorded")

    # -- takeover --

    def take_over(self) -> None:
        """Gives every store to us alone. Only needed when the last owner did not say that it stopped."""
        steps = self.journal.setdefault("takeover", {})
        if self.previous not in ("held", "unknown") and not steps:
            return
        self.phase("takeover")
        start = time.monotonic()
        reached("takeover-begun")
        for store in self.stores_and(list(steps)):
            if steps.get(store.key) != "done" and (store.files() or store.key in steps):
                self.take_over_store(store)
        steps.clear()
        self.lease.save()
        remove_tree(self.work("takeover"))
        self.remove_forgotten()
        log("takeover", takeover_s=round(time.monotonic() - start, 2), previous=self.previous)
        reached("takeover-ended")

    def remove_forgotten(self) -> None:
        """`.nfs…` files of a host that died are removed files whose removal it could not finish: they take space, and a
        cut-off owner can still write to them."""
        for entry in os.scandir(self.root):
            if entry.name.startswith(".nfs"):
                try:
                    os.unlink(entry.path)
                except OSError:
                    pass  # Still open on our own host.

    def take_over_store(self, store: Store) -> None:
        start, copied = time.monotonic(), 0
        stage = self.work("takeover", store.name)
        step = self.journal["takeover"].get(store.key)
        try:
            if step not in ("checked", "swapped"):  # After the swap the live files are new ones.
                self.lock_databases(store)
            if step is None:
                remove_tree(stage)
                self.record(step := "begun", store)
            if step == "begun":
                self.fence_sidecars(store, stage)
                self.record(step := "fenced", store)
            if step == "fenced":
                copied = self.stage_files(store, stage)
                copy_seconds = time.monotonic() - start
                self.measured(copied, copy_seconds)
                self.record(step := "copied", store)
            if step == "copied":
                self.check_stage(store, stage)
                self.record(step := "checked", store)
            if step == "checked":
                self.swap(store, stage)
                self.record(step := "swapped", store)
            if step == "swapped":
                self.remove_old(store, stage)
                self.record("done", store)
        finally:
            for path in list(locked):
                unlock(path)
        timing = {"copy_s": round(copy_seconds, 2)} if copied else {}
        seconds = round(time.monotonic() - start, 2)
        log("takeover-store", store=store.name, bytes=copied, integrity="ok", seconds=seconds, **timing)

    def lock_databases(self, store: Store) -> None:
        """Takes SQLite's own lock on each database, so that no other connection commits into a file that is being
        copied. A living owner shows here even if its lease file was deleted."""
        paths = [os.path.join(store.base(), name) for name in store.files()]
        end = time.monotonic() + self.deadline
        for path in filter(is_sqlite, paths):
            locked[path] = os.open(path, os.O_RDWR)
            while not try_lock(locked[path], *SQLITE_LOCK):
                if time.monotonic() > end:
                    raise Quit(BUSY, "busy", f"A process without a keeper has {path} open. Stop it.")
                time.sleep(0.25)

    def measured(self, size: int, seconds: float) -> None:
        if size > FLUSH_EVERY:
            self.copy_speed = max(size / max(seconds, 0.001), 1 << 20)

    def fence_sidecars(self, store: Store, stage: str) -> None:
        """Removes WALs and journals first. A cut-off owner keeps appending to its WAL, whose lock nobody checks; with the
        inode gone its next write fails (ESTALE) instead of being acknowledged and lost. Each is moved to fenced/, copied
        to sidecars/ and unlinked. So a name that is in sidecars/ is done: what bears it outside is not the owner's."""
        for part in ("fenced", "sidecars", "copy"):
            make_folders(self.work(), "takeover", store.name, part)
        old = os.path.join(stage, "old")
        if os.path.exists(old) and os.path.exists(store.live):
            remove_tree(old)  # The journal was lost after the swap,
        elif os.path.exists(old):
            os.rename(old, store.live)  # or in the middle of it.
        fenced, saved = os.path.join(stage, "fenced"), os.path.join(stage, "sidecars")
        for name in sorted({*store.sidecars(), *files_below(fenced)}):
            path, target = os.path.join(fenced, name), os.path.join(saved, name)
            if not os.path.exists(path):
                if os.path.exists(target):
                    continue
                make_folders(fenced, os.path.dirname(name))
                os.rename(os.path.join(store.base(), name), path)
            reached("sidecar-moved")
            while not os.path.exists(target) or digest(path) != digest(target):  # It grows while it is copied.
                make_folders(saved, os.path.dirname(name))
                copy_verified(path, os.path.join(stage, "part"))
                os.rename(os.path.join(stage, "part"), target)
                sync_tree(stage)
            reached("sidecar-saved")
            os.unlink(path)
            reached("sidecar-fenced")
        sync_tree(stage)
        sync_dir(store.base() if os.path.isdir(store.base()) else self.root)
        reached("fenced")

    def stage_files(self, store: Store, stage: str) -> int:
        """Everything but WALs and journals, and those from where they were saved. Of a Chroma store first the database,
        which tells what else is needed: its owner died, so an index that can be built anew is not believed, and a torn
        one can be hundreds of gigabytes large."""
        new, saved, copied, done, unneeded = os.path.join(stage, "copy"), os.path.join(stage, "sidecars"), 0, set(), []
        if store.is_dir and os.path.isdir(store.live):
            copy_folders(store.live, new)
        foreign = set(store.sidecars())

        def stage_one(source: str, name: str) -> int:
            done.add(name)
            make_folders(new, os.path.dirname(name))
            size = copy_verified(os.path.join(source, name), os.path.join(new, name))
            reached("file-copied")
            return size

        for folder in chroma_stores(store):
            name = os.path.join(folder, chroma.DATABASE)
            copied += stage_one(store.live, name)
            for suffix in SIDECARS:
                if os.path.exists(os.path.join(saved, name + suffix)):
                    copied += stage_one(saved, name + suffix)
            try:
                check_sqlite(os.path.join(new, name))
                unneeded += drop_indexes(new, folder, chroma.rebuildable(os.path.join(new, folder)))
            except Damage:
                pass  # check_stage() finds it again, and says it.
        for source, names in ((store.base(), [f for f in store.files() if f not in foreign]), (saved, files_below(saved))):
            for name in names:
                if name not in done and not name.startswith(tuple(unneeded)):
                    copied += stage_one(source, name)
        sync_tree(self.work())
        reached("copied")
        return copied

    def check_stage(self, store: Store, stage: str) -> None:
        try:
            self.check_tree(os.path.join(stage, "copy"), self.known_databases(store))
            if store.is_dir:
                self.check_indexes(store, os.path.join(stage, "copy"))
        except Damage as damage:
            self.set_damaged(store, str(damage))
        sync_tree(self.work())
        reached("checked")

    def swap(self, store: Store, stage: str) -> None:
        """Puts the checked copy under the live name. Killed between two renames, the next start does the second."""
        new = os.path.join(stage, "copy" if store.is_dir else "new")
        if not store.is_dir and os.path.exists(os.path.join(stage, "copy", store.name)):
            os.rename(os.path.join(stage, "copy", store.name), new)
        if os.path.exists(new):
            if store.is_dir and os.path.exists(store.live):
                os.rename(store.live, os.path.join(stage, "old"))
                reached("swapped-half")
            os.rename(new, store.live)
            sync_dir(stage)
            sync_dir(self.root)
        reached("swapped")

    def remove_old(self, store: Store, stage: str) -> None:
        """Every old inode: a handle that a cut-off owner still has goes stale. A file that we hold ourselves is only
        renamed to `.nfs…` by our own NFS client until it is closed, so each is closed as soon as it is unlinked."""
        for path in list(locked):
            old = os.path.join(stage, "old", os.path.relpath(path, store.live))
            if store.is_dir and os.path.exists(old):
                os.unlink(old)
            unlock(path)
        if os.path.exists(os.path.join(stage, "old")):
            remove_tree(os.path.join(stage, "old"))
        if not store.is_dir and os.path.exists(store.live + "-shm"):
            os.unlink(store.live + "-shm")
        reached("old-removed")
        # A cut-off owner creates its journals by name. Beside the new file such a one would be rolled back into it.
        self.lock_databases(store)
        strays = os.path.join("aside", f"{store.name}-strays")
        for name in store.sidecars():
            make_folders(self.work(), strays, os.path.dirname(name))
            os.rename(os.path.join(store.base(), name), self.work(strays, name))
            reached("stray-moved")
        if os.path.isdir(self.work(strays)):
            where = make_folders(self.root, "set-aside", f"{utc()}-{store.name}-strays")
            move_files(self.work(strays), where)
            log("strays", store=store.name, message=f"A former owner left journals beside the new files; they lie in {where}.")
        reached("strays-removed")

    def check_tree(self, tree: str, databases=()) -> None:
        """Recovers and checks every SQLite file of a copy. `databases` names files that were or must be one."""
        for name in files_below(tree):
            path = os.path.join(tree, name)
            if is_sqlite(path):
                for suffix in SIDECARS:
                    # Zeros: nothing was synced yet, or the commit has ended. Anything else SQLite would drop unseen.
                    if first_bytes(path + suffix)[:8].strip(b"\0") and not is_hot(path + suffix):
                        raise Damage(f"{name}{suffix} does not begin like one any more")
                check_sqlite(path)
            elif name in databases or any(is_hot(path + suffix) for suffix in SIDECARS):
                raise Damage(f"{name} does not begin like a SQLite database any more")
        for name in databases:
            path = os.path.join(tree, name)
            if not os.path.exists(path) and any(is_hot(path + suffix) for suffix in SIDECARS):
                raise Damage(f"{name} is missing, but not its WAL or journal")

    def check_indexes(self, store: Store, tree: str) -> None:
        """Of the Chroma stores in a copy, or in a directory nobody has open. Raises Damage when vectors are lost."""
        for folder in chroma_stores(store, tree):
            problems = chroma.check_chroma(os.path.join(tree, folder))
            hopeless = [str(problem) for problem in problems if not problem.rebuildable]
            if hopeless:
                raise Damage("; ".join(hopeless))
            dropped = drop_indexes(tree, folder, [problem.segment for problem in problems])
            if dropped:
                log("index-dropped", store=store.name, indexes=dropped, message="Chroma builds them anew from its queue.")

    def protect_vectors(self) -> None:
        """From here on every vector stays in the database, so that an index can always be built anew. Those that an
        earlier Chroma kept in the index only are copied back, while the index is known to be whole."""
        for store in [store for store in self.stores() if store.is_dir]:
            for folder in chroma_stores(store):
                directory = os.path.join(store.live, folder)
                try:
                    if not chroma.is_complete(directory):
                        self.check_indexes(store, store.live)
                        copied = chroma.protect_chroma(directory)
                        log("vectors-protected", store=store.name, message=f"{copied} vectors were copied into the queue.")
                except (Damage, chroma.Torn) as damage:
                    self.set_damaged(store, str(damage))
                except sqlite3.OperationalError as error:
                    log("vectors-unprotected", store=store.name, message=f"{directory}: {error}.")
        reached("vectors-protected")

    def keep_vectors(self) -> bool:
        """The same for stores that appear while the application runs; False as long as one has no tables yet."""
        kept = True
        for store in [store for store in self.stores() if store.is_dir]:
            folders = chroma_stores(store)
            kept = kept and bool(folders)
            for directory in [os.path.join(store.live, folder) for folder in folders]:
                try:
                    if directory in self.started:
                        kept = chroma.keep_every_vector(directory) and kept
                    else:  # Not in the middle of Chroma's first start: at the call after it.
                        kept = False
                        self.started.update([directory] if chroma.has_started(directory) else [])
                except sqlite3.DatabaseError:
                    kept = False  # In use at this moment.
        return kept

    def known_databases(self, store: Store) -> set[str]:
        """The files that the newest snapshot found to be databases, and the one that KEEPER_STORES declares to be."""
        known = {name for s in self.list_snapshots(store)[-1:] for name, told in s["files"].items() if told.get("database")}
        if store.declared and not (os.path.exists(store.live) and os.path.getsize(store.live) == 0):
            known.add(store.name)
        return known

    # -- damage --

    def set_damaged(self, store: Store, why: str) -> None:
        where = os.path.join("set-aside", f"{utc()}-{store.name}")
        self.journal.setdefault("damaged", {})[store.key] = {"why": why, "at": utc(), "setAside": where}
        self.lease.save()
        reached("damage-recorded")
        self.refuse_damaged()

    def refuse_damaged(self) -> None:
        """A store that failed its check is put aside with its WAL and never opened. An empty new one in its place would
        hide the loss, so every start is refused until a snapshot was restored."""
        for key, damage in self.journal.get("damaged", {}).items():
            store = Store(self.root, key)
            target = os.path.join(self.root, damage["setAside"])
            if not damage.get("moved"):  # Once: what lies there later was put there by hand.
                self.put_aside(store, damage["setAside"])
                damage["moved"] = True
                self.journal.get("takeover", {}).pop(key, None)
                self.lease.save()
                reached("damage-ended")
            good = self.list_snapshots(store)
            offer = (
                f"The newest snapshot is {good[-1]['id']}; restore it with: keeper.py snapshots restore {good[-1]['id']}"
                if good
                else "There is no snapshot; look for one in AWS Backup (bring-back)"
            )
            raise Quit(
                DAMAGED, "damaged",
                f"{store.name} failed its check ({damage['why']}) and lies in {target} with its WAL. {offer}.",
                store=store.name, setAside=target,
            )  # fmt: skip

    def put_aside(self, store: Store, where: str) -> None:
        """Moves the live files into a directory of their own, and beside them what a takeover had taken of their WAL.
        Through the staging directory: see work()."""
        target = make_folders(self.root, where)
        stage = self.work("takeover", store.name)
        for half in ("old", "new"):  # Of a swap, whose live name is missing.
            if os.path.exists(os.path.join(stage, half)) and not os.path.exists(store.live):
                os.rename(os.path.join(stage, half), store.live)
        aside = make_folders(self.work(), "aside", store.name)
        for name in [store.name] if store.is_dir else [store.name + s for s in ("", *SIDECARS, "-shm")]:
            if os.path.lexists(os.path.join(self.root, name)):
                os.rename(os.path.join(self.root, name), os.path.join(aside, name))
                reached("aside-half")
        move_files(aside, target)
        reached("aside-moved")
        beside = make_folders(target, store.name) if store.is_dir else target
        for part in ("sidecars", "fenced"):
            if os.path.isdir(os.path.join(stage, part)):
                move_files(os.path.join(stage, part), beside)
        sync_tree(target)
        sync_dir(self.root)
        reached("put-aside")

    # -- snapshots --

    def list_snapshots(self, store: Store) -> list[dict]:
        found = []
        if os.path.isdir(store.snapshots):
            for name in sorted(os.listdir(store.snapshots)):
                try:
                    with open(os.path.join(store.snapshots, name, "manifest.json")) as file:
                        found.append({**json.load(file), "id": f"{store.name}/{name}"})
                except (FileNotFoundError, NotADirectoryError, ValueError):
                    continue
        return found

    def take_snapshot(
        self, store: Store, reason: str, kept: bool = False, before_copy=lambda: True, after_copy=lambda: None
    ) -> str | None:
        """A verified copy in snapshots/<store>/<UTC time>/. Between `before_copy`, which may say no, and `after_copy` the
        live files are read as they are. Raises Damage when the copy fails its check."""
        # Before the application rests: it may rest within a transaction, and a question to its database would wait.
        indexes = {folder: chroma.rebuildable(os.path.join(store.live, folder), "unix") for folder in chroma_stores(store)}
        if not before_copy():
            return None
        unneeded = tuple(os.path.join(folder, index, "") for folder in indexes for index in indexes[folder])
        names = [name for name in store.files() if not name.startswith(unneeded)]
        size = store.bytes(names)
        if not names:
            return None
        if free_bytes(self.root) < size * 1.1 + SPARE_BYTES:
            log("snapshot-skipped", store=store.name, message=f"The volume has no room for {size} bytes more.", reason=reason)
            return None
        start = time.monotonic()
        stage = self.work("snapshot", store.name)
        remove_tree(stage)
        copied = make_folders(self.work(), "snapshot", store.name, "files")
        known, fingerprint, read = self.known_databases(store), store.fingerprint(), {}
        if store.is_dir:
            copy_folders(store.live, copied)
        for name in names:
            read[name] = hashlib.sha256()
            copy(os.path.join(store.base(), name), os.path.join(copied, name), read[name])
        after_copy()
        copy_seconds = time.monotonic() - start
        self.measured(size, copy_seconds)
        digests = {}
        for name in names:
            verify_copy(os.path.join(copied, name), read[name])
            digests[state_of(os.path.join(copied, name))] = read[name].hexdigest()
        reached("snapshot-copied")
        self.check_tree(copied, known)
        for folder in indexes:
            drop_indexes(copied, folder, indexes[folder])
        if store.is_dir:
            self.check_indexes(store, copied)
        head, counted = self.schema_head(os.path.join(copied, store.name)), counts(store, copied)
        files = {name: describe(os.path.join(copied, name), digests) for name in files_below(copied)}
        manifest = {
            "store": store.name, "directory": store.is_dir, "at": utc(), "reason": reason, "kept": kept,
            "fingerprint": fingerprint, "image": self.image, "schemaHead": head,
            "files": files,
        }  # fmt: skip
        self.write_manifest(stage, manifest)
        sync_tree(stage)
        make_folders(self.root, "snapshots", store.name)
        sync_tree(os.path.join(self.root, "snapshots"))
        name = utc()
        while os.path.exists(os.path.join(store.snapshots, name)):
            time.sleep(0.2)
            name = utc()
        os.rename(stage, os.path.join(store.snapshots, name))
        sync_dir(store.snapshots)
        reached("snapshot-placed")
        log(
            "snapshot", store=store.name, id=f"{store.name}/{name}", bytes=size, copy_s=round(copy_seconds, 2),
            seconds=round(time.monotonic() - start, 2), reason=reason, kept=kept, **counted,
        )  # fmt: skip
        self.prune(store, f"{store.name}/{name}")
        return f"{store.name}/{name}"

    def write_manifest(self, directory: str, manifest: dict) -> None:
        temporary = os.path.join(directory, "manifest.new")
        with open(temporary, "w") as file:
            json.dump(manifest, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, os.path.join(directory, "manifest.json"))
        sync_dir(directory)

    def prune(self, store: Store, newest: str) -> None:
        """The last three, then the first of each of the last seven days: a crash loop makes many in a day and must not
        rotate yesterday's away."""
        grown = [s for s in self.list_snapshots(store) if not s.get("kept")]
        keep = {newest, *(s["id"] for s in grown[-KEEP_LAST:])}  # The newest even if the clock went back.
        first_of_day = {s["at"][:10]: s["id"] for s in reversed(grown)}
        keep |= {first_of_day[day] for day in sorted(first_of_day)[-KEEP_DAYS:]}
        for snapshot in grown:
            if snapshot["id"] not in keep:
                path = os.path.join(self.root, "snapshots", snapshot["id"])
                os.unlink(os.path.join(path, "manifest.json"))  # First: without it no half of it passes for a snapshot.
                remove_tree(path)
        for name in os.listdir(store.snapshots):
            path = os.path.join(store.snapshots, name)
            if not os.path.exists(os.path.join(path, "manifest.json")):
                remove_tree(path)
        reached("pruned")

    def snapshot_at_start(self, took_over: bool) -> None:
        self.phase("snapshot")
        new_image = bool(self.image) and self.journal.get("image") not in (None, self.image)
        for store in self.stores():
            known = self.list_snapshots(store)
            changed = bool(store.files()) and (not known or known[-1]["fingerprint"] != store.fingerprint())
            if not store.files() or not (new_image or (changed and not (took_over and known))):
                continue
            for attempt in (1, 2):
                try:
                    self.take_snapshot(store, "image" if new_image else "start", kept=new_image)
                    break
                except Damage as damage:
                    if attempt == 2:
                        self.set_damaged(store, str(damage))
        if self.image:
            self.journal["image"] = self.image
            self.lease.save()

    def verify_snapshot(self, snapshot: dict) -> None:
        """Reads every byte again. Raises Damage."""
        files = os.path.join(self.root, "snapshots", snapshot["id"], "files")
        for name, told in snapshot["files"].items():
            try:
                if describe(os.path.join(files, name), {}) != told:
                    raise Damage(f"{name} is not what was written")
            except FileNotFoundError:
                raise Damage(f"{name} is missing") from None

    def find_snapshot(self, wanted: str) -> tuple[Store, dict]:
        all_of = [(store, s) for store in self.snapshot_stores() for s in self.list_snapshots(store)]
        for store, snapshot in all_of:
            if snapshot["id"] == wanted:
                return store, snapshot
        ids = ", ".join(s["id"] for _, s in all_of) or "none"
        raise Quit(USAGE, "usage", f"There is no snapshot {wanted!r}. There are: {ids}.")

    def snapshot_stores(self) -> list[Store]:
        """Also those of stores that are gone, set aside or no longer configured."""
        top = os.path.join(self.root, "snapshots")
        found = []
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            listed = self.list_snapshots(Store(self.root, name))
            found.append(Store(self.root, name + ("/" if listed and listed[-1]["directory"] else "")))
        return found

    def restore(self, wanted: str) -> None:
        """Stages a verified copy of the snapshot, puts the present files aside, and the copy in their place."""
        store, snapshot = self.find_snapshot(wanted)
        stage = self.work("restore", store.name)
        remove_tree(stage)
        make_folders(self.work(), "restore", store.name)
        source = os.path.join(self.root, "snapshots", snapshot["id"], "files")
        try:
            self.verify_snapshot(snapshot)
            copy_folders(source, stage)
            for name in snapshot["files"]:
                copy_verified(os.path.join(source, name), os.path.join(stage, name))
            self.check_tree(stage)
        except Damage as damage:
            raise Quit(DAMAGED, "refused", f"{wanted} fails its own check: {damage}. Nothing was changed.") from None
        sync_tree(self.work())
        reached("restore-staged")
        self.journal["restore"] = {"key": store.key, "setAside": os.path.join("set-aside", f"{utc()}-{store.name}")}
        self.lease.save()
        reached("restore-recorded")
        self.finish_restore()

    def finish_restore(self) -> None:
        pending = self.journal.get("restore")
        if not pending:
            return
        store = Store(self.root, pending["key"])
        stage = self.work("restore", store.name)
        # A directory is renamed whole, so it needs a parent that is ours alone, like a file.
        new = stage if store.is_dir else os.path.join(stage, store.name)
        if os.path.exists(new):
            try:
                self.lock_databases(store)
                self.put_aside(store, pending["setAside"])
                os.rename(new, store.live)
                sync_dir(self.root)
            finally:
                for path in list(locked):
                    unlock(path)
        reached("restored")
        for kind in ("damaged", "takeover"):
            self.journal.get(kind, {}).pop(store.key, None)
        self.journal.pop("restore")
        self.restored = store.name
        self.lease.save()
        remove_tree(self.work("takeover", store.name))
        log("restored", store=store.name, setAside=os.path.join(self.root, pending["setAside"]))

    # -- schema --

    def schema_head(self, path: str) -> str | None:
        """The Alembic revision of a database nobody has open."""
        if not is_sqlite(path):
            return None
        try:
            connection = open_sqlite(path)
            try:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                return row[0] if row else None
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            if "no such" in str(error):
                return None
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(errno.EIO, f"{path}: {error}") from error
            raise Damage(f"{os.path.basename(path)}: {error}") from error

    def refuse_old_image(self) -> None:
        versions = self.env.get("KEEPER_MIGRATIONS")
        if not versions:
            return
        if not os.path.isdir(versions):
            log("schema-unguarded", message=f"KEEPER_MIGRATIONS is {versions!r}, which this image does not have.")
            return
        known = set()
        for name in os.listdir(versions):
            if name.endswith(".py"):
                with open(os.path.join(versions, name), encoding="utf-8", errors="replace") as file:
                    known |= set(re.findall(r"^revision\b[^=\n]*=\s*[\"']([^\"']+)", file.read(), re.M))
        if not known:
            log("schema-unguarded", message=f"KEEPER_MIGRATIONS is {versions!r}, which holds no Alembic revision.")
            return
        for store in self.stores():
            try:
                head = None if store.is_dir else self.schema_head(store.live)
            except Damage as damage:
                self.set_damaged(store, str(damage))
            if head and head not in known:
                kept = [s["id"] for s in self.list_snapshots(store) if s.get("schemaHead") in known]
                way = f"or go back to the data of {kept[-1]}: keeper.py snapshots restore {kept[-1]}" if kept else "no snapshot has an older schema"
                raise Quit(
                    REFUSED, "refused",
                    f"{store.name} is at schema {head}, which this image does not know: it is older than the data. Run the "
                    f"newer image again, {way}.",
                    store=store.name, schemaHead=head,
                )  # fmt: skip

    # -- run --

    def prepare(self) -> None:
        """Lease, refusals, takeover, snapshot."""
        self.phase("waiting")
        self.take_lease()
        # Without the database there may still be Chroma's directory to look after.
        if self.journal.get("migrated") and re.search(r"\*|webui\.db", self.stores_text):
            raise Quit(
                REFUSED, "refused",
                f"The data was migrated away ({self.journal['migrated']}). Point the application at the new store, or go "
                "back with: efs-data-layer migrate --back.",
            )  # fmt: skip
        self.finish_restore()
        self.refuse_damaged()
        took_over = self.previous in ("held", "unknown")
        self.take_over()
        self.settled = True
        self.refuse_old_image()
        self.snapshot_at_start(took_over)
        self.protect_vectors()

    def run(self, child) -> int:
        # Until the application runs, a stop is a crash like any other: every step may be the last.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _: (log("stopped", message="Stopped before the start."), os._exit(128 + got)))
        self.prepare()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        self.lease.on_lost = child.kill
        self.child, self.settled, self.previous = child, False, "held"  # From here only a clean end may say released.
        child.start()
        reached("child-started")
        self.phase("running")
        log("running", pid=child.pid, epoch=self.lease.record["epoch"])
        status = self.supervise(child)
        self.phase("stopping")
        ended = child.end()
        reached("child-exited")
        clean = ended and (status == 0 or (child.asked and status in (128 + signal.SIGTERM, 128 + signal.SIGINT)))
        log("exited", status=status, clean=clean)
        # An application that crashed may have left an index half written: the next start looks at everything.
        self.lease.release(clean)
        if clean:
            log("released")
        return status

    def abandon(self) -> None:
        """After a refusal: the files are as safe as we found them, or safer."""
        if self.child:
            self.child.kill()
            self.child.end()
        if self.lease and self.lease.record:
            try:
                self.lease.release(self.settled or self.previous in ("none", "released"))
            except OSError as error:
                log("failed", message=f"The lease file says held: {error}. The next start looks at everything.")

    def supervise(self, child) -> int:
        due, told, keep_next = self.next_snapshot(), time.monotonic(), 0.0
        while True:
            status = child.poll()
            if status is not None:
                return status
            if stopping.wait(0.2):
                self.phase("stopping")
                return child.stop(self.stop_timeout)
            try:
                if time.monotonic() >= keep_next:
                    keep_next = time.monotonic() + (60 if self.keep_vectors() else 1)
                if due and time.time() >= due:
                    due = self.next_snapshot()
                    self.snapshot_running(child)
                if time.monotonic() - told > 300:
                    told = time.monotonic()
                    self.report()
            except OSError as error:
                # The heartbeat decides whether the volume is lost, not a reading beside it.
                log("failed", message=f"The volume failed: {error}. The application runs on.")

    def report(self) -> None:
        stores = [s for s in self.stores() if s.files()]
        newest = [s[-1]["at"] for s in map(self.list_snapshots, stores) if s]
        age = {}
        if newest:
            then = datetime.datetime.strptime(min(newest), "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=datetime.timezone.utc)
            age = {"snapshot_age_s": round(time.time() - then.timestamp())}
        wal = sum(os.path.getsize(os.path.join(s.base(), f)) for s in stores for f in s.sidecars())
        databases = [s for s in stores if not s.is_dir]
        log(
            "heartbeat", heartbeat_s=round(self.lease.slowest, 3), database_bytes=sum(s.bytes() for s in stores),
            wal_bytes=wal, filesystem=filesystem_of(self.root), journal={s.name: journal_of(s.live) for s in databases},
            shared_memory=[s.name for s in databases if os.path.exists(s.live + "-shm")], **age,
        )  # fmt: skip
        self.lease.slowest = 0.0

    def next_snapshot(self) -> float | None:
        if not self.snapshot_at:
            return None
        now = datetime.datetime.now(datetime.timezone.utc)
        due = now.replace(hour=self.snapshot_at[0], minute=self.snapshot_at[1], second=0, microsecond=0)
        return (due if due > now else due + datetime.timedelta(days=1)).timestamp()

    def snapshot_running(self, child) -> None:
        """The application holds the lock that shuts every reader out, so it rests while the bytes are copied."""
        for store in self.stores():
            expected = store.bytes() / self.copy_speed
            if expected > self.max_pause:
                message = f"{store.name}: a pause of {expected:.0f} s is too long; the application is restarted instead."
                log("snapshot-restart", store=store.name, message=message)
                child.stop(self.stop_timeout)
                if not child.restarts:
                    return  # Its container ends with it, and the next start takes the snapshot.
                child.end()
                self.phase("snapshot")
                self.try_snapshot(store)
                if stopping.is_set():
                    return
                child.start()
            elif store.files():
                self.phase("snapshot")
                start = 0.0

                def pause() -> bool:
                    nonlocal start
                    start = time.monotonic()
                    rests = child.pause()
                    if not rests:
                        log("snapshot-skipped", store=store.name, message="The application did not come to rest in 5 s.")
                    return rests

                def resume() -> None:
                    child.resume()
                    log("pause", store=store.name, pause_s=round(time.monotonic() - start, 3))

                try:
                    self.try_snapshot(store, before_copy=pause, after_copy=resume)
                finally:
                    child.resume()
            self.phase("running")

    def try_snapshot(self, store: Store, **around_copy) -> None:
        try:
            self.take_snapshot(store, "scheduled", **around_copy)
        except Damage as damage:
            log("snapshot-failed", store=store.name, message=f"The copy failed its check: {damage}. The next start checks the files.")
        except OSError as error:
            log("snapshot-failed", store=store.name, message=f"{error}. The next one is due as planned.")

    # -- commands --

    def status(self) -> dict:
        path = os.path.join(self.root, ".owner")
        lease = journal = None
        if os.path.exists(path):
            fd = os.open(path, os.O_RDONLY)
            lease, journal = Slots(fd, 0, 4096).read(), Slots(fd, 8192, 65536).read()
            os.close(fd)
        stores = {s.name: {"bytes": s.bytes(), "snapshots": len(self.list_snapshots(s))} for s in self.stores()}
        return {"directory": self.root, "lease": lease, "journal": journal or {}, "stores": stores}

    def snapshots(self, words: list[str]) -> int:
        as_json = "--json" in words
        words = [w for w in words if w != "--json"]
        verb, wanted = (words + ["", ""])[:2]
        if verb == "list":
            for store in self.snapshot_stores():
                for s in self.list_snapshots(store):
                    size = sum(f.get("bytes", 0) for f in s["files"].values())
                    row = {"id": s["id"], "bytes": size, "reason": s["reason"], "kept": s["kept"], "schemaHead": s.get("schemaHead")}
                    print(json.dumps(row) if as_json else f"{s['id']:<46} {size:>14} bytes  {s['reason']}{'  kept' if s['kept'] else ''}")
            return 0
        if verb == "verify":
            chosen = [self.find_snapshot(wanted)[1]] if wanted else [s for t in self.snapshot_stores() for s in self.list_snapshots(t)]
            bad = 0
            for s in chosen:
                try:
                    self.verify_snapshot(s)
                    verdict = "ok"
                except Damage as damage:
                    verdict, bad = f"DAMAGED: {damage}", bad + 1
                print(json.dumps({"id": s["id"], "verdict": verdict}) if as_json else f"{s['id']:<46} {verdict}")
            return DAMAGED if bad else 0
        if verb == "release" and wanted:
            _, snapshot = self.find_snapshot(wanted)
            path = os.path.join(self.root, "snapshots", snapshot.pop("id"))
            self.write_manifest(path, {**snapshot, "kept": False})
            return 0
        if verb == "take":
            return self.with_lease(lambda: [self.must_snapshot(s, "manual") for s in self.stores() if s.files()])
        if verb == "restore" and wanted:
            self.find_snapshot(wanted)  # Before the lease: a typing error costs no wait.
            return self.with_lease(lambda: self.restore(wanted), takeover=False)
        raise Quit(USAGE, "usage", f"snapshots {' '.join(words)}: see --help.")

    def must_snapshot(self, store: Store, reason: str, kept: bool = False) -> None:
        if not self.take_snapshot(store, reason, kept):
            raise OSError(errno.ENOSPC, f"no room for a snapshot of {store.name}")

    def with_lease(self, work, takeover: bool = True) -> int:
        self.take_lease()
        self.finish_restore()
        if takeover:
            self.refuse_damaged()
            self.take_over()
            self.settled = True
        work()
        # After a restore the stores beside it are as their last owner left them.
        self.settled = self.settled or [s.name for s in parse_stores(self.root, "*")] == [self.restored]
        self.abandon()
        return 0

    def bring_back(self, source: str) -> int:
        """From aws-backup-restore_*: the copies become snapshots of this directory, verified like any other."""
        source = source.rstrip("/")
        if not os.path.isdir(source):
            raise Quit(USAGE, "usage", f"{source!r} is no directory. Name the workload's directory below aws-backup-restore_<time>.")
        found = [s for s in parse_stores(source, self.stores_text) if s.files()]
        if not found:
            raise Quit(USAGE, "usage", f"{source} holds none of the stores {self.stores_text}.")
        self.take_lease()
        bad = 0
        for foreign in found:
            foreign.snapshots = os.path.join(self.root, "snapshots", foreign.name)
            try:
                self.must_snapshot(foreign, "aws-backup", kept=True)
            except Damage as damage:
                bad += 1
                log("snapshot-failed", store=foreign.name, message=f"The restored copy fails its check: {damage}. It stays where it is.")
        self.abandon()
        return DAMAGED if bad else 0


# --- the application ------------------------------------------------------------------------------------------------

# Sets PR_SET_PDEATHSIG and becomes the command: if the keeper dies, the application dies with it.
# Python ignores SIGPIPE, which an application would inherit.
STARTER = (
    "import ctypes,os,signal,sys;signal.signal(13,signal.SIG_DFL);ctypes.CDLL(None).prctl(1,9);"
    "os.getppid()==int(sys.argv[1]) or os._exit(137);os.execvp(sys.argv[2],sys.argv[2:])"
)


def processes_of(group: int) -> list[str]:
    """The process ids of a process group."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        fields = proc_fields(f"/proc/{entry}/stat")
        if fields and fields[0] != "Z" and int(fields[2]) == group:
            found.append(entry)
    return found


def proc_fields(path: str) -> list[str]:
    """What stands behind the name in a stat file: state, parent, group. Empty when the process is gone."""
    try:
        with open(path) as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def parents() -> dict[int, int]:
    """The parent of every process that lives."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        fields = proc_fields(f"/proc/{entry}/stat")
        if fields and fields[0] != "Z":
            found[int(entry)] = int(fields[1])
    return found


def at_rest(pids: list[str]) -> bool:
    """True when every thread has stopped, so that none is in the middle of a system call."""
    for pid in pids:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        if any((proc_fields(f"/proc/{pid}/task/{thread}/stat") or "Z")[0] not in "TtZX" for thread in threads):
            return False
    return True


class Child:
    """The application as our child, in a process group of its own."""

    pid, asked, restarts = 0, False, True

    def __init__(self, command: list[str], local: str):
        self.local = local
        if not shutil.which(command[0]):
            raise Quit(USAGE, "usage", f"There is no program {command[0]!r} in this image. Correct the container's command.")
        self.command = command

    def start(self) -> None:
        words = [sys.executable, "-S", "-c", STARTER, str(os.getpid()), *self.command]
        self.process = subprocess.Popen(words, start_new_session=True, env=exclusive_environment(self.local))
        self.pid, self.asked = self.process.pid, False

    def poll(self) -> int | None:
        status = self.process.poll()
        return None if status is None else status if status >= 0 else 128 - status

    def processes(self) -> list[str]:
        return processes_of(self.pid)

    def signal(self, number: int) -> None:
        try:
            if self.pid:
                os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def stop(self, timeout: float) -> int:
        """SIGTERM, then SIGKILL when it does not stop in time."""
        self.asked = True
        if self.poll() is None:
            self.terminate()
        end = time.monotonic() + timeout
        # A shell may end at once and leave the server that it started to end in its own time.
        while (self.poll() is None or self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        if self.poll() is None or self.processes():
            log("killed", message=f"The application did not stop within {timeout:.0f} s.")
            self.kill()
            while self.poll() is None:
                time.sleep(0.05)
            return 128 + signal.SIGKILL
        return self.poll()

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def end(self) -> bool:
        """Whatever the application left behind in its group still has the files open. False when it cannot be ended."""
        end = time.monotonic() + 30
        while self.processes() and time.monotonic() < end:
            self.kill()
            time.sleep(0.05)
        return not self.processes()

    def pause(self) -> bool:
        self.signal(signal.SIGSTOP)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if self.pid and at_rest(self.processes()):
                return True
            time.sleep(0.005)
        return False

    def resume(self) -> None:
        self.signal(signal.SIGCONT)


def exclusive_environment(local: str) -> dict[str, str]:
    """The application's environment: exclusive.py goes before everything else that its Python imports."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exclusive.py")
    environment = dict(os.environ)
    if environment.get("KEEPER_EXCLUSIVE") == "0" or not os.path.exists(source):
        return environment
    folder = os.path.join(local, "python")
    os.makedirs(folder, exist_ok=True)
    shutil.copyfile(source, os.path.join(folder, "sitecustomize.py"))
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = folder + (os.pathsep + before if before else "")
    return environment


class Guarded(Child):
    """The application in another container of the task: it waits for `gate` in a directory both share, leaves its
    process id in `pid` and, when it ends, its status in `exit`."""

    restarts = False

    def __init__(self, local: str):
        self.local = local
        os.makedirs(local, exist_ok=True)
        self.pid = self.read("pid") or 0
        if self.pid and self.read("exit") is None:
            self.end()  # A former keeper of this task died and left it running.
        self.pid = 0
        for name in ("gate", "pid", "exit"):
            if os.path.exists(os.path.join(local, name)):
                os.unlink(os.path.join(local, name))

    def read(self, name: str) -> int | None:
        try:
            with open(os.path.join(self.local, name)) as file:
                return int(file.read())
        except (FileNotFoundError, ValueError):
            return None

    def start(self) -> None:
        # With our process id: gate.sh ends an application whose keeper was killed.
        with open(os.path.join(self.local, "gate.new"), "w") as file:
            file.write(str(os.getpid()))
        os.replace(os.path.join(self.local, "gate.new"), os.path.join(self.local, "gate"))

    def poll(self) -> int | None:
        if not self.pid:
            self.pid = self.read("pid") or 0
        status = self.read("exit")
        if status is not None:
            return status
        if self.pid and not os.path.exists(f"/proc/{self.pid}"):
            time.sleep(1)  # Its shell may be about to write the status.
            status = self.read("exit")
            return 128 + signal.SIGKILL if status is None else status
        return None

    def processes(self) -> list[str]:
        """The process and its descendants; its group is that of its container's shell."""
        found = {self.pid} - {0}
        while True:
            more = {pid for pid, parent in parents().items() if pid in found or parent in found}
            if more <= found:
                return [str(pid) for pid in more]
            found |= more

    def signal(self, number: int) -> None:
        for pid in self.processes():
            self.kill_one(int(pid), number)

    def kill_one(self, pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
        except PermissionError:
            log("powerless", message=f"The keeper may not signal process {pid}. Run both containers as the same user.")

    def terminate(self) -> None:
        self.kill_one(self.pid, signal.SIGTERM)

    def stop(self, timeout: float) -> int:
        if os.path.exists(os.path.join(self.local, "gate")):
            os.unlink(os.path.join(self.local, "gate"))
        end = time.monotonic() + 3
        while not self.pid and self.poll() is None and time.monotonic() < end:
            time.sleep(0.1)  # It may have passed the gate a moment ago.
        return super().stop(timeout) if self.pid else self.poll() or 0


def main(arguments: list[str]) -> int:
    command, *rest = arguments or ["--help"]
    if command in ("--help", "-h", "help"):
        print(__doc__)
        return 0 if arguments else USAGE
    keeper = None
    try:
        keeper = Keeper(os.environ)
        return dispatch(keeper, command, rest)
    except Quit as end:
        status, event, message, fields = end.status, end.event, end.message, end.fields
    except Damage as damage:
        status, event, fields = DAMAGED, "damaged", {}
        message = f"A copy failed its check: {damage}. The files are as they were; the next start decides."
    except OSError as error:
        status, event, fields = IO, "failed", {}
        message = f"The volume failed: {error}. Nothing was lost; start again."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"The volume is full: {error}. Nothing was lost; make room (old snapshots), then start again."
    except Exception:  # A fault of ours must not leave the application running without its keeper.
        status, event, fields = FAULT, "failed", {}
        message = f"The keeper failed: {traceback.format_exc(limit=-3)} Nothing was lost; start again."
    log(event, message=message, **fields)
    if keeper:
        keeper.abandon()
    return status


def dispatch(keeper: Keeper, command: str, rest: list[str]) -> int:
    if command == "run":
        rest = rest[1:] if rest[:1] == ["--"] else rest
        if not rest:
            raise Quit(USAGE, "usage", "run needs the application's command: keeper.py run -- COMMAND.")
        return keeper.run(Child(rest, keeper.local))
    if command == "guard" and not rest:
        return keeper.run(Guarded(keeper.local))
    if command == "status" and not rest:
        print(json.dumps(keeper.status(), indent=1))
        return 0
    if command == "snapshots":
        return keeper.snapshots(rest)
    if command == "bring-back" and len(rest) == 1:
        return keeper.bring_back(rest[0])
    raise Quit(USAGE, "usage", f"{' '.join([command, *rest])}: see --help.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
