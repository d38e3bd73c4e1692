"""Issuing wired up: every pass is in the register, and has its place in the status list, before it is given away."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from openstile.assembly.home import Home
from openstile.assembly.settings import Settings
from openstile.issuer import PassRegister, PassState, RegisteredPass
from openstile.issuer.publish import forget_ended, list_file_name
from openstile.office.riders.faults import IssuerError
from openstile.office.riders.signing import KnownPass, SignedPass, SignOrder
from openstile.passes.claims import Assurance, Claims, Entitlement, StatusReference
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass, check_lasts, issue_pass, sign_token
from openstile.passes.keys import GateGroupPublicKey, IssuerKey
from openstile.passes.keystore import KeyStore
from openstile.passes.reference import Reference
from openstile.passes.usage import KeyUsage
from openstile.terms import BadInputError, OpenstileError, PassId
from openstile.terms.limits import PASS_ID_BYTES

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
        _add(
            register,
            RegisteredPass(
                pass_id=issued.pass_id,
                product=entitlement.product,
                issuer_kid=issuer_key.public.kid,
                group_kid=gate_group_key.kid,
                token_sha256=sha256(issued.wallet.token).digest(),
                not_before=issued.not_before,
                expires=issued.expires,
                status=status,
            ),
            now,
        )
    return issued


class RegisteringSigner:
    """The issuer of one home, as the office asks it: signs commitments, and keeps the register beside its key."""

    def __init__(self, home: Home, settings: Settings, *, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._home = home
        self._settings = settings
        self._random = random

    def sign(self, order: SignOrder, *, now: datetime) -> SignedPass:
        """Signs and registers a pass for the gates of the settings, from `now` on.

        Raises BadInputError for what cannot go into a pass, IssuerError where nothing can be signed now.
        """
        with _explained(), PassRegister.open(self._home.register) as register:
            issuer_key, group_key, status = self._ready(register, now)
            claims = self._claims(order, issuer_key, group_key, status, now)
            token = sign_token(issuer_key=issuer_key, claims=claims)
            _add(
                register,
                RegisteredPass(
                    pass_id=claims.pass_id,
                    product=claims.entitlement.product,
                    issuer_kid=issuer_key.public.kid,
                    group_kid=group_key.kid,
                    token_sha256=sha256(token).digest(),
                    not_before=claims.not_before,
                    expires=claims.expires,
                    status=claims.status,
                ),
                now,
            )
        return SignedPass(token, claims.pass_id, claims.not_before, claims.expires, group_key)

    def known(self, pass_id: PassId) -> KnownPass | None:
        """The pass in the register, or None. Raises IssuerError."""
        with _explained(), PassRegister.open(self._home.register) as register:
            found = register.get(pass_id)
        if found is None:
            return None
        return KnownPass(found.pass_id, found.product, found.not_before, found.expires, found.state)

    def set_state(self, pass_id: PassId, state: PassState, *, now: datetime) -> None:
        """Says how a pass stands; a pass that names no status list cannot be withdrawn: BadInputError.

        Raises IssuerError.
        """
        with _explained(), PassRegister.open(self._home.register) as register:
            register.set_state(pass_id, state, at=now.astimezone(UTC).replace(microsecond=0))

    def _ready(
        self, register: PassRegister, now: datetime
    ) -> tuple[IssuerKey, GateGroupPublicKey, StatusReference | None]:
        """The keys, and a place in the status list. What is missing is the operator's matter: IssuerError."""
        keys, settings = KeyStore(self._home.keys), self._settings
        try:
            issuer_key = keys.issuer_key(settings.issuer.id, now=now)
            group_key = keys.gate_group_public_key(str(settings.audience()), now=now)
            return issuer_key, group_key, _reserve(register, settings, now)
        except BadInputError as error:
            raise IssuerError(
                "issuer: a key, or room in the status list, is missing; look with openstile keys on its machine"
            ) from error

    def _claims(
        self,
        order: SignOrder,
        issuer_key: IssuerKey,
        group_key: GateGroupPublicKey,
        status: StatusReference | None,
        now: datetime,
    ) -> Claims:
        not_before = now.astimezone(UTC).replace(microsecond=0)
        expires = not_before + timedelta(days=order.valid_days)
        check_lasts(expires, group_key.not_after, what=f"gate group {group_key.audience}")
        return Claims(
            issuer=issuer_key.public.name,
            audience=group_key.audience,
            not_before=not_before,
            expires=expires,
            pass_id=PassId(self._random(PASS_ID_BYTES)),
            entitlement=order.entitlement,
            assurance=order.assurance,
            reference=order.reference,
            status=status,
            holder=order.holder,
        )


@contextmanager
def _explained() -> Iterator[None]:
    """What fails on the office's machine (register, keys, a token that holds them) is told without its files."""
    try:
        yield
    except (BadInputError, IssuerError):
        raise
    except OpenstileError as error:
        raise IssuerError("issuer: its register or keys cannot be used now; look at the office's machine") from error


def key_usage(home: Home, *, now: datetime) -> tuple[KeyUsage, ...]:
    """How many passes that were issued in this home depend on each key. Makes no register."""
    if not home.register.exists():
        return ()
    with PassRegister.open(home.register) as register:
        return register.usage(now=now)


def _add(register: PassRegister, registered: RegisteredPass, now: datetime) -> None:
    register.add(registered)
    if registered.status is None:  # else it is done when a list is built
        forget_ended(register, now=now, at_most=_FORGOTTEN_AT_ONCE)


def _reserve(register: PassRegister, settings: Settings, now: datetime) -> StatusReference | None:
    uri, entries = settings.issuer.status_list_uri, settings.issuer.status_list_size
    if not uri:
        return None
    list_file_name(uri)  # a list that could never be published is refused now
    return StatusReference(uri, register.reserve_index(uri, entries=entries, now=now, randbelow=secrets.randbelow))
