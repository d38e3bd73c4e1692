"""What the office passes down to gates: the bundle that was put there, and the status lists that were built here.

Both are signed elsewhere, and gates check them; the office only hands them on.
"""

from dataclasses import dataclass
from pathlib import Path

from openstile.terms import GateId
from openstile.terms.limits import BUNDLE_BYTES_MAX, STATUS_TOKEN_BYTES_MAX


@dataclass(frozen=True, slots=True)
class TrustFilesOfHome:
    """The files in a home. One bundle serves all gates: it holds a key sealed for each."""

    bundle_file: Path
    status_lists: Path

    def bundle(self, _gate_id: GateId) -> bytes | None:
        """The trust bundle, None where none was put there."""
        return _bytes(self.bundle_file, BUNDLE_BYTES_MAX)

    def status_list(self, name: str) -> bytes | None:
        """The status list whose address ends with `name`, None where there is none."""
        return _bytes(self.status_lists / f"{name}.cwt", STATUS_TOKEN_BYTES_MAX)


def _bytes(path: Path, bytes_max: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError:
        return None
    return data if len(data) <= bytes_max else None
