"""The demo: enrol riders, cross a gate in every way, look for what was left behind, and draw it all."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from openstile.demo.cast import enrol_all
from openstile.demo.clock import TurnableClock
from openstile.demo.folder import DemoFolder, make_folder, temporary_files_in
from openstile.demo.inventory import list_files
from openstile.demo.pictures import draw_all
from openstile.demo.portraits import pull_portraits
from openstile.demo.report import Report
from openstile.demo.scenes import write_scenes
from openstile.demo.stage import CountingBarrier, play
from openstile.demo.telling import print_as_json, print_tables, write_svg
from openstile.demo.traces import search_everything_written
from openstile.face.packs import pull_pack
from openstile.face.packs.cache import models_folder
from openstile.terms.instants import SystemClock

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, bytes done and bytes in all."""
Say = Callable[[str], None]
"""Called with what begins now, in a few words."""

EXIT_AS_EXPECTED = 0
EXIT_NOT_AS_EXPECTED = 1


def run_demo(
    out: Path,
    *,
    as_json: bool,
    downloading: Callable[[], AbstractContextManager[Progress | None]],
    say: Say,
    svg: Path | None = None,
) -> int:
    """Run the whole demo into the folder `out`; returns 0 when everything came as it has to, else 1.

    Fetches model pack and portraits into the user's cache when they are not there yet, while a `downloading` is
    entered; needs no network after that. Prints tables, or one JSON value; also writes the tables as a picture to
    the file `svg` when it is given.
    """
    folder = make_folder(out)
    with temporary_files_in(folder.temp):
        with downloading() as progress:
            pull_pack(progress=progress)
            portraits = pull_portraits(models_folder(None).parent / "portraits", progress=progress)
        report = perform(folder, portraits, say)
        say("drawing the pictures")
        draw_all(report)
    if svg is not None:
        write_svg(report, svg)
    if as_json:
        print_as_json(report)
    else:
        print_tables(report)
    return EXIT_NOT_AS_EXPECTED if report.problems else EXIT_AS_EXPECTED


def perform(folder: DemoFolder, portraits: dict[str, Path], say: Say) -> Report:
    """Everything but the drawing, in an empty demo folder; model pack and `portraits` are there."""
    started = time.monotonic()
    clock = TurnableClock(SystemClock())
    say("enrolling riders")
    cast = enrol_all(folder, portraits, clock)
    installation, models = cast.installation, models_folder(None)
    engine = installation.load_engine()
    scenes = write_scenes(cast, portraits, engine)
    barrier = CountingBarrier()
    # The gate still runs while its disk is searched: what lies in the write-ahead log is seen too.
    with installation.open_lane(barrier=barrier, announce=False) as lane:
        say("crossing the gate")
        played = play(scenes, lane=lane, barrier=barrier, clock=clock)
        journal = installation.verify_journal()
        files = list_files(folder)
        say("searching the disk for traces of faces")
        canary = search_everything_written((*folder.searched, models), cast=cast, played=played, engine=engine)
    return Report(folder, models, cast, played, journal, files, canary, time.monotonic() - started)
