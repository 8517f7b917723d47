"""The register of issued documents: number, check code, hash and the facts that a paper claims.

A paper is genuine when its code is here, not revoked, and what it says equals what is written here. The facts are
public to whoever holds the code, so they name no more of a person than the paper itself must.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from app.documents.pdf import Check
from app.kernel import audit, clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import Base, db, lock, new_id, use_case, uuid_fk, uuid_pk
from app.kernel.errors import Conflict, NotFound, Refused
from app.kernel.files import Upload, erase, keep
from app.kernel.words import N_

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so a code can be read out and typed from paper."""
CODE_LENGTH: Final = 16  # 80 bits: not to be guessed, and not to be enumerated


class IssuedDocument(Base):
    """One issued paper. Rows are never changed, except once each by `revoke` and by `redact`.

    `sha256` stays that of the paper as it was issued; after `redact` the file is another one.
    """

    __tablename__ = "issued_document"
    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    number: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    code: Mapped[str] = mapped_column(sa.String(CODE_LENGTH), unique=True)
    facts: Mapped[list[Any]]  # [label, value] pairs: a JSON object would lose the order that the paper has
    sha256: Mapped[str] = mapped_column(sa.String(64))
    file_id: Mapped[UUID] = uuid_fk("stored_file.id")
    audit_event_id: Mapped[UUID]
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(sa.Text())
    redacted_at: Mapped[datetime | None]
    """When the issued file was erased and one without personal data was put in its place."""
    __table_args__ = (sa.UniqueConstraint("kind", "number"),)


@dataclass(frozen=True)
class Issued:
    """What is known of an issued paper. `facts` are (label, value) pairs; labels are catalogue messages."""

    id: UUID
    kind: str
    number: str
    title: str
    subject: str
    thread_id: UUID
    code: str
    url: str
    facts: tuple[tuple[str, str], ...]
    sha256: str
    file_id: UUID
    audit_event_id: UUID
    issued_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    redacted_at: datetime | None

    @property
    def printed_code(self) -> str:
        return grouped(self.code)


@use_case
def issue(
    kind: str,
    number: str,
    title: str,
    subject: str,
    thread_id: UUID,
    facts: Mapping[str, str],
    render: Callable[[Check], bytes],
    *,
    actor: Actor = SYSTEM,
) -> Issued:
    """Issue the paper `kind`/`number` once: draw its code, render it with that code, keep the PDF and register it.

    Repeating the call returns the paper that is there, whatever the other arguments, so a handler may run twice.
    `facts` map labels (catalogue messages) to values as printed.
    """
    existing = db.session.scalar(
        sa.select(IssuedDocument).where(IssuedDocument.kind == kind, IssuedDocument.number == number)
    )
    if existing is not None:
        return _view(existing)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    stored = keep(Upload(f"{number}.pdf", render(Check(grouped(code), address(code)))))
    row = IssuedDocument(
        id=new_id(),
        thread_id=thread_id,
        subject=subject,
        kind=kind,
        number=number,
        title=title,
        code=code,
        facts=[[label, str(value)] for label, value in facts.items()],
        sha256=stored.sha256,
        file_id=stored.id,
        issued_at=clock.now(),
    )
    event = audit.append(
        action="document.issue",
        object_type="document",
        object_id=row.id,
        actor=actor,
        body={"kind": kind, "number": number, "subject": subject, "sha256": row.sha256, "facts": row.facts},
    )
    db.session.flush()
    row.audit_event_id = event.id
    db.session.add(row)
    db.session.flush()
    return _view(row)


@use_case
def revoke(actor: Actor, document_id: UUID, reason: str) -> None:
    """Declare a paper void; its check page says so from now on. Raises Refused without a reason, Conflict when it is void."""
    if not reason.strip():
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    row = lock(IssuedDocument, document_id)
    if row.revoked_at is not None:
        raise Conflict("already-revoked", N_("This document is void already."))
    row.revoked_at, row.revoked_reason = clock.now(), reason.strip()
    audit.append(
        action="document.revoke",
        object_type="document",
        object_id=row.id,
        actor=actor,
        body={"reason": row.revoked_reason},
    )


@use_case
def redact(subject: str, render: Callable[[Check], bytes], reason: str) -> int:
    """Put a form without personal data in the place of every paper of `subject`; returns how many were changed now.

    The issued bytes are erased for good. Number, code, facts and the hash of the issued paper stay, so a copy that
    somebody holds can still be told genuine; the log says when and why. A repeat changes nothing.
    """
    rows = db.session.scalars(
        sa.select(IssuedDocument)
        .where(IssuedDocument.subject == subject, IssuedDocument.redacted_at.is_(None))
        .with_for_update()
    ).all()
    for row in rows:
        issued = row.file_id
        stored = keep(Upload(f"{row.number}.pdf", render(Check(grouped(row.code), address(row.code)))))
        row.file_id, row.redacted_at = stored.id, clock.now()
        audit.append(
            action="document.redact", object_type="document", object_id=row.id, actor=SYSTEM,
            body={"reason": reason, "sha256_issued": row.sha256, "sha256_redacted": stored.sha256},
        )  # fmt: skip
        db.session.flush()  # the row lets go of the issued file first
        erase(issued)
    return len(rows)


def find(code: str) -> Issued:
    """The paper with this check code, however it was typed. Raises NotFound."""
    row = db.session.scalar(sa.select(IssuedDocument).where(IssuedDocument.code == normalised(code)))
    if row is None:
        raise NotFound
    return _view(row)


def issued_for(subject: str) -> tuple[Issued, ...]:
    """The papers of a subject, oldest first. One statement."""
    rows = db.session.scalars(
        sa.select(IssuedDocument)
        .where(IssuedDocument.subject == subject)
        .order_by(IssuedDocument.issued_at, IssuedDocument.id)
    )
    return tuple(map(_view, rows))


def normalised(code: str) -> str:
    """The code as stored: capitals, no separators, and the letters that are misread for digits put right."""
    return code.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))


def grouped(code: str) -> str:
    """The code as printed, in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def address(code: str) -> str:
    """The public address that checks a code."""
    return f"{current_app.extensions['chaoshi_settings'].public_url.rstrip('/')}/check/{code}"


def _view(row: IssuedDocument) -> Issued:
    return Issued(
        id=row.id,
        kind=row.kind,
        number=row.number,
        title=row.title,
        subject=row.subject,
        thread_id=row.thread_id,
        code=row.code,
        url=address(row.code),
        facts=tuple((str(label), str(value)) for label, value in row.facts),
        sha256=row.sha256,
        file_id=row.file_id,
        audit_event_id=row.audit_event_id,
        issued_at=row.issued_at,
        revoked_at=row.revoked_at,
        revoked_reason=row.revoked_reason,
        redacted_at=row.redacted_at,
    )
