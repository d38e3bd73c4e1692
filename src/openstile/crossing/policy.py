"""What a gate asks of a crossing. Every threshold stands here with its meaning; docs/operator-guide.md repeats them."""

from dataclasses import dataclass, field
from typing import Literal

from openstile.face.quality import QualityLimits
from openstile.face.zone import CaptureZone
from openstile.terms.errors import BadInputError

_WORDS = {
    "status_when_stale": ("refuse", "admit"),
    "attack_mode": ("off", "monitor", "enforce"),
    "attack_flash": ("on", "off"),
    "attendance": ("attended", "unattended"),
}
_DETECTORS = frozenset({"parallax", "flash_response", "flash_shape", "planar_depth", "context"})


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one gate. Units are in the names; ranges are checked when a policy is built."""

    products: tuple[str, ...] = ()
    """Products that open this gate. Empty: every product of this operator does."""

    look_ms_max: int = 4000
    """How long the gate looks for a frame that suffices, from the first frame it asks for. 200 to 60,000."""

    comparisons_max: int = 3
    """Good frames compared with the reference before the answer is no, 1 to 10. More forgives an odd frame; each one is
    also another chance for a stranger, at most `comparisons_max` times the false match rate of one comparison."""

    distance_max: float | None = None
    """Largest Euclidean distance between probe and reference that counts as the same person. None: the value that the
    model pack was calibrated to (docs/model-packs.md). Smaller refuses more owners, larger admits more strangers."""

    clock_skew_s: int = 60
    """By how much the clocks of issuer and gate may differ when `nbf` and `exp` are checked. 0 to 600."""

    clock_back_s_max: int = 300
    """A clock this much behind the newest record of the gate is not believed, and nobody is admitted. 0 to 86,400."""

    passback_s: int = 300
    """Anti-passback: an admitted pass is refused at this gate for so long. 0 switches it off; at most 86,400."""

    attempts_max: int = 5
    """Failed attempts (wrong face, wrong PIN) of a pass within `attempts_window_s` before it is refused unseen."""

    attempts_window_s: int = 300
    """The sliding window in which failed attempts count. 1 to 86,400."""

    status_age_s_max: int = 86_400
    """How old a status list may be that says a pass was not withdrawn. 300 to 2,592,000 (30 days). Smaller learns of
    stolen passes sooner and needs the network more often."""

    status_when_stale: Literal["refuse", "admit"] = "refuse"
    """What becomes of a pass that names a status list when no list fresh enough is here: refused (`status_unknown`), or
    admitted and marked in the journal. A pass that any list calls withdrawn is refused either way."""

    live_products: tuple[str, ...] = ()
    """Products whose passes must be shown live from the rider's phone: a printed copy of theirs is refused."""

    attack_mode: Literal["off", "monitor", "enforce"] = "monitor"
    """What the detectors of presentation attacks are for: not run; run and counted; run and decide. The last two look
    for 0.8 s at least (docs/presentation-attacks.md)."""

    attack_flash: Literal["on", "off"] = "on"
    """Whether a display in colours may light the rider's face; without it parallax is the only detector of our own."""

    attack_monitored: tuple[str, ...] = ()
    """Detectors that are only counted where the others decide: parallax, flash_response, flash_shape, planar_depth,
    context."""

    attendance: Literal["attended", "unattended"] = "attended"
    """Whether staff see the lane. Unattended, and with `attack_mode` enforce, a rider is let through only on positive
    evidence of life; attended, when no detector says attack."""

    zone: CaptureZone = field(default_factory=CaptureZone)
    """Where in the frame the rider's face must be, and how large."""

    quality: QualityLimits = field(default_factory=QualityLimits)
    """What a frame must offer before its face is compared."""

    def __post_init__(self) -> None:
        _within("look_ms_max", self.look_ms_max, 200, 60_000)
        _within("comparisons_max", self.comparisons_max, 1, 10)
        _within("clock_skew_s", self.clock_skew_s, 0, 600)
        _within("clock_back_s_max", self.clock_back_s_max, 0, 86_400)
        _within("passback_s", self.passback_s, 0, 86_400)
        _within("attempts_max", self.attempts_max, 1, 1000)
        _within("attempts_window_s", self.attempts_window_s, 1, 86_400)
        _within("status_age_s_max", self.status_age_s_max, 300, 2_592_000)
        for name, known in _WORDS.items():
            _one_of(name, getattr(self, name), known)
        unknown = sorted(set(self.attack_monitored) - _DETECTORS)
        if unknown:
            raise BadInputError(
                f"policy.attack_monitored: {unknown[0]!r} is no detector; they are {', '.join(sorted(_DETECTORS))}"
            )
        strays = sorted(set(self.live_products) - set(self.products)) if self.products else []
        if strays:
            raise BadInputError(
                f"policy.live_products: {strays[0]!r} is not one of policy.products; write both alike in settings.toml"
            )
        if self.distance_max is not None:
            _within("distance_max", self.distance_max, 0.0, 2.0)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BadInputError(f"policy.{name}: {value} is outside {low} to {high}; correct it in settings.toml")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInputError(f"policy.{name}: {value!r} is unknown; set {' or '.join(known)} in settings.toml")
