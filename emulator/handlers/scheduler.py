"""EventBridge Scheduler."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, fit, handles


@handles("AWS::Scheduler::Schedule")
class Schedule(Handler):
    updatable = {"Target", "ScheduleExpression", "Description", "State", "FlexibleTimeWindow", "ScheduleExpressionTimezone"}

    @staticmethod
    def _parameters(client: Any, operation: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        target = dict(properties["Target"])
        if "EcsParameters" in target:
            # The only camelCase keys of this API.
            ecs = dict(target["EcsParameters"])
            if "NetworkConfiguration" in ecs:
                network = ecs["NetworkConfiguration"]["AwsvpcConfiguration"]
                ecs["NetworkConfiguration"] = {"awsvpcConfiguration": network}
            target["EcsParameters"] = ecs
        return fit(client, operation, {**properties, "Target": target, "Name": name})

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("scheduler")
        name = properties.get("Name") or context.name()
        made = client.create_schedule(**self._parameters(client, "CreateSchedule", name, properties))
        return name, {"Arn": made["ScheduleArn"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("scheduler")
        client.update_schedule(**self._parameters(client, "UpdateSchedule", physical_id, new))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("scheduler").delete_schedule(Name=physical_id)
