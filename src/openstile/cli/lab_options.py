"""Options that the lab's commands share, and the run they describe."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import existing_home_of
from openstile.cli.printing import error_console

if TYPE_CHECKING:
    from openstile.lab.capture import Apparatus
    from openstile.lab.dataset import DataSet
    from openstile.lab.scores import Scores

DatasetArgument = Annotated[
    Path, typer.Argument(metavar="DATASET", help="Folder of consenting people's photographs (docs/lab.md).")
]
PairsOption = Annotated[
    Path | None,
    typer.Option(
        "--pairs", help="Compare these pairs alone: a CSV, or a pairs file as Labeled Faces in the Wild has one."
    ),
]
SessionOption = Annotated[
    list[str] | None, typer.Option("--session", help="Only this session of the folder; repeatable. Default: all.")
]
MissingOption = Annotated[
    bool, typer.Option("--allow-missing", help="Go on where people lack a photograph in some session, and count them.")
]
PackOption = Annotated[
    str | None,
    typer.Option("--pack", metavar="PACK", help="Name, id or folder of a model pack. Default: the gate's own."),
]
ThresholdOption = Annotated[
    float | None, typer.Option("--threshold", help="Largest distance that matches. Default: the gate's own.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Processes that capture. Default: one for each core.")
]
BlockOption = Annotated[
    int,
    typer.Option(
        "--block", help="Photographs of a block; comparisons are made within a block, a block is resumed whole."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the draw of blocks and of the bootstrap.")]
WorkOption = Annotated[
    Path | None,
    typer.Option(
        "--work", help="Keep finished blocks' scores here, to resume after an interruption; removed at the end."
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster: its scheduler's address, or local."),
]
ReplicatesOption = Annotated[int, typer.Option("--replicates", help="Resamples of the bootstrap over people.")]
ClaimFmrOption = Annotated[float, typer.Option("--claim-fmr", help="False match rate that a claim is tried for.")]
ClaimFnmrOption = Annotated[float, typer.Option("--claim-fnmr", help="False non-match rate that a claim is tried for.")]
BLOCK = 2000
REPLICATES = 1000
SEED = 19795
CLAIM_FMR = 0.001
CLAIM_FNMR = 0.01


@dataclass(frozen=True, slots=True)
class LabRun:
    """What to run on what, as the options say."""

    dataset: Path
    pairs: Path | None = None
    sessions: tuple[str, ...] = ()
    allow_missing: bool = False
    pack: str | None = None
    threshold: float | None = None
    home: Path | None = None
    workers: int | None = None
    block: int = BLOCK
    seed: int = SEED
    work: Path | None = None
    cluster: str | None = None

    def data_set(self) -> "DataSet":
        """Read the folder, or the pairs. Raises BadInputError."""
        from openstile.lab.dataset_folder import read_data_set
        from openstile.lab.dataset_pairs import read_pairs

        folder = self.dataset.absolute()  # a cluster's workers may stand elsewhere
        if self.pairs is not None:
            return read_pairs(folder, self.pairs)
        return read_data_set(folder, sessions=self.sessions or None, allow_missing=self.allow_missing)

    def apparatus(self) -> "Apparatus":
        """The pack and the policy of the home's gate, or those that Openstile ships."""
        from dataclasses import replace

        from openstile.crossing import Policy
        from openstile.face.packs import DEFAULT_PACK
        from openstile.lab.capture import Apparatus, PackSource

        policy, name = Policy(), DEFAULT_PACK
        folders: tuple[Path, ...] = ()
        if self.home is not None:
            from openstile.assembly.wire import Installation

            installation = Installation.open(existing_home_of(self.home))
            policy, name = installation.policy, installation.settings.gate.model_pack
            folders = (installation.home.packs,)
        if self.threshold is not None:
            policy = replace(policy, distance_max=self.threshold)
        return Apparatus(PackSource(self.pack or name, folders), policy)

    def run(self, *, quiet: bool) -> "Scores":
        """Capture and compare, with a progress bar unless `quiet`."""
        from openstile.lab.trials import measure

        with lab_progress("photographs", quiet=quiet) as progress:
            return measure(
                self.data_set(),
                self.apparatus(),
                workers=len(os.sched_getaffinity(0)) if self.workers is None else self.workers,
                block_captures=self.block,
                seed=self.seed,
                work=self.work,
                cluster=self.cluster,
                progress=progress,
            )


@contextmanager
def lab_progress(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, fed with what is done and in all; None when quiet or when nobody watches."""
    terminal = error_console()
    if quiet or not terminal.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
