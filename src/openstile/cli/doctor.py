"""`openstile doctor`: what works on this machine."""

from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

EXIT_UNHEALTHY = 3


def doctor(
    camera: Annotated[str | None, typer.Option(help="Camera to try; default: gate.camera of settings.toml.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check Python, models, keys, journal, disk and camera. Exit code 3 when something needed does not work."""
    from openstile.assembly.health import examine

    findings = examine(home, camera=camera)
    healthy = all(finding.works or not finding.needed for finding in findings)
    if as_json:
        print_json(
            {
                "healthy": healthy,
                "findings": [
                    {"what": f.what, "works": f.works, "needed": f.needed, "detail": f.detail} for f in findings
                ],
            }
        )
    else:
        print_table(
            "This machine",
            ("what", "state", "detail"),
            ((f.what, "works" if f.works else ("FAILS" if f.needed else "not there"), f.detail) for f in findings),
        )
        console().print("Ready for a gate." if healthy else "Something needed does not work: see FAILS above.")
    return 0 if healthy else EXIT_UNHEALTHY
