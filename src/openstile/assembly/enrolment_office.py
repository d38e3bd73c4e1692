"""Enrolment at a desk whose passes an office signs: the desk keeps no issuer's key, the office sees no face."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from openstile.assembly.settings_office import read_secret
from openstile.assembly.wire import Installation
from openstile.desk.office import OfficeRefusedError, SigningOffice, issue_at_office
from openstile.gate.fetch import FetchError, check_address
from openstile.gate.uplink_http import HttpTransport
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass
from openstile.passes.keyfile import Role
from openstile.passes.keys import GateGroupPublicKey
from openstile.passes.keystate import is_retired
from openstile.passes.received import TokenOrder
from openstile.passes.reference import Reference, ReferenceClaim
from openstile.terms.errors import BadInputError


@dataclass(frozen=True, slots=True)
class OfficeDesk:
    """What --office and its companions say. Raises BadInputError for what cannot be used, before anything is asked."""

    office: SigningOffice
    ca_file: Path | None

    @classmethod
    def of(cls, *, office: str, account: str | None, session_file: Path | None, ca_file: Path | None) -> "OfficeDesk":
        """The options as they were given."""
        if account is None or session_file is None:
            raise BadInputError("--office: also give --account and --session-file")
        check_address(office)
        return cls(SigningOffice(office, account, read_secret(session_file, what="--session-file")), ca_file)

    def issue(
        self,
        installation: Installation,
        *,
        entitlement: Entitlement,
        reference: Reference,
        days: int,
        assurance: Assurance,
        holder: HolderPublicKey | None,
    ) -> IssuedPass:
        """A pass that the office signed for this installation's gates. Raises OfficeRefusedError, BadInputError."""
        settings = installation.settings

        def order(commitment: bytes) -> TokenOrder:
            return TokenOrder(
                issuer=settings.issuer.id,
                audience=settings.audience(),
                entitlement=entitlement,
                assurance=assurance,
                reference=ReferenceClaim(reference.kind, reference.pack_id, commitment),
                valid_for=timedelta(days=days),
                holder=holder,
            )

        group_keys = _pinned(installation)
        transport = HttpTransport(ca_file=self.ca_file)
        try:
            return issue_at_office(
                office=self.office,
                transport=transport,
                order=order,
                reference=reference,
                issuers=installation.keys.gate_keyring().issuers,
                group_keys=group_keys,
                now=installation.clock.now,
            )
        except FetchError as error:
            raise OfficeRefusedError(f"{str(error).partition(';')[0]}; no pass was made") from None
        finally:
            transport.close()


def _pinned(installation: Installation) -> tuple[GateGroupPublicKey, ...]:
    """The gate group's keys that are here and in use. Raises BadInputError where there is none, or no issuer's."""
    audience, now = str(installation.settings.audience()), installation.clock.now()
    keys = installation.keys.public_keys(Role.GATE_GROUP, audience)
    found = [
        key.public
        for key in keys
        if not key.revoked and not is_retired(key, now=now) and key.active_from <= now < key.public.not_after
    ]
    if not found:
        raise BadInputError(
            f"gate group {audience}: no key of it is here; get its public key from the operator by a way you trust, "
            "then: openstile keys import"
        )
    name = installation.settings.issuer.id
    if not installation.keys.public_keys(Role.ISSUER, name):
        raise BadInputError(
            f"issuer {name}: no key of it is here; get its public key from the office by a way you trust, then: "
            "openstile keys import"
        )
    return tuple(key for key in found if isinstance(key, GateGroupPublicKey))
