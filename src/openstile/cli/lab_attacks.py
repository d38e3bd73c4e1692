"""`openstile lab attacks`: how many attacks the gate's check takes for life, in presentations that people agreed to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.lab_words import events, interval, number, percent
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.lab.attacks import AttackReport, SpeciesRates

_CLAIM = 0.05


def attacks(
    sessions: Annotated[
        list[Path] | None, typer.Argument(metavar="[SESSION.json]...", help="Recorded sessions, counted together.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record presentations into this file, or go on with it.", show_default=False)
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", "--source", help="As `openstile gate` takes it. Default: the home's, or camera:0."),
    ] = None,
    light: Annotated[
        str | None, typer.Option(metavar="TERMINAL", help="The gate's light: a terminal as /dev/tty1, or console.")
    ] = None,
    light_lag: Annotated[int, typer.Option(help="Frames from a colour to the first one exposed in it, 0 to 10.")] = 0,
    subject: Annotated[
        list[int] | None, typer.Option(help="Number of a person; repeatable. Default: it is asked for.")
    ] = None,
    species: Annotated[
        list[str] | None, typer.Option(help="What is presented, your own names too; repeatable. Default: seven.")
    ] = None,
    instrument: Annotated[int, typer.Option(help="Number of the instrument within its species.")] = 1,
    conditions: Annotated[str, typer.Option(help="Light, distance, camera: a few words, no names.")] = "",
    times: Annotated[int, typer.Option(help="Presentations of each species and person.")] = 1,
    consented: Annotated[
        bool, typer.Option("--consented", help="Say, for a script, that everybody who is shown agreed to this test.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Wait for no Enter. Does not say that anybody agreed.")] = False,
    forget: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Take everything of this person out of the --record file.")
    ] = None,
    pack: options.PackOption = None,
    claim_apcer: Annotated[float, typer.Option(help="APCER that a claim is tried for.")] = _CLAIM,
    claim_bpcer: Annotated[float, typer.Option(help="BPCER that a claim is tried for.")] = _CLAIM,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """APCER and BPCER by species (ISO/IEC 30107-3) of recorded sessions; with --record, guide through a new one.

    Kept are numbers, species, verdicts, scores and times. Never a frame, a template or a pass.
    """
    if (record is None) == (not sessions):
        raise BadInputError("give the files of sessions to be counted, or --record FILE to make one")
    if forget is not None:
        return _forget(record, forget, as_json=as_json)
    if record is not None:
        from openstile.cli.lab_attacks_record import Recording, record_presentations
        from openstile.lab.attacks_guide import Wanted
        from openstile.lab.attacks_session import SPECIES

        run = options.LabRun(Path(), pack=pack, home=home)
        wanted = Wanted(tuple(species or SPECIES), instrument, conditions, times)
        recording = Recording(record, run, camera, light, light_lag, tuple(subject or ()), wanted, consented, yes)
        return record_presentations(recording, as_json=as_json)
    from openstile.lab.attacks import report_attacks
    from openstile.lab.attacks_file import read_session

    report = report_attacks(
        [read_session(path) for path in sessions or ()], claim_apcer=claim_apcer, claim_bpcer=claim_bpcer
    )
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    return 0


def _forget(record: Path | None, subject: int, *, as_json: bool) -> int:
    """Who takes their consent back is taken out; there is no copy elsewhere."""
    from openstile.lab.attacks_file import SessionFile

    if record is None:
        raise BadInputError("--forget: name the file of the session, --record FILE")
    file = SessionFile.read(record)
    before = len(file.session.presentations)
    file.put(file.session.without(subject))
    gone = before - len(file.session.presentations)
    if as_json:
        print_json({"session": str(record), "forgotten": gone, "presentations": len(file.session.presentations)})
    else:
        console().print(f"{record}: {gone} presentations of person {subject} are gone")
    return 0


def _print(report: "AttackReport") -> None:
    from openstile.lab.attacks_session import Rule

    console().print(
        f"{report.presentations:,} presentations of {report.people:,} people in {report.sessions} sessions, "
        f"openstile {', '.join(report.versions)}, pack {', '.join(report.packs)}, "
        f"{'with' if report.flash else 'without'} a flash"
        + (f"; {report.void} mis-made ones not counted" if report.void else "")
        + (f"; {', '.join(report.monitored)} only monitored" if report.monitored else "")
    )
    if report.from_files:
        console().print(f"{report.from_files:,} of them are from files: they show nothing of a camera", style="yellow")
    if not report.presentations:
        console().print("nothing was presented, so there is no rate")
        return
    groups = (*report.species, *(() if report.bona_fide is None else (report.bona_fide,)))
    _print_presentations(groups)
    _print_rates(groups)
    for rule in Rule:
        highest = report.highest(rule)
        if highest is not None:
            rate = percent(highest.by(rule).error.rate)
            console().print(f"highest APCER over the species, {rule.value}: {rate} ({highest.species})")
    _print_detectors(groups)
    for each in groups:
        carried = each.claim.carried
        console().print("may be claimed" if carried else "not claimed", style="green" if carried else "yellow", end="")
        console().print(f"  {each.species}: {each.claim.sentence}")


def _print_presentations(groups: "tuple[SpeciesRates, ...]") -> None:
    print_table(
        "Presentations (non-response: APNRR of attacks, BPNRR of bona fide ones)",
        ("species", "people", "instruments", "presentations", "non-response", "95 %", "no clip in time"),
        (
            (
                each.species,
                str(each.people),
                str(each.instruments) if each.is_attack else "-",
                str(each.no_response.trials),
                events(each.no_response),
                interval(each.no_response),
                str(each.unfinished),
            )
            for each in groups
        ),
    )


def _print_rates(groups: "tuple[SpeciesRates, ...]") -> None:
    from openstile.lab.attacks_session import Rule

    print_table(
        "Classification errors, of presentations with a response",
        ("species", "rule", "error", "events", "rate", "95 %", "let through"),
        (
            (
                each.species,
                rule.value,
                "APCER" if each.is_attack else "BPCER",
                events(each.by(rule).error),
                percent(each.by(rule).error.rate),
                interval(each.by(rule).error),
                events(each.by(rule).accepted),
            )
            for each in groups
            for rule in Rule
        ),
    )


def _print_detectors(groups: "tuple[SpeciesRates, ...]") -> None:
    print_table(
        "Each detector alone, first clip",
        ("species", "detector", "attack", "95 %", "live", "95 %", "unsure", "median score"),
        (
            (
                each.species,
                one.detector,
                events(one.attack),
                interval(one.attack),
                events(one.live),
                interval(one.live),
                events(one.inconclusive),
                number(one.score_median),
            )
            for each in groups
            for one in each.detectors
        ),
    )
