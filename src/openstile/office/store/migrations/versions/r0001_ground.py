"""The first schema: gates, taps, accounts, passes, journeys, people and the ledger."""

from alembic import op

from openstile.office.store.migrations.statements import build, demolish

revision = "0001"
down_revision = None


def upgrade() -> None:
    """All tables, indexes and triggers."""
    build(op.get_bind())


def downgrade() -> None:
    """None of them."""
    demolish(op.get_bind())
