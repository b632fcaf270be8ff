"""Dynamic references: {{resolve:secretsmanager:...}} is read when a resource is made, and is in no template."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import Failure

REFERENCE = re.compile(r"\{\{resolve:([^}]*)\}\}")
SECRET = re.compile(r"secretsmanager:(?P<id>.+?):SecretString(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?")


def dereference(value: Any, client: Any) -> Any:
    """The value with every reference read. `client` gives the API of a service."""
    if isinstance(value, list):
        return [dereference(child, client) for child in value]
    if isinstance(value, dict):
        return {key: dereference(child, client) for key, child in value.items()}
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(lambda match: _read(match.group(1), client), value)
    return value


def _read(reference: str, client: Any) -> str:
    found = SECRET.fullmatch(reference)
    if not found:
        raise Failure(f"the emulator cannot resolve {{{{resolve:{reference}}}}}")
    wanted = {"VersionStage": found["stage"], "VersionId": found["version"]}
    secrets = client("secretsmanager")
    try:
        text = secrets.get_secret_value(SecretId=found["id"], **{name: value for name, value in wanted.items() if value})["SecretString"]
    except secrets.exceptions.ResourceNotFoundException:
        raise Failure(f"Secrets Manager can't find the specified secret: {found['id']}") from None
    if not found["key"]:
        return str(text)
    try:
        return str(json.loads(text)[found["key"]])
    except (ValueError, KeyError):
        raise Failure(f"Could not find a value associated with JSONKey {found['key']} in SecretString") from None
