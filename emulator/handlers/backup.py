"""AWS Backup. moto 5.2.5 has no backup selections: they are recorded. It has no policies of vaults: they are ignored."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, Recorded, fit, handles


def _tags(context: Context, properties: dict[str, Any], name: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in context.all_tags(properties, name)}


@handles("AWS::Backup::BackupVault")
class Vault(Handler):
    updatable = {"AccessPolicy", "BackupVaultTags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        key = {"EncryptionKeyArn": properties["EncryptionKeyArn"]} if "EncryptionKeyArn" in properties else {}
        tags = _tags(context, properties, "BackupVaultTags")
        made = context.client("backup").create_backup_vault(
            BackupVaultName=properties["BackupVaultName"], BackupVaultTags=tags, **key
        )
        return made["BackupVaultName"], {
            "BackupVaultName": made["BackupVaultName"],
            "BackupVaultArn": made["BackupVaultArn"],
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        retag(context, context.arn("backup", f"backup-vault:{physical_id}"), old, new, "BackupVaultTags")

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("backup").delete_backup_vault(BackupVaultName=physical_id)


def retag(context: Context, arn: str, old: Any, new: Any, name: str) -> None:
    client = context.client("backup")
    gone = _tags(context, old, name).keys() - _tags(context, new, name).keys()
    if gone:
        client.untag_resource(ResourceArn=arn, TagKeyList=sorted(gone))
    if _tags(context, new, name):
        client.tag_resource(ResourceArn=arn, Tags=_tags(context, new, name))


@handles("AWS::Backup::BackupPlan")
class Plan(Handler):
    updatable = {"BackupPlanTags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        plan = properties["BackupPlan"]
        rules = [
            {
                {"TargetBackupVault": "TargetBackupVaultName"}.get(name, name): value
                for name, value in rule.items()
            }
            for rule in plan["BackupPlanRule"]
        ]
        client = context.client("backup")
        wanted = {
            "BackupPlan": {"BackupPlanName": plan["BackupPlanName"], "Rules": rules},
            "BackupPlanTags": _tags(context, properties, "BackupPlanTags"),
        }
        made = client.create_backup_plan(**fit(client, "CreateBackupPlan", wanted))
        return made["BackupPlanId"], {
            "BackupPlanId": made["BackupPlanId"],
            "BackupPlanArn": made["BackupPlanArn"],
            "VersionId": made["VersionId"],
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        retag(context, context.arn("backup", f"backup-plan:{physical_id}"), old, new, "BackupPlanTags")

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        from moto.backup.models import backup_backends

        context.client("backup").delete_backup_plan(BackupPlanId=physical_id)
        # moto 5.2.5 keeps a deleted plan, and then refuses the same plan as a duplicate.
        backup_backends[context.account][context.region].plans.pop(physical_id, None)


@handles("AWS::Backup::BackupSelection")
class Selection(Recorded):
    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Id": physical_id, "SelectionId": physical_id, "BackupPlanId": properties["BackupPlanId"]}
