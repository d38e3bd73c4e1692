"""A gate's process under load, for test_rotation_under_load: all of it real but the camera, whose pictures are told.

    python -m tests.e2e.busy_gate HOME

Each line of standard input is the text of a pass, a blank and the path of a portrait: the pass is held up, then that
face is shown. Prints a line of JSON for each crossing, and one whenever the gate read anew what it goes by.
"""

import json
import logging
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from tests.gate.gates import frame_showing

from openstile.assembly.home import open_home
from openstile.assembly.running import open_gate
from openstile.assembly.wire import Installation
from openstile.crossing import Crossing
from openstile.face import Frame
from openstile.face.images import read_image


def told_frames() -> Generator[Frame, None, None]:
    for line in sys.stdin:
        text, _, portrait = line.rstrip("\n").rpartition(" ")
        yield frame_showing(text)
        yield read_image(Path(portrait))


class Telling(logging.Handler):
    """What the gate logs on taking new keys, lists and policy into use, as a line of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO:
            print(json.dumps({"log": record.getMessage()}), flush=True)
        else:
            print(record.getMessage(), file=sys.stderr, flush=True)


def report(crossing: Crossing) -> None:
    print(json.dumps({"reason": crossing.reason}), flush=True)


def main() -> None:
    log = logging.getLogger("openstile.gate")
    log.addHandler(Telling())
    log.setLevel(logging.INFO)
    with open_gate(
        Installation.open(open_home(Path(sys.argv[1]))),
        open_camera=lambda: closing(told_frames()),
        barrier=None,
        ask_pin=lambda: None,
        sleep=lambda _seconds: None,
        report=report,
        announce=False,
    ) as loop:
        loop.run()


if __name__ == "__main__":
    main()
