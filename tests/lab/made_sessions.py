"""Sessions of presentations that were written by hand."""

from datetime import UTC, datetime, timedelta

from openstile.face.attack import Evidence, Outcome, Verdict
from openstile.lab.attacks_session import BONA_FIDE, Presentation, Session

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIVE = (Evidence("parallax", Verdict.LIVE, 20.5),)
UNSURE = (Evidence("parallax", Verdict.INCONCLUSIVE, 4.0),)
ATTACK = (Evidence("parallax", Verdict.ATTACK, 1.25),)
CLIPS = {
    "let through": ((LIVE,), Outcome.PASS),
    "let through later": ((UNSURE, LIVE), Outcome.PASS),
    "denied": ((ATTACK,), Outcome.DENY),
    "denied later": ((UNSURE, ATTACK), Outcome.DENY),
    "unsure": ((UNSURE, UNSURE), Outcome.RETRY),
    "unsure, cut short": ((UNSURE,), Outcome.RETRY),
    "no clip": ((), Outcome.RETRY),
    "no face": ((), None),
}
"""What the detectors said, and what an unattended gate did."""


def presented(how: str, species: str = BONA_FIDE, *, subject: int = 1, instrument: int = 1) -> Presentation:
    clips, outcome = CLIPS[how]
    at = NOON + timedelta(seconds=subject)
    return Presentation(subject, species, None if species == BONA_FIDE else instrument, "", clips, outcome, at)


def session(*presentations: Presentation, session_id: str = "0" * 16, **more: object) -> Session:
    values: dict[str, object] = {"openstile": "0.1.0", "pack": "made-1", "flash": False, "monitored": ()}
    values |= {"look_ms_max": 4000} | more
    return Session(session_id=session_id, presentations=presentations, **values)  # type: ignore[arg-type]
