"""Parts of the demo: its folder, its clock, its portraits, and what its camera sees."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from openstile.demo.camera import WatchedFrames, empty_lane, pass_held_up
from openstile.demo.city import GATES, write_city
from openstile.demo.clock import TurnableClock
from openstile.demo.folder import MARKER, make_folder, temporary_files_in
from openstile.demo.lettering import lines_of, width_of
from openstile.demo.needs import check_office_is_installed
from openstile.demo.portraits import PORTRAITS, pull_portraits
from openstile.demo.scenes import tampered
from openstile.face.packs import PackError
from openstile.fares import Tariff, read_feed, read_rules
from openstile.passes.qr import read_qr
from openstile.terms.errors import BadInputError

TEXT = "OS1:" + "7WN8R%20XJ" * 70


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def monotonic_ns(self) -> int:
        return 7


def test_former_demo_folder_is_made_anew(tmp_path: Path) -> None:
    first = make_folder(tmp_path / "out")
    (first.home / "left-over").write_bytes(b"x")
    second = make_folder(tmp_path / "out")
    assert list(second.home.iterdir()) == []
    assert (second.root / MARKER).is_file()


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    assert make_folder(tmp_path).pictures.is_dir()


def test_former_demo_folder_with_a_foreign_file_beside_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out")
    (folder.root / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInputError, match=r"thesis\.txt"):
        make_folder(tmp_path / "out")
    assert (folder.root / "thesis.txt").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_out_that_is_no_folder_is_refused(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInputError, match="is not a folder"):
        make_folder(out)
    assert out.exists()


def test_parts_of_the_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out")
    assert {part.stat().st_mode & 0o777 for part in (*folder.searched, folder.pictures)} == {0o700}


def test_temporary_files_go_where_they_are_sent_and_back_again(tmp_path: Path) -> None:
    before = (tempfile.gettempdir(), os.environ.get("TMPDIR"))
    with temporary_files_in(tmp_path):
        with tempfile.NamedTemporaryFile() as file:
            assert Path(file.name).parent == tmp_path
        assert os.environ["TMPDIR"] == str(tmp_path)
    assert (tempfile.gettempdir(), os.environ.get("TMPDIR")) == before


def test_clock_turned_for_a_while_comes_back_and_leaves_durations_alone() -> None:
    clock = TurnableClock(StillClock())
    with clock.turned(timedelta(days=-10)):
        assert clock.now() == datetime(2026, 2, 19, 12, 0, tzinfo=UTC)
        assert clock.monotonic_ns() == 7
    assert clock.now() == StillClock().now()


def test_time_that_passes_moves_both_clocks_and_never_back() -> None:
    clock = TurnableClock(StillClock(), begins=datetime(2026, 3, 1, 5, 0, tzinfo=UTC))
    assert (clock.now().hour, clock.monotonic_ns()) == (5, 7)
    clock.turn(timedelta(minutes=1))
    clock.turn_to(datetime(2026, 3, 1, 5, 2, tzinfo=UTC))
    clock.turn_to(datetime(2026, 3, 1, 4, 0, tzinfo=UTC))
    assert clock.now() == datetime(2026, 3, 1, 5, 2, tzinfo=UTC)
    assert clock.monotonic_ns() == 7 + 120 * 10**9
    with pytest.raises(ValueError, match="forwards"):
        clock.turn(timedelta(seconds=-1))


def test_city_has_a_feed_without_a_warning_and_rules_that_fit_it(tmp_path: Path) -> None:
    write_city(tmp_path, today=date(2026, 3, 1))
    feed = read_feed(tmp_path / "city")
    tariff = Tariff(feed, read_rules(tmp_path / "fares.toml"))
    assert tariff.currency == "EUR"
    assert {gate.stop for gate in GATES} <= set(feed.stops)
    assert {gate.network for gate in GATES} == {"metro", "tram"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "city").iterdir()} == {0o600}


def test_demo_without_the_offices_libraries_says_in_one_line_what_to_install() -> None:
    check_office_is_installed()
    with pytest.raises(BadInputError, match=r"needs sqlalchemy9; install openstile with its extra") as refused:
        check_office_is_installed(("fastapi", "sqlalchemy9"))
    assert "\n" not in str(refused.value)


def test_modules_of_the_command_line_load_nothing_of_the_office() -> None:
    asked = "import sys, openstile.cli.app; print([name for name in sys.modules if name in {}])".format(
        ("sqlalchemy", "fastapi", "uvicorn", "alembic", "structlog", "openstile.demo.run")
    )
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_reader_finds_the_pass_that_is_held_up_at_an_angle() -> None:
    assert read_qr(pass_held_up(empty_lane(), TEXT).pixels) == (TEXT,)
    assert read_qr(empty_lane().pixels) == ()


def test_watched_frames_remember_only_those_that_were_pulled() -> None:
    first, second = empty_lane(), empty_lane()
    frames = WatchedFrames((first, second))
    assert frames.pulled == []
    assert next(frames) is first
    assert frames.pulled == [first]


def test_tampered_text_differs_in_one_character() -> None:
    changed = tampered(TEXT)
    assert len(changed) == len(TEXT)
    assert sum(a != b for a, b in zip(changed, TEXT, strict=True)) == 1


def test_lines_are_broken_between_words_and_fit() -> None:
    text = "one character of the code was changed"
    lines = lines_of(text, size=20, width=160)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(width_of(line, size=20) <= 160 for line in lines)


def test_damaged_portrait_is_seen_and_without_network_refused(
    portraits: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, path in portraits.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    assert set(pull_portraits(tmp_path)) == {p.name for of_source in PORTRAITS.values() for p in of_source}
    damaged = tmp_path / "astronaut.png"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(PackError):
        pull_portraits(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(portraits)


def test_frames_of_the_demo_are_as_large_as_a_camera_gives_them() -> None:
    assert empty_lane().pixels.shape == (480, 640, 3)
    assert empty_lane().pixels.dtype == np.uint8
