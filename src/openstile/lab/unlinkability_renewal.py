"""Renewability: a pass is withdrawn and a new one made. What do old and new have in common, for whom?

Withdrawing and reserving go through the issuer's own register (in a folder that is removed at the end; it holds ids,
indices and hashes, and nothing of a face).
"""

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from openstile.issuer import PassRegister, PassState, RegisteredPass
from openstile.lab.intervals import Proportion
from openstile.lab.unlinkability_trials import STATUS_ENTRIES, STATUS_URI, IssuingDesk, LinkPerson
from openstile.passes.claims import StatusReference
from openstile.passes.envelope import read_seal
from openstile.passes.issue import IssuedPass
from openstile.passes.text import from_text

SEEN_BY_ANYONE = ("encapsulated key", "ciphertext")
SEEN_WITH_GATE_KEY = ("pass id", "status index", "salt", "commitment", "signature", "reference")
_EK = -4
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Renewal:
    """Of so many renewals, in how many old and new pass had the same value in a field."""

    renewals: int
    equal: tuple[tuple[str, Proportion], ...]

    def of(self, field: str) -> Proportion:
        """The renewals in which `field` stayed as it was."""
        return dict(self.equal)[field]


def measure_renewal(
    people: tuple[LinkPerson, ...],
    *,
    desk: IssuingDesk,
    renewals: int,
    progress: Callable[[int], None] | None = None,
) -> Renewal:
    """Issue, register, revoke, reserve and issue anew from the same reference; compare each field of the two passes."""
    equal: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="openstile-lab-") as folder,
        PassRegister.open(Path(folder) / "register.db") as register,
    ):
        for number in range(renewals):
            person = people[number % len(people)]
            old = _registered(register, desk, person)
            register.set_state(old.pass_id, PassState.REVOKED, at=desk.now)
            new = _registered(register, desk, person)
            before, after = _fields(desk, old), _fields(desk, new)
            equal.update(name for name in before if before[name] == after[name])
            if progress is not None:
                progress(2)
    names = (*SEEN_BY_ANYONE, *SEEN_WITH_GATE_KEY)
    return Renewal(renewals, tuple((name, Proportion(equal[name], renewals)) for name in names))


def _registered(register: PassRegister, desk: IssuingDesk, person: LinkPerson) -> IssuedPass:
    index = register.reserve_index(STATUS_URI, entries=STATUS_ENTRIES, now=desk.now, randbelow=secrets.randbelow)
    status = StatusReference(STATUS_URI, index)
    issued = desk.issue(person.pack_id, person.first, status=status)
    issuer_kid, group_kid = desk.keys
    register.add(
        RegisteredPass(
            pass_id=issued.pass_id,
            product="lab",
            issuer_kid=issuer_kid,
            group_kid=group_kid,
            token_sha256=sha256(issued.wallet.token).digest(),
            not_before=issued.not_before,
            expires=issued.expires,
            status=status,
        )
    )
    return issued


def _fields(desk: IssuingDesk, issued: IssuedPass) -> dict[str, object]:
    sealed = read_seal(from_text(issued.text)).message
    opened = desk.open_as_gate(issued)
    return {
        "encapsulated key": sealed.unprotected[_EK],
        "ciphertext": sealed.ciphertext,
        "pass id": opened.pass_id,
        "status index": opened.claims.status,
        "salt": issued.wallet.salt,
        "commitment": opened.claims.reference.commitment,
        "signature": issued.wallet.token[-_SIGNATURE_BYTES:],
        "reference": opened.reference.data,
    }
