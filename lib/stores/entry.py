"""Asks PostgreSQL, before Open WebUI starts, whether it is the database that the data is in; then becomes COMMAND.

usage: entry.py COMMAND...

An application that starts on an empty or stale database makes an empty installation, and its users find their chats
gone. So three witnesses must agree: the SQLite file on the volume, what the mover wrote into the keeper's .owner
beside it, and the row that the mover's last transaction wrote into PostgreSQL.

environment:
  DATA_LAYER_DIR         where the volume is mounted (webui.db, .owner, the key file)
  DATA_LAYER_PHASE       cutover: a SQLite file may stay beside the database; complete: it must be archived; unset: the
                         relational data is not in PostgreSQL, nothing is asked
  DATA_LAYER_REPLICAS    above 1: the schema is brought up to date by one task at a time, here, not by the application
  DATA_LAYER_DEADLINE (120)  seconds to wait for the database, and for a packet from it once it is connected
  DATA_LAYER_MIGRATIONS  the image's Alembic versions: an image older than the database's schema is refused
  DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD   as Open WebUI reads them; PGSSLMODE and PGSSLROOTCERT as libpq does
  DATA_LAYER_VECTORS_HOST, _PORT, _NAME, _USER, _PASSWORD, _SSLMODE, _SSLROOTCERT   a database of its own for vectors:
                         put together to PGVECTOR_DB_URL
  WEBUI_SECRET_KEY_FILE  made when it is missing, once for all replicas

exit status: COMMAND's own · 64 usage · 69 the database cannot be reached · 78 refused
"""

import base64
import datetime
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.parse
import zlib

USAGE, UNREACHABLE, REFUSED = 64, 69, 78
TABLE = "efs_data_layer_migration"
# Any number that nothing else in this database uses; the same in every task.
LOCK = 4017220621


