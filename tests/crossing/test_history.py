"""What a gate remembers of failed attempts: a window, a bound, and nothing of faces."""

from openstile.crossing.history import AttemptBook
from openstile.terms import PassId
from openstile.terms.limits import PASSES_WATCHED_MAX

_S = 1_000_000_000


def _pass(number: int) -> PassId:
    return PassId(number.to_bytes(16, "big"))


def test_failures_count_within_the_window_and_not_at_its_end() -> None:
    book = AttemptBook()
    book.add(_pass(1), at_ns=0)
    book.add(_pass(1), at_ns=5 * _S)
    assert book.count(_pass(1), at_ns=10 * _S - 1, window_s=10) == 2
    assert book.count(_pass(1), at_ns=10 * _S, window_s=10) == 1
    assert book.count(_pass(1), at_ns=15 * _S, window_s=10) == 0
    assert book.count(_pass(2), at_ns=0, window_s=10) == 0


def test_failures_are_forgotten_when_the_owner_was_admitted() -> None:
    book = AttemptBook()
    book.add(_pass(1), at_ns=0)
    book.clear(_pass(1))
    book.clear(_pass(2))
    assert book.count(_pass(1), at_ns=1, window_s=10) == 0


def test_watched_passes_are_bounded_and_the_oldest_failure_goes_first() -> None:
    book = AttemptBook()
    for number in range(PASSES_WATCHED_MAX):
        book.add(_pass(number), at_ns=number)
    book.add(_pass(0), at_ns=PASSES_WATCHED_MAX)
    book.add(_pass(PASSES_WATCHED_MAX), at_ns=PASSES_WATCHED_MAX)
    assert book.count(_pass(0), at_ns=PASSES_WATCHED_MAX, window_s=10) == 2
    assert book.count(_pass(1), at_ns=PASSES_WATCHED_MAX, window_s=10) == 0
    assert book.count(_pass(2), at_ns=PASSES_WATCHED_MAX, window_s=10) == 1
