"""Who may do what in the marketplace: permissions, the roles that hold them, and the part an actor plays towards an object.

`parts` is the only place that decides a part; transitions and routes name parts and permissions, so the tables stay data.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from app.kernel import clock
from app.kernel.access import Actor, Role
from marketplace.models.agencies import Agency, AgencyChange, Practitioner, Qualification
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.credit import Repair, Sanction
from marketplace.models.listings import Listing
from marketplace.models.notices import NoticeQuestion
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.reviews import Rating, RatingAppeal, RatingRequest
from marketplace.models.rulebook import RuleChange
from marketplace.rules.challenges import ChallengeKind, HandledBy
from marketplace.rules.opening_keys import Holder
from marketplace.states.challenge import OPEN as OPEN_CHALLENGE
from marketplace.states.contract import QUESTIONS, ContractState
from marketplace.states.parts import Part


class Permission(StrEnum):
    """What a role may open or start at all; the object's own parts are asked in addition."""

    ADMISSION_CHECK = "marketplace:admission:check"
    AGENCY_MANAGE = "marketplace:agency:manage"
    CATALOGUE_MANAGE = "marketplace:catalogue:manage"
    CHALLENGE_HANDLE = "marketplace:challenge:handle"
    CONTRACT_READ = "marketplace:contract:read"
    CONTRACT_TEMPLATE_KEEP = "marketplace:contract-template:keep"
    CONTRACT_TEMPLATE_READ = "marketplace:contract-template:read"
    CREDIT_DECIDE = "marketplace:credit:decide"
    CREDIT_WATCH = "marketplace:credit:watch"
    DRAW_BEACON = "marketplace:draw:beacon"
    KEY_HOLD = "marketplace:key:hold"
    FAIRNESS_WATCH = "marketplace:fairness:watch"
    LISTING_MANAGE = "marketplace:listing:manage"
    NOTICE_CHECK = "marketplace:notice:check"
    PROCUREMENT_CREATE = "marketplace:procurement:create"
    PROCUREMENT_SUCCESSION = "marketplace:procurement:succession"
    PROCUREMENT_SUPERVISE = "marketplace:procurement:supervise"
    REGISTRATION_CREATE = "marketplace:registration:create"
    RULE_BOOK_DECIDE = "marketplace:rule-book:decide"
    RULE_BOOK_PROPOSE = "marketplace:rule-book:propose"
    RULE_BOOK_READ_CHANGES = "marketplace:rule-book:read-changes"


_P = Permission
_WATCH: Final = frozenset(
    {
        _P.PROCUREMENT_SUPERVISE,
        _P.CONTRACT_READ,
        _P.CONTRACT_TEMPLATE_READ,
        _P.CREDIT_WATCH,
        _P.RULE_BOOK_READ_CHANGES,
    }
)

GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.OWNER: frozenset({_P.PROCUREMENT_CREATE, _P.CONTRACT_READ, _P.KEY_HOLD}),
    Role.AGENCY: frozenset({_P.REGISTRATION_CREATE, _P.CONTRACT_READ, _P.AGENCY_MANAGE, _P.LISTING_MANAGE}),
    Role.PRACTITIONER: frozenset({_P.CONTRACT_READ}),
    Role.OPERATOR: _WATCH
    | {
        _P.ADMISSION_CHECK,
        _P.CATALOGUE_MANAGE,
        _P.CHALLENGE_HANDLE,
        _P.NOTICE_CHECK,
        _P.DRAW_BEACON,
        _P.CREDIT_DECIDE,
        _P.PROCUREMENT_SUCCESSION,
        _P.RULE_BOOK_PROPOSE,
    },
    Role.REGULATOR: _WATCH
    | {
        _P.KEY_HOLD,
        _P.CATALOGUE_MANAGE,
        _P.CHALLENGE_HANDLE,
        _P.CREDIT_DECIDE,
        _P.CONTRACT_TEMPLATE_KEEP,
        _P.DRAW_BEACON,
        _P.FAIRNESS_WATCH,
        _P.PROCUREMENT_SUCCESSION,
        _P.RULE_BOOK_PROPOSE,
        _P.RULE_BOOK_DECIDE,
    },
    Role.AUDITOR: _WATCH | {_P.FAIRNESS_WATCH},
}
PUBLIC_GRANTS: Final[frozenset[str]] = frozenset()


def base_parts(actor: Actor) -> set[Part]:
    """The parts that do not depend on the object."""
    found = {Part.PUBLIC}
    if actor.is_system:
        found.add(Part.SYSTEM)
    for role, part in (
        (Role.OPERATOR, Part.OPERATOR),
        (Role.REGULATOR, Part.REGULATOR),
        (Role.APPROVING_DEPARTMENT, Part.APPROVER),
    ):
        if actor.has(role):
            found.add(part)
    return found


def acts_for(actor: Actor, organisation_id: object, *roles: Role) -> bool:
    """Whether the actor acts for this organisation, in one of `roles` where given."""
    same = organisation_id is not None and actor.organisation_id == organisation_id
    return same and (not roles or actor.has(*roles))


