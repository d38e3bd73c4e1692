"""Fares: a GTFS Fares v2 feed and the operator's caps turn taps into priced journeys, each with its explanation."""

from openstile.fares.feed import read_feed
from openstile.fares.price import price_taps
from openstile.fares.rules_file import read_rules
from openstile.fares.tariff import Tariff
from openstile.fares.words import say

__all__ = ["Tariff", "price_taps", "read_feed", "read_rules", "say"]
