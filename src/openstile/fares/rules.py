"""What GTFS cannot say about fares: entries and exits, maximum fares, caps, period products (docs/fares.md)."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from openstile.terms import BadInputError
from openstile.terms.money import Money


class Mode(StrEnum):
    """Where riders tap."""

    ENTRY = "entry"
    """On entry only: each tap is a ride."""
    ENTRY_EXIT = "entry_exit"
    """On entry and on exit: two taps are a ride."""


class MissingExit(StrEnum):
    """What a ride costs whose exit tap never came."""

    MAXIMUM = "maximum"
    """The system's maximum fare."""
    ENTRY_ZONE = "entry_zone"
    """What the feed says of a ride that ends where it began."""


class Window(StrEnum):
    """For which service days together a cap holds."""

    SERVICE_DAY = "service_day"
    CALENDAR_WEEK = "calendar_week"
    ROLLING_DAYS = "rolling_days"
    """So many days, the first that of the first counted journey after the window before."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """An amount, for some rider categories another. `plain` None: only the categories named have one."""

    plain: Money | None
    by_category: Mapping[str, Money] = field(default_factory=dict)

    def of(self, categories: tuple[str | None, ...]) -> Money | None:
        """The amount of the first category that has one of its own, else the plain one."""
        for category in categories:
            if category is not None and category in self.by_category:
                return self.by_category[category]
        return self.plain


@dataclass(frozen=True, slots=True)
class System:
    """Networks where riders tap in one way. `networks` None: all that no other system names. Times in seconds.

    `journey_s_max`: how long after its entry tap an exit tap still belongs to it. `double_tap_s`: taps at one stop in
    one direction within so long count once. `maximum` None: a ride that lacks a tap has no fare that is known.
    """

    name: str
    networks: frozenset[str] | None = None
    mode: Mode = Mode.ENTRY_EXIT
    journey_s_max: int = 4 * 3600
    double_tap_s: int = 60
    missing_exit: MissingExit = MissingExit.MAXIMUM
    maximum: Amounts | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rides are meant: all whose product and network is among those named; None names all.

    `maximum_fares`: whether rides that lack a tap and cost the maximum fare are meant too, whatever their product.
    """

    products: frozenset[str] | None = None
    networks: frozenset[str] | None = None
    maximum_fares: bool = False

    def has(self, products: tuple[str, ...], networks: tuple[str | None, ...]) -> bool:
        """Whether all of `products` and `networks` are meant."""
        return (self.products is None or self.products.issuperset(products)) and self.has_networks(networks)

    def has_networks(self, networks: tuple[str | None, ...]) -> bool:
        """Whether all of `networks` are meant."""
        return self.networks is None or self.networks.issuperset(networks)


@dataclass(frozen=True, slots=True)
class Cap:
    """What riders of `categories` (None: all) pay at most in a window, or how many journeys they pay for.

    Exactly one of `amounts` and `rides` is given. `days` is the length of a rolling window, `starts_on` the first day
    of a week (0 is Monday).
    """

    cap_id: str
    name: str
    window: Window
    amounts: Amounts | None
    rides: int | None
    scope: Scope = field(default_factory=Scope)
    categories: frozenset[str] | None = None
    days: int = 1
    starts_on: int = 0

    def __post_init__(self) -> None:
        if (self.amounts is None) == (self.rides is None):
            raise BadInputError(f"cap {self.cap_id}: has a limit in money or in rides, exactly one of them")

    @property
    def days_long(self) -> int:
        """How many service days the window has."""
        return {Window.SERVICE_DAY: 1, Window.CALENDAR_WEEK: 7, Window.ROLLING_DAYS: self.days}[self.window]

    def starts(self, day: date) -> date:
        """The first day of the fixed window that `day` is in (a rolling one depends on the journeys)."""
        if self.window is Window.CALENDAR_WEEK:
            return day - timedelta(days=(day.weekday() - self.starts_on) % 7)
        return day


@dataclass(frozen=True, slots=True)
class Period:
    """A product that pays for rides over some time: for `days` or `months`, if `rides` is given for so many journeys.

    `extension`: for products of the feed outside its scope, what a holder pays instead of their price.
    """

    period_id: str
    name: str
    price: Amounts
    days: int | None
    months: int | None
    rides: int | None = None
    scope: Scope = field(default_factory=Scope)
    extension: Mapping[str, Money] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.days is None) == (self.months is None):
            raise BadInputError(f"period {self.period_id}: lasts for days or for months, exactly one of them")

    def last_day(self, first: date) -> date:
        """The last service day of a product that begins on `first`; a month from the 31st ends with a short month."""
        if self.days is not None:
            return first + timedelta(days=self.days - 1)
        assert self.months is not None
        years, month = divmod(first.month - 1 + self.months, 12)
        year, month = first.year + years, month + 1
        length = calendar.monthrange(year, month)[1]
        return date(year, month, first.day) - timedelta(days=1) if first.day <= length else date(year, month, length)


_DEFAULT_SYSTEM = System("default")


@dataclass(frozen=True, slots=True)
class FareRules:
    """Everything of the operator's file. Without one: entry and exit taps, no maximum fare, no caps."""

    currency: str | None = None
    day_starts: time = time(0)
    gap_s_max: int = 24 * 3600
    """Rides that begin later than this after the one before never belong to one journey with it, in seconds."""
    systems: tuple[System, ...] = ()
    caps: tuple[Cap, ...] = ()
    periods: Mapping[str, Period] = field(default_factory=dict)
    pays_as: Mapping[str, str] = field(default_factory=dict)
    media_id: str | None = None

    @property
    def default_system(self) -> System:
        """The system of taps whose network no system names."""
        return next((system for system in self.systems if system.networks is None), _DEFAULT_SYSTEM)

    def categories_of(self, category: str | None) -> tuple[str | None, ...]:
        """The category and those it pays as, nearest first."""
        chain = [category]
        while (last := chain[-1]) is not None and last in self.pays_as:
            chain.append(self.pays_as[last])
        return tuple(chain)
