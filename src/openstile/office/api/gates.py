"""What gates ask for: to be known, to hand over their taps, and what the operator tells them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal, Protocol

from fastapi import Header, Path, Query, Request, Response
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from openstile.journal.receipts import Receipt
from openstile.journal.taps import Head
from openstile.office.api.bodies import Body, Instant, Told
from openstile.office.api.dependencies import OfficeDep
from openstile.office.api.gate_requests import GATE_PROBLEMS, BodyDep, GateDep, answered, signed_with
from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.staff.tokens import new_id
from openstile.office.sync import AdmittedGate, IngestRules, SyncProblem, open_batch, store_batch
from openstile.office.sync.claims import Claim, use_claim
from openstile.office.sync.clocks import ClockRules
from openstile.office.sync.epochs import EpochPoint, admit_epoch, position, stored_head
from openstile.office.sync.keys import change_key
from openstile.terms import GateId
from openstile.terms.limits import CLAIM_TOKEN_CHARS, ETAG_CHARS_MAX, TAP_SEQ_MAX

BATCH_TYPE = "application/vnd.openstile.batch"
BUNDLE_TYPE = "application/openstile-bundle+cbor"
STATUS_LIST_TYPE = "application/statuslist+cwt"

router = new_router("gates' own")

GateName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
_Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Epoch = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_EpochAsked = Annotated[_Epoch, Query(description="The journal, as 32 hexadecimal digits.")]
_Seq = Annotated[int, Field(ge=0, le=TAP_SEQ_MAX)]
_KnownTag = Annotated[str | None, Header(max_length=ETAG_CHARS_MAX)]


class TrustFiles(Protocol):
    """Where what the operator tells gates is read from; wired by the assembly."""

    def bundle(self, gate_id: GateId) -> bytes | None:
        """The trust bundle for the gate, None where there is none yet."""
        ...

    def status_list(self, name: str) -> bytes | None:
        """The status list of this name, None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class TrustService:
    """The files, as the office finds them among its services."""

    files: TrustFiles


class ClaimAsked(Body):
    """A gate that makes itself known. The request is signed with `uplink_key`."""

    gate: GateName
    token: Annotated[str, Field(min_length=CLAIM_TOKEN_CHARS, max_length=CLAIM_TOKEN_CHARS)]
    uplink_key: _Key
    journal_key: _Key
    epoch: _Epoch


class GateClaimed(Told):
    """The gate is known, by the key of this name."""

    gate: str
    kid: str


class PointAsked(Body):
    """A tap of another journal of the gate."""

    epoch: _Epoch
    seq: _Seq


class EpochAsked(Body):
    """A new journal of the gate, and what it goes on from."""

    epoch: _Epoch
    journal_key: _Key
    after: PointAsked | None = None
    reason: Literal["restored", "new"]


class EpochKnown(Told):
    """The journal is known."""

    epoch: str


class ReceiptTold(Told):
    """Taps up to number `seq` are held durably; `hash` is that of tap `seq`."""

    gate: str
    epoch: str
    seq: int
    hash: str


class HeadTold(Told):
    """A tap that is held, by its hash; nulls where it has faded."""

    seq: int | None
    hash: str | None


class KeyAsked(Body):
    """A new uplink key. `proof`: its signature that it follows the one that signs this request."""

    uplink_key: _Key
    proof: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class KeyTold(Told):
    """The new key is valid; the old one still is until `old_until`."""

    kid: str
    old_until: Instant


@router.post("/v1/gates/claim", status_code=201,
             responses=declare("bad-signature", "claim-refused", "gate-locked", "conflict"))  # fmt: skip
def claim_gate(asked: ClaimAsked, request: Request, raw: BodyDep, office: OfficeDep) -> GateClaimed:
    """Admits a gate with a token that staff gave out for it."""
    uplink_key = bytes.fromhex(asked.uplink_key)
    signed_with(request, raw, office, uplink_key)
    claim = Claim(
        GateId(asked.gate), asked.token, uplink_key, bytes.fromhex(asked.journal_key), bytes.fromhex(asked.epoch)
    )
    with office.database.write() as connection:
        done = use_claim(connection, claim, now=office.clock.now(), new_id=lambda: new_id(office.random))
    claimed = answered(done)
    return GateClaimed(gate=claimed.gate_id.value, kid=claimed.kid)


@router.post("/v1/gate/epochs", status_code=201, responses={200: {"model": EpochKnown},
             **declare(*GATE_PROBLEMS, "conflict")})  # fmt: skip
def begin_journal(asked: EpochAsked, gate: GateDep, response: Response) -> EpochKnown:
    """Makes a new journal of the gate known; 200 when it was already."""
    after = None if asked.after is None else EpochPoint(bytes.fromhex(asked.after.epoch), asked.after.seq)
    begun = gate.run(
        lambda connection, admitted, now: admit_epoch(
            connection,
            gate_id=admitted.gate_id,
            epoch=bytes.fromhex(asked.epoch),
            journal_key=bytes.fromhex(asked.journal_key),
            after=after,
            reason=asked.reason,
            now=now,
            new_id=lambda: new_id(gate.office.random),
        )
    )
    response.status_code = 201 if begun.is_new else 200
    return EpochKnown(epoch=asked.epoch)


