"""The journal's tables, and the triggers that make them append-only whoever writes."""

from openstile.terms.database import statements

FORMAT_VERSION = 3
"""Kept in SQLite's user_version."""
APPLICATION_ID = int.from_bytes(b"OSj1", "big")
"""Kept in SQLite's application_id: says that the file is a journal of ours."""

_TABLES = """
CREATE TABLE gate (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    gate TEXT NOT NULL,
    epoch BLOB NOT NULL CHECK (length(epoch) = 16),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    genesis BLOB NOT NULL CHECK (length(genesis) = 32)
) STRICT;
CREATE TABLE origin (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    after_epoch BLOB NOT NULL CHECK (length(after_epoch) = 16),
    after_seq INTEGER NOT NULL CHECK (after_seq >= 0),
    reason TEXT NOT NULL CHECK (reason IN ('restored', 'new'))
) STRICT;
CREATE TABLE run (
    run INTEGER PRIMARY KEY CHECK (run > 0)
) STRICT;
CREATE TABLE tap (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    pass_id BLOB NOT NULL CHECK (length(pass_id) = 16),
    at_us INTEGER NOT NULL,
    product TEXT NOT NULL CHECK (length(product) > 0),
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    status_unsure INTEGER NOT NULL CHECK (status_unsure IN (0, 1)),
    run INTEGER NOT NULL CHECK (run > 0),
    mono_us INTEGER NOT NULL CHECK (mono_us >= 0),
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TABLE anchor (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    counts_hash BLOB NOT NULL CHECK (length(counts_hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TABLE receipted (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE faded (
    day TEXT NOT NULL,
    product TEXT NOT NULL,
    direction TEXT NOT NULL,
    taps INTEGER NOT NULL CHECK (taps > 0),
    PRIMARY KEY (day, product, direction)
) STRICT, WITHOUT ROWID;
CREATE TABLE refusal (
    day TEXT NOT NULL,
    reason TEXT NOT NULL,
    refusals INTEGER NOT NULL CHECK (refusals > 0),
    PRIMARY KEY (day, reason)
) STRICT, WITHOUT ROWID;
"""

_INSERT_GUARDS = """
CREATE TRIGGER gate_named_once BEFORE INSERT ON gate
WHEN (SELECT count(*) FROM gate) > 0
BEGIN SELECT RAISE(ABORT, 'gate rows stay'); END;
CREATE TRIGGER run_in_order BEFORE INSERT ON run
WHEN NEW.run <= (SELECT max(run) FROM run)
BEGIN SELECT RAISE(ABORT, 'a run must have a higher number'); END;
CREATE TRIGGER origin_told_once BEFORE INSERT ON origin
WHEN (SELECT count(*) FROM origin) > 0
BEGIN SELECT RAISE(ABORT, 'origin rows stay'); END;
CREATE TRIGGER tap_in_place BEFORE INSERT ON tap
WHEN NEW.seq IS NOT 1 + max(coalesce((SELECT max(seq) FROM tap), 0), coalesce((SELECT max(seq) FROM anchor), 0))
OR NEW.previous_hash IS NOT coalesce(
    (SELECT hash FROM tap ORDER BY seq DESC LIMIT 1),
    (SELECT hash FROM anchor ORDER BY seq DESC LIMIT 1),
    (SELECT genesis FROM gate))
OR NEW.run IS NOT (SELECT max(run) FROM run)
BEGIN SELECT RAISE(ABORT, 'a tap must have the next sequence number, follow the last hash, be of the last run'); END;
CREATE TRIGGER anchor_on_tap BEFORE INSERT ON anchor
WHEN NEW.seq <= (SELECT max(seq) FROM anchor) OR NEW.hash IS NOT (SELECT hash FROM tap WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'an anchor must be on a tap that has not faded'); END;
"""

_TAP_DELETE_GUARD = """
CREATE TRIGGER tap_fades_only BEFORE DELETE ON tap
WHEN OLD.seq > coalesce((SELECT max(seq) FROM anchor), 0)
BEGIN SELECT RAISE(ABORT, 'taps above the anchor stay'); END;
"""

_DELETE_GUARDS = _TAP_DELETE_GUARD + "".join(
    f"""
CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} rows stay'); END;
"""
    for table in ("gate", "origin", "run", "anchor", "faded", "refusal", "receipted")
)

_UPDATE_GUARDS = "".join(
    f"""
CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} rows are never changed'); END;
"""
    for table in ("gate", "origin", "run", "tap", "anchor")
) + "".join(
    f"""
CREATE TRIGGER {table}_only_grows BEFORE UPDATE ON {table}
WHEN NEW.{column} <= OLD.{column} OR {changed}
BEGIN SELECT RAISE(ABORT, '{table} counts only grow'); END;
"""
    for table, column, changed in (
        ("faded", "taps", "NEW.day <> OLD.day OR NEW.product <> OLD.product OR NEW.direction <> OLD.direction"),
        ("refusal", "refusals", "NEW.day <> OLD.day OR NEW.reason <> OLD.reason"),
    )
)

_RECEIPT_GUARDS = "".join(
    f"""
CREATE TRIGGER receipt_of_own_tap_{name} BEFORE {change} ON receipted
WHEN NEW.hash IS NOT coalesce(
    (SELECT hash FROM tap WHERE seq = NEW.seq),
    (SELECT hash FROM anchor WHERE seq = NEW.seq),
    (SELECT genesis FROM gate WHERE NEW.seq = 0))
BEGIN SELECT RAISE(ABORT, 'a receipt must be of a tap of this journal'); END;
"""  # noqa: S608
    for name, change in (("new", "INSERT"), ("changed", "UPDATE"))
)


SCHEMA = tuple(statements(_TABLES + _INSERT_GUARDS + _DELETE_GUARDS + _UPDATE_GUARDS + _RECEIPT_GUARDS))
"""One statement each, in the order in which they are run."""
