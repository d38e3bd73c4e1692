"""The ledger's tables, and the only code that writes them."""
