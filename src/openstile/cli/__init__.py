"""The command line. Each command is thin: it reads options, calls a room and prints what came back."""

from openstile.cli.app import main

__all__ = ["main"]
