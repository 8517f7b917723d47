"""Reads of an agency's money: whether it can be paid out, its bank accounts and its payouts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity.models import OrganisationKind
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments import ledger
from payments.gateways import gateway
from payments.models.payouts import BankAccount, Payout
from payments.outgoing_states import CHANGING, UNFINISHED_PAYOUT, BankAccountState
from payments.policy import agency_parts
from payments.queries.books import balances
from payments.queries.held import frozen_balance_fen
from payments.states import Part


class PayoutBlock(StrEnum):
    """Why nothing is paid out to an agency now."""

    NO_ACCOUNT = "no-account"
    CHANGING = "account-changing"
    FROZEN = "frozen"


def payout_block(organisation_id: UUID) -> PayoutBlock | None:
    """Why nothing is paid out to this agency now, or None. Two statements."""
    states = set(
        db.session.scalars(
            sa.select(BankAccount.state).where(
                BankAccount.organisation_id == organisation_id,
                BankAccount.state.in_((*CHANGING, BankAccountState.ACTIVE)),
            )
        )
    )
    if states.intersection(CHANGING):
        return PayoutBlock.CHANGING
    if not states:
        return PayoutBlock.NO_ACCOUNT
    return PayoutBlock.FROZEN if frozen_balance_fen(organisation_id) else None


@dataclass(frozen=True)
class Balance:
    """What an agency has, what of it is frozen, what it owes and what is on its way to its bank; fen."""

    payable_fen: int
    frozen_fen: int
    owed_fen: int
    on_its_way_fen: int
    block: PayoutBlock | None


def balance_of(organisation_id: UUID) -> Balance:
    """The agency's balance as its page shows it."""
    codes = ledger.payable(organisation_id).code, ledger.receivable(organisation_id).code
    found = balances(codes)
    moving = sa.select(sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0)).where(
        Payout.payee_organisation_id == organisation_id, Payout.state.in_(UNFINISHED_PAYOUT)
    )
    return Balance(
        -found.get(codes[0], 0),
        frozen_balance_fen(organisation_id),
        found.get(codes[1], 0),
        int(db.session.scalar(moving) or 0),
        payout_block(organisation_id),
    )


@dataclass(frozen=True)
class BankAccountView:
    """An account as people see it: never its number."""

    id: UUID
    organisation_id: UUID
    agency_name: str
    holder_name: str
    bank_name: str
    branch_code: str | None
    masked: str
    state: str
    entered_by_name: str
    entered_at: datetime
    checked_by: UUID | None
    usable_at: datetime | None
    proof_file_id: UUID
    by_transfer: bool
    version: int
    thread_id: UUID
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return f"{self.bank_name} {self.masked}"


