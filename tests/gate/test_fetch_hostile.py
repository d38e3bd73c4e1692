"""Servers that mean harm: they drip, they never begin, they name their answers oddly. None holds or ends a gate."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from openstile.gate.fetch import Fetcher, FetchError
from openstile.terms import BadInputError

Answer = Callable[[socket.socket, threading.Event], None]


@contextmanager
def answering(answer: Answer, *, scheme: str = "http") -> Iterator[str]:
    """The address of a server that takes connections, one after the other, and treats each so until the end."""
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65_536)
                    answer(connection, ended)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/list"
        finally:
            ended.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def drip(connection: socket.socket, ended: threading.Event) -> None:
    with suppress(OSError):
        while not ended.wait(0.02):
            connection.sendall(b"x")


def drip_body(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    drip(connection, ended)


def drip_body_without_end(connection: socket.socket, ended: threading.Event) -> None:
    """Cut, this one looks whole."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    drip(connection, ended)


def drip_headers(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
    drip(connection, ended)


def drip_handshake(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a handshake record of 16 KiB begins
    drip(connection, ended)


@pytest.mark.parametrize(
    ("answer", "scheme"),
    [(drip_body, "http"), (drip_body_without_end, "http"), (drip_headers, "http"), (drip_handshake, "https")],
)
def test_server_that_drips_is_left_when_its_time_is_over(answer: Answer, scheme: str) -> None:
    with answering(answer, scheme=scheme) as url, closing(Fetcher(timeout_s=30, whole_s=0.3)) as fetcher:
        with pytest.raises(FetchError, match="took more than"):
            fetcher.get(url, etag=None, bytes_max=10**6)
        names = [thread.name for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        assert names == []


@pytest.mark.parametrize("etag", [b'"caf\xe9"', b'"\xc3\xa9"', b'"' + b"x" * 300 + b'"', b'"a\tb"', b""])
def test_etag_that_could_not_be_sent_back_is_none(etag: bytes) -> None:
    def named(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nETag: " + etag + b"\r\nContent-Length: 2\r\n\r\nhi")

    with answering(named) as url, closing(Fetcher()) as fetcher:
        fetched = fetcher.get(url, etag=None, bytes_max=100)
    assert fetched is not None
    assert (fetched.data, fetched.etag) == (b"hi", None)


@pytest.mark.parametrize(
    "url",
    [f"https://{'a' * 70}.example/x", "https://a..b/x", "https://.example/", "https://xn--/", "https://h/\ud800"],
)
def test_host_that_no_dns_takes_is_said(url: str) -> None:
    with closing(Fetcher()) as fetcher, pytest.raises((FetchError, BadInputError)):
        fetcher.get(url, etag=None, bytes_max=100)
