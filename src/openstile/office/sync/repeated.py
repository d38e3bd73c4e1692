"""Taps that a gate sends again in another journal: its disk was put back to a copy from before one of them began.

What a gate has and the office does not goes over into its next journal (openstile.journal.epochs). A copy of the disk
from before that holds the same taps in the earlier journal, and cannot know that they went on in another. Each tap is
told by its pass and the gate's own time, which no two taps of a gate share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from openstile.journal.batches import BatchTap
from openstile.office.store.fading import FADING
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.taps import TAP, tap_number
from openstile.terms import GateId
from openstile.terms.limits import TAP_SEQ_MAX

_EPOCHS_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Repeats:
    """What is known of taps in a gate's other journals: `known` by pass and the gate's time.

    Taps that were made before `until_us`, microseconds, may have been there and have faded. 0: none.
    """

    known: frozenset[tuple[bytes, int]] = field(default=frozenset(), repr=False)
    until_us: int = 0


def repeats_of(connection: Connection, *, gate_id: GateId, epoch: Row[Any], taps: Sequence[BatchTap]) -> Repeats:
    """What the office has of these taps in journals that the epoch does not go on from.

    With those that it does go on from, the gate has compared it tap by tap.
    """
    epochs = connection.execute(select(GATE_EPOCH).where(GATE_EPOCH.c.gate_id == gate_id.value)).all()
    others = [row for row in _beside(epochs, epoch.epoch) if row.seq > 0]
    if not others:
        return Repeats()
    faded_us = connection.execute(select(FADING.c.faded_until_us)).scalar_one_or_none() or 0
    known = _known(connection, [row.epoch_id for row in others], {tap.tap.pass_id.value for tap in taps})
    return Repeats(frozenset(known), min(faded_us, max(row.begun_us for row in others)))


def _beside(epochs: Sequence[Row[Any]], epoch: bytes) -> list[Row[Any]]:
    """All but the epoch and those that it goes on from."""
    by_name, line = {row.epoch: row for row in epochs}, set[bytes]()
    at: bytes | None = epoch
    while at is not None and at in by_name and at not in line:
        line.add(at)
        at = by_name[at].after_epoch
    return [row for row in epochs if row.epoch not in line]


def _known(connection: Connection, epoch_ids: list[int], passes: set[bytes]) -> set[tuple[bytes, int]]:
    """Passes and gates' times; both that told and, for a tap that was accepted at a corrected time, that of before."""
    known: set[tuple[bytes, int]] = set()
    for first in range(0, len(epoch_ids), _EPOCHS_AT_A_TIME):
        some = epoch_ids[first : first + _EPOCHS_AT_A_TIME]
        theirs = or_(*(TAP.c.tap_id.between(tap_number(one, 0), tap_number(one, TAP_SEQ_MAX)) for one in some))
        rows = connection.execute(select(TAP.c.pass_id, TAP.c.at_us, TAP.c.offset_us, TAP.c.review).where(theirs))
        for row in rows:
            if row.pass_id in passes:
                known.add((row.pass_id, row.at_us))
                if row.review == "accepted" and row.offset_us is not None:
                    known.add((row.pass_id, row.at_us + row.offset_us))
    return known
