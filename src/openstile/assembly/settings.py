"""The operator's settings: `settings.toml` in the home folder, checked when read (docs/operator-guide.md)."""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from openstile.assembly.settings_attack import ContextTable
from openstile.assembly.settings_office import OfficeTable
from openstile.assembly.settings_text import DEFAULT_SETTINGS
from openstile.crossing import Policy
from openstile.face.quality import QualityLimits
from openstile.face.zone import CaptureZone
from openstile.gate.loop import LoopTimes
from openstile.journal import Direction
from openstile.passes.claims import Audience
from openstile.passes.hardware import HardwareToken
from openstile.terms.errors import BadInputError
from openstile.terms.files import write_private
from openstile.terms.ids import GateId
from openstile.terms.limits import (
    AUDIT_DAYS_MAX,
    AUDIT_DAYS_MIN,
    BACKUP_DAYS_MAX,
    BATCH_TAPS_MAX,
    BUNDLE_LISTS_MAX,
    BUNDLE_PRODUCTS_MAX,
    REVIEW_DAYS_MAX,
    SETTINGS_BYTES_MAX,
    STATUS_ENTRIES_MAX,
)
from openstile.trust.bundle import Product

_ENVIRONMENT_PREFIX = "OPENSTILE_"
_TOLD_TABLES = ("policy", "zone", "quality")
"""What an operator may tell a gate in a bundle; everything else is the gate's own."""
_PRODUCT_KEYS = ("products", "live_products")

Source = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OperatorTable(_Table):
    """Who runs the gates: goes into each pass."""

    id: Name = "example-operator"
    gate_group: Name = "main"


class IssuerTable(_Table):
    """Who signs passes, and how."""

    id: Name = "example-issuer"
    algorithm: Literal["EdDSA", "ES256"] = "EdDSA"
    status_list_uri: Annotated[str, Field(max_length=64, pattern=r"^(https://[!-~]+)?$")] = ""
    status_list_size: Annotated[int, Field(ge=1024, le=STATUS_ENTRIES_MAX)] = 2**24
    status_list_days: Annotated[int, Field(ge=1, le=30)] = 7
    status_list_ttl_s: Annotated[int, Field(ge=10, le=86_400)] = 300


class GateTable(_Table):
    """This gate."""

    id: Name = "gate-1"
    direction: Literal["in", "out"] = "in"
    language: Literal["en", "de"] = "en"
    camera: Source = "camera:0"
    barrier: Source = "console"
    barrier_token_file: Annotated[str, Field(max_length=1000)] = ""
    barrier_open_ms: Annotated[int, Field(ge=100, le=60_000)] = 3000
    model_pack: Source = "centerface-dual"
    display: Literal["console", "light"] = "console"
    display_lag_frames: Annotated[int, Field(ge=0, le=10)] = 0
    display_light_ratio: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    display_opt_out: Annotated[str, Field(pattern=r"^(none|console|gpio:[0-9]{1,3})$")] = "none"
    message_ms: Annotated[int, Field(ge=0, le=60_000)] = 1500
    rearm_ms: Annotated[int, Field(ge=0, le=60_000)] = 1500


class HardwareTable(_Table):
    """The PKCS#11 token that keeps private keys; all empty: files keep them."""

    module: Annotated[str, Field(max_length=1000, pattern=r"^(/.*)?$")] = ""
    token: Annotated[str, Field(max_length=32)] = ""
    pin_file: Annotated[str, Field(max_length=1000)] = ""


class ProductTable(_Table):
    """A product that opens these gates: shown in any form, or live from a phone only."""

    showing: Literal["any", "live"] = "any"


class TrustTable(_Table):
    """Where a gate fetches what it is told, over HTTPS."""

    bundle_url: Annotated[str, Field(max_length=1000)] = ""
    status_lists: Annotated[list[str], Field(max_length=BUNDLE_LISTS_MAX)] = Field(default_factory=list)
    ca_file: Annotated[str, Field(max_length=1000)] = ""
    fetch_every_s: Annotated[int, Field(ge=10, le=86_400)] = 300


