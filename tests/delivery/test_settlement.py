"""The carrier's monthly bill: read, priced, compared, resolved, confirmed by both sides, paid."""

import io
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import NotAllowed, NotFound, Refused
from app.kernel.files import Upload
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.settlement import BillDifference, CarrierBill, CarrierBillLine
from delivery.queries.settlement import bill_differences, bill_view
from delivery.queries.statistics import delivery_statistics
from delivery.services.settlement import (
    AddTariff,
    HandIn,
    NotePayment,
    ResolveBillDifference,
    ResolveKind,
    add_tariff,
    compare_bill,
    confirm_bill,
    countersign_bill,
    hand_in,
    note_payment,
    order_payment,
    reopen_bill,
    resolve_bill_difference,
    resolve_kind,
)
from delivery.settlement import BillLine, LineKind, Order, Rate, Zone, compare, price, read_bill, zone_of
from tests.builders import a_member, sign_in
from tests.delivery.builders import Hall, a_hall, a_handed_over_parcel, a_waybilled_parcel, parcel
from tests.delivery.rounds_builders import an_own_parcel

DAY = date(2026, 3, 9)
RATES = (
    Rate(Zone.CITY, date(2026, 1, 1), 500, 800, 500, 200, 50),
    Rate(Zone.PROVINCE, date(2026, 1, 1), 500, 1200, 500, 300, 50),
    Rate(Zone.PROVINCE, date(2026, 4, 1), 500, 1000, 500, 300, 50),
)
HEAD = ["邮件号", "收寄日期", "重量(克)", "分区", "类别", "金额(元)"]


def test_a_file_is_read_or_every_problem_is_told() -> None:
    lines, problems = read_bill([HEAD, ["1000000001460", "2026/3/9", "120", "省内", "", "12.00"]], "2026-03")
    assert (lines, problems) == ((BillLine(2, "1000000001460", LineKind.DELIVERY, DAY, 120, Zone.PROVINCE, 1200),), ())
    wrong = ["12", "2026-04-01", "-3", "海外", "其他", "1.005"]
    lines, problems = read_bill([HEAD, wrong], "2026-03")
    assert lines == ()
    assert [(each.row, each.column) for each in problems] == [
        (2, column) for column in ("waybill_no", "accepted_on", "weight_g", "zone", "kind", "fee")
    ]
    assert read_bill([["邮件号"]], "2026-03")[1][0].column == "accepted_on"
    assert read_bill([], "2026-03")[1]


@given(st.integers(0, 30_000), st.integers(0, 30_000))
def test_heavier_is_never_cheaper(one: int, other: int) -> None:
    light, heavy = sorted((one, other))
    assert price(RATES, Zone.CITY, DAY, light) <= price(RATES, Zone.CITY, DAY, heavy)  # type: ignore[operator]


def test_prices_and_zones() -> None:
    assert [price(RATES, Zone.PROVINCE, DAY, grams) for grams in (1, 500, 501, 1000, 1001)] == [
        1200,
        1200,
        1500,
        1500,
        1800,
    ]
    assert price(RATES, Zone.PROVINCE, date(2026, 4, 1), 100) == 1000
    assert price(RATES, Zone.NATION, DAY, 100) is None
    region = ("浙江省", "杭州市", "上城区")
    assert zone_of(region, "浙江省", "杭州市") is Zone.CITY
    assert zone_of(region, "浙江省", "宁波市") is Zone.PROVINCE
    assert zone_of(region, "江苏省", "南京市") is Zone.NATION


def line(
    number: str, fee: int, kind: LineKind = LineKind.DELIVERY, grams: int = 120, zone: Zone = Zone.PROVINCE
) -> BillLine:
    return BillLine(2, number, kind, DAY, grams, zone, fee)


def order(number: str, *, returned: bool = False) -> Order:
    return Order(number, DAY, 120, Zone.PROVINCE, returned)


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ([line("A", 1200)], []),
        ([], ["not_billed"]),
        ([line("A", 1200), line("A", 1200)], ["double"]),
        ([line("A", 1200), line("B", 1200)], ["unknown"]),
        ([line("A", 1500, grams=700)], ["weight"]),
        ([line("A", 2000, zone=Zone.NATION)], ["zone"]),
        ([line("A", 1300)], ["price"]),
        ([line("A", 1200), line("A", 600, LineKind.RETURN)], ["return"]),
        ([line("A", 1200), line("A", -500, LineKind.CLAIM)], ["claim"]),
    ],
)
def test_every_disagreement_is_found(lines: list[BillLine], kinds: list[str]) -> None:
    assert [each.kind for each in compare(lines, [order("A")], RATES, {})] == kinds