def procurement_parts(actor: Actor, procurement: Procurement) -> frozenset[Part]:
    """OWNER for the purchaser's people, WINNER for the selected agency's, and the roles of the supermarket."""
    found = base_parts(actor)
    if acts_for(actor, procurement.owner_organisation_id, Role.OWNER):
        found.add(Part.OWNER)
    if acts_for(actor, procurement.winner_organisation_id, Role.AGENCY):
        found.add(Part.WINNER)
    return frozenset(found)


def holder_of(actor: Actor, procurement: Procurement) -> Holder | None:
    """Whose share of a tender's key this actor may give: the owner's, the supervision's or the platform's, if anybody's."""
    if acts_for(actor, procurement.owner_organisation_id, Role.OWNER):
        return Holder.OWNER
    if actor.has(Role.REGULATOR) and actor.organisation_id is not None:
        return Holder.SUPERVISION
    return Holder.PLATFORM if actor.has(Role.OPERATOR) else None


def sees_procurement(actor: Actor, procurement: Procurement) -> bool:
    """Everybody sees a published procurement; before that its owner and those who run and watch the supermarket."""
    held = procurement_parts(actor, procurement)
    return (
        procurement.is_public or bool(held & {Part.OWNER, Part.SYSTEM}) or actor.may(Permission.PROCUREMENT_SUPERVISE)
    )


def registration_parts(actor: Actor, registration: Registration) -> frozenset[Part]:
    """AGENCY for the people of the registered agency."""
    found = base_parts(actor)
    if acts_for(actor, registration.organisation_id, Role.AGENCY):
        found |= {Part.AGENCY, Part.REGISTRANT}
    return frozenset(found)


_SIDES: Final = (Part.OWNER, Part.AGENCY)


def contract_parts(actor: Actor, contract: Contract) -> frozenset[Part]:
    """OWNER and AGENCY for the two sides, COUNTERPARTY for the side that was asked, REGULATOR also for auditors.

    Nobody else plays a part, so an empty answer means that the contract's existence is not told to this actor.
    A practitioner of the agency reads along; its authorised representative acts.
    """
    found = base_parts(actor) & {Part.SYSTEM, Part.OPERATOR, Part.REGULATOR}
    if acts_for(actor, contract.owner_organisation_id, Role.OWNER):
        found.add(Part.OWNER)
    if acts_for(actor, contract.agency_organisation_id, Role.AGENCY):
        found.add(Part.AGENCY)
    if acts_for(actor, contract.agency_organisation_id, Role.PRACTITIONER):
        found.add(Part.PUBLIC)
    if actor.has(Role.AUDITOR):
        found.add(Part.REGULATOR)
    if contract.state in (*QUESTIONS, ContractState.DISPUTE) and other_side(contract.asked_by) in found:
        found.add(Part.COUNTERPARTY)
    return frozenset(found)


def side_of(held: frozenset[Part]) -> Part | None:
    """The side of a contract that these parts speak for, if one."""
    return next((side for side in _SIDES if side in held), None)


def other_side(side: str | None) -> Part | None:
    """The other side of a contract: whoever is asked by `side`."""
    return {Part.OWNER: Part.AGENCY, Part.AGENCY: Part.OWNER}.get(Part(side)) if side else None


def request_parts(actor: Actor, request: RatingRequest) -> frozenset[Part]:
    """Who was asked to rate, by the part it plays; the watchers read along; nobody else knows of the request."""
    found = base_parts(actor) & {Part.SYSTEM}
    asked = {
        "owner": (Part.OWNER, Role.OWNER),
        "agency": (Part.AGENCY, Role.AGENCY),
        "department": (Part.APPROVER, Role.APPROVING_DEPARTMENT),
    }
    if request.rater in asked:
        part, role = asked[request.rater]
        if acts_for(actor, request.asked_organisation_id, role):
            found.add(part)
    elif actor.has(Role.OPERATOR):
        found.add(Part.OPERATOR)
    if actor.may(Permission.CREDIT_WATCH):
        found.add(Part.PUBLIC)
    return frozenset(found)


def is_rated_side(actor: Actor, rating: Rating) -> bool:
    """Whether the actor acts for the side that was rated."""
    role = Role.OWNER if rating.rater == "agency" else Role.AGENCY
    return acts_for(actor, rating.rated_organisation_id, role)


def appeal_parts(actor: Actor, appeal: RatingAppeal) -> frozenset[Part]:
    """PARTY for the side that appeals; OPERATOR and REGULATOR decide; auditors read along."""
    found = base_parts(actor) & {Part.SYSTEM, Part.OPERATOR, Part.REGULATOR}
    if acts_for(actor, appeal.organisation_id, Role.AGENCY, Role.OWNER):
        found.add(Part.PARTY)
    if actor.may(Permission.CREDIT_WATCH):
        found.add(Part.PUBLIC)
    return frozenset(found)


