"""One handler for each type of resource. A type without a handler fails the stack."""

from .base import HANDLERS, RECORDED, Context  # noqa: F401
from . import analytics, backup, core, data, ec2, ecs, efs, elb, iam, rds, scheduler, search, services, storage  # noqa: F401,E402
