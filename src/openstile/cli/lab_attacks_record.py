"""Recording for `openstile lab attacks`: the words, the camera and the light around `lab.attacks_guide`."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from openstile.cli.lab_options import LabRun
from openstile.cli.options import existing_home_of
from openstile.cli.printing import console, error_console, print_json
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:  # every command would load numpy at its start
    from openstile.assembly.wire import Installation
    from openstile.crossing import Policy
    from openstile.face.attack import Detector
    from openstile.face.attack.kit import FlashLight
    from openstile.lab.attacks_file import SessionFile
    from openstile.lab.attacks_guide import Wanted
    from openstile.lab.attacks_record import Answer
    from openstile.terms.instants import Clock

_KEPT = (
    "Kept in {file}: numbers of people and instruments, species, your words for the conditions, each detector's "
    "verdict and score, the gate's answer, the time, in a file that you alone can read.",
    "Never kept: a frame, a place in a frame, a template, a pass. Nobody is compared with anybody.",
)
_CONSENT = (
    "Everybody who will be shown, living or in a picture, agreed to this test and may stop at any time. Type yes: "
)


@dataclass(frozen=True, slots=True)
class Lamp:
    """The light, as the options say it; None where the home says it, if there is one."""

    terminal: str | None
    lag_frames: int | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Recording:
    """What the options say. subjects: empty where they are asked for."""

    file: Path
    run: LabRun
    camera: str | None
    lamp: Lamp
    subjects: tuple[int, ...]
    wanted: "Wanted"
    consented: bool
    yes: bool

    def installation(self) -> "Installation | None":
        """The home's, where one is named."""
        if self.run.home is None:
            return None
        from openstile.assembly.wire import Installation

        return Installation.open(existing_home_of(self.run.home))


def record_presentations(recording: Recording, *, as_json: bool) -> int:
    """Say what is kept, ask for consent, guide through the presentations. Raises BadInputError, CameraLostError."""
    import cv2

    from openstile.assembly.devices import camera_of
    from openstile.face.attack import AttackKit
    from openstile.lab.attacks_file import SessionFile
    from openstile.lab.attacks_record import new_session, present, settled
    from openstile.lab.attacks_session import check_number
    from openstile.terms.instants import SystemClock

    for number in recording.subjects:
        check_number("subject", number)
    if recording.yes and not recording.subjects:
        raise BadInputError("--yes: nobody is asked, so name the person: --subject NUMBER")
    for line in _KEPT:
        error_console().print(line.format(file=recording.file))
    _check_consent(recording)
    cv2.setNumThreads(1)  # as at a gate
    installation, clock = recording.installation(), SystemClock()
    open_camera = camera_of(_camera_name(recording, installation))
    apparatus = recording.run.apparatus()
    engine, policy = apparatus.open_engine(), _policy_in_use(installation) or apparatus.policy
    with _light_of(recording.lamp, installation) as light:
        kit = AttackKit(light, extra=_added_detectors(installation))

        def look() -> "Answer":
            with open_camera() as frames:
                return present(frames=settled(frames, clock), engine=engine, policy=policy, clock=clock, kit=kit)

        file = SessionFile.open(
            recording.file, new=new_session(engine=engine, policy=policy, kit=kit, random=os.urandom)
        )
        _guide(recording, file, look, clock)
    _conclude(file, as_json=as_json)
    return 0


def _check_consent(recording: Recording) -> None:
    if recording.consented:
        return
    answer = _ask(_CONSENT)
    if answer is None:
        raise BadInputError("consent: nobody is there to give it; --consented says that everybody agreed")
    if answer.strip().lower() not in ("y", "yes"):
        raise BadInputError("consent: without it nothing is presented and nothing was kept; ask the people first")


def _guide(recording: Recording, file: "SessionFile", look: "Callable[[], Answer]", clock: "Clock") -> None:
    from openstile.lab.attacks_guide import COMMANDS, Guide

    ask = None if recording.yes else lambda prompt: _ask(f"{prompt} ")
    guide = Guide(file, look=look, tell=error_console().print, now=clock.now, ask=ask)
    if ask is not None:
        error_console().print(COMMANDS)
    for subject in recording.subjects or _asked_subjects():
        steps = recording.wanted.steps(subject, file.session.presentations)
        if not steps:
            error_console().print(f"Person {subject}: all of it is in the file already.")
        elif not guide.run(steps, recording.wanted.conditions):
            return


def _camera_name(recording: Recording, installation: "Installation | None") -> str:
    name = recording.camera or ("camera:0" if installation is None else installation.settings.gate.camera)
    if recording.lamp.terminal is not None and Path(name).exists():
        raise BadInputError(f"--light: {name} is a file, which answers to no light; leave it out, or give a camera")
    return name


def _policy_in_use(installation: "Installation | None") -> "Policy | None":
    """Of the home's gate; None where no bundle told it anything, so that its settings are all."""
    from openstile.assembly.trust import policy_of
    from openstile.trust import TrustFolder

    bundle = None if installation is None else TrustFolder(installation.home.trust).bundle()
    return None if installation is None or bundle is None else policy_of(bundle, installation.settings)


def _added_detectors(installation: "Installation | None") -> "tuple[Callable[[], Detector], ...]":
    """Those that the home's settings add."""
    if installation is None:
        return ()
    installation.added_detectors.load()
    return installation.added_detectors.makers()


@contextmanager
def _light_of(lamp: Lamp, installation: "Installation | None") -> Iterator["FlashLight | None"]:
    if lamp.terminal is None:
        yield None
    elif lamp.terminal == "console":
        yield _light_on(sys.stderr, lamp, installation)
    else:
        try:
            descriptor = os.open(lamp.terminal, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise BadInputError(f"--light {lamp.terminal}: {error.strerror}; give a terminal, or console") from None
        with os.fdopen(descriptor, "w") as stream:
            if not stream.isatty():
                raise BadInputError(f"--light {lamp.terminal}: is no terminal; give one as /dev/tty1, or console")
            yield _light_on(stream, lamp, installation)


def _light_on(stream: TextIO, lamp: Lamp, installation: "Installation | None") -> "FlashLight":
    from openstile.gate.display_light import LightDisplay

    gate = None if installation is None else installation.settings.gate
    lag = lamp.lag_frames if lamp.lag_frames is not None else (gate.display_lag_frames if gate else 0)
    ratio = lamp.ratio if lamp.ratio is not None else (gate.display_light_ratio or None if gate else None)
    return LightDisplay(stream, lag_frames=lag, light_ratio=ratio)


def _asked_subjects() -> Iterator[int]:
    while True:
        answer = (_ask("Number of the next person (Enter ends): ") or "").strip()
        if not answer:
            return
        if answer.isascii() and answer.isdigit() and len(answer) <= 4 and int(answer):
            yield int(answer)
        else:
            error_console().print("A person has a number of 1 to 9999.")


def _ask(question: str) -> str | None:
    """One line from standard input; None where there is none. Asked on standard error: results stand alone."""
    error_console().print(question, end="")
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line.endswith("\n"):
        error_console().print("")
    return line or None


def _conclude(file: "SessionFile", *, as_json: bool) -> None:
    counted = [one for one in file.session.presentations if not one.void]
    species = Counter(one.species for one in counted)
    if as_json:
        print_json({"session": str(file.path), "presentations": len(counted), "species": dict(species)})
    else:
        console().print(f"{file.path}: {len(counted)} presentations; openstile lab attacks {file.path} shows the rates")
