"""Journeys and statements over the API, a copy of everything held, and erasure."""

import base64
import json
import secrets
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select
from tests.office.office_world import problem_name
from tests.office.rider_world import DeskSide, RiderWorld

from openstile.issuer import PassState
from openstile.journal.taps import microseconds_of
from openstile.ledger.store.tables import LEDGER
from openstile.office.payments import EventKind
from openstile.office.staff.roles import RiderAccount
from openstile.office.store.due import make_due
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.metadata import METADATA
from openstile.office.store.payments import PAYMENT
from openstile.office.store.people import CREDENTIAL
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms import PassId
from openstile.terms.held import Holds, Until


def _full_life(riders: RiderWorld) -> tuple[RiderAccount, PassId]:
    """A rider with a row in every table that can have one: paid, disputed, rode, is under way, is reviewed."""
    riders.open_gates()
    rider = riders.rider(category="child", contact="a@b.example")
    account = rider.account_id
    pass_id = riders.pass_of(account)
    payment = riders.top_up(account)
    path = f"/v1/accounts/{account}"
    refund = riders.pay(f"{path}/payments/{payment}/refunds", {"minor": 100, "currency": "EUR"}).json()
    riders.tell_refund(payment, EventKind.REFUNDED, 100, refund_id=refund["refund_id"])
    riders.tell_refund(payment, EventKind.DISPUTED, 300, item_ref="dp-1")
    riders.pay(f"{path}/periods", {"product": "ten", "from_day": "2026-06-01"})
    riders.world.token_of(rider)
    assert riders.ask("POST", f"{path}/invitation").status_code == 201
    with riders.world.office.database.write() as connection:
        connection.execute(
            CREDENTIAL.insert().values(
                credential_id=secrets.token_hex(16), webauthn_id=secrets.token_bytes(32),
                public_key=secrets.token_bytes(77), sign_count=1, staff_id=None, account_id=account,
            )
        )  # fmt: skip
    riders.ride(pass_id)
    riders.ask("PUT", path, json={"category": None, "contact": "new@b.example"})
    riders.city.price()
    riders.ride(pass_id, price=False)  # fresh taps, and pricing is due
    riders.world.clock.turn(minutes=1)
    _held_for_review(riders, pass_id)
    return rider, pass_id


def _held_for_review(riders: RiderWorld, pass_id: PassId) -> None:
    gate = riders.city.gates["hill-in"]
    riders.city.tap(gate, pass_id)
    riders.world.clock.turn(seconds=1)
    riders.city.sync()
    with riders.world.office.database.write() as connection:
        newest = select(TAP.c.tap_id).where(TAP.c.pass_id == pass_id.value).order_by(TAP.c.at_us.desc()).limit(1)
        tap_id = connection.execute(newest).scalar_one()
        connection.execute(TAP.update().where(TAP.c.tap_id == tap_id).values(review="waiting", review_reason="clock"))


def _tables(of_kind: str) -> Iterable[Table]:
    return (table for table in METADATA.sorted_tables if of_kind in table.c)


def _rows(connection: Connection, table: Table, account: str, pass_ids: set[bytes]) -> list[dict[str, Any]]:
    """The rows of a table that are about the account, found in the test's own way."""
    if "account_id" in table.c:
        mine = table.c.account_id == account
    elif "payment_id" in table.c:
        mine = table.c.payment_id.in_(select(PAYMENT.c.payment_id).where(PAYMENT.c.account_id == account))
    elif "pass_id" in table.c:
        mine = table.c.pass_id.in_(pass_ids)
    else:
        return []
    return [dict(row) for row in connection.execute(select(table).where(mine)).mappings()]


def test_export_holds_every_row_about_the_rider_and_no_secret(riders: RiderWorld) -> None:
    rider, pass_id = _full_life(riders)
    answer = riders.ask("GET", f"/v1/accounts/{rider.account_id}/export", as_=rider)
    held = answer.json()
    about = {*_tables("account_id"), *_tables("payment_id"), TAP}
    with riders.database_read() as connection:
        for table in about:
            rows = _rows(connection, table, rider.account_id, {pass_id.value})
            assert rows, f"{table.name}: the test's rider has nothing there"
            assert len(held[table.name]) == len(rows), table.name
            secret = {column.name for column in table.c if column.info["held"].holds is Holds.SECRET}
            for row in held[table.name]:
                assert set(row) >= {column.name for column in table.c} - secret, table.name
                assert not set(row) & secret, table.name
    assert held["account"][0]["contact"] == "new@b.example"
    assert {one["kind"] for one in held["ledger"]} >= {"top_up", "refund", "dispute", "sale"}
    assert {one["action"] for one in held["audit"]} >= {"account.open", "pass.issue", "payment.refund"}
    assert all(line["text"] for journey in held["journey"] for line in journey["explanation"])
    german = riders.ask("GET", f"/v1/accounts/{rider.account_id}/export?language=de", as_=rider).json()
    assert german["journey"] != held["journey"]
    assert riders.operator.name not in answer.text


