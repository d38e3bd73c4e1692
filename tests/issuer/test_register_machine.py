"""Any order of issuing, withdrawing, reinstating, building and forgetting leaves what a plain dictionary says."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.issuer.office import ENTRIES, URI, made, pass_id
from tests.passes.pass_workshop import ISSUER, NOW, RING

from openstile.issuer import PassRegister, PassState, RegisteredPass, build_status_token
from openstile.issuer.publish import FORGOTTEN_AFTER
from openstile.passes.status_list import read_status_list
from openstile.terms import BadInputError

_PASSES = st.integers(0, 11)
_STATES = st.sampled_from(PassState)


class RegisterMachine(RuleBasedStateMachine):
    """Compares a register with a dictionary of passes and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[int, RegisteredPass] = {}
        self.states: dict[int, PassState] = {}
        self.changes: dict[int, list[PassState]] = {}
        self.now = NOW
        self.last_issued_at = NOW - timedelta(seconds=1)

    @initialize()
    def begin(self) -> None:
        self.register = PassRegister.open(self.folder / "issuer" / "register.db")

    @rule(number=_PASSES, days=st.integers(1, 40))
    def issue(self, number: int, days: int) -> None:
        index = self.register.reserve_index(URI, entries=ENTRIES, now=self.now)
        added = made(number, index=index, days=days, at=self.now)
        if number in self.model:
            try:
                self.register.add(added)
            except BadInputError:
                return
            raise AssertionError("a pass was added twice")
        self.register.add(added)
        self.model[number], self.states[number], self.changes[number] = added, PassState.VALID, []

    @rule(numbers=st.lists(_PASSES, min_size=1, max_size=4), state=_STATES)
    def decide(self, numbers: list[int], state: PassState) -> None:
        refused = any(
            number not in self.model or (self.states[number] is PassState.REVOKED is not state) for number in numbers
        )
        try:
            self.register.set_states([pass_id(number) for number in numbers], state, at=self.now)
        except BadInputError:
            assert refused
            return
        assert not refused
        for number in dict.fromkeys(numbers):
            if self.states[number] is not state:
                self.states[number] = state
                self.changes[number].append(state)

    @rule(hours=st.integers(0, 24 * 12))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def build(self) -> None:
        token = build_status_token(
            self.register, issuer_key=ISSUER, uri=URI, entries=ENTRIES, now=self.now, valid_for=timedelta(days=7),
            ttl_s=300,
        )  # fmt: skip
        for number in [n for n, one in self.model.items() if one.expires < self.now - FORGOTTEN_AFTER]:
            del self.model[number], self.states[number], self.changes[number]
        status_list = read_status_list(token, issuers=RING.issuers)
        assert self.last_issued_at < status_list.issued_at
        self.last_issued_at = status_list.issued_at
        assert {index for index in range(ENTRIES) if status_list.is_set(index)} == self._withdrawn()

    @rule()
    def reopen(self) -> None:
        self.register.close()
        self.begin()

    @invariant()
    def says_what_happened(self) -> None:
        if not hasattr(self, "register"):
            return
        kept = {one.pass_id: (one.state, one.status) for one in self.register.passes()}
        assert kept == {one.pass_id: (self.states[n], one.status) for n, one in self.model.items()}
        assert {*self.register.withdrawn_indices(URI)} == self._withdrawn()
        for number, changes in self.changes.items():
            assert [change.state for change in self.register.changes(pass_id(number))] == changes
        valid = sum(self.states[n] is PassState.VALID and one.expires > self.now for n, one in self.model.items())
        assert sum(used.passes for used in self.register.usage(now=self.now) if used.role == "issuer") == valid

    def _withdrawn(self) -> set[int]:
        withdrawn = (self.model[n].status for n, state in self.states.items() if state is not PassState.VALID)
        return {status.index for status in withdrawn if status is not None}

    def teardown(self) -> None:
        if hasattr(self, "register"):
            self.register.close()
        shutil.rmtree(self.folder)


TestRegisterMachine = RegisterMachine.TestCase
TestRegisterMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.too_slow]
)
