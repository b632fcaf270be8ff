"""The Chroma server of compose.yaml: the keeper in a service beside it, the gate, and the server's own command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from container import Image, wait_healthy

VENV = Path(os.environ["OPEN_WEBUI_PYTHON"]).parents[2] / "chroma"
COLLECTIONS = "http://127.0.0.1:8000/api/v2/tenants/default_tenant/databases/default_database/collections"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The server's image has its programs and /config.yaml; the keeper's has a Python."""
    config = tmp_path_factory.mktemp("image") / "config.yaml"
    config.write_text('persist_path: "/data"\n')
    config.chmod(0o644)
    base = subprocess.run([str(VENV / "bin" / "python3"), "-c", "import sys; print(sys.base_prefix)"], check=True, capture_output=True, text=True).stdout.strip()
    path = {"PATH": f"{VENV}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    server = Image("/", path, {"/config.yaml": str(config), base: base})
    return {"knowledge": server, "knowledge-keeper": Image("/", path, {base: base})}


def http(network, url, body=None):
    data = ["-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
    done = subprocess.run([*network.enter(), "curl", "-fsS", *data, url], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_records_are_there_after_a_stop_and_a_start(folder, images, start, tmp_path):
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    uid, gid = (int(part) for part in services["knowledge"]["user"].split(":"))

    def up(number):
        """In the order of depends_on, with the scratch volume empty as its tmpfs is."""
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir(mode=0o750)
        os.chown(scratch, uid, gid)
        for parent in [tmp_path, *tmp_path.parents][:3]:
            parent.chmod(0o755)
        assert list(services["knowledge"]["depends_on"]) == ["knowledge-keeper"]
        volumes = {"knowledge-keeper": scratch}
        keeper, server = (start(folder, services[name], images[name], scratch=volumes) for name in ("knowledge-keeper", "knowledge"))
        keeper.wait_for("running", 60)
        wait_healthy(server)
        return keeper, server

    keeper, server = up(1)
    collection = http(server.network, COLLECTIONS, {"name": "facts"})["id"]
    records = {"ids": [f"r{n}" for n in range(50)], "embeddings": [[n, 1.0, 0.5] for n in range(50)], "documents": [f"fact {n}" for n in range(50)]}
    http(server.network, f"{COLLECTIONS}/{collection}/add", records)
    # The server first, as depends_on reversed has it; the keeper ends with it.
    assert server.stop() in (0, 143)
    keeper.process.wait(30)
    assert [event["keeper"] for event in keeper.events()][-2:] == ["exited", "released"]
    owners = {path.stat().st_uid for path in (folder / "data" / "knowledge").rglob("*")}
    assert owners == {uid}

    keeper, server = up(2)
    assert keeper.events()[0]["previous"] == "released"
    assert http(server.network, f"{COLLECTIONS}/{collection}/count") == 50
    found = http(server.network, f"{COLLECTIONS}/{collection}/query", {"query_embeddings": [[7, 1.0, 0.5]], "n_results": 1})
    assert found["documents"] == [["fact 7"]]
    # A keeper that is killed takes its server with it: nobody guards the files any more.
    keeper.process.kill()
    keeper.process.wait()
    server.process.wait(30)
