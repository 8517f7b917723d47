"""The steps of item versions, admission files, certificates and offers as actions of the web, and these objects as JSON."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, actions_of, api_actions
from app.web.schemas import PlainIn, ReasonIn
from app.web.session import current_actor
from marketplace.models.agencies import Agency, AgencyChange, Practitioner, Qualification
from marketplace.policy import agency_parts, base_parts
from marketplace.queries.admission import AdmissionFile, CertificateView, ChangeView, PractitionerView
from marketplace.queries.catalogue import ItemView
from marketplace.queries.item_imports import ImportView
from marketplace.queries.listings import OfferCard, parts_of
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.services import agencies, catalogue, item_imports, listings
from marketplace.states.agency import AGENCY, AGENCY_CHANGE, PRACTITIONER, QUALIFICATION
from marketplace.states.catalogue import ITEM_IMPORT, ITEM_VERSION
from marketplace.states.listing import LISTING
from marketplace.web.schemas.agencies import LeaveIn, MeasureIn, PassIn, RestrictIn
from marketplace.web.schemas.catalogue import ReviewIn, ScheduleIn

ITEM_ACTIONS: Final[Mapping[str, Action]] = {
    "submit": Action(catalogue.submit, PlainIn),
    "return": Action(catalogue.return_to_draft, ReasonIn),
    "publish": Action(
        catalogue.publish,
        ReviewIn,
        explain=N_("You confirm the legality: the basis is in force, the service necessary, the terms reasonable."),
        done=N_("The version is in force."),
    ),
    "schedule": Action(
        catalogue.schedule,
        ScheduleIn,
        explain=N_("You confirm the legality: the basis is in force, the service necessary, the terms reasonable."),
        done=N_("Published. It comes into force by itself on its day."),
    ),
    "cancel": Action(catalogue.cancel, ReasonIn),
}
IMPORT_ACTIONS: Final[Mapping[str, Action]] = {
    "apply": Action(item_imports.apply, PlainIn, done=N_("Taken over. The drafts wait to be sent to legality review.")),
    "discard": Action(item_imports.discard, PlainIn),
}
AGENCY_ACTIONS: Final[Mapping[str, Action]] = {
    "submit": Action(agencies.submit, PlainIn, done=N_("Submitted. The operator checks the form.")),
    "return": Action(
        agencies.return_file, ReasonIn, explain=N_("The agency reads these reasons and corrects the file.")
    ),
    "reject": Action(agencies.reject, ReasonIn, explain=N_("The agency reads these reasons.")),
    "pass": Action(agencies.pass_check, PassIn, done=N_("Passed. The publicity has begun.")),
    "cancel": Action(
        agencies.cancel, PlainIn, explain=N_("The file is kept. You may take it up again and submit it."), danger=True
    ),
    "restrict": Action(
        agencies.restrict, RestrictIn, explain=N_("One service is closed to the agency; it offers all others as usual.")
    ),
    "suspend": Action(agencies.suspend, MeasureIn, explain=N_("The agency's offers are no longer shown.")),
    "blacklist": Action(
        agencies.blacklist,
        MeasureIn,
        explain=N_("The entry is public. It ends with its term or with a decision on the repair of the credit."),
    ),
    "restore": Action(agencies.restore, ReasonIn, explain=N_("The measures behind the present state are lifted.")),
    "remove": Action(
        agencies.remove,
        ReasonIn,
        explain=N_(
            "The agency is struck off, its people are free, and it may apply again only after the waiting time."
        ),
    ),
    "ask_exit": Action(
        agencies.ask_exit,
        ReasonIn,
        explain=N_(
            "Your offers are no longer shown. You leave when nothing is open any more; until then you may stay."
        ),
        done=N_("Noted. You leave when nothing is open any more."),
    ),
    "stay": Action(agencies.stay, PlainIn, done=N_("You stay. Your offers are shown again.")),
    "exit": Action(agencies.leave, PlainIn, explain=N_("You leave now. What was public stays public.")),
}
QUALIFICATION_ACTIONS: Final[Mapping[str, Action]] = {
    "accept": Action(agencies.accept_qualification, PlainIn),
    "refuse": Action(agencies.refuse_qualification, ReasonIn),
    "revoke": Action(agencies.revoke_qualification, ReasonIn, explain=N_("What rests on it is no longer offered.")),
    "give_up": Action(agencies.give_up_qualification, ReasonIn, explain=N_("What rests on it is no longer offered.")),
}
PRACTITIONER_ACTIONS: Final[Mapping[str, Action]] = {
    "accept": Action(agencies.accept_practitioner, PlainIn),
    "refuse": Action(agencies.refuse_practitioner, ReasonIn, explain=N_("The person is free for another agency.")),
    "leave": Action(
        agencies.leave_staff,
        LeaveIn,
        explain=N_("After the last day the person may be registered full-time elsewhere."),
        done=N_("The last day is noted."),
    ),
}
CHANGE_ACTIONS: Final[Mapping[str, Action]] = {
    "accept": Action(agencies.accept_change, PlainIn, done=N_("Accepted. The new data are in force.")),
    "refuse": Action(agencies.refuse_change, ReasonIn, explain=N_("What was checked before stays.")),
    "withdraw": Action(agencies.withdraw_change, PlainIn),
}
LISTING_ACTIONS: Final[Mapping[str, Action]] = {
    "publish": Action(listings.publish, PlainIn, done=N_("On the shelf. It is found within seconds.")),
    "submit": Action(listings.submit, PlainIn, done=N_("Sent. The operator reviews the offer.")),
    "approve": Action(listings.approve, PlainIn, done=N_("On the shelf. It is found within seconds.")),
    "return": Action(listings.return_offer, ReasonIn, explain=N_("The agency reads these reasons.")),
    "take_back": Action(listings.take_back, PlainIn),
    "take_off": Action(listings.take_off, PlainIn),
    "suspend": Action(listings.suspend, ReasonIn),
    "restore": Action(listings.restore, PlainIn),
}


def item_actions(actor: Actor, view: ItemView) -> tuple[ActionView, ...]:
    """What the actor may do with a version now: its own author is not offered to review it."""
    href = f"/catalogue/versions/{view.id}"
    is_author = actor.user_id is not None and actor.user_id == view.drafted_by
    found = actions_of(ITEM_VERSION, view.state, base_parts(actor), href=href, table=ITEM_ACTIONS)
    return tuple(one for one in found if not (is_author and one.name in {"publish", "schedule"}))


def import_actions(actor: Actor, view: ImportView) -> tuple[ActionView, ...]:
    """What the actor may do with a checked table now: with problems it can only be put away."""
    href = f"/catalogue/imports/{view.id}"
    found = actions_of(
        ITEM_IMPORT, view.state, base_parts(actor), href=href, table=IMPORT_ACTIONS, version=view.version
    )
    return tuple(one for one in found if not (view.problems and one.name == "apply"))


def problem_words(problem: Mapping[str, Any]) -> str:
    """What is wrong at one place of a table, in the reader's language."""
    message, params = problem["message"], problem["params"]
    return str(gettext(message, **params) if params else gettext(message))


