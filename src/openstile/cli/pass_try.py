"""`openstile pass try`: a rider tries their pass before travel, and reads what to do better."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:  # every command would load numpy at its start
    from openstile.assembly.trying import Rehearsal, TriedPicture
    from openstile.crossing import Crossing
    from openstile.crossing.reasons import Reason
    from openstile.face.feedback import Feedback
    from openstile.gate.messages import Language

EXIT_OPENS = 0
EXIT_STAYS_SHUT = 10


def try_pass(
    pass_file: Annotated[Path, typer.Argument(metavar="PASS", help="pass.txt, or a picture of its QR code.")],
    face: Annotated[
        list[Path] | None, typer.Option("--face", help="Picture of the rider as they will travel; repeatable.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="Look through a camera instead, as camera:0, and hear advice while it looks.")
    ] = None,
    pin: Annotated[str | None, typer.Option("--pin", help="The PIN, for a pass with a PIN.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Try a pass as a gate would, with advice; nothing is recorded, opened or kept. Exit code 0: opens; 10: stays shut.

    For where the gates' keys are: the operator's home, a kiosk of the operator, or the demo.
    """
    from openstile.assembly.devices import camera_of, read_presented
    from openstile.assembly.trying import Rehearsal
    from openstile.assembly.wire import Installation
    from openstile.gate.messages import Language

    pictures = face or []
    if sum((bool(pictures), camera is not None, pin is not None)) != 1:
        raise BadInputError("give --face (once or more), --camera or --pin")
    installation = Installation.open(existing_home_of(home))
    language = Language(installation.settings.gate.language)
    presented = read_presented(pass_file)
    if not presented:
        raise BadInputError(f"pass {pass_file}: shows no pass that can be read; give pass.txt or pass.png")
    rehearsal = Rehearsal(installation, presented, pin=pin)
    if pictures:
        return _try_pictures(rehearsal, pictures, language, pass_file, as_json=as_json)
    if camera is not None:
        with camera_of(camera)() as frames:
            crossing = rehearsal.present(frames, tell=lambda feedback: _tell(feedback, language, as_json=as_json))
    else:
        crossing = rehearsal.present(iter(()))
    _check_way(crossing.reason, pass_file, camera=camera, pin=pin)
    return _conclude(crossing, language, as_json=as_json)


def _check_way(reason: "Reason | None", pass_file: Path, *, camera: str | None, pin: str | None) -> None:
    """A face pass needs pictures, a PIN pass its PIN, and a camera has to give some. Raises `BadInputError`."""
    from openstile.crossing import Reason

    if reason is Reason.PIN_MISSING and pin is None:
        raise BadInputError(f"pass {pass_file}: is a pass with a PIN; give --pin")
    if reason is Reason.NO_FACE and pin is not None:
        raise BadInputError(f"pass {pass_file}: is a pass with a face; give --face or --camera")
    if reason is Reason.CAMERA_LOST:
        raise BadInputError(f"{camera}: gives no pictures; name another camera, or a picture with --face")


def _try_pictures(
    rehearsal: "Rehearsal", pictures: list[Path], language: "Language", pass_file: Path, *, as_json: bool
) -> int:
    tried = list(rehearsal.try_pictures(pictures))
    _check_way(tried[0].reason, pass_file, camera=None, pin=None)
    opens = any(picture.opens for picture in tried)
    if as_json:
        print_json({"opens": opens, "reason": None if opens else _reason(tried[-1]), "pictures": [*map(_json, tried)]})
    else:
        rows = (
            (picture.name, "opens" if picture.opens else "stays shut", *_said(picture, language)) for picture in tried
        )
        print_table("Your pass at a gate", ("picture", "gate", "why", "what to do"), rows)
        good = sum(picture.opens for picture in tried)
        console().print(f"{good} of {len(tried)} would open a gate. Nothing of this was recorded or kept.")
    return EXIT_OPENS if opens else EXIT_STAYS_SHUT


def _conclude(crossing: "Crossing", language: "Language", *, as_json: bool) -> int:
    reason = crossing.reason
    if as_json:
        print_json({"opens": reason is None, "reason": reason.value if reason else None, "pictures": []})
    elif reason is None:
        console().print("opens", style="green")
    else:
        console().print("stays shut", style="red", end="")
        console().print(f" ({reason.value})  {_advice(reason, language)}")
    return EXIT_OPENS if reason is None else EXIT_STAYS_SHUT


def _tell(feedback: "Feedback", language: "Language", *, as_json: bool) -> None:
    from openstile.gate.messages import feedback_message

    if not as_json:
        message = feedback_message(feedback, language)
        console().print(f"{message.headline}. {message.advice}")


def _said(picture: "TriedPicture", language: "Language") -> tuple[str, str]:
    """Why, with the measures that fall short; and what to do."""
    from openstile.gate.messages import feedback_message

    short = [f"{one.name} {one.value:.3g} ({one.wanted})" for one in picture.measures if not one.fits]
    why = [*([picture.reason.value] if picture.reason else []), *short]
    told = [feedback_message(feedback, language) for feedback in picture.feedback]
    todo = [f"{message.headline}. {message.advice}" for message in told]
    if picture.reason and not todo:
        todo = [_advice(picture.reason, language)]
    return "; ".join(why) or "-", " ".join(todo) or "-"


def _advice(reason: "Reason", language: "Language") -> str:
    from openstile.gate.messages import refusal_message

    message = refusal_message(reason, language)
    return f"{message.headline}. {message.advice}"


def _reason(picture: "TriedPicture") -> str | None:
    return picture.reason.value if picture.reason else None


def _json(picture: "TriedPicture") -> dict[str, object]:
    return {
        "picture": picture.name,
        "opens": picture.opens,
        "reason": _reason(picture),
        "feedback": [feedback.value for feedback in picture.feedback],
        "measures": {
            one.name: {
                "value": round(one.value, 4),
                "at_least": one.at_least,
                "at_most": one.at_most,
                "fits": one.fits,
                "rejects": one.rejects,
            }
            for one in picture.measures
        },
    }
