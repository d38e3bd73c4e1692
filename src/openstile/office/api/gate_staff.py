"""What staff do about gates: where they stand, tokens, locks and keys, alarms, and taps that wait for review."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path
from pydantic import Field

from openstile.journal import Direction
from openstile.office.api.bodies import Body, HexId, Instant, Told
from openstile.office.api.dependencies import AgentDep, OfficeDep, OperatorDep
from openstile.office.api.gates import GateName
from openstile.office.api.pages import PageAsked, cursor, page_asked
from openstile.office.api.problems import declare
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.sync.alarms import Alarm, AlarmKind, clear_alarm, list_alarms
from openstile.office.sync.claims import issue_claim
from openstile.office.sync.clocks import ReviewReason
from openstile.office.sync.keys import UplinkKey, keys_of, revoke_key
from openstile.office.sync.registry import (
    GateState,
    KnownGate,
    add_gate,
    list_gates,
    lock_gate,
    read_gate,
    unlock_gate,
)
from openstile.office.sync.reviews import ReviewTime, WaitingTap, accept_tap, list_reviews, reject_tap
from openstile.terms import GateId
from openstile.terms.limits import CLAIM_TTL_S_MAX, FEED_ID_CHARS_MAX

router = new_router("gates")

PageDep = Annotated[PageAsked, Depends(page_asked)]
_GatePath = Annotated[GateName, Path(description="The gate's name.")]
_FeedId = Annotated[str, Field(min_length=1, max_length=FEED_ID_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
_TapPath = Annotated[int, Path(ge=0, lt=2**63, description="The id of the tap.")]


class NewGate(Body):
    """A gate to be: its stop and network are ids of the GTFS feed."""

    gate: GateName
    stop: _FeedId
    network: _FeedId | None = None
    direction: Annotated[Direction, Field(strict=False)]


class GateTold(Told):
    """A gate."""

    gate: str
    stop: str
    network: str | None
    direction: Direction
    state: GateState


class GatesPage(Told):
    """Some gates by name; `next` is the cursor of the next page."""

    items: list[GateTold]
    next: str | None = None


class ClaimTimeAsked(Body):
    """For how long the token is to be good."""

    ttl_s: Annotated[int, Field(ge=1, le=CLAIM_TTL_S_MAX)] = 3600


class ClaimTold(Told):
    """A token with which the gate makes itself known, once. It is told this once."""

    gate: str
    token: str
    expires: Instant


class KeyOfGate(Told):
    """A key that signs the gate's requests until `retired`."""

    kid: str
    added: Instant
    retired: Instant | None


class KeysTold(Told):
    """All keys that the gate has had, oldest first."""

    items: list[KeyOfGate]


class AlarmTold(Told):
    """What somebody must look at."""

    alarm_id: str
    gate: str
    kind: AlarmKind
    detail: str
    raised: Instant
    cleared: Instant | None


class AlarmsPage(Told):
    """Some alarms that nobody cleared; `next` is the cursor of the next page."""

    items: list[AlarmTold]
    next: str | None = None


class ReviewTold(Told):
    """A tap that waits for review. `corrected` is its time by the office's clock, where that can be estimated."""

    tap_id: str
    gate: str
    pass_id: str
    account_id: str | None
    at: Instant
    corrected: Instant | None
    received: Instant
    product: str
    direction: Direction
    reason: ReviewReason


class ReviewsPage(Told):
    """Some taps that wait; `next` is the cursor of the next page."""

    items: list[ReviewTold]
    next: str | None = None


class Acceptance(Body):
    """By which time the tap counts."""

    time: Annotated[ReviewTime, Field(strict=False)]


@router.post("/v1/gates", status_code=201, responses=declare("conflict"))
def add_new_gate(asked: NewGate, office: OfficeDep, staff: OperatorDep) -> GateTold:
    """Adds a gate at a stop of the feed; it is admitted when it uses a token."""
    for riders in office.services:  # none where an office is for gates alone
        if isinstance(riders, RiderServices):
            riders.check_place(asked.stop, asked.network)
    with office.database.write() as connection:
        gate = add_gate(
            connection, gate_id=GateId(asked.gate), stop_id=asked.stop, network_id=asked.network,
            direction=asked.direction, now=office.clock.now(),
        )  # fmt: skip
        staff.record(connection, "gate.add", asked.gate)
    return _gate(gate)


@router.get("/v1/gates", responses=declare("bad-cursor"))
def show_gates(office: OfficeDep, _staff: AgentDep, page: PageDep) -> GatesPage:
    """All gates, by name."""
    position = page.position(str)
    with office.database.read() as connection:
        found = list_gates(connection, after=str(position[0]) if position else "", limit=page.limit)
    items = [_gate(one) for one in found]
    return GatesPage(items=items, next=cursor(items[-1].gate) if len(items) == page.limit else None)


@router.get("/v1/gates/{gate}", responses=declare("unknown-gate"))
def show_gate(gate: _GatePath, office: OfficeDep, _staff: AgentDep) -> GateTold:
    """One gate."""
    with office.database.read() as connection:
        return _gate(read_gate(connection, GateId(gate)))


@router.post("/v1/gates/{gate}/claims", status_code=201, responses=declare("unknown-gate", "conflict"))
def issue_gate_claim(gate: _GatePath, asked: ClaimTimeAsked, office: OfficeDep, staff: OperatorDep) -> ClaimTold:
    """A token for the gate, in place of one that was given out before."""
    with office.database.write() as connection:
        issued = issue_claim(
            connection, gate_id=GateId(gate), now=office.clock.now(), ttl=timedelta(seconds=asked.ttl_s),
            random=office.random,
        )  # fmt: skip
        staff.record(connection, "gate.claim", gate)
    return ClaimTold(gate=gate, token=issued.token, expires=issued.expires)


