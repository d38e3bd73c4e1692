"""From stored taps to priced journeys and postings: each tap in one journey, each journey posted once."""

from openstile.office.pricing.due import price_due
from openstile.office.pricing.price import Repricing, price_account

__all__ = ["Repricing", "price_account", "price_due"]
