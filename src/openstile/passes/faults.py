"""Why a pass is refused: a closed list, and the one error that carries it."""

from enum import Enum

from openstile.terms import OpenstileError


class PassFault(Enum):
    """Every reason for which a presented pass is refused (docs/pass-format.md, "Refusals")."""

    PASS_UNREADABLE = "pass_unreadable"  # noqa: S105 (a reason)
    """Not the text of a pass, or it breaks a rule of the strict profile."""
    PASS_VERSION_UNKNOWN = "pass_version_unknown"  # noqa: S105 (a reason)
    """A pass of a version that this software does not know."""
    PASS_FOR_OTHER_GATES = "pass_for_other_gates"  # noqa: S105 (a reason)
    """Sealed for, or addressed to, another group of gates."""
    PASS_DAMAGED = "pass_damaged"  # noqa: S105 (a reason)
    """The seal does not open: something was changed after sealing."""
    PASS_FORGED = "pass_forged"  # noqa: S105 (a reason)
    """The signature is wrong, or what is sealed is not what was signed."""
    ISSUER_UNKNOWN = "issuer_unknown"
    """Signed with a key that these gates do not know."""
    ISSUER_REVOKED = "issuer_revoked"
    """Signed with a key that was revoked."""
    PASS_OUTDATED = "pass_outdated"  # noqa: S105 (a reason)
    """Sealed to a key that these gates no longer use: the rider needs it made anew."""
    PASS_EXPIRED = "pass_expired"  # noqa: S105 (a reason)
    """Its time is over."""
    PASS_NOT_YET_VALID = "pass_not_yet_valid"  # noqa: S105 (a reason)
    """Its time has not begun."""
    LIVE_CODE_EXPIRED = "live_code_expired"
    """A live code that was made too long ago, or by a phone whose clock is wrong."""


class PassRefusedError(OpenstileError):
    """A presented pass is refused. `fault` is the reason, `detail` says more to a person who looks into it.

    Neither holds anything of the reference in the pass.
    """

    def __init__(self, fault: PassFault, detail: str) -> None:
        super().__init__(f"pass refused ({fault.value}): {detail}")
        self.fault = fault
        self.detail = detail
