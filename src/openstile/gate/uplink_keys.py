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
_ENDED = "conflict"
"""What the office says of a key that it knew before."""


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
            try:
                client.position(epoch, key=new_key)
            except OfficeRefusedError:
                raise error from None  # what is wrong is said of the present key: that the gate is locked, say
        self._promote()
        return self.current()

    def claim(self, client: OfficeClient, *, token: str, journal_key: bytes, epoch: bytes) -> GateKey:
        """Admits this gate with its present key or, where the office has ended that one, with a new one.

        A gate that was restored from an old copy has such a key. What was cut short can be done again with the same
        token: the new key is on the disk before the office hears of it, and the present one stays until the claim
        worked. Returns the key that is the present one then. Raises OpenstileError.
        """

        def refused(key: GateKey) -> OfficeRefusedError | None:
            try:
                client.claim(token=token, journal_key=journal_key, epoch=epoch, key=key)
            except OfficeRefusedError as error:
                return None if _is_admitted(client, key, epoch) else error
            return None

        # 1. The present key.
        refusal = refused(self.make())
        if refusal is None:
            return self.current()
        # 2. The next one, of a claim or a change that was cut short.
        if self.is_changing:
            again = refused(GateKey.open(self._next))
            if again is None:
                self._promote()
                return self.current()
            if again.problem != _ENDED:
                raise again
            self._next.unlink(missing_ok=True)  # the office has ended that one too
        # 3. A new one, where the office said that the present one is of the past.
        if refusal.problem != _ENDED:
            raise refusal
        anew = refused(GateKey.open(self._next))
        if anew is not None:
            self._next.unlink(missing_ok=True)
            raise anew
        self._promote()
        return self.current()

    def _promote(self) -> None:
        with suppress(FileNotFoundError):  # another process of this gate just did it
            self._next.replace(self._path)
        sync_folder(self._path.parent)


def _is_admitted(client: OfficeClient, key: GateKey, epoch: bytes) -> bool:
    """Whether the office takes `key`: an earlier claim was answered, and the answer lost."""
    try:
        client.position(epoch, key=key)
    except OfficeRefusedError as error:
        return error.problem == "unknown-epoch"
    return True
