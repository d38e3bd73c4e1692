"""The outcomes of a run: as a table, as JSON, and as the figures of docs/fuzzing.md."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fuzz.campaign import Outcome
from fuzz.target import Target

COLUMNS = ("target", "executions", "a second", "edges", "corpus", "peak MB", "crashes")
_TARGETS_BEGIN, _TARGETS_END = "<!-- targets: begin -->", "<!-- targets: end -->"
_RESULTS_BEGIN, _RESULTS_END = "<!-- results: begin -->", "<!-- results: end -->"


def rows(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """One row a target and their sum, as text."""
    listed = list(outcomes)
    shown = [
        (
            outcome.name,
            f"{outcome.executions:,}",
            f"{outcome.a_second:,}",
            f"{outcome.edges:,}",
            f"{outcome.corpus:,}",
            str(outcome.peak_mb),
            "1" if outcome.crash else "0",
        )
        for outcome in listed
    ]
    total = sum(outcome.executions for outcome in listed)
    return [*shown, ("all", f"{total:,}", "", "", "", "", str(sum(bool(outcome.crash) for outcome in listed)))]


def print_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """The table, and for each crash how to repeat it."""
    table = Table(header_style="bold")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows(outcomes):
        table.add_row(*map(Text, row))
    console.print(table)
    for outcome in outcomes:
        if outcome.crash:
            console.print(Text(f"CRASH of {outcome.name}: {outcome.crash}", style="bold red"), soft_wrap=True)


def as_json(machine: dict[str, str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What report.json holds and --json prints."""
    return {
        "machine": machine,
        "executions": sum(outcome.executions for outcome in outcomes),
        "crashes": sum(bool(outcome.crash) for outcome in outcomes),
        "targets": [outcome.as_json() for outcome in outcomes],
    }


def read_json(path: Path) -> tuple[dict[str, str], list[Outcome]]:
    """The machine and the outcomes of an earlier run."""
    value = json.loads(path.read_text())
    return value["machine"], [Outcome(**target) for target in value["targets"]]


def write_targets(document: Path, targets: Iterable[Target]) -> None:
    """Puts the table of targets into the document."""
    lines = ["| target | parser | what must hold, besides that nothing but its own error is raised |", "|---|---|---|"]
    lines += [f"| `{target.name}` | `{target.parser}` | {target.promise} |" for target in targets]
    _replace(document, _TARGETS_BEGIN, _TARGETS_END, lines)


def write_results(document: Path, machine: dict[str, str], outcomes: Sequence[Outcome]) -> None:
    """Puts the figures of a run into the document."""
    about = "; ".join(f"{name}: {value}" for name, value in machine.items())
    first, last = (pick(outcome.finished for outcome in outcomes) for pick in (min, max))
    codes = dict.fromkeys(outcome.code for outcome in outcomes)
    ran = (
        f"all on the same code (SHA-256 {next(iter(codes))}...)"
        if len(codes) == 1
        else f"on {len(codes)} states of the code"
    )
    lines = [f"Targets ended between {first} and {last}, {ran}. {about}.", ""]
    lines += ["| " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(outcomes)]
    _replace(document, _RESULTS_BEGIN, _RESULTS_END, lines)


def _replace(document: Path, begin: str, end: str, lines: Iterable[str]) -> None:
    front, _, rest = document.read_text().partition(begin)
    _, _, back = rest.partition(end)
    document.write_text("\n".join((f"{front}{begin}", *lines, f"{end}{back}")))
