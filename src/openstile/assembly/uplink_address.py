"""Which office gathers a gate's taps: the one that was joined, which the settings may name too."""

import json

from openstile.assembly.home import Home
from openstile.assembly.settings import Settings
from openstile.terms.errors import BadInputError
from openstile.terms.files import write_private
from openstile.terms.limits import RECEIPT_BYTES_MAX


def office_of(home: Home, settings: Settings) -> str | None:
    """The office's address; None for a gate that works alone. Raises BadInputError where file and settings differ."""
    joined, named = joined_office(home), settings.uplink.office.rstrip("/").lower()
    if named and joined not in (None, named):
        raise BadInputError(f"uplink.office: names {named}, but this gate has joined {joined}; correct one of them")
    return named or joined


def joined_office(home: Home) -> str | None:
    """The address that `remember_office` kept. Raises BadInputError for a file that it did not write."""
    try:
        with home.uplink.open("rb") as file:
            data = file.read(RECEIPT_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInputError(f"{home.uplink}: {error.strerror}; it must be a file you can read") from None
    try:
        office = json.loads(data.decode("ascii"))["office"]
    except (ValueError, KeyError, TypeError, RecursionError):
        office = None
    if not isinstance(office, str) or not office or len(data) > RECEIPT_BYTES_MAX:
        raise BadInputError(f"{home.uplink}: does not name an office; remove it and join again") from None
    return office


def remember_office(home: Home, office: str) -> None:
    """Keeps durably that this gate has joined `office`. Raises BadInputError."""
    write_private(home.uplink, (json.dumps({"office": office}) + "\n").encode("ascii"))
