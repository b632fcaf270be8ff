"""AWS Backup. moto 5.2.5 has no backup selections: they are recorded."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, Recorded, fit, handles


@handles("AWS::Backup::BackupVault")
class Vault(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        key = {"EncryptionKeyArn": properties["EncryptionKeyArn"]} if "EncryptionKeyArn" in properties else {}
        tags = {tag["Key"]: tag["Value"] for tag in context.all_tags(properties, "BackupVaultTags")}
        made = context.client("backup").create_backup_vault(
            BackupVaultName=properties["BackupVaultName"], BackupVaultTags=tags, **key
        )
        return made["BackupVaultName"], {
            "BackupVaultName": made["BackupVaultName"],
            "BackupVaultArn": made["BackupVaultArn"],
        }

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("backup").delete_backup_vault(BackupVaultName=physical_id)


@handles("AWS::Backup::BackupPlan")
class Plan(Handler):
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
        wanted = {"BackupPlan": {"BackupPlanName": plan["BackupPlanName"], "Rules": rules}}
        made = client.create_backup_plan(**fit(client, "CreateBackupPlan", wanted))
        return made["BackupPlanId"], {
            "BackupPlanId": made["BackupPlanId"],
            "BackupPlanArn": made["BackupPlanArn"],
            "VersionId": made["VersionId"],
        }

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("backup").delete_backup_plan(BackupPlanId=physical_id)


@handles("AWS::Backup::BackupSelection")
class Selection(Recorded):
    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Id": physical_id, "SelectionId": physical_id, "BackupPlanId": properties["BackupPlanId"]}
