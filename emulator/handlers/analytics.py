"""S3 Tables, Glue, Athena, Step Functions and Data Exports: what FOCUS evidence in tables is made of."""

from __future__ import annotations

from typing import Any

from ..errors import Failure
from .base import Context, Handler, Recorded, fit, handles, lower_first


@handles("AWS::BCMDataExports::Export")
class Export(Recorded):
    """moto has no Data Exports."""

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return context.arn("bcm-data-exports", f"export/{properties['Export']['Name']}-0a1b2c3d")

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"ExportArn": physical_id}


@handles("AWS::S3Tables::TableBucket")
class TableBucket(Handler):
    # moto keeps the bucket alone: of its settings it knows none.
    updatable = {"EncryptionConfiguration", "UnreferencedFileRemoval", "MetricsConfiguration", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("s3tables").create_table_bucket(name=properties["TableBucketName"])
        return made["arn"], {"TableBucketARN": made["arn"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        """Settings that moto does not keep."""

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3tables").delete_table_bucket(tableBucketARN=physical_id)


@handles("AWS::S3Tables::Namespace")
class Namespace(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        bucket, name = properties["TableBucketARN"], properties["Namespace"]
        context.client("s3tables").create_namespace(tableBucketARN=bucket, namespace=[name])
        return f"{bucket}|{name}", {}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3tables").delete_namespace(
            tableBucketARN=properties["TableBucketARN"], namespace=properties["Namespace"]
        )


def _iceberg(metadata: dict[str, Any]) -> dict[str, Any]:
    """What the service checks of a schema, and moto does not: ids, names that Athena can see, and what a partition is of."""
    fields = metadata.get("IcebergSchema", {}).get("SchemaFieldList", [])
    names = [field["Name"] for field in fields]
    if len(set(names)) != len(names) or any(name != name.lower() for name in names):
        raise Failure("the column names of a table of S3 Tables must differ and be in lower case")
    ids = {int(field["Id"]) for field in fields if "Id" in field}
    for partition in metadata.get("IcebergPartitionSpec", {}).get("Fields", []):
        if int(partition["SourceId"]) not in ids:
            raise Failure(f"partition {partition['Name']}: no column has the id {partition['SourceId']}")
    return {"schema": {"fields": [{"name": f["Name"], "type": f["Type"], "required": bool(f.get("Required"))} for f in fields]}}


@handles("AWS::S3Tables::Table")
class Table(Handler):
    updatable = {"Compaction", "SnapshotManagement", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("s3tables")
        metadata = {"iceberg": _iceberg(properties["IcebergMetadata"])} if "IcebergMetadata" in properties else None
        made = client.create_table(
            tableBucketARN=properties["TableBucketARN"],
            namespace=properties["Namespace"],
            name=properties["TableName"],
            format=properties["OpenTableFormat"],
            **({"metadata": metadata} if metadata else {}),
        )
        return made["tableARN"], {"TableARN": made["tableARN"], "VersionToken": made["versionToken"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        """Maintenance that moto does not do."""

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3tables").delete_table(
            tableBucketARN=properties["TableBucketARN"], namespace=properties["Namespace"], name=properties["TableName"]
        )


@handles("AWS::Glue::Catalog")
class Catalog(Recorded):
    """moto has no catalogs of Glue beside the account's own."""

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        from .base import RECORDED

        if any(e["type"] == context.resource_type and e["properties"]["Name"] == properties["Name"] for e in RECORDED):
            raise Failure(f"AlreadyExists: the catalog {properties['Name']} exists")
        return super().create(context, properties)

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return context.arn("glue", f"catalog/{properties['Name']}")

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"ResourceArn": physical_id, "CatalogId": f"{context.account}:{properties['Name']}"}


@handles("AWS::Glue::Database")
class Database(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        context.client("glue").create_database(DatabaseInput=properties["DatabaseInput"])
        return properties["DatabaseInput"]["Name"], {}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("glue").delete_database(Name=physical_id)


@handles("AWS::Glue::Table")
class GlueTable(Handler):
    updatable = {"TableInput"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("glue")
        parameters = {"DatabaseName": properties["DatabaseName"], "TableInput": properties["TableInput"]}
        client.create_table(**fit(client, "CreateTable", parameters))
        return properties["TableInput"]["Name"], {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        context.client("glue").update_table(DatabaseName=new["DatabaseName"], TableInput=new["TableInput"])

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("glue").delete_table(DatabaseName=properties["DatabaseName"], Name=physical_id)


@handles("AWS::Athena::WorkGroup")
class WorkGroup(Handler):
    updatable = {"WorkGroupConfiguration", "Description", "State", "RecursiveDeleteOption", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("athena")
        parameters = {
            "Name": properties["Name"],
            "Description": properties.get("Description", ""),
            "Configuration": properties.get("WorkGroupConfiguration", {}),
            "Tags": context.all_tags(properties),
        }
        client.create_work_group(**fit(client, "CreateWorkGroup", parameters))
        return properties["Name"], {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        if changed & {"WorkGroupConfiguration", "Description", "State"}:
            raise Failure("the emulator has no update of a workgroup")

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("athena").delete_work_group(WorkGroup=physical_id)


@handles("AWS::Athena::NamedQuery")
class NamedQuery(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("athena").create_named_query(**properties)["NamedQueryId"]
        return made, {"NamedQueryId": made}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        """moto has no deletion of a saved query."""


@handles("AWS::StepFunctions::StateMachine")
class StateMachine(Handler):
    updatable = {"DefinitionString", "RoleArn", "LoggingConfiguration", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("stepfunctions")
        name = properties.get("StateMachineName") or context.name(80)
        made = client.create_state_machine(
            name=name,
            definition=properties["DefinitionString"],
            roleArn=properties["RoleArn"],
            loggingConfiguration=fit(
                client,
                "CreateStateMachine",
                {"loggingConfiguration": lower_first(properties.get("LoggingConfiguration", {}))},
            )["loggingConfiguration"],
        )
        return made["stateMachineArn"], {"Arn": made["stateMachineArn"], "Name": name}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        context.client("stepfunctions").update_state_machine(
            stateMachineArn=physical_id, definition=new["DefinitionString"], roleArn=new["RoleArn"]
        )

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("stepfunctions").delete_state_machine(stateMachineArn=physical_id)
