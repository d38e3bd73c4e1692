"""The colours of one crossing on the gate's display: which is on when, never faster than WCAG 2.3.1 allows."""

from collections import deque

from openstile.face.attack.kit import FlashLight
from openstile.face.attack.safety import FLASHES_PER_SECOND_MAX
from openstile.face.attack.stimulus import FRAME_RATE, Colour, RandomBytes, Stimulus, make_stimulus
from openstile.terms.instants import Clock

CHANGES_PER_SECOND_MAX = 2 * FLASHES_PER_SECOND_MAX
"""Changes of colour in any second: to and fro is one flash."""
_STEP_NS = int(1e9 / FRAME_RATE)
_SECOND_NS = 1_000_000_000
_REMEMBERED = 16
"""Frames; more than a display's lag, which is 10 at most."""


class Lighting:
    """One plan after the other on `light`. The camera's frames set the pace where they come slowly, the clock where
    they come fast: a step of a plan lasts a frame and 40 ms at least. However often a plan begins anew, a change waits
    until fewer than six were in the last second.
    """

    def __init__(self, light: FlashLight, random: RandomBytes, clock: Clock) -> None:
        self._light, self._random, self._clock = light, random, clock
        self._plan: deque[Colour] = deque()
        self._on: Colour | None = None
        self._told: Colour | None = None
        self._exposed: deque[Colour | None] = deque(maxlen=_REMEMBERED)
        self._changes_ns: deque[int] = deque(maxlen=CHANGES_PER_SECOND_MAX)
        self._due_ns = 0

    @property
    def works(self) -> bool:
        """Whether the display still flashes: it may fail, and the rider may have enough of it."""
        return self._light.ready()

    @property
    def is_shown(self) -> bool:
        """Whether every step of the plan has been on."""
        return not self._plan

    @property
    def light_ratio(self) -> float | None:
        """As the display's `light_ratio`."""
        return self._light.light_ratio()

    def begin(self) -> Stimulus:
        """A new plan, which nobody can know before. The colour of an older one stays on, and counts no longer."""
        stimulus = make_stimulus(self._random)
        self._plan, self._told = deque(stimulus.colours), None
        self._exposed.clear()
        return stimulus

    def drop(self) -> None:
        """The plan is of no use any more. What is on stays on."""
        self._plan.clear()

    def step(self) -> None:
        """Before each frame is asked for: the plan's next colour, when it is due."""
        now_ns = self._clock.monotonic_ns()
        if self._plan and now_ns >= self._due_ns and self._may_show(self._plan[0], now_ns):
            self._told = self._plan.popleft()
            self._due_ns = max(self._due_ns, now_ns - _STEP_NS) + _STEP_NS
            if self._told != self._on:
                self._light.show(self._told)
                self._on = self._told
                self._changes_ns.append(now_ns)
        self._exposed.append(self._told)

    def at_exposure(self) -> Colour | None:
        """The plan's colour that was on when the newest frame was exposed; None while none of it was."""
        lag = self._light.lag_frames
        return self._exposed[-1 - lag] if len(self._exposed) > lag else None

    def end(self) -> None:
        """Back to the display's texts, if a colour was on."""
        self._plan.clear()
        if self._on is not None:
            self._on = None
            self._light.rest()

    def _may_show(self, colour: Colour, now_ns: int) -> bool:
        changes = self._changes_ns
        return colour == self._on or len(changes) < CHANGES_PER_SECOND_MAX or now_ns - changes[0] >= _SECOND_NS
