"""A folder of keys: create, list, rotate, revoke, and give the public halves away.

One file per key, 0600 in a folder of 0700, written whole or not at all. Of the keys of one role and name the highest
generation is current; the ones before it are previous: they still open and verify, but nothing new is made with them.
"""

import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from openstile.passes.claims import Audience
from openstile.passes.hpke import SoftwareKeyAgreement
from openstile.passes.keyfile import Role, StoredKey, check_private, decode_key, encode_key, read_private
from openstile.passes.keyring import GateKeyring, TrustedIssuer
from openstile.passes.keys import (
    Algorithm,
    GateGroupPublicKey,
    IssuerKey,
    SoftwareSigner,
    generate_gate_group_key,
    generate_issuer_key,
)
from openstile.terms import BadInputError
from openstile.terms.files import write_whole
from openstile.terms.limits import KEY_DAYS_MAX, KEYS_MAX

KEY_DAYS = 5 * 366
"""How long a key lasts unless said otherwise: two years beyond the longest pass, so that rotation is never urgent."""


class KeyState(Enum):
    """What a key is used for now."""

    CURRENT = "current"
    """New passes are made with it."""
    PREVIOUS = "previous"
    """It opens or verifies what was made with it before."""
    REVOKED = "revoked"
    """Nothing made with it is accepted."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    role: Role
    name: str
    kid: str
    algorithm: str
    generation: int
    created: datetime
    not_after: datetime
    state: KeyState
    has_private: bool


class KeyStore:
    """The keys in one folder. It is made, with its first key, when it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(
        self,
        role: Role,
        name: str,
        *,
        now: datetime,
        algorithm: Algorithm = Algorithm.EDDSA,
        valid_for: timedelta = timedelta(days=KEY_DAYS),
    ) -> KeyInfo:
        """The first key of a role and name: an issuer, or `operator/gate-group` (which has no choice of algorithm)."""
        if self._named(role, name):
            raise BadInputError(f"{role.value} {name}: has a key already; use rotate to replace it")
        return self._add(role, name, generation=1, now=now, algorithm=algorithm, valid_for=valid_for)

    def rotate(
        self, role: Role, name: str, *, now: datetime, valid_for: timedelta = timedelta(days=KEY_DAYS)
    ) -> KeyInfo:
        """A new current key in place of the last, which stays as previous. Same algorithm."""
        named = self._named(role, name)
        if not named:
            raise BadInputError(f"{role.value} {name}: has no key here; create one first")
        if named[-1].private is None:
            raise BadInputError(f"{role.value} {name}: only its public key is here; rotate where the private one is")
        algorithm = Algorithm(named[-1].algorithm) if role is Role.ISSUER else Algorithm.EDDSA
        generation = named[-1].generation + 1
        return self._add(role, name, generation=generation, now=now, algorithm=algorithm, valid_for=valid_for)

    def revoke(self, kid: str) -> KeyInfo:
        """Marks the key of this id (hexadecimal) as revoked, for good. Revoking it again changes nothing."""
        key = self._of_kid(kid)
        self._write(replace(key, revoked=True), replacing=True)
        return next(info for info in self.list_keys() if info.kid == kid)

    def list_keys(self) -> tuple[KeyInfo, ...]:
        """All keys, by role, name and generation."""
        keys = self._load()
        newest = {(key.role, key.name): key.generation for key in keys}
        return tuple(_info(key, is_newest=newest[key.role, key.name] == key.generation) for key in keys)

    def issuer_key(self, name: str | None = None) -> IssuerKey:
        """The current key of an issuer, for signing. The name may be left out where there is one issuer."""
        key = self._current(Role.ISSUER, name).issuer_key()
        if key is None:
            raise BadInputError(f"issuer {name or ''}: only its public key is here; sign where the private one is")
        return key

    def gate_group_public_key(self, name: str | None = None) -> GateGroupPublicKey:
        """The current key of a gate group, for sealing. The name may be left out where there is one gate group."""
        public = self._current(Role.GATE_GROUP, name).public
        assert isinstance(public, GateGroupPublicKey)
        return public

    def gate_keyring(self) -> GateKeyring:
        """What a gate holds: the gate-group keys that are not revoked, and all issuers' public keys."""
        keys = self._load()
        opening = tuple(key.gate_group_key() for key in keys if not key.revoked)
        issuers = ((key.public, key.revoked) for key in keys)
        return GateKeyring(
            gate_group_keys=tuple(key for key in opening if key is not None),
            issuers=tuple(TrustedIssuer(key, gone) for key, gone in issuers if not isinstance(key, GateGroupPublicKey)),
        )

    def export_public(self, kid: str) -> bytes:
        """The public half of a key, with its state, to be imported elsewhere."""
        return encode_key(self._of_kid(kid), with_private=False)

    def import_public(self, data: bytes, *, what: str) -> KeyInfo:
        """Takes in an exported public half. A key that is here keeps its private half; revoked stays revoked.

        Refuses a new key for a name whose private half is here: it would take the place of our own, and passes would be
        sealed to whoever made it. Raises BadInputError.
        """
        imported = replace(decode_key(data, what=what), private=None)
        keys = self._load()
        same = [key for key in keys if key.public.kid == imported.public.kid]
        if not same:
            if any(key.private and (key.role, key.name) == (imported.role, imported.name) for key in keys):
                raise BadInputError(
                    f"{what}: is another key of {imported.role.value} {imported.name}, whose own key is here already; "
                    "make new ones with rotate"
                )
            self._check_room(keys)
            self._write(imported, replacing=False)
        elif imported.revoked and not same[0].revoked:
            self._write(replace(same[0], revoked=True), replacing=True)
        kid = imported.public.kid.hex()
        return next(info for info in self.list_keys() if info.kid == kid)

    def _add(
        self, role: Role, name: str, *, generation: int, now: datetime, algorithm: Algorithm, valid_for: timedelta
    ) -> KeyInfo:
        if not timedelta(days=1) <= valid_for <= timedelta(days=KEY_DAYS_MAX):
            raise BadInputError(f"{role.value} {name}: a key lasts 1 to {KEY_DAYS_MAX} days")
        self._check_room(self._load())
        created = now.astimezone(UTC).replace(microsecond=0)
        key = _generate(role, name, generation, created, created + valid_for, algorithm)
        self._write(key, replacing=False)
        return _info(key, is_newest=True)

    def _check_room(self, keys: list[StoredKey]) -> None:
        if len(keys) >= KEYS_MAX:
            raise BadInputError(f"{self.folder}: cannot hold more than {KEYS_MAX} keys; remove those that no pass uses")

    def _named(self, role: Role, name: str) -> list[StoredKey]:
        return [key for key in self._load() if (key.role, key.name) == (role, name)]

    def _of_kid(self, kid: str) -> StoredKey:
        found = next((key for key in self._load() if key.public.kid.hex() == kid), None)
        if found is None:
            raise BadInputError(f"key {kid[:32]!r}: is not in {self.folder}; list the keys to see their ids")
        return found

    def _current(self, role: Role, name: str | None) -> StoredKey:
        keys = [key for key in self._load() if key.role is role and name in (None, key.name)]
        names = sorted({key.name for key in keys})
        if not names:
            raise BadInputError(f"{role.value}{f' {name}' if name else ''}: has no key in {self.folder}; create one")
        if len(names) > 1:
            raise BadInputError(f"{role.value}: there are several, name one of {', '.join(names)}")
        if keys[-1].revoked:
            raise BadInputError(f"{role.value} {names[0]}: its newest key is revoked; rotate it")
        return keys[-1]

    def _load(self) -> list[StoredKey]:
        """All keys, ordered by role, name and generation. A folder that does not exist holds none."""
        try:
            status = self.folder.lstat()
        except FileNotFoundError:
            return []
        check_private(status, self.folder, is_kind=stat.S_ISDIR)
        paths = sorted(path for path in self.folder.iterdir() if path.suffix == ".json" and path.name[0] != ".")
        if len(paths) > KEYS_MAX:
            raise BadInputError(f"{self.folder}: holds more than {KEYS_MAX} keys; remove those that no pass uses")
        keys = [_load_file(path) for path in paths]
        return sorted(keys, key=lambda key: (key.role.value, key.name, key.generation))

    def _write(self, key: StoredKey, *, replacing: bool) -> None:
        """Writes whole or not at all, durably. A new key never takes the place of another."""
        path = self.folder / key.file_name
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_private(self.folder.lstat(), self.folder, is_kind=stat.S_ISDIR)
            write_whole(path, encode_key(key, with_private=True), replacing=replacing)
        except FileExistsError:
            raise BadInputError(f"{path}: is there already; another key of this name was just made") from None
        except OSError as error:
            raise BadInputError(f"{path}: cannot be written: {error.strerror}; nothing was changed") from None


