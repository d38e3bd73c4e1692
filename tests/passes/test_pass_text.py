"""The text form: Base45 (RFC 9285) after its prefix, and nothing that merely looks like it."""

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.passes.pass_workshop import issue

from openstile.passes import PassFault, PassRefusedError
from openstile.passes.text import from_text, to_text
from openstile.terms.limits import PASS_BYTES_MAX, PASS_TEXT_CHARS_MAX


def fault(text: str | bytes) -> PassFault:
    with pytest.raises(PassRefusedError) as caught:
        from_text(text)
    return caught.value.fault


@pytest.mark.parametrize(
    ("data", "encoded"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")],
)
def test_rfc9285_example(data: bytes, encoded: str) -> None:
    assert to_text(data) == f"OS1:{encoded}"
    assert from_text(f"OS1:{encoded}") == data


@pytest.mark.parametrize("encoded", ["GGW", ":::", "::", "V5", "A", "AAAA", "BB8A"])
def test_rfc9285_overflow_and_dangling_characters_are_refused(encoded: str) -> None:
    assert fault(f"OS1:{encoded}") is PassFault.PASS_UNREADABLE


@given(st.binary(min_size=1, max_size=600))
def test_every_sealed_pass_comes_back_from_its_text(data: bytes) -> None:
    assert from_text(to_text(data)) == from_text(to_text(data).encode()) == data


@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", min_size=1, max_size=60))
def test_the_package_base45_reads_the_same(body: str) -> None:
    try:
        expected = base45.b45decode(body.encode())
    except ValueError:
        assert fault(f"OS1:{body}") is PassFault.PASS_UNREADABLE
    else:
        assert from_text(f"OS1:{body}") == expected


@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", min_size=1, max_size=60))
def test_one_text_for_one_pass(body: str) -> None:
    try:
        data = from_text(f"OS1:{body}")
    except PassRefusedError:
        return
    assert to_text(data) == f"OS1:{body}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "OS1",
        "OS1:",
        "OS1:\n",
        "os1:BB8",
        " OS1:BB8",
        "OS1: BB8x",
        "OS1:bb8",
        "OS1:BB8\n\n",
        "OS1:BB8\r\n",
        "OS1:BB8 \t",
        "OS1:BB8\x00",
        "OS1:B\u00df8",
        "OS1:B\uff188",
        "OS1:\ud800BB",
        "\ufeffOS1:BB8",
        "OS:BB8",
        "OS12345:BB8",
        "HC1:BB8",
        "https://metro.example/OS1:BB8",
    ],
)
def test_text_that_is_no_pass_is_unreadable(text: str) -> None:
    assert fault(text) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("text", ["OS0:BB8", "OS2:BB8", "OS01:BB8", "OS9999:", b"OS2:BB8"])
def test_pass_of_another_version_says_so(text: str | bytes) -> None:
    assert fault(text) is PassFault.PASS_VERSION_UNKNOWN


def test_one_newline_at_the_end_is_what_a_text_file_has() -> None:
    assert from_text("OS1:BB8\n") == from_text(b"OS1:BB8\n") == b"AB"


def test_bytes_that_are_not_ascii_are_unreadable() -> None:
    assert fault(b"OS1:BB8\xff") is PassFault.PASS_UNREADABLE
    assert fault(bytes(range(256))) is PassFault.PASS_UNREADABLE


def test_length_at_the_limit_and_one_past_it() -> None:
    assert from_text(to_text(bytes(PASS_BYTES_MAX))) == bytes(PASS_BYTES_MAX)
    assert len(to_text(bytes(PASS_BYTES_MAX))) == PASS_TEXT_CHARS_MAX
    assert from_text(to_text(bytes(PASS_BYTES_MAX)) + "\n") == bytes(PASS_BYTES_MAX)
    assert fault("OS1:" + "0" * (PASS_TEXT_CHARS_MAX - 3)) is PassFault.PASS_UNREADABLE
    assert fault("OS1:" + "0" * 10_000_000) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("size", [0, PASS_BYTES_MAX + 1])
def test_nothing_too_long_or_empty_becomes_a_text(size: int) -> None:
    with pytest.raises(ValueError, match="sealed pass"):
        to_text(bytes(size))


def test_the_text_is_all_in_the_alphanumeric_mode_of_qr_codes() -> None:
    assert set(issue().text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