def import_json(view: ImportView) -> dict[str, Any]:
    """A checked table: what it would do, and every problem by row and column."""
    return {
        "id": str(view.id),
        "file": view.file_name,
        "state": view.state,
        "version": view.version,
        "new": view.new_count,
        "changed": view.changed_count,
        "unchanged": view.unchanged_count,
        "problems": [
            {"row": p["row"], "column": p["column"], "code": p["code"], "message": problem_words(p)}
            for p in view.problems
        ],
        "actions": api_actions(import_actions(current_actor(), view)),
    }


def file_actions(actor: Actor, view: AdmissionFile) -> tuple[ActionView, ...]:
    """What the actor may do with an admission file now."""
    parts = agency_parts(actor, Agency(organisation_id=view.organisation_id))
    return actions_of(
        AGENCY, view.state, parts, href=f"/admission/{view.id}", table=AGENCY_ACTIONS, version=view.version
    )


def certificate_actions(actor: Actor, view: CertificateView, organisation_id: UUID | None) -> tuple[ActionView, ...]:
    """What the actor may do with a certificate now."""
    parts = agency_parts(actor, Qualification(organisation_id=organisation_id))
    href = f"/qualifications/{view.id}"
    return actions_of(QUALIFICATION, view.state, parts, href=href, table=QUALIFICATION_ACTIONS, version=view.version)


