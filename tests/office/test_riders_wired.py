"""Riders' services as the assembly wires them: with and without fares, with providers' secrets; and many at once."""

import re
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.office.office_world import OfficeWorld, TurnedClock, problem_name
from tests.office.rider_world import RiderWorld, furnish, rider_world
from tests.office.sync_workshop import new_id

from openstile.assembly.home import Home
from openstile.assembly.office import open_office
from openstile.assembly.wire import Installation
from openstile.journal.taps import microseconds_of
from openstile.office.api.services import RiderServices
from openstile.office.payments.stripe_provider import StripeProvider
from openstile.office.pricing import price_due
from openstile.office.pricing.price import price_accounts
from openstile.office.riders.periods import buy
from openstile.office.staff.roles import Role
from openstile.office.store.due import make_due
from openstile.terms import BadInputError, OpenstileError


def _set(home: Home, old: str, new: str) -> None:
    text = home.settings.read_text()
    assert old in text
    home.settings.write_text(text.replace(old, new))


def _open(home: Home) -> RiderServices:
    with open_office(Installation.open(home, clock=TurnedClock())) as opened:
        return opened.office.service(RiderServices)


def test_office_without_fares_serves_gates_and_tells_riders_that_it_is_not_set_up(tmp_path: Path) -> None:
    home = furnish(tmp_path / "home", feed=False)
    with open_office(Installation.open(home, clock=TurnedClock())) as opened:
        assert "pricing" not in [job.name for job in opened.jobs]
        for job in opened.jobs:
            job.run()
        world = OfficeWorld.around(opened.office)
        operator = world.staff(Role.OPERATOR)
        answer = world.ask("POST", "/v1/accounts", as_=operator, json={})
        assert (answer.status_code, problem_name(answer)) == (503, "unavailable")
        assert "office.feed" in answer.json()["detail"]
        assert world.ask("GET", "/v1/gates", as_=operator).status_code == 200


def test_gate_stands_where_the_feed_has_a_stop_and_a_network(tmp_path: Path) -> None:
    with open_office(Installation.open(furnish(tmp_path / "home"), clock=TurnedClock())) as opened:
        world = OfficeWorld.around(opened.office)
        operator, gate = world.staff(Role.OPERATOR), {"gate": "hill-in", "stop": "hill", "direction": "in"}
        for wrong in ({"stop": "Hill"}, {"network": "tarm"}):
            answer = world.ask("POST", "/v1/gates", as_=operator, json=gate | wrong)
            assert (answer.status_code, problem_name(answer)) == (422, "invalid-request")
        assert world.ask("GET", "/v1/gates", as_=operator).json()["items"] == []
        assert world.ask("POST", "/v1/gates", as_=operator, json=gate | {"network": "tram"}).status_code == 201


def test_rules_keep_period_products_while_riders_hold_them_and_no_longer(tmp_path: Path, database_url: str) -> None:
    """Their rides could not be priced; the operator is told when the office starts, and not by what is never paid."""
    with rider_world(tmp_path, database_url) as riders:
        account = riders.account()
        riders.top_up(account)
        bought = riders.pay(f"/v1/accounts/{account}/periods", {"product": "month", "from_day": "2026-06-01"})
        assert bought.status_code == 201
        home, now = riders.installation.home, riders.world.clock.now()
    rules = home.folder / "fares.toml"
    rules.write_text(re.sub(r"\[periods\.month\].*?\n\n", "", rules.read_text(), flags=re.DOTALL))
    with pytest.raises(BadInputError, match=r"lacks \[periods\.month\], which riders hold until 2026-06-30"):
        _at(home, now)
    later = now + timedelta(days=30 + 62)
    with open_office(Installation.open(home, clock=TurnedClock(later))) as opened:
        tariff = opened.office.service(RiderServices).tariff()
        with opened.office.database.write() as connection:
            price_accounts(connection, tariff=tariff, account_ids=[account], now=later, new_id=new_id)


