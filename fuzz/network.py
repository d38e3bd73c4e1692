"""Targets of what a server answers: the whole answer, from its first byte, comes from the fuzzer."""

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread

from fuzz.target import Target, demand
from openstile.gate import fetch

_BYTES_MAX = 256


@cache
def _fetcher() -> fetch.Fetcher:
    return fetch.Fetcher(timeout_s=5)


def _parse_answer(data: bytes, folder: Path) -> object:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=_answer, args=(listening, data))
        server.start()
        try:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}/list"
            return _fetcher().get(address, etag='"1"', bytes_max=_BYTES_MAX)
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # ends a wait for a question that was never asked
            server.join()
            _fetcher()._client._transport.close()  # the connections that it would keep: nobody answers on them again


def _answer(listening: socket.socket, data: bytes) -> None:
    """One answer to one question; the connection ends with it."""
    with suppress(OSError):
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(5)
            connection.recv(2**16)
            connection.sendall(data)


def _check_answer(data: bytes, value: object) -> None:
    demand(value is None or isinstance(value, fetch.Fetched), "not an answer")
    if isinstance(value, fetch.Fetched):
        demand(len(value.data) <= _BYTES_MAX, "more bytes than were asked for")
        demand(value.data in data or b"chunked" in data.lower(), "other bytes than were sent")


def _answers() -> tuple[bytes, ...]:
    lines = (
        '200 OK\r\nETag: "2"\r\nContent-Length: 4\r\n\r\nbits',
        "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbi\r\n2\r\nts\r\n0\r\n\r\n",
        "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbits",
        "200 OK\r\nContent-Length: 999\r\n\r\nbits",
        f"200 OK\r\n\r\n{'x' * 300}",
        '304 Not Modified\r\nETag: "1"\r\n\r\n',
        "302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n",
        "100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "500 No\r\n\r\n",
    )
    return (*(f"HTTP/1.1 {line}".encode() for line in lines), b"", b"\xff\n\n")


TARGETS = (
    Target(
        name="fetch",
        parser="openstile.gate.fetch.Fetcher.get",
        promise="an answer is not read past its limit, and only bytes that were sent are given on",
        parse=_parse_answer,
        check=_check_answer,
        seeds=_answers,
        refusals=(fetch.FetchError,),
        bytes_max=2048,
    ),
)
