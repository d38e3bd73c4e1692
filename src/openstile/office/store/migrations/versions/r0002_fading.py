"""How far trips have faded, and how many of them without ever having been priced."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A row about the fading, and a count beside the taps of a day."""
    op.create_table(
        "fading",
        sa.Column("fading_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("faded_until_us", sa.BigInteger(), nullable=False),
        sa.Column("rewritten_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fading_id = 1", name=op.f("ck_fading_one")),
        sa.PrimaryKeyConstraint("fading_id", name=op.f("pk_fading")),
    )
    op.add_column("tap_day", sa.Column("unpriced", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """The counts without that; taps that went unpriced are in `taps` all the same."""
    op.drop_column("tap_day", "unpriced")
    op.drop_table("fading")
