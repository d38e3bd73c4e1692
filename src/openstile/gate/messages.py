"""What the rider reads: one short line, and what to do next. Closed over the gate's states and refusal reasons."""

from dataclasses import dataclass
from enum import StrEnum, unique

from openstile.crossing.reasons import Reason
from openstile.face.feedback import Feedback
from openstile.gate.texts_de import FEEDBACK_TEXTS_DE, LIGHT_TEXTS_DE, REASON_TEXTS_DE, STATE_TEXTS_DE
from openstile.gate.texts_en import FEEDBACK_TEXTS_EN, LIGHT_TEXTS_EN, REASON_TEXTS_EN, STATE_TEXTS_EN


@unique
class GateState(StrEnum):
    """What the gate is doing when it is not refusing."""

    IDLE = "idle"
    LOOK = "look"
    ADMITTED = "admitted"
    OUT_OF_SERVICE = "out_of_service"


@unique
class NextStep(StrEnum):
    """What the rider may do about a refusal."""

    TRY_AGAIN = "try_again"
    OTHER_LANE = "other_lane"
    PIN = "pin"
    HELP = "help"


@unique
class Language(StrEnum):
    """A language of the display (BCP 47)."""

    EN = "en"
    DE = "de"


@unique
class LightNotice(StrEnum):
    """What a display in colours says of them: before they come, with how to decline them where that can be done; and
    to who has declined. They keep WCAG 2.3.1 for everybody; some people want none all the same.
    """

    COLOURS = "colours"
    COLOURS_OR_KEY = "colours_or_key"
    COLOURS_OR_BUTTON = "colours_or_button"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class RiderMessage:
    """What a display shows: `headline` in a few words, `advice` in a sentence, and a refusal's `step`."""

    about: GateState | Feedback | Reason
    headline: str
    advice: str
    step: NextStep | None


def state_message(state: GateState, language: Language, notice: LightNotice | None = None) -> RiderMessage:
    """What the gate shows in `state`; with a display in colours, `notice` follows."""
    headline, advice = _STATE_TEXTS[language][state.value]
    if notice is not None:
        advice = f"{advice} {_LIGHT_TEXTS[language][notice.value]}"
    return RiderMessage(about=state, headline=headline, advice=advice, step=None)


def feedback_message(feedback: Feedback, language: Language) -> RiderMessage:
    """What the gate shows while it looks and cannot use what it sees."""
    headline, advice = _FEEDBACK_TEXTS[language][feedback.value]
    return RiderMessage(about=feedback, headline=headline, advice=advice, step=None)


def refusal_message(reason: Reason, language: Language) -> RiderMessage:
    """What the gate shows when it refuses. It never says how close a face came, nor whose pass it is."""
    headline, advice = _REASON_TEXTS[language][reason.value]
    return RiderMessage(about=reason, headline=headline, advice=advice, step=NEXT_STEPS[reason])


_STATE_TEXTS = {Language.EN: STATE_TEXTS_EN, Language.DE: STATE_TEXTS_DE}
_LIGHT_TEXTS = {Language.EN: LIGHT_TEXTS_EN, Language.DE: LIGHT_TEXTS_DE}
_FEEDBACK_TEXTS = {Language.EN: FEEDBACK_TEXTS_EN, Language.DE: FEEDBACK_TEXTS_DE}
_REASON_TEXTS = {Language.EN: REASON_TEXTS_EN, Language.DE: REASON_TEXTS_DE}

NEXT_STEPS: dict[Reason, NextStep] = {
    Reason.PASS_UNREADABLE: NextStep.TRY_AGAIN,
    Reason.PASS_VERSION_UNKNOWN: NextStep.HELP,
    Reason.PASS_FOR_OTHER_GATES: NextStep.HELP,
    Reason.PASS_DAMAGED: NextStep.HELP,
    Reason.PASS_FORGED: NextStep.HELP,
    Reason.ISSUER_UNKNOWN: NextStep.HELP,
    Reason.ISSUER_REVOKED: NextStep.HELP,
    Reason.PASS_OUTDATED: NextStep.HELP,
    Reason.PASS_EXPIRED: NextStep.HELP,
    Reason.PASS_NOT_YET_VALID: NextStep.HELP,
    Reason.LIVE_CODE_EXPIRED: NextStep.TRY_AGAIN,
    Reason.CLOCK_UNSURE: NextStep.OTHER_LANE,
    Reason.PASS_REVOKED: NextStep.HELP,
    Reason.STATUS_UNKNOWN: NextStep.OTHER_LANE,
    Reason.PRODUCT_NOT_ACCEPTED: NextStep.HELP,
    Reason.LIVE_CODE_NEEDED: NextStep.TRY_AGAIN,
    Reason.REFERENCE_NOT_SUPPORTED: NextStep.OTHER_LANE,
    Reason.TOO_MANY_ATTEMPTS: NextStep.HELP,
    Reason.USED_RECENTLY: NextStep.HELP,
    Reason.NO_FACE: NextStep.TRY_AGAIN,
    Reason.TWO_FACES: NextStep.TRY_AGAIN,
    Reason.FACE_TOO_FAR: NextStep.TRY_AGAIN,
    Reason.FACE_CUT: NextStep.TRY_AGAIN,
    Reason.FACE_TURNED: NextStep.TRY_AGAIN,
    Reason.FACE_COVERED: NextStep.TRY_AGAIN,
    Reason.FACE_BLURRED: NextStep.TRY_AGAIN,
    Reason.TOO_DARK: NextStep.OTHER_LANE,
    Reason.TOO_BRIGHT: NextStep.OTHER_LANE,
    Reason.TOO_FLAT: NextStep.OTHER_LANE,
    Reason.TOO_NOISY: NextStep.OTHER_LANE,
    Reason.FACE_DOES_NOT_MATCH: NextStep.TRY_AGAIN,
    Reason.ATTACK_SUSPECTED: NextStep.HELP,
    Reason.LIVENESS_UNSURE: NextStep.TRY_AGAIN,
    Reason.PIN_MISSING: NextStep.PIN,
    Reason.PIN_WRONG: NextStep.PIN,
    Reason.KEYS_UNAVAILABLE: NextStep.OTHER_LANE,
    Reason.CAMERA_LOST: NextStep.OTHER_LANE,
    Reason.JOURNAL_UNAVAILABLE: NextStep.OTHER_LANE,
    Reason.BARRIER_UNAVAILABLE: NextStep.OTHER_LANE,
}
