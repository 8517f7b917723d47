"""Objections and queries: against a notice, a frozen list, a result, or an admission in publicity."""

from uuid import UUID

from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.procurements import Procurement
from marketplace.policy import sees_procurement
from marketplace.queries.challenges import windows_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.challenges import (
    ChallengeKind,
    HandledBy,
    Side,
    Target,
    may_challenge,
)
from marketplace.services.challenges.commands import FileObjection, Plea
from marketplace.services.challenges.filing import (
    Matter,
    file_challenge,
    matter_key,
    require_person,
    standing_in_procurement,
    standing_of,
)
from marketplace.services.challenges.freezing import freeze_admission, freeze_procurement
from marketplace.services.challenges.telling import tell_role
from marketplace.services.procurements import tell
from marketplace.states.agency import AgencyState


@use_case
def challenge_procurement(actor: Actor, procurement_id: UUID, command: FileObjection) -> UUID:
    """File an objection or a query against a notice, a frozen list or a result; an objection stops the next step at once.

    Raises NotAllowed, NotFound, Refused for what cannot be challenged like this, Conflict out of time, twice or too often.
    """
    require_person(actor)
    procurement = lock(Procurement, procurement_id)
    if not sees_procurement(actor, procurement) or procurement.published_at is None:
        raise NotFound
    book = rule_book(procurement.rule_book_version)
    window = next((w for w in windows_of(procurement) if w.key == command.matter), None)
    if window is None:
        raise Conflict("challenge-too-late", N_("This can no longer be challenged: its time has passed."))
    standing = standing_in_procurement(actor, procurement)
    winner = actor.organisation_id is not None and actor.organisation_id == procurement.winner_organisation_id
    if (winner and window.target is Target.RESULT) or not may_challenge(window.kind, window.target, standing):
        raise Refused("no-standing", N_("You may not challenge this: it is open to others than you."), field="matter")
    matter = Matter(
        kind=window.kind,
        target=window.target,
        key=matter_key(procurement, window.target),
        standing=standing,
        against=Side.OWNER,
        against_name=organisation_name(procurement.owner_organisation_id),
        handled_by=HandledBy.OWNER,
        against_organisation_id=procurement.owner_organisation_id,
        procurement_id=procurement.id,
        thread_id=procurement.thread_id,
    )
    challenge = file_challenge(actor, matter, command, book)
    if window.kind is ChallengeKind.OBJECTION:
        freeze_procurement(challenge, procurement)
        tell_role(
            challenge,
            "operator",
            N_("Objection filed: %(number)s"),
            N_("%(number)s stops the next step until it is answered."),
        )
        if window.target is Target.RESULT and procurement.winner_organisation_id:
            tell(
                procurement,
                procurement.winner_organisation_id,
                "procurement.paused",
                N_("The publicity stands still: %(title)s"),
                N_(
                    "An objection to the result of %(number)s is being answered. The rest of the publicity runs on afterwards."
                ),
            )
    return challenge.id


@use_case
def object_to_admission(actor: Actor, agency_id: UUID, command: Plea) -> UUID:
    """Object to the admission of an agency while it is in publicity; the admission waits for the answer."""
    require_person(actor)
    agency = lock(Agency, agency_id)
    if agency.state != AgencyState.PUBLICITY or agency.publicity_ends_at is None:
        raise Conflict("challenge-too-late", N_("This can no longer be challenged: its time has passed."))
    held = bool(agency.open_objections)
    if clock.now() > agency.publicity_ends_at and not held:
        raise Conflict("challenge-too-late", N_("This can no longer be challenged: its time has passed."))
    standing = standing_of(actor, own=actor.organisation_id == agency.organisation_id)
    if not may_challenge(ChallengeKind.OBJECTION, Target.ADMISSION, standing):
        raise Refused("no-standing", N_("You may not challenge this: it is open to others than you."))
    matter = Matter(
        kind=ChallengeKind.OBJECTION,
        target=Target.ADMISSION,
        key=f"agency:{agency.id}:admission:{agency.submitted_at:%Y%m%dT%H%M%S}",
        standing=standing,
        against=Side.AGENCY,
        against_name=agency.name,
        handled_by=HandledBy.OPERATOR,
        against_organisation_id=agency.organisation_id,
        agency_id=agency.id,
        thread_id=agency.thread_id,
    )
    challenge = file_challenge(actor, matter, command, rule_book(agency.rule_book_version))
    freeze_admission(challenge, agency, actor)
    return challenge.id
