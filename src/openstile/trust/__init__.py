"""What gates are told, by whom, and how they never go back: the trust bundle (docs/trust-bundle.md)."""

from openstile.trust.bundle import Bundle, BundleError
from openstile.trust.floors import TrustError
from openstile.trust.folder import TrustFolder
from openstile.trust.sealed import open_group_key, seal_group_key
from openstile.trust.signed import read_bundle, sign_bundle

__all__ = [
    "Bundle",
    "BundleError",
    "TrustError",
    "TrustFolder",
    "open_group_key",
    "read_bundle",
    "seal_group_key",
    "sign_bundle",
]
