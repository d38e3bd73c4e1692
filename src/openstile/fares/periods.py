"""Period products: which one that a rider holds pays for a journey, and how much of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from openstile.fares.chains import Step, StepKind
from openstile.fares.drafts import Draft
from openstile.fares.rides import Counted, HeldPeriod, Leg, Line
from openstile.fares.rules import Period
from openstile.fares.tariff import Tariff
from openstile.terms.money import Money


@dataclass(frozen=True, slots=True)
class Covered:
    """What a period product takes off a journey, in minor units, and the line that says so."""

    period_id: str
    minor: int
    line: Line


class PeriodBook:
    """The period products of one rider and the rides they have left. Journeys are entered in the order of time."""

    def __init__(self, tariff: Tariff, held: Iterable[HeldPeriod], counted: Iterable[Counted]) -> None:
        self._currency = tariff.currency
        self._held = tuple((one, tariff.period(one.product_id)) for one in held)
        self._used: dict[str, int] = {one.period_id: 0 for one, _ in self._held}
        for journey in counted if self._held else ():
            if journey.period_id in self._used:
                self._used[journey.period_id] += journey.rides

    def cover(self, draft: Draft, day: date) -> Covered | None:
        """The product that takes most off the journey, entered with it; None where none takes anything off.

        Of equals, one with any number of rides comes first, then the one that ends first.
        """
        if not self._held or draft.minor == 0:
            return None
        best: tuple[tuple[int, bool, date, str], HeldPeriod, Period, bool] | None = None
        for held, period in self._held:
            if not held.from_day <= day <= held.until_day or self._is_used_up(held):
                continue
            saving, extends = _saving(draft, period)
            rank = (-saving, held.rides is not None, held.until_day, held.period_id)
            if saving > 0 and (best is None or rank < best[0]):
                best = rank, held, period, extends
        if best is None:
            return None
        (saved, *_), held, period, extends = best
        self._used[held.period_id] += 1
        return Covered(held.period_id, -saved, self._line(held, period, extends, saved))

    def _is_used_up(self, held: HeldPeriod) -> bool:
        return held.rides is not None and self._used[held.period_id] >= held.rides

    def _line(self, held: HeldPeriod, period: Period, extends: bool, minor: int) -> Line:
        amount, until = Money(minor, self._currency), held.until_day.isoformat()
        if held.rides is not None:
            return Line("period_ride", (period.name, until, str(self._used[held.period_id]), str(held.rides)), amount)
        return Line("period_extension" if extends else "period", (period.name, until), amount)


def _saving(draft: Draft, period: Period) -> tuple[int, bool]:
    """How much of a journey the product pays, in minor units, and whether that is because of an extension fare."""
    legs, scope = draft.legs, period.scope
    if draft.at_maximum:
        meant = scope.maximum_fares and scope.has_networks(draft.networks)
        return (draft.minor if meant else 0), False
    saving, extends = 0, False
    for step in draft.steps:
        networks = _networks(step, legs)
        product, price = step.product_id, step.amount.minor
        extension = None if product is None or step.kind is StepKind.TRANSFER else period.extension.get(product)
        if scope.has(() if product is None else (product,), networks):
            saving += price
        elif extension is not None and extension.minor < price and scope.has_networks(networks):
            saving, extends = saving + price - extension.minor, True
    return min(saving, draft.minor), extends


def _networks(step: Step, legs: tuple[Leg, ...]) -> tuple[str | None, ...]:
    return tuple(legs[index].network_id for index in step.legs)
