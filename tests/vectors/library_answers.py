"""What our library says of vectors, as they write it."""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from tests.vectors.make import FOLDER
from tests.vectors.vector_keys import at

from openstile.passes import GateKeyring, PassRefusedError, open_pass
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement, StatusReference
from openstile.passes.keyring import Retirement, TrustedIssuer
from openstile.passes.keys import GateGroupKey, IssuerPublicKey, gate_group_key_of
from openstile.passes.open import OpenedPass
from openstile.passes.reference import ReferenceClaim, ReferenceKind
from openstile.passes.signing import Algorithm
from openstile.passes.standing import StatusLists
from openstile.passes.status_list import StatusListError, read_status_list
from openstile.terms import PassId
from openstile.trust.floors import TrustError
from openstile.trust.folder import TrustFolder

PASSES: dict[str, Any] = json.loads((FOLDER / "passes.json").read_text(encoding="ascii"))
LISTS: dict[str, Any] = json.loads((FOLDER / "status-lists.json").read_text(encoding="ascii"))


def group_key(entry: dict[str, Any]) -> GateGroupKey:
    private = ec.derive_private_key(int(entry["d"], 16), ec.SECP256R1())
    return gate_group_key_of(private, audience=Audience("metro", "north"), not_after=at(entry["not_after"]))


def trusted(entry: dict[str, Any]) -> TrustedIssuer:
    public = bytes.fromhex(entry["public"])
    key = IssuerPublicKey(entry["name"], Algorithm(entry["algorithm"]), public, at(entry["not_after"]))
    return TrustedIssuer(key, revoked=entry["revoked"])


GATE = PASSES["gate"]
RING = GateKeyring(
    gate_group_keys=tuple(group_key(entry) for entry in GATE["gate_group_keys"]),
    issuers=tuple(trusted(entry) for entry in GATE["issuers"]),
    retirements=tuple(Retirement(bytes.fromhex(entry["kid"]), at(entry["at"])) for entry in GATE["retirements"]),
)


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """What the library says of a presented pass, as the vectors write it."""
    try:
        opened = open_pass(
            presented=vector["presented"],
            keyring=RING,
            audience=Audience.parse(vector["audience"]),
            now=at(vector["clock"]),
            clock_skew_s=vector["clock_skew_s"],
        )
    except PassRefusedError as refusal:
        return {"fault": refusal.fault.value}
    return {"admitted": described(opened)}


def described(opened: OpenedPass) -> dict[str, Any]:
    claims, entitlement = opened.claims, opened.claims.entitlement
    start, end = entitlement.valid_from, entitlement.valid_until
    assert opened.pass_id == claims.pass_id
    return {
        "pass_id": claims.pass_id.value.hex(),
        "issuer": claims.issuer,
        "audience": str(claims.audience),
        "not_before": int(claims.not_before.timestamp()),
        "expires": int(claims.expires.timestamp()),
        "product": entitlement.product,
        "rider_category": entitlement.rider_category,
        "zones": list(entitlement.zones),
        "valid_from": None if start is None else int(start.timestamp()),
        "valid_until": None if end is None else int(end.timestamp()),
        "assurance": claims.assurance.value,
        "status": None if claims.status is None else {"idx": claims.status.index, "uri": claims.status.uri},
        "holder": None if claims.holder is None else claims.holder.point.hex(),
        "kind": opened.reference.kind.value,
        "pack": opened.reference.pack_id,
        "commitment": claims.reference.commitment.hex(),
        "reference": opened.reference.data.hex(),
        "live": opened.live,
    }


def list_answer(vector: dict[str, Any]) -> dict[str, Any]:
    """What the library says of a status list token."""
    try:
        read = read_status_list(bytes.fromhex(vector["token"]), issuers=RING.issuers, now=at(vector["clock"]))
    except StatusListError:
        return {"refused": True}
    content = {
        "uri": read.uri,
        "issuer": read.issuer,
        "issued_at": int(read.issued_at.timestamp()),
        "expires": int(read.expires.timestamp()),
        "ttl_s": read.ttl_s,
        "entries": read.entries,
        "withdrawn": [8 * at + bit for at, byte in enumerate(read.bits) if byte for bit in range(8) if byte >> bit & 1],
    }
    return {"list": content}


def standing_answer(vector: dict[str, Any]) -> str:
    """How the library says that a pass stands."""
    now, status = at(vector["clock"]), vector["pass"]["status"]
    claims = Claims(
        issuer=vector["pass"]["issuer"],
        audience=Audience("metro", "north"),
        not_before=at(0),
        expires=at(1),
        pass_id=PassId(bytes(16)),
        entitlement=Entitlement("Annual"),
        assurance=Assurance.SUPERVISED,
        reference=ReferenceClaim(ReferenceKind.PIN, None, bytes(32)),
        status=None if status is None else StatusReference(status["uri"], status["idx"]),
    )
    lists = StatusLists(read_status_list(bytes.fromhex(token), issuers=RING.issuers) for token in vector["lists"])
    return lists.standing(claims, now=now, age_s_max=vector["age_s_max"]).value


def sequence_answer(vector: dict[str, Any], folder: Path) -> list[bool]:
    """Which lists the library takes into use, one after the other, in an empty folder."""
    trust = TrustFolder(folder)
    answers = []
    for made in vector["tokens"]:
        try:
            trust.accept_status_list(bytes.fromhex(made), issuers=RING.issuers, now=at(vector["clock"]))
            answers.append(True)
        except (StatusListError, TrustError):
            answers.append(False)
    return answers
