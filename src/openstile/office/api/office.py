"""What the API works with: passed in, never made here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from openstile.office.observe.metrics import Metrics
from openstile.office.staff.brake import Brake
from openstile.office.staff.oidc import OidcProvider
from openstile.office.staff.tokens import RandomBytes
from openstile.office.store.database import Database
from openstile.terms.instants import Clock

_Service = TypeVar("_Service")


@dataclass(frozen=True, slots=True)
class OfficeValues:
    """What the operator set (docs/operator-guide.md, table office)."""

    name: str
    """Of the operator, as a passkey's prompt shows it."""
    public_url: str
    """Origin under which riders' and staff's browsers see the office: passkeys are bound to it."""
    currency: str
    clock_tolerance_s: int = 120
    metrics_token: str | None = field(default=None, repr=False)
    """Who knows it may read /metrics; None: nobody may."""


@dataclass(frozen=True, slots=True)
class Office:
    """The office that one process serves."""

    database: Database
    clock: Clock
    random: RandomBytes
    values: OfficeValues
    is_current: Callable[[Connection], bool]
    """Whether the database has the tables of this version."""
    metrics: Metrics = field(default_factory=Metrics)
    brake: Brake = field(default_factory=Brake)
    oidc: OidcProvider | None = None
    services: tuple[object, ...] = ()
    """What else parts of the API work with, found by its type."""

    def service(self, kind: type[_Service]) -> _Service:
        """The service of this type. Raises LookupError where it was not wired: that is a bug."""
        for service in self.services:
            if isinstance(service, kind):
                return service
        raise LookupError(f"the office has no {kind.__name__}")
