"""The gates of the demo's city, each with a home, a key, a journal and an uplink of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from openstile.assembly.bundles import BundleOrder, build_bundle
from openstile.assembly.home import open_home
from openstile.assembly.uplink import HomeUplink, open_uplink
from openstile.assembly.wire import Installation
from openstile.demo.city import GATES, HARBOUR_IN, CityGate
from openstile.demo.folder import DemoFolder
from openstile.demo.office import DemoOffice
from openstile.demo.stage import CountingBarrier
from openstile.face import FaceEngine
from openstile.gate.fading import fade_trips
from openstile.gate.lane import Lane, LaneIdentity
from openstile.journal import Journal
from openstile.passes.keyfile import Role
from openstile.terms.files import write_private


@dataclass(frozen=True, slots=True)
class OpenGate:
    """A gate at work."""

    installation: Installation
    lane: Lane
    barrier: CountingBarrier
    journal: Journal
    uplink: HomeUplink

    def fade(self) -> None:
        """What the gate's loop does each hour."""
        installation = self.installation
        before, unsent_before = installation.loop_times().kept_since(installation.clock.now())
        fade_trips(self.journal, before=before, unsent_before=unsent_before)


@contextmanager
def open_gates(folder: DemoFolder, operator: Installation, office: DemoOffice) -> Iterator[dict[str, OpenGate]]:
    """The gates by name. The first shares its home with the operator and its office; the others join from their own.

    The others have the operator's public key and nothing more: all else comes to them in the office's bundle.
    """
    others = {gate.name: _gate_home(folder, gate, operator) for gate in GATES if gate is not HARBOUR_IN}
    keys = tuple(folder.gates / name / "gate.pub.json" for name in others)
    build_bundle(operator, BundleOrder(out=operator.home.office_bundle, gates=keys))
    with ExitStack() as stack:
        gates = {}
        for gate in GATES:
            installation = others.get(gate.name, operator)
            office.admit(gate, installation)
            opened = _open_gate(installation, operator.load_engine, wants_bundle=gate.name in others)
            gates[gate.name] = stack.enter_context(opened)
        yield gates


def gate_settings(gate: CityGate) -> bytes:
    """What a gate's own settings say."""
    return f'\n[gate]\nid = "{gate.name}"\ndirection = "{gate.direction.value}"\n'.encode()


def _gate_home(folder: DemoFolder, gate: CityGate, operator: Installation) -> Installation:
    """A new home with the gate's own key; the two public halves are carried from one to the other."""
    home = open_home(folder.gates / gate.name)
    write_private(home.settings, gate_settings(gate))
    installation = Installation.open(home, clock=operator.clock)
    now, settings = operator.clock.now(), operator.settings
    own = installation.keys.create(Role.GATE, f"{settings.operator.id}/{gate.name}", now=now)
    write_private(home.folder / "gate.pub.json", installation.keys.export_public(own.kid))
    brought = home.folder / "operator.pub.json"
    write_private(brought, operator.keys.export_public(_operator_kid(operator)))
    installation.keys.import_public(brought.read_bytes(), what=brought.name, now=now)
    return installation


def _operator_kid(operator: Installation) -> str:
    name, now = operator.settings.operator.id, operator.clock.now()
    known = [info.kid for info in operator.keys.list_keys(now=now) if info.role is Role.OPERATOR]
    return known[0] if known else operator.keys.create(Role.OPERATOR, name, now=now).kid


@contextmanager
def _open_gate(
    installation: Installation, load_engine: Callable[[], FaceEngine], *, wants_bundle: bool
) -> Iterator[OpenGate]:
    """Its lane, once it knows what to go by. All gates of the demo are one process and share its networks."""
    with installation.open_journal() as journal, open_uplink(installation, journal) as uplink:
        if wants_bundle:
            uplink.bundle()
        trust, settings = installation.trust(), installation.settings
        barrier = CountingBarrier()
        lane = Lane(
            identity=LaneIdentity(settings.gate_id(), settings.direction(), settings.audience()),
            trust=lambda: trust,
            load_engine=load_engine,
            journal=journal,
            barrier=barrier,
            clock=installation.clock,
        )
        yield OpenGate(installation, lane, barrier, journal, uplink)
