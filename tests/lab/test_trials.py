"""Runs: the gate's own decisions, the same over any number of processes, resumed without a template on disk."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.lab.grey import ANYTHING, FOUR, GREY, LANDMARKS, SIDE, GreyEngine, write_people, write_picture

from openstile.crossing import Policy
from openstile.face import Frame, compare
from openstile.face.engine import ChipGeometry, TemplatePart
from openstile.face.images import read_image
from openstile.face.zone import CaptureZone
from openstile.lab.capture import Apparatus, capture_frame
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.dataset_pairs import read_pairs
from openstile.lab.trials import BlockScores, LocalBlocks, measure, plan_blocks, run_trials
from openstile.lab.trials_file import resuming
from openstile.terms.errors import BadInputError

PEOPLE = [(f"p{n}", "female", "white", 20 + 9 * n, 22 + 9 * n if n % 5 else 0) for n in range(12)]


@pytest.fixture
def people(tmp_path: Path) -> DataSet:
    return read_data_set(write_people(tmp_path / "set", PEOPLE))


def test_every_score_is_that_of_the_gates_functions(tmp_path: Path) -> None:
    data_set = read_data_set(write_people(tmp_path, FOUR))
    scores, engine = measure(data_set, GREY), GreyEngine()
    captured = [capture_frame(engine, read_image(c.path), GREY.policy) for c in data_set.captures]
    found = 0
    for distances, pairs in ((scores.mated, scores.mated_captures), (scores.non_mated, scores.non_mated_captures)):
        decided = scores.matched(distances)
        for distance, decision, (one, other) in zip(distances, decided, pairs, strict=True):
            reference, probe = captured[one].reference, captured[other].probe
            assert probe is not None
            assert reference is not None
            gate = compare(engine=engine, probe=probe, reference=reference)
            assert distance == pytest.approx(gate.distance, abs=1e-6)
            assert decision == gate.mated
            found += 1
    assert found == 21
    assert [each.fault for each in captured] == list(scores.faults)


class SoftEngine(GreyEngine):
    """Sees how bright the brightest dot is, so that a softened picture is another one to it."""

    parts = (TemplatePart(ChipGeometry(SIDE, LANDMARKS), 16, 1.27 * 2, reference_softening=0.1),)

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        embedding = np.zeros(16, np.float32)
        embedding[0] = chip.max() / 100
        return embedding


def test_first_of_a_pair_is_enrolled_and_the_second_presented(tmp_path: Path) -> None:
    data_set = read_data_set(write_people(tmp_path, [("a", "f", "x", 100, 100), ("b", "f", "x", 100, 100)]))
    for capture in data_set.captures[:2]:
        picture = np.full((SIDE, SIDE, 3), 100, np.uint8)
        picture[SIDE // 2, SIDE // 2] = 250
        cv2.imwrite(str(capture.path.with_suffix(".png")), picture)
        capture.path.with_suffix(".png").replace(capture.path)
    engine, apparatus = SoftEngine(), Apparatus(SoftEngine, GREY.policy)
    captured = [capture_frame(engine, read_image(c.path), GREY.policy) for c in data_set.captures]
    assert any(each.reference != each.probe for each in captured)
    listed = np.array([(i, j) for i in range(4) for j in range(4) if i != j], np.int32)
    both_ways = DataSet("both", data_set.subjects, data_set.conditions, data_set.captures, listed)
    for data in (data_set, both_ways):
        scores, seen = measure(data, apparatus), set[float]()
        for distances, pairs in ((scores.mated, scores.mated_captures), (scores.non_mated, scores.non_mated_captures)):
            for distance, (enrolled, presented) in zip(distances, pairs, strict=True):
                reference, probe = captured[enrolled].reference, captured[presented].probe
                assert reference is not None
                assert probe is not None
                assert distance == pytest.approx(compare(engine=engine, probe=probe, reference=reference).distance)
                seen.add(round(float(distance), 4))
        assert len(seen) > 1


def test_distance_at_the_threshold_is_decided_by_the_gate(tmp_path: Path) -> None:
    data_set = read_data_set(write_people(tmp_path, [("a", "f", "x", 100, 110), ("b", "f", "x", 200, 220)]))
    templates = [capture_frame(GreyEngine(), read_image(c.path), GREY.policy).probe for c in data_set.captures]
    assert templates[0] is not None
    assert templates[2] is not None
    exact = compare(engine=GreyEngine(), probe=templates[0], reference=templates[2]).distance
    for threshold, matched in ((exact, True), (float(np.nextafter(exact, 0)), False)):
        scores = measure(data_set, Apparatus(GreyEngine, Policy(quality=ANYTHING, distance_max=threshold)))
        assert bool(scores.matched(scores.mated)[0]) is matched
        assert scores.distance_max == threshold


def test_two_processes_give_the_scores_of_one(people: DataSet) -> None:
    alone, together = measure(people, GREY), measure(people, GREY, workers=2)
    assert alone.faults == together.faults
    assert np.array_equal(alone.mated, together.mated)
    assert np.array_equal(alone.non_mated, together.non_mated)


def test_damaged_photograph_is_named_by_whichever_process_reads_it(people: DataSet) -> None:
    people.captures[7].path.write_bytes(b"no picture")
    with pytest.raises(BadInputError, match=people.captures[7].path.name):
        measure(people, GREY, workers=2)


def test_data_set_of_one_block_is_compared_in_full_and_larger_ones_within_blocks(people: DataSet) -> None:
    (whole,) = plan_blocks(people)
    assert sorted(whole.captures) == list(range(24))
    blocks = plan_blocks(people, block_captures=8, seed=1)
    assert sorted(number for block in blocks for number in block.captures) == list(range(24))
    owners = [{people.captures[number].subject for number in block.captures} for block in blocks]
    assert [len(own) for own in owners] == [4, 4, 4]
    assert not owners[0] & owners[1]
    scores = measure(people, GREY, block_captures=8, seed=1)
    within = [own for own in owners if set(scores.non_mated_subjects[0]) <= own]
    assert len(within) == 1
    assert len(scores.mated) == 12 - scores.fta.events  # no mated pair is lost to the blocks


def test_blocks_too_large_to_hold_are_refused(people: DataSet) -> None:
    for size in (1, 100_001):
        with pytest.raises(BadInputError):
            plan_blocks(people, block_captures=size)


def _interrupted(work: Path, data_set: DataSet, after: int, seen: list[tuple[int, int]]) -> None:
    """A run of three blocks that ends early, as by Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        _run_until(work, data_set, after, seen)


