"""Pricing: the taps of one rider in, priced journeys out. A pure function of what it is given."""

from collections.abc import Sequence
from datetime import datetime

from openstile.fares.caps import CapBook
from openstile.fares.drafts import Draft, drafts_of
from openstile.fares.journeys import rides_of
from openstile.fares.periods import PeriodBook
from openstile.fares.rides import Counted, FareTap, HeldPeriod, JourneyState, Line, PricedJourney, Rider
from openstile.fares.rules import Window
from openstile.fares.tariff import ActiveCap, Tariff

_WINDOWS = {Window.SERVICE_DAY: "day", Window.CALENDAR_WEEK: "week", Window.ROLLING_DAYS: "rolling"}


def price_taps(
    tariff: Tariff,
    *,
    rider: Rider,
    taps: Sequence[FareTap],
    counted: Sequence[Counted] = (),
    periods: Sequence[HeldPeriod] = (),
    now: datetime,
) -> tuple[PricedJourney, ...]:
    """The journeys that the taps of one rider are, in the order of time, with what each costs and why.

    Each tap is in exactly one journey. The order of `taps` does not matter; equal inputs give equal journeys, so a tap
    that comes late or corrects a missing one is simply given along with the others the next time. `counted` is what is
    left of journeys whose taps are gone (`Tariff.counted_from` says since when they are needed), `periods` what the
    rider holds, `now` an aware instant: it decides which rides may still get their exit tap.

    Raises BadInputError: one tap id with two contents, a period product that the rules do not have.
    """
    rider = tariff.rider(rider)
    rides = rides_of(taps, system_of=tariff.system_of, now=now)
    books = PeriodBook(tariff, periods, counted), CapBook(tariff.caps_for(rider.category_id), counted, tariff.currency)
    return tuple(_priced(tariff, draft, *books) for draft in drafts_of(tariff, rides, rider))


def _priced(tariff: Tariff, draft: Draft, periods: PeriodBook, caps: CapBook) -> PricedJourney:
    lines, day = draft.lines, tariff.service_day(draft.legs[0].start)
    covered = periods.cover(draft, day)
    if covered is not None:
        lines.append(covered.line)
    full = draft.minor - (0 if covered is None else covered.minor)
    capped = caps.charge(full, day=day, draft=draft)
    if capped.by is not None:
        lines.append(_cap_line(tariff, capped.by, capped.minor - full))
    amount = tariff.money(capped.minor)
    tap_ids = tuple([tap_id for ride in draft.rides for tap_id in ride.tap_ids])
    return PricedJourney(
        key=tap_ids[0],
        tap_ids=tap_ids,
        legs=draft.legs,
        day=day,
        state=draft.state,
        product_ids=draft.products,
        amount=amount,
        lines=tuple(lines),
        counted=Counted(
            day=day,
            full=tariff.money(full),
            charged=amount,
            rides=int(draft.minor > 0 and draft.state is not JourneyState.UNKNOWN),
            cap_scopes=capped.scopes,
            period_id=None if covered is None else covered.period_id,
        ),
    )


def _cap_line(tariff: Tariff, active: ActiveCap, minor: int) -> Line:
    cap, window = active.cap, _WINDOWS[active.cap.window]
    if cap.amounts is None:
        code, limit = f"count_{window}", str(active.limit)
    else:
        code, limit = f"cap_{window}", tariff.money(active.limit).decimal
    return Line(code, (cap.name, limit, str(cap.days_long)), tariff.money(minor))
