"""What a command of the lab ends with: the same for the scenarios and for the real applications."""

import subprocess

import report
from lab import BootError

# Exit status when nothing can be played here, as other test suites say "skipped"
CANNOT_RUN = 77
# When nothing was lost, but a scenario did not come to its end twice: a busy machine can be too slow for the lab itself
INCOMPLETE, MAY_BE_MISSING = 75, 2
NO_LAB = 'no lab here: '
# What a kernel that does not boot, or a namespace that is not granted, ends in
CANNOT_BOOT = (BootError, OSError, subprocess.CalledProcessError)


def failed(name: str, why: str, arm: str = 'keeper') -> dict:
    """The result of what did not come to its end."""
    return {'scenario': name, 'arm': arm, 'label': '', 'failed': why}


def no_lab(name: str, error: Exception) -> dict:
    return failed(name, f'{NO_LAB}{type(error).__name__}: {str(error)[:150]}')


def is_no_lab(result: dict) -> bool:
    return result.get('failed', '').startswith(NO_LAB)


def twice(results: list, play) -> list:
    """A scenario that did not come to its end has no result, good or bad: then `play` it once more."""
    if not report.unplayed(results) or is_no_lab(results[0]):
        return results
    return [{**result, 'notes': [*result.get('notes', []), 'second try']} for result in play()]


def status(results: list, names: list) -> int:
    """The exit status of everything that was played."""
    if all(is_no_lab(result) for result in results):
        return CANNOT_RUN
    missing = len(report.unplayed(results))
    if report.failures(results):
        return 1
    return 0 if not missing else INCOMPLETE if missing <= MAY_BE_MISSING and len(names) > MAY_BE_MISSING else 1
