"""Recorded presentations: what a file may hold, how it is written, and the words an operator works with."""

import json
import math
import stat
import typing
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lab.made_sessions import ATTACK, CLIPS, LIVE, NOON, UNSURE, presented, session

from openstile.face.attack import Evidence, Outcome, Verdict
from openstile.face.sources import CameraLostError
from openstile.lab.attacks_file import SessionFile, decode_session, encode_session, read_session
from openstile.lab.attacks_guide import COMMANDS, Guide, Step, Wanted
from openstile.lab.attacks_record import Answer
from openstile.lab.attacks_session import BONA_FIDE, SPECIES, Presentation, Rule, Session
from openstile.terms import BadInputError
from openstile.terms.limits import (
    ATTACK_CONDITIONS_CHARS_MAX,
    ATTACK_NUMBER_MAX,
    ATTACK_PRESENTATION_BYTES_MAX,
    ATTACK_SESSION_BYTES_MAX,
    ATTACK_SPECIES_CHARS_MAX,
)

ALL = session(*(presented(how, species) for how in CLIPS for species in (BONA_FIDE, "flat print")))


def test_presentation_has_no_place_for_a_frame_a_landmark_or_a_template() -> None:
    assert set(typing.get_type_hints(Presentation)) == {
        "subject", "species", "instrument", "conditions", "clips", "outcome", "at", "from_file", "void",
    }  # fmt: skip
    assert set(typing.get_type_hints(Session)) == {
        "session_id", "openstile", "pack", "flash", "monitored", "look_ms_max", "presentations",
    }  # fmt: skip
    assert typing.get_type_hints(Presentation)["clips"] == tuple[tuple[Evidence, ...], ...]
    assert set(typing.get_type_hints(Evidence)) == {"detector", "verdict", "score", "physical"}


def test_longest_presentation_is_too_short_for_a_picture() -> None:
    longest = tuple(Evidence("x" * 19 + chr(97 + n), Verdict.INCONCLUSIVE, -1.2345678901234567e-300) for n in range(8))
    one = Presentation(
        subject=ATTACK_NUMBER_MAX,
        species="x" * ATTACK_SPECIES_CHARS_MAX,
        instrument=ATTACK_NUMBER_MAX,
        conditions="\N{SHRUG}" * ATTACK_CONDITIONS_CHARS_MAX,
        clips=(longest, longest),
        outcome=Outcome.RETRY,
        at=NOON,
    )
    line = encode_session(session(one)).splitlines()[1]
    assert 2000 < len(line) <= ATTACK_PRESENTATION_BYTES_MAX


@pytest.mark.parametrize("how", CLIPS)
def test_attended_gate_decides_on_the_first_clip(how: str) -> None:
    attended = {
        "let through later": Outcome.PASS, "denied later": Outcome.PASS, "unsure": Outcome.PASS,
        "unsure, cut short": Outcome.PASS,
    }.get(how, CLIPS[how][1])  # fmt: skip
    one = presented(how)
    assert one.outcome_by(Rule.ATTENDED, ()) is attended
    assert one.outcome_by(Rule.UNATTENDED, ()) is CLIPS[how][1]


def test_detector_that_is_only_monitored_has_no_say_in_either_rule() -> None:
    quiet = Evidence("flash_shape", Verdict.ATTACK, 0.1)
    one = replace(presented("let through"), clips=((*LIVE, quiet),))
    assert session(one, monitored=("flash_shape",)).presentations[0].outcome_by(Rule.ATTENDED, ("flash_shape",)) is (
        Outcome.PASS
    )
    with pytest.raises(BadInputError, match="its outcome is not what its detectors came to"):
        session(one)


