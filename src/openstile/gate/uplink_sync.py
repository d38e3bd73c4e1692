"""Taps to the office: in order, each once, kept here until the office says that it holds them durably."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from openstile.gate.uplink import OfficeAnswerError, OfficeClient, OfficeRefusedError
from openstile.journal import Journal
from openstile.journal.epochs import Reason
from openstile.journal.receipts import Receipt
from openstile.journal.sending import next_batch
from openstile.journal.taps import Head
from openstile.terms import Clock
from openstile.terms.limits import BATCH_TAPS_MAX

_log = logging.getLogger("openstile.gate")

_ASKED_AGAIN_MAX = 3
"""How often within one sync the office may say that it stands elsewhere than it just said."""

_ASKED_ANEW = timedelta(hours=1)
"""An office that was restored from a backup holds less than it once said. A gate that has taps to send learns of it
so, one without by asking, before what it has fades too."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did: taps sent, and up to where the office holds the present epoch. `epoch_begun` is rare."""

    sent: int
    receipted: Head
    epoch_begun: bool


class _AskAgainError(Exception):
    """The office stands elsewhere than was thought."""


class Uplink:
    """Sends one gate's journal to one office. For one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        client: OfficeClient,
        clock: Clock,
        trips_kept: timedelta,
        batch_taps: int = BATCH_TAPS_MAX,
    ) -> None:
        """`trips_kept` is how long the office keeps a tap as one: what is older may be unknown there by right."""
        self._journal = journal
        self._client = client
        self._clock = clock
        self._trips_kept = trips_kept
        self._batch_taps = batch_taps
        self._place: Head | None = None
        """Up to where the office holds the epoch, as it said itself; None where it is to be asked."""
        self._asked_at = clock.now()

    def sync(self, stop: Callable[[], bool] = lambda: False) -> Synced:
        """Sends what the office does not hold yet, until it has all or `stop()`.

        Raises OpenstileError (no answer, refused, a broken journal): nothing is lost then, and the next sync begins by
        asking the office where it stands.
        """
        sent, epochs = 0, 0
        if self._has_nothing_to_send() and abs(self._clock.now() - self._asked_at) >= _ASKED_ANEW:
            self._place = None
        for _ in range(_ASKED_AGAIN_MAX):
            try:
                if self._place is None:
                    self._asked_at = self._clock.now()
                    place, begun = self._agree()
                    epochs += begun
                    self._place = place
                sent += self._send_all(stop)
                return Synced(sent, self._journal.receipted(), epochs > 0)
            except _AskAgainError:
                self._place = None
            except BaseException:
                self._place = None
                raise
        raise OfficeAnswerError("office: says each time that it stands elsewhere; look at the office")

    def _has_nothing_to_send(self) -> bool:
        return self._place is not None and self._journal.head() == self._place

    def _send_all(self, stop: Callable[[], bool]) -> int:
        sent = 0
        while self._place is not None and not stop():
            before = self._place
            if self._journal.faded_through().seq > before.seq:
                raise _AskAgainError
            batch = next_batch(self._journal, after=before, now=self._clock.now(), taps_max=self._batch_taps)
            if batch is None:
                break
            try:
                receipt = self._client.send(batch, epoch=self._journal.epoch)
            except OfficeRefusedError as error:
                if error.problem in ("gap", "fork", "unknown-epoch"):
                    raise _AskAgainError from error
                raise
            if receipt.seq <= before.seq or self._journal.place(receipt.seq) != receipt.head:
                raise _AskAgainError
            self._journal.mark_receipted(receipt.head)
            self._place = receipt.head
            sent += receipt.seq - before.seq
        return sent

    def _agree(self) -> tuple[Head, bool]:
        """The place in the present epoch up to which both sides hold the same; whether the epoch was begun for it."""
        # 1. Up to where does the office hold this epoch? It is told of one that it does not know.
        receipt = self._position()
        # 2. The same is here, and all that follows it: go on from there.
        if self._goes_on_from(receipt):
            self._journal.mark_receipted(receipt.head)
            return receipt.head, False
        # 3. Else this journal was restored from a copy, another history has the same numbers, or what the office does
        #    not hold has faded here: what it does not hold and is here goes on in an epoch of its own.
        after, reason = self._common_prefix(receipt)
        old, seq = self._journal.epoch, receipt.seq
        self._journal.begin_epoch(after=after, reason=reason)
        _log.error(
            "the office holds tap %d of epoch %s, this gate had agreed up to tap %d (%s); it goes on in a new epoch",
            seq, old.hex()[:8], after.seq, reason,
        )  # fmt: skip
        receipt = self._position()
        if not self._goes_on_from(receipt):
            raise OfficeAnswerError("office: holds taps of an epoch that was just begun here; look at the office")
        return receipt.head, True

    def _position(self) -> Receipt:
        epoch = self._journal.epoch
        try:
            return self._client.position(epoch)
        except OfficeRefusedError as error:
            if error.problem != "unknown-epoch":
                raise
        public_key = self._journal.public_key
        self._client.register_epoch(epoch=epoch, journal_key=public_key, origin=self._journal.origin())
        return self._client.position(epoch)

    def _goes_on_from(self, receipt: Receipt) -> bool:
        faded = self._journal.faded_through().seq
        return receipt.seq >= faded and self._journal.place(receipt.seq) == receipt.head

    def _common_prefix(self, receipt: Receipt) -> tuple[Head, Reason]:
        """The last tap here that the office holds too; what has faded here counts as that, for it cannot be sent."""
        faded, end = self._journal.faded_through(), self._journal.head().seq
        if receipt.seq < faded.seq:
            return faded, "new"
        low, high = faded.seq, min(receipt.seq, end)
        while low < high:  # the chain sees to it: where one tap is the same, all in front of it are
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._is_same(middle) else (low, middle - 1)
        return self._journal.place(low) or faded, "restored"

    def _is_same(self, seq: int) -> bool:
        """Whether the office holds our tap `seq`. One that it has forgotten is taken for ours where ours is as old: it
        is better not to be paid for a tap than to be paid twice.
        """
        known = self._client.head_at(self._journal.epoch, seq)
        if known is not None:
            return self._journal.place(seq) == known
        made_at = self._journal.made_at(seq)
        return made_at is None or made_at < self._clock.now() - self._trips_kept
