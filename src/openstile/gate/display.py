"""Showing the rider what goes on."""

from typing import Protocol, TextIO

from rich.console import Console
from rich.text import Text

from openstile.crossing.reasons import Reason
from openstile.face.feedback import Feedback
from openstile.gate.messages import (
    GateState,
    Language,
    RiderMessage,
    feedback_message,
    refusal_message,
    state_message,
)


class Display(Protocol):
    """What the rider sees. A display that fails must not stop the gate: it logs and returns."""

    def show_state(self, state: GateState) -> None:
        """Show what the gate is doing."""
        ...

    def show_feedback(self, feedback: Feedback) -> None:
        """While the gate looks: show what the rider can do so that it sees them."""
        ...

    def show_reason(self, reason: Reason) -> None:
        """Show why the gate refuses, and what the rider may do next."""
        ...


class ConsoleDisplay:
    """One line of text per message on a stream; in colour on a terminal unless NO_COLOR is set (no-color.org).

    A message that is already shown is not repeated. A stream that is closed or gone is ignored.
    """

    def __init__(self, stream: TextIO, *, language: Language = Language.EN) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._language = language
        self._shown: RiderMessage | None = None

    def show_state(self, state: GateState) -> None:
        """Show what the gate is doing."""
        self._show(state_message(state, self._language))

    def show_feedback(self, feedback: Feedback) -> None:
        """While the gate looks: show what the rider can do so that it sees them."""
        self._show(feedback_message(feedback, self._language))

    def show_reason(self, reason: Reason) -> None:
        """Show why the gate refuses, and what the rider may do next."""
        self._show(refusal_message(reason, self._language))

    def _show(self, message: RiderMessage) -> None:
        if message == self._shown:
            return
        style = "bold red" if message.step is not None else _STYLES.get(message.about, "bold yellow")
        line = Text.assemble((_SIGNS.get(message.about, "x" if message.step else "-"), style), " ",
                             (message.headline, style), "  ", message.advice)  # fmt: skip
        try:
            self._console.print(line)
        except (OSError, ValueError):
            return
        self._shown = message


_STYLES: dict[GateState | Feedback | Reason, str] = {
    GateState.IDLE: "dim",
    GateState.LOOK: "bold",
    GateState.ADMITTED: "bold green",
    GateState.OUT_OF_SERVICE: "bold red",
}
_SIGNS: dict[GateState | Feedback | Reason, str] = {GateState.ADMITTED: ">", GateState.OUT_OF_SERVICE: "x"}
