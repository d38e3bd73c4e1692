"""Attempts to sign in: braked, counted, and answered alike whatever was wrong."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError
from openstile.office.staff.faults import InvitationError, SignInError

_Outcome = TypeVar("_Outcome")


def attempt(office: Office, request: Request, way: str, work: Callable[[], _Outcome]) -> _Outcome:
    """What `work` gives. Raises ProblemError (too-many-attempts) where this client has failed too often."""
    client = request.client.host if request.client else "unknown"
    now_ns = office.clock.monotonic_ns()
    wait_s = office.brake.wait_s(client, now_ns=now_ns)
    if wait_s:
        office.metrics.sign_ins.labels(way, "braked").inc()
        raise ProblemError("too-many-attempts", headers={"Retry-After": str(wait_s)})
    try:
        outcome = work()
    except (SignInError, InvitationError):
        office.brake.failed(client, now_ns=now_ns)
        office.metrics.sign_ins.labels(way, "refused").inc()
        raise
    office.metrics.sign_ins.labels(way, "done").inc()
    return outcome
