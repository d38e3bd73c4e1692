"""Says what the office made of the day: journeys and why they cost what they do, the ledger, and what is left."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from openstile.demo.books import ShownAccount, ShownJourney
from openstile.demo.city import CURRENCY
from openstile.demo.report import Report
from openstile.demo.telling_tables import Cell, table
from openstile.terms.money import Money


def journeys_table(report: Report) -> Table:
    """Each journey with the lines of its explanation."""
    rows: list[Sequence[Cell]] = [
        (journey.rider, _when(journey), _where(journey), str(journey.taps), journey.amount.decimal,
         "\n".join(journey.lines))
        for journey in report.day.journeys
    ]  # fmt: skip
    columns = ("rider", "UTC", "from, to", "taps", CURRENCY, "why")
    return table("A day in the city, as the office priced it", columns, rows, right=("taps", CURRENCY))


def day_in_words(report: Report) -> Text:
    """How the taps came to the office, and what came late."""
    day = report.day
    sent = ", ".join(f"{name} {count}" for name, count in day.sent.items())
    early = sum(journey.state == "missing_exit" for journey in day.at_noon)
    return Text.assemble(
        (f"{day.held} taps", "bold green"),
        f" of {report.crossings} crossings came over signed requests, each once: {sent}.\n",
        f"At noon hill-out could not be reached: {early} rides lacked an exit. In the evening its taps came, and "
        f"{day.books.reversed} fares were reversed and posted anew.",
    )  # fmt: skip


def ledger_table(report: Report) -> Table:
    """The trial balance."""
    books = report.day.books
    rows: list[Sequence[Cell]] = [
        (account.name, account.kind, _side(account, debit=True), _side(account, debit=False))
        for account in books.accounts
    ]
    verdict = Text("balances: yes", "bold green") if books.balances else Text("balances: NO", "bold red")
    totals = (Money(books.debits, CURRENCY).decimal, Money(books.credits, CURRENCY).decimal)
    rows.append((verdict, f"{books.postings} postings, all verified", *totals))
    columns = ("account", "kind", f"debit {CURRENCY}", f"credit {CURRENCY}")
    return table("The ledger: trial balance", columns, rows, right=columns[2:])


def left_table(report: Report) -> Table:
    """All that is left of the journeys."""
    rows: list[Sequence[Cell]] = [
        (journey.rider, journey.day.isoformat(), ", ".join(journey.products) or "maximum fare", journey.amount.decimal)
        for journey in report.left.journeys
    ]
    columns = ("rider", "day", "product", CURRENCY)
    return table(
        f"After {_hours(report)} hours: all that the office still knows of it", columns, rows, right=columns[3:]
    )


def left_in_words(report: Report) -> Text:
    """What is not there any more."""
    left = report.left
    counts = ", ".join(f"{taps} {product} {way}" for _day, product, way, taps in left.counts)
    clean = not (left.taps or left.places or left.gate_taps)
    return Text.assemble(
        ("No place and no time is left", "bold green") if clean else ("PLACES OR TIMES ARE LEFT", "bold red"),
        f": {left.taps} taps at the office, {left.gate_taps} at the gates. Riders are random account ids there.\n"
        f"Counts of the day: {counts}.",
    )


def city_as_json(report: Report) -> dict[str, Any]:
    """The same as JSON values; amounts in minor units."""
    day, books, left = report.day, report.day.books, report.left
    return {
        "taps": day.held,
        "sent": dict(day.sent),
        "journeys": [_journey_as_json(journey) for journey in day.journeys],
        "journeys_at_noon": [_journey_as_json(journey) for journey in day.at_noon],
        "ledger": {
            "currency": CURRENCY,
            "accounts": [{"account": a.name, "kind": a.kind, "balance": a.balance.minor} for a in books.accounts],
            "debits": books.debits,
            "credits": books.credits,
            "balances": books.balances,
            "postings": books.postings,
            "reversed": books.reversed,
            "findings": list(books.findings),
        },
        "left": {
            "hours": _hours(report),
            "journeys": [
                {"rider": j.rider, "day": j.day.isoformat(), "products": list(j.products), "amount": j.amount.minor}
                for j in left.journeys
            ],
            "counts": [
                {"day": day.isoformat(), "product": product, "direction": way, "taps": taps}
                for day, product, way, taps in left.counts
            ],
            "taps": left.taps,
            "taps_at_gates": left.gate_taps,
            "journeys_with_places_or_times": left.places,
        },
    }


def _journey_as_json(journey: ShownJourney) -> dict[str, Any]:
    return {
        "rider": journey.rider,
        "day": journey.day.isoformat(),
        "state": journey.state,
        "from": journey.from_stop,
        "to": journey.to_stop,
        "taps": journey.taps,
        "amount": journey.amount.minor,
        "why": list(journey.lines),
    }


def _when(journey: ShownJourney) -> str:
    ended = "" if journey.to_stop is None and journey.ended == journey.began else f"-{journey.ended:%H:%M}"
    return f"{journey.began:%H:%M}{ended}"


def _where(journey: ShownJourney) -> str:
    return journey.from_stop if journey.to_stop is None else f"{journey.from_stop}, {journey.to_stop}"


def _side(account: ShownAccount, *, debit: bool) -> str:
    minor = account.balance.minor
    return Money(abs(minor), CURRENCY).decimal if minor and (minor > 0) == debit else ""


def _hours(report: Report) -> int:
    return report.cast.installation.settings.retention.trips_hours
