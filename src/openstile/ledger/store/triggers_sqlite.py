"""Triggers of SQLite, which lets one transaction write at a time and has no triggers that wait for the commit.

Entries are written before their posting: the posting's row is the seal. It is refused unless the entries are all there
and sum to zero; once it is there, no entry is added. The deferred foreign key refuses a commit without it.
INSERT OR REPLACE would remove rows past the DELETE triggers, so a row that would replace another one is refused.
"""

_ADDED_TO = ("ledger_posting", "ledger_entry")
_KEPT = ("ledger_account", "ledger_balance", "ledger_hold", *_ADDED_TO)
_FIXED = {
    "ledger_account": "account_no, name, kind, currency, shards, opened_on",
    "ledger_balance": "account_no, shard",
    "ledger_hold": "hold_id, account_no, payee_no, amount_minor, currency, key, request_hash, day, memo",
}


def _trigger(name: str, when: str, refused: str, message: str, *, condition: str = "") -> str:
    given = f"WHEN {condition} " if condition else ""
    rule = f" WHERE {refused}" if refused else ""
    return f"CREATE TRIGGER {name} {when} {given}BEGIN SELECT RAISE(ABORT, 'ledger: {message}'){rule}; END"


_POSTING_SEALS = """CREATE TRIGGER ledger_posting_seals BEFORE INSERT ON ledger_posting BEGIN
SELECT CASE
WHEN (SELECT CASE
        WHEN count(*) <> NEW.entries OR count(a.account_no) <> NEW.entries THEN 1
        WHEN min(e.currency) = max(e.currency) THEN sum(e.amount_minor) <> 0
        ELSE EXISTS (SELECT 1 FROM ledger_entry WHERE posting_id = NEW.posting_id
                     GROUP BY currency HAVING sum(amount_minor) <> 0) END
      FROM ledger_entry AS e LEFT JOIN ledger_account AS a ON a.account_no = e.account_no AND a.currency = e.currency
        AND e.day = NEW.day AND e.position BETWEEN 0 AND NEW.entries - 1
      WHERE e.posting_id = NEW.posting_id)
  THEN RAISE(ABORT, 'ledger: a posting must have all its entries, of its day and its accounts, and sum to zero')
WHEN EXISTS (SELECT 1 FROM ledger_posting WHERE posting_id = NEW.posting_id)
    OR EXISTS (SELECT 1 FROM ledger_posting WHERE key = NEW.key)
  THEN RAISE(ABORT, 'ledger: there is such a posting')
WHEN NEW.reverses IS NOT NULL AND (
    (SELECT count(*) <> NEW.entries FROM ledger_entry AS back JOIN ledger_entry AS forth
       ON forth.posting_id = NEW.reverses AND forth.position = back.position
       AND forth.account_no = back.account_no AND forth.amount_minor = -back.amount_minor
     WHERE back.posting_id = NEW.posting_id)
    OR NOT EXISTS (SELECT 1 FROM ledger_posting
                   WHERE posting_id = NEW.reverses AND reverses IS NULL AND entries = NEW.entries)
    OR EXISTS (SELECT 1 FROM ledger_posting WHERE reverses = NEW.reverses))
  THEN RAISE(ABORT, 'ledger: a reversal must undo every entry of one posting that is no reversal, once')
END; END"""
"""One trigger instead of three: each costs a call for every posting."""

SQLITE: tuple[str, ...] = (
    *(_trigger(f"{table}_stays", f"BEFORE DELETE ON {table}", "", "nothing is deleted") for table in _KEPT),
    *(
        _trigger(f"{table}_fixed", f"BEFORE UPDATE ON {table}", "", "postings are never changed; reverse them")
        for table in _ADDED_TO
    ),
    *(
        _trigger(f"{table}_fixed", f"BEFORE UPDATE OF {columns} ON {table}", "", "this is never changed")
        for table, columns in _FIXED.items()
    ),
    _POSTING_SEALS,
    _trigger(
        "ledger_entry_sealed",
        "BEFORE INSERT ON ledger_entry",
        "EXISTS (SELECT 1 FROM ledger_posting WHERE posting_id = NEW.posting_id)",
        "an entry needs a posting that is not complete",
    ),
    _trigger(
        "ledger_account_once",
        "BEFORE INSERT ON ledger_account",
        "EXISTS (SELECT 1 FROM ledger_account WHERE account_no = NEW.account_no OR name = NEW.name)",
        "there is such an account",
    ),
    _trigger(
        "ledger_balance_once",
        "BEFORE INSERT ON ledger_balance",
        "NEW.balance_minor <> 0 OR NEW.held_minor <> 0 OR EXISTS"
        " (SELECT 1 FROM ledger_balance WHERE account_no = NEW.account_no AND shard = NEW.shard)",
        "a balance begins at zero, once",
    ),
    _trigger(
        "ledger_hold_once",
        "BEFORE INSERT ON ledger_hold",
        "NEW.state <> 'pending' OR EXISTS (SELECT 1 FROM ledger_hold WHERE hold_id = NEW.hold_id OR key = NEW.key)",
        "a hold begins pending, once",
    ),
    _trigger(
        "ledger_hold_ends",
        "BEFORE UPDATE ON ledger_hold",
        "OLD.state <> 'pending' OR NEW.state = 'pending'",
        "a hold ends once",
    ),
)

DROP_SQLITE: tuple[str, ...] = tuple(f"DROP TRIGGER IF EXISTS {statement.split()[2]}" for statement in SQLITE)
