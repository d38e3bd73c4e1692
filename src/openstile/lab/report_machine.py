"""The machine that a report was made on: kinds and counts, no name of it."""

import os
import platform


def describe_machine() -> str:
    """Architecture, cores that may be used, load average (durations of a busy machine are not the gate's), system."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    version = platform.python_version()
    return f"{platform.machine()}, {cores} cores, load average {load:.1f}, {platform.system()}, Python {version}"
