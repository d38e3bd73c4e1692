"""What the figures were taken on."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("openstile", "onnxruntime", "opencv-python-headless", "numpy", "zxing-cpp", "cryptography", "cbor2")


def describe_machine() -> dict[str, str]:
    """Processor, memory, system and versions."""
    cores = os.cpu_count() or 1
    return {
        "processor": f"{_processor()}, {cores} cores, each section on one of them",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    }


def pin_to_one_core() -> int:
    """Bind this process, and what it starts, to the last core it may use; returns its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def circumstances() -> str:
    """The load average of the minute before (of a machine at rest: near 0), and whether we go before others."""
    autogroup = Path("/proc/self/autogroup")
    nice = [str(os.getpriority(os.PRIO_PROCESS, 0))]
    nice += autogroup.read_text().split()[-1:] if autogroup.is_file() else []
    usual = set(nice) == {"0"} and os.sched_getscheduler(0) == os.SCHED_OTHER
    return f"load average {os.getloadavg()[0]:.1f}, {'usual' if usual else 'raised'} priority"


def file_system_of(folder: Path) -> str:
    """The type of the file system that holds `folder`, such as ext4."""
    found = ("/", "unknown")
    target = folder.resolve()
    for line in Path("/proc/mounts").read_text().splitlines():
        mount, kind = line.split()[1:3]
        if target.is_relative_to(mount) and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
