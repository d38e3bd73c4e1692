"""How far trips have faded: what readiness and the manifests of backups say."""

from sqlalchemy import BigInteger, CheckConstraint, Integer, Table

from openstile.office.store.metadata import METADATA, column

FADING = Table(
    "fading",
    METADATA,
    column("fading_id", Integer, primary_key=True, autoincrement=False),
    column("faded_until_us", BigInteger),
    column("rewritten_us", BigInteger),
    CheckConstraint("fading_id = 1", name="one"),
)
"""One row. Trips before `faded_until_us` are gone; at `rewritten_us` the files were last written anew without them."""
