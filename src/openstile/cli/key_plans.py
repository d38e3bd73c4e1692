"""Showing what a change of keys will do, and asking before it is done."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.printing import ask, console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.passes.keystate import KeyInfo
    from openstile.passes.rotation import KeyFate, RotationPlan

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


def check_switches(*, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Refuses, with `BadInputError`, a machine that could not be asked, and a wish that contradicts itself."""
    if yes and dry_run:
        raise BadInputError("--yes and --dry-run: give one of them")
    if as_json and not (yes or dry_run):
        raise BadInputError("--json: nobody can be asked; add --dry-run to see the plan, --yes to carry it out")


def carry_out(
    plan: "RotationPlan", do: "Callable[[], KeyInfo]", *, done: str, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Show `plan`, ask unless `yes`, do it unless `dry_run`. `done`: a word for what was done, as "made"."""
    if not as_json:
        _print_plan(plan)
    if not (yes or dry_run):
        ask("Do this now?")
    info = None if dry_run else do()
    if as_json:
        print_json({"plan": _describe_plan(plan), "result": describe_key(info) if info else None})
    elif info:
        print_key(done, info)
    else:
        console().print("nothing was changed")
    return 0


def describe_key(info: "KeyInfo") -> dict[str, object]:
    """A key for machines."""
    return {
        "role": info.role.value,
        "name": info.name,
        "kid": info.kid,
        "algorithm": info.algorithm,
        "state": info.state.value,
        "generation": info.generation,
        "has_private": info.has_private,
        "token": info.token,
        "created": info.created.isoformat(),
        "active_from": info.active_from.isoformat(),
        "retired_at": _iso(info.retired_at),
        "not_after": info.not_after.isoformat(),
    }


def print_key(done: str, info: "KeyInfo") -> None:
    """One line about a key for people."""
    console().print(f"{done} {info.role.value} key {info.kid} of {info.name} ({info.algorithm}, {state_words(info)})")


def state_words(info: "KeyInfo") -> str:
    """The state of a key with the time at which it will change, or did."""
    from openstile.passes.keystate import KeyState
    from openstile.passes.rotation_words import day

    words = info.state.value
    if info.state is KeyState.NEXT:
        return f"{words}, current from {day(info.active_from)}"
    if info.retired_at is not None and info.state is not KeyState.REVOKED:
        return f"{words}, {'since' if info.state is KeyState.RETIRED else 'retires'} {day(info.retired_at)}"
    return words


def _print_plan(plan: "RotationPlan") -> None:
    from openstile.passes.rotation import Change
    from openstile.passes.rotation_words import day

    rows = [_row(fate) for fate in plan.fates]
    if plan.active_from is not None:
        rows.append(("a new key", "-", f"current from {day(plan.active_from)}", "-", "-"))
    kind = "emergency rotation" if plan.change is Change.EMERGENCY else plan.change.value
    title = f"{kind.capitalize()} of {plan.role.value} {plan.name}"
    print_table(title, ("key", "is", "becomes", "passes", "last of them ends"), rows)
    for number, sentence in enumerate(plan.sentences, 1):
        console().print(f"{number}. {sentence}")


def _row(fate: "KeyFate") -> tuple[str, ...]:
    from openstile.passes.keyfile import Role
    from openstile.passes.rotation_words import day

    no_pass = fate.key.role not in (Role.ISSUER, Role.GATE_GROUP)
    passes = "-" if no_pass else "not known here" if fate.passes is None else str(fate.passes)
    becomes = f"{fate.becomes.value} from {day(fate.at)}"
    return fate.key.kid, state_words(fate.key), becomes, passes, day(fate.last_expires) if fate.last_expires else "-"


def _describe_plan(plan: "RotationPlan") -> dict[str, object]:
    return {
        "change": plan.change.value,
        "role": plan.role.value,
        "name": plan.name,
        "active_from": _iso(plan.active_from),
        "keys": [
            {
                "kid": fate.key.kid,
                "state": fate.key.state.value,
                "becomes": fate.becomes.value,
                "at": fate.at.isoformat(),
                "passes": fate.passes,
                "last_expires": _iso(fate.last_expires),
            }
            for fate in plan.fates
        ],
        "sentences": list(plan.sentences),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
