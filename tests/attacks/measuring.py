"""Many simulated presentations before the detectors: the tables of docs/presentation-attacks.md.

    python -m tests.attacks.measuring --living 600 --attacks 75 --sunlight 30 --jobs 2

About a second of one core a presentation. Of the test set, unless `--calibration` is given.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from typing import TypeVar

import cv2
import numpy as np
from tests.attacks.conditions import TEST_FROM
from tests.attacks.judging import Judged, judge, presented
from tests.attacks.scene import Species
from tests.attacks.skin import TONES

from openstile.face.attack import Outcome
from openstile.lab.intervals import Proportion

ATTACKS = tuple(species for species in Species if species is not Species.LIVE)
SUNLIGHT = (0.001, 0.008)
"""Display light over ambient light: below the 1 % from which the flash detectors work, also for a meter that is off."""
_SUNLIT = 100_000
"""Added to the numbers of presentations in sunlight, so that they are others."""
Key = TypeVar("Key")
_DETECTORS = ("parallax", "flash_response", "flash_shape")


def measured(species: Species, number: int) -> Judged:
    """Presentation `number`, 3 to 40 % of display light, with a meter."""
    return judge(presented(species, number), number)


def measured_in_sunlight(species: Species, number: int) -> Judged:
    """Another one, in sunlight."""
    number += _SUNLIT
    return judge(presented(species, number, SUNLIGHT), number)


def outcomes(judged: Iterable[Judged]) -> str:
    """Markdown: by species, how many an unattended gate accepts, rejects and is unsure about after one clip."""
    lines = ["| presentation | clips | accepted | refused | unsure |", "|---|---:|---:|---:|---:|"]
    for name, members in sorted(_by(judged, _species).items()):
        counts = Counter(member.outcome for member in members)
        kinds = (Outcome.PASS, Outcome.DENY, Outcome.RETRY)
        cells = (rate(counts[kind], len(members)) for kind in kinds)
        lines.append(f"| {name} | {len(members)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def tones(judged: Iterable[Judged]) -> str:
    """Markdown: by skin tone, how many living faces are refused, and how many are not accepted."""
    living = [one for one in judged if one.scene.species is Species.LIVE]
    lines = ["| skin tone | clips | refused | not accepted |", "|---|---:|---:|---:|"]
    groups = _by(living, lambda one: one.scene.tone)
    for name, members in [*sorted(groups.items()), (f"1 to {TONES}", living)]:
        refused = sum(one.outcome is Outcome.DENY for one in members)
        missed = sum(one.outcome is not Outcome.PASS for one in members)
        lines.append(f"| {name} | {len(members)} | {rate(refused, len(members))} | {rate(missed, len(members))} |")
    return "\n".join(lines)


def scores(judged: Iterable[Judged]) -> str:
    """Markdown: 5 % / median / 95 % of each detector's score by species."""
    lines = [f"| presentation | {' | '.join(_DETECTORS)} |", "|---" * (len(_DETECTORS) + 1) + "|"]
    for name, members in sorted(_by(judged, _species).items()):
        cells = (_spread([one.evidence[at].score for one in members]) for at in range(len(_DETECTORS)))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rate(events: int, trials: int) -> str:
    """A count, its per cent, and the two-sided 95 % interval by Clopper and Pearson."""
    interval = Proportion(events, trials).interval
    share = 100 * events / trials if trials else float("nan")
    return f"{events} ({share:.1f} %; {100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _by(judged: Iterable[Judged], key: Callable[[Judged], Key]) -> dict[Key, list[Judged]]:
    groups: dict[Key, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return groups


def _species(judged: Judged) -> str:
    name: str = judged.scene.species.value
    if judged.scene.species is Species.RELIT_REPLAY:
        name += ", no lag" if judged.scene.lag_frames == 0 else ", 1 to 3 frames late"
    return name


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    low, middle, high = np.percentile(known, (5, 50, 95))
    return f"{low:.2f} / {middle:.2f} / {high:.2f}"


def _single_thread() -> None:
    cv2.setNumThreads(1)


def _all(
    action: Callable[[Species, int], Judged], species: Iterable[Species], numbers: range, pool: ProcessPoolExecutor
) -> Iterator[Judged]:
    wanted = [(one, number) for one in species for number in numbers]
    return pool.map(action, *zip(*wanted, strict=True), chunksize=4) if wanted else iter(())


def main() -> None:
    """Render, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.measuring", description=__doc__)
    parser.add_argument("--living", type=int, default=600)
    parser.add_argument("--attacks", type=int, default=75, help="of each species")
    parser.add_argument("--sunlight", type=int, default=30, help="of each species and living")
    parser.add_argument("--calibration", action="store_true", help="the set on which the thresholds were chosen")
    parser.add_argument("--jobs", type=int, default=1)
    wanted = parser.parse_args()
    first = 0 if wanted.calibration else TEST_FROM
    with ProcessPoolExecutor(wanted.jobs, initializer=_single_thread) as pool:
        living = _all(measured, [Species.LIVE], range(first, first + wanted.living), pool)
        attacks = _all(measured, ATTACKS, range(first, first + wanted.attacks), pool)
        found = list(chain(living, attacks))
        dark = list(_all(measured_in_sunlight, Species, range(first, first + wanted.sunlight), pool))
    for table in (outcomes(found), tones(found), scores(found), outcomes(dark), scores(dark)):
        print(table, end="\n\n")


if __name__ == "__main__":
    main()
