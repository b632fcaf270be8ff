"""OpenSearch Serverless: the order AWS asks for, names that are taken, and what may go when."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

TYPE = "AWS::OpenSearchServerless::"
RULES = [{"ResourceType": "collection", "Resource": ["collection/mine"]}]


def policy(kind: str, document: Any) -> dict[str, Any]:
    resource = "AccessPolicy" if kind == "data" else "SecurityPolicy"
    return {"Type": f"{TYPE}{resource}", "Properties": {"Name": "mine", "Type": kind, "Policy": json.dumps(document)}}


SEARCH: dict[str, Any] = {
    "Resources": {
        "Group": {"Type": f"{TYPE}CollectionGroup", "Properties": {"Name": "mine", "Generation": "NEXTGEN", "StandbyReplicas": "ENABLED"}},
        "Encryption": policy("encryption", {"Rules": RULES, "AWSOwnedKey": True}),
        "Network": policy("network", [{"Rules": RULES, "AllowFromPublic": True}]),
        "Data": policy("data", [{"Rules": [], "Principal": []}]),
        "Collection": {
            "Type": f"{TYPE}Collection",
            "DependsOn": ["Group", "Encryption", "Network", "Data"],
            "Properties": {"Name": "mine", "Type": "SEARCH", "CollectionGroupName": "mine"},
        },
    },
    "Outputs": {"Endpoint": {"Value": {"Fn::GetAtt": ["Collection", "CollectionEndpoint"]}}},
}


def with_change(*path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(SEARCH)
    place = changed["Resources"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def test_a_collection_after_its_group_and_policies(aws: Any) -> None:
    assert aws.create(SEARCH) == "CREATE_COMPLETE", aws.reason()
    [output] = aws.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]["Outputs"]
    assert output["OutputValue"].startswith("https://") and output["OutputValue"].endswith(".us-east-1.aoss.amazonaws.com")
    # A policy changes in place; what the registry calls create-only would need a second one of the same name.
    assert aws.update(with_change("Data", "Properties", "Policy", value='[{"Rules":[],"Principal":["x"]}]')) == "UPDATE_COMPLETE", aws.reason()
    assert aws.update(with_change("Group", "Properties", "CapacityLimits", value={"MaxSearchCapacityInOcu": 4})) == "UPDATE_COMPLETE", aws.reason()
    assert aws.update(with_change("Collection", "Properties", "Type", value="TIMESERIES")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "already exists" in aws.reason()
    aws.delete()
    assert not [entry for entry in aws.recorded() if entry["type"].startswith(TYPE)]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (with_change("Encryption", value=policy("network", [])), "No matching security policy|already exists"),
        (with_change("Group", "Properties", "Name", value="another"), "Collection group mine does not exist"),
        (with_change("Group", "Properties", "StandbyReplicas", value="DISABLED"), "cannot be set to DISABLED for NEXTGEN"),
        (with_change("Network", "Properties", "Policy", value="{not json"), "Policy json is invalid"),
        (with_change("Data", "Properties", "Policy", value="{}"), "of type data is a list"),
        (with_change("Collection", "Properties", "Type", value="FULLTEXT"), "FULLTEXT"),
    ],
)
def test_what_aws_refuses(aws: Any, changed: dict[str, Any], reason: str) -> None:
    assert aws.create(changed) == "ROLLBACK_COMPLETE"
    assert any(part in aws.reason() for part in reason.split("|")), aws.reason()
