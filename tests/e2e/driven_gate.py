"""A gate's process under load, for test_killed_office_and_gate: journal and uplink are real, there is no camera.

    python -m tests.e2e.driven_gate HOME PASSES SEED

PASSES is a file with ids of passes, one a line. One thread admits riders, another one sends their taps; each says what
it knows for sure in a line of JSON: {"tap": ...} when Journal.append has returned, {"receipt": ...} for what the
office answered, {"failed": ...} for a sync that failed. When standard input ends, no more riders come; the gate ends
when the office holds all taps.
"""

import json
import os
import random
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openstile.assembly.home import open_home
from openstile.assembly.uplink import HomeUplink, open_uplink
from openstile.assembly.wire import Installation
from openstile.gate.uplink_http import HttpTransport
from openstile.journal import Journal, Tap
from openstile.journal.taps import microseconds_of
from openstile.terms import OpenstileError, PassId

RIDER_EVERY_S = 0.03
SYNC_EVERY_S = 0.05


def say(**what: Any) -> None:
    """One line at once: a pipe keeps what was written to it, whatever becomes of the writer."""
    os.write(1, json.dumps(what).encode() + b"\n")


class NotingTransport(HttpTransport):
    """Says each receipt as it comes, before the gate does anything with it."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        status, answered, data = super().request(method, url, headers, body)
        if status == 200 and url.endswith("/v1/gate/batches"):
            say(receipt=json.loads(data))
        return status, answered, data


def send(uplink: HomeUplink, journal: Journal, ended: threading.Event) -> None:
    pause = threading.Event()
    while True:
        was_ended = ended.is_set()
        try:
            uplink.sync()
            if was_ended and journal.receipted() == journal.head():
                return
        except OpenstileError as error:
            say(failed=f"{type(error).__name__}: {error}")
        pause.wait(SYNC_EVERY_S)


def admit_riders(installation: Installation, journal: Journal, passes: list[PassId], ended: threading.Event) -> None:
    chance = random.Random(sys.argv[3])
    gate, direction = installation.settings.gate_id(), installation.settings.direction()
    while not ended.wait(RIDER_EVERY_S * 2 * chance.random()):
        tap = Tap(chance.choice(passes), installation.clock.now(), gate, "single", direction)
        placed = journal.append(tap)
        say(tap={"epoch": journal.epoch.hex(), "seq": placed.seq, "hash": placed.hash.hex(),
                 "pass_id": str(tap.pass_id), "at_us": microseconds_of(tap.at)})  # fmt: skip


def main() -> None:
    installation = Installation.open(open_home(Path(sys.argv[1])))
    passes = [PassId(bytes.fromhex(line)) for line in Path(sys.argv[2]).read_text().split()]
    ended = threading.Event()

    def hear_the_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=hear_the_end, daemon=True).start()
    transport = NotingTransport()
    with installation.open_journal() as journal, open_uplink(installation, journal, transport=transport) as uplink:
        sending = threading.Thread(target=send, args=(uplink, journal, ended))
        sending.start()
        admit_riders(installation, journal, passes, ended)
        sending.join()
    transport.close()


if __name__ == "__main__":
    main()
