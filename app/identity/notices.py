"""Telling people something: in the platform at once, by mail after commit, as each of them wants it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from app.identity import queries
from app.identity.events import MailQueued
from app.identity.models import MailDelivery, MailMessage, Notice, NoticePreference, User
from app.identity.topics import topic_of
from app.kernel import clock
from app.kernel.db import db, in_transaction, new_id
from app.kernel.outbox import publish


def notify(
    *,
    to_organisation: UUID | None = None,
    to_user: UUID | None = None,
    to_role: str | None = None,
    kind: str,
    subject: str,
    text: str,
    link: str,
    thread_id: UUID | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Tell one person, the members of an organisation, or the holders of a role; returns how many were told.

    Runs in the caller's transaction; mail leaves after commit, at once or in the next digest, to those who want it.
    `subject` and `text` are English message ids with `%(name)s` places filled from `params` (plain JSON values) when
    somebody reads them, in the reader's language. `kind` is "<topic>.<what>" ("procurement.award"); `link` is a path of
    this site. Raises ValueError for a topic that no manifest declares.
    """
    assert in_transaction(), "notify() outside transaction()"
    topic = topic_of(kind)
    told = set()
    if to_user is not None:
        told.add(to_user)
    if to_organisation is not None:
        told.update(queries.users_of_organisation(to_organisation))
    if to_role is not None:
        told.update(queries.users_of_role(to_role))
    if not told:
        return 0
    facts = dict(params or {})
    moment = clock.now()
    wishes = _wishes(told, topic)
    for user in db.session.scalars(select(User).where(User.id.in_(told))):
        wish = wishes.get(user.id, user.mail_delivery)
        mail_id = None
        if wish == MailDelivery.AT_ONCE:
            mail_id = queue_mail(user, subject=subject, body=text, params=facts, link=link)
        db.session.add(
            Notice(
                user_id=user.id,
                organisation_id=to_organisation,
                kind=kind,
                subject=subject,
                text=text,
                params=facts,
                link=link,
                thread_id=thread_id,
                created_at=moment,
                mail_id=mail_id,
                awaits_digest=wish == MailDelivery.DAILY,
            )
        )
    return len(told)


def _wishes(users: Iterable[UUID], topic: str) -> dict[UUID, str]:
    rows = db.session.execute(
        select(NoticePreference.user_id, NoticePreference.delivery).where(
            NoticePreference.user_id.in_(users), NoticePreference.topic == topic
        )
    )
    return dict(rows.all())


def queue_mail(
    user: User, *, subject: str, body: str, params: Mapping[str, Any], link: str = "", is_digest: bool = False
) -> UUID:
    """Put a mail to `user` in the table; it is sent after the caller's transaction has committed."""
    message = MailMessage(
        id=new_id(),
        user_id=user.id,
        to_address=user.email,
        locale=user.locale,
        subject=subject,
        body=body,
        params=dict(params),
        link=link,
        is_digest=is_digest,
        created_at=clock.now(),
    )
    db.session.add(message)
    publish(MailQueued(mail_id=message.id))
    return message.id


def forget(link: str) -> None:
    """Delete what was told about one object, in the platform and by mail: its words may name persons to be erased."""
    for table in (Notice, MailMessage):
        statement = delete(table).where(or_(table.link == link, table.link.like(f"%{link}")))
        db.session.execute(statement.execution_options(synchronize_session=False))
