"""Fetching over a real TLS connection: only what changed, only from who it should be, never more than asked for."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.gate.tls_server import Served, serving

from openstile.gate.fetch import Fetched, Fetcher, FetchError
from openstile.terms import BadInputError


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def fetcher(served: Served) -> Iterator[Fetcher]:
    with closing(Fetcher(ca_file=served.ca_file)) as fetcher:
        yield fetcher


def test_unchanged_content_is_not_sent_again(served: Served, fetcher: Fetcher) -> None:
    served.files["/list"] = b"first"
    first = fetcher.get(served.at("/list"), etag=None, bytes_max=100)
    assert first is not None
    assert first.data == b"first"
    assert fetcher.get(served.at("/list"), etag=first.etag, bytes_max=100) is None
    served.files["/list"] = b"second"
    second = fetcher.get(served.at("/list"), etag=first.etag, bytes_max=100)
    assert isinstance(second, Fetched)
    assert second.data == b"second"
    assert served.statuses == [200, 304, 200]


def test_content_at_the_limit_and_one_past_it(served: Served, fetcher: Fetcher) -> None:
    served.files["/list"] = bytes(100)
    fetched = fetcher.get(served.at("/list"), etag=None, bytes_max=100)
    assert fetched is not None
    assert len(fetched.data) == 100
    with pytest.raises(FetchError, match="more than 99 bytes"):
        fetcher.get(served.at("/list"), etag=None, bytes_max=99)


def test_server_that_the_authorities_do_not_know_is_refused(served: Served) -> None:
    served.files["/list"] = b"forged"
    with closing(Fetcher()) as stranger, pytest.raises(FetchError, match="no authority known here"):
        stranger.get(served.at("/list"), etag=None, bytes_max=100)
    assert served.statuses == []


def test_redirect_is_not_followed(served: Served, fetcher: Fetcher) -> None:
    served.redirect = served.at("/elsewhere")
    with pytest.raises(FetchError, match="answered 302"):
        fetcher.get(served.at("/list"), etag=None, bytes_max=100)
    assert served.statuses == [302]


def test_missing_content_and_missing_server_are_said(served: Served, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="answered 404"):
        fetcher.get(served.at("/none"), etag=None, bytes_max=100)
    with pytest.raises(FetchError, match="cannot be reached"):
        fetcher.get("https://127.0.0.1:1/list", etag=None, bytes_max=100)


def test_not_modified_that_was_not_asked_for_is_no_answer(served: Served, fetcher: Fetcher) -> None:
    served.files["/list"] = b"first"
    first = fetcher.get(served.at("/list"), etag=None, bytes_max=100)
    assert first is not None
    with pytest.raises(FetchError, match="answered 404"):
        fetcher.get(served.at("/other"), etag=first.etag, bytes_max=100)


@pytest.mark.parametrize(
    "url",
    ["http://example.org/list", "ftp://example.org/list", "https:///list", "https://me:secret@example.org/list",
     "list", "", "http://[::2]/list", "file:///etc/passwd"],
)  # fmt: skip
def test_address_that_anybody_could_answer_is_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(BadInputError, match="https://host/path") as refused:
        fetcher.get(url, etag=None, bytes_max=100)
    assert "secret" not in str(refused.value)


def test_plain_http_is_for_this_machine(tmp_path: Path) -> None:
    with serving(tmp_path, tls=False) as served, closing(Fetcher()) as fetcher:
        served.files["/list"] = b"here"
        fetched = fetcher.get(served.at("/list"), etag=None, bytes_max=100)
        assert fetched is not None
        assert fetched.data == b"here"


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        with pytest.raises(BadInputError, match=path.name):
            Fetcher(ca_file=path)
