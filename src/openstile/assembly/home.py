"""The home of one installation: a single folder for keys, settings and journal, readable by its owner only."""

from dataclasses import dataclass
from pathlib import Path

from openstile.terms.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one installation lies. Paths only; nothing is read or written by building one."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The operator's settings, TOML."""
        return self.folder / "settings.toml"

    @property
    def keys(self) -> Path:
        """Issuer and gate-group keys, one file a key."""
        return self.folder / "keys"

    @property
    def register(self) -> Path:
        """The issuer's register of passes, SQLite."""
        return self.folder / "issuer" / "register.db"

    @property
    def status_lists(self) -> Path:
        """The status lists that the issuer built last, one file a list."""
        return self.folder / "issuer" / "status"

    @property
    def trust(self) -> Path:
        """What the operator tells this gate: the trust bundle and the status lists in use."""
        return self.folder / "trust"

    @property
    def bundle_memory(self) -> Path:
        """The sequence of the last trust bundle that was built here."""
        return self.folder / "operator" / "bundle.json"

    @property
    def packs(self) -> Path:
        """Model packs that a deployer added."""
        return self.folder / "packs"

    @property
    def gate_key(self) -> Path:
        """The gate's own signing key, for the heads of its journal."""
        return self.folder / "gate" / "gate.pem"

    @property
    def uplink_key(self) -> Path:
        """The key with which the gate signs its requests to the office."""
        return self.folder / "gate" / "uplink.pem"

    @property
    def uplink(self) -> Path:
        """Which office this gate has joined, JSON."""
        return self.folder / "gate" / "uplink.json"

    @property
    def uplink_fault(self) -> Path:
        """Why the last sync with the office failed, JSON; absent where it did not."""
        return self.folder / "gate" / "uplink-fault.json"

    @property
    def journal(self) -> Path:
        """The gate's journal of taps, SQLite."""
        return self.folder / "gate" / "journal.db"

    @property
    def office_database(self) -> Path:
        """The office's database, where it is SQLite and no other address is set."""
        return self.folder / "office" / "office.db"

    @property
    def office_bundle(self) -> Path:
        """The trust bundle that the office hands to its gates (`openstile bundle build --out`)."""
        return self.folder / "office" / "bundle.osb"


def open_home(folder: Path) -> Home:
    """The home at `folder`, made (mode 0700) when absent.

    A folder that exists keeps its mode: what is secret inside has folders and files of its own that only the owner can
    enter. Raises `BadInputError` when the folder cannot be made or is no folder.
    """
    home = Home(folder.expanduser().absolute())
    try:
        home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadInputError(f"home {home.folder}: is a file, not a folder; give another --home") from None
    except OSError as error:
        raise BadInputError(f"home {home.folder}: {error.strerror}; give a folder that you can write") from None
    return home