class Quit(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def log(event, **fields):
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
    print(json.dumps({"entry": event, "at": at, **fields}), flush=True)


# --- the volume -----------------------------------------------------------------------------------------------------


def slots(fd, offset, size):
    """The newer of two checksummed records in the keeper's lease file (lib/single-writer/keeper.py, Slots)."""
    best = None
    for place in (offset, offset + size):
        head, _, rest = os.pread(fd, size, place).partition(b"\n")
        found = re.fullmatch(rb"keeper1 (\d+) (\d+) (\d+)", head)
        if not found:
            continue
        sequence, length, crc = map(int, found.groups())
        body = rest[:length]
        if zlib.crc32(body) == crc and (best is None or sequence > best[0]):
            best = (sequence, json.loads(body))
    return best[1] if best else None


def migrated_record(directory):
    """What the mover left in .owner when it was done: None when the data was never moved away."""
    try:
        fd = os.open(os.path.join(directory, ".owner"), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        journal = slots(fd, 8192, 65536) or {}
    finally:
        os.close(fd)
    record = journal.get("migrated")
    return {"source_digest": None, "target": record} if isinstance(record, str) else record


# --- the database ---------------------------------------------------------------------------------------------------


def setting(name):
    value = os.environ.get(name, "")
    if not value:
        raise Quit(USAGE, f"{name} is not set.")
    return value


def url_safe(name):
    """Open WebUI writes these into a URL as they are."""
    value = setting(name)
    if urllib.parse.quote(value, safe="") != value:
        raise Quit(
            REFUSED,
            f"{name} holds a character that has a meaning in a URL, and Open WebUI puts it into one unquoted. Change "
            "it in the database and the secret to letters, digits and - . _ ~ only.",
        )
    return value


def connect():
    import psycopg

    target = dict(
        host=setting("DATABASE_HOST"), port=setting("DATABASE_PORT"), dbname=setting("DATABASE_NAME"),
        user=url_safe("DATABASE_USER"), password=url_safe("DATABASE_PASSWORD"),
    )  # fmt: skip
    patience = float(os.environ.get("DATA_LAYER_DEADLINE", "120"))
    end = time.monotonic() + patience
    # Without these, a connection whose packets vanish is waited for as long as TCP does: hours.
    alive = dict(keepalives_idle=max(1, int(patience / 10)), keepalives_interval=max(1, int(patience / 30)), tcp_user_timeout=int(patience * 1000))
    while True:
        # libpq takes no less than 2 s.
        once = max(2, min(30, int(end - time.monotonic())))
        try:
            return psycopg.connect(**target, **alive, connect_timeout=once, autocommit=True, application_name="efs-data-layer")
        except psycopg.OperationalError as error:
            why = " ".join(str(error).split())
            if re.search(r"authentication failed|does not exist|no pg_hba\.conf entry", why):
                raise Quit(REFUSED, f"The database let nobody in: {why}. Check the secret and DATABASE_NAME.") from None
            if time.monotonic() > end:
                where = f"{target['host']}:{target['port']}"
                raise Quit(
                    UNREACHABLE,
                    f"{where} did not answer in time: {why}. Is the database running, and does its security group let "
                    "this service in?",
                ) from None
            log("waiting", message=why)
            time.sleep(2)


def read_marker(connection):
    if connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone()[0] is None:
        return None
    row = connection.execute(f"SELECT source_digest, state, migrated_at FROM {TABLE}").fetchone()
    return row and {"source_digest": row[0], "state": row[1], "migrated_at": str(row[2])}


def schema_head(connection):
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone()[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row and row[0]


def write_marker(connection, state, head):
    """The same row the mover writes, for a database that nothing was moved into."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (source_digest text, table_counts jsonb, schema_head text, "
        "source_path text, migrated_at timestamptz, mover_version text, state text)"
    )
    connection.execute(
        f"INSERT INTO {TABLE} (table_counts, schema_head, migrated_at, state) "
        f"SELECT '{{}}', %s, now(), %s WHERE NOT EXISTS (SELECT FROM {TABLE})",
        (head, state),
    )


# --- the decision ---------------------------------------------------------------------------------------------------


def decide(phase, sqlite, moved, marker, head):
    """The state to mark an unmarked database with, or None when everything agrees. Raises Quit when it does not."""
    database = f"{os.environ.get('DATABASE_HOST')}/{os.environ.get('DATABASE_NAME')}"
    if sqlite and moved is None:
        raise Quit(
            REFUSED,
            f"webui.db is on the volume and was not moved to {database}: Open WebUI would start without its data. "
            "Go back to relational phase prepare, run `efs-data-layer migrate`, then deploy this phase again.",
        )
    if sqlite and phase == "complete":
        raise Quit(
            REFUSED,
            "webui.db is still on the volume, but the phase is complete. Deploy phase cutover, archive the file with "
            "`efs-data-layer migrate --complete`, then deploy this phase again.",
        )
    if moved is not None:
        if marker is None:
            raise Quit(
                REFUSED,
                f"The data was moved to {moved.get('target')}, but {database} holds no mark of a finished move: it is "
                "another database, or one that was made anew or restored from before. Point the application at the one "
                "the data is in, or go back with `efs-data-layer migrate --back`.",
            )
        if marker["state"] != "migrated" or moved.get("source_digest") not in (None, marker["source_digest"]):
            raise Quit(
                REFUSED,
                f"{database} is stale: its mark says {marker['state']} of source {marker['source_digest']} at "
                f"{marker['migrated_at']}, the volume says source {moved.get('source_digest')} was moved last. Run "
                "`efs-data-layer migrate` again into an empty database, or point the application at the right one.",
            )
        return None
    if marker is not None and marker["state"] in ("returned", "discarded"):
        raise Quit(
            REFUSED,
            f"The data was moved back from {database} to webui.db (its mark says {marker['state']} at "
            f"{marker['migrated_at']}), and webui.db is not on the volume. Restore it, deploy relational phase prepare, "
            "and run `efs-data-layer migrate` again.",
        )
    # Nothing to lose on the volume: a fresh installation, or a database that is filled already.
    if marker is not None:
        return None
    return "adopted" if head else "fresh"


def refuse_old_image(head):
    versions = os.environ.get("DATA_LAYER_MIGRATIONS", "")
    if not head or not os.path.isdir(versions):
        return
    known = set()
    for name in os.listdir(versions):
        if name.endswith(".py"):
            with open(os.path.join(versions, name), encoding="utf-8", errors="replace") as file:
                known |= set(re.findall(r"^revision\b[^=\n]*=\s*[\"']([^\"']+)", file.read(), re.M))
    if known and head not in known:
        raise Quit(
            REFUSED,
            f"The database is at schema {head}, which this image does not know: it is older than the data. Run the "
            "newer image again.",
        )


def bring_up_to_date():
    """Open WebUI migrates when its configuration is imported; two tasks at once would trip over each other."""
    # It is not imported without a key, which start.sh reads from the file only later.
    key = os.environ.get("WEBUI_SECRET_KEY") or read_key()
    done = subprocess.run([sys.executable, "-c", "import open_webui.config"], env={**os.environ, "WEBUI_SECRET_KEY": key})
    if done.returncode:
        raise Quit(done.returncode, "The schema could not be brought up to date; the lines above say why.")
    os.environ["ENABLE_DB_MIGRATIONS"] = "false"


def check(phase):
    import psycopg

    try:
        ask(phase)
    except psycopg.OperationalError as error:
        where = f"{setting('DATABASE_HOST')}:{setting('DATABASE_PORT')}"
        raise Quit(
            UNREACHABLE,
            f"{where} went away while it was asked: {' '.join(str(error).split())}. Does it run, and does the network in "
            "between let packets through in both directions? The next start asks again.",
        ) from None


def ask(phase):
    directory = setting("DATA_LAYER_DIR")
    if phase not in ("cutover", "complete"):
        raise Quit(USAGE, f"DATA_LAYER_PHASE is {phase!r}; it is cutover or complete.")
    sqlite = os.path.exists(os.path.join(directory, "webui.db"))
    moved = migrated_record(directory)
    with connect() as connection:
        # One task at a time: of two that start on an empty database, the second finds what the first made.
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        marker, head = read_marker(connection), schema_head(connection)
        state = decide(phase, sqlite, moved, marker, head)
        refuse_old_image(head)
        if state:
            write_marker(connection, state, head)
        if int(os.environ.get("DATA_LAYER_REPLICAS", "1")) > 1:
            bring_up_to_date()
    log("allowed", phase=phase, state=state or (marker or {}).get("state"), schemaHead=head)


# --- settings that only a running task can put together --------------------------------------------------------------


def vectors_url():
    quoted = {name: urllib.parse.quote(setting(f"DATA_LAYER_VECTORS_{name}"), safe="") for name in ("USER", "PASSWORD", "NAME")}
    host, port = setting("DATA_LAYER_VECTORS_HOST"), setting("DATA_LAYER_VECTORS_PORT")
    mode = os.environ.get("DATA_LAYER_VECTORS_SSLMODE", "require")
    # Named here in any case: with the other database's PGSSLROOTCERT, libpq would verify this one by it, even for require.
    root = urllib.parse.quote(os.environ.get("DATA_LAYER_VECTORS_SSLROOTCERT", "/none"))
    os.environ["PGVECTOR_DB_URL"] = (
        f"postgresql://{quoted['USER']}:{quoted['PASSWORD']}@{host}:{port}/{quoted['NAME']}?sslmode={mode}&sslrootcert={root}"
    )


def read_key():
    path = os.environ.get("WEBUI_SECRET_KEY_FILE", "")
    if not path:
        return ""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def secret_key():
    """As the image's start.sh does, but whole or not at all: of two replicas one key must win."""
    path = os.environ.get("WEBUI_SECRET_KEY_FILE", "")
    if not path or os.path.exists(path):
        return
    own = f"{path}.{secrets.token_hex(4)}"
    with open(own, "x", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(base64.b64encode(secrets.token_bytes(24)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(own)


def main():
    command = sys.argv[1:]
    if not command:
        print(__doc__, file=sys.stderr)
        return USAGE
    try:
        phase = os.environ.get("DATA_LAYER_PHASE")
        secret_key()
        if phase:
            check(phase)
        if os.environ.get("DATA_LAYER_VECTORS_HOST"):
            vectors_url()
    except Quit as quit_:
        log("refused" if quit_.status == REFUSED else "failed", message=str(quit_), status=quit_.status)
        return quit_.status
    sys.stdout.flush()
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
