"""Bundles at a gate's home: a crash between its keys and its bundle, a clock that moves, an old bundle in use."""

import errno
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openstile.assembly.bundle_apply import accept_bundle, trust_in_use, verify_bundle
from openstile.assembly.bundles import BundleOrder, build_bundle, settings_to_tell
from openstile.assembly.health import examine
from openstile.assembly.home import open_home
from openstile.assembly.settings import Settings, settings_with
from openstile.assembly.wire import Installation
from openstile.crossing import Policy
from openstile.passes.keyfile import Role
from openstile.passes.keystore import KeyStore
from openstile.passes.status_list import pack_bits, sign_status_list
from openstile.terms import BadInputError
from openstile.trust import BundleError

START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@dataclass
class TurnableClock:
    """A wall clock that a test sets."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic_ns(self) -> int:
        return 0


@dataclass
class World:
    """An office and one gate of it that share nothing but files carried between them."""

    folder: Path
    clock: TurnableClock
    office: Installation
    gate: Installation

    def built(self, name: str, *, days: int = 30) -> Path:
        order = BundleOrder(out=self.folder / name, gates=(self.folder / "gate.json",), days=days)
        return build_bundle(self.office, order).file


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = TurnableClock()
    office, gate = (Installation.open(open_home(tmp_path / name), clock=clock) for name in ("office", "gate"))
    operator = _make_keys(office)
    gate.keys.import_public(office.keys.export_public(operator), what="operator", now=START)
    kid = gate.keys.create(Role.GATE, "example-operator/gate-1", now=START).kid
    (tmp_path / "gate.json").write_bytes(gate.keys.export_public(kid))
    return World(tmp_path, clock, office, gate)


def _make_keys(home: Installation) -> str:
    """An issuer's, a gate group's and an operator's key; returns the id of the last."""
    roles = ((Role.ISSUER, "example-issuer"), (Role.GATE_GROUP, "example-operator/main"))
    for role, name in roles:
        home.keys.create(role, name, now=home.clock.now())
    return home.keys.create(Role.OPERATOR, "example-operator", now=home.clock.now()).kid


def _group_kids(installation: Installation) -> list[bytes]:
    return [key.public.kid for key in installation.keys.gate_keyring().gate_group_keys]


