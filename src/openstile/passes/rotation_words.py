"""The sentences of a plan to change keys: what happens to which passes, and what gates need in which order. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from openstile.passes.keyfile import Role

_BUNDLE = "openstile bundle build, then bundle apply at each gate"
_BY_HAND = "openstile keys export, then keys import at each gate"


@dataclass(frozen=True, slots=True)
class Passes:
    """How many passes a change touches, None where no register knows, and when the last of them ends."""

    count: int | None
    last_expires: datetime | None

    def __str__(self) -> str:
        if self.count is None:
            return "How many passes: not known here (no register of passes in this home)"
        if self.count == 0:
            return "No pass that a rider can use now"
        last = f", the last until {day(self.last_expires)}" if self.last_expires else ""
        return f"{self.count} {'pass' if self.count == 1 else 'passes'}{last}"


def day(at: datetime) -> str:
    """An instant, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def of_rotation(role: Role, kids: Iterable[str], passes: Passes, later: datetime | None) -> tuple[str, ...]:
    """`later`: when the new key takes over; None: at once."""
    old = _named(kids)
    if role is Role.GATE:
        return (
            "Bundles made from now on need the new public half: give it to the operator (openstile keys export), for "
            "bundle build --gate in place of the one before.",
            f"What was sealed to {old} for this gate still opens. No pass is touched.",
        )
    doing = {
        Role.ISSUER: "new passes are signed",
        Role.GATE_GROUP: "new passes are sealed",
        Role.OPERATOR: "new bundles are signed",
    }[role]
    by = "to" if role is Role.GATE_GROUP else "with"
    if later is None:
        begins = f"At once {doing} {by} the new key."
    else:
        begins = (
            f"Until {day(later)} {doing} {by} {old}, from then on {by} the new key. Gates may learn it from now on."
        )
    return (begins, _gates_need(role, later), *_stays(role, old, passes))


def of_emergency(role: Role, kids: Iterable[str], passes: Passes, until: datetime | None) -> tuple[str, ...]:
    """`until`: how long a gate group's old keys may still be used; None: no longer."""
    old = _named(kids)
    if role is Role.GATE_GROUP:
        return _of_stolen_gate(old, passes, until)
    if role is Role.GATE:
        return (
            f"What is sealed to {old} for this gate no longer opens here; whoever has it can open bundles made before.",
            "Give the new public half to the operator (openstile keys export), for bundle build --gate in place of the "
            "one before, and apply that bundle. If gate-group keys were in those bundles, replace them too: openstile "
            "keys rotate gate-group --emergency.",
        )
    if role is Role.OPERATOR:
        return (
            f"Gates that know of it refuse every bundle signed with {old}; until then whoever has it can tell them "
            "whom to trust.",
            "No bundle can tell them: give each gate both by hand, the new public half and that the old one is revoked "
            f"({_BY_HAND}), then apply a bundle signed with the new key.",
            "Look through the issuers that each gate trusts (openstile bundle show). No pass is touched.",
        )
    return (
        f"Every pass signed with {old} is refused (issuer_revoked) by each gate that knows of it. {passes}.",
        "New passes are signed with the new key at once; a gate that does not know it refuses them (issuer_unknown).",
        "In this order: sign the status list anew (openstile status publish), since one signed with a revoked key is "
        f"refused; tell every gate ({_BUNDLE}); give those riders new passes (openstile pass reissue makes them in "
        "bulk).",
        "There is no way back.",
    )


def of_retirement(kid: str, passes: Passes, later: datetime | None) -> tuple[str, ...]:
    """`later`: when passes sealed to the key are outdated; None: at once."""
    when = "At once" if later is None else f"From {day(later)} on"
    return (
        f"{when} gates that know of it refuse passes sealed to {kid} (pass_outdated) and ask for a new one.",
        _to_renew(passes, later),
        f"Gates have to be told: {_BUNDLE}.",
        "There is no way back." if later is None else "Until then it can be moved or taken back, after that not.",
    )


def of_no_retirement(kid: str, was: datetime | None) -> tuple[str, ...]:
    """A retirement that is taken back; `was`: when it would have been."""
    if was is None:
        return (f"Key {kid} is not about to retire: nothing changes.",)
    return (
        f"Key {kid} no longer retires on {day(was)}: passes sealed to it open until they end.",
        f"Gates have to be told: {_BUNDLE}. A gate without a bundle, that learned of it by keys import, keeps it.",
    )


