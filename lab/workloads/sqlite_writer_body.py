"""The content of a row, known to the writer and to the checker."""

import hashlib


def body(tag: str, number: int) -> str:
    """300 characters that only this row has, so that a foreign page is told from the right one."""
    return (hashlib.sha256(f'{tag}/{number}'.encode()).hexdigest() * 5)[:300]
