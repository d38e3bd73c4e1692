"""How the lab's figures are written for people: rates with what they rest on, and never "at most" but in a claim."""

from typing import TYPE_CHECKING

from openstile.cli.printing import console

if TYPE_CHECKING:
    from openstile.lab.accuracy import Measured
    from openstile.lab.bootstrap import Spread
    from openstile.lab.claims import Claim
    from openstile.lab.intervals import Proportion
    from openstile.lab.rates_among import ErrorRates

RATES_COLUMNS = ("FTA", "FNMR", "95 %", "over people", "FMR", "95 %", "over people")


def rates_cells(rates: "ErrorRates") -> tuple[str, ...]:
    """Cells for RATES_COLUMNS."""
    return (
        events(rates.fta),
        events(rates.fnmr),
        interval(rates.fnmr),
        spread(rates.resampled.fnmr),
        events(rates.fmr),
        interval(rates.fmr),
        spread(rates.resampled.fmr),
    )


def events(proportion: "Proportion") -> str:
    """Such as "2 of 18"."""
    return f"{proportion.events:,} of {proportion.trials:,}"


def percent(rate: float | None) -> str:
    """With as many digits as small rates need."""
    if rate is None:
        return "-"
    return f"{rate:.2%}" if rate >= 0.001 or rate == 0 else f"{100 * rate:.2g}%"


def interval(proportion: "Proportion") -> str:
    """The Clopper-Pearson interval; a dash without trials."""
    if not proportion.trials:
        return "-"
    return f"{percent(proportion.interval.low)} to {percent(proportion.interval.high)}"


def spread(found: "Spread | None") -> str:
    """The bootstrap's interval of a rate; a dash where it says nothing."""
    return "-" if found is None else f"{percent(found.low)} to {percent(found.high)}"


def number(value: float | None) -> str:
    """A distance or a separation."""
    return "-" if value is None else f"{value:.3f}"


def print_measured(measured: "Measured") -> None:
    """On what, and with what."""
    lines = [
        f"{measured.data_set}: {measured.people:,} people, {measured.photographs:,} photographs"
        + (f" ({measured.missing:,} missing)" if measured.missing else "")
        + f" in {', '.join(measured.conditions)}",
        f"pack {measured.pack_id}, a distance of {measured.distance_max:.4g} or less matches; {measured.mated:,} mated "
        f"and {measured.non_mated:,} non-mated comparisons"
        + (f", in {measured.blocks} blocks" if measured.blocks > 1 else ""),
    ]
    for line in lines:
        console().print(line)


def print_claims(claims: "tuple[Claim, ...]") -> None:
    """What may be said of people who were not measured, and what may not."""
    for claim in claims:
        console().print(
            "may be claimed" if claim.carried else "not claimed", style="green" if claim.carried else "yellow", end=""
        )
        console().print(f"  {claim.sentence}")
