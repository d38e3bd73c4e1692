"""APCER, BPCER, APNRR and BPNRR of recorded presentations, held against counts by hand and against scipy."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.lab.made_sessions import CLIPS, presented, session

from openstile.face.attack import Evidence, Verdict
from openstile.lab.attacks import AttackReport, SpeciesRates, report_attacks
from openstile.lab.attacks_session import BONA_FIDE, Presentation, Rule, Session
from openstile.lab.intervals import Proportion
from openstile.terms import BadInputError

PRINT_OUTCOMES = ["denied"] * 14 + ["denied later", "let through", "let through later", "unsure", "no clip", "no face"]
"""Of 20 flat prints: 19 with a response. Unattended: 2 let through. Attended: the 4 with a first clip and no attack in
it."""
LIVING_OUTCOMES = ["let through"] * 25 + ["let through later", "denied", "unsure", "no clip", "no face"]
"""Of 30 living: 29 with a response. Unattended: 3 rejected. Attended: the denied one and the one without a clip."""


@pytest.fixture
def counted() -> AttackReport:
    """Five people with four prints each, ten living people with three presentations each, one monitor by one person."""
    prints = [presented(how, "flat print", subject=1 + n % 5, instrument=1 + n % 2)
              for n, how in enumerate(PRINT_OUTCOMES)]  # fmt: skip
    living = [presented(how, subject=1 + n % 10) for n, how in enumerate(LIVING_OUTCOMES)]
    return report_attacks([session(*prints, *living), session(presented("denied", "monitor"), session_id="1" * 16)])


def rates(report: AttackReport, species: str) -> SpeciesRates:
    (found,) = [each for each in (*report.species, report.bona_fide) if each is not None and each.species == species]
    return found


def test_apcer_counts_what_was_taken_for_life_of_what_had_a_response(counted: AttackReport) -> None:
    prints = rates(counted, "flat print")
    assert prints.unattended.error == Proportion(2, 19)
    assert prints.attended.error == Proportion(4, 19)
    assert prints.no_response == Proportion(1, 20)
    assert prints.unattended.accepted == Proportion(2, 20)
    assert prints.attended.accepted == Proportion(4, 20)
    assert (prints.people, prints.instruments, prints.unfinished) == (5, 2, 1)


def test_bpcer_counts_who_was_not_let_through_of_who_had_a_response(counted: AttackReport) -> None:
    living = rates(counted, BONA_FIDE)
    assert living.unattended.error == Proportion(3, 29)
    assert living.attended.error == Proportion(2, 29)
    assert living.no_response == Proportion(1, 30)
    assert living.unattended.accepted == Proportion(26, 30)
    assert (living.people, living.instruments) == (10, 0)


def test_intervals_are_those_of_scipy(counted: AttackReport) -> None:
    found = counted.to_json()
    proportions = [
        value
        for each in (*found["species"], found["bona_fide"])  # type: ignore[misc]
        for value in each.values()
        if isinstance(value, dict) and "interval" in value
    ]
    assert len(proportions) == 15
    for value in proportions:
        exact = stats.binomtest(value["events"], value["trials"]).proportion_ci(method="exact")
        assert value["interval"] == pytest.approx([exact.low, exact.high], abs=1e-9)
        assert value["rate"] == value["events"] / value["trials"]


def test_highest_apcer_is_that_of_the_worst_species(counted: AttackReport) -> None:
    worst = counted.highest(Rule.UNATTENDED)
    assert worst is not None
    assert worst.species == "flat print"
    assert counted.to_json()["apcer_highest"]["unattended"]["apcer"]["events"] == 2  # type: ignore[index]
    tied = report_attacks([session(*[presented("denied", s) for s in ("phone", "phone", "tablet")])])
    assert tied.highest(Rule.ATTENDED) is rates(tied, "tablet"), "of equal rates the one that was seen least"
    assert report_attacks([session(presented("no face", "phone"))]).highest(Rule.UNATTENDED) is None


def test_claim_rests_on_people_and_is_refused_where_they_are_too_few(counted: AttackReport) -> None:
    claim = rates(counted, "flat print").claim
    assert claim.independent == Proportion(2, 5), "presentations 15 and 16 were of two people of five"
    assert not claim.carried
    assert "2 of 5 people shown by instruments of this species were taken for life" in claim.sentence
    assert "at most" not in claim.sentence
    living = rates(counted, BONA_FIDE).claim
    assert "a BPCER" in living.sentence
    assert "were rejected" in living.sentence


@pytest.mark.parametrize(("people", "carried"), [(71, False), (72, True)])
def test_five_percent_take_seventy_two_people_without_an_error(people: int, carried: bool) -> None:
    """1 - 0.025^(1/n) falls to 0.05 at n = 72."""
    many = [presented("denied", "phone", subject=1 + n) for n in range(people) for _ in range(3)]
    claim = rates(report_attacks([session(*many)]), "phone").claim
    assert claim.carried is carried
    assert ("at most 0.05" in claim.sentence) is carried
    assert claim.needed == 72


def test_people_without_a_response_carry_no_claim() -> None:
    claim = rates(report_attacks([session(*[presented("no face", "phone", subject=n) for n in range(1, 99)])]), "phone")
    assert claim.claim.independent == Proportion(0, 0)
    assert not claim.claim.carried
    assert claim.unattended.error.rate is None


def test_each_detector_alone_is_counted_on_the_first_clip() -> None:
    def said(parallax: Verdict, shape: Verdict, score: float | None) -> Presentation:
        clip = (Evidence("parallax", parallax, score), Evidence("flash_shape", shape, None))
        outcome = presented({Verdict.ATTACK: "denied", Verdict.LIVE: "let through"}.get(parallax, "unsure")).outcome
        made = presented("no clip", "phone")
        return Presentation(made.subject, made.species, 1, "", (clip,), outcome, made.at)

    told = [
        said(Verdict.ATTACK, Verdict.INCONCLUSIVE, 1.0),
        said(Verdict.LIVE, Verdict.INCONCLUSIVE, 9.5),
        said(Verdict.LIVE, Verdict.LIVE, 12.0),
        said(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, None),
    ]
    phone = rates(report_attacks([session(*told, presented("unsure", "phone"))]), "phone")
    parallax, shape = phone.detectors
    assert (parallax.attack, parallax.live, parallax.inconclusive) == (
        Proportion(1, 5), Proportion(2, 5), Proportion(2, 5),
    )  # fmt: skip
    assert parallax.score_median == 4.0, "the lower of the two in the middle of 1, 4, 9.5 and 12"
    assert (shape.attack, shape.live, shape.inconclusive) == (Proportion(0, 4), Proportion(1, 4), Proportion(3, 4))
    assert shape.score_median is None


def test_mis_made_presentation_counts_in_no_rate_and_is_told() -> None:
    one = session(presented("denied", "phone"), presented("let through", "phone")).with_last_void()
    report = report_attacks([one])
    assert rates(report, "phone").unattended.error == Proportion(0, 1)
    assert (report.void, report.presentations) == (1, 1)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "0 sessions"),
        ([session(), session()], "given twice"),
        ([session(), session(session_id="1" * 16, flash=True)], "count them apart"),
        ([session(), session(session_id="1" * 16, monitored=("context",))], "count them apart"),
        ([session(session_id=f"{n:016x}") for n in range(65)], "65 sessions"),
    ],
)
def test_sessions_that_do_not_go_together_are_refused(others: list[Session], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        report_attacks(others)


def test_claim_of_nothing_is_refused() -> None:
    with pytest.raises(BadInputError, match="must lie between 0 and 1"):
        report_attacks([session(presented("denied", "phone"))], claim_apcer=0.0)


def test_report_without_living_people_has_a_bpcer_that_was_not_measured() -> None:
    found = report_attacks([session(presented("denied", "my mask"))]).to_json()
    assert found["simulated"] is False
    assert found["bpcer"] == {"events": 0, "trials": 0, "rate": None, "interval": [0.0, 1.0]}
    assert found["bona_fide"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(list(CLIPS)), st.sampled_from([BONA_FIDE, "phone"])), min_size=1))
def test_unattended_gate_lets_nothing_through_that_an_attended_one_stops(made: list[tuple[str, str]]) -> None:
    report = report_attacks([session(*[presented(how, species) for how, species in made])])
    for each in (*report.species, *([report.bona_fide] if report.bona_fide else [])):
        assert each.unattended.accepted.events <= each.attended.accepted.events
        assert each.unattended.error.trials == each.no_response.trials - each.no_response.events
        right = each.unattended.accepted.events
        errors = right if each.is_attack else each.unattended.error.trials - right
        assert each.unattended.error.events == errors
