"""Disputes of payers' banks: found through the payment, answered with evidence, followed to the bank's decision.

The disputed money is frozen exactly: first what the payment's bills still hold, then their agencies' balances. A lost
dispute is a loss of the platform until an operator decides that the frozen money bears it.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import beijing_date
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed
from app.kernel.files import Upload, keep
from app.kernel.money import Money
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, outgoing_ledger
from payments.gateways import gateway
from payments.gateways.outgoing import outgoing
from payments.ledger import Account
from payments.models.bills import WATCHERS, Bill
from payments.models.disputes import DisputeEvidence, PaymentDispute
from payments.models.held import Freeze
from payments.models.payments import Payment, PaymentBill
from payments.outgoing_events import DisputeAnswered, DisputeClosed, DisputeOpened
from payments.outgoing_ports import DisputeFact
from payments.outgoing_states import OPEN_DISPUTE, PAYMENT_DISPUTE, DisputeState
from payments.policy import Permission
from payments.ports import Declined, Refusal
from payments.services.books import balances_of, post
from payments.services.held import freeze_money, unfreeze_money
from payments.services.refunds import close_emptied_bill
from payments.states import Part, Standing
from payments.terms import terms

_LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class AnswerDispute:
    """What proves the service, in words and files. It can be handed in once."""

    answer: str
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class AddEvidence:
    """One file."""

    file: Upload
    version: int | None = None


@dataclass(frozen=True)
class SettleLoss:
    """Who bears a lost dispute: `borne` by the platform, or `recovered` from the frozen money."""

    how: str
    reason: str
    version: int | None = None


@use_case
def apply_dispute(payment_id: UUID, fact: DisputeFact) -> UUID:
    """Take over a dispute with its movements: state, ledger and freeze in one transaction. The same fact twice changes nothing."""
    payment = lock(Payment, payment_id)
    row = db.session.scalar(sa.select(PaymentDispute).where(PaymentDispute.gateway_ref == fact.ref).with_for_update())
    if row is None:
        row = _open(payment, fact)
    row.due_by = fact.due_by
    row.check_at = clock.now() + _LOOK_AGAIN
    for movement in fact.movements:
        post(outgoing_ledger.dispute_moved(row.gateway, movement, row.id, _memo(row), row.bill_id))
    state = DisputeState(row.state)
    if fact.status == "under_review" and state is DisputeState.NEEDS_RESPONSE:
        move(row, PAYMENT_DISPUTE, "review", SYSTEM, {Part.SYSTEM})
    elif fact.status == "won" and state in OPEN_DISPUTE:
        row.finished_at = clock.now()
        _close(row, "win")
        _end_freezes(row, SYSTEM, N_("The dispute was won"))
    elif fact.status == "lost" and state in OPEN_DISPUTE:
        row.finished_at = clock.now()
        post(outgoing_ledger.dispute_lost(row.id, row.amount_fen, clock.now(), _memo(row), row.bill_id))
        _close(row, "lose")
        _tell(row, "lost", N_("A dispute was lost: %(amount)s yuan"), N_("Decide who bears the loss."))
    return row.id


def _close(row: PaymentDispute, action: str) -> None:
    facts = {"amount_fen": row.amount_fen}
    move(row, PAYMENT_DISPUTE, action, SYSTEM, {Part.SYSTEM}, event=DisputeClosed(row.id), detail=facts)


def _open(payment: Payment, fact: DisputeFact) -> PaymentDispute:
    bills = _bills_of(payment.id)
    agencies = {bill.payee_organisation_id for bill in bills if bill.payee_organisation_id is not None}
    row = PaymentDispute(
        id=new_id(),
        thread_id=bills[0].thread_id,
        payment_id=payment.id,
        bill_id=bills[0].id,
        gateway=gateway().code,
        gateway_ref=fact.ref,
        amount_fen=fact.amount_fen,
        reason=fact.reason,
        state=DisputeState.NEEDS_RESPONSE.value,
        due_by=fact.due_by,
        opened_at=fact.opened_at,
        check_at=clock.now() + _LOOK_AGAIN,
        readers=[*(f"org:{agency}" for agency in agencies), *WATCHERS],
    )
    db.session.add(row)
    db.session.flush()
    record(row, "open", SYSTEM, title=N_("The payer's bank disputes the payment"),
           detail={"amount_fen": row.amount_fen}, event=DisputeOpened(row.id))  # fmt: skip
    left = fact.amount_fen
    for bill in bills:
        if left > 0:
            left -= freeze_money(SYSTEM, bill.id, _cause(row), N_("The payer's bank disputes the payment"), left)
    _tell(row, "opened", N_("A payment is disputed: %(amount)s yuan"), N_("Answer with evidence before the date."))
    return row


def _bills_of(payment_id: UUID) -> list[Bill]:
    """The bills that the payment was credited to; those that it was meant for when it was set aside."""
    rows = db.session.execute(
        sa.select(Bill, PaymentBill.standing)
        .join(PaymentBill, PaymentBill.bill_id == Bill.id)
        .where(PaymentBill.payment_id == payment_id)
        .order_by(Bill.number)
    ).all()
    credited = [bill for bill, standing in rows if standing == Standing.CREDITED]
    return credited or [bill for bill, _ in rows]


def _cause(row: PaymentDispute) -> str:
    return f"dispute:{row.id}"


def _memo(row: PaymentDispute) -> str:
    return f"{row.gateway_ref} {row.reason}"


def _tell(row: PaymentDispute, kind: str, subject: str, text: str) -> None:
    notify(to_role=Role.OPERATOR, kind=f"payment.dispute-{kind}", subject=subject, text=text,
           link=f"/disputes/{row.id}", thread_id=row.thread_id, params={"amount": Money(row.amount_fen).grouped})  # fmt: skip


def _freezes(row: PaymentDispute) -> list[Freeze]:
    open_ones = sa.select(Freeze).where(Freeze.cause == _cause(row), Freeze.ended_at.is_(None)).order_by(Freeze.bill_id)
    return list(db.session.scalars(open_ones))


def _end_freezes(row: PaymentDispute, actor: Actor, reason: str) -> None:
    for freeze in _freezes(row):
        unfreeze_money(actor, freeze.bill_id, freeze.cause, reason)


@use_case
def answer_dispute(actor: Actor, dispute_id: UUID, command: AnswerDispute) -> None:
    """Write down our answer with its file; the provider is told after commit. It can be given once.

    Raises NotAllowed, Conflict when it is given already or the dispute is decided.
    """
    row = lock(PaymentDispute, dispute_id, seen=command.version)
    if not actor.may(Permission.DISPUTE_ANSWER):
        raise NotAllowed
    if row.state != DisputeState.NEEDS_RESPONSE or row.answered_at is not None:
        raise Conflict("dispute-answered", N_("This dispute is answered already, or decided."))
    if command.file is not None:
        _attach(actor, row, command.file)
    row.answer, row.answered_by, row.answered_at = command.answer, actor.user_id, clock.now()
    record(row, "answer", actor, title=N_("Dispute answered"), event=DisputeAnswered(row.id))


@use_case
def add_evidence(actor: Actor, dispute_id: UUID, command: AddEvidence) -> None:
    """Keep one more file for the answer. Raises NotAllowed, Conflict once it was given."""
    row = lock(PaymentDispute, dispute_id, seen=command.version)
    if not actor.may(Permission.DISPUTE_ANSWER):
        raise NotAllowed
    if row.answered_at is not None or row.state != DisputeState.NEEDS_RESPONSE:
        raise Conflict("dispute-answered", N_("This dispute is answered already, or decided."))
    _attach(actor, row, command.file)
    record(row, "evidence", actor, title=N_("Evidence added"))


def _attach(actor: Actor, row: PaymentDispute, upload: Upload) -> None:
    assert actor.user_id is not None, "a person uploads"
    db.session.add(
        DisputeEvidence(id=new_id(), dispute_id=row.id, file_id=keep(upload, actor).id, uploaded_by=actor.user_id,
                        uploaded_by_name=actor.name, uploaded_at=clock.now())
    )  # fmt: skip


@use_case
def settle_loss(actor: Actor, dispute_id: UUID, command: SettleLoss) -> None:
    """Decide who bears a lost dispute; the freeze ends. Raises NotAllowed, Conflict when it is not lost or decided.

    `recovered`: the frozen money of each bill bears its part - escrow, the agency's balance, and what that lacks becomes
    its debt. What was never frozen stays a loss of the platform.
    """
    row = lock(PaymentDispute, dispute_id, seen=command.version)
    if not actor.may(Permission.DISPUTE_ANSWER):
        raise NotAllowed
    if row.state != DisputeState.LOST or row.loss_settled is not None:
        raise Conflict("loss-settled", N_("Only a lost dispute is settled, and once."))
    row.loss_settled, row.loss_settled_by = command.how, actor.user_id
    frozen = _freezes(row)
    record(row, "settle_loss", actor, title=N_("The loss of a dispute was settled"), reason=command.reason,
           detail={"how": command.how})  # fmt: skip
    if command.how == "recovered":
        for freeze in frozen:
            _recover(row, freeze)
    _end_freezes(row, actor, command.reason)
    if command.how == "recovered":
        for freeze in frozen:
            close_emptied_bill(get(Bill, freeze.bill_id), freeze.held_fen)


def _recover(row: PaymentDispute, freeze: Freeze) -> None:
    lock(Bill, freeze.bill_id)
    shares: list[tuple[Account, int]] = [(ledger.escrow(freeze.bill_id), freeze.held_fen)]
    if freeze.balance_fen and freeze.payee_organisation_id is not None:
        account = ledger.payable(freeze.payee_organisation_id)
        at_hand = min(freeze.balance_fen, -balances_of([account.code]).get(account.code, 0))
        shares += [(account, at_hand), (ledger.receivable(freeze.payee_organisation_id), freeze.balance_fen - at_hand)]
    post(outgoing_ledger.loss_recovered(row.id, freeze.bill_id, [s for s in shares if s[1]], clock.now(), _memo(row)))


@use_case
def alarm_disputes() -> int:
    """Tell the operators, once, of disputes whose date is near and that nobody has answered."""
    moment = clock.now()
    near = moment + timedelta(days=terms(beijing_date(moment)).dispute_alarm_days)
    rows = db.session.scalars(
        sa.select(PaymentDispute)
        .where(
            PaymentDispute.state == DisputeState.NEEDS_RESPONSE,
            PaymentDispute.answered_at.is_(None),
            PaymentDispute.alarmed_at.is_(None),
            PaymentDispute.due_by <= near,
        )
        .with_for_update()
    ).all()
    for row in rows:
        row.alarmed_at = moment
        _tell(row, "due", N_("A dispute is about to be lost: %(amount)s yuan"),
              N_("Nobody has answered it, and its date is near."))  # fmt: skip
    return len(rows)


# --- outside calls: never inside a transaction ------------------------------------------------------------------------


def find_disputes(payment_id: UUID) -> int:
    """Ask the provider for the disputes of a payment and take them over; return how many there are."""
    assert not in_transaction(), "a call outside must not hold a transaction"
    ref = db.session.scalar(sa.select(Payment.payment_ref).where(Payment.id == payment_id))
    db.session.rollback()  # ends the read; nothing stays open while we wait for the provider
    found = outgoing().disputes_of(ref) if ref is not None else ()
    for fact in found:
        apply_dispute(payment_id, fact)
    return len(found)


def sync_dispute(dispute_id: UUID) -> DisputeState:
    """Ask the provider what has become of a dispute and take it over; hands in an answer that it does not have yet."""
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(PaymentDispute, dispute_id, fresh=True)
    payment_id, ref, answer, state = row.payment_id, row.gateway_ref, row.answer, row.state
    db.session.rollback()  # ends the read; nothing stays open while we wait for the provider
    if answer is not None and state == DisputeState.NEEDS_RESPONSE:
        try:
            fact = outgoing().answer_dispute(ref, answer, f"dispute-answer-{dispute_id}")
        except (Declined, Refusal):  # decided or past its date meanwhile: what counts is its present state
            fact = outgoing().fetch_dispute(ref)
    else:
        fact = outgoing().fetch_dispute(ref)
    apply_dispute(payment_id, fact)
    db.session.expire_all()
    return DisputeState(get(PaymentDispute, dispute_id).state)
