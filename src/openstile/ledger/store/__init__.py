"""The ledger's tables, what the database itself refuses, and the only code that writes them."""

from openstile.ledger.store.ledger import Ledger
from openstile.ledger.store.tables import LEDGER
from openstile.ledger.store.triggers import drop_statements, statements

__all__ = ["LEDGER", "Ledger", "drop_statements", "statements"]
