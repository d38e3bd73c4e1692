"""The machine that a report was made on: kinds and counts, no name of it."""

import os
import platform


def describe_machine() -> str:
    """Architecture, cores that may be used, and the versions of system and Python."""
    cores = len(os.sched_getaffinity(0))
    return f"{platform.machine()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"
