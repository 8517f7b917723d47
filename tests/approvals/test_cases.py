"""Cases from the application to the doorstep: states, limits, demands, decision, certificate, service."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.documents import issued_for
from app.identity.models import OrganisationKind
from app.kernel.access import SYSTEM, Role
from app.kernel.audit import AuditEvent
from app.kernel.calendar import end_of_day
from app.kernel.db import db, new_id, transaction
from app.kernel.errors import Conflict, DomainError, IllegalTransition, NotAllowed, NotFound, Refused
from app.kernel.outbox import drain_all, publish
from approvals.jobs import flag_missed_limits
from approvals.models import ApprovalItem, Case, Certificate, DemandedDeliverable
from approvals.queries.cases import case_view, cases_of, certificate_view, print_queue, progress, worklist
from approvals.services import cases, demands, results
from approvals.services.commands import Apply, Correct, Decide, Demand, HandOver, Reasoned
from approvals.web.schemas import listed_item_choices
from delivery.events import ParcelDelivered, ParcelDeliveryRevoked, ParcelLost
from delivery.queries import parcel_view
from delivery.services import Pack, contents_ready, pack
from marketplace.models.catalogue import ItemApproval, ItemVersion
from marketplace.services import contracts
from marketplace.services.contracts import AcceptDeliverable
from tests.approvals.builders import (
    AT_THE_WINDOW,
    BY_COURIER,
    ELECTRONIC,
    STEP,
    Clock,
    Story,
    approved,
    at,
    handled,
    made,
    submitted,
)
from tests.builders import a_member, an_organisation
from tests.marketplace.contract_builders import delivered, signed
from tests.marketplace.procurement_builders import an_item


@pytest.fixture(autouse=True)
def _application(app: Flask) -> None:
    """Every test here talks to the services of a fresh application."""


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def refused(refusal: type[DomainError], story: Story, run: Callable[[], object]) -> DomainError:
    """The refusal, after a look that state, version and the log are what they were."""
    before = (story.row.state, story.row.version, count(AuditEvent))
    with pytest.raises(refusal) as caught:
        run()
    assert (story.row.state, story.row.version, count(AuditEvent)) == before
    return caught.value


# --- intake -------------------------------------------------------------------------------------------------------


def test_an_application_is_received_and_accepted_with_its_limits(clock_at: Clock) -> None:
    story = handled(clock_at)
    row, view = story.row, story.seen
    assert (row.state, view.national_code) == ("handling", 8)
    assert (row.promised_on, row.limit_on) == (date(2026, 6, 15), date(2026, 6, 30))  # 10 and 20 working days
    assert view.clock is not None
    assert (view.clock.limit_wd, view.clock.remaining_wd, view.turn) == (10, 10, "department")


def test_acceptance_and_decision_are_separated(clock_at: Clock) -> None:
    story = submitted(clock_at)
    refused(NotAllowed, story, lambda: cases.receive(story.official, story.id, STEP))
    cases.receive(story.clerk, story.id, STEP)
    cases.accept(story.clerk, story.id, STEP)
    refused(NotAllowed, story, lambda: cases.start_handling(story.clerk, story.id, STEP))
    cases.start_handling(story.official, story.id, STEP)
    refused(NotAllowed, story, lambda: cases.approve(story.clerk, story.id, Decide()))
    refused(NotAllowed, story, lambda: cases.approve(story.applicant, story.id, Decide()))


def test_a_correction_goes_to_the_applicant_and_back(clock_at: Clock) -> None:
    story = submitted(clock_at)
    cases.receive(story.clerk, story.id, STEP)
    refused(Refused, story, lambda: cases.ask_correction(story.clerk, story.id, Reasoned("")))
    cases.ask_correction(story.clerk, story.id, Reasoned("缺少用地批准文件"))
    assert (story.seen.national_code, story.seen.turn) == (6, "applicant")
    cases.correct(story.applicant, story.id, Correct(reason="已补充用地批准文件"))
    assert story.seen.national_code == 7
    cases.accept(story.clerk, story.id, STEP)
    assert story.state == "accepted"


@pytest.mark.parametrize(
    ("step", "state", "code"), [(cases.turn_away, "out_of_remit", 4), (cases.refuse, "refused", 5)]
)
def test_the_window_refuses_with_a_reason(clock_at: Clock, step: Callable[..., None], state: str, code: int) -> None:
    story = submitted(clock_at)
    cases.receive(story.clerk, story.id, STEP)
    step(story.clerk, story.id, Reasoned("不属于本机关职权范围"))
    assert (story.state, story.seen.national_code) == (state, code)
    refused(IllegalTransition, story, lambda: cases.accept(story.clerk, story.id, STEP))


def test_an_office_that_is_no_hall_cannot_receive(clock_at: Clock) -> None:
    story = submitted(clock_at)
    agency = an_organisation(OrganisationKind.AGENCY)
    command = Apply(story.row.item_id, agency, "滨江新城", AT_THE_WINDOW)
    with pytest.raises(Refused) as caught:
        cases.apply(story.applicant, command)
    assert (caught.value.field, count(Case)) == ("hall_organisation_id", 1)
    with pytest.raises(Refused) as caught:
        cases.apply(story.applicant, replace(command, item_id=new_id()))
    assert (caught.value.field, count(Case)) == ("item_id", 1)


@pytest.mark.parametrize(
    ("service", "field"),
    [
        (replace(BY_COURIER, receiver=None), "receiver_name"),
        (replace(BY_COURIER, who_may_sign=None), "who_may_sign"),
        (replace(BY_COURIER, mandate_accepted=False), "mandate_accepted"),
    ],
)
def test_an_incomplete_choice_of_the_courier_makes_no_case(clock_at: Clock, service: object, field: str) -> None:
    with pytest.raises(Refused) as caught:
        submitted(clock_at, service)  # type: ignore[arg-type]
    assert (caught.value.field, count(Case)) == (field, 0)


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_special_procedure_moves_both_limits(clock_at: Clock) -> None:
    story = handled(clock_at)
    clock_at(at(6, 3))
    cases.start_special_procedure(story.official, story.id, Reasoned("组织专家评审"))
    assert story.seen.national_code == 9
    refused(IllegalTransition, story, lambda: cases.approve(story.official, story.id, Decide()))
    clock_at(at(6, 9))
    cases.end_special_procedure(story.official, story.id, STEP)
    # 4, 5, 8 and 9 June are taken out
    assert (story.state, story.row.promised_on, story.row.limit_on) == ("handling", date(2026, 6, 22), date(2026, 7, 6))


def test_a_missed_statutory_limit_is_flagged_once(clock_at: Clock) -> None:
    story = handled(clock_at)
    clock_at(at(6, 30, 23))
    assert flag_missed_limits() == 0
    clock_at(at(7, 1))
    assert (flag_missed_limits(), flag_missed_limits()) == (1, 0)
    assert story.row.overdue_since == date(2026, 7, 1)


# --- demands ------------------------------------------------------------------------------------------------------


def test_a_listed_service_can_be_demanded_once(clock_at: Clock) -> None:
    story = handled(clock_at)
    item = an_item(name="建设工程规划放线测量")
    demands.demand(story.official, story.id, Demand(item, "规划许可需要放线成果"))
    assert [(d.item_name, d.met_at) for d in story.seen.demands] == [("建设工程规划放线测量", None)]
    again = refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(item, "再次")))
    assert again.code == "demand-already-demanded"
    refused(NotAllowed, story, lambda: demands.demand(story.applicant, story.id, Demand(item, "自己要求")))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "draft", "effective_from": None, "published_at": None}, "demand-not-published"),
        ({"effective_from": date(2026, 7, 1)}, "demand-not-yet-in-force"),
        ({"state": "superseded", "effective_to": date(2026, 5, 1)}, "demand-no-longer-in-force"),
        ({"state": "cancelled", "effective_to": date(2026, 5, 31)}, "demand-no-longer-in-force"),
        ({"state": "cancelled"}, "demand-not-published"),
    ],
)
def test_nothing_outside_the_list_in_force_can_be_demanded(
    clock_at: Clock, changes: dict[str, object], code: str
) -> None:
    story = handled(clock_at)
    item = an_item(**changes)
    assert refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(item, "需要"))).code == code
    unknown = refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(new_id(), "需要")))
    assert unknown.code == "demand-not-published"
    assert count(DemandedDeliverable) == 0


def _follow_up(item_version_id: UUID, since: date) -> UUID:
    """The next version of an item in force since a day; the one before it is superseded on that day."""
    with transaction() as session:
        old = session.get_one(ItemVersion, item_version_id)
        old.state, old.effective_to = "superseded", since
        session.flush()
        facts = {c.name: getattr(old, c.name) for c in ItemVersion.__table__.columns}
        new = ItemVersion(**facts | {"id": new_id(), "version": 2, "state": "published"})
        new.effective_from, new.effective_to = since, None
        session.add(new)
    return new.id


def test_the_list_of_the_day_of_the_application_binds(clock_at: Clock) -> None:
    story = handled(clock_at)
    old = an_item(name="日照分析")
    clock_at(at(6, 10))
    new = _follow_up(old, date(2026, 6, 8))
    later = refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(new, "需要")))
    assert later.code == "demand-not-yet-in-force"
    assert count(DemandedDeliverable) == 0
    demands.demand(story.official, story.id, Demand(old, "需要"))
    assert count(DemandedDeliverable) == 1
    (choice,) = [label for value, label in listed_item_choices() if value == str(old)]
    assert choice.endswith("日照分析 (v1, → 2026-06-08)")


def test_what_was_taken_off_the_list_since_cannot_be_demanded(clock_at: Clock) -> None:
    story = handled(clock_at)
    item = an_item(name="日照分析")
    clock_at(at(6, 10))
    with transaction() as session:
        version = session.get_one(ItemVersion, item)
        version.state, version.effective_to = "cancelled", date(2026, 6, 8)
    assert refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(item, "需要"))).code == (
        "demand-cancelled"
    )


@pytest.mark.parametrize(("codes", "code"), [(("PL-9999",), "demand-other-approval"), (("PL-9999", "own"), None)])
def test_a_service_is_demanded_only_for_the_approvals_it_serves(
    clock_at: Clock, codes: tuple[str, ...], code: str | None
) -> None:
    story = handled(clock_at)
    own = db.session.scalars(sa.select(ApprovalItem.code).where(ApprovalItem.id == story.row.item_id)).one()
    item = an_item(published_at=None, state="draft", effective_from=None)
    with transaction() as session:
        session.add_all(ItemApproval(item_version_id=item, approval_code=c if c != "own" else own) for c in codes)
        session.flush()
        version = session.get_one(ItemVersion, item)
        version.effective_from, version.published_at, version.state = date(2026, 1, 1), at(5, 1), "published"
    if code is None:
        demands.demand(story.official, story.id, Demand(item, "需要"))
        assert count(DemandedDeliverable) == 1
        return
    assert refused(Refused, story, lambda: demands.demand(story.official, story.id, Demand(item, "需要"))).code == code
    assert count(DemandedDeliverable) == 0


def test_the_database_itself_refuses_a_demand_outside_the_list(clock_at: Clock) -> None:
    story = handled(clock_at)
    row = DemandedDeliverable(
        case_id=story.id, item_version_id=new_id(), item_id=new_id(), item_name="清单外事项",
        reason="", demanded_by_name="", demanded_at=at(6, 1),
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(row)


def test_the_accepted_deliverable_comes_to_the_case_by_itself(clock_at: Clock) -> None:
    story = handled(clock_at)
    item = an_item(name="地形测量")
    demands.demand(story.official, story.id, Demand(item, "审批需要测量成果"))
    assert refused(Refused, story, lambda: cases.approve(story.official, story.id, Decide())).code == "demands-open"
    linked = {"item_version_id": item, "case_subject": story.row.subject, "thread_id": story.row.thread_id}
    service = signed(clock_at, story.applicant.organisation_id, **linked)
    (waiting,) = story.seen.demands
    assert waiting.procurement is not None
    assert (waiting.procurement.id, waiting.procurement.is_over) == (service.row.procurement_id, False)
    delivered(service, at(6, 8))
    contracts.accept(service.owner, service.id, AcceptDeliverable())
    drain_all()
    (met,) = story.seen.demands
    assert (met.contract_id, met.file_title, met.met_at) == (service.id, "地形测量成果报告", at(6, 8))
    drain_all()
    cases.approve(story.official, story.id, Decide())
    assert story.state == "approved"


def test_a_strangers_procurement_cannot_reach_into_a_case(clock_at: Clock) -> None:
    story = handled(clock_at)
    item = an_item(name="地形测量")
    demands.demand(story.official, story.id, Demand(item, "审批需要测量成果"))
    service = signed(clock_at, item_version_id=item, case_subject=story.row.subject)
    delivered(service, at(6, 8))
    contracts.accept(service.owner, service.id, AcceptDeliverable())
    drain_all()
    assert story.seen.demands[0].met_at is None


# --- decision and certificate -------------------------------------------------------------------------------------


def test_the_decision_sets_the_term_for_serving(clock_at: Clock) -> None:
    story = approved(clock_at)
    assert (story.state, story.row.serve_by) == ("approved", end_of_day(date(2026, 6, 23)))
    (task,) = print_queue(story.printer).items
    assert (task.title, task.state, task.serve_by) == ("建设工程规划许可证", "queued", end_of_day(date(2026, 6, 23)))
    assert story.seen.clock is not None
    assert story.seen.clock.is_stopped


@pytest.mark.parametrize(("step", "code"), [(cases.approve_with_tolerance, 12), (cases.reject, 13)])
def test_other_decisions_need_reasons(clock_at: Clock, step: Callable[..., None], code: int) -> None:
    story = handled(clock_at)
    refused(Refused, story, lambda: step(story.official, story.id, Decide()))
    step(story.official, story.id, Decide("日照分析报告于十五日内补交"))
    assert story.seen.national_code == code


def test_a_rejection_is_served_in_writing(clock_at: Clock) -> None:
    story = handled(clock_at)
    cases.reject(story.official, story.id, Decide("不符合控制性详细规划"))
    assert print_queue(story.printer).items[0].title == "不予行政许可决定书"


def test_the_certificate_gets_a_serial_and_a_checkable_paper(clock_at: Clock) -> None:
    story = made(clock_at)
    (piece,) = story.seen.certificates
    assert (piece.state, piece.serial, piece.printed_by_name) == ("printed", "ZS-2026-000001", "郑制证")
    (paper,) = issued_for(story.row.subject)
    assert (paper.kind, paper.number, paper.revoked_at) == ("certificate", "ZS-2026-000001", None)
    with pytest.raises(IllegalTransition):
        results.make_certificate(story.printer, piece.id, STEP)
    assert count(Certificate) == 1


def test_only_the_centre_makes_certificates(clock_at: Clock) -> None:
    story = approved(clock_at)
    for actor in (story.clerk, story.official, story.applicant):
        refused(NotAllowed, story, lambda actor=actor: results.make_certificate(actor, story.certificate_id, STEP))  # type: ignore[misc]
    other_hall = a_member(Role.CERTIFICATE_CENTRE)
    refused(NotFound, story, lambda: results.make_certificate(other_hall, story.certificate_id, STEP))
    assert print_queue(other_hall).items == ()


def test_the_paper_of_a_revoked_approval_is_void(clock_at: Clock) -> None:
    story = made(clock_at)
    refused(NotAllowed, story, lambda: cases.revoke(story.clerk, story.id, Reasoned("x")))
    cases.revoke(story.official, story.id, Reasoned("以欺骗手段取得许可"))
    assert (story.state, story.seen.national_code) == ("revoked", 15)
    assert issued_for(story.row.subject)[0].revoked_reason == "以欺骗手段取得许可"


def test_a_spoiled_piece_is_void_and_made_again(clock_at: Clock) -> None:
    story = made(clock_at)
    results.spoil_certificate(story.printer, story.certificate_id, Reasoned("印章不清"))
    assert [(c.state, c.serial) for c in story.seen.certificates] == [("queued", None), ("spoiled", "ZS-2026-000001")]
    assert issued_for(story.row.subject)[0].revoked_reason == "印章不清"
    results.make_certificate(story.printer, story.certificate_id, STEP)
    assert story.seen.certificates[0].serial == "ZS-2026-000002"


# --- service ------------------------------------------------------------------------------------------------------


def test_an_electronic_certificate_needs_nobody(clock_at: Clock) -> None:
    story = approved(clock_at, ELECTRONIC)
    view = story.seen
    assert (view.service.state, view.served_at, view.service.signer_class) == ("served", at(6, 8), "electronic")
    assert view.certificates[0].serial == "ZS-2026-000001"


def test_collecting_at_the_window(clock_at: Clock) -> None:
    story = made(clock_at)
    refused(NotAllowed, story, lambda: results.hand_over(story.printer, story.id, HandOver("周敏")))
    clock_at(at(6, 10))
    results.hand_over(story.clerk, story.id, HandOver("周敏"))
    assert (story.seen.service.signer_name, story.row.served_at) == ("周敏", at(6, 10))
    with pytest.raises(IllegalTransition):
        results.hand_over(story.clerk, story.id, HandOver("周敏"))


def test_the_courier_gets_a_parcel_with_the_statutory_term(clock_at: Clock) -> None:
    story = approved(clock_at, BY_COURIER)
    parcel_id = story.seen.service.parcel_id
    assert parcel_id is not None
    parcel = parcel_view(parcel_id)
    assert (parcel.subject, parcel.thread_id, parcel.state) == (story.row.subject, story.row.thread_id, "created")
    assert parcel.serve_by == end_of_day(date(2026, 6, 23))
    results.make_certificate(story.printer, story.certificate_id, STEP)
    assert (parcel_view(parcel_id).state, story.seen.service.state) == ("ready", "ready")
    refused(Conflict, story, lambda: results.hand_over(story.clerk, story.id, HandOver("周敏")))


def parcel_events(story: Story, *events: type) -> None:
    parcel_id = story.seen.service.parcel_id
    assert parcel_id is not None
    facts = {"parcel_id": parcel_id, "subject": story.row.subject, "thread_id": story.row.thread_id}
    for kind in events:
        more = (
            {"signer_name": "周敏", "signer_class": "self", "delivered_at": at(6, 10, 15)}
            if kind is ParcelDelivered
            else {}
        )
        with transaction():
            publish(kind(**facts, **more))
        drain_all()


def test_the_couriers_delivery_is_the_service(clock_at: Clock) -> None:
    story = made(clock_at, BY_COURIER)
    parcel_events(story, ParcelDelivered, ParcelDelivered)
    service = story.seen.service
    assert (service.state, service.signer_name, service.signer_class, service.served_at) == (
        "served",
        "周敏",
        "self",
        at(6, 10, 15),
    )
    assert story.row.served_at == at(6, 10, 15)


def test_a_delivery_that_is_taken_back_reopens_the_service(clock_at: Clock) -> None:
    story = made(clock_at, BY_COURIER)
    parcel_events(story, ParcelDelivered, ParcelDeliveryRevoked, ParcelDeliveryRevoked)
    assert (story.seen.service.state, story.row.served_at, story.seen.service.signer_name) == ("ready", None, None)
    clock_at(end_of_day(date(2026, 6, 23)) + timedelta(seconds=1))
    assert (flag_missed_limits(), flag_missed_limits()) == (1, 0)
    parcel_events(story, ParcelDelivered)
    assert story.seen.service.state == "served"


def test_somebody_elses_parcel_serves_nothing(clock_at: Clock) -> None:
    story = made(clock_at, BY_COURIER)
    with transaction():
        publish(ParcelDelivered(new_id(), story.row.subject, story.row.thread_id, "别人", "self", at(6, 10)))
    drain_all()
    assert story.row.served_at is None


def test_a_lost_envelope_is_made_again(clock_at: Clock) -> None:
    story = made(clock_at, BY_COURIER)
    first = story.seen.service.parcel_id
    with transaction() as session:  # as the delivery domain leaves it behind
        session.execute(sa.text("UPDATE parcel SET state = 'lost' WHERE id = :id"), {"id": first.hex if first else ""})
    parcel_events(story, ParcelLost)
    view = story.seen
    assert [c.state for c in view.certificates] == ["queued", "spoiled"]
    assert view.service.parcel_id not in {None, first}
    assert view.service.state == "chosen"


def test_the_choice_can_be_changed_until_the_envelope_is_packed(clock_at: Clock) -> None:
    story = handled(clock_at, BY_COURIER)
    results.choose_service(story.applicant, story.id, AT_THE_WINDOW)
    assert (story.seen.service.mode, story.seen.service.address) == ("window", None)
    refused(NotAllowed, story, lambda: results.choose_service(story.clerk, story.id, BY_COURIER))
    results.choose_service(story.applicant, story.id, BY_COURIER)
    cases.approve(story.official, story.id, Decide())
    first = story.seen.service.parcel_id
    assert first is not None
    results.choose_service(story.applicant, story.id, AT_THE_WINDOW)
    assert (story.seen.service.parcel_id, parcel_view(first).state) == (None, "cancelled")
    results.choose_service(story.applicant, story.id, BY_COURIER)
    second = story.seen.service.parcel_id
    assert second not in (None, first)
    assert second is not None
    contents_ready(SYSTEM, second)
    packer = a_member(Role.POSTAL_STAFF, story.row.hall_organisation_id)
    pack(packer, second, Pack("FQ-CHOICE", 120, contents_compared=True))
    refused(Conflict, story, lambda: results.choose_service(story.applicant, story.id, AT_THE_WINDOW))
    assert parcel_view(second).state == "packed"


# --- who sees what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "role",
    [Role.OWNER, Role.AGENCY, Role.WINDOW_CLERK, Role.APPROVING_DEPARTMENT, Role.CERTIFICATE_CENTRE, Role.OPERATOR],
)
def test_a_case_of_others_does_not_exist(clock_at: Clock, role: Role) -> None:
    story = made(clock_at)
    stranger = a_member(role)
    with pytest.raises(NotFound):
        case_view(stranger, story.id)
    with pytest.raises(NotFound):
        certificate_view(stranger, story.certificate_id)
    refused(NotFound, story, lambda: cases.revoke(stranger, story.id, Reasoned("x")))
    assert cases_of(stranger).items == ()


def test_a_persons_case_is_not_its_employers(clock_at: Clock) -> None:
    story = submitted(clock_at, as_owner=False)
    assert story.applicant.organisation_id is None
    assert [row.id for row in cases_of(story.applicant).items] == [story.id]
    with pytest.raises(NotFound):
        case_view(a_member(Role.APPLICANT), story.id)


def test_the_address_is_not_for_the_department(clock_at: Clock) -> None:
    story = handled(clock_at, BY_COURIER)
    assert case_view(story.clerk, story.id).service.address == "北京东路41号2幢301室"
    hidden = case_view(story.official, story.id).service
    assert (hidden.address, hidden.receiver_name, hidden.receiver_mobile) == (None, None, "138****8000")


def test_everybody_finds_what_waits_for_them(clock_at: Clock) -> None:
    story = handled(clock_at)
    for actor, turn in ((story.official, "mine"), (story.applicant, "waiting"), (story.clerk, "waiting")):
        assert [item.turn for item in worklist(actor)] == [turn]
    assert cases_of(story.official).items[0].due_at == date(2026, 6, 15)


def test_public_progress_needs_number_and_code(clock_at: Clock) -> None:
    story = approved(clock_at)
    code = story.row.query_code
    found = progress(story.row.number.lower(), f" {code[:4]} {code[4:]}".lower())
    assert (found.state, found.national_code, found.decided_at) == ("approved", 11, at(6, 8))
    for number, wrong in ((story.row.number, "AAAAAAAA"), ("BJ-2026-999999", code), (story.row.number, "")):
        with pytest.raises(NotFound):
            progress(number, wrong)
