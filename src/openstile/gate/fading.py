"""Letting trips fade beside a gate's other work."""

import logging
from datetime import datetime

from openstile.journal import Journal, JournalError

_log = logging.getLogger("openstile.gate")


def fade_trips(journal: Journal, *, before: datetime, unsent_before: datetime | None = None) -> None:
    """Reduce taps made before `before` to counts; at a gate with an uplink (`unsent_before` is given) only those that
    the office holds durably, or that are older than `unsent_before` as well.

    A journal that cannot is logged: it stops no gate, and the next attempt does what this one could not.
    """
    try:
        journal.fade(before, unsent_before=unsent_before)
    except JournalError as error:
        _log.error("trips not faded, trying again later: %s", error)
