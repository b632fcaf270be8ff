"""What the handlers share: the registry, the context of a call, the recorded types."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from ..errors import Failure

HANDLERS: dict[str, "Handler"] = {}

# Resources of types for which moto has no API: remembered with their properties for assertions, never presented as
# working services.
RECORDED: list[dict[str, Any]] = []

ENDPOINT = {"url": ""}

_CLIENTS: dict[tuple[str, str], Any] = {}


@dataclass
class Context:
    """Where a call is made for."""

    stack_name: str
    logical_id: str
    resource_type: str
    region: str
    account: str
    tags: dict[str, str]

    def client(self, service: str) -> Any:
        key = (service, self.region)
        if key not in _CLIENTS:
            _CLIENTS[key] = boto3.client(
                service,
                region_name=self.region,
                endpoint_url=ENDPOINT["url"],
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 1}),
            )
        return _CLIENTS[key]

    def name(self, length: int = 64) -> str:
        """A physical name in CloudFormation's style: stack, logical id, something random."""
        return f"{self.stack_name}-{self.logical_id}"[: length - 13] + "-" + uuid.uuid4().hex[:12]

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def all_tags(self, properties: dict[str, Any], name: str = "Tags") -> list[dict[str, str]]:
        """The stack's tags and the resource's, the resource's first in rank."""
        own = properties.get(name) or []
        merged = dict(self.tags)
        pairs = own.items() if isinstance(own, dict) else ((tag["Key"], tag["Value"]) for tag in own)
        merged.update(pairs)
        return [{"Key": key, "Value": value} for key, value in merged.items()]


class Handler:
    """Creates, updates and deletes resources of one type."""

    noop = False
    can_snapshot = False
    # Properties an update may change in place. Anything else fails the stack by name.
    updatable: set[str] = set()

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    def replaces(self, changed: set[str]) -> bool:
        """True when a change needs a new resource although the registry does not say so."""
        return False

    def update(
        self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any], attributes: dict[str, Any]
    ) -> dict[str, Any]:
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        refused = changed - self.updatable
        if refused:
            raise Failure(f"the emulator cannot change {', '.join(sorted(refused))} of {context.resource_type} in place")
        self.change(context, physical_id, old, new, changed)
        return attributes

    def change(
        self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any], changed: set[str]
    ) -> None:
        raise Failure(f"the emulator cannot update {context.resource_type}")

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any], attributes: dict[str, Any]) -> None:
        raise NotImplementedError


def handles(*types: str) -> Any:
    """Registers a handler class for types."""

    def register(cls: type[Handler]) -> type[Handler]:
        for resource_type in types:
            HANDLERS[resource_type] = cls()
        return cls

    return register


class Recorded(Handler):
    """A type that is remembered only."""

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        physical_id = self.identify(context, properties)
        RECORDED.append(self._entry(context, physical_id, properties))
        return physical_id, self.attributes(context, physical_id, properties)

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return context.name()

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {}

    def update(
        self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any], attributes: dict[str, Any]
    ) -> dict[str, Any]:
        self.delete(context, physical_id, old, attributes)
        RECORDED.append(self._entry(context, physical_id, new))
        return attributes

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any], attributes: dict[str, Any]) -> None:
        RECORDED[:] = [
            entry
            for entry in RECORDED
            if (entry["stack"], entry["logicalId"], entry["physicalId"])
            != (context.stack_name, context.logical_id, physical_id)
        ]

    @staticmethod
    def _entry(context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "stack": context.stack_name,
            "logicalId": context.logical_id,
            "type": context.resource_type,
            "physicalId": physical_id,
            "properties": properties,
        }


def lower_first(value: Any, verbatim: tuple[str, ...] = ()) -> Any:
    """PascalCase keys of CloudFormation to the camelCase of an API. Below a verbatim key nothing changes."""
    if isinstance(value, list):
        return [lower_first(item, verbatim) for item in value]
    if isinstance(value, dict):
        return {
            SPECIAL.get(key, key[0].lower() + key[1:]): (child if key in verbatim else lower_first(child, verbatim))
            for key, child in value.items()
        }
    return value


SPECIAL = {
    "EFSVolumeConfiguration": "efsVolumeConfiguration",
    "FilesystemId": "fileSystemId",
    "IAM": "iam",
    "EnableECSManagedTags": "enableECSManagedTags",
}


def booleans_and_numbers(value: Any, shape: Any) -> Any:
    """CloudFormation takes "true" and "1" for booleans and numbers; the API does not. Follows the API's shape."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            key: booleans_and_numbers(child, shape.members[key]) if key in shape.members else child
            for key, child in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [booleans_and_numbers(child, shape.member) for child in value]
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


def fit(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters with the types the operation wants; botocore then checks every name."""
    return booleans_and_numbers(parameters, client.meta.service_model.operation_model(operation).input_shape)
