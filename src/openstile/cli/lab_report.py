"""`openstile lab report`: everything measured, as one page that needs nothing else, and as JSON."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.options import HomeOption, JsonOption, folder
from openstile.cli.printing import console, error_console, print_json

if TYPE_CHECKING:
    from openstile.lab.attacks import AttackReport
    from openstile.lab.scores import Scores


def report(
    dataset: options.DatasetArgument,
    out: Annotated[Path, typer.Option(parser=folder, help="Folder for report.html, report.json and the model card.")],
    session: options.SessionOption = None,
    allow_missing: options.MissingOption = False,
    pack: options.PackOption = None,
    threshold: options.ThresholdOption = None,
    workers: options.WorkersOption = None,
    seed: options.SeedOption = options.SEED,
    work: options.WorkOption = None,
    cluster: options.ClusterOption = None,
    replicates: options.ReplicatesOption = options.REPLICATES,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave a part out: groups, quality, speed or unlinkability; repeatable.")
    ] = None,
    attacks: Annotated[
        list[Path] | None,
        typer.Option(metavar="SESSION.json", help="Presentations recorded by `lab attacks`; repeatable."),
    ] = None,
    link_pairs: Annotated[int, typer.Option(help="Pairs of passes of one person, and of two.")] = 2000,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Measure accuracy, groups, quality, speed and linking, and write the report and the pack's model card."""
    from openstile.lab.bootstrap import Resampling
    from openstile.lab.report import assemble, check_ready, write_report
    from openstile.lab.report_machine import describe_machine
    from openstile.lab.report_run import PARTS, ReportRun, pack_facts, thresholds_of
    from openstile.terms import BadInputError
    from openstile.terms.instants import SystemClock

    unknown = sorted(set(without or ()) - set(PARTS))
    if unknown:
        raise BadInputError(f"--without {unknown[0]}: give {', '.join(PARTS)}")
    check_ready(out)
    presented = _presented(attacks or [])
    lab = options.LabRun(
        dataset, None, tuple(session or ()), allow_missing, pack, threshold, home, workers,
        seed=seed, work=work, cluster=cluster,
    )  # fmt: skip
    scores: Scores = lab.run(quiet=as_json)
    clock = SystemClock()
    with _progress(quiet=as_json) as progress:
        run = ReportRun(
            data_set=lab.data_set(),
            apparatus=lab.apparatus(),
            clock=clock,
            random=secrets.token_bytes,
            how=Resampling(replicates, seed),
            parts=tuple(part for part in PARTS if part not in (without or ())),
            link_pairs=link_pairs,
            attacks=presented,
            progress=progress,
        )
        found = run.measure(scores)
    content = assemble(
        found,
        pack=pack_facts(run.apparatus),
        thresholds=thresholds_of(run.apparatus, scores, found),
        data_set=scores.data_set.name,
        made_at=f"{clock.now():%Y-%m-%d %H:%M} UTC",
        machine=describe_machine(),
    )
    files = write_report(content, out)
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        for file in files:
            console().print(str(file))
    return 0


def _presented(files: "list[Path]") -> "AttackReport | None":
    """What the recorded sessions showed: read first, so that a bad file is said before anything is measured."""
    from openstile.lab.attacks import report_attacks
    from openstile.lab.attacks_file import read_session

    return report_attacks([read_session(file) for file in files]) if files else None


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on standard error that says which part is at work."""
    terminal = error_console()
    if quiet or not terminal.is_terminal:
        yield None
        return
    from rich.progress import Progress

    with Progress(console=terminal, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
