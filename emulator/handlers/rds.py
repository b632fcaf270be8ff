"""RDS and Aurora. moto makes databases that take no connection: what is proved is that they stay and how they are set."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, fit, handles

# What the API spells otherwise than CloudFormation.
RENAMED = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
# What CloudFormation keeps until a database is changed or deleted: no create call takes it.
LATER = {"DeleteAutomatedBackups", "AllowMajorVersionUpgrade"}


def _wanted(properties: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): value for name, value in properties.items() if name not in LATER | {"Tags"}}


def _identifier(context: Context) -> str:
    # RDS writes identifiers in lower case, and CloudFormation's own are up to 63 characters.
    return context.name(63).lower()


class Database(Handler):
    """What instances and clusters have in common. They are changed in place where the registry allows it."""

    kind = ""
    key = ""
    can_snapshot = True

    @staticmethod
    def _attributes(made: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("rds")
        wanted = _wanted(properties)
        wanted.setdefault(f"{self.key}Identifier", _identifier(context))
        operation = f"CreateDB{self.kind}"
        made = getattr(client, f"create_db_{self.kind.lower()}")(
            **fit(client, operation, {**wanted, "Tags": context.all_tags(properties)})
        )[f"DB{self.kind}"]
        return made[f"{self.key}Identifier"], self._attributes(made)

    # What ModifyDBInstance and ModifyDBCluster take, by CloudFormation's names.
    updatable: set[str] = {
        "BackupRetentionPeriod",
        "DeletionProtection",
        "DeleteAutomatedBackups",
        "EngineVersion",
        "PreferredMaintenanceWindow",
        "PreferredBackupWindow",
        "Tags",
    }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("rds")
        wanted = {name: value for name, value in _wanted(new).items() if name in changed}
        if wanted:
            wanted[f"{self.key}Identifier"] = physical_id
            wanted["ApplyImmediately"] = True
            operation = f"ModifyDB{self.kind}"
            getattr(client, f"modify_db_{self.kind.lower()}")(**fit(client, operation, wanted))
        if "Tags" in changed:
            arn = context.arn("rds", f"{'db' if self.kind == 'Instance' else 'cluster'}:{physical_id}")
            retag(context, arn, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        client = context.client("rds")
        wanted: dict[str, Any] = {f"{self.key}Identifier": physical_id, "SkipFinalSnapshot": True}
        getattr(client, f"delete_db_{self.kind.lower()}")(**wanted)


def retag(context: Context, arn: str, old: Any, new: Any) -> None:
    client = context.client("rds")
    gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
    if gone:
        client.remove_tags_from_resource(ResourceName=arn, TagKeys=sorted(gone))
    client.add_tags_to_resource(ResourceName=arn, Tags=context.all_tags(new))


@handles("AWS::RDS::DBInstance")
class Instance(Database):
    kind, key = "Instance", "DBInstance"
    updatable = Database.updatable | {"DBInstanceClass", "AllocatedStorage", "MaxAllocatedStorage", "MultiAZ"}

    @staticmethod
    def _attributes(made: dict[str, Any]) -> dict[str, Any]:
        endpoint = made.get("Endpoint") or {}
        return {
            "DBInstanceArn": made["DBInstanceArn"],
            "DbiResourceId": made["DbiResourceId"],
            "Endpoint.Address": endpoint.get("Address", ""),
            "Endpoint.Port": str(endpoint.get("Port", "")),
        }


@handles("AWS::RDS::DBCluster")
class Cluster(Database):
    kind, key = "Cluster", "DBCluster"
    updatable = Database.updatable | {"ServerlessV2ScalingConfiguration"}

    @staticmethod
    def _attributes(made: dict[str, Any]) -> dict[str, Any]:
        return {
            "DBClusterArn": made["DBClusterArn"],
            "DBClusterResourceId": made["DbClusterResourceId"],
            "Endpoint.Address": made["Endpoint"],
            "Endpoint.Port": str(made["Port"]),
            "ReadEndpoint.Address": made.get("ReaderEndpoint", ""),
        }


class Group(Handler):
    """Subnet and parameter groups: a name, a description and what they hold."""

    create_call = delete_call = name_key = kind = ""
    updatable = {"Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("rds")
        name = properties.get(self.name_key) or context.name(255).lower()
        getattr(client, self.create_call)(**self._wanted(properties), **{self.name_key: name}, Tags=context.all_tags(properties))
        self._fill(context, name, properties)
        return name, {}

    def _wanted(self, properties: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _fill(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        """Sets what the group is made without."""

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        if "Tags" in changed:
            retag(context, context.arn("rds", f"{self.kind}:{physical_id}"), old, new)
        self._fill(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        getattr(context.client("rds"), self.delete_call)(**{self.name_key: physical_id})


@handles("AWS::RDS::DBSubnetGroup")
class SubnetGroup(Group):
    create_call, delete_call, name_key, kind = "create_db_subnet_group", "delete_db_subnet_group", "DBSubnetGroupName", "subgrp"

    def _wanted(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "DBSubnetGroupDescription": properties["DBSubnetGroupDescription"],
            "SubnetIds": properties["SubnetIds"],
        }


def _parameters(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
        for name, value in properties.get("Parameters", {}).items()
    ]


@handles("AWS::RDS::DBParameterGroup")
class ParameterGroup(Group):
    create_call, delete_call = "create_db_parameter_group", "delete_db_parameter_group"
    name_key, kind = "DBParameterGroupName", "pg"
    updatable = {"Parameters", "Tags"}

    def _wanted(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {"DBParameterGroupFamily": properties["Family"], "Description": properties["Description"]}

    def _fill(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        if _parameters(properties):
            context.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=_parameters(properties))


@handles("AWS::RDS::DBClusterParameterGroup")
class ClusterParameterGroup(Group):
    create_call, delete_call = "create_db_cluster_parameter_group", "delete_db_cluster_parameter_group"
    name_key, kind = "DBClusterParameterGroupName", "cluster-pg"
    updatable = {"Parameters", "Tags"}

    def _wanted(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {"DBParameterGroupFamily": properties["Family"], "Description": properties["Description"]}

    def _fill(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        if _parameters(properties):
            context.client("rds").modify_db_cluster_parameter_group(
                DBClusterParameterGroupName=name, Parameters=_parameters(properties)
            )
