"""The same trials on a Dask cluster: an existing one by its address, or one that is started on this machine.

A task is a whole block: the worker that takes it captures, compares, drops the templates and gives back scores and
faults. So no template ever travels or becomes a result that Dask may hold or spill to disk. Workers read the
photographs by the same paths, and need the same Openstile and the model pack.

Dask runs what it is sent: join clusters of your own alone, over tls:// where the network is not your own.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openstile import __version__
from openstile.face.faults import FaceFault
from openstile.lab.capture import Apparatus, Captured, capture_photograph
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.trials import Block, BlockScores, score_block
from openstile.terms.errors import BadInputError, OpenstileError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

LOCAL = "local"
_ANSWER_S_MAX = 15


class ClusterError(OpenstileError):
    """The cluster failed in the middle of a run."""


@dataclass(frozen=True, slots=True)
class ClusterBlocks:
    """Runs each block as one task of `client`. progress: called with captures made and to be made."""

    client: "Client"
    data_set: DataSet
    apparatus: Apparatus
    progress: Callable[[int, int], None] | None = None

    def __call__(self, blocks: Sequence[Block], known: Mapping[int, FaceFault]) -> Iterator[BlockScores]:
        """Blocks as they end. Raises ClusterError, and what capturing raises."""
        from distributed import as_completed

        futures = [
            self.client.submit(
                run_block,
                block,
                [self.data_set.captures[number] for number in block.captures],
                {number: known[number] for number in map(int, block.captures) if number in known},
                self.apparatus,
                pure=False,
                retries=1,
            )
            for block in blocks
        ]
        total, done = sum(len(block.captures) for block in blocks), 0
        try:
            for future in as_completed(futures, loop=self.client.loop):  # type: ignore[no-untyped-call]
                scores: BlockScores = future.result()
                done += len(scores.faults)
                if self.progress is not None:
                    self.progress(done, total)
                yield scores
        except (OpenstileError, GeneratorExit, KeyboardInterrupt):
            raise
        except Exception as error:
            raise ClusterError(f"cluster: a block failed there ({type(error).__name__}: {error}); run again") from error
        finally:
            self.client.cancel(futures)  # type: ignore[no-untyped-call]


def run_block(
    block: Block, captures: Sequence[Capture], known: Mapping[int, FaceFault], apparatus: Apparatus
) -> BlockScores:
    """What a worker does with one block. known: captures, by number, that are known to give no template."""
    engine = apparatus.open_engine()
    captured = [
        Captured.failed(known[number]) if number in known else capture_photograph(engine, capture, apparatus)
        for number, capture in zip(map(int, block.captures), captures, strict=True)
    ]
    return score_block(engine, apparatus, block, captured)


@contextmanager
def join_cluster(address: str, *, workers: int) -> Iterator["Client"]:
    """A client of the cluster at `address` ("tcp://…", "tls://…"), or of a new one of `workers` processes for "local".

    Raises BadInputError: Dask is not installed, nobody answers, no worker, or a worker with another Openstile.
    """
    try:
        import dask
        from distributed import Client
    except ModuleNotFoundError:
        raise BadInputError(
            "cluster: Dask is not installed; install openstile with its extra: pip install '.[cluster]'"
        ) from None
    never_spill = {f"distributed.worker.memory.{what}": False for what in ("target", "spill")}
    with dask.config.set(never_spill), ExitStack() as stack:
        found = stack.enter_context(_start_local(workers)) if address == LOCAL else address
        try:
            client = stack.enter_context(
                Client(found, timeout=_ANSWER_S_MAX, set_as_default=False)  # type: ignore[no-untyped-call]
            )
        except (OSError, ValueError, TypeError) as error:
            raise BadInputError(f"cluster {address}: does not answer ({error}); name a Dask scheduler") from None
        _check_workers(client, address)
        yield client


@contextmanager
def _start_local(workers: int) -> Iterator["LocalCluster"]:
    """Processes of this machine, for this user alone (TLS with keys made for it); leaves no file behind."""
    from distributed import LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="openstile-lab-") as folder,
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            security=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,
            local_directory=folder,
        ) as cluster,
    ):
        yield cluster


def _check_workers(client: "Client", address: str) -> None:
    try:
        versions = client.run(_version)
    except Exception as error:  # noqa: BLE001 - whatever a worker without Openstile answers
        raise BadInputError(f"cluster {address}: a worker cannot run Openstile ({error}); install it there") from None
    if not versions:
        raise BadInputError(f"cluster {address}: has no worker; start some")
    others = sorted(set(versions.values()) - {__version__})
    if others:
        raise BadInputError(f"cluster {address}: a worker has Openstile {others[0]}, here is {__version__}")


def _version() -> str:
    return __version__
