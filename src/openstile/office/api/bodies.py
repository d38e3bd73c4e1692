"""Bodies: strict, closed, and bounded; a value of another JSON type is refused rather than turned."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""No control characters: PostgreSQL takes no NUL, and terminals would obey the others."""


class Body(BaseModel):
    """What a request says. In a strict model dates and enums are given as text by `Field(strict=False)`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """What an answer says."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=_PRINTABLE)]
HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""An id of ours: 32 hexadecimal digits."""
TokenText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Instant = Annotated[
    datetime,
    PlainSerializer(lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A UTC instant, told in whole seconds."""