def _account_views(rows: list[BankAccount], parts: frozenset[Part] = frozenset()) -> list[BankAccountView]:
    names = identity.organisations_by_ids({row.organisation_id for row in rows})
    return [
        BankAccountView(
            id=row.id,
            organisation_id=row.organisation_id,
            agency_name=names[row.organisation_id].name if row.organisation_id in names else "",
            holder_name=row.holder_name,
            bank_name=row.bank_name,
            branch_code=row.branch_code,
            masked=row.masked,
            state=row.state,
            entered_by_name=row.entered_by_name,
            entered_at=row.entered_at,
            checked_by=row.checked_by,
            usable_at=row.usable_at,
            proof_file_id=row.proof_file_id,
            by_transfer=row.by_transfer,
            version=row.version,
            thread_id=row.thread_id,
            parts=parts,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class MoneyView:
    """An agency's money as its page shows it."""

    organisation_id: UUID
    agency_name: str
    balance: Balance
    accounts: tuple[BankAccountView, ...]
    parts: frozenset[Part]

    @property
    def title(self) -> str:
        return self.agency_name

    @property
    def in_use(self) -> BankAccountView | None:
        return next((one for one in self.accounts if one.state == BankAccountState.ACTIVE), None)

    @property
    def changing(self) -> BankAccountView | None:
        return next((one for one in self.accounts if one.state in CHANGING), None)


def money_page(actor: Actor, organisation_id: UUID) -> MoneyView:
    """The money of one agency; raises NotFound for strangers and for what is no agency."""
    parts = agency_parts(actor, organisation_id)
    known = identity.organisations_by_ids({organisation_id})
    if organisation_id not in known or known[organisation_id].kind != OrganisationKind.AGENCY:
        raise NotFound
    accounts = tuple(bank_accounts_of(organisation_id))
    return MoneyView(organisation_id, known[organisation_id].name, balance_of(organisation_id), accounts, parts)


def bank_account_page(actor: Actor, account_id: UUID) -> BankAccountView:
    """One account with the actor's parts; raises NotFound for a stranger."""
    row = get(BankAccount, account_id)
    return _account_views([row], agency_parts(actor, row.organisation_id))[0]


def bank_accounts_of(organisation_id: UUID) -> list[BankAccountView]:
    """All accounts of an agency, the newest first."""
    rows = db.session.scalars(
        sa.select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id)
        .order_by(BankAccount.entered_at.desc())
    ).all()
    return _account_views(list(rows))


def bank_accounts_page(*, state: str | None, number: int = 1) -> Page[BankAccountView]:
    """Accounts of all agencies, the newest first; for the operator."""
    statement = sa.select(BankAccount).order_by(BankAccount.entered_at.desc(), BankAccount.id)
    if state is not None:
        statement = statement.where(BankAccount.state == state)
    page: Page[BankAccount] = page_of(statement, number=number)
    return Page(_account_views(list(page.items)), page.number, page.size, page.total)


@dataclass(frozen=True)
class PayoutView:
    """One payout; fen."""

    id: UUID
    number: str
    payee_organisation_id: UUID
    agency_name: str
    account: str
    amount_fen: int
    state: str
    scheduled: bool
    requested_at: datetime
    arrived_at: datetime | None
    finished_at: datetime | None
    problem: str | None
    requested_by: UUID | None
    first_approved_by: UUID | None
    transfer_ref: str | None
    gateway_ref: str | None
    by_hand: bool
    version: int
    thread_id: UUID
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.number


def _payout_views(rows: list[Any], parts: frozenset[Part] = frozenset()) -> list[PayoutView]:
    names = identity.organisations_by_ids({row.payee_organisation_id for row, _, _ in rows})
    main = gateway().code
    return [
        PayoutView(
            id=row.id,
            number=row.number,
            payee_organisation_id=row.payee_organisation_id,
            agency_name=names[row.payee_organisation_id].name if row.payee_organisation_id in names else "",
            account=f"{bank} {masked}",
            amount_fen=row.amount_fen,
            state=row.state,
            scheduled=row.scheduled_on is not None,
            requested_at=row.requested_at,
            arrived_at=row.arrived_at,
            finished_at=row.finished_at,
            problem=row.problem,
            requested_by=row.requested_by,
            first_approved_by=row.first_approved_by,
            transfer_ref=row.transfer_ref,
            gateway_ref=row.gateway_ref,
            by_hand=row.gateway != main,
            version=row.version,
            thread_id=row.thread_id,
            parts=parts,
        )
        for row, bank, masked in rows
    ]


def _payouts() -> sa.Select[Any]:
    statement: Any = sa.select(Payout, BankAccount.bank_name, BankAccount.masked).join(
        BankAccount, BankAccount.id == Payout.bank_account_id
    )
    return cast("sa.Select[Any]", statement)


def payout_page(actor: Actor, payout_id: UUID) -> PayoutView:
    """One payout with the actor's parts; raises NotFound for a stranger."""
    parts = agency_parts(actor, get(Payout, payout_id).payee_organisation_id)
    rows = db.session.execute(_payouts().where(Payout.id == payout_id)).all()
    return _payout_views(list(rows), parts)[0]


def payouts_page(*, organisation_id: UUID | None, state: str | None, number: int = 1) -> Page[PayoutView]:
    """Payouts of one agency or of all, the newest first."""
    statement = _payouts().order_by(Payout.requested_at.desc(), Payout.id)
    if organisation_id is not None:
        statement = statement.where(Payout.payee_organisation_id == organisation_id)
    if state is not None:
        statement = statement.where(Payout.state == state)
    page: Page[Any] = page_of(statement, number=number, scalars=False)
    return Page(_payout_views(list(page.items)), page.number, page.size, page.total)
