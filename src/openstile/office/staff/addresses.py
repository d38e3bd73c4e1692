"""Addresses of servers: https, and plain http for this machine alone."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from openstile.terms import BadInputError


def check_https(url: str, name: str) -> None:
    """Refuses, with BadInputError that begins with `name`, what is neither https nor on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise BadInputError(f"{name}: is no address; write https://...") from None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        return
    raise BadInputError(f"{name}: is not https; write https://...")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
