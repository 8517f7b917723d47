"""Postage that the applicant pays in advance: a real bill at the payment counter, paid by transfer or left unpaid."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

import payments.services as payments
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict
from approvals.models import ResultService
from approvals.services.postage import subject_of
from delivery import services as delivery
from delivery import terms
from delivery.models.parcels import Parcel
from delivery.models.terms import ParcelTerms
from delivery.services import Pack
from delivery.terms import Terms
from payments.queries import bill_page, bills_of_subject
from payments.services import DecideEntry, EnterMovement, HandInVoucher, StartPayment
from tests.approvals.builders import BY_COURIER, Clock, Story, made
from tests.builders import a_member
from tests.payments.builders import SLIP


@pytest.fixture
def prepaid(app: Flask) -> Iterator[None]:
    before = list(terms._provider)
    terms.provide(lambda: Terms(fee_modes=("prepaid",)))
    yield
    terms._provider[:] = before


@pytest.fixture
def story(prepaid: None, clock_at: Clock) -> Story:
    found = made(clock_at, replace(BY_COURIER, fee_mode="prepaid"))
    outbox.drain_all()
    return found


def the_parcel(story: Story) -> Parcel:
    db.session.rollback()
    service = db.session.query(ResultService).filter_by(case_id=story.id).one()
    assert service.parcel_id
    return db.session.get_one(Parcel, service.parcel_id, populate_existing=True)


def packer(parcel: Parcel) -> Actor:
    return a_member(Role.POSTAL_STAFF, parcel.hall_organisation_id, "周敏")


def paid_by_transfer(payer: Actor, bill_id: object) -> None:
    one, other = a_member(Role.OPERATOR), a_member(Role.OPERATOR)
    payment_id = payments.start_payment(payer, bill_id, StartPayment("bank_transfer"))  # type: ignore[arg-type]
    payments.send_payment(payment_id)
    payments.hand_in_voucher(payer, payment_id, HandInVoucher(SLIP))
    page = bill_page(payer, bill_id)  # type: ignore[arg-type]
    entry = EnterMovement(
        "bank", f"2026{payment_id.hex[:10]}", "周敏", page.amount_fen, clock.now() - timedelta(hours=1), page.payments[0].number
    )  # fmt: skip
    payments.confirm_entry(other, payments.enter_movement(one, entry), DecideEntry())
    outbox.drain_all()


def test_the_order_waits_until_its_bill_is_paid(story: Story) -> None:
    parcel = the_parcel(story)
    (bill,) = bills_of_subject(subject_of(parcel.id))
    owed = db.session.get_one(ParcelTerms, parcel.id)
    assert (bill.state, bill.amount_fen, owed.fee_state) == ("open", owed.fee_fen, "owed")
    clerk = packer(parcel)
    with pytest.raises(Conflict) as refused:
        delivery.pack(clerk, parcel.id, Pack("FQ1", 130, contents_compared=True))
    assert refused.value.code == "postage-owed"
    db.session.rollback()
    paid_by_transfer(story.applicant, bill.id)
    assert db.session.get_one(ParcelTerms, parcel.id, populate_existing=True).fee_state == "paid"
    delivery.pack(clerk, parcel.id, Pack("FQ1", 130, contents_compared=True))
    assert the_parcel(story).state == "packed"


def test_a_parcel_that_is_given_up_takes_its_unpaid_bill_along(story: Story, clock_at: Callable[..., None]) -> None:
    parcel = the_parcel(story)
    delivery.give_up(SYSTEM, parcel.id, "改为窗口领取")
    outbox.drain_all()
    (bill,) = bills_of_subject(subject_of(parcel.id))
    assert (bill.state, the_parcel(story).state) == ("void", "cancelled")
