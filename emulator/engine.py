"""A small CloudFormation: orders, creates, updates, replaces, deletes and rolls back. It fails closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from . import schema
from .dynamic import dereference
from .errors import Failure
from .handlers import HANDLERS, Context
from .resolve import NO_VALUE, Resolver, references

Event = Callable[[str, str, str, str, "str | None"], None]


@dataclass
class Resource:
    """A resource that exists. The attribute names are those moto's responses read."""

    logical_resource_id: str
    cf_resource_type: str
    physical_resource_id: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    deletion_policy: str
    update_replace_policy: str
    depends_on: set[str] = field(default_factory=set)


class Engine:
    """The resources of one stack."""

    def __init__(self, stack_name: str, stack_id: str, account: str, region: str, event: Event, exports: Callable[[], dict[str, Any]]) -> None:
        self.stack_name = stack_name
        self.account = account
        self.region = region
        self.event = event
        self.exports = exports
        self.resources: dict[str, Resource] = {}
        self.outputs: list[dict[str, Any]] = []
        self.resolved_parameters: dict[str, Any] = {}
        self.pseudo = {
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::StackName": stack_name,
            "AWS::StackId": stack_id,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
        }

    # -- applying a template -------------------------------------------------------------------------------------

    def apply(self, template: dict[str, Any], given: dict[str, Any], tags: dict[str, str]) -> None:
        """Brings the stack to the template, or raises Failure with everything as it was before."""
        before = dict(self.resources)
        undo: list[Callable[[], None]] = []
        replaced: list[Resource] = []
        try:
            self.resolved_parameters = self._parameters(template, given)
            resolver = self._resolver(template)
            declared = {
                logical_id: body
                for logical_id, body in template.get("Resources", {}).items()
                if "Condition" not in body or resolver.condition(body["Condition"])
            }
            for logical_id, body in declared.items():
                if body["Type"] not in HANDLERS:
                    raise Failure(f"{logical_id}: {body['Type']} is not supported by the emulator")
            for logical_id in self._order(declared):
                self._converge(logical_id, declared[logical_id], resolver, tags, undo, replaced)
            outputs = self._outputs(template, resolver)
        except Failure:
            for step in reversed(undo):
                step()
            self.resources = before
            raise
        self.outputs = outputs
        gone = [resource for logical_id, resource in self.resources.items() if logical_id not in declared]
        for resource in self._delete_order(gone):
            self._remove(resource, resource.deletion_policy)
            del self.resources[resource.logical_resource_id]
        for resource in self._delete_order(replaced):
            self._remove(resource, resource.update_replace_policy)

    def delete(self) -> None:
        for resource in self._delete_order(list(self.resources.values())):
            self._remove(resource, resource.deletion_policy)
            del self.resources[resource.logical_resource_id]

    # -- one resource --------------------------------------------------------------------------------------------

    def _converge(
        self,
        logical_id: str,
        body: dict[str, Any],
        resolver: Resolver,
        tags: dict[str, str],
        undo: list[Callable[[], None]],
        replaced: list[Resource],
    ) -> None:
        resource_type = body["Type"]
        handler = HANDLERS[resource_type]
        old = self.resources.get(logical_id)
        context = Context(self.stack_name, logical_id, resource_type, self.region, self.account, tags)
        try:
            properties = resolver.value(body.get("Properties", {}))
            if not handler.noop:
                schema.check(resource_type, self.region, properties)
            policy = body.get("DeletionPolicy", "Delete")
            if policy not in ("Delete", "Retain", "RetainExceptOnCreate") and not handler.can_snapshot:
                raise Failure(f"DeletionPolicy {policy} is not possible for {resource_type}")
            fresh = Resource(
                logical_id,
                resource_type,
                "",
                properties,
                {},
                policy,
                body.get("UpdateReplacePolicy", "Delete"),
                references(body) | set(_as_list(body.get("DependsOn"))),
            )
            if old is not None and old.cf_resource_type == resource_type:
                changed = {
                    name
                    for name in properties.keys() | old.properties.keys()
                    if properties.get(name) != old.properties.get(name)
                }
                if not changed:
                    fresh.physical_resource_id, fresh.attributes = old.physical_resource_id, old.attributes
                    self.resources[logical_id] = fresh
                    return
                if not changed & schema.replacing_properties(resource_type, self.region) and not handler.replaces(changed):
                    self._event(fresh, old.physical_resource_id, "UPDATE_IN_PROGRESS")
                    # Both sides read alike: a reference that did not change is no change.
                    was, wanted = dereference(old.properties, context.client), dereference(properties, context.client)
                    undo.append(lambda: handler.update(context, old.physical_resource_id, wanted, was, old.attributes))
                    fresh.physical_resource_id = old.physical_resource_id
                    fresh.attributes = handler.update(context, old.physical_resource_id, was, wanted, old.attributes)
                    self.resources[logical_id] = fresh
                    self._event(fresh, fresh.physical_resource_id, "UPDATE_COMPLETE")
                    return
                self._event(fresh, old.physical_resource_id, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.")
            else:
                self._event(fresh, "", "CREATE_IN_PROGRESS")
            fresh.physical_resource_id, fresh.attributes = handler.create(context, dereference(properties, context.client))
            undo.append(lambda: self._undo_create(fresh))
            self.resources[logical_id] = fresh
            if old is not None:
                replaced.append(old)
            self._event(fresh, fresh.physical_resource_id, "UPDATE_COMPLETE" if old else "CREATE_COMPLETE")
        except Exception as error:
            reason = _reason(error)
            self.event(logical_id, old.physical_resource_id if old else "", resource_type, "UPDATE_FAILED" if old else "CREATE_FAILED", reason)
            raise Failure(f"Resource {logical_id} ({resource_type}) failed: {reason}") from error

    def _undo_create(self, resource: Resource) -> None:
        """A rollback removes what was made, RETAIN or not only where the policy says so (RetainExceptOnCreate)."""
        self._remove(resource, "Delete" if resource.deletion_policy == "RetainExceptOnCreate" else resource.deletion_policy)

    def _remove(self, resource: Resource, policy: str) -> None:
        handler = HANDLERS[resource.cf_resource_type]
        if policy in ("Retain", "RetainExceptOnCreate"):
            self._event(resource, resource.physical_resource_id, "DELETE_SKIPPED")
            return
        self._event(resource, resource.physical_resource_id, "DELETE_IN_PROGRESS")
        context = Context(self.stack_name, resource.logical_resource_id, resource.cf_resource_type, self.region, self.account, {})
        try:
            handler.delete(context, resource.physical_resource_id, resource.properties, resource.attributes)
        except Exception as error:
            reason = _reason(error)
            self._event(resource, resource.physical_resource_id, "DELETE_FAILED", reason)
            raise Failure(f"Resource {resource.logical_resource_id} ({resource.cf_resource_type}) could not be deleted: {reason}") from error
        self._event(resource, resource.physical_resource_id, "DELETE_COMPLETE")

    def _event(self, resource: Resource, physical_id: str, status: str, reason: str | None = None) -> None:
        self.event(resource.logical_resource_id, physical_id, resource.cf_resource_type, status, reason)

    # -- order ---------------------------------------------------------------------------------------------------

    def _order(self, declared: dict[str, dict[str, Any]]) -> list[str]:
        waiting = {
            logical_id: {
                other
                for other in references(body) | set(_as_list(body.get("DependsOn")))
                if other in declared and other != logical_id
            }
            for logical_id, body in declared.items()
        }
        for logical_id, body in declared.items():
            for name in _as_list(body.get("DependsOn")):
                if name not in declared:
                    raise Failure(f"Template format error: Unresolved resource dependencies [{name}] of {logical_id}")
        order: list[str] = []
        while waiting:
            ready = [logical_id for logical_id, needs in waiting.items() if not needs & waiting.keys()]
            if not ready:
                raise Failure(f"Circular dependency between resources: {sorted(waiting)}")
            order += ready
            for logical_id in ready:
                del waiting[logical_id]
        return order

    def _delete_order(self, resources: list[Resource]) -> list[Resource]:
        ids = {resource.logical_resource_id for resource in resources}
        left = list(resources)
        order: list[Resource] = []
        while left:
            ready = [r for r in left if not any(r.logical_resource_id in other.depends_on for other in left if other is not r)]
            if not ready:
                raise Failure(f"Circular dependency between resources: {sorted(ids)}")
            order += ready
            left = [r for r in left if r not in ready]
        return order

    # -- values --------------------------------------------------------------------------------------------------

    def _resolver(self, template: dict[str, Any]) -> Resolver:
        def lookup(logical_id: str, attribute: str | None) -> Any:
            resource = self.resources.get(logical_id)
            if resource is None:
                raise Failure(f"Template format error: Unresolved resource dependencies [{logical_id}]")
            if attribute is None:
                return resource.physical_resource_id
            if attribute not in resource.attributes:
                raise Failure(f"Template error: {resource.cf_resource_type} {logical_id} has no attribute {attribute}")
            return resource.attributes[attribute]

        def imports(name: str) -> Any:
            exports = self.exports()
            if name not in exports:
                raise Failure(f"No export named {name} found")
            return exports[name]

        def zones(region: str) -> list[str]:
            client = Context(self.stack_name, "", "", region, self.account, {}).client("ec2")
            return [zone["ZoneName"] for zone in client.describe_availability_zones()["AvailabilityZones"]]

        return Resolver(template, self.resolved_parameters, self.pseudo, lookup, imports, zones)

    def _parameters(self, template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        declared = template.get("Parameters", {})
        unknown = given.keys() - declared.keys()
        if unknown:
            raise Failure(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
        values: dict[str, Any] = {}
        for name, body in declared.items():
            value = given.get(name, body.get("Default"))
            if value is None:
                raise Failure(f"Parameters: [{name}] must have values")
            if "AllowedValues" in body and str(value) not in [str(allowed) for allowed in body["AllowedValues"]]:
                raise Failure(f"Parameter {name}: {value} is not one of {body['AllowedValues']}")
            if body.get("Type", "").startswith("AWS::SSM::Parameter::Value"):
                client = Context(self.stack_name, "", "", self.region, self.account, {}).client("ssm")
                try:
                    value = client.get_parameter(Name=value)["Parameter"]["Value"]
                except client.exceptions.ParameterNotFound:
                    raise Failure(f"Unable to fetch parameters [{value}] from parameter store for this account.") from None
            elif body.get("Type") == "CommaDelimitedList" or body.get("Type", "").startswith("List<"):
                value = [part.strip() for part in str(value).split(",")]
            values[name] = value
        return values

    def _outputs(self, template: dict[str, Any], resolver: Resolver) -> list[dict[str, Any]]:
        outputs = []
        for key, body in template.get("Outputs", {}).items():
            if "Condition" in body and not resolver.condition(body["Condition"]):
                continue
            value = resolver.value(body["Value"])
            if value is NO_VALUE or isinstance(value, (dict, list)):
                raise Failure(f"Template format error: Output {key} must be a string")
            export = resolver.value(body["Export"]["Name"]) if "Export" in body else None
            outputs.append({"key": key, "value": str(value), "description": body.get("Description"), "export": export})
        return outputs


def _as_list(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
