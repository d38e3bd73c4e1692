"""Who signs in: staff, passkeys, sessions, invitations; what staff did; and answers kept for repeated requests.

Secrets (tokens, challenges, idempotency keys) are here as their SHA-256 alone. What belongs to a member of staff or to
an account has exactly one of `staff_id` and `account_id`.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, LargeBinary, String, Table, UniqueConstraint

from openstile.office.store.metadata import HASH, METADATA, ROW_ID, column
from openstile.terms.held import Holds, Until

_ONE_OWNER = "(staff_id IS NULL) <> (account_id IS NULL)"

STAFF = Table(
    "staff",
    METADATA,
    column("staff_id", String(32), primary_key=True, holds=Holds.STAFF, until=Until.AUDIT_ENDS),
    column("name", String(80), holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    column("role", String(8)),
    column("state", String(8)),
    column("oidc_issuer", String(400), nullable=True),
    column("oidc_subject", String(255), nullable=True, holds=Holds.STAFF, until=Until.SERVICE_ENDS),
    UniqueConstraint("oidc_issuer", "oidc_subject"),
    CheckConstraint("role IN ('agent', 'operator', 'auditor')", name="role"),
    CheckConstraint("state IN ('active', 'removed')", name="state"),
    CheckConstraint("(oidc_issuer IS NULL) = (oidc_subject IS NULL)", name="oidc"),
)
"""Who has left is `removed`, without name and subject: the log of actions still says who it was."""

CREDENTIAL = Table(
    "credential",
    METADATA,
    column("credential_id", String(32), primary_key=True, until=Until.ACCOUNT_ERASED),
    column("webauthn_id", LargeBinary(1023), unique=True, holds=Holds.SECRET, until=Until.ACCOUNT_ERASED),
    column("public_key", LargeBinary(2048), holds=Holds.SECRET, until=Until.ACCOUNT_ERASED),
    column("sign_count", BigInteger),
    column("staff_id", String(32), ForeignKey("staff.staff_id"), nullable=True, index=True, holds=Holds.STAFF,
           until=Until.SERVICE_ENDS),
    column("account_id", String(32), ForeignKey("account.account_id"), nullable=True, index=True,
           holds=Holds.ACCOUNT, until=Until.ACCOUNT_ERASED),
    CheckConstraint(_ONE_OWNER, name="owner"),
)  # fmt: skip
"""Passkeys (WebAuthn): `webauthn_id` is the authenticator's name for it. Neither its make nor times."""

INVITATION = Table(
    "invitation",
    METADATA,
    column("token_hash", HASH, primary_key=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("staff_id", String(32), ForeignKey("staff.staff_id"), nullable=True, index=True, holds=Holds.STAFF,
           until=Until.EXPIRES),
    column("account_id", String(32), ForeignKey("account.account_id"), nullable=True, index=True,
           holds=Holds.ACCOUNT, until=Until.EXPIRES),
    column("expires_us", BigInteger, index=True, holds=Holds.TIME, until=Until.EXPIRES),
    CheckConstraint(_ONE_OWNER, name="owner"),
)  # fmt: skip
"""Leave to register one passkey; the row goes when it is used."""

CHALLENGE = Table(
    "challenge",
    METADATA,
    column("challenge_hash", HASH, primary_key=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("purpose", String(8)),
    column("bound_hash", HASH, nullable=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("nonce", String(64), nullable=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("verifier", String(128), nullable=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("expires_us", BigInteger, index=True, holds=Holds.TIME, until=Until.EXPIRES),
    CheckConstraint("purpose IN ('register', 'sign_in', 'oidc')", name="purpose"),
)
"""A sign-in or registration that has begun; the row goes with the first answer to it, right or wrong.

`bound_hash`: of what else must come back with the answer (the invitation, or for OIDC the binding secret). `nonce` and
`verifier` (PKCE, RFC 7636) are of an OIDC sign-in, whose `challenge_hash` is that of its state."""

SESSION = Table(
    "session",
    METADATA,
    column("token_hash", HASH, primary_key=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("staff_id", String(32), ForeignKey("staff.staff_id"), nullable=True, index=True, holds=Holds.STAFF,
           until=Until.EXPIRES),
    column("account_id", String(32), ForeignKey("account.account_id"), nullable=True, index=True,
           holds=Holds.ACCOUNT, until=Until.EXPIRES),
    column("expires_us", BigInteger, index=True, holds=Holds.TIME, until=Until.EXPIRES),
    CheckConstraint(_ONE_OWNER, name="owner"),
)  # fmt: skip

AUDIT = Table(
    "audit",
    METADATA,
    column("audit_id", ROW_ID, primary_key=True, autoincrement=True, until=Until.AUDIT_ENDS),
    column("at_us", BigInteger, index=True, holds=Holds.STAFF, until=Until.AUDIT_ENDS),
    column("staff_id", String(32), nullable=True, holds=Holds.STAFF, until=Until.AUDIT_ENDS),
    column("who", String(80), holds=Holds.STAFF, until=Until.AUDIT_ENDS),
    column("action", String(60)),
    column("target", String(80), nullable=True, holds=Holds.ACCOUNT, until=Until.AUDIT_ENDS),
)
"""What staff did: triggers (store.people_triggers) refuse to change a row, or to remove a young one. Without `staff_id`
it was done on the office's own machine, by the command line."""

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    column("key_hash", HASH, primary_key=True, holds=Holds.SECRET, until=Until.EXPIRES),
    column("request_hash", HASH, holds=Holds.SECRET, until=Until.EXPIRES),
    column("attempt", String(32)),
    column("lease_us", BigInteger, holds=Holds.TIME, until=Until.EXPIRES),
    column("done", Boolean),
    column("status", BigInteger, nullable=True),
    column("media_type", String(60), nullable=True),
    column("body", LargeBinary, nullable=True, holds=Holds.ACCOUNT, until=Until.EXPIRES),
    column("expires_us", BigInteger, index=True, holds=Holds.TIME, until=Until.EXPIRES),
)
"""Answers to requests that move money, so that the same request again moves none. The hashes are over who asked and
the key, and over the request. `attempt` is who works on it, until `lease_us`; only that one can write the answer."""
