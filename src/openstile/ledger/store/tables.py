"""The ledger's tables. Postings and entries are only ever added to (openstile.ledger.store.triggers sees to it).

No row holds a time, and none a number that counts up with postings: which posting came first within a day is not kept.
SQLite's tables of postings are WITHOUT ROWID for the same reason.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from openstile.terms.held import Held, Holds, Until
from openstile.terms.limits import LEDGER_ENTRIES_MAX, LEDGER_MEMO_CHARS_MAX, MONEY_MINOR_MAX

LEDGER = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ACCOUNT_NO = BigInteger().with_variant(Integer, "sqlite")
"""A number that counts up by itself; SQLite counts only INTEGER."""
_ID = String(32)
_HASH = LargeBinary(32)


def _column(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    *,
    holds: Holds = Holds.NOTHING,
    until: Until = Until.BOOKS_CLOSE,
    nullable: bool = False,
    **options: Any,
) -> Column[Any]:
    return Column(name, kind, nullable=nullable, info={"held": Held(holds, until)}, **options)


ACCOUNT = Table(
    "ledger_account",
    LEDGER,
    _column("account_no", _ACCOUNT_NO, primary_key=True, autoincrement=True, holds=Holds.ACCOUNT),
    _column("name", String(80), holds=Holds.ACCOUNT),
    _column("kind", String(9)),
    _column("currency", String(3)),
    _column("overdraft_minor", BigInteger, nullable=True),
    _column("shards", SmallInteger),
    _column("opened_on", Date, holds=Holds.DAY),
    UniqueConstraint("name"),
    CheckConstraint("kind IN ('asset', 'liability', 'equity', 'income', 'expense')", name="kind"),
    CheckConstraint(f"overdraft_minor BETWEEN 0 AND {MONEY_MINOR_MAX}", name="overdraft"),
    CheckConstraint("shards >= 1 AND (shards = 1 OR overdraft_minor IS NULL)", name="shards"),
)
"""An account of one currency. `overdraft_minor`: how far it may go below zero on its normal side; NULL is no limit."""

BALANCE = Table(
    "ledger_balance",
    LEDGER,
    _column("account_no", _ACCOUNT_NO, primary_key=True, autoincrement=False, holds=Holds.ACCOUNT),
    _column("shard", SmallInteger, primary_key=True),
    _column("balance_minor", BigInteger, holds=Holds.MONEY),
    _column("held_minor", BigInteger, holds=Holds.MONEY),
    ForeignKeyConstraint(["account_no"], ["ledger_account.account_no"]),
    CheckConstraint(f"balance_minor BETWEEN -{MONEY_MINOR_MAX} AND {MONEY_MINOR_MAX}", name="balance"),
    CheckConstraint(f"held_minor BETWEEN 0 AND {MONEY_MINOR_MAX}", name="held"),
    sqlite_with_rowid=False,
)
"""What the entries of an account sum to, debit positive, kept by the transaction that adds them; an account's shards
are summed. `held_minor`: what pending holds reserve, of the first shard."""

POSTING = Table(
    "ledger_posting",
    LEDGER,
    _column("posting_id", _ID, primary_key=True),
    _column("kind", String(24)),
    _column("day", Date, holds=Holds.DAY),
    _column("key", String(100)),
    _column("request_hash", _HASH),
    _column("memo", String(LEDGER_MEMO_CHARS_MAX)),
    _column("reverses", _ID, nullable=True),
    _column("entries", SmallInteger),
    UniqueConstraint("key"),
    UniqueConstraint("reverses"),
    ForeignKeyConstraint(["reverses"], ["ledger_posting.posting_id"]),
    CheckConstraint(f"entries BETWEEN 2 AND {LEDGER_ENTRIES_MAX}", name="entries"),
    sqlite_with_rowid=False,
)
"""`key`: the idempotency key, `request_hash` that of what was asked with it. `entries`: how many there are, no more."""

ENTRY = Table(
    "ledger_entry",
    LEDGER,
    _column("posting_id", _ID, primary_key=True),
    _column("position", SmallInteger, primary_key=True),
    _column("account_no", _ACCOUNT_NO, holds=Holds.ACCOUNT),
    _column("day", Date, holds=Holds.DAY),
    _column("amount_minor", BigInteger, holds=Holds.MONEY),
    _column("currency", String(3)),
    ForeignKeyConstraint(
        ["posting_id"], ["ledger_posting.posting_id"], deferrable=True, initially="DEFERRED"
    ).ddl_if(dialect="sqlite"),
    Index("ix_ledger_entry_account_no_day", "account_no", "day", "posting_id", "position"),
    CheckConstraint(
        f"amount_minor <> 0 AND amount_minor BETWEEN -{MONEY_MINOR_MAX} AND {MONEY_MINOR_MAX}", name="amount"
    ),
    sqlite_with_rowid=False,
)  # fmt: skip
"""A debit (positive) or credit (negative). `day` is the posting's. That posting and account are there, and the account
is of this currency, triggers check: foreign keys would lock the row of a busy account in PostgreSQL."""

HOLD = Table(
    "ledger_hold",
    LEDGER,
    _column("hold_id", _ID, primary_key=True),
    _column("account_no", _ACCOUNT_NO, holds=Holds.ACCOUNT),
    _column("payee_no", _ACCOUNT_NO, holds=Holds.ACCOUNT),
    _column("amount_minor", BigInteger, holds=Holds.MONEY),
    _column("currency", String(3)),
    _column("state", String(8)),
    _column("key", String(100)),
    _column("request_hash", _HASH),
    _column("day", Date, holds=Holds.DAY),
    _column("memo", String(LEDGER_MEMO_CHARS_MAX)),
    _column("expires_us", BigInteger, nullable=True, index=True, holds=Holds.TIME, until=Until.EXPIRES),
    _column("posting_id", _ID, nullable=True),
    UniqueConstraint("key"),
    ForeignKeyConstraint(["account_no"], ["ledger_account.account_no"]),
    ForeignKeyConstraint(["payee_no"], ["ledger_account.account_no"]),
    ForeignKeyConstraint(["posting_id"], ["ledger_posting.posting_id"]),
    CheckConstraint("state IN ('pending', 'settled', 'voided', 'expired')", name="state"),
    CheckConstraint("(state = 'pending') = (expires_us IS NOT NULL)", name="expires"),
    CheckConstraint("(state = 'settled') = (posting_id IS NOT NULL)", name="settled"),
    CheckConstraint(f"amount_minor BETWEEN 1 AND {MONEY_MINOR_MAX}", name="amount"),
    sqlite_with_rowid=False,
)
"""An amount of an account that is reserved for another one, until it is settled or voided, or until it expires."""
