"""Tables, catalogs, workgroups and state machines: made, refused, kept."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

TABLES: dict[str, Any] = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3Tables::TableBucket", "DeletionPolicy": "Retain", "Properties": {"TableBucketName": "some-tables"}},
        "Namespace": {
            "Type": "AWS::S3Tables::Namespace",
            "DeletionPolicy": "Retain",
            "Properties": {"TableBucketARN": {"Fn::GetAtt": ["Bucket", "TableBucketARN"]}, "Namespace": "focus"},
        },
        "Table": {
            "Type": "AWS::S3Tables::Table",
            "DeletionPolicy": "Retain",
            "DependsOn": "Namespace",
            "Properties": {
                "TableBucketARN": {"Fn::GetAtt": ["Bucket", "TableBucketARN"]},
                "Namespace": "focus",
                "TableName": "costs",
                "OpenTableFormat": "ICEBERG",
                "Compaction": {"Status": "enabled", "TargetFileSizeMB": 512},
                "IcebergMetadata": {
                    "IcebergSchema": {"SchemaFieldList": [{"Id": 1, "Name": "day", "Type": "timestamp", "Required": False}]},
                    "IcebergPartitionSpec": {"Fields": [{"SourceId": 1, "Transform": "month", "Name": "day_month"}]},
                },
            },
        },
    }
}
CATALOG = {"Type": "AWS::Glue::Catalog", "DeletionPolicy": "Retain", "Properties": {"Name": "s3tablescatalog"}}


def with_table(change: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(TABLES)
    template["Resources"]["Table"]["Properties"].update(change)
    return template


def tables_of(aws: Any) -> list[str]:
    client = aws.client("s3tables")
    buckets = client.list_table_buckets()["tableBuckets"]
    return [table["name"] for bucket in buckets for table in client.list_tables(tableBucketARN=bucket["arn"])["tables"]]


def test_tables_are_made_and_stay_when_their_stack_goes(aws: Any) -> None:
    assert aws.create(TABLES) == "CREATE_COMPLETE", aws.reason()
    assert tables_of(aws) == ["costs"]
    aws.delete()
    assert tables_of(aws) == ["costs"]
    # The name is taken: a second stack of the same name would not get another bucket.
    assert aws.create(TABLES, "second") == "ROLLBACK_COMPLETE"


def schema(*fields: tuple[int, str]) -> dict[str, Any]:
    columns = [{"Id": at, "Name": name, "Type": "timestamp", "Required": False} for at, name in fields]
    partition = {"Fields": [{"SourceId": 1, "Transform": "month", "Name": "m"}]}
    return {"IcebergMetadata": {"IcebergSchema": {"SchemaFieldList": columns}, "IcebergPartitionSpec": partition}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (schema((1, "Day")), "must differ and be in lower case"),
        (schema((1, "day"), (2, "day")), "must differ and be in lower case"),
        (schema((2, "day")), "no column has the id 1"),
        ({"Compaction": {"Status": "Enabled"}}, "is not one of"),
        ({"Namespace": "my-focus"}, "does not match"),
    ],
)
def test_a_table_that_the_service_would_refuse_fails_the_stack(aws: Any, change: dict[str, Any], reason: str) -> None:
    assert aws.create(with_table(change)) == "ROLLBACK_COMPLETE"
    assert reason in aws.reason()


def test_an_account_has_one_catalog_of_table_buckets(aws: Any) -> None:
    assert aws.create({"Resources": {"Catalog": CATALOG}}) == "CREATE_COMPLETE", aws.reason()
    assert aws.create({"Resources": {"Catalog": CATALOG}}, "second") == "ROLLBACK_COMPLETE"
    assert "s3tablescatalog exists" in aws.reason("second")


def test_a_state_machine_and_a_policy_change_in_place(aws: Any) -> None:
    def template(end: str) -> dict[str, Any]:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": f"athena:{end}", "Resource": "*"}]}
        return {
            "Resources": {
                "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}},
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [{"Ref": "Policy"}]},
                },
                "Machine": {
                    "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {
                        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                        "DefinitionString": json.dumps({"StartAt": end, "States": {end: {"Type": "Succeed"}}}),
                    },
                },
            }
        }

    assert aws.create(template("First")) == "CREATE_COMPLETE", aws.reason()
    before = aws.physical("Machine"), aws.physical("Policy")
    assert aws.update(template("Second")) == "UPDATE_COMPLETE", aws.reason()
    assert (aws.physical("Machine"), aws.physical("Policy")) == before
    definition = aws.client("stepfunctions").describe_state_machine(stateMachineArn=before[0])["definition"]
    assert json.loads(definition)["StartAt"] == "Second"
    iam = aws.client("iam")
    [version] = iam.list_policy_versions(PolicyArn=before[1])["Versions"]
    document = iam.get_policy_version(PolicyArn=before[1], VersionId=version["VersionId"])["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == "athena:Second"
    aws.delete()
    assert aws.client("stepfunctions").list_state_machines()["stateMachines"] == []
