"""What is presented to a simulated gate, and under which circumstances."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from tests.attacks.camera import Camera
from tests.attacks.carriers import GLASS
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.motion import Motion
from tests.attacks.skin import TONES

Plan = NDArray[np.uint8]
"""(frames, 3) sRGB, 0..255: what the gate's display shows during each frame."""
LAG_FRAMES_MAX = 3


class Species(Enum):
    """Presentation attack instrument species (ISO/IEC 30107-3), and the bona fide presentation."""

    LIVE = "live"
    FLAT_PRINT = "flat print"
    BENT_PRINT = "bent print"
    FLEXING_PRINT = "flexing print"
    BORDERLESS_PRINT = "borderless print"
    PHONE = "phone"
    TABLET = "tablet"
    MONITOR = "monitor"
    VIDEO_REPLAY = "video replay"
    RELIT_REPLAY = "relit replay"
    WRONG_SEQUENCE = "wrong sequence"

    @property
    def is_print(self) -> bool:
        """Ink on paper."""
        return self in _PRINTS

    @property
    def is_replay(self) -> bool:
        """A picture that moves."""
        return self in _REPLAYS


_PRINTS = {Species.FLAT_PRINT, Species.BENT_PRINT, Species.FLEXING_PRINT, Species.BORDERLESS_PRINT}
_REPLAYS = {Species.VIDEO_REPLAY, Species.RELIT_REPLAY, Species.WRONG_SEQUENCE}


class Screen(Enum):
    """What a replay is shown on. INJECTED: on nothing; the gate sees the recorded head as if it were there, so that
    nothing but the recorded light gives the replay away.
    """

    PHONE = "phone"
    TABLET = "tablet"
    MONITOR = "monitor"
    INJECTED = "injected"


@dataclass(frozen=True, slots=True)
class Scene:
    """One presentation.

    seed: of all that is random in it (path, expression, background, noise). subject: whose head; tone: of the skin,
    1 (lightest) to 10; glasses: worn at the gate or in the picture. motion: of the head, or of a print or screen with
    a photograph. A replay's head moves by `motion`, its screen by `carrier_motion`; distances are those of a live head
    and shrink with the picture. liveliness: of the expression, 0: none. curvature: of a bent print, 1/metre.
    glass: reflectance of a screen's glass; bare glass has 0.04, good coatings a tenth of it.
    lag_frames: of a relit replay behind the display. recorded: the plan in whose light a wrong sequence was recorded;
    None: the blocks of the gate's plan in another order.
    """

    species: Species = Species.LIVE
    seed: int = 0
    subject: int = 0
    tone: int = 4
    glasses: bool = False
    liveliness: float = 1.0
    motion: Motion = field(default_factory=Motion)
    carrier_motion: Motion = field(default_factory=Motion)
    ambient: Ambient = field(default_factory=Ambient)
    display: GateDisplay = field(default_factory=GateDisplay)
    camera: Camera = field(default_factory=Camera)
    curvature: float = 6.0
    screen: Screen = Screen.TABLET
    glass: float = GLASS
    lag_frames: int = 0
    recorded: tuple[tuple[int, int, int], ...] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.tone <= TONES:
            raise ValueError(f"scene: tone {self.tone} is outside 1..{TONES}")
        if not 0 <= self.lag_frames <= LAG_FRAMES_MAX:
            raise ValueError(f"scene: lag_frames {self.lag_frames} is outside 0..{LAG_FRAMES_MAX}")
        if not -12 <= self.curvature <= 12:
            raise ValueError(f"scene: curvature {self.curvature} is outside -12..12 per metre")
        if not 0 <= self.glass <= 0.2:
            raise ValueError(f"scene: glass {self.glass} is outside 0..0.2")
        if self.seed < 0 or self.subject < 0:
            raise ValueError("scene: seed and subject must be 0 or more")


def check_plan(plan: NDArray[np.uint8]) -> Plan:
    """`plan` as it must be, or ValueError."""
    checked = np.asarray(plan)
    if checked.dtype != np.uint8 or checked.ndim != 2 or checked.shape[1] != 3 or len(checked) == 0:
        raise ValueError("plan: must be (frames, 3) uint8 sRGB with at least one frame")
    return checked


def plan_of_light(scene: Scene, plan: Plan) -> Plan:
    """The plan in whose light the presented head was or is: the gate's own, the gate's some frames late, another, or
    darkness for a video of another day.
    """
    if scene.species is Species.RELIT_REPLAY:
        return plan[np.maximum(np.arange(len(plan)) - scene.lag_frames, 0)]
    if scene.species is Species.WRONG_SEQUENCE:
        return _other_plan(scene, plan)
    return plan if scene.species is Species.LIVE else np.zeros_like(plan)


def _other_plan(scene: Scene, plan: Plan) -> Plan:
    if scene.recorded is not None:
        recorded = check_plan(np.array(scene.recorded, np.uint8))
        if len(recorded) < len(plan):
            raise ValueError(f"scene: {len(recorded)} recorded colours are too few for {len(plan)} frames")
        return recorded[: len(plan)]
    starts = np.flatnonzero(np.r_[True, (plan[1:] != plan[:-1]).any(axis=1)])
    blocks = np.split(plan, starts[1:])
    if len(blocks) < 2:
        raise ValueError("scene: a plan of one colour has no other order; give `recorded`")
    rng = np.random.default_rng([scene.seed, 41])
    orders = (np.concatenate([blocks[i] for i in rng.permutation(len(blocks))]) for _ in range(50))
    return max(orders, key=lambda other: int((other != plan).any(axis=1).sum()))
