"""The scenes: what is tried at the gate, and what has to come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from openstile.assembly.phone import Phone
from openstile.crossing.reasons import Reason
from openstile.demo.camera import empty_lane, in_front_of_camera, out_of_focus, pass_held_up, side_by_side
from openstile.demo.cast import PIN, Cast
from openstile.face import FaceEngine, Frame
from openstile.face.images import read_image
from openstile.terms.instants import Clock

_MINUTES_10 = timedelta(minutes=10)
_SECONDS_20 = timedelta(seconds=20)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """One try. `shown` is what is presented: a file, a text, what a phone shows at that moment, or a camera frame with
    a pass held up in it.

    `camera` is what the camera would see; `looks` says whether the gate may read any of it at all. `expected` is the
    reason of the refusal, or None for an admission. `later` is how long after the scene before this one happens.
    """

    title: str
    tried: str
    shown: Path | str | Frame | Callable[[], str]
    camera: tuple[Frame, ...]
    looks: bool
    expected: Reason | None
    later: timedelta = _MINUTES_10
    pin: str | None = None


class Screen:
    """The screen of a phone that shows a pass live, and somebody who takes a picture of it."""

    def __init__(self, phone: Phone, clock: Clock) -> None:
        self._phone = phone
        self._clock = clock
        self._shown = ""

    def live(self) -> str:
        """The code of this moment."""
        self._shown = self._phone.show(self._clock)
        return self._shown

    def screenshot(self) -> str:
        """The code that was shown last."""
        return self._shown


def write_scenes(cast: Cast, portraits: dict[str, Path], engine: FaceEngine) -> tuple[Scene, ...]:
    """All scenes, in the order in which they are played."""
    photo = {name: read_image(path) for name, path in portraits.items()}
    seen = {name: in_front_of_camera(engine, picture) for name, picture in photo.items()}
    faces = _faces(cast, seen, pass_held_up(empty_lane(), cast.president.text))
    disturbed = (
        out_of_focus(seen["president-2.jpg"]),
        side_by_side(engine, photo["president-1.jpg"], photo["vice-president.jpg"]),
    )
    bad_passes = _bad_passes(cast, seen["president-2.jpg"])
    return (*faces, *_unclear(cast, *disturbed), *bad_passes, *_pins(cast), *_on_a_phone(cast))


def _faces(cast: Cast, seen: dict[str, Frame], thief: Frame) -> tuple[Scene, ...]:
    president = cast.president.png
    held = pass_held_up(seen["president-3.jpg"], cast.president.text)
    return (
        Scene("Own pass", "president, second photograph", president, (seen["president-2.jpg"],), True, None),
        Scene(
            "Used again",
            "handed back after 20 seconds",
            president,
            (seen["vice-president.jpg"],),
            False,
            Reason.USED_RECENTLY,
            later=_SECONDS_20,
        ),
        Scene(
            "Held up to the camera",
            "president, third photograph",
            held,
            (held, seen["president-3.jpg"]),
            True,
            None,
        ),
        Scene(
            "Borrowed pass",
            "vice president, president's pass",
            president,
            (seen["vice-president.jpg"],),
            True,
            Reason.FACE_DOES_NOT_MATCH,
        ),
        Scene(
            "Found pass",
            "astronaut, president's pass",
            president,
            (seen["astronaut.png"],),
            True,
            Reason.FACE_DOES_NOT_MATCH,
        ),
        Scene(
            "Copied pass, no face",
            "a code, and nobody behind it",
            thief,
            (thief, thief),
            True,
            Reason.NO_FACE,
        ),
    )


def _unclear(cast: Cast, blurred: Frame, two: Frame) -> tuple[Scene, ...]:
    president = cast.president.png
    return (
        Scene("Blurred face", "camera out of focus", president, (blurred,), True, Reason.FACE_BLURRED),
        Scene("Two faces", "two people walk up together", president, (two,), True, Reason.TWO_FACES),
    )


def _bad_passes(cast: Cast, owner: Frame) -> tuple[Scene, ...]:
    def refused(title: str, tried: str, shown: Path | str, reason: Reason) -> Scene:
        return Scene(title, tried, shown, (owner,), False, reason)

    return (
        refused(
            "Tampered pass",
            "one character was changed",
            tampered(cast.president.text),
            Reason.PASS_DAMAGED,
        ),
        refused("Expired pass", "for two days, ten days old", cast.expired.png, Reason.PASS_EXPIRED),
        refused("Pass of next season", "begins in a month", cast.of_next_season.png, Reason.PASS_NOT_YET_VALID),
        refused("Wrong gates", "sealed for gates in the north", cast.of_other_gates.png, Reason.PASS_FOR_OTHER_GATES),
        refused(
            "Withdrawn issuer key",
            "signed before it was stolen",
            cast.of_withdrawn_issuer.png,
            Reason.ISSUER_REVOKED,
        ),
        refused("Lost pass", "withdrawn: one bit in a signed list", cast.lost.png, Reason.PASS_REVOKED),
    )


def _pins(cast: Cast) -> tuple[Scene, ...]:
    pin_pass = cast.pin_rider.png
    return (
        Scene("PIN pass, wrong PIN", "0000 is typed", pin_pass, (), False, Reason.PIN_WRONG, pin="0000"),
        Scene("PIN pass, right PIN", "no camera needed", pin_pass, (), False, None, pin=PIN),
    )


def _on_a_phone(cast: Cast) -> tuple[Scene, ...]:
    printed, screen = cast.on_phone.png, Screen(cast.phone, cast.installation.clock)
    return (
        Scene("Print of a phone's pass", "must be shown live", printed, (), False, Reason.LIVE_CODE_NEEDED, pin=PIN),
        Scene("Live code, right PIN", "sealed anew by the phone", screen.live, (), False, None, pin=PIN),
        Scene(
            "Screenshot of it",
            "a minute later, on another phone",
            screen.screenshot,
            (),
            False,
            Reason.LIVE_CODE_EXPIRED,
            later=_MINUTE,
            pin=PIN,
        ),
    )


def tampered(text: str) -> str:
    """`text` with one character near its end changed, where the sealed part lies; it still is Base45."""
    place = len(text) - 40
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
