"""A face engine made of a pack's networks."""

import hashlib
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.engine import TemplatePart, check_parts
from openstile.face.located import Box, LocatedFace, Point
from openstile.face.packs.decode import Numbers, decode_boxes, decode_centerface, merge
from openstile.face.packs.errors import PackError
from openstile.face.packs.manifest import DetectorManifest, EmbedderManifest, Manifest, Normalisation, StageManifest
from openstile.face.packs.session import Session
from openstile.face.packs.stage import Stage, read_stage

_DECODERS: dict[str, Callable[[list[Numbers], float], Numbers]] = {
    "centerface": decode_centerface,
    "boxes-landmarks": decode_boxes,
}


class OnnxEngine:
    """Detector and embedders of one pack (the `FaceEngine` of every pack there is). Not for use by two threads at
    once.
    """

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes], *, threads: int = 1) -> None:
        """Load the networks and stages from `files` (name to bytes). Raises PackError."""
        self._manifest = manifest
        detector = manifest.detector
        name = f"model pack {manifest.name}"
        self.detector_session = Session(
            files[detector.file],
            name=f"{name}: {detector.file}",
            source=detector.input,
            results=detector.outputs,
            threads=threads,
        )
        self._embedders = tuple(_Embedder(each, files, name, threads) for each in manifest.embedders)

    @property
    def pack_id(self) -> str:
        """Goes into each template and pass."""
        return self._manifest.pack_id

    @property
    def distance_max(self) -> float:
        """The calibrated threshold; the manifest says what it means."""
        return self._manifest.distance_max

    @property
    def parts(self) -> tuple[TemplatePart, ...]:
        """What a template is made of."""
        return self._manifest.parts

    @property
    def dimensions(self) -> int:
        """Bytes in a template."""
        return check_parts(self.parts)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        """Faces in `pixels` ((height, width, 3) uint8 BGR), in its coordinates. Raises PackError."""
        manifest = self._manifest.detector
        picture, scale_x, scale_y = fit(pixels, manifest)
        outputs = self.detector_session.run(blob(picture, manifest.normalisation))
        try:
            candidates = merge(_DECODERS[manifest.decoder](outputs, manifest.confidence_min), manifest.overlap_max)
        except (ValueError, IndexError) as error:
            raise PackError(
                f"model pack {self._manifest.name}: the detector's outputs do not fit the decoder {manifest.decoder}"
            ) from error
        return [_located(row, scale_x, scale_y) for row in candidates]

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embedding of part `part`, (its dimensions,) float32, of one chip ((side, side, 3) uint8 BGR), after its
        stage. Raises PackError.
        """
        return self._embedders[part].embed(chip)


class _Embedder:
    """One embedder of a pack, with its stage."""

    def __init__(self, manifest: EmbedderManifest, files: Mapping[str, bytes], name: str, threads: int) -> None:
        self._manifest = manifest
        self._name = name
        self._stage: Stage | None = None
        if manifest.stage is not None:
            self._stage = _read_stage(manifest.stage, files, name, manifest.part.dimensions)
        self._session = Session(
            files[manifest.file],
            name=f"{name}: {manifest.file}",
            source=manifest.input,
            results=(manifest.output,),
            threads=threads,
        )

    def embed(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        embedding = self._session.run(blob(chip, self._manifest.normalisation))[0].reshape(-1)
        if self._stage is not None:
            embedding = self._stage.apply(embedding)
        expected = self._manifest.part.dimensions
        if embedding.size != expected or not np.isfinite(embedding).all():
            raise PackError(
                f"{self._name}: the embedder gave {embedding.size} numbers, expected {expected} finite ones; "
                "correct the manifest"
            )
        if self._manifest.unit_length:
            embedding = embedding / max(float(np.linalg.norm(embedding)), 1e-12)
        return np.asarray(embedding, np.float32)


def _read_stage(manifest: StageManifest, files: Mapping[str, bytes], name: str, outputs: int) -> Stage:
    data = files[manifest.file]
    found = hashlib.sha256(data).hexdigest()
    if found != manifest.sha256:
        raise PackError(
            f"{name}: {manifest.file}: has the SHA-256 {found}, the manifest says {manifest.sha256}; refused"
        )
    return read_stage(data, outputs=outputs, name=f"{name}: {manifest.file}")


def fit(pixels: NDArray[np.uint8], manifest: DetectorManifest) -> tuple[NDArray[np.uint8], float, float]:
    """`pixels` scaled down (never up) to the detector's size and filled with black, and the scale in x and in y."""
    height, width = pixels.shape[:2]
    scale = min(1.0, manifest.side_max / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    small = pixels if scale == 1 else cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    if manifest.shape == "square":
        full_rows = full_columns = manifest.side_max
    else:
        full_rows, full_columns = (-(-n // manifest.side_multiple) * manifest.side_multiple for n in (rows, columns))
    filled = cv2.copyMakeBorder(small, 0, full_rows - rows, 0, full_columns - columns, cv2.BORDER_CONSTANT)
    return np.asarray(filled, np.uint8), columns / width, rows / height


def blob(picture: NDArray[np.uint8], normalisation: Normalisation) -> NDArray[np.float32]:
    """The network's input, (1, 3, height, width) float32, for a (height, width, 3) uint8 BGR picture."""
    swap = normalisation.channels == "rgb"
    values = cv2.dnn.blobFromImage(picture, normalisation.scale, mean=normalisation.mean, swapRB=swap)
    return np.asarray(values, np.float32)


def _located(row: Numbers, scale_x: float, scale_y: float) -> LocatedFace:
    """One candidate in pixels of the frame. Pixel centres: x of the frame = (x + 0.5) / scale - 0.5."""
    x = (row[[0, 2, 5, 7, 9, 11, 13]].astype(np.float64) + 0.5) / scale_x - 0.5
    y = (row[[1, 3, 6, 8, 10, 12, 14]].astype(np.float64) + 0.5) / scale_y - 0.5
    box = Box(float(x[0]), float(y[0]), float(x[1] - x[0]), float(y[1] - y[0]))
    landmarks = tuple(Point(float(px), float(py)) for px, py in zip(x[2:], y[2:], strict=True))
    return LocatedFace(box, landmarks, min(1.0, max(0.0, float(row[4]))))
