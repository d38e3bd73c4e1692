"""What the demo needs beyond a gate's own libraries. Imports none of it: it is asked before anything else."""

from importlib.util import find_spec

from openstile.terms.errors import BadInputError

_NEEDED = ("alembic", "fastapi", "prometheus_client", "sqlalchemy", "structlog", "uvicorn", "webauthn")


def check_office_is_installed(needed: tuple[str, ...] = _NEEDED) -> None:
    """Raises BadInputError where the libraries of the office are not installed."""
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise BadInputError(
            f"demo: has an office, which needs {missing[0]}; install openstile with its extra: pip install '.[office]'"
        )
