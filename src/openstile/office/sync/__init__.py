"""Gates and the office: who may speak, taps in exactly once, and what somebody must look at."""

from openstile.office.sync.admission import AdmittedGate, admit_request
from openstile.office.sync.faults import SyncError, SyncProblem
from openstile.office.sync.ingest import IngestRules, ingest_batch, open_batch, store_batch

__all__ = [
    "AdmittedGate",
    "IngestRules",
    "SyncError",
    "SyncProblem",
    "admit_request",
    "ingest_batch",
    "open_batch",
    "store_batch",
]
