"""What the database itself refuses, whoever asks: to change the log of what staff did, or to remove what is young.

Run when the table is made, and by migrations (`statements`, `drop_statements`). Repeating them does no harm.
Age is by the database's own clock: an office whose clock is wrong, or set wrong, removes nothing young by it.
"""

from typing import Any

from sqlalchemy import Connection, event

from openstile.office.store.people import AUDIT
from openstile.terms.limits import AUDIT_DAYS_MIN

_YOUNG_US = AUDIT_DAYS_MIN * 86_400 * 10**6

_SQLITE = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    f"""CREATE TRIGGER audit_no_early_delete BEFORE DELETE ON audit
    WHEN OLD.at_us > CAST(strftime('%s', 'now') AS INTEGER) * 1000000 - {_YOUNG_US}
    BEGIN SELECT RAISE(ABORT, 'the audit log keeps what is young'); END""",
    """CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)  # INSERT OR REPLACE runs no delete triggers unless recursive triggers are on
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.at_us <= extract(epoch FROM clock_timestamp())::bigint * 1000000 - {_YOUNG_US} THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only';
    END $$""",
    """CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_guard()""",
    """CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()""",
)
_STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
_DROPS = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_no_update",
        "DROP TRIGGER IF EXISTS audit_no_early_delete",
        "DROP TRIGGER IF EXISTS audit_no_replace",
    ),
    "postgresql": ("DROP FUNCTION IF EXISTS audit_guard() CASCADE",),
}


def statements(dialect_name: str) -> tuple[str, ...]:
    """The statements that put the triggers in place, after the tables; `sqlite` or `postgresql`. Raises KeyError."""
    return drop_statements(dialect_name) + _STATEMENTS[dialect_name]


def drop_statements(dialect_name: str) -> tuple[str, ...]:
    """The statements that take the triggers away, before the tables go; `sqlite` or `postgresql`. Raises KeyError."""
    return _DROPS[dialect_name]


@event.listens_for(AUDIT, "after_create")
def _guard(_target: object, connection: Connection, **_rest: Any) -> None:
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
