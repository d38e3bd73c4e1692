"""What a change of keys will do is said before, and is then what happens."""

from datetime import timedelta

import pytest
from tests.passes.key_workshop import NAMES, key_of
from tests.passes.pass_workshop import NOW

from openstile.passes.keyfile import Role
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore
from openstile.passes.rotation import (
    Change,
    RotationPlan,
    plan_emergency,
    plan_retirement,
    plan_revocation,
    plan_rotation,
)
from openstile.passes.usage import KeyUsage
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_GRACE_DAYS_MAX, KEY_OVERLAP_HOURS_MAX, KEYS_MAX

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LAST = NOW + 200 * DAY


def usage_of(store: KeyStore, passes: int = 12) -> tuple[KeyUsage, ...]:
    infos = (info for info in store.list_keys(now=NOW) if info.role in (Role.ISSUER, Role.GATE_GROUP))
    return tuple(
        KeyUsage("issuer" if info.role is Role.ISSUER else "gate-group", info.kid, passes, LAST if passes else None)
        for info in infos
    )


def said(plan: RotationPlan) -> str:
    return " ".join(plan.sentences)


def rotation(
    store: KeyStore, role: Role = Role.ISSUER, *, overlap: timedelta = DAY, usage: tuple[KeyUsage, ...] = ()
) -> RotationPlan:
    infos = store.list_keys(now=NOW)
    return plan_rotation(infos, usage, role=role, name=NAMES[role], now=NOW, overlap=overlap)


def emergency(
    store: KeyStore, role: Role = Role.ISSUER, *, grace: timedelta = 30 * DAY, usage: tuple[KeyUsage, ...] = ()
) -> RotationPlan:
    infos = store.list_keys(now=NOW)
    return plan_emergency(infos, usage, role=role, name=NAMES[role], now=NOW, grace=grace)


@pytest.mark.parametrize("role", [Role.ISSUER, Role.GATE_GROUP])
def test_plan_of_a_rotation_says_when_and_how_many_passes_stay_good(filled: KeyStore, role: Role) -> None:
    plan, old = rotation(filled, role, usage=usage_of(filled)), key_of(filled, role).kid
    (fate,) = plan.fates
    assert (plan.change, plan.active_from) == (Change.ROTATION, NOW + DAY)
    assert (fate.key.kid, fate.becomes, fate.at) == (old, KeyState.PREVIOUS, NOW + DAY)
    assert (fate.passes, fate.last_expires) == (12, LAST)
    assert (
        f"Until 2026-03-02 08:30 UTC new passes are {'signed with' if role is Role.ISSUER else 'sealed to'} {old}"
        in said(plan)
    )
    assert "By 2026-03-02 08:30 UTC every gate needs the new" in said(plan)
    assert "stay good until they end" in said(plan)
    assert "12 passes, the last until 2026-09-17" in said(plan)


def test_where_no_register_knows_the_passes_the_plan_says_so_and_not_none(filled: KeyStore) -> None:
    for plan in (rotation(filled), emergency(filled), emergency(filled, Role.GATE_GROUP)):
        assert "not known here (no register of passes in this home)" in said(plan)
        assert [fate.passes for fate in plan.fates] == [None]
    assert "No pass that a rider can use now" in said(rotation(filled, usage=usage_of(filled, 0)))
    only_others = (KeyUsage("issuer", "00" * 8, 3, LAST),)
    assert [fate.passes for fate in rotation(filled, usage=only_others).fates] == [0]


def test_plan_says_what_the_store_then_does(store: KeyStore) -> None:
    for role, name in NAMES.items():
        store.create(role, name, now=NOW)
        store.rotate(role, name, now=NOW)
        plan = rotation(store, role)
        made = store.rotate(role, name, now=NOW, active_from=plan.active_from)
        for at in (NOW + DAY, NOW + 2 * DAY):
            after = {info.kid: info for info in store.list_keys(now=at)}
            assert {fate.key.kid: fate.becomes for fate in plan.fates} == {
                fate.key.kid: after[fate.key.kid].state for fate in plan.fates
            }
            assert after[made.kid].state is KeyState.CURRENT
        plan = emergency(store, role, grace=9 * DAY)
        store.replace_in_emergency(role, name, now=NOW, grace=9 * DAY)
        after = {info.kid: info for info in store.list_keys(now=NOW + 9 * DAY)}
        assert len(plan.fates) == 3
        for fate in plan.fates:
            assert after[fate.key.kid].state is fate.becomes
            assert role is not Role.GATE_GROUP or after[fate.key.kid].retired_at == fate.at


def test_plan_after_a_stolen_gate_says_what_the_thief_can_do_and_what_is_to_be_done(filled: KeyStore) -> None:
    text = said(emergency(filled, Role.GATE_GROUP, usage=usage_of(filled)))
    for words in (
        "a thief can open passes sealed to it",
        "he cannot make or change one",
        "open until 2026-03-31 08:30 UTC",
        "12 passes, the last until 2026-09-17 08:30 UTC. They have to be renewed by 2026-03-31 08:30 UTC",
        "openstile pass reissue",
        "build a bundle without the stolen gate",
    ):
        assert words in text
    assert "are refused at once (pass_outdated)" in said(emergency(filled, Role.GATE_GROUP, grace=timedelta(0)))


