"""Can two passes of one rider be told from passes of two riders? Measured for each party that may see them.

ISO/IEC 24745 asks of protected references that they are irreversible, unlinkable and renewable; ISO/IEC 30136 says how
to report it. Here the passes are those of the project's own issuing code, the attacks are simple ones over everything
the party sees, and what a thief of the gates' key gets is measured beside them: then passes are linkable.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from openstile.lab.intervals import Interval, Proportion
from openstile.lab.rates_among import proportion_json
from openstile.lab.unlinkability_measure import Linkage, LinkScores, Values, measure_linkage
from openstile.lab.unlinkability_renewal import Renewal, measure_renewal
from openstile.lab.unlinkability_trials import IssuingDesk, LinkPerson, PassPair, Random, Trials, make_trials
from openstile.lab.unlinkability_views import (
    Bytes,
    Party,
    pair_scores,
    score_correlation,
    score_equal_bits,
    score_equal_bytes,
    score_length,
    score_photograph,
    score_shared_runs,
    score_trained,
    sealed_bytes,
)
from openstile.passes.envelope import commit
from openstile.terms import BadInputError

SIGNIFICANCE = 0.01
"""Of all views together (Bonferroni): a fresh measurement of passes that cannot be linked calls one of them linked
once in a hundred times. It buys that a pass's seal is not called leaky by chance."""
PAIRS = 2000
_PRODUCTS = ("day", "week ticket", "season ticket, all zones")
"""Of three lengths, for the view that asks what lengths say of products."""

