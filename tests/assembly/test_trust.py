"""What a gate goes by changes while it runs, forwards only; what cannot be used leaves the old in use."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.tls_server import Served, serving

from openstile.assembly.bundle_apply import accept_bundle
from openstile.assembly.home import open_home
from openstile.assembly.refresh import Refresher
from openstile.assembly.running import Keeper
from openstile.assembly.settings import load_settings
from openstile.assembly.trust import TrustWatch, load_trust
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.gate.fetch import Fetcher
from openstile.passes import open_pass
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.issue import IssuedPass
from openstile.passes.keyfile import Role
from openstile.passes.pin import make_pin_reference
from openstile.passes.standing import Standing
from openstile.terms import BadInputError
from openstile.trust import BundleError

URI = "https://passes.example/status/1"


def openstile(*words: object) -> None:
    assert run([str(word) for word in words]) == 0, words


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    openstile("keys", "create", "issuer", "--home", home)
    openstile("keys", "create", "gate-group", "--home", home)
    openstile("keys", "create", "operator", "--home", home)
    setting(home, 'status_list_uri = ""', f'status_list_uri = "{URI}"')
    return home


def setting(home: Path, before: str, after: str) -> None:
    path = home / "settings.toml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def installation(home: Path) -> Installation:
    return Installation.open(open_home(home))


def issue(home: Path) -> IssuedPass:
    return installation(home).issue(
        entitlement=Entitlement("season"),
        reference=make_pin_reference("4711"),
        valid_for=timedelta(days=1),
        assurance=Assurance.SELF_ENROLLED,
    )


def watch(home: Path) -> TrustWatch:
    return TrustWatch(open_home(home), lambda: load_settings(home / "settings.toml"))


def standing(home: Path, watched: TrustWatch, text: str) -> Standing:
    here, trust = installation(home), watched.current()
    opened = open_pass(
        presented=text,
        keyring=trust.keyring,
        audience=here.settings.audience(),
        now=here.clock.now(),
        clock_skew_s=60,
    )
    return trust.statuses.standing(opened.claims, now=here.clock.now(), age_s_max=trust.policy.status_age_s_max)


def issuer_kid(home: Path) -> str:
    keys = installation(home).keys.list_keys(now=installation(home).clock.now())
    return next(key.kid for key in keys if key.role is Role.ISSUER)


def test_pass_withdrawn_in_the_same_home_is_known_at_the_next_look(home: Path) -> None:
    issued, watched = issue(home), watch(home)
    assert standing(home, watched, issued.text) is Standing.UNSURE
    openstile("status", "build", "--home", home)
    assert watched.look()
    assert standing(home, watched, issued.text) is Standing.GOOD
    openstile("status", "revoke", issued.pass_id, "--yes", "--home", home)
    openstile("status", "build", "--home", home)
    assert watched.look()
    assert standing(home, watched, issued.text) is Standing.WITHDRAWN
    assert not watched.look(), "nothing changed since"


def test_settings_and_keys_are_read_anew_and_a_damaged_file_leaves_the_old_in_use(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(home)
    setting(home, "passback_s = 300", "passback_s = 7")
    assert watched.look()
    assert watched.current().policy.passback_s == 7
    setting(home, "passback_s = 7", "passback_s = -1")
    with caplog.at_level(logging.ERROR):
        assert not watched.look()
        assert not watched.look()
    assert watched.current().policy.passback_s == 7
    assert len(caplog.records) == 1, "said once"
    setting(home, "passback_s = -1", "passback_s = 8")
    openstile("keys", "rotate", "issuer", "--yes", "--home", home)
    assert watched.look()
    assert (watched.current().policy.passback_s, len(watched.current().keyring.issuers)) == (8, 2)


def test_bundle_counts_from_the_next_look_and_a_key_revoked_here_stays_revoked(home: Path, tmp_path: Path) -> None:
    watched, bundle = watch(home), tmp_path / "bundle.cose"
    setting(home, "passback_s = 300", "passback_s = 9")
    openstile("bundle", "build", "--out", bundle, "--home", home)
    setting(home, "passback_s = 9", "passback_s = 300")
    openstile("keys", "revoke", issuer_kid(home), "--yes", "--home", home)
    openstile("bundle", "apply", bundle, "--home", home)
    assert watched.look()
    assert watched.current().policy.passback_s == 9
    assert [issuer.revoked for issuer in watched.current().keyring.issuers] == [True]


def test_gate_group_key_that_a_bundle_no_longer_names_makes_its_passes_outdated(home: Path, tmp_path: Path) -> None:
    setting(home, 'status_when_stale = "refuse"', 'status_when_stale = "admit"')
    text = issue(home).text
    openstile("keys", "rotate", "gate-group", "--emergency", "--grace-days", "0", "--yes", "--home", home)
    openstile("bundle", "build", "--out", tmp_path / "bundle.cose", "--home", home)
    openstile("bundle", "apply", tmp_path / "bundle.cose", "--home", home)
    openstile("enrol", "--pin", "4711", "--product", "x", "--days", 1, "--home", home, "--out", tmp_path / "new")
    (tmp_path / "old.txt").write_text(text)
    assert run(["cross", "--pass", str(tmp_path / "old.txt"), "--pin", "4711", "--home", str(home)]) == 10
    trust = load_trust(open_home(home), installation(home).settings)
    assert len({retirement.kid for retirement in trust.keyring.retirements}) == 1
    new = str(tmp_path / "new" / "pass.txt")
    assert run(["cross", "--pass", new, "--pin", "4711", "--home", str(home)]) == 0


def test_gate_without_keys_does_not_start(tmp_path: Path) -> None:
    openstile("keys", "create", "gate", "--home", tmp_path / "bare")
    with pytest.raises(BadInputError, match="holds no keys yet"):
        watch(tmp_path / "bare")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def away(home: Path, tmp_path: Path, served: Served) -> Path:
    """The home of a gate elsewhere, which knows the office's public keys and the address of its list."""
    away = tmp_path / "away"
    openstile("keys", "create", "gate-group", "--home", away)
    for number, key in enumerate(installation(home).keys.list_keys(now=installation(home).clock.now())):
        if key.role in (Role.ISSUER, Role.OPERATOR):
            openstile("keys", "export", key.kid, "--out", tmp_path / f"{number}.json", "--home", home)
            openstile("keys", "import", tmp_path / f"{number}.json", "--home", away)
    setting(away, 'ca_file = ""', f'ca_file = "{served.ca_file}"')
    return away


