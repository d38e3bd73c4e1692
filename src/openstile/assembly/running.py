"""A gate that runs: the loop on its camera, and beside it a thread that keeps up to date what the gate goes by."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from openstile.assembly.refresh import Refresher
from openstile.assembly.settings import load_settings
from openstile.assembly.trust import TrustWatch
from openstile.assembly.wire import Installation
from openstile.crossing import Crossing
from openstile.face import Frame
from openstile.gate.fetch import Fetcher
from openstile.gate.loop import GateLoop
from openstile.terms import OpenstileError

_log = logging.getLogger("openstile.gate")

LOOK_EVERY_S = 1.0
"""How soon a running gate notices that something in its home changed."""


class Keeper:
    """Looks at the home every LOOK_EVERY_S and at the servers when it is time, in a thread of its own."""

    def __init__(self, installation: Installation, fetcher: Fetcher) -> None:
        self._installation = installation
        self._watch = TrustWatch(installation.home, lambda: load_settings(installation.home.settings))
        self._refresher = Refresher(installation, fetcher)
        self._due_ns = 0
        self._stop = threading.Event()
        self.current = self._watch.current

    def turn(self) -> None:
        """One look. Raises nothing: a gate that cannot be told anything new goes on with what it has."""
        try:
            if self._installation.clock.monotonic_ns() >= self._due_ns:
                self._ask()
            self._watch.look()
        except (OpenstileError, OSError) as error:  # the disk, say; the next turn tries again
            _log.error("%s", error)

    def run(self) -> None:
        """Turn after turn, until `stop`."""
        while not self._stop.wait(LOOK_EVERY_S):
            self.turn()

    def stop(self) -> None:
        """End `run` soon."""
        self._stop.set()

    def _ask(self) -> None:
        trust = self._installation.settings.trust
        asked = [self._refresher.bundle(), *(self._refresher.status_list(uri) for uri in trust.status_lists)]
        answers = [answer for answer in asked if answer is not None]
        for answer in answers:
            if answer.problem is not None:
                _log.error("not refreshed: %s", answer.problem)
        wait_s = min([trust.fetch_every_s, *(answer.ttl_s for answer in answers if answer.ttl_s is not None)])
        self._due_ns = self._installation.clock.monotonic_ns() + wait_s * 1_000_000_000


@contextmanager
def open_gate(
    installation: Installation,
    *,
    open_camera: Callable[[], AbstractContextManager[Iterator[Frame]]],
    barrier: str | None,
    ask_pin: Callable[[], str | None],
    sleep: Callable[[float], None],
    report: Callable[[Crossing], None],
    announce: bool,
) -> Iterator[GateLoop]:
    """The gate's loop on a camera; the networks are loaded before the first rider comes.

    What the gate goes by is kept up to date while the context is open.
    """
    from openstile.gate.display import ConsoleDisplay
    from openstile.gate.messages import Language

    installation.load_engine()
    stream = sys.stdout if announce else sys.stderr
    chosen = installation.barrier(barrier, announce=announce)
    with closing(chosen), closing(installation.fetcher()) as fetcher, installation.open_journal() as journal:
        keeper = Keeper(installation, fetcher)
        with _beside(keeper):
            yield GateLoop(
                lane=installation.lane(journal, chosen, keeper.current),
                journal=journal,
                open_camera=open_camera,
                ask_pin=ask_pin,
                display=ConsoleDisplay(stream, language=Language(installation.settings.gate.language)),
                clock=installation.clock,
                sleep=sleep,
                times=installation.settings.loop_times(),
                report=report,
            )


@contextmanager
def _beside(keeper: Keeper) -> Iterator[None]:
    thread = threading.Thread(target=keeper.run, name="openstile-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.stop()
        thread.join()
