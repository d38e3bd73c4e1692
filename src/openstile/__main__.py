"""`python -m openstile`."""

from openstile.cli import main

if __name__ == "__main__":
    main()
