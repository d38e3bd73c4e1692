"""One photograph through the gate's own functions, and many of them over the cores of this machine.

Templates stay in memory: a worker hands them to the process that compares through a pipe. Nothing is written.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, Template
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.quality import Quality, assess
from openstile.face.template import cut_template, embed_face, soften_embeddings
from openstile.face.zone import locate_rider
from openstile.lab.dataset import Capture
from openstile.terms.errors import BadInputError, OpenstileError
from openstile.terms.limits import LAB_WORKERS_MAX

_PER_TASK = 4
_TASKS_AHEAD = 4
"""Tasks that wait for each worker: enough that none is ever idle, few enough that templates do not pile up."""


class WorkerLostError(OpenstileError):
    """A process that captured ended without a word, mostly for want of memory."""


class OpensEngine(Protocol):
    """Makes an engine in whichever process calls it; can be pickled, as `PackSource`."""

    def __call__(self) -> FaceEngine: ...


@dataclass(frozen=True, slots=True)
class PackSource:
    """The engine of a model pack on this machine, one thread, as `openstile.face.packs.load_pack` finds it."""

    name: str
    pack_folders: tuple[Path, ...] = ()

    def __call__(self) -> FaceEngine:
        """Load the pack. Raises PackError."""
        from openstile.face.packs import load_pack

        return load_pack(self.name, pack_folders=self.pack_folders)


@dataclass(frozen=True, slots=True)
class Apparatus:
    """What captures are made with: the engine, the gate's policy (zone, quality limits, threshold), and treatments.

    treatments: what may be done to a picture before it is presented, by the names that captures carry; functions of
    modules, for they go to other processes.
    """

    open_engine: OpensEngine
    policy: Policy = field(default_factory=Policy)
    treatments: Mapping[str, Callable[[Frame], Frame]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Captured:
    """What one photograph gave: templates, or the fault for which a gate would have asked for another frame.

    probe: as a gate makes it. reference: as a desk makes it, for a pass. quality: None where there was no face to
    assess.
    """

    probe: Template | None = field(repr=False)
    reference: Template | None = field(repr=False)
    fault: FaceFault | None
    quality: Quality | None = None

    @classmethod
    def failed(cls, fault: FaceFault, quality: Quality | None = None) -> "Captured":
        """A photograph that gave no template."""
        return cls(None, None, fault, quality)


def capture_frame(engine: FaceEngine, frame: Frame, policy: Policy) -> Captured:
    """One frame as a gate sees it (`crossing.look`): locate, choose the rider, judge, make the template; and the
    reference that a desk would make of it.
    """
    rider = locate_rider(engine, frame, policy.zone)
    if isinstance(rider, FaceFault):
        return Captured.failed(rider)
    quality = assess(frame, rider, limits=policy.quality)
    if quality.fault is not None:
        return Captured.failed(quality.fault, quality)
    sharp = embed_face(engine, frame, rider)
    reference = soften_embeddings(engine, frame, rider, sharp)
    return Captured(cut_template(engine, sharp), cut_template(engine, reference), None, quality)


def capture_photograph(engine: FaceEngine, capture: Capture, apparatus: Apparatus) -> Captured:
    """Read the photograph, treat it as the capture says, and see what it gives. Raises BadInputError."""
    frame = read_image(capture.path)
    if capture.treatment is not None:
        treat = apparatus.treatments.get(capture.treatment)
        if treat is None:
            raise BadInputError(f"capture: treatment {capture.treatment!r} is not known to this run")
        frame = treat(frame)
    return capture_frame(engine, frame, apparatus.policy)


def capture_all(captures: Sequence[Capture], apparatus: Apparatus, *, workers: int = 1) -> Iterator[Captured]:
    """What each of `captures` gives, in their order; lazily. `workers` processes, each with an engine of its own.

    With one worker everything happens in this process. Raises BadInputError for a photograph that cannot be read,
    WorkerLostError.
    """
    if not 1 <= workers <= LAB_WORKERS_MAX:
        raise BadInputError(f"workers: {workers} is outside 1 to {LAB_WORKERS_MAX}")
    if not captures:
        return
    if workers == 1:
        engine = apparatus.open_engine()
        for capture in captures:
            yield capture_photograph(engine, capture, apparatus)
        return
    with _pool(apparatus, workers) as pool:
        try:
            yield from _in_order(pool, captures, ahead=workers * _TASKS_AHEAD)
        except BrokenProcessPool:
            raise WorkerLostError(
                "lab: a worker process ended early, mostly for want of memory; run again with fewer workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _pool(apparatus: Apparatus, workers: int) -> ProcessPoolExecutor:
    """Fresh processes ("spawn"): a fork of a process that runs networks in threads may hang."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(apparatus,))


def _in_order(pool: ProcessPoolExecutor, captures: Sequence[Capture], *, ahead: int) -> Iterator[Captured]:
    waiting: deque[Future[list[Captured]]] = deque()
    starts = iter(range(0, len(captures), _PER_TASK))
    while True:
        while len(waiting) < ahead and (start := next(starts, None)) is not None:
            waiting.append(pool.submit(_capture_some, tuple(captures[start : start + _PER_TASK])))
        if not waiting:
            return
        yield from waiting.popleft().result()


@dataclass(slots=True)
class _Bench:
    """What a worker process works with."""

    engine: FaceEngine
    apparatus: Apparatus


_bench: _Bench | None = None
"""Of this worker process; set once when it begins."""


def _begin(apparatus: Apparatus) -> None:
    import signal

    import cv2

    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    cv2.setNumThreads(1)
    _bench = _Bench(apparatus.open_engine(), apparatus)


def _capture_some(captures: tuple[Capture, ...]) -> list[Captured]:
    if _bench is None:
        raise RuntimeError("a worker was given work before it began")
    return [capture_photograph(_bench.engine, capture, _bench.apparatus) for capture in captures]
