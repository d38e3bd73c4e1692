"""What goes wrong with model packs."""

from openstile.terms import OpenstileError


class PackError(OpenstileError):
    """A model pack, or an archive it comes from, cannot be used. Nothing half-made is left behind."""

    exit_code = 3
