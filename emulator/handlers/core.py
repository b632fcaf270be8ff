"""Types that are nothing by themselves, and SSM parameters."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, handles


@handles("AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle", "AWS::CloudFormation::WaitCondition")
class Nothing(Handler):
    noop = True

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return context.name(), {}

    def update(self, context: Context, physical_id: str, old: Any, new: Any, attributes: dict[str, Any]) -> dict[str, Any]:
        return attributes

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        pass


@handles("AWS::SSM::Parameter")
class Parameter(Handler):
    updatable = {"Value", "Description"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or context.name()
        self._put(context, name, properties, False)
        return name, {"Type": properties["Type"], "Value": properties["Value"]}

    def _put(self, context: Context, name: str, properties: dict[str, Any], overwrite: bool) -> None:
        context.client("ssm").put_parameter(
            Name=name, Type=properties["Type"], Value=properties["Value"], Overwrite=overwrite
        )

    def update(self, context: Context, physical_id: str, old: Any, new: Any, attributes: dict[str, Any]) -> dict[str, Any]:
        super().update(context, physical_id, old, new, attributes)
        return {"Type": new["Type"], "Value": new["Value"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._put(context, physical_id, new, True)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ssm").delete_parameter(Name=physical_id)
