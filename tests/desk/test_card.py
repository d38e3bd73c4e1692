"""The printed card: the code on it reads, the words are there, in two languages, and no photograph is."""

from datetime import UTC, datetime

import pypdfium2
import pytest

from openstile.desk.card import CardText, render_card
from openstile.passes.qr import read_qr, render_qr_png

TEXT = "OS1:" + "0123456789ABCDEF" * 45


def _card(product: str = "season-2026", *, with_pin: bool = False, language: str = "en") -> pypdfium2.PdfDocument:
    text = CardText(
        operator="metro",
        product=product,
        valid_from=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        valid_until=datetime(2026, 12, 31, tzinfo=UTC),
        pass_id="a1b2c3d4" * 4,
        with_pin=with_pin,
        language=language,
    )
    return pypdfium2.PdfDocument(render_card(text, render_qr_png(TEXT)))


def _words(card: pypdfium2.PdfDocument) -> str:
    return " ".join(card[0].get_textpage().get_text_range().split())


def test_code_on_the_card_reads_at_the_resolution_of_an_office_printer() -> None:
    card = _card()
    assert len(card) == 1
    assert read_qr(card[0].render(scale=150 / 72).to_numpy()) == (TEXT,)


def test_card_says_product_validity_and_how_to_use_it() -> None:
    words = _words(_card())
    for part in ("metro", "season-2026", "2026-01-02 03:04", "2026-12-31 00:00 UTC", "Look at the camera", "a1b2c3d4"):
        assert part in words
    assert "a1b2c3d4a" not in words
    assert "PIN" not in words
    assert "Enter your PIN" in _words(_card(with_pin=True))


def test_card_speaks_german() -> None:
    assert "Kamera" in _words(_card(language="de"))
    assert "Geben Sie Ihre PIN ein" in _words(_card(language="de", with_pin=True))


def test_card_holds_one_picture_and_that_is_the_code() -> None:
    page = _card()[0]
    pictures = [item for item in page.get_objects() if item.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("product", "printed"), [("Łódź-Karte", "ódz-Karte"), ("Café München", "Café München"), ("東京", "??")]
)
def test_product_in_any_script_makes_a_card(product: str, printed: str) -> None:
    assert printed in _words(_card(product))


def test_longest_product_stays_on_the_card() -> None:
    card = _card("x" * 48)
    page = card[0].get_textpage()
    height = card[0].get_height()
    boxes = [page.get_rect(i) for i in range(page.count_rects())]
    assert all(bottom > 0 and top < height for _, bottom, _, top in boxes)
