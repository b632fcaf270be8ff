"""Application Load Balancers and the records that lead to them. moto's route no request."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, Recorded, fit, handles


def _untagged(properties: dict[str, Any], *more: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in {"Tags", *more}}


def _tags(context: Context, properties: dict[str, Any]) -> dict[str, Any]:
    """The API refuses an empty list."""
    tags = context.all_tags(properties)
    return {"Tags": tags} if tags else {}


def _retag(context: Context, arn: str, old: Any, new: Any) -> None:
    client = context.client("elbv2")
    gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
    if gone:
        client.remove_tags(ResourceArns=[arn], TagKeys=sorted(gone))
    if context.all_tags(new):
        client.add_tags(ResourceArns=[arn], Tags=context.all_tags(new))


@handles("AWS::ElasticLoadBalancingV2::LoadBalancer")
class LoadBalancer(Handler):
    updatable = {"LoadBalancerAttributes", "SecurityGroups", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("elbv2")
        wanted = _untagged(properties, "LoadBalancerAttributes")
        wanted.setdefault("Name", context.name(32))
        made = client.create_load_balancer(
            **fit(client, "CreateLoadBalancer", {**wanted, **_tags(context, properties)})
        )["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        self._set(context, arn, properties)
        return arn, {
            "LoadBalancerArn": arn,
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "LoadBalancerName": made["LoadBalancerName"],
            "LoadBalancerFullName": arn.split(":loadbalancer/")[-1],
            "SecurityGroups": made.get("SecurityGroups", []),
        }

    def _set(self, context: Context, arn: str, properties: dict[str, Any]) -> None:
        if properties.get("LoadBalancerAttributes"):
            context.client("elbv2").modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=properties["LoadBalancerAttributes"]
            )

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._set(context, physical_id, new)
        if "SecurityGroups" in changed:
            context.client("elbv2").set_security_groups(LoadBalancerArn=physical_id, SecurityGroups=new["SecurityGroups"])
        if "Tags" in changed:
            _retag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("elbv2").delete_load_balancer(LoadBalancerArn=physical_id)


@handles("AWS::ElasticLoadBalancingV2::TargetGroup")
class TargetGroup(Handler):
    updatable = {"TargetGroupAttributes", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("elbv2")
        wanted = _untagged(properties, "TargetGroupAttributes", "Targets")
        wanted.setdefault("Name", context.name(32))
        made = client.create_target_group(
            **fit(client, "CreateTargetGroup", {**wanted, **_tags(context, properties)})
        )["TargetGroups"][0]
        arn = made["TargetGroupArn"]
        self.change(context, arn, {}, properties, set())
        return arn, {
            "TargetGroupArn": arn,
            "TargetGroupName": made["TargetGroupName"],
            "TargetGroupFullName": arn.split(":")[-1],
        }

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        if new.get("TargetGroupAttributes"):
            context.client("elbv2").modify_target_group_attributes(
                TargetGroupArn=physical_id, Attributes=new["TargetGroupAttributes"]
            )
        if "Tags" in changed:
            _retag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("elbv2").delete_target_group(TargetGroupArn=physical_id)


@handles("AWS::ElasticLoadBalancingV2::Listener")
class Listener(Handler):
    updatable = {"Certificates", "DefaultActions", "SslPolicy"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("elbv2")
        made = client.create_listener(**fit(client, "CreateListener", properties))["Listeners"][0]["ListenerArn"]
        return made, {"ListenerArn": made}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("elbv2")
        wanted = {name: new[name] for name in self.updatable & new.keys()}
        client.modify_listener(**fit(client, "ModifyListener", {**wanted, "ListenerArn": physical_id}))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("elbv2").delete_listener(ListenerArn=physical_id)


@handles("AWS::Route53::RecordSet")
class RecordSet(Recorded):
    """Recorded: the zone is one that exists elsewhere."""

    def identify(self, context: Context, properties: dict[str, Any]) -> str:
        return str(properties["Name"])
