"""The command line. Each command is thin: it reads options, calls a room and prints what came back."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with a documented exit code."""
    try:  # loading takes long enough for somebody to change their mind
        from openstile.cli.app import main as run_to_end
    except KeyboardInterrupt:
        print("openstile: interrupted", file=sys.stderr)
        sys.exit(130)
    run_to_end()
