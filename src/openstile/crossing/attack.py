"""The attack check of one crossing, beside the comparison: clips of the face that is compared, and what they come
to.
"""

from collections import deque

from openstile.crossing.policy import Policy
from openstile.face import Frame, LocatedFace
from openstile.face.attack.following import is_same_face
from openstile.face.attack.fusion import AttackMode, Outcome, fuse
from openstile.face.attack.kit import AttackKit
from openstile.face.attack.stimulus import CLIP_FRAMES, Colour, Stimulus, make_stimulus

GAP_FRAMES = 5
"""Before another clip the display keeps its colour for so long: with it, no second has more than six changes of colour,
three to and fro, however often a clip must begin again (WCAG 2.3.1)."""
CLIPS_MAX = 2
"""A clip that told too little is followed by one more."""


class AttackCheck:
    """Begins a clip with the first face, again whenever the face is another one, and once more after a first clip that
    told too little. Keeps no frame. `close` it, whatever happens.
    """

    def __init__(self, kit: AttackKit, policy: Policy) -> None:
        self._kit, self._policy = kit, policy
        self._mode = AttackMode(policy.attack_mode)
        flash = self._mode is not AttackMode.OFF and kit.flashes(wanted=policy.attack_flash == "on")
        self._light = kit.light if flash else None
        self._detectors = () if self._mode is AttackMode.OFF else kit.make_detectors(flash=flash)
        self._face: LocatedFace | None = None
        self._plan: deque[Colour] = deque()
        self._exposed: list[Colour | None] = []
        self._gap = self._seen = self._clips = 0
        self._has_shown = False
        self._is_video = self._mode is AttackMode.ENFORCE

    @property
    def waits(self) -> bool:
        """Whether a face that matches must stay until its clip is complete. Stills (frames without a time, from files)
        are waited for only where detectors decide.
        """
        return bool(self._detectors) and self._is_video

    def light(self) -> None:
        """Before each frame is asked for: the plan's next colour goes on, if a clip is under way."""
        if self._light is None:
            return
        shown = None
        if self._gap > 0:
            self._gap -= 1
        elif self._plan:
            shown = self._plan.popleft()
            self._light.show(shown)
            self._has_shown = True
        self._exposed.append(shown)

    def see(self, frame: Frame, face: LocatedFace) -> bool:
        """The rider's face in the next frame. False: it is not the face of the frame before, so nothing that was found
        out before holds of it.
        """
        self._is_video |= frame.taken_ns > 0
        if not self.waits:
            return True
        same = self._face is not None and is_same_face(self._face, face)
        if not same:
            self._begin()
        self._face = face
        shown = self._colour_at_exposure()
        for detector in self._detectors:
            detector.see(frame, face, shown)
        self._seen += self._light is None or shown is not None
        return same

    def lose(self) -> None:
        """The rider's face is gone; the next one begins a clip of its own."""
        self._face = None
        self._plan.clear()

    def outcome(self) -> Outcome | None:
        """What the complete clip amounts to; None while there is none. After a first RETRY another clip of the same
        face begins, and None comes back; RETRY after the last.
        """
        if not self._detectors:
            return Outcome.PASS
        if self._seen < CLIP_FRAMES:
            return None
        found = [detector.evidence() for detector in self._detectors]
        for one in found:
            self._kit.count(one)
        unattended = self._policy.attendance == "unattended"
        outcome = fuse(found, mode=self._mode, unattended=unattended, monitored=self._policy.attack_monitored)
        self._clips += 1
        if outcome is Outcome.RETRY and self._clips < CLIPS_MAX:
            self._begin()
            return None
        return outcome

    def close(self) -> None:
        """The crossing is over: the display goes back to its texts, the detectors are let go."""
        if self._has_shown and self._light is not None:
            self._light.rest()
        self._detectors, self._face = (), None

    def _begin(self) -> None:
        """A new clip, and where there is a light a new plan: nobody can know it before."""
        stimulus: Stimulus | None = None
        light_ratio: float | None = None
        if self._light is not None:
            stimulus = make_stimulus(self._kit.random)
            light_ratio = self._light.light_ratio()
            self._plan = deque(stimulus.colours)
            self._gap = GAP_FRAMES if self._has_shown else 0
        self._exposed.clear()
        self._seen = 0
        for detector in self._detectors:
            detector.begin(stimulus, light_ratio)

    def _colour_at_exposure(self) -> Colour | None:
        """The colour that was on when the newest frame was exposed."""
        lag = 0 if self._light is None else self._light.lag_frames
        return self._exposed[-1 - lag] if len(self._exposed) > lag else None
