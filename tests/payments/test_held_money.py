"""Held money in parts: releases with the platform's fee, freezes, refunds before and after release."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.kernel.errors import Conflict
from payments import services
from payments.held_money import BillMoney, fee_of_part, freeze_shares, platform_fee, refund_shares
from payments.models.refunds import Refund
from payments.observed import Movement, RefundFact
from payments.queries import PaymentView, balances, bill_view
from payments.queries.held import frozen_balance_fen, standing_of
from payments.services import DecideRefund
from payments.services.refunds import apply_refund
from payments.terms import EXTENSION, Terms
from tests.payments.test_payment_services import books_agree

MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]
fen = st.integers(min_value=0, max_value=10**9)


# --- rules --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])  # the first draw of a busy machine is slow
@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=8), st.integers(0, 100), st.sampled_from((0, 5_000)))
def test_the_parts_bear_the_fee_of_their_sum(parts: list[int], basis_points: int, cap: int) -> None:
    released = fees = 0
    for part in parts:
        fee = fee_of_part(BillMoney(held=part, released=released), part, basis_points, cap)
        assert 0 <= fee <= part
        released, fees = released + part, fees + fee
    assert fees == platform_fee(released, basis_points, cap)


@given(fen, fen, fen, st.data())
def test_a_refund_never_takes_more_than_there_was(held: int, frozen: int, released: int, data: st.DataObject) -> None:
    fee = data.draw(st.integers(0, released))
    returned = data.draw(st.integers(0, released))
    standing = BillMoney(held, frozen, released, fee, returned, fee * returned // released if released else 0)
    amount = data.draw(st.integers(-5, held + released + 5))
    shares = refund_shares(standing, amount)
    may = 1 <= amount <= standing.free + standing.returnable
    assert (shares is not None) == may
    if shares is not None:
        assert shares.total == amount
        assert min(shares.from_held, shares.from_agency, shares.from_fee) >= 0
        assert shares.from_held <= standing.free
        assert standing.fee_returned + shares.from_fee <= fee


def test_a_full_refund_returns_the_whole_fee() -> None:
    shares = refund_shares(BillMoney(held=0, released=1000, fee=7, returned=333, fee_returned=2), 667)
    assert shares is not None
    assert (shares.from_agency, shares.from_fee) == (662, 5)


def test_a_freeze_takes_held_money_first() -> None:
    shares = freeze_shares(BillMoney(held=300, frozen=100, released=700, returned=100), 500)
    assert (shares.of_held, shares.of_balance) == (200, 300)
    assert freeze_shares(BillMoney(held=0, released=700, returned=650), 500).of_balance == 50


# --- services -----------------------------------------------------------------------------------------------------


def own(agency: Actor) -> tuple[int, int]:
    """What the agency has and what it owes."""
    found = balances([f"payable:{agency.organisation_id}", f"receivable:{agency.organisation_id}"])
    return -found.get(f"payable:{agency.organisation_id}", 0), found.get(f"receivable:{agency.organisation_id}", 0)


def refund(operator: Actor, second: Actor, bill_id: UUID, amount_fen: int | None) -> UUID:
    refund_id = services.refund(operator, bill_id, "服务范围缩减", amount_fen)
    services.approve_refund(second, refund_id, DecideRefund())
    services.send_refund(refund_id)
    return refund_id


def test_parts_are_released_with_their_fee(app: Flask, paid: Callable[..., UUID], agency: Actor) -> None:
    app.extensions[EXTENSION] = lambda _on: Terms(platform_fee_bp=50, platform_fee_cap_fen=300)
    bill_id = paid(100_000)
    assert services.release_held(SYSTEM, bill_id, "第一阶段成果验收", 40_000) is False
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen, own(agency)) == ("paid", 60_000, (39_800, 0))
    with pytest.raises(Conflict, match="more than may move"):
        services.release_held(SYSTEM, bill_id, "再次验收", 60_001)
    assert services.release_held(SYSTEM, bill_id, "成果验收") is True
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen, own(agency)) == ("released", 0, (99_700, 0))
    assert balances(["income:platform_fee"]) == {"income:platform_fee": -300}
    assert services.release_held(SYSTEM, bill_id, "成果验收") is True
    books_agree()


def test_a_freeze_stops_exactly_its_part(paid: Callable[..., UUID], agency: Actor, operator: Actor) -> None:
    bill_id, cause = paid(100_000), f"engagement:{uuid4()}"
    assert services.freeze_money(SYSTEM, bill_id, cause, "成果质量争议", 30_000) == 30_000
    assert services.freeze_money(SYSTEM, bill_id, cause, "成果质量争议", 30_000) == 0
    with pytest.raises(Conflict):
        services.refund(operator, bill_id, "退回全部", 70_001)
    assert services.release_held(SYSTEM, bill_id, "其余成果验收") is False
    assert services.release_held(SYSTEM, bill_id, "其余成果验收") is False
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen, own(agency)) == ("paid", 30_000, (70_000, 0))
    assert services.unfreeze_money(SYSTEM, bill_id, cause, "双方达成一致") is True
    assert services.unfreeze_money(SYSTEM, bill_id, cause, "双方达成一致") is False
    assert services.release_held(SYSTEM, bill_id, "验收合格") is True
    assert own(agency) == (100_000, 0)


def test_a_freeze_after_release_lies_on_the_balance(paid: Callable[..., UUID], agency: Actor) -> None:
    bill_id = paid(100_000)
    services.release_held(SYSTEM, bill_id, "验收合格", 80_000)
    assert services.freeze_money(SYSTEM, bill_id, "dispute:1", "持卡人拒付", 50_000) == 50_000
    assert agency.organisation_id is not None
    assert (standing_of(bill_id).frozen, frozen_balance_fen(agency.organisation_id)) == (20_000, 30_000)


def test_a_partial_refund_keeps_the_bill_paid_and_the_last_one_ends_it(
    paid: Callable[..., UUID], operator: Actor, second: Actor
) -> None:
    bill_id = paid(100_000)
    refund(operator, second, bill_id, 30_000)
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("paid", 70_000)
    refund(operator, second, bill_id, None)
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("refunded", 0)
    with pytest.raises(Conflict):
        services.refund(operator, bill_id, "再退")
    books_agree()


def test_a_part_released_and_the_rest_refunded(
    paid: Callable[..., UUID], operator: Actor, second: Actor, agency: Actor
) -> None:
    bill_id = paid(100_000)
    services.release_held(SYSTEM, bill_id, "调解：向中介机构支付四成", 40_000)
    refund(operator, second, bill_id, None)
    assert (bill_view(bill_id).state, own(agency)) == ("released", (40_000, 0))
    books_agree()


def test_a_refund_after_release_takes_the_balance_then_makes_a_debt_that_is_withheld(
    app: Flask, paid: Callable[..., UUID], operator: Actor, second: Actor, agency: Actor
) -> None:
    app.extensions[EXTENSION] = lambda _on: Terms(platform_fee_bp=100)
    first, other = paid(100_000), paid(50_000)
    services.release_held(SYSTEM, first, "验收合格")
    assert own(agency) == (99_000, 0)
    assert agency.organisation_id is not None
    spent = services.refund(operator, first, "抽查不合格", 60_000)
    assert own(agency) == (39_600, 0)  # 59,400 of the agency, 600 of the platform's fee
    services.reject_refund(second, spent, DecideRefund("依据不足"))
    assert own(agency) == (99_000, 0)
    drain_balance(agency.organisation_id, 90_000)
    refund_id = services.refund(operator, first, "抽查不合格", 60_000)
    assert own(agency) == (0, 0)
    services.approve_refund(second, refund_id, DecideRefund())
    assert own(agency) == (0, 50_400)
    services.send_refund(refund_id)
    assert bill_view(first).state == "released"
    services.release_held(SYSTEM, other, "验收合格")
    assert own(agency) == (0, 900)  # 49,500 came in, all of it was withheld
    back = Movement("txn_back", "refund_failure", 60_000, 0, "CNY", bill_view(first).opened_at, "re_back")
    ref = db.session.get(Refund, refund_id)
    assert ref is not None
    assert ref.gateway_ref is not None
    apply_refund(refund_id, RefundFact(ref.gateway_ref, "failed", 60_000, "CNY", (back,), "account_closed"))
    assert own(agency) == (58_500, 0)  # the debt ends, what was paid off of it returns to the balance
    assert balances([f"refund_pending:{refund_id}"])[f"refund_pending:{refund_id}"] == 0
    assert balances(["income:platform_fee"]) == {"income:platform_fee": -1_500}


def drain_balance(agency: UUID, amount_fen: int) -> None:
    """As if so much had been paid out."""
    from app.kernel import clock
    from payments import ledger
    from payments.ledger import Entry, Posting

    bank = ledger.Account("bank:test", ledger.AccountType.ASSET, may_overdraw=True)
    sides = (Entry(ledger.payable(agency), amount_fen), Entry(bank, -amount_fen))
    services.post(Posting(f"test-payout:{agency}", "payout", clock.now(), sides, ""))


def test_an_approved_refund_can_be_taken_back_until_it_is_sent(
    paid: Callable[..., UUID], operator: Actor, second: Actor
) -> None:
    bill_id = paid(100_000)
    refund_id = services.refund(operator, bill_id, "合同解除", 10_000)
    services.approve_refund(second, refund_id, DecideRefund())
    services.reject_refund(operator, refund_id, DecideRefund("业主撤回"))
    services.send_refund(refund_id)
    row = db.session.get(Refund, refund_id)
    assert row is not None
    assert (row.state, row.gateway_ref, bill_view(bill_id).held_fen) == ("rejected", None, 100_000)
    books_agree()
