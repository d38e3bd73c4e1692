"""What an operator tells a gate: products by table, settings as text, nothing that is the gate's own."""

from pathlib import Path

import pytest

from openstile.assembly.settings import ProductTable, Settings, load_settings, settings_with
from openstile.terms import BadInputError
from openstile.trust.bundle import Product

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operator-guide.md"


def _load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "settings.toml").write_text(text)
    return load_settings(tmp_path / "settings.toml")


def test_table_of_products_says_which_open_the_gate_and_how_they_are_shown(tmp_path: Path) -> None:
    settings = _load(tmp_path, '[products.Annual]\n[products."Für 1 Tag"]\nshowing = "live"\n[policy]\nproducts = []')
    policy = settings.to_policy()
    assert (policy.products, policy.live_products) == (("Annual", "Für 1 Tag"), ("Für 1 Tag",))


def test_every_key_of_a_product_is_in_the_guide() -> None:
    assert all(f"| `products.NAME.{key}` |" in GUIDE.read_text() for key in ProductTable.model_fields)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[products.Annual]\nshowing = 'paper'", "products.Annual.showing"),
        ("[products.Annual]\nshown = 'any'", "products.Annual.shown: no such setting"),
        ("[products]\nAnnual = 'any'", "products.Annual"),
        ("[products.'  x']", "product"),
        (f"[products.'{'x' * 49}']", "product"),
        ("[products.Annual]\n[policy]\nproducts = ['Annual']", "policy.products: the tables"),
        ("[products.Annual]\n[policy]\nlive_products = ['Annual']", "policy.live_products: the tables"),
        ("\n".join(f"[products.p{at}]" for at in range(257)), "products"),
    ],
)
def test_wrong_table_of_products_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInputError) as caught:
        _load(tmp_path, text)
    assert says in str(caught.value)


def test_told_settings_win_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSTILE_POLICY__PASSBACK_S", "7")
    settings = _load(tmp_path, "[policy]\nlook_ms_max = 900\n[zone]\nleft = 0.3\n[gate]\nid = 'east-1'")
    before = settings.to_policy()
    told = {"policy.passback_s": "60", "policy.distance_max": "0.4", "zone.left": "0.2", "quality.yaw_max": "0.2"}
    changed = settings_with(settings, told)
    policy = changed.to_policy()
    assert (policy.passback_s, policy.distance_max, policy.zone.left, policy.quality.yaw_max) == (60, 0.4, 0.2, 0.2)
    assert (policy.look_ms_max, changed.gate.id) == (900, "east-1")
    assert settings.to_policy() == before
    assert before.passback_s == 7


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("gate.barrier", "console", "gate.barrier: a gate is told"),
        ("operator.id", "thief", "operator.id: a gate is told"),
        ("passback_s", "1", "passback_s: a gate is told"),
        ("policy.passback", "1", "policy.passback: no such setting"),
        ("policy.", "1", "no such setting"),
        ("policy.zone", "1", "policy.zone: no such setting"),
        ("policy.passback_s", "soon", "policy.passback_s"),
        ("policy.passback_s", "-1", "policy.passback_s"),
        ("policy.distance_max", "nan", "policy.distance_max"),
        ("policy.distance_max", "7", "policy.distance_max"),
        ("policy.status_when_stale", "maybe", "policy.status_when_stale"),
        ("policy.products", "[Annual", "policy.products: is not a JSON list"),
        ("policy.products", "[" * 4000, "policy.products: is not a JSON list"),
        ("zone.left", "0.9", "capture zone"),
    ],
)
def test_told_setting_that_cannot_be_is_refused_by_name(key: str, value: str, says: str) -> None:
    with pytest.raises(BadInputError) as caught:
        settings_with(Settings(), {key: value})
    assert says in str(caught.value)


def test_told_products_take_the_place_of_the_gates_own(tmp_path: Path) -> None:
    by_list = _load(tmp_path, "[policy]\nproducts = ['Old', 'Older']\nlive_products = ['Old']")
    policy = settings_with(by_list, {}, (Product("Annual"), Product("Day", live=True))).to_policy()
    assert (policy.products, policy.live_products) == (("Annual", "Day"), ("Day",))
    by_table = _load(tmp_path, "[products.Old]\nshowing = 'live'")
    policy = settings_with(by_table, {"policy.products": '["Annual"]'}).to_policy()
    assert (policy.products, policy.live_products) == (("Annual",), ())
    assert settings_with(by_table, {}).to_policy().live_products == ("Old",)
    with pytest.raises(BadInputError, match="the tables"):
        settings_with(Settings(), {"policy.products": '["A"]'}, (Product("A"),))
