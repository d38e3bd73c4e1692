"""Rotation, retirement, revocation: what becomes of keys and passes over time."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.passes.key_workshop import GROUP, NAMES, fault, issued, key_of
from tests.passes.pass_workshop import NOW

from openstile.passes import PassFault
from openstile.passes.keyfile import Role
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore
from openstile.terms import BadInputError
from openstile.terms.files import write_whole

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def states(store: KeyStore, role: Role, now: datetime) -> list[KeyState]:
    return [info.state for info in store.list_keys(now=now) if info.role is role]


def gate_of(store: KeyStore, tmp_path: Path) -> KeyStore:
    """A gate that was told all there is now: public halves, their states, and the gate group's private halves."""
    gate = KeyStore(tmp_path / "gate")
    for key in store.gate_keyring().gate_group_keys:
        gate.add_gate_group_private(key, now=NOW)
    for info in store.list_keys(now=NOW):
        gate.import_public(store.export_public(info.kid), what="given", now=NOW)
    return gate


# Planned, with an overlap.


@pytest.mark.parametrize("role", [Role.ISSUER, Role.GATE_GROUP])
def test_next_key_is_accepted_at_once_and_used_from_its_time_on(filled: KeyStore, tmp_path: Path, role: Role) -> None:
    first = key_of(filled, role)
    second = filled.rotate(role, NAMES[role], now=NOW, active_from=NOW + DAY)
    assert (second.state, second.active_from) == (KeyState.NEXT, NOW + DAY)
    gate = gate_of(filled, tmp_path)
    for now, used in ((NOW, first), (NOW + DAY - SECOND, first), (NOW + DAY, second), (NOW + 99 * DAY, second)):
        current = filled.issuer_key(now=now).public if role is Role.ISSUER else filled.gate_group_public_key(now=now)
        assert current.kid.hex() == used.kid
        assert fault(gate, issued(filled, now=now), now=now) is None
    assert states(filled, role, NOW + DAY - SECOND) == [KeyState.CURRENT, KeyState.NEXT]
    assert states(filled, role, NOW + DAY) == [KeyState.PREVIOUS, KeyState.CURRENT]


def test_no_pass_is_refused_while_both_keys_change_under_a_gate(filled: KeyStore, tmp_path: Path) -> None:
    before = issued(filled)
    filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW, active_from=NOW + DAY)
    gate = gate_of(filled, tmp_path)
    for hours in range(0, 49, 3):
        now = NOW + timedelta(hours=hours)
        assert fault(gate, before, now=now) is None
        assert fault(gate, issued(filled, now=now), now=now) is None


def test_gate_that_was_not_told_refuses_only_what_the_new_key_made(filled: KeyStore, tmp_path: Path) -> None:
    gate = gate_of(filled, tmp_path)
    filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    assert fault(gate, issued(filled)) is None
    assert fault(gate, issued(filled, now=NOW + DAY), now=NOW + DAY) is PassFault.ISSUER_UNKNOWN


def test_only_one_key_at_a_time_waits_to_be_used(filled: KeyStore) -> None:
    filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    with pytest.raises(BadInputError, match="is next already"):
        filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + 2 * DAY)
    filled.rotate(Role.ISSUER, "metro", now=NOW + DAY, active_from=NOW + 2 * DAY)
    assert states(filled, Role.ISSUER, NOW + DAY) == [KeyState.PREVIOUS, KeyState.CURRENT, KeyState.NEXT]


def test_key_made_at_once_overtakes_the_one_that_waits(filled: KeyStore) -> None:
    filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    third = filled.rotate(Role.ISSUER, "metro", now=NOW)
    for now in (NOW, NOW + 2 * DAY):
        assert states(filled, Role.ISSUER, now) == [KeyState.PREVIOUS, KeyState.PREVIOUS, KeyState.CURRENT]
        assert filled.issuer_key(now=now).public.kid.hex() == third.kid


def test_waiting_key_that_is_revoked_never_stops_the_one_before_it(filled: KeyStore) -> None:
    first = key_of(filled, Role.ISSUER)
    waiting = filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    filled.revoke(waiting.kid, now=NOW)
    assert filled.issuer_key(now=NOW + 2 * DAY).public.kid.hex() == first.kid
    third = filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    assert filled.issuer_key(now=NOW + 2 * DAY).public.kid.hex() == third.kid


