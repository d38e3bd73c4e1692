"""What servers call the status lists in use (ETag, RFC 9110, section 8.8.3), so that they need not be sent again.

Not part of what is trusted: a file that is lost or damaged costs one download.
"""

import json
from collections.abc import Callable
from pathlib import Path

from openstile.terms import BadInputError
from openstile.terms.limits import ETAG_CHARS_MAX, TRUST_FLOORS_BYTES_MAX


class Etags:
    """A small file of ETags, each under the hash of the list that it stands for."""

    def __init__(self, path: Path, write: Callable[..., None]) -> None:
        self._path = path
        self._write = write

    def of(self, sha256: str) -> str | None:
        """The ETag of the list with this hash, or None."""
        return self._load().get(sha256)

    def keep(self, sha256: str, etag: str, *, among: set[str]) -> None:
        """Remember one, and forget those that are not `among` the lists in use. What is no ETag is left out."""
        known = self._load()
        kept = {each: known[each] for each in known if each in among and each != sha256}
        if _is_etag(etag):
            kept[sha256] = etag
        if kept != known:
            try:
                self._write(self._path, json.dumps(kept).encode(), replacing=True)
            except OSError as error:
                raise BadInputError(f"{self._path}: cannot be written: {error.strerror}; free space") from None

    def _load(self) -> dict[str, str]:
        try:
            with self._path.open("rb") as file:
                content = json.loads(file.read(TRUST_FLOORS_BYTES_MAX))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {sha256: etag for sha256, etag in content.items() if isinstance(etag, str) and _is_etag(etag)}


def _is_etag(text: str) -> bool:
    """Printable ASCII that cannot end a header line: it goes into a request."""
    return 0 < len(text) <= ETAG_CHARS_MAX and text.isascii() and text.isprintable()