def sanction_parts(actor: Actor, sanction: Sanction | Repair) -> frozenset[Part]:
    """PARTY for the side concerned; OPERATOR and REGULATOR propose and decide; everybody reads what is published.

    An empty answer means that its existence is not told to this actor. What was only found is not told to the side concerned.
    """
    found = base_parts(actor) & {Part.SYSTEM, Part.OPERATOR, Part.REGULATOR}
    if sanction.state != "found" and acts_for(actor, sanction.organisation_id, Role.AGENCY, Role.OWNER):
        found.add(Part.PARTY)
    if sanction.is_public or actor.may(Permission.CREDIT_WATCH):
        found.add(Part.PUBLIC)
    return frozenset(found)


_HANDLERS: Final = {HandledBy.OPERATOR: Role.OPERATOR, HandledBy.REGULATOR: Role.REGULATOR}


def challenge_parts(actor: Actor, challenge: Challenge) -> frozenset[Part]:
    """CHALLENGER and RESPONDENT for the two sides; ADDRESSEE who answers an objection, query or report; HANDLER of a complaint.

    When the addressee has let its limit pass, those above it may answer in its place, so that silence stops no procurement.
    An empty answer means that the challenge's existence is not told to this actor.
    """
    found = base_parts(actor) & {Part.SYSTEM, Part.OPERATOR, Part.REGULATOR}
    if actor.user_id is not None and (
        actor.user_id == challenge.filed_by
        or acts_for(actor, challenge.challenger_organisation_id, Role.OWNER, Role.AGENCY)
    ):
        found.add(Part.CHALLENGER)
    if challenge.is_known_to_other_side and acts_for(actor, challenge.against_organisation_id, Role.OWNER, Role.AGENCY):
        found.add(Part.RESPONDENT)
    if actor.has(Role.AUDITOR):
        found.add(Part.PUBLIC)
    if challenge.state not in OPEN_CHALLENGE:
        return frozenset(found)
    if challenge.kind == ChallengeKind.COMPLAINT:
        if actor.has(_HANDLERS[HandledBy(challenge.handled_by)]):
            found.add(Part.HANDLER)
    elif _answers(actor, challenge):
        found.add(Part.ADDRESSEE)
    return frozenset(found)


def _answers(actor: Actor, challenge: Challenge) -> bool:
    if challenge.handled_by == HandledBy.OWNER:
        own = acts_for(actor, challenge.against_organisation_id, Role.OWNER)
        return own or (clock.now() > challenge.answer_by and actor.has(Role.OPERATOR, Role.REGULATOR))
    if challenge.handled_by == HandledBy.OPERATOR:
        return actor.has(Role.OPERATOR, Role.REGULATOR)
    return actor.has(Role.REGULATOR)


def question_parts(actor: Actor, question: NoticeQuestion) -> frozenset[Part]:
    """OWNER for the purchaser's people, AGENCY for the asker's, and the roles of the supermarket."""
    found = base_parts(actor)
    if acts_for(actor, question.owner_organisation_id, Role.OWNER):
        found.add(Part.OWNER)
    if acts_for(actor, question.organisation_id, Role.AGENCY):
        found.add(Part.AGENCY)
    return frozenset(found)


PARTS: Final[Mapping[type, Callable[[Actor, Any], frozenset[Part]]]] = {
    Procurement: procurement_parts,
    Registration: registration_parts,
    Contract: contract_parts,
    RatingRequest: request_parts,
    RatingAppeal: appeal_parts,
    Sanction: sanction_parts,
    Repair: sanction_parts,
    Challenge: challenge_parts,
    NoticeQuestion: question_parts,
}


def parts(actor: Actor, obj: object) -> frozenset[Part]:
    """The parts `actor` plays towards `obj`. Raises KeyError for a kind of object that has no policy."""
    return PARTS[type(obj)](actor, obj)


def agency_parts(
    actor: Actor, agency: Agency | Qualification | Practitioner | AgencyChange | Listing
) -> frozenset[Part]:
    """AGENCY for the agency's own authorised people, towards its file, certificates and offers; else the base parts."""
    found = base_parts(actor)
    if acts_for(actor, agency.organisation_id, Role.AGENCY):
        found.add(Part.AGENCY)
    return frozenset(found)


def rule_change_parts(actor: Actor, change: RuleChange) -> frozenset[Part]:
    """PROPOSER for the person who proposed it, who then does not also decide it as the regulator (two persons)."""
    found = base_parts(actor)
    if actor.user_id is not None and actor.user_id == change.proposed_by:
        found.add(Part.PROPOSER)
        found.discard(Part.REGULATOR)
    return frozenset(found)


def sees_file(actor: Actor, agency: Agency) -> bool:
    """Whose admission file with its papers an actor may open: its own people, the operator, regulator and auditor."""
    watches = actor.has(Role.OPERATOR, Role.REGULATOR, Role.AUDITOR) or actor.is_system
    return watches or acts_for(actor, agency.organisation_id, Role.AGENCY, Role.PRACTITIONER)
