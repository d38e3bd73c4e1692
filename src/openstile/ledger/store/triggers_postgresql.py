"""Triggers of PostgreSQL, where many transactions write at once.

A posting is written before its entries and says how many there are. When the transaction commits, a deferred constraint
trigger demands all of them, summing to zero. After that every position below the number is taken (primary key), and
one beyond it is refused: a posting is complete for ever, whoever races.
"""

_ADDED_TO = ("ledger_posting", "ledger_entry")
_KEPT = ("ledger_account", "ledger_balance", "ledger_hold", *_ADDED_TO)
_FIXED = {
    "ledger_account": "account_no, name, kind, currency, shards, opened_on",
    "ledger_balance": "account_no, shard",
    "ledger_hold": "hold_id, account_no, payee_no, amount_minor, currency, key, request_hash, day, memo",
    "ledger_posting": "posting_id, kind, day, key, request_hash, memo, reverses, entries",
    "ledger_entry": "posting_id, position, account_no, day, amount_minor, currency",
}

_REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'ledger: ' || TG_ARGV[0];
END $$"""

_COMPLETE = """
CREATE FUNCTION ledger_complete() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF (SELECT CASE WHEN count(*) <> NEW.entries OR bool_or(day <> NEW.day) THEN true
             WHEN min(currency) = max(currency) THEN sum(amount_minor) <> 0
             ELSE EXISTS (SELECT 1 FROM ledger_entry WHERE posting_id = NEW.posting_id
                          GROUP BY currency HAVING sum(amount_minor) <> 0) END
      FROM ledger_entry WHERE posting_id = NEW.posting_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
      MESSAGE = 'ledger: a posting must have all its entries, of its day, that sum to zero in each currency';
  END IF;
  IF NEW.reverses IS NOT NULL THEN
    IF (SELECT count(*) <> NEW.entries FROM ledger_entry AS back JOIN ledger_entry AS forth
          ON forth.posting_id = NEW.reverses AND forth.position = back.position
          AND forth.account_no = back.account_no AND forth.amount_minor = -back.amount_minor
        WHERE back.posting_id = NEW.posting_id)
      OR NOT EXISTS (SELECT 1 FROM ledger_posting
                     WHERE posting_id = NEW.reverses AND reverses IS NULL AND entries = NEW.entries) THEN
      RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
        MESSAGE = 'ledger: a reversal must undo every entry of one posting that is no reversal';
    END IF;
  END IF;
  RETURN NULL;
END $$"""
"""The second question is an IF of its own: PostgreSQL then need not prepare it for a posting that reverses nothing."""

_FITS = """
CREATE FUNCTION ledger_fits() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM added AS e
             LEFT JOIN ledger_posting AS p ON p.posting_id = e.posting_id
             LEFT JOIN ledger_account AS a ON a.account_no = e.account_no
             WHERE p.entries IS NULL OR e.position < 0 OR e.position >= p.entries
               OR a.currency IS NULL OR a.currency <> e.currency) THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
      MESSAGE = 'ledger: an entry needs an account of its currency, and a posting that is not complete';
  END IF;
  RETURN NULL;
END $$"""

_FUNCTIONS = ("ledger_refuse", "ledger_complete", "ledger_fits")


def _refusing(name: str, when: str, each: str, message: str) -> str:
    return f"CREATE TRIGGER {name} {when} {each} EXECUTE FUNCTION ledger_refuse('{message}')"


POSTGRESQL: tuple[str, ...] = (
    *(statement.strip() for statement in (_REFUSE, _COMPLETE, _FITS)),
    *(
        _refusing(f"{table}_stays", f"BEFORE DELETE ON {table}", "FOR EACH ROW", "nothing is deleted")
        for table in _KEPT
    ),
    *(
        _refusing(f"{table}_remains", f"BEFORE TRUNCATE ON {table}", "FOR EACH STATEMENT", "nothing is deleted")
        for table in _KEPT
    ),
    *(
        _refusing(f"{table}_fixed", f"BEFORE UPDATE OF {columns} ON {table}", "FOR EACH ROW", "this is never changed")
        for table, columns in _FIXED.items()
    ),
    "CREATE CONSTRAINT TRIGGER ledger_posting_completes AFTER INSERT ON ledger_posting"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_complete()",
    "CREATE TRIGGER ledger_entry_fits AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION ledger_fits()",
    _refusing(
        "ledger_balance_begins",
        "BEFORE INSERT ON ledger_balance",
        "FOR EACH ROW WHEN (NEW.balance_minor <> 0 OR NEW.held_minor <> 0)",
        "a balance begins at zero",
    ),
    _refusing(
        "ledger_hold_begins",
        "BEFORE INSERT ON ledger_hold",
        "FOR EACH ROW WHEN (NEW.state <> 'pending')",
        "a hold begins pending",
    ),
    _refusing(
        "ledger_hold_ends",
        "BEFORE UPDATE ON ledger_hold",
        "FOR EACH ROW WHEN (OLD.state <> 'pending' OR NEW.state = 'pending')",
        "a hold ends once",
    ),
)

DROP_POSTGRESQL: tuple[str, ...] = (
    *(
        f"DROP TRIGGER IF EXISTS {words[words.index('TRIGGER') + 1]} ON {words[words.index('ON') + 1]}"
        for words in (statement.split() for statement in POSTGRESQL)
        if "TRIGGER" in words[:3]
    ),
    *(f"DROP FUNCTION IF EXISTS {name}()" for name in _FUNCTIONS),
)