@router.post("/v1/gates/{gate}/lock", responses=declare("unknown-gate"))
def lock(gate: _GatePath, office: OfficeDep, staff: OperatorDep) -> GateTold:
    """Takes nothing more of the gate, until it is unlocked."""
    with office.database.write() as connection:
        locked = lock_gate(connection, GateId(gate))
        staff.record(connection, "gate.lock", gate)
    return _gate(locked)


@router.post("/v1/gates/{gate}/unlock", responses=declare("unknown-gate"))
def unlock(gate: _GatePath, office: OfficeDep, staff: OperatorDep) -> GateTold:
    """Ends the lock."""
    with office.database.write() as connection:
        unlocked = unlock_gate(connection, GateId(gate))
        staff.record(connection, "gate.unlock", gate)
    return _gate(unlocked)


@router.get("/v1/gates/{gate}/keys", responses=declare("unknown-gate"))
def show_gate_keys(gate: _GatePath, office: OfficeDep, _staff: AgentDep) -> KeysTold:
    """The keys of the gate's requests."""
    with office.database.read() as connection:
        return KeysTold(items=[_key(one) for one in keys_of(connection, GateId(gate))])


@router.delete("/v1/gates/{gate}/keys/{kid}", responses=declare("unknown-gate", "not-found"))
def revoke_gate_key(
    gate: _GatePath, kid: Annotated[HexId, Path(description="The key's name.")], office: OfficeDep, staff: OperatorDep
) -> KeyOfGate:
    """The key signs nothing from now on. A gate without another key must be claimed anew."""
    with office.database.write() as connection:
        revoked = revoke_key(connection, GateId(gate), kid, now=office.clock.now())
        staff.record(connection, "gate.revoke-key", gate)
    return _key(revoked)


@router.get("/v1/alarms", responses=declare("bad-cursor"))
def show_alarms(office: OfficeDep, _staff: AgentDep, page: PageDep) -> AlarmsPage:
    """Alarms that nobody has cleared."""
    position = page.position(str)
    with office.database.read() as connection:
        found = list_alarms(connection, after=str(position[0]) if position else "", limit=page.limit)
    items = [_alarm(one) for one in found]
    return AlarmsPage(items=items, next=cursor(items[-1].alarm_id) if len(items) == page.limit else None)


@router.post("/v1/alarms/{alarm_id}/clear", responses=declare("not-found"))
def clear(alarm_id: Annotated[HexId, Path()], office: OfficeDep, staff: OperatorDep) -> AlarmTold:
    """Says that somebody has seen to it."""
    with office.database.write() as connection:
        alarm = clear_alarm(connection, alarm_id, now=office.clock.now())
        staff.record(connection, f"alarm.clear.{alarm.kind}", alarm.gate_id.value)
    return _alarm(alarm)


@router.get("/v1/reviews", responses=declare("bad-cursor"))
def show_reviews(office: OfficeDep, staff: OperatorDep, page: PageDep) -> ReviewsPage:
    """Taps that wait for somebody to look at them. That staff looked is in the audit log, where there were any."""
    position = page.position(int)
    with office.database.read() as connection:
        found = list_reviews(connection, after=int(position[0]) if position else 0, limit=page.limit)
    if found:
        with office.database.write() as connection:
            staff.record(connection, "review.list")
    items = [_review(one) for one in found]
    return ReviewsPage(items=items, next=cursor(int(items[-1].tap_id)) if len(items) == page.limit else None)


@router.post("/v1/reviews/{tap_id}/accept", responses=declare("not-found", "conflict"))
def accept(tap_id: _TapPath, asked: Acceptance, office: OfficeDep, staff: OperatorDep) -> ReviewTold:
    """The tap counts, at the gate's time or the corrected one; it is priced at the next occasion."""
    with office.database.write() as connection:
        tap = accept_tap(connection, tap_id, time=asked.time, now=office.clock.now())
        staff.record(connection, f"review.accept.{asked.time}", tap.account_id)
    return _review(tap)


@router.post("/v1/reviews/{tap_id}/reject", responses=declare("not-found"))
def reject(tap_id: _TapPath, office: OfficeDep, staff: OperatorDep) -> ReviewTold:
    """The tap does not count."""
    with office.database.write() as connection:
        tap = reject_tap(connection, tap_id)
        staff.record(connection, "review.reject", tap.account_id)
    return _review(tap)


def _gate(gate: KnownGate) -> GateTold:
    return GateTold(
        gate=gate.gate_id.value, stop=gate.stop_id, network=gate.network_id, direction=gate.direction, state=gate.state
    )


def _key(key: UplinkKey) -> KeyOfGate:
    return KeyOfGate(kid=key.kid, added=key.added, retired=key.retired)


def _alarm(alarm: Alarm) -> AlarmTold:
    return AlarmTold(
        alarm_id=alarm.alarm_id, gate=alarm.gate_id.value, kind=alarm.kind, detail=alarm.detail, raised=alarm.raised,
        cleared=alarm.cleared,
    )  # fmt: skip


def _review(tap: WaitingTap) -> ReviewTold:
    return ReviewTold(
        tap_id=str(tap.tap_id), gate=tap.gate_id.value, pass_id=str(tap.pass_id), account_id=tap.account_id, at=tap.at,
        corrected=tap.corrected, received=tap.received, product=tap.product, direction=tap.direction, reason=tap.reason,
    )  # fmt: skip
