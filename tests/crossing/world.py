"""A small world for crossings: real keys and passes, a clock to turn, an engine that sees what a test says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from openstile.crossing import Crossing, Policy, cross
from openstile.face import Frame, LocatedFace
from openstile.face.attack import AttackKit
from openstile.face.engine import ChipGeometry, TemplatePart
from openstile.face.feedback import Feedback
from openstile.face.located import Box, Point
from openstile.face.quality import QualityLimits
from openstile.face.template import quantise
from openstile.passes import GateKeyring, issue_pass
from openstile.passes.claims import Assurance, Audience, Entitlement, StatusReference
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import Algorithm, generate_gate_group_key, generate_issuer_key
from openstile.passes.pin import make_pin_reference
from openstile.passes.reference import Reference, ReferenceKind
from openstile.passes.standing import StatusLists
from openstile.terms import PassId

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
AUDIENCE = Audience("metro", "north")
FAR_OFF = NOON + timedelta(days=800)
PACK = "test-pack-1"
DIMENSIONS = 128
RANGE = 0.6
FACE_BOX = Box(left=240, top=140, width=160, height=200)


class TurnedClock:
    """Wall and monotonic time that move only when told to, plus `step_ns` at each look at the monotonic one."""

    def __init__(self, now: datetime = NOON, step_ns: int = 1_000_000) -> None:
        self.wall = now
        self.ticks_ns = 0
        self.step_ns = step_ns

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        self.ticks_ns += self.step_ns
        return self.ticks_ns

    def pass_s(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks_ns += int(seconds * 1e9)


def person(number: int) -> NDArray[np.float32]:
    """The embedding of an imagined person: far from every other person's, always the same."""
    vector = np.random.default_rng(number).normal(size=DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class SeenEngine:
    """An engine that locates the faces and sees the person that the test put behind each frame's `taken_ns`."""

    faces: dict[int, list[LocatedFace]] = field(default_factory=dict)
    people: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    pack_id: str = PACK
    dimensions: int = DIMENSIONS
    distance_max: float = 0.45
    looked_at: int = 0

    @property
    def parts(self) -> tuple[TemplatePart, ...]:
        marks = tuple(Point(p.x * 0.4, p.y * 0.4) for p in _landmarks(Box(0, 0, 160, 160)))
        return (TemplatePart(ChipGeometry(side=64, landmarks=marks), self.dimensions, RANGE),)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        self.looked_at = int(pixels[0, 0, 0])
        return self.faces.get(self.looked_at, [])

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.people[self.looked_at]


def face_at(box: Box = FACE_BOX) -> LocatedFace:
    return LocatedFace(box=box, landmarks=_landmarks(box), confidence=0.99)


def _landmarks(box: Box) -> tuple[Point, ...]:
    places = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.34, 0.78), (0.66, 0.78))
    return tuple(Point(box.left + x * box.width, box.top + y * box.height) for x, y in places)


def frame_of(number: int) -> Frame:
    """A sharp, noisy-enough frame, 640 x 480, marked with its number in its first pixel."""
    rng = np.random.default_rng(7)
    pixels = np.kron(rng.integers(60, 200, (96, 128, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    pixels[0, 0, 0] = number
    return Frame(pixels, number)


class RecordedFrames:
    """An iterator of frames that records how many were pulled, and what had happened by then."""

    def __init__(self, *numbers: int) -> None:
        self._frames = iter([frame_of(number) for number in numbers])
        self.pulled = 0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self.pulled += 1
        return next(self._frames)


@dataclass
class Memory:
    """A pass history that a test fills in."""

    admitted: dict[PassId, datetime] = field(default_factory=dict)
    failures: dict[PassId, int] = field(default_factory=dict)
    newest: datetime | None = None

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        return self.admitted.get(pass_id)

    def latest(self) -> datetime | None:
        return self.newest

    def failed_attempts(self, pass_id: PassId) -> int:
        return self.failures.get(pass_id, 0)


class World:
    """Keys of one operator, and a way to issue and to cross."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.engine = SeenEngine()
        self.history = Memory()
        self.policy = Policy(quality=QualityLimits(), attack_mode="off")
        self.issuer = generate_issuer_key(name="metro-issuer", algorithm=Algorithm.EDDSA, not_after=FAR_OFF)
        self.group = generate_gate_group_key(audience=AUDIENCE, not_after=FAR_OFF)
        self.keyring = GateKeyring((self.group,), (TrustedIssuer(self.issuer.public),))
        self.statuses = StatusLists(())
        self.engine_loads = 0
        self.pins_asked = 0

    def face_pass(
        self,
        owner: int = 1,
        *,
        pack: str = PACK,
        dimensions: int = DIMENSIONS,
        days: int = 1,
        status: StatusReference | None = None,
    ) -> str:
        data = quantise(person(owner)[:dimensions], RANGE)
        return self.issue(Reference(ReferenceKind.FACE, pack, data), days=days, status=status).text

    def pin_pass(self, pin: str = "4711") -> str:
        return self.issue(make_pin_reference(pin)).text

    def issue(
        self,
        reference: Reference | None = None,
        *,
        days: int = 1,
        status: StatusReference | None = None,
        holder: HolderPublicKey | None = None,
    ) -> IssuedPass:
        """A new pass; without a reference, that of the first person's face."""
        face = Reference(ReferenceKind.FACE, PACK, quantise(person(1), RANGE))
        return issue_pass(
            issuer_key=self.issuer,
            gate_group_key=self.group.public,
            entitlement=Entitlement("season"),
            assurance=Assurance.SUPERVISED,
            reference=reference or face,
            now=self.clock.now(),
            valid_for=timedelta(days=days),
            status=status,
            holder=holder,
        )

    def show(self, number: int, *people: int, boxes: tuple[Box, ...] = (FACE_BOX,)) -> None:
        """Frame `number` shows a face in each of `boxes`; the embedder sees the first of `people`."""
        self.engine.faces[number] = [face_at(box) for box in boxes]
        if people:
            self.engine.people[number] = person(people[0])

    def cross(
        self,
        presented: str | bytes,
        frames: Iterator[Frame],
        *,
        pin: str | None = None,
        tell: Callable[[Feedback], None] = lambda feedback: None,
        kit: AttackKit | None = None,
    ) -> Crossing:
        def load_engine() -> SeenEngine:
            self.engine_loads += 1
            return self.engine

        def ask_pin() -> str | None:
            self.pins_asked += 1
            return pin

        return cross(
            presented=presented,
            frames=frames,
            ask_pin=ask_pin,
            load_engine=load_engine,
            keyring=self.keyring,
            statuses=self.statuses,
            audience=AUDIENCE,
            policy=self.policy,
            history=self.history,
            clock=self.clock,
            tell=tell,
            kit=kit,
        )
