"""Gates as the office knows them: where they stand, their keys, their journals' epochs, and alarms."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, LargeBinary, String, Table, UniqueConstraint

from openstile.office.store.metadata import HASH, METADATA, ROW_ID, column
from openstile.terms.held import Holds, Until

GATE = Table(
    "gate",
    METADATA,
    column("gate_id", String(40), primary_key=True),
    column("stop_id", String(200)),
    column("network_id", String(200), nullable=True),
    column("direction", String(3)),
    column("state", String(8)),
    column("added_us", BigInteger, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    CheckConstraint("state IN ('waiting', 'admitted', 'locked')", name="state"),
    CheckConstraint("direction IN ('in', 'out')", name="direction"),
)
"""`stop_id` and `network_id` are of the GTFS feed: where taps of this gate are."""

GATE_CLAIM = Table(
    "gate_claim",
    METADATA,
    column("token_hash", HASH, primary_key=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("gate_id", String(40), ForeignKey("gate.gate_id")),
    column("expires_us", BigInteger, holds=Holds.STAFF, until=Until.EXPIRES),
    column("used_by", String(64), nullable=True),
)
"""A token with which one gate may make itself known, once. `used_by`: the id of the key that did."""

GATE_KEY = Table(
    "gate_key",
    METADATA,
    column("kid", String(64), primary_key=True),
    column("gate_id", String(40), ForeignKey("gate.gate_id"), index=True),
    column("public_key", LargeBinary(32)),
    column("added_us", BigInteger, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    column("retired_us", BigInteger, nullable=True, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
)
"""Keys that sign a gate's requests (Ed25519); from `retired_us` on a key signs nothing."""

GATE_NONCE = Table(
    "gate_nonce",
    METADATA,
    column("kid", String(64), primary_key=True),
    column("nonce", String(64), primary_key=True),
    column("expires_us", BigInteger, index=True, until=Until.EXPIRES),
)
"""Signed requests that were taken, so that none is taken twice."""

GATE_EPOCH = Table(
    "gate_epoch",
    METADATA,
    column("epoch_id", ROW_ID, primary_key=True, autoincrement=True),
    column("gate_id", String(40), ForeignKey("gate.gate_id"), index=True),
    column("epoch", LargeBinary(16)),
    column("journal_key", LargeBinary(32)),
    column("begun_us", BigInteger, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    column("reason", String(10)),
    column("after_epoch", LargeBinary(16), nullable=True),
    column("after_seq", BigInteger, nullable=True),
    column("seq", BigInteger),
    column("hash", HASH),
    column("forked", Boolean),
    column("gap_us", BigInteger, nullable=True, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    UniqueConstraint("gate_id", "epoch"),
    CheckConstraint("reason IN ('claimed', 'new', 'restored')", name="reason"),
)
"""One journal file of a gate. `seq` and `hash`: the last tap up to which all are stored here, durably. `after_epoch`
and `after_seq`: the tap of an earlier file that this one goes on from, as the gate says. `gap_us`: since when the gate
sends taps behind one that is missing."""

GATE_RUN = Table(
    "gate_run",
    METADATA,
    column("epoch_id", ROW_ID, ForeignKey("gate_epoch.epoch_id"), primary_key=True),
    column("run", BigInteger, primary_key=True),
    column("began_us", BigInteger, holds=Holds.TIME, until=Until.TRIPS_FADE),
    column("received_us", BigInteger, holds=Holds.TIME, until=Until.TRIPS_FADE),
)
"""When one run of a gate began, by the office's clock: its monotonic clock then stood at zero. As last estimated at a
receipt."""

ALARM = Table(
    "alarm",
    METADATA,
    column("alarm_id", String(32), primary_key=True, until=Until.AUDIT_ENDS),
    column("gate_id", String(40), ForeignKey("gate.gate_id"), index=True, until=Until.AUDIT_ENDS),
    column("kind", String(20)),
    column("detail", String(400), until=Until.AUDIT_ENDS),
    column("raised_us", BigInteger, holds=Holds.STAFF, until=Until.AUDIT_ENDS),
    column("cleared_us", BigInteger, nullable=True, holds=Holds.STAFF, until=Until.AUDIT_ENDS),
)
"""What somebody must look at: a fork of a journal, a gap that stays, a clock that is far off."""