def of_revocation(
    role: Role, kid: str, passes: Passes, *, others: tuple[str, ...], leaves_none: bool, next_from: datetime | None
) -> tuple[str, ...]:
    """`others`: keys of the same name that stay good. `leaves_none`: new things were made with this one."""
    what = {
        Role.ISSUER: f"Every pass signed with {kid} is refused (issuer_revoked) by each gate that knows of it. "
        f"{passes}.",
        Role.GATE_GROUP: f"No pass sealed to {kid} opens any more at gates that know of it (pass_outdated where a "
        f"bundle told them, else pass_for_other_gates). {passes}.",
        Role.OPERATOR: f"Every bundle signed with {kid} is refused by each gate that knows of it. No pass is touched.",
        Role.GATE: f"What is sealed to {kid} for this gate no longer opens. No pass is touched.",
    }[role]
    told = {
        Role.OPERATOR: f"{_BY_HAND}: no bundle can say it",
        Role.GATE: "openstile keys export of it, then keys import",
    }
    lines = [what, f"Gates have to be told: {told.get(role, _BUNDLE)}."]
    if role is Role.GATE:
        lines[1] = f"The operator has to be told: {told[role]} where bundles are built."
    if role in (Role.ISSUER, Role.GATE_GROUP):
        lines.append("Those riders need new passes: openstile pass reissue makes them in bulk.")
    if leaves_none and role is not Role.GATE:
        lines.append(_nothing_new(role, next_from))
    if others:
        lines.append(
            f"Still good: {', '.join(others)}. If they may be in other hands too: "
            f"openstile keys rotate {role.value} --emergency."
        )
    return (*lines, "There is no way back.")


def _of_stolen_gate(old: str, passes: Passes, until: datetime | None) -> tuple[str, ...]:
    opens = "are refused at once (pass_outdated)" if until is None else f"open until {day(until)}, then no more"
    return (
        f"With {old} a thief can open passes sealed to it that he also gets hold of, and read what is in them; he "
        "cannot make or change one, for the issuer signs them.",
        f"Passes sealed to {old} {opens} at gates that know of it. {_to_renew(passes, until)}",
        "New passes are sealed to the new key at once: issue none before the gates have it.",
        "In this order: build a bundle without the stolen gate (openstile bundle build with the --gate of every gate "
        "but that one) and apply it at all others; where passes are issued elsewhere, import the new public half "
        "there; then renew the passes.",
    )


def _gates_need(role: Role, later: datetime | None) -> str:
    when = "Now" if later is None else f"By {day(later)}"
    if role is Role.ISSUER:
        return (
            f"{when} every gate needs the new public half ({_BUNDLE}; or {_BY_HAND}); one without it refuses new "
            "passes (issuer_unknown)."
        )
    if role is Role.GATE_GROUP:
        return (
            f"{when} every gate needs the new private half ({_BUNDLE}), and an issuer elsewhere the public one (keys "
            "export, keys import); a gate without it refuses new passes (pass_for_other_gates)."
        )
    successor = "before that, each gate applies a bundle, which names the new key as well" if later else _BY_HAND
    return f"{when} every gate needs the new public half: {successor}; one without it refuses new bundles."


def _stays(role: Role, old: str, passes: Passes) -> tuple[str, ...]:
    if role is Role.OPERATOR:
        return (f"Bundles signed with {old} are still accepted. No pass is touched.",)
    made = "signed with" if role is Role.ISSUER else "sealed to"
    ends = "" if role is Role.ISSUER else ", or until openstile keys retire says so"
    return (f"Passes {made} {old} stay good until they end{ends}. {passes}.",)


def _to_renew(passes: Passes, until: datetime | None) -> str:
    if passes.count == 0 or (until and passes.last_expires and passes.last_expires <= until):
        return f"Nobody needs a new pass for this: {str(passes)[0].lower()}{str(passes)[1:]}."
    by = "now" if until is None else f"by {day(until)}"
    return f"{passes}. They have to be renewed {by} (openstile pass reissue makes new ones in bulk)."


def _nothing_new(role: Role, next_from: datetime | None) -> str:
    what = {Role.ISSUER: "No pass can be signed", Role.GATE_GROUP: "No pass can be sealed"}
    doing = what.get(role, "No bundle can be signed")
    until = f"until {day(next_from)}, when the next key takes over, or " if next_from else ""
    return f"{doing} {until}until openstile keys rotate {role.value} --overlap-hours 0."


def _named(kids: Iterable[str]) -> str:
    return " and ".join(kids) or "the keys before"
