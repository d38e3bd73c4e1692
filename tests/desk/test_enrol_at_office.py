"""A desk whose passes an office signs: what goes out, what comes back, and what the desk refuses."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.office.rider_world import RiderWorld, rider_world
from tests.passes.pass_workshop import FACE, STRANGER

from openstile.assembly.home import Home, open_home
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.desk.office import OfficeRefusedError, SigningOffice, issue_at_office
from openstile.issuer import PassState
from openstile.passes import open_pass
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.envelope import read_token
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass, sign_token
from openstile.passes.keyfile import Role
from openstile.passes.keys import GateGroupPublicKey, generate_gate_group_key
from openstile.passes.received import TokenOrder
from openstile.passes.reference import ReferenceClaim
from openstile.passes.steps import read_claims
from openstile.terms import BadInputError, PassId

Lie = Callable[[RiderWorld, dict[str, Any]], Any]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RiderWorld]:
    """An office."""
    with rider_world(tmp_path, "") as world:
        yield world


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Wire:
    """From the desk to the office in this process; keeps what went out, and may change what comes back."""

    def __init__(self, world: RiderWorld, lie: Lie | None = None) -> None:
        self.world, self.lie = world, lie
        self.sent = b""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.sent += repr((method, url, dict(headers))).encode() + body
        path = url.removeprefix("https://office.example")
        answer = self.world.world.ask(method, path, headers=dict(headers), content=body)
        data = answer.content
        if self.lie is not None and answer.status_code == 201:
            told = self.lie(self.world, answer.json())
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
        return answer.status_code, dict(answer.headers), data


def _group_keys(world: RiderWorld) -> list[GateGroupPublicKey]:
    found = [key.public for key in world.installation.keys.public_keys(Role.GATE_GROUP)]
    return [key for key in found if isinstance(key, GateGroupPublicKey)]


def _order(world: RiderWorld, commitment: bytes, **changed: Any) -> TokenOrder:
    order = TokenOrder(
        issuer=world.installation.settings.issuer.id,
        audience=world.installation.settings.audience(),
        entitlement=Entitlement("single", "child", ("1", "2")),
        assurance=Assurance.SUPERVISED,
        reference=ReferenceClaim(FACE.kind, FACE.pack_id, commitment),
        valid_for=timedelta(days=30),
    )
    return replace(order, **changed)


def _issue(world: RiderWorld, wire: Wire, account: str, **changed: Any) -> IssuedPass:
    return issue_at_office(
        office=SigningOffice("https://office.example", account, world.world.token_of(world.agent)),
        transport=wire,
        order=lambda commitment: _order(world, commitment, **changed),
        reference=FACE,
        issuers=world.installation.keys.gate_keyring().issuers,
        group_keys=_group_keys(world),
        now=world.world.clock.now,
    )


@pytest.mark.parametrize("live", [False, True])
def test_pass_of_desk_and_office_opens_at_a_gate_and_the_office_never_had_the_template(
    world: RiderWorld, live: bool
) -> None:
    wire, account = Wire(world), world.account()
    holder = HolderPublicKey(_group_keys(world)[0].point) if live else None  # any point of the curve
    issued = _issue(world, wire, account, holder=holder)
    opened = open_pass(
        presented=issued.text, keyring=world.installation.keys.gate_keyring(),
        audience=world.installation.settings.audience(), now=world.world.clock.now(), clock_skew_s=0,
    )  # fmt: skip
    assert opened.reference == FACE
    assert (opened.claims.pass_id, opened.claims.holder) == (issued.pass_id, holder)
    shown = world.ask("GET", f"/v1/accounts/{account}/passes").json()["items"]
    assert [one["pass_id"] for one in shown] == [str(issued.pass_id)]
    for secret in (FACE.data, issued.wallet.salt):
        for form in (secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="), _b64(secret).encode()):
            assert form not in wire.sent
    assert opened.claims.reference.commitment.hex().encode() in wire.sent


def _other_token(change: Callable[[Any], Any], *, stranger: bool = False) -> Lie:
    """A token that the office's own issuer, or a stranger, signed over changed claims."""

    def lie(world: RiderWorld, told: dict[str, Any]) -> dict[str, Any]:
        now = world.world.clock.now()
        claims = change(read_claims(read_token(_unb64(told["token"])).message.payload))
        key = STRANGER if stranger else world.installation.keys.issuer_key(now=now)
        told["token"] = _b64(sign_token(issuer_key=key, claims=claims))
        return told

    return lie


def _other_group(world: RiderWorld, told: dict[str, Any]) -> dict[str, Any]:
    key = generate_gate_group_key(
        audience=world.installation.settings.audience(), not_after=world.world.clock.now() + timedelta(days=900)
    )
    told["gate_group"]["point"] = _b64(key.public.point)
    return told


def _damaged(_world: RiderWorld, told: dict[str, Any]) -> dict[str, Any]:
    token = bytearray(_unb64(told["token"]))
    token[-1] ^= 1
    return {**told, "token": _b64(bytes(token))}