def _run_until(work: Path, data_set: DataSet, after: int, seen: list[tuple[int, int]]) -> None:
    blocks = plan_blocks(data_set, block_captures=8)
    run = LocalBlocks(data_set, GREY, progress=lambda *done: seen.append(done))
    with resuming(work, data_set, GREY, blocks) as (finished, keep):

        def keep_then_stop(scores: BlockScores) -> None:
            assert keep is not None
            keep(scores)
            if scores.number + 1 == after:
                raise KeyboardInterrupt

        run_trials(data_set, GREY, blocks=blocks, run_blocks=run, finished=finished, keep=keep_then_stop)


def test_resumed_run_captures_only_what_unfinished_blocks_need(people: DataSet, tmp_path: Path) -> None:
    work, seen = tmp_path / "lab.work", list[tuple[int, int]]()
    _interrupted(work, people, 2, seen)
    assert stat.S_IMODE(work.stat().st_mode) == 0o600
    seen.clear()
    resumed = measure(people, GREY, block_captures=8, work=work, progress=lambda *done: seen.append(done))
    assert seen[-1] == (8, 8)  # of 24
    whole = measure(people, GREY, block_captures=8)
    assert resumed.faults == whole.faults
    assert np.array_equal(resumed.mated, whole.mated)
    assert np.array_equal(resumed.non_mated, whole.non_mated)
    assert not work.exists()


def test_work_file_holds_scores_and_faults_and_nothing_of_a_face(people: DataSet, tmp_path: Path) -> None:
    work = tmp_path / "lab.work"
    _interrupted(work, people, 3, [])
    header, *lines = (json.loads(line) for line in work.read_text().splitlines())
    assert set(header) == {"format", "design"}
    pairs = 0
    for line in lines:
        assert set(line) == {"block", "faults", "sha256", "scores"}
        assert set(line["faults"].items()) <= {(f"smiling/p{n}", "no_face") for n in (0, 5, 10)}
        pairs += len(base64.b64decode(line["scores"])) // 4
    assert pairs == len(measure(people, GREY, block_captures=8).non_mated) + 9
    written = work.read_bytes()
    for capture in people.captures:
        template = capture_frame(GreyEngine(), read_image(capture.path), GREY.policy).probe
        if template is not None:
            assert template.data not in written
            assert base64.b64encode(template.data)[:16] not in written
            assert template.data.hex().encode() not in written


