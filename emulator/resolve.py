"""Intrinsic functions of a template, resolved against parameters and the resources made so far."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Any, Callable

from .errors import Failure

NO_VALUE = object()


class Resolver:
    """Resolves values of one template. `lookup(logical_id, attribute or None)` answers Ref and GetAtt of resources."""

    def __init__(
        self,
        template: dict[str, Any],
        parameters: dict[str, Any],
        pseudo: dict[str, Any],
        lookup: Callable[[str, str | None], Any],
        imports: Callable[[str], Any],
        zones: Callable[[str], list[str]],
    ) -> None:
        self.template = template
        self.parameters = parameters
        self.pseudo = pseudo
        self.lookup = lookup
        self.imports = imports
        self.zones = zones
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            conditions = self.template.get("Conditions", {})
            if name not in conditions:
                raise Failure(f"Template error: unresolved condition {name}")
            self._conditions[name] = bool(self.value(conditions[name]))
        return self._conditions[name]

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [item for item in (self.value(child) for child in node) if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), = node.items()
            if name == "Ref":
                return self._ref(argument)
            if name == "Condition" and isinstance(argument, str) and argument in self.template.get("Conditions", {}):
                return self.condition(argument)
            if name.startswith("Fn::"):
                function = getattr(self, "_" + name[4:].lower(), None)
                if function is None:
                    raise Failure(f"Template error: {name} is not supported by the emulator")
                return function(argument)
        resolved = {key: self.value(child) for key, child in node.items()}
        return {key: child for key, child in resolved.items() if child is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.lookup(name, None)

    def _getatt(self, argument: Any) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self.lookup(logical_id, self.value(attribute))

    def _sub(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in variables:
                return str(self.value(variables[name]))
            if "." in name:
                return str(self._getatt(name))
            return str(self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _join(self, argument: Any) -> str:
        delimiter, items = argument
        return delimiter.join(str(item) for item in self.value(items))

    def _select(self, argument: Any) -> Any:
        index, items = argument
        values = self.value(items)
        if int(index) >= len(values):
            raise Failure(f"Template error: Fn::Select cannot select index {index} of {len(values)} values")
        return values[int(index)]

    def _split(self, argument: Any) -> list[str]:
        return str(self.value(argument[1])).split(argument[0])

    def _getazs(self, argument: Any) -> list[str]:
        return self.zones(self.value(argument) or self.pseudo["AWS::Region"])

    def _importvalue(self, argument: Any) -> Any:
        return self.imports(self.value(argument))

    def _findinmap(self, argument: Any) -> Any:
        name, first, second = [self.value(part) for part in argument[:3]]
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError:
            raise Failure(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(str(self.value(argument)).encode()).decode()

    def _cidr(self, argument: Any) -> list[str]:
        block, count, bits = [self.value(part) for part in argument]
        network = ipaddress.ip_network(block)
        subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
        return [str(subnet) for subnet, _ in zip(subnets, range(int(count)))]

    def _if(self, argument: Any) -> Any:
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def _equals(self, argument: Any) -> bool:
        return str(self.value(argument[0])) == str(self.value(argument[1]))

    def _not(self, argument: Any) -> bool:
        return not self.value(argument[0])

    def _and(self, argument: Any) -> bool:
        return all(self.value(argument))

    def _or(self, argument: Any) -> bool:
        return any(self.value(argument))


def references(node: Any) -> set[str]:
    """Every logical id a piece of template may point to."""
    found: set[str] = set()
    if isinstance(node, list):
        for child in node:
            found |= references(child)
    elif isinstance(node, dict):
        for key, child in node.items():
            if key == "Ref" and isinstance(child, str):
                found.add(child)
            elif key == "Fn::GetAtt":
                found.add(child.split(".")[0] if isinstance(child, str) else child[0])
                found |= references(child)
            elif key == "Fn::Sub":
                text = child if isinstance(child, str) else child[0]
                found |= {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text)}
                found |= references(child)
            else:
                found |= references(child)
    return found
