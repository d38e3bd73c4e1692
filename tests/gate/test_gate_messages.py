"""Every state and every refusal reason has its words in every language, and nothing else has."""

import io

import pytest

from openstile.crossing.reasons import Reason
from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.gate.display import ConsoleDisplay
from openstile.gate.messages import (
    NEXT_STEPS,
    GateState,
    Language,
    LightNotice,
    NextStep,
    feedback_message,
    refusal_message,
    state_message,
)
from openstile.gate.texts_de import FEEDBACK_TEXTS_DE, LIGHT_TEXTS_DE, REASON_TEXTS_DE, STATE_TEXTS_DE
from openstile.gate.texts_en import FEEDBACK_TEXTS_EN, LIGHT_TEXTS_EN, REASON_TEXTS_EN, STATE_TEXTS_EN


@pytest.mark.parametrize("texts", [REASON_TEXTS_EN, REASON_TEXTS_DE])
def test_texts_are_closed_over_the_refusal_reasons(texts: dict[str, tuple[str, str]]) -> None:
    assert set(texts) == {reason.value for reason in Reason}
    assert len({headline for headline, _ in texts.values()}) >= len(texts) - 2


@pytest.mark.parametrize("texts", [FEEDBACK_TEXTS_EN, FEEDBACK_TEXTS_DE])
def test_texts_are_closed_over_the_feedback_codes(texts: dict[str, tuple[str, str]]) -> None:
    assert set(texts) == {feedback.value for feedback in Feedback}
    assert len({headline for headline, _ in texts.values()}) == len(texts)


def test_every_fault_of_a_frame_has_its_feedback_and_its_refusal_reason() -> None:
    assert set(FEEDBACK) == set(FaceFault)
    assert {fault.value for fault in FaceFault} <= {reason.value for reason in Reason}


@pytest.mark.parametrize("texts", [LIGHT_TEXTS_EN, LIGHT_TEXTS_DE])
def test_texts_are_closed_over_the_notices_of_colours(texts: dict[str, str]) -> None:
    assert set(texts) == {notice.value for notice in LightNotice}


@pytest.mark.parametrize("texts", [STATE_TEXTS_EN, STATE_TEXTS_DE])
def test_texts_are_closed_over_the_gate_states(texts: dict[str, tuple[str, str]]) -> None:
    assert set(texts) == {state.value for state in GateState}


def test_every_reason_says_what_to_do_next() -> None:
    assert set(NEXT_STEPS) == set(Reason)
    assert set(NEXT_STEPS.values()) == set(NextStep)


@pytest.mark.parametrize("language", Language)
def test_messages_fit_a_small_display(language: Language) -> None:
    messages = [refusal_message(reason, language) for reason in Reason]
    messages += [state_message(state, language) for state in GateState]
    notices = set(LightNotice) - {LightNotice.DECLINED}
    messages += [state_message(GateState.IDLE, language, notice) for notice in notices]
    messages += [state_message(GateState.LOOK, language, LightNotice.DECLINED)]
    messages += [feedback_message(feedback, language) for feedback in Feedback]
    for message in messages:
        assert 0 < len(message.headline) <= 32, message
        assert 0 < len(message.advice) <= 100, message
        assert message.advice.endswith("."), message


def test_refusal_carries_its_reason_and_step() -> None:
    message = refusal_message(Reason.PIN_WRONG, Language.DE)
    assert (message.about, message.headline, message.step) == (Reason.PIN_WRONG, "PIN falsch", NextStep.PIN)


def test_display_shows_each_message_once_and_without_colour_on_a_file() -> None:
    stream = io.StringIO()
    display = ConsoleDisplay(stream)
    display.show_state(GateState.IDLE)
    display.show_state(GateState.IDLE)
    display.show_feedback(Feedback.COME_CLOSER)
    display.show_reason(Reason.NO_FACE)
    display.show_state(GateState.ADMITTED)
    assert stream.getvalue().splitlines() == [
        "- Ready  Hold your pass in front of the camera.",
        "- Come closer  Step up to the camera.",
        "x No face seen  Look at the camera and try again.",
        "> Welcome  Please walk through.",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_colour", [False, True])
def test_display_respects_no_color(monkeypatch: pytest.MonkeyPatch, no_colour: bool) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    ConsoleDisplay(stream, language=Language.DE).show_state(GateState.ADMITTED)
    assert "Willkommen" in stream.getvalue()
    assert ("\x1b[1;32m" in stream.getvalue()) != no_colour


def test_display_that_lost_its_stream_does_not_stop_the_gate() -> None:
    stream = io.StringIO()
    display = ConsoleDisplay(stream)
    stream.close()
    display.show_reason(Reason.CAMERA_LOST)
