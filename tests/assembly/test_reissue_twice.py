"""One pass brought to two counters at once is made anew once."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from openstile.assembly.home import open_home
from openstile.assembly.reissue import Outcome, Reissue, reissue
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.issuer import PassRegister, PassState
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.issue import IssuedPass
from openstile.passes.pin import make_pin_reference


def test_pass_reissued_by_two_processes_at_once_has_one_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    for role in ("issuer", "gate-group"):
        assert run(["keys", "create", role, "--home", str(home)]) == 0
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace('uri = ""', 'uri = "https://passes.example/status/1"', 1))
    here = Installation.open(open_home(home))
    issued = here.issue(
        entitlement=Entitlement("season"),
        reference=make_pin_reference("4711"),
        valid_for=timedelta(days=9),
        assurance=Assurance.SELF_ENROLLED,
    )
    (tmp_path / "old.txt").write_text(issued.text)
    results: list[Reissue] = []
    issue = Installation.issue
    other = threading.Thread(
        target=lambda: results.extend(reissue(here, [tmp_path / "old.txt"], out=tmp_path / "2", everything=True))
    )

    def while_another_begins(self: Installation, **order: object) -> IssuedPass:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.5)
        return issue(self, **order)  # type: ignore[arg-type]

    monkeypatch.setattr(Installation, "issue", while_another_begins)
    results.extend(reissue(here, [tmp_path / "old.txt"], out=tmp_path / "1", everything=True))
    other.join()
    assert sorted(result.outcome for result in results) == [Outcome.REFUSED, Outcome.REISSUED]
    with PassRegister.open(here.home.register) as register:
        assert register.counts()[PassState.VALID] == 1
