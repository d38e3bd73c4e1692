"""What all tables share: one collection of them, and a column that says what it holds and for how long.

Times are whole microseconds since 1970 (UTC), ids that name a person's things are random: they say nothing of when.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData
from sqlalchemy.types import TypeEngine

from openstile.terms.held import Held, Holds, Until

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""A number that counts up by itself; SQLite counts only INTEGER."""
PASS_ID = LargeBinary(16)
HASH = LargeBinary(32)


def column(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    *rest: Any,
    holds: Holds = Holds.NOTHING,
    until: Until = Until.STAYS,
    nullable: bool = False,
    **options: Any,
) -> Column[Any]:
    """A column with its declaration (terms.held): the open books and the fading job are made from it."""
    return Column(name, kind, *rest, nullable=nullable, info={"held": Held(holds, until)}, **options)
