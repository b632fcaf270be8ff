"""The real Open WebUI: people use it through its HTTP API on SQLite, the mover moves, and the same people find the same
on PostgreSQL."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "lab" / "apps"))
import openwebui_client  # noqa: E402

START = float(os.environ.get("MOVER_START_SECONDS", "400"))


class Server:
    """Open WebUI as its image starts it, with the construct's settings (lab/apps/openwebui_server.py)."""

    def __init__(self, python: str, data: pathlib.Path, static: pathlib.Path, *more: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(static.parent / f"server-{self.port}.log", "w+")
        command = [python, str(ROOT / "lab" / "apps" / "openwebui_server.py"), "--data", str(data), "--port", str(self.port), "--static", str(static)]
        for setting in more:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self) -> "Server":
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).read()
                return self
            except OSError:
                time.sleep(0.5)
        self.log.seek(0)
        text = self.log.read()[-3000:]
        self.process.kill()
        raise AssertionError(f"Open WebUI did not start within {START} s:\n{text}")

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(60)


def seen(url: str, emails: list[str]) -> dict:
    """What each of them sees; what changes by looking at it is left out."""
    found: dict = {}
    for email in [openwebui_client.ADMIN, *emails]:
        session = openwebui_client.Session(url)
        session.sign_in(email)
        chats = session.call("", "GET", "/api/v1/chats/?page=1")
        found[email] = {
            "chats": {chat["id"]: session.call("", "GET", f"/api/v1/chats/{chat['id']}")["chat"] for chat in chats},
            "files": sorted((file["id"], file["filename"], file["hash"]) for file in session.call("", "GET", "/api/v1/files/")["items"]),
            "settings": session.call("", "GET", "/api/v1/users/user/settings"),
        }
        if email == openwebui_client.ADMIN:
            users = session.call("", "GET", "/api/v1/users/")
            found["users"] = sorted((user["id"], user["email"], user["role"], user["created_at"]) for user in users["users"])
            found["configuration"] = session.call("", "GET", "/api/v1/auths/admin/config")
    return found


@pytest.mark.parametrize("seconds", [float(os.environ.get("MOVER_USE_SECONDS", "10"))])
def test_the_same_users_chats_files_and_settings(case, python, tmp_path, seconds):
    case.path.unlink()
    static = tmp_path / "static"
    acks = str(tmp_path / "acks")
    emails = [f"user{number}@lab.example" for number in range(3)]
    with Server(python, case.folder, static) as server:
        told = openwebui_client.write(server.url, acks, len(emails), seconds, False)
        assert told["acknowledged"] > 10, told
        person = openwebui_client.Session(server.url)
        person.sign_in(emails[0])
        person.call("", "POST", "/api/v1/users/user/settings/update", {"ui": {"theme": "dark ☃", "system": "a\tb\\n"}})
        admin = openwebui_client.Session(server.url)
        admin.sign_in(openwebui_client.ADMIN)
        changed = admin.call("", "GET", "/api/v1/auths/admin/config")
        admin.call("", "POST", "/api/v1/auths/admin/config", {**changed, "ENABLE_SIGNUP": False, "JWT_EXPIRES_IN": "7h"})
        before = seen(server.url, emails)
    assert before["configuration"]["JWT_EXPIRES_IN"] == "7h" and any(before[email]["files"] for email in emails)

    # The database that the application has never seen: its tables come from the image.
    case.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION openwebui")
    report = case.move()[-1]
    assert report["result"] == "moved" and not report["anomalies"]

    with Server(python, case.folder, static, f"DATABASE_URL={case.server.url(case.database)}") as server:
        assert seen(server.url, emails) == before
        checked = openwebui_client.verify(server.url, acks)
        assert not checked.get("missing"), checked
        # And it goes on from there.
        more = openwebui_client.write(server.url, acks, len(emails), 3, False)
        assert more["acknowledged"] > 0 and not openwebui_client.verify(server.url, acks).get("missing")
        after = seen(server.url, emails)

    # Back to SQLite, with what was done in between.
    case.move("--back")
    with Server(python, case.folder, static) as server:
        assert seen(server.url, emails) == after
    print(json.dumps({"moved": sum(table["moved"] for table in report["tables"].values())}))
