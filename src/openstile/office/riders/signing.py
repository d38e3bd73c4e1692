"""What the office asks of the issuer: a signature on a commitment. It never sees a template (docs/architecture.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openstile.issuer import PassState
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import HolderPublicKey
from openstile.passes.keys import GateGroupPublicKey
from openstile.passes.reference import ReferenceClaim
from openstile.terms import PassId


@dataclass(frozen=True, slots=True)
class SignOrder:
    """What is to stand in a pass; `reference` holds the commitment, which says nothing of a face."""

    entitlement: Entitlement
    assurance: Assurance
    reference: ReferenceClaim
    valid_days: int
    holder: HolderPublicKey | None = None


@dataclass(frozen=True, slots=True)
class SignedPass:
    """A signed token, and the key to which whoever has the reference seals it."""

    token: bytes
    pass_id: PassId
    not_before: datetime
    expires: datetime
    gate_group_key: GateGroupPublicKey


@dataclass(frozen=True, slots=True)
class KnownPass:
    """A pass in the issuer's register."""

    pass_id: PassId
    product: str
    not_before: datetime
    expires: datetime
    state: PassState


class PassSigner(Protocol):
    """The issuer: its key, and the register beside it that status lists are made from."""

    def sign(self, order: SignOrder, *, now: datetime) -> SignedPass:
        """Signs and registers a pass. Raises BadInputError for what cannot go into one."""
        ...

    def known(self, pass_id: PassId) -> KnownPass | None:
        """The pass of this id, or None when this issuer did not issue it."""
        ...

    def set_state(self, pass_id: PassId, state: PassState, *, now: datetime) -> None:
        """Says how a pass stands from the next status list on. Raises BadInputError when that cannot be."""
        ...
