"""The demo: enrol riders, cross a gate in every way, look for what was left behind, and draw it all."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from openstile.demo.cast import enrol_all
from openstile.demo.city import HARBOUR_IN, write_city
from openstile.demo.clock import TurnableClock
from openstile.demo.day import forget, open_accounts, plan_day, ride
from openstile.demo.folder import DemoFolder, make_folder, temporary_files_in
from openstile.demo.gates import gate_settings, open_gates
from openstile.demo.inventory import list_files
from openstile.demo.office import bound_socket, office_settings, open_demo_office
from openstile.demo.pictures import draw_all
from openstile.demo.portraits import pull_portraits
from openstile.demo.report import Report
from openstile.demo.scenes import write_scenes
from openstile.demo.stage import play
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
    system = SystemClock()
    clock = TurnableClock(system, begins=datetime.combine(system.now().date(), _BEGINS, UTC))
    models = models_folder(None)
    with bound_socket() as listener:
        say("enrolling riders")
        write_city(folder.home, today=clock.now().date())
        settings = gate_settings(HARBOUR_IN) + office_settings(listener)
        cast = enrol_all(folder, portraits, clock, more_settings=settings)
        installation = cast.installation
        engine = installation.load_engine()
        scenes = write_scenes(cast, portraits, engine)
        # Gates and office still run while the disk is searched: what lies in write-ahead logs is seen too.
        with open_demo_office(installation, listener) as office, open_gates(folder, installation, office) as gates:
            open_accounts(cast, office)
            say("crossing the gate")
            gate = gates[HARBOUR_IN.name]
            played = play(scenes, lane=gate.lane, barrier=gate.barrier, clock=clock)
            journal = installation.verify_journal()
            say("riding through the city for a day")
            day = ride(plan_day(cast, scenes, clock), gates=gates, office=office, clock=clock)
            say("searching the disk for traces of faces")
            canary = search_everything_written(
                (*folder.searched, models), cast=cast, played=(*played, *day.rides), engine=engine
            )
            say("letting trips fade")
            clock.turn(timedelta(hours=installation.settings.retention.trips_hours + 24))
            left = forget(gates=gates, office=office)
            files = list_files(folder)
    return Report(folder, models, cast, played, journal, day, left, files, canary, time.monotonic() - started)


_BEGINS = clock_time(5, 0)
"""The demo's day begins early, UTC: fares have a peak, so its hours are the same whenever it is run."""
