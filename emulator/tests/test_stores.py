"""Databases, secrets, vector buckets, caches and load balancers: set as the template says, kept, replaced, protected."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

NETWORK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "A": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}},
    "B": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1b"}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}}},
}

DATABASE: dict[str, Any] = {
    "Resources": {
        **NETWORK,
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {
                "GenerateSecretString": {
                    "SecretStringTemplate": '{"username":"owner"}',
                    "GenerateStringKey": "password",
                    "PasswordLength": 32,
                    "ExcludePunctuation": True,
                }
            },
        },
        "Subnets": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": "s", "SubnetIds": [{"Ref": "A"}, {"Ref": "B"}]},
        },
        "Parameters": {
            "Type": "AWS::RDS::DBParameterGroup",
            "Properties": {"Family": "postgres18", "Description": "p", "Parameters": {"rds.force_ssl": "1"}},
        },
        "Database": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "Engine": "postgres",
                "EngineVersion": "18.3",
                "DBInstanceClass": "db.t4g.micro",
                "DBName": "app",
                "AllocatedStorage": "20",
                "StorageType": "gp3",
                "StorageEncrypted": True,
                "MasterUsername": "owner",
                "MasterUserPassword": {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:password::}}"]]},
                "DBSubnetGroupName": {"Ref": "Subnets"},
                "DBParameterGroupName": {"Ref": "Parameters"},
                "VPCSecurityGroups": [{"Ref": "Group"}],
                "DeletionProtection": True,
                "BackupRetentionPeriod": 7,
                "PubliclyAccessible": False,
            },
        },
    },
    "Outputs": {"Address": {"Value": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}},
}


def changed(template: dict[str, Any], resource: str, change: dict[str, Any]) -> dict[str, Any]:
    copied = copy.deepcopy(template)
    copied["Resources"][resource]["Properties"].update(change)
    return copied


def test_a_database_is_made_as_the_template_says(aws: Any) -> None:
    assert aws.create(DATABASE) == "CREATE_COMPLETE", aws.reason()
    rds, secrets = aws.client("rds"), aws.client("secretsmanager")
    [made] = rds.describe_db_instances()["DBInstances"]
    assert made["DBInstanceIdentifier"] == aws.physical("Database")
    assert (made["DeletionProtection"], made["StorageEncrypted"], made["BackupRetentionPeriod"], made["PubliclyAccessible"]) == (True, True, 7, False)
    assert [group["DBParameterGroupName"] for group in made["DBParameterGroups"]] == [aws.physical("Parameters")]
    assert made["DBSubnetGroup"]["DBSubnetGroupName"] == aws.physical("Subnets")
    secret = json.loads(secrets.get_secret_value(SecretId=aws.physical("Secret"))["SecretString"])
    assert secret["username"] == "owner" and len(secret["password"]) == 32 and secret["password"].isalnum()
    outputs = aws.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]["Outputs"]
    assert outputs[0]["OutputValue"] == made["Endpoint"]["Address"]


def test_a_database_changes_in_place_and_is_replaced_as_the_registry_says(aws: Any) -> None:
    aws.create(DATABASE)
    before = aws.physical("Database")
    assert aws.update(changed(DATABASE, "Database", {"BackupRetentionPeriod": 14, "DeletionProtection": False})) == "UPDATE_COMPLETE", aws.reason()
    [made] = aws.client("rds").describe_db_instances()["DBInstances"]
    assert (made["DBInstanceIdentifier"], made["BackupRetentionPeriod"]) == (before, 14)
    assert aws.update(changed(DATABASE, "Database", {"DBName": "other", "DeletionProtection": False})) == "UPDATE_COMPLETE", aws.reason()
    assert aws.physical("Database") != before


def test_a_protected_database_is_not_deleted(aws: Any) -> None:
    aws.create(DATABASE)
    aws.delete()
    assert aws.status() == "DELETE_FAILED"
    assert len(aws.client("rds").describe_db_instances()["DBInstances"]) == 1


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("{{resolve:secretsmanager:absent:SecretString:password::}}", "can't find the specified secret: absent"),
        ("{{resolve:ssm-secure:name:1}}", "cannot resolve"),
    ],
)
def test_a_reference_that_leads_nowhere_fails_the_stack(aws: Any, reference: str, reason: str) -> None:
    assert aws.create(changed(DATABASE, "Database", {"MasterUserPassword": reference})) == "ROLLBACK_COMPLETE"
    assert reason in aws.reason()


def test_a_key_that_a_secret_does_not_have_fails_the_stack(aws: Any) -> None:
    template = copy.deepcopy(DATABASE)
    template["Resources"]["Database"]["Properties"]["MasterUserPassword"]["Fn::Join"][1][2] = ":SecretString:absent::}}"
    assert aws.create(template) == "ROLLBACK_COMPLETE"
    assert "JSONKey absent" in aws.reason()


def test_a_cluster_and_its_writer(aws: Any) -> None:
    template = {
        "Resources": {
            "Parameters": {"Type": "AWS::RDS::DBClusterParameterGroup", "Properties": {"Family": "aurora-postgresql16", "Description": "p", "Parameters": {"rds.force_ssl": "1"}}},
            "Cluster": {
                "Type": "AWS::RDS::DBCluster",
                "Properties": {
                    "Engine": "aurora-postgresql",
                    "DatabaseName": "app",
                    "MasterUsername": "owner",
                    "MasterUserPassword": "abcdefgh12",
                    "StorageEncrypted": True,
                    "DeletionProtection": True,
                    "DBClusterParameterGroupName": {"Ref": "Parameters"},
                    "ServerlessV2ScalingConfiguration": {"MinCapacity": 0, "MaxCapacity": 1, "SecondsUntilAutoPause": 300},
                },
            },
            "Writer": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {"Engine": "aurora-postgresql", "DBInstanceClass": "db.serverless", "DBClusterIdentifier": {"Ref": "Cluster"}},
            },
        },
        "Outputs": {"At": {"Value": {"Fn::Join": [":", [{"Fn::GetAtt": ["Cluster", "Endpoint.Address"]}, {"Fn::GetAtt": ["Cluster", "Endpoint.Port"]}]]}}},
    }
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    [cluster] = aws.client("rds").describe_db_clusters()["DBClusters"]
    assert cluster["DBClusterIdentifier"] == aws.physical("Cluster")
    assert (cluster["DeletionProtection"], cluster["StorageEncrypted"]) == (True, True)
    assert cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 1
    [instance] = aws.client("rds").describe_db_instances()["DBInstances"]
    assert instance["DBClusterIdentifier"] == cluster["DBClusterIdentifier"]


def test_a_vector_bucket_stays_when_it_is_retained(aws: Any) -> None:
    template = {
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3Vectors::VectorBucket",
                "DeletionPolicy": "Retain",
                "Properties": {"VectorBucketName": "vectors-of-mine", "EncryptionConfiguration": {"SseType": "AES256"}},
            }
        }
    }
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    aws.delete()
    buckets = aws.client("s3vectors").list_vector_buckets()["vectorBuckets"]
    assert [bucket["vectorBucketName"] for bucket in buckets] == ["vectors-of-mine"]


def test_a_serverless_cache_is_recorded_and_has_an_address(aws: Any) -> None:
    template = {
        "Resources": {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": {"Engine": "valkey", "ServerlessCacheName": "mine"}}},
        "Outputs": {"At": {"Value": {"Fn::GetAtt": ["Cache", "Endpoint.Address"]}}},
    }
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    [recorded] = aws.recorded()
    assert recorded["physicalId"] == "mine"


def test_a_load_balancer_its_listener_and_its_targets(aws: Any) -> None:
    template = {
        "Resources": {
            **NETWORK,
            "Balancer": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {
                    "Subnets": [{"Ref": "A"}, {"Ref": "B"}],
                    "SecurityGroups": [{"Ref": "Group"}],
                    "Type": "application",
                    "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "3600"}],
                },
            },
            "Targets": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {
                    "Port": 8080,
                    "Protocol": "HTTP",
                    "TargetType": "ip",
                    "VpcId": {"Ref": "Vpc"},
                    "HealthCheckPath": "/health",
                    "TargetGroupAttributes": [{"Key": "stickiness.enabled", "Value": "true"}],
                },
            },
            "Listener": {
                "Type": "AWS::ElasticLoadBalancingV2::Listener",
                "Properties": {
                    "LoadBalancerArn": {"Ref": "Balancer"},
                    "Port": 443,
                    "Protocol": "HTTPS",
                    "Certificates": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"}],
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
                },
            },
        },
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}}},
    }
    elb = aws.client("elbv2")
    arn = aws.client("acm").request_certificate(DomainName="chat.example.com")["CertificateArn"]
    template["Resources"]["Listener"]["Properties"]["Certificates"][0]["CertificateArn"] = arn
    assert aws.create(template) == "CREATE_COMPLETE", aws.reason()
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=aws.physical("Balancer"))["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "3600"} in attributes
    [listener] = elb.describe_listeners(LoadBalancerArn=aws.physical("Balancer"))["Listeners"]
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    attributes = elb.describe_target_group_attributes(TargetGroupArn=aws.physical("Targets"))["Attributes"]
    assert {"Key": "stickiness.enabled", "Value": "true"} in attributes
    aws.delete()
    assert elb.describe_load_balancers()["LoadBalancers"] == []
