"""Flash: a face answers the display's colours at once and in proportion, and as a head does, not as a sheet.

Two detectors over one record. `FlashResponse` asks whether the answer has the course that was shown (a recording has
another), no delay (a relay has one) and the strength that the display's light has here (a screen shines by itself and
hardly answers). `FlashShape` asks how the answer's strength varies over the face: on a sheet by a plane at most,
for the picture's own shading cancels; on a head with the normals of its surface. Below LIGHT_RATIO_MIN of the
ambient light both abstain: in sunlight the answer drowns.
"""

from dataclasses import dataclass

import numpy as np

from openstile.face.attack.demodulate import Response, demodulate
from openstile.face.attack.evidence import Evidence, Verdict
from openstile.face.attack.grid import CELL_X, CELL_Y, ON_FACE, LightRecord
from openstile.face.attack.shape import Numbers, normals
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.attack.thresholds import (
    FLASH_FRAMES_MIN,
    FLASH_GAIN_MIN,
    FLASH_LAG_MAX,
    FLASH_MATCH_MIN,
    FLASH_SHAPE_MIN,
    LIGHT_RATIO_MIN,
)
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace

_NORMALS = normals(CELL_X, CELL_Y)


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """f_ratio: variance over the face that the normals explain over what stays, by degrees of freedom."""

    f_ratio: float
    explained: float
    cells: int


class _Flash:
    """What both detectors share."""

    def __init__(self, record: LightRecord) -> None:
        self._record = record

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip."""
        self._record.begin(stimulus, light_ratio)

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """Add the light of the face's squares, if a colour was on."""
        self._record.see(frame, face, shown)

    def _response(self) -> Response | None:
        """The clip's response, None where the light is too weak beside the ambient or too few frames were seen."""
        record = self._record
        record.release()
        if record.light_ratio is not None and record.light_ratio < LIGHT_RATIO_MIN:
            return None
        if len(record.shown) < FLASH_FRAMES_MIN:
            return None
        return demodulate(np.stack(record.light), record.shown, ON_FACE)


class FlashResponse(_Flash):
    """Whether the face answers what is shown, at once, as strongly as the display shines."""

    name = "flash_response"

    def evidence(self) -> Evidence:
        """Score: the part of the colour's course that what was shown explains, 0..1; 0 where it came late or the answer
        is too weak.
        """
        response = self._response()
        if response is None:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        score = response_score(response, self._record.light_ratio)
        if score is None:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        return Evidence(self.name, Verdict.LIVE if score >= FLASH_MATCH_MIN else Verdict.ATTACK, score)


class FlashShape(_Flash):
    """Whether the answer varies over the face as on a head."""

    name = "flash_shape"

    def evidence(self) -> Evidence:
        """Score: the F-ratio of `fit_shape`."""
        response = self._response()
        fit = None if response is None else fit_shape(response)
        if fit is None:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        return Evidence(self.name, Verdict.LIVE if fit.f_ratio >= FLASH_SHAPE_MIN else Verdict.ATTACK, fit.f_ratio)


def flash_detectors() -> tuple[FlashResponse, FlashShape]:
    """Both, over one record of one clip."""
    record = LightRecord()
    return FlashResponse(record), FlashShape(record)


def response_score(response: Response, light_ratio: float | None) -> float | None:
    """The match, 0 where the answer is late or too weak for the display's light; None where nothing tells weak from
    dark.
    """
    if abs(response.lag) > FLASH_LAG_MAX:
        return 0.0
    if light_ratio is None:
        return response.matched if response.gain >= LIGHT_RATIO_MIN else None
    return response.matched if response.gain >= FLASH_GAIN_MIN * light_ratio else 0.0


def fit_shape(response: Response) -> ShapeFit | None:
    """Strength over the face, weighted by its errors: a plane and the squares' brightness (a wrong tone curve) are
    taken out, then the normals of the generic face fitted.
    """
    cells = response.cells
    x, y = CELL_X[cells], CELL_Y[cells]
    flat = np.stack([np.ones_like(x), x, y, response.brightness], axis=1)
    floor = float(np.median(response.noise))
    weight = 1 / np.hypot(response.noise, floor)
    base, _ = np.linalg.qr(flat * weight[:, None])
    curved, _ = np.linalg.qr(_free(_NORMALS[:, cells].T * weight[:, None], base))
    strength = _free(response.strength * weight, base)
    parts = curved.T @ strength
    explained, total = float(parts @ parts), float(strength @ strength)
    degrees = len(cells) - flat.shape[1] - curved.shape[1]
    if degrees < len(_NORMALS) or total <= explained:
        return None
    ratio = (explained / curved.shape[1]) / ((total - explained) / degrees)
    return ShapeFit(float(ratio), explained / total, len(cells))


def _free(values: Numbers, base: Numbers) -> Numbers:
    return np.asarray(values - base @ (base.T @ values), np.float64)
