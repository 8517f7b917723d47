"""Notices of the gateway: verified, stored, answered at once; folded later, by object."""

from datetime import datetime
from functools import partial
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from app.kernel import clock
from app.kernel.db import db, in_transaction, use_case
from app.kernel.errors import NotFound
from app.kernel.inbox import Notice as StoredNotice
from app.kernel.inbox import receive, unknown_of
from app.kernel.outbox import publish
from app.settings import Settings
from payments.errors import BadNotice
from payments.events import NoticeReceived
from payments.gateways import gateway, gateway_of
from payments.models.gateways import GatewayAddress
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.ports import BadSignature, Notice, NoticeAddress
from payments.services.disputes import find_disputes
from payments.services.payments import sync_payment
from payments.services.refunds import sync_refund
from payments.services.sealing import seal, unseal
from payments.states import RefundState

NOTICE_PATH = "/pay/notice/stripe"


def record_notice(headers: dict[str, str], raw: bytes, source: str = "stripe") -> bool:
    """Verify and store one notice; return whether it was new. Nothing else happens before the answer.

    Raises BadNotice for a wrong signature, or a timestamp more than 300 s off in either direction; NotFound for a
    gateway that is not set up here.
    """
    try:
        provider = gateway_of(source)
    except KeyError:
        raise NotFound from None
    try:
        notice = provider.read_notice(headers, raw, _secrets(), clock.wall_time())
    except BadSignature as refusal:
        raise BadNotice from refusal
    return _store(source, notice)


@use_case
def _store(code: str, notice: Notice) -> bool:
    if not receive(code, notice.notice_id, notice.kind, notice.object_ref, notice.raw):
        return False
    publish(NoticeReceived(code, notice.notice_id, notice.payment_id, notice.session_ref, notice.payment_ref))
    return True


def _secrets() -> tuple[str, ...]:
    configured = cast("Settings", current_app.extensions["chaoshi_settings"]).stripe_webhook_secrets
    row = db.session.get(GatewayAddress, gateway().code)
    known = (unseal(row.secret), unseal(row.previous_secret)) if row is not None else ()
    return (*configured, *(secret for secret in known if secret))


def fold_notice(event: NoticeReceived) -> None:
    """Fetch what the notice is about and take it over. Bears a repeat; a notice about nothing of ours is only marked."""
    payment_id = _payment_of(event)
    if payment_id is not None:
        sync_payment(payment_id)
        for refund_id in _refunds_of(payment_id):
            sync_refund(refund_id)
        if _is_dispute(event):
            find_disputes(payment_id)
    _mark_done(event.gateway, event.notice_id)


def _payment_of(event: NoticeReceived) -> UUID | None:
    for column, value in ((Payment.id, event.payment_id), (Payment.session_ref, event.session_ref),
                          (Payment.payment_ref, event.payment_ref)):  # fmt: skip
        if value is not None:
            found = db.session.scalar(sa.select(Payment.id).where(column == value))
            if found is not None:
                return found
    return None


def _is_dispute(event: NoticeReceived) -> bool:
    stored = sa.select(StoredNotice.kind).where(
        StoredNotice.source == event.gateway, StoredNotice.notice_id == event.notice_id
    )
    return (db.session.scalar(stored) or "").startswith("charge.dispute.")


def _refunds_of(payment_id: UUID) -> list[UUID]:
    sent = sa.select(Refund.id).where(
        Refund.payment_id == payment_id,
        Refund.state.in_((RefundState.SUBMITTED, RefundState.PENDING, RefundState.SUCCEEDED)),
    )
    return list(db.session.scalars(sent))


@use_case
def _mark_done(source: str, notice_id: str) -> None:
    db.session.execute(
        sa.update(StoredNotice)
        .where(StoredNotice.source == source, StoredNotice.notice_id == notice_id)
        .values(done_at=clock.now())
    )


def recall_notices(since: datetime) -> int:
    """Store what the gateway has told since then and we never received; return how many were new."""
    code = gateway().code
    return sum(_store(code, notice) for notice in gateway().notices_since(since, partial(unknown_of, code)))


def register_address() -> bool:
    """Have the gateway send its notices here, keeping the previous secret valid; return whether something changed.

    Does nothing where the secrets are configured by hand. Raises Unknown or Refusal of the gateway.
    """
    settings = cast("Settings", current_app.extensions["chaoshi_settings"])
    if settings.stripe_webhook_secrets:
        return False
    assert not in_transaction(), "a call outside must not hold a transaction"
    url = settings.public_url.rstrip("/") + NOTICE_PATH
    provider = gateway()
    row = db.session.get(GatewayAddress, provider.code)
    keep = row.ref if row is not None and row.url == url and unseal(row.secret) else None
    db.session.rollback()
    made = provider.register_notices(url, keep)
    if made is None:
        return False
    _keep_address(provider.code, url, made)
    return True


@use_case
def _keep_address(code: str, url: str, made: NoticeAddress) -> None:
    row = db.session.get(GatewayAddress, code)
    if row is None:
        row = GatewayAddress(gateway=code, previous_secret=None)
        db.session.add(row)
    else:
        row.previous_secret = row.secret
    row.url, row.ref, row.secret, row.registered_at = url, made.ref, seal(made.secret), clock.now()
