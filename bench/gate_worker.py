"""A gate's process for bench/memory.py: the real loop on a camera that shows passes and faces in turn.

    python -m bench.gate_worker HOME PASSES FRAMES EVERY

PASSES: a file with the text of one pass a line, read as it is needed. FRAMES: a folder of pictures, one a rider, shown
in turn with the passes. Prints a line of JSON every EVERY crossings: crossings, admitted, resident KiB, milliseconds a
crossing since the last line.
"""

import json
import os
import sys
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np

from openstile.assembly.devices import SilentBarrier
from openstile.assembly.home import open_home
from openstile.assembly.wire import Installation
from openstile.crossing import Crossing
from openstile.face import Frame
from openstile.face.images import decode_image
from openstile.gate.display import ConsoleDisplay
from openstile.gate.lane import Lane, LaneIdentity
from openstile.gate.loop import GateLoop
from openstile.gate.messages import Language
from openstile.passes.qr import qr_modules

_MODULE_PIXELS = 4


class Meter:
    """Counts crossings, and says every so many how much memory this process holds."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._crossings = self._admitted = 0
        self._elapsed_ms = 0.0

    def report(self, crossing: Crossing) -> None:
        """Called by the loop after each crossing."""
        self._crossings += 1
        self._admitted += crossing.admitted
        self._elapsed_ms += crossing.total_ms
        if self._crossings % self._every == 0:
            line = {
                "crossings": self._crossings,
                "admitted": self._admitted,
                "resident_kib": resident_kib(),
                "crossing_ms": self._elapsed_ms / self._every,
            }
            print(json.dumps(line), flush=True)
            self._elapsed_ms = 0.0


def resident_kib() -> int:
    """Resident memory of this process, shared libraries included (/proc/self/statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def camera(passes: Path, frames: Path) -> Generator[Frame, None, None]:
    """A pass held up, then the rider's face, decoded anew each time as a camera gives new pixels."""
    pictures = [path.read_bytes() for path in sorted(frames.iterdir())]
    with passes.open() as lines:
        for index, line in enumerate(lines):
            yield _hold_up(line.strip())
            yield decode_image(pictures[index % len(pictures)], name="frame")


def main() -> None:
    """Run the loop until the camera has no more passes."""
    home, passes, frames, every = sys.argv[1:]
    installation = Installation.open(open_home(Path(home)))
    meter = Meter(int(every))
    trust = installation.trust()
    with Path(os.devnull).open("w") as screen, installation.open_journal() as journal:
        lane = Lane(
            identity=LaneIdentity(
                installation.settings.gate_id(), installation.settings.direction(), installation.settings.audience()
            ),
            trust=lambda: trust,
            load_engine=installation.load_engine,
            journal=journal,
            barrier=SilentBarrier(),
            clock=installation.clock,
        )
        loop = GateLoop(
            lane=lane,
            journal=journal,
            open_camera=lambda: closing(camera(Path(passes), Path(frames))),
            ask_pin=lambda: None,
            display=ConsoleDisplay(screen, language=Language.EN),
            clock=installation.clock,
            sleep=lambda _: time.sleep(0),
            times=installation.settings.loop_times(),
            report=meter.report,
        )
        loop.run()


def _hold_up(text: str) -> Frame:
    white = np.pad(np.where(qr_modules(text), 20, 230).astype(np.uint8), 4, constant_values=230)
    code = white.repeat(_MODULE_PIXELS, 0).repeat(_MODULE_PIXELS, 1)
    pixels = np.full((480, 640, 3), 120, np.uint8)
    top, left = (480 - len(code)) // 2, (640 - len(code)) // 2
    pixels[top : top + len(code), left : left + len(code)] = code[:, :, None]
    return Frame(pixels)


if __name__ == "__main__":
    main()
