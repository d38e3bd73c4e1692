"""Printed passes for the QR section: the same in every run, from a seed."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import pypdfium2
from cryptography.hazmat.primitives.asymmetric import ed25519
from numpy.typing import NDArray

from openstile.desk.card import CardText, render_card
from openstile.passes.claims import Assurance, Audience, Entitlement, StatusReference
from openstile.passes.issue import issue_pass
from openstile.passes.keys import GateGroupKey, IssuerKey, derive_gate_group_key, issuer_key_of
from openstile.passes.qr import Level, render_qr_png
from openstile.passes.reference import Reference, ReferenceKind

CARD_MM = (128.4, 81.0)
CODE_MM = (4.0, 9.5, 62.0)
"""Left, top and side of the code with its quiet zone on the card of openstile.desk.card."""
PIXELS_A_MM = 16
_NOW = datetime(2026, 4, 1, 8, tzinfo=UTC)
_TEMPLATE_BYTES = 256


class Press:
    """Issues passes and prints them. The pass of a number is always the same one; nobody else ever has its keys."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def text(self, number: int) -> str:
        """A pass with a template of 256 bytes (random ones) and its place in a status list."""
        draw = self._steady(f"pass {number}")
        issued = issue_pass(
            issuer_key=self._issuer,
            gate_group_key=self._gate.public,
            entitlement=Entitlement("season-ticket"),
            assurance=Assurance.SUPERVISED,
            reference=Reference(ReferenceKind.FACE, "cf-dual-1", draw(_TEMPLATE_BYTES)),
            now=_NOW,
            valid_for=timedelta(days=365),
            status=StatusReference("https://metro.example/status/1", int.from_bytes(draw(3), "big")),
            random=draw,
        )
        return issued.text

    def card(self, text: str, *, level: Level) -> NDArray[np.uint8]:
        """The card as a printer of 16 dots a millimetre prints it: (1296, 2054, 3)."""
        words = CardText(
            operator="metro",
            product="season-ticket",
            valid_from=_NOW,
            valid_until=_NOW + timedelta(days=365),
            pass_id="a1b2c3d4" * 4,
            with_pin=False,
        )
        document = pypdfium2.PdfDocument(render_card(words, render_qr_png(text, level=level)))
        return np.array(document[0].render(scale=PIXELS_A_MM * 25.4 / 72).to_numpy(), np.uint8)

    @cached_property
    def _issuer(self) -> IssuerKey:
        private = ed25519.Ed25519PrivateKey.from_private_bytes(self._steady("issuer")(32))
        return issuer_key_of(private, name="metro", not_after=_NOW + timedelta(days=1500))

    @cached_property
    def _gate(self) -> GateGroupKey:
        audience = Audience("metro", "north")
        return derive_gate_group_key(self._steady("gate")(32), audience=audience, not_after=_NOW + timedelta(days=1500))

    def _steady(self, name: str) -> Callable[[int], bytes]:
        drawn = 0

        def draw(length: int) -> bytes:
            nonlocal drawn
            drawn += 1
            return hashlib.shake_128(f"{self._seed} {name} {drawn}".encode()).digest(length)

        return draw
