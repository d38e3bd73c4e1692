"""All tables of the office's database: its own, and those of the ledger."""

from sqlalchemy import MetaData, Table

from openstile.ledger.store import triggers
from openstile.ledger.store.tables import LEDGER
from openstile.office.store import accounts, fading, gates, journeys, payments, people, people_triggers, taps
from openstile.office.store.metadata import METADATA

COLLECTIONS: tuple[MetaData, ...] = (METADATA, LEDGER)
MODULES = (accounts, fading, gates, journeys, payments, people, people_triggers, taps, triggers)
"""Importing them puts their tables into METADATA, and triggers behind them."""


def all_tables() -> tuple[Table, ...]:
    """Every table, one that others refer to before them."""
    return tuple(table for collection in COLLECTIONS for table in collection.sorted_tables)
