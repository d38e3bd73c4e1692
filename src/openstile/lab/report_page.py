"""From report.json to a page: every number on it says where in report.json it stands, so that a test can look.

The page needs nothing but itself: no script, no font, no picture from elsewhere. Templates are in `pages`, with
autoescape; names of groups and sessions come from a data set and are text, never markup.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from openstile.lab.report_numbers import NOTHING, WRITERS, Language, write_count, write_percent
from openstile.lab.report_texts import TEXTS
from openstile.terms import BadInputError

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One report in one language: what templates ask for its words and numbers."""

    report: Report
    language: Language
    markup: bool = True
    """Whether words and numbers are HTML; else plain text, for Markdown."""

    def at(self, pointer: str) -> Any:
        """The value at a JSON pointer (RFC 6901) of the report; None where there is nothing. Keys need no escapes."""
        value: Any = self.report
        for part in pointer.split("/")[1:]:
            if value is None:
                return None
            if isinstance(value, Mapping):
                value = value.get(part)
            else:
                value = value[int(part)] if int(part) < len(value) else None
        return value

    def number(self, pointer: str, kind: str = "number") -> "Markup":
        """The number at `pointer`, written for people, with its exact value and where it stands."""
        from markupsafe import Markup, escape

        value = self.at(pointer)
        if value is None:
            return escape(NOTHING)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInputError(f"report: {pointer} is no number")
        if not self.markup:
            return Markup(WRITERS[kind](value, self.language))  # noqa: S704 (digits)
        return Markup('<data value="{}" data-at="{}">{}</data>').format(
            json.dumps(value), pointer, WRITERS[kind](value, self.language)
        )

    def seen(self, pointer: str) -> "Markup":
        """ "3 of 60", of a proportion."""
        return self.text("events_of", events=self.number(f"{pointer}/events", "count"), trials=self.trials(pointer))

    def trials(self, pointer: str) -> "Markup":
        """How many there were, of a proportion."""
        return self.number(f"{pointer}/trials", "count")

    def limits(self, pointer: str, kind: str = "percent") -> "Markup":
        """ "0 % to 6 %", of the pair of numbers at `pointer`."""
        from markupsafe import escape

        if self.at(pointer) is None:
            return escape(NOTHING)
        return self.text("to", low=self.number(f"{pointer}/0", kind), high=self.number(f"{pointer}/1", kind))

    def rate(self, pointer: str) -> "Markup":
        """A rate never without its sample and its interval."""
        if not self.at(f"{pointer}/trials"):
            return self.text("not_measured")
        return self.text(
            "rate_with_interval",
            seen=self.seen(pointer),
            rate=self.number(f"{pointer}/rate", "percent"),
            interval=self.limits(f"{pointer}/interval"),
        )

    def text(self, key: str, **values: object) -> "Markup":
        """The words for `key` in the page's language, with values put in; what is not markup is escaped."""
        from markupsafe import Markup, escape

        words = TEXTS[self.language].get(key)
        if words is None:
            raise KeyError(f"no words for {key!r} in {self.language.value}")
        if not self.markup:
            return Markup(words.format(**values) if values else words)  # noqa: S704 (Markdown, not HTML)
        return escape(words).format(**values) if values else escape(words)

    def words(self, key: str, **values: object) -> str:
        """As `text`, without markup: for a plot, or an attribute."""
        return self.text(key, **values).striptags()

    def word(self, prefix: str, value: str) -> str:
        """The word for a value that the code knows (`prefix`_`value`), else the value itself. Plain."""
        key = f"{prefix}_{value}".replace("-", "_").replace(" ", "_")
        return TEXTS[self.language].get(key, value)

    def claim(self, pointer: str) -> "Markup":
        """What may be said of others, or why it may not, and what it would take (`claims.Claim.sentence`)."""
        claim = self.at(pointer)
        events, trials = claim["independent"]
        values = {
            "measure": claim["measure"],
            "rate": write_percent(claim["rate_max"], self.language),
            "seen": self.text("events_of", events=events, trials=write_count(trials, self.language)),
            "unit": self.text(f"claim_unit_{claim['measure']}"),
        }
        if claim["carried"]:
            return self.text("claim_carried", **values)
        if claim["needed"] is None:
            return self.text("claim_none", **values)
        return self.text("claim_refused", needed=write_count(claim["needed"], self.language), **values)

    def promise(self, pointer: str) -> "Markup":
        """The claim at `pointer` in the few words of a table's cell."""
        claim = self.at(pointer)
        events, trials = claim["independent"]
        seen = self.text("events_of", events=events, trials=write_count(trials, self.language))
        if claim["carried"]:
            return self.text("promise_yes", seen=seen)
        if claim["needed"] is None:
            return self.text("promise_none", seen=seen)
        return self.text("promise_few", seen=seen, needed=write_count(claim["needed"], self.language))


def render(template: str, page: Page, **more: object) -> str:
    """The page that `template` makes of a report."""
    names: dict[str, object] = {
        "page": page,
        "report": page.report,
        "language": page.language.value,
        "t": page.text,
        "n": page.number,
        "seen": page.seen,
        "rate": page.rate,
        "limits": page.limits,
        "word": page.word,
        "claim": page.claim,
        "promise": page.promise,
        "percent": partial(write_percent, language=page.language),
    }
    written: str = _environment().get_template(template).render(**names, **more)
    return written


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("openstile.lab", "pages"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain_markdown
    return environment


def plain_markdown(text: str) -> str:
    """A name from a data set or a pack as Markdown shows it: no markup, one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def format_for(kind: str, language: Language) -> Callable[[float], str]:
    """How numbers of this kind are written on an axis."""
    return lambda value: WRITERS[kind](value, language)
