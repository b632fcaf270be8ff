"""The compose.yaml of the default data layer, its commands run with the real keeper and the real Open WebUI on a local
directory: what was acknowledged is there after a stop and a start, and a second task on the same directory waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from container import Image, wait_healthy

ROOT = Path(__file__).parents[2]
VENV = Path(os.environ["OPEN_WEBUI_PYTHON"]).parents[1]
CLIENT = ROOT / "lab" / "apps" / "openwebui_client.py"
sys.path.insert(0, str(CLIENT.parent))
from openwebui_server import offline  # noqa: E402

# What the image's own start.sh does with our settings (open-webui/open-webui, backend/start.sh, 0.12.4).
START = """#!/bin/bash
[ -e "$WEBUI_SECRET_KEY_FILE" ] || head -c 12 /dev/random | base64 > "$WEBUI_SECRET_KEY_FILE"
export WEBUI_SECRET_KEY=$(cat "$WEBUI_SECRET_KEY_FILE")
exec python3 -m uvicorn open_webui.main:app --host 0.0.0.0 --port 8080 --forwarded-allow-ips '*' --workers "$UVICORN_WORKERS"
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    backend = tmp_path_factory.mktemp("image")
    (backend / "start.sh").write_text(START)
    (backend / "open_webui").mkdir()
    backend.chmod(0o755)
    [package] = VENV.glob("lib/python3*/site-packages/open_webui")
    base = subprocess.run([str(VENV / "bin" / "python3"), "-c", "import sys; print(sys.base_prefix)"], check=True, capture_output=True, text=True).stdout.strip()
    environment = {
        "PATH": f"{VENV}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "FRONTEND_BUILD_DIR": "/app/backend/open_webui/frontend",
        **offline(None),
    }
    return Image("/app/backend", environment, {"/app/backend": str(backend), "/app/backend/open_webui": str(package), base: base})


def client(network, *words):
    done = subprocess.run([*network.enter(), sys.executable, str(CLIENT), *words, "--url", "http://127.0.0.1:8080"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_sign_up_chat_stop_start_still_there(folder, image, start, tmp_path):
    file = yaml.safe_load((folder / "compose.yaml").read_text())
    service = file["services"]["open-webui"]
    data = folder / "data" / "open-webui"
    acks = tmp_path / "acks"

    first = start(folder, service, image)
    assert first.wait_for("leased", 30)["previous"] == "none"
    first.wait_for("running", 30)
    assert not first.healthy()  # Nobody listens yet.
    wait_healthy(first)
    written = client(first.network, "write", "--acks", str(acks), "--users", "2", "--seconds", "5")
    assert written["errors"] == {} and len(acks.read_text().splitlines()) > 5
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in data.rglob("*") if not path.is_symlink()}
    assert owners == {tuple(int(part) for part in service["user"].split(":"))}

    # A second project on the same directory waits at the lease, and its health check says that this is all right.
    second = start(folder, service, image)
    assert second.wait_for("waiting", 30)["holder"]
    assert second.healthy() and not any(event["keeper"] == "running" for event in second.events())

    assert first.stop() in (0, 143)
    assert [event["keeper"] for event in first.events()][-2:] == ["exited", "released"]
    assert second.wait_for("leased", 30)["previous"] == "released"
    second.wait_for("running", 60)
    wait_healthy(second)
    checked = client(second.network, "verify", "--acks", str(acks))
    assert checked["checked"] > 5 and checked["missing"] == {}
    print(json.dumps({"written": written["requests"], "checked": checked}))
    assert second.stop() in (0, 143)
