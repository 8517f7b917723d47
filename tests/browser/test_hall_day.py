"""A day of the hall in a real Chromium: pack, label, hand over with one parcel missing, a return, the close of the day."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page
from pypdf import PdfReader

from app.kernel import outbox
from app.kernel.db import db, transaction
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.desk import HallDay
from delivery.models.waybills import Waybill
from tests.browser.chromium import DESK, PHONE, Window
from tests.delivery.builders import Hall, a_hall, a_handed_over_parcel, an_ordered_parcel, parcel, tasks

pytestmark = [pytest.mark.browser]
PARCELS = 3


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


def scan(page: Page, code: str) -> None:
    """Type as a scanner gun does: into whatever has the focus, with Enter at the end."""
    page.wait_for_function("document.activeElement?.hasAttribute('data-scan-focus')")
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def submit(page: Page) -> None:
    """Press the one button of the page's form and wait for what follows."""
    with page.expect_navigation():
        page.locator("main form button[type=submit]").last.click()


def wide(code: str) -> str:
    """The code as an input method in full-width mode delivers it."""
    return "".join(chr(ord(each) + 0xFEE0) for each in code)


def worker_runs() -> None:
    """Let the worker do what is due: outside calls must find no transaction of a read open."""
    db.session.rollback()
    outbox.drain_all()


def state(parcel_id: UUID) -> str:
    return parcel(parcel_id).state


def packed_by_two(hall: Hall, found: dict[str, Window], parcel_id: UUID, seal: str) -> None:
    """The packer scans the paper, the second person the paper and then the seal."""
    number = parcel(parcel_id).number
    page = found["packer"].open("/delivery").page
    scan(page, number)
    page.wait_for_url("**/pack")
    page.locator("[name=seal_no]").fill(seal)
    page.locator("[name=weight_g]").fill("130")
    page.locator("[name=contents_compared]").check()
    submit(page)
    assert state(parcel_id) == "packed"
    page = found["checker"].open("/delivery").page
    scan(page, number)
    page.wait_for_url("**/actions/check")
    page.locator("[name=seal_no]").fill(seal)
    submit(page)
    worker_runs()
    assert state(parcel_id) == "waybilled"


def labelled(window: Window, parcel_id: UUID, target: Path) -> str:
    """Print our own label, the carrier's not being there; what it says."""
    with transaction() as session:
        session.execute(sa.update(Waybill).where(Waybill.parcel_id == parcel_id).values(label_pdf=None))
    page = window.open(f"/parcels/{parcel_id}/label").page
    with page.expect_response("**/label.pdf*") as answered:
        page.get_by_role("button", name="Print the label").click()
    content = answered.value.body() if answered.value.status == 200 else b""
    if not content.startswith(b"%PDF"):  # the browser's own viewer took it
        content = page.request.get(f"{window.url}/parcels/{parcel_id}/label.pdf").body()
    target.write_bytes(content)
    return PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_from_the_first_scan_to_the_signature_of_the_day(
    app: Flask, as_person: Callable[..., Window], carrier: SimulatedCarrier, album: Path
) -> None:
    hall = a_hall()
    parcels = [an_ordered_parcel(hall, address=f"中山西路{n}号") for n in range(1, PARCELS + 1)]
    for parcel_id in parcels:
        services.contents_ready(hall.centre, parcel_id)
    worker_runs()
    people = {"packer": hall.packer, "checker": hall.checker, "supervisor": hall.supervisor}
    found = {
        name: as_person(actor, "/delivery", width=PHONE if name == "checker" else DESK, language="en")
        for name, actor in people.items()
    }
    for number, parcel_id in enumerate(parcels):
        packed_by_two(hall, found, parcel_id, f"FQ0000{number}")
    numbers = [parcel(each).waybill_no or "" for each in parcels]

    assert numbers[0] in labelled(found["packer"], parcels[0], album / "hall-label.pdf").replace(" ", "")

    page = found["packer"].open("/delivery?tab=handover").page
    found["packer"].picture(album / "hall-handover.png")
    scan(page, wide(numbers[0]))
    page.wait_for_function("() => location.pathname.startsWith('/handover-batches/')")
    batch = page.url
    page.get_by_text(numbers[0]).first.wait_for()
    scan(page, numbers[1])
    page.get_by_text(numbers[1]).first.wait_for()
    scan(page, numbers[1])  # twice: a warning, no second line
    page.get_by_text("was scanned already").first.wait_for()
    scan(page, numbers[2])
    page.get_by_text(numbers[2]).first.wait_for()
    found["packer"].picture(album / "hall-list.png")
    path = batch.removeprefix(found["packer"].url)
    page = found["packer"].open(f"{path}/actions/offer").page
    page.locator("[name=counted]").fill(str(PARCELS))
    submit(page)
    page = found["checker"].open(f"{path}/actions/take_over").page
    page.locator("[name=courier_name]").fill("王强")
    page.locator("[name=courier_staff_no]").fill("33010088")
    page.locator("[name=counted]").fill(str(PARCELS - 1))
    page.locator(f"[name=missing][value='{parcels[2]}']").check()
    found["checker"].picture(album / "hall-take_over.png")
    assert found["checker"].faults() == []
    submit(page)
    worker_runs()
    assert [state(each) for each in parcels] == ["handed_over", "handed_over", "waybilled"]
    assert tasks(parcels[2]) == ["missing_at_handover"]

    page = found["supervisor"].open(f"{path}/actions/resolve_difference?parcel_id={parcels[2]}").page
    page.locator("[name=resolution][value=found]").check()
    page.locator("[name=reason]").fill("在分拣架第二层找到")
    submit(page)
    db.session.rollback()
    assert tasks(parcels[2]) == []

    page = found["packer"].open("/delivery/days/count").page
    page.locator("[name=counted_waybilled]").fill("1")
    for shelf in ("ready", "packed", "booking", "returned"):
        page.locator(f"[name=counted_{shelf}]").fill("0")
    page.get_by_role("button", name="Hand the count in").click()  # no reason why one stays
    page.locator("[aria-invalid=true], .error-summary").first.wait_for()
    assert db.session.query(HallDay).count() == 0
    page.locator("[name=reason_waybilled]").fill("找到时揽收员已离开，明日首班交接")
    page.get_by_role("button", name="Hand the count in").click()
    page.wait_for_url("**/delivery/days/*-*")
    day = page.url.removeprefix(found["packer"].url)
    page = found["supervisor"].open(day).page
    found["supervisor"].picture(album / "hall-day.png")
    page = found["supervisor"].open(f"{day}/actions/sign").page
    submit(page)
    db.session.rollback()
    (closed,) = db.session.query(HallDay).all()
    assert (closed.state, closed.counted_by, closed.signed_by) == (
        *("signed", hall.packer.user_id, hall.supervisor.user_id),
    )


def test_a_damaged_code_is_one_click_from_the_right_one(
    app: Flask, as_person: Callable[..., Window], carrier: SimulatedCarrier
) -> None:
    hall = a_hall()
    right = parcel(a_handed_over_parcel(hall)).waybill_no or ""
    wrong = right[:9] + str((int(right[9]) + 1) % 10) + right[10:]
    window = as_person(hall.packer, "/delivery", width=PHONE, language="en")
    scan(window.page, wrong)
    meant = window.page.locator(".scan-near button")
    meant.first.wait_for()
    assert meant.all_inner_texts() == [right]
    assert window.faults() == []
    meant.click()
    window.page.wait_for_function("() => location.pathname.startsWith('/parcels/')")
