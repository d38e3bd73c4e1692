"""The status list: ten million passes, 1 % withdrawn, from the indices of a register to a look-up at a gate."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, Times, milliseconds
from bench.workshop import Workshop
from openstile.issuer.register import FILLED_MAX
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import Algorithm, generate_issuer_key
from openstile.passes.status_list import StatusList, pack_bits, read_status_list, sign_status_list

NAME = "status"
TITLE = "Status list: ten million passes, 1 % withdrawn"
PASSES = 10_000_000
ENTRIES = int(PASSES / FILLED_MAX) + 8
"""As many as the register wants for so many passes, which lie in it at random."""
WITHDRAWN = PASSES // 100
WIRE_KB_MAX = 145
BUILD_S_MAX = 2.0
LOAD_MS_MAX = 50.0
LOOK_UP_US_MAX = 1.0
_URI = "https://status.example/north/1"
_BUILD = "build and sign: pack the indices, deflate at level 9, sign"
_LOAD = "load: parse, verify, inflate"
_BATCH = 1000
"""Look-ups between two readings of the clock: one alone is shorter than reading it."""


def measure(workshop: Workshop) -> Section:
    """Random indices anew for every build, as a register would give them; each list is loaded a few times as a gate
    does; then random passes are looked up in the last one."""
    builds, loads, batches = (3, 5, 200) if workshop.quick else (10, 10, 2000)
    now = datetime.now(UTC).replace(microsecond=0)
    key = generate_issuer_key(name="metro", algorithm=Algorithm.EDDSA, not_after=now + timedelta(days=30))
    issuers = (TrustedIssuer(key.public),)
    watches, random = Stopwatches(), np.random.default_rng(20260401)

    def build(indices: list[int]) -> bytes:
        bits = pack_bits(entries=ENTRIES, indices=indices)
        return sign_status_list(
            issuer_key=key, uri=_URI, bits=bits, issued_at=now, expires=now + timedelta(days=7), ttl_s=3600
        )

    sizes: list[int] = []
    with workshop.progress(NAME, builds) as step:
        for _ in range(builds):
            indices: list[int] = random.choice(ENTRIES, WITHDRAWN, replace=False).tolist()
            token = watches.run(_BUILD, lambda: build(indices))  # noqa: B023
            sizes.append(len(token))
            for _ in range(loads):
                made = watches.run(_LOAD, lambda: read_status_list(token, issuers=issuers, now=now))  # noqa: B023
            step()
    _check(made, indices)
    return _section(watches, _look_ups(made, random, batches), max(sizes))


def _check(made: StatusList, indices: list[int]) -> None:
    """A fast list that is wrong is worth nothing."""
    count = np.unpackbits(np.frombuffer(made.bits, np.uint8)).sum()
    if count != WITHDRAWN or not all(made.is_set(index) for index in indices):
        raise RuntimeError("status list: what was loaded is not what was built")


def _look_ups(made: StatusList, random: np.random.Generator, batches: int) -> Times:
    """Times of one look-up, the mean of each batch of random passes, the loop around it taken off."""
    samples = []
    for _ in range(batches):
        indices: list[int] = random.integers(0, ENTRIES, _BATCH).tolist()
        loop_ns = _timed_ns(lambda: _loop(indices))  # noqa: B023
        batch_ns = _timed_ns(lambda: _ask(made.is_set, indices))  # noqa: B023
        samples.append((batch_ns - loop_ns) / _BATCH / 1e6)
    return Times(tuple(samples))


def _ask(is_set: Callable[[int], bool], indices: list[int]) -> None:
    for index in indices:
        is_set(index)


def _loop(indices: list[int]) -> None:
    for _ in indices:
        pass


def _timed_ns(action: Callable[[], None]) -> int:
    started_ns = time.perf_counter_ns()
    action()
    return time.perf_counter_ns() - started_ns


def _section(watches: Stopwatches, look_ups: Times, wire_bytes: int) -> Section:
    build, load = watches.times(_BUILD), watches.times(_LOAD)
    wire_kb, build_s, look_up_us = wire_bytes / 1000, build.median / 1000, look_ups.median * 1000
    look_up_row = (
        f"look-up (each sample the mean of {_BATCH}, the loop taken off)",
        str(len(look_ups.samples)),
        *(_microseconds(value) for value in (look_ups.median, look_ups.p95, look_ups.max)),
    )
    return Section(
        NAME,
        TITLE,
        tables=(
            Table("One core, other indices for each build", ("step", *TIMES_COLUMNS), (*watches.rows(), look_up_row)),
        ),
        targets=(
            Target(f"on the wire: at most {WIRE_KB_MAX} KB", f"{wire_kb:.1f} KB (the largest)", wire_kb <= WIRE_KB_MAX),
            Target(f"build and sign: median at most {BUILD_S_MAX:.0f} s", f"{build_s:.2f} s", build_s <= BUILD_S_MAX),
            Target(f"load: median at most {LOAD_MS_MAX:.0f} ms", milliseconds(load.median), load.median <= LOAD_MS_MAX),
            Target(
                f"look-up: median at most {LOOK_UP_US_MAX:.0f} us",
                _microseconds(look_ups.median),
                look_up_us <= LOOK_UP_US_MAX,
            ),
        ),
        notes=(
            f"{ENTRIES:,} entries, room for {PASSES:,} passes, {WITHDRAWN:,} of them set at random places: "
            f"{ENTRIES // 8:,} bytes in a gate's memory, found again bit for bit after loading. KB are 1000 bytes.",
            "Building starts from the indices as integers in memory; reading them from a register comes on top.",
        ),
        figures={
            "wire_bytes_max": wire_bytes,
            "entries": ENTRIES,
            "withdrawn": WITHDRAWN,
            "look_up": look_ups.figures(),
            **watches.figures(),
        },
    )


def _microseconds(value_ms: float) -> str:
    return f"{value_ms * 1000:.3f} us"
