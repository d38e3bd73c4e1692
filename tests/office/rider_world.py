"""An office as the assembly makes it, with fares, an issuer and demo payments: riders ride and pay, staff serve."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection
from tests.fares.feed_workshop import folder_feed
from tests.office.office_world import START, OfficeWorld, TurnedClock
from tests.office.priced_world import City
from tests.passes.pass_workshop import FACE

from openstile.assembly.home import Home, open_home
from openstile.assembly.office import open_office
from openstile.assembly.wire import Installation
from openstile.issuer import PassRegister
from openstile.journal import Direction
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.api.services import RiderServices
from openstile.office.jobs import Job
from openstile.office.payments import EventKind
from openstile.office.payments.demonstration import DemonstrationProvider
from openstile.office.pricing import rider_account
from openstile.office.staff.roles import RiderAccount, Role, StaffMember
from openstile.passes.envelope import commit
from openstile.passes.reference import Reference, ReferenceKind
from openstile.terms import PassId
from openstile.terms.money import Money

DEMO_SECRET = "a secret of the demo provider"
LIST_URI = "https://office.example/v1/status-lists/1"
PRODUCTS = "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
FEED = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Hill Trams,https://trams.example,Europe/Berlin\n",
    "stops.txt": "stop_id,stop_name\nhill,Hill\nbridge,Bridge\nmill,Mill\n",
    "areas.txt": "area_id\ntown\n",
    "stop_areas.txt": "area_id,stop_id\ntown,hill\ntown,bridge\n",
    "routes.txt": "route_id,route_type,network_id\nR1,0,tram\n",
    "rider_categories.txt": (
        "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\nchild,Child,\n"
    ),
    "fare_products.txt": f"{PRODUCTS}single,Single,adult,2.80,EUR\nsingle,Single,child,1.40,EUR\n",
    "fare_leg_rules.txt": (
        "leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,to_timeframe_group_id,fare_product_id,"
        "rule_priority\ntown,tram,town,town,,,single,\n"
    ),
}
RULES = """
currency = "EUR"

[systems.tram]
networks = ["tram"]
mode = "entry_exit"
journey_minutes_max = 120
maximum = "5.00"

[caps.day]
name = "Day"
window = "service_day"
kind = "amount"
limit = "7.00"

[periods.month]
name = "Monthly pass"
days = 30
price = "40.00"
price_by_category = { child = "20.00" }
products = ["single"]

