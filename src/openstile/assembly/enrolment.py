"""Enrolment wired up: a rider's photographs or PIN, signed, sealed and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from openstile.assembly.wire import Installation
from openstile.desk import PassFiles, face_reference, render_card, write_pass_files
from openstile.desk.card import CardText
from openstile.desk.files import check_pass_folder
from openstile.face.images import read_image
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass
from openstile.passes.pin import make_pin_reference
from openstile.passes.qr import render_qr_png, render_qr_svg
from openstile.passes.reference import Reference, ReferenceKind
from openstile.passes.wallet import encode_wallet
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.assembly.enrolment_office import OfficeDesk


@dataclass(frozen=True, slots=True)
class PassOrder:
    """What is wanted of a new pass, and where its files go."""

    product: str
    days: int
    out: Path
    category: str | None = None
    zones: tuple[str, ...] = ()
    supervised: bool = False
    qr_level: str = "M"
    replace: bool = False
    holder: HolderPublicKey | None = None
    """The key on the rider's phone, for a pass that may be shown live."""

    def __post_init__(self) -> None:
        if self.qr_level not in ("L", "M", "Q"):
            raise BadInputError(f"--level {self.qr_level}: give L, M or Q")

    @property
    def entitlement(self) -> Entitlement:
        """What goes into the pass. Raises `BadInputError`."""
        return Entitlement(self.product, rider_category=self.category, zones=self.zones)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new pass and the files it lies in."""

    issued: IssuedPass
    files: tuple[Path, ...]


def enrol_with_face(
    installation: Installation, order: PassOrder, photographs: Sequence[Path], *, office: "OfficeDesk | None" = None
) -> Enrolled:
    """A face pass from photographs on disk. Raises `BadInputError` naming the photograph that cannot be used."""
    entitlement = order.entitlement
    named = [(str(path), read_image(path)) for path in photographs]
    engine = installation.load_engine()
    template = face_reference(named, engine=engine, quality=installation.policy.quality)
    reference = Reference(ReferenceKind.FACE, template.pack_id, template.data)
    return _issue_and_write(installation, order, entitlement, reference, office)


def enrol_with_pin(
    installation: Installation, order: PassOrder, pin: str, *, office: "OfficeDesk | None" = None
) -> Enrolled:
    """A PIN pass: the same products at the same gates, without a face. Raises `BadInputError`."""
    return _issue_and_write(installation, order, order.entitlement, make_pin_reference(pin), office)


def _issue_and_write(
    installation: Installation,
    order: PassOrder,
    entitlement: Entitlement,
    reference: Reference,
    office: "OfficeDesk | None",
) -> Enrolled:
    check_pass_folder(order.out, replace=order.replace)  # before anything is signed or noted in the register
    assurance = Assurance.SUPERVISED if order.supervised else Assurance.SELF_ENROLLED
    if office is None:
        issued = installation.issue(
            entitlement=entitlement,
            reference=reference,
            valid_for=timedelta(days=order.days),
            assurance=assurance,
            holder=order.holder,
        )
    else:
        issued = office.issue(
            installation,
            entitlement=entitlement,
            reference=reference,
            days=order.days,
            assurance=assurance,
            holder=order.holder,
        )
    try:
        files = write_issued(installation, order, issued, with_pin=reference.kind is ReferenceKind.PIN)
    except BadInputError as error:
        if office is None:
            raise
        raise BadInputError(f"{error}. Pass {issued.pass_id} was signed for nobody: revoke it at the office") from None
    return Enrolled(issued, files)


def write_issued(
    installation: Installation, order: PassOrder, issued: IssuedPass, *, with_pin: bool
) -> tuple[Path, ...]:
    """Draw an issued pass and write its files where the order says. Raises BadInputError."""
    png = render_qr_png(issued.text, level=order.qr_level)  # type: ignore[arg-type]
    card = CardText(
        operator=installation.settings.operator.id,
        product=order.product,
        valid_from=issued.not_before,
        valid_until=issued.expires,
        pass_id=str(issued.pass_id),
        with_pin=with_pin,
        language=installation.settings.gate.language,
    )
    files = PassFiles(
        png=png,
        svg=render_qr_svg(issued.text, level=order.qr_level),  # type: ignore[arg-type]
        pdf=render_card(card, png),
        text=issued.text,
        wallet=encode_wallet(issued.wallet) if order.holder else None,
    )
    return write_pass_files(files, order.out, replace=order.replace)
