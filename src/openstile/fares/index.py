"""Legs to prices: the GTFS Fares v2 rules of one feed, looked up (docs/fares.md, "How a feed is priced")."""

from collections.abc import Sequence

from openstile.fares.chains import Chain
from openstile.fares.cheapest import Ride, cheapest
from openstile.fares.joins import JoinRules
from openstile.fares.match import LegRules
from openstile.fares.offers import RiderFares
from openstile.fares.products import known_rider, prices_for
from openstile.fares.rides import Leg, Rider
from openstile.fares.timeframes import Timeframes
from openstile.fares.transfers import TransferRules
from openstile.fares.values import Feed


class FareIndex:
    """One feed, ready to price by.

    Its answers depend on nothing but the feed and what `price` is given. It remembers look-ups, within a limit
    (terms.limits.FARE_CACHED_MAX), so one index is for one thread.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._legs = LegRules(feed)
        self._joins = JoinRules(feed.join_rules, feed.stops)
        self._transfers = TransferRules(feed)
        self._timeframes = Timeframes(feed.timeframes, feed.services)
        self._riders: dict[Rider, RiderFares] = {}

    def price(self, legs: Sequence[Leg], rider: Rider) -> tuple[Chain, ...]:
        """What `rider` pays for consecutive legs of one journey, in the order they were ridden: chains that together
        hold every leg once, in order, at the least total.

        Raises BadInputError when a stop of the feed has no timezone of the IANA database, or an amount is too large.
        """
        fares = self._fares(rider)
        chains: list[Chain] = []
        stretch: list[Ride] = []
        for span in self._joins.effective(legs):
            offers = fares.offers(span.leg)
            if stretch and (not offers or offers[0].price.currency != stretch[0].offers[0].price.currency):
                chains += cheapest(stretch, fares.transfers)
                stretch = []
            if offers:
                stretch.append(Ride(span, offers))
            else:
                chains.append(Chain(span.first, span.last, (), None))
        if stretch:
            chains += cheapest(stretch, fares.transfers)
        return tuple(chains)

    def _fares(self, rider: Rider) -> RiderFares:
        found = self._riders.get(rider)
        if found is None:
            rider = known_rider(self._feed, rider)
            found = self._riders.get(rider)
        if found is None:
            prices = prices_for(self._feed, rider)
            found = self._riders[rider] = RiderFares(
                self._legs,
                self._feed.stops,
                self._timeframes,
                prices,
                self._transfers,
                self._transfers.for_rider(prices),
            )
        return found
