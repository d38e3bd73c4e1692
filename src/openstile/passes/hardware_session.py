"""Talking to a PKCS#11 token: one session a token in this process, opened when first needed, opened anew when lost.

The module (a library of the token's maker) is initialised without telling it of threads, so one lock guards every call.
"""

import os
import stat
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from openstile.passes.private_file import read_private_file
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import HARDWARE_LABEL_BYTES_MAX, KEYS_MAX, PIN_FILE_BYTES_MAX

if TYPE_CHECKING:
    from pkcs11 import PrivateKey, Session, Token
    from pkcs11._pkcs11 import lib

Result = TypeVar("Result")

_LOCK = threading.RLock()
_PIN_WRONG = "the pin in {pin_file} is wrong; correct it (a pin that was refused is not tried again)"
_REASONS = {
    "NoSuchToken": "is not there; connect the token, or correct its label",
    "TokenNotPresent": "is not there; connect the token",
    "DeviceRemoved": "was taken away; connect the token",
    "MultipleTokensReturned": "is the label of several tokens; give each a label of its own",
    "PinIncorrect": _PIN_WRONG,
    "PinInvalid": _PIN_WRONG,
    "PinLenRange": _PIN_WRONG,
    "PinExpired": "its pin has expired; set a new one with the tools of its maker",
    "PinLocked": "its pin is locked after wrong ones; unlock it with the tools of its maker",
    "UserPinNotInitialized": "has no pin yet; set one with the tools of its maker",
    "TokenWriteProtected": "is write-protected; allow writing with the tools of its maker",
    "DeviceMemory": "is full; remove keys that no pass needs any more",
    "MechanismInvalid": "does not offer what this key needs; use another algorithm or another token",
    "FunctionNotSupported": "does not offer what this key needs; use another algorithm or another token",
}


class HardwareError(OpenstileError):
    """A key in hardware cannot be used now: the token, its module, its pin or the key is not as it should be."""

    exit_code = 6


@dataclass(frozen=True, slots=True)
class HardwareToken:
    """Where keys are kept: a PKCS#11 module (absolute path), the token's label, a file that holds its pin.

    The module is code that runs in this process: take its path from a person or from one's own key files, never from
    what others send. Raises BadInputError.
    """

    module: Path
    token: str
    pin_file: Path

    def __post_init__(self) -> None:
        for what, path in (("PKCS#11 module", self.module), ("pin file", self.pin_file)):
            if not path.is_absolute():
                raise BadInputError(f"{what} {path}: is not an absolute path; begin it with /")
        label = self.token
        if (
            not label.isprintable()
            or label != label.strip()
            or not 1 <= len(label.encode()) <= HARDWARE_LABEL_BYTES_MAX
        ):
            raise BadInputError(f"token label: is not 1 to {HARDWARE_LABEL_BYTES_MAX} bytes of printable text")


@dataclass(slots=True)
class OpenToken:
    """A session that is logged in, and the keys found in it: a key is looked for, and accepted for a use, once."""

    session: "Session"
    label: str
    keys: dict[tuple[bytes, object], "PrivateKey"] = field(default_factory=dict)

    def offers(self, mechanism: int) -> bool:
        """Whether the token can do this."""
        return mechanism in self.session.token.slot.get_mechanisms()

    def find(self, key_id: bytes, use: Hashable, accept: Callable[["PrivateKey"], None]) -> "PrivateKey":
        """The one private key of this id. `accept` may refuse it for this `use`: it is asked once a session.

        Raises HardwareError.
        """
        from pkcs11 import Attribute, ObjectClass, PrivateKey

        if (known := self.keys.get((key_id, use))) is not None:
            return known
        found = list(self.session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}))
        if len(found) != 1 or not isinstance(found[0], PrivateKey):
            how_many = "no private key" if not found else "several private keys"
            raise HardwareError(
                f"token {self.label}: holds {how_many} with id {key_id.hex()}; connect the token that holds it"
            )
        accept(found[0])
        self.keys[key_id, use] = found[0]
        return found[0]


_open: dict[tuple[Path, str], OpenToken] = {}
_refused_pins: dict[tuple[Path, str], str] = {}


