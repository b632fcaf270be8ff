"""ECS. moto 5.2.5 keeps only part of a service: what it drops is set on its object, so that describe returns it."""

from __future__ import annotations

from typing import Any

from .base import Context, Handler, fit, handles, lower_first


def _tags(context: Context, properties: dict[str, Any]) -> list[dict[str, str]]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in context.all_tags(properties)]


def _without_tags(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "Tags"}


def retag(context: Context, arn: str, old: Any, new: Any) -> None:
    client = context.client("ecs")
    gone = {tag["key"] for tag in _tags(context, old)} - {tag["key"] for tag in _tags(context, new)}
    if gone:
        client.untag_resource(resourceArn=arn, tagKeys=sorted(gone))
    if _tags(context, new):
        client.tag_resource(resourceArn=arn, tags=_tags(context, new))


@handles("AWS::ECS::Cluster")
class Cluster(Handler):
    updatable = {"Tags"}

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("ecs")
        wanted = lower_first(_without_tags(properties))
        if "clusterSettings" in wanted:
            wanted["settings"] = wanted.pop("clusterSettings")
        wanted.setdefault("clusterName", context.name(255))
        made = client.create_cluster(**fit(client, "CreateCluster", {**wanted, "tags": _tags(context, properties)}))["cluster"]
        return made["clusterName"], {"Arn": made["clusterArn"]}

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        retag(context, context.arn("ecs", f"cluster/{physical_id}"), old, new)

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ecs").delete_cluster(cluster=physical_id)


@handles("AWS::ECS::TaskDefinition")
class TaskDefinition(Handler):
    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("ecs")
        # Keys below these are the user's, not the API's.
        wanted = lower_first(_without_tags(properties), ("Options", "DockerLabels"))
        wanted.setdefault("family", context.name(255))
        tags = _tags(context, properties)
        if tags:
            wanted["tags"] = tags
        made = client.register_task_definition(**fit(client, "RegisterTaskDefinition", wanted))["taskDefinition"]
        return made["taskDefinitionArn"], {"TaskDefinitionArn": made["taskDefinitionArn"]}

    def replaces(self, changed: set[str]) -> bool:
        return True

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ecs").deregister_task_definition(taskDefinition=physical_id)


# What moto 5.2.5 takes and forgets.
FORGOTTEN = {
    "deploymentConfiguration": "deployment_configuration",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "enableExecuteCommand": "enable_execute_command",
    "serviceConnectConfiguration": "service_connect_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "networkConfiguration": "network_configuration",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "loadBalancers": "load_balancers",
}


@handles("AWS::ECS::Service")
class Service(Handler):
    updatable = {
        "TaskDefinition",
        "DesiredCount",
        "DeploymentConfiguration",
        "AvailabilityZoneRebalancing",
        "EnableExecuteCommand",
        "ServiceConnectConfiguration",
        "EnableECSManagedTags",
        "NetworkConfiguration",
        "PlatformVersion",
        "HealthCheckGracePeriodSeconds",
        "LoadBalancers",
        "Tags",
    }

    def create(self, context: Context, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client = context.client("ecs")
        wanted = lower_first(_without_tags(properties))
        wanted.setdefault("serviceName", context.name(255))
        wanted["tags"] = _tags(context, properties)
        wanted = fit(client, "CreateService", wanted)
        made = client.create_service(**wanted)["service"]
        self._remember(context, made["clusterArn"], made["serviceName"], wanted)
        return made["serviceArn"], {"Name": made["serviceName"], "ServiceArn": made["serviceArn"]}

    def _remember(self, context: Context, cluster: str, name: str, wanted: dict[str, Any]) -> None:
        from moto.ecs.models import ecs_backends

        service = ecs_backends[context.account][context.region]._get_service(cluster, name)
        # moto's responses read attributes by their Python names.
        for api, attribute in FORGOTTEN.items():
            if api in wanted:
                setattr(service, attribute, wanted[api])
        # ECS says what Service Connect does with the deployment, not with the service.
        if "serviceConnectConfiguration" in wanted and service.deployments:
            service.deployments[0]["serviceConnectConfiguration"] = wanted["serviceConnectConfiguration"]

    def change(self, context: Context, physical_id: str, old: Any, new: Any, changed: set[str]) -> None:
        client = context.client("ecs")
        fixed = {"Tags", "ServiceName", "LaunchType", "SchedulingStrategy", "Role", "DeploymentController"}
        wanted = lower_first({name: value for name, value in new.items() if name not in fixed})
        client.update_service(**fit(client, "UpdateService", {**wanted, "service": physical_id}))
        if "Tags" in changed:
            retag(context, physical_id, old, new)
        self._remember(context, new["Cluster"], physical_id.split("/")[-1], fit(client, "CreateService", wanted))

    def delete(self, context: Context, physical_id: str, properties: Any, attributes: Any) -> None:
        context.client("ecs").delete_service(cluster=properties["Cluster"], service=physical_id, force=True)

