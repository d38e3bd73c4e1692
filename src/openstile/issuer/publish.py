"""From the register to a signed status list, and from there to the folder that a web server shows."""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from openstile.issuer.register import PassRegister
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey
from openstile.passes.status_list import StatusList, StatusListError, pack_bits, read_status_list, sign_status_list
from openstile.terms import BadInputError
from openstile.terms.files import create_durably, sync_folder
from openstile.terms.limits import STATUS_TOKEN_BYTES_MAX

FORGOTTEN_AFTER = timedelta(days=7)
"""How long after its end a pass stays in the register."""
WITHDRAWN_HELD_FOR = timedelta(days=30)
"""How long after that the index of a withdrawn pass is given to no other: no list that gates rely on is older."""
CLOCK_BEHIND = timedelta(seconds=60)
"""How far the clock may be behind the last list, and a new one is still made, one second after that."""

_FORGOTTEN_AT_ONCE = 50_000
"""Of a season that ended for all on one day: about a second."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}")


def build_status_token(
    register: PassRegister,
    *,
    issuer_key: IssuerKey,
    uri: str,
    entries: int,
    now: datetime,
    valid_for: timedelta,
    ttl_s: int,
) -> bytes:
    """The signed list at `uri` as of now, later by a second or more than the one before.

    It lasts for `valid_for`, but no longer than its key. Passes that ended FORGOTTEN_AFTER ago are forgotten first.
    Raises BadInputError when the clock is behind the last list, or a value cannot go into a list.
    """
    second = now.astimezone(UTC).replace(microsecond=0)
    while forget_ended(register, now=second, at_most=_FORGOTTEN_AT_ONCE) == _FORGOTTEN_AT_ONCE:
        pass  # in parts: who issues passes waits for each, and not longer than SQLite lets it
    with register.begin_list(uri, entries=entries, issued_at=second) as snapshot:
        if snapshot.issued_at > second + CLOCK_BEHIND:
            raise BadInputError(
                f"clock: says {second:%Y-%m-%d %H:%M:%S} UTC, but the last status list was issued just before "
                f"{snapshot.issued_at:%Y-%m-%d %H:%M:%S} and gates refuse an older one; set the clock right"
            )
        bits = pack_bits(entries=snapshot.entries, indices=snapshot.withdrawn)
    return sign_status_list(
        issuer_key=issuer_key,
        uri=uri,
        bits=bits,
        issued_at=snapshot.issued_at,
        expires=min(snapshot.issued_at + valid_for, issuer_key.public.not_after),
        ttl_s=ttl_s,
    )


def forget_ended(register: PassRegister, *, now: datetime, at_most: int) -> int:
    """Forgets passes that ended FORGOTTEN_AFTER ago, at most so many; returns how many."""
    return register.forget_expired(now - FORGOTTEN_AFTER, held_until=now + WITHDRAWN_HELD_FOR, at_most=at_most)


def says_the_same(built: StatusList, register: PassRegister) -> bool:
    """Whether `built` says what a list made now would say."""
    entries = register.entries(built.uri)
    if entries is None:
        return not any(built.bits)
    return built.bits == pack_bits(entries=entries, indices=register.withdrawn_indices(built.uri))


def list_file_name(uri: str) -> str:
    """The file for the list at `uri`: the last part of the address, ending in .cwt. Raises BadInputError."""
    last = urlsplit(uri).path.rpartition("/")[2]
    if not _FILE_NAME.fullmatch(last):
        raise BadInputError(
            f"status list {uri}: the last part of its address is to be the name of its file; use letters, digits, "
            "dots and hyphens, as in https://passes.example.org/status/1"
        )
    return f"{last.removesuffix('.cwt')}.cwt"


def read_list_file(path: Path) -> bytes | None:
    """The bytes of a list in a file, at most one more than a list may have; None when there is none.

    Raises BadInputError for what is no ordinary file or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInputError(f"{path}: is not an ordinary file; give another")
            return file.read(STATUS_TOKEN_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}; give a file that you can read") from None


def publish(token: bytes, folder: Path, *, issuers: Iterable[TrustedIssuer], mode: int = 0o644) -> Path:
    """Puts a signed list into `folder` in one step, readable by all, for any web server to show.

    A newer list that lies there stays; one that none of `issuers` signed is replaced, for gates refuse it too. Raises
    BadInputError and StatusListError.
    """
    trusted = tuple(issuers)
    made = read_status_list(token, issuers=trusted)
    path = folder / list_file_name(made.uri)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _alone_in(folder):
            there = read_list_file(path)
            if there != token:
                _check_may_replace(path, there, made, trusted)
                _write_whole(path, token, mode)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be written: {error.strerror}; give another folder") from None
    return path


def _check_may_replace(path: Path, there: bytes | None, made: StatusList, issuers: tuple[TrustedIssuer, ...]) -> None:
    if there is None:
        return
    try:
        published = read_status_list(there, issuers=issuers)
    except StatusListError:
        return
    if published.uri != made.uri:
        raise BadInputError(f"{path}: is the list of {published.uri}; publish {made.uri} into another folder")
    if published.issued_at >= made.issued_at:
        raise BadInputError(
            f"{path}: was issued {published.issued_at}, this one {made.issued_at}; gates refuse what is not newer. "
            "Set the clock right and build again; after a restored register, withdraw again what was withdrawn since"
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One publisher at a time: what is compared is what is replaced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_whole(path: Path, data: bytes, mode: int) -> None:
    part = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        create_durably(part, data)
        part.chmod(mode)  # whatever the umask
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()
    sync_folder(path.parent)
