"""One presentation before the gate's camera: the gate's own attack check, without a pass and without a comparison."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from openstile import __version__
from openstile.crossing import Policy
from openstile.crossing.attack import AttackCheck
from openstile.face import FaceEngine, Frame, LocatedFace
from openstile.face.attack import AttackKit, Evidence, Outcome
from openstile.face.attack.stimulus import RandomBytes
from openstile.face.zone import locate_rider
from openstile.lab.attacks_session import Session
from openstile.terms.instants import Clock

_PLACES = 4
"""Of a score that is kept: as many as a table shows."""
SETTLE_MS = 1000
"""A camera that was just opened finds its exposure and white balance first; at a gate it runs all day."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate made of one presentation. clips, outcome and from_file as in `attacks_session.Presentation`."""

    clips: tuple[tuple[Evidence, ...], ...]
    outcome: Outcome | None
    from_file: bool


def unattended(policy: Policy) -> Policy:
    """The gate's policy where detectors decide and nobody watches. The attended answer follows from the first clip."""
    return replace(policy, attack_mode="enforce", attendance="unattended")


def new_session(*, engine: FaceEngine, policy: Policy, kit: AttackKit, random: RandomBytes) -> Session:
    """An empty session of a gate with these."""
    return Session(
        session_id=random(8).hex(),
        openstile=__version__,
        pack=engine.pack_id,
        flash=kit.flashes(wanted=policy.attack_flash == "on"),
        monitored=tuple(sorted(policy.attack_monitored)),
        look_ms_max=policy.look_ms_max,
    )


def settled(frames: Iterator[Frame], clock: Clock) -> Iterator[Frame]:
    """The frames of a camera after its first second, which nobody looks at; all of a file. Raises CameraLostError."""
    started_ns = clock.monotonic_ns()
    for frame in frames:
        if frame.taken_ns == 0 or clock.monotonic_ns() - started_ns >= SETTLE_MS * 1_000_000:
            return chain((frame,), frames)
    return iter(())


def present(*, frames: Iterator[Frame], engine: FaceEngine, policy: Policy, clock: Clock, kit: AttackKit) -> Answer:
    """Look for at most `policy.look_ms_max` or until the check has an answer, as `crossing.look` does with an owner's
    face: locate, choose the rider, check. Nothing is compared: no template is made.

    The modes of `policy` are not looked at (`unattended`). Each frame is dropped before the next is read. Raises
    CameraLostError.
    """
    heard: list[Evidence] = []
    clips: list[tuple[Evidence, ...]] = []
    policy = unattended(policy)
    check = AttackCheck(replace(kit, count=heard.append), policy, clock)
    limit_ns = clock.monotonic_ns() + policy.look_ms_max * 1_000_000
    found = timed = False
    outcome: Outcome | None = None
    try:
        while outcome is None and clock.monotonic_ns() < check.limit_ns(limit_ns):
            check.light()
            frame = next(frames, None)
            if frame is None:
                break
            timed |= frame.taken_ns > 0
            rider = _rider(frame, engine, policy)
            if rider is None:
                check.lose()
                continue
            found = True
            check.see(frame, rider)
            outcome = check.outcome()
            if heard:
                clips.append(tuple(_short(one) for one in heard))
                heard.clear()
    finally:
        check.close()
    if outcome is None and found:
        outcome = Outcome.RETRY  # as at the gate: a face whose clip is not complete in time is not let through
    return Answer(tuple(clips), outcome, from_file=not timed)


def _rider(frame: Frame, engine: FaceEngine, policy: Policy) -> LocatedFace | None:
    rider = locate_rider(engine, frame, policy.zone)
    return rider if isinstance(rider, LocatedFace) else None


def _short(one: Evidence) -> Evidence:
    return one if one.score is None else replace(one, score=round(one.score, _PLACES))
