"""An owner's notice: draft, check, publication, withdrawal, extension, new round; and the operator's pause."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, func, select

from app.identity.notices import notify
from app.identity.queries import organisation_by_uscc, organisation_name
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date, end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.procurements import NoticeReturned, NoticeSubmitted, ProcurementPublished, ProcurementStopped
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.procurements import AvoidedAgency, Procurement, ProcurementNotice, Registration
from marketplace.policy import Permission, parts, sees_procurement
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.draw import DEMO, DRAND, is_credit_code
from marketplace.rules.eligibility import raise_grade
from marketplace.rules.selection.gates import Finding, check_amounts, check_registration_period, check_split
from marketplace.services.commands import Avoided, Extend, NoticeDraft
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, RESUME_ACTIONS, ProcurementState
from marketplace.states.registration import OPEN, REGISTRATION

_P = ProcurementState
_SYSTEM = (Part.SYSTEM,)


def href(procurement_id: UUID) -> str:
    """The page of a procurement."""
    return f"/procurements/{procurement_id}"


def locked(actor: Actor, procurement_id: UUID, seen: int | None = None) -> Procurement:
    """The procurement locked for writing; NotFound for those who may not see it, Outdated for a stale page."""
    procurement = lock(Procurement, procurement_id)
    if not sees_procurement(actor, procurement):
        raise NotFound
    return lock(Procurement, procurement_id, seen=seen)


# --- drafting ---------------------------------------------------------------------------------------------------


@use_case
def draft_notice(actor: Actor, command: NoticeDraft) -> UUID:
    """Write a new draft for the actor's organisation. Raises NotAllowed, and Refused for what no notice may say."""
    if actor.organisation_id is None or not actor.may(Permission.PROCUREMENT_CREATE):
        raise NotAllowed
    procurement = Procurement(
        id=new_id(),
        thread_id=command.thread_id or new_id(),
        number=next_number("CG"),
        owner_organisation_id=actor.organisation_id,
        created_by=actor.user_id,
        case_subject=command.case_subject,
        state=_P.DRAFT,
        seats=1,
        rule_book_version=rule_book_in_force().version,
        created_at=clock.now(),
    )
    _fill(procurement, command)
    db.session.add(procurement)
    _write_avoided(procurement, command.avoided)
    db.session.flush()
    record(procurement, "drafted", actor, title=N_("Notice drafted"), detail={"number": procurement.number})
    return procurement.id


@use_case
def update_notice(actor: Actor, procurement_id: UUID, command: NoticeDraft) -> None:
    """Replace the content of a draft or returned notice."""
    procurement = locked(actor, procurement_id, command.version)
    if Part.OWNER not in parts(actor, procurement):
        raise NotAllowed
    if procurement.state not in {_P.DRAFT, _P.RETURNED}:
        raise Conflict("not-a-draft", N_("A submitted notice cannot be changed. Take it back first."))
    _fill(procurement, command)
    db.session.execute(delete(AvoidedAgency).where(AvoidedAgency.procurement_id == procurement.id))
    _write_avoided(procurement, command.avoided)
    record(procurement, "changed", actor, title=N_("Notice changed"))


def _fill(procurement: Procurement, command: NoticeDraft) -> None:
    item = _item_in_force(command.item_version_id)
    _refuse_first(
        notice_findings(
            rule_book_in_force(), command, owner=procurement.owner_organisation_id, except_id=procurement.id
        )
    )
    if item.limit_wd is not None and command.limit_wd > item.limit_wd:
        raise Refused(
            "limit-above-item",
            N_("The item list allows at most %(limit)s working days for this service."),
            field="limit_wd",
            params={"limit": item.limit_wd},
        )
    procurement.item_version_id = item.id
    procurement.qualification_rule = raise_grade(item.qualification_rule, command.demanded_grade)
    procurement.has_avoidance = bool(command.avoided)
    for name in (
        *("title", "project_name", "project_code", "region_code", "content", "limit_wd", "fund_source", "budget_fen"),
        *("ceiling_fen", "price_fen", "demanded_grade", "demanded_region", "method", "has_witness", "contact_name"),
        *("contact_phone", "complaint_phone", "registration_ends_at"),
    ):
        setattr(procurement, name, getattr(command, name))
    procurement.place = command.place or ""
    procurement.scale = command.scale or ""
    procurement.amount_note = command.amount_note or ""


