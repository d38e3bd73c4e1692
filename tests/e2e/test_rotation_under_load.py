"""A gate process that is busy goes on admitting through key rotations, a stolen gate's emergency and bundle updates."""

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from openstile.assembly.home import open_home
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.desk import face_reference
from openstile.face import FaceEngine
from openstile.face.images import read_image
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.reference import Reference, ReferenceKind

URI = "https://passes.example/status/1"
Pass = tuple[str, str]
"""Id and text."""
REPOSITORY = Path(__file__).resolve().parents[2]
ANSWERS_S = 60.0


def openstile(*words: object) -> None:
    assert run([str(word) for word in words]) == 0, words


@dataclass
class Site:
    """An office and a gate, each with a home of its own; what goes between them goes through files."""

    office: Path
    gate: Path
    portrait: Path
    reference: Reference
    bundles: int = 0

    def set_up(self) -> None:
        for home in (self.office, self.gate):
            openstile("keys", "create", "gate", "--home", home)  # makes the settings too
        self._set(self.office, 'status_list_uri = ""', f'status_list_uri = "{URI}"')
        self._set(self.office, "passback_s = 300", "passback_s = 0")
        self._set(self.gate, "rearm_ms = 1500", "rearm_ms = 0")
        openstile("keys", "create", "operator", "--home", self.office)
        openstile("keys", "create", "issuer", "--home", self.office)
        openstile("keys", "create", "gate-group", "--home", self.office)
        self.hand_over("operator", of=self.office, to=self.gate)
        self.gate_file = self._exported("gate", of=self.gate)
        self.issue()
        self.update()

    @staticmethod
    def _set(home: Path, before: str, after: str) -> None:
        settings = home / "settings.toml"
        assert before in settings.read_text()
        settings.write_text(settings.read_text().replace(before, after))

    def hand_over(self, role: str, *, of: Path, to: Path) -> None:
        openstile("keys", "import", self._exported(role, of=of), "--home", to)

    def _exported(self, role: str, *, of: Path) -> Path:
        keys = Installation.open(open_home(of)).keys.list_keys(now=Installation.open(open_home(of)).clock.now())
        kid = next(key.kid for key in keys if key.role.value == role)
        out = of.parent / f"{of.name}-{role}.json"
        openstile("keys", "export", kid, "--out", out, "--home", of)
        return out

    def update(self) -> None:
        """Build the list and a bundle at the office, carry it to the gate, apply it there: beside the running gate."""
        self.bundles += 1
        file = self.office.parent / f"bundle-{self.bundles}.cose"
        openstile("status", "build", "--home", self.office)
        openstile("bundle", "build", "--gate", self.gate_file, "--out", file, "--home", self.office)
        openstile("bundle", "apply", file, "--home", self.gate)

    def issue(self) -> Pass:
        issued = Installation.open(open_home(self.office)).issue(
            entitlement=Entitlement("season"),
            reference=self.reference,
            valid_for=timedelta(days=30),
            assurance=Assurance.SUPERVISED,
        )
        return str(issued.pass_id), issued.text


class BusyGate:
    """The process, and a thread that presents one pass after the other for as long as the gate runs."""

    def __init__(self, process: "subprocess.Popen[str]", portrait: Path, passes: Iterable[Pass]) -> None:
        self._process = process
        self._portrait = portrait
        self._passes = cycle(passes)
        self._next: deque[Pass] = deque()
        self._heard = threading.Condition()
        self._finished = False
        self.answers: list[tuple[str, str | None]] = []
        """Pass id and reason (None: admitted) of each crossing."""
        self.read_anew = 0

    def run(self) -> None:
        assert self._process.stdin is not None
        while not self._finished:
            pass_id, text = self._next.popleft() if self._next else next(self._passes)
            self._process.stdin.write(f"{text} {self._portrait}\n")
            self._process.stdin.flush()
            reason = self._answer()
            with self._heard:
                self.answers.append((pass_id, reason))
                self._heard.notify_all()
        self._process.stdin.close()

    def _answer(self) -> str | None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "reason" in said:
                return said["reason"]  # type: ignore[no-any-return]
            with self._heard:
                self.read_anew += 1
        raise AssertionError("the gate ended")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        with self._heard:
            assert self._heard.wait_for(holds, ANSWERS_S), f"after {len(self.answers)} crossings"

    def present(self, passes: Iterable[Pass]) -> None:
        """These come next; returns when all of them were answered."""
        wanted = list(passes)
        self._next.extend(wanted)
        self.wait_until(lambda: {one for one, _ in wanted} <= {answered for answered, _ in self.answers})

    def finish(self) -> None:
        self._finished = True


@pytest.fixture
def site(tmp_path: Path, engine: FaceEngine, portraits: dict[str, Path]) -> Site:
    named = [("me", read_image(portraits["president-1.jpg"]))]
    quality = Installation.open(open_home(tmp_path / "any")).policy.quality
    template = face_reference(named, engine=engine, quality=quality)
    site = Site(
        office=tmp_path / "office",
        gate=tmp_path / "gate",
        portrait=portraits["president-2.jpg"],
        reference=Reference(ReferenceKind.FACE, template.pack_id, template.data),
    )
    site.set_up()
    return site


def test_busy_gate_admits_through_rotations_and_updates_and_refuses_only_what_was_withdrawn(site: Site) -> None:
    old, withdrawn = [site.issue() for _ in range(20)], site.issue()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.busy_gate", str(site.gate)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        gate = BusyGate(process, site.portrait, old)
        load = threading.Thread(target=gate.run)
        load.start()
        gate.present([withdrawn])

        # Planned: the gate learns both new keys before the office seals and signs with them.
        openstile("keys", "rotate", "issuer", "--overlap-hours", 0, "--yes", "--home", site.office)
        openstile("keys", "rotate", "gate-group", "--overlap-hours", 0, "--yes", "--home", site.office)
        site.update()
        gate.wait_until(lambda: gate.read_anew >= 1)
        new = [site.issue() for _ in range(3)]
        gate.present(new)

        # Another gate was stolen: a new key at once, the old ones open for some days more. And a pass is withdrawn.
        openstile("keys", "rotate", "gate-group", "--emergency", "--grace-days", 3, "--yes", "--home", site.office)
        openstile("status", "revoke", withdrawn[0], "--yes", "--home", site.office)
        site.update()
        gate.wait_until(lambda: gate.read_anew >= 2)
        newest = [site.issue() for _ in range(3)]
        gate.present([*newest, *new])
        before = len(gate.answers)
        gate.present([("again", withdrawn[1])])
        gate.wait_until(lambda: len(gate.answers) >= before + 2 * len(old))
        gate.finish()
        load.join(ANSWERS_S)
        assert process.wait(ANSWERS_S) == 0

    refused = [answer for answer in gate.answers if answer[1] is not None]
    assert refused == [("again", "pass_revoked")]
    assert {one for one, _ in (*old, *new, *newest, withdrawn)} <= {answered for answered, _ in gate.answers}
    assert len(gate.answers) > 3 * len(old)
    assert run(["journal", "verify", "--home", str(site.gate)]) == 0
