"""Gates of the office, from its own machine: what staff do about them over the API too (office.api.gate_staff)."""

from datetime import timedelta

from openstile.assembly.office_database import open_office_database
from openstile.assembly.office_keeping import tariff_of
from openstile.assembly.wire import Installation
from openstile.fares.places import check_place
from openstile.journal import Direction
from openstile.office.staff.audit import record_action
from openstile.office.sync.claims import IssuedClaim, issue_claim
from openstile.office.sync.registry import KnownGate, add_gate, list_gates, lock_gate, unlock_gate
from openstile.terms import GateId
from openstile.terms.limits import PAGE_ITEMS_MAX


def new_gate(
    installation: Installation, name: str, *, stop: str, network: str | None, direction: Direction
) -> KnownGate:
    """Adds a gate at a stop of the feed (any where no feed is set); it is admitted when it uses a token.

    Raises BadInputError, SyncError.
    """
    gate_id, now = GateId(name), installation.clock.now()
    tariff = tariff_of(installation)
    if tariff is not None:
        check_place(tariff.feed, stop_id=stop, network_id=network)
    with open_office_database(installation) as database, database.write() as connection:
        gate = add_gate(
            connection, gate_id=gate_id, stop_id=stop, network_id=network, direction=direction, now=now
        )  # fmt: skip
        record_action(connection, None, "gate.add", name, now=now)
    return gate


def claim_token(installation: Installation, name: str, *, ttl: timedelta) -> IssuedClaim:
    """A token with which the gate makes itself known, once; tokens given out before are void.

    Raises BadInputError, SyncError.
    """
    gate_id, now = GateId(name), installation.clock.now()
    with open_office_database(installation, new=False) as database, database.write() as connection:
        issued = issue_claim(connection, gate_id=gate_id, now=now, ttl=ttl)
        record_action(connection, None, "gate.claim", name, now=now)
    return issued


def all_gates(installation: Installation) -> tuple[KnownGate, ...]:
    """All gates, by name."""
    found: list[KnownGate] = []
    with open_office_database(installation, new=False) as database, database.read() as connection:
        while True:
            page = list_gates(connection, after=found[-1].gate_id.value if found else "")
            found.extend(page)
            if len(page) < PAGE_ITEMS_MAX:
                return tuple(found)


def lock(installation: Installation, name: str) -> KnownGate:
    """Nothing of the gate is taken from now on. Raises BadInputError, SyncError."""
    gate_id, now = GateId(name), installation.clock.now()
    with open_office_database(installation, new=False) as database, database.write() as connection:
        gate = lock_gate(connection, gate_id)
        record_action(connection, None, "gate.lock", name, now=now)
    return gate


def unlock(installation: Installation, name: str) -> KnownGate:
    """Ends a lock. Raises BadInputError, SyncError."""
    gate_id, now = GateId(name), installation.clock.now()
    with open_office_database(installation, new=False) as database, database.write() as connection:
        gate = unlock_gate(connection, gate_id)
        record_action(connection, None, "gate.unlock", name, now=now)
    return gate