def _item_in_force(item_version_id: UUID) -> ItemVersion:
    version = db.session.get(ItemVersion, item_version_id)
    if version is None or version.state != ItemVersionState.PUBLISHED:
        raise Refused("item-not-in-force", N_("Choose a service item that is in force."), field="item_version_id")
    return version


def _write_avoided(procurement: Procurement, avoided: tuple[Avoided, ...]) -> None:
    seen = set()
    for conflict in avoided:
        if not is_credit_code(conflict.uscc):
            raise Refused("bad-credit-code", N_("This is not a valid unified social credit code."), field="avoided")
        if conflict.uscc in seen:
            raise Refused("avoided-twice", N_("An agency stands on the avoidance list twice."), field="avoided")
        if not conflict.reason.strip():
            raise Refused("avoidance-reason", N_("Say for every avoided agency what the conflict is."), field="avoided")
        seen.add(conflict.uscc)
        name = db.session.scalar(select(Agency.name).where(Agency.uscc == conflict.uscc))
        known = organisation_by_uscc(conflict.uscc, "agency")
        db.session.add(
            AvoidedAgency(
                procurement_id=procurement.id,
                uscc=conflict.uscc,
                name=name or (known.name if known else conflict.uscc),
                reason=conflict.reason.strip(),
            )
        )


def notice_findings(
    book: RuleBook, command: NoticeDraft, *, owner: UUID, except_id: UUID | None = None
) -> tuple[Finding, ...]:
    """What must be changed in a notice and what should be looked at; shown in the preview, enforced at every writing."""
    return (
        *check_amounts(
            book,
            fund_source=command.fund_source,
            budget_fen=command.budget_fen,
            price_fen=command.price_fen,
            ceiling_fen=command.ceiling_fen,
        ),
        *_period_findings(book, command.registration_ends_at),
        *_split_findings(book, command, owner, except_id),
    )


def _period_findings(book: RuleBook, ends_at: datetime) -> tuple[Finding, ...]:
    calendar = work_calendar.current()
    return check_registration_period(book, calendar, opens_on=clock.today(), ends_on=beijing_date(ends_at))


def _split_findings(book: RuleBook, command: NoticeDraft, owner: UUID, except_id: UUID | None) -> tuple[Finding, ...]:
    item_id = db.session.scalar(select(ItemVersion.item_id).where(ItemVersion.id == command.item_version_id))
    since = clock.now().replace(year=clock.now().year - 1, day=min(clock.now().day, 28))
    rows = db.session.execute(
        select(Procurement.number, Procurement.budget_fen)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .where(
            Procurement.owner_organisation_id == owner,
            ItemVersion.item_id == item_id,
            Procurement.project_name == command.project_name,
            Procurement.published_at >= since,
            Procurement.state.not_in([_P.FAILED, _P.REPUBLISHED, _P.CANCELLED, _P.VOID, _P.WITHDRAWN]),
            Procurement.id != except_id if except_id else Procurement.id.is_not(None),
        )
        .order_by(Procurement.number)
    ).all()
    numbers = tuple(row.number for row in rows)
    return check_split(
        book, budget_fen=command.budget_fen, earlier_fen=sum(row.budget_fen for row in rows), earlier_numbers=numbers
    )


