"""How a pass stands by the lists at hand: each rule at its edge and one past it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.passes.pass_workshop import CLAIMS, NOW

from openstile.passes.claims import StatusReference
from openstile.passes.standing import Standing, StatusLists
from openstile.passes.status_list import StatusList, pack_bits
from openstile.terms.limits import CLOCK_SKEW_S_MAX

URI = "https://status.example/north/1"
OTHER_URI = "https://status.example/north/2"
SET, CLEAR = 17, 18
ENTRIES = 24
LIST = StatusList(
    uri=URI,
    issuer="metro",
    issued_at=NOW,
    expires=NOW + timedelta(days=7),
    ttl_s=3600,
    bits=pack_bits(entries=ENTRIES, indices=(SET,)),
)
ALL_SET = pack_bits(entries=ENTRIES, indices=range(ENTRIES))
DAY_S = 86_400


def standing(
    *lists: StatusList,
    index: int = CLEAR,
    uri: str = URI,
    issuer: str = "metro",
    now: datetime = NOW,
    age_s_max: int = DAY_S,
) -> Standing:
    claims = replace(CLAIMS, issuer=issuer, status=StatusReference(uri, index))
    return StatusLists(lists).standing(claims, now=now, age_s_max=age_s_max)


def test_pass_that_names_no_list_is_unlisted_whatever_the_lists_say() -> None:
    lists = StatusLists([replace(LIST, bits=ALL_SET)])
    assert CLAIMS.status is None
    assert lists.standing(CLAIMS, now=NOW, age_s_max=DAY_S) is Standing.UNLISTED


def test_pass_with_its_bit_clear_in_a_fresh_list_is_good() -> None:
    assert standing(LIST) is Standing.GOOD


def test_pass_with_its_bit_set_is_withdrawn() -> None:
    assert standing(LIST, index=SET) is Standing.WITHDRAWN


def test_pass_without_any_list_is_unsure() -> None:
    assert standing() is Standing.UNSURE


def test_list_of_another_address_says_nothing() -> None:
    assert standing(replace(LIST, uri=OTHER_URI, bits=ALL_SET)) is Standing.UNSURE
    assert standing(LIST, uri=URI + "0") is Standing.UNSURE


def test_issuer_cannot_vouch_for_the_pass_of_another() -> None:
    assert standing(replace(LIST, issuer="ferries")) is Standing.UNSURE
    assert standing(LIST, issuer="ferries") is Standing.UNSURE


def test_issuer_cannot_withdraw_the_pass_of_another() -> None:
    foreign = replace(LIST, issuer="ferries", issued_at=NOW + timedelta(seconds=1), bits=ALL_SET)
    for lists in ((LIST, foreign), (foreign, LIST)):
        assert standing(*lists) is Standing.GOOD


@pytest.mark.parametrize("age_s_max", [300, DAY_S])
def test_list_is_fresh_until_its_age_is_the_configured_one(age_s_max: int) -> None:
    edge = NOW + timedelta(seconds=age_s_max)
    assert standing(LIST, now=edge, age_s_max=age_s_max) is Standing.GOOD
    assert standing(LIST, now=edge + timedelta(seconds=1), age_s_max=age_s_max) is Standing.UNSURE
    assert standing(LIST, now=edge + timedelta(microseconds=1), age_s_max=age_s_max) is Standing.UNSURE


def test_list_is_fresh_until_just_before_it_expires() -> None:
    assert standing(LIST, now=LIST.expires - timedelta(seconds=1), age_s_max=30 * DAY_S) is Standing.GOOD
    assert standing(LIST, now=LIST.expires, age_s_max=30 * DAY_S) is Standing.UNSURE


def test_withdrawn_pass_stays_withdrawn_by_a_list_that_is_too_old() -> None:
    assert standing(LIST, index=SET, now=NOW + timedelta(days=2)) is Standing.WITHDRAWN


def test_withdrawn_pass_stays_withdrawn_by_a_list_that_expired() -> None:
    assert standing(LIST, index=SET, now=NOW + timedelta(days=400)) is Standing.WITHDRAWN


def test_withdrawn_pass_stays_withdrawn_by_a_list_from_the_future() -> None:
    assert standing(LIST, index=SET, now=NOW - timedelta(days=400)) is Standing.WITHDRAWN


def test_clock_set_back_does_not_make_an_old_list_fresh() -> None:
    edge = NOW - timedelta(seconds=CLOCK_SKEW_S_MAX)
    assert standing(LIST, now=edge) is Standing.GOOD
    assert standing(LIST, now=edge - timedelta(seconds=1)) is Standing.UNSURE


def test_index_past_the_end_is_unsure() -> None:
    assert standing(LIST, index=ENTRIES - 1) is Standing.GOOD
    assert standing(LIST, index=ENTRIES) is Standing.UNSURE
    assert standing(LIST, index=2**32 - 1) is Standing.UNSURE


def test_time_to_live_is_no_limit_of_freshness() -> None:
    assert standing(LIST, now=NOW + timedelta(seconds=LIST.ttl_s + 1)) is Standing.GOOD


def test_newest_list_of_an_address_counts_in_whatever_order_they_come() -> None:
    older = replace(LIST, issued_at=NOW - timedelta(seconds=1), bits=ALL_SET)
    for lists in ((LIST, older), (older, LIST)):
        assert standing(*lists) is Standing.GOOD
        assert StatusLists(lists).issued_at(URI) == NOW


def test_pass_that_was_reinstated_is_good_again() -> None:
    suspended = replace(LIST, bits=ALL_SET)
    reinstated = replace(LIST, issued_at=NOW + timedelta(seconds=60))
    assert standing(suspended) is Standing.WITHDRAWN
    assert standing(suspended, reinstated, now=NOW + timedelta(seconds=60)) is Standing.GOOD


def test_time_of_a_list_is_known_by_its_address() -> None:
    foreign = replace(LIST, issuer="ferries", issued_at=NOW - timedelta(days=1))
    assert StatusLists([LIST]).issued_at(URI) == NOW
    assert StatusLists([LIST, foreign]).issued_at(URI) == NOW - timedelta(days=1)
    assert StatusLists([LIST]).issued_at(OTHER_URI) is None
