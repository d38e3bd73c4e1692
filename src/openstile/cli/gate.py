"""`openstile gate`: the loop of one gate."""

import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.cross import describe
from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import error_console, print_json, print_table

if TYPE_CHECKING:
    from openstile.assembly.wire import Installation
    from openstile.crossing import Crossing


def gate(
    camera: Annotated[
        str | None,
        typer.Option(
            help="camera:N, rtsp://..., a video file or a folder of frames; default: gate.camera of settings.toml"
        ),
    ] = None,
    barrier: Annotated[
        str | None, typer.Option(help="console, http://... or gpio:PIN; default: gate.barrier of settings.toml")
    ] = None,
    pin_pad: Annotated[str, typer.Option(help="Where a PIN is typed: console, or none.")] = "none",
    pause: Annotated[bool, typer.Option(help="Keep each answer on the display for gate.message_ms.")] = True,
    measure_light: Annotated[
        bool,
        typer.Option(
            "--measure-light",
            help="Only measure a display in colours, on a white sheet where a face would be: its lag and its light.",
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run the gate: read passes from the camera, look, decide, record, open. Ends with Ctrl-C, or with its video.

    With --json, one line per crossing, which does not say whose.
    """
    from openstile.assembly.devices import camera_of, pin_pad_of
    from openstile.assembly.running import open_gate
    from openstile.assembly.wire import Installation

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def report(crossing: "Crossing") -> None:
        if as_json:  # without the pass: where these lines go, trips would not fade
            print_json({key: value for key, value in describe(crossing).items() if key != "pass_id"})

    installation = Installation.open(existing_home_of(home))
    if measure_light:
        return _measure_light(installation, camera or installation.settings.gate.camera, as_json=as_json)
    with open_gate(
        installation,
        open_camera=camera_of(camera or installation.settings.gate.camera),
        barrier=barrier,
        ask_pin=pin_pad_of(pin_pad),
        sleep=time.sleep if pause else lambda _seconds: None,
        report=report,
        announce=not as_json,
    ) as loop:
        error_console().print(f"gate {installation.settings.gate.id} is running; Ctrl-C ends it")
        signal.signal(signal.SIGTERM, stop)
        try:
            loop.run()
        except KeyboardInterrupt:
            error_console().print("gate stopped; the journal is closed")
    return 0


def _measure_light(installation: "Installation", camera: str, *, as_json: bool) -> int:
    from openstile.assembly.devices import camera_of
    from openstile.assembly.running import open_light

    error_console().print("hold a white sheet still where a face would be, so that it fills the middle of the picture")
    with camera_of(camera)() as frames, open_light(installation, announce=not as_json) as measure:
        found = measure(frames)
    if as_json:
        print_json(
            {
                "display_lag_frames": found.lag_frames,
                "display_light_ratio": found.light_ratio,
                "matched": round(found.matched, 3),
                "frame_rate": round(found.frame_rate, 1),
            }
        )
        return 0
    print_table(
        "Light on the sheet",
        ("setting or measure", "value"),
        [
            ("gate.display_lag_frames", str(found.lag_frames)),
            ("gate.display_light_ratio", f"{found.light_ratio:g}"),
            ("change of colour explained", f"{found.matched:.0%}"),
            ("camera, frames a second", f"{found.frame_rate:.1f}"),
        ],
    )
    return 0
