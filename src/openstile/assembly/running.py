"""A gate that runs: the loop on its camera, and beside it threads that keep up to date what the gate goes by."""

import logging
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from openstile.assembly.refresh import Refreshed, Refresher
from openstile.assembly.settings import load_settings
from openstile.assembly.trust import TrustWatch
from openstile.assembly.uplink_keeping import uplink_keeper
from openstile.assembly.wire import Installation
from openstile.crossing import Crossing
from openstile.face import Frame
from openstile.gate.fetch import Fetcher
from openstile.gate.loop import GateLoop
from openstile.terms import BadInputError, OpenstileError

if TYPE_CHECKING:
    from openstile.assembly.measuring import MeasuredLight

_log = logging.getLogger("openstile.gate")

LOOK_EVERY_S = 1.0
"""How soon a running gate notices that something in its home changed."""
_ASK_EVERY_S_MIN = 10
"""However short a list's time to live: an issuer does not decide how hard gates work."""
_END_S = 2.0
"""How long a gate that ends waits for a server's answer."""


class Keeper:
    """Looks at the home every LOOK_EVERY_S, and asks the servers and syncs with the office when it is time, each in a
    thread of its own.

    So a server that is slow, or means harm, keeps nothing back that is done at the gate itself.
    """

    def __init__(
        self, installation: Installation, fetcher: Fetcher, uplink: Callable[[Callable[[], bool]], None] | None = None
    ) -> None:
        """`uplink`, at a gate with an office, syncs when it is time and ends soon when what it is given says so."""
        self._uplink = uplink
        self._installation = installation
        self._watch = TrustWatch(installation.home, partial(load_settings, installation.home.settings, make=False))
        self._refresher = Refresher(installation, fetcher)
        self._due_ns = 0
        self._complained = ""
        self._stop = threading.Event()
        self.current = self._watch.current

    def look(self) -> None:
        """One look at the home. Raises nothing: a gate that cannot be told anything new goes on with what it has."""
        with self._going_on():
            self._watch.look()

    def ask(self) -> None:
        """Asks the servers, when it is time again. Raises nothing; what came counts from the next look on."""
        with self._going_on():
            if self._installation.clock.monotonic_ns() >= self._due_ns:
                self._wait(self._installation.settings.trust.fetch_every_s)
                self._ask()

    def sync(self) -> None:
        """Sends taps to the office, when it is time again. Raises nothing."""
        if self._uplink is not None:
            self._uplink(self._stop.is_set)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Looking and asking go on while the context is open."""
        actions = [("look", self.look), ("ask", self.ask)]
        if self._uplink is not None:
            actions.append(("sync", self.sync))
        threads = [
            threading.Thread(target=self._run, args=(action,), name=f"openstile-{name}", daemon=True)
            for name, action in actions
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(_END_S)

    def _run(self, action: Callable[[], None]) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            action()

    def _ask(self) -> None:
        trust = self._installation.settings.trust
        ttls_s = [trust.fetch_every_s]
        lists = [partial(self._refresher.status_list, uri) for uri in trust.status_lists]
        asks: list[Callable[[], Refreshed | None]] = [self._refresher.bundle, *lists]
        for ask in asks:
            answer = None
            with self._going_on():  # one source keeps none of the others back
                answer = None if self._stop.is_set() else ask()
            if answer is not None and answer.problem is not None:
                _log.error("not refreshed: %s", answer.problem)
            if answer is not None and answer.ttl_s is not None:
                ttls_s.append(answer.ttl_s)
        self._wait(max(_ASK_EVERY_S_MIN, min(ttls_s)))

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """Nothing ends a thread that a gate relies on: what fails is logged, when it is something else than before."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (also what nobody foresaw)
            problem = f"{type(error).__name__}: {error}"
            if problem != self._complained:
                foreseen = isinstance(error, OpenstileError | OSError)  # the disk, say
                _log.error("what was in use stays in use: %s", problem, exc_info=None if foreseen else error)
            self._complained = problem

    def _wait(self, seconds: int) -> None:
        self._due_ns = self._installation.clock.monotonic_ns() + seconds * 1_000_000_000


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
    from openstile.assembly.displays import check_display, display_of, light_switch_of

    gate = installation.settings.gate
    stream = sys.stdout if announce else sys.stderr
    check_display(gate, stream)
    installation.load_engine()
    installation.added_detectors.load()
    chosen = installation.barrier(barrier, announce=announce)
    with (
        closing(chosen),
        closing(light_switch_of(gate)) as switch,
        closing(installation.fetcher()) as fetcher,
        installation.open_journal() as journal,
        uplink_keeper(installation, journal) as uplink,
    ):
        keeper = Keeper(installation, fetcher, uplink.sync if uplink is not None else None)
        with keeper.beside():
            yield GateLoop(
                lane=installation.lane(journal, chosen, keeper.current),
                journal=journal,
                open_camera=open_camera,
                ask_pin=ask_pin,
                display=display_of(gate, stream, switch=switch, policy=lambda: keeper.current().policy),
                clock=installation.clock,
                sleep=sleep,
                times=installation.loop_times(),
                report=report,
            )


@contextmanager
def open_light(installation: Installation, *, announce: bool) -> Iterator["Callable[[Iterator[Frame]], MeasuredLight]"]:
    """What measures the light of the display that is set, on a camera's frames. Raises BadInputError where it has none.

    It shows the colours whatever the policy says of them.
    """
    from openstile.assembly.displays import check_display, display_of
    from openstile.assembly.measuring import measure_light
    from openstile.face import locate
    from openstile.face.attack.kit import FlashLight
    from openstile.gate.light_switch import NoLightSwitch

    gate = installation.settings.gate
    stream = sys.stdout if announce else sys.stderr
    check_display(gate, stream)
    display = display_of(gate, stream, switch=NoLightSwitch(), policy=lambda: installation.policy)
    if not isinstance(display, FlashLight):
        raise BadInputError('gate.display console: has no light to measure; set gate.display = "light" first')
    engine, clock = installation.load_engine(), installation.clock

    def measure(frames: Iterator[Frame]) -> "MeasuredLight":
        return measure_light(
            frames, display, random=secrets.token_bytes, clock=clock, work=lambda blank: locate(engine, blank)
        )

    yield measure