def test_plan_says_when_nobody_needs_a_new_pass(filled: KeyStore) -> None:
    usage, group = usage_of(filled), key_of(filled, Role.GATE_GROUP).kid
    infos = filled.list_keys(now=NOW)
    late = plan_retirement(infos, usage, kid=group, at=LAST, now=NOW)
    soon = plan_retirement(infos, usage, kid=group, at=LAST - SECOND, now=NOW)
    assert "Nobody needs a new pass" in said(late)
    assert "They have to be renewed by" in said(soon)
    assert "Nobody needs a new pass" in said(emergency(filled, Role.GATE_GROUP, usage=usage_of(filled, 0)))


def test_plan_after_a_stolen_issuer_key_says_that_its_passes_are_refused(filled: KeyStore) -> None:
    filled.rotate(Role.ISSUER, "metro", now=NOW)
    plan = emergency(filled, usage=usage_of(filled))
    assert [fate.becomes for fate in plan.fates] == [KeyState.REVOKED] * 2
    assert "24 passes, the last until" in said(plan)
    assert "issuer_revoked" in said(plan)
    assert "status list" in said(plan)
    assert "openstile pass reissue" in said(plan)


def test_plan_of_a_revocation_says_what_can_no_longer_be_made_and_what_stays_good(filled: KeyStore) -> None:
    first = key_of(filled, Role.ISSUER).kid

    def plan(kid: str) -> RotationPlan:
        return plan_revocation(filled.list_keys(now=NOW), usage_of(filled), kid=kid, now=NOW)

    assert "No pass can be signed until openstile keys rotate issuer" in said(plan(first))
    assert "Still good" not in said(plan(first))
    second = filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY).kid
    assert "until 2026-03-02 08:30 UTC, when the next key takes over" in said(plan(first))
    assert f"Still good: {first}" in said(plan(second))
    assert "No pass can be signed" not in said(plan(second))
    filled.revoke(first, now=NOW)
    assert plan(first).fates == ()
    assert "revoked already: nothing changes" in said(plan(first))


def test_plan_of_a_retirement_that_is_taken_back(filled: KeyStore) -> None:
    group = key_of(filled, Role.GATE_GROUP).kid
    infos = filled.list_keys(now=NOW)
    assert "nothing changes" in said(plan_retirement(infos, (), kid=group, at=None, now=NOW))
    filled.rotate(Role.GATE_GROUP, NAMES[Role.GATE_GROUP], now=NOW)
    filled.retire(group, at=NOW + DAY, now=NOW)
    plan = plan_retirement(filled.list_keys(now=NOW), (), kid=group, at=None, now=NOW)
    assert "no longer retires on 2026-03-02" in said(plan)
    assert [fate.becomes for fate in plan.fates] == [KeyState.PREVIOUS]


@pytest.mark.parametrize("role", list(Role))
def test_every_plan_has_sentences_that_end(store: KeyStore, role: Role) -> None:
    kid = store.create(role, NAMES[role], now=NOW).kid
    infos = store.list_keys(now=NOW)
    plans = [rotation(store, role), rotation(store, role, overlap=timedelta(0)), emergency(store, role),
             plan_revocation(infos, (), kid=kid, now=NOW)]  # fmt: skip
    for plan in plans:
        assert len(plan.sentences) >= 2
        assert all(sentence.endswith(".") and "None" not in sentence for sentence in plan.sentences)


@pytest.mark.parametrize("kid", ["00" * 8, "", "x" * 100])
def test_plan_for_a_key_that_is_not_there_says_so(filled: KeyStore, kid: str) -> None:
    infos = filled.list_keys(now=NOW)
    with pytest.raises(BadInputError, match="list the keys"):
        plan_revocation(infos, (), kid=kid, now=NOW)
    with pytest.raises(BadInputError, match="list the keys"):
        plan_retirement(infos, (), kid=kid, at=None, now=NOW)


def test_overlap_and_grace_at_their_limits_and_one_past_them(filled: KeyStore) -> None:
    rotation(filled, overlap=timedelta(hours=KEY_OVERLAP_HOURS_MAX))
    emergency(filled, Role.GATE_GROUP, grace=timedelta(days=KEY_GRACE_DAYS_MAX))
    for overlap in (timedelta(hours=KEY_OVERLAP_HOURS_MAX + 1), timedelta(hours=-1)):
        with pytest.raises(BadInputError, match="overlap"):
            rotation(filled, overlap=overlap)
    for grace in (timedelta(days=KEY_GRACE_DAYS_MAX + 1), timedelta(days=-1)):
        with pytest.raises(BadInputError, match="grace"):
            emergency(filled, grace=grace)


def test_check_before_a_rotation_refuses_what_the_rotation_would(filled: KeyStore) -> None:
    filled.check_rotation(Role.ISSUER, "metro", now=NOW, waits=True)
    with pytest.raises(BadInputError, match="create one first"):
        filled.check_rotation(Role.ISSUER, "ferries", now=NOW, waits=True)
    filled.rotate(Role.ISSUER, "metro", now=NOW, active_from=NOW + DAY)
    with pytest.raises(BadInputError, match="is next already"):
        filled.check_rotation(Role.ISSUER, "metro", now=NOW, waits=True)
    for _ in range(KEYS_MAX - 3):
        filled.rotate(Role.ISSUER, "metro", now=NOW)
    with pytest.raises(BadInputError, match=f"more than {KEYS_MAX} keys"):
        filled.check_rotation(Role.ISSUER, "metro", now=NOW, waits=False)