def test_export_says_nothing_of_anybody_else(riders: RiderWorld) -> None:
    _full_life(riders)
    other = riders.rider()
    held = riders.ask("GET", f"/v1/accounts/{other.account_id}/export", as_=other).json()
    filled = {name for name, rows in held.items() if isinstance(rows, list) and rows}
    assert filled == {"account", "session", "audit"}


def _values(connection: Connection, account: str, pass_ids: set[bytes], until: set[Until]) -> list[str]:
    """Columns with one of these declarations that hold something about the account; ids of the account aside."""
    found = []
    for table in METADATA.sorted_tables:
        for row in _rows(connection, table, account, pass_ids):
            found += [
                f"{table.name}.{column.name}"
                for column in table.c
                if column.info["held"].until in until and row[column.name] is not None
            ]
    return found


def test_erasure_leaves_nothing_that_is_declared_to_go_and_the_books_in_balance(riders: RiderWorld) -> None:
    rider, pass_id = _full_life(riders)
    account, gone = rider.account_id, {Until.ACCOUNT_ERASED, Until.TRIPS_FADE, Until.PASS_FORGOTTEN}
    with riders.database_read() as connection:
        before = {one.partition(".")[0] for one in _values(connection, account, {pass_id.value}, gone)}
    assert before >= {"account", "pass", "period", "credential", "journey", "tap", "tap_fresh", "pricing_due"}
    erased = riders.pay(f"/v1/accounts/{account}/erasure", None, as_=rider)
    assert erased.status_code == 200
    assert erased.json()["passes_revoked"] == 1
    with riders.database_read() as connection:
        assert _values(connection, account, {pass_id.value}, gone) == []
        for table in (*METADATA.sorted_tables, *LEDGER.sorted_tables):
            for row in connection.execute(select(table)).mappings():
                text = json.dumps([str(value) for value in row.values()])
                assert "b.example" not in text, table.name
                assert pass_id.value.hex() not in text, table.name
                assert str(pass_id.value) not in text, table.name
    assert riders.balance(account) == 0
    riders.check_books()
    assert riders.ask("GET", f"/v1/accounts/{account}", as_=rider).status_code == 401
    assert problem_name(riders.ask("GET", f"/v1/accounts/{account}")) == "unknown-account"
    assert account not in riders.ask("GET", "/v1/accounts").json()["items"]
    with riders.register() as register:
        known = register.get(pass_id)
    assert known is not None
    assert known.state is PassState.REVOKED


def test_erasure_charges_what_was_ridden_and_not_what_is_open(riders: RiderWorld) -> None:
    riders.open_gates()
    account = riders.account()
    pass_id = riders.pass_of(account)
    riders.top_up(account, 1000)
    riders.ride(pass_id, price=False)
    riders.city.tap(riders.city.gates["hill-in"], pass_id)
    riders.city.sync()
    erased = riders.pay(f"/v1/accounts/{account}/erasure", None).json()
    assert erased["settled"] == {"minor": 720, "currency": "EUR"}
    riders.check_books()


def test_late_taps_of_an_erased_pass_go_to_review_and_are_nobodys(riders: RiderWorld) -> None:
    riders.open_gates()
    account = riders.account()
    pass_id = riders.pass_of(account)
    riders.city.tap(riders.city.gates["hill-in"], pass_id)
    riders.pay(f"/v1/accounts/{account}/erasure", None)
    riders.world.clock.turn(minutes=5)
    riders.city.sync()
    assert riders.city.price() == 0
    waiting = riders.ask("GET", "/v1/reviews").json()["items"]
    assert [one["reason"] for one in waiting] == ["unknown_pass"]
    assert account not in json.dumps(waiting)
    assert riders.balance(account) == 0


def test_tap_that_was_being_stored_while_the_account_was_erased_is_priced_for_nobody(riders: RiderWorld) -> None:
    riders.open_gates()
    account = riders.account()
    pass_id = riders.pass_of(account)
    riders.ride(pass_id, price=False)
    with riders.database_read() as connection:
        taps = list(connection.execute(select(TAP)).mappings())
    riders.pay(f"/v1/accounts/{account}/erasure", None)
    with riders.world.office.database.write() as connection:
        connection.execute(TAP.insert(), [dict(tap) for tap in taps])
        connection.execute(TAP_FRESH.insert(), [{"account_id": account, "tap_id": tap["tap_id"]} for tap in taps])
        make_due(connection, [account], at_us=microseconds_of(riders.world.clock.now()))
    assert riders.city.price() == 1
    with riders.database_read() as connection:
        for table in (TAP_FRESH, PRICING_DUE):
            assert connection.execute(select(table).where(table.c.account_id == account)).all() == []
        states = connection.execute(select(JOURNEY.c.state).where(JOURNEY.c.account_id == account)).scalars().all()
    assert set(states) <= {"faded"}
    assert riders.balance(account) == 0


