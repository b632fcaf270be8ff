"""RDS, Aurora, Secrets Manager, S3 Vectors. ElastiCache Serverless is recorded: moto 5.2.5 has no API for it."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import Failure
from .base import Context, Handler, Recorded, fit, handles

DYNAMIC = re.compile(r"\{\{resolve:secretsmanager:(arn:[^}]*?):SecretString:([^:}]*)(?::[^}]*)?\}\}")


def _resolved(context: Context, text: str) -> str:
    """What CloudFormation does with a reference to a secret when it makes the resource."""

    def value(found: re.Match[str]) -> str:
        arn, key = found.groups()
        secret = context.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        fields = json.loads(secret) if key else {}
        if key and key not in fields:
            raise Failure(f"Could not find a value associated with JSONKey {key} in SecretString")
        return fields[key] if key else secret

    return DYNAMIC.sub(value, text)


@handles("AWS::SecretsManager::Secret")
class Secret(Handler):
    updatable = {"Description", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("secretsmanager")
        made = client.create_secret(
            Name=properties.get("Name") or context.name(),
            Description=properties.get("Description", ""),
            SecretString=self._value(client, properties),
            Tags=context.all_tags(properties),
        )
        return made["ARN"], {"Id": made["ARN"]}

    @staticmethod
    def _value(client: Any, properties: dict[str, Any]) -> str:
        if "SecretString" in properties:
            return properties["SecretString"]
        wanted = dict(properties.get("GenerateSecretString", {}))
        template, key = wanted.pop("SecretStringTemplate", None), wanted.pop("GenerateStringKey", None)
        password = client.get_random_password(**fit(client, "GetRandomPassword", wanted))["RandomPassword"]
        return json.dumps({**json.loads(template), key: password}) if template else password

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("secretsmanager")
        client.update_secret(SecretId=physical_id, Description=new.get("Description", ""))
        client.tag_resource(SecretId=physical_id, Tags=context.all_tags(new))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("secretsmanager").delete_secret(SecretId=physical_id, ForceDeleteWithoutRecovery=True)


def _retag(context: Context, arn: str, old: Any, new: Any) -> None:
    client = context.client("rds")
    gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
    if gone:
        client.remove_tags_from_resource(ResourceName=arn, TagKeys=sorted(gone))
    client.add_tags_to_resource(ResourceName=arn, Tags=context.all_tags(new))


@handles("AWS::RDS::DBSubnetGroup")
class SubnetGroup(Handler):
    updatable = {"Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = (properties.get("DBSubnetGroupName") or context.name(255)).lower()
        context.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name,
            DBSubnetGroupDescription=properties["DBSubnetGroupDescription"],
            SubnetIds=properties["SubnetIds"],
            Tags=context.all_tags(properties),
        )
        return name, {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        _retag(context, context.arn("rds", f"subgrp:{physical_id}"), old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("rds").delete_db_subnet_group(DBSubnetGroupName=physical_id)


class Parameters(Handler):
    updatable = {"Tags"}
    kind, arn_type = "", ""

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client, name = context.client("rds"), context.name(255).lower()
        getattr(client, f"create_db_{self.kind}")(
            **{self.argument: name, "DBParameterGroupFamily": properties["Family"]},
            Description=properties["Description"],
            Tags=context.all_tags(properties),
        )
        wanted = [
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "immediate"}
            for key, value in properties.get("Parameters", {}).items()
        ]
        if wanted:
            getattr(client, f"modify_db_{self.kind}")(**{self.argument: name}, Parameters=wanted)
        return name, {"DBParameterGroupName": name}

    @property
    def argument(self) -> str:
        return "DB" + "".join(word.capitalize() for word in self.kind.split("_")) + "Name"

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        _retag(context, context.arn("rds", f"{self.arn_type}:{physical_id}"), old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        getattr(context.client("rds"), f"delete_db_{self.kind}")(**{self.argument: physical_id})


@handles("AWS::RDS::DBParameterGroup")
class InstanceParameters(Parameters):
    kind, arn_type = "parameter_group", "pg"


@handles("AWS::RDS::DBClusterParameterGroup")
class ClusterParameters(Parameters):
    kind, arn_type = "cluster_parameter_group", "cluster-pg"


# How CloudFormation calls what the API calls otherwise.
RENAMED = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
# Properties that CloudFormation keeps for the day it deletes or upgrades the resource.
LATER = {"DeleteAutomatedBackups", "AllowMajorVersionUpgrade"}


def _wanted(context: Context, client: Any, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    wanted = {RENAMED.get(name, name): value for name, value in properties.items() if name not in LATER}
    if "MasterUserPassword" in wanted:
        wanted["MasterUserPassword"] = _resolved(context, wanted["MasterUserPassword"])
    wanted["Tags"] = context.all_tags(properties)
    return fit(client, operation, wanted)


@handles("AWS::RDS::DBInstance")
class Instance(Handler):
    can_snapshot = True
    updatable = {"Tags", "DeletionProtection", "DBInstanceClass", "AllocatedStorage", "BackupRetentionPeriod"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("rds")
        name = context.name(60).lower()
        made = client.create_db_instance(
            DBInstanceIdentifier=name, **_wanted(context, client, "CreateDBInstance", properties)
        )["DBInstance"]
        endpoint = made.get("Endpoint", {})
        return name, {
            "DBInstanceArn": made["DBInstanceArn"],
            "Endpoint.Address": endpoint.get("Address"),
            "Endpoint.Port": str(endpoint.get("Port")),
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("rds")
        settings = {name: new[name] for name in changed - {"Tags"} if name in new}
        if settings:
            wanted = fit(client, "ModifyDBInstance", {**settings, "ApplyImmediately": True})
            client.modify_db_instance(DBInstanceIdentifier=physical_id, **wanted)
        if "Tags" in changed:
            _retag(context, context.arn("rds", f"db:{physical_id}"), old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("rds").delete_db_instance(DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True)


@handles("AWS::RDS::DBCluster")
class Cluster(Handler):
    can_snapshot = True
    updatable = {"Tags", "DeletionProtection", "ServerlessV2ScalingConfiguration", "BackupRetentionPeriod"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("rds")
        name = context.name(60).lower()
        made = client.create_db_cluster(
            DBClusterIdentifier=name, **_wanted(context, client, "CreateDBCluster", properties)
        )["DBCluster"]
        return name, {
            "DBClusterArn": made["DBClusterArn"],
            "Endpoint.Address": made["Endpoint"],
            "Endpoint.Port": str(made["Port"]),
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("rds")
        settings = {name: new[name] for name in changed - {"Tags"} if name in new}
        if settings:
            client.modify_db_cluster(DBClusterIdentifier=physical_id, **fit(client, "ModifyDBCluster", settings))
        if "Tags" in changed:
            _retag(context, context.arn("rds", f"cluster:{physical_id}"), old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("rds").delete_db_cluster(DBClusterIdentifier=physical_id, SkipFinalSnapshot=True)


@handles("AWS::S3Vectors::VectorBucket")
class VectorBucket(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("s3vectors")
        name = properties.get("VectorBucketName") or context.name(63).lower()
        wanted = {"vectorBucketName": name}
        if "EncryptionConfiguration" in properties:
            encryption = {"SseType": "sseType", "KmsKeyArn": "kmsKeyArn"}
            wanted["encryptionConfiguration"] = {
                encryption[key]: value for key, value in properties["EncryptionConfiguration"].items()
            }
        client.create_vector_bucket(**wanted)
        arn = context.arn("s3vectors", f"bucket/{name}")
        return arn, {"VectorBucketArn": arn, "CreationTime": ""}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("s3vectors").delete_vector_bucket(vectorBucketName=physical_id.split("/")[-1])


@handles("AWS::ElastiCache::ServerlessCache")
class ServerlessCache(Recorded):
    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return properties["ServerlessCacheName"]

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        address = f"{physical_id}.serverless.{context.region}.cache.amazonaws.com"
        return {
            "ARN": context.arn("elasticache", f"serverlesscache:{physical_id}"),
            "Endpoint.Address": address,
            "Endpoint.Port": "6379",
        }
