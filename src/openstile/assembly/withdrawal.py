"""Withdrawing passes wired up: from what a person names, through the register, to the lists that gates read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from openstile.assembly.devices import read_presented
from openstile.assembly.trust import keyring_in_use
from openstile.assembly.wire import Installation
from openstile.issuer import PassRegister, PassState, RegisteredPass, build_status_token, publish
from openstile.issuer.publish import list_file_name, read_list_file, says_the_same
from openstile.issuer.register import StateChange
from openstile.passes import inspect_pass
from openstile.passes.status_list import StatusList, StatusListError, read_status_list
from openstile.terms import BadInputError, PassId
from openstile.terms.limits import PASS_ID_BYTES, REGISTER_IDS_BYTES_MAX
from openstile.trust.folder import TrustFolder

_DIGITS_MIN = 8
"""Of a pass id; so many are printed on the card."""
_ID = re.compile(rf"[0-9a-fA-F]{{{_DIGITS_MIN},{2 * PASS_ID_BYTES}}}")
_SIGNED = b"\xd2"
"""The first byte of a signed list: CBOR tag 18. No pass in a file begins with it."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A status list, and the file in which it lies. `fresh`: it was built just now."""

    status_list: StatusList
    path: Path
    bytes_count: int
    fresh: bool = False

    @property
    def withdrawn(self) -> int:
        """How many passes it says are withdrawn."""
        return int.from_bytes(self.status_list.bits).bit_count()


@dataclass(frozen=True, slots=True)
class PassView:
    """How a pass stands: in the register, and in the list that was built last.

    `in_list` says whether that list has it withdrawn; None without such a list.
    """

    registered: RegisteredPass
    changes: tuple[StateChange, ...]
    in_list: bool | None
    built: ListFile | None


@contextmanager
def open_existing_register(installation: Installation) -> Iterator[PassRegister]:
    """The register of passes that were issued here. Raises BadInputError when none was: looking makes no register."""
    path = installation.home.register
    if not path.exists():
        raise BadInputError(f"register {path}: does not exist; no pass has been issued in this home yet")
    with PassRegister.open(path) as register:
        yield register


def is_pass_id(name: str) -> bool:
    """Whether `name` is a pass id or the beginning of one, and so no file (which can be given as ./name)."""
    return _ID.fullmatch(name) is not None


def find_passes(installation: Installation, register: PassRegister, names: Sequence[str]) -> tuple[RegisteredPass, ...]:
    """The passes that `names` mean, each once: ids, the first digits of ids, or files that hold a pass.

    Raises BadInputError naming the first that is none, not issued here, or more than one.
    """
    found = (_find(installation, register, name) for name in names)
    return tuple({registered.pass_id: registered for registered in found}.values())


def read_names(path: Path) -> tuple[str, ...]:
    """The pass ids in a file, one a line; empty lines and what follows a # say nothing. Raises BadInputError."""
    try:
        with path.open("rb") as file:
            data = file.read(REGISTER_IDS_BYTES_MAX + 1)
        text = data.decode("ascii")
    except OSError as error:
        raise BadInputError(f"--from {path}: {error.strerror}; give a file with one pass id a line") from None
    except UnicodeDecodeError:
        raise BadInputError(f"--from {path}: is not a text of pass ids; give one id a line") from None
    if len(data) > REGISTER_IDS_BYTES_MAX:
        raise BadInputError(f"--from {path}: larger than {REGISTER_IDS_BYTES_MAX} bytes; give it in parts")
    names = []
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.partition("#")[0].strip()
        if name and not is_pass_id(name):
            raise BadInputError(f"--from {path}: line {number} is no pass id; write 32 hexadecimal digits")
        names += [name] if name else []
    if not names:
        raise BadInputError(f"--from {path}: holds no pass id; give one a line")
    return tuple(names)


def change_states(
    installation: Installation, passes: Iterable[RegisteredPass], state: PassState
) -> tuple[RegisteredPass, ...]:
    """Changes how these passes stand, all or none; returns those that stood otherwise before."""
    chosen = tuple(passes)
    now = installation.clock.now().replace(microsecond=0)
    with open_existing_register(installation) as register:
        after = register.set_states((one.pass_id for one in chosen), state, at=now)
    return tuple(new for new, old in zip(after, chosen, strict=True) if new.state is not old.state)


def build_lists(installation: Installation) -> tuple[ListFile, ...]:
    """Builds and signs every status list of this issuer as of now, into the home.

    A gate in the same home goes by it from now on. Raises BadInputError when there is no list to build.
    """
    with PassRegister.open(installation.home.register) as register:
        return tuple(_build(installation, register, uri) for uri in _addresses(installation, register))


def refresh_lists(installation: Installation) -> int:
    """Builds those lists anew that are old or whose passes changed; returns how many, 0 also where there are none.

    Raises BadInputError.
    """
    with PassRegister.open(installation.home.register) as register:
        if not (installation.settings.issuer.status_list_uri or register.lists()):
            return 0
        addresses = _addresses(installation, register)
        stale = [uri for uri in addresses if _still_good(installation, register, uri) is None]
        for uri in stale:
            _build(installation, register, uri)
    return len(stale)


def publish_lists(installation: Installation, folder: Path) -> tuple[ListFile, ...]:
    """Puts every status list of this issuer into `folder`; built anew unless one younger than half its time to live
    says what is so. Raises BadInputError, StatusListError.
    """
    issuers = installation.keys.gate_keyring().issuers
    published = []
    with PassRegister.open(installation.home.register) as register:
        for uri in _addresses(installation, register):
            built = _still_good(installation, register, uri) or _build(installation, register, uri)
            token = read_list_file(built.path)
            if token is None:
                raise BadInputError(f"{built.path}: is gone; run again")
            path = publish(token, folder, issuers=issuers)
            published.append(ListFile(built.status_list, path, len(token), built.fresh))
    return tuple(published)


