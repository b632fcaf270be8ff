"""What moto 5.2.5 has no API for and the command line reads: AWS Backup's selections, recovery points and restore jobs,
and ElastiCache's serverless caches.

Beside it the one address that changes what no API changes in place: POST /emulator/set. Tests use it to break one
setting of a deployed stack (a file system that is not encrypted, a mount target in error, a task that runs).
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Callable
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from .handlers import base
from .plugin import ACCOUNT

# Recovery points and restore jobs, as the API returns them; times are seconds since 1970.
STATE: dict[str, Any] = {"recorded": base.RECORDED, "recoveryPoints": [], "restoreJobs": []}

MISSING = object()


def forget() -> None:
    """A reset of moto forgets these too."""
    base.RECORDED.clear()
    STATE["recoveryPoints"] = []
    STATE["restoreJobs"] = []


# -- AWS Backup ------------------------------------------------------------------------------------------------------


def _selections(plan: str) -> list[dict[str, Any]]:
    return [
        entry
        for entry in base.RECORDED
        if entry["type"] == "AWS::Backup::BackupSelection" and entry["properties"]["BackupPlanId"] == plan
    ]


def _list_selections(plan: str) -> Any:
    return {
        "BackupSelectionsList": [
            {
                "SelectionId": entry["physicalId"],
                "SelectionName": entry["properties"]["BackupSelection"]["SelectionName"],
                "BackupPlanId": plan,
                "IamRoleArn": entry["properties"]["BackupSelection"]["IamRoleArn"],
            }
            for entry in _selections(plan)
        ]
    }


def _get_selection(plan: str, selection: str) -> Any:
    for entry in _selections(plan):
        if entry["physicalId"] == selection:
            return {"SelectionId": selection, "BackupPlanId": plan, "BackupSelection": entry["properties"]["BackupSelection"]}
    return None


def _recovery_points(arn: str) -> Any:
    return {"RecoveryPoints": [point for point in STATE["recoveryPoints"] if point["ResourceArn"] == arn]}


def _restore_jobs() -> Any:
    return {"RestoreJobs": STATE["restoreJobs"]}


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"/backup/plans/([^/]+)/selections/?", _list_selections),
    (r"/backup/plans/([^/]+)/selections/([^/]+)/?", _get_selection),
    (r"/resources/(.+)/recovery-points/?", _recovery_points),
    (r"/restore-jobs/?", _restore_jobs),
]


def backup_answer(environ: dict[str, Any]) -> tuple[str, Any] | None:
    """The answer to a call of the Backup API that moto lacks, or None."""
    if environ["REQUEST_METHOD"] != "GET" or "/backup/aws4_request" not in environ.get("HTTP_AUTHORIZATION", ""):
        return None
    for pattern, answer in ROUTES:
        found = re.fullmatch(pattern, environ.get("PATH_INFO", ""))
        if found:
            body = answer(*(unquote(group) for group in found.groups()))
            if body is None:
                return "404 Not Found", {"__type": "ResourceNotFoundException", "Message": "There is no such selection."}
            return "200 OK", body
    return None


# -- ElastiCache -----------------------------------------------------------------------------------------------------

# Elements of a list, in the XML of the Query protocol, by the name of the list.
ELEMENTS = {
    "ServerlessCaches": "member",
    "SecurityGroupIds": "SecurityGroupId",
    "SubnetIds": "SubnetId",
    "TagList": "Tag",
}


def _xml(value: Any, of: str = "") -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(child, key)}</{key}>" for key, child in value.items())
    if isinstance(value, list):
        return "".join(f"<{ELEMENTS[of]}>{_xml(child)}</{ELEMENTS[of]}>" for child in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _caches() -> list[dict[str, Any]]:
    return [entry for entry in base.RECORDED if entry["type"] == "AWS::ElastiCache::ServerlessCache"]


def _describe_caches(request: dict[str, str]) -> dict[str, Any] | None:
    name = request.get("ServerlessCacheName")
    found = [entry["properties"] for entry in _caches() if name in (None, entry["physicalId"])]
    if name and not found:
        return None
    caches = [{"Status": "available", **{key: one[key] for key in one if key != "Tags"}} for one in found]
    return {"ServerlessCaches": caches}


def _cache_tags(request: dict[str, str]) -> dict[str, Any] | None:
    name = request["ResourceName"].split(":")[-1]
    found = [entry["properties"].get("Tags", []) for entry in _caches() if entry["physicalId"] == name]
    return {"TagList": found[0]} if found else None


CACHE_CALLS = {"DescribeServerlessCaches": _describe_caches, "ListTagsForResource": _cache_tags}
CACHE_NOT_FOUND = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>ServerlessCacheNotFoundFault</Code>"
    "<Message>There is no such serverless cache.</Message></Error></ErrorResponse>"
)


def cache_answer(environ: dict[str, Any]) -> tuple[str, str] | None:
    """The answer to a call of the ElastiCache API about serverless caches, or None. The body can be read again."""
    if "/elasticache/aws4_request" not in environ.get("HTTP_AUTHORIZATION", ""):
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    request = {key: values[0] for key, values in parse_qs(body.decode()).items()}
    action = request.get("Action", "")
    if action not in CACHE_CALLS or (action == "ListTagsForResource" and ":serverlesscache:" not in request["ResourceName"]):
        return None
    answer = CACHE_CALLS[action](request)
    if answer is None:
        return "404 Not Found", CACHE_NOT_FOUND
    return "200 OK", f"<{action}Response><{action}Result>{_xml(answer)}</{action}Result></{action}Response>"


# -- changing what no API changes ------------------------------------------------------------------------------------


def _child(parent: Any, key: Any) -> Any:
    # Some of moto's dictionaries look like one and are none.
    if isinstance(parent, Mapping):
        return parent.get(key, MISSING)
    if isinstance(parent, list):
        return parent[int(key)]
    return getattr(parent, key, MISSING)


def _put(parent: Any, key: Any, value: Any) -> None:
    if isinstance(parent, MutableMapping):
        if value is MISSING:
            del parent[key]
        else:
            parent[key] = value
    elif isinstance(parent, list):
        if value is MISSING:
            del parent[int(key)]
        else:
            parent[int(key)] = value
    elif value is MISSING:
        delattr(parent, key)
    else:
        setattr(parent, key, value)


def _from_json(value: Any) -> Any:
    """{"$time": seconds since 1970} stands for the datetime that moto keeps."""
    if isinstance(value, dict) and value.keys() == {"$time"}:
        return datetime.datetime.fromtimestamp(value["$time"], datetime.timezone.utc).replace(tzinfo=None)
    return value


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return {"$time": value.replace(tzinfo=datetime.timezone.utc).timestamp()}
    return value


def set_value(request: dict[str, Any]) -> dict[str, Any]:
    """Follows `path` from the objects of a service, puts `value` there (none: takes it away) and says what was there."""
    target: Any = STATE
    if request["service"] != "emulator":
        from moto.backends import get_backend

        target = get_backend(request["service"])[ACCOUNT][request["region"]]
    *way, last = request["path"]
    for key in way:
        target = _child(target, key)
        if target is MISSING:
            raise KeyError(f"{key} of {request['path']}")
    was = _child(target, last)
    _put(target, last, _from_json(request["value"]) if "value" in request else MISSING)
    return {} if was is MISSING else {"was": _to_json(was)}


# -- patches of moto -------------------------------------------------------------------------------------------------


def patch() -> None:
    _patch_run_task()
    _patch_access_point()
    _patch_subnet_group()


def _patch_subnet_group() -> None:
    """moto's ModifyDBSubnetGroup takes the group away."""
    from moto.rds.models import RDSBackend

    modify = RDSBackend.modify_db_subnet_group

    def modify_and_keep(self: Any, subnet_name: str, description: str, subnets: Any) -> Any:
        group = modify(self, subnet_name, description, subnets)
        self.subnet_groups[subnet_name] = group
        return group

    RDSBackend.modify_db_subnet_group = modify_and_keep  # type: ignore[method-assign]


def _patch_access_point() -> None:
    """moto's access points are available, whatever is set."""
    from moto.efs.models import AccessPoint

    describe = AccessPoint.info_json

    def info_json(self: Any) -> dict[str, Any]:
        return {**describe(self), "LifeCycleState": getattr(self, "life_cycle_state", "available")}

    AccessPoint.info_json = info_json  # type: ignore[method-assign]


def _patch_run_task() -> None:
    """moto's RunTask fails without a container's memory, which is optional on Fargate."""
    from moto.ecs.models import EC2ContainerServiceBackend

    calculate = EC2ContainerServiceBackend._calculate_task_resource_requirements

    def with_memory(task_definition: Any) -> Any:
        containers = task_definition.container_definitions
        given = [dict(container) for container in containers]
        try:
            for container in containers:
                container.setdefault("memory", 0)
            return calculate(task_definition)
        finally:
            containers[:] = given

    EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(with_memory)  # type: ignore[method-assign]
