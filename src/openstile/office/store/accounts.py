"""Accounts and the passes on them. An account is a random id; how to reach its rider is optional."""

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Integer, String, Table

from openstile.office.store.metadata import METADATA, PASS_ID, column
from openstile.terms.held import Holds, Until

ACCOUNT = Table(
    "account",
    METADATA,
    column("account_id", String(32), primary_key=True, holds=Holds.ACCOUNT, until=Until.BOOKS_CLOSE),
    column("state", String(8)),
    column("currency", String(3)),
    column("category", String(40), nullable=True, holds=Holds.ACCOUNT, until=Until.ACCOUNT_ERASED),
    column("contact", String(254), nullable=True, holds=Holds.CONTACT, until=Until.ACCOUNT_ERASED),
    column("opened_on", Date, nullable=True, holds=Holds.DAY, until=Until.ACCOUNT_ERASED),
    column("version", BigInteger),
    CheckConstraint("state IN ('open', 'closed', 'erased')", name="state"),
)
"""`category`: the rider category of the GTFS feed, None for the default one. `version` grows with each pricing."""

PASS = Table(
    "pass",
    METADATA,
    column("pass_id", PASS_ID, primary_key=True, holds=Holds.PASS, until=Until.PASS_FORGOTTEN),
    column("account_id", String(32), ForeignKey("account.account_id"), index=True, holds=Holds.ACCOUNT,
           until=Until.PASS_FORGOTTEN),
    column("product", String(48)),
    column("category", String(40), nullable=True),
    column("reference", String(8)),
    column("state", String(10)),
    column("not_before_us", BigInteger, holds=Holds.TIME, until=Until.PASS_FORGOTTEN),
    column("expires_us", BigInteger, index=True, holds=Holds.TIME, until=Until.PASS_FORGOTTEN),
    column("replaced_by", PASS_ID, nullable=True, holds=Holds.PASS, until=Until.PASS_FORGOTTEN),
    CheckConstraint("state IN ('valid', 'suspended', 'revoked')", name="state"),
    CheckConstraint("reference IN ('face', 'pin')", name="reference"),
)  # fmt: skip
"""That a pass is on an account. The register beside the issuer's key says where its bit in a status list is."""

PERIOD = Table(
    "period",
    METADATA,
    column("period_id", String(32), primary_key=True, until=Until.ACCOUNT_ERASED),
    column("account_id", String(32), ForeignKey("account.account_id"), index=True, holds=Holds.ACCOUNT,
           until=Until.ACCOUNT_ERASED),
    column("product", String(200)),
    column("from_day", Date, holds=Holds.DAY, until=Until.ACCOUNT_ERASED),
    column("until_day", Date, holds=Holds.DAY, until=Until.ACCOUNT_ERASED),
    column("rides", Integer, nullable=True),
    column("price_minor", BigInteger, holds=Holds.MONEY, until=Until.ACCOUNT_ERASED),
    column("state", String(8)),
    CheckConstraint("state IN ('held', 'refunded')", name="state"),
)  # fmt: skip
"""A period product (season, n rides) that an account holds; which rides it covered is reckoned from the journeys."""
