"""What a receiver is told on the way: each news once, in the platform and by mail, with a link, in both languages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.handlers import compose
from app.identity.models import MailMessage, Notice, User
from app.kernel import clock, outbox
from app.kernel.db import db, transaction
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.parcels import Parcel
from tests.delivery.builders import Hall, a_hall, a_handed_over_parcel, parcel

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
JOURNEY = (
    ("203", "delivery.collected", {}),
    ("702", "delivery.out_for_delivery", {}),
    ("705", "delivery.delivery_failed", {}),
    ("704", "delivery.delivered", {"deliverCode": "10"}),
    ("743", "delivery.revoked", {}),
)
IN_ENGLISH = ("collected", "out for delivery", "could not be delivered", "was delivered", "was not delivered")


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, clock_at: Callable[[datetime], None], carrier: SimulatedCarrier) -> Hall:
    clock_at(NOON)
    return a_hall()


@pytest.mark.parametrize(
    ("locale", "words"), [("en", IN_ENGLISH), ("zh_Hans_CN", ("揽收", "投递", "未", "妥投", "更正"))]
)
def test_each_news_comes_once_in_app_and_by_mail(
    locale: str, words: tuple[str, ...], app: Flask, hall: Hall, carrier: SimulatedCarrier
) -> None:
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == hall.applicant.user_id).values(locale=locale))
    parcel_id = a_handed_over_parcel(hall)
    number = parcel(parcel_id).waybill_no or ""
    for step, (code, _, facts) in enumerate(JOURNEY):
        carrier.report(number, code, NOON + timedelta(hours=step), **facts)
        for _ in range(2):
            with transaction() as session:
                session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(next_poll_at=clock.now()))
            assert services.poll_parcel(parcel_id)
    outbox.drain_all()
    kinds = [kind for _, kind, _ in JOURNEY]
    told = db.session.scalars(
        sa.select(Notice)
        .where(Notice.user_id == hall.applicant.user_id, Notice.kind.in_(kinds))
        .order_by(Notice.created_at)
    ).all()
    assert sorted(each.kind for each in told) == sorted(kinds), "each once"
    assert {each.link for each in told} == {f"/parcels/{parcel_id}"}
    settings = app.extensions["chaoshi_settings"]
    by_kind = {each.kind: each for each in told}
    for kind, word in zip(kinds, words, strict=True):
        mail = db.session.get_one(MailMessage, by_kind[kind].mail_id)
        sent = compose(mail, settings)
        text = f"{sent['Subject']}\n{sent.get_content()}"
        assert mail.locale == locale
        assert word.lower() in text.lower(), kind
        assert f"/parcels/{parcel_id}" in text
    assert len({each.mail_id for each in told}) == len(kinds), "a mail each"
