"""Who is taken for whom, on consenting adults: neutral enrolled and smiling presented, and the reverse.

The figures of a report belong to the lab; this test holds the shipped threshold to what the project promises. 60
people bound a rate only roughly: 0 of 3,540 non-mated comparisons puts the false match rate below 0.09 % (95 %,
one-sided, as if they were independent), 0 of 60 mated ones puts the false non-match rate below 4.9 %.
"""

from itertools import product

import cv2
import numpy as np
import pytest
from tests.face.london import Person

from openstile.face import FaceEngine, Frame, LocatedFace, compare, extract_template, locate
from openstile.face.compare import distance_of
from openstile.face.quality import QualityLimits, assess
from openstile.face.zone import CaptureZone, choose_rider

DIRECTIONS = [("neutral", "smiling"), ("smiling", "neutral")]


def distances(london: tuple[Person, ...], engine: FaceEngine, enrolled: str, presented: str) -> np.ndarray:
    """[i, j]: person i's presented photograph against person j's enrolled one."""
    return np.array(
        [
            [
                compare(
                    engine=engine,
                    probe=getattr(probe, presented).template,
                    reference=getattr(reference, enrolled).reference,
                ).distance
                for reference in london
            ]
            for probe in london
        ]
    )


@pytest.mark.parametrize(("enrolled", "presented"), DIRECTIONS)
def test_no_false_match_and_at_most_one_percent_false_non_match_in_each_group(
    london: tuple[Person, ...], engine: FaceEngine, enrolled: str, presented: str
) -> None:
    found = distances(london, engine, enrolled, presented) <= engine.distance_max
    groups = sorted({group for person in london for group in person.groups})
    assert len(groups) >= 6
    for group in groups:
        members = np.array([group in person.groups for person in london])
        mated = found[members][:, members].diagonal()
        assert np.mean(~mated) <= 0.01, f"false non-matches in {group}: {np.sum(~mated)} of {mated.size}"
        non_mated = found[members] & ~np.eye(len(london), dtype=bool)[members]
        assert non_mated.sum() == 0, f"false matches in {group}: {non_mated.sum()} of {non_mated.size}"


@pytest.mark.parametrize(("enrolled", "presented"), DIRECTIONS)
def test_two_networks_make_no_false_match_and_no_false_non_match_on_these_photographs(
    london_dual: tuple[Person, ...], dual: FaceEngine, enrolled: str, presented: str
) -> None:
    found = distances(london_dual, dual, enrolled, presented) <= dual.distance_max
    assert np.array_equal(found, np.eye(len(london_dual), dtype=bool))


def part_distances(
    london: tuple[Person, ...], part: int, *, presented: str = "smiling", enrolled: str = "neutral"
) -> np.ndarray:
    """As `distances`, of one network alone, not scaled."""
    probes = np.stack([getattr(person, presented).embeddings[part] for person in london])
    references = np.stack([getattr(person, enrolled).softened[part] for person in london])
    return np.asarray(np.linalg.norm(probes[:, None] - references[None], axis=2))


def separation(found: np.ndarray) -> float:
    """d' of the diagonal and the rest."""
    mated, non_mated = found.diagonal(), found[~np.eye(len(found), dtype=bool)]
    return float((non_mated.mean() - mated.mean()) / np.sqrt((mated.var() + non_mated.var()) / 2))


@pytest.mark.parametrize(("part", "least"), [(0, 7.5), (1, 5.2)])
def test_each_network_alone_keeps_people_apart(london_dual: tuple[Person, ...], part: int, least: float) -> None:
    found = separation(part_distances(london_dual, part))
    assert found > least, f"d' is {found:.2f}: alignment or conversion has lost accuracy"


def test_two_networks_leave_a_wider_empty_band_than_the_first_alone(
    london_dual: tuple[Person, ...], dual: FaceEngine
) -> None:
    """(closest non-mated - farthest mated) / closest non-mated, over every pair of two photographs."""

    def band(found: list[np.ndarray]) -> float:
        off = ~np.eye(len(london_dual), dtype=bool)
        closest = min(each[off].min() for each in found)
        farthest = max(each.diagonal().max() for each in found[1:3])
        return float((closest - farthest) / closest)

    def pairs(part: int) -> list[np.ndarray]:
        """Presented against enrolled, for each two sessions."""
        return [
            part_distances(london_dual, part, presented=presented, enrolled=enrolled) * dual.parts[part].scale
            for presented, enrolled in product(("neutral", "smiling"), repeat=2)
        ]

    first = pairs(0)
    both = [np.maximum(one, other) for one, other in zip(first, pairs(1), strict=True)]
    off = ~np.eye(len(london_dual), dtype=bool)
    for between in both[1:3]:
        assert between.diagonal().max() < dual.distance_max < between[off].min()
    assert band(both) >= 1.7 * band(first)


def test_blurred_frames_fail_at_most_five_percent_of_mated_comparisons(
    london_dual: tuple[Person, ...], dual: FaceEngine
) -> None:
    """Sigma 2 at a face 112 pixels wide, as if there were no quality gate (which rejects all of these)."""
    failed = 0
    for person in london_dual:
        for presented, enrolled in ((person.smiling, person.neutral), (person.neutral, person.smiling)):
            scale = 112 / presented.face.box.width
            small = cv2.resize(presented.frame.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            frame = Frame(np.asarray(cv2.GaussianBlur(small, (0, 0), 2.0), np.uint8))
            face = choose_rider(
                locate(dual, frame), frame_width=frame.width, frame_height=frame.height, zone=CaptureZone()
            )
            assert isinstance(face, LocatedFace)
            probe = extract_template(dual, frame, face)
            failed += not compare(engine=dual, probe=probe, reference=enrolled.reference).mated
    assert failed <= 0.05 * 2 * len(london_dual)


@pytest.mark.parametrize(("enrolled", "presented"), DIRECTIONS)
def test_quantisation_changes_no_decision(
    london: tuple[Person, ...], engine: FaceEngine, enrolled: str, presented: str
) -> None:
    probes = [getattr(person, presented).embeddings for person in london]
    references = [getattr(person, enrolled).softened for person in london]
    exact = np.array([[distance_of(engine.parts, one, other) for other in references] for one in probes])
    quantised = distances(london, engine, enrolled, presented)
    assert np.array_equal(exact <= engine.distance_max, quantised <= engine.distance_max)
    assert np.abs(exact - quantised).max() < 0.01
    for number, part in enumerate(engine.parts):
        assert max(np.abs(probe[number]).max() for probe in probes) < part.quantisation_range


def test_every_sharp_photograph_passes_the_quality_gate(london: tuple[Person, ...]) -> None:
    for person in london:
        for seen in (person.neutral, person.smiling):
            quality = assess(seen.frame, seen.face, limits=QualityLimits())
            assert quality.fault is None, f"{person.name}: {quality}"


def test_the_usual_threshold_of_the_first_network_would_be_unfair(london: tuple[Person, ...]) -> None:
    """Why never 0.6: its false matches within a group, at the threshold others use (figures in the plain pack)."""
    found = part_distances(london, 0) <= 0.6
    rates = {}
    for group in ("black", "east_asian", "white"):
        members = np.array([group in person.groups for person in london])
        within = found[members][:, members]
        rates[group] = float(np.mean(within[~np.eye(int(members.sum()), dtype=bool)]))
    assert rates["black"] > 10 * rates["white"]
    assert rates["east_asian"] > 10 * rates["white"]
