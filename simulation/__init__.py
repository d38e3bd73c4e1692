"""A week of a small city in seconds: fifty gates, riders, one office, a bad network, wrong clocks, full disks.

Everything but time, chance and the wire is real: gates' journals and uplinks, the office's API, pricing, ledger and
fading. One seed makes one week; a week that ends wrong is repeated with `python -m simulation --seed N`.
"""
