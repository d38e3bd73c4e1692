"""One report of everything that was measured: report.json, and pages that are made from it and from nothing else.

The numbers are those of `accuracy`, `groups`, `discard`, `speed` and `unlinkability`, which run the gate's own
code. The report computes none. What was not measured has no section.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from openstile.lab.intervals import Proportion
from openstile.lab.rates_among import proportion_json
from openstile.lab.report_figures import draw_all, group_name
from openstile.lab.report_numbers import Language
from openstile.lab.report_page import Page, Report, render
from openstile.lab.report_thresholds import Threshold, measure_of, thresholds_json
from openstile.terms import BadInputError
from openstile.terms.files import write_whole

if TYPE_CHECKING:
    from openstile.lab.discard import DiscardReport

FORMAT = 1
NOT_TESTED = ("yaw", "ageing", "masks", "children", "attacks", "gates", "twins", "sample")
_SECTIONS = (
    "summary", "data", "accuracy", "groups", "quality", "attacks", "speed", "unlinkability", "thresholds", "not-tested",
    "terms",
)  # fmt: skip
_OPTIONAL = ("groups", "quality", "attacks", "speed", "unlinkability")
"""Sections of measurements that a run may leave out."""


class Measurement(Protocol):
    """What one part of the lab found."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class PackFacts:
    """What a model pack says of itself. sources: file, licence and origin of each network."""

    id: str
    name: str
    licence: str
    origin: str
    template_bytes: int
    sources: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "licence": self.licence,
            "origin": self.origin,
            "template_bytes": self.template_bytes,
            "sources": [dict(zip(("file", "licence", "origin"), source, strict=True)) for source in self.sources],
        }


@dataclass(frozen=True, slots=True)
class Found:
    """The measurements of one run; None for those that were not made.

    attacks: its JSON has `simulated` (bool), `species` (a list of `species` and `apcer`, a proportion) and `bpcer`, a
    proportion, in the words of ISO/IEC 30107-3; where they are not simulated, all that `attacks.AttackReport` has.
    """

    accuracy: Measurement
    groups: Measurement | None = None
    quality: "DiscardReport | None" = None
    attacks: Measurement | None = None
    speed: Measurement | None = None
    unlinkability: Measurement | None = None


def assemble(
    found: Found, *, pack: PackFacts, thresholds: tuple[Threshold, ...], data_set: str, made_at: str, machine: str
) -> dict[str, Any]:
    """The content of report.json: JSON values alone."""
    from openstile import __version__

    report: dict[str, Any] = {
        "format": FORMAT,
        "made_at": made_at,
        "openstile": __version__,
        "machine": machine,
        "data_set": data_set,
        "pack": pack.to_json(),
        "accuracy": found.accuracy.to_json(),
        "thresholds": thresholds_json(thresholds),
        "not_tested": list(NOT_TESTED),
        "quality": None if found.quality is None else quality_json(found.quality),
    }
    for name in ("groups", "attacks", "speed", "unlinkability"):
        part: Measurement | None = getattr(found, name)
        report[name] = None if part is None else part.to_json()
    if report["attacks"] is not None and not report["attacks"]["simulated"]:
        report["not_tested"] = ["other_attacks" if each == "attacks" else each for each in NOT_TESTED]
    plain: dict[str, Any] = json.loads(json.dumps(report, allow_nan=False))
    return plain


def quality_json(report: "DiscardReport") -> dict[str, Any]:
    """As `DiscardReport.to_json`, each rate with its interval beside its counts."""
    value = report.to_json()
    value |= {"fnmr_all": proportion_json(report.all_frames), "fnmr_passing": proportion_json(report.passing)}
    parts: dict[str, tuple[Any, ...]] = {"measures": report.measures, "conditions": report.conditions}
    for name, measured in parts.items():
        rows: Any = value[name]
        for row, each in zip(rows, measured, strict=True):
            seen = {field.name: getattr(each, field.name) for field in fields(each)}
            row.update({key: proportion_json(one) for key, one in seen.items() if isinstance(one, Proportion)})
    return value


