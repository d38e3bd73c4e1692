"""Attacks on a gate's keeping up to date: by servers, by issuers whose key was stolen, by a clock that is ahead."""

import threading
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.gate.test_fetch_hostile import answering
from tests.gate.tls_server import serving

from openstile.assembly.home import open_home
from openstile.assembly.refresh import Refresher
from openstile.assembly.running import Keeper
from openstile.assembly.settings import load_settings
from openstile.assembly.trust import TrustWatch, accept_status_list, load_trust
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.passes.keyfile import Role
from openstile.passes.status_list import StatusListError, pack_bits, sign_status_list
from openstile.terms.limits import CLOCK_SKEW_S_MAX
from openstile.trust import TrustFolder

URI = "https://passes.example/status/1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for role in ("issuer", "gate-group", "operator"):
        assert run(["keys", "create", role, "--home", str(home)]) == 0
    return home


@pytest.fixture
def here(home: Path) -> Installation:
    return Installation.open(open_home(home))


def watch(home: Path) -> TrustWatch:
    return TrustWatch(open_home(home), partial(load_settings, home / "settings.toml", make=False))


def signed(here: Installation, *, ahead_s: int = 0, uri: str = URI) -> bytes:
    """A list that withdraws nobody, by the issuer of this home."""
    now = here.clock.now().replace(microsecond=0) + timedelta(seconds=ahead_s)
    return sign_status_list(
        issuer_key=here.keys.issuer_key(now=here.clock.now()),
        uri=uri,
        bits=pack_bits(entries=1024, indices=[]),
        issued_at=now,
        expires=now + timedelta(days=1),
        ttl_s=60,
    )


def test_server_that_never_ends_keeps_no_change_in_the_home_back(home: Path, here: Installation) -> None:
    asked, released = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        asked.set()
        released.wait()

    settings = home / "settings.toml"
    with answering(hang) as url:
        settings.write_text(settings.read_text().replace("status_lists = []", f'status_lists = ["{url}"]'))
        again = Installation.open(open_home(home))
        with closing(again.fetcher()) as fetcher:
            keeper = Keeper(again, fetcher)
            asking = threading.Thread(target=keeper.ask)
            asking.start()
            assert asked.wait(30)
            settings.write_text(settings.read_text().replace("passback_s = 300", "passback_s = 7"))
            keeper.look()
            assert keeper.current().policy.passback_s == 7
            assert asking.is_alive()
            released.set()
            asking.join()


def test_list_by_a_key_that_was_revoked_here_is_not_taken_though_the_bundle_still_names_it(
    home: Path, here: Installation, tmp_path: Path
) -> None:
    """Else a thief could put a list that counts for nothing in place of the one that withdraws passes."""
    assert run(["bundle", "build", "--out", str(tmp_path / "b.cose"), "--home", str(home)]) == 0
    assert run(["bundle", "apply", str(tmp_path / "b.cose"), "--home", str(home)]) == 0
    stolen = signed(here, ahead_s=60)
    (kid,) = (key.public.kid.hex() for key in here.keys.public_keys(Role.ISSUER))
    assert run(["keys", "revoke", kid, "--yes", "--home", str(home)]) == 0
    with pytest.raises(StatusListError, match="revoked"):
        accept_status_list(here.home, here.keys, stolen, now=here.clock.now())
    assert TrustFolder(here.home.trust).floors().lists == ()


def test_list_of_another_address_is_refused_before_it_is_taken_into_use(here: Installation) -> None:
    """Else a server could fill all the places for lists with addresses that nobody asked for."""
    other = signed(here)

    def send(connection: object, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(other) + other)  # type: ignore[attr-defined]

    with answering(send) as url, closing(here.fetcher()) as fetcher:
        answer = Refresher(here, fetcher).status_list(url)
    assert "sends the list of" in str(answer.problem)
    assert TrustFolder(here.home.trust).floors().lists == ()


def test_issuer_whose_clock_is_ahead_does_not_stop_the_gates(here: Installation) -> None:
    """A list from as far ahead as is accepted says no more of the time than that it is not long before."""
    now = here.clock.now()
    accept_status_list(here.home, here.keys, signed(here, ahead_s=CLOCK_SKEW_S_MAX - 5), now=now)
    told_at = load_trust(here.home, here.settings).told_at
    assert told_at is not None
    assert told_at <= here.clock.now()


