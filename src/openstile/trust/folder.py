"""What a gate was told and has in use: accepted only forwards, kept over restarts, read while others write."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from openstile.passes.claims import Audience
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import OperatorPublicKey
from openstile.passes.status_list import StatusList, StatusListError, read_status_list
from openstile.terms.files import write_whole
from openstile.terms.limits import BUNDLE_BYTES_MAX, STATUS_TOKEN_BYTES_MAX
from openstile.trust.bundle import Bundle, BundleError
from openstile.trust.contents import Contents, Write, hash_of
from openstile.trust.etags import Etags
from openstile.trust.floors import BundleFloor, Floors, ListFloor, TrustError, decode_floors
from openstile.trust.signed import read_bundle, reread_bundle

_READS = 5
"""How often a reader looks again when a writer replaced what it was about to read."""


class TrustFolder:
    """The folder `trust` of a gate's home. Made by the first thing that is accepted."""

    def __init__(self, folder: Path, *, write: Write = write_whole) -> None:
        self.folder = folder
        self._contents = Contents(folder, write)
        self._etags = Etags(folder / "etags.json", write)

    def check_bundle(
        self,
        data: bytes,
        *,
        operators: Iterable[OperatorPublicKey],
        audience: Audience,
        now: datetime,
        revoked: Iterable[bytes] = (),
    ) -> Bundle:
        """The bundle in `data`, which this gate would accept now. Changes nothing. As `accept_bundle`."""
        floors = self._contents.floors()
        bundle = _judge(floors, data, operators=operators, audience=audience, now=now, revoked=revoked)
        _raised(floors, data, bundle, now)
        return bundle

    def accept_bundle(
        self,
        data: bytes,
        *,
        operators: Iterable[OperatorPublicKey],
        audience: Audience,
        now: datetime,
        revoked: Iterable[bytes] = (),
        before: Callable[[Bundle], None] = lambda bundle: None,
    ) -> Bundle:
        """Take a bundle into use, and the status lists in it that are newer than those in use.

        `operators` are the keys pinned at this gate; they count until a bundle was accepted, which then names who may
        sign the next. `revoked` are ids of operator keys that may sign nothing, whoever names them. The same bytes
        again are fine, also when they expired. `before` is called once all is verified and before anything is visible:
        what it raises leaves all as it was.
        Raises BundleError, TrustError, and BadInputError when the disk refuses.
        """
        with self._contents.locked():
            floors = self._contents.floors()
            bundle = _judge(floors, data, operators=operators, audience=audience, now=now, revoked=revoked)
            raised, contents = _raised(floors, data, bundle, now)
            before(bundle)
            self._contents.commit(raised, contents)
        return bundle

    def accept_status_list(self, data: bytes, *, issuers: Iterable[TrustedIssuer], now: datetime) -> StatusList:
        """Take a status list into use. The same bytes again are fine.

        Raises StatusListError when it is not one of these issuers', TrustError when it is not newer than the one in
        use, and BadInputError when the disk refuses.
        """
        status_list = read_status_list(data, issuers=issuers, now=now)
        with self._contents.locked():
            floors = self._contents.floors()
            if _is_older(status_list, data, floors):
                raise TrustError(
                    f"status list {status_list.uri}: made {status_list.issued_at}, not after the one in use; "
                    "this gate never goes back, so publish a newer one"
                )
            self._contents.commit(floors.with_list(_floor_of(status_list, data)), {hash_of(data): data})
        return status_list

    def bundle(self) -> Bundle | None:
        """The bundle in use; None before the first. Raises TrustError when it is lost: apply it again."""
        for _ in range(_READS):
            floor = self._contents.floors().bundle
            if floor is None:
                return None
            data = self._contents.content(floor.sha256, BUNDLE_BYTES_MAX)
            if data is not None:
                return reread_bundle(data)
            if self._contents.floors().bundle == floor:
                break
        raise TrustError(f"trust bundle: {self.folder} does not hold it any more; apply it again, or a newer one")

    def status_lists(self, issuers: Iterable[TrustedIssuer]) -> tuple[StatusList, ...]:
        """The lists in use that these issuers signed with keys that are not revoked. One that is lost is not there.

        What follows from a list that is missing is the policy's matter, as for one that is old.
        """
        trusted = tuple(issuers)
        read = []
        for floor in self._contents.floors().lists:
            data = self._list(floor)
            if data is not None:
                with suppress(StatusListError):
                    read.append(read_status_list(data, issuers=trusted))
        return tuple(read)

    def floors(self) -> Floors:
        """What this gate never goes back behind. Raises TrustError when that is damaged."""
        return self._contents.floors()

    def etag(self, uri: str) -> str | None:
        """What the server called the list of this address that is in use; None when the list must be sent again."""
        floors = (floor for floor in self._contents.floors().lists if floor.uri == uri)
        held = (floor.sha256 for floor in floors if self._list(floor) is not None)
        return next((etag for etag in map(self._etags.of, held) if etag is not None), None)

    def keep_etag(self, data: bytes, etag: str) -> None:
        """Remember what the server called these bytes of a list, if that list is in use."""
        with self._contents.locked():
            named = {floor.sha256 for floor in self._contents.floors().lists}
            if hash_of(data) in named:
                self._etags.keep(hash_of(data), etag, among=named)

    def bundle_sha256(self) -> str | None:
        """Of the bundle in use; None before the first, and where it is lost: then it must be sent again."""
        floor = self._contents.floors().bundle
        held = floor is not None and self._contents.content(floor.sha256, BUNDLE_BYTES_MAX) is not None
        return floor.sha256 if floor is not None and held else None

    def fingerprint(self) -> str:
        """Changes when what is in use changes, or comes back after it was lost. Cheap: reads one small file.

        Empty before the first. Raises TrustError when the floors are damaged.
        """
        data = self._contents.floors_bytes()
        return "" if data is None else hash_of(data + self._contents.traces(decode_floors(data)))

    def _list(self, floor: ListFloor) -> bytes | None:
        data = self._contents.content(floor.sha256, STATUS_TOKEN_BYTES_MAX)
        if data is None:  # a writer may have replaced it since the floors were read
            current = self._contents.floors().of_list(floor.issuer, floor.uri)
            if current is not None and current != floor:
                data = self._contents.content(current.sha256, STATUS_TOKEN_BYTES_MAX)
        return data


