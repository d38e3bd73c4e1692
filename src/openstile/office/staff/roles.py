"""Roles of staff, and who may do what."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is there for."""

    AGENT = "agent"
    """Serves riders: accounts, passes."""
    OPERATOR = "operator"
    """Runs the service: everything an agent may, and gates, staff, money."""
    AUDITOR = "auditor"
    """Reads everything that staff can read, and the audit log. Changes nothing."""


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody of the staff who is signed in."""

    staff_id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class RiderAccount:
    """A rider who is signed in: the account."""

    account_id: str


Principal = StaffMember | RiderAccount


def principal_key(principal: Principal) -> str:
    """Which principal this is, as text that no other one has."""
    if isinstance(principal, StaffMember):
        return f"staff:{principal.staff_id}"
    return f"account:{principal.account_id}"


def may(role: Role, needed: Role, *, reading: bool) -> bool:
    """Whether `role` suffices where `needed` is asked for.

    An auditor may read whatever agents and operators may, and does nothing else; what asks for an auditor (the audit
    log) is for auditors alone.
    """
    if needed is Role.AUDITOR or role is Role.AUDITOR:
        return reading and role is Role.AUDITOR
    return role is Role.OPERATOR or needed is Role.AGENT
