"""`openstile status`: withdraw passes, and publish the lists by which gates know."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of, folder
from openstile.cli.printing import ask, console, print_json, print_table
from openstile.terms.errors import BadInputError
from openstile.terms.limits import REGISTER_PASSES_SHOWN_MAX

if TYPE_CHECKING:
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import ListFile, PassView
    from openstile.issuer import PassState, RegisteredPass

app = typer.Typer(help="Withdraw passes; build, publish and look into status lists.", no_args_is_help=True)

PassesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="PASS...", help="Pass ids (or 8 and more of their first digits), pass.txt, or pictures."),
]
FromOption = Annotated[
    Path | None, typer.Option("--from", help="File with one pass id a line; all of them, or none, are changed.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def revoke(
    passes: PassesArgument = None,
    ids_file: FromOption = None,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Withdraw passes for good. There is no way back; their riders need new ones."""
    from openstile.issuer import PassState

    return _change(PassState.REVOKED, passes or [], ids_file, yes=yes, home=home, as_json=as_json)


@app.command()
def suspend(
    passes: PassesArgument = None,
    ids_file: FromOption = None,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Withdraw passes until they are reinstated."""
    from openstile.issuer import PassState

    return _change(PassState.SUSPENDED, passes or [], ids_file, yes=yes, home=home, as_json=as_json)


@app.command()
def reinstate(
    passes: PassesArgument = None,
    ids_file: FromOption = None,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Let suspended passes be good again."""
    from openstile.issuer import PassState

    return _change(PassState.VALID, passes or [], ids_file, yes=yes, home=home, as_json=as_json)


@app.command(name="list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only valid, suspended or revoked passes.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=REGISTER_PASSES_SHOWN_MAX, help="How many at most.")] = 100,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Passes that were issued here, and how they stand. Nothing of their riders is known."""
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import open_existing_register
    from openstile.issuer import PassState

    if state is not None and state not in [known.value for known in PassState]:
        raise BadInputError(f"--state {state}: give {', '.join(known.value for known in PassState)}")
    installation = Installation.open(existing_home_of(home))
    with open_existing_register(installation) as register:
        shown = register.passes(state=None if state is None else PassState(state), limit=limit)
        counts = register.counts()
    if as_json:
        print_json(
            {"counts": {known.value: count for known, count in counts.items()}, "passes": [*map(_describe, shown)]}
        )
        return 0
    _print_passes(shown)
    console().print(", ".join(f"{count} {known.value}" for known, count in counts.items()))
    return 0


@app.command()
def build(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Make and sign the status list as of now. It stays in the home until it is published."""
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import build_lists

    built = build_lists(Installation.open(existing_home_of(home)))
    if as_json:
        print_json({"lists": [*map(_describe_list, built)]})
        return 0
    for one in built:
        _print_list(one)
    console().print("Gates know of it once it is published: openstile status publish --out DIR")
    return 0


@app.command(name="publish")
def publish_(
    out: Annotated[Path, typer.Option(parser=folder, help="Folder that a web server shows at the list's address.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Put the newest status list where gates fetch it; made anew when it is old or passes changed since."""
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import publish_lists

    published = publish_lists(Installation.open(existing_home_of(home)), out)
    if as_json:
        print_json({"lists": [*map(_describe_list, published)]})
        return 0
    for one in published:
        _print_list(one)
        console().print(
            f"  show this file at {one.status_list.uri}; gates look every {one.status_list.ttl_s} s. Publish again "
            f"before {one.status_list.expires:%Y-%m-%d %H:%M} UTC, better each day"
        )
    return 0


@app.command()
def show(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]", help="A list in a file, an address, a pass id or a pass; else all built here."
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Explain a status list, or how a pass stands."""
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import built_lists, is_list_file, is_pass_id, read_list, view_pass

    installation = Installation.open(existing_home_of(home))
    if what is None or what.startswith("https://"):
        lists = built_lists(installation, what)
    elif not is_pass_id(what) and is_list_file(Path(what)):
        lists = (read_list(installation, Path(what)),)
    else:
        return _show_pass(view_pass(installation, what), as_json=as_json)
    now = installation.clock.now()
    if as_json:
        print_json({"lists": [_describe_list(one) | {"expired": one.status_list.expires <= now} for one in lists]})
        return 0
    for one in lists:
        _print_list(one)
        if one.status_list.expires <= now:
            console().print("  its time is over: gates no longer rely on it", style="red")
    return 0


def _change(
    state: "PassState", names: Sequence[str], ids_file: Path | None, *, yes: bool, home: Path | None, as_json: bool
) -> int:
    from openstile.assembly.wire import Installation
    from openstile.assembly.withdrawal import change_states, find_passes, open_existing_register, read_names

    if as_json and not yes:
        raise BadInputError("--json asks nothing: give --yes as well")
    wanted = [*names, *(read_names(ids_file) if ids_file is not None else ())]
    if not wanted:
        raise BadInputError("no pass given; name passes by id or file, or give --from FILE")
    installation = Installation.open(existing_home_of(home))
    with open_existing_register(installation) as register:
        found = find_passes(installation, register, wanted)
    verb = {"valid": "Reinstate", "suspended": "Suspend", "revoked": "Revoke, for good,"}[state.value]
    if not yes:
        if len(found) <= 10:
            _print_passes(found)
        ask(f"{verb} {_count(len(found))}?")
    changed = change_states(installation, found, state)
    if as_json:
        after = {one.pass_id: one for one in (*found, *changed)}
        print_json({"changed": len(changed), "passes": [*map(_describe, after.values())]})
        return 0
    console().print(f"{_count(len(changed))} now {state.value}", end="")
    console().print(f"; {len(found) - len(changed)} so already" if len(changed) < len(found) else "")
    if changed:
        _say_what_is_left(installation, withdrawn=state.value != "valid")
    return 0


def _say_what_is_left(installation: "Installation", *, withdrawn: bool) -> None:
    """What a person has to do until gates act on it, and when they will."""
    settings = installation.settings
    gates = "refuse" if withdrawn else "admit"
    console().print("Gates do not know yet. Now run: openstile status publish --out DIR", style="bold")
    console().print(
        f"Then gates that fetch the list {gates} within {settings.issuer.status_list_ttl_s} s; gates without network "
        "when they are given the list, alone or in a bundle."
    )


def _show_pass(view: "PassView", *, as_json: bool) -> int:
    registered, built = view.registered, view.built
    if as_json:
        print_json(
            _describe(registered)
            | {
                "changes": [{"state": change.state.value, "at": change.at.isoformat()} for change in view.changes],
                "withdrawn_in_list": view.in_list,
                "list_issued_at": built.status_list.issued_at.isoformat() if built else None,
            }
        )
        return 0
    _print_passes([registered])
    for change in view.changes:
        console().print(f"  {change.state.value} since {change.at:%Y-%m-%d %H:%M:%S} UTC")
    if registered.status is None:
        console().print("It names no status list: gates cannot be told of this pass alone.")
    elif built is None or view.in_list is None:
        console().print("Not in a list yet; run: openstile status publish --out DIR")
    else:
        says = "withdrawn" if view.in_list else "good"
        console().print(f"The list built {built.status_list.issued_at:%Y-%m-%d %H:%M:%S} UTC says: {says}.")
        if view.in_list != registered.withdrawn:
            console().print("That is no longer so; run: openstile status publish --out DIR", style="bold")
    return 0


def _count(passes: int) -> str:
    return f"{passes} pass" if passes == 1 else f"{passes} passes"


def _describe(registered: "RegisteredPass") -> dict[str, object]:
    return {
        "pass_id": str(registered.pass_id),
        "product": registered.product,
        "state": registered.state.value,
        "changed_at": registered.changed_at.isoformat() if registered.changed_at else None,
        "not_before": registered.not_before.isoformat(),
        "expires": registered.expires.isoformat(),
        "issuer_kid": registered.issuer_kid.hex(),
        "gate_group_kid": registered.group_kid.hex(),
        "status_list": registered.status.uri if registered.status else None,
        "status_index": registered.status.index if registered.status else None,
    }


def _print_passes(passes: "Sequence[RegisteredPass]") -> None:
    print_table(
        "Passes",
        ("pass", "product", "state", "ends"),
        (
            (
                str(one.pass_id),
                one.product,
                one.state.value if one.status else "valid, in no list",
                f"{one.expires:%Y-%m-%d}",
            )
            for one in passes
        ),
    )


def _describe_list(one: "ListFile") -> dict[str, object]:
    return {
        "uri": one.status_list.uri,
        "issuer": one.status_list.issuer,
        "issued_at": one.status_list.issued_at.isoformat(),
        "expires": one.status_list.expires.isoformat(),
        "ttl_s": one.status_list.ttl_s,
        "entries": one.status_list.entries,
        "withdrawn": one.withdrawn,
        "bytes": one.bytes_count,
        "file": str(one.path),
        "built_now": one.fresh,
    }


def _print_list(one: "ListFile") -> None:
    status_list = one.status_list
    console().print(status_list.uri, style="bold")
    console().print(f"  {one.path} ({one.bytes_count} bytes{', built now' if one.fresh else ''})")
    console().print(f"  of issuer {status_list.issuer}: {one.withdrawn} of {status_list.entries} entries withdrawn")
    console().print(
        f"  issued {status_list.issued_at:%Y-%m-%d %H:%M:%S}, good until {status_list.expires:%Y-%m-%d %H:%M:%S} UTC"
    )
