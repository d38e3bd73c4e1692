"""Says what the demo came to: tables for people, one JSON value for machines, an SVG for a page."""

import io
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from openstile.demo.report import Report
from openstile.demo.stage import outcome
from openstile.demo.telling_city import (
    city_as_json,
    day_in_words,
    journeys_table,
    ledger_table,
    left_in_words,
    left_table,
)
from openstile.demo.telling_tables import Cell, table
from openstile.terms.files import write_private

_WIDTH = 126
_SVG_FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
"""Fonts that the reader's machine has: the picture loads nothing from anywhere."""


def print_tables(report: Report) -> None:
    """Print everything as tables, as wide as the terminal; where there is none, `_WIDTH` characters."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    for part in _parts(report):
        console.print(part)
        console.print()
    for line in _last_lines(report):
        console.print(line, soft_wrap=True)


def print_as_json(report: Report) -> None:
    """Print one JSON value with all results on standard output."""
    sys.stdout.write(json.dumps(as_json(report), ensure_ascii=False) + "\n")


def write_svg(report: Report, path: Path) -> None:
    """Write the tables to `path` as a picture that shows no face and loads nothing from anywhere."""
    console = Console(record=True, width=_WIDTH, highlight=False, file=io.StringIO(), force_terminal=True)
    for part in (_scenes(report), _journal(report), *_city(report), _canary(report)):
        console.print(part)
        console.print()
    drawn = console.export_svg(title="openstile demo", unique_id="openstile-demo")
    drawn = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
    write_private(path, drawn.replace("font-family: Fira Code, monospace", f"font-family: {_SVG_FONTS}").encode())


def as_json(report: Report) -> dict[str, Any]:
    """All results as JSON values."""
    return {
        "as_expected": not report.problems,
        "problems": list(report.problems),
        "riders": [
            {
                "pass": held.name,
                "rider": held.rider,
                "kind": held.kind,
                "product": held.product,
                "pass_id": str(held.enrolled.issued.pass_id),
                "not_before": held.enrolled.issued.not_before.isoformat(),
                "expires": held.enrolled.issued.expires.isoformat(),
                "text_chars": len(held.text),
            }
            for held in report.cast.passes
        ],
        "scenes": [
            {
                "scene": played.scene.title,
                "tried": played.scene.tried,
                "expected": outcome(played.scene.expected),
                "decision": "admit" if played.crossing.admitted else "refuse",
                "reason": played.crossing.reason.value if played.crossing.reason else None,
                "as_expected": played.problem is None,
                "barrier_opened": played.barrier_opened,
                "frames_read": len(played.frames),
                "timings_ms": {
                    **{step.step: round(step.elapsed_ms, 3) for step in played.crossing.steps},
                    "total": round(played.crossing.total_ms, 3),
                },
            }
            for played in report.played
        ],
        "step_medians_ms": {
            "face": {step: round(ms, 3) for step, ms in report.step_medians(with_pin=False).items()},
            "pin": {step: round(ms, 3) for step, ms in report.step_medians(with_pin=True).items()},
        },
        "journal": {"verified": True, "taps": report.journal.taps, "head": report.journal.head.hash.hex()},
        "office": city_as_json(report),
        "files": [{"path": f.path, "bytes": f.size, "mode": f.mode, "what": f.what} for f in report.files],
        "canary": {
            "clean": report.canary.clean,
            "files": report.canary.files,
            "bytes": report.canary.bytes,
            "traces": [
                {"file": str(t.file), "offset": t.offset, "what": t.what, "encoding": t.encoding}
                for t in report.canary.traces
            ],
        },
        "pictures": str(report.folder.pictures),
        "seconds": round(report.seconds, 1),
    }


def _parts(report: Report) -> tuple[Table | Text, ...]:
    before = (_riders(report), _scenes(report), _steps(report), _journal(report))
    return (*before, *_city(report), _files(report), _canary(report))


def _city(report: Report) -> tuple[Table | Text, ...]:
    return (
        journeys_table(report),
        day_in_words(report),
        ledger_table(report),
        left_table(report),
        left_in_words(report),
    )


def _riders(report: Report) -> Table:
    rows = (
        (
            held.name,
            held.kind,
            ", ".join(path.name for path in held.photographs) or "no photograph",
            held.product,
            f"{held.enrolled.issued.not_before:%Y-%m-%d} to {held.enrolled.issued.expires:%Y-%m-%d}",
            f"{len(held.text)} chars",
        )
        for held in report.cast.passes
    )
    return table("Passes issued", ("pass", "kind", "enrolled from", "product", "valid", "QR text"), rows)


def _scenes(report: Report) -> Table:
    rows: list[Sequence[Cell]] = []
    for number, played in enumerate(report.played, start=1):
        crossing, style = played.crossing, "bold red reverse" if played.problem else ""
        rows.append(
            (
                str(number),
                played.scene.title,
                played.scene.tried,
                Text("admit" if played.scene.expected is None else "refuse", style),
                Text("admit", "green") if crossing.admitted else Text("refuse", "red"),
                Text(crossing.reason.value if crossing.reason else "", style),
                str(len(played.frames)),
                f"{crossing.total_ms:.1f}",
            )
        )
    columns = ("", "scene", "what was tried", "expected", "outcome", "reason", "frames", "ms")
    return table("At the gate", columns, rows, right=("frames", "ms"))


def _steps(report: Report) -> Table:
    face, pin = report.step_medians(with_pin=False), report.step_medians(with_pin=True)
    steps = [step for step in dict.fromkeys((*face, *pin)) if step != "total"] + ["total"]
    rows = [
        (step, f"{face[step]:.2f}" if step in face else "", f"{pin[step]:.2f}" if step in pin else "") for step in steps
    ]
    title = "Time per step, median of the admitted crossings, milliseconds"
    return table(title, ("step", "face pass", "PIN pass"), rows, right=("face pass", "PIN pass"))


def _journal(report: Report) -> Text:
    journal = report.journal
    taps = f"{journal.taps} taps for {report.admitted} admitted crossings"
    head = journal.head.hash.hex()[:16]
    return Text.assemble(("Journal verified", "bold green"), f": {taps}, chained and signed, head {head}")


def _files(report: Report) -> Table:
    rows: list[Sequence[Cell]] = [(f.path, f"{f.size:,}", f.mode, f.what) for f in report.files]
    rows.append(("temp/", "", "", f"{sum(f.path.startswith('temp/') for f in report.files)} files left"))
    drawn = sum(path.is_file() for path in report.folder.pictures.iterdir())
    rows.append(("pictures/", "", "", f"{drawn} drawings, faces on purpose"))
    return table("On disk now", ("file", "bytes", "mode", "what it is"), rows, right=("bytes",))


def _canary(report: Report) -> Text:
    canary = report.canary
    where = "home with office, gates, other-home, passes, temp, model packs"
    searched = f"{canary.files} files, {canary.bytes / 1e6:.1f} MB: {where}"
    if not canary.clean:
        return Text.assemble(("Canary: FOUND ", "bold red"), f"{len(canary.traces)} traces of a face in {searched}")
    return Text.assemble(
        ("Canary: nothing found", "bold green"),
        f" in {searched}.\n",
        "Before trips faded it looked for 16 bytes in a row of any frame read, chip, embedding or template: raw, "
        "packed, or as text.\n",
        "Each face pass holds its rider's template, but sealed; only a key of the gate group opens that.",
    )


def _last_lines(report: Report) -> Iterable[Text]:
    for problem in report.problems:
        yield Text(f"NOT AS EXPECTED  {problem}", "bold red")
    verdict = "NOT everything" if report.problems else "Everything"
    yield Text(f"{verdict} came as it has to, in {report.seconds:.1f} s.", "bold")
    yield Text(f"Pictures: {report.folder.pictures}")
