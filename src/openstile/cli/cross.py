"""`openstile cross`: one crossing from files."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:  # every command would load numpy at its start
    from openstile.crossing import Crossing
    from openstile.face import Frame

EXIT_ADMITTED = 0
EXIT_REFUSED = 10


def cross(
    pass_file: Annotated[Path, typer.Option("--pass", help="The pass: pass.txt, or a picture that shows its QR code.")],
    frames: Annotated[
        list[str] | None,
        typer.Option(
            "--frames", help="What the camera sees: pictures, a folder of frames, or a video file; repeatable."
        ),
    ] = None,
    more_frames: Annotated[list[str] | None, typer.Argument(metavar="FRAMES", help="More frames.")] = None,
    pin: Annotated[str | None, typer.Option("--pin", help="What the rider types, for a pass with a PIN.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Decide one crossing, as the gate would, and record it. Exit code 0: admitted; 10: refused."""
    from openstile.assembly.devices import read_presented
    from openstile.assembly.wire import Installation
    from openstile.face.sources import open_frames

    sources = [*(frames or []), *(more_frames or [])]
    for source in sources:
        if not Path(source).exists():
            raise BadInputError(f"--frames {source}: no such file or folder")
    installation = Installation.open(existing_home_of(home))
    presented = read_presented(pass_file)
    all_frames: Iterator[Frame] = chain.from_iterable(open_frames(str(Path(source).absolute())) for source in sources)
    with installation.open_lane(announce=not as_json) as lane:
        crossing = lane.present(presented, frames=all_frames, ask_pin=lambda: pin)
    if as_json:
        print_json(describe(crossing))
    else:
        _print(crossing, language=installation.settings.gate.language)
    return EXIT_ADMITTED if crossing.admitted else EXIT_REFUSED


def describe(crossing: "Crossing") -> dict[str, object]:
    """The crossing as the JSON of the contract: decision, reason, pass_id, status_unsure (admitted with a
    mark) and milliseconds per step."""
    from openstile.crossing import Admit

    timings = {step.step: round(step.elapsed_ms, 3) for step in crossing.steps}
    return {
        "decision": "admit" if crossing.admitted else "refuse",
        "reason": crossing.reason.value if crossing.reason else None,
        "pass_id": str(crossing.pass_id) if crossing.pass_id else None,
        "status_unsure": isinstance(crossing.decision, Admit) and crossing.decision.status_unsure,
        "timings_ms": {**timings, "total": round(crossing.total_ms, 3)},
    }


def _print(crossing: "Crossing", *, language: str) -> None:
    from openstile.gate.messages import GateState, Language, refusal_message, state_message

    if crossing.reason is None:
        message = state_message(GateState.ADMITTED, Language(language))
        console().print("ADMIT", style="green", end="")
        console().print(f"  {message.headline}. {message.advice}")
    else:
        message = refusal_message(crossing.reason, Language(language))
        console().print("REFUSE", style="red", end="")
        console().print(f" ({crossing.reason.value})  {message.headline}. {message.advice}")
    steps = "  ".join(f"{step.step} {step.elapsed_ms:.1f}" for step in crossing.steps)
    console().print(f"ms: {steps}  total {crossing.total_ms:.1f}", style="dim")
