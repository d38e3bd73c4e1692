"""What operations for riders work with beside the database: the tariff, the issuer, and payment providers."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime

from openstile.fares.places import check_place
from openstile.fares.tariff import Tariff
from openstile.office.api.problems import ProblemError
from openstile.office.payments import PaymentProvider
from openstile.office.riders.faults import NotSetUpError
from openstile.office.riders.signing import PassSigner


@dataclass(frozen=True, slots=True)
class RiderServices:
    """Wired by the assembly. A tariff remembers what it looked up, so each thread makes one of its own."""

    signer: PassSigner
    make_tariff: Callable[[], Tariff]
    providers: Mapping[str, PaymentProvider]
    _own: threading.local = field(default_factory=threading.local, repr=False)

    def tariff(self) -> Tariff:
        """This thread's tariff."""
        if not hasattr(self._own, "tariff"):
            self._own.tariff = self.make_tariff()
        found: Tariff = self._own.tariff
        return found

    def today(self, now: datetime) -> date:
        """The service day."""
        return self.tariff().service_day(now)

    def category(self, category_id: str | None) -> str | None:
        """The rider category, if the feed has it. Raises ProblemError (invalid-request)."""
        if category_id is not None and category_id not in self.tariff().feed.categories:
            raise ProblemError("invalid-request", "category: the feed has no such rider category")
        return category_id

    def check_place(self, stop_id: str, network_id: str | None) -> None:
        """Raises BadInputError for a place that the feed does not have. Without a feed it may be any."""
        with suppress(NotSetUpError):
            check_place(self.tariff().feed, stop_id=stop_id, network_id=network_id)

    def provider(self, name: str) -> PaymentProvider:
        """The payment provider of this name. Raises ProblemError (not-found)."""
        try:
            return self.providers[name]
        except KeyError:
            raise ProblemError("not-found") from None
