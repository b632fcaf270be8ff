"""EC2: networks. Every call goes to moto's EC2, which keeps real relations between them."""

from __future__ import annotations

import json
from typing import Any

from ..errors import Failure
from .base import Context, Handler, handles


def _tag(context: Context, resource_id: str, properties: dict[str, Any]) -> None:
    tags = context.all_tags(properties)
    if tags:
        context.client("ec2").create_tags(Resources=[resource_id], Tags=tags)


class Tagged(Handler):
    """A type of which only the tags change in place."""

    updatable = {"Tags"}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        keys = {tag["Key"] for tag in old.get("Tags", [])} - {tag["Key"] for tag in new.get("Tags", [])}
        if keys:
            context.client("ec2").delete_tags(Resources=[physical_id], Tags=[{"Key": key} for key in sorted(keys)])
        _tag(context, physical_id, new)


@handles("AWS::EC2::VPC")
class Vpc(Tagged):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("ec2")
        vpc_id = client.create_vpc(CidrBlock=properties["CidrBlock"])["Vpc"]["VpcId"]
        for name in ("EnableDnsHostnames", "EnableDnsSupport"):
            if name in properties:
                client.modify_vpc_attribute(VpcId=vpc_id, **{name: {"Value": properties[name] in (True, "true")}})
        _tag(context, vpc_id, properties)
        groups = client.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["SecurityGroups"]
        return vpc_id, {
            "VpcId": vpc_id,
            "CidrBlock": properties["CidrBlock"],
            "DefaultSecurityGroup": groups[0]["GroupId"],
        }

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_vpc(VpcId=physical_id)


@handles("AWS::EC2::Subnet")
class Subnet(Tagged):
    updatable = {"Tags", "MapPublicIpOnLaunch"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("VpcId", "CidrBlock", "AvailabilityZone")
        made = context.client("ec2").create_subnet(**{n: properties[n] for n in names if n in properties})["Subnet"]
        self._public(context, made["SubnetId"], properties)
        _tag(context, made["SubnetId"], properties)
        return made["SubnetId"], {
            "SubnetId": made["SubnetId"],
            "AvailabilityZone": made["AvailabilityZone"],
            "VpcId": made["VpcId"],
            "CidrBlock": made["CidrBlock"],
        }

    def _public(self, context: Context, subnet_id: str, properties: dict[str, Any]) -> None:
        value = properties.get("MapPublicIpOnLaunch", False) in (True, "true")
        context.client("ec2").modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": value})

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        super().change(context, physical_id, old, new, changed)
        self._public(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_subnet(SubnetId=physical_id)


@handles("AWS::EC2::RouteTable")
class RouteTable(Tagged):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("ec2").create_route_table(VpcId=properties["VpcId"])["RouteTable"]["RouteTableId"]
        _tag(context, made, properties)
        return made, {"RouteTableId": made}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_route_table(RouteTableId=physical_id)


@handles("AWS::EC2::Route")
class Route(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        context.client("ec2").create_route(**properties)
        cidr = properties.get("DestinationCidrBlock", "")
        return f"{properties['RouteTableId']}|{cidr}", {"CidrBlock": cidr}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_route(
            RouteTableId=properties["RouteTableId"], DestinationCidrBlock=properties["DestinationCidrBlock"]
        )


@handles("AWS::EC2::SubnetRouteTableAssociation")
class Association(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("ec2").associate_route_table(**properties)["AssociationId"]
        return made, {"Id": made}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").disassociate_route_table(AssociationId=physical_id)


@handles("AWS::EC2::InternetGateway")
class InternetGateway(Tagged):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = context.client("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        _tag(context, made, properties)
        return made, {"InternetGatewayId": made}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_internet_gateway(InternetGatewayId=physical_id)


@handles("AWS::EC2::VPCGatewayAttachment")
class GatewayAttachment(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        context.client("ec2").attach_internet_gateway(**properties)
        return f"IGW|{properties['VpcId']}", {"AttachmentType": "IGW"}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").detach_internet_gateway(**properties)


@handles("AWS::EC2::VPCEndpoint")
class Endpoint(Tagged):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        wanted = {name: value for name, value in properties.items() if name != "Tags"}
        if "PolicyDocument" in wanted:
            wanted["PolicyDocument"] = json.dumps(wanted["PolicyDocument"])
        made = context.client("ec2").create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"]
        _tag(context, made, properties)
        return made, {"Id": made}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[physical_id])


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            permission[name] = int(rule[name])
    text = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **text}]
    elif "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **text}]
    else:
        group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
        if not group:
            raise Failure("a security group rule needs a CIDR block or a security group")
        permission["UserIdGroupPairs"] = [{"GroupId": group, **text}]
    return permission


@handles("AWS::EC2::SecurityGroup")
class SecurityGroup(Tagged):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("ec2")
        group_id = client.create_security_group(
            GroupName=properties.get("GroupName") or context.name(255),
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
        )["GroupId"]
        for rule in properties.get("SecurityGroupIngress", []):
            client.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[_permission(rule)])
        egress = properties.get("SecurityGroupEgress")
        if egress is not None:
            client.revoke_security_group_egress(
                GroupId=group_id, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            )
            for rule in egress:
                client.authorize_security_group_egress(GroupId=group_id, IpPermissions=[_permission(rule)])
        _tag(context, group_id, properties)
        return group_id, {"GroupId": group_id, "VpcId": properties["VpcId"], "Id": group_id}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ec2").delete_security_group(GroupId=physical_id)


@handles("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
class Rule(Handler):
    """One rule. An ingress change of the rule itself is a replacement by the registry."""

    @staticmethod
    def _side(context: Context) -> str:
        return "ingress" if context.resource_type.endswith("Ingress") else "egress"

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        call = getattr(context.client("ec2"), f"authorize_security_group_{self._side(context)}")
        call(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])
        return context.name(), {"Id": context.logical_id}

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        call = getattr(context.client("ec2"), f"revoke_security_group_{self._side(context)}")
        call(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])
