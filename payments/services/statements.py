"""Statements of bank accounts: checked as a dry run by one person, taken over by another; every line becomes what it is to us."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.calendar import start_of_day
from app.kernel.commands import Plain
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.files import Upload
from app.kernel.numbering import next_number
from app.kernel.spreadsheets import read_table
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import rules
from payments.bank_statements import MOST_PROBLEMS, Judged, StatementLine, judge, read_statement
from payments.bank_states import BANK_STATEMENT, NEW_ENTRY, LineVerdict, StatementState
from payments.events import StatementApplied
from payments.gateways import gateway_of, gateways
from payments.models.bank import BankEntry, Direction
from payments.models.payments import Payment
from payments.models.payouts import Payout
from payments.models.refunds import Refund
from payments.models.statements import BankStatement, BankStatementLine, UnmatchedMoney
from payments.queries.expected import awaited_on, known_on
from payments.services.bank import settle_entry
from payments.services.bank_entries import check_clerk, clerk_parts, make_entry
from payments.services.hand_payouts import payout_entry
from payments.services.unmatched import return_entry
from payments.states import BankEntryState

V = LineVerdict


@dataclass(frozen=True)
class HandInStatement:
    """The file of an account with all its movements of these days (Beijing, both included).

    `opening_fen` and `closing_fen`: the balances before and after, where the statement names them.
    """

    gateway: str
    first_day: date
    last_day: date
    file: Upload
    opening_fen: int | None = None
    closing_fen: int | None = None


@dataclass(frozen=True)
class Discard:
    """Why a statement is put away."""

    reason: str
    version: int | None = None


def statement_accounts() -> tuple[str, ...]:
    """The gateways whose movements come as files, by their codes."""
    return tuple(one.code for one in gateways() if not one.caps.has_statement)


def takes_entries(gateway: str) -> bool:
    """Whether the lines of this account become entries of ours: on bank accounts, where nobody else tells of payments."""
    return rules.BANK_TRANSFER in gateway_of(gateway).caps.methods


@use_case
def hand_in_statement(actor: Actor, command: HandInStatement) -> UUID:
    """Check a file: the dry run. Every line gets its verdict; nothing moves.

    Raises NotAllowed, Refused for what is no table, for days that are not over or that a statement covers already, and for
    a file that is there.
    """
    check_clerk(actor)
    _check_days(command)
    sha256 = hashlib.sha256(command.file.content).hexdigest()
    _check_new(command.gateway, command.first_day, command.last_day, sha256)
    lines, problems = read_statement(
        read_table(command.file.name, command.file.content), command.first_day, command.last_day
    )
    assert actor.user_id is not None, "a clerk is signed in"
    statement_id = new_id()
    came, went = (sum(one.amount_fen for one in lines if one.direction == way) for way in Direction)
    row = BankStatement(
        id=statement_id,
        thread_id=statement_id,
        number=next_number("LS"),
        gateway=command.gateway,
        state=StatementState.CHECKED.value,
        first_day=command.first_day,
        last_day=command.last_day,
        opening_fen=command.opening_fen,
        closing_fen=command.closing_fen,
        file_name=command.file.name[:200],
        file_sha256=sha256,
        problems=[vars(one) for one in problems[:MOST_PROBLEMS]],
        line_count=len(lines),
        in_fen=came,
        out_fen=went,
        handed_in_by=actor.user_id,
        handed_in_by_name=actor.name,
        handed_in_at=clock.now(),
    )
    if not problems and command.opening_fen is not None and command.closing_fen != command.opening_fen + came - went:
        row.problems = [{"row": 1, "column": "amount", "message": N_("The balance before, and what came and went, do not make the balance after. A line is missing.")}]  # fmt: skip
    db.session.add(row)
    db.session.flush()  # its lines refer to it
    db.session.add_all(_stored(row.id, one) for one in _judged(row.gateway, lines))
    record(row, "check", actor, title=N_("Bank statement checked"),
           detail={"file": row.file_name, "lines": row.line_count, "in_fen": came, "out_fen": went})  # fmt: skip
    if not row.problems:
        notify(to_role=Role.OPERATOR, kind="payment.bank-statement", subject=N_("A bank statement waits for a second person: %(number)s"),
               text=N_("Read the rows and take it over, or put it away."), link=f"/bank-statements/{row.id}",
               thread_id=row.thread_id, params={"number": row.number})  # fmt: skip
    return row.id


def _check_days(command: HandInStatement) -> None:
    if command.gateway not in statement_accounts():
        raise Refused("bank-account", N_("Choose the account on which the money arrived."), field="gateway")
    if command.first_day > command.last_day:
        raise Refused("statement-days", N_("The last day lies before the first."), field="last_day")
    if clock.now() < start_of_day(command.last_day + timedelta(days=1)):
        raise Refused(
            "statement-days", N_("The last day is not over yet: a statement covers whole days."), field="last_day"
        )
    if (command.opening_fen is None) != (command.closing_fen is None):
        raise Refused("statement-balances", N_("Give both balances or none."), field="closing_fen")


def _check_new(gateway: str, first_day: date, last_day: date, sha256: str | None) -> None:
    standing = BankStatement.gateway == gateway, BankStatement.state != StatementState.DISCARDED
    if sha256 is not None and (
        number := db.session.scalar(
            sa.select(BankStatement.number).where(*standing, BankStatement.file_sha256 == sha256)
        )
    ):
        raise Refused("statement-known", N_("This file was handed in already: %(number)s."), field="file",
                      params={"number": number})  # fmt: skip
    covered = sa.select(BankStatement.number).where(
        BankStatement.gateway == gateway, BankStatement.state == StatementState.APPLIED,
        BankStatement.first_day <= last_day, BankStatement.last_day >= first_day,
    )  # fmt: skip
    if number := db.session.scalar(covered.limit(1)):
        raise Refused("statement-overlaps", N_("Some of these days are covered by statement %(number)s."), field="first_day",
                      params={"number": number})  # fmt: skip


def _judged(gateway: str, lines: Sequence[StatementLine]) -> tuple[Judged, ...]:
    known = known_on(gateway, [one.bank_ref for one in lines], by_entries=takes_entries(gateway))
    return judge(lines, known, awaited_on(gateway) if takes_entries(gateway) else ())


def _stored(statement_id: UUID, one: Judged) -> BankStatementLine:
    return BankStatementLine(
        id=new_id(), statement_id=statement_id, verdict=one.verdict.value, matched_id=one.matched_id, **vars(one.line)
    )


@use_case
def discard_statement(actor: Actor, statement_id: UUID, command: Discard) -> None:
    """Put a checked statement away, with a reason; the file can then be handed in again."""
    row = lock(BankStatement, statement_id, seen=command.version)
    move(row, BANK_STATEMENT, "discard", actor, clerk_parts(actor), reason=command.reason)


@use_case
def apply_statement(actor: Actor, statement_id: UUID, command: Plain) -> None:
    """Take a statement over as the second person: its lines are judged anew and become entries, confirmed by two persons.

    Raises Refused for the one who handed it in, for a file with problems, and for days that are covered meanwhile.
    """
    row = _locked(statement_id, command.version)
    if row.handed_in_by == actor.user_id:
        raise Refused("same-person", N_("A statement is taken over by somebody other than the one who handed it in."))
    if row.problems:
        raise Conflict(
            "statement-problems", N_("Put this statement away and hand in a corrected file: it has problems.")
        )
    if row.state == StatementState.CHECKED:
        _check_new(row.gateway, row.first_day, row.last_day, None)
        _take_over(actor, row)
        row.applied_by, row.applied_by_name, row.applied_at = actor.user_id, actor.name, clock.now()
    move(row, BANK_STATEMENT, "apply", actor, clerk_parts(actor), event=StatementApplied(row.id, row.gateway),
         detail={"lines": row.line_count})  # fmt: skip


def _locked(statement_id: UUID, version: int | None) -> BankStatement:
    """Lock all that wait on the same account, so that two statements of the same days are taken over one after the other."""
    account = get(BankStatement, statement_id).gateway
    db.session.execute(
        sa.select(BankStatement.id)
        .where(BankStatement.gateway == account, BankStatement.state == StatementState.CHECKED)
        .order_by(BankStatement.id)
        .with_for_update()
    ).all()
    return lock(BankStatement, statement_id, seen=version)


def _take_over(actor: Actor, row: BankStatement) -> None:
    stored = {
        one.bank_ref: one
        for one in db.session.scalars(
            sa.select(BankStatementLine).where(BankStatementLine.statement_id == row.id).order_by(BankStatementLine.row)
        )
    }
    first = Actor(row.handed_in_by, None, actor.roles, row.handed_in_by_name, actor.permissions)
    for judged in _judged(row.gateway, [_read(one) for one in stored.values()]):
        line = stored[judged.line.bank_ref]
        line.verdict, line.matched_id = judged.verdict.value, judged.matched_id
        if takes_entries(row.gateway):
            line.entry_id = _entered(first, actor, row.gateway, judged)


def _read(one: BankStatementLine) -> StatementLine:
    return StatementLine(
        one.row, one.bank_ref, one.direction, one.amount_fen, one.moved_at, one.counterparty, one.reference
    )


def _entered(first: Actor, second: Actor, gateway: str, judged: Judged) -> UUID | None:
    """The entry of a line: made by who handed the statement in and confirmed by who takes it over; None without one."""
    if judged.verdict not in NEW_ENTRY:
        if judged.verdict is V.CONFIRMS:
            _confirm_by_statement(first, second, judged.matched_id)
        return judged.matched_id if judged.verdict is not V.UNKNOWN_OUT else None
    entry = _entry_for(gateway, judged)
    entry.moved_at = judged.line.moved_at
    entry_id = make_entry(first, entry, tell=False)
    settle_entry(second, entry)
    return entry_id


def _confirm_by_statement(first: Actor, second: Actor, entry_id: UUID | None) -> None:
    assert entry_id is not None, "known by its serial number"
    entry = lock(BankEntry, entry_id)
    settle_entry(second if entry.entered_by != second.user_id else first, entry)


def _entry_for(gateway: str, judged: Judged) -> BankEntry:
    line, found = judged.line, judged.matched_id
    if judged.verdict in (V.PAYOUT, V.PAYOUT_BACK):
        return payout_entry(get(Payout, found), line.bank_ref, came_back=judged.verdict is V.PAYOUT_BACK)
    if judged.verdict is V.GIVEN_BACK:
        return return_entry(get(UnmatchedMoney, found), line.bank_ref, line.counterparty)
    entry = BankEntry(
        gateway=gateway, direction=line.direction, bank_ref=line.bank_ref, counterparty=line.counterparty,
        amount_fen=line.amount_fen, thread_id=new_id(), state=BankEntryState.ENTERED.value,
    )  # fmt: skip
    if judged.verdict is V.REFUND:
        entry.refund_id, entry.thread_id = found, get(Refund, found).thread_id
    elif judged.verdict in (V.PAYMENT, V.PAYMENT_AMOUNT):
        entry.payment_id, entry.thread_id = found, get(Payment, found).thread_id
    return entry