class UplinkTable(_Table):
    """The office that gathers this gate's taps."""

    office: Annotated[str, Field(max_length=300, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+/?)?$")] = ""
    sync_every_s: Annotated[int, Field(ge=1, le=3600)] = 5
    batch_taps: Annotated[int, Field(ge=1, le=BATCH_TAPS_MAX)] = 500
    keep_days: Annotated[int, Field(ge=1, le=90)] = 14
    ca_file: Annotated[str, Field(max_length=1000)] = ""


class RetentionTable(_Table):
    """How long a trip is a trip; the others are of an office."""

    trips_hours: Annotated[int, Field(ge=1, le=168)] = 48
    review_days: Annotated[int, Field(ge=1, le=REVIEW_DAYS_MAX)] = 14
    audit_days: Annotated[int, Field(gt=AUDIT_DAYS_MIN, le=AUDIT_DAYS_MAX)] = 400
    backup_days: Annotated[int, Field(ge=1, le=BACKUP_DAYS_MAX)] = 7


class Settings(BaseModel):
    """All settings; those left out have their defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operator: OperatorTable = OperatorTable()
    issuer: IssuerTable = IssuerTable()
    gate: GateTable = GateTable()
    policy: dict[str, Any] = Field(default_factory=dict)
    zone: dict[str, Any] = Field(default_factory=dict)
    quality: dict[str, Any] = Field(default_factory=dict)
    products: Annotated[dict[str, ProductTable], Field(max_length=BUNDLE_PRODUCTS_MAX)] = Field(default_factory=dict)
    context: ContextTable = ContextTable()
    hardware: HardwareTable = HardwareTable()
    trust: TrustTable = TrustTable()
    retention: RetentionTable = RetentionTable()
    uplink: UplinkTable = UplinkTable()
    office: OfficeTable = OfficeTable()

    def to_policy(self) -> Policy:
        """The crossing's policy, built once. Raises `BadInputError` naming the table and key that is wrong."""
        return self._built_policy

    @cached_property
    def _built_policy(self) -> Policy:
        for table in ("zone", "quality"):
            if table in self.policy:
                raise BadInputError(f"policy.{table}: no such setting; it is a table of its own, [{table}]")
        zone = _dataclass_from(CaptureZone, self.zone, "zone")
        quality = _dataclass_from(QualityLimits, self.quality, "quality")
        policy = {**self.policy, **self._listed_products(), "zone": zone, "quality": quality}
        return _dataclass_from(Policy, policy, "policy")

    def _listed_products(self) -> dict[str, list[str]]:
        """What [products] says, as the policy has it; without that table nothing."""
        if not self.products:
            return {}
        for key in _PRODUCT_KEYS:
            if self.policy.get(key):
                raise BadInputError(f"policy.{key}: the tables [products.NAME] say that already; leave one of them out")
        listed = [Product(name, live=table.showing == "live") for name, table in self.products.items()]
        return {
            "products": [product.name for product in listed],
            "live_products": [product.name for product in listed if product.live],
        }

    def audience(self) -> Audience:
        """Whose gates these are, as it stands in a pass."""
        return Audience(operator=self.operator.id, gate_group=self.operator.gate_group)

    def hardware_token(self, home: Path) -> HardwareToken | None:
        """The token for private keys, None where files keep them; the file of its pin may be relative to `home`.

        Raises BadInputError where only a part of it is set.
        """
        table = self.hardware
        if not (table.module or table.token or table.pin_file):
            return None
        if not (table.module and table.token and table.pin_file):
            raise BadInputError("hardware: set module, token and pin_file, or none of them")
        return HardwareToken(Path(table.module), table.token, home.absolute() / table.pin_file)

    def gate_id(self) -> GateId:
        """The name of this gate."""
        return GateId(self.gate.id)

    def direction(self) -> Direction:
        """Which way this gate's barrier lets people through."""
        return Direction(self.gate.direction)

    def loop_times(self, *, has_uplink: bool = False) -> LoopTimes:
        """The gate loop's times, for a gate whose taps an office gathers or not."""
        return LoopTimes(
            rearm_ms=self.gate.rearm_ms,
            message_ms=self.gate.message_ms,
            trips_kept=timedelta(hours=self.retention.trips_hours),
            unsent_kept=timedelta(days=self.uplink.keep_days) if has_uplink else None,
        )


def load_settings(path: Path, *, make: bool = True) -> Settings:
    """The settings in the TOML file at `path`; when it is absent and `make`, it is written with the defaults.

    A value `OPENSTILE_<TABLE>__<KEY>` of the environment wins. Raises `BadInputError` that names file and key.
    """
    try:
        if make and not path.exists():
            write_private(path, DEFAULT_SETTINGS.encode())
    except PermissionError:
        raise BadInputError(f"{path}: Permission denied; it must be a file you can read") from None
    data = _read_trusted(path)
    try:
        settings = Settings(**_with_environment(tomllib.loads(data.decode()), os.environ))
        settings.to_policy()
        settings.hardware_token(path.parent)
        settings.context.wants()
    except UnicodeDecodeError:
        raise BadInputError(f"{path}: is not UTF-8 text; write it anew or delete it to get the defaults") from None
    except RecursionError:
        raise BadInputError(f"{path}: is nested too deeply; it is not a settings file") from None
    except ValidationError as error:
        raise BadInputError(f"{path}: {_first_problem(error)}") from None
    except ValueError as error:  # not TOML, or a number of thousands of digits
        raise BadInputError(f"{path}: is not valid TOML: {error}") from None
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from None
    return settings


def settings_with(settings: Settings, overrides: Mapping[str, str], products: Iterable[Product] = ()) -> Settings:
    """`settings` with what an operator tells a gate: it wins over the file and the environment.

    `overrides` are of the tables policy, zone and quality, as `policy.passback_s` and `300`; lists are JSON lists, as
    in the environment. Where products are told, in either way, nothing of the gate's own products stays. Raises
    BadInputError naming what cannot be set.
    """
    tables: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
    tables |= {name: dict(tables[name]) for name in _TOLD_TABLES}
    told = tuple(products)
    if told or not {f"policy.{key}" for key in _PRODUCT_KEYS}.isdisjoint(overrides):
        for key in _PRODUCT_KEYS:
            tables["policy"].pop(key, None)
        tables["products"] = {product.name: {"showing": "live" if product.live else "any"} for product in told}
    for name, value in overrides.items():
        table, _, key = name.partition(".")
        if table not in _TOLD_TABLES:
            raise BadInputError(f"{name}: a gate is told settings of {', '.join(_TOLD_TABLES)} only")
        if value:
            tables[table][key] = _value_of(value, name)
        else:  # the default, whatever this gate had
            tables[table].pop(key, None)
    try:
        changed = Settings(**tables)
    except ValidationError as error:
        raise BadInputError(_first_problem(error)) from None
    changed.to_policy()
    return changed


def _read_trusted(path: Path) -> bytes:
    """The file's bytes, refused where somebody else could have set what a gate asks of a face."""
    try:
        with path.open("rb") as file:
            status, owners = os.fstat(file.fileno()), {0, os.geteuid(), path.parent.stat().st_uid}
            data = file.read(SETTINGS_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}; it must be a file you can read") from None
    if status.st_mode & 0o022 or status.st_uid not in owners:
        raise BadInputError(f"{path}: others can change it; look through it, then run: chmod go-w {path}")
    if len(data) > SETTINGS_BYTES_MAX:
        raise BadInputError(f"{path}: larger than {SETTINGS_BYTES_MAX} bytes; it is not a settings file")
    return data


def _with_environment(tables: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """`tables` with the values that the environment sets; a value that begins with `[` is a JSON list."""
    merged = {name: dict(table) if isinstance(table, dict) else table for name, table in tables.items()}
    for variable, value in environment.items():
        name, separator, key = variable.removeprefix(_ENVIRONMENT_PREFIX).lower().partition("__")
        if not variable.startswith(_ENVIRONMENT_PREFIX) or name not in Settings.model_fields:
            continue
        table = merged.setdefault(name, {})
        if not separator or not isinstance(table, dict):
            raise BadInputError(f"{variable}: is not a table; set single keys, as OPENSTILE_GATE__ID=east-1")
        table[key] = _value_of(value, variable)
    return merged


def _value_of(text: str, name: str) -> Any:
    """A value given as text: what begins with `[` is a JSON list. `name` is said when it is none."""
    try:
        return json.loads(text) if text.startswith("[") else text
    except (ValueError, RecursionError):
        raise BadInputError(f'{name}: is not a JSON list; write it as ["a", "b"]') from None


_Built = TypeVar("_Built")


def _dataclass_from(kind: type[_Built], table: dict[str, Any], name: str) -> _Built:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - known)
    if unknown:
        raise BadInputError(
            f"{name}.{unknown[0]}: no such setting; the settings of [{name}]: {', '.join(sorted(known))}"
        )
    for key, value in table.items():
        if isinstance(value, bool):
            raise BadInputError(f"{name}.{key}: true and false mean nothing here; give a number")
    try:
        return TypeAdapter(kind).validate_python(table)
    except ValidationError as error:
        raise BadInputError(f"{name}.{_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{where}: no such setting; docs/operator-guide.md lists them all"
    said = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {said[0].lower()}{said[1:]}"
