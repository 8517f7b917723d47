"""An agency's bank account: entered by the agency, checked by two operators, used after a cooling-off time.

Every step is told to all of the agency's people, so that a change that nobody meant is noticed before money moves.
"""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments.gateways.outgoing import outgoing
from payments.models.payouts import BankAccount
from payments.outgoing_events import BankAccountActivated
from payments.outgoing_states import BANK_ACCOUNT, CHANGING, BankAccountState
from payments.policy import Permission, agency_parts
from payments.ports import Declined, Refusal
from payments.services.sealing import seal, unseal
from payments.states import Part
from payments.terms import terms

log = logging.getLogger(__name__)
_NUMBER = re.compile(r"[0-9]{8,30}")
S = BankAccountState


@dataclass(frozen=True)
class EnterBankAccount:
    """The account as the bank knows it, and what proves it. `branch_code`: the 12 digits of the CNAPS line number."""

    holder_name: str
    bank_name: str
    number: str
    proof: Upload
    branch_code: str | None = None


@dataclass(frozen=True)
class DecideBankAccount:
    """A decision about an account; a refusal gives its reason."""

    reason: str | None = None
    version: int | None = None


def masked(number: str) -> str:
    """What people see of an account number: its last four digits."""
    return f"**** **** {number[-4:]}"