def use_token(token: HardwareToken, action: Callable[[OpenToken], Result]) -> Result:
    """What `action` returns with a session of `token`. When the session turns out to be lost, once more with a new one.

    Raises HardwareError.
    """
    with _LOCK:
        error_type = _library(token)
        try:
            return action(_session(token))
        except error_type:
            _close(token)
        try:
            return action(_session(token))
        except error_type as error:
            _close(token)
            raise _explained(token, error) from None


def writable(opened: OpenToken, action: Callable[["Session"], Result]) -> Result:
    """What `action` returns with a second session that may write; the first one's login counts for it too."""
    session = opened.session.token.open(rw=True)
    try:
        return action(session)
    finally:
        session.close()


def _library(token: HardwareToken) -> type[Exception]:
    """The root of the errors of python-pkcs11. Raises HardwareError where it is not installed."""
    try:
        from pkcs11.exceptions import PKCS11Error
    except ImportError:
        raise HardwareError(
            f"token {token.token}: the package python-pkcs11 is missing; run: pip install '.[hardware]'"
        ) from None
    return PKCS11Error


def _session(token: HardwareToken) -> OpenToken:
    at = _place(token.module, token.token)
    if at not in _open:
        found = _find_token(token, _load(token, at[0]))
        _open[at] = OpenToken(_log_in(token, found, at), token.token)
    return _open[at]


@lru_cache(KEYS_MAX)
def _place(module: Path, label: str) -> tuple[Path, str]:
    """A module can be initialised once only, whatever links lead to it."""
    return module.resolve(), label


def _load(token: HardwareToken, module: Path) -> "lib":
    import pkcs11

    error = f"token {token.token}: the PKCS#11 module {token.module}"
    try:
        status = module.stat()
    except OSError:
        raise HardwareError(f"{error} is missing; install the token's driver or correct the path") from None
    if status.st_uid not in (0, os.geteuid()) or stat.S_IMODE(status.st_mode) & 0o022:
        raise HardwareError(f"{error} can be changed by others; let only its owner write it")
    try:
        return pkcs11.lib(str(module))
    except (pkcs11.PKCS11Error, RuntimeError):
        raise HardwareError(
            f"{error} cannot be started; install the token's driver, correct its path or its configuration"
        ) from None


def _find_token(token: HardwareToken, library: "lib") -> "Token":
    import pkcs11

    try:
        return library.get_token(token_label=token.token)
    except pkcs11.PKCS11Error as error:
        raise _explained(token, error) from None


def _log_in(token: HardwareToken, found: "Token", at: tuple[Path, str]) -> "Session":
    """A session for reading. A wrong pin is tried once: most tokens lock themselves after a few."""
    import pkcs11

    pin = _read_pin(token)
    if _refused_pins.get(at) == pin:
        raise _explained(token, pkcs11.PinIncorrect())
    try:
        session = _open_session(found, pin)
    except pkcs11.PKCS11Error as error:
        if isinstance(error, pkcs11.PinIncorrect | pkcs11.PinInvalid | pkcs11.PinLenRange):
            _refused_pins[at] = pin
        raise _explained(token, error) from None
    _refused_pins.pop(at, None)
    return session


def _open_session(found: "Token", pin: str) -> "Session":
    """A login belongs to the whole process: when it outlived the session that was lost, it still counts."""
    import pkcs11

    try:
        return found.open(user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:
        return found.open()


def _read_pin(token: HardwareToken) -> str:
    try:
        data = read_private_file(token.pin_file, what="pin file", bytes_max=PIN_FILE_BYTES_MAX)
        pin = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise HardwareError(f"token {token.token}: pin file {token.pin_file}: is no text; put the pin there") from None
    except BadInputError as error:
        raise HardwareError(f"token {token.token}: {error}") from None
    if not pin:
        raise HardwareError(f"token {token.token}: pin file {token.pin_file}: is empty; put the pin there")
    return pin


def _close(token: HardwareToken) -> None:
    import pkcs11

    opened = _open.pop(_place(token.module, token.token), None)
    if opened is not None:
        with suppress(pkcs11.PKCS11Error):
            opened.session.close()


def _explained(token: HardwareToken, error: Exception) -> HardwareError:
    name = type(error).__name__
    reason = _REASONS.get(name, f"failed ({name}); check that it is connected and ready, then try again")
    return HardwareError(f"token {token.token}: {reason.format(pin_file=token.pin_file)}")
