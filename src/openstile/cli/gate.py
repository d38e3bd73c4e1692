"""`openstile gate`: the loop of one gate."""

import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.cross import describe
from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import error_console, print_json

if TYPE_CHECKING:
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
