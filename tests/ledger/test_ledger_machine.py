"""A state machine: the ledger against a plain dictionary, whatever is asked of it and in whatever order."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.databases import NewDatabase
from tests.ledger.ledger_workshop import ANNA, BEN, CASH, DAY, HOT, NOW, REVENUE, eur, hold_of, open_books, transfer

from openstile.ledger import IdempotencyConflictError, InsufficientFundsError, Posting, Reversal
from openstile.ledger.errors import HoldError, ReversalError
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify

Result = TypeVar("Result")
SIGNS = {ANNA: -1, BEN: -1, CASH: 1, REVENUE: -1, HOT: -1}
RIDERS = (ANNA, BEN)
KEYS = st.integers(0, 30).map(str)
AMOUNTS = st.integers(1, 100)
PAIRS = st.permutations(list(SIGNS)).map(lambda names: names[:2])


class LedgerMachine(RuleBasedStateMachine):
    """The model: balances (debit positive), limits, postings by key, and what is held until when."""

    new_database: NewDatabase
    postings, holds = Bundle("postings"), Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.database = open_books(type(self).new_database())
        self.random = Random(0)
        self.now = NOW
        self.balances = dict.fromkeys(SIGNS, 0)
        self.limits = dict.fromkeys(RIDERS, 0)
        self.keys: dict[str, tuple[Any, str]] = {}
        self.reversed: set[str] = set()
        self.posted: dict[str, Posting] = {}
        self.hold_keys: dict[str, tuple[Any, str]] = {}
        self.pending: dict[str, tuple[str, int, Any]] = {}
        self.settled: set[str] = set()

    def ask(self, what: Callable[[Ledger], Result]) -> Result:
        with self.database.write() as connection:
            return what(Ledger(connection, random=self.random.randbytes))

    def held(self, name: str) -> int:
        return sum(minor for account, minor, _ in self.pending.values() if account == name)

    def refused(self, changes: dict[str, int]) -> bool:
        return any(
            SIGNS[name] * minor < 0
            and SIGNS[name] * (self.balances[name] + minor) - self.held(name) < -self.limits[name]
            for name, minor in changes.items()
            if name in self.limits
        )

    def expect(self, key: str, content: Any, changes: dict[str, int], beyond: bool) -> type[Exception] | str | None:
        if key in self.keys:
            known, posting_id = self.keys[key]
            return posting_id if known == content else IdempotencyConflictError
        return InsufficientFundsError if not beyond and self.refused(changes) else None

    def book(self, key: str, content: Any, changes: dict[str, int], posting_id: str) -> None:
        self.keys[key] = (content, posting_id)
        for name, minor in changes.items():
            self.balances[name] += minor

    def attempt(self, expected: type[Exception] | str | None, what: Callable[[Ledger], str]) -> str | None:
        if isinstance(expected, type):
            with pytest.raises(expected):
                self.ask(what)
            return None
        found = self.ask(what)
        assert expected in (None, found)
        return None if expected else found

    @rule(target=postings, key=KEYS, pair=PAIRS, minor=AMOUNTS, beyond=st.booleans())
    def post(self, key: str, pair: list[str], minor: int, beyond: bool) -> Any:
        posting = transfer(key, pair[0], pair[1], minor)
        changes = {pair[0]: minor, pair[1]: -minor}
        expected = self.expect(key, posting, changes, beyond)
        posted = self.attempt(expected, lambda ledger: ledger.post(posting, beyond_limit=beyond))
        if posted is None:
            return multiple()
        self.book(key, posting, changes, posted)
        self.posted[posted] = posting
        return posted

    @rule(posting_id=postings, key=KEYS, beyond=st.booleans())
    def reverse(self, posting_id: str, key: str, beyond: bool) -> None:
        request = Reversal(posting_id, DAY, key)
        changes = {entry.account: -entry.amount.minor for entry in self.posted[posting_id].entries}
        expected: type[Exception] | str | None
        if key not in self.keys and posting_id in self.reversed:
            expected = ReversalError
        else:
            expected = self.expect(key, request, changes, beyond)
        done = self.attempt(expected, lambda ledger: ledger.reverse(posting_id, day=DAY, key=key, beyond_limit=beyond))
        if done:
            self.book(key, request, changes, done)
            self.reversed.add(posting_id)

    @rule(pair=PAIRS, minors=st.lists(AMOUNTS, min_size=2, max_size=4), start=st.integers(100, 10**9))
    def post_many(self, pair: list[str], minors: list[int], start: int) -> None:
        batch = [transfer(f"b{start}-{at}", pair[0], pair[1], minor) for at, minor in enumerate(minors)]
        if batch[0].key in self.keys:
            return
        changes = {pair[0]: sum(minors), pair[1]: -sum(minors)}
        if self.refused(changes):
            with pytest.raises(InsufficientFundsError):
                self.ask(lambda ledger: ledger.post_many(batch))
            return
        ids = self.ask(lambda ledger: ledger.post_many(batch))
        for posting, posting_id in zip(batch, ids, strict=True):
            self.book(posting.key, posting, {e.account: e.amount.minor for e in posting.entries}, posting_id)

    @rule(rider=st.sampled_from(RIDERS), limit=st.integers(0, 200))
    def set_overdraft(self, rider: str, limit: int) -> None:
        self.ask(lambda ledger: ledger.set_overdraft(rider, limit))
        self.limits[rider] = limit

    @rule(target=holds, key=KEYS, rider=st.sampled_from(RIDERS), minor=AMOUNTS, minutes=st.integers(1, 30))
    def hold(self, key: str, rider: str, minor: int, minutes: int) -> Any:
        offset = int((self.now - NOW).total_seconds()) // 60
        hold = hold_of(key, rider, minor, minutes=offset + minutes)
        expected: type[Exception] | str | None = None
        if key in self.hold_keys:
            known, hold_id = self.hold_keys[key]
            expected = hold_id if known == (rider, minor) else IdempotencyConflictError
        elif -self.balances[rider] - self.held(rider) - minor < -self.limits[rider]:
            expected = InsufficientFundsError
        placed = self.attempt(expected, lambda ledger: ledger.hold(hold, now=self.now))
        if placed is None:
            return multiple()
        self.hold_keys[key] = ((rider, minor), placed)
        self.pending[placed] = (rider, minor, hold.expires)
        return placed

    @rule(hold_id=holds, minor=AMOUNTS)
    def settle(self, hold_id: str, minor: int) -> None:
        rider, held, expires = self.pending.get(hold_id, ("", 0, self.now))
        key = f"settle-{hold_id}"
        if hold_id in self.settled:
            return
        if expires <= self.now or minor > held:
            with pytest.raises(HoldError):
                self.ask(lambda ledger: ledger.settle(hold_id, eur(minor), now=self.now, day=DAY, key=key))
            return
        posted = self.ask(lambda ledger: ledger.settle(hold_id, eur(minor), now=self.now, day=DAY, key=key))
        self.book(key, None, {rider: minor, REVENUE: -minor}, posted)
        del self.pending[hold_id]
        self.settled.add(hold_id)

    @rule(hold_id=consumes(holds))
    def void(self, hold_id: str) -> None:
        if hold_id in self.settled:
            with pytest.raises(HoldError):
                self.ask(lambda ledger: ledger.void(hold_id))
        else:
            self.ask(lambda ledger: ledger.void(hold_id))
            self.pending.pop(hold_id, None)

    @rule(minutes=st.integers(1, 20))
    def time_goes_on(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        due = [hold_id for hold_id, (_, _, expires) in self.pending.items() if expires <= self.now]
        assert self.ask(lambda ledger: ledger.expire_due(self.now)) == len(due)
        for hold_id in due:
            del self.pending[hold_id]

    @invariant()
    def books_are_as_the_model(self) -> None:
        with self.database.read() as connection:
            ledger = Ledger(connection)
            for name, minor in self.balances.items():
                account = ledger.account(name)
                assert (account.balance.minor, account.held.minor) == (SIGNS[name] * minor, self.held(name))
            assert sum(line.balance.minor for line in ledger.trial_balance().lines) == 0

    def teardown(self) -> None:
        with self.database.read() as connection:
            assert verify(connection).findings == ()
        self.database.close()


def test_the_ledger_does_what_a_plain_dictionary_does(new_database: NewDatabase) -> None:
    examples = 25 if new_database().startswith("sqlite") else 8

    class Machine(LedgerMachine):
        pass

    Machine.new_database = staticmethod(new_database)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
