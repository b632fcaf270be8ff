"""Alarms, dashboards and metric filters: set as the template says, changed in place, gone with the stack."""

from __future__ import annotations

import copy
import json
from typing import Any

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": {"Ref": "Logs"},
                "FilterPattern": '{ ($.keeper = "busy") }',
                "MetricTransformations": [{"MetricNamespace": "n", "MetricName": "m", "MetricValue": "1"}],
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 3,
                "Threshold": 50,
                "TreatMissingData": "notBreaching",
                "Metrics": [
                    {"Id": "e", "Expression": "a * 2", "ReturnData": True},
                    {"Id": "a", "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 900, "Stat": "Sum"}, "ReturnData": False},
                ],
                "Tags": [{"Key": "k", "Value": "v"}],
            },
        },
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardBody": json.dumps({"widgets": [{"type": "text", "width": 6, "height": 2, "properties": {"markdown": "one"}}]})
            },
        },
    }
}


def test_made_changed_and_deleted(aws: Any) -> None:
    assert aws.create(TEMPLATE) == "CREATE_COMPLETE"
    cloudwatch, logs = aws.client("cloudwatch"), aws.client("logs")
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["Threshold"], alarm["TreatMissingData"], len(alarm["Metrics"])) == (50, "notBreaching", 2)
    [made] = logs.describe_metric_filters()["metricFilters"]
    assert made["filterPattern"] == '{ ($.keeper = "busy") }'
    assert made["metricTransformations"][0]["metricName"] == "m"

    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Alarm"]["Properties"]["Threshold"] = 60
    changed["Resources"]["Filter"]["Properties"]["FilterPattern"] = '"QueuePool limit"'
    body = changed["Resources"]["Dashboard"]["Properties"]
    body["DashboardBody"] = body["DashboardBody"].replace("one", "two")
    assert aws.update(changed) == "UPDATE_COMPLETE"
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["Threshold"] == 60
    [name] = [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]]
    assert "two" in cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    assert [f["filterPattern"] for f in logs.describe_metric_filters()["metricFilters"]] == ['"QueuePool limit"']

    aws.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_a_dashboard_that_cannot_be_drawn_fails_the_stack(aws: Any) -> None:
    broken = copy.deepcopy(TEMPLATE)
    broken["Resources"]["Dashboard"]["Properties"]["DashboardBody"] = '{"widgets": [{"type": "text"}]}'
    assert aws.create(broken) == "ROLLBACK_COMPLETE"
