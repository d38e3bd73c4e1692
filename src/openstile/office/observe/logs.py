"""Logs: one JSON object a line, with known keys alone, so that nothing of a rider gets into them by accident."""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import structlog

KEYS: Final = frozenset({
    "event", "level", "timestamp", "logger",
    "method", "route", "status", "duration_ms", "problem",
    "error", "where", "job", "count", "kind", "version", "listen",
})  # fmt: skip
"""What a line may hold. None of these is ever an id of a rider, pass or account, a path, a query or a message of an
error; what is given under another key is left out."""


def only_known_keys(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The line without what KEYS does not name."""
    return {key: value for key, value in event.items() if key in KEYS}


def where_of(error: BaseException) -> str:
    """Where an error came up: file, line and function of its last frames; nothing of its message or values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(
        f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )


def configure_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """From now on this process logs so, to `stream` (standard error by default); what libraries log, too.

    Messages of libraries are cut to their unformatted text: their values could be anything.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_without_values)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[only_known_keys, structlog.processors.JSONRenderer(sort_keys=True)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for quiet in ("httpx", "httpcore", "authlib", "alembic", "uvicorn"):
        logging.getLogger(quiet).setLevel(logging.WARNING)


@contextmanager
def lines_to(stream: TextIO) -> Iterator[None]:
    """Within it our own lines go to `stream`, in the same form; what libraries log stays as it is set up."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_known_keys,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults() if before is None else structlog.configure(**before)


def _without_values(record: logging.LogRecord) -> bool:
    """Takes the values out of what a library logs; lines of our own are left as they are."""
    if not isinstance(record.msg, dict):
        record.args = ()
        record.exc_info = None
        record.exc_text = None
        record.stack_info = None
    return True
