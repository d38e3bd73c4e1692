"""Settings: the file says what the defaults are, a slip is named, nothing is guessed."""

import os
import re
import stat
import tomllib
from pathlib import Path

import pytest

from openstile.assembly.settings import Settings, load_settings
from openstile.assembly.settings_text import DEFAULT_SETTINGS
from openstile.crossing import Policy
from openstile.face.quality import QualityLimits
from openstile.face.zone import CaptureZone
from openstile.passes.hardware import HardwareToken
from openstile.terms import BadInputError

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operator-guide.md"


def _load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return load_settings(path)


def test_absent_file_is_written_with_the_defaults_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "settings.toml"
    settings = load_settings(path)
    assert path.read_text() == DEFAULT_SETTINGS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings.model_dump(exclude={"policy"}) == Settings().model_dump(exclude={"policy"})
    assert settings.to_policy() == Policy()


def test_default_file_shows_the_values_that_are_the_defaults() -> None:
    tables = tomllib.loads(re.sub(r"^# (distance_max)", r"\1", DEFAULT_SETTINGS, flags=re.MULTILINE))
    defaults = Settings().model_dump(mode="json")
    for name in ("operator", "issuer", "gate", "context", "hardware", "retention", "office"):
        assert tables[name] == defaults[name]
    policy = Policy()
    for key, value in tables["policy"].items():
        expected = getattr(policy, key)
        assert value == (list(expected) if isinstance(expected, tuple) else 0.5 if key == "distance_max" else expected)


def test_every_setting_is_in_the_operator_guide() -> None:
    guide = GUIDE.read_text()
    tables = tomllib.loads(DEFAULT_SETTINGS)
    for table, keys in tables.items():
        for key in keys:
            assert f"| `{table}.{key}` |" in guide
    fields = {*Policy.__dataclass_fields__} - {"zone", "quality"}
    assert all(f"| `policy.{key}` |" in guide for key in fields)
    for key, default in [*_defaults(CaptureZone()), *_defaults(QualityLimits())]:
        assert f"`{key}` {default:g}" in guide


def _defaults(value: object) -> list[tuple[str, float]]:
    return [(name, getattr(value, name)) for name in type(value).__dataclass_fields__]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[gate]\nidd = 'x'", "gate.idd: no such setting"),
        ("[gates]\nid = 'x'", "gates: no such setting"),
        ("[gate]\nid = 'Gate 1'", "gate.id"),
        ("[gate]\nid = 7", "gate.id"),
        ("[gate]\nlanguage = 'fr'", "gate.language"),
        ("[gate]\ndisplay = 'lamp'", "gate.display"),
        ("[gate]\ndisplay_lag_frames = 11", "gate.display_lag_frames"),
        ("[gate]\ndisplay_light_ratio = -0.1", "gate.display_light_ratio"),
        ("[gate]\ndisplay_light_ratio = inf", "gate.display_light_ratio"),
        ("[gate]\ndisplay_opt_out = 'button'", "gate.display_opt_out"),
        ("[context]\nnetwork = 'borders.onnx'", "context: set network, sha256, source and result"),
        ("[context]\nsha256 = 'abc'", "context.sha256"),
        ("[context]\nmean = [1.0, 2.0]", "context.mean"),
        ("[context]\nattack_min = 0", "context.attack_min"),
        ("[context]\nchannels = 'gray'", "context.channels"),
        ("[context]\nside = 8", "context.side"),
        ("[policy]\nlook_ms = 100", "policy.look_ms: no such setting"),
        ("[policy]\nlook_ms_max = 100", "policy.look_ms_max: 100 is outside"),
        ("[policy]\nlook_ms_max = 'long'", "policy.look_ms_max"),
        ("[policy]\ndistance_max = 3.0", "policy.distance_max"),
        ("[policy]\nproducts = 'all'", "policy.products"),
        ("[zone]\nleft = 0.9", "capture zone"),
        ("[zone]\nlefft = 0.1", "zone.lefft: no such setting"),
        ("[quality]\nsharpness_min = -1", "sharpness_min"),
        ("[quality]\nsharpness_min = nan", "sharpness_min"),
        ("[retention]\ntrips_hours = 100000", "retention.trips_hours"),
        ("[hardware]\nmodule = 'softhsm.so'\ntoken = 'gates'\npin_file = 'pin'", "hardware.module"),
        ("[hardware]\nmodule = '/lib/softhsm.so'\ntoken = 'gates'", "hardware: set module, token and pin_file"),
        ("[gate]\ncamera = ''", "gate.camera"),
        ("[issuer]\nstatus_list_uri = 'http://x'", "issuer.status_list_uri"),
        ("[policy]\ndistance_max = true", "policy.distance_max: true and false mean nothing"),
        ("[policy.zone]\nleft = 0.1", "policy.zone: no such setting; it is a table of its own"),
        ("[gate", "not valid TOML"),
        ("x" * 70_000, "larger than"),
    ],
)
def test_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInputError) as caught:
        _load(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "settings.toml"))
    assert says in str(caught.value)


