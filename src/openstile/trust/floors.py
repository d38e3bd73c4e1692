"""What a gate never goes back behind: the newest bundle and the newest status lists that it accepted, by their hash.

`floors.json` decides at the same time what is in use and what is too old. It is replaced in one step, so there is no
moment at which one of the two is true and the other not yet. Contents lie in files of their own, named by their hash.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from openstile.passes.keys import Algorithm, OperatorPublicKey
from openstile.terms import BadInputError, OpenstileError, utc_from_epoch
from openstile.terms.limits import BUNDLE_OPERATORS_MAX, BUNDLE_SEQUENCE_MAX, EPOCH_SECONDS_MAX, TRUST_LISTS_MAX

_FORMAT = 1


class TrustError(OpenstileError):
    """What a gate was given is older than what it has, or what it keeps is not whole."""

    exit_code = 7


@dataclass(frozen=True, slots=True)
class BundleFloor:
    """The newest bundle that was accepted: its sequence, hash, and the keys that may sign the next one.

    The keys stand here too, so that a bundle that is lost does not give an earlier key its say back.
    """

    sequence: int
    sha256: str
    operators: tuple[OperatorPublicKey, ...]


@dataclass(frozen=True, slots=True)
class ListFloor:
    """The newest list of one issuer at one address. Another issuer's list there has a floor of its own."""

    issuer: str
    uri: str
    issued_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Floors:
    """All floors of one gate; each issuer and address once."""

    bundle: BundleFloor | None = None
    lists: tuple[ListFloor, ...] = ()

    def of_list(self, issuer: str, uri: str) -> ListFloor | None:
        """The floor of an issuer's lists at an address, or None."""
        return next((floor for floor in self.lists if (floor.issuer, floor.uri) == (issuer, uri)), None)

    def with_list(self, floor: ListFloor) -> "Floors":
        """These floors with one raised or added. Raises TrustError when there are too many addresses."""
        others = tuple(each for each in self.lists if (each.issuer, each.uri) != (floor.issuer, floor.uri))
        if len(others) >= TRUST_LISTS_MAX:
            raise TrustError(f"status lists: more than {TRUST_LISTS_MAX} addresses; put the folder trust/ aside")
        return replace(self, lists=(*others, floor))


def encode_floors(floors: Floors) -> bytes:
    """The content of floors.json."""
    bundle = floors.bundle
    content = {
        "openstile_floors": _FORMAT,
        "bundle": None
        if bundle is None
        else {
            "sequence": bundle.sequence,
            "sha256": bundle.sha256,
            "operators": [
                [key.name, key.algorithm.value, key.public.hex(), _seconds(key.not_after)] for key in bundle.operators
            ],
        },
        "lists": [[floor.issuer, floor.uri, _seconds(floor.issued_at), floor.sha256] for floor in floors.lists],
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def decode_floors(data: bytes) -> Floors:
    """The floors in floors.json. Raises TrustError for anything that `encode_floors` does not write."""
    try:
        content = json.loads(data)
        if not isinstance(content, dict) or set(content) != {"openstile_floors", "bundle", "lists"}:
            raise ValueError
        if content["openstile_floors"] != _FORMAT or not isinstance(content["lists"], list):
            raise ValueError
        floors = Floors(_bundle(content["bundle"]), tuple(_list(item) for item in content["lists"]))
        if len({(floor.issuer, floor.uri) for floor in floors.lists}) != len(floors.lists):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError, BadInputError):
        raise TrustError("floors.json: is damaged; restore it from a copy, or put the folder trust/ aside") from None
    return floors


def _bundle(content: Any) -> BundleFloor | None:
    if content is None:
        return None
    if set(content) != {"sequence", "sha256", "operators"} or len(content["operators"]) > BUNDLE_OPERATORS_MAX:
        raise ValueError
    sequence = content["sequence"]
    if type(sequence) is not int or not 1 <= sequence <= BUNDLE_SEQUENCE_MAX:
        raise ValueError
    return BundleFloor(sequence, _hash(content["sha256"]), tuple(_operator(*item) for item in content["operators"]))


def _operator(name: Any, algorithm: Any, public: Any, not_after: Any) -> OperatorPublicKey:
    return OperatorPublicKey(name, Algorithm(algorithm), bytes.fromhex(public), _instant(not_after))


def _list(content: Any) -> ListFloor:
    issuer, uri, issued_at, sha256 = content
    if not isinstance(issuer, str) or not isinstance(uri, str):
        raise ValueError
    return ListFloor(issuer, uri, _instant(issued_at), _hash(sha256))


def _hash(text: Any) -> str:
    if not isinstance(text, str) or len(text) != 64 or bytes.fromhex(text).hex() != text:
        raise ValueError
    return text


def _instant(seconds: Any) -> datetime:
    if type(seconds) is not int or not 0 <= seconds <= EPOCH_SECONDS_MAX:
        raise ValueError
    return utc_from_epoch(seconds)


def _seconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp())