def test_returns_and_compensations_that_agree() -> None:
    lines = [line("A", 1200), line("A", 600, LineKind.RETURN), line("A", -500, LineKind.CLAIM)]
    assert compare(lines, [order("A", returned=True)], RATES, {"A": 500}) == ()
    assert [
        (each.kind, each.ours_fen) for each in compare(lines[:2], [order("A", returned=True)], RATES, {"A": 500})
    ] == [("claim", -500)]


# --- through the services ---


@pytest.fixture
def hall(app: Flask) -> Iterator[Hall]:
    with chosen.using(SimulatedCarrier()):
        yield a_hall()


@pytest.fixture
def operator(app: Flask) -> Actor:
    return a_member(Role.OPERATOR, name="高文")


def month() -> str:
    return f"{clock.today():%Y-%m}"


def rates(operator: Actor) -> None:
    first = clock.today().replace(day=1) - timedelta(days=40)
    for zone, fen in (("city", 800), ("province", 1200), ("nation", 2000)):
        add_tariff(operator, AddTariff(zone, first, 500, fen, 500, 300, 50, "政务寄递服务合同第八条"))


def a_bill(operator: Actor, hall: Hall, *rows: tuple[str, str]) -> UUID:
    table = [HEAD, *([number, f"{clock.today()}", "130", "省内", "寄递", fee] for number, fee in rows)]
    content = "\n".join(",".join(row) for row in table).encode("gb18030")
    return hand_in(operator, HandIn(hall.id, month(), Upload("对账单.csv", content)))


def test_a_month_from_the_file_to_the_payment(hall: Hall, operator: Actor) -> None:
    ours = [parcel(a_handed_over_parcel(hall)).waybill_no or "" for _ in range(2)]
    a_waybilled_parcel(hall)  # not handed over: not to be billed
    an_own_parcel(hall)  # brought by our own courier: nor is this one
    rates(operator)
    bill_id = a_bill(operator, hall, (ours[0], "12.00"), ("1199999999906", "12.00"))
    with pytest.raises(Refused, match="stands for this month"):
        a_bill(operator, hall, (ours[0], "12.00"))
    compare_bill(operator, bill_id, Plain())
    found = {each.waybill_no: each for each in bill_differences(bill_id)}
    assert {number: (each.billed_fen, each.ours_fen) for number, each in found.items()} == {
        ours[1]: (0, 1200), "1199999999906": (1200, 0),
    }  # fmt: skip
    with pytest.raises(Refused, match="not settled"):
        confirm_bill(operator, bill_id, Plain())
    with pytest.raises(NotAllowed):
        resolve_bill_difference(hall.supervisor, bill_id, ResolveBillDifference(found[ours[1]].id, "ours", "x"))
    resolve_bill_difference(operator, bill_id, ResolveBillDifference(found[ours[1]].id, "ours", "漏计，补入"))
    with pytest.raises(Refused, match="amount"):
        resolve_bill_difference(operator, bill_id, ResolveBillDifference(found["1199999999906"].id, "other", "折中"))
    resolve_bill_difference(operator, bill_id, ResolveBillDifference(found["1199999999906"].id, "other", "折中", 500))
    confirm_bill(operator, bill_id, Plain())
    assert bill_view(operator, bill_id).agreed_fen == 1200 + 1200 + 500
    with pytest.raises(Refused, match="second person"):
        countersign_bill(operator, bill_id, Plain())
    with pytest.raises(NotFound):
        countersign_bill(a_hall().supervisor, bill_id, Plain())
    countersign_bill(hall.supervisor, bill_id, Plain())
    order_payment(operator, bill_id, Plain())
    with pytest.raises(Refused, match="future"):
        note_payment(operator, bill_id, NotePayment(clock.today() + timedelta(days=1), "GK-1"))
    note_payment(operator, bill_id, NotePayment(clock.today(), "GK-1"))
    assert (bill_view(operator, bill_id).state, bill_view(operator, bill_id).voucher_no) == ("paid", "GK-1")


