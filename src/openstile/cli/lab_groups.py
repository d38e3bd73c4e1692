"""`openstile lab groups`: the same error rates in every group that people say they belong to."""

from typing import TYPE_CHECKING

from openstile.cli import lab_options as options
from openstile.cli.lab_words import RATES_COLUMNS, events, percent, print_measured, rates_cells
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.lab.groups import GroupsReport


def groups(
    dataset: options.DatasetArgument,
    pairs: options.PairsOption = None,
    session: options.SessionOption = None,
    allow_missing: options.MissingOption = False,
    pack: options.PackOption = None,
    threshold: options.ThresholdOption = None,
    workers: options.WorkersOption = None,
    block: options.BlockOption = options.BLOCK,
    seed: options.SeedOption = options.SEED,
    work: options.WorkOption = None,
    cluster: options.ClusterOption = None,
    replicates: options.ReplicatesOption = options.REPLICATES,
    claim_fmr: options.ClaimFmrOption = options.CLAIM_FMR,
    claim_fnmr: options.ClaimFnmrOption = options.CLAIM_FNMR,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Error rates in every group of every attribute, and how far the groups are apart."""
    from openstile.lab.bootstrap import Resampling
    from openstile.lab.claims import check_wanted
    from openstile.lab.groups import report_groups

    run = options.LabRun(
        dataset, pairs, tuple(session or ()), allow_missing, pack, threshold, home, workers, block, seed, work, cluster
    )
    how = Resampling(replicates, seed)
    check_wanted(fmr_max=claim_fmr, fnmr_max=claim_fnmr)
    report = report_groups(run.run(quiet=as_json), how=how, fmr_claim=claim_fmr, fnmr_claim=claim_fnmr)
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    return 0


def _print(report: "GroupsReport") -> None:
    print_measured(report.measured)
    rows = [("everybody", str(report.everybody.people), *rates_cells(report.everybody))]
    rows += [
        (f"{each.group.attribute}: {each.group.value}", str(each.rates.people), *rates_cells(each.rates))
        for each in report.groups
    ]
    print_table("Rates at the threshold", ("group", "people", *RATES_COLUMNS), rows)
    wanted = report.groups[0].at_wanted
    print_table(
        "False matches in a group at the threshold that gives everybody a wanted FMR",
        ("group", *(f"{percent(at.fmr_wanted)} ({at.threshold:.3f})" for at in wanted)),
        (
            (
                f"{each.group.attribute}: {each.group.value}",
                *(f"{events(at.fmr)} ({percent(at.fmr.rate)})" for at in each.at_wanted),
            )
            for each in report.groups
        ),
    )
    carried = [(each, claim) for each in report.groups for claim in each.claims if claim.carried]
    for each, claim in carried:
        console().print(f"may be claimed of {each.group.attribute} {each.group.value}: {claim.sentence}")
    refused = [claim for each in report.groups for claim in each.claims if not claim.carried]
    if refused:
        needs: dict[str, int] = {}
        for claim in refused:
            needs[claim.measure] = max(needs.get(claim.measure, 0), claim.needed or 0)
        words = ", ".join(f"{needed:,} for {measure}" for measure, needed in needs.items())
        console().print(
            f"not claimed: {len(refused)} rates, for too few people; independent comparisons needed: {words}"
        )
