"""Who is taken for whom, on consenting adults: neutral enrolled and smiling presented, and the reverse.

The figures of a report belong to the lab; this test holds the shipped threshold to what the project promises. 60
people bound a rate only roughly: 0 of 3,540 non-mated comparisons puts the false match rate below 0.09 % (95 %,
one-sided, as if they were independent), 0 of 60 mated ones puts the false non-match rate below 4.9 %.
"""

import numpy as np
import pytest
from tests.face.london import Person

from openstile.face import FaceEngine, compare
from openstile.face.compare import distance_of
from openstile.face.quality import QualityLimits, assess

DIRECTIONS = [("neutral", "smiling"), ("smiling", "neutral")]


def distances(london: tuple[Person, ...], engine: FaceEngine, enrolled: str, presented: str) -> np.ndarray:
    """[i, j]: person i's presented photograph against person j's enrolled one."""
    return np.array(
        [
            [
                compare(
                    engine=engine,
                    probe=getattr(probe, presented).template,
                    reference=getattr(reference, enrolled).template,
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


def test_mated_and_non_mated_comparisons_stand_apart(london: tuple[Person, ...], engine: FaceEngine) -> None:
    found = distances(london, engine, "neutral", "smiling")
    mated, non_mated = found.diagonal(), found[~np.eye(len(london), dtype=bool)]
    separation = (non_mated.mean() - mated.mean()) / np.sqrt((mated.var() + non_mated.var()) / 2)
    assert separation > 7.5, f"d' is {separation:.2f}: alignment or conversion has lost accuracy"
    assert mated.max() < non_mated.min()


@pytest.mark.parametrize(("enrolled", "presented"), DIRECTIONS)
def test_quantisation_changes_no_decision(
    london: tuple[Person, ...], engine: FaceEngine, enrolled: str, presented: str
) -> None:
    probes = [getattr(person, presented).embeddings for person in london]
    references = [getattr(person, enrolled).embeddings for person in london]
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


def test_the_usual_threshold_of_this_network_would_be_unfair(london: tuple[Person, ...], engine: FaceEngine) -> None:
    """Why 0.45 and never 0.6: false matches within a group, at the threshold others use (figures in the manifest)."""
    found = distances(london, engine, "neutral", "smiling") <= 0.6
    rates = {}
    for group in ("black", "east_asian", "white"):
        members = np.array([group in person.groups for person in london])
        within = found[members][:, members]
        rates[group] = float(np.mean(within[~np.eye(int(members.sum()), dtype=bool)]))
    assert rates["black"] > 10 * rates["white"]
    assert rates["east_asian"] > 10 * rates["white"]