def _info(key: StoredKey, *, is_newest: bool) -> KeyInfo:
    state = KeyState.CURRENT if is_newest else KeyState.PREVIOUS
    return KeyInfo(
        role=key.role,
        name=key.name,
        kid=key.public.kid.hex(),
        algorithm=key.algorithm,
        generation=key.generation,
        created=key.created,
        not_after=key.public.not_after,
        state=KeyState.REVOKED if key.revoked else state,
        has_private=key.private is not None,
    )


def _generate(
    role: Role, name: str, generation: int, created: datetime, not_after: datetime, algorithm: Algorithm
) -> StoredKey:
    if role is Role.ISSUER:
        issuer = generate_issuer_key(name=name, algorithm=algorithm, not_after=not_after)
        assert isinstance(issuer.signer, SoftwareSigner)
        return StoredKey(issuer.public, generation, created, revoked=False, private=issuer.signer.private)
    group = generate_gate_group_key(audience=Audience.parse(name), not_after=not_after)
    assert isinstance(group.agreement, SoftwareKeyAgreement)
    return StoredKey(group.public, generation, created, revoked=False, private=group.agreement.private)


def _load_file(path: Path) -> StoredKey:
    key = decode_key(read_private(path), what=str(path))
    if key.file_name != path.name:
        raise BadInputError(f"{path}: holds the key of {key.file_name}; rename it back")
    return key
