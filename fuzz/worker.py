"""`python -m fuzz.worker TARGET FOLDER [libFuzzer options]`: one target in this process, with coverage of openstile."""

import sys
from importlib import import_module
from pathlib import Path

PLANTED = "fuzz.planted"


def main() -> None:
    """Does not return: libFuzzer ends the process, with 0 or with an exit code of its own for a crash."""
    import atheris  # only here, so that the rest of the package works where there is no wheel of it

    group, name, folder, *options = sys.argv[1:]
    watched = ["openstile"] if group != PLANTED else ["openstile", "fuzz"]
    with atheris.instrument_imports(include=watched, enable_loader_override=False):
        targets = {target.name: target for target in import_module(group).TARGETS}
    target, place = targets[name], Path(folder)
    atheris.Setup([sys.argv[0], *options], lambda data: target.run(data, place))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
