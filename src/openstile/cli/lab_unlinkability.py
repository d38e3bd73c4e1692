"""`openstile lab unlinkability`: can sealed passes be linked to each other, or to a photograph?"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from numpy.random import Generator

    from openstile.lab.unlinkability import Distance, Unlinkability
    from openstile.lab.unlinkability_trials import LinkPerson

_PEOPLE_SIMULATED = 64


def unlinkability(
    dataset: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DATASET]",
            help="Folder of photographs, two or more a person. Without one, people are simulated by random templates "
            "as long as the default pack's.",
            show_default=False,
        ),
    ] = None,
    pack: options.PackOption = None,
    pairs: Annotated[
        int, typer.Option(help="Pairs of passes of one person, and of two; half teach the attacks.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Of the draws of pairs. Passes take the system's own randomness.")] = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Issue passes, then try to tell two of one person from two of different people: without a key, and with one.

    Exit code 1 when passes could be linked without a key of the gates.
    """
    import numpy as np

    from openstile.lab.unlinkability import measure_unlinkability
    from openstile.terms.instants import SystemClock

    rng = np.random.default_rng(seed)
    people, distance = _people(dataset, pack, home, rng)
    with options.lab_progress("passes", quiet=as_json) as progress:
        measured = measure_unlinkability(
            people,
            distance=distance,
            now=SystemClock().now(),
            random=secrets.token_bytes,
            rng=rng,
            pairs=pairs,
            simulated_people=dataset is None,
            progress=progress,
        )
    if as_json:
        print_json(measured.to_json())
    else:
        _print(measured)
    return 1 if measured.sealed_passes_link else 0


def _people(
    dataset: Path | None, pack: str | None, home: Path | None, rng: "Generator"
) -> tuple[tuple["LinkPerson", ...], "Distance"]:
    """People and the comparison of their references: of photographs, or simulated."""
    from openstile.lab.unlinkability_trials import random_people, simulated_distance

    if dataset is None:
        from openstile.face.packs.shelf import shipped_manifests

        size = sum(part.dimensions for part in shipped_manifests()[0].parts)  # of the default pack
        return random_people(_PEOPLE_SIMULATED, dimensions=size, pack_id="simulated", rng=rng), simulated_distance
    from openstile.lab.capture import capture_all
    from openstile.lab.unlinkability_people import gate_distance, people_of

    run = options.LabRun(dataset, allow_missing=True, pack=pack, home=home)
    data_set, apparatus = run.data_set(), run.apparatus()
    return people_of(data_set, capture_all(data_set.captures, apparatus)), gate_distance(apparatus.open_engine())


def _print(measured: "Unlinkability") -> None:
    rows = []
    for view in measured.views:
        linkage, chance, guessed = view.linkage, view.linkage.d_sys_chance, view.linkage.guesses
        rows.append(
            (
                f"{view.party.value}: {view.scenario}, {view.score}",
                f"{linkage.d_sys:.3f}",
                f"{chance.low:.3f} to {chance.high:.3f}",
                f"{guessed.rate:.1%} of {guessed.trials}",
                "yes" if view.linked else "no",
            )
        )
    print_table(
        f"Linking {measured.passes} passes of {measured.people} {'simulated ' * measured.simulated_people}people",
        ("attack", "D_sys", "by chance", "right guesses", "linked"),
        rows,
    )
    equal = ((what, f"{found.events} of {found.trials}") for what, found in measured.renewal.equal)
    print_table("Renewed passes: what stayed as it was", ("field", "equal"), equal)
    said = "CAN be linked" if measured.sealed_passes_link else "could not be linked better than by chance"
    console().print(f"Without a key of the gates, passes of one product {said}.")
