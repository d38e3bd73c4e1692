"""`python -m simulation`: weeks of a small city, each of one seed, side by side on all cores."""

import argparse
import gc
import json
import logging
import os
import secrets
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed

import structlog
from rich.console import Console
from rich.progress import track

from simulation.week import Outcome, Size, run_week

_RESULTS = "seed {0.seed}: {0.taps} taps, {0.stored} stored, {0.requests} requests, {0.lost} lost, {mishaps} mishaps, "
_RESULTS += "{0.exact} riders' amounts reckoned apart, {0.seconds:.0f} s"


def main() -> int:
    """Exit code 0: every week ended as it must; 1: one did not, and its seed is printed."""
    arguments = _arguments()
    first = secrets.randbelow(2**31) if arguments.first is None else arguments.first
    seeds = [arguments.seed] if arguments.seed is not None else list(range(first, first + arguments.seeds))
    size = Size(arguments.gates, arguments.riders, arguments.days)
    console = Console(stderr=True)
    console.print(f"{len(seeds)} weeks from seed {seeds[0]} on: {size}", highlight=False)
    outcomes = []
    with ProcessPoolExecutor(arguments.jobs, initializer=_prepare) as pool:
        under_way = [pool.submit(_week, seed, size) for seed in seeds]
        for done in track(as_completed(under_way), "weeks", total=len(seeds), console=console):
            outcomes.append(done.result())
            _tell(outcomes[-1], console, trace=arguments.trace)
    wrong = [outcome for outcome in outcomes if outcome.faults]
    if arguments.json:
        print(json.dumps(_as_json(outcomes)))
    else:
        print(_summary(outcomes))
    return 1 if wrong else 0


def _week(seed: int, size: Size) -> Outcome:
    """A week that breaks off is one that ended wrong."""
    try:
        return run_week(seed, size)
    except Exception:  # noqa: BLE001 - whatever it is, its seed is to be told
        return Outcome(seed, (traceback.format_exc(),), 0, 0, 0, 0, (), 0, 0.0)


def _tell(outcome: Outcome, console: Console, *, trace: bool) -> None:
    console.print(_RESULTS.format(outcome, mishaps=len(outcome.mishaps)), highlight=False, soft_wrap=True)
    for fault in outcome.faults:
        console.print(f"  {fault}", style="bold red", highlight=False, markup=False)
    if trace:
        for mishap in outcome.mishaps:
            console.print(f"  {mishap}", highlight=False)


def _summary(outcomes: list[Outcome]) -> str:
    wrong = [outcome.seed for outcome in outcomes if outcome.faults]
    sums = {
        name: sum(getattr(one, name) for one in outcomes) for name in ("taps", "stored", "requests", "lost", "exact")
    }
    mishaps = sum(len(one.mishaps) for one in outcomes)
    verdict = f"wrong: seeds {', '.join(map(str, wrong))}" if wrong else "all as they must be"
    return (
        f"{len(outcomes)} weeks, {verdict}: {sums['taps']} taps journaled, {sums['stored']} stored by the office, "
        f"{sums['requests']} requests of which {sums['lost']} were lost, {mishaps} mishaps, "
        f"{sums['exact']} riders whose amounts were reckoned apart"
    )


def _as_json(outcomes: list[Outcome]) -> list[dict[str, object]]:
    return [
        {name: getattr(one, name) for name in Outcome.__dataclass_fields__ if name != "mishaps"}
        | {"mishaps": len(one.mishaps)}
        for one in sorted(outcomes, key=lambda one: one.seed)
    ]


def _prepare() -> None:
    """What the office logs of each request is not looked at here; rubbish is collected seldom, for speed."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many weeks (default 20)")
    parser.add_argument("--first", type=int, help="the first seed (default: by chance)")
    parser.add_argument("--seed", type=int, help="this week alone")
    parser.add_argument("--trace", action="store_true", help="tell the mishaps of each week")
    parser.add_argument("--gates", type=int, default=Size().gates)
    parser.add_argument("--riders", type=int, default=Size().riders)
    parser.add_argument("--days", type=int, default=Size().days)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
