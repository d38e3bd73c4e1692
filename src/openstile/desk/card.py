"""The printable pass: a card of ISO/IEC 7810 ID-1 proportions, enlarged so that the QR code prints well. No photo."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

_CARD_MM = (128.4, 81.0)
"""One and a half times ID-1 (85.6 x 54.0 mm): a version 21 code then has modules of half a millimetre and more."""
_MARGIN_MM = 6.0
_QR_MM = 62.0

_FACE_STEPS = {
    "en": ("Hold this code to the reader of the gate.", "Look at the camera until the gate opens."),
    "de": ("Halten Sie diesen Code an den Leser.", "Blicken Sie in die Kamera, bis sich die Sperre öffnet."),
}
_PIN_STEPS = {
    "en": ("Hold this code to the reader of the gate.", "Enter your PIN."),
    "de": ("Halten Sie diesen Code an den Leser.", "Geben Sie Ihre PIN ein."),
}
_PROMISE = {
    "en": "Only you can use this pass. No gate keeps your face.",
    "de": "Nur Sie können diesen Pass nutzen. Keine Sperre behält Ihr Gesicht.",
}
_PIN_PROMISE = {
    "en": "Only you can use this pass. Keep your PIN apart from it.",
    "de": "Nur Sie können diesen Pass nutzen. Bewahren Sie die PIN getrennt auf.",
}
_VALID = {"en": ("Valid", "to"), "de": ("Gültig", "bis")}
_QR_ALT_TEXT = {"en": "The pass as a QR code", "de": "Der Pass als QR-Code"}


@dataclass(frozen=True, slots=True)
class CardText:
    """What is printed beside the code. `with_pin` chooses how the pass is used, `language` (en, de) the words."""

    operator: str
    product: str
    valid_from: datetime
    valid_until: datetime
    pass_id: str
    with_pin: bool
    language: str = "en"


def render_card(text: CardText, qr_png: bytes) -> bytes:
    """A one-page PDF with the QR code, the product, its validity and how to use it. Instants are printed in UTC."""
    pdf = FPDF(unit="mm", format=_CARD_MM)
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.set_title(_printable(f"Pass: {text.product}"))
    pdf.set_lang(text.language)
    pdf.set_creation_date(text.valid_from)
    pdf.add_page()
    pdf.set_draw_color(150)
    pdf.rect(1, 1, _CARD_MM[0] - 2, _CARD_MM[1] - 2, round_corners=True, corner_radius=3)
    top = (_CARD_MM[1] - _QR_MM) / 2
    pdf.image(qr_png, x=_MARGIN_MM - 2, y=top, w=_QR_MM, h=_QR_MM, alt_text=_QR_ALT_TEXT[text.language])
    _column(pdf, text, left=_MARGIN_MM + _QR_MM, top=top + 2)
    return bytes(pdf.output())


def _column(pdf: FPDF, text: CardText, *, left: float, top: float) -> None:
    width = _CARD_MM[0] - left - _MARGIN_MM
    valid, until = _VALID[text.language]
    steps, promise = (_PIN_STEPS, _PIN_PROMISE) if text.with_pin else (_FACE_STEPS, _PROMISE)

    def line(words: str, *, size: float, style: str = "", height: float, grey: int = 0, indent: float = 0) -> None:
        pdf.set_font("Helvetica", style=style, size=size)
        pdf.set_text_color(grey)
        pdf.set_x(left + indent)
        pdf.multi_cell(width - indent, height, _printable(words), align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)

    pdf.set_y(top)
    line(text.operator, size=8, height=4, grey=90)
    line(text.product, size=14, style="B", height=6.5)
    pdf.ln(2)
    line(valid, size=7, height=3.5, grey=90)
    line(f"{text.valid_from:%Y-%m-%d %H:%M} {until}", size=9, height=4.5)
    line(f"{text.valid_until:%Y-%m-%d %H:%M} UTC", size=9, height=4.5)
    pdf.ln(2)
    for number, step in enumerate(steps[text.language], start=1):
        at = pdf.get_y()
        line(f"{number}", size=8, style="B", height=4)
        pdf.set_y(at)
        line(step, size=8, height=4, indent=4)
        pdf.ln(0.8)
    line(promise[text.language], size=8, height=4)
    pdf.ln(1.5)
    line(f"Pass {text.pass_id[:8]}", size=6.5, height=3, grey=90)


def _printable(words: str) -> str:
    """`words` in the characters of the card's built-in font (Latin-1): others lose their accents, or become `?`."""
    kept = []
    for character in unicodedata.normalize("NFC", words):
        if character.encode("latin-1", "ignore"):
            kept.append(character)
        else:
            plain = unicodedata.normalize("NFKD", character).encode("latin-1", "ignore").decode("latin-1")
            kept.append(plain or "?")
    return "".join(kept)