@pytest.mark.parametrize(
    ("clips", "outcome"),
    [
        ((LIVE,), Outcome.DENY),
        ((ATTACK,), Outcome.PASS),
        ((LIVE,), None),
        ((), Outcome.PASS),
        ((LIVE, LIVE), Outcome.PASS),
        ((UNSURE, UNSURE, LIVE), Outcome.PASS),
        ((ATTACK, LIVE), Outcome.PASS),
    ],
)
def test_outcome_that_the_gate_cannot_have_come_to_is_refused(
    clips: tuple[tuple[Evidence, ...], ...], outcome: Outcome | None
) -> None:
    with pytest.raises(BadInputError, match="presentation 1"):
        session(replace(presented("unsure"), clips=clips, outcome=outcome))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": 0}, "subject 0"),
        ({"subject": ATTACK_NUMBER_MAX + 1}, "subject 10000"),
        ({"instrument": None}, "instrument's number"),
        ({"instrument": 0}, "instrument 0"),
        ({"species": BONA_FIDE}, "instrument's number"),
        ({"species": "Flat Print"}, "small letters"),
        ({"species": "x" * (ATTACK_SPECIES_CHARS_MAX + 1)}, "small letters"),
        ({"species": "print<script>"}, "small letters"),
        ({"conditions": "x" * (ATTACK_CONDITIONS_CHARS_MAX + 1)}, "one line"),
        ({"conditions": "two\nlines"}, "one line"),
        ({"clips": ((),)}, "1 to 8 detectors"),
        ({"clips": (LIVE + LIVE,)}, "each once"),
        ({"at": NOON.replace(tzinfo=None)}, "UTC"),
        ({"at": NOON.replace(tzinfo=timezone(timedelta(hours=1)))}, "UTC"),
        ({"at": NOON.replace(microsecond=5)}, "whole seconds"),
    ],
)
def test_presentation_checks_itself(changed: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        replace(presented("denied", "flat print"), **changed)  # type: ignore[arg-type]


_evidence = st.builds(
    Evidence,
    st.sampled_from(("parallax", "flash_response", "flash_shape")),
    st.sampled_from(Verdict),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
_clip = st.lists(_evidence, min_size=1, max_size=3, unique_by=lambda one: one.detector).map(tuple)


@st.composite
def _sessions(draw: st.DrawFn) -> Session:
    made = []
    for _ in range(draw(st.integers(0, 5))):
        species = draw(st.sampled_from((*SPECIES, "my mask 2")))
        clip = draw(_clip)
        verdicts = [one.verdict for one in clip]
        outcome = Outcome.DENY if Verdict.ATTACK in verdicts else Outcome.RETRY
        outcome = Outcome.PASS if outcome is Outcome.RETRY and Verdict.LIVE in verdicts else outcome
        made.append(
            Presentation(
                draw(st.integers(1, 9999)), species, None if species == BONA_FIDE else draw(st.integers(1, 9999)),
                draw(st.text(st.characters(categories=("L", "N", "P")), max_size=20)), (clip,), outcome,
                draw(st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1))).replace(tzinfo=NOON.tzinfo, microsecond=0),
                draw(st.booleans()), draw(st.booleans()),
            )
        )  # fmt: skip
    return session(*made, flash=draw(st.booleans()))


@settings(deadline=None, max_examples=50)
@given(_sessions())
def test_session_that_was_written_is_read_as_the_same(one: Session) -> None:
    data = encode_session(one)
    assert decode_session(data, what="it") == one
    assert encode_session(decode_session(data, what="it")) == data
    values = json.loads(data)
    assert all(math.isfinite(s["score"] or 0) for p in values["presentations"] for c in p["clips"] for s in c)


