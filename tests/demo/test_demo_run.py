"""The demo as a whole: every scene comes out as it has to, nothing of a face is left, and it fails when it should."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from openstile.crossing.reasons import Reason
from openstile.demo.inventory import UNKNOWN, list_files
from openstile.demo.report import Report
from openstile.demo.telling import as_json, print_tables, write_svg
from openstile.demo.traces import search_everything_written
from openstile.face import extract_template, locate
from openstile.face.images import read_image
from openstile.lab.canary import CanaryVerdict, Trace

NO_NETWORK = {
    "PIP_NO_INDEX": "1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openstile", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=900)


def _outcomes(results: dict[str, Any]) -> dict[str, str | None]:
    return {scene["scene"]: scene["reason"] for scene in results["scenes"]}


EXPECTED = {
    "Own pass": None,
    "Used again": "used_recently",
    "Held up to the camera": None,
    "Borrowed pass": "face_does_not_match",
    "Found pass": "face_does_not_match",
    "Copied pass, no face": "no_face",
    "Blurred face": "face_blurred",
    "Two faces": "two_faces",
    "Tampered pass": "pass_damaged",
    "Expired pass": "pass_expired",
    "Pass of next season": "pass_not_yet_valid",
    "Wrong gates": "pass_for_other_gates",
    "Withdrawn issuer key": "issuer_revoked",
    "Lost pass": "pass_revoked",
    "PIN pass, wrong PIN": "pin_wrong",
    "PIN pass, right PIN": None,
    "Print of a phone's pass": "live_code_needed",
    "Live code, right PIN": None,
    "Screenshot of it": "live_code_expired",
}


def test_every_scene_comes_out_as_it_has_to(report: Report) -> None:
    assert report.problems == ()
    assert _outcomes(as_json(report)) == EXPECTED


def test_barrier_opened_for_those_admitted_and_for_no_one_else(report: Report) -> None:
    assert [played.barrier_opened for played in report.played] == [reason is None for reason in EXPECTED.values()]


def test_no_frame_is_read_for_a_pass_that_was_refused_or_has_a_pin(report: Report) -> None:
    before_any_look = [played for played in report.played if played.scene.title in NOT_LOOKED]
    assert len(before_any_look) == len(NOT_LOOKED)
    assert all(played.frames == () and played.crossing.frames_read == 0 for played in before_any_look)
    assert all(played.frames for played in report.played if played not in before_any_look)


NOT_LOOKED = {
    "Used again",
    "Tampered pass",
    "Expired pass",
    "Pass of next season",
    "Wrong gates",
    "Withdrawn issuer key",
    "Lost pass",
    "Print of a phone's pass",
    "Live code, right PIN",
    "Screenshot of it",
    "PIN pass, wrong PIN",
    "PIN pass, right PIN",
}


def test_journal_holds_one_tap_for_each_admission(report: Report) -> None:
    assert report.journal.taps == report.admitted == 4


def test_every_file_on_disk_is_known_and_for_its_owner_only(report: Report) -> None:
    assert [file.path for file in report.files if file.what == UNKNOWN] == []
    assert {file.mode for file in report.files} == {"-rw-------"}
    assert any(file.path.endswith("journal.db-wal") for file in report.files), "the gate was not at work any more"


def test_run_leaves_no_temporary_file(report: Report) -> None:
    assert list(report.folder.temp.iterdir()) == []


def test_canary_found_nothing_in_a_search_of_home_passes_and_models(report: Report) -> None:
    assert report.canary.clean
    assert report.canary.files > len(report.files)
    assert report.canary.bytes > 20_000_000


def test_canary_of_the_demo_finds_a_template_that_was_left_behind(
    report: Report, portraits: dict[str, Path], tmp_path: Path
) -> None:
    engine = report.cast.installation.load_engine()
    photo = read_image(portraits["vice-president.jpg"])
    template = extract_template(engine, photo, locate(engine, photo)[0])
    (tmp_path / "score.log").write_text(f"probe={template.data.hex()}\n")
    verdict = search_everything_written((tmp_path,), cast=report.cast, played=(), engine=engine)
    assert not verdict.clean
    assert {trace.file.name for trace in verdict.traces} == {"score.log"}


JOURNEYS = [
    ("the president", "missing_exit", 1, "6.00", ["maximum fare, no exit tap after Harbour: 6.00"]),
    (
        "the president", "complete", 3, "2.60",
        ["Zones 1-2, off-peak (Harbour – Hill): 2.60", "transfer within 60 min (Hill): 0.00"],
    ),
    ("the president", "complete", 2, "2.60", ["Zones 1-2, off-peak (Harbour – Hill): 2.60"]),
    ("the president", "complete", 1, "1.90", ["Tram (Hill): 1.90"]),
    (
        "the president", "complete", 2, "0.40",
        ["Zones 1-2, peak (Harbour – Hill): 3.20", "daily cap reached (City, 7.50): -2.80"],
    ),
    (
        "a rider with a PIN", "complete", 3, "1.60",
        ["Zones 1-2, peak, reduced (Harbour – Hill): 1.60", "transfer within 60 min (Hill): 0.00"],
    ),
    ("a member of staff", "complete", 2, "3.20", ["Zones 1-2, peak (Harbour – Hill): 3.20"]),
]  # fmt: skip


def test_day_in_the_city_is_priced_and_explained(report: Report) -> None:
    told = [(j.rider, j.state, j.taps, j.amount.decimal, list(j.lines)) for j in report.day.journeys]
    assert told == JOURNEYS


def test_each_admitted_crossing_is_one_tap_at_the_office(report: Report) -> None:
    assert all(ride.crossing.admitted and ride.barrier_opened for ride in report.day.rides)
    assert report.day.held == report.crossings == sum(report.day.sent.values()) == 14
    assert sum(journey.taps for journey in report.day.journeys) == 14


def test_fares_posted_before_a_gates_taps_came_are_reversed(report: Report) -> None:
    assert [journey.state for journey in report.day.at_noon].count("missing_exit") == 4
    assert report.day.books.reversed == 5


def test_ledger_balances_and_riders_have_what_is_left_of_their_top_ups(report: Report) -> None:
    books = report.day.books
    assert books.balances
    assert books.debits == books.credits == 4000
    assert {account.name: account.balance.minor for account in books.accounts} == {
        "funds:demo:eur": 4000,
        "revenue:fares:eur": -1830,
        "rider: the president": -650,
        "rider: a rider with a PIN": -840,
        "rider: a member of staff": -680,
    }


def test_after_the_retention_day_product_and_amount_are_left_and_no_place_or_time(report: Report) -> None:
    left = report.left
    assert (left.taps, left.places, left.gate_taps) == (0, 0, 0)
    assert sorted(j.amount.decimal for j in left.journeys) == sorted(row[3] for row in JOURNEYS)
    assert sum(taps for *_, taps in left.counts) == 14


def test_office_wrote_its_log_and_no_pass_is_in_it(report: Report) -> None:
    log = (report.folder.home / "office" / "log.jsonl").read_text()
    assert '"/v1/gate/batches"' in log
    assert all(str(held.enrolled.issued.pass_id) not in log for held in report.cast.passes)


def test_office_and_gates_are_in_what_the_canary_searched(report: Report) -> None:
    searched = {path for folder in report.folder.searched for path in folder.rglob("*")}
    wanted = ("home/office/office.db", "home/office/log.jsonl", "gates/hill-out/gate/journal.db")
    assert {report.folder.root / name for name in wanted} <= searched
    assert "home/office/office.db-wal" in {file.path for file in report.files}, "the office was not at work any more"


def test_wrong_fare_lost_tap_unbalanced_books_and_a_place_that_stays_are_problems(report: Report) -> None:
    day, left = report.day, report.left
    dear = replace(day.journeys[0], amount=day.journeys[1].amount)
    for changed, problem in (
        (replace(report, day=replace(day, journeys=(dear, *day.journeys[1:]))), "do not cost what the fares say"),
        (replace(report, day=replace(day, held=13)), "office: holds 13 taps of 14 admitted crossings"),
        (replace(report, day=replace(day, journeys=day.journeys[1:])), "not every tap is in one journey"),
        (replace(report, day=replace(day, books=replace(day.books, findings=("x",)))), "ledger: does not balance"),
        (replace(report, left=replace(left, places=1)), "are still there"),
        (replace(report, left=replace(left, journeys=left.journeys[1:])), "6 of 7 journeys are left"),
    ):
        assert any(problem in found for found in changed.problems), problem


def test_unknown_file_on_disk_is_told(report: Report) -> None:
    stray = report.folder.home / "faces.bin"
    stray.write_bytes(b"x")
    try:
        assert [file.path for file in list_files(report.folder) if file.what == UNKNOWN] == ["home/faces.bin"]
    finally:
        stray.unlink()


def test_tables_name_every_scene_and_file(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(report)
    told = capsys.readouterr().out
    assert all(title in told for title in EXPECTED)
    assert all(file.path[:59] in told for file in report.files), "a longer path goes on in the next line"
    assert "Journal verified" in told
    assert "balances: yes" in told
    assert "No place and no time is left" in told
    assert all(line in told for row in JOURNEYS for line in row[4])
    assert "Canary: nothing found" in told
    assert told.rstrip().endswith(str(report.folder.pictures))


def test_svg_of_the_tables_loads_nothing_and_shows_no_path(report: Report, tmp_path: Path) -> None:
    write_svg(report, tmp_path / "demo.svg")
    drawn = (tmp_path / "demo.svg").read_text()
    ElementTree.fromstring(drawn)
    assert set(re.findall(r"https?://[^\s\"']*", drawn)) == {"http://www.w3.org/2000/svg"}
    assert "<image" not in drawn
    assert "@font-face" not in drawn
    assert str(report.folder.root) not in drawn


@pytest.mark.slow
def test_command_runs_without_network_and_draws_its_pictures(report: Report, tmp_path: Path) -> None:
    ran = _run("--out", str(tmp_path / "demo"), "--json", **NO_NETWORK)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    results = json.loads(ran.stdout)
    assert results["as_expected"] is True
    assert _outcomes(results) == EXPECTED
    assert results["canary"]["clean"] is True
    assert results["office"]["ledger"]["balances"] is True
    assert [journey["why"] for journey in results["office"]["journeys"]] == [row[4] for row in JOURNEYS]
    assert results["office"]["left"]["taps"] == 0
    pictures = sorted(Path(results["pictures"]).iterdir())
    assert len(pictures) == len(EXPECTED) + 2
    for path in pictures:
        drawn = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        assert drawn is not None
        assert drawn.std() > 20


@pytest.mark.slow
def test_demo_fails_when_an_owner_is_refused(report: Report, tmp_path: Path) -> None:
    ran = _run("--out", str(tmp_path / "demo"), OPENSTILE_POLICY__DISTANCE_MAX="0.01")
    assert ran.returncode == 1
    assert "scene 1, Own pass: expected admit, got refuse: face_does_not_match" in ran.stdout
    assert "NOT everything came as it has to" in ran.stdout


def test_admission_of_a_stranger_is_a_problem(report: Report) -> None:
    own, borrowed = report.played[0], report.played[3]
    problem = replace(borrowed, crossing=own.crossing, barrier_opened=True).problem
    assert problem == "expected refuse: face_does_not_match, got admit"


def test_barrier_that_opens_on_a_refusal_is_a_problem(report: Report) -> None:
    assert replace(report.played[3], barrier_opened=True).problem == "the barrier opened"


def test_frame_read_for_an_expired_pass_is_a_problem(report: Report) -> None:
    expired = next(played for played in report.played if played.scene.title == "Expired pass")
    assert replace(expired, frames=report.played[0].frames).problem is not None


def test_trace_missing_tap_and_unsearched_disk_are_problems(report: Report) -> None:
    trace = Trace(report.folder.home / "score.log", 6, "template", "hex")
    found = CanaryVerdict(files=1, bytes=1, traces=(trace,))
    assert any("canary: template in" in problem for problem in replace(report, canary=found).problems)
    nothing = CanaryVerdict(files=0, bytes=0, traces=())
    assert replace(report, canary=nothing).problems == ("canary: nothing was searched",)
    journal = replace(report.journal, taps=2)
    assert replace(report, journal=journal).problems == ("journal: 2 taps for 4 admitted crossings",)


def test_folder_of_someone_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = _run("--out", str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "holds something that no demo made (thesis.txt)" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_reasons_of_the_scenes_are_of_the_closed_set() -> None:
    assert {reason for reason in EXPECTED.values() if reason} <= {reason.value for reason in Reason}
