"""One fuzz target: a parser, what it may refuse with, and what must hold for a value that it gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from openstile.terms import OpenstileError


class BrokenPromiseError(Exception):
    """The parser neither refused nor kept what it promises. To the fuzzer a crash like any other."""


@dataclass(frozen=True, slots=True)
class Target:
    """Any bytes end in one of `refusals` or in a value that passes `check`; whatever else happens is a crash.

    `parser`: dotted name of the function under test, as docs/fuzzing.md names it. `parse` hands it the bytes and gets
    a folder of its own for files. `check` raises BrokenPromiseError. `promise` says in words what it looks at.
    `bytes_max`: longest input; `timeout_s`: how long one input may take.
    """

    name: str
    parser: str
    promise: str
    parse: Callable[[bytes, Path], object]
    check: Callable[[bytes, object], None]
    seeds: Callable[[], tuple[bytes, ...]] = field(repr=False)
    refusals: tuple[type[OpenstileError], ...]
    bytes_max: int = 4096
    timeout_s: int = 10

    def run(self, data: bytes, folder: Path) -> None:
        """One execution. Returns, or raises what the fuzzer reports."""
        try:
            value = self.parse(data, folder)
        except self.refusals as refusal:
            demand(bool(str(refusal)), "a refusal says nothing")
            return
        self.check(data, value)


def demand(condition: bool, what: str) -> None:
    """Raises BrokenPromiseError with `what` unless `condition`."""
    if not condition:
        raise BrokenPromiseError(what)
