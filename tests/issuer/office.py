"""A register with made-up passes, and the key that signs its lists: for tests of the issuer's room."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from tests.passes.pass_workshop import GATE, ISSUER, NOW

from openstile.issuer import PassRegister, RegisteredPass
from openstile.passes.claims import StatusReference
from openstile.terms import PassId

URI = "https://passes.example.org/status/1"
ENTRIES = 4096


def pass_id(number: int) -> PassId:
    return PassId(Random(number).randbytes(16))


def made(
    number: int,
    *,
    index: int | None = None,
    uri: str | None = URI,
    days: int = 365,
    at: datetime = NOW,
    issuer_kid: bytes = ISSUER.public.kid,
    group_kid: bytes = GATE.public.kid,
) -> RegisteredPass:
    """Pass number `number`, at that index of the list unless another is given."""
    return RegisteredPass(
        pass_id=pass_id(number),
        product="season",
        issuer_kid=issuer_kid,
        group_kid=group_kid,
        token_sha256=bytes(32),
        not_before=at,
        expires=at + timedelta(days=days),
        status=None if uri is None else StatusReference(uri, number if index is None else index),
    )


def fill(register: PassRegister, numbers: range) -> Iterator[PassId]:
    """Adds passes of these numbers; gives their ids."""
    register.add_all(made(number) for number in numbers)
    return (pass_id(number) for number in numbers)
