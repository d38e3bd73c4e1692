"""The attack check of one crossing, beside the comparison: clips of the face that is compared, and what they come
to.
"""

from openstile.crossing.lighting import Lighting
from openstile.crossing.policy import Policy
from openstile.face import Frame, LocatedFace
from openstile.face.attack.following import is_same_face
from openstile.face.attack.fusion import AttackMode, Outcome, fuse
from openstile.face.attack.kit import AttackKit
from openstile.face.attack.stimulus import CLIP_FRAMES, Colour, Stimulus
from openstile.terms.instants import Clock

CLIP_MS_MIN = 740
"""From a clip's first frame to its last: 20 frames at 25 a second, less a little for a camera that is not quite even. A
faster camera gives more frames, for a face does not move faster before it."""
CLIP_MS_MAX = 3000
"""For so long a clip of the owner's face may go on after `policy.look_ms_max`: 20 frames of a camera that gives 7 a
second. Who came late is not refused for it."""
CLIPS_MAX = 2
"""A clip that told too little is followed by one more."""


class AttackCheck:
    """Begins a clip with the first face, again whenever the face is another one, and once more after a first clip that
    told too little. Keeps no frame. `close` it, whatever happens.
    """

    def __init__(self, kit: AttackKit, policy: Policy, clock: Clock) -> None:
        self._kit, self._policy, self._clock = kit, policy, clock
        self._mode = AttackMode(policy.attack_mode)
        flash = self._mode is not AttackMode.OFF and kit.flashes(wanted=policy.attack_flash == "on")
        self._lighting = Lighting(kit.light, kit.random, clock) if flash and kit.light is not None else None
        self._detectors = () if self._mode is AttackMode.OFF else kit.make_detectors(flash=flash)
        self._face: LocatedFace | None = None
        self._outcome: Outcome | None = None
        self._seen = self._clips = 0
        self._began_ns = self._first_ns = self._last_ns = 0
        self._is_video = self.decides
        self._timed = False

    @property
    def decides(self) -> bool:
        """Whether the outcome counts, and is not only counted."""
        return self._mode is AttackMode.ENFORCE

    @property
    def waits(self) -> bool:
        """Whether a face that matches must stay until its clip is complete. Stills (frames without a time, from files)
        are waited for only where detectors decide.
        """
        return bool(self._detectors) and self._is_video

    def limit_ns(self, limit_ns: int) -> int:
        """How long to wait for a face that matched: a clip that decides may end after `limit_ns`. However often clips
        begin again, no look lasts longer than `limit_ns` and one clip.
        """
        if not (self.waits and self.decides) or self._face is None:
            return limit_ns
        clip_ns = CLIP_MS_MAX * 1_000_000
        return min(max(limit_ns, self._began_ns + clip_ns), limit_ns + clip_ns)

    def light(self) -> None:
        """Before each frame is asked for. A display that fails, or that the rider wants no colours of, is done without
        from here on: the face is checked and compared anew.
        """
        if self._lighting is None:
            return
        if self._lighting.works:
            self._lighting.step()
            return
        self._lighting.end()
        self._lighting, self._face = None, None
        self._detectors = self._kit.make_detectors(flash=False)

    def see(self, frame: Frame, face: LocatedFace) -> bool:
        """The rider's face in the next frame. False: it is not the face of the frame before, so nothing that was found
        out before holds of it.
        """
        self._timed = frame.taken_ns > 0
        self._is_video |= self._timed
        if not self.waits:
            return True
        same = self._face is not None and is_same_face(self._face, face)
        if not same:
            self._begin()
        self._face = face
        if not self._is_complete():
            self._feed(frame, face)
        return same

    def lose(self) -> None:
        """The rider's face is gone, or not the owner's; the next one begins a clip of its own."""
        self._face = None
        if self._lighting is not None:
            self._lighting.drop()

    def outcome(self) -> Outcome | None:
        """What the complete clip amounts to; None while there is none. After a first RETRY another clip of the same
        face begins, and None comes back; RETRY after the last.
        """
        if not self._detectors:
            return Outcome.PASS
        if self._outcome is None and self._is_complete():
            self._judge()
        return self._outcome

    def close(self) -> None:
        """The crossing is over: the display goes back to its texts, the detectors are let go."""
        if self._lighting is not None:
            self._lighting.end()
        self._detectors, self._face = (), None

    def _begin(self) -> None:
        """A new clip, and where there is a light a new plan."""
        stimulus: Stimulus | None = None
        light_ratio: float | None = None
        if self._lighting is not None:
            stimulus, light_ratio = self._lighting.begin(), self._lighting.light_ratio
        self._seen, self._outcome, self._began_ns = 0, None, self._clock.monotonic_ns()
        for detector in self._detectors:
            detector.begin(stimulus, light_ratio)

    def _feed(self, frame: Frame, face: LocatedFace) -> None:
        shown: Colour | None = None if self._lighting is None else self._lighting.at_exposure()
        for detector in self._detectors:
            detector.see(frame, face, shown)
        if self._lighting is not None and shown is None:
            return
        self._last_ns = self._clock.monotonic_ns()
        if self._seen == 0:
            self._first_ns = self._last_ns
        self._seen += 1

    def _is_complete(self) -> bool:
        """Frames enough, over time enough where they have a time, and every colour was on."""
        if self._seen < CLIP_FRAMES or (self._lighting is not None and not self._lighting.is_shown):
            return False
        return not self._timed or self._last_ns - self._first_ns >= CLIP_MS_MIN * 1_000_000

    def _judge(self) -> None:
        found = [detector.evidence() for detector in self._detectors]
        for one in found:
            self._kit.count(one)
        unattended = self._policy.attendance == "unattended"
        outcome = fuse(found, mode=self._mode, unattended=unattended, monitored=self._policy.attack_monitored)
        self._clips += 1
        if outcome is Outcome.RETRY and self._clips < CLIPS_MAX:
            self._begin()
        else:
            self._outcome = outcome