Distance = Callable[[bytes, bytes], float]
_Pairs = tuple[PassPair, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One attack: who, on which pairs, by which score, and how far it got.

    scenario: "two-passes" (made of two photographs), "renewed" (made anew from the same reference after the first
    was withdrawn), "other-products" (as two-passes, and products differ between people).
    """

    party: Party
    scenario: str
    score: str
    linkage: Linkage
    linked: bool
    """Whether it links better than chance: p_value at or below SIGNIFICANCE over the number of views."""


@dataclass(frozen=True, slots=True)
class Unlinkability:
    """What was measured. Holds no pass, template or id."""

    pack_id: str
    people: int
    simulated_people: bool
    passes: int
    text_chars: tuple[int, int]
    """Shortest and longest pass of one product, in characters."""
    views: tuple[View, ...]
    renewal: Renewal

    @property
    def sealed_passes_link(self) -> bool:
        """Whether any attack without a key linked passes of one product."""
        keyless = (Party.READER, Party.READER_WITH_PHOTOGRAPH, Party.ISSUER)
        return any(v.linked for v in self.views if v.party in keyless and v.scenario != "other-products")

    def to_json(self) -> dict[str, Any]:
        """As JSON values; rates with events, trials and interval."""
        return {
            "pack_id": self.pack_id,
            "people": self.people,
            "simulated_people": self.simulated_people,
            "passes": self.passes,
            "text_chars": list(self.text_chars),
            "significance": SIGNIFICANCE,
            "sealed_passes_link": self.sealed_passes_link,
            "views": [_view_json(view) for view in self.views],
            "renewal": {"renewals": self.renewal.renewals, "equal": [_equal_json(*e) for e in self.renewal.equal]},
        }


def measure_unlinkability(
    people: tuple[LinkPerson, ...],
    *,
    distance: Distance,
    now: datetime,
    random: Random,
    rng: np.random.Generator,
    pairs: int = PAIRS,
    simulated_people: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Unlinkability:
    """Issue passes of `people`, and try to link them as each party could.

    `distance` compares two references as a gate does. `random` gives the random bytes that go into passes, `rng` draws
    trials and resamples. `pairs`: mated pairs of two passes, and as many non-mated ones; half of both teach the
    attacks. `progress` is called with passes made and in all. Raises BadInputError.
    """
    if len({person.pack_id for person in people}) > 1:
        raise BadInputError("people: their references are of more than one model pack")
    desk = IssuingDesk(now=now, random=random)
    shares = {"two-passes": pairs, "renewed": pairs // 2, "other-products": pairs // 2}
    renewals = min(pairs // 8, 250)
    total = 4 * sum(shares.values()) + 2 * renewals
    done = 0

    def made(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    views: list[View] = []
    lengths: list[int] = []
    for scenario, count in shares.items():
        trials = make_trials(
            people,
            desk=desk,
            pairs=count,
            rng=rng,
            same_photograph=scenario == "renewed",
            products=_PRODUCTS if scenario == "other-products" else _PRODUCTS[:1],
            progress=made,
        )
        if scenario == "two-passes":
            lengths = [len(one.text) for pair in trials.test for one in (pair.first, pair.second)]
        views += _views(scenario, trials, people, desk, distance, rng)
    renewal = measure_renewal(people, desk=desk, renewals=renewals, progress=made)
    return Unlinkability(
        pack_id=people[0].pack_id,
        people=len(people),
        simulated_people=simulated_people,
        passes=desk.issued,
        text_chars=(min(lengths), max(lengths)),
        views=_judged(views),
        renewal=renewal,
    )


def _views(
    scenario: str,
    trials: Trials,
    people: tuple[LinkPerson, ...],
    desk: IssuingDesk,
    distance: Distance,
    rng: np.random.Generator,
) -> list[View]:
    """The attacks that the scenario is there for."""
    found: list[tuple[Party, str, tuple[LinkScores, LinkScores]]] = []
    train, test = trials.train, trials.test

    def add(party: Party, score: str, of: Callable[[_Pairs], Values]) -> None:
        found.append((party, score, (pair_scores(train, of(train)), pair_scores(test, of(test)))))

    if scenario == "other-products":
        add(Party.READER, "length", score_length)
        return [_view(scenario, *each, rng) for each in found]
    for name, score in _BYTE_SCORES.items():
        add(Party.READER, name, _of_sealed(score))
    add(Party.READER, "length", score_length)
    found.append((Party.READER, "trained", _trained(train, test)))
    if scenario == "two-passes":
        add(Party.READER_WITH_PHOTOGRAPH, "correlation", lambda pairs: score_photograph(people, pairs))
        add(Party.ISSUER, "equal-bits", lambda pairs: score_equal_bits(*_commitments(pairs)))
        add(Party.GATE_KEY, "distance", lambda pairs: _distances(pairs, desk, distance))
    return [_view(scenario, *each, rng) for each in found]


_BYTE_SCORES: dict[str, Callable[[Bytes, Bytes], Values]] = {
    "equal-bytes": score_equal_bytes,
    "equal-bits": score_equal_bits,
    "correlation": score_correlation,
    "shared-runs": score_shared_runs,
}


def _of_sealed(score: Callable[[Bytes, Bytes], Values]) -> Callable[[_Pairs], Values]:
    return lambda pairs: score(*sealed_bytes(pairs))


def _view(
    scenario: str, party: Party, score: str, scores: tuple[LinkScores, LinkScores], rng: np.random.Generator
) -> View:
    return View(party, scenario, score, measure_linkage(*scores, rng=rng), linked=False)


def _judged(views: list[View]) -> tuple[View, ...]:
    limit = SIGNIFICANCE / len(views)
    return tuple(View(v.party, v.scenario, v.score, v.linkage, v.linkage.p_value <= limit) for v in views)


def _trained(train: _Pairs, test: _Pairs) -> tuple[LinkScores, LinkScores]:
    """Weights learnt on one half of the training pairs, the threshold on the other, both used on other people."""
    weights, threshold = train[: len(train) // 2], train[len(train) // 2 :]
    everything = sealed_bytes((*train, *test))
    places = everything[0].shape[1]

    def cut(pairs: _Pairs) -> tuple[Bytes, Bytes]:
        first, second = sealed_bytes(pairs)
        return first[:, :places], second[:, :places]

    score = score_trained(cut(weights), np.array([pair.mated for pair in weights]))
    return pair_scores(threshold, score(*cut(threshold))), pair_scores(test, score(*cut(test)))


def _commitments(pairs: _Pairs) -> tuple[Bytes, Bytes]:
    """What an issuer signs of both references: SHA-256 over salt and reference, (n, 32) uint8 each."""
    sides = ([getattr(pair, side).wallet for pair in pairs] for side in ("first", "second"))
    first, second = (
        np.frombuffer(b"".join(commit(salt=w.salt, data=w.data) for w in wallets), np.uint8).reshape(-1, 32)
        for wallets in sides
    )
    return first, second


def _distances(pairs: _Pairs, desk: IssuingDesk, distance: Distance) -> Values:
    """Nearness of the references of both passes, opened with the gates' key."""
    opened = ((desk.open_as_gate(pair.first), desk.open_as_gate(pair.second)) for pair in pairs)
    return np.array([-distance(one.reference.data, other.reference.data) for one, other in opened])


def _view_json(view: View) -> dict[str, Any]:
    linkage = view.linkage
    return {
        "party": view.party.value,
        "scenario": view.scenario,
        "score": view.score,
        "linked": view.linked,
        "mated": linkage.mated,
        "non_mated": linkage.non_mated,
        "d_sys": linkage.d_sys,
        "d_sys_chance": _interval_json(linkage.d_sys_chance),
        "p_value": linkage.p_value,
        "auc": linkage.auc,
        "auc_interval": _interval_json(linkage.auc_interval),
        "guesses": proportion_json(linkage.guesses),
        "distributions": {name: list(values) for name, values in asdict(linkage.distributions).items()},
    }


def _equal_json(what: str, proportion: Proportion) -> dict[str, Any]:
    return {"what": what, **proportion_json(proportion)}


def _interval_json(interval: Interval) -> list[float]:
    return [interval.low, interval.high]
