"""`openstile lab attacks`: how many attacks the gate's check takes for life, in presentations that people agreed to."""

from pathlib import Path
from typing import TYPE_CHECKING

from openstile.cli import lab_attacks_options as given
from openstile.cli import lab_options as options
from openstile.cli.lab_words import events, interval, number, percent
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.lab.attacks import AttackReport, SpeciesRates


def attacks(
    sessions: given.SessionsArgument = None,
    record: given.RecordOption = None,
    camera: given.CameraOption = None,
    light: given.LightOption = None,
    light_lag: given.LightLagOption = None,
    light_ratio: given.LightRatioOption = None,
    subject: given.SubjectOption = None,
    species: given.SpeciesOption = None,
    instrument: given.InstrumentOption = 1,
    conditions: given.ConditionsOption = "",
    times: given.TimesOption = 1,
    consented: given.ConsentedOption = False,
    yes: given.YesOption = False,
    forget: given.ForgetOption = None,
    pack: options.PackOption = None,
    claim_apcer: given.ClaimApcerOption = given.CLAIM,
    claim_bpcer: given.ClaimBpcerOption = given.CLAIM,
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
        from openstile.cli.lab_attacks_record import Lamp, Recording, record_presentations
        from openstile.lab.attacks_guide import Wanted
        from openstile.lab.attacks_session import SPECIES

        run = options.LabRun(Path(), pack=pack, home=home)
        wanted = Wanted(tuple(species or SPECIES), instrument, conditions, times)
        lamp = Lamp(light, light_lag, light_ratio)
        recording = Recording(record, run, camera, lamp, tuple(subject or ()), wanted, consented, yes)
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
