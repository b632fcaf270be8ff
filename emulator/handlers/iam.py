"""IAM and KMS."""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Handler, handles


@handles("AWS::IAM::Role")
class Role(Handler):
    updatable = {"AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "Tags", "Description"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("iam")
        name = properties.get("RoleName") or context.name()
        made = client.create_role(
            RoleName=name,
            Path=properties.get("Path", "/"),
            Description=properties.get("Description", ""),
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=context.all_tags(properties),
        )["Role"]
        for policy in properties.get("Policies", []):
            client.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))
        for arn in properties.get("ManagedPolicyArns", []):
            client.attach_role_policy(RoleName=name, PolicyArn=arn)
        return name, {"Arn": made["Arn"], "RoleId": made["RoleId"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("iam")
        client.update_assume_role_policy(RoleName=physical_id, PolicyDocument=json.dumps(new["AssumeRolePolicyDocument"]))
        client.update_role_description(RoleName=physical_id, Description=new.get("Description", ""))
        for policy in old.get("Policies", []):
            client.delete_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"])
        for policy in new.get("Policies", []):
            client.put_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))
        for arn in set(old.get("ManagedPolicyArns", [])) - set(new.get("ManagedPolicyArns", [])):
            client.detach_role_policy(RoleName=physical_id, PolicyArn=arn)
        for arn in set(new.get("ManagedPolicyArns", [])) - set(old.get("ManagedPolicyArns", [])):
            client.attach_role_policy(RoleName=physical_id, PolicyArn=arn)
        client.tag_role(RoleName=physical_id, Tags=context.all_tags(new))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        client = context.client("iam")
        for policy in client.list_role_policies(RoleName=physical_id)["PolicyNames"]:
            client.delete_role_policy(RoleName=physical_id, PolicyName=policy)
        for policy in client.list_attached_role_policies(RoleName=physical_id)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=physical_id, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=physical_id)


@handles("AWS::IAM::Policy")
class Policy(Handler):
    updatable = {"PolicyDocument", "Roles"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        for role in properties.get("Roles", []):
            context.client("iam").put_role_policy(
                RoleName=role, PolicyName=properties["PolicyName"], PolicyDocument=json.dumps(properties["PolicyDocument"])
            )
        return context.name(), {"Id": context.logical_id}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        for role in set(old.get("Roles", [])) - set(new.get("Roles", [])):
            context.client("iam").delete_role_policy(RoleName=role, PolicyName=old["PolicyName"])
        self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        for role in properties.get("Roles", []):
            context.client("iam").delete_role_policy(RoleName=role, PolicyName=properties["PolicyName"])


@handles("AWS::IAM::ManagedPolicy")
class ManagedPolicy(Handler):
    updatable = {"PolicyDocument"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("iam").create_policy(
            PolicyName=properties.get("ManagedPolicyName") or context.name(128),
            Path=properties.get("Path", "/"),
            Description=properties.get("Description", ""),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )["Policy"]
        return made["Arn"], {"PolicyArn": made["Arn"], "PolicyId": made["PolicyId"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("iam")
        made = client.create_policy_version(
            PolicyArn=physical_id, PolicyDocument=json.dumps(new["PolicyDocument"]), SetAsDefault=True
        )["PolicyVersion"]
        # Five versions are all that IAM keeps.
        for version in client.list_policy_versions(PolicyArn=physical_id)["Versions"]:
            if version["VersionId"] != made["VersionId"]:
                client.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        client = context.client("iam")
        for version in client.list_policy_versions(PolicyArn=physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                client.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
        client.delete_policy(PolicyArn=physical_id)


@handles("AWS::KMS::Key")
class Key(Handler):
    updatable = {"KeyPolicy", "EnableKeyRotation", "Description", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("kms")
        made = client.create_key(Policy=json.dumps(properties["KeyPolicy"]), Description=properties.get("Description", ""))["KeyMetadata"]
        if properties.get("EnableKeyRotation") in (True, "true"):
            client.enable_key_rotation(KeyId=made["KeyId"])
        return made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("kms")
        client.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=json.dumps(new["KeyPolicy"]))
        client.update_key_description(KeyId=physical_id, Description=new.get("Description", ""))
        rotate = client.enable_key_rotation if new.get("EnableKeyRotation") in (True, "true") else client.disable_key_rotation
        rotate(KeyId=physical_id)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("kms").schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=7)


@handles("AWS::KMS::Alias")
class Alias(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        context.client("kms").create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
        return properties["AliasName"], {"AliasName": properties["AliasName"]}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("kms").delete_alias(AliasName=physical_id)
