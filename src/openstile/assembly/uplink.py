"""The uplink of one installation: joining an office, sending taps there, changing the key, with everything real."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from openstile.assembly.bundle_apply import accept_bundle
from openstile.assembly.home import Home
from openstile.assembly.refresh import Refreshed
from openstile.assembly.settings import Settings
from openstile.assembly.uplink_address import joined_office, office_of, remember_office
from openstile.assembly.uplink_fault import note_fault, read_fault
from openstile.assembly.wire import Installation
from openstile.gate.uplink import OfficeClient, UplinkTransport, is_office_address
from openstile.gate.uplink_http import HttpTransport
from openstile.gate.uplink_keys import UplinkKeys
from openstile.gate.uplink_sync import Synced, Uplink
from openstile.journal import Journal
from openstile.journal.requests import key_id
from openstile.journal.view import read_sending
from openstile.terms import BadInputError
from openstile.trust import TrustFolder
from openstile.trust.contents import hash_of


@dataclass(frozen=True, slots=True)
class UplinkStatus:
    """Where a gate stands with its office, as far as the gate knows; `fault`: why its last sync failed, if it did."""

    office: str | None
    joined: bool
    kid: str | None
    key_changing: bool
    epoch: str | None
    head_seq: int
    receipted_seq: int
    waiting: int
    fault: str | None

    def to_json(self) -> dict[str, Any]:
        """All fields, by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


class HomeUplink:
    """One gate's uplink, with the journal open for writing."""

    def __init__(self, installation: Installation, journal: Journal, client: OfficeClient, keys: UplinkKeys) -> None:
        settings = installation.settings
        self._installation = installation
        self._journal = journal
        self._client = client
        self._keys = keys
        self._uplink = Uplink(
            journal=journal,
            client=client,
            clock=installation.clock,
            trips_kept=settings.loop_times().trips_kept,
            batch_taps=settings.uplink.batch_taps,
        )
        self._etag: tuple[str | None, str | None] = (None, None)
        """SHA-256 of a bundle, and what the office called it."""

    def sync(self, stop: Callable[[], bool] = lambda: False) -> Synced:
        """Ends a change of the key that was cut short, then sends what the office lacks. Raises OpenstileError."""
        if self._keys.is_changing:
            self._keys.change(self._client, epoch=self._journal.epoch)
        synced = self._uplink.sync(stop)
        note_fault(self._installation.home, None)
        return synced

    def bundle(self) -> Refreshed:
        """Takes the office's trust bundle into use when it is newer. Raises OpenstileError."""
        folder = TrustFolder(self._installation.home.trust)
        sha256, etag = self._etag
        held = sha256 is not None and sha256 == folder.bundle_sha256()
        fetched = self._client.bundle(etag if held else None)
        if fetched is None:
            return Refreshed("office", is_new=False)
        before = folder.fingerprint()
        accept_bundle(self._installation, fetched.data)
        self._etag = (hash_of(fetched.data), fetched.etag)
        return Refreshed("office", is_new=folder.fingerprint() != before)


@contextmanager
def open_uplink(
    installation: Installation, journal: Journal, *, transport: UplinkTransport | None = None
) -> Iterator[HomeUplink]:
    """The uplink to the office that was joined. Raises BadInputError where none was."""
    office = _office_to_ask(installation)
    with _transport(installation.settings, installation.home, transport) as carrier:
        keys = UplinkKeys(installation.home.uplink_key)
        yield HomeUplink(installation, journal, _client(installation, office, keys, carrier), keys)


def join(installation: Installation, office: str, token: str, *, transport: UplinkTransport | None = None) -> str:
    """Claims this gate at `office` with a token of its operator; returns the name of the uplink key.

    Where the office has ended this gate's key, as that of a gate restored from an old copy, it gets a new one. What
    was cut short can be done again with the same token. Raises OpenstileError, BadInputError for another office
    than the one that was joined before.
    """
    office = _checked_address(office)
    joined, settled = joined_office(installation.home), installation.settings.uplink.office.rstrip("/")
    if joined not in (None, office):
        raise BadInputError(
            f"{office}: this gate has joined {joined}; to leave it for good, remove {installation.home.uplink} first"
        )
    if settled not in ("", office):
        raise BadInputError(f"{office}: uplink.office of settings.toml names {settled}; correct one of them")
    keys = UplinkKeys(installation.home.uplink_key)
    keys.make()
    with (
        installation.open_journal() as journal,
        _transport(installation.settings, installation.home, transport) as carrier,
    ):
        client = _client(installation, office, keys, carrier)
        key = keys.claim(client, token=token, journal_key=journal.public_key, epoch=journal.epoch)
    remember_office(installation.home, office)
    note_fault(installation.home, None)
    return key_id(key.public_key)


def change_key(installation: Installation, *, transport: UplinkTransport | None = None) -> str:
    """Lets a new uplink key follow the present one, or ends a change that was cut short; returns the new key's name.

    Works while the gate runs. Raises OpenstileError.
    """
    office = _office_to_ask(installation)
    keys = UplinkKeys(installation.home.uplink_key)
    epoch = read_sending(installation.home.journal).epoch
    with _transport(installation.settings, installation.home, transport) as carrier:
        new_key = keys.change(_client(installation, office, keys, carrier), epoch=epoch)
    return key_id(new_key.public_key)


def uplink_status(installation: Installation) -> UplinkStatus:
    """Where this gate stands, without asking anybody; also while it runs. Raises OpenstileError."""
    home = installation.home
    keys = UplinkKeys(home.uplink_key)
    sending = read_sending(home.journal) if home.journal.exists() else None
    return UplinkStatus(
        office=office_of(home, installation.settings),
        joined=joined_office(home) is not None,
        kid=key_id(keys.current().public_key) if home.uplink_key.exists() else None,
        key_changing=keys.is_changing,
        epoch=sending.epoch.hex() if sending else None,
        head_seq=sending.head_seq if sending else 0,
        receipted_seq=sending.receipted_seq if sending else 0,
        waiting=sending.waiting if sending else 0,
        fault=read_fault(home),
    )


def _office_to_ask(installation: Installation) -> str:
    office = office_of(installation.home, installation.settings)
    if office is None:
        raise BadInputError("uplink: this gate has joined no office; ask its operator for a claim token, then "
                            "openstile uplink join URL --token TOKEN")  # fmt: skip
    if not installation.home.uplink_key.exists():
        raise BadInputError(f"uplink: this gate has no key for {office}; openstile uplink join {office} --token TOKEN")
    return office


def _checked_address(office: str) -> str:
    from openstile.gate.fetch import check_address

    if not is_office_address(office):
        raise BadInputError(f"{office!r}: is no office's address; write https://host, with nothing behind it")
    check_address(office)
    return office.rstrip("/").lower()


def _client(installation: Installation, office: str, keys: UplinkKeys, transport: UplinkTransport) -> OfficeClient:
    return OfficeClient(
        office=office,
        gate=installation.settings.gate_id(),
        key=keys.current,
        transport=transport,
        clock=installation.clock,
        random=secrets.token_bytes,
    )


@contextmanager
def _transport(settings: Settings, home: Home, given: UplinkTransport | None) -> Iterator[UplinkTransport]:
    if given is not None:
        yield given
        return
    ca_file = settings.uplink.ca_file
    with closing(HttpTransport(ca_file=home.folder / ca_file if ca_file else None)) as transport:
        yield transport
