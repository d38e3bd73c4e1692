"""Kill -9 at any moment, between reserving an index and adding its pass too, loses nothing but an index."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.issuer.office import ENTRIES, URI, made, pass_id

from openstile.issuer import PassRegister, PassState

KILLS = 10

_DESK = """
import sys
from pathlib import Path
from openstile.issuer import PassRegister, PassState
from tests.issuer.office import ENTRIES, URI, made, pass_id
from tests.passes.pass_workshop import NOW

number = int(sys.argv[2])
with PassRegister.open(Path(sys.argv[1])) as register:
    while True:
        index = register.reserve_index(URI, entries=1000 * ENTRIES, now=NOW)
        print("reserved", number, index, flush=True)
        register.add(made(number, index=index))
        print("added", number, index, flush=True)
        if number % 2:
            register.set_state(pass_id(number), PassState.REVOKED, at=NOW)
            print("revoked", number, index, flush=True)
        number += 1
"""


def _killed_after(path: Path, first: int, delay_s: float) -> list[tuple[str, int, int]]:
    """Runs a desk that says each thing it did, kills it `delay_s` after the first; what it said."""
    desk = subprocess.Popen(
        [sys.executable, "-c", _DESK, str(path), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert desk.stdout is not None
    said = desk.stdout.readline()
    time.sleep(delay_s)
    desk.kill()
    rest, _ = desk.communicate()
    assert desk.returncode == -signal.SIGKILL
    words = (line.split() for line in (said + rest).rpartition("\n")[0].splitlines())
    return [(what, int(number), int(index)) for what, number, index in words]


def test_killed_desk_loses_no_pass_and_no_withdrawal(register_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)
    added: dict[int, int] = {}
    revoked: set[int] = set()
    reserved: list[int] = []
    for kill in range(KILLS):
        for what, number, index in _killed_after(register_path, 100_000 * kill, generator.random() * 0.05):
            if what == "reserved":
                reserved.append(index)
            elif what == "added":
                added[number] = index
            else:
                revoked.add(number)
    with PassRegister.open(register_path) as register:
        for number, index in added.items():
            kept = register.get(pass_id(number))
            assert kept is not None, f"seed {seed}: pass {number} was lost"
            assert kept.status == made(number, index=index).status
        assert {number for number in added if register.changes(pass_id(number))} >= revoked
        assert len(reserved) == len({*reserved}), "an index was given twice"
        counts = register.counts()
        extra = sum(counts.values()) - len(added)
        assert 0 <= extra <= KILLS, "at most one pass a kill was durable and not yet said"
        assert len(revoked) <= counts[PassState.REVOKED] <= len(revoked) + KILLS
        withdrawn = {*register.withdrawn_indices(URI)}
        assert {added[number] for number in revoked} <= withdrawn
        assert register.entries(URI) == 1000 * ENTRIES
        register.add(made(99_999_999, index=max(reserved) + 1))
