"""EFS. moto 5.2.5 has no UpdateFileSystem, PutBackupPolicy or DeleteFileSystemPolicy: its objects are set in place."""

from __future__ import annotations

import json
import time
from typing import Any

from ..errors import Failure
from .base import Context, Handler, fit, handles


def _backend(context: Context) -> Any:
    from moto.efs.models import efs_backends

    return efs_backends[context.account][context.region]


@handles("AWS::EFS::FileSystem")
class FileSystem(Handler):
    updatable = {
        "ThroughputMode",
        "ProvisionedThroughputInMibps",
        "LifecyclePolicies",
        "FileSystemPolicy",
        "BackupPolicy",
        "FileSystemTags",
    }

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        refused = properties.keys() & {"ReplicationConfiguration", "FileSystemProtection"}
        if refused:
            raise Failure(f"the emulator has no {', '.join(sorted(refused))}")
        client = context.client("efs")
        wanted = {
            name: properties[name]
            for name in ("PerformanceMode", "KmsKeyId", "ThroughputMode", "AvailabilityZoneName", "ProvisionedThroughputInMibps")
            if name in properties
        }
        made = client.create_file_system(
            CreationToken=context.name(),
            Encrypted=_true(properties.get("Encrypted", False)),
            Tags=context.all_tags(properties, "FileSystemTags"),
            **wanted,
        )
        file_system_id = made["FileSystemId"]
        self._settings(context, file_system_id, properties)
        return file_system_id, {
            "FileSystemId": file_system_id,
            "Arn": context.arn("elasticfilesystem", f"file-system/{file_system_id}"),
        }

    def _settings(self, context: Context, file_system_id: str, properties: dict[str, Any]) -> None:
        client = context.client("efs")
        client.put_lifecycle_configuration(
            FileSystemId=file_system_id, LifecyclePolicies=properties.get("LifecyclePolicies", [])
        )
        if "FileSystemPolicy" in properties:
            client.put_file_system_policy(FileSystemId=file_system_id, Policy=json.dumps(properties["FileSystemPolicy"]))
        else:
            _backend(context).file_systems_by_id[file_system_id].file_system_policy = None
        model = _backend(context).file_systems_by_id[file_system_id]
        status = properties.get("BackupPolicy", {}).get("Status", "DISABLED")
        # moto derives the policy it returns from this flag.
        model._backup = status == "ENABLED"

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._settings(context, physical_id, new)
        model = _backend(context).file_systems_by_id[physical_id]
        if "ThroughputMode" in changed or "ProvisionedThroughputInMibps" in changed:
            model.throughput_mode = new.get("ThroughputMode", "bursting")
            model.provisioned_throughput_in_mibps = new.get("ProvisionedThroughputInMibps", 0)
        if "FileSystemTags" in changed:
            _retag(context, physical_id, context.all_tags(old, "FileSystemTags"), context.all_tags(new, "FileSystemTags"))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("efs").delete_file_system(FileSystemId=physical_id)


def _retag(context: Context, resource_id: str, old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
    client = context.client("efs")
    gone = {tag["Key"] for tag in old} - {tag["Key"] for tag in new}
    if gone:
        client.untag_resource(ResourceId=resource_id, TagKeys=sorted(gone))
    client.tag_resource(ResourceId=resource_id, Tags=new)


@handles("AWS::EFS::MountTarget")
class MountTarget(Handler):
    updatable = {"SecurityGroups"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("FileSystemId", "SubnetId", "SecurityGroups", "IpAddress")
        made = context.client("efs").create_mount_target(**{n: properties[n] for n in names if n in properties})
        return made["MountTargetId"], {"Id": made["MountTargetId"], "IpAddress": made["IpAddress"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        context.client("efs").modify_mount_target_security_groups(
            MountTargetId=physical_id, SecurityGroups=new["SecurityGroups"]
        )

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("efs").delete_mount_target(MountTargetId=physical_id)


@handles("AWS::EFS::AccessPoint")
class AccessPoint(Handler):
    updatable = {"AccessPointTags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("efs")
        # moto takes an access point of a file system that does not exist; EFS does not.
        client.describe_file_systems(FileSystemId=properties["FileSystemId"])
        wanted = {
            "ClientToken": f"{context.logical_id}-{time.time_ns()}"[-64:],
            "FileSystemId": properties["FileSystemId"],
            "Tags": context.all_tags(properties, "AccessPointTags"),
            **{name: properties[name] for name in ("PosixUser", "RootDirectory") if name in properties},
        }
        made = client.create_access_point(**fit(client, "CreateAccessPoint", wanted))
        return made["AccessPointId"], {"AccessPointId": made["AccessPointId"], "Arn": made["AccessPointArn"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        _retag(context, physical_id, context.all_tags(old, "AccessPointTags"), context.all_tags(new, "AccessPointTags"))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("efs").delete_access_point(AccessPointId=physical_id)


def _true(value: Any) -> bool:
    return value is True or value == "true"
