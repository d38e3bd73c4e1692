"""One installation with everything real behind it: disk, clock, randomness, camera, networks."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from openstile.assembly.detectors import AddedDetectors
from openstile.assembly.devices import barrier_of
from openstile.assembly.home import Home
from openstile.assembly.issuing import issue_registered, key_usage
from openstile.assembly.settings import Settings, load_settings
from openstile.assembly.trust import load_trust
from openstile.assembly.uplink_address import office_of
from openstile.crossing import Policy
from openstile.face import FaceEngine
from openstile.gate.barrier import Barrier
from openstile.gate.fading import fade_trips
from openstile.gate.lane import Lane, LaneIdentity
from openstile.gate.loop import LoopTimes
from openstile.gate.trust import Trust
from openstile.journal import GateKey, Journal, JournalError, JournalReport, verify_journal
from openstile.journal.store import Fading
from openstile.journal.view import JournalView, read_journal
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass
from openstile.passes.keyfile import Role
from openstile.passes.keys import Algorithm
from openstile.passes.keystore import KeyStore
from openstile.passes.reference import Reference
from openstile.passes.usage import KeyUsage
from openstile.terms.errors import BadInputError
from openstile.terms.instants import Clock, SystemClock

if TYPE_CHECKING:
    from openstile.gate.fetch import Fetcher


@dataclass(frozen=True)
class Installation:
    """A home folder, its settings, and the real things that the rooms are given."""

    home: Home
    settings: Settings
    clock: Clock

    @classmethod
    def open(cls, home: Home, *, clock: Clock | None = None) -> "Installation":
        """The installation in `home`; settings are read, and written with defaults when absent."""
        return cls(home, load_settings(home.settings), clock or SystemClock())

    @property
    def policy(self) -> Policy:
        """The crossing's policy from the settings."""
        return self.settings.to_policy()

    @property
    def keys(self) -> KeyStore:
        """Issuer and gate-group keys."""
        return KeyStore(self.home.keys)

    @cached_property
    def gate_key(self) -> GateKey:
        """The gate's own signing key, made on first use."""
        return GateKey.open(self.home.gate_key)

    def ensure_keys(self) -> tuple[str, ...]:
        """Make the issuer's and the gate group's first keys if they are missing; says what was made."""
        issuer, group = self.settings.issuer, str(self.settings.audience())
        wanted = ((Role.ISSUER, issuer.id, Algorithm(issuer.algorithm)), (Role.GATE_GROUP, group, Algorithm.EDDSA))
        made = []
        for role, name, algorithm in wanted:
            if not self._has_key(role, name):
                try:
                    info = self.keys.create(role, name, now=self.clock.now(), algorithm=algorithm)
                except BadInputError:
                    if self._has_key(role, name):
                        continue  # another process made it just now
                    raise
                made.append(f"made {role.value} key {info.kid} for {name} in {self.home.keys}")
        return tuple(made)

    def _has_key(self, role: Role, name: str) -> bool:
        return any((info.role, info.name) == (role, name) for info in self.keys.list_keys(now=self.clock.now()))

    def issue(
        self,
        *,
        entitlement: Entitlement,
        reference: Reference,
        valid_for: timedelta,
        assurance: Assurance,
        holder: HolderPublicKey | None = None,
    ) -> IssuedPass:
        """Sign, seal and register a pass for this installation's gates, from now on for so long."""
        return issue_registered(
            home=self.home,
            settings=self.settings,
            keys=self.keys,
            entitlement=entitlement,
            reference=reference,
            now=self.clock.now(),
            valid_for=valid_for,
            assurance=assurance,
            holder=holder,
        )

    def key_usage(self) -> tuple[KeyUsage, ...]:
        """How many passes that were issued here depend on each key."""
        return key_usage(self.home, now=self.clock.now())

    def fetcher(self) -> "Fetcher":
        """For what this gate is told over HTTPS; to be closed. Raises `BadInputError`."""
        from openstile.gate.fetch import Fetcher

        ca_file = self.settings.trust.ca_file
        return Fetcher(ca_file=self.home.folder / ca_file if ca_file else None)

    def load_engine(self) -> FaceEngine:
        """The networks of the configured model pack; loaded once, when first needed."""
        return self._engine

    def pack_id(self) -> str | None:
        """The id of the configured model pack; None where this machine does not know the pack."""
        from openstile.face.packs import PackError
        from openstile.face.packs.shelf import find_pack_id

        try:
            return find_pack_id(self.settings.gate.model_pack, pack_folders=(self.home.packs,))
        except PackError:
            return None

    @contextmanager
    def open_journal(self) -> Iterator[Journal]:
        """The gate's journal for writing, by this process alone."""
        with Journal.open(
            self.home.journal,
            key=self.gate_key,
            gate=self.settings.gate_id(),
            monotonic_ns=self.clock.monotonic_ns,
        ) as journal:
            yield journal

    def verify_journal(self) -> JournalReport:
        """Check the whole journal against this gate's public key. Raises `JournalBrokenError`, `JournalError`."""
        if not self.home.journal.exists():
            raise JournalError(f"journal {self.home.journal}: does not exist; no crossing has been recorded yet")
        public_key = GateKey.open(self.home.gate_key, make=False).public_key
        return verify_journal(self.home.journal, public_key=public_key)

    def read_journal(self, *, limit: int) -> JournalView:
        """What the journal holds now, also while the gate runs."""
        return read_journal(self.home.journal, limit=limit)

    def fade_journal(self) -> Fading:
        """Let taps older than the retention time fade now."""
        with self.open_journal() as journal:
            before, unsent_before = self.loop_times().kept_since(self.clock.now())
            return journal.fade(before, unsent_before=unsent_before)

    @contextmanager
    def open_lane(self, *, barrier: Barrier | None = None, announce: bool = True) -> Iterator[Lane]:
        """One lane with the configured barrier, or another. Raises `BadInputError` when there are no keys yet."""
        chosen = barrier or self.barrier(None, announce=announce)
        trust = self.trust()
        with closing(chosen), self.open_journal() as journal:
            yield self.lane(journal, chosen, lambda: trust)
            before, unsent_before = self.loop_times().kept_since(self.clock.now())
            fade_trips(journal, before=before, unsent_before=unsent_before)

    def loop_times(self) -> LoopTimes:
        """How long this gate waits for what, and keeps what. Raises `BadInputError` where its office is unclear."""
        return self.settings.loop_times(has_uplink=office_of(self.home, self.settings) is not None)

    def trust(self) -> Trust:
        """What a gate of this home goes by now."""
        return load_trust(self.home, self.settings)

    def lane(self, journal: Journal, barrier: Barrier, trust: Callable[[], Trust]) -> Lane:
        """One lane of this gate, which asks for `trust` at each crossing, with the detectors that the settings add."""
        return Lane(
            identity=LaneIdentity(self.settings.gate_id(), self.settings.direction(), self.settings.audience()),
            trust=trust,
            load_engine=self.load_engine,
            journal=journal,
            barrier=barrier,
            clock=self.clock,
            detectors=self.added_detectors.makers(),
        )

    @cached_property
    def added_detectors(self) -> AddedDetectors:
        """Detectors of presentation attacks that the settings add to our own."""
        return AddedDetectors(self.settings, self.home.folder)

    def barrier(self, name: str | None, *, announce: bool) -> Barrier:
        """The barrier of this name, or the configured one. Raises `BadInputError`."""
        gate = self.settings.gate
        token_file = self.home.folder / gate.barrier_token_file if gate.barrier_token_file else None
        return barrier_of(name or gate.barrier, open_ms=gate.barrier_open_ms, token_file=token_file, announce=announce)

    @cached_property
    def _engine(self) -> FaceEngine:
        import cv2

        from openstile.face.packs.shelf import load_pack

        cv2.setNumThreads(1)  # as the networks: a pool of threads slows pictures this small, and a gate has other work
        return load_pack(self.settings.gate.model_pack, pack_folders=(self.home.packs,))
