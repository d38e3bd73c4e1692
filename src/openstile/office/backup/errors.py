"""What can go wrong with a backup."""

from openstile.terms import OpenstileError


class BackupError(OpenstileError):
    """A backup cannot be made, read or restored."""
