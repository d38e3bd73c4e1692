"""The operator's own file beside the feed, fares.toml (docs/fares.md): read strictly, or not at all."""

import re
import tomllib
from datetime import time
from enum import StrEnum
from pathlib import Path

from openstile.fares.rules import Amounts, Cap, FareRules, MissingExit, Mode, Period, Scope, System, Window
from openstile.fares.rules_table import RulesTable
from openstile.terms import BadInputError
from openstile.terms.limits import FARE_RULES_FILE_BYTES_MAX, PASS_DAYS_MAX
from openstile.terms.money import Money

_STARTS = re.compile(r"(0[0-9]|1[01]):([0-5][0-9])")
_DAY_S = 86_400
_RIDES_MAX = 100_000
_WINDOW_DAYS_MAX = 366
_MONTHS_MAX = PASS_DAYS_MAX // 31


class _Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class _Kind(StrEnum):
    AMOUNT = "amount"
    COUNT = "count"


def read_rules(path: Path) -> FareRules:
    """The rules of a file. Raises BadInputError, naming table and key."""
    try:
        with path.open("rb") as file:
            data = file.read(FARE_RULES_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"rules {path}: cannot be read: {error.strerror}; see docs/fares.md") from None
    return parse_rules(data, source=str(path))


def parse_rules(data: bytes, *, source: str) -> FareRules:
    """The rules in the text of a file; `source` names it in messages. Raises BadInputError."""
    if len(data) > FARE_RULES_FILE_BYTES_MAX:
        raise BadInputError(f"rules {source}: has more than {FARE_RULES_FILE_BYTES_MAX} bytes")
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInputError(f"rules {source}: is not UTF-8 text; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise BadInputError(f"rules {source}: is not TOML: {why}") from None
    return _rules(RulesTable(f"rules {source}", "", values))


def _rules(top: RulesTable) -> FareRules:
    currency = top.text("currency") if top.has("currency") else None
    if currency is not None:
        try:
            Money(0, currency)
        except BadInputError as error:
            top.fault("currency", str(error))
    service_day, transfers, media = top.table("service_day"), top.table("transfers"), top.table("media")
    starts = _STARTS.fullmatch(service_day.text("starts", "00:00"))
    if starts is None:
        service_day.fault("starts", 'must be a local time from "00:00" to "11:59"')
    hours = transfers.whole("gap_hours_max", 24, least=1, most=7 * 24)
    media_id = media.text("default") if media.has("default") else None
    rules = FareRules(
        currency=currency,
        day_starts=time(int(starts[1]), int(starts[2])),
        gap_s_max=hours * 3600,
        systems=_systems(top, currency),
        caps=tuple(_cap(name, table, currency) for name, table in top.tables("caps")),
        periods={name: _period(name, table, currency) for name, table in top.tables("periods")},
        pays_as=_pays_as(top),
        media_id=media_id,
    )
    for table in (service_day, transfers, media, top):
        table.end()
    return rules


def _systems(top: RulesTable, currency: str | None) -> tuple[System, ...]:
    systems: list[System] = []
    for name, table in top.tables("systems"):
        system = _system(name, table, currency)
        for other in systems:
            if system.networks is None and other.networks is None:
                table.fault("networks", f"left out, as in system {other.name}; only one system can be for all the rest")
            if system.networks and other.networks and (both := system.networks & other.networks):
                table.fault("networks", f"{min(both)[:48]!r} is in system {other.name} too")
        systems.append(system)
    return tuple(systems)


def _system(name: str, table: RulesTable, currency: str | None) -> System:
    maximum = _amounts(table, "maximum", currency) if _has_amounts(table, "maximum") else None
    system = System(
        name=name,
        networks=table.ids("networks"),
        mode=table.choice("mode", Mode),
        journey_s_max=60 * table.whole("journey_minutes_max", 240, least=1, most=24 * 60),
        double_tap_s=table.whole("double_tap_seconds", 60, least=0, most=3600),
        missing_exit=table.choice("missing_exit", MissingExit, MissingExit.MAXIMUM),
        maximum=maximum,
    )
    if system.mode is Mode.ENTRY_EXIT and system.missing_exit is MissingExit.MAXIMUM and maximum is None:
        table.fault("maximum", 'is missing: with entry and exit a tap can be missing; give "9.40", say')
    table.end()
    return system


def _cap(name: str, table: RulesTable, currency: str | None) -> Cap:
    window, kind = table.choice("window", Window), table.choice("kind", _Kind)
    rolling, week = window is Window.ROLLING_DAYS, window is Window.CALENDAR_WEEK
    cap = Cap(
        cap_id=name,
        name=table.text("name", name),
        window=window,
        amounts=_amounts(table, "limit", currency) if kind is _Kind.AMOUNT else None,
        rides=table.whole("limit", least=1, most=_RIDES_MAX) if kind is _Kind.COUNT else None,
        scope=_scope(table),
        categories=table.ids("categories"),
        days=table.whole("days", least=2, most=_WINDOW_DAYS_MAX) if rolling else 1,
        starts_on=list(_Weekday).index(table.choice("starts_on", _Weekday, _Weekday.MONDAY)) if week else 0,
    )
    table.end()
    return cap


def _period(name: str, table: RulesTable, currency: str | None) -> Period:
    everything = table.yes("everything")
    scope = _scope(table)
    if everything == (scope.products is not None or scope.networks is not None):
        table.fault("products", "say what it pays for: products, networks or both, or else everything = true")
    if table.has("days") == table.has("months"):
        table.fault("days", "say how long it lasts: days or months, one of them")
    period = Period(
        period_id=name,
        name=table.text("name", name),
        price=_amounts(table, "price", currency),
        days=table.whole_or_none("days", least=1, most=PASS_DAYS_MAX),
        months=table.whole_or_none("months", least=1, most=_MONTHS_MAX),
        rides=table.whole_or_none("rides", least=1, most=_RIDES_MAX),
        scope=scope,
        extension=table.money_by_id("extension", currency),
    )
    if inside := (scope.products or frozenset()) & period.extension.keys():
        table.fault("extension", f"{min(inside)[:48]!r} is among its products already")
    table.end()
    return period


def _scope(table: RulesTable) -> Scope:
    return Scope(table.ids("products"), table.ids("networks"), table.yes("maximum_fares"))


def _has_amounts(table: RulesTable, key: str) -> bool:
    return table.has(key) or table.has(f"{key}_by_category")


def _amounts(table: RulesTable, key: str, currency: str | None) -> Amounts:
    by_category = table.money_by_id(f"{key}_by_category", currency)
    plain = table.money(key, currency) if table.has(key) or not by_category else None
    return Amounts(plain, by_category)


def _pays_as(top: RulesTable) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, table in top.tables("categories", free_names=True):
        found[name] = table.text("pays_as")
        table.end()
    for name in found:
        seen, last = {name}, found[name]
        while last in found and last not in seen:
            seen.add(last)
            last = found[last]
        if last in seen:
            top.table("categories").fault(name, "pays as another that pays as it in the end; break the circle")
    return found
