"""Invitations: leave to register one passkey, given to a rider at the desk or to somebody of the staff. Single use."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.staff.faults import InvitationError, UnknownPrincipalError
from openstile.office.staff.roles import Principal, RiderAccount, Role, StaffMember
from openstile.office.staff.sessions import owner_columns
from openstile.office.staff.tokens import RandomBytes, new_token, token_hash
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.people import INVITATION, STAFF

INVITATION_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it is handed over, once."""

    token: str = field(repr=False)
    expires: datetime


def invite(connection: Connection, principal: Principal, *, now: datetime, random: RandomBytes) -> Invitation:
    """A new invitation, which takes the place of an earlier one."""
    for name, value in owner_columns(principal).items():
        if value is not None:
            connection.execute(delete(INVITATION).where(INVITATION.c[name] == value))
    expires = instant_of(microseconds_of(now + INVITATION_KEPT))
    token = new_token(random)
    row = {"token_hash": token_hash(token), "expires_us": microseconds_of(expires), **owner_columns(principal)}
    connection.execute(insert(INVITATION), row)
    return Invitation(token, expires)


def invited(connection: Connection, token: str, *, now: datetime) -> Principal:
    """Whom the invitation is for. Raises InvitationError."""
    row = connection.execute(
        select(INVITATION.c.account_id, STAFF.c.staff_id, STAFF.c.name, STAFF.c.role)
        .join_from(INVITATION, STAFF, INVITATION.c.staff_id == STAFF.c.staff_id, isouter=True)
        .join(ACCOUNT, INVITATION.c.account_id == ACCOUNT.c.account_id, isouter=True)
        .where(INVITATION.c.token_hash == (token_hash(token) or b""), INVITATION.c.expires_us > microseconds_of(now))
        .where((STAFF.c.state == "active") | (ACCOUNT.c.state == "open"))
    ).one_or_none()
    if row is None:
        raise InvitationError
    if row.account_id is not None:
        return RiderAccount(row.account_id)
    return StaffMember(row.staff_id, row.name, Role(row.role))


def use_invitation(connection: Connection, token: str, *, now: datetime) -> Principal:
    """As `invited`, and the invitation is used up: of two at a time, one gets it. Raises InvitationError."""
    principal = invited(connection, token, now=now)
    if connection.execute(delete(INVITATION).where(INVITATION.c.token_hash == token_hash(token))).rowcount != 1:
        raise InvitationError
    return principal


def find_rider(connection: Connection, account_id: str) -> RiderAccount:
    """The rider of an open account. Raises UnknownPrincipalError."""
    row = connection.execute(
        select(ACCOUNT.c.account_id).where(ACCOUNT.c.account_id == account_id, ACCOUNT.c.state == "open")
    ).one_or_none()
    if row is None:
        raise UnknownPrincipalError
    return RiderAccount(account_id)
