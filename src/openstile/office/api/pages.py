"""Lists page by page: a cursor says behind which row the next page begins. It is opaque to clients, and no secret."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from openstile.office.api.problems import ProblemError
from openstile.terms.limits import PAGE_ITEMS_MAX

_CURSOR_CHARS_MAX = 1000
_TEXT_CHARS_MAX = 200
CursorValue = int | str


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page is wanted: at most `limit` items, behind the cursor `after`."""

    limit: int
    after: str | None

    def position(self, *kinds: type[CursorValue]) -> tuple[CursorValue, ...] | None:
        """The values that `cursor` was given, of these types; None for the first page.

        Raises ProblemError (bad-cursor).
        """
        if self.after is None:
            return None
        values = _decoded(self.after)
        if len(values) != len(kinds) or any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
            raise ProblemError("bad-cursor")
        return values


def page_asked(
    limit: Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX, description="How many items at most.")] = 50,
    after: Annotated[
        str | None,
        Query(max_length=_CURSOR_CHARS_MAX, pattern="^[A-Za-z0-9_-]+$", description="`next` of the page before."),
    ] = None,
) -> PageAsked:
    """The dependency: which page of a list is asked for."""
    return PageAsked(limit, after)


def cursor(*values: CursorValue) -> str:
    """The cursor that says: behind the row with these values of the columns that the list is sorted by."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _decoded(text: str) -> tuple[CursorValue, ...]:
    try:
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise ProblemError("bad-cursor") from None
    if not isinstance(values, list) or not all(map(_possible, values)):
        raise ProblemError("bad-cursor")
    return tuple(values)


def _possible(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _TEXT_CHARS_MAX and value.isprintable()
    return type(value) is int and -(2**63) <= value < 2**63