def _at(home: Home, now: datetime) -> None:
    with open_office(Installation.open(home, clock=TurnedClock(now))):
        pass


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[office]\n", '[office]\ncurrency = "USD"\n', "office.currency"),
        ("[office]\n", '[office]\ncurrency = "euro"\n', "office.currency"),
        ("[office]\n", '[office]\nlisten = "here"\n', "as 127.0.0.1:8080"),
        ("[office]\n", '[office]\npublic_url = "https://office.example/"\n', "with nothing behind it"),
        ('database = ""', 'database = "sqlite:///office.db"', "whole path"),
        ('database = ""', 'database = "mysql://host/name"', "postgresql://"),
        ('feed = "feed"\n', "", "fare_rules goes with a feed"),
        ('feed = "feed"', 'feed = "nowhere"', "nowhere"),
        ('fare_rules = "fares.toml"', 'fare_rules = "nowhere.toml"', "nowhere.toml"),
        ('demo_secret_file = "demo-secret"', "", "office.demo_secret_file: is empty"),
        ('["demo"]', '["stripe"]', "office.stripe_key_file: is empty"),
        ('["demo"]', '["cash"]', "office.payments"),
    ],
)
def test_setting_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, old: str, new: str, says: str) -> None:
    home = furnish(tmp_path / "home")
    _set(home, old, new)
    with pytest.raises(OpenstileError, match=says):
        _open(home)


def test_secret_of_a_provider_that_others_can_read_is_refused(tmp_path: Path) -> None:
    home = furnish(tmp_path / "home")
    (home.folder / "demo-secret").chmod(0o644)
    with pytest.raises(BadInputError, match=r"office\.demo_secret_file"):
        _open(home)


def test_stripe_is_wired_from_its_files_and_no_provider_by_default(tmp_path: Path) -> None:
    home = furnish(tmp_path / "home")
    _set(home, 'payments = ["demo"]', "")
    assert _open(home).providers == {}
    _set(home, "[office]\n", '[office]\npayments = ["stripe"]\nstripe_key_file = "key"\n'
         'stripe_webhook_secret_file = "hook"\n')  # fmt: skip
    for name in ("key", "hook"):
        (home.folder / name).write_text(f"{name}_{secrets.token_hex(16)}\n")
        (home.folder / name).chmod(0o600)
    providers = _open(home).providers
    assert set(providers) == {"stripe"}
    assert isinstance(providers["stripe"], StripeProvider)


def test_rules_of_the_feed_are_read_once_and_each_thread_has_its_tariff(tmp_path: Path) -> None:
    services = _open(furnish(tmp_path / "home"))
    found: list[object] = [services.tariff(), services.tariff()]
    thread = threading.Thread(target=lambda: found.append(services.tariff()))
    thread.start()
    thread.join()
    assert found[0] is found[1]
    assert found[0] is not found[2]
    assert services.tariff().rules.periods.keys() == {"month", "ten"}


def _buying(riders: RiderWorld, accounts: list[str]) -> Callable[[], None]:
    office, now = riders.world.office, riders.world.clock.now()
    tariff = office.service(RiderServices).make_tariff()

    def work() -> None:
        for account in accounts:
            with office.database.write() as connection:
                buy(connection, tariff=tariff, account_id=account, product_id="ten",
                    from_day=tariff.service_day(now), now=now, new_id=new_id)  # fmt: skip

    return work


def _storing(riders: RiderWorld, accounts: list[str]) -> Callable[[], None]:
    def work() -> None:
        with riders.world.office.database.write() as connection:
            make_due(connection, accounts, at_us=microseconds_of(riders.world.clock.now()))

    return work


def _pricing(riders: RiderWorld, _accounts: list[str]) -> Callable[[], object]:
    office = riders.world.office
    tariff = office.service(RiderServices).make_tariff()
    return lambda: price_due(office.database, tariff=tariff, now=riders.world.clock.now, new_id=new_id)


def test_buying_pricing_and_storing_at_once_wait_for_each_other_and_none_for_ever(riders: RiderWorld) -> None:
    """Locks are taken in one order: what is due, then the account. Else PostgreSQL would end one as a deadlock."""
    accounts, rounds = [riders.account() for _ in range(2)], 12
    for account in accounts:
        riders.top_up(account, 500_000)
    failed: list[str] = []
    works = [make(riders, accounts) for make in (_buying, _storing, _pricing, _pricing)]
    ready = threading.Barrier(len(works))

    def repeat(work: Callable[[], object]) -> None:
        ready.wait()
        try:
            for _ in range(rounds):
                work()
        except OpenstileError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [riders.balance(account) for account in accounts] == [500_000 - rounds * 2200] * 2
    riders.check_books()
