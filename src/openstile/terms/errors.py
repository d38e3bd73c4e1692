"""The one root of every error that Openstile raises on purpose."""


class OpenstileError(Exception):
    """Something a person can act on: the message says which input was wrong, how, and what to do next.

    `exit_code` is what a command line process ends with (see docs/operator-guide.md, "Exit codes").
    """

    exit_code = 1


class BadInputError(OpenstileError):
    """An input given by a person (a file, an option, a setting) cannot be used."""

    exit_code = 2
