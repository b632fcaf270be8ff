"""CloudWatch, its logs, and Cloud Map."""

from __future__ import annotations

import json
from typing import Any

from ..errors import Failure
from .base import Context, Handler, fit, handles, lower_first


@handles("AWS::Logs::LogGroup")
class LogGroup(Handler):
    updatable = {"RetentionInDays", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("LogGroupName") or context.name(512)
        client = context.client("logs")
        client.create_log_group(logGroupName=name, tags={tag["Key"]: tag["Value"] for tag in context.all_tags(properties)})
        self._retention(context, name, properties)
        return name, {"Arn": context.arn("logs", f"log-group:{name}:*")}

    def _retention(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        client = context.client("logs")
        if "RetentionInDays" in properties:
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        else:
            client.delete_retention_policy(logGroupName=name)

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._retention(context, physical_id, new)
        client = context.client("logs")
        gone = {tag["Key"] for tag in old.get("Tags", [])} - {tag["Key"] for tag in new.get("Tags", [])}
        if gone:
            client.untag_log_group(logGroupName=physical_id, tags=sorted(gone))
        tags = {tag["Key"]: tag["Value"] for tag in context.all_tags(new)}
        if tags:
            client.tag_log_group(logGroupName=physical_id, tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("logs").delete_log_group(logGroupName=physical_id)


@handles("AWS::ServiceDiscovery::HttpNamespace")
class HttpNamespace(Handler):
    updatable = {"Tags"}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("servicediscovery")
        arn = context.arn("servicediscovery", f"namespace/{physical_id}")
        gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
        if gone:
            client.untag_resource(ResourceARN=arn, TagKeys=sorted(gone))
        client.tag_resource(ResourceARN=arn, Tags=context.all_tags(new))

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("servicediscovery")
        client.create_http_namespace(
            Name=properties["Name"], Description=properties.get("Description", ""), Tags=context.all_tags(properties)
        )
        made = next(n for n in client.list_namespaces()["Namespaces"] if n["Name"] == properties["Name"])
        return made["Id"], {"Arn": made["Arn"], "Id": made["Id"], "HttpName": properties["Name"]}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("servicediscovery").delete_namespace(Id=physical_id)


@handles("AWS::CloudWatch::Alarm")
class Alarm(Handler):
    updatable = {
        "ActionsEnabled",
        "AlarmActions",
        "AlarmDescription",
        "ComparisonOperator",
        "Dimensions",
        "DatapointsToAlarm",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "InsufficientDataActions",
        "MetricName",
        "Metrics",
        "Namespace",
        "OKActions",
        "Period",
        "Statistic",
        "Tags",
        "Threshold",
        "TreatMissingData",
    }

    @staticmethod
    def _put(context: Context, name: str, properties: dict[str, Any]) -> None:
        client = context.client("cloudwatch")
        wanted = {key: value for key, value in properties.items() if key != "Tags"}
        client.put_metric_alarm(**fit(client, "PutMetricAlarm", {**wanted, "AlarmName": name, "Tags": context.all_tags(properties)}))

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("AlarmName") or context.name(255)
        self._put(context, name, properties)
        return name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])


@handles("AWS::CloudWatch::Dashboard")
class Dashboard(Handler):
    updatable = {"DashboardBody"}

    @staticmethod
    def _put(context: Context, name: str, body: str) -> None:
        # moto 5.2.5 keeps a body that is no JSON without a word.
        widgets = json.loads(body)["widgets"]
        if not all({"type", "width", "height", "properties"} <= widget.keys() for widget in widgets):
            raise Failure(f"a widget of the dashboard {name} lacks type, size or properties")
        context.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("DashboardName") or context.name(255)
        self._put(context, name, properties["DashboardBody"])
        return name, {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._put(context, physical_id, new["DashboardBody"])

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("cloudwatch").delete_dashboards(DashboardNames=[physical_id])


@handles("AWS::Logs::MetricFilter")
class MetricFilter(Handler):
    updatable = {"FilterPattern", "MetricTransformations"}

    @staticmethod
    def _put(context: Context, name: str, properties: dict[str, Any]) -> None:
        client = context.client("logs")
        wanted = {
            "logGroupName": properties["LogGroupName"],
            "filterName": name,
            "filterPattern": properties["FilterPattern"],
            "metricTransformations": lower_first(properties["MetricTransformations"]),
        }
        client.put_metric_filter(**fit(client, "PutMetricFilter", wanted))

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("FilterName") or context.name(512)
        self._put(context, name, properties)
        return name, {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        # moto 5.2.5 keeps the old pattern beside the new one.
        self.delete(context, physical_id, old, {})
        self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("logs").delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=physical_id)
