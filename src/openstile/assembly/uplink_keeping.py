"""A running gate's third thread: taps to the office and its bundle back, with pauses that grow while that fails."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from openstile.assembly.uplink import HomeUplink, open_uplink
from openstile.assembly.uplink_address import office_of
from openstile.assembly.uplink_fault import note_fault
from openstile.assembly.wire import Installation
from openstile.gate.uplink import UplinkTransport
from openstile.gate.uplink_pace import Pace
from openstile.journal import Journal
from openstile.terms import OpenstileError

_log = logging.getLogger("openstile.gate")


class UplinkKeeper:
    """Syncs when it is time. For one thread."""

    def __init__(
        self, installation: Installation, uplink: HomeUplink, *, random: Callable[[], float] | None = None
    ) -> None:
        """`random` gives numbers in [0, 1); by default those of the operating system."""
        self._installation = installation
        self._uplink = uplink
        every_s = installation.settings.uplink.sync_every_s
        self._pace = Pace(every_s, random or secrets.SystemRandom().random)
        self._due_ns = 0
        self._bundle_due_ns = 0
        self._complained = ""

    def sync(self, stop: Callable[[], bool]) -> None:
        """One sync, if it is time. Raises nothing: taps that cannot be sent stay in the journal."""
        clock = self._installation.clock
        if clock.monotonic_ns() < self._due_ns:
            return
        failed = not (self._tried(lambda: self._uplink.sync(stop)) and self._tried(self._bundle))
        self._due_ns = clock.monotonic_ns() + int(self._pace.pause_s(failed=failed) * 1e9)

    def _bundle(self) -> None:
        """The bundle comes from the office unless the settings name another place."""
        trust, clock = self._installation.settings.trust, self._installation.clock
        if trust.bundle_url or clock.monotonic_ns() < self._bundle_due_ns:
            return
        self._bundle_due_ns = clock.monotonic_ns() + trust.fetch_every_s * 1_000_000_000
        self._uplink.bundle()

    def _tried(self, action: Callable[[], object]) -> bool:
        """Whether it went well. The same fault is logged once, until something else or nothing is wrong."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 (also what nobody foresaw: nothing ends a thread a gate relies on)
            problem = f"{type(error).__name__}: {error}"
            if problem != self._complained:
                foreseen = isinstance(error, OpenstileError | OSError)
                _log.error("taps stay here: %s", problem, exc_info=None if foreseen else error)
                note_fault(self._installation.home, str(error) if foreseen else problem)
            self._complained = problem
            return False
        self._complained = ""
        return True


@contextmanager
def uplink_keeper(
    installation: Installation, journal: Journal, *, transport: UplinkTransport | None = None
) -> Iterator[UplinkKeeper | None]:
    """What keeps the office up to date while the gate runs; None for a gate that works alone.

    Raises BadInputError for an office that is named but was not joined: the operator expects taps there.
    """
    if office_of(installation.home, installation.settings) is None:
        yield None
        return
    with open_uplink(installation, journal, transport=transport) as uplink:
        yield UplinkKeeper(installation, uplink)