[periods.ten]
name = "Ten rides"
days = 365
rides = 10
price = "22.00"
products = ["single"]
"""


def furnish(folder: Path, *, database: str = "", feed: bool = True, start: datetime = START) -> Home:
    """A home with settings, a feed, rules, the demo provider and first keys."""
    home = open_home(folder)
    folder_feed(home.folder / "feed", FEED)
    (home.folder / "fares.toml").write_text(RULES)
    secret = home.folder / "demo-secret"
    secret.write_text(DEMO_SECRET + "\n")
    secret.chmod(0o600)
    fares = 'feed = "feed"\nfare_rules = "fares.toml"\n' if feed else ""
    home.settings.write_text(
        f'[issuer]\nstatus_list_uri = "{LIST_URI}"\nstatus_list_size = 1024\n'
        f'[office]\ndatabase = "{database}"\npayments = ["demo"]\ndemo_secret_file = "demo-secret"\n{fares}'
    )
    home.settings.chmod(0o600)
    Installation.open(home, clock=TurnedClock(start)).ensure_keys()
    return home


@dataclass
class DeskSide:
    """What never leaves the desk: the reference and its salt."""

    reference: Reference = FACE
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def order(self, **changed: Any) -> dict[str, Any]:
        """The body that asks for a pass."""
        reference: dict[str, Any] = {
            "kind": self.reference.kind.value,
            "commitment": commit(salt=self.salt, data=self.reference.data).hex(),
        }
        if self.reference.kind is ReferenceKind.FACE:
            reference["pack_id"] = self.reference.pack_id
        return {"product": "single", "valid_days": 30, "supervised": True, "reference": reference} | changed


@dataclass
class RiderWorld:
    """The office, its API, its jobs, and a city whose gates send it taps."""

    world: OfficeWorld
    installation: Installation
    jobs: dict[str, Job]
    city: City
    agent: StaffMember
    operator: StaffMember
    auditor: StaffMember
    provider: DemonstrationProvider = field(default_factory=lambda: DemonstrationProvider(DEMO_SECRET.encode()))

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request; by an operator unless `as_` says by whom."""
        return self.world.ask(method, path, **{"as_": self.operator, **more})

    def pay(self, path: str, body: Any, *, key: str | None = None, **more: Any) -> httpx.Response:
        """A POST that moves money."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self.ask("POST", path, json=body, headers=headers, **more)

    def account(self, **body: Any) -> str:
        """A new account."""
        answer = self.ask("POST", "/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["account_id"])

    def rider(self, **body: Any) -> RiderAccount:
        """A new account, as its rider."""
        return RiderAccount(self.account(**body))

    def issue(self, account: str, desk: DeskSide | None = None, **changed: Any) -> dict[str, Any]:
        """A new pass's answer."""
        answer = self.ask("POST", f"/v1/accounts/{account}/passes", json=(desk or DeskSide()).order(**changed))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def pass_of(self, account: str) -> PassId:
        """A new pass."""
        return PassId(bytes.fromhex(self.issue(account)["pass_id"]))

    def top_up(self, account: str, minor: int = 5000) -> str:
        """Money that was paid in; the payment's id."""
        amount = {"minor": minor, "currency": "EUR"}
        started = self.pay(f"/v1/accounts/{account}/payments", {"provider": "demo", "amount": amount})
        assert started.status_code == 201, started.text
        payment_id = str(started.json()["payment_id"])
        headers, body = self.provider.outcome(payment_id=payment_id, amount=Money(minor, "EUR"))
        assert self.tell(headers, body).status_code == 204
        return payment_id

    def tell(self, headers: dict[str, str], body: bytes) -> httpx.Response:
        """What the demo provider sends."""
        return self.world.ask("POST", "/v1/providers/demo/events", headers=headers, content=body)

    def tell_refund(self, payment_id: str, kind: EventKind, minor: int, **which: str) -> httpx.Response:
        """What the demo provider sends of a refund or dispute."""
        more = {"item_ref": secrets.token_hex(4), **which}
        headers, body = self.provider.event(
            kind, payment_ref=f"demo_{payment_id}", amount=Money(minor, "EUR"), **more
        )  # fmt: skip
        return self.tell(headers, body)

    def open_gates(self) -> None:
        """Gates at Hill and Bridge, in and out, and one in at a stop that no fare is for."""
        for stop in ("hill", "bridge"):
            for way in (Direction.IN, Direction.OUT):
                self.city.gate(f"{stop}-{way.value}", stop, way, network="tram")
        self.city.gate("mill-out", "mill", Direction.OUT, network="tram")

    def ride(self, pass_id: PassId, *, price: bool = True, to: str = "bridge") -> None:
        """From Hill to somewhere, in twenty minutes; what the gates sent is priced."""
        self.city.tap(self.city.gates["hill-in"], pass_id)
        self.world.clock.turn(minutes=20)
        self.city.tap(self.city.gates[f"{to}-out"], pass_id)
        self.world.clock.turn(minutes=1)
        self.city.sync()
        if price:
            self.city.price()

    def balance(self, account: str) -> int:
        """What the account holds, in minor units."""
        with self.database_read() as connection:
            return Ledger(connection).balance(rider_account(account)).minor

    def register(self) -> PassRegister:
        """The issuer's register."""
        return PassRegister.open(self.installation.home.register)

    @contextmanager
    def database_read(self) -> Iterator[Connection]:
        """A look into the database."""
        with self.world.office.database.read() as connection:
            yield connection

    def check_books(self) -> None:
        """Sound, and in balance."""
        with self.database_read() as connection:
            assert verify(connection).findings == ()


@contextmanager
def rider_world(folder: Path, database_url: str, *, start: datetime = START) -> Iterator[RiderWorld]:
    """A whole office on the empty database at this address; without one in a file of its home."""
    home = furnish(folder / "home", database=database_url, start=start)
    clock = TurnedClock(start)
    installation = Installation.open(home, clock=clock)
    with open_office(installation) as opened:
        world = OfficeWorld.around(opened.office)
        tariff = opened.office.service(RiderServices).tariff()
        city = City(opened.office.database, folder, clock=clock, tariff=tariff)  # type: ignore[arg-type]
        staff = {role: world.staff(role) for role in Role}
        yield RiderWorld(
            world, installation, {job.name: job for job in opened.jobs}, city,
            staff[Role.AGENT], staff[Role.OPERATOR], staff[Role.AUDITOR],
        )  # fmt: skip
        for gate in city.gates.values():
            gate.journal.close()
