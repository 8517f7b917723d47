"""The form check of a notice and its publication as a frozen text."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select

from app.identity.queries import organisation_name
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date, end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, use_case
from app.kernel.errors import Conflict
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import NoticeReturned, NoticeSubmitted, ProcurementPublished
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.procurements import AvoidedAgency, Procurement, ProcurementNotice
from marketplace.policy import parts
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import registration_days
from marketplace.rules.selection.methods import needs_registration
from marketplace.rules.selection.random_draw import announced_sources
from marketplace.services import tender_keys
from marketplace.services.procurements.drafting import (
    item_in_force,
    period_findings,
    refuse_first,
    refuse_unjustified,
)
from marketplace.services.procurements.telling import in_beijing, locked, notify_operators, tell_owner
from marketplace.states.procurement import PROCUREMENT


@use_case
def submit_notice(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Hand the notice in. It waits for the form check, or is published at once where the rule book asks for none."""
    procurement = locked(actor, procurement_id, command.version)
    if not needs_registration(procurement.method):
        raise Conflict("direct-request", N_("A direct selection is requested, not published. Request it on its page."))
    book = rule_book_in_force()
    item_in_force(procurement.item_version_id)
    assert procurement.registration_ends_at is not None
    refuse_first(period_findings(book, procurement.registration_ends_at, procurement.method))
    tender_keys.refuse_without_holders(procurement)
    refuse_unjustified(procurement)
    procurement.submitted_at = clock.now()
    procurement.check_by = work_calendar.current().deadline(clock.now(), book.notice_check_wd).at
    event = NoticeSubmitted(procurement_id=procurement.id)
    move(procurement, PROCUREMENT, "submit", actor, parts(actor, procurement), event=event)
    if not book.notice_form_check:
        put_out(procurement, SYSTEM, "publish")
        return
    notify_operators(
        procurement,
        "procurement.check",
        N_("A notice waits for its form check: %(title)s"),
        N_("%(owner)s submitted the notice %(number)s. Check its form and publish or return it."),
    )


