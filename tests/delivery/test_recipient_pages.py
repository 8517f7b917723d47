"""The receiver's pages over HTTP: everybody's pages answer, a link opens one parcel, a pasted line fills the form."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from app.kernel.access import SYSTEM, Actor, Role
from delivery import links, services
from delivery.services import complaints
from tests.builders import a_member, sign_in
from tests.delivery.builders import Hall, a_hall, an_ordered_parcel, parcel

Clock = Callable[[datetime], None]


@pytest.fixture
def hall(app: Flask, clock_at: Clock) -> Hall:
    clock_at(datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    return a_hall()


def test_the_pages_of_receivers_and_of_the_hall_answer(app: Flask, hall: Hall) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(SYSTEM, parcel_id)
    about = complaints.Complain(complaints.ComplaintKind.LATE, "超过承诺时间")
    complaint_id = complaints.complain(hall.applicant, parcel_id, about)
    common = (
        "/delivery-complaints",
        f"/delivery-complaints/{complaint_id}",
        "/delivery-complaints.csv",
        "/papers",
        "/delivery/privacy",
    )
    pages: tuple[tuple[Actor, tuple[str, ...]], ...] = (
        (hall.applicant, (f"/parcels/{parcel_id}", f"/parcels/{parcel_id}/address", "/parcels/my-data.json", *common)),
        (hall.supervisor, (f"/parcels/{parcel_id}", "/delivery/schedule", "/delivery/workload", "/delivery/workload.csv", *common)),
        (hall.packer, ("/delivery/schedule",)),
        (a_member(Role.OPERATOR), ("/delivery/workload", *common)),
    )  # fmt: skip
    wrong = {}
    for actor, addresses in pages:
        client = app.test_client()
        sign_in(client, actor)
        wrong |= {address: status for address in addresses if (status := client.get(address).status_code) != 200}
    assert wrong == {}


def test_a_link_opens_the_parcel_masked_and_a_forged_one_nothing(app: Flask, hall: Hall) -> None:
    parcel_id = an_ordered_parcel(hall)
    client, token = app.test_client(), links.link_of(parcel_id, 0)
    page = client.get(f"/t/{token}").get_data(as_text=True)
    assert "李**" in page
    assert all(secret not in page for secret in ("李晓燕", "13912345678", "中山西路2号", parcel(parcel_id).pickup_code))
    assert [client.get(f"/t/{token}/{wish}").status_code for wish in ("day", "complaint", "address")] == [200, 200, 200]
    assert [client.get(f"/t/{forged}").status_code for forged in ("x", f"{token}x")] == [404, 404]