def test_account_without_a_place_in_a_status_list_is_erased_and_says_so(riders: RiderWorld) -> None:
    account = riders.account()
    riders.pass_of(account)
    (riders.installation.home.register).unlink()
    erased = riders.pay(f"/v1/accounts/{account}/erasure", None).json()
    assert (erased["passes_revoked"], erased["passes_left"]) == (0, 1)


def test_journeys_page_by_page_with_explanations_in_both_languages(riders: RiderWorld) -> None:
    riders.open_gates()
    rider = riders.rider()
    pass_id = riders.pass_of(rider.account_id)
    for _ in range(3):
        riders.ride(pass_id)
        riders.world.clock.turn(hours=13)
    path = f"/v1/accounts/{rider.account_id}/journeys"
    whole = riders.ask("GET", path, as_=rider).json()
    assert (len(whole["items"]), whole["next"]) == (3, None)
    assert [one["day"] for one in whole["items"]] == sorted((one["day"] for one in whole["items"]), reverse=True)
    paged, after = [], ""
    while True:
        page = riders.ask("GET", f"{path}?limit=1{after}", as_=rider).json()
        paged += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert paged == whole["items"]
    assert paged[0]["amount"] == {"minor": 280, "currency": "EUR"}
    assert (paged[0]["from_stop"], paged[0]["to_stop"]) == ("hill", "bridge")
    texts = {
        language: riders.ask("GET", f"{path}?language={language}", as_=rider).json()["items"][0]["lines"][0]["text"]
        for language in ("en", "de")
    }
    assert texts == {"en": "Single (Hill – Bridge): 2.80", "de": "Single (Hill – Bridge): 2,80"}
    assert riders.ask("GET", f"{path}?language=fr", as_=rider).status_code == 422


def test_journey_that_faded_is_told_by_day_product_and_amount(riders: RiderWorld) -> None:
    riders.open_gates()
    rider = riders.rider()
    riders.ride(riders.pass_of(rider.account_id))
    riders.world.clock.turn(hours=72)
    riders.jobs["retention"].run()
    rider_again = riders.world.sign_in_again(rider)
    assert rider_again
    journey = riders.ask("GET", f"/v1/accounts/{rider.account_id}/journeys", as_=rider).json()["items"][0]
    assert {name: value for name, value in journey.items() if name != "journey_id"} == {
        "day": "2026-06-01", "state": "faded", "products": ["single"], "amount": {"minor": 280, "currency": "EUR"},
        "started": None, "ended": None, "from_stop": None, "to_stop": None, "lines": [],
    }  # fmt: skip


def test_statement_page_by_page_and_cursors_of_others_are_refused(riders: RiderWorld) -> None:
    riders.open_gates()
    rider = riders.rider()
    riders.top_up(rider.account_id, 1000)
    pass_id = riders.pass_of(rider.account_id)
    riders.ride(pass_id)
    riders.ride(pass_id)
    path = f"/v1/accounts/{rider.account_id}/statement"
    found, after = [], ""
    while True:
        page = riders.ask("GET", f"{path}?limit=1{after}", as_=rider).json()
        found += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(one["amount"]["minor"] for one in found) == [-280, -280, 1000]
    assert {one["kind"] for one in found} == {"top_up", "fare"}

    def cursor(*values: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    for bad in (cursor("x"), cursor(1), cursor("2026-06-01", "x"), cursor(f"2026-99-99.{'0' * 32}.1"), "AAAA"):
        answer = riders.ask("GET", f"{path}?after={bad}", as_=rider)
        assert (answer.status_code, problem_name(answer)) == (400, "bad-cursor"), bad
    for bad in (cursor("2026-99-99", "0" * 32), cursor("today", ""), cursor("2026-06-01"), "AAAA"):
        answer = riders.ask("GET", f"/v1/accounts/{rider.account_id}/journeys?after={bad}", as_=rider)
        assert (answer.status_code, problem_name(answer)) == (400, "bad-cursor"), bad


def test_journey_whose_fare_nobody_knows_is_shown_to_staff(riders: RiderWorld) -> None:
    riders.open_gates()
    account = riders.account()
    riders.ride(riders.pass_of(account), to="mill")
    page = riders.ask("GET", "/v1/unknown-fares", as_=riders.agent).json()
    assert [(one["account_id"], one["journey"]["state"]) for one in page["items"]] == [(account, "unknown")]
    assert riders.balance(account) == 0
    assert problem_name(riders.ask("GET", "/v1/unknown-fares?after=AAAA")) == "bad-cursor"


@pytest.mark.parametrize("kind", ["in one account", "in another"])
def test_replaced_pass_goes_on_being_one_riders(riders: RiderWorld, kind: str) -> None:
    riders.open_gates()
    account = riders.account()
    first = riders.pass_of(account)
    riders.ride(first)
    if kind == "in one account":
        path = f"/v1/accounts/{account}/passes/{first}/replacement"
        second = PassId(bytes.fromhex(riders.ask("POST", path, json=DeskSide().order()).json()["pass_id"]))
    else:
        second = riders.pass_of(riders.account())
    for _ in range(3):
        riders.ride(second)
    assert riders.balance(account) == (-700 if kind == "in one account" else -280)
