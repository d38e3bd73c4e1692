"""The office of the demo: a real one on SQLite, served on this machine, with accounts, gates and its jobs."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from openstile.assembly.office import OpenedOffice, open_office
from openstile.assembly.uplink import join
from openstile.assembly.wire import Installation
from openstile.demo.books import (
    Left,
    ShownBooks,
    ShownJourney,
    count_taps,
    read_books,
    read_journeys,
    read_left,
)
from openstile.demo.cast import HeldPass
from openstile.demo.city import CURRENCY, FEED_FOLDER, RULES_FILE, CityGate
from openstile.office.api.services import RiderServices
from openstile.office.observe.logs import lines_to
from openstile.office.payments.demonstration import DemonstrationProvider
from openstile.office.payments.payments import begin, opened, take_event
from openstile.office.riders.accounts import open_account
from openstile.office.riders.passes import adopt
from openstile.office.server import served_beside
from openstile.office.sync.claims import issue_claim
from openstile.office.sync.registry import add_gate
from openstile.terms import GateId
from openstile.terms.files import write_private
from openstile.terms.money import Money

_SECRET_FILE = "office/demo-provider.secret"  # noqa: S105


@contextmanager
def bound_socket() -> Iterator[socket.socket]:
    """A free port of this machine, taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


def office_settings(listener: socket.socket) -> bytes:
    """What stands in the operator's settings of the office."""
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    return f"""
[office]
name = "City Lines"
listen = "{address}"
public_url = "http://{address}"
currency = "{CURRENCY}"
feed = "{FEED_FOLDER}"
fare_rules = "{RULES_FILE}"
payments = ["demo"]
demo_secret_file = "{_SECRET_FILE}"
""".encode()


class DemoOffice:
    """The office as its operator uses it. `names`: how the demo calls the rider of each account."""

    def __init__(self, installation: Installation, office: OpenedOffice) -> None:
        self._clock = installation.clock
        self._office = office.office
        self._jobs = {job.name: job for job in office.jobs}
        self._riders = office.office.service(RiderServices)
        self._url = office.office.values.public_url
        self.names: dict[str, str] = {}

    def admit(self, gate: CityGate, installation: Installation) -> None:
        """Adds a gate, and lets it join with a claim token over HTTP."""
        with self._office.database.write() as connection:
            now, gate_id = self._clock.now(), GateId(gate.name)
            add_gate(
                connection, gate_id=gate_id, stop_id=gate.stop, network_id=gate.network, direction=gate.direction,
                now=now,
            )  # fmt: skip
            claim = issue_claim(connection, gate_id=gate_id, now=now)
        join(installation, self._url, claim.token)

    def open_account(self, held: HeldPass, *, category: str | None, top_up: Money) -> None:
        """An account for the rider of a pass, with money on it that the demo's payment provider took."""
        with self._office.database.write() as connection:
            account = open_account(
                connection, currency=CURRENCY, category=category, contact=None, on=self._today, new_id=_new_id
            )
            adopt(
                connection, signer=self._riders.signer, account_id=account.account_id,
                pass_id=held.enrolled.issued.pass_id, reference=held.kind.lower(), now=self._clock.now(),
            )  # fmt: skip
        self._pay_in(account.account_id, top_up)
        self.names[account.account_id] = held.rider

    def price(self) -> None:
        """What the office's job does every other second."""
        self._jobs["pricing"].run()

    def forget(self) -> None:
        """What the office's job does each hour."""
        self._jobs["retention"].run()

    def journeys(self) -> tuple[ShownJourney, ...]:
        """The journeys as they are priced now."""
        with self._office.database.read() as connection:
            return read_journeys(connection, self._riders.tariff(), self.names)

    def books(self) -> ShownBooks:
        """The ledger."""
        with self._office.database.read() as connection:
            return read_books(connection, self.names)

    def taps(self) -> int:
        """How many taps the office holds."""
        with self._office.database.read() as connection:
            return count_taps(connection)

    def left(self, *, gate_taps: int) -> Left:
        """What is there when trips have faded."""
        with self._office.database.read() as connection:
            return read_left(connection, self.names, gate_taps=gate_taps)

    @property
    def _today(self) -> date:
        return self._riders.today(self._clock.now())

    def _pay_in(self, account_id: str, amount: Money) -> None:
        """A top-up: the provider opens a payment, and a signed event of it says how that ended."""
        database, provider = self._office.database, self._riders.provider("demo")
        assert isinstance(provider, DemonstrationProvider)
        payment_id = _new_id()
        with database.write() as connection:
            begin(
                connection, account_id=account_id, provider=provider.name, amount=amount, today=self._today,
                payment_id=payment_id,
            )  # fmt: skip
        started = provider.start(payment_id=payment_id, amount=amount)
        with database.write() as connection:
            opened(connection, payment_id=payment_id, provider_ref=started.provider_ref)
        headers, body = provider.outcome(payment_id=payment_id, amount=amount)
        event = provider.read_event(headers=headers, body=body)
        with database.write() as connection:
            take_event(connection, provider=provider.name, event=event, today=self._today, new_id=_new_id)


@contextmanager
def open_demo_office(installation: Installation, listener: socket.socket) -> Iterator[DemoOffice]:
    """The office of this installation, served at a bound socket while the context is open; its log lies beside it."""
    home = installation.home
    write_private(home.folder / _SECRET_FILE, secrets.token_hex(16).encode())
    log = home.office_database.parent / "log.jsonl"
    write_private(log, b"")
    with (
        log.open("a", buffering=1) as lines,
        lines_to(lines),
        open_office(installation) as opened_office,
        served_beside(opened_office.office, listener),
    ):
        yield DemoOffice(installation, opened_office)


def _new_id() -> str:
    return secrets.token_hex(16)