def built_lists(installation: Installation, uri: str | None = None) -> tuple[ListFile, ...]:
    """The lists that were built last, of all addresses or of one. Raises BadInputError when there are none."""
    if installation.home.register.exists():
        with open_existing_register(installation) as register:
            known = register.lists()
    else:
        known = ()
    wanted = known if uri is None else (uri,)
    found = [_built(installation, address) for address in wanted]
    lists = tuple(one for one in found if one is not None)
    if not lists:
        raise BadInputError(f"status list{f' {uri}' if uri else ''}: none was built here; run: openstile status build")
    return lists


def read_list(installation: Installation, path: Path) -> ListFile:
    """The list in a file, verified with the issuers' keys in the home or its bundle, also when its time is over."""
    data = read_list_file(path)
    if data is None:
        raise BadInputError(f"{path}: no such file; give a status list, a pass or a pass id")
    told, held = keyring_in_use(installation.home).issuers, installation.keys.gate_keyring().issuers
    known = {issuer.key.kid: issuer for issuer in (*held, *told)}  # one that is revoked here is so in both
    return ListFile(read_status_list(data, issuers=known.values()), path, len(data))


def is_list_file(path: Path) -> bool:
    """Whether the file at `path` is to be taken for a status list rather than for a pass."""
    data = read_list_file(path)
    return path.suffix == ".cwt" or (data is not None and data.startswith(_SIGNED))


def view_pass(installation: Installation, name: str) -> PassView:
    """How the pass that `name` means stands."""
    with open_existing_register(installation) as register:
        registered = _find(installation, register, name)
        changes = register.changes(registered.pass_id)
    built = _built(installation, registered.status.uri) if registered.status else None
    in_list = None
    if built is not None and registered.status is not None and registered.status.index < built.status_list.entries:
        in_list = built.status_list.is_set(registered.status.index)
    return PassView(registered, changes, in_list, built)


def _find(installation: Installation, register: PassRegister, name: str) -> RegisteredPass:
    if is_pass_id(name):
        found = register.beginning(name.lower())
        if len(found) > 1:
            raise BadInputError(f"pass {name}: several passes begin so; give more digits of its id")
    else:
        in_register = register.get(_id_in_file(installation, Path(name)))
        found = () if in_register is None else (in_register,)
    if not found:
        raise BadInputError(f"pass {name}: is not in the register; give the id of a pass that was issued in this home")
    return found[0]


def _id_in_file(installation: Installation, path: Path) -> PassId:
    if not path.exists():
        raise BadInputError(
            f"pass {path}: is neither a file nor a pass id; give {_DIGITS_MIN} or more digits of its id"
        )
    presented = read_presented(path)
    found = inspect_pass(presented, installation.keys.gate_keyring()) if presented else None
    if found is None or found.claims is None:
        why = found.detail if found is not None else "no code of a pass is in it"
        raise BadInputError(f"pass {path}: cannot be opened with the keys in this home ({why}); give its pass id")
    return found.claims.pass_id


def _addresses(installation: Installation, register: PassRegister) -> tuple[str, ...]:
    """Those that passes name, and the one that new passes will: a list that is no longer given out is still needed."""
    configured = installation.settings.issuer.status_list_uri
    addresses = tuple(dict.fromkeys((*register.lists(), *([configured] if configured else []))))
    if not addresses:
        raise BadInputError(
            "issuer.status_list_uri: is empty, so no pass names a status list; set it to the address at which the list "
            "will be published"
        )
    files = [list_file_name(uri) for uri in addresses]
    if len({*files}) < len(files):
        raise BadInputError("issuer.status_list_uri: two addresses end alike, so their files would; use another end")
    return addresses


def _build(installation: Installation, register: PassRegister, uri: str) -> ListFile:
    issuer, now = installation.settings.issuer, installation.clock.now()
    keyring = installation.keys.gate_keyring()
    token = build_status_token(
        register,
        issuer_key=installation.keys.issuer_key(issuer.id, now=now),
        uri=uri,
        entries=register.entries(uri) or issuer.status_list_size,
        now=now,
        valid_for=timedelta(days=issuer.status_list_days),
        ttl_s=issuer.status_list_ttl_s,
    )
    path = publish(token, installation.home.status_lists, issuers=keyring.issuers, mode=0o600)
    if keyring.gate_group_keys:  # a gate in the same home needs no web server to know
        TrustFolder(installation.home.trust).accept_status_list(token, issuers=keyring.issuers, now=now)
    return ListFile(read_status_list(token, issuers=keyring.issuers), path, len(token), fresh=True)


def _built(installation: Installation, uri: str) -> ListFile | None:
    """The list at `uri` that was built last; None when none was, or gates would not take it."""
    path = installation.home.status_lists / list_file_name(uri)
    data = read_list_file(path)
    if data is None:
        return None
    try:
        status_list = read_status_list(data, issuers=installation.keys.gate_keyring().issuers)
    except StatusListError:
        return None
    return ListFile(status_list, path, len(data)) if status_list.uri == uri else None


def _still_good(installation: Installation, register: PassRegister, uri: str) -> ListFile | None:
    built, ttl_s = _built(installation, uri), installation.settings.issuer.status_list_ttl_s
    if built is None or built.status_list.ttl_s != ttl_s:
        return None
    age = installation.clock.now() - built.status_list.issued_at
    young = abs(age) < timedelta(seconds=ttl_s / 2)
    return built if young and says_the_same(built.status_list, register) else None
