"""What holds of the books after every step (`ALWAYS`), and once the network has healed and the worker has run (`AT_REST`).

Numbered as in the design. I11 (no float) and I12 (append-only tables) are tests of their own: `test_bad_input.py` and
`test_payment_services.py`.
"""

import json
import random
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from app.kernel import audit, outbox
from app.kernel.db import db
from payments import services
from payments.ledger import AccountType
from payments.manifest import DOMAIN
from payments.models.bills import Bill
from payments.models.disputes import PaymentDispute
from payments.models.held import Freeze
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from payments.models.payments import Payment, PaymentBill
from payments.models.payouts import Payout, TransferReversal
from payments.models.refunds import Refund
from payments.states import RefundState
from tests.payments.stories.world import World

Invariant = Callable[[World], None]
GONE = (RefundState.FAILED, RefundState.REJECTED)
STATEFUL = (Bill, Payment, Refund, Payout, PaymentDispute, TransferReversal)


def i1_every_posting_balances(_world: World) -> None:
    crooked = (
        sa.select(LedgerEntry.tx_id)
        .group_by(LedgerEntry.tx_id, LedgerEntry.currency)
        .having(sa.func.sum(LedgerEntry.amount_fen) != 0)
    )
    assert db.session.scalars(crooked).all() == []


def i2_the_sum_of_all_entries_is_zero(_world: World) -> None:
    assert (db.session.scalar(sa.select(sa.func.sum(LedgerEntry.amount_fen))) or 0) == 0


def i3_no_account_stands_on_the_wrong_side(_world: World) -> None:
    total = sa.func.sum(LedgerEntry.amount_fen)
    sums = db.session.execute(
        sa.select(LedgerAccount.code, LedgerAccount.type, total)
        .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .where(LedgerAccount.may_overdraw.is_(sa.false()))
        .group_by(LedgerAccount.code, LedgerAccount.type)
    )
    debit = {AccountType.ASSET, AccountType.EXPENSE}
    assert [(code, fen) for code, kind, fen in sums if (fen < 0 if kind in debit else fen > 0)] == []


def i4_refunds_stay_within_what_was_captured(world: World) -> None:
    promised = (
        sa.select(Refund.payment_id, sa.func.sum(Refund.amount_fen))
        .where(Refund.state.not_in(GONE))
        .group_by(Refund.payment_id)
    )
    captured = dict(db.session.execute(sa.select(Payment.id, Payment.amount_fen)).all())
    assert [row for row in db.session.execute(promised) if row[1] > captured[row[0]]] == []
    with world.simulator.backend.store.transaction():
        for charge in world.simulator.backend.store.every("charge"):
            assert 0 <= charge["amount_refunded"] <= charge["amount_captured"]


def i5_a_bill_is_credited_once(_world: World) -> None:
    for standing in ("credited", "live"):
        many = (
            sa.select(PaymentBill.bill_id)
            .where(PaymentBill.standing == standing)
            .group_by(PaymentBill.bill_id)
            .having(sa.func.count() > 1)
        )
        assert db.session.scalars(many).all() == []


def i6_one_object_at_the_provider_for_each_of_ours(world: World) -> None:
    store = world.simulator.backend.store
    with store.transaction():
        ours = [("payment", s["client_reference_id"]) for s in store.every("checkout.session")]
        for kind in ("refund", "transfer"):
            ours += [(kind, json.dumps(made["metadata"], sort_keys=True)) for made in store.every(kind)]
    assert [name for name, times in Counter(ours).items() if times > 1] == []


def i13_every_change_is_written_down_and_allowed(_world: World) -> None:
    """The audit events of each object form a path in its machine, from its initial state to the one it is in."""
    machines = {machine.name: machine for machine in DOMAIN.machines}
    for model in STATEFUL:
        machine = machines[model.object_type]
        edges = {(t.action, str(s), str(t.target)) for t in machine.transitions for s in t.sources}
        events = db.session.execute(
            sa.select(audit.AuditEvent.object_id, audit.AuditEvent.action, audit.AuditEvent.body)
            .where(audit.AuditEvent.object_type == model.object_type)
            .order_by(audit.AuditEvent.id)
        )
        states: dict[str, str] = {}
        for object_id, action, body in events:
            told = json.loads(body or b"{}").get("data", {})
            if "from" not in told or "to" not in told:
                continue
            before = states.get(object_id, str(machine.initial))
            assert (action.partition(".")[2], before, told["to"]) in edges, (model.object_type, action, before, told)
            states[object_id] = told["to"]
        for row_id, state in db.session.execute(sa.select(model.id, model.state)):
            known = states.get(str(row_id), str(machine.initial))
            assert known == state, (model.object_type, row_id, known, state)


