"""One emulator for the session; every test starts from nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Iterator

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "emulator", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/").read()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, "the emulator did not start"
            time.sleep(0.1)
    yield url
    server.kill()
    server.wait()


class Aws:
    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.url, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def create(self, template: dict[str, Any], name: str = "stack", **more: Any) -> str:
        self.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template), **more)
        return self.status(name)

    def update(self, template: dict[str, Any], name: str = "stack") -> str:
        self.client("cloudformation").update_stack(StackName=name, TemplateBody=json.dumps(template))
        return self.status(name)

    def delete(self, name: str = "stack") -> None:
        self.client("cloudformation").delete_stack(StackName=name)

    def status(self, name: str = "stack") -> str:
        return self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]

    def reason(self, name: str = "stack") -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return " | ".join(event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"] or "ROLLBACK" in event["ResourceStatus"])

    def physical(self, logical_id: str, name: str = "stack") -> str:
        return self.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)[
            "StackResourceDetail"
        ]["PhysicalResourceId"]

    def file_systems(self) -> list[dict[str, Any]]:
        return self.client("efs").describe_file_systems()["FileSystems"]

    def recorded(self) -> list[dict[str, Any]]:
        return json.load(urllib.request.urlopen(f"{self.url}/emulator/recorded"))


@pytest.fixture
def aws(endpoint: str) -> Aws:
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).read()
    return Aws(endpoint)
