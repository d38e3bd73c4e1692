"""The same trials on a Dask cluster of this machine give the same scores, and say what is wrong in words."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from distributed import Client
from numpy.typing import NDArray
from tests.lab.grey import GREY, write_people

from openstile.face.faults import FaceFault
from openstile.lab.cluster import ClusterBlocks, join_cluster
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.trials import BlockScores, LocalBlocks, measure, plan_blocks, run_trials
from openstile.terms.errors import BadInputError

PEOPLE = [(f"p{n}", "female", "white", 20 + 9 * n, 22 + 9 * n if n % 5 else 0) for n in range(12)]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with join_cluster("local", workers=2) as client:
        yield client


def test_cluster_gives_the_scores_of_one_process(tmp_path: Path, client: Client) -> None:
    data_set = read_data_set(write_people(tmp_path, PEOPLE))
    blocks = plan_blocks(data_set, block_captures=8, seed=3)
    seen: list[tuple[int, int]] = []
    run = ClusterBlocks(client, data_set, GREY, lambda *done: seen.append(done))
    together = run_trials(data_set, GREY, blocks=blocks, run_blocks=run)
    alone = run_trials(data_set, GREY, blocks=blocks, run_blocks=LocalBlocks(data_set, GREY))
    assert (alone.blocks, together.faults) == (3, alone.faults)
    assert alone.fta.events == 3
    for name in ("mated", "mated_captures", "non_mated", "non_mated_captures"):
        assert np.array_equal(getattr(together, name), getattr(alone, name)), name
    assert seen[-1] == (24, 24)


def test_only_unfinished_blocks_go_to_the_cluster(tmp_path: Path, client: Client) -> None:
    data_set = read_data_set(write_people(tmp_path, PEOPLE))
    blocks = plan_blocks(data_set, block_captures=8)
    finished = list(ClusterBlocks(client, data_set, GREY)(blocks[:2], {}))
    seen: list[tuple[int, int]] = []
    run = ClusterBlocks(client, data_set, GREY, lambda *done: seen.append(done))
    scores = run_trials(data_set, GREY, blocks=blocks, run_blocks=run, finished=finished)
    assert seen == [(len(blocks[2].captures),) * 2]
    assert len(scores.mated) == 12 - scores.fta.events


def test_photograph_that_cannot_be_read_on_a_worker_is_named(tmp_path: Path, client: Client) -> None:
    data_set = read_data_set(write_people(tmp_path, PEOPLE[:2]))
    (tmp_path / "smiling" / "p1.jpg").write_bytes(b"no picture")
    with pytest.raises(BadInputError, match=r"p1\.jpg"):
        list(ClusterBlocks(client, data_set, GREY)(plan_blocks(data_set), {}))


def test_what_a_worker_gives_back_holds_no_template() -> None:
    assert {field.name: field.type for field in fields(BlockScores)} == {
        "number": int,
        "faults": tuple[FaceFault | None, ...],
        "distances": NDArray[np.float32],
    }


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_cluster_that_does_not_answer_is_said(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openstile.lab.cluster._ANSWER_S_MAX", 1)
    data_set = read_data_set(write_people(tmp_path, PEOPLE[:2]))
    with pytest.raises(BadInputError, match="does not answer"):
        measure(data_set, GREY, cluster=address)


def test_without_dask_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from openstile.lab.cluster import join_cluster\n"
        "from openstile.terms.errors import BadInputError\n"
        "try:\n    join_cluster('local', workers=1).__enter__()\n"
        "except BadInputError as error:\n    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install '.[cluster]'" in ran.stdout
