"""The desk of the hall: what scans say, differences of a list, the returns desk."""

import io
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from pypdf import PdfReader

from app.documents.register import issued_for
from app.kernel import clock, files, outbox
from app.kernel.commands import WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from delivery import documents, jobs, queries, services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.differences import HandoverDifference
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn
from delivery.models.waybills import Waybill
from delivery.queries.custody import chain_of
from delivery.queries.differences import differences_of
from delivery.services.differences import ResolveDifference, resolve_difference
from delivery.services.returns import DecideReturn, ReceiveReturn, decide_return, receive_return
from delivery.services.scanning import find_scanned
from delivery.states import ParcelState
from tests.builders import sign_in
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_waybilled_parcel,
    hand_over,
    parcel,
    tasks,
)


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, carrier: SimulatedCarrier) -> Hall:
    return a_hall()


def refused(hall: Hall, code: str) -> DomainError:
    with pytest.raises(Refused) as failure, transaction():
        find_scanned(hall.id, code)
    return failure.value


def test_what_a_scan_may_have_meant(hall: Hall) -> None:
    number = parcel(a_waybilled_parcel(hall)).waybill_no
    assert number is not None
    wrong = number[:9] + str((int(number[9]) + 1) % 10) + number[10:]
    found = refused(hall, f"　{wrong}　\t")
    assert (found.code, found.extra["suggestions"]) == ("unknown-code", [number])
    assert "check digit" in found.detail
    with transaction():
        assert find_scanned(hall.id, "".join(chr(ord(each) + 0xFEE0) for each in number)).waybill_no == number


def test_a_parcel_of_another_hall_is_named_and_not_listed(hall: Hall) -> None:
    elsewhere = parcel(a_waybilled_parcel(a_hall())).waybill_no
    assert elsewhere is not None
    assert refused(hall, elsewhere).code == "other-hall"
    batch_id = services.open_batch(hall.packer)
    with pytest.raises(Refused):
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch(elsewhere))
    assert queries.batch_view(batch_id, hall.packer).lines == ()


def test_an_old_label_names_the_present_one(hall: Hall) -> None:
    parcel_id = a_waybilled_parcel(hall)
    old = parcel(parcel_id).waybill_no or ""
    services.void_waybill(hall.supervisor, parcel_id, WithReason("面单打印错误"))
    found = refused(hall, old)
    assert (found.code, found.params["present"]) == ("old-label", parcel(parcel_id).number)


def a_missing(hall: Hall) -> tuple[UUID, UUID]:
    there, missing = a_waybilled_parcel(hall), a_waybilled_parcel(hall)
    batch_id = hand_over(hall, there, missing, missing=(missing,))
    return batch_id, missing


@pytest.mark.parametrize(
    ("resolution", "state", "outcome"),
    [
        ("found", "waybilled", "missing"),
        ("left_behind", "waybilled", "missing"),
        ("with_carrier", "handed_over", "taken"),
    ],
)
def test_a_difference_is_cleared_up(hall: Hall, resolution: str, state: str, outcome: str) -> None:
    batch_id, missing = a_missing(hall)
    assert tasks(missing) == ["missing_at_handover"]
    command = ResolveDifference(missing, resolution, "在分拣筐底部找到")
    resolve_difference(hall.supervisor, batch_id, command)
    assert (parcel(missing).state, tasks(missing)) == (state, [])
    view = queries.batch_view(batch_id, hall.supervisor)
    assert {line.outcome for line in view.lines if line.parcel_id == missing} == {outcome}
    assert [each.resolved_name for each in differences_of(view.id)] == ["郑岚"]
    with pytest.raises(Conflict, match="already"):
        resolve_difference(hall.supervisor, view.id, command)
    with pytest.raises(NotFound):
        resolve_difference(hall.supervisor, view.id, ResolveDifference(hall.id, "found", "不在此清单"))


def test_only_the_supervisor_says_lost(hall: Hall) -> None:
    batch_id, missing = a_missing(hall)
    command = ResolveDifference(missing, "lost", "全厅搜寻未果")
    with pytest.raises(NotAllowed):
        resolve_difference(hall.packer, batch_id, command)
    assert db.session.scalars(sa.select(HandoverDifference.resolution)).one() is None
    resolve_difference(hall.supervisor, batch_id, command)
    assert parcel(missing).state == ParcelState.LOST
    assert chain_of(missing, "lost").is_whole


def test_a_missing_parcel_on_the_next_list_was_found(hall: Hall) -> None:
    batch_id, missing = a_missing(hall)
    hand_over(hall, missing)
    assert [each.reason for each in differences_of(batch_id)] == ["JJ-2026-000002"]


def test_what_came_back_is_scanned_in_whatever_the_carrier_says(hall: Hall) -> None:
    parcel_id = a_handed_over_parcel(hall)
    with transaction():
        db.session.execute(sa.update(Parcel).values(observed_status="out_for_delivery"))
    receive_return(hall.packer, ReceiveReturn(parcel(parcel_id).waybill_no or "", "refused", seal_intact=False))
    found = db.session.scalars(sa.select(ParcelReturn)).one()
    assert (parcel(parcel_id).state, found.cause, found.seal_intact) == ("returned", "refused", False)
    assert tasks(parcel_id) == ["contradiction", "custody_gap"]
    with pytest.raises(Refused, match="already"):
        receive_return(hall.packer, ReceiveReturn(parcel(parcel_id).waybill_no or ""))