def write_report(report: Mapping[str, Any], out: Path) -> tuple[Path, ...]:
    """report.json, and the report and the pack's model card as pages in each language, and as Markdown; their paths.

    Raises BadInputError when `out` cannot be written to.
    """
    files = {"report.json": json.dumps(report, indent=1, ensure_ascii=False) + "\n"}
    for language in Language:
        ending = "" if language is Language.EN else f".{language.value}"
        files[f"report{ending}.html"] = report_page(report, language)
        files[f"model-card{ending}.html"] = card_page(report, language)
    files["model-card.md"] = card_markdown(report)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(out / name, content.encode(), replacing=True)
    except OSError as error:
        raise BadInputError(f"{out}: cannot be written ({error.strerror}); give another --out") from None
    return tuple(out / name for name in files)


def check_ready(out: Path) -> None:
    """Raises BadInputError when a report could not be written at the end: better said before it is measured."""
    for library in ("jinja2", "matplotlib"):
        if find_spec(library) is None:
            raise BadInputError(f"the report needs {library}, which is not installed; pip install '.[lab]'")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{out}: cannot be a folder ({error.strerror}); give another --out") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise BadInputError(f"{out}: cannot be written to; give another --out")


def report_page(report: Report, language: Language) -> str:
    """The report as a page."""
    page = Page(report, language)
    sections = [name for name in _SECTIONS if name not in _OPTIONAL or report.get(name) is not None]
    return render(
        "report.html.j2",
        page,
        sections=sections,
        plots=draw_all(page),
        worst_group=_worst_group(report),
        link_most=_most_guesses(report),
        not_tested=report["not_tested"],
        group_name=partial(group_name, page),
    )


def card_page(report: Report, language: Language) -> str:
    """The model card of the report's pack as a page."""
    page = Page(report, language)
    return render("card.html.j2", page, not_tested=report["not_tested"], group_name=partial(group_name, page))


def card_markdown(report: Report) -> str:
    """The model card in English, as Markdown."""
    page = Page(report, Language.EN, markup=False)
    return render(
        "card.md.j2",
        page,
        not_tested=report["not_tested"],
        bought=partial(_bought, page),
        group_name=partial(group_name, page),
    )


def _bought(page: Page, threshold: Mapping[str, Any]) -> str:
    """What a limit does, for a table: the same numbers as its line in the report."""
    kind, name = threshold["kind"], measure_of(threshold["name"])
    if kind == "distance":
        fmr, fnmr = page.rate("/accuracy/rates/fmr"), page.rate("/accuracy/rates/fnmr")
        return str(page.text("bought_distance", fmr=fmr, fnmr=fnmr))
    if kind in ("zone", "detector"):
        return str(page.text("bought_fta", fta=page.rate("/accuracy/rates/fta")))
    if kind == "attack":
        return str(page.text("line_elsewhere" if threshold["line"] is None else "line_attack"))
    i = next((i for i, each in enumerate(page.at("/quality/measures") or []) if each["measure"] == name), None)
    if i is None:
        return str(page.text("line_none"))
    pointer = f"/quality/measures/{i}/" + ("enrolment_" if kind == "enrolment" else "")
    rejected, clean = page.rate(f"{pointer}rejected"), page.rate(f"{pointer}clean_rejected")
    return str(page.text("bought_advice" if kind == "advice" else "bought", rejected=rejected, clean=clean))


def _worst_group(report: Report) -> str | None:
    """Where the group with the highest FMR stands in the report; None without groups, or a false match in any."""
    if report.get("groups") is None:
        return None
    groups = report["groups"]["groups"]
    worst = max(range(len(groups)), key=lambda i: groups[i]["rates"]["fmr"]["rate"] or 0.0, default=None)
    if worst is None or not groups[worst]["rates"]["fmr"]["events"]:
        return None
    return f"/groups/groups/{worst}"


def _most_guesses(report: Report) -> str | None:
    """Where the guesses of the best attack without a key stand."""
    if report.get("unlinkability") is None:
        return None
    views = report["unlinkability"]["views"]
    own = [i for i, v in enumerate(views) if v["party"] != "gate-key" and v["scenario"] != "other-products"]
    best = max(own, key=lambda i: views[i]["guesses"]["rate"])
    return f"/unlinkability/views/{best}/guesses"
