"""The shared words: ids, instants, limits and the one error root. Imports nothing else of ours."""

from openstile.terms.errors import BadInputError, OpenstileError
from openstile.terms.ids import GateId, PassId
from openstile.terms.instants import Clock, SystemClock, utc_from_epoch

__all__ = ["BadInputError", "Clock", "GateId", "OpenstileError", "PassId", "SystemClock", "utc_from_epoch"]