def test_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="UTF-8"):
        load_settings(tmp_path / "settings.toml")
    with pytest.raises(BadInputError, match="must be a file"):
        load_settings(tmp_path)


def test_values_of_the_file_are_taken(tmp_path: Path) -> None:
    text = "[policy]\nproducts = ['staff']\npassback_s = 0\n[zone]\nleft = 0.3\n[quality]\nyaw_max = 0.2"
    policy = _load(tmp_path, text).to_policy()
    assert (policy.products, policy.passback_s, policy.zone.left, policy.quality.yaw_max) == (("staff",), 0, 0.3, 0.2)


def test_token_is_taken_from_the_file_and_its_pin_file_lies_in_the_home(tmp_path: Path) -> None:
    assert _load(tmp_path, "").hardware_token(tmp_path) is None
    text = "[hardware]\nmodule = '/lib/softhsm.so'\ntoken = 'gates'\npin_file = 'pin'"
    token = HardwareToken(Path("/lib/softhsm.so"), "gates", tmp_path / "pin")
    assert _load(tmp_path, text).hardware_token(tmp_path) == token


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSTILE_GATE__ID", "south-2")
    monkeypatch.setenv("OPENSTILE_RETENTION__TRIPS_HOURS", "24")
    monkeypatch.setenv("OPENSTILE_POLICY__PASSBACK_S", "7")
    settings = _load(tmp_path, "[gate]\nid = 'north-1'\nlanguage = 'de'")
    assert (settings.gate.id, settings.gate.language, settings.retention.trips_hours) == ("south-2", "de", 24)
    assert settings.to_policy().passback_s == 7


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_settings_that_others_can_change_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[policy]\ndistance_max = 2.0\n")
    path.chmod(mode)
    with pytest.raises(BadInputError, match="others can change it"):
        load_settings(path)
    path.chmod(0o644)
    assert load_settings(path).to_policy().distance_max == 2.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_settings_that_somebody_else_put_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[policy]\ndistance_max = 2.0\n")
    os.chown(path, 65534, 65534)
    with pytest.raises(BadInputError, match="others can change it"):
        load_settings(path)
    os.chown(tmp_path, 65534, 65534)
    assert load_settings(path).to_policy().distance_max == 2.0


def test_list_in_the_environment_is_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSTILE_POLICY__PRODUCTS", '["staff", "season"]')
    assert _load(tmp_path, "").to_policy().products == ("staff", "season")
    monkeypatch.setenv("OPENSTILE_POLICY__PRODUCTS", "[staff")
    with pytest.raises(BadInputError, match="OPENSTILE_POLICY__PRODUCTS: is not a JSON list"):
        _load(tmp_path, "")


def test_slip_in_the_environment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSTILE_GATE__IDD", "x")
    with pytest.raises(BadInputError, match=r"gate\.idd: no such setting"):
        _load(tmp_path, "")


def test_table_that_is_no_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInputError, match="gate"):
        _load(tmp_path, "gate = 5")
    monkeypatch.setenv("OPENSTILE_GATE__ID", "east-1")
    with pytest.raises(BadInputError, match="OPENSTILE_GATE__ID: is not a table"):
        _load(tmp_path, "gate = 5")
