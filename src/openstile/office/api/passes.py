"""Passes on accounts. The office signs a commitment; whoever made the template seals it and draws the code."""

import base64
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from openstile.issuer import PassState
from openstile.office.api.access import AccountDep
from openstile.office.api.bodies import Body, HexId, Instant, Told
from openstile.office.api.dependencies import OfficeDep
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.riders.accounts import read_account
from openstile.office.riders.passes import PassOnAccount, adopt, change_state, issue, passes_of, replace
from openstile.office.riders.signing import SignedPass, SignOrder
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import HolderPublicKey
from openstile.passes.reference import ReferenceClaim, ReferenceKind
from openstile.terms import PassId
from openstile.terms.limits import PACK_ID_CHARS_MAX, PASS_DAYS_MAX, PRODUCT_CHARS_MAX, ZONES_MAX

router = new_router("passes")

PassIdAsked = Annotated[HexId, Path(description="The pass's id.")]
_Zone = Annotated[str, Field(min_length=1, max_length=40)]


class ReferenceAsked(Body):
    """What the rider is compared with at a gate: its kind, its model pack, and a commitment to it. Never the thing."""

    kind: Literal["face", "pin"]
    pack_id: Annotated[str, Field(max_length=PACK_ID_CHARS_MAX)] | None = None
    commitment: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 over salt and reference data.")]


class HolderAsked(Body):
    """The key on the rider's phone, for a pass that can be shown live (P-256, hexadecimal coordinates)."""

    x: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    y: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PassAsked(Body):
    """What is to stand in a pass."""

    product: Annotated[str, Field(min_length=1, max_length=PRODUCT_CHARS_MAX)]
    rider_category: Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=40)] | None = None
    zones: Annotated[list[_Zone], Field(max_length=ZONES_MAX)] = Field(default_factory=list)
    valid_days: Annotated[int, Field(ge=1, le=PASS_DAYS_MAX)]
    supervised: bool = Field(description="Whether staff saw that the reference is the rider's own.")
    reference: ReferenceAsked
    holder: HolderAsked | None = None


class StateAsked(Body):
    """How a pass shall stand. Revoked is final."""

    state: Annotated[PassState, Field(strict=False)]


class KnownPassAsked(Body):
    """A pass that this issuer issued without the office, at a desk that was offline."""

    pass_id: HexId
    reference: Literal["face", "pin"]


class GateGroup(Told):
    """The key to which the pass is sealed (COSE-HPKE, P-256, uncompressed point in base64url)."""

    audience: str
    point: str
    not_after: Instant


class SignedTold(Told):
    """A signed token, to be sealed with salt and reference data by whoever has them. It is shown once."""

    pass_id: str
    token: str
    not_before: Instant
    expires: Instant
    gate_group: GateGroup


class PassTold(Told):
    """A pass on an account."""

    pass_id: str
    product: str
    reference: str
    state: PassState
    not_before: Instant
    expires: Instant
    replaced_by: str | None


class PassList(Told):
    """All passes of an account."""

    items: list[PassTold]


@router.get("/v1/accounts/{account_id}/passes", responses=declare("unknown-account"))
def list_passes(office: OfficeDep, access: AccountDep) -> PassList:
    """The account's passes that have not been forgotten."""
    with office.database.read() as connection:
        read_account(connection, access.account_id)
        return PassList(items=[told(one) for one in passes_of(connection, access.account_id)])


@router.post("/v1/accounts/{account_id}/passes", status_code=201, responses=declare("unknown-account"))
def issue_pass(office: OfficeDep, access: AccountDep, body: PassAsked) -> SignedTold:
    """Signs a pass over a commitment. Staff only: an entitlement is for them to give."""
    staff_only(access)
    with office.database.write() as connection:
        access.record(connection, "pass.issue")
        signed = issue(
            connection,
            signer=office.service(RiderServices).signer,
            account_id=access.account_id,
            order=order_of(body),
            now=office.clock.now(),
        )
    return told_signed(signed)