@pytest.mark.parametrize(
    ("decision", "state", "ended"),
    [("resend", "ready", True), ("keep", "returned", False), ("call", "returned", False), ("centre", "created", True)],
)
def test_the_desk_decides(hall: Hall, decision: str, state: str, ended: bool) -> None:
    parcel_id = a_handed_over_parcel(hall)
    receive_return(hall.packer, ReceiveReturn(parcel(parcel_id).waybill_no or "", "not_reached"))
    decide_return(hall.packer, parcel_id, DecideReturn(decision, "收件人改约下周"))
    found = db.session.scalars(sa.select(ParcelReturn)).one()
    assert (parcel(parcel_id).state, found.decision, found.ended_at is not None) == (state, decision, ended)
    assert chain_of(parcel_id, state).is_whole
    if ended:
        with pytest.raises(Refused):
            decide_return(hall.packer, parcel_id, DecideReturn("keep", "再想想"))


def test_a_resent_parcel_goes_out_again_with_a_whole_chain(hall: Hall) -> None:
    parcel_id = a_handed_over_parcel(hall)
    receive_return(hall.packer, ReceiveReturn(parcel(parcel_id).waybill_no or ""))
    decide_return(hall.packer, parcel_id, DecideReturn("resend", "地址已更正"))
    services.pack(hall.packer, parcel_id, services.Pack("FQ9", 120, contents_compared=True))
    services.check_packing(hall.checker, parcel_id, None)
    outbox.drain_all()
    hand_over(hall, parcel_id)
    found = chain_of(parcel_id, parcel(parcel_id).state)
    assert (len(found.steps), found.gaps) == (8, ())


def test_what_nobody_collects_comes_before_a_person(hall: Hall) -> None:
    parcel_id = a_handed_over_parcel(hall)
    receive_return(hall.packer, ReceiveReturn(parcel(parcel_id).waybill_no or ""))
    decide_return(hall.packer, parcel_id, DecideReturn("keep", "收件人自取"))
    assert jobs.look_after_kept() == 0
    with clock.at(clock.now() + timedelta(days=8)):
        assert jobs.look_after_kept() == 1
        assert jobs.look_after_kept() == 0
    assert tasks(parcel_id) == ["kept_too_long"]


def test_labels_in_three_sizes_and_a_second_print_needs_a_reason(app: Flask, hall: Hall) -> None:
    one, two = a_waybilled_parcel(hall), a_waybilled_parcel(hall)
    with transaction():
        db.session.execute(sa.update(Waybill).values(label_pdf=None, label_fetched_at=None))
    client = app.test_client()
    sign_in(client, hall.packer)
    printed = client.post("/delivery/labels", data={"sheet": "100x180"})
    assert printed.data.startswith(b"%PDF-")
    assert printed.data.count(b"/MediaBox") == 2
    assert (parcel(one).label_prints, parcel(two).label_prints) == (1, 1)
    assert client.post("/delivery/labels").status_code == 303
    for sheet, box in (
        ("76x130", b"215.4331 368.5039"),
        ("100x150", b"283.4646 425.1969"),
        ("100x180", b"283.4646 510.2362"),
    ):
        assert box in client.get(f"/parcels/{one}/label.pdf?sheet={sheet}").data
    assert client.post(f"/parcels/{one}/label", data={"sheet": "100x150"}).status_code == 422
    assert parcel(one).label_prints == 1
    again = client.post(f"/parcels/{one}/label", data={"sheet": "100x150", "reason": "面单被水浸湿"})
    assert again.location.endswith("sheet=100x150")
    assert parcel(one).label_prints == 2


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")


def test_the_printed_list_tells_what_became_of_every_missing_parcel(hall: Hall) -> None:
    there, one, other = (a_waybilled_parcel(hall) for _ in range(3))
    batch_id = hand_over(hall, there, one, other, missing=(one, other))
    resolve_difference(hall.packer, batch_id, ResolveDifference(one, "found", "在三号分拣柜夹层中找到"))
    outbox.drain_all()
    resolve_difference(hall.supervisor, batch_id, ResolveDifference(other, "with_carrier", "揽投员清点时漏数"))
    outbox.drain_all()
    papers = issued_for(f"handover-batch:{batch_id}")
    number = papers[0].number
    assert [each.number for each in papers] == [number, f"{number}-1", f"{number}-2"]
    assert [dict(each.facts).get("Differences cleared up") for each in papers] == ["0 / 2", "1 / 2", "2 / 2"]
    assert documents.issued_list(batch_id) == papers[-1].file_id
    text = text_of(files.content(papers[-1].file_id))
    for told in (
        "缺件处理记录",
        "在三号分拣柜夹层中找到",
        "揽投员清点时漏数",
        "周敏",
        "郑岚",
        "移交方",
        "接收方",
        "王强",
    ):
        assert told in text, told
    assert "缺件处理记录" in text_of(files.content(papers[0].file_id))
    assert "在三号分拣柜" not in text_of(files.content(papers[0].file_id))
