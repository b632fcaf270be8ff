"""What ends a stack operation with a reason instead of an HTTP 500, which an SDK would retry."""


class Failure(Exception):
    """The reason a resource or a stack failed, in words a person can act on."""