def _judge(
    floors: Floors,
    data: bytes,
    *,
    operators: Iterable[OperatorPublicKey],
    audience: Audience,
    now: datetime,
    revoked: Iterable[bytes],
) -> Bundle:
    """The bundle in `data` if it may follow the floors. Raises BundleError."""
    floor = floors.bundle
    if floor is not None and floor.sha256 == hash_of(data):
        return reread_bundle(data)
    gone = set(revoked)
    signers = [key for key in (floor.operators if floor else operators) if key.kid not in gone]
    bundle = read_bundle(data, operators=signers, audience=audience, now=now)
    if floor is not None and bundle.sequence <= floor.sequence:
        raise BundleError(
            f"trust bundle: its sequence {bundle.sequence} is not after {floor.sequence}, which is in use; "
            "these gates never go back, so build a newer one"
        )
    return bundle


def _raised(floors: Floors, data: bytes, bundle: Bundle, now: datetime) -> tuple[Floors, dict[str, bytes]]:
    """The floors with this bundle and the lists in it that are newer than those in use, and their contents by hash.

    Raises BundleError for a list that is not of the bundle's own issuers.
    """
    again = floors.bundle is not None and floors.bundle.sha256 == hash_of(data)
    contents = {hash_of(data): data}
    for token in bundle.status_lists:
        try:
            status_list = read_status_list(token, issuers=bundle.issuers, now=None if again else now)
        except StatusListError as error:
            raise BundleError(f"trust bundle: a list in it: {error}") from None
        if not _is_older(status_list, token, floors):
            floors = floors.with_list(_floor_of(status_list, token))
            contents[hash_of(token)] = token
    return replace(floors, bundle=BundleFloor(bundle.sequence, hash_of(data), bundle.operators)), contents


def _is_older(status_list: StatusList, data: bytes, floors: Floors) -> bool:
    """Whether it is behind the floor, or as new as that and another."""
    floor = floors.of_list(status_list.issuer, status_list.uri)
    if floor is None or status_list.issued_at > floor.issued_at:
        return False
    return status_list.issued_at < floor.issued_at or hash_of(data) != floor.sha256


def _floor_of(status_list: StatusList, data: bytes) -> ListFloor:
    return ListFloor(status_list.issuer, status_list.uri, status_list.issued_at, hash_of(data))
