"""The schema's revisions: how a database of any older version becomes one of this version, and back.

Revision 0001 runs the statements of `schema_0001.ENGINE.sql`, which `python -m openstile.office.store.migrations.write`
makes from the tables. Once a version was released, its revisions stay as they are; a change is a revision of its own.
"""

from openstile.office.store.migrations.running import SchemaError, check_current, is_current, migrate, version_of

__all__ = ["SchemaError", "check_current", "is_current", "migrate", "version_of"]
