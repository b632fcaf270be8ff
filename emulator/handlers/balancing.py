"""Elastic Load Balancing v2 and Route 53 records."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, fit, handles


def _client(context: Context) -> Any:
    return context.client("elbv2")


def _retag(context: Context, arn: str, old: Any, new: Any) -> None:
    gone = {tag["Key"] for tag in context.all_tags(old)} - {tag["Key"] for tag in context.all_tags(new)}
    if gone:
        _client(context).remove_tags(ResourceArns=[arn], TagKeys=sorted(gone))
    _client(context).add_tags(ResourceArns=[arn], Tags=context.all_tags(new))


@handles("AWS::ElasticLoadBalancingV2::LoadBalancer")
class LoadBalancer(Handler):
    updatable = {"LoadBalancerAttributes", "SecurityGroups", "Subnets", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("Subnets", "SecurityGroups", "Scheme", "Type", "IpAddressType")
        wanted = {name: properties[name] for name in names if name in properties}
        made = _client(context).create_load_balancer(
            Name=properties.get("Name") or context.name(32), Tags=context.all_tags(properties), **wanted
        )["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        self._attributes(context, arn, properties)
        return arn, {
            "LoadBalancerArn": arn,
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "LoadBalancerFullName": arn.split("loadbalancer/")[-1],
            "SecurityGroups": made.get("SecurityGroups", []),
        }

    @staticmethod
    def _attributes(context: Context, arn: str, properties: dict[str, Any]) -> None:
        _client(context).modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=properties.get("LoadBalancerAttributes", [])
        )

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        if "LoadBalancerAttributes" in changed:
            self._attributes(context, physical_id, new)
        if "SecurityGroups" in changed:
            _client(context).set_security_groups(LoadBalancerArn=physical_id, SecurityGroups=new["SecurityGroups"])
        if "Subnets" in changed:
            _client(context).set_subnets(LoadBalancerArn=physical_id, Subnets=new["Subnets"])
        if "Tags" in changed:
            _retag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        _client(context).delete_load_balancer(LoadBalancerArn=physical_id)


@handles("AWS::ElasticLoadBalancingV2::TargetGroup")
class TargetGroup(Handler):
    updatable = {"TargetGroupAttributes", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = _client(context)
        wanted = {name: value for name, value in properties.items() if name not in ("TargetGroupAttributes", "Targets", "Tags")}
        wanted.setdefault("Name", context.name(32))
        made = client.create_target_group(
            **fit(client, "CreateTargetGroup", wanted), Tags=context.all_tags(properties)
        )["TargetGroups"][0]
        arn = made["TargetGroupArn"]
        self._attributes(context, arn, properties)
        return arn, {
            "TargetGroupArn": arn,
            "TargetGroupName": made["TargetGroupName"],
            "TargetGroupFullName": arn.split(":")[-1],
            "LoadBalancerArns": [],
        }

    @staticmethod
    def _attributes(context: Context, arn: str, properties: dict[str, Any]) -> None:
        _client(context).modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=properties.get("TargetGroupAttributes", [])
        )

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        if "TargetGroupAttributes" in changed:
            self._attributes(context, physical_id, new)
        if "Tags" in changed:
            _retag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        _client(context).delete_target_group(TargetGroupArn=physical_id)


@handles("AWS::ElasticLoadBalancingV2::Listener")
class Listener(Handler):
    updatable = {"Certificates", "DefaultActions", "SslPolicy", "Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = _client(context)
        wanted = {name: value for name, value in properties.items() if name != "Tags"}
        made = client.create_listener(**fit(client, "CreateListener", wanted), Tags=context.all_tags(properties))
        arn = made["Listeners"][0]["ListenerArn"]
        return arn, {"ListenerArn": arn}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = _client(context)
        settings = {name: new[name] for name in changed - {"Tags"} if name in new}
        if settings:
            client.modify_listener(ListenerArn=physical_id, **fit(client, "ModifyListener", settings))
        if "Tags" in changed:
            _retag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        _client(context).delete_listener(ListenerArn=physical_id)


@handles("AWS::Route53::RecordSet")
class RecordSet(Handler):
    updatable = {"AliasTarget", "ResourceRecords", "TTL"}

    @staticmethod
    def _apply(context: Context, action: str, properties: dict[str, Any]) -> None:
        client = context.client("route53")
        record = {name: value for name, value in properties.items() if name != "HostedZoneId"}
        changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        wanted = {"HostedZoneId": properties["HostedZoneId"], "ChangeBatch": changes}
        client.change_resource_record_sets(**fit(client, "ChangeResourceRecordSets", wanted))

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self._apply(context, "CREATE", properties)
        return properties["Name"], {}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        self._apply(context, "UPSERT", new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        self._apply(context, "DELETE", properties)