def _changed(old: str, new: str) -> bytes:
    text = encode_session(ALL).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no session"),
        (b"[]", "no session"),
        (b"{}", "format"),
        (b"\xff\xfe", "no session"),
        (b"[" * 100_000, "no session"),
        (_changed("session-1", "session-2"), "format"),
        (_changed('"void": false', '"void": false, "frame": "AAAA"'), "frame"),
        (_changed('"void": false', '"void": 0'), "void"),
        (_changed('"score": 20.5', '"score": "20.5"'), "score"),
        (_changed('"score": 20.5', '"score": NaN'), "score"),
        (_changed('"score": 20.5', '"score": 1e999'), "score"),
        (_changed('"score": 20.5', '"score": 20.5, "score": 1'), "a key stands twice"),
        (_changed('"subject": 1', '"subject": 1.0'), "subject"),
        (_changed('"subject": 1', f'"subject": {"9" * 5000}'), "no session"),
        (_changed('"outcome": "pass"', '"outcome": "deny"'), "presentation 1"),
        (_changed('"outcome": "pass"', '"outcome": "admit"'), "outcome"),
        (_changed("2026-05-04", "2026-02-30"), "no such time"),
        (_changed("12:00:01Z", "12:00:01"), "at"),
        (_changed('"parallax"', '"Parallax"'), "detector"),
        (_changed('"look_ms_max": 4000', '"look_ms_max": 1'), "look_ms_max"),
        (_changed("0" * 16, "no hex digits.."), "16 hexadecimal"),
    ],
)
def test_damaged_file_is_refused_in_one_line(data: bytes, said: str) -> None:
    with pytest.raises(BadInputError, match=said) as refused:
        decode_session(data, what="a.json")
    assert str(refused.value).startswith("a.json: ")
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


def test_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(ATTACK_SESSION_BYTES_MAX + 1)
    with pytest.raises(BadInputError, match="larger than 32 MiB"):
        read_session(path)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_session(tmp_path / "absent.json")


def test_file_is_its_owners_alone_and_whole_after_each_presentation(tmp_path: Path) -> None:
    path = tmp_path / "new" / "session.json"
    file = SessionFile.open(path, new=session())
    for number, how in enumerate(CLIPS, 1):
        file.put(file.session.with_next(presented(how)))
        assert len(read_session(path).presentations) == number
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["session.json"]


def test_disk_that_is_full_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.json"
    file = SessionFile.open(path, new=session(presented("denied")))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(BadInputError, match="No space left"):
            file.put(file.session.with_next(presented("denied")))
    assert len(file.session.presentations) == len(read_session(path).presentations) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["session.json"]


def test_file_that_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    first, second = (SessionFile.open(path, new=session()) for _ in range(2))
    first.put(first.session.with_next(presented("denied")))
    with pytest.raises(BadInputError, match="changed by somebody else"):
        second.put(second.session.with_next(presented("let through")))
    assert read_session(path) == first.session


@pytest.mark.parametrize(
    "other",
    [{"openstile": "0.2.0"}, {"pack": "made-2"}, {"flash": True}, {"monitored": ("context",)}, {"look_ms_max": 500}],
    ids=lambda other: next(iter(other)),
)
def test_file_is_gone_on_with_only_by_the_gate_that_it_belongs_to(tmp_path: Path, other: dict[str, object]) -> None:
    path = tmp_path / "session.json"
    SessionFile.open(path, new=session(presented("denied")))
    with pytest.raises(BadInputError, match=f"another {next(iter(other))}"):
        SessionFile.open(path, new=session(session_id="0" * 16, **other))
    assert len(SessionFile.open(path, new=session(session_id="1" * 16)).session.presentations) == 1


def test_person_who_takes_consent_back_is_taken_out() -> None:
    both = session(presented("denied", subject=1), presented("let through", subject=2))
    assert [one.subject for one in both.without(1).presentations] == [2]
    with pytest.raises(BadInputError, match="nothing of person 3"):
        both.without(3)


