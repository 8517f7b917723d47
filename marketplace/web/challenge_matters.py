"""What may be challenged in one procurement now, as the choices of the form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext

from app.kernel.calendar import UnknownYear
from app.kernel.clock import BEIJING
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web.session import current_actor
from marketplace.models.procurements import Procurement
from marketplace.policy import sees_procurement
from marketplace.queries.challenges import of_procurement, windows_of
from marketplace.rules.challenges import KIND_LABELS, TARGET_LABELS, Target, Window, may_challenge
from marketplace.services.challenges import standing_in_procurement
from marketplace.states.challenge import CHALLENGE, OPEN, ChallengeState


def open_windows(object_id: UUID) -> tuple[Window, ...]:
    """What this reader may challenge now; empty for the sides themselves. Raises NotFound."""
    actor = current_actor()
    procurement = db.session.get(Procurement, object_id)
    if procurement is None or not sees_procurement(actor, procurement):
        raise NotFound
    standing = standing_in_procurement(actor, procurement)
    won = actor.organisation_id is not None and actor.organisation_id == procurement.winner_organisation_id
    try:
        found = windows_of(procurement)
    except UnknownYear:
        return ()
    return tuple(
        window
        for window in found
        if may_challenge(window.kind, window.target, standing) and not (won and window.target is Target.RESULT)
    )


def matters_of(object_id: UUID) -> Sequence[tuple[str, str]]:
    """The choices of the form: what, and until when."""
    return [(window.key, _said(window)) for window in open_windows(object_id)]


def _said(window: Window) -> str:
    until = window.ends_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    text = N_("%(kind)s to the %(target)s, possible while the publicity stands still")
    if not window.stands_still:
        text = N_("%(kind)s to the %(target)s, until %(until)s")
    return str(
        gettext(text, kind=gettext(KIND_LABELS[window.kind]), target=gettext(TARGET_LABELS[window.target]), until=until)
    )


@dataclass(frozen=True)
class Challenged:
    """A challenge as the page of its procurement names it; `href` is empty for those who may not open it."""

    number: str
    kind: str
    target: str
    state: str
    state_label: str
    answer_by: datetime | None
    decided_at: datetime | None
    summary: str
    href: str


def challenged_of(procurement_id: UUID) -> tuple[Challenged, ...]:
    """The objections and queries to a procurement, the newest first; nobody is named."""
    actor = current_actor()
    return tuple(
        Challenged(
            number=row.number,
            kind=KIND_LABELS[row.kind],
            target=TARGET_LABELS[row.target],
            state=row.state,
            state_label=CHALLENGE.labels[ChallengeState(row.state)],
            answer_by=row.answer_by if row.state in OPEN else None,
            decided_at=row.decided_at,
            summary=row.public_summary,
            href=f"/challenges/{row.id}" if may_open else "",
        )
        for row, may_open in of_procurement(actor, procurement_id)
    )