def test_line_that_was_cut_short_is_run_again(people: DataSet, tmp_path: Path) -> None:
    work, seen = tmp_path / "lab.work", list[tuple[int, int]]()
    _interrupted(work, people, 2, [])
    work.write_bytes(work.read_bytes()[:-7])
    measure(people, GREY, block_captures=8, work=work, progress=lambda *done: seen.append(done))
    assert seen[-1] == (16, 16)


def _other_seed(people: DataSet, work: Path) -> None:
    measure(people, GREY, block_captures=8, seed=1, work=work)


def _other_policy(people: DataSet, work: Path) -> None:
    policy = Policy(quality=ANYTHING, zone=CaptureZone(left=0.1))
    measure(people, Apparatus(GreyEngine, policy), block_captures=8, work=work)


def _other_photograph(people: DataSet, work: Path) -> None:
    write_picture(people.captures[3].path, 250)
    measure(people, GREY, block_captures=8, work=work)


def _changed_score(people: DataSet, work: Path) -> None:
    work.write_text(work.read_text().replace('"scores": "', '"scores": "AAAA'))
    measure(people, GREY, block_captures=8, work=work)


@pytest.mark.parametrize("change", [_other_seed, _other_policy, _other_photograph, _changed_score])
def test_work_file_of_another_run_is_refused(
    people: DataSet, tmp_path: Path, change: Callable[[DataSet, Path], None]
) -> None:
    work = tmp_path / "lab.work"
    _interrupted(work, people, 1, [])
    with pytest.raises(BadInputError):
        change(people, work)
    assert work.exists()


@pytest.mark.parametrize("content", [b"dear diary", b"dear diary\n", b'{"format": 1}\n', b"[]\n"])
def test_file_that_is_no_work_file_is_left_alone(people: DataSet, tmp_path: Path, content: bytes) -> None:
    work = tmp_path / "diary"
    work.write_bytes(content)
    with pytest.raises(BadInputError):
        measure(people, GREY, work=work)
    assert work.read_bytes() == content


def test_two_runs_cannot_share_a_work_file(people: DataSet, tmp_path: Path) -> None:
    work, blocks = tmp_path / "lab.work", plan_blocks(people)
    with resuming(work, people, GREY, blocks), pytest.raises(BadInputError, match="another run"):
        measure(people, GREY, work=work)


def test_listed_pairs_are_compared_and_no_others(tmp_path: Path) -> None:
    folder = write_people(tmp_path, PEOPLE)
    rows = [f"neutral/p{n}.jpg,smiling/p{n}.jpg,p{n},p{n}" for n in range(12)]
    rows += [f"neutral/p{n}.jpg,neutral/p{n + 1}.jpg,p{n},p{n + 1}" for n in range(11)]
    (folder / "pairs.csv").write_text("first,second,first_subject,second_subject\n" + "\n".join(rows) + "\n")
    data_set = read_pairs(folder, folder / "pairs.csv")
    whole, parts = measure(data_set, GREY), measure(data_set, GREY, block_captures=5)
    assert (len(whole.mated), len(whole.non_mated)) == (9, 11)
    assert parts.blocks > 3
    for name in ("mated", "mated_captures", "non_mated", "non_mated_captures"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def brighten(frame: Frame) -> Frame:
    """Eight grey levels."""
    return Frame(frame.pixels + np.uint8(8))


def test_picture_can_be_treated_before_it_is_presented(tmp_path: Path) -> None:
    data_set = read_data_set(write_people(tmp_path, [("a", "f", "x", 100, 100), ("b", "f", "x", 200, 200)]))
    one, *rest = data_set.captures
    treated = DataSet(
        "treated",
        data_set.subjects,
        data_set.conditions,
        (Capture(one.capture_id, one.subject, one.condition, one.path, "bright"), *rest),
    )
    apparatus = Apparatus(GreyEngine, GREY.policy, {"bright": brighten})
    assert measure(treated, apparatus).mated.tolist() == pytest.approx([0.08, 0.0])
    with pytest.raises(BadInputError, match="bright"):
        measure(treated, GREY)
