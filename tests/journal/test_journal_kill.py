"""Kill -9 at any moment loses no acknowledged tap and never breaks the chain."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.journal.sample import GATE, tap

from openstile.journal import GateKey, Journal, verify_journal

KILLS = 24

_GATE_PROCESS = """
import sys
from datetime import timedelta
from pathlib import Path
from openstile.journal import GateKey, Journal
from tests.journal.sample import GATE, tap

folder, fades = Path(sys.argv[1]), sys.argv[2] == "fades"
with Journal.open(folder / "journal.db", key=GateKey.open(folder / "gate.pem"), gate=GATE) as journal:
    while True:
        next_tap = tap(journal.head().seq + 1)
        print(journal.append(next_tap).seq, flush=True)
        if fades and next_tap.at.minute % 5 == 0:
            journal.fade(next_tap.at - timedelta(minutes=20))
"""


def _killed_after(folder: Path, delay_s: float, *, fades: bool) -> list[int]:
    """Runs a gate that acknowledges each tap on its output, kills it `delay_s` after the first; what it said."""
    gate = subprocess.Popen(
        [sys.executable, "-c", _GATE_PROCESS, str(folder), "fades" if fades else "keeps"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert gate.stdout is not None
    first = gate.stdout.readline()
    time.sleep(delay_s)
    gate.kill()
    rest, _ = gate.communicate()
    assert gate.returncode == -signal.SIGKILL
    whole_lines = (first + rest).rpartition("\n")[0].splitlines()
    return [int(line) for line in whole_lines]


def test_killed_gate_loses_no_acknowledged_tap(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)
    key, path = GateKey.open(tmp_path / "gate.pem"), tmp_path / "journal.db"
    said_last = 0
    for kill in range(KILLS):
        said = _killed_after(tmp_path, generator.random() * 0.06, fades=kill % 2 == 1)
        assert said[0] in (said_last + 1, said_last + 2), "at most one tap was durable and not yet said"
        report = verify_journal(path, public_key=key.public_key)
        assert report.head.seq in (said[-1], said[-1] + 1), f"seed {seed}, kill {kill}"
        said_last = said[-1]
    with Journal.open(path, key=key, gate=GATE) as journal:
        present = {one.seq: one.tap for one in journal.taps()}
        assert all(present[seq] == tap(seq) for seq in present)
        assert sum(count.taps for count in journal.faded()) + len(present) == journal.head().seq >= said_last
