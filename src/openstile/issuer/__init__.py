"""The issuer's side after a pass was made: which passes there are, how they stand, and telling the gates.

Knows pass ids, products and keys, and no rider. Building and publishing status lists is in openstile.issuer.publish.
"""

from openstile.issuer.errors import RegisterError
from openstile.issuer.passes import PassState, RegisteredPass
from openstile.issuer.publish import build_status_token, publish
from openstile.issuer.register import PassRegister

__all__ = ["PassRegister", "PassState", "RegisterError", "RegisteredPass", "build_status_token", "publish"]