def _refuse_first(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.blocks:
            raise Refused(
                finding.code, finding.text, field=FORM_FIELDS.get(finding.field, finding.field), params=finding.params
            )


FORM_FIELDS: Mapping[str, str] = {"price": "price_fen", "budget": "budget_fen", "ceiling": "ceiling_fen"}


# --- check and publication --------------------------------------------------------------------------------------


@use_case
def submit_notice(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Hand the notice in. It waits for the form check, or is published at once where the rule book asks for none."""
    procurement = locked(actor, procurement_id, command.version)
    book = rule_book_in_force()
    _item_in_force(procurement.item_version_id)
    assert procurement.registration_ends_at is not None
    _refuse_first(_period_findings(book, procurement.registration_ends_at))
    procurement.submitted_at = clock.now()
    procurement.check_by = work_calendar.current().deadline(clock.now(), book.notice_check_wd).at
    event = NoticeSubmitted(procurement_id=procurement.id)
    move(procurement, PROCUREMENT, "submit", actor, parts(actor, procurement), event=event)
    if not book.notice_form_check:
        _publish(procurement, SYSTEM, "publish")
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
    _tell_owner(
        procurement,
        N_("Your notice was returned: %(title)s"),
        N_("Correct the notice %(number)s and submit it again. Reason: %(reason)s"),
        reason=command.reason,
    )


@use_case
def publish_notice(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Pass the form check: the notice is frozen, public and open for registration."""
    procurement = locked(actor, procurement_id, command.version)
    _publish(procurement, actor, "publish")
    _tell_owner(
        procurement,
        N_("Your notice is public: %(title)s"),
        N_("Registration for %(number)s is open until %(until)s."),
        until=_beijing(procurement.registration_ends_at),
    )


def _publish(procurement: Procurement, actor: Actor, action: str) -> None:
    """Pin the rule book, freeze the notice, open the registration; a check that took long moves the deadline, never shortens it."""
    book = rule_book_in_force()
    now = clock.now()
    earliest = work_calendar.current().add_working_days(clock.today(), book.notice_registration_min_wd)
    assert procurement.registration_ends_at is not None
    if beijing_date(procurement.registration_ends_at) < earliest:
        procurement.registration_ends_at = end_of_day(earliest)
    procurement.rule_book_version = book.version
    procurement.published_at = procurement.published_at or now
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
    event = ProcurementPublished(procurement_id=procurement.id, thread_id=procurement.thread_id)
    detail = {
        "version": notice.version,
        "sha256": notice.sha256,
        "until": _beijing(procurement.registration_ends_at),
    }
    move(procurement, PROCUREMENT, action, actor, parts(actor, procurement), event=event, detail=detail, public=True)


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a notice's content whose SHA-256 is published."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def announced_sources(*, demonstration: bool) -> list[str]:
    """The public values that a draw announced today will use."""
    return [DEMO] if demonstration else [DRAND]


def notice_content(procurement: Procurement, book: RuleBook) -> dict[str, Any]:
    """Every public field of the notice as plain values; what `ProcurementNotice.content` freezes."""
    item = get(ItemVersion, procurement.item_version_id)
    code = db.session.scalar(select(ServiceItem.code).where(ServiceItem.id == item.item_id))
    avoided = db.session.scalars(
        select(AvoidedAgency).where(AvoidedAgency.procurement_id == procurement.id).order_by(AvoidedAgency.uscc)
    )
    assert procurement.registration_ends_at is not None
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
            "seats": procurement.seats,
            "witness": procurement.has_witness,
            "protocol": "GMDRAW/1",
            "sources": announced_sources(demonstration=current_app.extensions["chaoshi_settings"].demonstration),
            "challenge_minutes": book.draw_challenge_minutes,
            "beacon_hour": book.draw_beacon_hour,
        },
        "contacts": {
            "name": procurement.contact_name,
            "phone": procurement.contact_phone,
            "complaint_phone": procurement.complaint_phone,
        },
        "registration_ends_at": procurement.registration_ends_at.isoformat(),
        "rule_book": book.version,
    }


# --- stopping, pausing, starting again --------------------------------------------------------------------------


