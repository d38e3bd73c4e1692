"""A build backend that does nothing, put in front of whatever an sdist brings.

`pip download` asks the build backend of an sdist for its metadata. Two files on PYTHONPATH keep the sdist's own code
asleep: a package `setuptools` (the backend when an sdist names none) and a `sitecustomize`, which Python loads before
anything else and which points pip's hook process to our backend even when the sdist names another or brings one along.
"""

from pathlib import Path

_BACKEND = '''\
"""Answers pip from PKG-INFO alone."""
import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    found = {}
    with open("PKG-INFO", encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if not value:
                break
            found.setdefault(key, value.strip())
    folder = os.path.join(metadata_directory, "inert.dist-info")
    os.mkdir(folder)
    with open(os.path.join(folder, "METADATA"), "w", encoding="utf-8") as file:
        file.write("Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (found["Name"], found["Version"]))
    return "inert.dist-info"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("archives are read, never built")


class _Legacy:
    get_requires_for_build_wheel = staticmethod(get_requires_for_build_wheel)
    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)
    build_wheel = staticmethod(build_wheel)


__legacy__ = _Legacy
'''

_SITECUSTOMIZE = '''\
"""Any build hook that pip starts asks the inert backend."""
import os

for _prefix in ("_PYPROJECT_HOOKS_", "PEP517_"):
    if _prefix + "BUILD_BACKEND" in os.environ:
        os.environ[_prefix + "BUILD_BACKEND"] = "setuptools.build_meta"
for _name in list(os.environ):
    if _name.startswith(("_PYPROJECT_HOOKS_BACKEND_PATH", "PEP517_BACKEND_PATH")):
        del os.environ[_name]
'''


def write_backend(folder: Path) -> None:
    """Write the inert backend into `folder`, to be put on PYTHONPATH. Raises OSError."""
    package = folder / "setuptools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Inert."""\n', encoding="utf-8")
    (package / "build_meta.py").write_text(_BACKEND, encoding="utf-8")
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
