"""What each party sees of two passes, and the scores by which it would link them.

A larger score says rather "one person". Everything that a reader without a key of the gates can see of a pass is in its
sealed bytes: text, QR code and their sizes are functions of them. So scores are taken of those bytes.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from openstile.lab.unlinkability_measure import LinkScores, Values
from openstile.lab.unlinkability_trials import LinkPerson, PassPair
from openstile.passes.text import from_text
from openstile.terms import BadInputError

Bytes = NDArray[np.uint8]


class Party(StrEnum):
    """Who tries to link. What each holds is in docs/threat-model.md, "Template protection"."""

    READER = "reader"
    """Has both passes, and no key."""
    READER_WITH_PHOTOGRAPH = "reader-with-photograph"
    """Has a photograph of a person, so their template, and a pass, and no key."""
    ISSUER = "issuer"
    """Signs both passes: sees the commitments."""
    GATE_KEY = "gate-key"
    """Has the private key of the gate group, stolen or not."""


def pair_scores(pairs: Sequence[PassPair], scores: Values) -> LinkScores:
    """The scores, one for each of `pairs`, sorted by what the pairs are."""
    mated = np.array([pair.mated for pair in pairs])
    people = np.array([pair.people for pair in pairs], np.intp)
    return LinkScores(scores[mated], scores[~mated], people[mated][:, 0], people[~mated])


def sealed_bytes(pairs: Sequence[PassPair]) -> tuple[Bytes, Bytes]:
    """The sealed passes, (n, bytes) uint8 each, cut to the shortest of them."""
    both = [(from_text(pair.first.text), from_text(pair.second.text)) for pair in pairs]
    shortest = min(min(len(one), len(other)) for one, other in both)
    first, second = (np.frombuffer(b"".join(p[i][:shortest] for p in both), np.uint8) for i in (0, 1))
    return first.reshape(-1, shortest), second.reshape(-1, shortest)


def score_equal_bytes(first: Bytes, second: Bytes) -> Values:
    """The part of places at which both have the same byte."""
    return np.asarray((first == second).mean(axis=1), np.float64)


def score_equal_bits(first: Bytes, second: Bytes) -> Values:
    """The part of bits that are the same: 1 - Hamming distance."""
    return np.asarray(1 - np.bitwise_count(first ^ second).mean(axis=1) / 8, np.float64)


def score_correlation(first: Bytes, second: Bytes) -> Values:
    """Pearson's correlation of the values of bytes; 0 where one does not vary."""
    return _correlated(first.astype(np.float64), second.astype(np.float64))


def score_shared_runs(first: Bytes, second: Bytes) -> Values:
    """How many values of two neighbouring bytes both have, at any places."""
    words = [side[:, :-1].astype(np.uint16) << 8 | side[:, 1:] for side in (first, second)]
    return np.array([float(len(np.intersect1d(one, other))) for one, other in zip(*words, strict=True)])


def score_length(pairs: Sequence[PassPair]) -> Values:
    """How near their lengths are, as characters of text."""
    return np.array([-abs(len(pair.first.text) - len(pair.second.text)) for pair in pairs], np.float64)


def score_photograph(people: Sequence[LinkPerson], pairs: Sequence[PassPair]) -> Values:
    """The largest absolute correlation of the template of one photograph with the sealed bytes, at any place of them.

    The template is of the other photograph than the one that the pass was made of.
    """
    _, sealed = sealed_bytes(pairs)
    templates = np.array([np.frombuffer(people[pair.people[0]].first, np.int8) for pair in pairs], np.float64)
    size = templates.shape[1]
    if sealed.shape[1] < size:
        raise BadInputError("linking: a sealed pass is shorter than its template")
    best = np.zeros(len(pairs))
    for start in range(sealed.shape[1] - size + 1):
        window = sealed[:, start : start + size].astype(np.float64)
        best = np.maximum(best, np.abs(_correlated(templates, window)))
    return best


def score_trained(train: tuple[Bytes, Bytes], labels: NDArray[np.bool_]) -> Callable[[Bytes, Bytes], Values]:
    """A linear discriminant (ridge regression of the label) over everything two sealed passes have place by place:
    whether bytes and how many bits agree, and the product of their values. Learnt on `train`.
    """
    places = min(train[0].shape[1], train[1].shape[1])
    features = _features(*train)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = (features - mean) / deviation
    penalty = float(len(features))
    gram = scaled @ scaled.T + penalty * np.eye(len(scaled))
    weights = scaled.T @ np.linalg.solve(gram, np.where(labels, 1.0, -1.0))

    def score(first: Bytes, second: Bytes) -> Values:
        rows = _features(first[:, :places], second[:, :places])
        return np.asarray(((rows - mean) / deviation) @ weights, np.float64)

    return score


def _features(first: Bytes, second: Bytes) -> Values:
    equal = (first == second).astype(np.float64)
    bits = np.bitwise_count(first ^ second).astype(np.float64)
    product = (first.astype(np.float64) - 127.5) * (second.astype(np.float64) - 127.5)
    return np.concatenate((equal, bits, product), axis=1)


def _correlated(first: Values, second: Values) -> Values:
    one, other = (side - side.mean(axis=1, keepdims=True) for side in (first, second))
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    scores: Values = np.divide((one * other).sum(axis=1), norms, out=np.zeros(len(one)), where=norms > 0)
    return scores