@router.post("/v1/gate/batches", openapi_extra={"requestBody": {"required": True, "content": {
             BATCH_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
             responses=declare(*GATE_PROBLEMS, "bad-batch", "unknown-epoch", "gap", "fork"))  # fmt: skip
def store_taps(request: Request, gate: GateDep) -> ReceiptTold:
    """Stores a batch of taps, each once; the receipt says up to where the journal's taps are held durably."""
    if request.headers.get("content-type") != BATCH_TYPE:
        raise ProblemError("unsupported-media-type", f"send {BATCH_TYPE}")
    batch = answered(open_batch(gate.body, gate_id=gate.gate_id))  # before the transaction: it takes milliseconds
    rules = ingest_rules(gate.office)
    events = gate.office.metrics.events
    try:
        receipt = gate.run(
            lambda connection, admitted, now: store_batch(
                connection, gate_id=admitted.gate_id, batch=batch, received_at=now, rules=rules
            )
        )
    except ProblemError as problem:
        events.labels(f"batch_{problem.kind.name}").inc()
        raise
    events.labels("batch_stored").inc()
    return _receipt(receipt)


@router.get("/v1/gate/position", responses=declare(*GATE_PROBLEMS, "unknown-epoch"))
def show_position(epoch: _EpochAsked, gate: GateDep) -> ReceiptTold:
    """Up to where the journal's taps are held durably."""
    return _receipt(
        gate.run(lambda connection, admitted, _: position(
            connection, gate_id=admitted.gate_id, epoch=bytes.fromhex(epoch)))
    )  # fmt: skip


@router.get("/v1/gate/heads", responses=declare(*GATE_PROBLEMS, "unknown-epoch"))
def show_head(
    epoch: _EpochAsked,
    through: Annotated[int, Query(ge=0, le=TAP_SEQ_MAX, description="The number of a tap.")],
    gate: GateDep,
) -> HeadTold:
    """The last held tap up to a number, for finding out from where on two journals differ."""

    def work(connection: Connection, admitted: AdmittedGate, _now: datetime) -> Head | SyncProblem | None:
        return stored_head(connection, gate_id=admitted.gate_id, epoch=bytes.fromhex(epoch), through=through)

    head = gate.run(work)
    return HeadTold(seq=None, hash=None) if head is None else HeadTold(seq=head.seq, hash=head.hash.hex())


@router.post("/v1/gate/keys", status_code=201, responses=declare(*GATE_PROBLEMS, "conflict"))
def change_uplink_key(asked: KeyAsked, gate: GateDep) -> KeyTold:
    """A new key for the gate's requests; the one that signs this one ends some time later."""
    changed = gate.run(
        lambda connection, admitted, now: change_key(
            connection,
            gate_id=admitted.gate_id,
            old_kid=admitted.kid,
            public_key=bytes.fromhex(asked.uplink_key),
            proof=bytes.fromhex(asked.proof),
            now=now,
        )
    )
    return KeyTold(kid=changed.kid, old_until=changed.old_until)


@router.get("/v1/gate/bundle", response_class=Response, responses={200: {"content": {BUNDLE_TYPE: {}}},
            304: {"description": "It is still the one named."}, **declare(*GATE_PROBLEMS, "not-found")})  # fmt: skip
def show_bundle(gate: GateDep, if_none_match: _KnownTag = None) -> Response:
    """The trust bundle for the gate: keys, status lists, products, policy."""
    gate_id = gate.run(lambda _connection, admitted, _now: admitted.gate_id)
    return _file(gate.office.service(TrustService).files.bundle(gate_id), if_none_match, BUNDLE_TYPE)


@router.get("/v1/status-lists/{name}", response_class=Response, responses={200: {"content": {STATUS_LIST_TYPE: {}}},
            304: {"description": "It is still the one named."}, **declare("not-found")})  # fmt: skip
def show_status_list(
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")], office: OfficeDep, if_none_match: _KnownTag = None
) -> Response:
    """A status list: which passes are withdrawn, for everybody who checks passes."""
    return _file(office.service(TrustService).files.status_list(name), if_none_match, STATUS_LIST_TYPE)


def ingest_rules(office: Office) -> IngestRules:
    """The office's rules for taps, as the operator set them."""
    tolerance = timedelta(seconds=office.values.clock_tolerance_s)
    return IngestRules(clocks=ClockRules(tolerance=tolerance), new_id=lambda: new_id(office.random))


def _receipt(receipt: Receipt) -> ReceiptTold:
    return ReceiptTold(**receipt.to_json())


def _file(data: bytes | None, known_tag: str | None, media_type: str) -> Response:
    if data is None:
        raise ProblemError("not-found")
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if known_tag is not None and tag in (one.strip().removeprefix("W/") for one in known_tag.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)
