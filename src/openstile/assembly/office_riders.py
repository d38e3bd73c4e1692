"""What an office does for riders, wired up: fares, the issuer, payment providers, and what it does by itself."""

import secrets
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial

from openstile.assembly.issuing import RegisteringSigner
from openstile.assembly.office_keeping import forget_in
from openstile.assembly.settings_office import OfficeTable, read_secret
from openstile.assembly.wire import Installation
from openstile.assembly.withdrawal import refresh_lists
from openstile.fares import Tariff, read_feed, read_rules
from openstile.ledger.store import Ledger
from openstile.office.api.services import RiderServices
from openstile.office.jobs import Job
from openstile.office.payments import PaymentProvider
from openstile.office.payments.demonstration import DemonstrationProvider
from openstile.office.payments.refunds import ask_again
from openstile.office.payments.stripe_provider import StripeProvider
from openstile.office.pricing import open_books, price_due
from openstile.office.pricing.rows import UNFADED_DAYS, days_back, held_products
from openstile.office.riders.faults import NotSetUpError
from openstile.office.store.database import Database
from openstile.passes.keyfile import Role
from openstile.terms.errors import BadInputError

_new_id = partial(secrets.token_hex, 16)
_PRICING_S, _HOLDS_S, _REFUNDS_S, _LISTS_S, _RETENTION_S = 2, 60, 60, 10, 3600


def rider_services(installation: Installation, database: Database) -> RiderServices:
    """Fares, issuer and providers of the settings; the books are opened. Raises BadInputError.

    An office without a feed serves its gates, and answers riders that it is not set up.
    """
    table = installation.settings.office
    services = RiderServices(
        signer=RegisteringSigner(installation.home, installation.settings),
        make_tariff=_tariffs(installation),
        providers={provider.name: provider for provider in _providers(installation, table)},
    )
    if table.feed:
        tariff = services.tariff()
        if tariff.currency != table.currency:
            raise BadInputError(f"office.currency: is {table.currency}, the fares are in {tariff.currency}; set it so")
        now = installation.clock.now()
        with database.write() as connection:
            _check_periods(tariff, held_products(connection, ending_from=days_back(now)))
            open_books(Ledger(connection), table.currency, on=tariff.service_day(now))
    return services


def rider_jobs(installation: Installation, database: Database, services: RiderServices) -> tuple[Job, ...]:
    """What the office does for riders by itself. Without a feed nothing is priced; all else goes on."""
    clock, has_fares = installation.clock, bool(installation.settings.office.feed)

    def price() -> bool:
        return price_due(database, tariff=services.tariff(), now=clock.now, new_id=_new_id) > 0

    def expire_holds() -> None:
        with database.write() as connection:
            Ledger(connection).expire_due(clock.now())

    def forget() -> None:
        forget_in(database, installation, tariff=services.tariff() if has_fares else None)

    jobs = [
        Job("holds", _HOLDS_S, expire_holds),
        Job("refunds", _REFUNDS_S, partial(ask_again, database, services.providers)),
        Job("status lists", _LISTS_S, partial(_refresh_lists, installation)),
        Job("retention", _RETENTION_S, forget),
    ]
    return (*([Job("pricing", _PRICING_S, price)] if has_fares else []), *jobs)


def _check_periods(tariff: Tariff, held: Mapping[str, date]) -> None:
    """Raises BadInputError where riders hold what the rules do not have: their rides could not be priced."""
    for product, until in sorted(held.items()):
        if product not in tariff.rules.periods:
            raise BadInputError(
                f"office.fare_rules: lacks [periods.{product}], which riders hold until {until}; put it back, "
                f"and leave it until {until + timedelta(days=UNFADED_DAYS)}"
            )


def _refresh_lists(installation: Installation) -> None:
    """Builds what changed, where this home is an issuer's."""
    name, now = installation.settings.issuer.id, installation.clock.now()
    if any((info.role, info.name) == (Role.ISSUER, name) for info in installation.keys.list_keys(now=now)):
        refresh_lists(installation)


def _tariffs(installation: Installation) -> Callable[[], Tariff]:
    """Makes tariffs of one feed that was read once. Raises BadInputError."""
    table, folder = installation.settings.office, installation.home.folder
    if not table.feed:

        def refuse() -> Tariff:
            raise NotSetUpError

        return refuse
    feed = read_feed(folder / table.feed)
    rules = read_rules(folder / table.fare_rules) if table.fare_rules else None
    return lambda: Tariff(feed, rules)


def _providers(installation: Installation, table: OfficeTable) -> tuple[PaymentProvider, ...]:
    """The providers that the settings name, with the secrets of their files. Raises BadInputError."""

    def secret(key: str) -> str:
        name = getattr(table, key)
        if not name:
            raise BadInputError(f"office.{key}: is empty; name the file, or take the provider out of office.payments")
        return read_secret(installation.home.folder / name, what=f"office.{key}")

    found: list[PaymentProvider] = []
    for name in dict.fromkeys(table.payments):
        if name == "stripe":
            found.append(
                StripeProvider(api_key=secret("stripe_key_file"), webhook_secret=secret("stripe_webhook_secret_file"))
            )
        else:
            found.append(DemonstrationProvider(secret("demo_secret_file").encode()))
    return tuple(found)