def test_all_of_one_kind_are_settled_at_once_and_listed_by_page(app: Flask, hall: Hall, operator: Actor) -> None:
    rates(operator)
    number = parcel(a_handed_over_parcel(hall)).waybill_no or ""
    unknown = [f"1199999{n:06d}" for n in range(30)]
    bill_id = a_bill(operator, hall, (number, "15.00"), *((each, "12.00") for each in unknown))
    compare_bill(operator, bill_id, Plain())
    client = app.test_client()
    sign_in(client, operator)
    first = client.get(f"/api/carrier-bills/{bill_id}/differences?kind=unknown").get_json()
    rest = client.get(f"/api/carrier-bills/{bill_id}/differences?kind=unknown&page=2").get_json()
    assert [each["waybill_no"] for each in first["items"] + rest["items"]] == unknown
    assert len(rest["items"]) > 0
    page = client.get(f"/carrier-bills/{bill_id}?page=2").text
    assert unknown[-1] in page
    assert unknown[0] not in page
    with pytest.raises(NotAllowed):
        resolve_kind(hall.supervisor, bill_id, ResolveKind("unknown", "ours", "非本厅邮件"))
    assert {each.resolved_name for each in bill_differences(bill_id)} == {None}
    resolve_kind(operator, bill_id, ResolveKind("unknown", "ours", "非本厅邮件"))
    settled = {each.waybill_no: each.agreed_fen for each in bill_differences(bill_id)}
    assert settled == {number: None, **dict.fromkeys(unknown, 0)}
    with pytest.raises(Refused, match="No difference of this kind"):
        resolve_kind(operator, bill_id, ResolveKind("unknown", "theirs", "再次"))
    with pytest.raises(Refused, match="not settled"):
        confirm_bill(operator, bill_id, Plain())
    resolve_kind(operator, bill_id, ResolveKind("price", "theirs", "合同已调价"))
    confirm_bill(operator, bill_id, Plain())
    assert bill_view(operator, bill_id).agreed_fen == 1500


def test_a_side_may_take_its_word_back(hall: Hall, operator: Actor) -> None:
    rates(operator)
    number = parcel(a_handed_over_parcel(hall)).waybill_no or ""
    bill_id = a_bill(operator, hall, (number, "12.00"))
    compare_bill(operator, bill_id, Plain())
    assert bill_differences(bill_id) == ()
    confirm_bill(operator, bill_id, Plain())
    reopen_bill(hall.supervisor, bill_id, WithReason("重量有异议"))
    view = bill_view(hall.supervisor, bill_id)
    assert (view.state, view.agreed_fen, view.confirmed_name) == ("compared", None, None)


def test_a_file_with_problems_changes_nothing(hall: Hall, operator: Actor) -> None:
    rates(operator)
    bill_id = a_bill(operator, hall, ("12", "x"))
    assert len(bill_view(operator, bill_id).problems) == 2
    assert db.session.scalars(sa.select(CarrierBillLine)).all() == []
    with pytest.raises(Refused):
        compare_bill(operator, bill_id, Plain())
    assert db.session.scalars(sa.select(BillDifference)).all() == []
    with pytest.raises(NotAllowed):
        a_bill(hall.supervisor, hall, ("1000000001460", "12.00"))


def test_bills_and_statistics_over_the_web(app: Flask, hall: Hall, operator: Actor) -> None:
    def client_of(actor: Actor) -> FlaskClient:
        made = app.test_client()
        sign_in(made, actor)
        return made

    a_handed_over_parcel(hall)
    client = client_of(operator)
    form = {"hall_organisation_id": str(hall.id), "month": month(), "file": (io.BytesIO(b"x,y\n1,2"), "a.csv")}
    made = client.post("/carrier-bills", data=form, content_type="multipart/form-data")
    assert made.status_code == 303
    assert db.session.scalars(sa.select(CarrierBill.line_count)).one() == 0
    for address in (made.location, "/carrier-bills", "/delivery/statistics", "/delivery/statistics.csv"):
        assert client.get(address).status_code == 200, address
    assert client_of(a_hall().supervisor).get(made.location).status_code == 404
    assert client.get("/delivery/statistics?first=2026-01-01&last=2024-01-01").status_code == 422
    found = delivery_statistics(operator, clock.today(), clock.today())
    assert (found.total.handed_over, found.halls[0].name, found.days) == (
        1,
        "杭州市市民中心政务服务大厅",
        ((clock.today(), 1),),
    )
