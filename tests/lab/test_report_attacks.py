"""Recorded presentations in the lab's report: called recorded, with their intervals, whatever is missing."""

from typing import Any

import numpy as np
import pytest
from tests.lab.made_scores import all_pairs, make_scores
from tests.lab.made_sessions import presented, session

from openstile.lab.accuracy import report_accuracy
from openstile.lab.attacks import AttackReport, report_attacks
from openstile.lab.bootstrap import Resampling
from openstile.lab.report import Found, PackFacts, assemble, card_markdown, report_page
from openstile.lab.report_numbers import Language

PRINT, PHONE, LIVING = (presented("let through", "flat print"), presented("no face", "phone"), presented("unsure"))
CASES = {
    "all": (PRINT, PHONE, LIVING),
    "only living": (LIVING,),
    "only attacks": (PRINT,),
    "no response at all": (PHONE,),
    "nothing": (),
}


def report_of(attacks: AttackReport) -> dict[str, Any]:
    pairs = all_pairs(4)
    scores = make_scores(np.full(4, 0.2), np.full(len(pairs), 0.9), pairs)
    found = Found(report_accuracy(scores, how=Resampling(100)), attacks=attacks)
    pack = PackFacts("made-1", "made", "none", "none", 128)
    return assemble(found, pack=pack, thresholds=(), data_set="made up", made_at="now", machine="none")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("case", CASES)
def test_page_has_what_was_presented_and_says_what_was_not(case: str, language: Language) -> None:
    report = report_of(report_attacks([session(*CASES[case])]))
    page = report_page(report, language)
    assert '<section id="attacks"' in page
    assert ('id="plot-attacks"' in page) == any(one.is_attack for one in CASES[case])
    simulated = {Language.EN: "All of them are simulated", Language.DE: "am Rechner simuliert"}[language]
    assert simulated not in page.partition('<section id="attacks"')[2].partition("</section>")[0]
    assert "APNRR" in page or not any(one.is_attack for one in CASES[case])
    assert "at most 5" not in page
    assert "other_attacks" in report["not_tested"]
    assert "no print, screen or mask was held" not in card_markdown(report)


def test_numbers_of_the_page_are_those_of_the_sessions() -> None:
    page = report_page(report_of(report_attacks([session(*CASES["all"])])), Language.EN)
    for pointer in ("/attacks/species/0/apcer/rate", "/attacks/species/1/apnrr/rate", "/attacks/bpcer/rate"):
        assert f'<data value="1.0" data-at="{pointer}">100' in page
    assert 'data-at="/attacks/presentations">3<' in page
