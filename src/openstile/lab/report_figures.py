"""The plots of a report, each with its words and its table, from report.json alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from openstile.lab.plots import Axis, Line, Mark, Row, draw_bars, draw_intervals, draw_lines
from openstile.lab.report_page import Page, format_for

if TYPE_CHECKING:
    from markupsafe import Markup

_TABLE_ROWS_MAX = 40
"""Of a curve; all its points are in report.json."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot as a page shows it: the picture, what it shows in words, and its numbers as a table."""

    name: str
    svg: "Markup"
    alt: str
    caption: "Markup"
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def draw_all(page: Page) -> dict[str, Plot]:
    """Every plot for which the report has numbers, by its name."""
    plots: list[Plot] = []
    if page.at("/accuracy") is not None:
        plots += [_scores(page), _errors(page), *_det(page)]
        if len(page.at("/accuracy/conditions")) > 1:
            plots.append(_rates(page, "conditions", "/accuracy/conditions", "fmr", _condition))
    if page.at("/groups") is not None:
        plots += [_rates(page, f"groups-{m}", "/groups/groups", m, _group) for m in ("fmr", "fnmr")]
        plots += _at_wanted(page)
    if page.at("/quality") is not None:
        plots.append(_discard(page))
    if page.at("/attacks/species"):
        plots.append(_attacks(page))
    if page.at("/speed") is not None:
        plots.append(_speed(page))
    if page.at("/unlinkability") is not None:
        plots += [_guesses(page), *_linkability(page)]
    return {plot.name: plot for plot in plots}


def _plot(
    page: Page, name: str, svg: str, head: Sequence[str], rows: Sequence[Sequence[object]], **values: object
) -> Plot:
    from markupsafe import Markup

    key = name.replace("-", "_")
    return Plot(
        name=name,
        svg=Markup(svg),  # noqa: S704 (made by `plots`, which takes names as text)
        alt=page.words(f"alt_{key}", **values),
        caption=page.text(f"caption_{key}", **values),
        head=tuple(page.words(each) for each in head),
        rows=tuple(tuple(row) for row in rows),
    )


def _axis(page: Page, label: str, kind: str, **more: Any) -> Axis:
    return Axis(page.words(label), format_for(kind, page.language), **more)


def _scores(page: Page) -> Plot:
    """Where the distances of both kinds of comparison lie."""
    counts = page.at("/accuracy/scores")
    width = counts["bin"]
    edges = [number * width for number in range(len(counts["mated"]) + 1)]
    lines = []
    for kind in ("mated", "non_mated"):
        total = max(sum(counts[kind]), 1)
        shares = [count / total for count in counts[kind]]
        lines.append(Line(page.words(kind), edges, [*shares, 0.0], steps=True, filled=True))
    threshold = page.at("/accuracy/measured/distance_max")
    svg = draw_lines(
        "scores",
        lines,
        _axis(page, "distance", "number"),
        _axis(page, "share_of_kind", "percent", low=0),
        marks=[Mark(page.words("threshold_shipped"), threshold)],
    )
    rows = [
        (
            page.text("to", low=_write(page, "distance", low), high=_write(page, "distance", high)),
            page.number(f"/accuracy/scores/mated/{i}", "count"),
            page.number(f"/accuracy/scores/non_mated/{i}", "count"),
        )
        for i, (low, high) in enumerate(pairwise(edges))
        if counts["mated"][i] or counts["non_mated"][i]
    ]
    return _plot(
        page,
        "scores",
        svg,
        ("distance", "mated", "non_mated"),
        rows,
        threshold=page.number("/accuracy/measured/distance_max", "distance"),
        farthest=page.number("/accuracy/rates/farthest_mated", "distance"),
        closest=page.number("/accuracy/rates/closest_non_mated", "distance"),
    )


