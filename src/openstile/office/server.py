"""The process that serves: uvicorn, the jobs beside it, and an end that leaves nothing half done."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
import uvicorn

from openstile import __version__
from openstile.office.api.app import create_app
from openstile.office.api.office import Office
from openstile.office.jobs import Job, running_jobs
from openstile.terms import OpenstileError

GRACE_S = 15
"""How long requests that are being answered may take when the office is told to stop."""
_HEAD_BYTES_MAX = 32 * 2**10
_CONNECTIONS_MAX = 1000


class ServeError(OpenstileError):
    """The office cannot listen where it should."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the office listens, and whose word on client addresses it takes."""

    host: str
    port: int
    proxies: tuple[str, ...] = ()


def serve(
    office: Office, listening: Listening, *, jobs: Sequence[Job] = (), started: Callable[[int], None] = lambda _: None
) -> None:
    """Serves until SIGTERM or SIGINT: takes no new connections then, answers what has begun, ends the jobs.

    `started` is told the port. Raises ServeError.
    """
    log = structlog.get_logger("openstile.office")

    def tell(port: int) -> None:
        log.info("serving", version=__version__, listen=f"{listening.host}:{port}")
        started(port)

    server = _Server(_config(office, listening), tell)

    def end(_signal: int, _frame: object) -> None:
        """Before uvicorn listens to signals; and behind it, for it passes one on when it has done its work."""
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with running_jobs(jobs, metrics=office.metrics, clock=office.clock):
            server.run()
    except SystemExit:  # uvicorn's way to say that it cannot listen
        server.started = False
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not server.has_served:
        raise ServeError(
            f"{listening.host}:{listening.port}: cannot listen there; set office.listen to a free address and port"
        )
    log.info("stopped")


@contextmanager
def served_beside(office: Office, listener: socket.socket) -> Iterator[None]:
    """Within it the office answers at a socket that is bound already, in a thread of its own; no jobs run.

    For the demo and for tests, whose clock the office has. Raises ServeError.
    """
    host, port = listener.getsockname()[:2]
    ready = threading.Event()
    server = _Server(_config(office, Listening(host, port)), lambda _: ready.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="openstile-office")
    thread.start()
    try:
        while not ready.wait(0.1):
            if not thread.is_alive():
                raise ServeError(f"{host}:{port}: the office did not begin to listen there; look at what it logged")
        yield
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[int], None]) -> None:
        super().__init__(config)
        self.has_served = False
        self._tell = tell

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """As uvicorn's, and a word to who waits for it."""
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            self.has_served = True
            self._tell(self.servers[0].sockets[0].getsockname()[1])


def _config(office: Office, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(office),
        host=listening.host,
        port=listening.port,
        log_config=None,
        access_log=False,  # it would write paths and addresses; observe.requests writes what may be known
        server_header=False,
        proxy_headers=bool(listening.proxies),
        forwarded_allow_ips=list(listening.proxies) or "",
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE_S,
        ws="none",
        http="h11",
        lifespan="on",
    )
