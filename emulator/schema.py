"""What the CloudFormation registry says of a type: its properties, and which of them replace the resource.

The schemas are those that cfn-lint carries, so an unknown property, a missing one or a value outside an enumeration
fails here as it does on AWS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Iterator

import regex
from jsonschema import Draft7Validator, ValidationError, validators

from .errors import Failure

# Types are coerced by CloudFormation ("true", "1"), so only these kinds of findings count.
CHECKED = {"additionalProperties", "required", "enum", "pattern", "const"}


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The registry writes patterns for Java; Python's own engine does not know \\p{L}."""
    if isinstance(instance, str) and not regex.search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = validators.extend(Draft7Validator, {"pattern": _pattern})


@lru_cache(maxsize=None)
def schema_of(resource_type: str, region: str) -> dict[str, Any] | None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        return PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type).schema
    except ResourceNotFoundError:
        return None


def check(resource_type: str, region: str, properties: dict[str, Any]) -> None:
    schema = schema_of(resource_type, region)
    if schema is None:
        raise Failure(f"Template error: {resource_type} is not in the CloudFormation registry of {region}")
    for error in Validator(schema).iter_errors(properties):
        if error.validator in CHECKED:
            where = "/".join(str(part) for part in error.absolute_path) or "Properties"
            raise Failure(f"Properties validation failed for {resource_type}: #/{where}: {error.message[:300]}")


def replacing_properties(resource_type: str, region: str) -> set[str]:
    """Top-level properties whose change makes a new resource. A nested create-only path counts as its top."""
    schema = schema_of(resource_type, region) or {}
    return {path.split("/")[2] for path in schema.get("createOnlyProperties", [])}
