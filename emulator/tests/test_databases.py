"""Databases, their secrets, vectors and load balancers: real settings, references to secrets, protection, refusals."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

PASSWORD = "{{resolve:secretsmanager:${Secret}:SecretString:password::}}"


def network(aws: Any) -> list[str]:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]["SubnetId"]
        for at, zone in enumerate("ab")
    ]


def template(subnets: list[str]) -> dict[str, Any]:
    return {
        "Resources": {
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "GenerateSecretString": {
                        "SecretStringTemplate": '{"username": "owner"}',
                        "GenerateStringKey": "password",
                        "PasswordLength": 32,
                        "ExcludePunctuation": True,
                    }
                },
            },
            "Subnets": {
                "Type": "AWS::RDS::DBSubnetGroup",
                "Properties": {"DBSubnetGroupDescription": "d", "SubnetIds": subnets},
            },
            "Database": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "Engine": "postgres",
                    "EngineVersion": "18.3",
                    "DBInstanceClass": "db.t4g.micro",
                    "AllocatedStorage": "20",
                    "StorageEncrypted": True,
                    "MasterUsername": "owner",
                    "MasterUserPassword": {"Fn::Sub": PASSWORD},
                    "DBSubnetGroupName": {"Ref": "Subnets"},
                    "BackupRetentionPeriod": 7,
                },
            },
        },
        "Outputs": {"Endpoint": {"Value": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}},
    }


def instances(aws: Any) -> list[dict[str, Any]]:
    return aws.client("rds").describe_db_instances()["DBInstances"]


def test_a_database_with_a_generated_password(aws: Any) -> None:
    assert aws.create(template(network(aws))) == "CREATE_COMPLETE", aws.reason()
    [made] = instances(aws)
    assert made["AllocatedStorage"] == 20 and made["StorageEncrypted"] is True and made["BackupRetentionPeriod"] == 7
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=aws.physical("Secret"))["SecretString"])
    assert secret["username"] == "owner" and len(secret["password"]) == 32 and secret["password"].isalnum()
    [output] = aws.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]["Outputs"]
    assert output["OutputValue"] == made["Endpoint"]["Address"]


def test_a_reference_to_a_key_the_secret_does_not_have_fails_the_stack(aws: Any) -> None:
    wrong = template(network(aws))
    wrong["Resources"]["Database"]["Properties"]["MasterUserPassword"] = {"Fn::Sub": PASSWORD.replace("password::", "absent::")}
    assert aws.create(wrong) == "ROLLBACK_COMPLETE"
    assert "JSONKey absent" in aws.reason() and instances(aws) == []


def test_a_change_in_place_keeps_the_database_and_another_replaces_it(aws: Any) -> None:
    body = template(network(aws))
    aws.create(body)
    before = aws.physical("Database")
    larger = copy.deepcopy(body)
    larger["Resources"]["Database"]["Properties"]["BackupRetentionPeriod"] = 14
    assert aws.update(larger) == "UPDATE_COMPLETE", aws.reason()
    assert aws.physical("Database") == before and instances(aws)[0]["BackupRetentionPeriod"] == 14
    other = copy.deepcopy(larger)
    other["Resources"]["Database"]["Properties"]["StorageEncrypted"] = False
    assert aws.update(other) == "UPDATE_COMPLETE", aws.reason()
    assert aws.physical("Database") != before and len(instances(aws)) == 1


def test_a_protected_database_is_not_deleted(aws: Any) -> None:
    body = template(network(aws))
    body["Resources"]["Database"]["Properties"]["DeletionProtection"] = True
    aws.create(body)
    with pytest.raises(Exception, match="(?i)protect"):
        aws.delete()
    assert len(instances(aws)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"StorageEncryptedd": True}, "StorageEncryptedd"), ({"DBSubnetGroupName": "absent"}, "absent")],
)
def test_what_the_registry_or_rds_refuses_fails_the_stack(aws: Any, change: dict[str, Any], reason: str) -> None:
    wrong = template(network(aws))
    wrong["Resources"]["Database"]["Properties"].update(change)
    assert aws.create(wrong) == "ROLLBACK_COMPLETE"
    assert reason in aws.reason() and instances(aws) == []


def test_a_vector_bucket_keeps_its_name(aws: Any) -> None:
    body = {"Resources": {"Bucket": {"Type": "AWS::S3Vectors::VectorBucket", "Properties": {"VectorBucketName": "vectors-of-ours"}}}}
    assert aws.create(body) == "CREATE_COMPLETE", aws.reason()
    assert [b["vectorBucketName"] for b in aws.client("s3vectors").list_vector_buckets()["vectorBuckets"]] == ["vectors-of-ours"]
    aws.delete()
    assert aws.client("s3vectors").list_vector_buckets()["vectorBuckets"] == []


def test_a_listener_has_its_certificate_and_its_target(aws: Any) -> None:
    subnets = network(aws)
    vpc = aws.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    kind = "AWS::ElasticLoadBalancingV2::"
    certificate = aws.client("acm").request_certificate(DomainName="chat.example.com")["CertificateArn"]
    body = {
        "Resources": {
            "Balancer": {
                "Type": f"{kind}LoadBalancer",
                "Properties": {"Subnets": subnets, "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "600"}]},
            },
            "Tasks": {
                "Type": f"{kind}TargetGroup",
                "Properties": {
                    "VpcId": vpc, "Port": 8080, "Protocol": "HTTP", "TargetType": "ip", "HealthCheckPath": "/health",
                    "TargetGroupAttributes": [{"Key": "stickiness.enabled", "Value": "true"}],
                },
            },
            "Https": {
                "Type": f"{kind}Listener",
                "Properties": {
                    "LoadBalancerArn": {"Ref": "Balancer"}, "Port": 443, "Protocol": "HTTPS",
                    "Certificates": [{"CertificateArn": certificate}],
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Tasks"}}],
                },
            },
        }
    }  # fmt: skip
    assert aws.create(body) == "CREATE_COMPLETE", aws.reason()
    elb = aws.client("elbv2")
    [listener] = elb.describe_listeners(LoadBalancerArn=aws.physical("Balancer"))["Listeners"]
    assert listener["Certificates"] == [{"CertificateArn": certificate}]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=aws.physical("Tasks"))["Attributes"]
    assert {"Key": "stickiness.enabled", "Value": "true"} in attributes
    aws.delete()
    assert elb.describe_load_balancers()["LoadBalancers"] == []
