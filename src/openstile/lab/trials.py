"""The design of a lab run, and the run itself: captures, then comparisons, block by block.

A block is a part of the people. Comparisons are made within a block, so that a block, once finished, needs none of its
captures again: its scores can be kept, its templates are dropped. A data set that fits into one block is compared in
full. Listed pairs are cut into blocks in their order.

A finished block is known by its scores and by the faults of its captures; that is all a work file holds
(`trials_file`) and all a machine of a cluster gives back (`cluster`). Templates never leave memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstile.face import FaceEngine, Template, compare
from openstile.face.faults import FaceFault
from openstile.lab.capture import Apparatus, Captured, capture_all
from openstile.lab.dataset import DataSet
from openstile.lab.pairs import cross_distances, distances
from openstile.lab.scores import Scores, matches
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_CAPTURES_MAX, LAB_COMPARISONS_MAX

BLOCK_CAPTURES = 2000
"""Two million comparisons a block; with ten thousand photographs ten million in all."""
_ROWS_AT_ONCE = 512
_NEAR = 1e-4
"""Relative distance to the threshold below which the gate's own comparison is asked; rounding is a thousand times
smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """captures: (c,) int32, numbers into the data set. pairs: (n, 2) int32 of such numbers; None: every pair."""

    number: int
    captures: NDArray[np.int32] = field(repr=False)
    pairs: NDArray[np.int32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class BlockScores:
    """A finished block. faults: one for each of its captures. distances: (n,) float32, in the order of `pairs_of`."""

    number: int
    faults: tuple[FaceFault | None, ...]
    distances: NDArray[np.float32] = field(repr=False)


RunBlocks = Callable[[Sequence[Block], Mapping[int, FaceFault]], Iterator[BlockScores]]
"""Runs blocks in any order; told which captures are known to give no template."""


def plan_blocks(data_set: DataSet, *, block_captures: int = BLOCK_CAPTURES, seed: int = 0) -> tuple[Block, ...]:
    """Cut the run into blocks of at most about `block_captures` photographs; people are drawn by `seed`.

    Raises BadInputError when the blocks together have more comparisons than a run can hold.
    """
    if not 2 <= block_captures <= LAB_CAPTURES_MAX:
        raise BadInputError(f"block: {block_captures} photographs are outside 2 to {LAB_CAPTURES_MAX}")
    if data_set.listed is not None:
        return tuple(_cut_pairs(data_set.listed, block_captures))
    owners = np.array([capture.subject for capture in data_set.captures], np.int32)
    parts = -(-len(owners) // block_captures)
    order = np.arange(len(data_set.subjects))
    if parts > 1:
        order = np.random.default_rng(seed).permutation(order)
    shares = np.array_split(order, min(parts, len(order)))
    blocks = tuple(
        Block(number, np.flatnonzero(np.isin(owners, share)).astype(np.int32)) for number, share in enumerate(shares)
    )
    comparisons = sum(len(block.captures) * (len(block.captures) - 1) // 2 for block in blocks)
    if comparisons > LAB_COMPARISONS_MAX:
        raise BadInputError(
            f"block: {block_captures} photographs a block make {comparisons} comparisons, at most "
            f"{LAB_COMPARISONS_MAX} fit into one run; take smaller blocks"
        )
    return blocks


def run_trials(
    data_set: DataSet,
    apparatus: Apparatus,
    *,
    blocks: Sequence[Block],
    run_blocks: RunBlocks,
    finished: Iterable[BlockScores] = (),
    keep: Callable[[BlockScores], None] | None = None,
) -> Scores:
    """Run the blocks that are not among `finished`; `keep` is called with each as it ends.

    `run_blocks`: `LocalBlocks`, or `cluster.ClusterBlocks`.
    """
    engine = apparatus.open_engine()
    done = {scores.number: scores for scores in finished}
    known = {
        int(number): fault
        for block in blocks
        if block.number in done
        for number, fault in zip(block.captures, done[block.number].faults, strict=True)
        if fault is not None
    }
    for scores in run_blocks([block for block in blocks if block.number not in done], known):
        done[scores.number] = scores
        if keep is not None:
            keep(scores)
    return _gather(data_set, engine, apparatus, blocks, done)


@dataclass(frozen=True, slots=True)
class LocalBlocks:
    """Captures over `workers` processes of this machine, comparisons in this one.

    progress: called with captures made and to be made.
    """

    data_set: DataSet
    apparatus: Apparatus
    workers: int = 1
    progress: Callable[[int, int], None] | None = None

    def __call__(self, blocks: Sequence[Block], known: Mapping[int, FaceFault]) -> Iterator[BlockScores]:
        """Block after block; a capture that several blocks need is made once and dropped after the last of them."""
        engine = self.apparatus.open_engine()
        last = {int(number): block.number for block in blocks for number in block.captures}
        fresh = [number for number in last if number not in known]
        captured = self._count(
            capture_all([self.data_set.captures[n] for n in fresh], self.apparatus, workers=self.workers), len(fresh)
        )
        order = iter(fresh)
        have: dict[int, Captured] = {number: Captured.failed(fault) for number, fault in known.items()}
        for block in blocks:
            for number in map(int, block.captures):
                while number not in have:
                    have[next(order)] = next(captured)
            yield score_block(engine, self.apparatus, block, [have[int(number)] for number in block.captures])
            for number in map(int, block.captures):
                if last[number] == block.number:
                    del have[number]

    def _count(self, captured: Iterator[Captured], total: int) -> Iterator[Captured]:
        for done, each in enumerate(captured, 1):
            if self.progress is not None:
                self.progress(done, total)
            yield each


def score_block(engine: FaceEngine, apparatus: Apparatus, block: Block, captured: Sequence[Captured]) -> BlockScores:
    """Compare what the captures of `block` gave, each pair of it once: its first is enrolled, its second presented."""
    faults = tuple(each.fault for each in captured)
    references = _rows(engine, [each.reference for each in captured])
    probes = _rows(engine, [each.probe for each in captured])
    places = _places(block, faults)
    if block.pairs is None:
        usable = np.flatnonzero([fault is None for fault in faults])
        found = _triangle(engine, references[usable], probes[usable])
    else:
        found = distances(engine.parts, probes[places[:, 1]], references[places[:, 0]])
    _settle(engine, apparatus, probes, references, places, found)
    return BlockScores(block.number, faults, found)


def _rows(engine: FaceEngine, templates: Sequence[Template | None]) -> NDArray[np.int8]:
    """(n, bytes of a template), zeros where there is none."""
    rows = np.zeros((len(templates), sum(part.dimensions for part in engine.parts)), np.int8)
    for row, each in zip(rows, templates, strict=True):
        if each is not None:
            row[:] = np.frombuffer(each.data, np.int8)
    return rows


def pairs_of(block: Block, faults: Sequence[FaceFault | None]) -> NDArray[np.int32]:
    """(n, 2): the comparisons of a finished block, as numbers of captures that both gave a template."""
    return block.captures[_places(block, faults)]


def threshold_of(engine: FaceEngine, apparatus: Apparatus) -> float:
    """The threshold that a gate with this policy and pack has."""
    own = apparatus.policy.distance_max
    return engine.distance_max if own is None else own


def _places(block: Block, faults: Sequence[FaceFault | None]) -> NDArray[np.int32]:
    """As `pairs_of`, but as places within the block."""
    usable = np.array([fault is None for fault in faults], np.bool_)
    if block.pairs is None:
        chosen = np.flatnonzero(usable).astype(np.int32)
        one, other = np.triu_indices(len(chosen), 1)
        return np.stack([chosen[one], chosen[other]], axis=1)
    order = np.argsort(block.captures)
    places = order[np.searchsorted(block.captures, block.pairs, sorter=order)].astype(np.int32)
    return np.asarray(places[usable[places].all(axis=1)], np.int32)


def _triangle(engine: FaceEngine, references: NDArray[np.int8], probes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Every pair of rows once, in the order of numpy's triu_indices."""
    strips = []
    for start in range(0, len(references), _ROWS_AT_ONCE):
        strip = cross_distances(engine.parts, references[start : start + _ROWS_AT_ONCE], probes[start:])
        strips.append(strip[np.triu_indices(len(strip), 1, m=strip.shape[1])])
    return np.concatenate(strips) if strips else np.empty(0, np.float32)


def _settle(
    engine: FaceEngine,
    apparatus: Apparatus,
    probes: NDArray[np.int8],
    references: NDArray[np.int8],
    places: NDArray[np.int32],
    found: NDArray[np.float32],
) -> None:
    """Where a distance lies at the threshold but for rounding, let the gate's own comparison decide."""
    threshold = threshold_of(engine, apparatus)
    for index in np.flatnonzero(np.abs(found - threshold) <= _NEAR * threshold):
        enrolled, presented = places[index]
        probe = Template(engine.pack_id, probes[presented].tobytes())
        reference = Template(engine.pack_id, references[enrolled].tobytes())
        comparison = compare(engine=engine, probe=probe, reference=reference, distance_max=threshold)
        value = np.float32(comparison.distance)
        if bool(matches(value.reshape(1), threshold)[0]) != comparison.mated:
            value = np.nextafter(value, np.float32(0 if comparison.mated else np.inf))
        found[index] = value


def _cut_pairs(listed: NDArray[np.int32], block_captures: int) -> Iterator[Block]:
    """Blocks of listed pairs, in their order; each names at most `block_captures` photographs."""
    start, seen, number = 0, set[int](), 0
    for index, pair in enumerate(listed.tolist()):
        if len(seen | set(pair)) > block_captures:
            yield Block(number, np.array(sorted(seen), np.int32), listed[start:index])
            start, seen, number = index, set(), number + 1
        seen.update(pair)
    yield Block(number, np.array(sorted(seen), np.int32), listed[start:])


def _gather(
    data_set: DataSet,
    engine: FaceEngine,
    apparatus: Apparatus,
    blocks: Sequence[Block],
    done: Mapping[int, BlockScores],
) -> Scores:
    faults: list[FaceFault | None] = [None] * len(data_set.captures)
    for block in blocks:
        for number, fault in zip(block.captures, done[block.number].faults, strict=True):
            faults[number] = fault
    found = np.concatenate([done[block.number].distances for block in blocks])
    pairs = np.concatenate([pairs_of(block, done[block.number].faults) for block in blocks])
    owners = np.array([capture.subject for capture in data_set.captures], np.int32)
    mated = owners[pairs[:, 0]] == owners[pairs[:, 1]]
    return Scores(
        data_set,
        engine.pack_id,
        threshold_of(engine, apparatus),
        tuple(faults),
        found[mated],
        pairs[mated],
        found[~mated],
        pairs[~mated],
        len(blocks),
    )


def measure(
    data_set: DataSet,
    apparatus: Apparatus,
    *,
    workers: int = 1,
    block_captures: int = BLOCK_CAPTURES,
    seed: int = 0,
    work: Path | None = None,
    cluster: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """The whole run: on this machine, or on the Dask cluster `cluster` (an address, or "local").

    work: resume from this file, and keep finished blocks in it (`trials_file`). The scores are the same wherever and
    however they are made. Raises BadInputError, PackError, WorkerLostError, ClusterError.
    """
    from openstile.lab.trials_file import resuming

    blocks = plan_blocks(data_set, block_captures=block_captures, seed=seed)
    with ExitStack() as stack:
        run: RunBlocks = LocalBlocks(data_set, apparatus, workers, progress)
        if cluster is not None:
            from openstile.lab.cluster import ClusterBlocks, join_cluster

            client = stack.enter_context(join_cluster(cluster, workers=workers))
            run = ClusterBlocks(client, data_set, apparatus, progress)
        finished, keep = stack.enter_context(resuming(work, data_set, apparatus, blocks))
        return run_trials(data_set, apparatus, blocks=blocks, run_blocks=run, finished=finished, keep=keep)