@use_case
def enter_bank_account(actor: Actor, command: EnterBankAccount) -> UUID:
    """Write down a new account of the actor's agency. Nothing is paid out until it is in use, taken back or refused.

    Raises NotAllowed, Refused for what is no account number, Conflict while another one is being changed.
    """
    if actor.organisation_id is None or not actor.may(Permission.BANK_ACCOUNT_ENTER):
        raise NotAllowed
    number = re.sub(r"[ \-]", "", command.number)
    if not _NUMBER.fullmatch(number):
        raise Refused("account-number", N_("An account number has 8 to 30 digits."), field="number")
    if command.branch_code and not re.fullmatch(r"[0-9]{12}", command.branch_code):
        raise Refused("branch-code", N_("The line number of a bank has 12 digits."), field="branch_code")
    if _changing(actor.organisation_id) is not None:
        raise Conflict("account-changing", N_("A change of the account is under way. Take it back first."))
    assert actor.user_id is not None, "a member is a person"
    row = BankAccount(
        id=new_id(),
        thread_id=new_id(),
        organisation_id=actor.organisation_id,
        holder_name=command.holder_name,
        bank_name=command.bank_name,
        branch_code=command.branch_code,
        sealed_number=seal(number),
        masked=masked(number),
        proof_file_id=keep(command.proof, actor).id,
        state=S.ENTERED.value,
        entered_by=actor.user_id,
        entered_by_name=actor.name,
        entered_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()  # a second change at the same time is refused here, by the partial unique index
    record(row, "enter", actor, title=N_("Bank account entered"), detail={"account": row.masked})
    _tell(row, "entered", N_("A new bank account was entered: %(account)s"),
          N_("%(who)s entered it. Nothing is paid out until it is in use. If nobody of you meant this, take it back."))  # fmt: skip
    notify(to_role=Role.OPERATOR, kind="payment.bank-account-check", subject=N_("A bank account waits for the check"),
           text=N_("Compare it with the agency's documents."), link=f"/bank-accounts/{row.id}", thread_id=row.thread_id)  # fmt: skip
    return row.id


def _changing(organisation_id: UUID) -> BankAccount | None:
    found: BankAccount | None = db.session.scalar(
        sa.select(BankAccount).where(BankAccount.organisation_id == organisation_id, BankAccount.state.in_(CHANGING))
    )
    return found


def _tell(row: BankAccount, kind: str, subject: str, text: str) -> None:
    notify(to_organisation=row.organisation_id, kind=f"payment.bank-account-{kind}", subject=subject, text=text,
           link="/agency-money/account", thread_id=row.thread_id,
           params={"account": row.masked, "who": row.entered_by_name})  # fmt: skip


def _locked(actor: Actor, account_id: UUID, version: int | None) -> tuple[BankAccount, frozenset[Part]]:
    row = lock(BankAccount, account_id, seen=version)
    return row, agency_parts(actor, row.organisation_id)


@use_case
def check_bank_account(actor: Actor, account_id: UUID, command: DecideBankAccount) -> None:
    """The first operator has compared the account with the agency's documents."""
    row, parts = _locked(actor, account_id, command.version)
    row.checked_by = actor.user_id
    move(row, BANK_ACCOUNT, "check", actor, parts)


@use_case
def confirm_bank_account(actor: Actor, account_id: UUID, command: DecideBankAccount) -> None:
    """The second operator confirms; the cooling-off time begins. Raises Refused for the one who checked it."""
    row, parts = _locked(actor, account_id, command.version)
    if row.checked_by == actor.user_id:
        raise Refused("same-person", N_("Somebody other than the one who checked the account confirms it."))
    row.confirmed_by = actor.user_id
    row.usable_at = clock.now() + timedelta(days=terms().bank_cooling_days)
    move(row, BANK_ACCOUNT, "confirm", actor, parts)
    _tell(row, "confirmed", N_("The bank account was confirmed: %(account)s"),
          N_("It is used after the cooling-off time. Nothing is paid out until then. If nobody of you meant this, take it back."))  # fmt: skip


@use_case
def reject_bank_account(actor: Actor, account_id: UUID, command: DecideBankAccount) -> None:
    """Refuse an account, with a reason; the present one stays in use."""
    row, parts = _locked(actor, account_id, command.version)
    move(row, BANK_ACCOUNT, "reject", actor, parts, reason=command.reason)
    _tell(row, "rejected", N_("The bank account was refused: %(account)s"), N_("Open the account to read why."))


@use_case
def withdraw_bank_account(actor: Actor, account_id: UUID, command: Plain) -> None:
    """Take a new account back; the present one stays in use."""
    row, parts = _locked(actor, account_id, command.version)
    move(row, BANK_ACCOUNT, "withdraw", actor, parts)
    _tell(row, "withdrawn", N_("The new bank account was taken back: %(account)s"),
          N_("The account in use before stays in use."))  # fmt: skip


@use_case
def activate_bank_account(account_id: UUID) -> bool:
    """Use an account whose cooling-off time is over, in place of the present one; False when it is not."""
    row = lock(BankAccount, account_id)
    if row.state != S.COOLING or row.usable_at is None or clock.now() < row.usable_at:
        return False
    former = db.session.scalar(
        sa.select(BankAccount)
        .where(BankAccount.organisation_id == row.organisation_id, BankAccount.state == S.ACTIVE)
        .with_for_update()
    )
    if former is not None:
        row.connect_ref = former.connect_ref
        move(former, BANK_ACCOUNT, "replace", SYSTEM, {Part.SYSTEM})
        db.session.flush()  # one account of an agency is in use at a time
    move(row, BANK_ACCOUNT, "activate", SYSTEM, {Part.SYSTEM}, event=BankAccountActivated(row.id))
    _tell(row, "active", N_("The bank account is in use: %(account)s"), N_("Payouts go to it from now on."))
    return True


# --- outside call: never inside a transaction ------------------------------------------------------------------------


def make_account_known(account_id: UUID) -> None:
    """Tell the provider about an account in use, under its own key. Raises Unknown when it does not answer."""
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(BankAccount, account_id, fresh=True)
    known = (
        row.state,
        row.connect_ref,
        row.holder_name,
        unseal(row.sealed_number),
        row.branch_code,
        row.organisation_id,
        row.by_transfer,
    )
    db.session.rollback()  # ends the read; nothing stays open while we wait for the provider
    state, ref, holder, number, branch, organisation, by_transfer = known
    if state != S.ACTIVE or number is None or by_transfer:
        return
    key = f"bank-account-{account_id}"
    try:
        if ref is None:
            ref = outgoing().open_account(holder, number, branch, organisation, key)
        else:
            outgoing().change_account(ref, holder, number, branch, key)
    except (Declined, Refusal) as refusal:
        log.warning("the provider refuses a bank account", extra={"account_id": str(account_id)}, exc_info=refusal)
        _refused_there(account_id, str(refusal)[:200])
        return
    _remember(account_id, ref)


@use_case
def _refused_there(account_id: UUID, problem: str) -> None:
    row = lock(BankAccount, account_id)
    record(row, "refused", SYSTEM, title=N_("The payment provider refuses the account"), detail={"problem": problem})
    notify(to_role=Role.OPERATOR, kind="payment.bank-account-refused", subject=N_("The payment provider refuses a bank account: %(account)s"),
           text=N_("Have the agency correct it, or decide that it is paid by bank transfer."), link=f"/bank-accounts/{row.id}",
           thread_id=row.thread_id, params={"account": row.masked})  # fmt: skip


@use_case
def _remember(account_id: UUID, ref: str) -> None:
    row = lock(BankAccount, account_id)
    if not row.is_known:
        row.connect_ref, row.is_known = ref, True
        record(row, "known", SYSTEM, title=N_("The payment provider knows the account"))
