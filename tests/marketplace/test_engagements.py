"""Engagements: milestones and their money, extensions, disputes, breach, endings; each with its refusals."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.notices import Notice
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.calendar import end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, DomainError, IllegalTransition, NotAllowed, NotFound, Refused
from app.kernel.files import Upload
from marketplace.jobs.contracts import keep_time_limits
from marketplace.models.contracts import Contract
from marketplace.models.engagement import ContractTemplateEdition, Evidence, Milestone
from marketplace.models.procurements import Procurement
from marketplace.models.rulebook import RuleBookVersion
from marketplace.queries.contracts.milestones import FeeState
from marketplace.rulebook import RuleBook
from marketplace.rules.contract_text import STANDARD_BODY
from marketplace.rules.milestones import MilestonePlan, write_milestones
from marketplace.services import after_contract, contracts
from marketplace.services.contracts import (
    AcceptDeliverable,
    AskExtension,
    EndNotice,
    Mediate,
    NotifyBreach,
    OpenDispute,
    ProposeSettlement,
    ProposeTermination,
    PutForward,
    Reasoned,
)
from marketplace.services.contracts.templates import TemplateContent, begin_template, change_template, publish_template
from marketplace.states.engagement import BreachKind, Settlement
from marketplace.states.parts import Part
from payments.models.bills import Bill
from payments.models.refunds import Refund
from tests.builders import a_member
from tests.marketplace.contract_builders import PRICE, Clock, Engagement, a_report, at, delivered, drawn_up, signed

THREE = (
    MilestonePlan("外业", 30, "数据齐全"),
    MilestonePlan("内业", 30, "通过检查"),
    MilestonePlan("成果", 40, "通过审查"),
)
CONTENT = TemplateContent(
    title="测绘合同范本",
    body=STANDARD_BODY,
    milestones=write_milestones(THREE),
    payment_moment="held",
    pay_days=30,
    open_fields=("special_terms",),
)


@pytest.fixture(autouse=True)
def _application(app: Flask) -> None:
    """Every test here talks to the services of a fresh application."""


def refused(refusal: type[DomainError], made: Engagement, run: Callable[[], object]) -> DomainError:
    """The refusal, after a look that state, version and the log are what they were."""

    def seen() -> tuple[Any, ...]:
        return made.state, made.row.version, db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))

    before = seen()
    with pytest.raises(refusal) as caught:
        run()
    assert seen() == before
    return caught.value


def a_template(content: TemplateContent = CONTENT) -> None:
    regulator = a_member(Role.REGULATOR)
    publish_template(regulator, begin_template(regulator, None, content), Plain())


def in_three(clock_at: Clock, content: TemplateContent = CONTENT) -> Engagement:
    """A signed contract of three milestones."""
    clock_at(at(6, 1))
    a_template(content)
    return signed(clock_at)


def bills(made: Engagement) -> list[tuple[str, int, str]]:
    rows = db.session.scalars(
        sa.select(Bill).where(Bill.subject == f"contract:{made.id}").order_by(Bill.opened_at, Bill.number)
    )
    return [(row.title.rpartition(" · ")[2], row.amount_fen, row.state) for row in rows]


def fees(made: Engagement) -> list[FeeState]:
    return [one.fee_state for one in made.seen.milestones]


# --- templates --------------------------------------------------------------------------------------------------


def test_a_contract_keeps_the_edition_it_was_drawn_up_from(clock_at: Clock) -> None:
    clock_at(at(6, 1))
    regulator = a_member(Role.REGULATOR)
    template_id = begin_template(regulator, None, CONTENT)
    assert drawn_up(clock_at).row.template_edition_id is None, "a draft holds for nobody"
    publish_template(regulator, template_id, Plain())
    made = drawn_up(clock_at)
    before = made.row.document_text
    assert [one.share for one in made.seen.milestones] == [30, 30, 40]
    change_template(
        regulator, template_id, replace(CONTENT, milestones="全部 | 100", body=STANDARD_BODY + "十一、补充\n")
    )
    publish_template(regulator, template_id, Plain())
    with pytest.raises(Conflict):
        publish_template(regulator, template_id, Plain())
    contracts.redraft(made.owner, made.id, Plain())
    contracts.put_forward(made.owner, made.id, PutForward(special_terms="资料保密"))
    assert "十一、补充" not in made.row.document_text
    assert made.row.document_text == before.replace("九、特别约定\n无", "九、特别约定\n资料保密")
    assert "十一、补充" in drawn_up(clock_at).row.document_text
    with pytest.raises(sa.exc.IntegrityError), db.engine.begin() as connection:
        connection.execute(sa.update(ContractTemplateEdition).values(title="改"))


def test_only_the_regulator_keeps_templates(clock_at: Clock) -> None:
    clock_at(at(6, 1))
    for role in (Role.OPERATOR, Role.OWNER, Role.AGENCY, Role.AUDITOR):
        with pytest.raises(NotAllowed):
            begin_template(a_member(role), None, CONTENT)
    begin_template(a_member(Role.REGULATOR), None, CONTENT)
    with pytest.raises(Conflict):
        begin_template(a_member(Role.REGULATOR), None, CONTENT)


def test_the_text_changes_only_before_the_agency_has_signed(clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    first = made.signature()
    contracts.redraft(made.owner, made.id, Plain())
    refused(Refused, made, lambda: contracts.put_forward(made.owner, made.id, PutForward(milestones="外业 | 50")))
    contracts.put_forward(made.owner, made.id, PutForward(milestones="外业 | 50\n成果 | 50", pay_days=60))
    assert refused(Conflict, made, lambda: contracts.sign(made.agency, made.id, first)).code == "document-changed"
    contracts.ask_changes(made.agency, made.id, WithReason("请明确资料清单"))
    assert (made.state, made.seen.turn) == ("to_draft", Part.OWNER)
    contracts.put_forward(made.owner, made.id, PutForward(special_terms="资料清单见附件"))
    assert [one.share for one in made.seen.milestones] == [100], "what is not filled in is the template's default"
    contracts.sign(made.agency, made.id, made.signature())
    refused(IllegalTransition, made, lambda: contracts.redraft(made.owner, made.id, Plain()))


# --- milestones and money ---------------------------------------------------------------------------------------


def test_each_milestone_is_billed_accepted_and_released_once(clock_at: Clock) -> None:
    made = in_three(clock_at)
    assert bills(made) == [("外业", 540_000, "open")]
    clock_at(at(6, 3))
    contracts.deliver(made.agency, made.id, a_report())
    clock_at(at(6, 5))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    row = made.row
    assert (row.state, row.accepted_at, row.deadline_on) == ("running", None, date(2026, 6, 17))
    assert fees(made) == [FeeState.DUE, FeeState.DUE, FeeState.PLANNED]
    assert bills(made) == [("外业", 540_000, "open"), ("内业", 540_000, "open")]
    for day in (8, 9):
        clock_at(at(6, day))
        contracts.deliver(made.agency, made.id, a_report())
        contracts.accept(made.owner, made.id, AcceptDeliverable())
    assert (made.state, made.row.accepted_at) == ("accepted", at(6, 9))
    assert bills(made) == [("外业", 540_000, "open"), ("内业", 540_000, "open"), ("成果", 720_000, "open")]
    assert [one.accepted_at for one in made.seen.milestones] == [at(6, 5), at(6, 8), at(6, 9)]
    assert [one.milestone for one in made.seen.deliverables] == [3, 2, 1]
    refused(IllegalTransition, made, lambda: contracts.accept(made.owner, made.id, AcceptDeliverable()))
    outbox.drain_all()
    assert db.session.get_one(Procurement, made.row.procurement_id, populate_existing=True).state == "accepted"


def test_after_acceptance_is_when_it_is_billed_if_so_agreed(clock_at: Clock) -> None:
    made = in_three(clock_at, replace(CONTENT, payment_moment="on_acceptance", pay_days=45))
    assert bills(made) == []
    clock_at(at(6, 3))
    contracts.deliver(made.agency, made.id, a_report())
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    assert bills(made) == [("外业", 540_000, "open")]
    assert made.seen.milestones[0].due_on == date(2026, 7, 18)


def test_late_payment_is_told_once_and_shown_with_interest(clock_at: Clock) -> None:
    made = signed(clock_at)  # due on 1 July

    def told(kind: str) -> int:
        statement = sa.select(sa.func.count()).select_from(Notice).where(Notice.kind == kind)
        return db.session.scalar(statement) or 0

    clock_at(at(6, 23))
    keep_time_limits()
    assert told("contract.payment-reminder") == 0
    clock_at(at(6, 25))
    keep_time_limits()
    keep_time_limits()
    assert (told("contract.payment-reminder"), told("contract.payment-overdue")) == (1, 0)
    clock_at(at(7, 11))
    keep_time_limits()
    keep_time_limits()
    assert told("contract.payment-overdue") == 2  # one for each side
    (fee,) = made.seen.milestones
    assert (fee.fee_state, fee.late.days, fee.late.interest_fen) == (FeeState.OVERDUE, 10, 9_000)


def test_the_file_closes_by_itself_after_180_days_and_the_debt_stays(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    clock_at(at(12, 4))
    keep_time_limits()
    assert made.state == "accepted"
    clock_at(at(12, 6))
    keep_time_limits()
    assert (made.state, bills(made)) == ("closed", [("滨江新城一期地形测量服务", PRICE, "open")])
    assert fees(made) == [FeeState.OVERDUE]


def test_signing_is_reminded_of_and_can_be_left_when_it_is_late(clock_at: Clock) -> None:
    made = drawn_up(clock_at)  # to be signed by 15 June
    contracts.sign(made.agency, made.id, made.signature())
    early = refused(Conflict, made, lambda: contracts.leave_unsigned(made.agency, made.id, Reasoned("业主未签")))
    assert early.code == "signing-open"
    clock_at(at(6, 12))
    keep_time_limits()
    assert made.row.signing_reminders == 1
    clock_at(at(6, 16))
    keep_time_limits()
    keep_time_limits()
    assert made.row.signing_reminders == 2
    refused(NotAllowed, made, lambda: contracts.leave_unsigned(made.owner, made.id, Reasoned("不签")))
    contracts.leave_unsigned(made.agency, made.id, Reasoned("业主逾期未签"))
    row = made.row
    assert (row.state, row.termination_cause, row.settled_at) == ("terminated", "unsigned", at(6, 16))
    outbox.drain_all()
    procurement = db.session.get_one(Procurement, row.procurement_id, populate_existing=True)
    assert (procurement.state, procurement.winner_organisation_id) == ("failed", None), "nobody is left in the ranking"


# --- extension --------------------------------------------------------------------------------------------------


def test_an_extension_is_asked_by_one_side_and_decided_by_the_other(clock_at: Clock) -> None:
    made = signed(clock_at)  # ten working days: 15 June
    ask = AskExtension(3, "连续降雨，外业受阻。", Upload("气象证明.txt", "暴雨".encode()))
    assert (
        refused(Refused, made, lambda: contracts.ask_extension(made.agency, made.id, replace(ask, days_wd=6))).code
        == "extension-days"
    )
    refused(NotAllowed, made, lambda: contracts.ask_extension(made.operator, made.id, ask))
    contracts.ask_extension(made.agency, made.id, ask)
    assert (made.state, made.seen.turn, made.row.answer_by) == (
        "extension_asked",
        Part.OWNER,
        end_of_day(date(2026, 6, 4)),
    )
    refused(NotAllowed, made, lambda: contracts.approve_extension(made.agency, made.id, Plain()))
    refused(NotAllowed, made, lambda: contracts.approve_extension(made.operator, made.id, Plain()))
    contracts.approve_extension(made.owner, made.id, Plain())
    seen = made.seen
    assert (seen.state, seen.extended_wd, seen.deadline_on, seen.postponed_on) == (
        "running",
        3,
        date(2026, 6, 18),
        date(2026, 6, 18),
    )
    assert (seen.limit_wd, seen.clock.limit_wd if seen.clock else 0) == (10, 13)
    (file,) = seen.questions[0].evidence
    assert (file.name, db.session.scalar(sa.select(sa.func.count()).select_from(Evidence))) == ("气象证明.txt", 1)
    contracts.ask_extension(made.owner, made.id, AskExtension(2, "范围调整"))
    contracts.approve_extension(made.agency, made.id, Plain())
    third = refused(Refused, made, lambda: contracts.ask_extension(made.agency, made.id, AskExtension(1, "再延")))
    assert third.code == "extension-times"


def test_an_unanswered_or_refused_extension_moves_nothing(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.ask_extension(made.agency, made.id, AskExtension(3, "降雨"))
    contracts.refuse_extension(made.owner, made.id, Reasoned("证据不足"))
    assert (made.state, made.row.extended_wd, made.row.deadline_on) == ("running", 0, date(2026, 6, 15))
    contracts.ask_extension(made.agency, made.id, AskExtension(3, "降雨，附证明"))
    clock_at(at(6, 5))
    late = refused(Conflict, made, lambda: contracts.approve_extension(made.owner, made.id, Plain()))
    assert late.code == "question-lapsed"
    keep_time_limits()
    assert (made.state, [q.outcome for q in made.seen.questions]) == ("running", ["lapsed", "refused"])


def test_the_rule_book_of_the_award_holds_when_it_changes_midway(clock_at: Clock) -> None:
    made = signed(clock_at)
    strict = replace(RuleBook(), extension_max_times=0, result_accept_wd=1)
    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=2,
                parameters=strict.as_parameters(),
                effective_from=clock.today(),
                published_at=clock.now(),
                published_by=None,
            )
        )
    contracts.ask_extension(made.agency, made.id, AskExtension(3, "降雨"))
    assert made.state == "extension_asked"


# --- dispute ----------------------------------------------------------------------------------------------------


def test_a_dispute_stops_acceptance_by_silence_and_the_clock(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))
    contracts.open_dispute(made.owner, made.id, OpenDispute("图件比例尺不符"))
    clock_at(at(7, 8))
    assert keep_time_limits() >= 0
    assert made.state == "dispute"
    refused(IllegalTransition, made, lambda: contracts.accept(made.owner, made.id, AcceptDeliverable()))
    refused(NotAllowed, made, lambda: contracts.mediate(made.owner, made.id, Mediate(Settlement.ACCEPT, "接受")))
    refused(NotAllowed, made, lambda: contracts.agree_settlement(made.agency, made.id, Plain()))
    contracts.propose_settlement(made.agency, made.id, ProposeSettlement(Settlement.ACCEPT, "按现状验收，价款不变"))
    refused(NotAllowed, made, lambda: contracts.agree_settlement(made.agency, made.id, Plain()))
    contracts.agree_settlement(made.owner, made.id, Plain())
    row = made.row
    assert (row.state, row.accepted_at, row.asked_by) == ("accepted", at(7, 8), None)
    assert made.seen.clock is not None
    assert made.seen.clock.used_wd == 5, "the days after handing in never counted"


@pytest.mark.parametrize(("days_count", "last_day"), [(False, date(2026, 6, 22)), (True, date(2026, 6, 15))])
def test_mediation_decides_whether_the_days_count(clock_at: Clock, days_count: bool, last_day: date) -> None:
    made = signed(clock_at)
    clock_at(at(6, 3))
    contracts.open_dispute(made.agency, made.id, OpenDispute("业主未提供控制点资料"))
    nothing = Mediate(Settlement.ACCEPT, "接受")
    assert (
        refused(Refused, made, lambda: contracts.mediate(made.operator, made.id, nothing)).code == "nothing-to-accept"
    )
    clock_at(at(6, 9))
    contracts.mediate(made.operator, made.id, Mediate(Settlement.CONTINUE, "业主三日内补齐资料", days_count=days_count))
    assert (made.state, made.row.deadline_on) == ("running", last_day)


def test_a_dispute_comes_too_late_when_silence_has_accepted(clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))  # five working days: 15 June
    for day in (12, 15):
        clock_at(at(6, day))
        keep_time_limits()
    clock_at(at(6, 16))
    late = refused(Conflict, made, lambda: contracts.open_dispute(made.owner, made.id, OpenDispute("不符")))
    assert late.code == "accepted-by-silence"
    refused(Conflict, made, lambda: contracts.return_deliverable(made.owner, made.id, Reasoned("不符")))
    keep_time_limits()
    assert made.state == "accepted"


# --- breach and endings -----------------------------------------------------------------------------------------


def test_a_contract_ends_for_a_breach_only_after_notice_and_time_to_mend(clock_at: Clock) -> None:
    made = signed(clock_at)
    reason = Reasoned("逾期未提交成果，经催告仍未提交")
    early = refused(Conflict, made, lambda: contracts.terminate_for_breach(made.owner, made.id, reason))
    assert early.code == "no-unmended-breach"
    notice = NotifyBreach(BreachKind.LATE_DELIVERY, "约定6月15日提交，至今未提交")
    short = refused(Refused, made, lambda: contracts.notify_breach(made.owner, made.id, replace(notice, cure_wd=4)))
    assert short.code == "cure-period"
    clock_at(at(6, 16))
    contracts.notify_breach(made.owner, made.id, notice)
    assert made.seen.notices[0].cure_by == end_of_day(date(2026, 6, 24))  # 19 June is a holiday
    refused(Conflict, made, lambda: contracts.notify_breach(made.owner, made.id, notice))
    refused(NotFound, made, lambda: contracts.end_notice(made.agency, made.id, EndNotice(True, "已补")))
    refused(Conflict, made, lambda: contracts.terminate_for_breach(made.owner, made.id, reason))
    clock_at(at(6, 25))
    refused(Conflict, made, lambda: contracts.terminate_for_breach(made.agency, made.id, reason))
    contracts.terminate_for_breach(made.owner, made.id, reason)
    row = made.row
    assert (row.state, row.termination_cause, row.settled_at) == ("terminated", "breach", at(6, 25))
    assert bills(made) == [("滨江新城一期地形测量服务", PRICE, "void")]
    assert made.seen.notices[0].ended_how == "terminated"


def test_a_mended_breach_ends_nothing(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.notify_breach(made.agency, made.id, NotifyBreach(BreachKind.NO_COOPERATION, "未提供控制点"))
    contracts.end_notice(made.agency, made.id, EndNotice(True, "已提供"))
    clock_at(at(6, 12))
    refused(Conflict, made, lambda: contracts.terminate_for_breach(made.agency, made.id, Reasoned("解除")))


def test_an_end_by_agreement_settles_what_was_paid_and_what_was_not(clock_at: Clock) -> None:
    made = in_three(clock_at)
    contracts.deliver(made.agency, made.id, a_report())
    contracts.accept(made.owner, made.id, AcceptDeliverable())  # the first fee is earned and unpaid, the second open
    contracts.propose_termination(made.owner, made.id, ProposeTermination("项目取消"))
    refused(NotAllowed, made, lambda: contracts.agree_termination(made.owner, made.id, Plain()))
    contracts.agree_termination(made.agency, made.id, Plain())
    assert (made.state, made.row.termination_cause) == ("terminated", "agreement")
    assert fees(made) == [FeeState.DUE, FeeState.WITHDRAWN, FeeState.PLANNED]
    assert bills(made) == [("外业", 540_000, "open"), ("内业", 540_000, "void")]
    assert made.row.settled_at is None, "accepted work stays owed"
    outbox.drain_all()
    procurement = db.session.get_one(Procurement, made.row.procurement_id, populate_existing=True)
    assert procurement.state == "terminated"
    with pytest.raises(Conflict):
        after_contract.close_ended(made.owner, procurement.id, Plain())
    after_contract.select_again(made.owner, procurement.id, Plain())
    db.session.expire_all()
    assert db.session.get_one(Procurement, procurement.id).state == "failed", "nobody is left in the ranking"


def test_no_refund_is_asked_for_without_money(clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.propose_termination(made.agency, made.id, ProposeTermination("无法进场"))
    contracts.agree_termination(made.owner, made.id, Plain())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Refund)) == 0
    (fee,) = db.session.scalars(sa.select(Milestone).where(Milestone.contract_id == made.id))
    assert (fee.withdrawn_at, fee.refunded_at, fee.released_at) == (at(6, 1), None, None)
    assert db.session.get_one(Contract, made.id).settled_at == at(6, 1)
