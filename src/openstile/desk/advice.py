"""What is wrong with a photograph and what to do, in a sentence: for whoever stands at the desk."""

from openstile.face.faults import FaceFault
from openstile.face.quality import Quality, QualityLimits
from openstile.face.quality_table import measured

ADVICE: dict[FaceFault, str] = {
    FaceFault.NO_FACE: "no face found; use a frontal photograph in good light",
    FaceFault.TWO_FACES: "more than one face; use a photograph of the rider alone",
    FaceFault.FACE_TOO_FAR: "the face is too small; come closer or use a larger photograph",
    FaceFault.FACE_CUT: "the face is cut by the border; use a photograph that shows all of it",
    FaceFault.FACE_TURNED: "the face is turned away; look straight at the camera",
    FaceFault.FACE_COVERED: "eyes, nose or mouth are covered; take off what covers the face",
    FaceFault.FACE_BLURRED: "the face is blurred; hold still, or use a sharper photograph",
    FaceFault.TOO_DARK: "the face is too dark; use more light",
    FaceFault.TOO_BRIGHT: "the face is too bright; use less light",
    FaceFault.TOO_FLAT: "the face has too little contrast; clean the lens, and use light from the front",
    FaceFault.TOO_NOISY: "the photograph is too noisy; use more light",
}
"""Closed over the faults; a test compares."""


def say(quality: Quality, limits: QualityLimits) -> str:
    """The fault of `quality` in words, with the measures that fall short and what was asked of them."""
    assert quality.fault is not None, "there is nothing to say about a good photograph"
    short = [one for one in measured(quality, limits) if one.rejects and not one.fits]
    shown = ", ".join(f"{one.name.replace('_', ' ')} {one.value:.3g}, needed {one.wanted}" for one in short)
    return f"{ADVICE[quality.fault]} ({shown})" if shown else ADVICE[quality.fault]
