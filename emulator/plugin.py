"""Puts our engine into moto 5.2.5 in place of its own CloudFormation, which reports success for what it did not build."""

from __future__ import annotations

import json
import os
from typing import Any

# moto's mocked credentials map to this account.
ACCOUNT = "123456789012"


def install(url: str) -> None:
    # moto checks ARNs of managed policies only when it has loaded them.
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

    from moto.cloudformation import models, parsing
    from moto.cloudformation.exceptions import ValidationError

    from .engine import Engine
    from .errors import Failure
    from .handlers import base

    base.ENDPOINT["url"] = url

    class Outputs:
        """The part of moto's OutputMap that its responses read."""

        def __init__(self, engine: Engine) -> None:
            self.engine = engine

        def values(self) -> list[Any]:
            outputs = []
            for entry in self.engine.outputs:
                output = parsing.Output.__new__(parsing.Output)
                output.key, output.value, output.description = entry["key"], entry["value"], entry["description"]
                outputs.append(output)
            return outputs

        @property
        def exports(self) -> list[Any]:
            return [
                parsing.Export(self.engine.pseudo["AWS::StackId"], entry["export"], entry["value"])
                for entry in self.engine.outputs
                if entry["export"]
            ]

    class Map:
        """The part of moto's ResourceMap that its responses read."""

        no_echo_parameter_keys: list[str] = []

        def __init__(self, stack: Any) -> None:
            self.stack = stack

            def event(logical_id: str, physical_id: str, resource_type: str, status: str, reason: str | None) -> None:
                stack.events.append(
                    models.Event(stack.stack_id, stack.name, logical_id, physical_id, resource_type, status, reason, None)
                )

            self.engine = Engine(stack.name, stack.stack_id, stack.account_id, stack.region_name, event, self._exports)

        def _exports(self) -> dict[str, Any]:
            backend = models.cloudformation_backends[self.stack.account_id][self.stack.region_name]
            return {export.name: export.value for other in backend.stacks.values() for export in other.exports}

        @property
        def resolved_parameters(self) -> dict[str, Any]:
            return {
                key: ",".join(value) if isinstance(value, list) else value
                for key, value in self.engine.resolved_parameters.items()
            }

        def values(self) -> list[Any]:
            return list(self.engine.resources.values())

        def __iter__(self) -> Any:
            return iter(self.engine.resources)

        def build_change_set_actions(self, template: dict[str, Any]) -> dict[str, Any]:
            """What a change set would touch, by comparing templates: the preview is coarser than the deployment."""
            old = self.stack.template_dict.get("Resources", {}) if self.engine.resources else {}
            new = template.get("Resources", {})

            def described(names: set[str], bodies: dict[str, Any]) -> dict[str, Any]:
                return {name: {"ResourceType": bodies[name]["Type"]} for name in sorted(names)}

            return {
                "Add": described(new.keys() - old.keys(), new),
                "Modify": described({name for name in new.keys() & old.keys() if new[name] != old[name]}, new),
                "Remove": described(old.keys() - new.keys(), old),
            }

    def create_resource_map(self: Any) -> Map:
        return Map(self)

    def create_output_map(self: Any) -> Outputs:
        return Outputs(self.resource_map.engine)

    def finish(stack: Any, status: str, reason: str | None = None) -> None:
        stack.status = status
        stack._add_stack_event(status, resource_status_reason=reason)

    def create_resources(self: Any) -> None:
        self.status = "CREATE_IN_PROGRESS"
        try:
            self.resource_map.engine.apply(self.template_dict, self.parameters, self.tags)
        except Failure as failure:
            self._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=str(failure))
            finish(self, "ROLLBACK_COMPLETE", str(failure))
        else:
            self.description = self.template_dict.get("Description")
            finish(self, "CREATE_COMPLETE")

    def update(self: Any, template: str, role_arn: Any = None, parameters: Any = None, tags: Any = None) -> None:
        new = self.parse_template(template)
        given = self.parameters if parameters is None else parameters
        wanted_tags = self.tags if tags is None else tags
        if self.has_template(template) and self.has_parameters(given) and wanted_tags == self.tags:
            raise ValidationError(self.name, message="No updates are to be performed.")
        self.status = "UPDATE_IN_PROGRESS"
        self._add_stack_event("UPDATE_IN_PROGRESS", resource_status_reason="User Initiated")
        try:
            self.resource_map.engine.apply(new, given, wanted_tags)
        except Failure as failure:
            self._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=str(failure))
            finish(self, "UPDATE_ROLLBACK_COMPLETE", str(failure))
            return
        self.template, self.template_dict = template, new
        self.parameters, self.tags = given, wanted_tags
        self.description = new.get("Description")
        finish(self, "UPDATE_COMPLETE")

    def delete(self: Any) -> None:
        self._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
        self.resource_map.engine.delete()
        finish(self, "DELETE_COMPLETE")

    for name, function in {
        "_create_resource_map": create_resource_map,
        "_create_output_map": create_output_map,
        "create_resources": create_resources,
        "update": update,
        "delete": delete,
    }.items():
        setattr(models.Stack, name, function)

    backend_class = models.CloudFormationBackend

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        for stack in list(self.stacks.values()):
            if name_or_stack_id in (stack.name, stack.stack_id):
                try:
                    stack.delete()
                except Failure as failure:
                    finish(stack, "DELETE_FAILED", str(failure))
                    return
                del self.stacks[stack.stack_id]
                self.deleted_stacks[stack.stack_id] = stack

    def resolve_update_parameters(self: Any, instance: Any, incoming_params: list[dict[str, Any]]) -> dict[str, str]:
        """moto fails with a KeyError when a previous value was the template's default."""
        values: dict[str, str] = {}
        for parameter in incoming_params:
            key = parameter["ParameterKey"]
            if parameter.get("UsePreviousValue"):
                if key in instance.parameters:
                    values[key] = instance.parameters[key]
            else:
                values[key] = parameter["ParameterValue"]
        return values

    def delete_change_set(self: Any, change_set_name: str) -> None:
        """moto answers an absent change set with HTTP 500, which breaks every second deploy."""
        for key, change_set in list(self.change_sets.items()):
            if change_set_name in (key, change_set.change_set_name):
                del self.change_sets[key]

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        """moto fails here with HTTP 500 and calls the second attempt a success."""
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        if change_set.change_set_type == "CREATE":
            stack.template = change_set.template
            stack._parse_template()
            stack.parameters = change_set.parameters
            stack._add_stack_event("CREATE_IN_PROGRESS", resource_status_reason="User Initiated")
            stack.create_resources()
        else:
            stack.update(change_set.template, parameters=change_set.parameters, tags=change_set.tags)
        change_set.execution_status = "EXECUTE_COMPLETE"

    backend_class.delete_stack = delete_stack
    backend_class._resolve_update_parameters = resolve_update_parameters
    backend_class.delete_change_set = delete_change_set
    backend_class.execute_change_set = execute_change_set

    _serve_recorded()


