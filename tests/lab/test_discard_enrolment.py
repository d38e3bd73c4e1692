"""What a worse reference costs: what a gate's limits take of spoilt photographs, and what enrolment's do."""

from dataclasses import replace
from pathlib import Path

import pytest

from openstile.crossing import Policy
from openstile.face import FaceEngine
from openstile.lab.dataset import DataSet
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.discard_enrolment import FRAMES, REFERENCES, report_enrolment
from openstile.terms import BadInputError

PEOPLE = 3


@pytest.fixture(scope="module")
def few(shared_data: Path) -> DataSet:
    whole = read_data_set(shared_data / "london")
    return replace(whole, captures=tuple(one for one in whole.captures if one.subject < PEOPLE))


def test_enrolment_takes_fewer_spoilt_references_than_a_gate_and_all_good_ones(
    few: DataSet, engine: FaceEngine
) -> None:
    told: list[tuple[int, int]] = []
    report = report_enrolment(few, engine, policy=Policy(), progress=lambda *done: told.append(done))
    *lines, everything = report
    assert told == [(number, PEOPLE) for number in range(1, PEOPLE + 1)]
    assert [line.name for line in lines] == [condition.name for condition in REFERENCES]
    by_name = {line.name: line for line in lines}
    assert by_name["clean"].gate.references == by_name["clean"].enrolment.references
    assert by_name["clean"].enrolment.references.events == PEOPLE
    assert by_name["face of 50 pixels"].gate.references.events == PEOPLE
    assert by_name["face of 50 pixels"].enrolment.references.events == 0
    assert by_name["contrast 0.12"].gate.references.events == 0
    for line in report:
        assert line.enrolment.references.events <= line.gate.references.events
        assert line.enrolment.comparisons.trials <= line.gate.comparisons.trials
        assert line.gate.comparisons.trials <= line.gate.references.events * len(FRAMES)
    assert everything.gate.references.trials == PEOPLE * len(REFERENCES)
    assert everything.gate.comparisons.trials == sum(line.gate.comparisons.trials for line in lines)


def test_data_set_with_one_photograph_of_each_person_is_refused(few: DataSet, engine: FaceEngine) -> None:
    alone = replace(few, captures=tuple(one for one in few.captures if one.condition == 0))
    with pytest.raises(BadInputError, match="two photographs"):
        report_enrolment(alone, engine, policy=Policy())