class Operator:
    """Answers prompts from a list, then says nothing more; hears what is told."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.heard: list[str] = []

    def ask(self, prompt: str) -> str | None:
        self.heard.append(prompt)
        return next(self._answers, None)

    def guide(self, file: SessionFile, *outcomes: str, waits: bool = True) -> Guide:
        looks = iter(outcomes)

        def look() -> Answer:
            how = next(looks)
            if how == "lost":
                raise CameraLostError("camera 0: has stopped giving frames")
            return Answer(*CLIPS[how], from_file=False)

        return Guide(
            file, look=look, tell=self.heard.append, now=lambda: NOON.replace(microsecond=7),
            ask=self.ask if waits else None,
        )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> SessionFile:
    return SessionFile.open(tmp_path / "session.json", new=session())


def test_operator_is_guided_species_by_species(file: SessionFile) -> None:
    wanted = Wanted(SPECIES, instrument=3, conditions="lamp on")
    steps = wanted.steps(7, ())
    assert [step.species for step in steps] == list(SPECIES)
    operator = Operator(*[""] * (len(SPECIES) + 1))
    assert operator.guide(file, *["denied"] * len(SPECIES)).run(steps, wanted.conditions)
    made = read_session(file.path).presentations
    assert [one.species for one in made] == list(SPECIES)
    assert {one.instrument for one in made[1:]} == {3}
    assert made[0].instrument is None
    assert {(one.subject, one.conditions, one.at) for one in made} == {(7, "lamp on", NOON)}
    assert operator.heard[0] == "Person 7 looks at the camera, as a rider does."
    assert operator.heard[2] == "Hold the flat print no. 3 of person 7 before the camera."
    assert operator.heard[3] == "flat print: denied: attack (parallax attack)"
    assert wanted.steps(7, made) == []
    assert len(replace(wanted, times=2).steps(7, made)) == len(SPECIES)
    assert len(replace(wanted, conditions="lamp off").steps(7, made)) == len(SPECIES)


def test_operator_repeats_voids_skips_and_quits(file: SessionFile) -> None:
    steps = Wanted(("phone", "tablet", "monitor"), times=1).steps(1, ())
    operator = Operator("", "r", "v", "", "x", " S ", "r", "q")
    assert not operator.guide(file, "denied", "unsure", "let through").run(steps, "")
    made = read_session(file.path).presentations
    assert [(one.species, one.outcome, one.void) for one in made] == [
        ("phone", Outcome.DENY, False),
        ("phone", Outcome.RETRY, True),
        ("phone", Outcome.PASS, False),
    ]
    assert operator.heard.count(COMMANDS) == 2, "an unknown word, and nothing to repeat after a skip"
    assert operator.heard[-1].startswith("Hold the monitor")


def test_end_of_input_quits_and_keeps_what_was_made(file: SessionFile) -> None:
    steps = Wanted(("phone", "tablet")).steps(1, ())
    assert not Operator("").guide(file, "denied").run(steps, "")
    assert len(read_session(file.path).presentations) == 1


def test_session_that_lost_its_camera_goes_on_where_it_was(file: SessionFile) -> None:
    wanted = Wanted(("phone", "tablet", "monitor"), times=2)
    with pytest.raises(CameraLostError):
        Operator().guide(file, "denied", "no face", "unsure", "lost", waits=False).run(wanted.steps(1, ()), "")
    again = SessionFile.open(file.path, new=session())
    left = wanted.steps(1, again.session.presentations)
    assert left == [Step(1, "tablet", 1), Step(1, "monitor", 1), Step(1, "monitor", 1)]
    assert Operator().guide(again, *["denied"] * 3, waits=False).run(left, "")
    assert [one.outcome for one in read_session(file.path).presentations][:3] == [Outcome.DENY, None, Outcome.RETRY]
    assert wanted.steps(1, again.session.presentations) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"species": ()}, "one or more"),
        ({"species": ("phone", "phone")}, "each once"),
        ({"species": ("Phone!",)}, "small letters"),
        ({"times": 0}, "times 0"),
        ({"times": 101}, "times 101"),
        ({"instrument": 10_000}, "instrument 10000"),
        ({"conditions": "a\tb"}, "one line"),
    ],
)
def test_what_is_wanted_checks_itself(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        replace(Wanted(("phone",)), **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="subject 0"):
        Wanted(("phone",)).steps(0, ())
