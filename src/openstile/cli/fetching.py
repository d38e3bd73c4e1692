"""`openstile status apply|fetch`, `openstile bundle fetch`: what a running gate does by itself, done once and said."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.assembly.refresh import Refreshed

EXIT_SOME_FAILED = 1


def apply_list(
    file: Annotated[Path, typer.Argument(help="A signed status list, as status build or publish wrote it.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Take a status list into use at a gate, never an older one. Exit code 7 when it is refused."""
    from openstile.assembly.bundles import read_limited
    from openstile.assembly.trust import accept_status_list
    from openstile.assembly.wire import Installation
    from openstile.terms.limits import STATUS_TOKEN_BYTES_MAX

    data = read_limited(file, STATUS_TOKEN_BYTES_MAX, what="a list made by openstile status build or publish")
    here = Installation.open(existing_home_of(home))
    accepted = accept_status_list(here.home, here.keys, data, now=here.clock.now())
    if as_json:
        print_json({"uri": accepted.uri, "issuer": accepted.issuer, "issued_at": accepted.issued_at.isoformat()})
    else:
        console().print(
            f"in use: the list {accepted.uri} of {accepted.issuer}, made {accepted.issued_at:%Y-%m-%d %H:%M} UTC"
        )
    return 0


def fetch_lists(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Fetch the status lists of trust.status_lists, as a running gate does. Exit code 1 if one fails."""
    from openstile.assembly.refresh import Refresher
    from openstile.assembly.wire import Installation

    here = Installation.open(existing_home_of(home))
    if not here.settings.trust.status_lists:
        raise BadInputError("trust.status_lists: names no list; set its addresses, or use status apply")
    fetcher = here.fetcher()
    try:
        refresher = Refresher(here, fetcher)
        return _say([refresher.status_list(uri) for uri in here.settings.trust.status_lists], as_json=as_json)
    finally:
        fetcher.close()


def fetch_bundle(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Fetch the trust bundle at trust.bundle_url, as a running gate does. Exit code 1 if that fails."""
    from openstile.assembly.refresh import Refresher
    from openstile.assembly.wire import Installation

    here = Installation.open(existing_home_of(home))
    fetcher = here.fetcher()
    try:
        answer = Refresher(here, fetcher).bundle()
    finally:
        fetcher.close()
    if answer is None:
        raise BadInputError("trust.bundle_url: is empty; set the address in settings.toml, or use bundle apply")
    return _say([answer], as_json=as_json)


def _say(answers: "list[Refreshed]", *, as_json: bool) -> int:
    if as_json:
        print_json([{"source": one.source, "new": one.is_new, "problem": one.problem} for one in answers])
    else:
        for one in answers:
            console().print(one.problem or f"{one.source}: {'new, and in use' if one.is_new else 'unchanged'}",
                            style="red" if one.problem else None)  # fmt: skip
    return EXIT_SOME_FAILED if any(one.problem for one in answers) else 0
