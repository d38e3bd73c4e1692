"""Passes to be linked: made by the project's own issuing code, two for each trial, thrown away after it was scored.

Each trial takes two new passes, so that trials are independent of each other given the references. Keys are made for
the measurement alone. References lie in memory; nothing is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from openstile.passes import GateKeyring, OpenedPass, issue_pass, open_pass
from openstile.passes.claims import Assurance, Audience, Entitlement, StatusReference
from openstile.passes.issue import IssuedPass
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import Algorithm, generate_gate_group_key, generate_issuer_key
from openstile.passes.reference import Reference, ReferenceKind
from openstile.terms import BadInputError
from openstile.terms.limits import LINK_PEOPLE_MIN, LINK_TRIALS_MAX

STATUS_URI = "https://status.example/1"
STATUS_ENTRIES = 2**20
_PRODUCT = "season ticket"
_VALID_FOR = timedelta(days=365)

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class LinkPerson:
    """The references of one person from two photographs, as a desk would make them on two days. Never shown by repr."""

    pack_id: str
    first: bytes = field(repr=False)
    second: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PassPair:
    """Two new passes and whose they are, by number. `first` is the older one."""

    people: tuple[int, int]
    first: IssuedPass = field(repr=False)
    second: IssuedPass = field(repr=False)

    @property
    def mated(self) -> bool:
        """Whether both are of one person."""
        return self.people[0] == self.people[1]


@dataclass(frozen=True, slots=True)
class Trials:
    """Pairs on which an attack learns, and those it is measured on. No person is in both."""

    train: tuple[PassPair, ...]
    test: tuple[PassPair, ...]


class IssuingDesk:
    """One issuer and one gate group, for as long as a measurement lasts. `random` gives so many random bytes."""

    def __init__(self, *, now: datetime, random: Random) -> None:
        self.now = now.astimezone(UTC).replace(microsecond=0)
        self._random = random
        not_after = self.now + 2 * _VALID_FOR
        self.audience = Audience("lab", "gates")
        self._issuer = generate_issuer_key(name="lab", algorithm=Algorithm.EDDSA, not_after=not_after)
        self._gates = generate_gate_group_key(audience=self.audience, not_after=not_after)
        self.issued = 0

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """Key ids of issuer and gate group."""
        return self._issuer.public.kid, self._gates.public.kid

    def issue(
        self, pack_id: str, data: bytes, *, product: str = _PRODUCT, status: StatusReference | None = None
    ) -> IssuedPass:
        """A pass for a year; without `status` its index in a list is drawn at random, as a register does."""
        self.issued += 1
        index = int.from_bytes(self._random(8)) % STATUS_ENTRIES
        return issue_pass(
            issuer_key=self._issuer,
            gate_group_key=self._gates.public,
            entitlement=Entitlement(product),
            assurance=Assurance.SUPERVISED,
            reference=Reference(ReferenceKind.FACE, pack_id, data),
            now=self.now,
            valid_for=_VALID_FOR,
            status=status or StatusReference(STATUS_URI, index),
            random=self._random,
        )

    def open_as_gate(self, issued: IssuedPass) -> OpenedPass:
        """What the holder of the gate group's key sees: the pass, opened and verified as at a gate."""
        ring = GateKeyring((self._gates,), (TrustedIssuer(self._issuer.public),))
        return open_pass(presented=issued.text, keyring=ring, audience=self.audience, now=self.now, clock_skew_s=0)


def make_trials(
    people: tuple[LinkPerson, ...],
    *,
    desk: IssuingDesk,
    pairs: int,
    rng: np.random.Generator,
    same_photograph: bool = False,
    products: tuple[str, ...] = (_PRODUCT,),
    progress: Callable[[int], None] | None = None,
) -> Trials:
    """`pairs` mated and as many non-mated pairs of new passes, one half to learn on, the other to measure on.

    The second pass of a pair holds the reference of another photograph, or of the same one: a pass made anew from an
    old one. `products` go to people in turn. `progress` is told the passes made since it was called last. Raises
    BadInputError.
    """
    if len(people) < LINK_PEOPLE_MIN:
        raise BadInputError(f"people: {len(people)} given; linking needs {LINK_PEOPLE_MIN} or more")
    if not 2 * LINK_PEOPLE_MIN <= pairs <= LINK_TRIALS_MAX:
        raise BadInputError(f"pairs: {pairs} given; use {2 * LINK_PEOPLE_MIN} to {LINK_TRIALS_MAX}")
    order = rng.permutation(len(people))
    halves = order[: len(order) // 2], order[len(order) // 2 :]

    def made(half: NDArray[np.intp], count: int) -> tuple[PassPair, ...]:
        found = []
        for number in range(2 * count):
            one, other = rng.choice(half, size=2, replace=False).tolist()
            chosen = (one, one if number % 2 == 0 else other)
            first, second = people[chosen[0]], people[chosen[1]]
            data = second.first if same_photograph else second.second
            one_pass = desk.issue(first.pack_id, first.first, product=products[chosen[0] % len(products)])
            other_pass = desk.issue(second.pack_id, data, product=products[chosen[1] % len(products)])
            found.append(PassPair(chosen, one_pass, other_pass))
            if progress is not None:
                progress(2)
        return tuple(found)

    return Trials(made(halves[0], pairs // 2), made(halves[1], pairs - pairs // 2))


def random_people(count: int, *, dimensions: int, pack_id: str, rng: np.random.Generator) -> tuple[LinkPerson, ...]:
    """People who do not exist: a random reference each, and a second one near it. Simulated, and to be called so."""
    centres = rng.normal(0, 30, (count, dimensions))
    first, second = (
        np.clip(np.rint(centres + rng.normal(0, 8, centres.shape)), -127, 127).astype(np.int8) for _ in range(2)
    )
    return tuple(LinkPerson(pack_id, one.tobytes(), other.tobytes()) for one, other in zip(first, second, strict=True))


def simulated_distance(one: bytes, other: bytes) -> float:
    """Euclidean, in steps: for `random_people`, whose references no model pack made."""
    first, second = (np.frombuffer(data, np.int8).astype(np.float64) for data in (one, other))
    return float(np.linalg.norm(first - second))
