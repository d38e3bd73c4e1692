"""Sessions: begun by a sign-in, ended by their time, by signing out, or everywhere at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.staff.roles import Principal, RiderAccount, Role, StaffMember
from openstile.office.staff.tokens import RandomBytes, new_token, token_hash
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.people import SESSION, STAFF

STAFF_SESSION = timedelta(hours=12)
RIDER_SESSION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has begun. `token` is shown to who signed in, once, and stored nowhere."""

    token: str
    expires: datetime
    principal: Principal

    def __repr__(self) -> str:
        return f"Session(expires={self.expires})"


def begin_session(connection: Connection, principal: Principal, *, now: datetime, random: RandomBytes) -> Session:
    """A new session of `principal`."""
    staff = isinstance(principal, StaffMember)
    expires = instant_of(microseconds_of(now + (STAFF_SESSION if staff else RIDER_SESSION)))
    token = new_token(random)
    row = {"token_hash": token_hash(token), "expires_us": microseconds_of(expires), **owner_columns(principal)}
    connection.execute(insert(SESSION), row)
    return Session(token, expires, principal)


def find_principal(connection: Connection, token: str, *, now: datetime) -> Principal | None:
    """Whose session `token` is; None where there is none, it is over, or its owner has left."""
    digest = token_hash(token)
    if digest is None:
        return None
    row = connection.execute(
        select(SESSION.c.account_id, STAFF.c.staff_id, STAFF.c.name, STAFF.c.role)
        .join_from(SESSION, STAFF, SESSION.c.staff_id == STAFF.c.staff_id, isouter=True)
        .join(ACCOUNT, SESSION.c.account_id == ACCOUNT.c.account_id, isouter=True)
        .where(SESSION.c.token_hash == digest, SESSION.c.expires_us > microseconds_of(now))
        .where((STAFF.c.state == "active") | (ACCOUNT.c.state != "erased"))
    ).one_or_none()
    if row is None:
        return None
    if row.account_id is not None:
        return RiderAccount(row.account_id)
    return StaffMember(row.staff_id, row.name, Role(row.role))


def end_session(connection: Connection, token: str) -> None:
    """Ends the session of `token`, if there is one."""
    connection.execute(delete(SESSION).where(SESSION.c.token_hash == (token_hash(token) or b"")))


def end_sessions(connection: Connection, principal: Principal) -> int:
    """Ends every session of `principal`; how many there were."""
    ((name, value),) = ((name, value) for name, value in owner_columns(principal).items() if value is not None)
    return connection.execute(delete(SESSION).where(SESSION.c[name] == value)).rowcount


def owner_columns(principal: Principal) -> dict[str, str | None]:
    """The columns `staff_id` and `account_id` of what belongs to `principal`."""
    if isinstance(principal, StaffMember):
        return {"staff_id": principal.staff_id, "account_id": None}
    return {"staff_id": None, "account_id": principal.account_id}
