"""What tests of keys in a folder share: passes made with them, and where things are."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.passes.pass_workshop import FACE, NOW, fault_of

from openstile.passes import PassFault, issue_pass
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.keyfile import Role
from openstile.passes.keystate import KeyInfo, KeyState
from openstile.passes.keystore import KeyStore

GROUP = "metro/north"
NAMES = {Role.ISSUER: "metro", Role.GATE_GROUP: GROUP, Role.OPERATOR: "metro", Role.GATE: "metro/north-1"}


def issued(store: KeyStore, *, now: datetime = NOW) -> str:
    """The text of a pass made with the keys that are current at `now`."""
    return issue_pass(
        issuer_key=store.issuer_key(now=now),
        gate_group_key=store.gate_group_public_key(now=now),
        entitlement=Entitlement("Annual"),
        assurance=Assurance.SUPERVISED,
        reference=FACE,
        now=now,
        valid_for=timedelta(days=30),
    ).text


def fault(store: KeyStore, text: str, *, now: datetime = NOW) -> PassFault | None:
    """Why a gate with these keys refuses the pass; None when it does not."""
    return fault_of(text, ring=store.gate_keyring(), now=now)


def key_of(store: KeyStore, role: Role, state: KeyState = KeyState.CURRENT, *, now: datetime = NOW) -> KeyInfo:
    return next(info for info in store.list_keys(now=now) if (info.role, info.state) == (role, state))


def issuer_file(store: KeyStore) -> Path:
    return store.folder / "issuer.metro.1.json"
