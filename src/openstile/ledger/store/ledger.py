"""The ledger, as those who post see it. Whoever opened the connection owns the transaction."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from openstile.ledger.postings import AccountKind, Hold, Posting, Reversal
from openstile.ledger.store import accounts, books, holds
from openstile.ledger.store.accounts import AccountState
from openstile.ledger.store.books import BookedEntry, TrialBalance
from openstile.ledger.store.posting import Random, Request, post_all
from openstile.terms.money import Money


class Ledger:
    """The books behind one connection, within its transaction. One of them a transaction: it chooses the shards.

    What is refused is refused before anything is written, with one exception: two transactions that use one key for
    two contents at the same moment. Roll back then. In PostgreSQL accounts stay locked until the transaction ends;
    put what belongs together into one `post_many`, which locks in one order: no two transactions then wait for each
    other for ever.
    """

    def __init__(self, connection: Connection, *, random: Random = secrets.token_bytes) -> None:
        self._connection = connection
        self._random = random
        self._seed = int.from_bytes(random(3), "big")

    def open_account(
        self,
        name: str,
        kind: AccountKind,
        currency: str,
        *,
        overdraft_minor: int | None = 0,
        shards: int = 1,
        on: date,
    ) -> None:
        """An account of one currency; opened again as it is, nothing happens.

        `overdraft_minor`: how far it may go below zero on its normal side (None: no limit). `shards`: balance rows
        that postings spread over, so that many may post at once; only without a limit. `on`: the local day.
        Raises BadInputError, LedgerError where it is open otherwise.
        """
        accounts.open_account(
            self._connection, name, kind, currency, overdraft_minor=overdraft_minor, shards=shards, on=on
        )

    def set_overdraft(self, name: str, overdraft_minor: int | None) -> None:
        """Another limit, from now on; what is beyond it already stays. Raises BadInputError, UnknownAccountError."""
        accounts.set_overdraft(self._connection, name, overdraft_minor)

    def account(self, name: str) -> AccountState:
        """Its kind, balance, what is held, and its limit. Raises UnknownAccountError."""
        return accounts.account_state(self._connection, name)

    def balance(self, name: str) -> Money:
        """What an account holds on its normal side: 5.00 of a rider who topped up 5.00. Raises UnknownAccountError."""
        return self.account(name).balance

    def post(self, posting: Posting, *, beyond_limit: bool = False) -> str:
        """Its id: a new one, or that of the same posting with the same key. See `post_many`."""
        return self.post_many((posting,), beyond_limit=beyond_limit)[0]

    def post_many(self, requests: Sequence[Request], *, beyond_limit: bool = False) -> tuple[str, ...]:
        """Posts all or none; the ids in the order of `requests`. Limits hold for what all of them come to together.

        `beyond_limit`: for what happened already and must be booked, such as a ride or a disputed top-up.
        Raises BadInputError, UnknownAccountError, InsufficientFundsError, IdempotencyConflictError, ReversalError,
        and LedgerError for an amount of another currency than its account's or a balance out of bounds.
        """
        return post_all(self._connection, requests, random=self._random, seed=self._seed, beyond_limit=beyond_limit)

    def reverse(self, posting_id: str, *, day: date, key: str, memo: str = "", beyond_limit: bool = False) -> str:
        """Undoes a posting, once, on `day`; the id of the reversal. See `post_many`."""
        return self.post_many((Reversal(posting_id, day, key, memo),), beyond_limit=beyond_limit)[0]

    def hold(self, hold: Hold, *, now: datetime) -> str:
        """Reserves an amount within the limit; the id of the hold, that of the same request with the same key.

        Raises BadInputError, UnknownAccountError, InsufficientFundsError, IdempotencyConflictError, LedgerError.
        """
        return holds.place_hold(self._connection, hold, now=now, random=self._random, seed=self._seed)

    def settle(self, hold_id: str, amount: Money, *, now: datetime, day: date, key: str, memo: str = "") -> str:
        """Posts at most what is held from its account to its payee, and frees the rest; the posting's id.

        Raises BadInputError, HoldError, IdempotencyConflictError.
        """
        return holds.settle_hold(
            self._connection, hold_id, amount, now=now, day=day, key=key, memo=memo, random=self._random,
            seed=self._seed,
        )  # fmt: skip

    def void(self, hold_id: str) -> None:
        """Frees what is held; nothing where it was voided or has expired. Raises BadInputError, HoldError."""
        holds.void_hold(self._connection, hold_id)

    def expire_due(self, now: datetime) -> int:
        """Frees holds that expired until `now`, at most LEDGER_BATCH_MAX of them; how many there were."""
        return holds.expire_holds(self._connection, now=now)

    def entries(self, name: str, *, after: str | None = None, limit: int = 100) -> tuple[BookedEntry, ...]:
        """An account's entries by day, behind the entry whose `cursor` is `after`. Raises BadInputError,
        UnknownAccountError. Within a day their order means nothing.
        """
        return books.account_entries(self._connection, name, after=after, limit=limit)

    def trial_balance(self, day: date | None = None) -> TrialBalance:
        """Every account's balance at the end of `day` (None: of all days), summed from the entries."""
        return books.trial_balance(self._connection, day)
