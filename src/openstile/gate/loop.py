"""The gate's loop: idle > pass > look > decide > idle. It ends only when told to, or when a finite source ends."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from openstile.crossing import Crossing, Reason
from openstile.face import Frame
from openstile.face.attack.kit import FlashLight
from openstile.face.sources import CameraLostError
from openstile.gate.display import Display
from openstile.gate.fading import fade_trips
from openstile.gate.lane import Lane
from openstile.gate.messages import GateState
from openstile.journal import Journal
from openstile.passes.qr import read_qr
from openstile.terms.instants import Clock

_log = logging.getLogger("openstile.gate")

_REOPEN_FIRST_S = 1.0
_REOPEN_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class LoopTimes:
    """How long the loop waits for what. Milliseconds and seconds as named."""

    rearm_ms: int = 1500
    """The pass just dealt with is ignored until it was out of view for so long: one showing, one crossing."""
    message_ms: int = 1500
    """How long the answer stays on the display before the gate says that it is ready."""
    fade_every_s: int = 3600
    trips_kept: timedelta = timedelta(hours=48)
    """Taps older than this are reduced to counts per day and product."""
    unsent_kept: timedelta | None = None
    """At a gate with an uplink, a tap that the office does not hold is kept for so long; None: there is no office."""

    def kept_since(self, now: datetime) -> tuple[datetime, datetime | None]:
        """Taps made before the first have been kept for long enough, those not sent before the second."""
        return now - self.trips_kept, None if self.unsent_kept is None else now - self.unsent_kept


class GateLoop:
    """Reads passes from a camera, lets the lane decide, shows the answer, and survives what a street does to it."""

    def __init__(
        self,
        *,
        lane: Lane,
        journal: Journal,
        open_camera: Callable[[], AbstractContextManager[Iterator[Frame]]],
        ask_pin: Callable[[], str | None],
        display: Display,
        clock: Clock,
        sleep: Callable[[float], None],
        times: LoopTimes,
        report: Callable[[Crossing], None],
    ) -> None:
        self._lane = lane
        self._journal = journal
        self._open_camera = open_camera
        self._ask_pin = ask_pin
        self._display = display
        self._clock = clock
        self._sleep = sleep
        self._times = times
        self._report = report
        self._faded_ns: int | None = None
        self._served_ns: dict[bytes, int] = {}
        """When each pass that was served was last in view: pass ids (of what does not open, hashes), for `rearm_ms`."""
        self._keys_in_view: dict[bytes, bytes] = {}
        """By hash of its text the key above of each code in view: a code is opened for it once, not in each frame."""

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Serve riders until `stop()` is true or the camera's frames come to their end (a file or a folder)."""
        try:
            self._run(stop)
        finally:
            self._display.show_state(GateState.OUT_OF_SERVICE)

    def _run(self, stop: Callable[[], bool]) -> None:
        pause_s = _REOPEN_FIRST_S
        while not stop():
            try:
                with self._open_camera() as frames:
                    for count, frame in enumerate(frames):
                        if count == 0:
                            pause_s = _REOPEN_FIRST_S
                            self._display.show_state(GateState.IDLE)
                        self._idle(frame, frames)
                        if stop():
                            break
                return
            except CameraLostError as error:
                _log.error("%s; trying again in %.0f s", error, pause_s)
                self._display.show_reason(Reason.CAMERA_LOST)
                self._fade_when_due()
                self._sleep(pause_s)
                pause_s = min(pause_s * 2, _REOPEN_MAX_S)

    def _idle(self, frame: Frame, frames: Iterator[Frame]) -> None:
        """One frame while idle: it is searched for a pass and for nothing else."""
        self._fade_when_due()
        texts = read_qr(frame.pixels)
        fresh = self._first_fresh(texts)
        if fresh is not None:
            self._serve(fresh, frames)

    def _serve(self, text: str, frames: Iterator[Frame]) -> None:
        self._display.show_state(GateState.LOOK)
        display = self._display
        crossing = self._lane.present(
            text,
            frames=frames,
            ask_pin=self._ask_pin,
            tell=display.show_feedback,
            light=display if isinstance(display, FlashLight) else None,
        )
        if crossing.reason is None:
            self._display.show_state(GateState.ADMITTED)
        else:
            self._display.show_reason(crossing.reason)
        self._report(crossing)
        if crossing.reason is Reason.CAMERA_LOST:
            self._served_ns.clear()  # the rider may show the pass again as soon as there is a camera
            raise CameraLostError("camera: lost while looking at a rider")
        self._sleep(self._times.message_ms / 1000)
        self._served_ns = dict.fromkeys(self._served_ns, self._clock.monotonic_ns())
        self._display.show_state(GateState.IDLE)

    def _first_fresh(self, texts: Sequence[str]) -> str | None:
        """The first pass in view that was not served yet, or was out of view since then."""
        now_ns = self._clock.monotonic_ns()
        in_view = {self._key_of(text): text for text in texts}
        self._keys_in_view = {digest: key for digest, key in self._keys_in_view.items() if key in in_view}
        rearm_ns = self._times.rearm_ms * 1_000_000
        served = {key: seen for key, seen in self._served_ns.items() if now_ns - seen < rearm_ns}
        fresh = next((key for key in in_view if key not in served), None)
        seen_now = [key for key in in_view if key in served or key == fresh]
        self._served_ns = served | dict.fromkeys(seen_now, now_ns)
        return None if fresh is None else in_view[fresh]

    def _key_of(self, text: str) -> bytes:
        """One key a pass: a phone that shows it live shows another text every few seconds."""
        digest = hashlib.sha256(text.encode()).digest()
        if digest not in self._keys_in_view:
            pass_id = self._lane.pass_id_in(text)
            self._keys_in_view[digest] = digest if pass_id is None else pass_id.value
        return self._keys_in_view[digest]

    def _fade_when_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._faded_ns is not None and now_ns - self._faded_ns < self._times.fade_every_s * 1_000_000_000:
            return
        self._faded_ns = now_ns
        before, unsent_before = self._times.kept_since(self._clock.now())
        fade_trips(self._journal, before=before, unsent_before=unsent_before)
