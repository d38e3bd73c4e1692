"""The published vectors: the script makes these bytes, and the library says of each what is written there."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.vectors.library_answers import (
    GATE,
    LISTS,
    PASSES,
    RING,
    answer,
    list_answer,
    sequence_answer,
    standing_answer,
)
from tests.vectors.make import FOLDER, vector_files

from openstile.passes import PassFault

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "pass-format.md").read_text(encoding="utf-8")


def test_the_script_makes_the_published_vectors_to_the_byte() -> None:
    for name, content in vector_files().items():
        assert (FOLDER / name).read_text(encoding="ascii") == content, f"{name}: run python -m tests.vectors.make"


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in PASSES["vectors"]])
def test_pass_vector(vector: dict[str, Any]) -> None:
    assert answer(vector) == vector["expected"], vector["rule"]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in LISTS["vectors"]])
def test_status_list_vector(vector: dict[str, Any]) -> None:
    assert list_answer(vector) == vector["expected"], vector["rule"]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in LISTS["standings"]])
def test_standing_vector(vector: dict[str, Any]) -> None:
    assert standing_answer(vector) == vector["expected"], vector["rule"]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in LISTS["sequences"]])
def test_sequence_vector(vector: dict[str, Any], tmp_path: Path) -> None:
    assert sequence_answer(vector, tmp_path / "trust") == vector["expected"], vector["rule"]


def test_the_vectors_are_as_many_as_promised_each_with_its_own_name_and_every_fault_is_there() -> None:
    vectors = PASSES["vectors"]
    faults = Counter(vector["expected"].get("fault", "") for vector in vectors)
    assert faults[""] >= 15
    assert faults.total() - faults[""] >= 80
    assert set(faults) == {"", *(fault.value for fault in PassFault)}
    assert sum("refused" in vector["expected"] for vector in LISTS["vectors"]) >= 12
    for group in (vectors, LISTS["vectors"], LISTS["standings"], LISTS["sequences"]):
        assert len({vector["name"] for vector in group}) == len(group)


def test_every_rule_of_a_vector_is_in_a_section_of_the_document() -> None:
    steps = {"Opening a pass": 13, "Status lists": 7}
    for vector in (*PASSES["vectors"], *LISTS["vectors"], *LISTS["standings"], *LISTS["sequences"]):
        section = re.split(r"[:,]", vector["rule"])[0]
        assert f"\n## {section}\n" in DOCUMENT, vector["rule"]
        step = re.match(r"[^:]*, step (\d+)", vector["rule"])
        assert step is None or 1 <= int(step[1]) <= steps[section], vector["rule"]


def test_every_step_of_opening_has_a_vector_that_breaks_it() -> None:
    rules = " ".join(vector["rule"] for vector in PASSES["vectors"])
    assert all(f"Opening a pass, step {step}" in rules for step in range(1, 14))


def test_key_ids_of_the_vectors_are_those_of_their_keys() -> None:
    assert [key.public.kid.hex() for key in RING.gate_group_keys] == [key["kid"] for key in GATE["gate_group_keys"]]
    assert [key.public.point.hex() for key in RING.gate_group_keys] == [key["point"] for key in GATE["gate_group_keys"]]
    assert [issuer.key.kid.hex() for issuer in RING.issuers] == [issuer["kid"] for issuer in GATE["issuers"]]
