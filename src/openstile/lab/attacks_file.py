"""The file of a session of presentations: JSON, its owner's alone to read, replaced whole after each presentation."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from openstile.face.attack import Evidence, Outcome, Verdict
from openstile.lab.attacks_session import Presentation, Session
from openstile.terms import BadInputError
from openstile.terms.files import write_private
from openstile.terms.limits import ATTACK_SESSION_BYTES_MAX

_FORMAT: Literal["openstile-attack-session-1"] = "openstile-attack-session-1"
_AT = "%Y-%m-%dT%H:%M:%SZ"
_Instant = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Said(_Part):
    detector: str
    verdict: Verdict
    score: float | None


class _Presented(_Part):
    subject: int
    species: str
    instrument: int | None
    conditions: str
    clips: list[list[_Said]]
    outcome: Outcome | None
    at: _Instant
    from_file: bool
    void: bool


class _File(_Part):
    format: Literal["openstile-attack-session-1"]
    session_id: str
    openstile: str
    pack: str
    flash: bool
    monitored: list[str]
    look_ms_max: int
    presentations: list[_Presented]


def decode_session(data: bytes, *, what: str) -> Session:
    """The session that `data` holds; `what` names the file in messages. Raises BadInputError."""
    if len(data) > ATTACK_SESSION_BYTES_MAX:
        raise BadInputError(f"{what}: is larger than {ATTACK_SESSION_BYTES_MAX // 2**20} MiB; this is no session")
    try:
        told = _File.model_validate_json(data)
        json.loads(data, object_pairs_hook=_each_once)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise BadInputError(f"{what}: is no session of presentations ({where[:80]}: {problem['msg']})") from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{what}: is no session of presentations (a key stands twice)") from None
    try:
        return Session(
            session_id=told.session_id,
            openstile=told.openstile,
            pack=told.pack,
            flash=told.flash,
            monitored=tuple(told.monitored),
            look_ms_max=told.look_ms_max,
            presentations=tuple(_presentation(one) for one in told.presentations),
        )
    except BadInputError as error:
        raise BadInputError(f"{what}: {error}") from None


def encode_session(session: Session) -> bytes:
    """As `decode_session` reads it: one presentation a line."""
    lines = ",\n  ".join(json.dumps(_written(one)) for one in session.presentations)
    head = {
        "format": _FORMAT,
        "session_id": session.session_id,
        "openstile": session.openstile,
        "pack": session.pack,
        "flash": session.flash,
        "monitored": list(session.monitored),
        "look_ms_max": session.look_ms_max,
    }
    return f'{json.dumps(head)[:-1]}, "presentations": [\n  {lines}\n]}}\n'.encode()


@dataclass(slots=True)
class SessionFile:
    """One session and the file that it is kept in."""

    path: Path
    session: Session
    _data: bytes

    @classmethod
    def read(cls, path: Path) -> "SessionFile":
        """The session in `path`. Raises BadInputError: it cannot be read, or is damaged."""
        data = _read_bytes(path)
        return cls(path, decode_session(data, what=str(path)), data)

    @classmethod
    def open(cls, path: Path, *, new: Session) -> "SessionFile":
        """The session in `path`, or `new` where there is no such file yet; then the file is made.

        Raises BadInputError: it cannot be read or made, is damaged, or was recorded under other settings than `new`.
        """
        if not path.exists():
            data = encode_session(new)
            write_private(path, data)
            return cls(path, new, data)
        file = cls.read(path)
        found = file.session
        for name in ("openstile", "pack", "flash", "monitored", "look_ms_max"):
            if getattr(found, name) != getattr(new, name):
                raise BadInputError(
                    f"{path}: was recorded with another {name} ({getattr(found, name)}, now {getattr(new, name)}); "
                    "begin another file"
                )
        return file

    def put(self, session: Session) -> None:
        """Write `session` in place of the one before, whole or not at all. Raises BadInputError, as when somebody else
        changed the file meanwhile.
        """
        if _read_bytes(self.path) != self._data:
            raise BadInputError(f"{self.path}: was changed by somebody else; nothing was written, begin again")
        data = encode_session(session)
        write_private(self.path, data)
        self.session, self._data = session, data


def read_session(path: Path) -> Session:
    """The session in the file at `path`. Raises BadInputError."""
    return SessionFile.read(path).session


def _read_bytes(path: Path) -> bytes:
    """Of a file that may be a session. Raises BadInputError."""
    try:
        with path.open("rb") as file:
            return file.read(ATTACK_SESSION_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror}); give the file of a session") from None


def _presentation(told: _Presented) -> Presentation:
    try:
        at = datetime.strptime(told.at, _AT).replace(tzinfo=UTC)
    except ValueError:
        raise BadInputError(f"instant {told.at}: there is no such time") from None
    clips = tuple(tuple(Evidence(s.detector, s.verdict, s.score) for s in clip) for clip in told.clips)
    return Presentation(
        subject=told.subject,
        species=told.species,
        instrument=told.instrument,
        conditions=told.conditions,
        clips=clips,
        outcome=told.outcome,
        at=at,
        from_file=told.from_file,
        void=told.void,
    )


def _written(one: Presentation) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "species": one.species,
        "instrument": one.instrument,
        "conditions": one.conditions,
        "clips": [[_said(each) for each in clip] for clip in one.clips],
        "outcome": None if one.outcome is None else one.outcome.value,
        "at": one.at.isoformat().replace("+00:00", "Z"),
        "from_file": one.from_file,
        "void": one.void,
    }


def _said(one: Evidence) -> dict[str, Any]:
    return {"detector": one.detector, "verdict": one.verdict.value, "score": one.score}


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
