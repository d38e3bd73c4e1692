"""People of a data set as a desk would enrol them twice, for the measurement of linking. In memory only."""

from collections.abc import Iterable

from openstile.face import FaceEngine, Template, compare
from openstile.lab.capture import Captured
from openstile.lab.dataset import DataSet
from openstile.lab.unlinkability import Distance
from openstile.lab.unlinkability_trials import LinkPerson


def people_of(data_set: DataSet, captured: Iterable[Captured]) -> tuple[LinkPerson, ...]:
    """Everybody of whom at least two photographs gave a template, with the first two of them.

    `captured`: what each of the data set's captures gave, in their order.
    """
    found: dict[int, list[Template]] = {}
    for capture, each in zip(data_set.captures, captured, strict=True):
        own = found.setdefault(capture.subject, [])
        if each.reference is not None and len(own) < 2:
            own.append(each.reference)
    return tuple(LinkPerson(two[0].pack_id, two[0].data, two[1].data) for two in found.values() if len(two) == 2)


def gate_distance(engine: FaceEngine) -> Distance:
    """The distance of two references, by the comparison that gates make."""

    def distance(one: bytes, other: bytes) -> float:
        probe, reference = Template(engine.pack_id, one), Template(engine.pack_id, other)
        return compare(engine=engine, probe=probe, reference=reference).distance

    return distance
