"""The real transport to the office: HTTPS, with the deadlines and limits of everything that a gate fetches."""

from collections.abc import Mapping
from pathlib import Path

from openstile.gate.fetch import Fetcher
from openstile.terms.limits import BUNDLE_BYTES_MAX

_WHOLE_S = 60.0
"""For one answer: a batch and its receipt take less than a second, a usual bundle too."""


class HttpTransport:
    """Carries requests over HTTPS; plain HTTP for this machine alone. To be closed."""

    def __init__(self, *, ca_file: Path | None = None) -> None:
        """`ca_file` (PEM) takes the place of the system's certificate authorities. Raises BadInputError."""
        self._fetcher = Fetcher(ca_file=ca_file, whole_s=_WHOLE_S, setting="uplink.ca_file")

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The answer, as `UplinkTransport` says. Raises FetchError, BadInputError."""
        return self._fetcher.exchange(method, url, headers=headers, body=body, bytes_max=BUNDLE_BYTES_MAX)

    def close(self) -> None:
        """End all connections."""
        self._fetcher.close()
