"""What can go wrong with the register of passes."""

from openstile.terms import OpenstileError


class RegisterError(OpenstileError):
    """The register cannot be read or written now: the message names the file, what is wrong and what to do."""

    exit_code = 4