@pytest.fixture
def refresher(away: Path, served: Served) -> Iterator[Refresher]:
    with closing(Fetcher(ca_file=served.ca_file)) as fetcher:
        yield Refresher(installation(away), fetcher)


def published(home: Path, served: Served) -> str:
    """The office's list as it is now, at an address of the server; the passes name that address."""
    uri = served.at("/status/1")
    text = (home / "settings.toml").read_text()
    (home / "settings.toml").write_text(text.replace(URI, uri))
    openstile("status", "build", "--home", home)
    (built,) = (home / "issuer" / "status").glob("*.cwt")
    served.files["/status/1"] = built.read_bytes()
    return uri


def test_list_is_fetched_once_asked_for_by_its_etag_and_never_taken_back(
    home: Path, away: Path, served: Served, refresher: Refresher
) -> None:
    uri = published(home, served)
    first = served.files["/status/1"]
    answers = [refresher.status_list(uri), refresher.status_list(uri)]
    assert [(answer.is_new, answer.problem) for answer in answers] == [(True, None), (False, None)]
    assert served.statuses == [200, 304]
    issued = issue(home)
    openstile("status", "revoke", issued.pass_id, "--yes", "--home", home)
    published(home, served)
    assert refresher.status_list(uri).is_new
    served.files["/status/1"] = first
    back = refresher.status_list(uri)
    assert not back.is_new
    assert "never goes back" in str(back.problem)


def test_list_that_is_forged_missing_or_of_another_address_is_said_and_not_used(
    home: Path, tmp_path: Path, served: Served, refresher: Refresher
) -> None:
    uri = published(home, served)
    genuine = served.files["/status/1"]
    served.files["/other"] = genuine
    for path, content in (("/status/1", b"nothing"), ("/status/1", genuine[:-1] + bytes([genuine[-1] ^ 1]))):
        served.files[path] = content
        answer = refresher.status_list(uri)
        assert answer.problem is not None
        assert not answer.is_new
    assert "answered 404" in str(refresher.status_list(served.at("/none")).problem)
    assert "sends the list of" in str(refresher.status_list(served.at("/other")).problem)


def test_bundle_is_fetched_and_an_older_one_refused(home: Path, away: Path, tmp_path: Path, served: Served) -> None:
    openstile("keys", "create", "gate", "--home", away)
    own = installation(away).keys.transport_key().public.kid.hex()
    openstile("keys", "export", own, "--out", tmp_path / "gate.json", "--home", away)
    for number in (1, 2):
        out = tmp_path / f"{number}.cose"
        openstile("bundle", "build", "--gate", tmp_path / "gate.json", "--out", out, "--home", home)
    setting(away, 'bundle_url = ""', f'bundle_url = "{served.at("/bundle")}"')
    with closing(Fetcher(ca_file=served.ca_file)) as fetcher:
        refresher = Refresher(installation(away), fetcher)
        served.files["/bundle"] = (tmp_path / "2.cose").read_bytes()
        taken, again = refresher.bundle(), refresher.bundle()
        served.files["/bundle"] = (tmp_path / "1.cose").read_bytes()
        back = refresher.bundle()
    assert taken is not None
    assert again is not None
    assert back is not None
    assert taken.problem is None
    assert (taken.is_new, again.is_new) == (True, False)
    assert "never go back" in str(back.problem)
    assert served.statuses == [200, 304, 200]


def test_keeper_asks_when_it_is_time_and_goes_on_without_its_servers(
    home: Path, away: Path, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    uri = published(home, served)
    setting(away, "status_lists = []", f'status_lists = ["{uri}"]')
    here = installation(away)
    with closing(here.fetcher()) as fetcher:
        keeper = Keeper(here, fetcher)
        keeper.ask()
        keeper.look()
        assert keeper.current().statuses.issued_at(uri) is not None
        keeper.ask()
        assert served.statuses == [200], "not before it is time again"
    with closing(Fetcher()) as stranger:
        other = Keeper(here, stranger)
        with caplog.at_level(logging.ERROR):
            other.ask()
            other.look()
    assert "cannot be reached" in caplog.text
    assert other.current().statuses.issued_at(uri) is not None


def test_bundle_from_elsewhere_counts_for_nothing(home: Path, away: Path, tmp_path: Path) -> None:
    """The same operator's name, another operator's key."""
    stranger = tmp_path / "stranger"
    for role in ("issuer", "gate-group", "operator"):
        openstile("keys", "create", role, "--home", stranger)
    openstile("bundle", "build", "--out", tmp_path / "forged.cose", "--home", stranger)
    before = load_trust(open_home(away), installation(away).settings)
    with pytest.raises(BundleError):
        accept_bundle(installation(away), (tmp_path / "forged.cose").read_bytes())
    after = load_trust(open_home(away), installation(away).settings)
    assert after.keyring.issuers == before.keyring.issuers