def practitioner_actions(actor: Actor, view: PractitionerView) -> tuple[ActionView, ...]:
    """What the actor may do with a practitioner's registration now."""
    parts = agency_parts(actor, Practitioner(organisation_id=view.organisation_id))
    href = f"/practitioners/{view.id}"
    return actions_of(PRACTITIONER, view.state, parts, href=href, table=PRACTITIONER_ACTIONS, version=view.version)


def change_actions(actor: Actor, view: ChangeView) -> tuple[ActionView, ...]:
    """What the actor may do with a request for change now."""
    parts = agency_parts(actor, AgencyChange(organisation_id=view.organisation_id))
    href = f"/agency-changes/{view.id}"
    return actions_of(AGENCY_CHANGE, view.state, parts, href=href, table=CHANGE_ACTIONS, version=view.version)


def offer_actions(actor: Actor, view: OfferCard) -> tuple[ActionView, ...]:
    """What the actor may do with an offer now: put it on the shelf, or send it to review where offers are reviewed."""
    href = f"/listings/{view.id}"
    found = actions_of(
        LISTING, view.state, parts_of(actor, view), href=href, table=LISTING_ACTIONS, version=view.version
    )
    if not {one.name for one in found} & {"publish", "submit"}:
        return found
    hidden = "publish" if rule_book_in_force().listing_review else "submit"
    return tuple(one for one in found if one.name != hidden)


def item_json(view: ItemView) -> dict[str, Any]:
    """A version of a service item as the interface tells it; money in fen, limits in working days."""
    return {
        "id": str(view.item_id),
        "version_id": str(view.id),
        "code": view.code,
        "version": view.version_number,
        "state": view.state,
        "name": view.name,
        "name_en": view.name_en,
        "category": view.category,
        "approval_served": view.approval_served,
        "approvals": list(view.approvals),
        "legal_basis": view.legal_basis,
        "commissioner": view.commissioner,
        "self_preparation_allowed": view.self_preparation_allowed,
        "qualification": {"text": view.qualification_text, "rule": view.qualification_rule},
        "limit_wd": view.limit_wd,
        "by_contract": view.limit_wd is None,
        "limit_note": view.limit_note,
        "pricing_mode": view.pricing_mode,
        "guided_min_fen": view.guided_min_fen,
        "guided_max_fen": view.guided_max_fen,
        "price_document": view.price_document,
        "deliverable": view.deliverable,
        "effective_from": view.effective_from.isoformat() if view.effective_from else None,
        "effective_to": view.effective_to.isoformat() if view.effective_to else None,
        "change_note": view.change_note,
        "review": {"by": view.reviewed_by_name, "opinion": view.review_opinion} if view.reviewed_at else None,
    }


def version_json(view: ItemView) -> dict[str, Any]:
    """A version with the steps its keeper may take."""
    return {**item_json(view), "actions": api_actions(item_actions(current_actor(), view))}


def certificate_json(view: CertificateView) -> dict[str, Any]:
    """A certificate as everybody may know it."""
    return {
        "id": str(view.id),
        "kind": view.kind,
        "grade": view.grade or None,
        "number": view.number,
        "issuer": view.issuer,
        "issued_on": view.issued_on.isoformat() if view.issued_on else None,
        "expires_on": view.expires_on.isoformat() if view.expires_on else None,
        "state": view.state,
        "expiring": view.is_expiring,
    }


