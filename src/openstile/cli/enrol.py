"""`openstile enrol`: photographs or a PIN to a pass."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, folder, home_of
from openstile.cli.printing import console, error_console, print_json
from openstile.terms.errors import BadInputError
from openstile.terms.limits import PASS_DAYS_MAX

if TYPE_CHECKING:
    from openstile.assembly.enrolment import Enrolled


def enrol(
    product: Annotated[str, typer.Option(help="What the rider bought, such as season-2026.")],
    days: Annotated[int, typer.Option(min=1, max=PASS_DAYS_MAX, help="For how many days the pass is valid.")],
    out: Annotated[Path, typer.Option(parser=folder, help="Folder for pass.png, pass.svg, pass.pdf and pass.txt.")],
    face: Annotated[
        list[Path] | None, typer.Option("--face", help="Photograph of the rider; several make a better pass.")
    ] = None,
    pin: Annotated[str | None, typer.Option("--pin", help="4 to 12 digits, for a pass without a face.")] = None,
    category: Annotated[str | None, typer.Option(help="Rider category, such as student.")] = None,
    zone: Annotated[list[str] | None, typer.Option("--zone", help="Zone the pass is for; repeatable.")] = None,
    supervised: Annotated[
        bool, typer.Option(help="Staff saw that rider and photographs belong together (else: self-enrolled).")
    ] = False,
    holder: Annotated[
        Path | None,
        typer.Option(help="Public half of the phone's key (openstile pass holder), for a pass that can be shown live."),
    ] = None,
    level: Annotated[str, typer.Option(help="Error correction of the QR code: L, M or Q.")] = "M",
    replace: Annotated[bool, typer.Option(help="Replace a pass that lies in the folder already.")] = False,
    office: Annotated[
        str | None, typer.Option(help="Have this office sign, as https://office.example; it never sees the face.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="With --office: the rider's account there.")] = None,
    session_file: Annotated[
        Path | None, typer.Option(help="With --office: file (0600) with the token of an agent's session.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="With --office: certificates (PEM) that it is checked with, not the system's.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a pass that only this rider can use. Nothing of the rider is kept here."""
    from openstile.assembly.enrolment import PassOrder, enrol_with_face, enrol_with_pin
    from openstile.assembly.phone import read_holder_public
    from openstile.assembly.wire import Installation

    photographs = face or []
    if bool(photographs) == (pin is not None):
        raise BadInputError("give either --face (once or more) or --pin")
    if office is None and (account, session_file, ca_file) != (None, None, None):
        raise BadInputError("--account, --session-file and --ca-file: are for --office")
    order = PassOrder(
        product=product,
        days=days,
        out=out,
        category=category,
        zones=tuple(zone or ()),
        supervised=supervised,
        qr_level=level,
        replace=replace,
        holder=read_holder_public(holder) if holder else None,
    )
    installation = Installation.open(home_of(home))
    desk = None
    if office is not None:
        from openstile.assembly.enrolment_office import OfficeDesk

        desk = OfficeDesk.of(office=office, account=account, session_file=session_file, ca_file=ca_file)
    else:
        for note in installation.ensure_keys():
            error_console().print(note)
    if pin is not None:
        enrolled = enrol_with_pin(installation, order, pin, office=desk)
    else:
        enrolled = enrol_with_face(installation, order, photographs, office=desk)
    _say(enrolled, product, as_json=as_json)
    return 0


def _say(enrolled: "Enrolled", product: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "pass_id": str(enrolled.issued.pass_id),
                "product": product,
                "not_before": enrolled.issued.not_before.isoformat(),
                "expires": enrolled.issued.expires.isoformat(),
                "text_chars": len(enrolled.issued.text),
                "files": [str(path) for path in enrolled.files],
            }
        )
    else:
        until = f"{enrolled.issued.expires:%Y-%m-%d %H:%M} UTC"
        console().print(f"pass {enrolled.issued.pass_id}", style="green", end="")
        console().print(f" for {product}, until {until}")
        for path in enrolled.files:
            console().print(f"  {path}")
        console().print("Nothing of the rider was kept here: the pass holds the only copy.")
