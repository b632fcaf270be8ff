"""What the tests of compose.yaml share: the file itself, and services that are ended whatever happens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from container import Container, Network

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("compose")
    for parent in [made, *made.parents][:3]:  # The user of the containers must get to its directory.
        parent.chmod(0o755)
    subprocess.run([str(ROOT / "node_modules" / ".bin" / "tsx"), str(ROOT / "test" / "compose" / "write.ts"), str(made)], cwd=ROOT, check=True)
    return made


@pytest.fixture
def start():
    """Starts a service in a network of its own, and ends what is left of it."""
    made = []

    def begin(*arguments, **more):
        network = Network()
        container = Container(*arguments, network, {}, **more)
        made.append(container)
        container.start()
        return container

    yield begin
    for container in made:
        container.close()
