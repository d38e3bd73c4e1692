"""Fixed keys and bundles, and the means to sign what no operator would: for tests of the trust room."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.passes.pass_workshop import (
    AUDIENCE,
    GATE,
    GATE_BEFORE,
    ISSUER,
    ISSUER_ES256,
    KEYS_END,
    NOW,
    REVOKED,
    steady,
)

from openstile.passes.cbor import Cbor, CborKey, decode
from openstile.passes.cose import Header, encode_sign1
from openstile.passes.hpke import derive_key_pair
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import (
    GateTransportKey,
    IssuerKey,
    OperatorKey,
    gate_transport_key_of,
    operator_key_of,
)
from openstile.passes.signing import SoftwareSigner
from openstile.passes.status_list import pack_bits, sign_status_list
from openstile.terms import GateId
from openstile.terms.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX
from openstile.trust import Bundle, read_bundle, seal_group_key, sign_bundle
from openstile.trust.bundle import GroupKey, Product, Setting
from openstile.trust.bundle_codec import encode_bundle
from openstile.trust.signed import BUNDLE_TYPE

URI = "https://lists.example/metro/1"


def operator_key(seed: str, *, name: str = "metro", es256: bool = False, not_after: datetime = KEYS_END) -> OperatorKey:
    secret = steady(seed)(32)
    private = derive_key_pair(secret) if es256 else ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    return operator_key_of(private, name=name, not_after=not_after)


def gate_transport_key(seed: str) -> GateTransportKey:
    private = derive_key_pair(steady(seed)(32))
    return gate_transport_key_of(private, operator="metro", gate=GateId(seed), not_after=KEYS_END)


OPERATOR = operator_key("operator")
OPERATOR_ES256 = operator_key("operator es256", es256=True)
SUCCESSOR = operator_key("successor")
THIEF = operator_key("thief")
NORTH = gate_transport_key("north-1")
STOLEN = gate_transport_key("north-2")
TRUSTED = (
    TrustedIssuer(ISSUER.public),
    TrustedIssuer(ISSUER_ES256.public),
    TrustedIssuer(REVOKED.public, revoked=True),
)


def status_token(
    *, minutes: int = 0, key: IssuerKey = ISSUER, uri: str = URI, withdrawn: tuple[int, ...] = (3,), now: datetime = NOW
) -> bytes:
    made = now + timedelta(minutes=minutes)
    return sign_status_list(
        issuer_key=key,
        uri=uri,
        bits=pack_bits(entries=1024, indices=withdrawn),
        issued_at=made,
        expires=made + timedelta(days=7),
        ttl_s=300,
    )


def bundle(**changes: Any) -> Bundle:
    """A bundle with something of everything; sealed for the gate NORTH."""
    base = Bundle(
        audience=AUDIENCE,
        sequence=7,
        made=NOW,
        expires=NOW + timedelta(days=30),
        operators=(OPERATOR.public,),
        issuers=TRUSTED,
        group_keys=(GroupKey(GATE.public), GroupKey(GATE_BEFORE.public, retired_at=NOW + timedelta(days=2))),
        status_lists=(status_token(),),
        settings=(Setting("policy.passback_s", "300"), Setting("zone.left", "0.2")),
        products=(Product("Annual"), Product("Sofortkarte", live=True)),
    )
    made = replace(base, **changes)
    if "sealed_keys" in changes:
        return made
    seal = steady("sealed keys")
    sealed = seal_group_key(gate=NORTH.public, group_key=GATE, sequence=made.sequence, random=seal)
    return replace(made, sealed_keys=(sealed,) if made.group_key(GATE.public.kid) else ())


def signed(made: Bundle | None = None, *, key: OperatorKey = OPERATOR, **changes: Any) -> bytes:
    return sign_bundle(operator_key=key, bundle=made or bundle(**changes))


def read(data: bytes, *, key: OperatorKey = OPERATOR, now: datetime = NOW) -> Bundle:
    return read_bundle(data, operators=(key.public,), audience=AUDIENCE, now=now)


def content_map(made: Bundle) -> dict[CborKey, Cbor]:
    value = decode(encode_bundle(made), what="bundle", bytes_max=BUNDLE_BYTES_MAX, items_max=BUNDLE_ITEMS_MAX)
    assert isinstance(value, dict)
    return value


def envelope(
    payload: bytes, *, key: OperatorKey | IssuerKey = OPERATOR, protected: Header | None = None, **more: Any
) -> bytes:
    """A COSE_Sign1 with any headers over any payload, properly signed."""
    assert isinstance(key.signer, SoftwareSigner)
    usual: Header = {1: key.public.algorithm.number, 4: key.public.kid, 16: BUNDLE_TYPE}
    return encode_sign1(
        protected=usual if protected is None else protected,
        unprotected=more.get("unprotected", {}),
        payload=payload,
        sign=more.get("sign", key.signer.sign),
    )
