"""A folder of keys: create, list, rotate, retire, revoke, and give the public halves away.

What each key is used for is in openstile.passes.keystate; what a change would do is said first, by
openstile.passes.rotation.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from openstile.passes.hardware import HardwareToken, import_agreement_key
from openstile.passes.hpke import SoftwareKeyAgreement
from openstile.passes.keychanges import check_retirement, retired, retired_by, revoked, with_news
from openstile.passes.keyfile import Role, StoredKey, decode_key, encode_key
from openstile.passes.keyfolder import KeyFolder
from openstile.passes.keymaking import KEY_DAYS, KeyOrder, make_key
from openstile.passes.keyring import GateKeyring, Retirement, TrustedIssuer
from openstile.passes.keys import (
    GateGroupKey,
    GateGroupPublicKey,
    GateTransportKey,
    IssuerKey,
    IssuerPublicKey,
    OperatorKey,
    OperatorPublicKey,
)
from openstile.passes.keystate import KeyInfo, describe_keys, is_retired, newest_active
from openstile.passes.signing import Algorithm
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import KEYS_MAX


class KeyStore:
    """The keys in one folder. It is made, with its first key, when it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = KeyFolder(folder)

    def create(
        self,
        role: Role,
        name: str,
        *,
        now: datetime,
        algorithm: Algorithm = Algorithm.EDDSA,
        active_from: datetime | None = None,
        valid_for: timedelta = timedelta(days=KEY_DAYS),
        hardware: HardwareToken | None = None,
    ) -> KeyInfo:
        """The first key of a role and name; `algorithm` is that of a role that signs. In the token, where one is given.

        Used at once, or from `active_from` on.
        """
        if self._named(role, name):
            raise BadInputError(f"{role.value} {name}: has a key already; use rotate to replace it")
        order = KeyOrder(role, name, algorithm, active_from, valid_for, hardware)
        return self._add(order, generation=1, now=now)

    def rotate(
        self,
        role: Role,
        name: str,
        *,
        now: datetime,
        active_from: datetime | None = None,
        valid_for: timedelta = timedelta(days=KEY_DAYS),
        hardware: HardwareToken | None = None,
    ) -> KeyInfo:
        """A new key in place of the last, which stays as previous. Same algorithm.

        Gates that hold it accept it at once; new things are made with it at once too, or from `active_from` on: until
        then it can reach every gate. Only one key at a time may wait so.
        """
        newest = self.check_rotation(role, name, now=now, waits=active_from is not None and active_from > now)
        order = KeyOrder(role, name, _algorithm_of(newest), active_from, valid_for, hardware)
        return self._add(order, generation=newest.generation + 1, now=now)

    def check_rotation(self, role: Role, name: str, *, now: datetime, waits: bool) -> StoredKey:
        """The newest key, which `rotate` would replace, now or (`waits`) later. Raises BadInputError as it would."""
        newest = self._newest_own(role, name)
        if waits and newest.active_from > now and not newest.revoked:
            raise BadInputError(
                f"{role.value} {name}: key {newest.public.kid.hex()} is next already, from "
                f"{newest.active_from:%Y-%m-%d %H:%M} UTC on; wait, or replace it at once with --overlap-hours 0"
            )
        self._check_room(self._files.load())
        return newest

    def replace_in_emergency(
        self,
        role: Role,
        name: str,
        *,
        now: datetime,
        grace: timedelta = timedelta(0),
        valid_for: timedelta = timedelta(days=KEY_DAYS),
        hardware: HardwareToken | None = None,
    ) -> KeyInfo:
        """A new key, current at once, because the ones before are in other hands.

        Those of a gate group retire after `grace`: whoever has them opens passes but can make none. Those of any other
        role are revoked now. The new key is made first, so that a disk that fails half-way leaves no gap.
        """
        before = [key for key in self._named(role, name) if not key.revoked and not is_retired(key, now=now)]
        made = self.rotate(role, name, now=now, valid_for=valid_for, hardware=hardware)
        for key in before:
            try:
                goes = partial(retired_by, at=now + grace) if role is Role.GATE_GROUP else partial(revoked, now=now)
                self._files.change(key.public.kid, goes)
            except OpenstileError as error:
                what = "retire" if role is Role.GATE_GROUP else "revoke"
                raise BadInputError(
                    f"{error}; key {made.kid} is made and current, but {key.public.kid.hex()} is as it was: "
                    f"run openstile keys {what} for it"
                ) from None
        return made

    def revoke(self, kid: str, *, now: datetime) -> KeyInfo:
        """Marks the key of this id (hexadecimal) as revoked, for good. Revoking it again changes nothing."""
        key = self._of_kid(kid)
        self._files.change(key.public.kid, lambda known: known if known.revoked else revoked(known, now=now))
        return self._info(kid, now)

    def retire(self, kid: str, *, at: datetime | None, now: datetime) -> KeyInfo:
        """Lets passes sealed to a gate-group key be outdated from `at` on; None takes a retirement back.

        Until it is reached a retirement may be moved, earlier or later but not past the key's last day, or taken back.
        From then on it is final. Elsewhere an import only ever moves it earlier. Raises BadInputError, also where no
        newer key would be there by then to seal passes to.
        """
        key = self.check_retirement(kid, at=at, now=now)
        goes = partial(replace, retired_at=None) if at is None else partial(retired, at=max(at, now))
        self._files.change(key.public.kid, goes)
        return self._info(kid, now)

    def check_retirement(self, kid: str, *, at: datetime | None, now: datetime) -> StoredKey:
        """The key that `retire` would change. Raises BadInputError as it would."""
        key = self._of_kid(kid)
        check_retirement(self._named(key.role, key.name), key, at=at, now=now)
        return key

    def list_keys(self, *, now: datetime) -> tuple[KeyInfo, ...]:
        """All keys, by role, name and generation."""
        return describe_keys(self._files.load(), now=now)

    def public_keys(self, role: Role, name: str | None = None) -> tuple[StoredKey, ...]:
        """The keys of a role, of one name or of all, by name and generation, without their private halves."""
        keys = (key for key in self._files.load() if key.role is role and name in (None, key.name))
        return tuple(replace(key, private=None) for key in keys)

    def issuer_key(self, name: str | None = None, *, now: datetime) -> IssuerKey:
        """The current key of an issuer, for signing. The name may be left out where there is one issuer."""
        key = self._current(Role.ISSUER, name, now).issuer_key()
        if key is None:
            raise BadInputError(f"issuer {name or ''}: only its public key is here; sign where the private one is")
        return key

    def operator_key(self, name: str | None = None, *, now: datetime) -> OperatorKey:
        """The current key of an operator, for signing bundles. The name may be left out where there is one."""
        key = self._current(Role.OPERATOR, name, now).operator_key()
        if key is None:
            raise BadInputError(f"operator {name or ''}: only its public key is here; sign where the private one is")
        return key

    def operators(self) -> tuple[OperatorPublicKey, ...]:
        """The operators' keys by which bundles are verified: all that are not revoked."""
        keys = (key.public for key in self._files.load() if not key.revoked)
        return tuple(public for public in keys if isinstance(public, OperatorPublicKey))

    def gate_group_public_key(self, name: str | None = None, *, now: datetime) -> GateGroupPublicKey:
        """The current key of a gate group, for sealing. The name may be left out where there is one gate group."""
        public = self._current(Role.GATE_GROUP, name, now).public
        assert isinstance(public, GateGroupPublicKey)
        return public

    def transport_keys(self, name: str | None = None) -> tuple[GateTransportKey, ...]:
        """The keys with which a gate opens what a bundle holds for it alone: all that are not revoked, newest first."""
        keys = [key for key in self._files.load() if key.role is Role.GATE and name in (None, key.name)]
        if len({key.name for key in keys}) > 1:
            raise BadInputError(f"gate: there are several, name one of {', '.join(sorted({key.name for key in keys}))}")
        opening = (key.transport_key() for key in reversed(keys) if not key.revoked)
        return tuple(key for key in opening if key is not None)

    def transport_key(self, name: str | None = None) -> GateTransportKey:
        """The newest of `transport_keys`. Raises BadInputError where there is none."""
        keys = self.transport_keys(name)
        if not keys:
            raise BadInputError(f"gate{f' {name}' if name else ''}: has no key of its own in {self.folder}; create one")
        return keys[0]

    def gate_keyring(self) -> GateKeyring:
        """What a gate holds: the gate-group keys that are not revoked, and all issuers' public keys."""
        keys = self._files.load()
        opening = tuple(key.gate_group_key() for key in keys if not key.revoked)
        return GateKeyring(
            gate_group_keys=tuple(key for key in opening if key is not None),
            issuers=tuple(TrustedIssuer(k.public, k.revoked) for k in keys if isinstance(k.public, IssuerPublicKey)),
            retirements=tuple(Retirement(key.public.kid, key.retired_at) for key in keys if key.retired_at is not None),
        )

    def export_public(self, kid: str) -> bytes:
        """The public half of a key, with its state, to be imported elsewhere."""
        return encode_key(self._of_kid(kid), with_private=False)

    def import_public(self, data: bytes, *, what: str, now: datetime) -> KeyInfo:
        """Takes in an exported public half. A key that is here keeps its private half.

        Revoked stays revoked, and a retirement only ever moves earlier. Refuses, with BadInputError, a new key for a
        name whose private half is here: it would take the place of our own, and passes would be sealed to whoever made
        it.
        """
        imported = replace(decode_key(data, what=what), private=None)
        keys = self._files.load()
        same = next((key for key in keys if key.public.kid == imported.public.kid), None)
        if same is None:
            if any(key.private and (key.role, key.name) == (imported.role, imported.name) for key in keys):
                raise BadInputError(
                    f"{what}: is another key of {imported.role.value} {imported.name}, whose own key is here already; "
                    "make new ones with rotate"
                )
            self._check_room(keys)
            self._files.write(imported, replacing=False)
        else:
            self._files.change(same.public.kid, lambda known: with_news(known, imported, now=now))
        return self._info(imported.public.kid.hex(), now)

    def add_gate_group_private(
        self, key: GateGroupKey, *, now: datetime, hardware: HardwareToken | None = None
    ) -> KeyInfo:
        """Takes in a gate-group key that came with its private half, from an operator this gate trusts.

        Into the token where one is given. A key that is here with its private half stays as it is. Raises BadInputError
        where the key of this id here is another, and where the private half does not lie in memory.
        """
        kid = key.public.kid.hex()
        if not isinstance(key.agreement, SoftwareKeyAgreement):
            raise BadInputError(f"gate-group key {kid}: its private half is in hardware already")
        keys = self._files.load()
        same = next((known for known in keys if known.public.kid == key.public.kid), None)
        if same is not None and same.public != key.public:
            raise BadInputError(f"gate-group key {kid}: is not the one of this id here; ask where it is from")
        if same is not None and same.private is not None:
            return self._info(kid, now)
        taken = same or self._next_of_group(key.public, keys, now)
        private = key.agreement.private
        held = private if hardware is None else import_agreement_key(hardware, private)
        if self._files.change(key.public.kid, lambda known: replace(known, private=known.private or held)) is None:
            self._files.write(replace(taken, private=held), replacing=False)
        return self._info(kid, now)

    def _next_of_group(self, public: GateGroupPublicKey, keys: list[StoredKey], now: datetime) -> StoredKey:
        self._check_room(keys)
        made = now.astimezone(UTC).replace(microsecond=0)
        before = (key.generation for key in keys if (key.role, key.name) == (Role.GATE_GROUP, str(public.audience)))
        return StoredKey(public, max(before, default=0) + 1, created=made, active_from=made, private=None)

    def _add(self, order: KeyOrder, *, generation: int, now: datetime) -> KeyInfo:
        self._check_room(self._files.load())
        key = make_key(order, generation=generation, now=now)
        self._files.write(key, replacing=False)
        return self._info(key.public.kid.hex(), now)

    def _info(self, kid: str, now: datetime) -> KeyInfo:
        return next(info for info in self.list_keys(now=now) if info.kid == kid)

    def _check_room(self, keys: list[StoredKey]) -> None:
        if len(keys) >= KEYS_MAX:
            raise BadInputError(f"{self.folder}: cannot hold more than {KEYS_MAX} keys; remove those that no pass uses")

    def _named(self, role: Role, name: str) -> list[StoredKey]:
        return [key for key in self._files.load() if (key.role, key.name) == (role, name)]

    def _newest_own(self, role: Role, name: str) -> StoredKey:
        named = self._named(role, name)
        if not named:
            raise BadInputError(f"{role.value} {name}: has no key here; create one first")
        if named[-1].private is None:
            raise BadInputError(f"{role.value} {name}: only its public key is here; rotate where the private one is")
        return named[-1]

    def _of_kid(self, kid: str) -> StoredKey:
        found = next((key for key in self._files.load() if key.public.kid.hex() == kid), None)
        if found is None:
            raise BadInputError(f"key {kid[:32]!r}: is not in {self.folder}; list the keys to see their ids")
        return found

    def _current(self, role: Role, name: str | None, now: datetime) -> StoredKey:
        keys = [key for key in self._files.load() if key.role is role and name in (None, key.name)]
        names = sorted({key.name for key in keys})
        if not names:
            raise BadInputError(f"{role.value}{f' {name}' if name else ''}: has no key in {self.folder}; create one")
        if len(names) > 1:
            raise BadInputError(f"{role.value}: there are several, name one of {', '.join(names)}")
        newest = newest_active(keys, now=now)
        if newest is None:
            raise BadInputError(f"{role.value} {names[0]}: its key is active from {keys[0].active_from} on; wait")
        if newest.revoked or is_retired(newest, now=now):
            what = "revoked" if newest.revoked else "retired"
            raise BadInputError(f"{role.value} {names[0]}: its newest key is {what}; rotate it")
        return newest


def _algorithm_of(key: StoredKey) -> Algorithm:
    return Algorithm(key.algorithm) if key.role in (Role.ISSUER, Role.OPERATOR) else Algorithm.EDDSA