@use_case
def discard_draft(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Give up a notice that was never public."""
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "discard", actor, parts(actor, procurement), reason=command.reason)


@use_case
def withdraw_notice(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Withdraw a public notice before its deadline. Registrants are told."""
    procurement = locked(actor, procurement_id, command.version)
    assert procurement.registration_ends_at is not None or procurement.state != _P.PUBLISHED
    if (
        procurement.state == _P.PUBLISHED
        and procurement.registration_ends_at
        and clock.now() > procurement.registration_ends_at
    ):
        raise Conflict(
            "registration-ended", N_("The registration deadline has passed; the notice can no longer be withdrawn.")
        )
    _stop(procurement, actor, "withdraw", command.reason)


@use_case
def void_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Set a procurement invalid, with a reason everybody can read."""
    procurement = locked(actor, procurement_id, command.version)
    _stop(procurement, actor, "void", command.reason)


def _stop(procurement: Procurement, actor: Actor, action: str, reason: str) -> None:
    event = ProcurementStopped(procurement_id=procurement.id, reason=reason)
    move(procurement, PROCUREMENT, action, actor, parts(actor, procurement), reason=reason, event=event)
    procurement.finished_at = clock.now()
    release_registrations(
        procurement,
        N_("The procurement was stopped: %(title)s"),
        N_("%(number)s does not go on. Reason: %(reason)s"),
        {"reason": reason},
    )


@use_case
def cancel_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Abandon a failed or withdrawn procurement."""
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "cancel", actor, parts(actor, procurement), reason=command.reason)
    procurement.finished_at = clock.now()
    release_registrations(
        procurement,
        N_("The procurement was abandoned: %(title)s"),
        N_("%(number)s does not go on. Reason: %(reason)s"),
        {"reason": command.reason},
    )


@use_case
def pause_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Stop every period while a challenge is decided."""
    procurement = locked(actor, procurement_id, command.version)
    procurement.paused_from, procurement.paused_at = procurement.state, clock.now()
    move(procurement, PROCUREMENT, "pause", actor, parts(actor, procurement), reason=command.reason, public=True)


@use_case
def resume_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Go on where the pause began; the paused time is added to the running deadline."""
    procurement = locked(actor, procurement_id, command.version)
    action = RESUME_ACTIONS.get(str(procurement.paused_from), "resume_registration")
    length = clock.now() - procurement.paused_at if procurement.paused_at else None
    move(procurement, PROCUREMENT, action, actor, parts(actor, procurement), reason=command.reason, public=True)
    column = {"resume_registration": "registration_ends_at", "resume_publicity": "publicity_ends_at"}.get(action)
    ends_at = getattr(procurement, column) if column else None
    if column and length and ends_at is not None:
        setattr(procurement, column, ends_at + length)
    procurement.paused_from = procurement.paused_at = None


@use_case
def extend_registration(actor: Actor, procurement_id: UUID, command: Extend) -> None:
    """Open a failed registration once more; those who registered stay registered."""
    procurement = locked(actor, procurement_id, command.version)
    if procurement.is_extended:
        raise Conflict("already-extended", N_("The registration was extended once already. Prepare a new round."))
    _refuse_first(_period_findings(rule_book_in_force(), command.registration_ends_at))
    procurement.registration_ends_at = command.registration_ends_at
    procurement.is_extended = True
    _publish(procurement, actor, "extend")
    procurement.failure_code = procurement.closed_at = None


