"""Measurements on this machine: speed, memory and error rates, each with its target. `python -m bench --out DIR`."""
