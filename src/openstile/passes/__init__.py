"""The rider's pass: claims, signed by an issuer and sealed to a group of gates, in a QR code (docs/pass-format.md).

Keys and their folder are in openstile.passes.keys and .keystore, PINs in .pin, QR codes in .qr.
"""

from openstile.passes.claims import Claims
from openstile.passes.faults import PassFault, PassRefusedError
from openstile.passes.inspection import inspect_pass
from openstile.passes.issue import issue_pass
from openstile.passes.keyring import GateKeyring
from openstile.passes.open import OpenedPass, open_pass

__all__ = [
    "Claims",
    "GateKeyring",
    "OpenedPass",
    "PassFault",
    "PassRefusedError",
    "inspect_pass",
    "issue_pass",
    "open_pass",
]
