"""`python -m fuzz`: run the targets, each in a process of its own, and report what was tried and what crashed."""

import argparse
import importlib.util
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.machine import describe_machine
from rich.console import Console

from fuzz.campaign import Outcome, run_target
from fuzz.registry import PLANTED, all_targets, targets_of
from fuzz.report import as_json, print_outcomes, read_json, write_results, write_targets
from fuzz.target import Target

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "fuzzing.md"


def main() -> int:
    """Exit code 0: no crash; 1: a crash, with the file that repeats it; 2: cannot run here."""
    arguments = _arguments()
    out: Path = arguments.out
    report = out / "report.json"
    if arguments.write_docs:
        machine, outcomes = read_json(report)
        write_targets(DOCUMENT, (target for _, target in all_targets().values()))
        write_results(DOCUMENT, machine, outcomes)
        sys.stdout.write(f"written: {DOCUMENT}\n")
        return 0
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("fuzz: atheris is not installed; there are wheels of it for Linux on x86-64\n")
        return 2
    outcomes = _run(arguments, report)
    if arguments.json:
        sys.stdout.write(json.dumps(as_json(describe_machine(), outcomes)) + "\n")
    else:
        print_outcomes(Console(width=None if sys.stdout.isatty() else 120), outcomes)
    return 1 if any(outcome.crash for outcome in outcomes) else 0


def _run(arguments: argparse.Namespace, report: Path) -> list[Outcome]:
    """The outcomes so far are written after each target, so that a run that is cut off leaves what it found.

    Those of other targets stay in the report of a run of `--only` some.
    """
    targets = _chosen(arguments.only)
    jobs: int = max(1, min(arguments.jobs, len(targets)))
    share = max(1, round(arguments.seconds * jobs / len(targets)))
    report.parent.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    earlier = read_json(report)[1] if arguments.only and report.is_file() else []
    kept = [outcome for outcome in earlier if outcome.name not in targets]
    order = [*all_targets(), *targets]

    def one(chosen: tuple[str, Target]) -> None:
        outcomes.append(run_target(*chosen, seconds=share, runs=arguments.runs, out=arguments.out))
        outcomes.sort(key=lambda outcome: order.index(outcome.name))
        listed = (outcome for outcome in (*kept, *outcomes) if outcome.name in order)
        known = sorted(listed, key=lambda outcome: order.index(outcome.name))
        report.write_text(json.dumps(as_json(describe_machine(), known), indent=1) + "\n")
        last = next(outcome for outcome in outcomes if outcome.name == chosen[1].name)
        sys.stderr.write(f"{last.name}: {last.executions:,} {last.crash}\n")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, targets.values()))
    return outcomes


def _chosen(only: list[str] | None) -> dict[str, tuple[str, Target]]:
    known = all_targets()
    planted = {target.name: (PLANTED, target) for target in targets_of(PLANTED)}
    if only is None:
        return known
    wrong = [name for name in only if name not in known | planted]
    if wrong:
        raise SystemExit(f"fuzz: no target {', '.join(wrong)}; there are: {', '.join(known)}")
    return {name: (known | planted)[name] for name in only}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together, shared alike (600)")
    parser.add_argument("--runs", type=int, help="at most so many inputs for each target")
    parser.add_argument("--only", action="append", metavar="NAME", help="one target, repeatable")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes at one time")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="folder for corpora, crashes, report.json")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--write-docs", action="store_true", help="put the report in --out into docs/fuzzing.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
