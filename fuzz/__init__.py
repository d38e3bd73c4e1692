"""Fuzz targets for every parser of untrusted bytes (docs/fuzzing.md). `python -m fuzz` runs them."""