def _errors(page: Page) -> Plot:
    """Both error rates over the threshold, from the counts of distances: at the upper edge of each bin."""
    counts = page.at("/accuracy/scores")
    mated, non_mated = (list(accumulate(counts[kind])) for kind in ("mated", "non_mated"))
    floor = _floor(page)
    edges = [(number + 1) * counts["bin"] for number in range(len(mated))]
    fmr = [count / max(non_mated[-1], 1) for count in non_mated]
    fnmr = [1 - count / max(mated[-1], 1) for count in mated]
    lines = [
        Line(page.words(name), edges, [max(rate, floor) for rate in rates])
        for name, rates in (("fmr", fmr), ("fnmr", fnmr))
    ]
    svg = draw_lines(
        "errors",
        lines,
        _axis(page, "threshold", "number"),
        _axis(page, "rate", "percent", log=True, low=floor, high=1.0),
        marks=[Mark(page.words("threshold_shipped"), page.at("/accuracy/measured/distance_max"))],
    )
    rows = [
        (_write(page, "distance", edge), _write(page, "percent", one), _write(page, "percent", other))
        for edge, one, other in zip(edges, fmr, fnmr, strict=True)
    ]
    return _plot(page, "errors", svg, ("threshold", "fmr", "fnmr"), rows, floor=_write(page, "percent", floor))


