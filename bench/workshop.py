"""What the sections measure with: a real installation in a folder of its own, riders, and their passes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from openstile.assembly.home import open_home
from openstile.assembly.wire import Installation
from openstile.crossing import Policy
from openstile.demo.portraits import pull_portraits
from openstile.desk import EnrolmentError, face_reference
from openstile.face import Frame, Template, compare, extract_template
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.packs import load_pack
from openstile.face.packs.cache import models_folder
from openstile.face.packs.onnx_engine import OnnxEngine
from openstile.face.quality import assess
from openstile.face.zone import locate_rider
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.issue import IssuedPass, issue_pass
from openstile.passes.keyfile import Role
from openstile.passes.keys import Algorithm
from openstile.passes.reference import Reference, ReferenceKind

REPOSITORY = Path(__file__).resolve().parents[1]
LONDON = REPOSITORY.parent / "shared" / "data" / "london"
FRAME_WIDTH, FRAME_HEIGHT = 640, 480
_PORTRAIT_PAIRS = (
    ("president-1.jpg", "president-2.jpg"),
    ("president-2.jpg", "president-1.jpg"),
    ("vice-president.jpg", "vice-president.jpg"),
    ("astronaut.png", "astronaut.png"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Rider:
    """A person with a reference from one photograph and a good frame of 640x480 made from another."""

    reference: Template
    enrolled: Frame = field(repr=False)
    frame: Frame = field(repr=False)


@dataclass(frozen=True, slots=True)
class Riders:
    """`everybody`: how many people there are photographs of; those whose first frame suffices are riders."""

    source: str
    everybody: int
    riders: tuple[Rider, ...]

    @property
    def described(self) -> str:
        """For a note under a table."""
        rest = self.everybody - len(self.riders)
        without = f", without {rest} whose frame of 640x480 is refused or does not match" if rest else ""
        return f"{len(self.riders)} people ({self.source}){without}"


@dataclass(frozen=True)
class Workshop:
    """Folders and switches of one run. `quick` takes fewer samples and reaches no verdict for the documentation."""

    out: Path
    work: Path
    quick: bool
    core: int

    @cached_property
    def engine(self) -> OnnxEngine:
        """The default pack, one thread."""
        return load_pack()

    @cached_property
    def riders(self) -> Riders:
        """People of the consenting data set where it is at hand, else the demo's public-domain portraits."""
        if LONDON.is_dir():
            names = sorted(path.name for path in (LONDON / "neutral").glob("*.jpg"))
            pairs = [(LONDON / "neutral" / name, LONDON / "smiling" / name) for name in names]
            source = "neutral enrolled, smiling presented"
        else:
            paths = pull_portraits(models_folder(None).with_name("portraits"))
            pairs = [(paths[enrolled], paths[presented]) for enrolled, presented in _PORTRAIT_PAIRS]
            source = "public-domain portraits"
        found = [self._rider(enrolled, presented) for enrolled, presented in pairs]
        return Riders(source, len(pairs), tuple(rider for rider in found if rider is not None))

    def install(self, name: str) -> Installation:
        """A new installation with keys, in a home of its own."""
        installation = Installation.open(open_home(self.work / name))
        installation.ensure_keys()
        return installation

    def issue(self, installation: Installation, count: int) -> Iterator[tuple[Rider, IssuedPass]]:
        """Passes for `count` crossings, riders in turn, each pass with an id of its own."""
        keys, settings = installation.keys, installation.settings
        now = datetime.now(UTC)
        issuer = keys.issuer_key(settings.issuer.id, now=now)
        group = keys.gate_group_public_key(str(settings.audience()), now=now)
        for index in range(count):
            rider = self.riders.riders[index % len(self.riders.riders)]
            yield (
                rider,
                issue_pass(
                    issuer_key=issuer,
                    gate_group_key=group,
                    entitlement=Entitlement("season-ticket"),
                    assurance=Assurance.SELF_ENROLLED,
                    reference=Reference(ReferenceKind.FACE, rider.reference.pack_id, rider.reference.data),
                    now=datetime.now(UTC),
                    valid_for=timedelta(days=365),
                ),
            )

    def add_es256_issuer(self, installation: Installation) -> str:
        """A second issuer in `installation`, signing with ES256; returns its name."""
        name = "es256-issuer"
        installation.keys.create(Role.ISSUER, name, now=datetime.now(UTC), algorithm=Algorithm.ES256)
        return name

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[], None]]:
        """A bar on standard error; call what is yielded once a step."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=2) as bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)

    def _rider(self, enrolled: Path, presented: Path) -> Rider | None:
        photograph = read_image(enrolled)
        try:
            reference = face_reference([("photograph", photograph)], engine=self.engine, quality=Policy().quality)
        except EnrolmentError:
            return None
        rider = Rider(reference, fit_frame(photograph.pixels), fit_frame(read_image(presented).pixels))
        return rider if self._suffices(rider.frame, reference) else None

    def _suffices(self, frame: Frame, reference: Template) -> bool:
        """Whether a crossing would end with this frame: good enough to be compared, and the same person."""
        policy = Policy()
        face = locate_rider(self.engine, frame, policy.zone)
        if isinstance(face, FaceFault) or assess(frame, face, limits=policy.quality).fault is not None:
            return False
        probe = extract_template(self.engine, frame, face)
        return compare(engine=self.engine, probe=probe, reference=reference).mated


def fit_frame(pixels: NDArray[np.uint8]) -> Frame:
    """The whole picture in a frame of 640x480, as large as it fits, its borders continued sideways."""
    height, width = pixels.shape[:2]
    scale = min(FRAME_WIDTH / width, FRAME_HEIGHT / height)
    columns, rows = round(width * scale), round(height * scale)
    small = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    left, top = (FRAME_WIDTH - columns) // 2, (FRAME_HEIGHT - rows) // 2
    right, bottom = FRAME_WIDTH - columns - left, FRAME_HEIGHT - rows - top
    return Frame(np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8))
