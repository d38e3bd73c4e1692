"""What can be wrong with a feed."""

from pathlib import Path

from openstile.terms import BadInputError


class FeedError(BadInputError):
    """A GTFS feed cannot be used. `file` and `line` say where, None where the feed or the file is meant as a whole.

    Lines are those of the file as a text editor counts them; a record with line ends inside quotes begins on `line`.
    """

    def __init__(self, *, feed: Path, fault: str, file: str | None = None, line: int | None = None) -> None:
        where = f"feed {feed}" + (f", {file}" if file else "") + (f" line {line}" if line else "")
        super().__init__(f"{where}: {fault}")
        self.file = file
        self.line = line