def _det(page: Page) -> list[Plot]:
    """Both error rates against each other; no plot where no threshold has errors of both kinds."""
    points = page.at("/accuracy/det")
    if not any(fmr > 0 and fnmr > 0 for _, fmr, fnmr in points):
        return []
    floor = _floor(page)
    percent = {"log": True, "low": floor, "high": 1.0}
    fmr, fnmr = ([max(point[i], floor) for point in points] for i in (1, 2))
    trade = Line(page.words("det"), fmr, fnmr)
    svg = draw_lines(
        "det", [trade], _axis(page, "fmr", "percent", **percent), _axis(page, "fnmr", "percent", **percent)
    )
    step = -(-len(points) // _TABLE_ROWS_MAX)
    rows = [
        (
            page.number(f"/accuracy/det/{i}/0", "distance"),
            page.number(f"/accuracy/det/{i}/1", "percent"),
            page.number(f"/accuracy/det/{i}/2", "percent"),
        )
        for i in range(0, len(points), step)
    ]
    values = {"floor": _write(page, "percent", floor), "shown": len(rows), "points": len(points)}
    return [_plot(page, "det", svg, ("threshold", "fmr", "fnmr"), rows, **values)]


def _floor(page: Page) -> float:
    """Where rates of 0 are drawn on a logarithmic axis: at half of the smallest one that could be seen."""
    return 0.5 / max(int(page.at("/accuracy/measured/mated")), int(page.at("/accuracy/measured/non_mated")), 1)


def _condition(page: Page, pointer: str) -> str:
    return page.words("and", one=page.at(f"{pointer}/first"), other=page.at(f"{pointer}/second"))


def _group(page: Page, pointer: str) -> str:
    people = _write(page, "count", page.at(f"{pointer}/rates/people"))
    return page.words("group_of", group=group_name(page, page.at(pointer)), people=people)


def group_name(page: Page, group: Mapping[str, Any]) -> str:
    """What people said, and what they were asked: "ethnicity: black"."""
    return f"{page.word('attribute', group['attribute'])}: {page.word('group', group['value'])}"


def _rates(page: Page, name: str, pointer: str, measure: str, label: Any) -> Plot:
    """A rate with its two intervals, a row for each entry at `pointer`: over comparisons, and over independent ones."""
    rows, table = [], []
    for i in range(len(page.at(pointer))):
        own = f"{pointer}/{i}"
        seen, apart = page.at(f"{own}/rates/{measure}"), page.at(f"{own}/rates/independent_{measure}")
        row_label = label(page, own)
        if seen["trials"]:
            rows.append(_row(row_label, seen, strong=seen["events"] > 0, wide=apart["interval"]))
        table.append(
            (
                row_label,
                page.seen(f"{own}/rates/{measure}"),
                page.number(f"{own}/rates/{measure}/rate", "percent"),
                page.limits(f"{own}/rates/{measure}/interval"),
                page.seen(f"{own}/rates/independent_{measure}"),
                page.limits(f"{own}/rates/independent_{measure}/interval"),
            )
        )
    svg = draw_intervals(name, rows, _axis(page, measure, "percent", low=0))
    return _plot(page, name, svg, ("what", "seen", "rate", "interval_95", "independent", "interval_95"), table)


def _at_wanted(page: Page) -> list[Plot]:
    """What each group would see at the threshold at which everybody together has one false match in a thousand."""
    groups = page.at("/groups/groups")
    chosen = next((i for i, at in enumerate(groups[0]["at_wanted"]) if at["fmr_wanted"] == 0.001), None)
    if chosen is None:
        return []
    rows, table = [], []
    for i, group in enumerate(groups):
        pointer = f"/groups/groups/{i}/at_wanted/{chosen}/fmr"
        seen = group["at_wanted"][chosen]["fmr"]
        label = _group(page, f"/groups/groups/{i}")
        if seen["trials"]:
            rows.append(_row(label, seen, strong=seen["rate"] > 0.001))
        table.append(
            (label, page.seen(pointer), page.number(f"{pointer}/rate", "percent"), page.limits(f"{pointer}/interval"))
        )
    mark = Mark(page.words("everybody"), 0.001)
    svg = draw_intervals("groups-wanted", rows, _axis(page, "fmr", "percent", low=0), marks=[mark])
    threshold = page.number(f"/groups/groups/0/at_wanted/{chosen}/threshold", "distance")
    head = ("what", "seen", "rate", "interval_95")
    return [_plot(page, "groups-wanted", svg, head, table, threshold=threshold)]


def _view_name(page: Page, view: Mapping[str, Any]) -> str:
    return ": ".join(
        (page.word("party", view["party"]), ", ".join(
            (page.word("scenario", view["scenario"]), page.word("score", view["score"])))
        )
    )  # fmt: skip


def _guesses(page: Page) -> Plot:
    """How many guesses of each attack were right; half is chance."""
    rows, table = [], []
    for i, view in enumerate(page.at("/unlinkability/views")):
        pointer = f"/unlinkability/views/{i}"
        found, label = view["guesses"], _view_name(page, view)
        rows.append(_row(label, found, strong=view["linked"]))
        table.append(
            (
                label,
                page.seen(f"{pointer}/guesses"),
                page.number(f"{pointer}/guesses/rate", "percent"),
                page.limits(f"{pointer}/guesses/interval"),
                page.number(f"{pointer}/d_sys"),
                page.limits(f"{pointer}/d_sys_chance", "number"),
                page.number(f"{pointer}/p_value"),
                page.text("yes" if view["linked"] else "no"),
            )
        )
    mark = Mark(page.words("chance"), 0.5)
    svg = draw_intervals("guesses", rows, _axis(page, "right_guesses", "percent", low=0.3, high=1.02), marks=[mark])
    head = ("attack", "right_guesses", "rate", "interval_95", "d_sys", "d_sys_chance", "p_value", "linked")
    return _plot(page, "guesses", svg, head, table)


def _linkability(page: Page) -> list[Plot]:
    """The scores of the strongest keyless attack, and of who has the gates' key."""
    found = []
    for name, party, score in (("link-sealed", "reader", "trained"), ("link-opened", "gate-key", "distance")):
        views = page.at("/unlinkability/views")
        wanted = (party, "two-passes", score)
        i = next((i for i, v in enumerate(views) if (v["party"], v["scenario"], v["score"]) == wanted), None)
        if i is not None:
            found.append(_link_plot(page, name, f"/unlinkability/views/{i}"))
    return found


def _link_plot(page: Page, name: str, pointer: str) -> Plot:
    drawn = page.at(f"{pointer}/distributions")
    edges = drawn["edges"]
    lines = [
        Line(page.words(f"link_{kind}"), edges, [*drawn[kind], 0.0], steps=True, filled=True)
        for kind in ("mated", "non_mated")
    ]
    svg = draw_lines(name, lines, _axis(page, "score", "number"), _axis(page, "density", "number", low=0), size=(7, 3))
    step = -(-len(drawn["local"]) // _TABLE_ROWS_MAX)
    rows = [
        (
            page.text(
                "to",
                low=page.number(f"{pointer}/distributions/edges/{i}"),
                high=page.number(f"{pointer}/distributions/edges/{i + 1}"),
            ),
            page.number(f"{pointer}/distributions/mated/{i}"),
            page.number(f"{pointer}/distributions/non_mated/{i}"),
            page.number(f"{pointer}/distributions/local/{i}"),
        )
        for i in range(0, len(drawn["local"]), step)
    ]
    values = {"d_sys": page.number(f"{pointer}/d_sys"), "chance": page.limits(f"{pointer}/d_sys_chance", "number")}
    return _plot(page, name, svg, ("score", "link_mated", "link_non_mated", "local"), rows, **values)


def _attacks(page: Page) -> Plot:
    """APCER of each species; where presentations were recorded, who was shown, staff at the lane, and non-responses."""
    rows, table = [], []
    recorded = not page.at("/attacks/simulated")
    for i, each in enumerate(page.at("/attacks/species")):
        pointer = f"/attacks/species/{i}"
        label = page.word("pai", each["species"])
        rows.append(_row(label, each["apcer"], strong=each["apcer"]["events"] > 0))
        rate = page.number(f"{pointer}/apcer/rate", "percent")
        cells: tuple[object, ...] = (page.seen(f"{pointer}/apcer"), rate, page.limits(f"{pointer}/apcer/interval"))
        if recorded:
            cells += (page.rate(f"{pointer}/apcer_attended"), page.rate(f"{pointer}/apnrr"))
            cells += (page.number(f"{pointer}/people", "count"), page.number(f"{pointer}/instruments", "count"))
        table.append((label, *cells))
    svg = draw_intervals("attacks", rows, _axis(page, "apcer", "percent", low=0))
    head = ("species", "seen", "rate", "interval_95")
    more = ("apcer_attended", "apnrr", "people", "instruments") if recorded else ()
    return _plot(page, "attacks", svg, (*head, *more), table)


def _speed(page: Page) -> Plot:
    """The median of each step."""
    steps = page.at("/speed/steps")
    bars = [(page.word("step", name), each["median_ms"]) for name, each in steps.items()]
    rows = [
        (
            page.word("step", name),
            *(page.number(f"/speed/steps/{name}/{what}", "ms") for what in ("median_ms", "p95_ms", "max_ms")),
            page.number(f"/speed/steps/{name}/samples", "count"),
        )
        for name in steps
    ]
    svg = draw_bars("speed", bars, _axis(page, "milliseconds", "number"))
    return _plot(page, "speed", svg, ("step", "median", "p95", "longest", "photographs"), rows)


def _discard(page: Page) -> Plot:
    """What is left of the errors when the worst frames are discarded, for the measures that reject frames."""
    shares = page.at("/quality/shares")
    chosen = [
        i for i, each in enumerate(page.at("/quality/measures")) if each["rejects"] and any(each["own_curve"])
    ]  # fmt: skip
    measures = page.at("/quality/measures")
    lines = [Line(page.word("measure", measures[i]["measure"]), shares, measures[i]["own_curve"]) for i in chosen]
    svg = draw_lines(
        "discard",
        lines,
        _axis(page, "discarded", "percent"),
        _axis(page, "fnmr_short", "percent", low=0),
        size=(7, 4.6),
    )
    head = ("discarded", *(line.label for line in lines))
    rows = [
        (
            page.number(f"/quality/shares/{at}", "percent"),
            *(page.number(f"/quality/measures/{i}/own_curve/{at}", "percent") for i in chosen),
        )
        for at in range(0, len(shares), 5)
    ]
    plot = _plot(page, "discard", svg, ("discarded",), rows)
    return replace(plot, head=(plot.head[0], *head[1:]))


def _row(label: str, seen: Mapping[str, Any], *, strong: bool, wide: Sequence[float] | None = None) -> Row:
    """A proportion of report.json as a row of a plot."""
    low, high = seen["interval"]
    return Row(label, seen["rate"], low, high, strong, None if wide is None else (wide[0], wide[1]))


def _write(page: Page, kind: str, value: float) -> str:
    return format_for(kind, page.language)(value)
