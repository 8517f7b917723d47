"""Contracts: signing, the working-day clock with its pauses, deliverables, acceptance, money, rating, closing."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import outbox
from app.kernel.access import Actor, Role
from app.kernel.audit import AuditEvent
from app.kernel.calendar import end_of_day
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from app.kernel.files import Upload
from app.kernel.timeline import thread_entries
from marketplace.jobs.contracts import keep_time_limits
from marketplace.models.contracts import ClockPause, ContractSignature, Deliverable
from marketplace.models.procurements import Procurement
from marketplace.models.reviews import Rating
from marketplace.queries.contracts import contract_view, contracts_of, worklist
from marketplace.rules.contract_text import document_digest
from marketplace.services import contracts, reviews
from marketplace.services.contracts import AcceptDeliverable, AskPause, ConfirmPause, Reasoned
from marketplace.services.reviews import RateService
from marketplace.states.engagement import PauseReason, Settlement
from marketplace.states.parts import Part
from payments import services as payments
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.refunds import Refund
from payments.observed import RefundFact
from payments.queries import bill_page, bill_view
from payments.services import DecideRefund, StartPayment
from payments.services.refunds import apply_refund
from payments.simulator.application import open_simulator
from payments.simulator.inprocess import InProcessHttp, Payer
from tests.builders import a_member
from tests.marketplace.contract_builders import PRICE, Clock, Engagement, a_report, at, delivered, drawn_up, signed

STARS = RateService(quality=5, timeliness=4, attitude=5, fee=4, conformity=5, comment="按时完成,成果规范。")
ASK = AskPause(PauseReason.SITE_NOT_ACCESSIBLE, "施工围挡未拆除,测绘人员无法进场。")


@pytest.fixture(autouse=True)
def _application(app: Flask) -> None:
    """Every test here talks to the services of a fresh application."""


@pytest.fixture
def pay(app: Flask) -> Callable[[Engagement], None]:
    """Pay the service fee through the real adapter and a simulator in this process."""

    def run(made: Engagement) -> None:
        simulator = open_simulator(":memory:")
        app.extensions[EXTENSION] = StripeGateway("sk_test_x", "http://127.0.0.1:8421", http=InProcessHttp(simulator))
        bill_id = made.seen.bill_id
        assert bill_id is not None
        payment_id = payments.start_payment(made.owner, bill_id, StartPayment("alipay"))
        payments.send_payment(payment_id)
        attempt = bill_page(made.owner, bill_id).live_payment
        assert attempt is not None
        assert attempt.cashier_url is not None
        Payer(simulator, attempt.cashier_url).pay("alipay")
        payments.sync_payment(payment_id)
        outbox.drain_all()
        simulator.backend.store.close()

    return run


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def refused(refusal: type[DomainError], made: Engagement, run: Callable[[], object]) -> DomainError:
    """The refusal, after a look that state, version and the log are what they were."""
    before = (made.row.state, made.row.version, count(AuditEvent))
    with pytest.raises(refusal) as caught:
        run()
    assert (made.row.state, made.row.version, count(AuditEvent)) == before
    return caught.value


# --- drawing up and signing ---------------------------------------------------------------------------------------


def test_the_contract_states_what_was_awarded(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    row = made.row
    assert row.state == "to_sign_agency"
    assert row.document_sha256 == document_digest(row.document_text)
    for fact in (row.number, "江岸测绘有限公司", "18,000.00", "壹万捌仟元整", "10个工作日", "地形测量"):
        assert fact in row.document_text
    assert row.sign_by == end_of_day(date(2026, 6, 15))  # ten working days after 1 June


def test_the_owners_signature_starts_the_clock_and_opens_the_bill(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    contracts.sign(made.agency, made.id, made.signature())
    assert (made.state, count(Bill)) == ("to_sign_owner", 0)
    clock_at(at(6, 2, 15))
    contracts.sign(made.owner, made.id, made.signature())
    row, view = made.row, made.seen
    assert (row.state, row.starts_on, row.deadline_on) == ("running", date(2026, 6, 2), date(2026, 6, 16))
    assert [(s.side, s.name, s.signed_at) for s in view.signatures] == [
        ("agency", "陈立", at(6, 1)),
        ("owner", "周敏", at(6, 2, 15)),
    ]
    assert {s.document_sha256 for s in view.signatures} == {row.document_sha256}
    bill = db.session.scalars(sa.select(Bill)).one()
    assert (bill.id, bill.amount_fen, bill.subject) == (made.seen.bill_id, PRICE, f"contract:{row.id}")
    assert (bill.payer_organisation_id, bill.payee_organisation_id) == (
        made.owner.organisation_id,
        made.agency.organisation_id,
    )
    assert bill.due_at == end_of_day(date(2026, 7, 2))  # thirty days


def test_the_owner_cannot_sign_before_the_agency(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    refused(NotAllowed, made, lambda: contracts.sign(made.owner, made.id, made.signature()))
    assert count(ContractSignature) == 0


def test_only_the_shown_text_can_be_signed(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    other = contracts.SignContract(document_sha256="0" * 64, agreed=True)
    unread = contracts.SignContract(document_sha256=made.row.document_sha256, agreed=False)
    stale = contracts.SignContract(document_sha256=made.row.document_sha256, agreed=True, version=99)
    assert refused(Conflict, made, lambda: contracts.sign(made.agency, made.id, other)).code == "document-changed"
    assert refused(Refused, made, lambda: contracts.sign(made.agency, made.id, unread)).code == "not-agreed"
    refused(Outdated, made, lambda: contracts.sign(made.agency, made.id, stale))
    assert count(ContractSignature) == 0


def test_a_second_signature_of_the_same_side_is_refused(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    contracts.sign(made.agency, made.id, made.signature())
    refused(NotAllowed, made, lambda: contracts.sign(made.agency, made.id, made.signature()))
    assert count(ContractSignature) == 1


def test_signing_takes_the_procurement_along_and_issues_the_paper(clock_at: Clock) -> None:
    made = signed(clock_at)
    outbox.drain_all()
    db.session.expire_all()
    assert db.session.get_one(Procurement, made.row.procurement_id).state == "in_service"
    from app.documents import issued_for

    (paper,) = issued_for(made.row.subject)
    assert (paper.kind, paper.number) == ("contract", made.row.number)
    assert dict(paper.facts)["SHA-256 of the signed text"] == made.row.document_sha256


def test_an_unsigned_contract_can_be_terminated_by_the_operator_only(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    refused(NotAllowed, made, lambda: contracts.terminate(made.agency, made.id, Reasoned("不签")))
    contracts.terminate(made.operator, made.id, Reasoned("机构逾期未签署"))
    assert made.state == "terminated"


@pytest.mark.parametrize("role", [Role.OWNER, Role.AGENCY, Role.APPLICANT, Role.POSTAL_STAFF])
def test_a_contract_of_others_does_not_exist(clock_at: Clock, role: Role) -> None:
    made = drawn_up(clock_at)
    stranger = a_member(role)
    with pytest.raises(NotFound):
        contract_view(stranger, made.id)
    refused(NotFound, made, lambda: contracts.sign(stranger, made.id, made.signature()))
    assert contracts_of(stranger).items == ()


# --- pauses -------------------------------------------------------------------------------------------------------


def test_a_confirmed_pause_counts_from_the_day_of_asking(clock_at: Clock) -> None:
    made = signed(clock_at)
    clock_at(at(6, 3))
    contracts.ask_pause(made.agency, made.id, ASK)
    assert (made.state, made.seen.turn) == ("pause_asked", Part.OWNER)
    assert made.row.answer_by == end_of_day(date(2026, 6, 5))
    clock_at(at(6, 4))
    contracts.confirm_pause(made.owner, made.id, ConfirmPause())
    clock_at(at(6, 8))
    reading = made.seen.clock
    assert reading is not None
    assert (made.state, reading.used_wd, reading.paused_wd, reading.is_paused) == ("paused", 2, 3, True)
    clock_at(at(6, 9))
    contracts.resume(made.agency, made.id, Reasoned("已可进场"))
    # 4, 5, 8 and 9 June are taken out; four working days after 15 June, 19 June being a holiday
    assert (made.state, made.row.deadline_on) == ("running", date(2026, 6, 22))


def test_only_the_other_side_or_the_operator_confirms(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_pause(made.agency, made.id, ASK)
    refused(NotAllowed, made, lambda: contracts.confirm_pause(made.agency, made.id, ConfirmPause()))
    contracts.confirm_pause(made.operator, made.id, ConfirmPause())
    assert made.state == "paused"


def test_a_refused_pause_leaves_the_clock_untouched(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_pause(made.owner, made.id, ASK)
    clock_at(at(6, 3))
    refused(Refused, made, lambda: contracts.refuse_pause(made.agency, made.id, Reasoned(" ")))
    contracts.refuse_pause(made.agency, made.id, Reasoned("现场可以进入"))
    reading = made.seen.clock
    assert reading is not None
    assert (made.state, reading.paused_wd, made.row.deadline_on) == ("running", 0, date(2026, 6, 15))


def test_an_unanswered_question_lapses_after_two_working_days(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_pause(made.agency, made.id, ASK)
    answer_by = made.row.answer_by
    assert answer_by == end_of_day(date(2026, 6, 3))
    clock_at(answer_by)
    assert keep_time_limits() == 0
    clock_at(answer_by + timedelta(seconds=1))
    late = refused(Conflict, made, lambda: contracts.confirm_pause(made.owner, made.id, ConfirmPause()))
    assert late.code == "pause-lapsed"
    assert keep_time_limits() == 1
    assert keep_time_limits() == 0
    pause = db.session.scalars(sa.select(ClockPause)).one()
    assert (made.state, pause.outcome, made.row.deadline_on) == ("running", "lapsed", date(2026, 6, 15))


def test_a_pause_cannot_be_asked_for_by_the_operator(clock_at: Clock) -> None:
    made = signed(clock_at)
    refused(NotAllowed, made, lambda: contracts.ask_pause(made.operator, made.id, ASK))


# --- deliverable and acceptance -----------------------------------------------------------------------------------


def test_the_days_of_a_review_that_ends_in_a_return_do_not_count(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    row = made.row
    assert (row.state, row.delivered_on, row.accept_by) == (
        "delivered",
        date(2026, 6, 8),
        end_of_day(date(2026, 6, 15)),
    )
    clock_at(at(6, 10))
    contracts.return_deliverable(made.owner, made.id, Reasoned("缺少坐标系说明"))
    reading = made.seen.clock
    assert reading is not None
    assert (made.state, reading.used_wd, reading.paused_wd) == ("running", 5, 2)
    assert made.row.deadline_on == date(2026, 6, 17)
    delivered(made, at(6, 12))
    assert [(d.number, d.return_reason) for d in made.seen.deliverables] == [(2, None), (1, "缺少坐标系说明")]


def test_a_return_needs_a_reason_and_acceptance_the_owner(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    refused(Refused, made, lambda: contracts.return_deliverable(made.owner, made.id, Reasoned("")))
    refused(NotAllowed, made, lambda: contracts.accept(made.agency, made.id, AcceptDeliverable()))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    refused(IllegalTransition, made, lambda: contracts.accept(made.owner, made.id, AcceptDeliverable()))


def test_a_bad_file_changes_nothing(clock_at: Clock) -> None:
    made = signed(clock_at)
    program = a_report(file=Upload("report.pdf", b"MZ\x90\x00" + b"\0" * 64))
    refused(DomainError, made, lambda: contracts.deliver(made.agency, made.id, program))
    assert count(Deliverable) == 0


def test_handing_in_drops_an_open_question(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_pause(made.agency, made.id, ASK)
    delivered(made, at(6, 3))
    assert (made.state, made.seen.pauses[0].outcome) == ("delivered", "dropped")


def test_silence_is_acceptance_only_after_the_limit_and_two_reminders(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))  # to be accepted by the end of Monday 15 June
    seen = []
    for moment in (at(6, 11), at(6, 12), at(6, 13), at(6, 15), end_of_day(date(2026, 6, 15)) + timedelta(seconds=1)):
        clock_at(moment)
        keep_time_limits()
        seen.append((made.state, made.row.acceptance_reminders))
    assert seen == [("delivered", 0), ("delivered", 1), ("delivered", 1), ("delivered", 2), ("accepted", 2)]
    assert made.seen.deliverables[0].decided_by_name == "system"


def test_a_worker_that_stood_still_reminds_first_and_accepts_later(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    clock_at(at(6, 23))
    keep_time_limits()
    assert (made.state, made.row.acceptance_reminders, made.row.accept_by) == (
        "delivered",
        1,
        end_of_day(date(2026, 6, 24)),
    )
    clock_at(at(6, 24))
    keep_time_limits()
    clock_at(at(6, 25))
    keep_time_limits()
    assert made.state == "accepted"


def test_acceptance_tells_whether_it_was_in_time(clock_at: Clock) -> None:
    late = delivered(signed(clock_at), at(6, 16))
    clock_at(at(6, 17))
    contracts.accept(late.owner, late.id, AcceptDeliverable())
    reading = late.seen.clock
    assert reading is not None
    assert (reading.used_wd, reading.late_wd, reading.is_stopped) == (11, 1, True)


def test_a_missed_deadline_is_flagged_once(clock_at: Clock) -> None:
    made = signed(clock_at)
    clock_at(at(6, 15, 23))
    assert keep_time_limits() == 0
    clock_at(at(6, 16))
    assert (keep_time_limits(), keep_time_limits()) == (1, 0)
    assert (made.state, made.row.overdue_since) == ("running", date(2026, 6, 16))


# --- money, rating, end -------------------------------------------------------------------------------------------


def test_paid_money_is_held_until_acceptance_and_then_released(
    clock_at: Clock, pay: Callable[[Engagement], None]
) -> None:
    made = signed(clock_at)
    pay(made)
    bill_id = made.seen.bill_id
    assert bill_id is not None
    assert (made.seen.funded_at, bill_view(bill_id).held_fen) == (at(6, 1), PRICE)
    delivered(made, at(6, 8))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen, made.seen.released_at) == ("released", 0, at(6, 8))


def test_held_money_goes_back_when_the_contract_ends_before_acceptance(
    clock_at: Clock, pay: Callable[[Engagement], None]
) -> None:
    made = signed(clock_at)
    pay(made)
    contracts.propose_termination(made.owner, made.id, contracts.ProposeTermination("项目取消"))
    contracts.agree_termination(made.agency, made.id, Plain())
    assert (made.state, made.row.settled_at) == ("terminated", None)
    (asked,) = db.session.scalars(sa.select(Refund))
    assert (asked.amount_fen, asked.state) == (PRICE, "requested")
    assert contracts.settle(made.id) is False
    assert count(Refund) == 1, "asked for once"
    payments.approve_refund(made.operator, asked.id, DecideRefund())
    apply_refund(asked.id, RefundFact("re_1", "succeeded", PRICE, "cny", (), None))
    outbox.drain_all()
    (fee,) = made.seen.milestones
    assert (made.row.settled_at, fee.fee_state, fee.released_at) == (at(6, 1), "refunded", None)
    assert contracts.mark_refunded(made.id, asked.bill_id) is False


def test_money_that_comes_after_acceptance_is_released_at_once(
    clock_at: Clock, pay: Callable[[Engagement], None]
) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    reviews.rate(made.owner, made.id, STARS)
    assert (made.state, made.seen.released_at) == ("rated", None)
    pay(made)
    assert (made.state, made.seen.released_at) == ("closed", at(6, 8))
    outbox.drain_all()
    db.session.expire_all()
    assert db.session.get_one(Procurement, made.row.procurement_id).state == "closed"


def test_one_contract_one_rating(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    refused(IllegalTransition, made, lambda: reviews.rate(made.owner, made.id, STARS))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    refused(NotAllowed, made, lambda: reviews.rate(made.agency, made.id, STARS))
    reviews.rate(made.owner, made.id, STARS)
    refused(IllegalTransition, made, lambda: reviews.rate(made.owner, made.id, STARS))
    rating = made.seen.rating
    assert rating is not None
    assert (rating.overall, rating.on_time, count(Rating)) == (460, True, 1)


def test_the_rating_period_of_three_working_days_ends(clock_at: Clock, pay: Callable[[Engagement], None]) -> None:
    made = signed(clock_at)
    pay(made)
    delivered(made, at(6, 8))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    assert made.row.rate_by == end_of_day(date(2026, 6, 11))
    clock_at(at(6, 12))
    assert refused(Refused, made, lambda: reviews.rate(made.owner, made.id, STARS)).code == "rating-period-over"
    assert keep_time_limits() == 1
    assert made.state == "closed"


def test_what_was_signed_and_rated_cannot_be_rewritten(clock_at: Clock) -> None:
    made = signed(clock_at)
    with pytest.raises(sa.exc.IntegrityError), db.engine.begin() as connection:
        connection.execute(sa.update(ContractSignature).values(name="别人"))
    assert {s.name for s in made.seen.signatures} == {"陈立", "周敏"}


# --- what people see ----------------------------------------------------------------------------------------------


def test_lists_and_workbench_say_whose_turn_it_is(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    (row,) = contracts_of(made.owner).items
    assert (row.state, row.turn, row.due_at) == ("delivered", Part.OWNER, end_of_day(date(2026, 6, 15)))
    assert [item.turn for item in worklist(made.owner)] == ["mine"]
    assert [item.turn for item in worklist(made.agency)] == ["waiting"]
    assert contracts_of(made.operator, state="running").items == ()


def test_both_sides_read_the_same_timeline(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))

    def steps(actor: Actor) -> list[str]:
        return [e.action for e in thread_entries(made.row.thread_id, actor) if e.object_type == "contract"]

    assert steps(made.owner) == steps(made.agency) == ["drawn_up", "put_forward", "sign", "sign", "deliver"]
    assert steps(a_member(Role.OWNER)) == []


def test_a_dispute_freezes_the_held_money_and_its_settlement_divides_it(
    clock_at: Clock, pay: Callable[[Engagement], None]
) -> None:
    made = signed(clock_at)
    pay(made)
    bill_id = made.seen.bill_id
    assert bill_id is not None
    contracts.open_dispute(made.owner, made.id, contracts.OpenDispute("进度和质量均不符合约定"))
    with pytest.raises(Conflict):
        payments.release_held(made.operator, bill_id, "越过争议放款", 1)
    whole = contracts.Mediate(Settlement.TERMINATE, "终止，按完成量结算", agency_fen=PRICE)
    with pytest.raises(Refused):
        contracts.mediate(made.operator, made.id, whole)
    assert bill_view(bill_id).held_fen == PRICE
    part = contracts.Mediate(Settlement.TERMINATE, "终止，按完成量结算四成", agency_fen=PRICE * 4 // 10)
    contracts.mediate(made.operator, made.id, part)
    (asked,) = db.session.scalars(sa.select(Refund))
    assert (asked.amount_fen, bill_view(bill_id).held_fen) == (PRICE * 6 // 10, 0)
    payments.approve_refund(made.operator, asked.id, DecideRefund())
    apply_refund(asked.id, RefundFact("re_1", "succeeded", asked.amount_fen, "cny", (), None))
    outbox.drain_all()
    assert bill_view(bill_id).state == "released"
    (fee,) = made.seen.milestones
    assert (fee.fee_state, made.row.settled_at) == ("refunded", at(6, 1))