def test_clock_a_little_behind_does_not_hide_a_key_that_is_there(store: KeyStore) -> None:
    store.create(Role.ISSUER, "metro", now=NOW)
    second = store.rotate(Role.ISSUER, "metro", now=NOW + SECOND)
    assert store.issuer_key(now=NOW - timedelta(minutes=5)).public.kid.hex() == second.kid


def test_first_key_may_be_for_later_and_says_so_until_then(store: KeyStore) -> None:
    made = store.create(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    assert made.state is KeyState.NEXT
    with pytest.raises(BadInputError, match=r"active from .* on; wait"):
        store.issuer_key(now=NOW)
    assert store.issuer_key(now=NOW + DAY).public.kid.hex() == made.kid


# In an emergency.


@pytest.mark.parametrize("role", [Role.ISSUER, Role.OPERATOR, Role.GATE])
def test_emergency_revokes_every_older_key_in_the_same_step(store: KeyStore, role: Role) -> None:
    store.create(role, NAMES[role], now=NOW)
    store.rotate(role, NAMES[role], now=NOW)
    store.rotate(role, NAMES[role], now=NOW, active_from=NOW + DAY)
    made = store.replace_in_emergency(role, NAMES[role], now=NOW)
    assert made.state is KeyState.CURRENT
    assert states(store, role, NOW) == [KeyState.REVOKED] * 3 + [KeyState.CURRENT]
    assert states(store, role, NOW + 2 * DAY) == [KeyState.REVOKED] * 3 + [KeyState.CURRENT]


def test_stolen_issuer_key_no_longer_makes_a_pass(filled: KeyStore, tmp_path: Path) -> None:
    before = issued(filled)
    filled.replace_in_emergency(Role.ISSUER, "metro", now=NOW)
    gate = gate_of(filled, tmp_path)
    assert fault(gate, before) is PassFault.ISSUER_REVOKED
    assert fault(gate, issued(filled)) is None


def test_after_a_stolen_gate_old_passes_open_for_the_time_of_grace_and_new_ones_use_the_new_key(
    filled: KeyStore, tmp_path: Path
) -> None:
    old, before = key_of(filled, Role.GATE_GROUP), issued(filled)
    made = filled.replace_in_emergency(Role.GATE_GROUP, GROUP, now=NOW, grace=7 * DAY)
    gate = gate_of(filled, tmp_path)
    assert filled.gate_group_public_key(now=NOW).kid.hex() == made.kid
    retiring = next(info for info in filled.list_keys(now=NOW) if info.kid == old.kid)
    assert (retiring.state, retiring.retired_at) == (KeyState.PREVIOUS, NOW + 7 * DAY)
    assert fault(gate, before, now=NOW + 7 * DAY - SECOND) is None
    assert fault(gate, before, now=NOW + 7 * DAY) is PassFault.PASS_OUTDATED
    assert fault(gate, issued(filled, now=NOW + 7 * DAY), now=NOW + 7 * DAY) is None
    assert states(filled, Role.GATE_GROUP, NOW + 7 * DAY) == [KeyState.RETIRED, KeyState.CURRENT]


def test_emergency_without_grace_outdates_at_once_and_moves_no_retirement_later(filled: KeyStore) -> None:
    before = issued(filled)
    filled.replace_in_emergency(Role.GATE_GROUP, GROUP, now=NOW)
    assert fault(filled, before) is PassFault.PASS_OUTDATED
    filled.replace_in_emergency(Role.GATE_GROUP, GROUP, now=NOW, grace=9 * DAY)
    filled.replace_in_emergency(Role.GATE_GROUP, GROUP, now=NOW, grace=20 * DAY)
    ends = [info.retired_at for info in filled.list_keys(now=NOW) if info.role is Role.GATE_GROUP]
    assert ends == [NOW, NOW + 9 * DAY, NOW + 20 * DAY, None]


def test_emergency_that_fails_half_way_says_what_is_left_to_do(
    filled: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = key_of(filled, Role.ISSUER)

    def full(path: Path, data: bytes, *, replacing: bool) -> None:
        if replacing:
            raise OSError(28, "No space left on device")
        write_whole(path, data, replacing=replacing)

    monkeypatch.setattr("openstile.passes.keyfolder.write_whole", full)
    with pytest.raises(BadInputError, match=f"current, but {old.kid} is as it was: run openstile keys revoke"):
        filled.replace_in_emergency(Role.ISSUER, "metro", now=NOW)
    assert states(filled, Role.ISSUER, NOW) == [KeyState.PREVIOUS, KeyState.CURRENT]


# Retirement.


def test_retirement_before_it_is_reached_can_be_moved_and_taken_back(filled: KeyStore) -> None:
    old = key_of(filled, Role.GATE_GROUP).kid
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    for at in (NOW + 9 * DAY, NOW + 3 * DAY, NOW + 20 * DAY, None, NOW + 5 * DAY):
        assert filled.retire(old, at=at, now=NOW).retired_at == at
    assert states(filled, Role.GATE_GROUP, NOW + 5 * DAY - SECOND) == [KeyState.PREVIOUS, KeyState.CURRENT]


@pytest.mark.parametrize("at", [None, NOW + 3 * DAY, NOW + 9 * DAY])
def test_retirement_that_was_reached_is_final(filled: KeyStore, at: datetime | None) -> None:
    old = key_of(filled, Role.GATE_GROUP).kid
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    filled.retire(old, at=NOW + 5 * DAY, now=NOW)
    with pytest.raises(BadInputError, match="there is no way back"):
        filled.retire(old, at=at, now=NOW + 5 * DAY)


def test_retirement_in_the_past_is_from_now_on(filled: KeyStore) -> None:
    old = key_of(filled, Role.GATE_GROUP).kid
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    assert filled.retire(old, at=NOW - DAY, now=NOW).retired_at == NOW


def test_retirement_at_the_last_day_of_a_key_and_one_second_past_it(filled: KeyStore) -> None:
    old = key_of(filled, Role.GATE_GROUP)
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    filled.retire(old.kid, at=old.not_after, now=NOW)
    with pytest.raises(BadInputError, match="retire it by then"):
        filled.retire(old.kid, at=old.not_after + SECOND, now=NOW)


def test_key_that_new_passes_are_sealed_to_does_not_retire_before_another_takes_over(filled: KeyStore) -> None:
    only = key_of(filled, Role.GATE_GROUP).kid
    with pytest.raises(BadInputError, match="rotate first"):
        filled.retire(only, at=NOW + DAY, now=NOW)
    following = filled.rotate(Role.GATE_GROUP, GROUP, now=NOW, active_from=NOW + DAY).kid
    with pytest.raises(BadInputError, match="rotate first"):
        filled.retire(only, at=NOW + DAY - SECOND, now=NOW)
    with pytest.raises(BadInputError, match="rotate first"):
        filled.retire(following, at=NOW + 2 * DAY, now=NOW)
    filled.retire(only, at=NOW + DAY, now=NOW)
    assert filled.gate_group_public_key(now=NOW + DAY - SECOND).kid.hex() == only
    assert filled.gate_group_public_key(now=NOW + DAY).kid.hex() == following


def test_only_gate_group_keys_that_are_not_revoked_retire(filled: KeyStore) -> None:
    issuer, group = key_of(filled, Role.ISSUER).kid, key_of(filled, Role.GATE_GROUP).kid
    with pytest.raises(BadInputError, match="is an issuer key; only gate-group keys retire"):
        filled.retire(issuer, at=NOW, now=NOW)
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    filled.revoke(group, now=NOW)
    with pytest.raises(BadInputError, match="is revoked"):
        filled.retire(group, at=NOW, now=NOW)


def test_import_takes_a_retirement_along_and_only_ever_moves_it_earlier(filled: KeyStore, tmp_path: Path) -> None:
    old = key_of(filled, Role.GATE_GROUP).kid
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    other = KeyStore(tmp_path / "other")

    def told() -> datetime | None:
        return other.import_public(filled.export_public(old), what="given", now=NOW).retired_at

    assert told() is None
    for at, known in ((9 * DAY, 9 * DAY), (20 * DAY, 9 * DAY), (4 * DAY, 4 * DAY)):
        filled.retire(old, at=NOW + at, now=NOW)
        assert told() == NOW + known
    filled.retire(old, at=None, now=NOW)
    assert told() == NOW + 4 * DAY


def test_import_cannot_bring_a_key_back_or_make_it_current_sooner(filled: KeyStore, tmp_path: Path) -> None:
    waiting = filled.rotate(Role.GATE_GROUP, GROUP, now=NOW, active_from=NOW + DAY).kid
    earlier = filled.export_public(waiting)
    other = KeyStore(tmp_path / "other")
    assert other.import_public(earlier, what="given", now=NOW).state is KeyState.NEXT
    filled.revoke(waiting, now=NOW)
    told = other.import_public(filled.export_public(waiting), what="given", now=NOW)
    assert told.state is KeyState.REVOKED
    assert other.import_public(earlier, what="given", now=NOW).state is KeyState.REVOKED
