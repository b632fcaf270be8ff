"""What moto has no API for, and the address that changes what no API changes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from .conftest import REGION, Aws


def change(aws: Aws, service: str, *path: Any, **body: Any) -> Any:
    request = {"service": service, "region": REGION, "path": path, **body}
    answer = urllib.request.urlopen(f"{aws.url}/emulator/set", data=json.dumps(request).encode())
    return json.load(answer)


def test_a_setting_is_changed_and_what_was_there_comes_back(aws: Aws) -> None:
    made = aws.client("efs").create_file_system(CreationToken="one", Encrypted=True)["FileSystemId"]
    assert change(aws, "efs", "file_systems_by_id", made, "encrypted", value=False) == {"was": True}
    assert aws.file_systems()[0]["Encrypted"] is False


def test_a_path_that_leads_nowhere_is_refused(aws: Aws) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        change(aws, "efs", "file_systems_by_id", "fs-none", "encrypted", value=False)
    assert refused.value.code == 404


def test_recovery_points_and_restore_jobs_are_those_that_were_set_until_a_reset(aws: Aws) -> None:
    arn = f"arn:aws:elasticfilesystem:{REGION}:123456789012:file-system/fs-1"
    point = {"ResourceArn": arn, "Status": "COMPLETED", "CreationDate": 1764000000}
    change(aws, "emulator", "recoveryPoints", value=[point, {**point, "ResourceArn": "another"}])
    change(aws, "emulator", "restoreJobs", value=[{"RestoreJobId": "job", "Status": "COMPLETED"}])
    backup = aws.client("backup")
    assert [one["Status"] for one in backup.list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]] == ["COMPLETED"]
    assert [one["RestoreJobId"] for one in backup.list_restore_jobs()["RestoreJobs"]] == ["job"]
    urllib.request.urlopen(urllib.request.Request(f"{aws.url}/moto-api/reset", method="POST"))
    assert backup.list_restore_jobs()["RestoreJobs"] == []


def test_a_selection_of_a_stack_is_read_through_the_api(aws: Aws) -> None:
    template = {
        "Resources": {
            "Vault": {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "vault"}},
            "Plan": {
                "Type": "AWS::Backup::BackupPlan",
                "Properties": {
                    "BackupPlan": {
                        "BackupPlanName": "plan",
                        "BackupPlanRule": [{"RuleName": "Daily", "TargetBackupVault": {"Ref": "Vault"}}],
                    }
                },
            },
            "Selection": {
                "Type": "AWS::Backup::BackupSelection",
                "Properties": {
                    "BackupPlanId": {"Ref": "Plan"},
                    "BackupSelection": {"SelectionName": "all", "IamRoleArn": "arn:aws:iam::123456789012:role/r", "Resources": ["*"]},
                },
            },
        }
    }
    assert aws.create(template) == "CREATE_COMPLETE"
    backup, plan = aws.client("backup"), aws.physical("Plan")
    (found,) = backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    selection = backup.get_backup_selection(BackupPlanId=plan, SelectionId=found["SelectionId"])
    assert selection["BackupSelection"]["Resources"] == ["*"]
    with pytest.raises(backup.exceptions.ResourceNotFoundException):
        backup.get_backup_selection(BackupPlanId=plan, SelectionId="none")


def test_a_serverless_cache_is_described_as_it_was_made_or_set(aws: Aws) -> None:
    cache = {
        "Engine": "valkey",
        "ServerlessCacheName": "shared",
        "CacheUsageLimits": {"DataStorage": {"Maximum": 1, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 1000}},
        "SecurityGroupIds": ["sg-1"],
        "SnapshotRetentionLimit": 0,
        "Tags": [{"Key": "ManagedBy", "Value": "tests"}],
    }
    template = {"Resources": {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": cache}}}
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    client = aws.client("elasticache")
    (found,) = client.describe_serverless_caches(ServerlessCacheName="shared")["ServerlessCaches"]
    assert {key: found[key] for key in cache if key != "Tags"} == {key: cache[key] for key in cache if key != "Tags"}
    assert found["Status"] == "available"
    arn = f"arn:aws:elasticache:{REGION}:123456789012:serverlesscache:shared"
    assert cache["Tags"][0] in client.list_tags_for_resource(ResourceName=arn)["TagList"]
    change(aws, "emulator", "recorded", 0, "properties", "CacheUsageLimits", "DataStorage", "Maximum", value=50)
    (found,) = client.describe_serverless_caches()["ServerlessCaches"]
    assert found["CacheUsageLimits"]["DataStorage"]["Maximum"] == 50
    with pytest.raises(client.exceptions.ServerlessCacheNotFoundFault):
        client.describe_serverless_caches(ServerlessCacheName="none")


def test_a_setting_of_a_database_is_changed(aws: Aws) -> None:
    rds = aws.client("rds")
    rds.create_db_instance(DBInstanceIdentifier="one", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20)
    change(aws, "rds", "databases", "one", "publicly_accessible", value=True)
    assert rds.describe_db_instances()["DBInstances"][0]["PubliclyAccessible"] is True


def test_a_subnet_group_that_was_modified_is_still_there(aws: Aws) -> None:
    rds, subnets = aws.client("rds"), [one["SubnetId"] for one in aws.client("ec2").describe_subnets()["Subnets"]]
    rds.create_db_subnet_group(DBSubnetGroupName="one", DBSubnetGroupDescription="one", SubnetIds=subnets[:2])
    rds.modify_db_subnet_group(DBSubnetGroupName="one", SubnetIds=subnets[1:3])
    (group,) = rds.describe_db_subnet_groups(DBSubnetGroupName="one")["DBSubnetGroups"]
    assert {one["SubnetIdentifier"] for one in group["Subnets"]} == set(subnets[1:3])
