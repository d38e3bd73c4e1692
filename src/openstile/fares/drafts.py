"""What rides cost by the feed, or by the maximum fare, before period products and caps: journeys in the making."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openstile.fares.chains import Chain, Step, StepKind
from openstile.fares.journeys import PricedBy, Ride
from openstile.fares.rides import JourneyState, Leg, Line, Rider
from openstile.fares.tariff import Tariff
from openstile.terms.money import Money

_WORST = (JourneyState.MISSING_ENTRY, JourneyState.MISSING_EXIT, JourneyState.OPEN)
"""What a journey is when one of its rides is; the first that one is."""


@dataclass(slots=True)
class Draft:
    """A journey in the making. `minor`: what its `lines` sum to, zero or more, in the tariff's currency.

    `steps` are those of the feed, with indices into `rides`; none where a ride costs the maximum fare or nothing.
    """

    rides: Sequence[Ride]
    legs: tuple[Leg, ...]
    steps: tuple[Step, ...]
    state: JourneyState
    minor: int
    lines: list[Line]
    at_maximum: bool = False

    @property
    def products(self) -> tuple[str, ...]:
        """The products it costs, each once."""
        if len(self.steps) == 1 and self.steps[0].product_id is not None:
            return (self.steps[0].product_id,)
        return tuple(dict.fromkeys([step.product_id for step in self.steps if step.product_id is not None]))

    @property
    def ride_products(self) -> tuple[str, ...]:
        """The products that its rides cost, those of transfers only where there are no others."""
        if len(self.steps) == 1:
            return self.products
        rides = [step for step in self.steps if step.kind is not StepKind.TRANSFER]
        return tuple([step.product_id for step in rides or self.steps if step.product_id is not None])

    @property
    def networks(self) -> tuple[str | None, ...]:
        """The networks of its legs."""
        return tuple([leg.network_id for leg in self.legs])


def drafts_of(tariff: Tariff, rides: Sequence[Ride], rider: Rider) -> Iterator[Draft]:
    """The journeys that rides in the order of time are. `rider` as of `Tariff.rider`."""
    run: list[Ride] = []
    for ride in rides:
        if run and not (ride.priced_by is PricedBy.FEED and _within(tariff, run[-1], ride)):
            yield from _by_feed(tariff, run, rider)
            run = []
        if ride.priced_by is PricedBy.FEED:
            run.append(ride)
        else:
            yield _alone(tariff, ride, rider)
    if run:
        yield from _by_feed(tariff, run, rider)


def _within(tariff: Tariff, before: Ride, ride: Ride) -> bool:
    ended = before.leg.end or before.leg.start
    return (ride.leg.start - ended).total_seconds() <= tariff.gap_s


def _by_feed(tariff: Tariff, run: list[Ride], rider: Rider) -> Iterator[Draft]:
    for chain in tariff.index.price([ride.leg for ride in run], rider):
        yield _of_chain(tariff, run[chain.first : chain.last + 1], chain, rider)


def _of_chain(tariff: Tariff, rides: list[Ride], chain: Chain, rider: Rider) -> Draft:
    legs, lines = tuple([ride.leg for ride in rides]), _told(tariff, rides)
    if chain.amount is None:
        lines.append(Line("unknown", _places(tariff, rides[0].leg, rides[-1].leg), None))
        return Draft(rides, legs, (), JourneyState.UNKNOWN, 0, lines)
    first = chain.first
    steps = chain.steps if first == 0 else tuple(_moved(step, first) for step in chain.steps)
    lines += [_line(tariff, rides, step, rider) for step in steps]
    minor = chain.amount.minor
    if minor < 0:
        lines.append(Line("not_below_zero", (), Money(-minor, tariff.currency)))
    return Draft(rides, legs, steps, _state(rides), max(0, minor), lines)


def _moved(step: Step, by: int) -> Step:
    return Step(step.kind, tuple(leg - by for leg in step.legs), step.product_id, step.amount, step.line)


def _state(rides: Sequence[Ride]) -> JourneyState:
    if len(rides) == 1:
        return rides[0].state
    states = {ride.state for ride in rides}
    return next((state for state in _WORST if state in states), JourneyState.COMPLETE)


def _alone(tariff: Tariff, ride: Ride, rider: Rider) -> Draft:
    """A ride that is not priced by the feed."""
    lines, stop = _told(tariff, [ride]), tariff.stop_name(ride.leg.from_stop_id)
    if ride.priced_by is PricedBy.NOTHING:
        return Draft((ride,), (ride.leg,), (), ride.state, 0, [*lines, Line("exit_only", (stop,), None)])
    maximum = tariff.maximum_fare(ride.system, rider.category_id)
    if maximum is None:
        state = ride.state if ride.state is JourneyState.OPEN else JourneyState.UNKNOWN
        return Draft((ride,), (ride.leg,), (), state, 0, [*lines, Line(f"{ride.state.value}_unknown", (stop,), None)])
    lines.append(Line(f"{ride.state.value}_maximum", (stop,), maximum))
    return Draft((ride,), (ride.leg,), (), ride.state, maximum.minor, lines, at_maximum=True)


def _told(tariff: Tariff, rides: Sequence[Ride]) -> list[Line]:
    """What a rider should know beside the amounts."""
    lines: list[Line] = []
    for ride in rides:
        if ride.doubles:
            lines.append(Line("double_tap", (tariff.stop_name(ride.leg.from_stop_id), str(ride.doubles)), None))
        if ride.priced_by is PricedBy.FEED and ride.state is not JourneyState.COMPLETE:
            lines.append(Line(f"{ride.state.value}_entry_zone", (tariff.stop_name(ride.leg.from_stop_id),), None))
    return lines


def _line(tariff: Tariff, rides: Sequence[Ride], step: Step, rider: Rider) -> Line:
    name = "" if step.product_id is None else tariff.product_name(step.product_id, rider.category_id)
    if step.kind is StepKind.TRANSFER:
        after, seconds = rides[step.legs[-1]].leg, tariff.transfer_s(step.line)
        return Line("transfer", (name, *_places(tariff, after, after), str(seconds or "")), step.amount)
    places = _places(tariff, rides[step.legs[0]].leg, rides[step.legs[-1]].leg)
    return Line(step.kind.value, (name, *places), step.amount)


def _places(tariff: Tariff, first: Leg, last: Leg) -> tuple[str, str]:
    to = "" if last.to_stop_id is None else tariff.stop_name(last.to_stop_id)
    return tariff.stop_name(first.from_stop_id), to
