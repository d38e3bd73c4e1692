"""`python -m openstile`."""

from openstile.cli import main

main()
