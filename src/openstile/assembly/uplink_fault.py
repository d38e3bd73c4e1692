"""Why a gate's last sync failed, kept beside its journal: `openstile uplink status` says it while the gate runs."""

import json
from contextlib import suppress

from openstile.assembly.home import Home
from openstile.terms.errors import BadInputError
from openstile.terms.files import write_private
from openstile.terms.limits import UPLINK_FAULT_BYTES_MAX


def note_fault(home: Home, fault: str | None) -> None:
    """Keeps what is wrong, or that nothing is. A disk that does not take it changes nothing: it is in the log too."""
    path = home.uplink_fault
    with suppress(OSError, BadInputError):
        if fault is None:
            path.unlink(missing_ok=True)
        else:
            shown = " ".join(fault.split())[
                : UPLINK_FAULT_BYTES_MAX // 16
            ]  # a character takes 12 bytes at most in JSON
            write_private(path, (json.dumps({"fault": shown}) + "\n").encode("ascii"))


def read_fault(home: Home) -> str | None:
    """What `note_fault` kept; None for nothing, or for a file that it did not write."""
    try:
        with home.uplink_fault.open("rb") as file:
            fault = json.loads(file.read(UPLINK_FAULT_BYTES_MAX).decode("ascii"))["fault"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return fault if isinstance(fault, str) and fault.isprintable() else None
