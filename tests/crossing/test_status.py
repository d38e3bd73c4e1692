"""What becomes of a pass that was withdrawn, cannot be checked, or must be shown live: decided before any frame."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from tests.crossing.world import NOON, RecordedFrames, World

from openstile.crossing import Admit, Crossing, Policy, Reason
from openstile.passes.claims import StatusReference
from openstile.passes.holder import HolderKey, generate_holder_key
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.live import show_live
from openstile.passes.standing import StatusLists
from openstile.passes.status_bits import pack_bits
from openstile.passes.status_list import read_status_list, sign_status_list
from openstile.terms import BadInputError

URI = "https://passes.example/status/1"
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    world = World()
    world.show(1, 1)
    return world


def listed(world: World, *withdrawn: int, age: timedelta = timedelta(0)) -> StatusLists:
    token = sign_status_list(
        issuer_key=world.issuer,
        uri=URI,
        bits=pack_bits(entries=1024, indices=withdrawn),
        issued_at=NOON - age,
        expires=NOON + 30 * DAY,
        ttl_s=300,
    )
    return StatusLists([read_status_list(token, issuers=(TrustedIssuer(world.issuer.public),))])


def cross_listed(world: World, index: int = 7) -> tuple[Crossing, RecordedFrames]:
    frames = RecordedFrames(1, 1, 1)
    text = world.face_pass(status=StatusReference(URI, index))
    return world.cross(text, frames), frames


def test_withdrawn_pass_is_refused_and_no_frame_is_read(world: World) -> None:
    world.statuses = listed(world, 7)
    crossing, frames = cross_listed(world)
    assert (crossing.reason, frames.pulled) == (Reason.PASS_REVOKED, 0)
    assert cross_listed(world, index=8)[0].decision == Admit()


@pytest.mark.parametrize("stale", ["refuse", "admit"])
def test_withdrawn_pass_is_refused_by_an_old_list_too(world: World, stale: Literal["refuse", "admit"]) -> None:
    world.policy = replace(world.policy, status_when_stale=stale)
    world.statuses = listed(world, 7, age=20 * DAY)
    assert cross_listed(world)[0].reason is Reason.PASS_REVOKED


@pytest.mark.parametrize("missing", [True, False])
def test_pass_that_cannot_be_checked_is_refused_or_admitted_with_a_mark(world: World, *, missing: bool) -> None:
    world.statuses = StatusLists(()) if missing else listed(world, age=DAY + timedelta(seconds=1))
    crossing, frames = cross_listed(world)
    assert (crossing.reason, frames.pulled) == (Reason.STATUS_UNKNOWN, 0)
    world.policy = replace(world.policy, status_when_stale="admit")
    assert cross_listed(world)[0].decision == Admit(status_unsure=True)


def test_list_of_exactly_the_configured_age_is_fresh(world: World) -> None:
    world.statuses = listed(world, age=DAY)
    assert cross_listed(world)[0].decision == Admit()


def test_pass_without_a_list_needs_none(world: World) -> None:
    assert world.cross(world.face_pass(), RecordedFrames(1)).decision == Admit()


def live(world: World, holder: HolderKey, *, made_s_ago: float = 0) -> str:
    wallet = world.issue(holder=holder.public).wallet
    made = world.clock.now() - timedelta(seconds=made_s_ago)
    return show_live(wallet=wallet, holder=holder, now=made, random=lambda length: bytes(range(length)))


def test_product_that_must_be_shown_live_is_refused_in_print_and_admitted_live(world: World) -> None:
    world.policy = replace(world.policy, live_products=("season",))
    holder = generate_holder_key()
    frames = RecordedFrames(1)
    printed = world.issue(holder=holder.public).text
    assert world.cross(printed, frames).reason is Reason.LIVE_CODE_NEEDED
    assert frames.pulled == 0
    assert world.cross(live(world, holder), RecordedFrames(1)).decision == Admit()


def test_screenshot_of_a_live_code_is_dead_after_thirty_seconds_whatever_the_phone_says(world: World) -> None:
    holder = generate_holder_key()
    shots = {ahead: live(world, holder, made_s_ago=-ahead) for ahead in (-10, 0, 5)}
    assert all(world.cross(shot, RecordedFrames(1)).admitted for shot in shots.values())
    world.clock.pass_s(30.001)
    for shot in shots.values():
        assert world.cross(shot, RecordedFrames(1)).reason is Reason.LIVE_CODE_EXPIRED


def test_printed_form_of_a_live_pass_stays_possible_where_the_policy_allows_it(world: World) -> None:
    printed = world.issue(holder=generate_holder_key().public).text
    assert world.cross(printed, RecordedFrames(1)).decision == Admit()


def test_product_to_be_shown_live_that_no_gate_takes_is_a_slip_and_refused() -> None:
    with pytest.raises(BadInputError, match="'season 2026' is not one of"):
        Policy(products=("Season 2026",), live_products=("season 2026",))
    assert Policy(live_products=("season 2026",)).live_products == ("season 2026",)
