"""The office's books for whoever works on its own machine: the trial balance, verification, exports."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import Connection

from openstile.assembly.office_database import open_office_database
from openstile.assembly.office_keeping import service_day_by, tariff_of
from openstile.assembly.wire import Installation
from openstile.ledger.store import Ledger
from openstile.ledger.store.export import write_beancount, write_csv
from openstile.ledger.store.verify import Verification, verify
from openstile.office.pricing.books import BookTotals, totals
from openstile.terms.errors import BadInputError

FORMATS = ("csv", "beancount")


def book_totals(installation: Installation, day: date | None) -> BookTotals:
    """The balances of all accounts at the end of `day` (None: of all days), those of riders in one line."""
    with open_office_database(installation, new=False) as database, database.read() as connection:
        return totals(Ledger(connection).trial_balance(day))


def verify_books(installation: Installation) -> Verification:
    """Recomputes the books from their entries."""
    with open_office_database(installation, new=False) as database, database.read() as connection:
        return verify(connection)


def export_books(installation: Installation, out: Path, *, form: str, day: date | None) -> int:
    """Writes the books to the new private file `out`, whole or not at all; how many entries or postings.

    `form`: one of FORMATS. Raises BadInputError.
    """
    if form not in FORMATS:
        raise BadInputError(f"format {form[:20]!r}: write {' or '.join(FORMATS)}")
    through = day or service_day_by(tariff_of(installation))(datetime.now(UTC))

    def write(connection: Connection, file: TextIO) -> int:
        if form == "csv":
            return write_csv(connection, file, through=through)
        return write_beancount(connection, file, through=through)

    with open_office_database(installation, new=False) as database, database.read() as connection:
        return _write_new(out, lambda file: write(connection, file))


def _write_new(out: Path, write: Callable[[TextIO], int]) -> int:
    part = out.parent / f".{secrets.token_hex(8)}.part"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                count = write(file)
                file.flush()
                os.fsync(file.fileno())
            os.link(part, out)  # never over a file that is there
        finally:
            with suppress(OSError):
                part.unlink()
    except FileExistsError:
        raise BadInputError(f"{out}: is there already; give another file, or remove it") from None
    except OSError as error:
        raise BadInputError(f"{out}: cannot be written: {error.strerror}; give a file in a folder of yours") from None
    return count
