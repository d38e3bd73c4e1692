"""What a gate goes by: keys, bundle, status lists and settings in its home, brought together and kept up to date.

A gate never restarts for it: what changed is read beside the riders, and the lane takes the new set between two of
them. What cannot be read leaves the old set in use, and says so.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from openstile.assembly.home import Home
from openstile.assembly.settings import Settings, settings_with
from openstile.crossing import Policy
from openstile.gate.trust import Trust
from openstile.passes import GateKeyring
from openstile.passes.keyring import Retirement, TrustedIssuer
from openstile.passes.keystore import KeyStore
from openstile.passes.standing import StatusLists
from openstile.passes.status_list import StatusList, read_status_list
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import CLOCK_SKEW_S_MAX
from openstile.trust.bundle import Bundle
from openstile.trust.floors import TrustError
from openstile.trust.folder import TrustFolder

_log = logging.getLogger("openstile.gate")


def load_trust(home: Home, settings: Settings) -> Trust:
    """Keys, lists and policy as they lie in the home now. Raises OpenstileError, also where there are no keys."""
    folder = TrustFolder(home.trust)
    bundle = folder.bundle()
    keyring = KeyStore(home.keys).gate_keyring()
    policy = settings.to_policy()
    if bundle is not None:
        keyring = _keyring_of(bundle, keyring)
        policy = policy_of(bundle, settings)
    if not keyring.gate_group_keys or not keyring.issuers:
        raise BadInputError(f"{home.keys}: holds no keys yet; run: openstile keys create, or enrol a rider")
    statuses = StatusLists(folder.status_lists(keyring.issuers))
    told = [at for at in (statuses.latest(), bundle.made if bundle else None) if at is not None]
    ahead = timedelta(seconds=CLOCK_SKEW_S_MAX)  # so far from now they may have been when they were accepted
    return Trust(keyring, statuses, policy, max(told) - ahead if told else None)


def keyring_in_use(home: Home) -> GateKeyring:
    """The keys that passes and lists are judged by here: those of the bundle, or while there is none, all in the home.

    Raises OpenstileError.
    """
    bundle, held = TrustFolder(home.trust).bundle(), KeyStore(home.keys).gate_keyring()
    return held if bundle is None else _keyring_of(bundle, held)


def policy_of(bundle: Bundle, settings: Settings) -> Policy:
    """The policy of a gate with these settings of its own, once it was told this. Raises BadInputError."""
    return settings_with(settings, bundle.overrides, bundle.products).to_policy()


def _keyring_of(bundle: Bundle, held: GateKeyring) -> GateKeyring:
    """What the bundle lists: its issuers, and of the gate-group keys held here those that it still names.

    A key that was revoked or retired here stays so, whatever a bundle says.
    """
    revoked = {issuer.key.kid for issuer in held.issuers if issuer.revoked}
    listed = {group.key.kid: group for group in bundle.group_keys}
    retired = [Retirement(kid, group.retired_at) for kid, group in listed.items() if group.retired_at is not None]
    gone = [Retirement(key.public.kid, bundle.made) for key in held.gate_group_keys if key.public.kid not in listed]
    return GateKeyring(
        gate_group_keys=tuple(key for key in held.gate_group_keys if key.public.kid in listed),
        issuers=tuple(TrustedIssuer(each.key, each.revoked or each.key.kid in revoked) for each in bundle.issuers),
        retirements=(*retired, *gone, *held.retirements),
    )


def accept_status_list(home: Home, keys: KeyStore, data: bytes, *, now: datetime, uri: str | None = None) -> StatusList:
    """Take a status list into use, signed by an issuer that this gate trusts. Raises OpenstileError.

    A key that was revoked here signs none, whatever a bundle says of it. With `uri` only the list of that address.
    """
    folder, held = TrustFolder(home.trust), keys.gate_keyring()
    bundle = folder.bundle()
    issuers = held.issuers if bundle is None else _keyring_of(bundle, held).issuers
    if uri is not None and (made := read_status_list(data, issuers=issuers, now=now)).uri != uri:
        raise BadInputError(f"{uri}: sends the list of {made.uri}; correct the server, or trust.status_lists")
    return folder.accept_status_list(data, issuers=issuers, now=now)


class TrustWatch:
    """The trust of a running gate. `current` never waits; `look` reads anew when something changed on disk."""

    def __init__(self, home: Home, load_settings: Callable[[], Settings]) -> None:
        """Reads everything once. Raises OpenstileError when that cannot be used: then the gate does not start."""
        self._home = home
        self._load_settings = load_settings
        self._seen = self._fingerprint()
        self._settings = load_settings()
        self._trust = load_trust(home, self._settings)
        self._complained = ""

    def current(self) -> Trust:
        """What holds now."""
        return self._trust

    def look(self) -> bool:
        """Whether something had changed and all of it is in use now. What cannot be used is logged, once.

        Settings that cannot be used leave the old ones in use, and keep back no key that was revoked and no list.
        """
        try:
            seen = self._fingerprint()
            if seen == self._seen:
                return False
            if self._seen[0] and not seen[0]:  # what a bundle took away would be trusted again
                raise TrustError(f"{self._home.trust}: is gone; bring it back, apply a bundle, or start the gate anew")
            damaged = self._read_settings()
            self._trust = load_trust(self._home, self._settings)
        except OpenstileError as error:
            self._complain(error)
            return False
        self._seen = seen
        if damaged is not None:
            self._complain(damaged)
            return False
        self._complained = ""
        _log.info("keys, lists and policy read anew")
        return True

    def _read_settings(self) -> OpenstileError | None:
        try:
            self._settings = self._load_settings()
        except OpenstileError as error:
            return error
        return None

    def _complain(self, error: OpenstileError) -> None:
        if str(error) != self._complained:
            _log.error("what was in use stays in use: %s", error)
        self._complained = str(error)

    def _fingerprint(self) -> tuple[object, ...]:
        return (
            TrustFolder(self._home.trust).fingerprint(),
            _names_and_times(self._home.keys),
            _time(self._home.settings),
        )


def _names_and_times(folder: Path) -> tuple[tuple[str, int, int], ...]:
    try:
        return tuple(sorted((path.name, *_time(path)) for path in folder.iterdir() if path.suffix == ".json"))
    except OSError:
        return ()


def _time(path: Path) -> tuple[int, int]:
    """A file that replaces another has another number; one rewritten, or given other permissions, another time."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_ino, status.st_ctime_ns)
