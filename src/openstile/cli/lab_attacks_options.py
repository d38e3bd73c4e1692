"""Options of `openstile lab attacks`."""

from pathlib import Path
from typing import Annotated

import typer

SessionsArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[SESSION.json]...", help="Recorded sessions, counted together.")
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--record", help="Record presentations into this file, or go on with it.", show_default=False),
]
CameraOption = Annotated[
    str | None,
    typer.Option("--camera", "--source", help="As `openstile gate` takes it. Default: the home's, or camera:0."),
]
LightOption = Annotated[
    str | None,
    typer.Option("--light", metavar="TERMINAL", help="The gate's light: a terminal as /dev/tty1, or console."),
]
LightLagOption = Annotated[
    int | None,
    typer.Option("--light-lag", help="As gate.display_lag_frames. Default: the home's, or 0.", show_default=False),
]
LightRatioOption = Annotated[
    float | None,
    typer.Option(
        "--light-ratio", help="As gate.display_light_ratio. Default: the home's, or not measured.", show_default=False
    ),
]
SubjectOption = Annotated[
    list[int] | None, typer.Option("--subject", help="Number of a person; repeatable. Default: it is asked for.")
]
SpeciesOption = Annotated[
    list[str] | None,
    typer.Option("--species", help="What is presented, your own names too; repeatable. Default: seven."),
]
InstrumentOption = Annotated[int, typer.Option("--instrument", help="Number of the instrument within its species.")]
ConditionsOption = Annotated[str, typer.Option("--conditions", help="Light, distance, camera: a few words, no names.")]
TimesOption = Annotated[int, typer.Option("--times", help="Presentations of each species and person.")]
ConsentedOption = Annotated[
    bool, typer.Option("--consented", help="Say, for a script, that everybody who is shown agreed to this test.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Wait for no Enter. Does not say that anybody agreed.")]
ForgetOption = Annotated[
    int | None,
    typer.Option("--forget", metavar="NUMBER", help="Take everything of this person out of the --record file."),
]
ClaimApcerOption = Annotated[float, typer.Option("--claim-apcer", help="APCER that a claim is tried for.")]
ClaimBpcerOption = Annotated[float, typer.Option("--claim-bpcer", help="BPCER that a claim is tried for.")]
CLAIM = 0.05
