"""What receivers choose, change and complain about, and that they are erased: use cases on a database."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.notices import notify
from app.kernel import outbox
from app.kernel.access import ANONYMOUS, SYSTEM, Role
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from app.kernel.inbox import receive
from app.kernel.outbox import OutboxMessage, publish
from delivery import jobs, links, rules, services, terms
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.doorstep import IdType
from delivery.models.complaints import Complaint, ComplaintKind
from delivery.models.mandates import LetterOfAuthority, LetterScope
from delivery.models.papers import PapersOrder
from delivery.models.reports import CarrierEvent
from delivery.models.schedules import CollectionRun
from delivery.models.terms import ParcelTerms
from delivery.queries import agreements, own_data
from delivery.queries.workload import workload
from delivery.services import codes, complaints, mandates, merging, papers, recipients, schedules
from delivery.services.addresses import ChangeAddress, change_address
from delivery.services.orders import Receiver
from delivery.states import ComplaintState, LetterState, PapersState, ParcelState
from delivery.terms import Terms
from tests.builders import a_member
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_packed_parcel,
    a_waybilled_parcel,
    an_ordered_parcel,
    parcel,
    receiver,
    tasks,
)

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
Clock = Callable[[datetime], None]
ELSEWHERE = Receiver("李晓燕", "13912345678", "浙江省", "宁波市", "鄞州区", "天童北路1号")


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, clock_at: Clock) -> Hall:
    clock_at(NOON)
    return a_hall()


@pytest.fixture
def terms_are() -> Iterator[Callable[[Terms], None]]:
    before = list(terms._provider)
    yield lambda wanted: terms.provide(lambda: wanted)
    terms._provider[:] = before


def a_ready_parcel(hall: Hall, subject: str = "") -> UUID:
    parcel_id = an_ordered_parcel(hall, subject=subject)
    services.contents_ready(SYSTEM, parcel_id)
    return parcel_id


def agreed(parcel_id: UUID) -> ParcelTerms:
    db.session.rollback()
    found = db.session.get(ParcelTerms, parcel_id, populate_existing=True)
    assert found is not None
    return found


def change(parcel_id: UUID, code: str = "") -> ChangeAddress:
    return ChangeAddress(ELSEWHERE, code=code or parcel(parcel_id).pickup_code)


# --- the address ---


def test_a_changed_address_cancels_the_number_and_takes_another(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_waybilled_parcel(hall)
    before = parcel(parcel_id)
    number, seal = before.waybill_no, before.seal_no
    change_address(hall.applicant, parcel_id, change(parcel_id))
    outbox.drain_all()
    jobs.ask_for_numbers()
    after = parcel(parcel_id)
    assert (after.state, after.receiver_county, after.seal_no) == (ParcelState.WAYBILLED, "鄞州区", seal)
    assert after.waybill_no != number
    assert carrier.live_waybills(after.order_no or "") == [after.waybill_no]
    assert carrier.live_waybills(before.number) == []


def test_after_the_hand_over_the_address_is_fixed_and_the_ways_out_are_named(
    hall: Hall, carrier: SimulatedCarrier
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    with pytest.raises(Conflict) as refusal:
        change_address(hall.applicant, parcel_id, change(parcel_id))
    assert refusal.value.code == "already-handed-over"
    recipients.choose_day(hall.applicant, parcel_id, recipients.ChooseDay(date(2026, 3, 5)))
    recipients.ask_intercept(hall.applicant, parcel_id, recipients.Intercept("不在本市"))
    with pytest.raises(Conflict):
        recipients.ask_intercept(hall.applicant, parcel_id, recipients.Intercept("再次"))
    assert tasks(parcel_id) == ["intercept", "wish"]
    assert parcel(parcel_id).receiver_county == "海曙区"


def test_an_address_outside_the_service_changes_nothing(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_ready_parcel(hall)
    far = replace(ELSEWHERE, prov="香港特别行政区", city="香港特别行政区", county="中西区")
    with pytest.raises(Refused) as refusal:
        change_address(hall.applicant, parcel_id, replace(change(parcel_id), receiver=far))
    assert refusal.value.code == "outside-service"
    assert parcel(parcel_id).receiver_county == "海曙区"


def test_five_wrong_codes_lock_and_a_supervisor_unlocks_with_a_new_one(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_ready_parcel(hall)
    right = parcel(parcel_id).pickup_code
    for _ in range(5):
        with pytest.raises(Refused) as wrong:
            change_address(hall.applicant, parcel_id, change(parcel_id, "000000x"))
        assert wrong.value.code == "wrong-code"
    with pytest.raises(Conflict) as locked:
        change_address(hall.applicant, parcel_id, change(parcel_id, right))
    assert (locked.value.code, tasks(parcel_id)) == ("code-locked", ["code_locked"])
    with pytest.raises(NotAllowed):
        codes.unlock_code(hall.packer, parcel_id, None)
    codes.unlock_code(hall.supervisor, parcel_id, None)
    assert parcel(parcel_id).pickup_code != right
    assert tasks(parcel_id) == []
    change_address(hall.applicant, parcel_id, change(parcel_id))
    assert parcel(parcel_id).receiver_county == "鄞州区"


# --- letters of authority ---


def letter(until: date = date(2026, 3, 9), **facts: object) -> mandates.GrantLetter:
    wanted = mandates.GrantLetter("王建国", IdType.RESIDENT_CARD, "123x", LetterScope.DOOR, until)
    return replace(wanted, **facts)


def test_a_letter_lets_its_agent_sign_until_it_expires(hall: Hall, clock_at: Clock) -> None:
    parcel_id = a_ready_parcel(hall)
    mandates.grant_letter(hall.applicant, parcel_id, letter())
    allowed = mandates.signatory(parcel_id)
    assert allowed.who is rules.WhoMaySign.AGENT
    assert allowed.names(" 王建国 ", "123x")
    assert not allowed.names("王建民", "123X")
    assert not allowed.names("王建国", "1234")
    clock_at(datetime(2026, 3, 9, 16, 0, tzinfo=UTC))
    who = mandates.signatory(parcel_id).who
    assert who is rules.WhoMaySign.SELF, "an expired letter counts for nothing, before the clock has ended it"
    assert jobs.end_letters() == 1
    assert jobs.end_letters() == 0
    assert parcel(parcel_id).who_may_sign == rules.WhoMaySign.SELF


def test_a_new_letter_replaces_the_old_one_and_a_revoked_one_ends_both(hall: Hall) -> None:
    parcel_id = a_ready_parcel(hall)
    mandates.grant_letter(hall.applicant, parcel_id, letter())
    second = mandates.grant_letter(hall.applicant, parcel_id, letter(agent_name="赵敏", agent_id_last4="9999"))
    assert not mandates.signatory(parcel_id).names("王建国", "123X")
    assert mandates.signatory(parcel_id).names("赵敏", "9999")
    mandates.revoke_letter(hall.applicant, second, services.orders.Dispute("不需要了"))
    states = db.session.scalars(sa.select(LetterOfAuthority.state).order_by(LetterOfAuthority.granted_at)).all()
    assert states == [LetterState.REVOKED, LetterState.REVOKED]
    assert mandates.signatory(parcel_id).who is rules.WhoMaySign.SELF


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"until": date(2026, 3, 1)}, "valid_until"), ({"until": date(2026, 6, 1)}, "valid_until"),
     ({"agent_id_last4": "12"}, "agent_id_last4"), ({"agent_name": " "}, "agent_name")],
)  # fmt: skip
def test_a_letter_that_cannot_be_is_refused(hall: Hall, facts: dict[str, object], field: str) -> None:
    parcel_id = a_ready_parcel(hall)
    with pytest.raises(Refused) as refusal:
        mandates.grant_letter(hall.applicant, parcel_id, letter(**facts))  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LetterOfAuthority)) == 0


# --- one envelope ---


def test_two_results_of_one_receiver_travel_under_one_number(hall: Hall, carrier: SimulatedCarrier) -> None:
    main, second = a_ready_parcel(hall, "case:a"), a_ready_parcel(hall, "case:b")
    merging.merge(hall.packer, second, merging.Merge(main))
    assert parcel(second).state == ParcelState.MERGED
    assert parcel(main).contents == "营业执照正本一份；营业执照正本一份"
    for again in (merging.Merge(main), merging.Merge(second)):
        with pytest.raises(DomainError):
            merging.merge(hall.packer, second, again)
    with pytest.raises(DomainError):
        merging.merge(hall.packer, main, merging.Merge(second))
    at = parcel(main)
    event = merging.ParcelDelivered(at.id, at.subject, at.thread_id, "李晓燕", "in_person", NOON)
    merging.delivered_along(event)
    merging.delivered_along(event)
    told = [
        row.payload["subject"]
        for row in db.session.scalars(sa.select(OutboxMessage))
        if row.event == "delivery.parcel-delivered"
    ]
    assert set(told) == {"case:b"}
    assert parcel(second).delivered_at == NOON
    merging.revoked_along(merging.ParcelDeliveryRevoked(at.id, at.subject, at.thread_id))
    assert parcel(second).delivered_at is None


def test_what_was_put_together_can_be_taken_apart_until_packed(hall: Hall, carrier: SimulatedCarrier) -> None:
    main, second = a_ready_parcel(hall), a_ready_parcel(hall)
    merging.merge(hall.applicant, second, merging.Merge(main))
    merging.split(hall.applicant, second, None)
    assert (parcel(second).state, parcel(main).contents, parcel(main).weight_g) == (
        ParcelState.READY,
        "营业执照正本一份",
        120,
    )
    merging.merge(hall.applicant, second, merging.Merge(main))
    services.pack(hall.packer, main, services.Pack("FQMERGE1", 250, contents_compared=True))
    with pytest.raises(Conflict):
        merging.split(hall.applicant, second, None)


def test_parcels_of_two_receivers_or_packed_ones_do_not_go_together(hall: Hall, carrier: SimulatedCarrier) -> None:
    main, packed, other = a_ready_parcel(hall), a_packed_parcel(hall), an_ordered_parcel(hall, address="解放路1号")
    services.contents_ready(SYSTEM, other)
    for wrong in (packed, other):
        with pytest.raises(DomainError):
            merging.merge(hall.packer, wrong, merging.Merge(main))
    assert parcel(main).contents == "营业执照正本一份"


# --- postage and promises ---


def test_packing_waits_for_a_prepaid_fee(hall: Hall, terms_are: Callable[[Terms], None]) -> None:
    terms_are(Terms(fee_modes=("prepaid", "on_delivery")))
    parcel_id = a_ready_parcel(hall)
    assert (agreed(parcel_id).fee_mode, agreed(parcel_id).fee_fen, agreed(parcel_id).fee_state) == (
        "prepaid",
        1500,
        "owed",
    )
    with pytest.raises(Conflict) as refusal:
        services.pack(hall.packer, parcel_id, services.Pack("FQ1", 130, contents_compared=True))
    assert (refusal.value.code, parcel(parcel_id).state) == ("postage-owed", ParcelState.READY)
    services.fee_paid(parcel_id, 1500)
    services.fee_paid(parcel_id, 1500)
    services.pack(hall.packer, parcel_id, services.Pack("FQ1", 130, contents_compared=True))


def test_a_way_of_paying_that_is_not_offered_is_refused(hall: Hall) -> None:
    with pytest.raises(Refused):
        services.checked_mode("prepaid")


def test_the_promise_follows_cutoff_area_and_settings(hall: Hall, clock_at: Clock) -> None:
    assert agreed(a_ready_parcel(hall)).promised_on == date(2026, 3, 4)
    schedules.set_schedule(hall.supervisor, schedules.SetSchedule("11:30", (("11:30", "12:00"),)))
    schedules.set_promise(hall.supervisor, schedules.SetPromise("330200", 4, 1800))
    assert agreed(a_ready_parcel(hall)).promised_on == date(2026, 3, 7), "after the cut-off it leaves on the 3rd"
    assert [(route.route, route.total) for route in workload(hall.packer).routes] == [("浙江省宁波市", 2)]
    with pytest.raises(NotAllowed):
        schedules.set_schedule(hall.packer, schedules.SetSchedule("10:00", (("10:00", "11:00"),)))
    for wrong in (
        schedules.SetSchedule("25:00", (("10:00", "11:00"),)),
        schedules.SetSchedule("10:00", (("11:00", "10:00"),)),
    ):
        with pytest.raises(Refused):
            schedules.set_schedule(hall.supervisor, wrong)


def test_each_visit_is_told_once_and_what_stayed_is_counted(hall: Hall, clock_at: Clock) -> None:
    a_ready_parcel(hall)
    clock_at(datetime(2026, 3, 2, 7, 35, tzinfo=UTC))
    assert schedules.run_collections() == 1
    assert schedules.run_collections() == 0
    clock_at(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    assert schedules.run_collections() == 1
    run = db.session.scalars(sa.select(CollectionRun)).one()
    assert (run.waiting, run.left_behind, run.day) == (1, 1, date(2026, 3, 2))


def test_alarms_come_three_one_and_no_working_days_before_the_end(hall: Hall, clock_at: Clock) -> None:
    parcel_id = a_ready_parcel(hall)
    with transaction():
        parcel(parcel_id).serve_by = datetime(2026, 3, 13, 15, 59, tzinfo=UTC)
    given = []
    for day in range(2, 17):
        clock_at(datetime(2026, 3, day, 4, 0, tzinfo=UTC))
        if schedules.serve_alarms():
            given.append(day)
        assert schedules.serve_alarms() == 0
    assert given == [10, 12, 13]


# --- complaints ---


def test_an_unanswered_complaint_goes_to_the_operator_by_itself(hall: Hall, clock_at: Clock) -> None:
    operator = a_member(Role.OPERATOR)
    parcel_id = a_ready_parcel(hall)
    complaint_id = complaints.complain(
        hall.applicant, parcel_id, complaints.Complain(ComplaintKind.LATE, "超过承诺时间")
    )
    with pytest.raises(Conflict):
        complaints.complain(hall.applicant, parcel_id, complaints.Complain(ComplaintKind.OTHER, "再次"))
    clock_at(datetime(2026, 3, 9, 15, 59, tzinfo=UTC))
    assert jobs.follow_complaints() == 0
    clock_at(datetime(2026, 3, 9, 16, 1, tzinfo=UTC))
    assert jobs.follow_complaints() == 1
    with pytest.raises(DomainError):
        complaints.answer(hall.supervisor, complaint_id, complaints.Reply("已核实"))
    complaints.decide(operator, complaint_id, services.orders.Dispute("责成大厅致歉"))
    row = db.session.scalars(sa.select(Complaint)).one()
    assert (row.state, row.decision) == (ComplaintState.CLOSED, "责成大厅致歉")


def test_an_answer_can_be_accepted_escalated_or_left(hall: Hall, clock_at: Clock) -> None:
    ids = [
        complaints.complain(hall.applicant, a_ready_parcel(hall), complaints.Complain(ComplaintKind.MANNER, "态度差"))
        for _ in range(3)
    ]
    for each in ids:
        complaints.answer(hall.supervisor, each, complaints.Reply("已批评教育"))
    complaints.accept(hall.applicant, ids[0], None)
    complaints.escalate(hall.applicant, ids[1], services.orders.Dispute("不满意"))
    clock_at(NOON + timedelta(days=10))
    assert jobs.follow_complaints() == 1
    states = {row.id: row.state for row in db.session.scalars(sa.select(Complaint))}
    assert [states[each] for each in ids] == [ComplaintState.CLOSED, ComplaintState.ESCALATED, ComplaintState.CLOSED]
    with pytest.raises(NotFound):
        complaints.accept(a_member(Role.APPLICANT), ids[1], None)


# --- the link ---


def test_a_link_opens_one_parcel_until_it_is_renewed_or_expires(hall: Hall, clock_at: Clock) -> None:
    parcel_id = a_ready_parcel(hall)
    token = links.link_of(parcel_id, 0)
    assert links.opened(token).parcel_id == parcel_id
    for forged in (token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:], "x", token.replace(".", "", 1)):
        with pytest.raises(NotFound):
            links.opened(forged)
    recipients.choose_day(ANONYMOUS, parcel_id, recipients.ChooseDay(date(2026, 3, 4)), by_link=True)
    with pytest.raises(Refused):
        recipients.choose_day(ANONYMOUS, parcel_id, recipients.ChooseDay(date(2026, 3, 2)), by_link=True)
    assert agreed(parcel_id).preferred_day == date(2026, 3, 4)
    links.renew_link(hall.applicant, parcel_id, None)
    with pytest.raises(NotFound):
        links.opened(token)
    fresh = links.link_of(parcel_id, 1)
    clock_at(NOON + timedelta(days=60))
    with pytest.raises(NotFound):
        links.opened(fresh)


# --- originals ---


def a_collection(hall: Hall, subject: str = "case:papers") -> UUID:
    assert hall.applicant.user_id
    listed = ("不动产权证书原件", "法人身份证复印件")
    wanted = papers.CollectPapers(
        UUID(int=7), subject, hall.id, hall.applicant.user_id, receiver(), listed, date(2026, 3, 3), "09:00-11:00"
    )
    return papers.collect_papers(hall.applicant, wanted)


def test_originals_are_collected_compared_and_go_back_with_the_result(hall: Hall, carrier: SimulatedCarrier) -> None:
    papers_id = a_collection(hall)
    with pytest.raises(Conflict):
        a_collection(hall)
    outbox.drain_all()
    order = db.session.get(PapersOrder, papers_id, populate_existing=True)
    assert order is not None
    assert (order.state, order.waybill_no is not None) == (PapersState.BOOKED, True)
    with pytest.raises(Refused):
        papers.receive_papers(hall.packer, papers_id, papers.ReceivePapers(("营业执照",)))
    papers.receive_papers(hall.packer, papers_id, papers.ReceivePapers(("法人身份证复印件",), "已电话告知"))
    parcel_id = a_ready_parcel(hall, "case:papers")
    assert agreements.agreement_of(parcel_id, hall.packer).originals == ("不动产权证书原件",)
    at = parcel(parcel_id)
    papers.send_back_along(papers.ParcelHandedOver(at.id, at.subject, at.thread_id, "1000000001460", NOON))
    db.session.expire_all()
    assert db.session.get_one(PapersOrder, papers_id).state == PapersState.SENT_BACK


# --- erasure ---

NAME, MOBILE, STREET, AGENT = "阿布都热西提𠮷野", "13987654321", "育才巷97号甲幢1806室", "欧阳振华"


def forms_of(text: str) -> tuple[bytes, ...]:
    """How a text can stand in the file: as UTF-8, escaped in JSON, in UTF-16."""
    escaped = text.encode("ascii", "backslashreplace")
    return text.encode(), escaped, json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")


def file_of(database: str) -> bytes:
    path = Path(database.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def test_an_erased_receiver_stands_nowhere_in_the_database_file(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock, database: str
) -> None:
    if not database.startswith("sqlite"):
        pytest.skip("searches the file of SQLite")
    parcel_id = a_handed_over_parcel(hall)
    with transaction():
        row = parcel(parcel_id)
        row.receiver_name, row.receiver_mobile, row.receiver_address = NAME, MOBILE, STREET
        event = {
            "id": UUID(int=9), "parcel_id": row.id, "waybill_no": row.waybill_no, "key": "k", "code": "704", "occurred_at": NOON,
            "received_at": NOON, "seen": {"description": f"已签收 {NAME}", "signer_name": NAME, "office": "海曙营业部"},
            "raw": {"opDesc": f"{NAME} {MOBILE} {STREET}"}, "mapping_version": "1",
        }  # fmt: skip
        db.session.execute(sa.insert(CarrierEvent).values(**event))
        receive("ems", "n1", "704", row.waybill_no, f"{NAME}{MOBILE}{STREET}".encode())
    mandates.grant_letter(hall.applicant, parcel_id, letter(agent_name=AGENT))
    complaints.complain(
        hall.applicant, parcel_id, complaints.Complain(ComplaintKind.OTHER, f"{NAME}住在{STREET}，电话{MOBILE}")
    )
    recipients.ask_intercept(hall.applicant, parcel_id, recipients.Intercept(f"{NAME}搬离{STREET}"))
    with transaction():
        row = parcel(parcel_id)
        row.signer_name, row.delivered_at, row.close_at = NAME, NOON, NOON
        publish(merging.ParcelDelivered(row.id, row.subject, row.thread_id, NAME, "in_person", NOON))
        notify(
            to_user=hall.applicant.user_id,
            kind="delivery.x",
            subject="s",
            text=f"{NAME}{MOBILE}",
            link=f"/parcels/{row.id}",
        )
        db.session.execute(sa.text("UPDATE parcel SET state='closed' WHERE id=:id"), {"id": row.id.hex})
    outbox.drain_all()
    before = file_of(database)
    for secret in (NAME, MOBILE, STREET, AGENT):
        assert any(form in before for form in forms_of(secret)), f"the test must find {secret} before"
    assert jobs.erase_receivers() == 0
    clock_at(NOON + timedelta(days=181))
    assert jobs.erase_receivers() == 1
    assert jobs.erase_receivers() == 0
    outbox.drain_all()
    db.session.remove()
    assert jobs.compact_after_erasure() == 1
    after = file_of(database)
    found = [secret for secret in (NAME, MOBILE, STREET, AGENT) for form in forms_of(secret) if form in after]
    assert found == []
    kept = parcel(parcel_id)
    assert (kept.receiver_county, kept.delivered_at, kept.erased_at is not None) == ("海曙区", NOON, True)
    assert NAME not in str(own_data.of(hall.applicant))


def test_own_data_are_given_to_their_person_only(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_ready_parcel(hall)
    mine = own_data.of(hall.applicant)
    assert [each["id"] for each in mine["parcels"]] == [str(parcel_id)]
    assert mine["parcels"][0]["receiver_mobile"] == "13912345678"
    assert own_data.of(a_member(Role.APPLICANT))["parcels"] == []
