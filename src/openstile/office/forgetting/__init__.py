"""Trips fade: taps become counts and journeys day, product and amount; what has expired goes; bytes leave the files."""

from openstile.office.forgetting.erase import erase
from openstile.office.forgetting.fade import Faded, fade, preview
from openstile.office.forgetting.job import run_retention
from openstile.office.forgetting.policy import Retention

__all__ = ["Faded", "Retention", "erase", "fade", "preview", "run_retention"]
