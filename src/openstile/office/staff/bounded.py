"""Answers of other servers up to a size; a larger one is an error, however it is sent or packed."""

from collections.abc import Iterator

import httpx


class BoundedTransport(httpx.BaseTransport):
    """Another transport, whose answers end with an error where they pass a number of bytes."""

    def __init__(self, transport: httpx.BaseTransport, bytes_max: int) -> None:
        self._transport = transport
        self._bytes_max = bytes_max

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request; it asks for an answer that is not compressed, and takes no other."""
        request.headers["Accept-Encoding"] = "identity"
        answer = self._transport.handle_request(request)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            answer.close()
            raise httpx.RemoteProtocolError("an answer that is compressed, though nobody asked for that")
        stream = answer.stream
        if not isinstance(stream, httpx.SyncByteStream):
            raise httpx.RemoteProtocolError("an answer that cannot be read")
        answer.stream = _BoundedStream(stream, self._bytes_max)
        return answer

    def close(self) -> None:
        """Ends connections."""
        self._transport.close()


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, bytes_max: int) -> None:
        self._stream = stream
        self._left = bytes_max

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._left -= len(part)
            if self._left < 0:
                raise httpx.RemoteProtocolError("an answer that is larger than it may be")
            yield part

    def close(self) -> None:
        self._stream.close()
