"""Flash: a face answers the display's colours at once and in proportion, and as a head does, not as a sheet.

Two detectors over one record. `FlashResponse` asks whether the answer has the course that was shown (a recording has
another), no delay (a relay has one) and the strength that the display's light has here (a screen shines by itself and
hardly answers). `FlashShape` asks how the answer's strength varies over the face: on a sheet by a plane at most,
for the picture's own shading cancels; on a head with the normals of its surface. Below LIGHT_RATIO_MIN of the
ambient light both abstain: in sunlight the answer drowns.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from openstile.face.attack.demodulate import Response
from openstile.face.attack.evidence import Evidence, Verdict
from openstile.face.attack.grid import CELL_X, CELL_Y, CELLS, LightRecord
from openstile.face.attack.shape import Numbers, at_eyes, depth, normals
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.attack.thresholds import (
    FLASH_ERROR_MAX,
    FLASH_FRAMES_MIN,
    FLASH_GAIN_MAX,
    FLASH_GAIN_MIN,
    FLASH_HOLLOWS_MIN,
    FLASH_LAG_MAX,
    FLASH_LEAST_MIN,
    FLASH_MATCH_MIN,
    FLASH_MOST_MAX,
    FLASH_RELIEF_MIN,
    FLASH_SHAPE_MIN,
    LIGHT_RATIO_MIN,
)
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace

_STRENGTHS = (0.08, 8.0)
"""Of the mean: less is nothing, more is a mirror."""
_INNER = (np.abs(CELL_X) < 0.62) & (CELL_Y > -0.25) & (CELL_Y < 1.15) & ~at_eyes(CELL_X, CELL_Y)
_INNER_MIN = 20
_ERROR_MIN = 0.05
"""Of a square's logarithm, whatever its noise: no generic face is better."""


def _generic() -> Numbers:
    """(squares, 4): what the generic face can do to the logarithm of the strength."""
    right, down, near = normals(CELL_X, CELL_Y)
    return np.stack([np.log(np.clip(near, 0.2, 1)), right, down, depth(CELL_X, CELL_Y)], axis=1)


_FACE = _generic()
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """f_ratio: variance over the face that the generic face explains over what stays, by degrees of freedom. relief:
    root mean square of what it explains, as logarithm of the strength, 0.1 for a tenth. hollows: by how much the
    logarithm grows with an eye distance of depth: the ambient light comes from everywhere and does not reach into eye
    sockets and beside the nose, the display shines into them. least, most: tenth and
    ninetieth percentile of the strength from brows to mouth beside the eyes, over its median there.
    """

    f_ratio: float
    relief: float
    hollows: float
    least: float
    most: float

    @property
    def score(self) -> float:
        """How often each is what a living face has at least, the least of them: 1 and more is alive."""
        lit = min(self.least / FLASH_LEAST_MIN, FLASH_MOST_MAX / self.most)
        shaped = min(self.f_ratio / FLASH_SHAPE_MIN, self.relief / FLASH_RELIEF_MIN, self.hollows / FLASH_HOLLOWS_MIN)
        return min(shaped, lit)


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
        """The clip's response. None where it tells nothing: too few frames, or what the display gives here drowns in
        the ambient light or in the camera's noise.
        """
        record = self._record
        record.release()
        enough = len(record.shown) >= FLASH_FRAMES_MIN
        response = record.answer() if enough else None
        if response is None:
            return None
        # without a meter nothing tells a face far from the display, or in sunlight, from a screen that hardly answers
        ratio = response.gain if record.light_ratio is None else record.light_ratio
        drowned = ratio < LIGHT_RATIO_MIN or response.error > FLASH_ERROR_MAX * ratio
        return None if drowned else response


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
        return Evidence(self.name, Verdict.LIVE if score >= FLASH_MATCH_MIN else Verdict.ATTACK, score)


class FlashShape(_Flash):
    """Whether the answer varies over the face as on a head."""

    name = "flash_shape"

    def evidence(self) -> Evidence:
        """Score: that of `fit_shape`; LIVE from 1 on."""
        response = self._response()
        fit = None if response is None else fit_shape(response)
        if fit is None:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        return Evidence(self.name, Verdict.LIVE if fit.score >= 1 else Verdict.ATTACK, fit.score)


def flash_detectors() -> tuple[FlashResponse, FlashShape]:
    """Both, over one record of one clip."""
    record = LightRecord()
    return FlashResponse(record), FlashShape(record)


def response_score(response: Response, light_ratio: float | None) -> float:
    """The match, 0..1; 0 where the answer is late, or too weak or too strong for a light ratio that is known."""
    if abs(response.lag) > FLASH_LAG_MAX:
        return 0.0
    if light_ratio is None:
        return response.matched
    strong = FLASH_GAIN_MIN * light_ratio <= response.gain <= FLASH_GAIN_MAX * light_ratio
    return response.matched if strong else 0.0


def fit_shape(response: Response) -> ShapeFit | None:
    """The logarithm of the strength over the face, by its errors. What a sheet can show, flat, tilted or bent, near to
    the display's edge or not, is a smooth sum of squares and products of x and y: it is taken out. The rest is
    fitted with the generic face: how far its surface turns away from the display (log n_z), to the side and down
    (ambient light from there), and its depth (hollows that the ambient light does not reach).
    """
    cells = response.cells
    x, y = CELL_X[cells], CELL_Y[cells]
    smooth = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    strength = np.clip(response.strength, *_STRENGTHS)
    weight = 1 / np.clip(np.hypot(response.noise / strength, _ERROR_MIN), _ERROR_MIN, 1)
    base, _ = np.linalg.qr(smooth * weight[:, None])
    face, mixed = np.linalg.qr(_free(_FACE[cells] * weight[:, None], base))
    rest = _free(np.log(strength) * weight, base)
    parts = face.T @ rest
    explained, total = float(parts @ parts), float(rest @ rest)
    degrees = len(cells) - smooth.shape[1] - face.shape[1]
    if degrees < len(cells) // 2 or total <= explained:
        return None
    ratio = (explained / face.shape[1]) / ((total - explained) / degrees)
    relief = math.sqrt(explained / float((weight**2).sum()))
    hollows = -float(np.linalg.solve(mixed, parts)[_DEPTH])
    return ShapeFit(float(ratio), relief, hollows, *_unevenness(response))


def _unevenness(response: Response) -> tuple[float, float]:
    """A display lights all of a face; its image in a mirror is a patch that ends somewhere. Glasses are mirrors too, so
    where they would be does not count.
    """
    strength = _smoothed(response)[_INNER[response.cells]]
    if len(strength) < _INNER_MIN:
        return 0.0, math.inf
    low, middle, high = (float(value) for value in np.percentile(strength, (10, 50, 90)))
    return (low / middle, high / middle) if middle > 0 else (0.0, math.inf)


def _smoothed(response: Response) -> Numbers:
    """The strength of each usable square as the mean of it and its usable neighbours: a third of the noise, and a
    mirror's patch is larger.
    """
    sums, counts = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    sums.flat[response.cells], counts.flat[response.cells] = response.strength, 1
    box = {"ddepth": -1, "ksize": (3, 3), "normalize": False, "borderType": cv2.BORDER_CONSTANT}
    means = cv2.boxFilter(sums, **box) / np.maximum(cv2.boxFilter(counts, **box), 1)  # type: ignore[call-overload]
    return np.asarray(means.flat[response.cells], np.float64)


def _free(values: Numbers, base: Numbers) -> Numbers:
    return np.asarray(values - base @ (base.T @ values), np.float64)
