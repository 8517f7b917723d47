"""An owner's draft: written, replaced, and held against the limits of the rule book."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from app.identity.queries import organisation_by_uscc
from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import UnknownYear, beijing_date
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.notices import ThresholdReason
from marketplace.models.procurements import AvoidedAgency, Procurement
from marketplace.policy import Permission, parts
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.draw import is_credit_code
from marketplace.rules.eligibility import raise_grade
from marketplace.rules.notices.conditions import HiddenThreshold, hidden_thresholds, unjustified
from marketplace.rules.selection.gates import (
    Finding,
    check_amounts,
    check_method,
    check_registration_period,
    check_split,
)
from marketplace.rules.selection.methods import needs_registration
from marketplace.services.commands import Avoided, Justification, NoticeDraft
from marketplace.services.procurements.telling import locked
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState

_P = ProcurementState


CHECKED_TEXTS: Final = ("title", "content", "scale", "amount_note")
"""The texts of a notice in which hidden thresholds are looked for."""

FORM_FIELDS: Mapping[str, str] = {
    "price": "price_fen",
    "budget": "budget_fen",
    "ceiling": "ceiling_fen",
    "floor": "floor_fen",
}


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
    _write_facts(procurement, command, rule_book_in_force(), period=True)
    db.session.add(procurement)
    db.session.flush()
    _write_lists(procurement, command)
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
    write_content(procurement, command, rule_book_in_force())
    record(procurement, "changed", actor, title=N_("Notice changed"))


def write_content(procurement: Procurement, command: NoticeDraft, book: RuleBook, *, period: bool = True) -> None:
    """Replace everything the owner states in a notice, held against `book`. Raises Refused for the first thing no notice may say.

    `period=False` leaves the length of the registration out: a correction of a published notice does not start it again.
    """
    _write_facts(procurement, command, book, period=period)
    _write_lists(procurement, command)


def _write_facts(procurement: Procurement, command: NoticeDraft, book: RuleBook, *, period: bool) -> None:
    item = item_in_force(command.item_version_id)
    owner = procurement.owner_organisation_id
    refuse_first(notice_findings(book, command, owner=owner, except_id=procurement.id, period=period))
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
    procurement.method_terms = command.method_terms.to_json()
    if not needs_registration(command.method):
        procurement.registration_ends_at = None
    procurement.place = command.place or ""
    procurement.scale = command.scale or ""
    procurement.amount_note = command.amount_note or ""


def _write_lists(procurement: Procurement, command: NoticeDraft) -> None:
    for table in (AvoidedAgency, ThresholdReason):
        db.session.execute(delete(table).where(table.procurement_id == procurement.id))
    _write_avoided(procurement, command.avoided)
    _write_reasons(procurement, command.justifications)


def _write_reasons(procurement: Procurement, justifications: tuple[Justification, ...]) -> None:
    """Keep the reasons of phrases that still stand in the notice; those of words taken out are dropped with them."""
    standing = {found.key for found in thresholds_in(procurement)}
    for given in {one.key: one for one in justifications}.values():
        if given.key in standing and given.reason.strip():
            db.session.add(
                ThresholdReason(
                    procurement_id=procurement.id, key=given.key, reason=given.reason.strip(), written_at=clock.now()
                )
            )


def thresholds_in(notice: Procurement | NoticeDraft) -> tuple[HiddenThreshold, ...]:
    """The phrases of a notice that look like hidden thresholds."""
    return hidden_thresholds({name: getattr(notice, name) or "" for name in CHECKED_TEXTS})


def refuse_unjustified(procurement: Procurement) -> None:
    """Refuse a notice that holds a suspicious phrase without a reason; the operator would have to ask for it anyway."""
    rows = db.session.scalars(select(ThresholdReason).where(ThresholdReason.procurement_id == procurement.id))
    missing = unjustified(thresholds_in(procurement), {row.key: row.reason for row in rows})
    if missing:
        raise Refused(
            "hidden-threshold",
            N_("Take out the words “%(phrase)s” or say why the purchase needs them: they shut agencies out."),
            field=missing[0].field,
            params={"phrase": missing[0].phrase},
            phrases=[one.phrase for one in missing],
        )


def item_in_force(item_version_id: UUID) -> ItemVersion:
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
    book: RuleBook, command: NoticeDraft, *, owner: UUID, except_id: UUID | None = None, period: bool = True
) -> tuple[Finding, ...]:
    """What must be changed in a notice and what should be looked at; shown in the preview, enforced at every writing."""
    return (
        *check_amounts(
            book,
            fund_source=command.fund_source,
            budget_fen=command.budget_fen,
            price_fen=command.price_fen,
            ceiling_fen=command.ceiling_fen,
            method=command.method,
        ),
        *(period_findings(book, command.registration_ends_at, command.method) if period else ()),
        *check_method(
            book,
            command.method,
            command.method_terms,
            fund_source=command.fund_source,
            budget_fen=command.budget_fen,
            ceiling_fen=command.ceiling_fen,
        ),
        *_split_findings(book, command, owner, except_id),
    )


def period_findings(book: RuleBook, ends_at: datetime, method: str) -> tuple[Finding, ...]:
    """Whether the registration is open long enough. A year without a calendar is a finding, never a guess."""
    if not needs_registration(method):
        return ()
    calendar, last = work_calendar.current(), beijing_date(ends_at)
    try:
        found = check_registration_period(book, calendar, opens_on=clock.today(), ends_on=last, method=method)
        if not found:
            calendar.is_working_day(last)
    except UnknownYear as unknown:
        text = N_("The working days of %(year)s are not published yet; choose a deadline before that year.")
        return (Finding("unknown-year", "registration_ends_at", text, {"year": unknown.year}),)
    return found


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


def refuse_first(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.blocks:
            raise Refused(
                finding.code, finding.text, field=FORM_FIELDS.get(finding.field, finding.field), params=finding.params
            )
