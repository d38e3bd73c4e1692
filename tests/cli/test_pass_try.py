"""`openstile pass try`: would this pass open a gate with these pictures, and what to do better; nothing is kept."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.cli.conftest import Openstile

from openstile.face.images import read_image

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def enrolled(openstile: Openstile, home: Path, tmp_path: Path, portraits: dict[str, Path]) -> Path:
    """The pass of the rider of president-3.jpg."""
    ran = openstile(
        "enrol", "--face", portraits["president-3.jpg"], "--product", "season-2026", "--days", 30,
        "--home", home, "--out", tmp_path / "pass",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.err
    return tmp_path / "pass" / "pass.txt"


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def again(tmp_path: Path, portraits: dict[str, Path]) -> Path:
    """The rider as another camera would have seen them: smaller, in less light."""
    pixels = read_image(portraits["president-3.jpg"]).pixels
    smaller = cv2.resize(pixels, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "again.png"), (smaller * 0.8).astype(np.uint8))
    return tmp_path / "again.png"


@pytest.fixture
def soft(tmp_path: Path, again: Path) -> Path:
    """A picture of the rider out of focus."""
    pixels = read_image(again).pixels
    cv2.imwrite(str(tmp_path / "soft.png"), cv2.GaussianBlur(pixels, (0, 0), 9))
    return tmp_path / "soft.png"


def test_own_pictures_open_and_a_bad_one_comes_with_advice(
    openstile: Openstile, enrolled: Path, home: Path, again: Path, soft: Path
) -> None:
    before = files_of(home)
    pictures = ("--face", again, "--face", soft)
    ran = openstile("pass", "try", enrolled, *pictures, "--home", home, "--json")
    assert ran.exit_code == 0, ran.err
    assert ran.json["opens"] is True
    good, bad = ran.json["pictures"]
    assert (good["opens"], good["reason"]) == (True, None)
    assert all(one["fits"] for one in good["measures"].values() if one["rejects"])
    assert (bad["opens"], bad["reason"], bad["feedback"][0]) == (False, "face_blurred", "hold_still")
    sharpness = bad["measures"]["sharpness"]
    assert (sharpness["fits"], sharpness["at_most"]) == (False, None)
    assert sharpness["value"] < sharpness["at_least"]
    words = openstile("pass", "try", enrolled, *pictures, "--home", home).out
    assert "Hold still" in words
    assert "1 of 2 would open" in words
    assert files_of(home) == before, "no tap, no refusal, no picture, nothing"
    assert "distance" not in ran.out.replace("eye_distance", ""), "never how close a face came"


def test_somebody_else_does_not_open_and_the_code_says_so(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    stranger = ("--face", portraits["vice-president.jpg"])
    ran = openstile("pass", "try", enrolled, *stranger, "--home", home, "--json")
    assert ran.exit_code == 10
    assert (ran.json["opens"], ran.json["reason"]) == (False, "face_does_not_match")
    assert openstile("pass", "try", enrolled, *stranger, "--home", home).exit_code == 10


def test_trying_counts_nowhere_and_may_be_repeated(
    openstile: Openstile, enrolled: Path, home: Path, again: Path
) -> None:
    """Neither anti-passback nor the brake on failed attempts: a gate has not seen this."""
    own = ("--face", again)
    assert openstile("cross", "--pass", enrolled, "--frames", own[1], "--home", home).exit_code == 0
    assert [openstile("pass", "try", enrolled, *own, "--home", home).exit_code for _ in range(2)] == [0, 0]


def test_camera_tells_what_to_do_while_it_looks(
    openstile: Openstile, enrolled: Path, home: Path, tmp_path: Path, again: Path
) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        cv2.imwrite(str(frames / f"{number}.png"), np.full((480, 640, 3), 90, np.uint8))
    cv2.imwrite(str(frames / "9.png"), read_image(again).pixels)
    ran = openstile("pass", "try", enrolled, "--camera", frames, "--home", home)
    assert ran.exit_code == 0
    assert ran.out.splitlines() == ["Look at the camera. No face is in view.", "opens"]


def test_pass_that_does_not_open_is_told_by_its_reason(
    openstile: Openstile, enrolled: Path, home: Path, tmp_path: Path, again: Path
) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text(enrolled.read_text()[:-4])
    ran = openstile("pass", "try", broken, "--face", again, "--home", home, "--json")
    assert ran.exit_code == 10
    assert ran.json["pictures"][0]["measures"] == {}
    assert ran.json["reason"].startswith("pass_")


def test_pin_pass_is_tried_with_its_pin(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    ran = openstile(
        "enrol", "--pin", "4711", "--product", "staff", "--days", 1, "--home", home, "--out", tmp_path / "pin"
    )
    assert ran.exit_code == 0
    trying = ("pass", "try", tmp_path / "pin" / "pass.txt", "--home", home)
    assert openstile(*trying, "--pin", "4711").exit_code == 0
    wrong = openstile(*trying, "--pin", "0815", "--json")
    assert (wrong.exit_code, wrong.json) == (10, {"opens": False, "reason": "pin_wrong", "pictures": []})


@pytest.mark.parametrize("options", [(), ("--pin", "1234", "--face", "a.jpg"), ("--pin", "1234", "--camera", "0")])
def test_one_way_of_trying_at_a_time(openstile: Openstile, home: Path, options: tuple[str, ...]) -> None:
    ran = openstile("pass", "try", "pass.txt", *options, "--home", home)
    assert ran.exit_code == 2
    assert "--face" in ran.err


def test_without_a_home_that_is_there_nothing_is_made(openstile: Openstile, home: Path) -> None:
    ran = openstile("pass", "try", "pass.txt", "--pin", "1234", "--home", home)
    assert ran.exit_code == 2
    assert not home.exists()


def lines_of(told: str) -> list[str]:
    return told.strip().splitlines()


def test_what_a_clumsy_rider_gives_ends_in_one_line_that_says_what_to_give(
    openstile: Openstile, enrolled: Path, home: Path, tmp_path: Path, again: Path
) -> None:
    assert openstile("enrol", "--pin", "4711", "--product", "staff", "--days", 1, "--home", home, "--out",
                     tmp_path / "pin").exit_code == 0  # fmt: skip
    pin_pass = tmp_path / "pin" / "pass.txt"
    (tmp_path / "words.jpg").write_text("no picture")
    tries: list[tuple[tuple[object, ...], str]] = [
        ((again, "--face", again), "shows no pass"),
        ((tmp_path / "nothing.txt", "--face", again), "No such file"),
        ((enrolled.parent, "--face", again), "Is a directory"),
        ((enrolled.with_suffix(".pdf"), "--face", again), "a PDF is for printing"),
        ((enrolled, "--face", tmp_path / "nothing.jpg"), "No such file"),
        ((enrolled, "--face", tmp_path / "words.jpg"), "is not a picture"),
        ((enrolled, "--face", tmp_path), "is a folder"),
        ((enrolled, "--camera", "camera:87"), "camera:87: gives no pictures"),
        ((enrolled, "--camera", "nonsense"), "does not exist"),
        ((enrolled, "--pin", "4711"), "is a pass with a face; give --face or --camera"),
        ((pin_pass, "--face", again), "is a pass with a PIN; give --pin"),
        ((pin_pass, "--camera", tmp_path / "pin"), "is a pass with a PIN; give --pin"),
    ]
    for given, words in tries:
        ran = openstile("pass", "try", *given, "--home", home)
        assert (ran.exit_code, ran.out, len(lines_of(ran.err))) == (2, "", 1), (given, ran)
        assert words in ran.err, given


@pytest.mark.parametrize(("language", "words"), [("en", "More light. Turn"), ("de", "Mehr Licht. Wenden")])
def test_dark_picture_and_one_of_two_people_come_with_advice_in_the_gates_language(
    openstile: Openstile, enrolled: Path, home: Path, tmp_path: Path, again: Path, language: str, words: str
) -> None:
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace('language = "en"', f'language = "{language}"'))
    one = read_image(again).pixels
    cv2.imwrite(str(tmp_path / "dark.png"), (one * 0.05).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([one, one[:, ::-1]]))
    pictures = ("--face", tmp_path / "dark.png", "--face", tmp_path / "two.png")
    ran = openstile("pass", "try", enrolled, *pictures, "--home", home, "--json")
    assert [one["reason"] for one in ran.json["pictures"]] == ["too_dark", "two_faces"]
    assert [one["feedback"][0] for one in ran.json["pictures"]] == ["more_light", "one_at_a_time"]
    assert words in " ".join(openstile("pass", "try", enrolled, *pictures, "--home", home).out.split())
