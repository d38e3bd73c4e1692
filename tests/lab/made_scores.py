"""Scores made of numbers, without a photograph."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from openstile.lab.dataset import Capture, DataSet, Group, Subject
from openstile.lab.scores import Scores


def make_scores(
    mated: ArrayLike, non_mated: ArrayLike, pairs: list[tuple[int, int]], *, listed: bool = False, limit: float = 0.5
) -> Scores:
    """Person i has two captures, 2 i and 2 i + 1, compared at mated[i]; non_mated[k] is between the people pairs[k]."""
    found, others = np.asarray(mated, np.float32), np.asarray(non_mated, np.float32)
    people = len(found)
    subjects = tuple(Subject(f"p{n}", (Group("sex", "f" if n % 2 else "m"),)) for n in range(people))
    captures = tuple(Capture(f"{c}/p{n}", n, c, Path(f"{c}/p{n}.jpg")) for n in range(people) for c in (0, 1))
    mated_captures = np.arange(2 * people, dtype=np.int32).reshape(-1, 2)
    other_captures = np.array([(2 * a, 2 * b + 1) for a, b in pairs], np.int32).reshape(-1, 2)
    every = np.concatenate([mated_captures, other_captures]) if listed else None
    data_set = DataSet("made", subjects, ("first", "second"), captures, every)
    return Scores(data_set, "made-1", limit, (None,) * len(captures), found, mated_captures, others, other_captures)


def all_pairs(people: int) -> list[tuple[int, int]]:
    """Everybody with everybody once."""
    return [(a, b) for a in range(people) for b in range(a + 1, people)]
