"""The engine fails closed, updates what it says it updates, and rolls back what it could not finish."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}

FILE_SYSTEM: dict[str, Any] = {
    "Resources": {
        "Fs": {
            "Type": "AWS::EFS::FileSystem",
            "DeletionPolicy": "Delete",
            "Properties": {
                "Encrypted": True,
                "ThroughputMode": "bursting",
                "LifecyclePolicies": [{"TransitionToIA": "AFTER_30_DAYS"}],
                "FileSystemPolicy": POLICY,
                "BackupPolicy": {"Status": "ENABLED"},
            },
        },
        "Point": {
            "Type": "AWS::EFS::AccessPoint",
            "Properties": {"FileSystemId": {"Ref": "Fs"}, "PosixUser": {"Uid": "1000", "Gid": "1000"}},
        },
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Fs", "Arn"]}}, "Point": {"Value": {"Fn::Sub": "at-${Point}"}}},
}


def changed(change: dict[str, Any], resource: str = "Fs") -> dict[str, Any]:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"][resource]["Properties"].update(change)
    return template


def test_create_keeps_every_setting_and_resolves_outputs(aws: Any) -> None:
    assert aws.create(FILE_SYSTEM) == "CREATE_COMPLETE"
    [fs] = aws.file_systems()
    efs = aws.client("efs")
    assert fs["Encrypted"] is True and fs["ThroughputMode"] == "bursting"
    assert efs.describe_lifecycle_configuration(FileSystemId=fs["FileSystemId"])["LifecyclePolicies"] == [{"TransitionToIA": "AFTER_30_DAYS"}]
    assert json.loads(efs.describe_file_system_policy(FileSystemId=fs["FileSystemId"])["Policy"]) == POLICY
    assert efs.describe_backup_policy(FileSystemId=fs["FileSystemId"])["BackupPolicy"]["Status"] == "ENABLED"
    stack = aws.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs == {"Arn": fs["FileSystemArn"], "Point": "at-" + aws.physical("Point")}


def test_an_update_in_place_keeps_the_resource(aws: Any) -> None:
    aws.create(FILE_SYSTEM)
    before = aws.physical("Fs")
    assert aws.update(changed({"ThroughputMode": "elastic", "BackupPolicy": {"Status": "DISABLED"}})) == "UPDATE_COMPLETE"
    [fs] = aws.file_systems()
    assert fs["FileSystemId"] == before and fs["ThroughputMode"] == "elastic"
    with pytest.raises(Exception, match="PolicyNotFound"):
        aws.client("efs").describe_backup_policy(FileSystemId=before)


def test_a_create_only_property_replaces_the_resource_and_what_hangs_on_it(aws: Any) -> None:
    aws.create(FILE_SYSTEM)
    old_fs, old_point = aws.physical("Fs"), aws.physical("Point")
    assert aws.update(changed({"Encrypted": False})) == "UPDATE_COMPLETE"
    assert aws.physical("Fs") != old_fs and aws.physical("Point") != old_point
    assert [fs["FileSystemId"] for fs in aws.file_systems()] == [aws.physical("Fs")]


def test_update_replace_policy_retain_keeps_the_old_one(aws: Any) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"]["Fs"]["UpdateReplacePolicy"] = "Retain"
    aws.create(template)
    template = copy.deepcopy(template)
    template["Resources"]["Fs"]["Properties"]["Encrypted"] = False
    aws.update(template)
    assert len(aws.file_systems()) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"AccessMode": "fast"}, "AccessMode"),
        ({"ThroughputMode": "turbo"}, "turbo"),
        ({"KmsKeyId": {"Fn::GetAtt": ["Fs", "NoSuch"]}}, "Unresolved resource dependencies .Fs."),
        ({"KmsKeyId": {"Ref": "Absent"}}, "Absent"),
        ({"KmsKeyId": {"Fn::Length": []}}, "Fn::Length is not supported"),
    ],
)
def test_a_failed_create_leaves_nothing_and_says_why(aws: Any, change: dict[str, Any], reason: str) -> None:
    import re

    assert aws.create(changed(change)) == "ROLLBACK_COMPLETE"
    assert re.search(reason, aws.reason())
    assert aws.file_systems() == []


def test_an_unknown_type_fails_the_stack(aws: Any) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"]["Other"] = {"Type": "AWS::FSx::FileSystem", "Properties": {}}
    assert aws.create(template) == "ROLLBACK_COMPLETE"
    assert "AWS::FSx::FileSystem is not supported by the emulator" in aws.reason()
    assert aws.file_systems() == []


def test_an_unknown_attribute_fails_the_stack(aws: Any) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Outputs"]["Arn"]["Value"] = {"Fn::GetAtt": ["Fs", "FsId"]}
    assert aws.create(template) == "ROLLBACK_COMPLETE"
    assert "has no attribute FsId" in aws.reason()


def test_a_failed_update_restores_what_was(aws: Any) -> None:
    aws.create(FILE_SYSTEM)
    before = (aws.physical("Fs"), aws.physical("Point"))
    template = changed({"ThroughputMode": "elastic"})
    template["Resources"]["Later"] = {
        "Type": "AWS::EFS::MountTarget",
        "Properties": {"FileSystemId": {"Ref": "Fs"}, "SubnetId": "subnet-00000000", "SecurityGroups": ["sg-00000000"]},
    }
    assert aws.update(template) == "UPDATE_ROLLBACK_COMPLETE"
    [fs] = aws.file_systems()
    assert fs["ThroughputMode"] == "bursting"
    assert (aws.physical("Fs"), aws.physical("Point")) == before


def test_a_change_the_emulator_cannot_make_fails_by_name(aws: Any) -> None:
    group = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}}
    aws.create(group)
    group = copy.deepcopy(group)
    group["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = False
    assert aws.update(group) == "UPDATE_ROLLBACK_COMPLETE"
    assert "cannot change EnableDnsSupport of AWS::EC2::VPC" in aws.reason()


def test_the_same_template_again_is_no_update(aws: Any) -> None:
    aws.create(FILE_SYSTEM)
    with pytest.raises(Exception, match="No updates are to be performed"):
        aws.update(FILE_SYSTEM)


@pytest.mark.parametrize(("policy", "left"), [("Retain", 1), ("RetainExceptOnCreate", 1), ("Delete", 0)])
def test_delete_honours_the_deletion_policy(aws: Any, policy: str, left: int) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"]["Fs"]["DeletionPolicy"] = policy
    aws.create(template)
    aws.delete()
    assert len(aws.file_systems()) == left
    assert aws.client("efs").describe_access_points()["AccessPoints"] == []


def test_retain_except_on_create_does_not_survive_a_failed_create(aws: Any) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"]["Fs"]["DeletionPolicy"] = "RetainExceptOnCreate"
    template["Resources"]["Point"]["Properties"]["PosixUser"] = {"Uid": "1000"}
    assert aws.create(template) == "ROLLBACK_COMPLETE"
    assert aws.file_systems() == []


def test_snapshot_is_refused_where_it_does_not_exist(aws: Any) -> None:
    template = copy.deepcopy(FILE_SYSTEM)
    template["Resources"]["Fs"]["DeletionPolicy"] = "Snapshot"
    assert aws.create(template) == "ROLLBACK_COMPLETE"
    assert "DeletionPolicy Snapshot is not possible" in aws.reason()


def service_template(memory: str) -> dict[str, Any]:
    return {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "x", "VpcId": {"Ref": "Vpc"}}},
            "Cluster": {"Type": "AWS::ECS::Cluster"},
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": "f",
                    "Cpu": "256",
                    "Memory": memory,
                    "NetworkMode": "awsvpc",
                    "RequiresCompatibilities": ["FARGATE"],
                    "ContainerDefinitions": [{"Name": "c", "Image": "i:1", "Essential": "true", "StopTimeout": 120}],
                    "Volumes": [
                        {
                            "Name": "v",
                            "EFSVolumeConfiguration": {
                                "FilesystemId": "fs-12345678",
                                "TransitEncryption": "ENABLED",
                                "AuthorizationConfig": {"AccessPointId": "fsap-1", "IAM": "ENABLED"},
                            },
                        }
                    ],
                },
            },
            "Service": {
                "Type": "AWS::ECS::Service",
                "Properties": {
                    "Cluster": {"Ref": "Cluster"},
                    "TaskDefinition": {"Ref": "Task"},
                    "LaunchType": "FARGATE",
                    "DesiredCount": 1,
                    "AvailabilityZoneRebalancing": "DISABLED",
                    "DeploymentConfiguration": {"MinimumHealthyPercent": 0, "MaximumPercent": 100},
                    "NetworkConfiguration": {
                        "AwsvpcConfiguration": {"Subnets": [{"Ref": "Subnet"}], "SecurityGroups": [{"Ref": "Group"}]}
                    },
                },
            },
        }
    }


def test_a_new_revision_reaches_the_service_and_nothing_is_dropped(aws: Any) -> None:
    ecs = aws.client("ecs")
    assert aws.create(service_template("512")) == "CREATE_COMPLETE", aws.reason()
    arn = aws.physical("Service")

    def service() -> dict[str, Any]:
        return ecs.describe_services(cluster=aws.physical("Cluster"), services=[arn])["services"][0]

    first = service()
    assert first["deploymentConfiguration"]["maximumPercent"] == 100 and first["availabilityZoneRebalancing"] == "DISABLED"
    task = ecs.describe_task_definition(taskDefinition=first["taskDefinition"])["taskDefinition"]
    assert task["volumes"][0]["efsVolumeConfiguration"]["authorizationConfig"] == {"accessPointId": "fsap-1", "iam": "ENABLED"}
    assert task["containerDefinitions"][0]["stopTimeout"] == 120
    assert aws.update(service_template("1024")) == "UPDATE_COMPLETE", aws.reason()
    second = service()
    assert aws.physical("Service") == arn
    assert second["taskDefinition"] != first["taskDefinition"] and second["taskDefinition"] == aws.physical("Task")
    aws.delete()
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    assert [cluster for cluster in clusters if cluster["status"] == "ACTIVE"] == []
    assert [vpc for vpc in aws.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []


def test_recorded_types_are_listed_and_forgotten_on_delete(aws: Any) -> None:
    template = {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": POLICY}},
        }
    }
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    [entry] = aws.recorded()
    assert entry["type"] == "AWS::S3::BucketPolicy" and entry["properties"]["Bucket"] == aws.physical("Bucket")
    aws.delete()
    assert aws.recorded() == []


TEMPLATES = Path(__file__).parent / "templates"

# What each seeded fault is; the emulator must refuse these at create.
CAUGHT = {
    "access-point-bad-permissions",
    "dangling-ref",
    "file-system-unknown-property",
    "getatt-typo",
    "kms-key-on-unencrypted-file-system",
    "lifecycle-unknown-transition",
    "mount-target-without-security-group",
    "subnet-outside-vpc",
    "subnet-overlap",
    "throughput-mode-unknown-value",
    "two-mount-targets-in-one-zone",
}


@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.glob("*.json")))
def test_seeded_faults(aws: Any, name: str) -> None:
    """A type without a handler fails closed as well, so only the named faults must fail for their own reason."""
    template = json.loads((TEMPLATES / f"{name}.json").read_text())
    for logical_id in [k for k, body in template["Resources"].items() if body["Type"].startswith(("AWS::RDS", "AWS::OpenSearch"))]:
        del template["Resources"][logical_id]
    status = aws.create(template)
    if name in CAUGHT:
        assert status == "ROLLBACK_COMPLETE"
        assert "not supported by the emulator" not in aws.reason()
    elif name == "clean":
        assert status == "CREATE_COMPLETE", aws.reason()
