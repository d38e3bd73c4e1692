"""Letting trips fade beside a gate's other work."""

import logging
from datetime import datetime

from openstile.journal import Journal, JournalError

_log = logging.getLogger("openstile.gate")


def fade_trips(journal: Journal, *, before: datetime) -> None:
    """Reduce taps made before `before` to counts. A journal that cannot is logged: it stops no gate, and the next
    attempt does what this one could not.
    """
    try:
        journal.fade(before)
    except JournalError as error:
        _log.error("trips not faded, trying again later: %s", error)
