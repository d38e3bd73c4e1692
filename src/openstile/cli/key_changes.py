"""`openstile keys rotate`, `retire` and `revoke`: the plan is shown first, then somebody is asked."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.key_options import KidArgument, NameOption, RoleArgument, role_and_name, token_of
from openstile.cli.key_plans import DryRunOption, YesOption, carry_out, check_switches
from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.terms.errors import BadInputError
from openstile.terms.limits import KEY_DAYS_MAX, KEY_GRACE_DAYS_MAX, KEY_OVERLAP_HOURS_MAX

if TYPE_CHECKING:
    from openstile.assembly.wire import Installation
    from openstile.passes.hardware import HardwareToken
    from openstile.passes.keyfile import Role
    from openstile.passes.keystate import KeyInfo
    from openstile.passes.rotation import RotationPlan

OVERLAP_HOURS = 24
GRACE_DAYS = 30


def rotate(
    role: RoleArgument,
    name: NameOption = None,
    overlap_hours: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=KEY_OVERLAP_HOURS_MAX,
            help=f"How long gates have to learn the new key before it is used.  [default: {OVERLAP_HOURS}]",
        ),
    ] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="The keys are in other hands: a new one at once, the old ones go.")
    ] = False,
    grace_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=KEY_GRACE_DAYS_MAX,
            help=f"With --emergency: how long passes still open with a gate group's old keys.  [default: {GRACE_DAYS}]",
        ),
    ] = None,
    hardware: Annotated[
        bool | None,
        typer.Option(
            "--hardware/--no-hardware", help="In the token of settings.toml, or not; default: as the key before."
        ),
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a new key that takes over from the last. Says first what will happen to which passes, and asks."""
    from openstile.assembly.wire import Installation

    check_switches(yes=yes, dry_run=dry_run, as_json=as_json)
    installation = Installation.open(existing_home_of(home))
    role_of, name_of = role_and_name(installation, role, name)
    keys, now = installation.keys, installation.clock.now()
    time = _grace(role_of, grace_days, overlap_hours) if emergency else _overlap(role_of, grace_days, overlap_hours)
    plan = _plan_rotation(installation, role_of, name_of, now, emergency=emergency, time=time)
    token = _token_for_next(installation, role_of, name_of, hardware)

    def do() -> "KeyInfo":
        if emergency:
            return keys.replace_in_emergency(role_of, name_of, now=now, grace=time, hardware=token)
        return keys.rotate(role_of, name_of, now=now, active_from=plan.active_from, hardware=token)

    return carry_out(plan, do, done="made", yes=yes, dry_run=dry_run, as_json=as_json)


def retire(
    kid: KidArgument,
    at: Annotated[str | None, typer.Option(metavar="DATE", help="From when on, as 2027-01-31, in UTC.")] = None,
    days: Annotated[int | None, typer.Option(min=0, max=KEY_DAYS_MAX, help="In how many days; 0: now.")] = None,
    never: Annotated[bool, typer.Option("--never", help="Take back a retirement that was not reached yet.")] = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Refuse passes sealed to a gate-group key from a day on, so that their riders renew them until then.

    Until that day it can be moved or taken back; then it is final.
    """
    from openstile.assembly.wire import Installation
    from openstile.passes.rotation import plan_retirement

    check_switches(yes=yes, dry_run=dry_run, as_json=as_json)
    if [at is not None, days is not None, never].count(True) != 1:
        raise BadInputError("retire: give one of --at DATE, --days N, --never")
    installation = Installation.open(existing_home_of(home))
    keys, now = installation.keys, installation.clock.now()
    retired_at = _day(at, now) if at is not None else None if days is None else now + timedelta(days=days)
    keys.check_retirement(kid, at=retired_at, now=now)
    plan = plan_retirement(keys.list_keys(now=now), installation.key_usage(), kid=kid, at=retired_at, now=now)
    return carry_out(
        plan,
        lambda: keys.retire(kid, at=retired_at, now=now),
        done="changed",
        yes=yes,
        dry_run=dry_run,
        as_json=as_json,
    )


def revoke(
    kid: KidArgument,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Refuse from now on everything made with a key. There is no way back. Says first what will happen, and asks."""
    from openstile.assembly.wire import Installation
    from openstile.passes.rotation import plan_revocation

    check_switches(yes=yes, dry_run=dry_run, as_json=as_json)
    installation = Installation.open(existing_home_of(home))
    keys, now = installation.keys, installation.clock.now()
    plan = plan_revocation(keys.list_keys(now=now), installation.key_usage(), kid=kid, now=now)
    return carry_out(plan, lambda: keys.revoke(kid, now=now), done="revoked", yes=yes, dry_run=dry_run, as_json=as_json)


def _overlap(role: "Role", grace_days: int | None, overlap_hours: int | None) -> timedelta:
    from openstile.passes.keyfile import Role

    if grace_days is not None:
        raise BadInputError("--grace-days: goes with --emergency; see openstile keys retire")
    if overlap_hours and role is Role.GATE:
        raise BadInputError("--overlap-hours: a gate's own key takes over at once; leave it out")
    usual = 0 if role is Role.GATE else OVERLAP_HOURS
    return timedelta(hours=usual if overlap_hours is None else overlap_hours)


def _grace(role: "Role", grace_days: int | None, overlap_hours: int | None) -> timedelta:
    from openstile.passes.keyfile import Role

    if overlap_hours is not None:
        raise BadInputError("--overlap-hours: an emergency has none; leave it out")
    if grace_days is not None and role is not Role.GATE_GROUP:
        raise BadInputError("--grace-days: only gate-group keys have a time of grace; leave it out")
    return timedelta(days=GRACE_DAYS if grace_days is None else grace_days)


def _plan_rotation(
    installation: "Installation", role: "Role", name: str, now: datetime, *, emergency: bool, time: timedelta
) -> "RotationPlan":
    from openstile.passes.rotation import plan_emergency, plan_rotation

    keys = installation.keys
    keys.check_rotation(role, name, now=now, waits=not emergency and time > timedelta(0))
    infos, usage = keys.list_keys(now=now), installation.key_usage()
    if emergency:
        return plan_emergency(infos, usage, role=role, name=name, now=now, grace=time)
    return plan_rotation(infos, usage, role=role, name=name, now=now, overlap=time)


def _token_for_next(
    installation: "Installation", role: "Role", name: str, wanted: bool | None
) -> "HardwareToken | None":
    """Where the next key goes: without a wish, where the last one is, so that a rotation never leaves the hardware."""
    infos = installation.keys.list_keys(now=installation.clock.now())
    last = [info for info in infos if (info.role, info.name) == (role, name)][-1]
    return token_of(installation) if wanted or (wanted is None and last.token) else None


def _day(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(f"--at {text[:40]}: is no date; write it as 2027-01-31 or 2027-01-31T12:00") from None
    if at < now:
        raise BadInputError(f"--at {text}: is in the past; use --days 0 to retire the key now")
    return at
