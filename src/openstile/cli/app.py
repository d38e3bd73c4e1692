"""The `openstile` command: its groups, its one place for errors, and its exit codes."""

import io
import json
import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from openstile import __version__
from openstile.cli import (
    bundle,
    cross,
    demo,
    doctor,
    enrol,
    fares,
    fetching,
    gate,
    journal,
    keys,
    lab,
    models,
    office,
    office_gates,
    office_ledger,
    office_store,
    passes,
    status,
    uplink,
)
from openstile.cli.options import wants_json
from openstile.terms.errors import OpenstileError

EXIT_FAILED = 1
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_UNUSABLE = 2

_OFFICE_LIBRARIES = (
    "alembic", "authlib", "fastapi", "joserfc", "opentelemetry", "prometheus_client", "psycopg", "sqlalchemy",
    "starlette", "stripe", "structlog", "uvicorn", "webauthn",
)  # fmt: skip
"""What the extra `office` brings. Its commands import these when they run, so that all others work without."""

app = typer.Typer(
    name="openstile",
    epilog="Every command takes --help, and --json for machines. Exit codes: docs/operator-guide.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(bundle.app, name="bundle")
app.command("enrol")(enrol.enrol)
app.add_typer(passes.app, name="pass")
status.app.command("apply")(fetching.apply_list)
status.app.command("fetch")(fetching.fetch_lists)
bundle.app.command("fetch")(fetching.fetch_bundle)
app.add_typer(status.app, name="status")
app.command("cross")(cross.cross)
app.command("gate")(gate.gate)
app.add_typer(journal.app, name="journal")
app.add_typer(uplink.app, name="uplink")
app.add_typer(fares.app, name="fares")
office_gates.add_to(office.app)
office_ledger.add_to(office.app)
office_store.add_to(office.app)
app.add_typer(office.app, name="office")
app.add_typer(lab.app, name="lab")
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"openstile {__version__}")
        raise typer.Exit


@app.callback()
def openstile(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Passes only their owner can use, gates that remember no one."""


def main() -> None:
    """Run the command line and end the process with a documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is escaped, not an error
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; an error is one line on standard error."""
    try:
        outcome: Any = app(args=arguments, standalone_mode=False)
    except OpenstileError as error:
        return _fail(arguments, str(error), error.exit_code)
    except TyperException as error:
        # A group called with nothing to do has printed its help already, and has no message.
        message = error.format_message()
        return _fail(arguments, message, error.exit_code) if message else error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _fail(arguments, "interrupted", EXIT_INTERRUPTED)
    except OSError as error:
        # Never 0 where nobody could read the result: 0 says admitted.
        _drop_output()
        return _fail(arguments, f"{error.filename or 'standard output'}: {error.strerror}", EXIT_FAILED)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _OFFICE_LIBRARIES:
            return _fail(arguments, _without_office(error), EXIT_UNUSABLE)
        if os.environ.get("OPENSTILE_DEBUG"):
            raise
        kind = type(error).__name__
        return _fail(arguments, f"internal error ({kind}); run again with OPENSTILE_DEBUG=1 and report it", EXIT_BUG)
    if outcome == EXIT_INTERRUPTED:  # typer's own word for Ctrl-C
        return _fail(arguments, "interrupted", EXIT_INTERRUPTED)
    return outcome if isinstance(outcome, int) else 0


def _without_office(error: ModuleNotFoundError) -> str:
    return (
        f"the office needs {error.name}, which is not installed; "
        "install openstile with its extra: pip install '.[office]'"
    )


def _fail(arguments: list[str], message: str, exit_code: int) -> int:
    line = "".join(map(_visible, " ".join(message.split())))
    try:
        if wants_json(arguments):
            print(json.dumps({"error": line, "exit_code": exit_code}), flush=True)
    except OSError:
        _drop_output()
    print(f"openstile: {line}", file=sys.stderr)
    return exit_code


def _drop_output() -> None:
    """What is left to be written goes nowhere, so that the interpreter does not fail on it once more at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _visible(character: str) -> str:
    """A character of a message; one that a terminal would obey (a file name may hold such) is spelled out."""
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
