"""The work file of an interrupted run: scores of finished blocks and faults of their captures. Never a template.

A line of JSON each: first what run it belongs to (a digest of data set, pack, policy and design), then the blocks.
Scores stand in the order of the design, as base64 of float32, little endian; faults by the data set's own ids of
captures. A last line that was cut short is dropped. The file is its owner's alone to read, one run uses it at a time,
and it is removed when the run is complete.
"""

import base64
import binascii
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from openstile import __version__
from openstile.face import FaceEngine
from openstile.face.faults import FaceFault
from openstile.lab.capture import Apparatus
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.trials import Block, BlockScores, pairs_of, threshold_of
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_WORK_BYTES_MAX

_FORMAT = "openstile-lab-work-1"
_Keep = Callable[[BlockScores], None]


@contextmanager
def resuming(
    path: Path | None, data_set: DataSet, apparatus: Apparatus, blocks: Sequence[Block]
) -> Iterator[tuple[tuple[BlockScores, ...], _Keep | None]]:
    """Blocks that `path` holds already, and how to keep further ones; the file goes when the body ends well.

    With no path nothing is kept. Raises BadInputError: the file belongs to another run, is in use, or is damaged.
    """
    if path is None:
        yield (), None
        return
    with _open(path) as file:
        design = _design(apparatus.open_engine(), data_set, apparatus, blocks)
        finished = _read(file, path, design, data_set, blocks)

        def keep(scores: BlockScores) -> None:
            _append(file, _record(scores, data_set, blocks))

        yield finished, keep
        path.unlink(missing_ok=True)


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be opened ({error.strerror}); name another work file") from None
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInputError(f"{path}: another run is at work with it; wait, or name another work file") from None
        yield file


def _read(
    file: BinaryIO, path: Path, design: str, data_set: DataSet, blocks: Sequence[Block]
) -> tuple[BlockScores, ...]:
    """What is finished; a file without a whole first line is begun anew."""
    if os.fstat(file.fileno()).st_size > LAB_WORK_BYTES_MAX:
        raise BadInputError(f"{path}: is larger than {LAB_WORK_BYTES_MAX // 2**20} MiB; this is no work file")
    header: dict[str, Any] = {"format": _FORMAT, "design": design}
    content = file.read()
    if json.dumps(header).encode().startswith(content):  # empty, or cut short in its first line
        file.seek(0)
        file.truncate()
        _append(file, header)
        return ()
    whole, _, _ = content.rpartition(b"\n")
    lines = whole.split(b"\n")
    try:
        header = _parse(lines[0])
        if header.get("format") != _FORMAT:
            raise BadInputError(f"{path}: is no work file of this version; name another")
        if header.get("design") != design:
            raise BadInputError(
                f"{path}: belongs to another run (another data set, pack, policy, block size or seed, or the "
                "photographs changed); name another work file, or remove it"
            )
        by_number = {block.number: block for block in blocks}
        found = {scores.number: scores for scores in (_scores(_parse(line), data_set, by_number) for line in lines[1:])}
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise BadInputError(f"{path}: is damaged; remove it and begin again") from None
    file.seek(len(whole) + 1)
    file.truncate()
    return tuple(found.values())


def _parse(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise TypeError
    return value


def _scores(record: dict[str, Any], data_set: DataSet, blocks: dict[int, Block]) -> BlockScores:
    block = blocks[record["block"]]
    data = base64.b64decode(record["scores"], validate=True)
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise ValueError
    named = {capture_id: FaceFault(fault) for capture_id, fault in record["faults"].items()}
    faults = tuple(named.get(data_set.captures[number].capture_id) for number in block.captures)
    found = np.frombuffer(data, "<f4").astype(np.float32)
    if len(found) != len(pairs_of(block, faults)):
        raise ValueError
    return BlockScores(block.number, faults, found)


def _record(scores: BlockScores, data_set: DataSet, blocks: Sequence[Block]) -> dict[str, Any]:
    block = next(block for block in blocks if block.number == scores.number)
    data = scores.distances.astype("<f4").tobytes()
    faults = {
        data_set.captures[number].capture_id: fault.value
        for number, fault in zip(block.captures, scores.faults, strict=True)
        if fault is not None
    }
    digest = hashlib.sha256(data).hexdigest()
    return {"block": scores.number, "faults": faults, "sha256": digest, "scores": base64.b64encode(data).decode()}


def _append(file: BinaryIO, record: dict[str, Any]) -> None:
    file.seek(0, os.SEEK_END)
    file.write(json.dumps(record).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _design(engine: FaceEngine, data_set: DataSet, apparatus: Apparatus, blocks: Sequence[Block]) -> str:
    """A digest of all that the scores depend on."""
    digest = hashlib.sha256()
    policy = apparatus.policy
    said = [__version__, engine.pack_id, repr(engine.parts), threshold_of(engine, apparatus)]
    said += [repr(policy.zone), repr(policy.quality), [_facts(capture, data_set) for capture in data_set.captures]]
    digest.update(json.dumps(said).encode())
    for block in blocks:
        digest.update(block.captures.tobytes() + (b"" if block.pairs is None else block.pairs.tobytes()))
    return digest.hexdigest()


def _facts(capture: Capture, data_set: DataSet) -> list[object]:
    try:
        there = capture.path.stat()
    except OSError as error:
        raise BadInputError(f"{capture.path}: cannot be read ({error.strerror})") from None
    owner = data_set.subjects[capture.subject].subject_id
    return [capture.capture_id, owner, capture.condition, capture.treatment, there.st_size, there.st_mtime_ns]
