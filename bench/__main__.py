"""`python -m bench`: run the measurements, print them, keep them as JSON, write docs/measured.md from them."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import (
    accuracy,
    attack_checks,
    cold_start,
    crossing,
    face,
    fares,
    hardware,
    ingest,
    journal,
    lab_speed,
    ledger,
    memory,
    passes,
    qr,
    status,
)
from bench.machine import circumstances, describe_machine, pin_to_one_core
from bench.report import Section, markdown, print_section, read_json, write_json
from bench.workshop import REPOSITORY, Workshop

SECTIONS: dict[str, Callable[[Workshop], Section]] = {
    face.NAME: face.measure,
    passes.NAME: passes.measure,
    qr.NAME: qr.measure,
    hardware.NAME: hardware.measure,
    status.NAME: status.measure,
    crossing.NAME: crossing.measure,
    attack_checks.NAME: attack_checks.measure,
    journal.NAME: journal.measure,
    ledger.NAME: ledger.measure,
    ingest.NAME: ingest.measure,
    fares.NAME: fares.measure,
    cold_start.NAME: cold_start.measure,
    memory.NAME: memory.measure,
    accuracy.NAME: accuracy.measure,
    lab_speed.NAME: lab_speed.measure,
}
DOCUMENT = REPOSITORY / "docs" / "measured.md"


def main() -> int:
    """Exit code 0: every target that was measured is reached; 1: one is missed."""
    arguments = _arguments()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    core = pin_to_one_core()
    machine, console = describe_machine(), Console(width=None if sys.stdout.isatty() else 140)
    for name, value in machine.items():
        console.print(f"{name:>10}  {value}", markup=False)
    results = out / ("bench-quick.json" if arguments.quick else "bench.json")
    found = read_json(results, machine) if arguments.only else {}
    for name in arguments.only or SECTIONS:
        with tempfile.TemporaryDirectory(prefix="work-", dir=out) as work:
            before = circumstances()
            section = SECTIONS[name](Workshop(out.resolve(), Path(work).resolve(), arguments.quick, core))
        if arguments.only:
            found = read_json(results, machine)  # another run may have written its section meanwhile
        found[name] = replace(section, taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", circumstances=before)
        print_section(console, found[name])
        write_json(results, machine, {name: found[name] for name in SECTIONS if name in found})
    console.print(f"\nwritten: {results}", markup=False)
    if arguments.write_docs:
        _write_docs(machine, found, quick=arguments.quick)
        console.print(f"written: {DOCUMENT}", markup=False)
    missed = [target for section in found.values() for target in section.targets if not target.reached]
    return 1 if missed else 0


def _write_docs(machine: dict[str, str], found: dict[str, Section], *, quick: bool) -> None:
    missing = [name for name in SECTIONS if name not in found or found[name].skipped]
    if missing or quick:
        raise SystemExit(
            f"docs are written from a full run with every section; missing: {', '.join(missing) or 'time'}"
        )
    DOCUMENT.write_text(markdown(machine, {name: found[name] for name in SECTIONS}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for bench.json and plots")
    parser.add_argument(
        "--only",
        action="append",
        choices=SECTIONS,
        metavar="NAME",
        help=f"one section, repeatable: {', '.join(SECTIONS)}",
    )
    parser.add_argument("--quick", action="store_true", help="fewer samples, kept in bench-quick.json")
    parser.add_argument("--write-docs", action="store_true", help="write docs/measured.md from the results in --out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