@use_case
def take_back(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Turn a submitted notice into a draft again."""
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "take_back", actor, parts(actor, procurement))


@use_case
def return_notice(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Send a notice back to its owner with the reason."""
    procurement = locked(actor, procurement_id, command.version)
    event = NoticeReturned(procurement_id=procurement.id, reason=command.reason)
    move(procurement, PROCUREMENT, "return", actor, parts(actor, procurement), reason=command.reason, event=event)
    tell_owner(
        procurement,
        N_("Your notice was returned: %(title)s"),
        N_("Correct the notice %(number)s and submit it again. Reason: %(reason)s"),
        reason=command.reason,
    )


@use_case
def publish_notice(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Pass the form check: the notice is frozen, public and open for registration."""
    procurement = locked(actor, procurement_id, command.version)
    put_out(procurement, actor, "publish")
    tell_owner(
        procurement,
        N_("Your notice is public: %(title)s"),
        N_("Registration for %(number)s is open until %(until)s."),
        until=in_beijing(procurement.registration_ends_at),
    )


def put_out(procurement: Procurement, actor: Actor, action: str) -> None:
    """Freeze the notice and open the registration; a check that took long moves the deadline, never shortens it."""
    open_at_least(procurement, pinned_rule_book(procurement))
    notice = freeze_notice(procurement, actor)
    event = ProcurementPublished(procurement_id=procurement.id, thread_id=procurement.thread_id)
    detail = publication_facts(procurement, notice)
    move(procurement, PROCUREMENT, action, actor, parts(actor, procurement), event=event, detail=detail, public=True)


def pinned_rule_book(procurement: Procurement) -> RuleBook:
    """The rule book of a notice: the one in force at its first publication, however the rules change afterwards."""
    if procurement.published_at is None:
        procurement.rule_book_version = rule_book_in_force().version
    return rule_book(procurement.rule_book_version)


def open_at_least(procurement: Procurement, book: RuleBook) -> None:
    """Move a deadline that lies nearer than the rule book's shortest period to the end of that period."""
    earliest = work_calendar.current().add_working_days(clock.today(), registration_days(book, procurement.method))
    assert procurement.registration_ends_at is not None
    if beijing_date(procurement.registration_ends_at) < earliest:
        procurement.registration_ends_at = end_of_day(earliest)


def freeze_notice(procurement: Procurement, actor: Actor) -> ProcurementNotice:
    """Pin the rule book, keep the next version of the notice as it is published now, and set until when questions may be asked."""
    book = pinned_rule_book(procurement)
    now = clock.now()
    procurement.published_at = procurement.published_at or now
    tender_keys.make_tender_keys(procurement)
    if needs_registration(procurement.method):
        procurement.questions_close_at = questions_close_at(procurement, book)
    content = notice_content(procurement, book)
    count = db.session.scalar(
        select(func.count()).select_from(ProcurementNotice).where(ProcurementNotice.procurement_id == procurement.id)
    )
    notice = ProcurementNotice(
        procurement_id=procurement.id,
        version=(count or 0) + 1,
        content=content,
        sha256=hashlib.sha256(canonical(content)).hexdigest(),
        published_at=now,
        published_by=actor.user_id,
    )
    db.session.add(notice)
    return notice


def questions_close_at(procurement: Procurement, book: RuleBook) -> datetime:
    """The last moment for a question: the end of the working day so many working days before the deadline."""
    assert procurement.registration_ends_at is not None
    if book.notice_question_close_wd == 0:
        return procurement.registration_ends_at
    calendar, day = work_calendar.current(), beijing_date(procurement.registration_ends_at)
    for _ in range(book.notice_question_close_wd):
        day = calendar.previous_working_day(day)
    return end_of_day(day)


def publication_facts(procurement: Procurement, notice: ProcurementNotice) -> dict[str, Any]:
    """What the log keeps of a publication."""
    return {
        "version": notice.version,
        "sha256": notice.sha256,
        "until": in_beijing(procurement.registration_ends_at),
    }


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a notice's content whose SHA-256 is published."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def notice_content(procurement: Procurement, book: RuleBook) -> dict[str, Any]:
    """Every public field of the notice as plain values; what `ProcurementNotice.content` freezes."""
    item = get(ItemVersion, procurement.item_version_id)
    code = db.session.scalar(select(ServiceItem.code).where(ServiceItem.id == item.item_id))
    avoided = db.session.scalars(
        select(AvoidedAgency).where(AvoidedAgency.procurement_id == procurement.id).order_by(AvoidedAgency.uscc)
    )
    return {
        "number": procurement.number,
        "round": procurement.round,
        "owner": organisation_name(procurement.owner_organisation_id),
        "title": procurement.title,
        "project": {
            "name": procurement.project_name,
            "code": procurement.project_code,
            "region": procurement.region_code,
            "place": procurement.place,
            "scale": procurement.scale,
        },
        "item": {"code": code, "version": item.version, "name": item.name, "approval_served": item.approval_served},
        "serves_approval_case": procurement.case_subject is not None,
        "content": procurement.content,
        "deliverable": item.deliverable,
        "limit_wd": procurement.limit_wd,
        "money": {
            "fund_source": procurement.fund_source,
            "budget_fen": procurement.budget_fen,
            "ceiling_fen": procurement.ceiling_fen,
            "price_fen": procurement.price_fen,
            "note": procurement.amount_note,
        },
        "qualification_rule": procurement.qualification_rule,
        "demanded_region": procurement.demanded_region,
        "avoided": [{"uscc": a.uscc, "name": a.name, "reason": a.reason} for a in avoided],
        "selection": {
            "method": procurement.method,
            "terms": procurement.method_terms,
            "seats": procurement.seats,
            "witness": procurement.has_witness,
            "protocol": "GMDRAW/1",
            "sources": list(announced_sources(demonstration=current_app.extensions["chaoshi_settings"].demonstration)),
            "challenge_minutes": book.draw_challenge_minutes,
            "beacon_hour": book.draw_beacon_hour,
        },
        "contacts": {
            "name": procurement.contact_name,
            "phone": procurement.contact_phone,
            "complaint_phone": procurement.complaint_phone,
        },
        "registration_ends_at": procurement.registration_ends_at.isoformat()
        if procurement.registration_ends_at
        else None,
        "rule_book": book.version,
    }
