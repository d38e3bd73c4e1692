"""Asking servers for what a gate is told: its bundle and its status lists."""

from dataclasses import dataclass

from openstile.assembly.bundle_apply import accept_bundle
from openstile.assembly.trust import accept_status_list
from openstile.assembly.wire import Installation
from openstile.gate.fetch import Fetcher
from openstile.passes.status_list import StatusList
from openstile.terms import OpenstileError
from openstile.terms.limits import BUNDLE_BYTES_MAX, STATUS_TOKEN_BYTES_MAX
from openstile.trust import TrustFolder
from openstile.trust.contents import hash_of


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of one source. `problem` is None where all went well."""

    source: str
    is_new: bool
    problem: str | None = None
    ttl_s: int | None = None
    """Of a status list: after so long, look again."""


class Refresher:
    """Asks each source once when told to. What fails is said, and leaves what is in use in use."""

    def __init__(self, installation: Installation, fetcher: Fetcher) -> None:
        self._installation = installation
        self._folder = TrustFolder(installation.home.trust)
        self._fetcher = fetcher
        self._bundle_etag: tuple[str | None, str | None] = (None, None)
        """SHA-256 of a bundle, and what the server called it."""
        self._ttls_s: dict[str, int] = {}

    def bundle(self) -> Refreshed | None:
        """The bundle at `trust.bundle_url`; None where there is no such setting."""
        url = self._installation.settings.trust.bundle_url
        if not url:
            return None
        try:
            sha256, etag = self._bundle_etag
            held = sha256 is not None and sha256 == self._folder.bundle_sha256()
            fetched = self._fetcher.get(url, etag=etag if held else None, bytes_max=BUNDLE_BYTES_MAX)
            if fetched is None:
                return Refreshed(url, is_new=False)
            before = self._folder.fingerprint()
            accept_bundle(self._installation, fetched.data)
            self._bundle_etag = (hash_of(fetched.data), fetched.etag)
            return Refreshed(url, is_new=self._folder.fingerprint() != before)
        except OpenstileError as error:
            return Refreshed(url, is_new=False, problem=str(error))

    def status_list(self, uri: str) -> Refreshed:
        """The status list published at `uri`."""
        try:
            fetched = self._fetcher.get(uri, etag=self._folder.etag(uri), bytes_max=STATUS_TOKEN_BYTES_MAX)
            if fetched is None:
                return Refreshed(uri, is_new=False, ttl_s=self._ttls_s.get(uri))
            before = self._folder.fingerprint()
            accepted = self._accept(fetched.data, uri)
            self._ttls_s[uri] = accepted.ttl_s
            if fetched.etag is not None:
                self._folder.keep_etag(fetched.data, fetched.etag)
            return Refreshed(uri, is_new=self._folder.fingerprint() != before, ttl_s=accepted.ttl_s)
        except OpenstileError as error:
            return Refreshed(uri, is_new=False, problem=str(error))

    def _accept(self, data: bytes, uri: str) -> StatusList:
        here = self._installation
        return accept_status_list(here.home, here.keys, data, now=here.clock.now(), uri=uri)