def i7_every_movement_is_posted_once(world: World) -> None:
    store = world.simulator.backend.store
    with store.transaction():
        moved = {f"stripe:{movement['id']}" for movement in store.every("balance_transaction")}
    posted = db.session.scalars(
        sa.select(LedgerTransaction.key).where(LedgerTransaction.key.startswith("stripe:", autoescape=True))
    ).all()
    assert len(posted) == len(set(posted))
    assert set(posted) == moved


def i8_the_books_equal_the_providers_balance(world: World) -> None:
    booked = db.session.scalar(
        sa.select(sa.func.sum(LedgerEntry.amount_fen)).where(LedgerEntry.account == "psp:stripe")
    )
    assert (booked or 0) == world.gateway.balance_fen()
    db.session.rollback()
    with world.now():
        assert services.check_books() == 0


def i9_told_again_in_any_order_nothing_changes(world: World) -> None:
    """What the provider has to say, asked for again: states and books stay as they are."""
    before = _picture()
    payments = db.session.scalars(sa.select(Payment.id)).all()
    refunds = db.session.scalars(sa.select(Refund.id)).all()
    db.session.rollback()
    with world.now():
        for payment_id in random.Random(1).sample(payments, min(6, len(payments))):
            services.sync_payment(payment_id)
        for refund_id in random.Random(1).sample(refunds, min(6, len(refunds))):
            services.sync_refund(refund_id)
        outbox.drain_all()
    db.session.expire_all()
    assert _picture() == before


def i10_what_was_captured_is_held_returned_or_released(_world: World) -> None:
    """Bill by bill: the credited money is in escrow, in refunds under way or gone, or with the agency."""
    credited = dict(
        db.session.execute(
            sa.select(PaymentBill.bill_id, PaymentBill.amount_fen).where(PaymentBill.standing == "credited")
        ).all()
    )
    entries = db.session.execute(
        sa.select(LedgerEntry.account, sa.func.sum(LedgerEntry.amount_fen))
        .where(LedgerEntry.account.like("escrow:%"))
        .group_by(LedgerEntry.account)
    )
    held = {code.partition(":")[2]: -int(fen) for code, fen in entries}
    for bill in db.session.scalars(sa.select(Bill).where(Bill.kind == "service_fee")):
        left = held.get(str(bill.id), 0)
        assert 0 <= left <= credited.get(bill.id, 0), bill.id
        if bill.state in ("released", "refunded", "open", "void"):
            assert left == 0, (bill.id, bill.state)
        if bill.state in ("paid", "released", "refunded"):
            assert credited[bill.id] == bill.amount_fen


def i14_nothing_is_paid_out_while_a_dispute_freezes_the_balance(_world: World) -> None:
    sent_in_spite = (
        sa.select(Payout.id)
        .join(Freeze, Freeze.payee_organisation_id == Payout.payee_organisation_id)
        .where(Freeze.balance_fen > 0, Payout.submitted_at > Freeze.frozen_at)
        .where(sa.or_(Freeze.ended_at.is_(None), Payout.submitted_at < Freeze.ended_at))
    )
    assert db.session.scalars(sent_in_spite).all() == []


def _picture() -> tuple[object, ...]:
    rows = [sorted(map(tuple, db.session.execute(sa.select(model.id, model.state)))) for model in STATEFUL]
    keys = sorted(db.session.scalars(sa.select(LedgerTransaction.key)))
    return (*map(tuple, rows), tuple(keys))


ALWAYS: tuple[Invariant, ...] = (
    i1_every_posting_balances,
    i2_the_sum_of_all_entries_is_zero,
    i3_no_account_stands_on_the_wrong_side,
    i5_a_bill_is_credited_once,
)
AT_REST: tuple[Invariant, ...] = (
    *ALWAYS,
    i4_refunds_stay_within_what_was_captured,
    i6_one_object_at_the_provider_for_each_of_ours,
    i7_every_movement_is_posted_once,
    i8_the_books_equal_the_providers_balance,
    i9_told_again_in_any_order_nothing_changes,
    i10_what_was_captured_is_held_returned_or_released,
    i13_every_change_is_written_down_and_allowed,
    i14_nothing_is_paid_out_while_a_dispute_freezes_the_balance,
)