@router.post("/v1/accounts/{account_id}/known-passes", status_code=201,
             responses=declare("unknown-account", "unknown-pass", "pass-state"))  # fmt: skip
def adopt_pass(office: OfficeDep, access: AccountDep, body: KnownPassAsked) -> PassTold:
    """Puts a pass on the account that was issued without the office."""
    staff_only(access)
    with office.database.write() as connection:
        access.record(connection, "pass.adopt")
        return told(
            adopt(
                connection,
                signer=office.service(RiderServices).signer,
                account_id=access.account_id,
                pass_id=PassId(bytes.fromhex(body.pass_id)),
                reference=body.reference,
                now=office.clock.now(),
            )
        )


@router.post("/v1/accounts/{account_id}/passes/{pass_id}/replacement", status_code=201,
             responses=declare("unknown-account", "unknown-pass", "pass-state"))  # fmt: skip
def replace_pass(office: OfficeDep, access: AccountDep, pass_id: PassIdAsked, body: PassAsked) -> SignedTold:
    """Signs a pass in place of one that was lost, which is revoked."""
    staff_only(access)
    with office.database.write() as connection:
        access.record(connection, "pass.replace")
        signed = replace(
            connection,
            signer=office.service(RiderServices).signer,
            account_id=access.account_id,
            pass_id=PassId(bytes.fromhex(pass_id)),
            order=order_of(body),
            now=office.clock.now(),
        )
    return told_signed(signed)


@router.put("/v1/accounts/{account_id}/passes/{pass_id}/state",
            responses=declare("unknown-account", "unknown-pass", "pass-state"))  # fmt: skip
def change_pass_state(office: OfficeDep, access: AccountDep, pass_id: PassIdAsked, body: StateAsked) -> PassTold:
    """Suspends, reinstates or revokes a pass; gates learn it from the next status list. To reinstate is for staff."""
    if body.state is PassState.VALID:
        staff_only(access)
    with office.database.write() as connection:
        access.record(connection, f"pass.{body.state.value}")
        changed = change_state(
            connection,
            signer=office.service(RiderServices).signer,
            account_id=access.account_id,
            pass_id=PassId(bytes.fromhex(pass_id)),
            state=body.state,
            now=office.clock.now(),
        )
    return told(changed)


def staff_only(access: AccountDep) -> None:
    """Refuses riders."""
    if access.staff is None:
        raise ProblemError("forbidden")


def order_of(body: PassAsked) -> SignOrder:
    """What the issuer is asked to sign. Raises BadInputError."""
    holder = None
    if body.holder is not None:
        holder = HolderPublicKey(bytes.fromhex("04" + body.holder.x + body.holder.y))
    return SignOrder(
        entitlement=Entitlement(body.product, body.rider_category, tuple(body.zones)),
        assurance=Assurance.SUPERVISED if body.supervised else Assurance.SELF_ENROLLED,
        reference=ReferenceClaim(
            ReferenceKind(body.reference.kind), body.reference.pack_id, bytes.fromhex(body.reference.commitment)
        ),
        valid_days=body.valid_days,
        holder=holder,
    )


def told(one: PassOnAccount) -> PassTold:
    """The pass as the API tells it."""
    return PassTold(
        pass_id=str(one.pass_id),
        product=one.product,
        reference=one.reference,
        state=one.state,
        not_before=one.not_before,
        expires=one.expires,
        replaced_by=None if one.replaced_by is None else str(one.replaced_by),
    )


def told_signed(signed: SignedPass) -> SignedTold:
    """What whoever seals the pass needs."""
    key = signed.gate_group_key
    return SignedTold(
        pass_id=str(signed.pass_id),
        token=_base64url(signed.token),
        not_before=signed.not_before,
        expires=signed.expires,
        gate_group=GateGroup(audience=str(key.audience), point=_base64url(key.point), not_after=key.not_after),
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
