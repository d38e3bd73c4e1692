"""A template: the few bytes that stand for one face in one pass."""

from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.align import align
from openstile.face.engine import FaceEngine, TemplatePart
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace
from openstile.terms import BadInputError
from openstile.terms.limits import PACK_ID_CHARS_MAX, TEMPLATE_BYTES_MAX

_STEPS = 127

Embeddings: TypeAlias = tuple[NDArray[np.float32], ...]
"""One (dimensions,) float32 for each part of a pack."""


@dataclass(frozen=True, slots=True)
class Template:
    """Embeddings of one face cut into signed bytes, one part after the other, and the pack that made them.

    Its text form never shows the data.
    """

    pack_id: str
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.pack_id) <= PACK_ID_CHARS_MAX:
            raise BadInputError(
                f"template: the pack id has {len(self.pack_id)} characters, 1..{PACK_ID_CHARS_MAX} can be"
            )
        object.__setattr__(self, "data", bytes(self.data))
        if not 1 <= len(self.data) <= TEMPLATE_BYTES_MAX:
            raise BadInputError(f"template: must have 1 to {TEMPLATE_BYTES_MAX} bytes")


def extract_template(engine: FaceEngine, frame: Frame, face: LocatedFace) -> Template:
    """The probe: the template of `face` in `frame`, `engine.dimensions` bytes, int8, in steps of range / 127."""
    return cut_template(engine, embed_face(engine, frame, face))


def extract_reference(engine: FaceEngine, frame: Frame, face: LocatedFace) -> Template:
    """The reference, for a pass: as `extract_template`, but parts with a `reference_softening` lie between the face in
    focus and a little out of focus. Enrolment has time for a second look; a gate compares with what it sees.
    """
    return cut_template(engine, soften_embeddings(engine, frame, face, embed_face(engine, frame, face)))


def embed_face(engine: FaceEngine, frame: Frame, face: LocatedFace) -> Embeddings:
    """What each network of the pack makes of `face` in `frame`, before it is cut into bytes."""
    return tuple(engine.embed(number, align(frame, face, part.chip)) for number, part in enumerate(engine.parts))


def soften_embeddings(engine: FaceEngine, frame: Frame, face: LocatedFace, sharp: Embeddings) -> Embeddings:
    """The reference's embeddings. `sharp`: those of `embed_face` for the same face of the same frame."""
    return tuple(
        each if part.reference_softening == 0 else _with_softened(engine, number, align(frame, face, part.chip), each)
        for number, (part, each) in enumerate(zip(engine.parts, sharp, strict=True))
    )


def _with_softened(
    engine: FaceEngine, number: int, chip: NDArray[np.uint8], sharp: NDArray[np.float32]
) -> NDArray[np.float32]:
    part = engine.parts[number]
    sigma = part.reference_softening * part.chip.eye_distance
    softened = engine.embed(number, np.asarray(cv2.GaussianBlur(chip, (0, 0), sigma), np.uint8))
    return np.asarray((sharp + softened) / 2, np.float32)


def cut_template(engine: FaceEngine, embeddings: Embeddings) -> Template:
    """The template of `embeddings`, one for each part of the pack."""
    cut = (quantise(each, part.quantisation_range) for each, part in zip(embeddings, engine.parts, strict=True))
    return Template(engine.pack_id, b"".join(cut))


def restore_embeddings(parts: tuple[TemplatePart, ...], data: bytes) -> Embeddings:
    """What `cut_template` rounded, part by part. `data` has as many bytes as `parts` have dimensions."""
    restored, at = [], 0
    for part in parts:
        restored.append(dequantise(data[at : at + part.dimensions], part.quantisation_range))
        at += part.dimensions
    return tuple(restored)


def quantise(embedding: NDArray[np.float32], range_: float) -> bytes:
    """Values of -range_..range_ as one int8 each, -127..127, rounded to the nearest; others are clipped."""
    steps = np.rint(np.clip(embedding / range_, -1, 1) * _STEPS)
    return bytes(steps.astype(np.int8).tobytes())


def dequantise(data: bytes, range_: float) -> NDArray[np.float32]:
    """The embedding that `quantise` rounded: (len(data),) float32."""
    return np.frombuffer(data, dtype=np.int8).astype(np.float32) * np.float32(range_ / _STEPS)
