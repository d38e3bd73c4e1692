"""Migrations: what they make is what the tables say, and data survives them in both directions."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from tests.databases import NewDatabase
from tests.office.filled import contents, fill

from openstile import ledger, office
from openstile.office.store.database import Database
from openstile.office.store.migrations import SchemaError, check_current, is_current, migrate, version_of
from openstile.office.store.migrations.write import ENGINES, LATER_COLUMNS, LATER_TABLES, script_of
from openstile.office.store.schema import COLLECTIONS, all_tables

_ADVICE = "write a revision, or before a release run: python -m openstile.office.store.migrations.write"
_TRIGGERS = {
    "sqlite": "SELECT 'trigger ' || sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    " UNION ALL SELECT 'function ' || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.open(database_url)
    yield opened
    opened.close()


def facts(connection: Connection) -> set[str]:
    """The schema of a database, one line for each thing in it."""
    found = set()
    for table in sorted(set(inspect(connection).get_table_names()) - {"alembic_version"}):
        found |= {f"{kind} {table}: {_line(value)}" for kind, value in _things(connection, table)}
    triggers = connection.execute(text(_TRIGGERS[connection.dialect.name])).scalars()
    return found | {" ".join(trigger.replace(";", " ").split()) for trigger in triggers}


def _things(connection: Connection, table: str) -> Iterator[tuple[str, Any]]:
    look = inspect(connection)
    yield "primary key", look.get_pk_constraint(table)
    for column in look.get_columns(table):
        yield "column", column | {"type": str(column["type"])}
    others: dict[str, Any] = {
        "check": look.get_check_constraints(table),
        "unique": look.get_unique_constraints(table),
        "index": look.get_indexes(table),
        "foreign key": look.get_foreign_keys(table),
    }
    for kind, values in others.items():
        for value in values:
            yield kind, value


def _comparing(connection: Connection) -> MigrationContext:
    """Alembic does not know of foreign keys for one engine only (`ddl_if`); `facts` does."""
    options = {"include_object": lambda _object, _name, kind, *_: kind != "foreign_key_constraint"}
    return MigrationContext.configure(connection, opts=options)


def _line(value: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value[name]}" for name in sorted(value) if name not in ("comment", "dialect_options"))


def test_schema_after_migration_is_the_one_the_tables_declare(new_database: NewDatabase) -> None:
    declared, migrated = Database.open(new_database()), Database.open(new_database())
    for collection in COLLECTIONS:
        collection.create_all(declared.engine)
    migrate(migrated)
    with declared.read() as one, migrated.read() as other:
        wanted, made = facts(one), facts(other)
        assert wanted - made == set(), f"declared, and missing in the migrations; {_ADVICE}"
        assert made - wanted == set(), f"in the migrations, and declared nowhere; {_ADVICE}"
        assert compare_metadata(_comparing(other), list(COLLECTIONS)) == []  # type: ignore[arg-type]
    declared.close()
    migrated.close()


def test_difference_of_a_column_a_check_or_a_trigger_is_seen(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        before = facts(connection)
    assert any("ck_tap_review" in fact for fact in before)
    assert any("ledger_posting" in fact and fact.startswith("trigger") for fact in before)
    on = " ON ledger_posting" if not database.is_sqlite else ""
    with database.write() as connection:
        connection.execute(text("ALTER TABLE tap_day ADD COLUMN gate_id VARCHAR(40)"))
        connection.execute(text(f"DROP TRIGGER ledger_posting_stays{on}"))
    with database.read() as connection:
        changed = before ^ facts(connection)
    assert sorted(fact.split()[0] for fact in changed) == ["column", "trigger"]


def test_data_in_every_table_survives_up_and_down_as_far_as_the_older_schema_can_hold_it(database: Database) -> None:
    assert migrate(database) is None
    with database.write() as connection:
        fill(connection)
    with database.read() as connection:
        before = contents(connection)
    assert all(before.values()), "a table is empty"

    assert migrate(database, to="0001") == "0002"
    with database.read() as connection:
        assert version_of(connection) == "0001"
        assert not set(LATER_TABLES) & set(inspect(connection).get_table_names())
        columns = {(t, c["name"]) for t, _ in LATER_COLUMNS for c in inspect(connection).get_columns(t)}
        assert not columns & LATER_COLUMNS
    assert migrate(database) == "0001"

    with database.read() as connection:
        after = contents(connection)
    for table in all_tables():
        lost = {name for where, name in LATER_COLUMNS if where == table.name}
        if table.name in LATER_TABLES:
            assert after[table.name] == set()
        elif lost:
            kept = [n for n, column in enumerate(table.columns) if column.name not in lost]
            assert {tuple(row[n] for n in kept) for row in after[table.name]} == {
                tuple(row[n] for n in kept) for row in before[table.name]
            }
            added = [n for n, column in enumerate(table.columns) if column.name in lost]
            assert {row[n] for row in after[table.name] for n in added} == {0}
        else:
            assert after[table.name] == before[table.name], table.name


def test_down_to_nothing_and_up_again_with_data_in_every_table(database: Database) -> None:
    migrate(database)
    with database.write() as connection:
        fill(connection)
        first = facts(connection)
    assert migrate(database, to="base") == "0002"
    with database.read() as connection:
        assert version_of(connection) is None
        assert facts(connection) == set()
    migrate(database)
    with database.write() as connection:
        assert facts(connection) == first
        fill(connection)


def test_every_module_with_tables_is_known_to_the_schema() -> None:
    known = {table.name for table in all_tables()}
    for room in (ledger.store, office.store):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    assert {table.name for table in all_tables()} == known, "name the module in openstile.office.store.schema"


def test_server_refuses_every_version_but_its_own(database: Database) -> None:
    with pytest.raises(SchemaError, match="openstile office migrate"):
        check_current(database)
    migrate(database, to="0001")
    with pytest.raises(SchemaError, match="openstile office migrate"):
        check_current(database)
    with database.read() as connection:
        assert not is_current(connection)
    migrate(database)
    check_current(database)
    with database.write() as connection:
        assert is_current(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer"):
        check_current(database)
    with pytest.raises(SchemaError, match="newer"):
        migrate(database)


def test_migration_that_fails_leaves_the_old_version(database: Database) -> None:
    migrate(database, to="0001")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE fading (in_the_way INTEGER)"))
        before = facts(connection)
    with pytest.raises(Exception, match="fading"):
        migrate(database)
    with database.write() as connection:
        assert version_of(connection) == "0001"
        assert facts(connection) == before
        connection.execute(text("DROP TABLE fading"))
    migrate(database)


@pytest.mark.parametrize("engine", ENGINES)
def test_scripts_part_statements_by_empty_lines(engine: str) -> None:
    statements = script_of(engine).strip().split("\n\n")
    assert all(statement.startswith("CREATE ") and statement.endswith(";") for statement in statements)
