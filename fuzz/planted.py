"""A target that is broken on purpose: it shows that the harness sees a crash, and keeps the input that made it."""

from pathlib import Path

from fuzz.target import Target, demand
from openstile.terms import BadInputError


def parse(data: bytes, folder: Path) -> object:
    """Refuses most inputs as it should, and one kind as it should not."""
    if data[:2] != b"OS":
        raise BadInputError("input: does not begin with OS; correct it")
    return data[2:3]


def _check(data: bytes, value: object) -> None:
    demand(value != b"!", "a value that must not be")


TARGETS = (
    Target(
        name="planted",
        parser="fuzz.planted.parse",
        promise="none: it crashes",
        parse=parse,
        check=_check,
        seeds=lambda: (b"a", b"OSa"),
        refusals=(BadInputError,),
        bytes_max=8,
    ),
)
