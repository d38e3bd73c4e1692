"""The crossing: from a presented pass to a decision, as one straight line.

The gate, the demo and the lab call this one function, so what the lab reports is what the gate does.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from openstile.crossing.decision import Admit, Crossing, Decision, Refuse
from openstile.crossing.history import PassHistory
from openstile.crossing.look import look
from openstile.crossing.policy import Policy
from openstile.crossing.reasons import Reason
from openstile.crossing.refusal import RefusedError
from openstile.crossing.stopwatch import Stopwatch
from openstile.face import FaceEngine, Frame, Template
from openstile.face.attack.kit import AttackKit
from openstile.face.feedback import Feedback
from openstile.passes import GateKeyring, OpenedPass, PassRefusedError, open_pass
from openstile.passes.claims import Audience
from openstile.passes.pin import PinWrongError, verify_pin
from openstile.passes.reference import Reference, ReferenceKind
from openstile.passes.standing import Standing, StatusLists
from openstile.terms.instants import Clock


def cross(
    *,
    presented: str | bytes,
    frames: Iterator[Frame],
    ask_pin: Callable[[], str | None],
    load_engine: Callable[[], FaceEngine],
    keyring: GateKeyring,
    statuses: StatusLists,
    audience: Audience,
    policy: Policy,
    history: PassHistory,
    clock: Clock,
    tell: Callable[[Feedback], None] = lambda feedback: None,
    kit: AttackKit | None = None,
) -> Crossing:
    """Decide one crossing. Pure given its inputs: it writes nothing, opens nothing and keeps nothing.

    `presented` is the pass as read (text `OS1:…` or its bytes). `frames` is pulled, and `ask_pin` or `load_engine`
    called, only after the pass was opened, verified and found acceptable; a PIN pass never pulls a frame. `tell` hears
    what the rider can do, when frames cannot be used. The caller records the tap and opens the barrier. Raises nothing
    on account of the pass or the rider: those end in `Refuse`; HardwareError where a token with the gate's key does not
    answer.
    """
    watch = Stopwatch(clock)
    opened: OpenedPass | None = None
    decision: Decision
    try:
        with watch.step("open_pass"):
            opened = _open(presented, keyring, audience, policy, clock)
        with watch.step("check_status"):
            status_unsure = _check_status(opened, statuses, policy, clock)
        with watch.step("check_policy"):
            _check_policy(opened, policy, history, clock)
        reference = opened.reference
        if reference.kind is ReferenceKind.PIN:
            with watch.step("verify_pin"):
                _verify_pin(reference, ask_pin)
        else:
            with watch.step("load_engine"):
                engine = load_engine()
                face_reference = _face_reference(reference, engine)
            look(
                frames=frames,
                reference=face_reference,
                engine=engine,
                policy=policy,
                clock=clock,
                watch=watch,
                tell=tell,
                kit=kit or AttackKit(),
            )
        decision = Admit(status_unsure=status_unsure)
    except RefusedError as refused:
        decision = Refuse(refused.reason)
    return Crossing(
        decision=decision,
        pass_id=opened.pass_id if opened else None,
        product=opened.claims.entitlement.product if opened else None,
        frames_read=watch.count("locate"),
        steps=watch.steps(),
    )


def _open(presented: str | bytes, keyring: GateKeyring, audience: Audience, policy: Policy, clock: Clock) -> OpenedPass:
    try:
        return open_pass(
            presented=presented,
            keyring=keyring,
            audience=audience,
            now=clock.now(),
            clock_skew_s=policy.clock_skew_s,
        )
    except PassRefusedError as refused:
        raise RefusedError(Reason(refused.fault.value)) from None


def _check_status(opened: OpenedPass, statuses: StatusLists, policy: Policy, clock: Clock) -> bool:
    """Refuses a pass that was withdrawn. True when that cannot be known now and the policy admits such with a mark."""
    standing = statuses.standing(opened.claims, now=clock.now(), age_s_max=policy.status_age_s_max)
    if standing is Standing.WITHDRAWN:
        raise RefusedError(Reason.PASS_REVOKED)
    if standing is Standing.UNSURE and policy.status_when_stale == "refuse":
        raise RefusedError(Reason.STATUS_UNKNOWN)
    return standing is Standing.UNSURE


def _check_policy(opened: OpenedPass, policy: Policy, history: PassHistory, clock: Clock) -> None:
    now, latest = clock.now(), history.latest()
    if latest is not None and latest - now > timedelta(seconds=policy.clock_back_s_max):
        raise RefusedError(Reason.CLOCK_UNSURE)
    if policy.products and opened.claims.entitlement.product not in policy.products:
        raise RefusedError(Reason.PRODUCT_NOT_ACCEPTED)
    if opened.claims.entitlement.product in policy.live_products and not opened.live:
        raise RefusedError(Reason.LIVE_CODE_NEEDED)
    if history.failed_attempts(opened.pass_id) >= policy.attempts_max:
        raise RefusedError(Reason.TOO_MANY_ATTEMPTS)
    last = history.last_admitted(opened.pass_id)
    if last is not None and now - last < timedelta(seconds=policy.passback_s):
        raise RefusedError(Reason.USED_RECENTLY)


def _verify_pin(reference: Reference, ask_pin: Callable[[], str | None]) -> None:
    pin = ask_pin()
    if pin is None:
        raise RefusedError(Reason.PIN_MISSING)
    try:
        verify_pin(pin=pin, reference=reference)
    except PinWrongError:
        raise RefusedError(Reason.PIN_WRONG) from None


def _face_reference(reference: Reference, engine: FaceEngine) -> Template:
    if reference.pack_id != engine.pack_id or len(reference.data) != engine.dimensions:
        raise RefusedError(Reason.REFERENCE_NOT_SUPPORTED)
    return Template(pack_id=engine.pack_id, data=reference.data)
