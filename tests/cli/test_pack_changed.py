"""Passes of one model pack at gates of another: refused before a frame is read, said to the rider, never re-sealed."""

from pathlib import Path

import pytest
from tests.cli.conftest import Openstile

from openstile.face.packs import pull_pack

PLAIN, DUAL = "centerface-dlib", "centerface-dual"


def run_pack(home: Path, name: str) -> None:
    settings = home / "settings.toml"
    lines = settings.read_text().splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("model_pack = ")]
    lines[at] = f'model_pack = "{name}"'
    settings.write_text("\n".join(lines) + "\n")


@pytest.fixture
def portrait(portraits: dict[str, Path]) -> Path:
    return portraits["president-3.jpg"]


@pytest.fixture
def passes(openstile: Openstile, home: Path, tmp_path: Path, portrait: Path) -> Path:
    """A face pass and a PIN pass of the plain pack, in a home whose gates have gone on to two networks."""
    pull_pack(PLAIN)
    pull_pack(DUAL)
    assert openstile("keys", "create", "issuer", "--home", home).exit_code == 0
    run_pack(home, PLAIN)
    enrol = ("enrol", "--product", "season", "--days", 30, "--home", home, "--out")
    assert openstile(*enrol, tmp_path / "old" / "face", "--face", portrait).exit_code == 0
    assert openstile(*enrol, tmp_path / "old" / "pin", "--pin", "4711").exit_code == 0
    run_pack(home, DUAL)
    return tmp_path / "old"


def test_pass_of_another_pack_is_refused_unseen_and_its_rider_told_what_to_do(
    openstile: Openstile, home: Path, passes: Path, portrait: Path
) -> None:
    crossing = ("cross", "--pass", passes / "face" / "pass.txt", "--frames", portrait, "--home", home)
    ran = openstile(*crossing, "--json")
    assert (ran.exit_code, ran.json["reason"]) == (10, "reference_not_supported")
    assert not {"frame", "locate"} & set(ran.json["timings_ms"])
    assert "another lane, or ask for a new pass" in openstile(*crossing).out
    tried = openstile("pass", "try", passes / "face" / "pass.txt", "--face", portrait, "--home", home)
    assert (tried.exit_code, "ask for a new pass" in tried.out) == (10, True)
    run_pack(home, PLAIN)
    assert openstile(*crossing).exit_code == 0, "the pack it was enrolled with still takes it"


def test_pin_pass_goes_on_whatever_the_pack(openstile: Openstile, home: Path, passes: Path) -> None:
    pin = ("cross", "--pass", passes / "pin" / "pass.txt", "--pin", "4711", "--home", home)
    assert openstile(*pin).exit_code == 0


@pytest.mark.parametrize("everything", [(), ("--all",)])
def test_pass_of_another_pack_is_not_made_anew_and_stays_as_it_is(
    openstile: Openstile, home: Path, passes: Path, tmp_path: Path, portrait: Path, everything: tuple[str, ...]
) -> None:
    """Its successor would be refused at every gate, and it would have been withdrawn for it."""
    ran = openstile("pass", "reissue", passes, "--out", tmp_path / "new", "--home", home, "--json", *everything)
    assert ran.exit_code == 10
    faces = [one for one in ran.json if one["old"] is None]
    assert {one["outcome"] for one in faces} == {"refused"}
    assert all("cf-dlib-1" in one["detail"] and "enrol the rider anew" in one["detail"] for one in faces)
    run_pack(home, PLAIN)
    crossing = ("cross", "--pass", passes / "face" / "pass.txt", "--frames", portrait, "--home", home)
    assert openstile(*crossing).exit_code == 0


def test_pass_of_two_networks_is_made_anew_with_all_of_its_template(
    openstile: Openstile, home: Path, tmp_path: Path, passes: Path, portrait: Path
) -> None:
    enrol = ("enrol", "--product", "season", "--days", 30, "--home", home, "--out", tmp_path / "own")
    ran = openstile(*enrol, "--face", portrait, "--json")
    assert (ran.exit_code, ran.json["text_chars"] < 1000) == (0, True), "what the code of 101 modules holds"
    own = tmp_path / "own" / "pass.txt"
    ran = openstile("pass", "reissue", own, "--all", "--out", tmp_path / "new", "--home", home, "--json")
    assert (ran.exit_code, ran.json[0]["outcome"]) == (0, "reissued")
    successor = tmp_path / "new" / ran.json[0]["old"] / "pass.png"
    assert openstile("cross", "--pass", successor, "--frames", portrait, "--home", home).exit_code == 0