def test_crash_after_the_keys_and_before_the_bundle_is_mended_by_applying_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = world.built("first").read_bytes()

    def full(path: Path, data: bytes, *, replacing: bool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("openstile.trust.folder.TrustFolder.__init__.__kwdefaults__", {"write": full})
        with pytest.raises(BadInputError, match="No space left"):
            accept_bundle(world.gate, data)
    assert trust_in_use(world.gate).bundle is None
    assert _group_kids(world.gate) == _group_kids(world.office)
    assert accept_bundle(world.gate, data).bundle.sequence == 1
    assert _group_kids(world.gate) == _group_kids(world.office)


def test_disk_that_takes_no_keys_takes_no_bundle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(store: KeyStore, key: object, **_: object) -> None:
        raise BadInputError("keys: cannot be written: No space left on device")

    data = world.built("first").read_bytes()
    monkeypatch.setattr(KeyStore, "add_gate_group_private", full)
    with pytest.raises(BadInputError, match="No space left"):
        accept_bundle(world.gate, data)
    assert trust_in_use(world.gate).bundle is None


def test_bundle_that_expires_in_use_works_on_and_doctor_says_it_is_old(tmp_path: Path) -> None:
    """Made with a clock long ago, so that it is old by the real one, which doctor looks at."""
    clock = TurnableClock(START - timedelta(days=400))
    home = Installation.open(open_home(tmp_path), clock=clock)
    _make_keys(home)
    accept_bundle(home, build_bundle(home, BundleOrder(out=tmp_path / "old")).file.read_bytes())
    assert not trust_in_use(home).is_old
    clock.at = START
    assert trust_in_use(home).is_old
    found = next(each for each in examine(tmp_path, camera="absent") if each.what == "trust bundle")
    assert (found.works, found.needed, "works on" in found.detail) == (False, False, True)


def test_doctor_says_when_there_is_no_bundle_and_when_it_is_lost(world: World) -> None:
    def found() -> tuple[bool, bool, str]:
        finding = next(f for f in examine(world.gate.home.folder, camera="absent") if f.what == "trust bundle")
        return finding.works, finding.needed, finding.detail

    assert found() == (True, False, "none: this home goes by its own keys and settings")
    accept_bundle(world.gate, world.built("first").read_bytes())
    for path in world.gate.home.trust.glob("*.cbor"):
        path.unlink()
    works, needed, detail = found()
    assert (works, needed, "apply it again" in detail) == (False, True, True)


def test_clock_set_back_does_not_bring_an_old_bundle_back(world: World) -> None:
    first, second = world.built("first"), world.built("second")
    accept_bundle(world.gate, second.read_bytes())
    world.clock.at = START - timedelta(days=300)
    with pytest.raises(BundleError):
        accept_bundle(world.gate, first.read_bytes())
    world.clock.at = START + timedelta(minutes=1)
    with pytest.raises(BundleError, match="never go back"):
        accept_bundle(world.gate, first.read_bytes())


def test_bundle_is_refused_once_expired_and_the_one_in_use_stays(world: World) -> None:
    first, second = world.built("first", days=1), world.built("second", days=1)
    accept_bundle(world.gate, first.read_bytes())
    world.clock.at = START + timedelta(days=1)
    with pytest.raises(BundleError, match="expired"):
        accept_bundle(world.gate, second.read_bytes())
    in_use = trust_in_use(world.gate)
    assert in_use.bundle is not None
    assert (in_use.bundle.sequence, in_use.is_old) == (1, True)


def test_issuer_revoked_at_the_gate_stays_revoked_whatever_a_bundle_says(world: World) -> None:
    (issuer,) = world.office.keys.public_keys(Role.ISSUER)
    kid = issuer.public.kid.hex()
    world.gate.keys.import_public(world.office.keys.export_public(kid), what="issuer", now=START)
    world.gate.keys.revoke(kid, now=START)
    judged = accept_bundle(world.gate, world.built("first").read_bytes())
    assert [change.what for change in judged.changes] == ["gate-group key"]


def test_settings_told_come_out_as_they_went_in() -> None:
    settings = Settings(
        policy={"passback_s": 0, "distance_max": 0.41, "products": ["A", "Ä"], "status_when_stale": "admit"},
        zone={"left": 0.1},
        quality={"noise_max": 0.07},
    )
    told = {each.key: each.value for each in settings_to_tell(settings)}
    assert told["policy.products"] == '["A", "Ä"]'
    assert {key for key in told if not key.startswith("policy.")} == {"zone.left", "quality.noise_max"}
    assert settings_with(Settings(), told).to_policy() == settings.to_policy()
    assert Settings().to_policy() == Policy()


def test_gate_that_is_laxer_by_itself_is_told_the_defaults_too() -> None:
    lax = {"status_when_stale": "admit", "status_age_s_max": 2_592_000, "distance_max": 0.7, "attempts_max": 1000}
    told = {each.key: each.value for each in settings_to_tell(Settings())}
    assert settings_with(Settings(policy=lax), told).to_policy() == Policy()
    assert settings_with(Settings(zone={"left": 0.1}), told).to_policy().zone.left == 0.1, "its camera is its own"


def test_list_of_ten_million_passes_rides_in_a_bundle(world: World) -> None:
    """Size, not speed: about 145 KB, one in a hundred withdrawn."""
    import random

    dice = random.Random(1)
    bits = pack_bits(entries=10_000_000, indices=dice.sample(range(10_000_000), 100_000))
    token = sign_status_list(
        issuer_key=world.office.keys.issuer_key(now=START),
        uri="https://lists.example/1",
        bits=bits,
        issued_at=START,
        expires=START + timedelta(days=1),
        ttl_s=300,
    )
    (world.folder / "list.cwt").write_bytes(token)
    order = BundleOrder(
        out=world.folder / "large", gates=(world.folder / "gate.json",), lists=(world.folder / "list.cwt",)
    )
    built = build_bundle(world.office, order)
    assert built.bytes_count - len(token) < 2000
    assert verify_bundle(world.gate, built.file).bundle.status_lists == (token,)
    accept_bundle(world.gate, built.file.read_bytes())
    (made,) = trust_in_use(world.gate).lists
    assert made.bits == bits


def test_what_a_bundle_takes_away_is_said_with_what_it_means_for_passes(world: World) -> None:
    """An issuer and an operator that are left out, a key that retires later, a key that this gate does not get."""
    keys = world.office.keys
    second = keys.create(Role.ISSUER, "ferries", now=START).kid
    accept_bundle(world.gate, world.built("first").read_bytes())
    (group,) = keys.public_keys(Role.GATE_GROUP)
    old, old_operator = group.public.kid.hex(), keys.public_keys(Role.OPERATOR)[0].public.kid.hex()
    keys.rotate(Role.OPERATOR, "example-operator", now=START, active_from=START + timedelta(hours=1))
    accept_bundle(world.gate, world.built("both").read_bytes())
    world.clock.at = START + timedelta(hours=2)
    now = world.clock.at
    keys.rotate(Role.GATE_GROUP, "example-operator/main", now=now)
    keys.retire(old, at=now + timedelta(days=3), now=now)
    keys.revoke(old_operator, now=now)
    next((world.office.home.keys).glob("issuer.ferries.*.json")).unlink()
    without_keys = build_bundle(world.office, BundleOrder(out=world.folder / "third"))
    judged = verify_bundle(world.gate, without_keys.file)
    effects = {change.subject.split()[-1]: (change.after, change.effect) for change in judged.changes}
    assert effects[second] == (None, "passes that it signed are refused: issuer_unknown")
    assert effects[old_operator] == (None, "may sign no bundle any more")
    assert effects[old][1] == "passes sealed to it are refused from 2026-03-04 10:30 UTC on: pass_outdated"
    (lacking,) = judged.cannot_open
    assert effects[lacking][1].startswith("this gate has no private half")
    assert judged.keys == ()


def test_gate_group_key_that_is_left_out_is_outdated(world: World) -> None:
    accept_bundle(world.gate, world.built("first").read_bytes())
    (group,) = world.office.keys.public_keys(Role.GATE_GROUP)
    world.office.keys.rotate(Role.GATE_GROUP, "example-operator/main", now=START)
    world.office.keys.revoke(group.public.kid.hex(), now=START)
    judged = accept_bundle(world.gate, world.built("second").read_bytes())
    gone = next(change for change in judged.changes if change.subject == group.public.kid.hex())
    assert (gone.after, gone.effect) == (None, "passes sealed to it are refused: pass_outdated")


def test_products_that_are_no_longer_told_open_again_to_all(world: World) -> None:
    def settings(text: str) -> None:
        head = '[operator]\nid = "example-operator"\n'
        (world.office.home.settings).write_text(head + text)
        world.office = Installation.open(world.office.home, clock=world.clock)

    settings('[products.Annual]\nshowing = "live"\n')
    accept_bundle(world.gate, world.built("first").read_bytes())
    settings("")
    judged = accept_bundle(world.gate, world.built("second").read_bytes())
    assert {change.subject: change.effect for change in judged.changes} == {
        "policy.products": "passes for every product open the gate",
        "policy.live_products": "every pass may be shown in print",
    }


def test_gate_whose_key_is_revoked_or_ended_or_of_another_operator_gets_nothing(world: World) -> None:
    gate, exported = world.gate.keys, world.folder / "gate.json"
    other = gate.create(Role.GATE, "ferry/gate-1", now=START).kid
    exported.write_bytes(gate.export_public(other))
    with pytest.raises(BadInputError, match="is a gate of operator ferry"):
        world.built("first")
    (own,) = gate.public_keys(Role.GATE, "example-operator/gate-1")
    exported.write_bytes(gate.export_public(own.public.kid.hex()))
    gate.revoke(own.public.kid.hex(), now=START)
    world.built("before")
    exported.write_bytes(gate.export_public(own.public.kid.hex()))
    with pytest.raises(BadInputError, match="revoked or has ended"):
        world.built("after")


def test_office_without_private_halves_can_build_but_give_none(world: World) -> None:
    elsewhere = Installation.open(open_home(world.folder / "elsewhere"), clock=world.clock)
    elsewhere.keys.create(Role.OPERATOR, "example-operator", now=START)
    for role in (Role.ISSUER, Role.GATE_GROUP):
        (key,) = world.office.keys.public_keys(role)
        elsewhere.keys.import_public(world.office.keys.export_public(key.public.kid.hex()), what="key", now=START)
    with pytest.raises(BadInputError, match="there is none to give"):
        build_bundle(elsewhere, BundleOrder(out=world.folder / "x", gates=(world.folder / "gate.json",)))
    built = build_bundle(elsewhere, BundleOrder(out=world.folder / "x"))
    assert (built.gates, built.bundle.sealed_keys) == ((), ())
