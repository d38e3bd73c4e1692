"""Fares: a GTFS Fares v2 feed and the operator's caps turn taps into priced journeys, each with its explanation."""
