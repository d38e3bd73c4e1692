"""`openstile fares price`: what a file of taps costs by a feed and the operator's rules."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openstile.cli.options import JsonOption
from openstile.cli.printing import console, error_console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.fares.rides import PricedJourney
    from openstile.fares.taps_file import RiderTaps
    from openstile.fares.tariff import Tariff

_SHOWN_MAX = 2000
"""Journeys in the table; --json prints all."""
_QUICK_TAPS = 20_000
"""Fewer are priced before a progress bar would say anything."""


class Speech(StrEnum):
    """Languages of explanations."""

    en = "en"
    de = "de"


Priced = tuple["RiderTaps", tuple["PricedJourney", ...]]


def price(
    feed: Annotated[Path, typer.Argument(metavar="FEED", help="A GTFS feed: a zip archive, or a folder.")],
    taps: Annotated[Path, typer.Argument(metavar="TAPS.csv", help="rider,time,stop_id,direction[,network_id,...]")],
    rules: Annotated[Path | None, typer.Option(help="fares.toml: entries and exits, caps, period products.")] = None,
    now: Annotated[str | None, typer.Option(help="The time it is to be, ISO 8601 with its offset.")] = None,
    language: Annotated[Speech, typer.Option(help="Of the explanations.")] = Speech.en,
    as_json: JsonOption = False,
) -> int:
    """Price a file of taps, each journey explained line by line. Exit code 2 when an input is wrong."""
    from openstile.fares.feed import read_feed
    from openstile.fares.rules_file import read_rules
    from openstile.fares.taps_file import read_taps
    from openstile.fares.tariff import Tariff

    at = _instant(now)
    tariff = Tariff(read_feed(feed), None if rules is None else read_rules(rules))
    riders = read_taps(taps, tariff.feed)
    priced = list(_priced(tariff, riders, at))
    if as_json:
        print_json(
            {
                "journeys": [_as_json(who.name, one, language.value) for who, journeys in priced for one in journeys],
                "totals": [{"rider": who.name, **_money(_total(journeys), tariff)} for who, journeys in priced],
            }
        )
    else:
        _print(priced, tariff, language)
    return 0


def _instant(text: str | None) -> datetime:
    if text is None:
        from openstile.terms.instants import SystemClock

        return SystemClock().now()
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInputError("--now: must be ISO 8601 with its offset, such as 2026-03-02T08:15:00+01:00")


def _priced(tariff: "Tariff", riders: "tuple[RiderTaps, ...]", now: datetime) -> Iterator[Priced]:
    from rich.progress import track

    from openstile.fares.price import price_taps

    stderr = error_console()
    is_quick = sum(len(one.taps) for one in riders) < _QUICK_TAPS
    shown: Iterable[RiderTaps] = track(
        riders, "pricing", console=stderr, transient=True, disable=is_quick or not stderr.is_terminal
    )
    for one in shown:
        yield one, price_taps(tariff, rider=one.rider, taps=one.taps, now=now)


def _total(journeys: "Iterable[PricedJourney]") -> int:
    return sum(journey.amount.minor for journey in journeys)


def _money(minor: int, tariff: "Tariff") -> dict[str, Any]:
    return {"minor": minor, "currency": tariff.currency}


def _as_json(rider: str, journey: "PricedJourney", language: str) -> dict[str, Any]:
    from openstile.fares.words import say

    return {
        "rider": rider,
        "day": journey.day.isoformat(),
        "started_at": journey.legs[0].start.isoformat(),
        "state": journey.state.value,
        "tap_lines": [int(tap_id) for tap_id in journey.tap_ids],
        "products": list(journey.product_ids),
        "minor": journey.amount.minor,
        "currency": journey.amount.currency,
        "lines": [
            {
                "code": line.code,
                "values": list(line.values),
                "minor": None if line.amount is None else line.amount.minor,
                "text": say(line, "de" if language == "de" else "en"),
            }
            for line in journey.lines
        ],
    }


def _print(priced: list[Priced], tariff: "Tariff", language: Speech) -> None:
    from openstile.fares.words import say
    from openstile.terms.money import Money

    journeys = [(who.name, journey) for who, all_of in priced for journey in all_of]
    print_table(
        f"Journeys, in {tariff.currency}",
        ("rider", "began", "state", "amount", "why"),
        (
            (
                rider,
                f"{journey.legs[0].start.astimezone(tariff.timezone):%Y-%m-%d %H:%M}",
                journey.state.value.replace("_", " "),
                journey.amount.decimal,
                "\n".join(say(line, language.value) for line in journey.lines),
            )
            for rider, journey in journeys[:_SHOWN_MAX]
        ),
    )
    if len(journeys) > _SHOWN_MAX:
        console().print(f"and {len(journeys) - _SHOWN_MAX} more; --json prints all")
    print_table(
        "Totals",
        ("rider", "journeys", "amount"),
        ((who.name, str(len(all_of)), str(Money(_total(all_of), tariff.currency))) for who, all_of in priced),
    )
