"""Passes on accounts: issued over a commitment, replaced, suspended, reinstated, revoked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from openstile.issuer import PassState
from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.riders.accounts import lock_account, read_account
from openstile.office.riders.faults import PassStateError, UnknownPassError
from openstile.office.riders.signing import PassSigner, SignedPass, SignOrder
from openstile.office.store.accounts import PASS
from openstile.terms import BadInputError, PassId


@dataclass(frozen=True, slots=True)
class PassOnAccount:
    """A pass as staff and its rider see it."""

    pass_id: PassId
    account_id: str
    product: str
    reference: str
    state: PassState
    not_before: datetime
    expires: datetime
    replaced_by: PassId | None


def issue(
    connection: Connection, *, signer: PassSigner, account_id: str, order: SignOrder, now: datetime
) -> SignedPass:
    """Has a pass signed and puts it on the account.

    The register comes first: when the rest fails, nobody has the token, and its row there says nothing of a rider.
    """
    lock_account(connection, account_id)
    signed = signer.sign(order, now=now)
    _insert(connection, signed, account_id, order)
    return signed


def replace(
    connection: Connection, *, signer: PassSigner, account_id: str, pass_id: PassId, order: SignOrder, now: datetime
) -> SignedPass:
    """A new pass in place of one that was lost: the old one is revoked, and rides go on to be one rider's."""
    lock_account(connection, account_id)
    old = read_pass(connection, account_id, pass_id)
    if old.replaced_by is not None:
        raise PassStateError(f"pass: was replaced already, by {old.replaced_by}; replace that one")
    if old.expires > now:
        _set(signer, old, PassState.REVOKED, now)
    signed = signer.sign(order, now=now)
    _insert(connection, signed, account_id, order)
    connection.execute(
        PASS.update()
        .where(PASS.c.pass_id == pass_id.value)
        .values(state=PassState.REVOKED.value, replaced_by=signed.pass_id.value)
    )
    return signed


def adopt(
    connection: Connection, *, signer: PassSigner, account_id: str, pass_id: PassId, reference: str, now: datetime
) -> PassOnAccount:
    """Puts a pass on the account that this issuer issued without the office, at a desk that was offline, say.

    Taps of it that wait for review can be accepted then. Raises PassStateError, UnknownPassError.
    """
    lock_account(connection, account_id, due_us=microseconds_of(now))
    account = read_account(connection, account_id)
    known = signer.known(pass_id)
    if known is None:
        raise UnknownPassError
    if known.state is PassState.REVOKED:  # it may have been an erased rider's, whose late taps are nobody else's
        raise PassStateError("pass: was revoked, which is final; issue another one")
    taken = connection.execute(select(PASS.c.account_id).where(PASS.c.pass_id == pass_id.value)).scalar_one_or_none()
    if taken is not None:
        raise PassStateError("pass: is on an account already; a pass is on one account only")
    connection.execute(
        PASS.insert().values(
            pass_id=pass_id.value, account_id=account_id, product=known.product, category=account.category,
            reference=reference, state=known.state.value, not_before_us=microseconds_of(known.not_before),
            expires_us=microseconds_of(known.expires), replaced_by=None,
        )
    )  # fmt: skip
    return read_pass(connection, account_id, pass_id)


def change_state(
    connection: Connection, *, signer: PassSigner, account_id: str, pass_id: PassId, state: PassState, now: datetime
) -> PassOnAccount:
    """Suspends, reinstates or revokes a pass; gates know it from the next status list on. Revoked is final.

    Raises PassStateError, also for a pass that names no status list.
    """
    lock_account(connection, account_id)
    _set(signer, read_pass(connection, account_id, pass_id), state, now)
    connection.execute(PASS.update().where(PASS.c.pass_id == pass_id.value).values(state=state.value))
    return read_pass(connection, account_id, pass_id)


def read_pass(connection: Connection, account_id: str, pass_id: PassId) -> PassOnAccount:
    """The pass on this account. Raises UnknownPassError."""
    row = connection.execute(
        select(PASS).where(PASS.c.pass_id == pass_id.value, PASS.c.account_id == account_id)
    ).one_or_none()
    if row is None:
        raise UnknownPassError
    return _pass_of(row)


def passes_of(connection: Connection, account_id: str) -> tuple[PassOnAccount, ...]:
    """All passes of the account that have not been forgotten."""
    rows = connection.execute(select(PASS).where(PASS.c.account_id == account_id).order_by(PASS.c.pass_id))
    return tuple(_pass_of(row) for row in rows)


def _pass_of(row: Row[Any]) -> PassOnAccount:
    values = row._mapping
    return PassOnAccount(
        pass_id=PassId(values["pass_id"]),
        account_id=values["account_id"],
        product=values["product"],
        reference=values["reference"],
        state=PassState(values["state"]),
        not_before=instant_of(values["not_before_us"]),
        expires=instant_of(values["expires_us"]),
        replaced_by=None if values["replaced_by"] is None else PassId(values["replaced_by"]),
    )


def _set(signer: PassSigner, before: PassOnAccount, state: PassState, now: datetime) -> None:
    """In the register, which alone decides what gates are told: it may know of a change that the office does not."""
    known = signer.known(before.pass_id)
    stands = before.state if known is None else known.state
    if PassState.REVOKED in (before.state, stands) and state is not PassState.REVOKED:
        raise PassStateError("pass: was revoked, which is final; replace it")
    if stands is state:
        return
    try:
        signer.set_state(before.pass_id, state, now=now)
    except BadInputError as error:
        raise PassStateError(f"pass: {error}") from None


def _insert(connection: Connection, signed: SignedPass, account_id: str, order: SignOrder) -> None:
    connection.execute(
        PASS.insert().values(
            pass_id=signed.pass_id.value, account_id=account_id, product=order.entitlement.product,
            category=order.entitlement.rider_category, reference=order.reference.kind.value, state="valid",
            not_before_us=microseconds_of(signed.not_before), expires_us=microseconds_of(signed.expires),
            replaced_by=None,
        )
    )  # fmt: skip
