"""What a rider's phone does, wired up with files: a key of its own, and a pass shown live with it."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from openstile.passes.holder import HolderKey, HolderPublicKey, generate_holder_key
from openstile.passes.live import WalletPass, is_named, show_live
from openstile.passes.private_file import read_private_file
from openstile.passes.qr import render_qr_png, render_qr_svg
from openstile.passes.wallet import (
    decode_holder,
    decode_holder_public,
    decode_wallet,
    encode_holder,
    encode_holder_public,
)
from openstile.terms import BadInputError
from openstile.terms.files import write_private, write_whole
from openstile.terms.instants import Clock
from openstile.terms.limits import WALLET_FILE_BYTES_MAX

HOLDER_FILE, HOLDER_PUBLIC_FILE = "holder.json", "holder.pub.json"


def make_holder(out: Path) -> tuple[Path, Path]:
    """A new holder key in the folder `out`: the file that stays on the phone, and the one for the desk.

    Raises BadInputError; a key that is there is never replaced.
    """
    holder = generate_holder_key()
    private, public = out / HOLDER_FILE, out / HOLDER_PUBLIC_FILE
    for path in (private, public):
        if path.exists():
            raise BadInputError(f"{path}: is there already; give another --out, a new pass wants a new key")
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(private, encode_holder(holder), replacing=False)
        write_whole(public, encode_holder_public(holder.public), replacing=False)
    except OSError as error:
        raise BadInputError(f"{out}: {error.strerror}; give a folder that you can write with --out") from None
    return private, public


def read_holder_public(path: Path) -> HolderPublicKey:
    """The public half of a holder's key. Raises BadInputError, also for the private one: it is not for the desk."""
    try:
        with path.open("rb") as file:
            data = file.read(WALLET_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}; give a file made by openstile pass holder") from None
    public = decode_holder_public(data, what=str(path))
    if data != encode_holder_public(public):
        raise BadInputError(f"{path}: is not the file for the desk; give {HOLDER_PUBLIC_FILE}, the other stays there")
    return public


@dataclass(frozen=True, slots=True)
class Phone:
    """A pass and the key to show it with."""

    wallet: WalletPass
    holder: HolderKey

    @classmethod
    def open(cls, *, wallet: Path, key: Path) -> "Phone":
        """Both files must be their owner's alone, and the key the one that the pass names. Raises BadInputError."""
        held = decode_wallet(read_private_file(wallet, what="pass", bytes_max=WALLET_FILE_BYTES_MAX), what=str(wallet))
        holder = decode_holder(
            read_private_file(key, what="holder key", bytes_max=WALLET_FILE_BYTES_MAX), what=str(key)
        )
        if not is_named(wallet=held, holder=holder.public):
            raise BadInputError(
                f"{key}: is not the key that {wallet} was made for; give the phone's own key with --key"
            )
        return cls(held, holder)

    def show(self, clock: Clock) -> str:
        """The text of a code for now."""
        return show_live(wallet=self.wallet, holder=self.holder, now=clock.now(), random=secrets.token_bytes)


def draw(text: str, out: Path, *, level: str) -> None:
    """The code as a picture at `out`, .png or .svg, in one step: who looks at it sees the old one or the new one."""
    if level not in ("L", "M", "Q"):
        raise BadInputError(f"--level {level}: give L, M or Q")
    if out.suffix == ".svg":
        write_private(out, render_qr_svg(text, level=level).encode())  # type: ignore[arg-type]
    elif out.suffix == ".png":
        write_private(out, render_qr_png(text, level=level))  # type: ignore[arg-type]
    else:
        raise BadInputError(f"--out {out}: give a name that ends in .png or .svg")
