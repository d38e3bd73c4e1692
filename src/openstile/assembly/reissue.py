"""Making passes anew in bulk, after keys changed: the same rider, product and end, under the keys of today.

Riders bring their passes, for nobody else has them. An old pass counts only if this very token is in the register, so
passes that a thief forged with a stolen issuer key are not made genuine. The reference goes from the old seal into the
new one in memory; the issuer signs a new commitment and sees no face.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from openstile.assembly.devices import PASS_SUFFIXES, read_presented
from openstile.assembly.enrolment import PassOrder, write_issued
from openstile.assembly.wire import Installation
from openstile.desk.files import PASS_FILE_NAMES
from openstile.issuer import PassRegister, PassState
from openstile.passes import GateKeyring, OpenedPass, PassRefusedError, open_pass, steps
from openstile.passes.claims import Entitlement
from openstile.passes.reference import Reference, ReferenceKind
from openstile.terms import BadInputError, OpenstileError, PassId
from openstile.trust.contents import alone_in


class Outcome(StrEnum):
    """What became of one pass."""

    REISSUED = "reissued"
    CURRENT = "current"
    """It was made with the keys of today: nothing to do."""
    REPEATED = "repeated"
    """The same pass as in a file before."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reissue:
    """One presented pass and its successor. `detail` says why not, where there is none."""

    file: Path
    outcome: Outcome
    old: PassId | None = None
    new: PassId | None = None
    detail: str = ""
    still_good: bool = False
    """The old pass names no status list, so it cannot be withdrawn: it is good until its keys or its time end."""


def find_passes(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files that are named, and the texts and pictures in the folders that are, and below. Raises BadInputError."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.suffix.lower() in PASS_SUFFIXES and each.is_file())
        else:
            found.append(path)
    if not found:
        raise BadInputError("passes: there are none in the folders given; give files with a pass's text or picture")
    return tuple(found)


def reissue(installation: Installation, files: Iterable[Path], *, out: Path, everything: bool) -> Iterator[Reissue]:
    """One result for each file, as soon as its pass is made; a failure of one leaves the others be.

    New files lie in `out`, in a folder named by the old pass's id. `everything` makes those of today's keys anew too.
    Raises BadInputError where this home cannot issue at all.
    """
    now = installation.clock.now()
    issuer_kid = installation.keys.issuer_key(installation.settings.issuer.id, now=now).public.kid
    group_kid = installation.keys.gate_group_public_key(str(installation.settings.audience()), now=now).kid
    if not installation.home.register.exists():
        raise BadInputError(f"register {installation.home.register}: does not exist; no pass was issued in this home")
    seen: set[PassId] = set()
    for file in files:
        try:
            presented = _Presented.open(installation, file, now)
            if presented.opened.pass_id in seen:
                yield Reissue(file, Outcome.REPEATED, old=presented.opened.pass_id)
                continue
            seen.add(presented.opened.pass_id)
            _check_pack(file, presented.opened.reference, installation.pack_id())
            if (presented.group_kid, presented.issuer_kid) == (group_kid, issuer_kid) and not everything:
                yield Reissue(file, Outcome.CURRENT, old=presented.opened.pass_id)
            else:
                yield _made_anew(installation, file, presented, out=out, now=now)
        except PassRefusedError as refused:
            yield Reissue(file, Outcome.REFUSED, detail=f"{file}: {refused.detail}")
        except OpenstileError as error:
            yield Reissue(file, Outcome.REFUSED, detail=str(error))


@dataclass(frozen=True, slots=True)
class _Presented:
    """An old pass, opened: its keys, and the hash of its token."""

    opened: OpenedPass
    group_kid: bytes
    issuer_kid: bytes
    token_sha256: bytes

    @classmethod
    def open(cls, installation: Installation, file: Path, now: datetime) -> "_Presented":
        """Retired and revoked keys count here: whether the pass is genuine is for the register to say."""
        held = installation.keys.gate_keyring()
        ring = GateKeyring(held.gate_group_keys, tuple(replace(issuer, revoked=False) for issuer in held.issuers))
        text = read_presented(file)
        opened = open_pass(
            presented=text, keyring=ring, audience=installation.settings.audience(), now=now, clock_skew_s=0
        )
        sealed = steps.read_presented(text)
        content = steps.unseal(sealed, steps.find_gate_group_key(sealed, ring, None))
        return cls(opened, sealed.kid, steps.read_signed(content).kid, sha256(content.token).digest())


def _check_pack(file: Path, reference: Reference, pack_id: str | None) -> None:
    """A new seal does not make a template of another pack one that gates can compare: only a photograph does."""
    if reference.kind is ReferenceKind.FACE and pack_id is not None and reference.pack_id != pack_id:
        raise BadInputError(
            f"{file}: its face was enrolled with model pack {reference.pack_id}, this home's gates run {pack_id}; "
            "enrol the rider anew, or set gate.model_pack to the pack it was enrolled with"
        )


def _made_anew(installation: Installation, file: Path, presented: _Presented, *, out: Path, now: datetime) -> Reissue:
    opened, claims = presented.opened, presented.opened.claims
    path = installation.home.register
    with alone_in(path.parent), PassRegister.open(path) as register:  # else two runs make two passes of one
        registered = register.get(opened.pass_id)
        if registered is None or registered.token_sha256 != presented.token_sha256:
            raise BadInputError(f"{file}: was not issued here, so it may be forged; enrol the rider anew")
        if registered.state is not PassState.VALID:
            raise BadInputError(f"{file}: pass {opened.pass_id} is {registered.state}; enrol the rider anew")
        order = PassOrder(
            product=claims.entitlement.product,
            days=1,
            out=out / str(opened.pass_id),
            holder=claims.holder,
        )
        new = None
        if not (order.out / PASS_FILE_NAMES[-1]).exists():  # else a run that was broken off made it
            issued = installation.issue(
                entitlement=_from_now(claims.entitlement, now),
                reference=opened.reference,
                valid_for=claims.expires - now.replace(microsecond=0),
                assurance=claims.assurance,
                holder=claims.holder,
            )
            write_issued(installation, order, issued, with_pin=opened.reference.kind is ReferenceKind.PIN)
            new = issued.pass_id
        if registered.status is not None:
            register.set_state(opened.pass_id, PassState.REVOKED, at=now.replace(microsecond=0))
    return Reissue(file, Outcome.REISSUED, opened.pass_id, new, still_good=registered.status is None)


def _from_now(entitlement: Entitlement, now: datetime) -> Entitlement:
    """The same product; a beginning that is past is left out, for the new pass begins now."""
    begun = entitlement.valid_from is not None and entitlement.valid_from <= now
    return replace(entitlement, valid_from=None) if begun else entitlement
