"""What a trust bundle changes at a gate, and for which passes: said before and after it is applied."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from openstile.assembly.bundles import text_of
from openstile.assembly.settings import Settings, settings_with
from openstile.crossing import Policy
from openstile.passes.keyring import GateKeyring, TrustedIssuer
from openstile.passes.keys import OperatorPublicKey
from openstile.trust import Bundle


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that becomes another. `effect`: what that means for passes, or for what comes next."""

    what: str
    subject: str
    before: str | None
    after: str | None
    effect: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a gate goes by, from its bundle or, before the first one, from its own keys and settings."""

    issuers: dict[str, TrustedIssuer]
    group_keys: dict[str, datetime | None]
    operators: frozenset[str]
    policy: Policy

    @classmethod
    def by_bundle(cls, bundle: Bundle, keyring: GateKeyring, settings: Settings) -> "Told":
        """With this bundle in use. Raises BadInputError for settings that this gate cannot have.

        An issuer's key that was revoked at this gate stays revoked, whatever a bundle says.
        """
        gone = {issuer.key.kid for issuer in keyring.issuers if issuer.revoked}
        issuers = (TrustedIssuer(each.key, each.revoked or each.key.kid in gone) for each in bundle.issuers)
        return cls(
            issuers={issuer.key.kid.hex(): issuer for issuer in issuers},
            group_keys={listed.key.kid.hex(): listed.retired_at for listed in bundle.group_keys},
            operators=frozenset(key.kid.hex() for key in bundle.operators),
            policy=settings_with(settings, bundle.overrides, bundle.products).to_policy(),
        )

    @classmethod
    def by_home(cls, keyring: GateKeyring, pinned: Iterable[OperatorPublicKey], settings: Settings) -> "Told":
        """Without any bundle."""
        retired = {retirement.kid: retirement.at for retirement in keyring.retirements}
        return cls(
            issuers={issuer.key.kid.hex(): issuer for issuer in keyring.issuers},
            group_keys={key.public.kid.hex(): retired.get(key.public.kid) for key in keyring.gate_group_keys},
            operators=frozenset(key.kid.hex() for key in pinned),
            policy=settings.to_policy(),
        )


def changes_between(before: Told, after: Told, *, opens: frozenset[str]) -> tuple[Change, ...]:
    """All that changes. `opens` are the ids of gate-group keys whose private half this gate has or gets."""
    return (
        *_issuer_changes(before, after),
        *_group_key_changes(before, after, opens),
        *_operator_changes(before, after),
        *_policy_changes(before.policy, after.policy),
    )


def _issuer_changes(before: Told, after: Told) -> Iterator[Change]:
    for kid in sorted(before.issuers.keys() | after.issuers.keys()):
        old, new = before.issuers.get(kid), after.issuers.get(kid)
        states = (_issuer_state(old), _issuer_state(new))
        if states[0] != states[1]:
            name = (new or old).key.name  # type: ignore[union-attr]
            effect = {
                "trusted": "passes that it signed are accepted",
                "revoked": "passes that it signed are refused: issuer_revoked",
                None: "passes that it signed are refused: issuer_unknown",
            }[states[1]]
            yield Change("issuer key", f"{name} {kid}", *states, effect)


def _issuer_state(issuer: TrustedIssuer | None) -> str | None:
    return None if issuer is None else "revoked" if issuer.revoked else "trusted"


def _group_key_changes(before: Told, after: Told, opens: frozenset[str]) -> Iterator[Change]:
    for kid in sorted(before.group_keys.keys() | after.group_keys.keys()):
        states = _group_key_state(before, kid), _group_key_state(after, kid)
        if states[0] == states[1]:
            continue
        if states[1] is None:
            effect = "passes sealed to it are refused: pass_outdated"
        elif after.group_keys[kid] is not None:
            effect = (
                f"passes sealed to it are refused from {after.group_keys[kid]:%Y-%m-%d %H:%M} UTC on: pass_outdated"
            )
        elif kid in opens:
            effect = "passes sealed to it open at this gate"
        else:
            effect = "this gate has no private half of it: passes sealed to it do not open here"
        yield Change("gate-group key", kid, *states, effect)


def _group_key_state(told: Told, kid: str) -> str | None:
    if kid not in told.group_keys:
        return None
    at = told.group_keys[kid]
    return "in use" if at is None else f"retired from {at:%Y-%m-%dT%H:%M:%SZ}"


def _operator_changes(before: Told, after: Told) -> Iterator[Change]:
    for kid in sorted(after.operators - before.operators):
        yield Change("operator key", kid, None, "trusted", "may sign the next bundle")
    for kid in sorted(before.operators - after.operators):
        yield Change("operator key", kid, "trusted", None, "may sign no bundle any more")


def _policy_changes(before: Policy, after: Policy) -> Iterator[Change]:
    pairs = (("policy", before, after), ("zone", before.zone, after.zone), ("quality", before.quality, after.quality))
    for table, old, new in pairs:
        for field in fields(old):
            values = getattr(old, field.name), getattr(new, field.name)
            if field.name not in ("zone", "quality") and values[0] != values[1]:
                name = f"{table}.{field.name}"
                yield Change("setting", name, text_of(values[0]), text_of(values[1]), _effect(name, values[1]))


def _effect(name: str, value: object) -> str:
    if name == "policy.products":
        return "only passes for these products open the gate" if value else "passes for every product open the gate"
    if name == "policy.live_products":
        return "passes for these products must be shown live" if value else "every pass may be shown in print"
    return "holds from the next crossing on"
