"""What a person does with notices: read them, say how they are mailed; and the daily digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update

from app.identity.events import MailQueued
from app.identity.models import MailMessage, Notice, NoticePreference, User
from app.identity.notices import queue_mail
from app.identity.tokens import digest, new_token
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotFound
from app.kernel.outbox import publish
from app.kernel.transitions import record
from app.kernel.words import N_


@dataclass(frozen=True)
class ChangePreferences:
    """How notices are mailed in general, and the topics that differ (values of `MailDelivery`)."""

    mail_delivery: str
    by_topic: Mapping[str, str]


@use_case
def mark_read(actor: Actor, notice_id: UUID) -> str:
    """Mark one own notice as read; returns where it leads. Raises NotFound for another person's."""
    notice = lock(Notice, notice_id)
    if notice.user_id != actor.user_id:
        raise NotFound
    notice.read_at = notice.read_at or clock.now()
    return notice.link


@use_case
def mark_all_read(actor: Actor) -> int:
    """Mark all own notices as read; returns how many were new."""
    done = db.session.execute(
        update(Notice).where(Notice.user_id == actor.user_id, Notice.read_at.is_(None)).values(read_at=clock.now())
    )
    return int(getattr(done, "rowcount", 0))


@use_case
def change_preferences(actor: Actor, command: ChangePreferences) -> None:
    """Store how the actor's notices are mailed from now on; what waits for a digest still comes with it."""
    user = lock(User, actor.user_id)
    user.mail_delivery = command.mail_delivery
    db.session.execute(delete(NoticePreference).where(NoticePreference.user_id == user.id))
    for topic, delivery in command.by_topic.items():
        db.session.add(NoticePreference(user_id=user.id, topic=topic, delivery=delivery))
    record(user, "preferences-changed", actor, title=N_("Notice preferences changed"))


@use_case
def renew_calendar_token(actor: Actor) -> str:
    """Make the secret of the actor's calendar feed anew and return it, once; the earlier address ends to work."""
    user = lock(User, actor.user_id)
    token = new_token()
    user.calendar_token_hash = digest(token)
    record(user, "calendar-token-made", actor, title=N_("Address of the calendar feed made"))
    return token


@use_case
def end_calendar_feed(actor: Actor) -> None:
    """Let the actor's calendar feed answer nobody; a repeat changes nothing."""
    user = lock(User, actor.user_id)
    if user.calendar_token_hash is not None:
        user.calendar_token_hash = None
        record(user, "calendar-feed-ended", actor, title=N_("Calendar feed ended"))


@use_case
def send_again(mail_id: UUID) -> None:
    """Queue a mail that was not sent once more. Raises NotFound, Conflict for one that a mail server has taken."""
    message = lock(MailMessage, mail_id)
    if message.sent_at is not None:
        raise Conflict("mail-sent", N_("A mail server has taken this mail already."))
    publish(MailQueued(mail_id=message.id))


# --- the daily digest -------------------------------------------------------------------------------------------


def send_digests() -> int:
    """Put one mail together for everybody whose notices wait for it; returns how many mails."""
    waiting = db.session.scalars(select(Notice.user_id).where(Notice.awaits_digest).distinct()).all()
    db.session.rollback()
    return sum(_digest_of(user_id) for user_id in waiting)


@use_case
def _digest_of(user_id: UUID) -> bool:
    """One person's digest. What was read in the meantime is left out; when nothing remains, no mail is sent."""
    user = lock(User, user_id)
    notices = db.session.scalars(
        select(Notice).where(Notice.user_id == user_id, Notice.awaits_digest).order_by(Notice.created_at, Notice.id)
    ).all()
    unread = [notice for notice in notices if notice.read_at is None]
    mail_id = None
    if unread:
        mail_id = queue_mail(
            user,
            subject=N_("Chaoshi: %(count)s new messages"),
            body=N_("This is what you were told since the last digest:"),
            params={"count": len(unread)},
            link="/account/notices",
            is_digest=True,
        )
    for notice in notices:
        notice.awaits_digest = False
        notice.mail_id = mail_id if notice.read_at is None else None
    return mail_id is not None