def test_what_nobody_foresaw_ends_no_keeping_up_to_date(
    here: Installation, home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Refresher, "bundle", fail)
    with closing(here.fetcher()) as fetcher:
        keeper = Keeper(here, fetcher)
        keeper.ask()
        assert "ZeroDivisionError" in caplog.text
        settings = home / "settings.toml"
        settings.write_text(settings.read_text().replace("passback_s = 300", "passback_s = 7"))
        keeper.look()
        assert keeper.current().policy.passback_s == 7


def test_settings_that_cannot_be_read_keep_no_revocation_back(
    here: Installation, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(home)
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace("passback_s = 300", "passback_s = many"))
    here.keys.revoke(here.keys.issuer_key(now=here.clock.now()).public.kid.hex(), now=here.clock.now())
    assert not watched.look()
    assert not watched.look()
    assert [issuer.revoked for issuer in watched.current().keyring.issuers] == [True]
    assert watched.current().policy.passback_s == 300
    assert len(caplog.records) == 1
    settings.write_text(settings.read_text().replace("passback_s = many", "passback_s = 7"))
    assert watched.look()
    assert watched.current().policy.passback_s == 7


def test_settings_that_were_refused_for_their_permissions_count_once_those_are_right(home: Path) -> None:
    watched, settings = watch(home), home / "settings.toml"
    settings.write_text(settings.read_text().replace("passback_s = 300", "passback_s = 7"))
    settings.chmod(0o666)
    assert not watched.look()
    settings.chmod(0o600)
    assert watched.look()
    assert watched.current().policy.passback_s == 7


def test_list_that_was_lost_counts_again_when_the_same_is_sent(here: Installation, home: Path) -> None:
    data, now = signed(here), here.clock.now()
    accept_status_list(here.home, here.keys, data, now=now)
    (content,) = here.home.trust.glob("*.cbor")
    content.unlink()
    watched = watch(home)
    assert watched.current().statuses.issued_at(URI) is None
    accept_status_list(here.home, here.keys, data, now=now)
    assert watched.look()
    assert watched.current().statuses.issued_at(URI) is not None


def test_bundle_that_was_put_aside_is_sent_again_to_a_gate_that_runs(
    here: Installation, home: Path, tmp_path: Path
) -> None:
    assert run(["bundle", "build", "--out", str(tmp_path / "b.cose"), "--home", str(home)]) == 0
    settings = home / "settings.toml"
    with serving(tmp_path) as served:
        served.files["/bundle"] = (tmp_path / "b.cose").read_bytes()
        told = f'bundle_url = "{served.at("/bundle")}"\nca_file = "{served.ca_file}"'
        settings.write_text(settings.read_text().replace('bundle_url = ""', told).replace('\nca_file = ""', "\n", 1))
        again = Installation.open(open_home(home))
        with closing(again.fetcher()) as fetcher:
            refresher = Refresher(again, fetcher)
            assert refresher.bundle() is not None
            again.home.trust.rename(home / "aside")
            answer = refresher.bundle()
    assert answer is not None
    assert (answer.is_new, answer.problem) == (True, None)
    assert TrustFolder(again.home.trust).bundle() is not None


def test_settings_that_are_gone_for_a_moment_are_not_made_anew_with_laxer_defaults(
    here: Installation, home: Path
) -> None:
    """An editor puts a file aside before it writes the new one: a gate that runs must not step in between."""
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace("live_products = []", 'live_products = ["season"]'))
    with closing(here.fetcher()) as fetcher:
        keeper = Keeper(here, fetcher)
        settings.rename(home / "settings.toml~")
        keeper.look()
        assert not settings.exists()
        assert keeper.current().policy.live_products == ("season",)
        (home / "settings.toml~").rename(settings)
        keeper.look()
        assert keeper.current().policy.live_products == ("season",)


def test_trust_folder_that_vanishes_under_a_gate_gives_nothing_back_that_the_bundle_took(
    here: Installation, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = home / "settings.toml"
    before = settings.read_text()
    settings.write_text(before.replace("live_products = []", 'live_products = ["season"]'))
    assert run(["bundle", "build", "--out", str(tmp_path / "b.cose"), "--home", str(home)]) == 0
    settings.write_text(before)
    assert run(["bundle", "apply", str(tmp_path / "b.cose"), "--home", str(home)]) == 0
    watched = watch(home)
    here.home.trust.rename(home / "aside")
    assert not watched.look()
    assert watched.current().policy.live_products == ("season",)
    assert "is gone" in caplog.text
    (home / "aside").rename(here.home.trust)
    watched.look()
    assert watched.current().policy.live_products == ("season",)
