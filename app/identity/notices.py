"""Telling people something: in the platform at once, by mail after commit, as each of them wants it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    told = set()
    if to_user is not None:
        told.add(to_user)
    if to_organisation is not None:
        told.update(queries.users_of_organisation(to_organisation))
    if to_role is not None:
        told.update(queries.users_of_role(to_role))
    facts = dict(params or {})
    tell_each([News(each, kind, subject, text, link, thread_id, facts, to_organisation) for each in told])
    return len(told)


@dataclass(frozen=True, slots=True)
class News:
    """What one person is told; the fields mean what they mean to `notify`."""

    to_user: UUID
    kind: str
    subject: str
    text: str
    link: str
    thread_id: UUID | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    organisation_id: UUID | None = None
    """The organisation as whose member the person is told."""


def tell_each(news: Sequence[News]) -> None:
    """Tell many persons at once, each their own, with two reads for all of them; else like `notify`."""
    assert in_transaction(), "tell_each() outside transaction()"
    topics = {each.kind: topic_of(each.kind) for each in news}
    told = {each.to_user for each in news}
    if not told:
        return
    wishes = _wishes(told, set(topics.values()))
    users = {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(told)))}
    for each in news:
        if user := users.get(each.to_user):
            _tell(user, each, wishes.get((user.id, topics[each.kind]), user.mail_delivery))


def _tell(user: User, news: News, wish: str) -> None:
    facts = dict(news.params)
    mail_id = None
    if wish == MailDelivery.AT_ONCE:
        mail_id = queue_mail(user, subject=news.subject, body=news.text, params=facts, link=news.link)
    db.session.add(
        Notice(
            user_id=user.id,
            organisation_id=news.organisation_id,
            kind=news.kind,
            subject=news.subject,
            text=news.text,
            params=facts,
            link=news.link,
            thread_id=news.thread_id,
            created_at=clock.now(),
            mail_id=mail_id,
            awaits_digest=wish == MailDelivery.DAILY,
        )
    )


def _wishes(users: Iterable[UUID], topics: Iterable[str]) -> dict[tuple[UUID, str], str]:
    rows = db.session.execute(
        select(NoticePreference.user_id, NoticePreference.topic, NoticePreference.delivery).where(
            NoticePreference.user_id.in_(users), NoticePreference.topic.in_(topics)
        )
    )
    return {(user_id, topic): delivery for user_id, topic, delivery in rows}


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
