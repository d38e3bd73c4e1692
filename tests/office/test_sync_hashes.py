"""Hashes of taps outlive their fading, so that a gate and the office find where their histories part."""

from datetime import timedelta
from pathlib import Path

from tests.office.sync_workshop import START, WorkGate, add_riders, new_id, office_at

from openstile.office.forgetting import Retention, fade
from openstile.office.sync.epochs import stored_head
from openstile.terms.limits import TAP_HASHES_DAYS


def test_gate_that_comes_back_with_an_older_disk_after_days_sends_what_is_missing(
    database_url: str, tmp_path: Path
) -> None:
    with office_at(database_url) as database:
        gate = WorkGate(tmp_path / "gate")
        gate.admit(database)
        with database.write() as connection:
            riders = add_riders(connection, 5)
        gate.tap(*riders)
        gate.send(database, gate.batch())
        heads = [gate.journal.place(seq) for seq in range(1, 6)]

        def known_at(day: int) -> list[object]:
            with database.write() as connection:
                fade(
                    connection, now=START + timedelta(days=day), retention=Retention(),
                    service_day=lambda at: at.date(), new_id=new_id,
                )  # fmt: skip
            with database.read() as connection:
                return [
                    stored_head(connection, gate_id=gate.gate_id, epoch=gate.journal.epoch, through=seq)
                    for seq in range(1, 6)
                ]

        assert known_at(1) == heads
        assert known_at(20) == heads, "faded, and still compared"
        assert known_at(TAP_HASHES_DAYS + 20) == [None] * 4 + heads[4:], "the last one is the epoch's own"
        gate.journal.close()
