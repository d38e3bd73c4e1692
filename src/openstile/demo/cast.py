"""Who takes part: riders enrolled from portraits or with a PIN, and the passes they hold."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from openstile.assembly.enrolment import Enrolled, PassOrder, enrol_with_face, enrol_with_pin
from openstile.assembly.home import open_home
from openstile.assembly.phone import Phone, make_holder, read_holder_public
from openstile.assembly.wire import Installation
from openstile.assembly.withdrawal import build_lists, change_states, find_passes, open_existing_register
from openstile.demo.clock import TurnableClock
from openstile.demo.folder import DemoFolder
from openstile.desk.files import WALLET_FILE_NAME
from openstile.issuer import PassState
from openstile.passes.keyfile import Role
from openstile.terms.files import write_private

PIN = "4711"
_LIVE_PRODUCT = "staff-door"
_SETTINGS = f"""[issuer]
status_list_uri = "https://passes.example/status/1"

[policy]
live_products = ["{_LIVE_PRODUCT}"]
""".encode()
_OTHER_SETTINGS = b'[operator]\ngate_group = "north"\n'
_DAYS_AGO = 10


@dataclass(frozen=True, slots=True)
class HeldPass:
    """A pass in a rider's hand. `photographs` are those it was made from; none for a PIN pass."""

    name: str
    rider: str
    product: str
    photographs: tuple[Path, ...]
    enrolled: Enrolled

    @property
    def png(self) -> Path:
        """The QR code, as the rider shows it."""
        return next(path for path in self.enrolled.files if path.suffix == ".png")

    @property
    def text(self) -> str:
        """The text that the QR code says."""
        return self.enrolled.issued.text

    @property
    def kind(self) -> str:
        """How the rider proves to be the owner."""
        return "face" if self.photographs else "PIN"


@dataclass(frozen=True, slots=True)
class Cast:
    """The installation and every pass that the scenes need."""

    installation: Installation
    president: HeldPass
    vice_president: HeldPass
    astronaut: HeldPass
    pin_rider: HeldPass
    expired: HeldPass
    of_withdrawn_issuer: HeldPass
    of_next_season: HeldPass
    of_other_gates: HeldPass
    lost: HeldPass
    """Withdrawn after its rider had lost it."""
    on_phone: HeldPass
    """Of a product that must be shown live."""
    phone: Phone

    @property
    def passes(self) -> tuple[HeldPass, ...]:
        """All passes, the riders' own first."""
        riders = (self.president, self.vice_president, self.astronaut, self.pin_rider)
        refused = (self.expired, self.of_withdrawn_issuer, self.of_next_season, self.of_other_gates, self.lost)
        return (*riders, self.on_phone, *refused)


def enrol_all(
    folder: DemoFolder, portraits: dict[str, Path], clock: TurnableClock, *, more_settings: bytes = b""
) -> Cast:
    """Make the keys and enrol everyone, as `openstile enrol` does. The clock ends where it began."""
    president_photo = portraits["president-1.jpg"]
    write_private(folder.home / "settings.toml", _SETTINGS + more_settings)
    installation = Installation.open(open_home(folder.home), clock=clock)

    def enrol(name: str, rider: str, photo: Path | None, *, product: str = "season-2026", days: int = 365) -> HeldPass:
        return _enrol(installation, folder.passes / name, rider, photo, product=product, days=days)

    # Ten days ago: the first keys; a pass for two days; then the issuer's key was stolen, replaced and withdrawn.
    with clock.turned(timedelta(days=-_DAYS_AGO)):
        installation.ensure_keys()
        of_withdrawn_issuer = enrol("president-key-withdrawn", "the president", president_photo)
        _withdraw_issuer_key(installation)
        expired = enrol("president-expired", "the president", president_photo, product="two-days", days=2)
    # In a month: a pass that begins then.
    with clock.turned(timedelta(days=30)):
        of_next_season = enrol("president-next-season", "the president", president_photo, product="season-2027")
    # Gates of another group have keys of their own.
    write_private(folder.other_home / "settings.toml", _OTHER_SETTINGS)
    other = Installation.open(open_home(folder.other_home), clock=clock)
    other.ensure_keys()
    of_other_gates = _enrol(
        other, folder.passes / "president-other-gates", "the president", president_photo, product="season-north"
    )
    lost = enrol("president-lost", "the president", president_photo)
    with open_existing_register(installation) as register:
        change_states(
            installation, find_passes(installation, register, [str(lost.enrolled.issued.pass_id)]), PassState.REVOKED
        )
    on_phone, phone = _enrol_on_phone(installation, folder.passes / "staff-phone")
    build_lists(installation)
    return Cast(
        installation=installation,
        president=enrol("president", "the president", president_photo),
        vice_president=enrol("vice-president", "the vice president", portraits["vice-president.jpg"]),
        astronaut=enrol("astronaut", "the astronaut", portraits["astronaut.png"]),
        pin_rider=enrol("pin-rider", "a rider with a PIN", None),
        expired=expired,
        of_withdrawn_issuer=of_withdrawn_issuer,
        of_next_season=of_next_season,
        of_other_gates=of_other_gates,
        lost=lost,
        on_phone=on_phone,
        phone=phone,
    )


def _enrol(
    installation: Installation, out: Path, rider: str, photo: Path | None, *, product: str, days: int = 365
) -> HeldPass:
    order = PassOrder(product=product, days=days, out=out)
    photographs = () if photo is None else (photo,)
    enrolled = (
        enrol_with_face(installation, order, photographs) if photographs else enrol_with_pin(installation, order, PIN)
    )
    return HeldPass(out.name, rider, product, photographs, enrolled)


def _enrol_on_phone(installation: Installation, out: Path) -> tuple[HeldPass, Phone]:
    """A pass with a PIN for a phone: the phone makes its key, the desk puts the public half into the pass."""
    private, public = make_holder(out)
    order = PassOrder(product=_LIVE_PRODUCT, days=365, out=out, holder=read_holder_public(public))
    enrolled = enrol_with_pin(installation, order, PIN)
    wallet = next(path for path in enrolled.files if path.name == WALLET_FILE_NAME)
    held = HeldPass(out.name, "a member of staff", _LIVE_PRODUCT, (), enrolled)
    return held, Phone.open(wallet=wallet, key=private)


def _withdraw_issuer_key(installation: Installation) -> None:
    issuer = installation.settings.issuer.id
    installation.keys.replace_in_emergency(Role.ISSUER, issuer, now=installation.clock.now())