LIES: dict[str, tuple[Lie, str]] = {
    "seals to a key of its own": (_other_group, "was not imported here"),
    "another commitment": (
        _other_token(lambda c: replace(c, reference=ReferenceClaim(FACE.kind, FACE.pack_id, bytes(32)))),
        "another reference",
    ),
    "another product": (_other_token(lambda c: replace(c, entitlement=Entitlement("gold"))), "another product"),
    "self-enrolled": (_other_token(lambda c: replace(c, assurance=Assurance.SELF_ENROLLED)), "another assurance"),
    "longer": (_other_token(lambda c: replace(c, expires=c.expires + timedelta(days=1))), "another time"),
    "later": (
        _other_token(
            lambda c: replace(
                c, not_before=c.not_before + timedelta(hours=1), expires=c.expires + timedelta(hours=1)
            )
        ),
        "another time than now",
    ),
    "a stranger signed": (
        _other_token(lambda c: replace(c, issuer=STRANGER.public.name), stranger=True), "not known here",
    ),
    "another pass": (_other_token(lambda c: replace(c, pass_id=PassId(bytes(16)))), "names another pass"),
    "damaged": (_damaged, "token"),
    "no token": (lambda _w, told: {**told, "token": 7}, "not one of an office"),
    "not Base64": (lambda _w, told: {**told, "token": "!"}, "not one of an office"),
    "too long": (lambda _w, told: {**told, "token": "A" * 100_000}, "not one of an office"),
    "nothing": (lambda _w, _told: b"", "not one of an office"),
    "deep": (lambda _w, _told: b"[" * 100_000, "not one of an office"),
    "a list": (lambda _w, _told: [], "not one of an office"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_office_that_lies_gets_no_reference_sealed(world: RiderWorld, name: str) -> None:
    lie, says = LIES[name]
    with pytest.raises(OfficeRefusedError, match=says) as refused:
        _issue(world, Wire(world, lie), world.account())
    assert "\n" not in str(refused.value)


def test_token_of_an_earlier_pass_is_not_taken_for_this_one(world: RiderWorld) -> None:
    kept: list[dict[str, Any]] = []

    def keep(_world: RiderWorld, told: dict[str, Any]) -> dict[str, Any]:
        kept.append(told)
        return kept[0]

    _issue(world, Wire(world, keep), world.account())
    with pytest.raises(OfficeRefusedError, match="another reference"):
        _issue(world, Wire(world, keep), world.account())


@pytest.mark.parametrize(("account", "session"), [("x", "s" * 43), ("0" * 31, "s" * 43), ("0" * 32, "a b\r\nX: y" * 3)])
def test_account_or_session_that_is_none_is_refused_before_anything_is_asked(account: str, session: str) -> None:
    with pytest.raises(BadInputError):
        SigningOffice("https://office.example", account, session)


class _Listening:
    """The app, with a record of every byte that was sent to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.heard = app, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hear() -> Message:
            message = await receive()
            self.heard += message.get("body", b"")
            return message

        if scope["type"] == "http":
            self.heard += repr(scope["headers"]).encode() + scope["path"].encode()
        await self.app(scope, hear, send)


@contextmanager
def _serving(world: RiderWorld) -> Iterator[tuple[str, _Listening]]:
    """The office on a real server on this machine."""
    app, started = _Listening(world.world.app), threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(30)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", app
    finally:
        server.should_exit = True
        thread.join()


def _desk_home(world: RiderWorld, folder: Path, *, without: Role | None = None) -> Home:
    """A desk: the public keys of issuer and gate group, and no private one."""
    home = open_home(folder)
    desk, office = Installation.open(home, clock=world.world.clock), world.installation
    for role in (Role.ISSUER, Role.GATE_GROUP):
        if role is not without:
            for key in office.keys.public_keys(role):
                data = office.keys.export_public(key.public.kid.hex())
                desk.keys.import_public(data, what="key", now=world.world.clock.now())
    return home


def _session_file(world: RiderWorld, folder: Path) -> Path:
    file = folder / "session"
    file.write_text(world.world.token_of(world.agent) + "\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def today(tmp_path: Path) -> Iterator[RiderWorld]:
    """An office with today's date, as the command line has it."""
    with rider_world(tmp_path, "", start=datetime.now(UTC)) as world:
        yield world


def _enrol(
    world: RiderWorld, url: str, home: Home, folder: Path, *more: str, account: str | None = None
) -> tuple[int, Path]:
    out = folder / "out"
    arguments = [
        "enrol", "--product", "single", "--days", "30", "--pin", "4711", "--out", str(out), "--office", url,
        "--account", account or world.account(), "--session-file", str(_session_file(world, folder)),
        "--home", str(home.folder), *more,
    ]  # fmt: skip
    return run(arguments), out


def test_command_enrols_at_a_real_office_and_writes_the_card(
    today: RiderWorld, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = _desk_home(today, tmp_path / "desk")
    with _serving(today) as (url, app):
        code, out = _enrol(today, url, home, tmp_path, "--json", "--supervised")
    printed = capfd.readouterr()
    assert code == 0, printed.err
    assert sorted(path.name for path in out.iterdir()) == ["pass.pdf", "pass.png", "pass.svg", "pass.txt"]
    text = (out / "pass.txt").read_text().strip()
    opened = open_pass(
        presented=text, keyring=today.installation.keys.gate_keyring(),
        audience=today.installation.settings.audience(), now=today.world.clock.now() + timedelta(seconds=30),
        clock_skew_s=60,
    )  # fmt: skip
    assert str(opened.pass_id) in printed.out
    for form in (opened.reference.data, opened.reference.data.hex().encode(), _b64(opened.reference.data).encode()):
        assert form not in app.heard
    assert b"4711" not in app.heard
    assert opened.claims.reference.commitment.hex().encode() in app.heard
    assert not home.register.exists()
    keys = Installation.open(home).keys
    assert keys.gate_keyring().gate_group_keys == ()


@pytest.mark.parametrize(
    ("role", "says"), [(Role.GATE_GROUP, "gate group example-operator/main: no key of it is here"),
                       (Role.ISSUER, "issuer example-issuer: no key of it is here")],
)  # fmt: skip
def test_desk_that_does_not_know_the_keys_asks_for_nothing(
    today: RiderWorld, tmp_path: Path, capfd: pytest.CaptureFixture[str], role: Role, says: str
) -> None:
    home = _desk_home(today, tmp_path / "desk", without=role)
    with _serving(today) as (url, app):
        code, out = _enrol(today, url, home, tmp_path)
    error = capfd.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert says in error
    assert "openstile keys import" in error
    assert app.heard == b""
    assert not out.exists()


def test_what_the_office_refuses_is_said_in_one_line_and_nothing_is_written(
    today: RiderWorld, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = _desk_home(today, tmp_path / "desk")
    with _serving(today) as (url, _app):
        for change, says in (
            ({"account": "0" * 32}, "there is no such account"),
            ({"more": ("--category", "No Name")}, "rider category"),
            ({"url": url + "/elsewhere"}, "there is no such account, or the address is no office's"),
            ({"url": "http://127.0.0.1:9"}, "no pass was made"),
            ({"url": "http://192.0.2.1"}, "write https://host/path"),
            ({"url": "ftp://office.example"}, "write https://host/path"),
        ):
            more: Any = {"url": url, "more": (), "account": None} | change
            code, out = _enrol(today, more["url"], home, tmp_path, *more["more"], account=more["account"])
            error = capfd.readouterr().err
            assert code in (1, 2), error
            assert error.count("\n") == 1, error
            assert says in error
            assert not out.exists()
        for key in today.installation.home.keys.glob("*.*"):
            key.unlink()
        code, out = _enrol(today, url, home, tmp_path)
        assert "a key, or room in the status list, is missing" in capfd.readouterr().err
        assert (code, out.exists()) == (1, False)
        today.world.ask("DELETE", "/v1/session", as_=today.agent)
        code, out = _enrol(today, url, home, tmp_path)
        assert "the session is over" in capfd.readouterr().err
        assert (code, out.exists()) == (1, False)


def test_pass_in_the_way_is_found_before_the_office_signs(
    today: RiderWorld, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home, account = _desk_home(today, tmp_path / "desk"), today.account()
    with _serving(today) as (url, _app):
        assert _enrol(today, url, home, tmp_path, account=account)[0] == 0
        assert _enrol(today, url, home, tmp_path, account=account)[0] == 2
    assert "holds a pass already" in capfd.readouterr().err
    assert len(today.ask("GET", f"/v1/accounts/{account}/passes").json()["items"]) == 1
    with today.register() as register:
        assert [one.state for one in register.passes()] == [PassState.VALID]


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_session_that_others_can_read_is_refused(
    today: RiderWorld, tmp_path: Path, capfd: pytest.CaptureFixture[str], mode: int
) -> None:
    home, file = _desk_home(today, tmp_path / "desk"), _session_file(today, tmp_path)
    file.chmod(mode)
    code = run([
        "enrol", "--product", "single", "--days", "3", "--pin", "4711", "--out", str(tmp_path / "out"),
        "--office", "https://office.example", "--account", "0" * 32, "--session-file", str(file),
        "--home", str(home.folder),
    ])  # fmt: skip
    error = capfd.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert today.world.token_of(today.agent) not in error


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--office", "https://office.example"], "also give --account and --session-file"),
        (["--account", "0" * 32], "are for --office"),
    ],
)
def test_options_that_need_each_other_say_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    arguments = ["enrol", "--product", "x", "--days", "3", "--pin", "4711", "--out", str(tmp_path / "out")]
    assert run([*arguments, "--home", str(tmp_path / "home"), *options]) == 2
    assert says in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
