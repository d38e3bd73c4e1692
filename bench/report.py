"""What a section found, and how it is printed, kept as JSON and written as Markdown."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text as it is shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What was to be reached, and what was."""

    wanted: str
    measured: str
    reached: bool

    @property
    def line(self) -> str:
        return f"{'reached' if self.reached else 'MISSED'}: {self.wanted}; measured {self.measured}"


@dataclass(frozen=True, slots=True)
class Section:
    """One measurement. `skipped` says why there is none. `chart`: lines of text that belong under one another."""

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    chart: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)
    skipped: str | None = None
    taken: str = ""
    circumstances: str = ""


def section_of(value: Mapping[str, Any]) -> Section:
    """A section from its JSON."""
    return Section(
        name=value["name"],
        title=value["title"],
        tables=tuple(
            Table(t["title"], tuple(t["columns"]), tuple(tuple(row) for row in t["rows"])) for t in value["tables"]
        ),
        targets=tuple(Target(t["wanted"], t["measured"], t["reached"]) for t in value["targets"]),
        notes=tuple(value["notes"]),
        chart=tuple(value["chart"]),
        figures=value["figures"],
        skipped=value["skipped"],
        taken=value["taken"],
        circumstances=value["circumstances"],
    )


def write_json(path: Path, machine: Mapping[str, str], sections: Mapping[str, Section]) -> None:
    """All sections so far, with the machine."""
    value = {"machine": dict(machine), "sections": {name: asdict(section) for name, section in sections.items()}}
    path.write_text(json.dumps(value, indent=1) + "\n")


def read_json(path: Path, machine: Mapping[str, str]) -> dict[str, Section]:
    """Sections of an earlier run on this very machine; none when there was no such run."""
    if not path.is_file():
        return {}
    value = json.loads(path.read_text())
    if value["machine"] != dict(machine):
        return {}
    return {name: section_of(section) for name, section in value["sections"].items()}


def print_section(console: Console, section: Section) -> None:
    """To the terminal."""
    console.rule(f"[bold]{section.title}", align="left")
    if section.skipped:
        console.print(f"skipped: {section.skipped}", markup=False)
    for table in section.tables:
        shown = RichTable(title=table.title, title_justify="left", header_style="bold")
        for index, column in enumerate(table.columns):
            shown.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*(Text(cell) for cell in row))
        console.print(shown)
    for line in (*section.chart, *section.notes):
        console.print(line, markup=False)
    for target in section.targets:
        console.print(Text(target.line, style="bold green" if target.reached else "bold red"))


def markdown(machine: Mapping[str, str], sections: Mapping[str, Section]) -> str:
    """docs/measured.md."""
    lines = [
        "# What this version measures",
        "",
        "Written by `make bench` (`python -m bench --write-docs`), not by hand. One core; milliseconds are of this",
        "machine, ratios hold better. Medians unless said; peers and baselines ran interleaved with ours.",
        "",
        "| machine | |",
        "|---|---|",
        *(f"| {name} | {_cell(value)} |" for name, value in machine.items()),
        "",
        "## Targets",
        "",
        "| section | target | measured | |",
        "|---|---|---|---|",
    ]
    for section in sections.values():
        for target in section.targets:
            verdict = "reached" if target.reached else "**missed**"
            lines.append(f"| {section.name} | {_cell(target.wanted)} | {_cell(target.measured)} | {verdict} |")
    for section in sections.values():
        lines += ["", *_markdown_section(section)]
    return "\n".join(lines) + "\n"


def _markdown_section(section: Section) -> list[str]:
    lines = [f"## {section.title}", "", f"Taken {section.taken}, {section.circumstances}."]
    if section.skipped:
        lines += ["", f"Skipped: {section.skipped}"]
    for table in section.tables:
        lines += ["", f"**{table.title}**", "", "| " + " | ".join(table.columns) + " |"]
        lines += ["|---" + "|---:" * (len(table.columns) - 1) + "|"]
        lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table.rows]
    if section.chart:
        lines += ["", "```", *section.chart, "```"]
    if section.notes:
        lines += ["", *(f"- {note}" for note in section.notes)]
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
