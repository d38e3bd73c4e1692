"""The key with which a gate signs its requests, and how the next one takes its place without a gap.

The next key is on the disk before the office hears of it, and takes the present one's name after the office took it; so
whatever is cut short in between, one of the two is known to the office and here.
"""

from contextlib import suppress
from pathlib import Path

from openstile.gate.uplink import OfficeClient, OfficeRefusedError
from openstile.journal import GateKey
from openstile.terms.files import sync_folder

_REFUSED_STATUS = (401, 403)


class UplinkKeys:
    """The uplink key's file and, while it changes, the next one's beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = path.with_name(f"{path.stem}-next{path.suffix}")

    def make(self) -> GateKey:
        """The present key, made on first use. Raises JournalError."""
        return GateKey.open(self._path)

    def current(self) -> GateKey:
        """The present key. Raises JournalError."""
        return GateKey.open(self._path, make=False)

    @property
    def is_changing(self) -> bool:
        """Whether a change was begun and its end is not known here."""
        return self._next.exists()

    def change(self, client: OfficeClient, *, epoch: bytes) -> GateKey:
        """Lets a new key follow the present one; goes on where an earlier change was cut short.

        `client` signs with `current`. Where the office knows the present key no more, it took the next one before, and
        only its answer was lost: that is asked of it, by the position of `epoch`. Raises OpenstileError; the present
        key then stays in use.
        """
        new_key = GateKey.open(self._next)
        try:
            client.change_key(new_key)
        except OfficeRefusedError as error:
            if error.status not in _REFUSED_STATUS:
                raise
            client.position(epoch, key=new_key)
        self._promote()
        return self.current()

    def _promote(self) -> None:
        with suppress(FileNotFoundError):  # another process of this gate just did it
            self._next.replace(self._path)
        sync_folder(self._path.parent)
