"""Targets of the files that the lab keeps: sessions of recorded presentations."""

from datetime import UTC, datetime
from pathlib import Path

from fuzz.target import Target, demand
from openstile.face.attack import Evidence, Outcome, Verdict
from openstile.lab import attacks, attacks_file
from openstile.lab.attacks_session import BONA_FIDE, Presentation, Session
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_PRESENTATION_BYTES_MAX

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_LIVE = Evidence("parallax", Verdict.LIVE, 20.5)
_UNSURE = Evidence("flash_shape", Verdict.INCONCLUSIVE)
_ATTACK = Evidence("flash_response", Verdict.ATTACK, -0.25)


def _parse_session(data: bytes, folder: Path) -> object:
    return attacks_file.decode_session(data, what="input")


def _check_session(data: bytes, value: object) -> None:
    demand(isinstance(value, Session), "not a Session")
    assert isinstance(value, Session)
    written = attacks_file.encode_session(value)
    demand(attacks_file.decode_session(written, what="again") == value, "another session when it is read again")
    lines = written.splitlines()[1:-1]
    demand(all(len(line) <= ATTACK_PRESENTATION_BYTES_MAX for line in lines), "a presentation with room for a picture")
    report = attacks.report_attacks([value])
    groups = (*report.species, *([report.bona_fide] if report.bona_fide else []))
    demand(sum(each.no_response.trials for each in groups) == report.presentations, "a presentation in no rate")
    demand(report.presentations + report.void == len(value.presentations), "a presentation that was lost")


def _sessions() -> tuple[bytes, ...]:
    """An empty one, and one of each outcome."""
    made = (
        Presentation(1, BONA_FIDE, None, "lamp on", ((_LIVE, _UNSURE),), Outcome.PASS, _NOON),
        Presentation(1, "flat print", 2, "", ((_UNSURE,), (_ATTACK,)), Outcome.DENY, _NOON, from_file=True),
        Presentation(2, "my mask", 1, "", ((_UNSURE,),), Outcome.RETRY, _NOON, void=True),
        Presentation(2, "phone", 1, "", (), None, _NOON),
    )
    empty = Session("0" * 16, "0.1.0", "made-1", flash=True, monitored=("context",), look_ms_max=4000)
    full = Session("1" * 16, "0.1.0", "made-1", flash=True, monitored=(), look_ms_max=4000, presentations=made)
    return attacks_file.encode_session(empty), attacks_file.encode_session(full)


TARGETS = (
    Target(
        name="attack-session",
        parser="openstile.lab.attacks_file.decode_session",
        promise="a session is written and read again as the same, each presentation within its length and in one rate",
        parse=_parse_session,
        check=_check_session,
        seeds=_sessions,
        refusals=(BadInputError,),
    ),
)
