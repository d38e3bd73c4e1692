"""From stored taps to priced journeys and postings: each tap in one journey, each journey posted once."""

from openstile.office.pricing.books import open_books, rider_account
from openstile.office.pricing.due import price_due
from openstile.office.pricing.price import Repricing, price_accounts

__all__ = ["Repricing", "open_books", "price_accounts", "price_due", "rider_account"]
