"""What a rider is told while the gate looks: calm enough to be read."""

from collections.abc import Callable

from openstile.face.feedback import Feedback

FEEDBACK_FRAMES = 3
"""A display that changes with every frame cannot be read: at 25 frames a second this is an eighth of a second."""


class Advice:
    """Tells a rider what to do when FEEDBACK_FRAMES frames in a row ask for it, and once while they do."""

    def __init__(self, tell: Callable[[Feedback], None]) -> None:
        self._tell = tell
        self._asked: Feedback | None = None
        self._frames = 0

    def note(self, feedback: Feedback) -> None:
        """One more frame that asks for `feedback`."""
        self._frames = self._frames + 1 if feedback is self._asked else 1
        self._asked = feedback
        if self._frames == FEEDBACK_FRAMES:
            self._tell(feedback)
