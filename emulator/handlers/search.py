"""OpenSearch Serverless: remembered only, because moto has no collection groups and deletes no policy. What AWS looks at
before it makes a collection is looked at here: its group and the policy that encrypts it must exist."""

from __future__ import annotations

import json
import uuid
from typing import Any

from ..errors import Failure
from .base import RECORDED, Context, Recorded, handles


def recorded(context: Context, resource_type: str) -> list[dict[str, Any]]:
    return [entry for entry in RECORDED if entry["type"] == f"AWS::OpenSearchServerless::{resource_type}"]


class Named(Recorded):
    """One of a name, and of a type where there are types."""

    key: tuple[str, ...] = ("Name",)

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        def of(values: dict[str, Any]) -> list[Any]:
            return [values.get(name) for name in self.key]

        kind = context.resource_type.rpartition("::")[2]
        if any(of(entry["properties"]) == of(properties) for entry in recorded(context, kind)):
            raise Failure(f"Resource handler returned message: {kind} with name {properties['Name']} already exists (AlreadyExists)")
        return super().create(context, properties)

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return uuid.uuid4().hex[:20]


@handles("AWS::OpenSearchServerless::SecurityPolicy", "AWS::OpenSearchServerless::AccessPolicy")
class Policy(Named):
    key = ("Name", "Type")

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self._read(properties)
        return super().create(context, properties)

    def update(self, context: Context, physical_id: str, old: Any, new: Any, attributes: Any) -> dict[str, Any]:
        self._read(new)
        return super().update(context, physical_id, old, new, attributes)

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return f"{properties['Type']}|{properties['Name']}"

    @staticmethod
    def _read(properties: dict[str, Any]) -> None:
        try:
            document = json.loads(properties["Policy"])
        except ValueError as error:
            raise Failure(f"Policy json is invalid, error: {error}") from None
        kind, form = properties["Type"], dict if properties["Type"] == "encryption" else list
        if not isinstance(document, form):
            raise Failure(f"Policy json is invalid: a policy of type {kind} is {'an object' if form is dict else 'a list'}")


@handles("AWS::OpenSearchServerless::CollectionGroup")
class CollectionGroup(Named):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        # Seen on the live service: StandbyReplicas cannot be set to DISABLED for NEXTGEN collection groups.
        if properties.get("Generation") == "NEXTGEN" and properties["StandbyReplicas"] != "ENABLED":
            raise Failure("StandbyReplicas cannot be set to DISABLED for NEXTGEN collection groups")
        return super().create(context, properties)

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Id": physical_id, "Arn": context.arn("aoss", f"collection-group/{physical_id}")}

    def update(self, context: Context, physical_id: str, old: Any, new: Any, attributes: Any) -> dict[str, Any]:
        Recorded.delete(self, context, physical_id, old, attributes)
        RECORDED.append(self._entry(context, physical_id, new))
        return attributes

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        if any(entry["properties"].get("CollectionGroupName") == properties["Name"] for entry in recorded(context, "Collection")):
            raise Failure(f"Collection group {properties['Name']} still has collections")
        super().delete(context, physical_id, properties, attributes)


@handles("AWS::OpenSearchServerless::Collection")
class Collection(Named):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name, group = properties["Name"], properties.get("CollectionGroupName")
        encrypted = [
            entry
            for entry in recorded(context, "SecurityPolicy")
            if entry["properties"]["Type"] == "encryption" and f'"collection/{name}"' in entry["properties"]["Policy"]
        ]
        if not encrypted:
            raise Failure(f"No matching security policy of encryption type found for collection name: {name}")
        if group and not any(entry["properties"]["Name"] == group for entry in recorded(context, "CollectionGroup")):
            raise Failure(f"Collection group {group} does not exist")
        return super().create(context, properties)

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        host = f"https://{physical_id}.{context.region}.aoss.amazonaws.com"
        return {
            "Id": physical_id,
            "Arn": context.arn("aoss", f"collection/{physical_id}"),
            "CollectionEndpoint": host,
            "DashboardEndpoint": f"{host}/_dashboards",
        }


@handles("AWS::OpenSearchServerless::VpcEndpoint")
class VpcEndpoint(Named):
    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return f"vpce-{uuid.uuid4().hex[:17]}"

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Id": physical_id}
