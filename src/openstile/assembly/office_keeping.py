"""Keeping an office's database: its version, backups, what is forgotten, what is held."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from openstile.assembly.office_database import open_office_database
from openstile.assembly.wire import Installation
from openstile.fares.feed import read_feed
from openstile.fares.rules_file import read_rules
from openstile.fares.tariff import Tariff
from openstile.office.backup import Manifest, make_backup, prune, restore
from openstile.office.backup.make import Backup
from openstile.office.backup.prune import Pruned
from openstile.office.forgetting import Faded, Retention, fade, preview, run_retention
from openstile.office.forgetting.data_held import HeldTable, live_tables
from openstile.office.pricing import price_due
from openstile.office.store.database import Database
from openstile.office.store.migrations import migrate

_new_id = partial(secrets.token_hex, 16)


def retention_of(installation: Installation) -> Retention:
    """The operator's table `retention`, as the office takes it. Raises BadInputError."""
    table = installation.settings.retention
    return Retention(table.trips_hours, table.review_days, table.audit_days, table.backup_days)


def tariff_of(installation: Installation) -> Tariff | None:
    """The tariff that the settings name, None without a feed. Raises BadInputError."""
    table, folder = installation.settings.office, installation.home.folder
    if not table.feed:
        return None
    return Tariff(read_feed(folder / table.feed), read_rules(folder / table.fare_rules) if table.fare_rules else None)


def service_day_by(tariff: Tariff | None) -> Callable[[datetime], date]:
    """On which day a tap counts: the tariff's service day, the day in UTC without one."""
    return _utc_day if tariff is None else tariff.service_day


def migrate_office(installation: Installation) -> str | None:
    """Brings the database to this version; returns the one that it had, None for an empty one."""
    with _any_database(installation) as database:
        return migrate(database)


def back_up_office(installation: Installation, target: Path) -> Backup:
    """A backup of the office's database at `target`, a new file or a folder that is there."""
    with _any_database(installation) as database:
        return make_backup(database, target, now=installation.clock.now())


def prune_backups(installation: Installation, folder: Path) -> Pruned:
    """Removes backups in `folder` whose days are over."""
    return prune(folder, now=installation.clock.now(), backup_days=retention_of(installation).backup_days)


def restore_office(installation: Installation, backup: Path, *, replace: bool) -> Manifest:
    """Puts a backup in place of the office's database, with trips faded that are old by now."""
    fading = partial(
        fade, now=installation.clock.now(), retention=retention_of(installation),
        service_day=service_day_by(tariff_of(installation)), new_id=_new_id,
    )  # fmt: skip
    with _any_database(installation) as database:
        return restore(backup, database, fading=fading, replace=replace)


def forget(installation: Installation, *, dry_run: bool = False, rewrite: bool = False) -> Faded:
    """Prices what is due and lets fade what is old; or says what would fade now, without pricing."""
    tariff, retention = tariff_of(installation), retention_of(installation)
    with open_office_database(installation, new=False) as database:
        if dry_run:
            return preview(
                database, now=installation.clock.now(), retention=retention, service_day=service_day_by(tariff),
                new_id=_new_id,
            )  # fmt: skip
        return forget_in(database, installation, tariff=tariff, rewrite=rewrite)


def forget_in(database: Database, installation: Installation, *, tariff: Tariff | None, rewrite: bool = False) -> Faded:
    """What the office's job does each hour. One tariff is for one thread."""

    def price() -> int:
        if tariff is None:
            return 0
        return price_due(database, tariff=tariff, now=installation.clock.now, new_id=_new_id)

    return run_retention(
        database, clock=installation.clock, retention=retention_of(installation),
        service_day=service_day_by(tariff), new_id=_new_id, price=price, rewrite=rewrite,
    )  # fmt: skip


def data_held(installation: Installation) -> tuple[HeldTable, ...]:
    """What the office's own database holds, with the declarations."""
    with open_office_database(installation, new=False) as database, database.read() as connection:
        return live_tables(connection)


@contextmanager
def _any_database(installation: Installation) -> Iterator[Database]:
    """The office's database, of whichever version."""
    database = Database.open(installation.settings.office.database or f"sqlite:///{installation.home.office_database}")
    try:
        yield database
    finally:
        database.close()


def _utc_day(at: datetime) -> date:
    return at.astimezone(UTC).date()
