"""Issuing wired up: every pass is in the register, and has its place in the status list, before it is given away."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from openstile.assembly.home import Home
from openstile.assembly.settings import Settings
from openstile.issuer import PassRegister, RegisteredPass
from openstile.issuer.publish import forget_ended, list_file_name
from openstile.passes.claims import Assurance, Entitlement, StatusReference
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass, issue_pass
from openstile.passes.keystore import KeyStore
from openstile.passes.reference import Reference
from openstile.passes.usage import KeyUsage

_FORGOTTEN_AT_ONCE = 100
"""What one issue may forget of long ended passes, so that it stays quick."""


def issue_registered(
    *,
    home: Home,
    settings: Settings,
    keys: KeyStore,
    entitlement: Entitlement,
    reference: Reference,
    now: datetime,
    valid_for: timedelta,
    assurance: Assurance,
    holder: HolderPublicKey | None = None,
) -> IssuedPass:
    """Sign, seal and register a pass for the gates of the settings, from `now` on for so long.

    When this fails midway, an index of the status list is lost for some days, and nothing else. Raises BadInputError,
    RegisterError.
    """
    issuer_key = keys.issuer_key(settings.issuer.id, now=now)
    gate_group_key = keys.gate_group_public_key(str(settings.audience()), now=now)
    with PassRegister.open(home.register) as register:
        status = _reserve(register, settings, now)
        issued = issue_pass(
            issuer_key=issuer_key,
            gate_group_key=gate_group_key,
            entitlement=entitlement,
            assurance=assurance,
            reference=reference,
            now=now,
            valid_for=valid_for,
            status=status,
            holder=holder,
        )
        register.add(
            RegisteredPass(
                pass_id=issued.pass_id,
                product=entitlement.product,
                issuer_kid=issuer_key.public.kid,
                group_kid=gate_group_key.kid,
                token_sha256=sha256(issued.wallet.token).digest(),
                not_before=issued.not_before,
                expires=issued.expires,
                status=status,
            )
        )
        if status is None:  # else it is done when a list is built
            forget_ended(register, now=now, at_most=_FORGOTTEN_AT_ONCE)
    return issued


def key_usage(home: Home, *, now: datetime) -> tuple[KeyUsage, ...]:
    """How many passes that were issued in this home depend on each key. Makes no register."""
    if not home.register.exists():
        return ()
    with PassRegister.open(home.register) as register:
        return register.usage(now=now)


def _reserve(register: PassRegister, settings: Settings, now: datetime) -> StatusReference | None:
    uri, entries = settings.issuer.status_list_uri, settings.issuer.status_list_size
    if not uri:
        return None
    list_file_name(uri)  # a list that could never be published is refused now
    return StatusReference(uri, register.reserve_index(uri, entries=entries, now=now, randbelow=secrets.randbelow))