def _serve_recorded() -> None:
    """GET /emulator/recorded lists the recorded resources; a reset of moto forgets them."""
    from moto.moto_api._internal.responses import MotoAPIResponse

    reset = MotoAPIResponse.reset_response

    def reset_response(self: Any, request: Any, full_url: str, headers: Any) -> Any:
        from .additions import forget

        forget()
        return reset(self, request, full_url, headers)

    MotoAPIResponse.reset_response = reset_response  # type: ignore[method-assign]


def recorded_app(app: Any) -> Any:
    """Wraps the WSGI application with the addresses of our own and the calls moto lacks (additions.py)."""
    from . import additions
    from .handlers import base

    additions.patch()

    def json_answer(start_response: Any, status: str, body: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(body, default=str).encode()]

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == "/emulator/recorded":
            return json_answer(start_response, "200 OK", base.RECORDED)
        if environ.get("PATH_INFO") == "/emulator/set":
            request = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            try:
                return json_answer(start_response, "200 OK", additions.set_value(request))
            except (KeyError, IndexError, AttributeError) as error:
                return json_answer(start_response, "404 Not Found", {"error": f"{type(error).__name__}: {error}"})
        own = additions.backup_answer(environ)
        if own:
            return json_answer(start_response, *own)
        cache = additions.cache_answer(environ)
        if cache:
            start_response(cache[0], [("Content-Type", "text/xml")])
            return [cache[1].encode()]
        return app(environ, start_response)

    return wrapped
