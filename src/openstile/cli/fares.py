"""`openstile fares`: look at a GTFS feed's fares, and price taps by it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.fares_price import price
from openstile.cli.options import JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.fares.feed import CheckedFeed

app = typer.Typer(help="Fares: check a GTFS feed, price taps by it.", no_args_is_help=True)
app.command("price")(price)

FeedArgument = Annotated[Path, typer.Argument(metavar="FEED", help="A GTFS feed: a zip archive, or a folder.")]


@app.command()
def check(
    feed: FeedArgument,
    rules: Annotated[Path | None, typer.Option(help="fares.toml, checked too, and against the feed.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Read a feed's fares strictly. Exit code 2, the file and the line when something is wrong."""
    from openstile.fares.feed import check_feed
    from openstile.fares.rules_file import read_rules
    from openstile.fares.tariff import Tariff

    checked = check_feed(feed)
    if rules is not None:
        Tariff(checked.feed, read_rules(rules))
    if as_json:
        print_json(
            {
                "feed": str(feed),
                "rules": None if rules is None else str(rules),
                "timezone": checked.feed.timezone,
                "rule_priority": checked.feed.has_priority,
                "records": dict(checked.records),
                "warnings": [{"file": o.file, "line": o.line, "text": o.text} for o in checked.oddities],
                "warnings_count": checked.oddities_count,
            }
        )
    else:
        _print_checked(feed, checked)
        if rules is not None:
            console().print(f"good  rules {rules} fit the feed")
    return 0


def _print_checked(feed: Path, checked: "CheckedFeed") -> None:
    print_table(
        f"Feed {feed}, local time of {checked.feed.timezone}",
        ("file", "records"),
        ((name, str(count)) for name, count in checked.records.items()),
    )
    if checked.oddities:
        left_out = checked.oddities_count - len(checked.oddities)
        print_table(
            "Warnings" + (f" (and {left_out} more)" if left_out else ""),
            ("file", "line", "what"),
            ((o.file or "", "" if o.line is None else str(o.line), o.text) for o in checked.oddities),
        )
    console().print("good", style="green", end="")
    console().print("  its fares can be read")