@use_case
def republish(actor: Actor, procurement_id: UUID, command: Plain) -> UUID:
    """Close a failed round and copy its notice into the draft of the next one; returns the draft."""
    old = locked(actor, procurement_id, command.version)
    move(old, PROCUREMENT, "republish", actor, parts(actor, old))
    old.finished_at = clock.now()
    release_registrations(
        old,
        N_("A new round is prepared: %(title)s"),
        N_("%(number)s failed; register again when the new round is public."),
        {},
    )
    copied = {column.key: getattr(old, column.key) for column in Procurement.__table__.columns if column.key in _COPIED}
    draft = Procurement(
        **copied,
        id=new_id(),
        number=next_number("CG"),
        created_by=actor.user_id,
        round=old.round + 1,
        previous_id=old.id,
        state=_P.DRAFT,
        rule_book_version=rule_book_in_force().version,
        created_at=clock.now(),
    )
    db.session.add(draft)
    for row in db.session.scalars(select(AvoidedAgency).where(AvoidedAgency.procurement_id == old.id)).all():
        db.session.add(AvoidedAgency(procurement_id=draft.id, uscc=row.uscc, name=row.name, reason=row.reason))
    db.session.flush()
    record(
        draft,
        "drafted",
        actor,
        title=N_("New round drafted"),
        detail={"number": draft.number, "previous": old.number},
    )
    return draft.id


_COPIED = frozenset(
    (
        *(
            "thread_id",
            "owner_organisation_id",
            "item_version_id",
            "case_subject",
            "title",
            "project_name",
            "project_code",
        ),
        *(
            "region_code",
            "place",
            "scale",
            "content",
            "limit_wd",
            "fund_source",
            "budget_fen",
            "ceiling_fen",
            "price_fen",
        ),
        *("amount_note", "qualification_rule", "demanded_grade", "demanded_region", "has_avoidance", "method", "seats"),
        *("has_witness", "contact_name", "contact_phone", "complaint_phone"),
    )
)


# --- the contract reports ---------------------------------------------------------------------------------------


@use_case
def follow_contract(procurement_id: UUID, action: str) -> None:
    """Follow the contract: `sign`, `start_service`, `accept`, `terminate` or `close_file`. A repeat changes nothing."""
    procurement = lock(Procurement, procurement_id)
    moved = move(procurement, PROCUREMENT, action, SYSTEM, _SYSTEM, already_ok=True)
    if moved and action == "sign":
        release_registrations(
            procurement,
            N_("The contract is signed: %(title)s"),
            N_("The contract of %(number)s is signed; the reserve list ends."),
            {},
        )
    if moved and action == "close_file":
        procurement.finished_at = clock.now()


# --- telling ----------------------------------------------------------------------------------------------------


def release_registrations(procurement: Procurement, subject: str, text: str, params: Mapping[str, Any]) -> None:
    """End the registrations that still wait, and tell them why."""
    waiting = OPEN - {"won", "confirmed"}
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.state.in_(waiting))
        .with_for_update()
    ).all()
    for row in rows:
        move(row, REGISTRATION, "lose", SYSTEM, _SYSTEM)
        row.decided_at = clock.now()
        tell(procurement, row.organisation_id, "procurement.ended", subject, text, **params)


def tell(procurement: Procurement, organisation_id: UUID, kind: str, subject: str, text: str, **params: Any) -> None:
    """Tell the people of an organisation something about a procurement."""
    notify(
        to_organisation=organisation_id,
        kind=kind,
        subject=subject,
        text=text,
        link=href(procurement.id),
        thread_id=procurement.thread_id,
        params={**_facts(procurement), **params},
    )


def notify_operators(procurement: Procurement, kind: str, subject: str, text: str) -> None:
    """Tell the operator's people that a procurement waits for them."""
    notify(
        to_role="operator",
        kind=kind,
        subject=subject,
        text=text,
        link=href(procurement.id),
        thread_id=procurement.thread_id,
        params=_facts(procurement),
    )


def _tell_owner(procurement: Procurement, subject: str, text: str, **params: Any) -> None:
    tell(procurement, procurement.owner_organisation_id, "procurement.owner", subject, text, **params)


def _facts(procurement: Procurement) -> dict[str, Any]:
    owner = organisation_name(procurement.owner_organisation_id)
    return {"number": procurement.number, "title": procurement.title, "owner": owner}


def _beijing(moment: datetime | None) -> str:
    return moment.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
