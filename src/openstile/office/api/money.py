"""Amounts as the API tells and takes them: minor units and a currency, never a decimal fraction."""

from typing import Annotated

from pydantic import Field

from openstile.office.api.bodies import Body, Told
from openstile.terms.limits import MONEY_MINOR_MAX
from openstile.terms.money import Money

_MINOR = {"description": "Minor units: cents, say."}
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]


class Amount(Told):
    """An amount of money."""

    minor: Annotated[int, Field(ge=-MONEY_MINOR_MAX, le=MONEY_MINOR_MAX, **_MINOR)]
    currency: Currency

    @classmethod
    def of(cls, money: Money) -> "Amount":
        """The amount as the API tells it."""
        return cls(minor=money.minor, currency=money.currency)


class PositiveAmount(Body):
    """An amount of money that is more than zero."""

    minor: Annotated[int, Field(gt=0, le=MONEY_MINOR_MAX, **_MINOR)]
    currency: Currency

    def money(self) -> Money:
        """The amount as a value."""
        return Money(self.minor, self.currency)
