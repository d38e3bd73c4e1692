"""Known answers: a picture everyone can make, and what the networks must say about it."""

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError
from openstile.face.packs.manifest import Manifest
from openstile.face.packs.onnx_engine import OnnxEngine, blob


def known_picture(height: int, width: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 BGR: (3 y + 5 x + 70 channel + x y // 16) mod 256."""
    y, x, channel = np.mgrid[0:height, 0:width, 0:3]
    return np.asarray((3 * y + 5 * x + 70 * channel + (x * y) // 16) % 256, np.uint8)


def check_known_answers(engine: OnnxEngine, manifest: Manifest) -> float:
    """The largest deviation of the embeddings from the manifest's known ones; 0 if it names none. Raises PackError.

    The detector is checked by the mean of each of its outputs for the known picture of side_max x side_max.
    """
    known = manifest.known
    if known is None:
        return 0.0
    deviation = 0.0
    for number, (part, expected) in enumerate(zip(manifest.parts, known.embeddings, strict=True)):
        embedding = engine.embed(number, known_picture(part.chip.side, part.chip.side))
        deviation = max(deviation, float(np.max(np.abs(embedding - np.array(expected, np.float32)))))
    side = manifest.detector.side_max
    outputs = engine.detector_session.run(blob(known_picture(side, side), manifest.detector.normalisation))
    means = np.array([float(output.mean(dtype=np.float64)) for output in outputs])
    if len(known.detector_means) != len(means):
        raise PackError(f"model pack {manifest.name}: detector_means must have {len(means)} numbers")
    off = float(np.max(np.abs(means - np.array(known.detector_means))))
    if not (deviation <= known.embedding_tolerance and off <= known.detector_tolerance):
        raise PackError(
            f"model pack {manifest.name}: does not give its known answers (embedding off by {deviation:.2g}, "
            f"detector by {off:.2g}); pull it again"
        )
    return deviation