def practitioner_json(view: PractitionerView) -> dict[str, Any]:
    """A practitioner as the agency and the operator see one: never the identity number."""
    return {
        "id": str(view.id),
        "name": view.name,
        "id_masked": view.id_masked,
        "title": view.job_title,
        "full_time": view.is_full_time,
        "employed_from": view.employed_from.isoformat(),
        "leaves_on": view.leaves_on.isoformat() if view.leaves_on else None,
        "state": view.state,
        "certificates": [certificate_json(c) for c in view.certificates],
        "actions": api_actions(practitioner_actions(current_actor(), view)),
    }


def change_json(view: ChangeView) -> dict[str, Any]:
    """A request for change with what differs."""
    return {
        "id": str(view.id),
        "agency_id": str(view.agency_id),
        "kind": view.kind,
        "state": view.state,
        "version": view.version,
        "due_at": view.due_at.isoformat(),
        "differences": [{"field": d.name, "before": d.before, "after": d.after} for d in view.differences],
        "reason": view.decision_reason,
        "actions": api_actions(change_actions(current_actor(), view)),
    }


def file_json(view: AdmissionFile) -> dict[str, Any]:
    """An admission file as its agency and the operator see it."""
    return {
        "id": str(view.id),
        "name": view.title,
        "uscc": view.uscc,
        "kind": view.kind,
        "region_code": view.region_code,
        "address": view.address,
        "legal_representative": view.legal_representative,
        "contact": {"name": view.contact_name, "mobile": view.contact_mobile, "email": view.contact_email},
        "introduction": view.introduction,
        "state": view.state,
        "version": view.version,
        "deadline": view.deadline.isoformat() if view.deadline else None,
        "admitted_at": view.admitted_at.isoformat() if view.admitted_at else None,
        "checklist": [
            {"key": i.key, "label": gettext(i.label), "done": i.is_done, "required": i.is_required}
            for i in view.checklist
        ],
        "documents": [{"id": str(p.id), "kind": p.kind, "name": p.name, "size": p.size} for p in view.papers],
        "qualifications": [certificate_json(c) for c in view.certificates],
        "practitioners": [practitioner_json(p) for p in view.practitioners],
        "people": [
            {
                "id": str(p.id),
                "part": p.part,
                "name": p.name,
                "id_masked": p.id_masked,
                "share_permille": p.share_permille,
            }
            for p in view.people
        ],
        "measures": [
            {
                "id": str(m.id),
                "kind": m.kind,
                "reason": m.reason,
                "ends_at": m.ends_at.isoformat() if m.ends_at else None,
                "lifted_at": m.lifted_at.isoformat() if m.lifted_at else None,
            }
            for m in view.measures
        ],
        "checks": [
            {"round": c.round, "outcome": c.outcome, "reason": c.reason, "at": c.checked_at.isoformat()}
            for c in view.checks
        ],
        "actions": api_actions(file_actions(current_actor(), view)),
    }


def offer_json(view: OfferCard) -> dict[str, Any]:
    """An offer; money in fen, limits in working days, the on-time record in per cent."""
    return {
        "id": str(view.id),
        "state": view.state,
        "version": view.version,
        "agency": {"id": str(view.agency_id), "name": view.agency_name, "region_code": view.agency_region},
        "item": {
            "id": str(view.item_id),
            "code": view.item_code,
            "name": view.item_name,
            "name_en": view.item_name_en,
            "category": view.category,
            "limit_wd": view.item_limit_wd,
        },
        "promised_limit_wd": view.promised_limit_wd,
        "price_mode": view.price_mode,
        "price_fen": view.price_fen,
        "region_code": view.region_code,
        "description": view.description,
        "on_time_percent": view.on_time,
        "rating": view.rating,
        "ratings": view.rating_count,
        "published_at": view.published_at.isoformat() if view.published_at else None,
        "expires_on": view.expires_on.isoformat() if view.expires_on else None,
        "actions": api_actions(offer_actions(current_actor(), view)),
    }
