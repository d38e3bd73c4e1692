"""Measure what the rooms do: error rates in groups of people, with intervals; and search what they leave behind."""
